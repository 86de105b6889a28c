//! Follows a scenario file: a save becomes a reload, a broken save becomes a report.
//!
//! Whatever wakes the watcher only says that it is time to look. What counts is whether the bytes differ from those
//! that were read last, so that it does not matter how an editor saves. When a save is over, and when what was read is
//! applied, is decided by `debounce`.
//!
//! Which file is followed may change: while the watcher waits, it takes a switch to another ([`crate::selector`]). It reads
//! that file as it would read a save by an unknown writer, and the next look compares it with what was read, so that no
//! save in between is lost.

mod apply;
mod checkout;
mod debounce;
mod file_events;
mod fingerprint;
mod read;
mod wake;
mod watched_paths;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::{JoinError, spawn_blocking};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::reloads::Reloads;
use crate::scenario::{FoundFile, LoadError, Loading, Problems, Scenario, Style, load_regular};
use crate::selector::{PendingSwitch, SwitchRequests};
use crate::system;
use crate::world::WorldError;
use crate::worlds::Worlds;
use debounce::{Debounce, Doubt, Next, Observation, Taken};
use fingerprint::Fingerprint;
use read::{doubt_of_broken, is_unchanged, paths as paths_of, read_whole};
use wake::Wake;
pub use wake::WatchMode;

/// The log says what is waited for after so long.
const LONG: Duration = Duration::from_secs(1);

/// Files of more bytes than this leave much that is free once they are read: ten times their size, and the scenario of before.
const LARGE: usize = 1 << 20;

/// A scenario file and how to follow it.
#[derive(Debug)]
pub struct Watch {
    /// The file.
    pub path: PathBuf,
    /// What wakes the watcher.
    pub mode: WatchMode,
    /// The seed that wins over the file's.
    pub seed: Option<u64>,
    /// How reports of broken files are drawn.
    pub style: Style,
    /// Where the outcome is told.
    pub reloads: Reloads,
    /// Who wants another file in the place of this one.
    pub switches: SwitchRequests,
}

impl Watch {
    /// Follows the file, and those that it includes, until the shutdown, and any other that is switched to in its place. The
    /// worlds' scenario was made from `files`; none if they are not to be followed.
    pub async fn follow(self, worlds: Worlds, files: Vec<FoundFile>, shutdown: CancellationToken) {
        let Self { path, mode, seed, style, reloads, switches } = self;
        let seen = Seen::new(mode, files);
        let seed_at_start = worlds.default_world().view().seed;
        let watcher = FileWatcher {
            path,
            mode,
            seed,
            seed_at_start,
            style,
            reloads,
            worlds,
            seen,
            rested: Fingerprint::default(),
        };
        shutdown.run_until_cancelled(watcher.follow(switches)).await;
    }
}

/// The files as they were when they were looked at last.
#[derive(Default)]
struct Seen {
    /// None if they are not followed.
    files: Vec<FoundFile>,
    /// Those of which the scenario that is served was made.
    served: Vec<FoundFile>,
}

impl Seen {
    /// What is served was made of these files, which are kept if they are to be followed.
    fn new(mode: WatchMode, files: Vec<FoundFile>) -> Self {
        match mode {
            WatchMode::Never => Self::default(),
            WatchMode::Events | WatchMode::Poll => Self { served: files.clone(), files },
        }
    }

    fn paths(&self) -> Vec<PathBuf> {
        paths_of(&self.files)
    }
}

/// What was read, and may become what is served.
#[derive(Debug)]
struct Reading {
    outcome: Result<Arc<Scenario>, LoadError>,
    warnings: Option<Box<Problems>>,
    files: Vec<FoundFile>,
}

impl From<Loading> for Reading {
    fn from(Loading { outcome, warnings, files }: Loading) -> Self {
        Self { outcome: outcome.map(Arc::new), warnings, files }
    }
}

/// Where the watcher is between two saves.
enum Phase {
    /// The files are to be looked at: they may have been saved while the server started, or switched to them.
    Begin,
    /// Nothing has happened to the files since they were observed.
    Idle(Observation),
    /// Something has happened to them.
    Settling {
        save: Debounce<Reading>,
        /// When to look again.
        until: Instant,
        /// Whether the log says that the watcher waits.
        is_said: bool,
    },
}

impl Phase {
    /// What was read and does not count yet.
    fn held(&self) -> Option<&Reading> {
        match self {
            Self::Settling { save, .. } => save.held(),
            Self::Begin | Self::Idle(_) => None,
        }
    }
}

