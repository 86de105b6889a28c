//! Tells when it is time to look at the files: on events of its directory, or at intervals.
//!
//! Directories are watched, never the file: editors save by rename, which a watch on the file would not survive.
//! Links on the way to a file are of interest too, each in the directory that holds it. Events of other names in
//! these directories wake nobody.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use super::settle::Fingerprint;

/// What wakes the watcher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WatchMode {
    /// The system's file events; for local disks.
    #[default]
    Events,
    /// A look every 100 ms; for network and container mounts, where events do not arrive.
    Poll,
    /// Nothing: a file is read when it is switched to, and then no more.
    Never,
}

/// The time between two looks in [`WatchMode::Poll`].
const POLL: Duration = Duration::from_millis(100);

/// Looks in [`WatchMode::Poll`] after which files are read even if they look unchanged.
const LOOKS_A_READ: usize = 10;

/// Events can be lost, so now and then the files are compared with what they were.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// More links than this on the way to a file are a loop (Linux gives up at 40).
const MAX_LINKS: usize = 40;

pub(super) struct Wake {
    paths: Vec<PathBuf>,
    /// `None` when polling.
    watcher: Option<RecommendedWatcher>,
    /// The watched directories.
    watched: BTreeSet<PathBuf>,
    /// The paths whose events count.
    trail: Arc<Mutex<BTreeSet<PathBuf>>>,
    events: mpsc::Receiver<()>,
}

impl Wake {
    /// Watches for changes, or polls if that cannot be done.
    pub(super) fn new(mode: WatchMode) -> Self {
        let trail: Arc<Mutex<BTreeSet<PathBuf>>> = Arc::default();
        // One waiting signal says as much as many.
        let (signal, events) = mpsc::channel(1);
        let interesting = trail.clone();
        let tell = move |event: notify::Result<Event>| {
            let trail = interesting.lock().unwrap_or_else(PoisonError::into_inner);
            if event.as_ref().map_or(true, |event| counts(event, &trail)) {
                let _ = signal.try_send(());
            }
        };
        let watcher = match mode {
            WatchMode::Poll | WatchMode::Never => None,
            WatchMode::Events => notify::recommended_watcher(tell)
                .inspect_err(|error| warn!(%error, "file events are not to be had, looking every {POLL:?} instead"))
                .ok(),
        };
        Self { paths: Vec::new(), watcher, watched: BTreeSet::new(), trail, events }
    }

    /// Watches what is on the way to the files now. To be called before they are looked at, so that a change after the
    /// look is not missed.
    pub(super) fn refresh(&mut self, paths: Vec<PathBuf>) {
        self.paths = paths;
        // All anew each time: a directory may have been replaced by one of the same name, even of the same inode.
        for path in std::mem::take(&mut self.watched) {
            // One that is no more cannot be unwatched, and need not be.
            let _ = self.watcher.as_mut().map(|watcher| watcher.unwatch(&path));
        }
        // Again until nothing is new: what came between finding the way and watching it made no event.
        loop {
            let Trail { holders, steps } = Trail::of(&self.paths);
            *self.trail.lock().unwrap_or_else(PoisonError::into_inner) = steps;
            let new: Vec<PathBuf> = holders.difference(&self.watched).cloned().collect();
            if new.is_empty() || self.watcher.is_none() {
                return;
            }
            for holder in new {
                self.watch(holder);
            }
        }
    }

    fn watch(&mut self, holder: PathBuf) {
        let Some(watcher) = &mut self.watcher else { return };
        if let Err(error) = watcher.watch(&holder, RecursiveMode::NonRecursive)
            && holder.is_dir()
        {
            warn!("cannot watch {}: {error}; looking every {POLL:?} instead", holder.display());
            self.watcher = None;
        }
        self.watched.insert(holder);
    }

    /// Waits until it is time to look again at the files that were `seen`. Why one could not be read may pass without a
    /// trace on the file, so that it is to be tried again.
    pub(super) async fn next(&mut self, seen: Fingerprint, is_to_be_retried: bool) {
        if self.watcher.is_none() {
            // Files on some mounts tell of no change, so now and then they are read all the same.
            for _ in 0..LOOKS_A_READ {
                sleep(POLL).await;
                if Fingerprint::of(&self.paths) != seen {
                    return;
                }
            }
            return;
        }
        while timeout(HEARTBEAT, self.events.recv()).await.is_err() {
            if is_to_be_retried {
                return;
            }
            if Fingerprint::of(&self.paths) != seen {
                let first = self.paths.first().map(|path| path.display());
                info!("no file event told of a change of {}", first.map(|path| path.to_string()).unwrap_or_default());
                return;
            }
        }
    }
}

/// Whether an event can mean that the file is another, or has other content. Reading makes events as well.
fn counts(event: &Event, trail: &BTreeSet<PathBuf>) -> bool {
    let writes = match event.kind {
        EventKind::Access(access) => access == AccessKind::Close(AccessMode::Write),
        _ => true,
    };
    writes && (event.need_rescan() || event.paths.is_empty() || event.paths.iter().any(|path| trail.contains(path)))
}

/// What is on the way to the files.
#[derive(Default)]
struct Trail {
    /// The directories to watch: those that hold a link on the way, and those that hold a file. If a directory on the
    /// way is missing, the one that would hold it.
    holders: BTreeSet<PathBuf>,
    /// The paths whose events count: every directory and link on the way, and the files themselves.
    steps: BTreeSet<PathBuf>,
}

impl Trail {
    fn of(paths: &[PathBuf]) -> Self {
        let mut trail = Self::default();
        for path in paths {
            trail.follow(&std::path::absolute(path).unwrap_or_else(|_| path.clone()));
        }
        trail
    }

    fn follow(&mut self, path: &Path) {
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
            let step = here.join(&part);
            self.steps.insert(step.clone());
            if let Ok(target) = std::fs::read_link(&step) {
                self.holders.insert(here.clone());
                links += 1;
                if links > MAX_LINKS {
                    break;
                }
                if target.is_absolute() {
                    here = PathBuf::new();
                }
                ahead.extend(parts(&target));
            } else if ahead.is_empty() || !step.exists() {
                self.holders.insert(here);
                break;
            } else {
                here = step;
            }
        }
    }
}

/// The parts of a path, the first one last.
fn parts(path: &Path) -> Vec<OsString> {
    path.components().rev().map(|part| part.as_os_str().to_owned()).collect()
}
