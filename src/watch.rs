//! Follows a scenario file: a save becomes a reload, a broken save becomes a report.
//!
//! Whatever wakes the watcher only says that it is time to look. What counts is whether the bytes differ from those
//! that were read last, so that it does not matter how an editor saves.

mod settle;
mod wake;

use std::mem::take;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::engine::Reload;
use crate::reloads::Reloads;
use crate::scenario::{FoundFile, LoadError, Loading, Reader, Scenario, Style, render};
use crate::worlds::Worlds;
use settle::{Fingerprint, settled};
use wake::Wake;
pub use wake::WatchMode;

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
    /// What has read the file so far.
    pub reader: Reader,
}

/// The files as they were when they were looked at last.
struct Seen {
    files: Vec<FoundFile>,
    /// Those of which the scenario that is served was made.
    served: Vec<FoundFile>,
    reader: Reader,
}

impl Seen {
    fn paths(&self) -> Vec<PathBuf> {
        self.files.iter().map(|file| file.path().to_owned()).collect()
    }
}

impl Watch {
    /// Follows the file, and those that it includes, until the shutdown. The worlds' scenario was made from `files`.
    pub async fn follow(mut self, worlds: Worlds, files: Vec<FoundFile>, shutdown: CancellationToken) {
        let seen = Seen { served: files.clone(), files, reader: take(&mut self.reader) };
        shutdown.run_until_cancelled(self.look_for_ever(&worlds, seen)).await;
    }

    async fn look_for_ever(&self, worlds: &Worlds, mut seen: Seen) {
        let mut wake = Wake::new(self.mode);
        loop {
            // Once before the first event too: a file may have been saved while the server started.
            let paths = seen.paths();
            wake.refresh(paths.clone());
            let fingerprint = self.look(&mut seen, worlds).await;
            // Files that are new in it are watched from now on, and may have been saved in between.
            if seen.paths() == paths {
                let is_to_be_retried = !seen.files.iter().all(FoundFile::was_read);
                wake.next(fingerprint, is_to_be_retried).await;
            }
        }
    }

    /// Reads the files once they are settled, and applies or reports what is new in them. Gives what they were before
    /// they were read.
    async fn look(&self, seen: &mut Seen, worlds: &Worlds) -> Fingerprint {
        let started = Instant::now();
        let fingerprint = settled(&seen.paths()).await;
        let (path, files, mut reader) = (self.path.clone(), seen.files.clone(), take(&mut seen.reader));
        let look = move || {
            let changed = !files.iter().all(FoundFile::is_unchanged);
            (changed.then(|| reader.load_regular(&path)), reader)
        };
        match spawn_blocking(look).await {
            Ok((loading, reader)) => {
                seen.reader = reader;
                if let Some(loading) = loading {
                    self.take(loading, seen, worlds, started).await;
                }
            }
            Err(failure) => error!("{} cannot be checked: {failure}", self.path.display()),
        }
        fingerprint
    }

    async fn take(&self, loading: Loading, seen: &mut Seen, worlds: &Worlds, started: Instant) {
        let Loading { outcome, warnings, files } = loading;
        seen.files = files;
        if let Some(warnings) = warnings {
            warn!("in {}\n{}", self.path.display(), render(&warnings, self.style));
        }
        match outcome {
            Err(problem) => self.report(problem, worlds),
            Ok(_) if seen.files == seen.served => {
                info!("{} is back, unchanged", self.path.display());
                self.reloads.recovered();
            }
            Ok(scenario) => {
                seen.served.clone_from(&seen.files);
                self.apply(scenario, worlds, started).await;
            }
        }
    }

    async fn apply(&self, scenario: Scenario, worlds: &Worlds, started: Instant) {
        let seed = self.seed.or(scenario.seed()).unwrap_or(worlds.default_world().view().seed);
        // An error says that the worlds have ended, and so does this task then.
        if let Ok(reload) = worlds.replace(&Arc::new(scenario), seed).await {
            info!("reloaded {} in {:.0?}: {}", self.path.display(), started.elapsed(), summary(&reload));
            self.reloads.applied(reload.changes);
        }
    }

    fn report(&self, problem: LoadError, worlds: &Worlds) {
        let name = worlds.default_world().view().scenario.name().to_owned();
        let still = format!("still serving the last good scenario ({name})");
        match &problem {
            LoadError::Invalid(problems) => {
                error!("{} is broken, {still}\n{}", self.path.display(), render(problems, self.style));
            }
            LoadError::Read(error) => warn!("{error}; {still}"),
        }
        self.reloads.failed(problem);
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
