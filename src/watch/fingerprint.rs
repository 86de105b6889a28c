//! What can be seen of files without reading them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::system::program::{FileIdentity, is_unlinked};

/// What changes with a write, or when another file takes the place of one of those that are followed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Fingerprint(BTreeMap<PathBuf, Option<FileStat>>);

/// What the system tells of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileStat {
    length: u64,
    modified: Option<SystemTime>,
    identity: FileIdentity,
    /// Whether the file has no name any more, so that only those who hold it open see what is written to it.
    is_unlinked: bool,
}

impl Fingerprint {
    /// Looks at the files now.
    pub(super) fn of(paths: &[PathBuf]) -> Self {
        Self(paths.iter().map(|path| (path.clone(), look(path))).collect())
    }

    /// Whether the files that are in both were the same at both times.
    pub(super) fn agrees_with(&self, later: &Self) -> bool {
        self.0.iter().all(|(path, look)| later.0.get(path).is_none_or(|later| later == look))
    }

    /// The first file that is empty.
    pub(super) fn empty(&self) -> Option<&Path> {
        let empty = self.0.iter().find(|(_, look)| look.is_some_and(|look| look.length == 0));
        empty.map(|(path, _)| path.as_path())
    }

    /// The files that have lost their last name since an earlier time, but can still be opened by their path.
    pub(super) fn unlinked_since<'f>(&'f self, earlier: &'f Self) -> impl Iterator<Item = &'f Path> {
        let was_linked = |path: &PathBuf| matches!(earlier.0.get(path), Some(Some(look)) if !look.is_unlinked);
        let unlinked = self.0.iter().filter(|(_, look)| look.is_some_and(|look| look.is_unlinked));
        unlinked.map(|(path, _)| path).filter(move |path| was_linked(path)).map(PathBuf::as_path)
    }
}

fn look(path: &Path) -> Option<FileStat> {
    let metadata = std::fs::metadata(path).ok()?;
    Some(FileStat {
        length: metadata.len(),
        modified: metadata.modified().ok(),
        identity: FileIdentity::of(&metadata),
        is_unlinked: is_unlinked(&metadata),
    })
}
