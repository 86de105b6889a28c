//! Follows a scenario file: a save becomes a reload, a broken save becomes a report.
//!
//! Whatever wakes the watcher only says that it is time to look. What counts is whether the bytes differ from those
//! that were read last, so that it does not matter how an editor saves.

mod settle;
mod wake;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::engine::Reload;
use crate::scenario::{LoadError, Scenario, Style, parse_bytes, read_regular, render};
use crate::world::World;
use settle::{Fingerprint, settled};
use wake::Wake;
pub use wake::WatchMode;

/// A scenario file and how to follow it.
#[derive(Debug, Clone)]
pub struct Watch {
    /// The file.
    pub path: PathBuf,
    /// What wakes the watcher.
    pub mode: WatchMode,
    /// The seed that wins over the file's.
    pub seed: Option<u64>,
    /// How reports of broken files are drawn.
    pub style: Style,
}

/// The file as it was when it was looked at last.
struct Seen {
    /// The last bytes read.
    bytes: Arc<Vec<u8>>,
    /// Whether it could not be read since then.
    missing: bool,
}

impl Watch {
    /// Follows the file until the shutdown. `bytes` are those that the world's scenario was made from.
    pub async fn follow(self, world: World, bytes: Vec<u8>, shutdown: CancellationToken) {
        shutdown.run_until_cancelled(self.look_for_ever(&world, bytes)).await;
    }

    async fn look_for_ever(&self, world: &World, bytes: Vec<u8>) {
        let mut wake = Wake::new(&self.path, self.mode);
        let mut seen = Seen { bytes: Arc::new(bytes), missing: false };
        loop {
            // Once before the first event too: the file may have been saved while the server started.
            wake.refresh();
            let fingerprint = self.look(&mut seen, world).await;
            wake.next(fingerprint).await;
        }
    }

    /// Reads the file once it is settled, and applies or reports what is new in it. Gives what the file was before
    /// it was read.
    async fn look(&self, seen: &mut Seen, world: &World) -> Fingerprint {
        let started = Instant::now();
        let fingerprint = settled(&self.path).await;
        let path = self.path.clone();
        match spawn_blocking(move || read_regular(&path)).await {
            Ok(Ok(bytes)) if bytes == *seen.bytes => {
                if std::mem::take(&mut seen.missing) {
                    info!("{} is back, unchanged", self.path.display());
                }
            }
            Ok(Ok(bytes)) => {
                *seen = Seen { bytes: Arc::new(bytes), missing: false };
                let (path, bytes) = (self.path.clone(), seen.bytes.clone());
                match spawn_blocking(move || parse_bytes(&path, &bytes)).await {
                    Ok(Ok(scenario)) => self.apply(scenario, world, started).await,
                    Ok(Err(problem)) => self.report(&problem, world),
                    Err(failure) => error!("{} cannot be checked: {failure}", self.path.display()),
                }
            }
            Ok(Err(problem)) => {
                if !std::mem::replace(&mut seen.missing, true) {
                    self.report(&problem, world);
                }
            }
            Err(failure) => error!("{} cannot be read: {failure}", self.path.display()),
        }
        fingerprint
    }

    async fn apply(&self, scenario: Scenario, world: &World, started: Instant) {
        let seed = self.seed.or(scenario.seed()).unwrap_or(world.snapshot().seed);
        // An error says that the world has ended, and so does this task then.
        if let Ok(reload) = world.replace(Arc::new(scenario), seed).await {
            info!("reloaded {} in {:.0?}: {}", self.path.display(), started.elapsed(), summary(&reload));
        }
    }

    fn report(&self, problem: &LoadError, world: &World) {
        let name = world.snapshot().scenario.name().to_owned();
        let still = format!("still serving the last good scenario ({name})");
        match problem {
            LoadError::Invalid(problems) => {
                error!("{} is broken, {still}\n{}", self.path.display(), render(problems, self.style));
            }
            other => warn!("{other}; {still}"),
        }
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
