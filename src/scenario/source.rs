//! The text of scenario files, errors of reading it, and places in it.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use strum::IntoStaticStr;
use thiserror::Error;

/// The maximum size of a scenario with all included files, in bytes. Far above any written by hand, and low enough that
/// a wrong path (a log, a disk image) is refused rather than read.
pub const MAX_FILE_BYTES: u64 = 128 * 1024 * 1024;

const BYTE_ORDER_MARK: char = '\u{feff}';

/// The content of a file. Clones share it.
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

/// Why the text of a file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum ReadError {
    /// The system refuses to read it.
    #[error("cannot read {}: {reason}", path.display())]
    Unreadable {
        /// The path as given.
        path: PathBuf,
        /// The system's reason.
        reason: String,
    },
    /// The file is larger than any scenario.
    #[error("{} is larger than {} MiB, which is too large for a scenario; is it the right file?", path.display(), MAX_FILE_BYTES >> 20)]
    TooLarge {
        /// The path as given.
        path: PathBuf,
    },
    /// A text that does not come from a file includes one.
    #[error("cannot include {}: only a scenario read from a file can include others", path.display())]
    NoFiles {
        /// The path as given.
        path: PathBuf,
    },
}

impl ReadError {
    /// The error of reading a file or folder.
    pub(crate) fn new(path: &Path, error: &io::Error) -> Self {
        let reason = match error.kind() {
            io::ErrorKind::NotFound => "there is no such file".into(),
            io::ErrorKind::IsADirectory => "it is a directory; name a file in it".into(),
            io::ErrorKind::PermissionDenied => "permission denied".into(),
            _ => error.to_string(),
        };
        Self::Unreadable { path: path.to_owned(), reason }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Unreadable { path, .. } | Self::TooLarge { path } | Self::NoFiles { path } => path,
        }
    }

    /// The kind's name for programs, as that of [`ProblemKind::code`](super::ProblemKind::code).
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
    /// A source from text in memory. `path` is its name in messages, and the paths in it are relative to its directory.
    ///
    /// A byte order mark is not part of the text (YAML 1.2.2, section 5.2) and is removed.
    pub fn new(path: impl Into<PathBuf>, text: &str) -> Self {
        Self { path: path.into(), text: Arc::new(text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text).into()) }
    }

    /// The path as the user gave it.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The whole text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// As [`Source::new`], without a copy.
    pub(super) fn shared(path: impl Into<PathBuf>, text: Arc<String>) -> Self {
        if text.starts_with(BYTE_ORDER_MARK) { Self::new(path, &text) } else { Self { path: path.into(), text } }
    }

    pub(super) fn shared_text(&self) -> Arc<String> {
        self.text.clone()
    }
}

/// A range of bytes in a scenario's files, counted through from the first file to the last; [`Sources::locate`] finds
/// the file. If there is only one file, spans are offsets into its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// Whether the other begins inside this one.
    pub(super) fn holds(self, other: Self) -> bool {
        (self.start..self.end).contains(&other.start)
    }
}

/// The files of one scenario, the requested one first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sources {
    /// Each with the span start of its first byte.
    files: Vec<(u32, Source)>,
}

impl Sources {
    /// Adds a file, and gives the span start of its first byte. The caller must have refused files of more than
    /// [`MAX_FILE_BYTES`] in all.
    pub(super) fn add(&mut self, source: Source) -> u32 {
        let base = self.length();
        self.files.push((base, source));
        base
    }

    /// The files in the order in which they were read.
    pub fn iter(&self) -> impl Iterator<Item = &Source> {
        self.files.iter().map(|(_, source)| source)
    }

    /// The span start of the next file's first byte.
    pub(super) fn next_base(&self) -> u32 {
        self.length()
    }

    /// The number of bytes in use; the end of a file counts as one.
    fn length(&self) -> u32 {
        let length = |(base, source): &(u32, Source)| u32::try_from(source.text.len() + 1).unwrap_or(u32::MAX) + base;
        self.files.last().map_or(0, length)
    }

    /// The file that a span is in, and the bytes of its text that it covers. `None` only if there are no files.
    #[must_use]
    pub fn locate(&self, span: Span) -> Option<(&Source, Range<usize>)> {
        let (base, source) = match &self.files[..] {
            [only] => only,
            files => files.get(files.partition_point(|(base, _)| *base <= span.start).saturating_sub(1))?,
        };
        Some((source, span.start.saturating_sub(*base) as usize..span.end.saturating_sub(*base) as usize))
    }

    /// The text at a span; empty if the span is in no file.
    pub(super) fn text(&self, span: Span) -> &str {
        self.locate(span).and_then(|(source, range)| source.text.get(range)).unwrap_or_default()
    }

    /// The directory of the file that a span is in.
    pub(super) fn directory(&self, span: Span) -> &Path {
        self.locate(span).and_then(|(source, _)| source.path.parent()).unwrap_or(Path::new(""))
    }

    /// As [`Sources::directory`], relative to the directory of the first file if it is below that.
    pub(super) fn directory_from_first(&self, span: Span) -> &Path {
        let first = self.files.first().and_then(|(_, source)| source.path.parent()).unwrap_or(Path::new(""));
        let directory = self.directory(span);
        directory.strip_prefix(first).unwrap_or(directory)
    }
}
