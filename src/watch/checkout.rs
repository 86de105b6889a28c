//! Detection of the lock files that version control systems hold while they change files.

use std::collections::BTreeSet;
use std::fs::{metadata, read_to_string, symlink_metadata};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Locks older than this are ignored: their program has crashed or waits for the user, as `git commit` does for a
/// message.
const STALE: Duration = Duration::from_secs(10);

/// A lock file that a version control system holds while it changes files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CheckoutLock {
    /// The name of the version control system.
    pub(super) system: &'static str,
    pub(super) path: PathBuf,
}

/// Finds a recent lock in the repositories that contain the files.
pub(super) fn find_lock(files: &[PathBuf]) -> Option<CheckoutLock> {
    let files: Vec<PathBuf> = files.iter().filter_map(|file| std::path::absolute(file).ok()).collect();
    let directories: BTreeSet<&Path> = files.iter().flat_map(|file| file.ancestors().skip(1)).collect();
    directories.into_iter().find_map(|root| {
        let git = git_directory(root).map(|git| ("Git", git.join("index.lock")));
        let mercurial = ("Mercurial", root.join(".hg/wlock"));
        let held = git.into_iter().chain([mercurial]).find(|(_, lock)| is_held(lock));
        held.map(|(system, path)| CheckoutLock { system, path })
    })
}

/// Returns Git's directory for the working tree at `root`. In a linked worktree or a submodule, `.git` is a file with
/// the path of that directory (gitrepository-layout(5)).
fn git_directory(root: &Path) -> Option<PathBuf> {
    let git = root.join(".git");
    let kind = metadata(&git).ok()?;
    if kind.is_dir() {
        return Some(git);
    }
    let text = kind.is_file().then(|| read_to_string(git).ok())??;
    text.strip_prefix("gitdir:").map(|path| root.join(path.trim()))
}

/// Does not follow links: Mercurial's lock is a dangling link.
fn is_held(lock: &Path) -> bool {
    let Ok(found) = symlink_metadata(lock) else { return false };
    let age = found.modified().ok().and_then(|modified| modified.elapsed().ok());
    age.is_none_or(|age| age < STALE)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use std::fs::{File, create_dir_all, write};
    use std::path::PathBuf;
    use std::time::{Duration, SystemTime};

    use super::{CheckoutLock, find_lock};

    #[test]
    fn locks_of_worktrees_submodules_and_included_files_count() {
        let directory = tempfile::tempdir().unwrap();
        let root = std::path::absolute(directory.path()).unwrap();
        // In the future, so that the lock never becomes stale during the test.
        let (held, stale) = (SystemTime::now() + Duration::from_hours(1), SystemTime::now() - Duration::from_hours(1));
        for (lock, modified) in [
            ("main/.git/index.lock", held),
            ("main/.git/worktrees/linked/index.lock", held),
            ("main/.git/modules/sub/index.lock", held),
            ("commit/.git/index.lock", stale),
            ("mercurial/.hg/wlock", held),
        ] {
            create_dir_all(root.join(lock).parent().unwrap()).unwrap();
            File::create(root.join(lock)).unwrap().set_modified(modified).unwrap();
        }
        for directory in ["main/mocks", "linked", "super/sub", "idle/.git", "odd"] {
            create_dir_all(root.join(directory)).unwrap();
        }
        write(root.join("linked/.git"), format!("gitdir: {}\n", root.join("main/.git/worktrees/linked").display()))
            .unwrap();
        write(root.join("super/sub/.git"), "gitdir: ../../main/.git/modules/sub\n").unwrap();
        write(root.join("odd/.git"), "something else\n").unwrap();
        let git = |path: &str| Some(("Git", root.join(path)));
        for (files, expected) in [
            (&["main/shop.yaml"][..], git("main/.git/index.lock")),
            (&["main/mocks/shop.yaml"], git("main/.git/index.lock")),
            (&["linked/shop.yaml"], git("main/.git/worktrees/linked/index.lock")),
            (&["super/sub/shop.yaml"], git("super/sub/../../main/.git/modules/sub/index.lock")),
            (&["idle/shop.yaml", "main/more.yaml"], git("main/.git/index.lock")),
            (&["mercurial/shop.yaml"], Some(("Mercurial", root.join("mercurial/.hg/wlock")))),
            (&["commit/shop.yaml"], None),
            (&["idle/shop.yaml", "odd/more.yaml"], None),
        ] {
            let files: Vec<PathBuf> = files.iter().map(|file| root.join(file)).collect();
            let found = find_lock(&files).map(|CheckoutLock { system, path }| (system, path));
            assert_eq!(found, expected, "{files:?}");
        }
    }
}
