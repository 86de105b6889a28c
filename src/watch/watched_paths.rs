//! The paths that lead to the followed files.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

/// A path with more links than this is considered a loop (Linux gives up at 40).
const MAX_LINKS: usize = 40;

/// The directories and links that lead to the files, and the files themselves.
#[derive(Debug, Default)]
pub(super) struct WatchedPaths {
    /// The directories to watch: those that hold a link on the way to a file, or the file itself. If a directory on the
    /// way is missing, the one that would hold it.
    pub(super) holders: BTreeSet<PathBuf>,
    /// The paths whose events matter.
    relations: BTreeMap<PathBuf, Relation>,
}

/// The followed files that a path leads to, by index.
#[derive(Debug, Default)]
pub(super) struct Relation {
    /// The files at this path.
    pub(super) files: Vec<usize>,
    /// The files behind this directory or link.
    pub(super) behind: Vec<usize>,
}

impl WatchedPaths {
    pub(super) fn of(paths: &[PathBuf]) -> Self {
        let mut watched = Self::default();
        for (file, path) in paths.iter().enumerate() {
            watched.follow(file, &std::path::absolute(path).unwrap_or_else(|_| path.clone()));
        }
        watched
    }

    /// Returns how a path relates to the files; `None` if it does not lead to any.
    pub(super) fn relation(&self, path: &Path) -> Option<&Relation> {
        self.relations.get(path)
    }

    fn follow(&mut self, file: usize, path: &Path) {
        let mut links = 0;
        let mut here = PathBuf::new();
        let mut ahead = parts(path);
        while let Some(part) = ahead.pop() {
            match Path::new(&part).components().next() {
                Some(Component::Normal(_)) => {}
                Some(Component::RootDir | Component::Prefix(_)) => {
                    here.push(part);
                    continue;
                }
                Some(Component::ParentDir) => {
                    here.pop();
                    continue;
                }
                Some(Component::CurDir) | None => continue,
            }
            let path = here.join(&part);
            let relation = self.relations.entry(path.clone()).or_default();
            if let Ok(target) = std::fs::read_link(&path) {
                relation.behind.push(file);
                self.holders.insert(here.clone());
                links += 1;
                if links > MAX_LINKS {
                    break;
                }
                if target.is_absolute() {
                    here = PathBuf::new();
                }
                ahead.extend(parts(&target));
            } else if ahead.is_empty() {
                relation.files.push(file);
                self.holders.insert(here);
                break;
            } else {
                relation.behind.push(file);
                if !path.exists() {
                    self.holders.insert(here);
                    break;
                }
                here = path;
            }
        }
    }
}

/// Returns the components of a path in reverse order.
fn parts(path: &Path) -> Vec<OsString> {
    path.components().rev().map(|part| part.as_os_str().to_owned()).collect()
}
