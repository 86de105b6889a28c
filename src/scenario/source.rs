//! The text of scenario files, spans in it, and errors when reading it.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use strum::IntoStaticStr;
use thiserror::Error;

/// The maximum size of a scenario with all included files, in bytes. It is far above any file written by hand, and low
/// enough to refuse a wrong path, such as a log or a disk image, without reading it.
pub const MAX_FILE_BYTES: u64 = 128 * 1024 * 1024;

const BYTE_ORDER_MARK: char = '\u{feff}';

/// The content of a file. Clones share the content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FileContent {
    Text(Arc<String>),
    /// Not UTF-8.
    Other(Arc<Vec<u8>>),
}

impl FileContent {
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Other(bytes) => bytes,
        }
    }
}

impl From<Vec<u8>> for FileContent {
    fn from(bytes: Vec<u8>) -> Self {
        let text = String::from_utf8(bytes).map(|text| Self::Text(Arc::new(text)));
        text.unwrap_or_else(|error| Self::Other(Arc::new(error.into_bytes())))
    }
}

/// The reason why a file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum ReadError {
    /// The system reported an error.
    #[error("cannot read {}: {reason}", path.display())]
    Unreadable {
        /// The path as given.
        path: PathBuf,
        /// The system's reason.
        reason: String,
    },
    /// The file is too large for a scenario.
    #[error("{} is larger than {} MiB, which is too large for a scenario; is it the right file?", path.display(), MAX_FILE_BYTES >> 20)]
    TooLarge {
        /// The path as given.
        path: PathBuf,
    },
    /// A scenario that was not read from a file includes one.
    #[error("cannot include {}: only a scenario read from a file can include others", path.display())]
    NoFiles {
        /// The path as given.
        path: PathBuf,
    },
}

impl ReadError {
    /// Creates an error from the system's error for a file or directory.
    pub(crate) fn new(path: &Path, error: &io::Error) -> Self {
        let reason = match error.kind() {
            io::ErrorKind::NotFound => "there is no such file".into(),
            io::ErrorKind::IsADirectory => "it is a directory; name a file in it".into(),
            io::ErrorKind::PermissionDenied => "permission denied".into(),
            _ => error.to_string(),
        };
        Self::Unreadable { path: path.to_owned(), reason }
    }

    /// Returns the path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Unreadable { path, .. } | Self::TooLarge { path } | Self::NoFiles { path } => path,
        }
    }

    /// Returns the kind's name for programs, as [`ProblemKind::code`](super::ProblemKind::code) does.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.into()
    }
}

/// One file as it was read. Clones share the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    path: PathBuf,
    text: Arc<String>,
}

impl Source {
    /// Creates a source from text in memory. `path` is its name in messages, and paths in the text are relative to its
    /// directory.
    ///
    /// A byte order mark is not part of the text (YAML 1.2.2, section 5.2) and is removed.
    pub fn new(path: impl Into<PathBuf>, text: &str) -> Self {
        Self { path: path.into(), text: Arc::new(text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text).into()) }
    }

    /// Returns the path as the user gave it.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the whole text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Creates a source as [`Source::new`] does, without copying the text.
    pub(super) fn shared(path: impl Into<PathBuf>, text: Arc<String>) -> Self {
        if text.starts_with(BYTE_ORDER_MARK) { Self::new(path, &text) } else { Self { path: path.into(), text } }
    }

    pub(super) fn shared_text(&self) -> Arc<String> {
        self.text.clone()
    }
}

/// A range of bytes in the concatenation of a scenario's files; [`Sources::locate`] finds the file. If there is only
/// one file, spans are offsets into its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// Returns whether the other span starts inside this one.
    pub(super) fn holds(self, other: Self) -> bool {
        (self.start..self.end).contains(&other.start)
    }
}

/// The files of one scenario, the requested one first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sources {
    /// The files, each with the span start of its first byte.
    files: Vec<(u32, Source)>,
}

impl Sources {
    /// Adds a file, and returns the span start of its first byte. The caller must ensure that all files together have
    /// at most [`MAX_FILE_BYTES`].
    pub(super) fn add(&mut self, source: Source) -> u32 {
        let base = self.length();
        self.files.push((base, source));
        base
    }

    /// Returns the files in the order in which they were read.
    pub fn iter(&self) -> impl Iterator<Item = &Source> {
        self.files.iter().map(|(_, source)| source)
    }

    /// Returns the span start of the next file's first byte.
    pub(super) fn next_base(&self) -> u32 {
        self.length()
    }

    /// Returns the length of all files in bytes, counting one byte for the end of each file.
    fn length(&self) -> u32 {
        let length = |(base, source): &(u32, Source)| u32::try_from(source.text.len() + 1).unwrap_or(u32::MAX) + base;
        self.files.last().map_or(0, length)
    }

    /// Returns the file that contains a span, and the range of its text that the span covers; `None` only if there are
    /// no files.
    #[must_use]
    pub fn locate(&self, span: Span) -> Option<(&Source, Range<usize>)> {
        let (base, source) = match &self.files[..] {
            [only] => only,
            files => files.get(files.partition_point(|(base, _)| *base <= span.start).saturating_sub(1))?,
        };
        Some((source, span.start.saturating_sub(*base) as usize..span.end.saturating_sub(*base) as usize))
    }

    /// Returns the text at a span; empty if no file contains the span.
    pub(super) fn text(&self, span: Span) -> &str {
        self.locate(span).and_then(|(source, range)| source.text.get(range)).unwrap_or_default()
    }

    /// Returns the directory of the file that contains a span.
    pub(super) fn directory(&self, span: Span) -> &Path {
        self.locate(span).and_then(|(source, _)| source.path.parent()).unwrap_or(Path::new(""))
    }

    /// Returns the same as [`Sources::directory`], relative to the directory of the first file if it is inside that
    /// directory.
    pub(super) fn directory_from_first(&self, span: Span) -> &Path {
        let first = self.files.first().and_then(|(_, source)| source.path.parent()).unwrap_or(Path::new(""));
        let directory = self.directory(span);
        directory.strip_prefix(first).unwrap_or(directory)
    }
}
