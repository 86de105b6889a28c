//! Follows a scenario file: a valid save is reloaded, a broken one is reported.
//!
//! A wake-up only means that it is time to check the files. There was a save if the bytes differ from those last read,
//! so it does not matter how an editor saves. `debounce` decides when a save is complete, and when it is applied.
//!
//! Between two saves, the watcher can switch to another file ([`crate::selector`]). It reads the new file like a save
//! by an unknown writer. The next check compares the file with what was read, so that a save in between is not lost.

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
use crate::world::WorldError;
use crate::worlds::Worlds;
use debounce::{AcceptedReading, Debounce, Doubt, Next, Observation};
use fingerprint::Fingerprint;
use read::{doubt_of_invalid, is_unchanged, paths as paths_of, read_whole};
use wake::Wake;
pub use wake::WatchMode;

/// How long to wait before the log reports what the watcher waits for.
const LOG_WAIT_AFTER: Duration = Duration::from_secs(1);

/// A scenario file, and how to follow it.
#[derive(Debug)]
pub struct Watch {
    /// The path of the file.
    pub path: PathBuf,
    /// How the watcher notices changes.
    pub mode: WatchMode,
    /// The seed that overrides the scenario's, if any.
    pub seed: Option<u64>,
    /// The style of reports about broken files.
    pub style: Style,
    /// Receives the outcome of each reload.
    pub reloads: Reloads,
    /// Requests to switch to another file.
    pub switches: SwitchRequests,
}

impl Watch {
    /// Follows the file and its includes until the shutdown. After a switch, follows the new file instead. `files` are
    /// those that the worlds' scenario was made from; pass none to wait for a switch first.
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
            last_idle: Fingerprint::default(),
        };
        shutdown.run_until_cancelled(watcher.follow(switches)).await;
    }
}

/// The files as they were when last read.
#[derive(Default)]
struct Seen {
    /// Empty if the files are not followed.
    files: Vec<FoundFile>,
    /// The files that the current scenario was made from.
    served: Vec<FoundFile>,
}

impl Seen {
    /// Returns the state after the current scenario was made from these files. Without a watch, no files are followed.
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

/// The result of reading the files. If it is valid and accepted, it becomes the current scenario.
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

/// The phase of the watcher between two saves.
enum Phase {
    /// The files have to be checked: they may have been saved during startup, or during the switch to them.
    Start,
    /// Nothing has happened to the files since this observation.
    Idle(Observation),
    /// The files have changed, and the save may not be complete.
    Settling {
        save: Debounce<Reading>,
        /// When to check again.
        until: Instant,
        /// Whether the log has reported the wait.
        is_logged: bool,
    },
}

impl Phase {
    /// Returns the reading that is not accepted yet.
    fn held(&self) -> Option<&Reading> {
        match self {
            Self::Settling { save, .. } => save.held(),
            Self::Start | Self::Idle(_) => None,
        }
    }
}

/// The running watcher.
struct FileWatcher {
    path: PathBuf,
    mode: WatchMode,
    seed: Option<u64>,
    /// The seed for scenarios that declare none, as shown by the `ready` line.
    seed_at_start: u64,
    style: Style,
    reloads: Reloads,
    worlds: Worlds,
    seen: Seen,
    /// The files as they were when the watcher last became idle.
    last_idle: Fingerprint,
}

impl FileWatcher {
    async fn follow(mut self, mut switches: SwitchRequests) {
        // Created once there are files to follow.
        let (mut wake, mut phase) = (None, Phase::Start);
        loop {
            if self.seen.files.is_empty() {
                let pending = switches.next().await;
                self.switch(pending, &switches).await;
                continue;
            }
            let wake = wake.get_or_insert_with(|| Wake::new(self.mode));
            let should_retry = !self.seen.files.iter().all(FoundFile::was_read);
            let change = async {
                match &phase {
                    Phase::Start => {}
                    Phase::Idle(seen) => wake.change(seen, should_retry).await,
                    Phase::Settling { until, .. } => wake.until(*until).await,
                }
            };
            let pending = tokio::select! {
                () = change => None,
                pending = switches.next() => Some(pending),
            };
            match pending {
                None => phase = self.step(phase, wake).await,
                Some(pending) => {
                    if self.switch(pending, &switches).await {
                        phase = Phase::Start;
                    }
                }
            }
        }
    }

