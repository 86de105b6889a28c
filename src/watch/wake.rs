//! Tells when it is time to look at the files: on events of its directory, or at intervals.
//!
//! Directories are watched, never the file: editors save by rename, which a watch on the file would not survive.
//! Links on the way to a file are of interest too, each in the directory that holds it. Events of other names in
//! these directories are ignored.

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

/// How late an event may come on a busy machine. Without one by then, events are lost.
const DELIVERY: Duration = Duration::from_millis(200);

/// The time between two looks while a save settles: a change need not make an event.
const STEP: Duration = Duration::from_millis(50);

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
    /// Watches for changes, or polls if that cannot be done.
    pub(super) fn new(mode: WatchMode) -> Self {
        let file_events = Arc::new(Mutex::new(FileEvents::new(REPORTS_CLOSE_WRITE)));
        // One waiting signal says as much as many.
        let (signal, events) = mpsc::channel(1);
        let noted = file_events.clone();
        let note = move |event: notify::Result<Event>| {
            let mut file_events = noted.lock().unwrap_or_else(PoisonError::into_inner);
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
                .inspect_err(|error| warn!(%error, "file events are unavailable, polling every {POLL:?}"))
                .ok(),
        };
        Self { paths: Vec::new(), watcher, watched: BTreeSet::new(), file_events, events }
    }

    /// Watches what is on the way to the files now. To be called before they are looked at, so that a change after the
    /// look is not missed.
    pub(super) fn refresh(&mut self, paths: Vec<PathBuf>) {
        let stale = self.file_events().stale(&paths);
        self.paths = paths;
        let (Some(is_lossy), true) = (stale, self.watcher.is_some()) else { return };
        if is_lossy {
            // All of them: a directory may have been replaced by one of the same name, even of the same inode.
            self.unwatch(|_| true);
        }
        // Again until nothing is new: what came between finding the way and watching it made no event.
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
            warn!("cannot watch {}: {error}; polling every {POLL:?} instead", holder.display());
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

    /// What can be seen of the files now.
    pub(super) fn observe(&self) -> Observation {
        // Events first: a change after that makes another one.
        let (events, (writer, written)) = {
            let file_events = self.file_events();
            let (writer, written) = file_events.writer();
            (file_events.events(), (writer, written.map(PathBuf::from)))
        };
        let (writer, written) = if self.watcher.is_some() { (writer, written) } else { (Writer::Unknown, None) };
        let lock = find_lock(&self.paths);
        Observation { fingerprint: Fingerprint::of(&self.paths), events, writer, written, lock }
    }

    /// What was observed has been read, and counts.
    pub(super) fn settled(&self, observation: &Observation) {
        self.file_events().settled(observation.events);
    }

    /// Waits until it is time to look again at the files that were `seen`. Why one could not be read may pass without a
    /// trace on the file, so that it is to be tried again.
    pub(super) async fn change(&mut self, seen: &Observation, is_to_be_retried: bool) {
        if self.watcher.is_none() {
            // Files on some mounts tell of no change, so now and then they are read all the same.
            for _ in 0..LOOKS_A_READ {
                sleep(POLL).await;
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
                // The thread that takes events has ended.
                Ok(None) => self.watcher = None,
                Err(_) if is_to_be_retried => {}
                Err(_) => {
                    if seen.fingerprint.agrees_with(&Fingerprint::of(&self.paths)) {
                        continue;
                    }
                    // The event of a change that has only just happened may still be on its way.
                    if let Ok(Some(())) = timeout(DELIVERY, self.events.recv()).await {
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

    /// Waits for the next look while a save settles: until this time, or until something has happened.
    pub(super) async fn until(&mut self, due: Instant) {
        let due = due.min(Instant::now() + STEP).into();
        if self.watcher.is_none() {
            return sleep_until(due).await;
        }
        while let Ok(Some(())) = timeout_at(due, self.events.recv()).await {
            // A writer makes many events, and only the last one is of interest.
            if self.file_events().writer().0 != Writer::Writing {
                return;
            }
        }
    }
}
