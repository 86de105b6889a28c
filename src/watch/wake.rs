//! Wakes the watcher when it is time to check the files: on events of their directories, or at intervals.
//!
//! Only directories are watched, never files: editors save by renaming, and a watch on a file would not survive that.
//! Links that lead to a file matter too, each in the directory that holds it. Events of other names in these
//! directories are ignored.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;
use tokio::time::{sleep, sleep_until, timeout, timeout_at};
use tracing::{info, warn};

use super::checkout::find_lock;
use super::debounce::Observation;
use super::file_events::{FileEvents, Writer};
use super::fingerprint::Fingerprint;
use super::watched_paths::WatchedPaths;
use crate::system::program::REPORTS_CLOSE_WRITE;

/// How the watcher notices changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WatchMode {
    /// By file events of the system; for local disks.
    #[default]
    Events,
    /// By checking every 100 ms; for network and container mounts, which report no events.
    Poll,
    /// Not at all: a file is read once, when it is switched to.
    Never,
}

/// The time between two checks in [`WatchMode::Poll`].
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// The number of checks in [`WatchMode::Poll`] after which the files are read even if they look unchanged.
const CHECKS_PER_READ: usize = 10;

/// Events can be lost, so the files are compared with their last fingerprint at this interval.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// The longest delay of an event on a busy machine. An event that takes longer is considered lost.
const MAX_EVENT_DELAY: Duration = Duration::from_millis(200);

/// The time between two checks while a save settles; not every change causes an event.
const SETTLE_INTERVAL: Duration = Duration::from_millis(50);

pub(super) struct Wake {
    paths: Vec<PathBuf>,
    /// `None` when polling.
    watcher: Option<RecommendedWatcher>,
    /// The watched directories.
    watched: BTreeSet<PathBuf>,
    file_events: Arc<Mutex<FileEvents>>,
    events: mpsc::Receiver<()>,
}

impl Wake {
    /// Watches for changes, or polls if that is not possible.
    pub(super) fn new(mode: WatchMode) -> Self {
        let file_events = Arc::new(Mutex::new(FileEvents::new(REPORTS_CLOSE_WRITE)));
        // A single pending signal is enough.
        let (signal, events) = mpsc::channel(1);
        let shared = file_events.clone();
        let note = move |event: notify::Result<Event>| {
            let mut file_events = shared.lock().unwrap_or_else(PoisonError::into_inner);
            let counts = match event {
                Ok(event) => file_events.note(&event),
                Err(_) => file_events.note_loss(),
            };
            if counts {
                let _ = signal.try_send(());
            }
        };
        let watcher = match mode {
            WatchMode::Poll | WatchMode::Never => None,
            WatchMode::Events => notify::recommended_watcher(note)
                .inspect_err(|error| warn!(%error, "file events are unavailable, polling every {POLL_INTERVAL:?}"))
                .ok(),
        };
        Self { paths: Vec::new(), watcher, watched: BTreeSet::new(), file_events, events }
    }

    /// Watches everything that leads to the files now. Call this before observing the files, so that no change after
    /// the observation is missed.
    pub(super) fn refresh(&mut self, paths: Vec<PathBuf>) {
        let stale = self.file_events().stale(&paths);
        self.paths = paths;
        let (Some(is_lossy), true) = (stale, self.watcher.is_some()) else { return };
        if is_lossy {
            // Unwatch all of them: a directory may have been replaced by one with the same name, or even the same
            // inode.
            self.unwatch(|_| true);
        }
        // Repeat until nothing is new: a change after the paths were found and before they were watched has caused no
        // event.
        loop {
            let watched = WatchedPaths::of(&self.paths);
            let holders = watched.holders.clone();
            self.file_events().follow(&self.paths, watched);
            self.unwatch(|holder| !holders.contains(holder));
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
            warn!("cannot watch {}: {error}; polling every {POLL_INTERVAL:?} instead", holder.display());
            self.watcher = None;
        }
        self.watched.insert(holder);
    }

    fn unwatch(&mut self, is_over: impl Fn(&PathBuf) -> bool) {
        for holder in self.watched.extract_if(.., |holder| is_over(holder)) {
            // A directory that is gone cannot be unwatched, and need not be.
            let _ = self.watcher.as_mut().map(|watcher| watcher.unwatch(&holder));
        }
    }

    fn file_events(&self) -> MutexGuard<'_, FileEvents> {
        self.file_events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Observes the files.
    pub(super) fn observe(&self) -> Observation {
        // Read the events first, so that any later change causes another one.
        let (events, (writer, being_written)) = {
            let file_events = self.file_events();
            let (writer, being_written) = file_events.writer();
            (file_events.events(), (writer, being_written.map(PathBuf::from)))
        };
        let (writer, being_written) =
            if self.watcher.is_some() { (writer, being_written) } else { (Writer::Unknown, None) };
        let lock = find_lock(&self.paths);
        Observation { fingerprint: Fingerprint::of(&self.paths), events, writer, being_written, lock }
    }

    /// Records that the observed contents have been read and accepted.
    pub(super) fn settled(&self, observation: &Observation) {
        self.file_events().settled(observation.events);
    }

    /// Waits until it is time to check the files again after the observation `seen`. If `should_retry` is set, a
    /// file could not be read; the cause may disappear without a trace on the file, so try again regularly.
    pub(super) async fn change(&mut self, seen: &Observation, should_retry: bool) {
        if self.watcher.is_none() {
            // On some mounts, changes do not show in the metadata, so read the files now and then anyway.
            for _ in 0..CHECKS_PER_READ {
                sleep(POLL_INTERVAL).await;
                if !seen.fingerprint.agrees_with(&Fingerprint::of(&self.paths)) {
                    return;
                }
            }
            return;
        }
        loop {
            match timeout(HEARTBEAT, self.events.recv()).await {
                Ok(Some(())) if self.file_events().events() == seen.events => continue,
                Ok(Some(())) => return,
                // The thread that receives events has ended.
                Ok(None) => self.watcher = None,
                Err(_) if should_retry => {}
                Err(_) => {
                    if seen.fingerprint.agrees_with(&Fingerprint::of(&self.paths)) {
                        continue;
                    }
                    // The event of a very recent change may still be on its way.
                    if let Ok(Some(())) = timeout(MAX_EVENT_DELAY, self.events.recv()).await {
                        return;
                    }
                    let now = Fingerprint::of(&self.paths);
                    self.file_events().forget();
                    if now.unlinked_since(&seen.fingerprint).next().is_none() {
                        let first = self.paths.first().map(|path| path.display().to_string()).unwrap_or_default();
                        info!("no file event reported a change of {first}");
                    }
                }
            }
            return;
        }
    }

    /// Waits for the next check while a save settles: until this time, or until something happens.
    pub(super) async fn until(&mut self, due: Instant) {
        let due = due.min(Instant::now() + SETTLE_INTERVAL).into();
        if self.watcher.is_none() {
            return sleep_until(due).await;
        }
        while let Ok(Some(())) = timeout_at(due, self.events.recv()).await {
            // A writer causes many events, and only the last one matters.
            if self.file_events().writer().0 != Writer::Writing {
                return;
            }
        }
    }
}
