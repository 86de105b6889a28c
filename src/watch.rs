//! Follows a scenario file: a save becomes a reload, a broken save becomes a report.
//!
//! Whatever wakes the watcher only says that it is time to look. What counts is whether the bytes differ from those
//! that were read last, so that it does not matter how an editor saves.
//!
//! Which file is followed may change: between two looks the watcher takes a switch to another ([`crate::selector`]). It reads
//! that file as it would read a save, and the next look compares it with what was read, so that no save in between is lost.

mod read;
mod settle;
mod wake;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::{JoinError, spawn_blocking};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::engine::Reload;
use crate::reloads::Reloads;
use crate::scenario::{FoundFile, LoadError, Loading, Problems, Scenario, Style, load_regular, render};
use crate::selector::{PendingSwitch, SwitchRequests};
use crate::system;
use crate::world::WorldError;
use crate::worlds::Worlds;
use read::{paths, read_whole};
use settle::{Fingerprint, settled};
use wake::Wake;
pub use wake::WatchMode;

/// How long to wait before a scenario is published again that could not be.
const PAUSE: Duration = Duration::from_millis(200);

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
        let watcher = FileWatcher { path, mode, seed, style, reloads, worlds, seen };
        shutdown.run_until_cancelled(watcher.look_for_ever(switches)).await;
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
        paths(&self.files)
    }
}

/// The watcher at work.
struct FileWatcher {
    path: PathBuf,
    mode: WatchMode,
    seed: Option<u64>,
    style: Style,
    reloads: Reloads,
    worlds: Worlds,
    seen: Seen,
}

impl FileWatcher {
    async fn look_for_ever(mut self, mut switches: SwitchRequests) {
        let mut wake = None;
        loop {
            let paths = self.seen.paths();
            if paths.is_empty() {
                let switch = switches.next().await;
                self.switch(switch, &switches).await;
                continue;
            }
            // Once before the first event too: a file may have been saved while the server started, or switched to it.
            let wake = wake.get_or_insert_with(|| Wake::new(self.mode));
            wake.refresh(paths.clone());
            let fingerprint = self.look().await;
            // Files that are new in it are watched from now on, and may have been saved in between.
            if self.seen.paths() == paths {
                let is_to_be_retried = !self.seen.files.iter().all(FoundFile::was_read);
                tokio::select! {
                    () = wake.next(fingerprint, is_to_be_retried) => {}
                    switch = switches.next() => self.switch(switch, &switches).await,
                }
            }
        }
    }

    /// Reads the files once they are settled, and applies or reports what is new in them. Gives what they were before
    /// they were read.
    async fn look(&mut self) -> Fingerprint {
        let started = Instant::now();
        let fingerprint = settled(&self.seen.paths()).await;
        let (path, files) = (self.path.clone(), self.seen.files.clone());
        let look = move || {
            let changed = !files.iter().all(FoundFile::is_unchanged);
            changed.then(|| load_regular(&path))
        };
        match spawn_blocking(look).await {
            Ok(Some(loading)) => self.take(loading, started).await,
            Ok(None) => {}
            Err(failure) => error!("{} cannot be checked: {failure}", self.path.display()),
        }
        fingerprint
    }

    async fn take(&mut self, loading: Loading, started: Instant) {
        let Loading { outcome, warnings, files } = loading;
        self.seen.files = files;
        self.warn(&self.path, warnings);
        match outcome {
            Err(problem) => {
                self.report(&self.path, &problem);
                self.reloads.failed(problem);
            }
            Ok(_) if self.seen.files == self.seen.served => {
                info!("{} is back, unchanged", self.path.display());
                self.reloads.recovered();
            }
            Ok(scenario) => {
                if self.apply("reloaded", &self.path, &self.seen.files, scenario, started).await.is_ok() {
                    self.seen.served.clone_from(&self.seen.files);
                }
            }
        }
        give_back_after(size(&self.seen.files)).await;
    }

