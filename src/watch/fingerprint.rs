//! Fingerprints of files, taken without reading them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::system::program::{FileIdentity, is_unlinked};

/// The properties that change with a write, or when another file replaces a followed one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Fingerprint(BTreeMap<PathBuf, Option<FileStat>>);

/// The metadata of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileStat {
    length: u64,
    modified: Option<SystemTime>,
    identity: FileIdentity,
    /// Whether the file has no name left, so that only programs that have it open see what is written to it.
    is_unlinked: bool,
}

impl Fingerprint {
    /// Takes the fingerprint of the files.
    pub(super) fn of(paths: &[PathBuf]) -> Self {
        Self(paths.iter().map(|path| (path.clone(), stat(path))).collect())
    }

    /// Returns whether the files in both fingerprints are the same in each.
    pub(super) fn agrees_with(&self, later: &Self) -> bool {
        self.0.iter().all(|(path, stat)| later.0.get(path).is_none_or(|later| later == stat))
    }

    /// Returns the first empty file.
    pub(super) fn empty(&self) -> Option<&Path> {
        let empty = self.0.iter().find(|(_, stat)| stat.is_some_and(|stat| stat.length == 0));
        empty.map(|(path, _)| path.as_path())
    }

    /// Returns the files that have lost their last name since an earlier fingerprint, but can still be opened by their
    /// path.
    pub(super) fn unlinked_since<'f>(&'f self, earlier: &'f Self) -> impl Iterator<Item = &'f Path> {
        let was_linked = |path: &PathBuf| matches!(earlier.0.get(path), Some(Some(stat)) if !stat.is_unlinked);
        let unlinked = self.0.iter().filter(|(_, stat)| stat.is_some_and(|stat| stat.is_unlinked));
        unlinked.map(|(path, _)| path).filter(move |path| was_linked(path)).map(PathBuf::as_path)
    }
}

fn stat(path: &Path) -> Option<FileStat> {
    let metadata = std::fs::metadata(path).ok()?;
    Some(FileStat {
        length: metadata.len(),
        modified: metadata.modified().ok(),
        identity: FileIdentity::of(&metadata),
        is_unlinked: is_unlinked(&metadata),
    })
}
