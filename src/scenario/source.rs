//! The text of scenario files, and places in it.

use std::ops::Range;
use std::path::{Path, PathBuf};

/// The most bytes one scenario file may have. Far above any file made by hand, and low enough that a wrong
/// path (a log, a disk image) is refused rather than read.
pub const MAX_FILE_BYTES: u64 = 128 * 1024 * 1024;

/// One file as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    path: PathBuf,
    text: String,
}

impl Source {
    /// A source from text that is already in memory; `path` is how messages name it.
    ///
    /// A byte order mark is not part of the text (YAML 1.2.2, section 5.2) and is left out.
    pub fn new(path: impl Into<PathBuf>, text: &str) -> Self {
        Self { path: path.into(), text: text.strip_prefix('\u{feff}').unwrap_or(text).to_owned() }
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
}

/// A range of bytes in a scenario file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The span as a range that can index the source's text.
    #[must_use]
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}