    /// Checks the files and takes the next action. Returns the phase after it.
    async fn step(&mut self, phase: Phase, wake: &mut Wake) -> Phase {
        wake.refresh(self.paths(phase.held()));
        let (now, observation) = (Instant::now(), wake.observe());
        let (mut save, is_logged) = match phase {
            Phase::Settling { save, is_logged, .. } => (save, is_logged),
            Phase::Start | Phase::Idle(_) => (Debounce::new(now, observation.clone()), false),
        };
        match save.next(now, observation.clone()) {
            Next::Wait(until) => {
                let waited_for = save.waits_for(now).filter(|(_, waited)| !is_logged && *waited > LOG_WAIT_AFTER);
                if let Some((reason, _)) = &waited_for {
                    info!("waiting until {reason}");
                }
                Phase::Settling { is_logged: is_logged || waited_for.is_some(), save, until }
            }
            Next::Read => {
                let Some(reading) = self.read().await else { return self.become_idle(observation, wake) };
                let doubt = self.doubt(&reading).await;
                wake.refresh(self.paths(Some(&reading)));
                save.hold(Instant::now(), wake.observe(), doubt, reading);
                Phase::Settling { save, until: now, is_logged }
            }
            Next::Accept(accepted) => {
                // The task fails only when the runtime shuts down.
                if accepted.needs_comparison && !is_unchanged(&accepted.read.files).await.unwrap_or(false) {
                    return Phase::Start;
                }
                let before = self.seen.paths();
                self.accept(accepted).await;
                // Newly included files may have been saved since they were read.
                if self.seen.paths() == before { self.become_idle(observation, wake) } else { Phase::Start }
            }
        }
    }

    /// Returns the paths to follow, including those of a reading that is not accepted yet.
    fn paths(&self, held: Option<&Reading>) -> Vec<PathBuf> {
        let mut paths = self.seen.paths();
        if let Some(held) = held {
            paths.extend(paths_of(&held.files));
            paths.sort_unstable();
            paths.dedup();
        }
        paths
    }

    /// Reads the files; `None` if they are the same as when last read.
    async fn read(&self) -> Option<Reading> {
        let (path, files) = (self.path.clone(), self.seen.files.clone());
        let read = move || {
            let has_changed = !files.iter().all(FoundFile::is_unchanged);
            has_changed.then(|| Reading::from(load_regular(&path)))
        };
        let read = spawn_blocking(read).await;
        read.unwrap_or_else(|failure| {
            error!("cannot read {}: {failure}", self.path.display());
            None
        })
    }

    /// Returns why a reading may be incomplete.
    async fn doubt(&self, reading: &Reading) -> Option<Doubt> {
        match &reading.outcome {
            Err(_) => Some(doubt_of_invalid(&reading.files)),
            Ok(_) if reading.files == self.seen.served => None,
            Ok(_) if is_cut_short(&reading.files, &self.seen.served) => Some(Doubt::Partial),
            Ok(scenario) => self.worlds.would_remove(scenario).await.then_some(Doubt::Partial),
        }
    }

    /// Applies a valid reading, and reports an invalid one.
    async fn accept(&mut self, accepted: AcceptedReading<Reading>) {
        let AcceptedReading { read: Reading { outcome, warnings, files }, being_written, changed, .. } = accepted;
        self.seen.files = files;
        self.warn(&self.path, warnings);
        if let (Ok(_), Some(path)) = (&outcome, &being_written) {
            warn!("read although {} is still open in another program", path.display());
        }
        match outcome {
            Err(problem) => {
                self.report(&self.path, &problem, being_written.as_deref());
                self.reloads.failed(problem);
            }
            Ok(_) if self.seen.files == self.seen.served => {
                match self.reloads.last().error {
                    Some(LoadError::Invalid(_)) => {
                        info!("{} is fixed, and matches the scenario that is served", self.path.display());
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
    }

    /// Becomes idle, because the files have settled. Warns of files whose paths no longer lead to them.
    fn become_idle(&mut self, observation: Observation, wake: &Wake) -> Phase {
        wake.settled(&observation);
        for path in observation.fingerprint.unlinked_since(&self.last_idle) {
            warn!(
                "{} was replaced or deleted, but its path still leads to the old file, as it does for a single file \
                 that is mounted into a container; mount the folder that holds it instead",
                path.display()
            );
        }
        self.last_idle.clone_from(&observation.fingerprint);
        Phase::Idle(observation)
    }

    /// Serves and follows another file if it is valid; otherwise, nothing changes. Returns whether it is followed now.
    async fn switch(&mut self, switch: PendingSwitch, requests: &SwitchRequests) -> bool {
        let started = Instant::now();
        let read = read_whole(switch.file()).await;
        self.complete_switch(switch, read, started, requests).await
    }

    /// Completes a switch to another file once the file was read. Returns whether it is followed now.
    async fn complete_switch(
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
                error!("cannot read {}: {failure}", path.display());
                if failure.is_panic() {
                    switch.fail();
                }
                // Otherwise the runtime is shutting down, and dropping the switch notifies the requester.
                return false;
            }
        };
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
        is_followed
    }
}

/// Returns whether one of the files is a proper prefix of its previous contents, as it may be while a program writes
/// it.
fn is_cut_short(files: &[FoundFile], before: &[FoundFile]) -> bool {
    files.iter().any(|file| {
        let before = before.iter().find(|before| before.path() == file.path());
        let (Some(text), Some(before)) = (file.bytes(), before.and_then(FoundFile::bytes)) else { return false };
        text.len() < before.len() && before.starts_with(text)
    })
}

#[cfg(test)]
mod tests;