/// The watcher at work.
struct FileWatcher {
    path: PathBuf,
    mode: WatchMode,
    seed: Option<u64>,
    /// The seed for scenarios that declare none: the one that the `ready` line shows.
    seed_at_start: u64,
    style: Style,
    reloads: Reloads,
    worlds: Worlds,
    seen: Seen,
    /// The files as they were when nothing had happened to them for a while.
    rested: Fingerprint,
}

impl FileWatcher {
    async fn follow(mut self, mut switches: SwitchRequests) {
        let (mut wake, mut phase) = (None, Phase::Begin);
        loop {
            if self.seen.files.is_empty() {
                let switch = switches.next().await;
                self.switch(switch, &switches).await;
                continue;
            }
            let wake = wake.get_or_insert_with(|| Wake::new(self.mode));
            let is_to_be_retried = !self.seen.files.iter().all(FoundFile::was_read);
            let change = async {
                match &phase {
                    Phase::Begin => {}
                    Phase::Idle(seen) => wake.change(seen, is_to_be_retried).await,
                    Phase::Settling { until, .. } => wake.until(*until).await,
                }
            };
            let switch = tokio::select! {
                () = change => None,
                switch = switches.next() => Some(switch),
            };
            match switch {
                None => phase = self.go_on(phase, wake).await,
                Some(switch) => {
                    let is_switched = self.switch(switch, &switches).await;
                    phase = if is_switched { Phase::Begin } else { phase };
                }
            }
        }
    }

    /// Looks at the files, and reads, applies or reports them when it is time to.
    async fn go_on(&mut self, phase: Phase, wake: &mut Wake) -> Phase {
        wake.refresh(self.paths(phase.held()));
        let (now, observation) = (Instant::now(), wake.observe());
        let (mut save, is_said) = match phase {
            Phase::Settling { save, is_said, .. } => (save, is_said),
            Phase::Begin | Phase::Idle(_) => (Debounce::new(now, observation.clone()), false),
        };
        match save.next(now, observation.clone()) {
            Next::Wait(until) => {
                let waited_for = save.waits_for(now).filter(|(_, waited)| !is_said && *waited > LONG);
                if let Some((reason, _)) = &waited_for {
                    info!("waiting until {reason}");
                }
                Phase::Settling { is_said: is_said || waited_for.is_some(), save, until }
            }
            Next::Read => {
                let Some(reading) = self.read().await else { return self.rest(observation, wake) };
                let doubt = self.doubt(&reading).await;
                wake.refresh(self.paths(Some(&reading)));
                save.hold(Instant::now(), wake.observe(), doubt, reading);
                Phase::Settling { save, until: now, is_said }
            }
            Next::Take(taken) => {
                // It fails only at the end of the runtime.
                if taken.is_to_be_compared && !is_unchanged(&taken.read.files).await.unwrap_or(false) {
                    return Phase::Begin;
                }
                let before = self.seen.paths();
                self.take(taken).await;
                // Files that are new in it may have been saved in between.
                if self.seen.paths() == before { self.rest(observation, wake) } else { Phase::Begin }
            }
        }
    }

    /// The files to follow: also those of which something was read that does not count yet.
    fn paths(&self, held: Option<&Reading>) -> Vec<PathBuf> {
        let mut paths = self.seen.paths();
        if let Some(held) = held {
            paths.extend(paths_of(&held.files));
            paths.sort_unstable();
            paths.dedup();
        }
        paths
    }

    /// What is in the files now, if it is not what was read last.
    async fn read(&self) -> Option<Reading> {
        let (path, files) = (self.path.clone(), self.seen.files.clone());
        let read = move || {
            let has_changed = !files.iter().all(FoundFile::is_unchanged);
            has_changed.then(|| Reading::from(load_regular(&path)))
        };
        let read = spawn_blocking(read).await;
        read.unwrap_or_else(|failure| {
            error!("{} cannot be checked: {failure}", self.path.display());
            None
        })
    }

    /// Why what was read may be part of what is to come.
    async fn doubt(&self, reading: &Reading) -> Option<Doubt> {
        match &reading.outcome {
            Err(_) => Some(doubt_of_broken(&reading.files)),
            Ok(_) if reading.files == self.seen.served => None,
            Ok(_) if is_cut_short(&reading.files, &self.seen.served) => Some(Doubt::Partial),
            Ok(scenario) => self.worlds.would_remove(scenario).await.then_some(Doubt::Partial),
        }
    }