    /// Serves and follows another file if it is right; everything is as before if it is not.
    async fn switch(&mut self, switch: PendingSwitch, requests: &SwitchRequests) {
        let started = Instant::now();
        let read = read_whole(switch.file()).await;
        self.answer(switch, read, started, requests).await;
    }

    /// Answers who waits for another file, once it has been read.
    async fn answer(
        &mut self,
        switch: PendingSwitch,
        read: Result<Loading, JoinError>,
        started: Instant,
        requests: &SwitchRequests,
    ) {
        let path = switch.file().to_owned();
        let Loading { outcome, warnings, files } = match read {
            Ok(loading) => loading,
            Err(failure) => {
                error!("{} cannot be checked: {failure}", path.display());
                if failure.is_panic() {
                    switch.fail();
                }
                // Otherwise the runtime is ending: the asker hears that when the switch is dropped.
                return;
            }
        };
        let size = size(&files);
        match outcome {
            Err(problem) => {
                self.report(&path, &problem);
                switch.refuse(problem);
            }
            Ok(scenario) => {
                let (seen, before) = (Seen::new(self.mode, files), self.reloads.last());
                self.warn(&path, warnings);
                match self.apply("switched to", &path, &seen.served, scenario, started).await {
                    Ok(()) => {
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
    }

    /// Goes on in all worlds with a scenario that was made of these files. [`WorldError::Ended`] says that the worlds have ended,
    /// and so does this task then.
    async fn apply(
        &self,
        what: &str,
        path: &Path,
        files: &[FoundFile],
        scenario: Scenario,
        started: Instant,
    ) -> Result<(), WorldError> {
        let seed = self.seed.or(scenario.seed()).unwrap_or(self.worlds.default_world().view().seed);
        self.worlds.made_of(files);
        let replaced = self.replace(path, &Arc::new(scenario), seed).await;
        let reload = replaced.inspect_err(|error| {
            if *error != WorldError::Ended {
                error!("{} cannot be served: {error}", path.display());
            }
            self.worlds.made_of(&self.seen.served);
        })?;
        info!("{what} {} in {:.0?}: {}", path.display(), started.elapsed(), summary(&reload));
        self.reloads.applied(reload.changes);
        Ok(())
    }

    /// Has the worlds go on with a scenario, however long it takes until the store can be reached that they are shared by.
    async fn replace(&self, path: &Path, scenario: &Arc<Scenario>, seed: u64) -> Result<Reload, WorldError> {
        let mut is_said = false;
        loop {
            match self.worlds.reload(scenario, seed).await {
                Err(WorldError::Store(error)) => {
                    if !std::mem::replace(&mut is_said, true) {
                        warn!("{} is served once it can be published: {error}", path.display());
                    }
                    tokio::time::sleep(PAUSE).await;
                }
                outcome => return outcome,
            }
        }
    }

    fn warn(&self, path: &Path, warnings: Option<Box<Problems>>) {
        if let Some(warnings) = &warnings {
            warn!("in {}\n{}", path.display(), render(warnings, self.style));
        }
        self.reloads.warned(warnings);
    }

    /// Says in the log why what is in a file is not served.
    fn report(&self, path: &Path, problem: &LoadError) {
        let name = self.worlds.default_world().view().scenario.name().to_owned();
        let still = format!("still serving the last good scenario ({name})");
        match problem {
            LoadError::Invalid(problems) => {
                error!("{} is broken, {still}\n{}", path.display(), render(problems, self.style));
            }
            LoadError::Read(error) => warn!("{error}; {still}"),
        }
    }
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

/// The changes in one line; the first few if there are many.
fn summary(reload: &Reload) -> String {
    const SHOWN: usize = 6;
    if reload.changes.is_empty() {
        return "nothing that matters changed".into();
    }
    let shown: Vec<String> = reload.changes.iter().take(SHOWN).map(ToString::to_string).collect();
    match reload.changes.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{}, and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests;
