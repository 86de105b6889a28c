//! Tells when it is time to look at the file: on events of its directory, or at intervals.
//!
//! The directory is watched, never the file: editors save by rename, which a watch on the file would not survive.
//! A file behind symlinks is watched in the directory of every link on the way, so that a swapped link is noticed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tracing::warn;

use super::settle::Fingerprint;

/// What wakes the watcher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WatchMode {
    /// The system's file events; for local disks.
    #[default]
    Events,
    /// A look every 100 ms; for network and container mounts, where events do not arrive.
    Poll,
}

/// The time between two looks in [`WatchMode::Poll`].
const POLL: Duration = Duration::from_millis(100);

/// Events can be lost: a directory was replaced, a queue overflowed. So now and then the file's time and length are
/// compared as well.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// More links than this on the way to a file are a loop (Linux gives up at 40).
const MAX_LINKS: usize = 40;

pub(super) struct Wake {
    /// `None` when polling.
    watcher: Option<RecommendedWatcher>,
    directories: BTreeSet<PathBuf>,
    events: mpsc::Receiver<()>,
}

impl Wake {
    /// Watches the file's directories, or polls if that cannot be done.
    pub(super) fn new(path: &Path, mode: WatchMode) -> Self {
        // One waiting signal says as much as many.
        let (signal, events) = mpsc::channel(1);
        let tell = move |event: notify::Result<Event>| {
            if event.as_ref().map_or(true, writes) {
                let _ = signal.try_send(());
            }
        };
        let watcher = match mode {
            WatchMode::Poll => None,
            WatchMode::Events => notify::recommended_watcher(tell)
                .inspect_err(|error| warn!(%error, "file events are not to be had, looking every {POLL:?} instead"))
                .ok(),
        };
        let mut wake = Self { watcher, directories: BTreeSet::new(), events };
        wake.watch(path);
        wake
    }

    /// Waits until it is time to look again.
    pub(super) async fn next(&mut self, path: &Path) {
        self.watch(path);
        if self.watcher.is_none() {
            return sleep(POLL).await;
        }
        let before = Fingerprint::of(path);
        while timeout(HEARTBEAT, self.events.recv()).await.is_err() {
            if Fingerprint::of(path) != before {
                // No event told of this, so the watches are not what they should be.
                self.forget();
                return;
            }
        }
    }

    /// Watches the directories that a change of the file shows in.
    fn watch(&mut self, path: &Path) {
        let Some(watcher) = &mut self.watcher else { return };
        let wanted = directories(path);
        for gone in self.directories.difference(&wanted) {
            // A directory that is no more cannot be unwatched, and need not be.
            let _ = watcher.unwatch(gone);
        }
        for new in wanted.difference(&self.directories).cloned().collect::<Vec<_>>() {
            if let Err(error) = watcher.watch(&new, RecursiveMode::NonRecursive) {
                warn!("cannot watch {}: {error}; looking every {POLL:?} instead", new.display());
                self.watcher = None;
                return;
            }
        }
        self.directories = wanted;
    }

    fn forget(&mut self) {
        let directories = std::mem::take(&mut self.directories);
        if let Some(watcher) = &mut self.watcher {
            for directory in directories {
                let _ = watcher.unwatch(&directory);
            }
        }
    }
}

/// Whether an event can mean that a file has other content than before. Reading, our own too, makes events as well.
fn writes(event: &Event) -> bool {
    match event.kind {
        EventKind::Access(access) => access == AccessKind::Close(AccessMode::Write),
        _ => true,
    }
}

/// The existing directories of the path itself, of every symlink on the way, and of the file at the end.
fn directories(path: &Path) -> BTreeSet<PathBuf> {
    let mut directories = BTreeSet::new();
    let mut link = path.to_owned();
    for _ in 0..MAX_LINKS {
        let parent = match link.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        let Ok(target) = std::fs::read_link(&link) else {
            directories.insert(parent);
            break;
        };
        link = parent.join(target);
        directories.insert(parent);
    }
    directories.extend(path.canonicalize().ok().and_then(|path| path.parent().map(Path::to_owned)));
    directories.retain(|directory| directory.is_dir());
    directories
}