    /// Applies or reports what was read.
    async fn take(&mut self, taken: Taken<Reading>) {
        let Taken { read: Reading { outcome, warnings, files }, written, changed, .. } = taken;
        self.seen.files = files;
        self.warn(&self.path, warnings);
        if let (Ok(_), Some(path)) = (&outcome, &written) {
            warn!("read although {} is still open in another program", path.display());
        }
        match outcome {
            Err(problem) => {
                self.report(&self.path, &problem, written.as_deref());
                self.reloads.failed(problem);
            }
            Ok(_) if self.seen.files == self.seen.served => {
                match self.reloads.last().error {
                    Some(LoadError::Invalid(_)) => {
                        info!("{} is fixed, and the same as what is served", self.path.display());
                    }
                    Some(LoadError::Read(_)) | None => info!("{} is back, unchanged", self.path.display()),
                }
                self.reloads.recovered();
            }
            Ok(scenario) => {
                if self.apply("reloaded", &self.path, &self.seen.files, &scenario, changed).await.is_ok() {
                    self.seen.served.clone_from(&self.seen.files);
                }
            }
        }
        give_back_after(size(&self.seen.files)).await;
    }

    /// Nothing happens to the files now, and what was in them counts.
    fn rest(&mut self, observation: Observation, wake: &Wake) -> Phase {
        wake.settled(&observation);
        for path in observation.fingerprint.unlinked_since(&self.rested) {
            warn!(
                "{} was replaced or deleted, but its path still leads to the file of before, as it does for a single file that \
                 is mounted into a container; mount the folder that holds it instead",
                path.display()
            );
        }
        self.rested.clone_from(&observation.fingerprint);
        Phase::Idle(observation)
    }

    /// Serves and follows another file if it is right, and tells whether it does; everything is as before if not.
    async fn switch(&mut self, switch: PendingSwitch, requests: &SwitchRequests) -> bool {
        let started = Instant::now();
        let read = read_whole(switch.file()).await;
        self.answer(switch, read, started, requests).await
    }

    /// Answers who waits for another file, once it has been read, and tells whether it is followed now.
    async fn answer(
        &mut self,
        switch: PendingSwitch,
        read: Result<Loading, JoinError>,
        started: Instant,
        requests: &SwitchRequests,
    ) -> bool {
        let path = switch.file().to_owned();
        let Reading { outcome, warnings, files } = match read {
            Ok(loading) => loading.into(),
            Err(failure) => {
                error!("{} cannot be checked: {failure}", path.display());
                if failure.is_panic() {
                    switch.fail();
                }
                // Otherwise the runtime is ending: the asker hears that when the switch is dropped.
                return false;
            }
        };
        let size = size(&files);
        let mut is_followed = false;
        match outcome {
            Err(problem) => {
                self.report(&path, &problem, None);
                switch.refuse(problem);
            }
            Ok(scenario) => {
                let (seen, before) = (Seen::new(self.mode, files), self.reloads.last());
                self.warn(&path, warnings);
                match self.apply("switched to", &path, &seen.served, &scenario, started).await {
                    Ok(()) => {
                        is_followed = true;
                        (self.path, self.seen) = (path, seen);
                        requests.done(switch, self.reloads.last());
                    }
                    Err(WorldError::Ended) => {}
                    Err(_) => {
                        self.reloads.warned(before.warnings.clone());
                        switch.fail();
                    }
                }
            }
        }
        give_back_after(size).await;
        is_followed
    }
}

/// Whether one of the files has only the beginning of its text of before, as while a program writes it.
fn is_cut_short(files: &[FoundFile], before: &[FoundFile]) -> bool {
    files.iter().any(|file| {
        let before = before.iter().find(|before| before.path() == file.path());
        let (Some(text), Some(before)) = (file.bytes(), before.and_then(FoundFile::bytes)) else { return false };
        text.len() < before.len() && before.starts_with(text)
    })
}

fn size(files: &[FoundFile]) -> usize {
    files.iter().filter_map(FoundFile::bytes).map(<[u8]>::len).sum()
}

/// Gives memory back once files of so many bytes have been read and applied.
async fn give_back_after(size: usize) {
    if size >= LARGE {
        // It fails only at the end of the runtime.
        let _ = spawn_blocking(system::give_back_memory).await;
    }
}

#[cfg(test)]
mod tests;
