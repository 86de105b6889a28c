//! Applies a reading to the worlds and logs the result.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::{error, info, warn};

use super::FileWatcher;
use crate::engine::Reload;
use crate::scenario::{FoundFile, LoadError, Problems, Scenario, render};
use crate::world::WorldError;

/// How long to wait before publishing a scenario again after a failure.
const RETRY_DELAY: Duration = Duration::from_millis(200);

impl FileWatcher {
    /// Switches all worlds to a scenario that was made from these files. After [`WorldError::Ended`], this task ends
    /// too.
    pub(super) async fn apply(
        &self,
        what: &str,
        path: &Path,
        files: &[FoundFile],
        scenario: &Arc<Scenario>,
        started: Instant,
    ) -> Result<(), WorldError> {
        let seed = self.seed.or(scenario.seed()).unwrap_or(self.seed_at_start);
        self.worlds.set_source_files(files);
        let replaced = self.replace(path, scenario, seed).await;
        let reload = replaced.inspect_err(|error| {
            if *error != WorldError::Ended {
                error!("{} cannot be served: {error}", path.display());
            }
            self.worlds.set_source_files(&self.seen.served);
        })?;
        info!("{what} {} in {:.0?}: {}", path.display(), started.elapsed(), summary(&reload));
        self.reloads.applied(reload.changes);
        Ok(())
    }

    /// Switches the worlds to a scenario, retrying until the store of shared worlds can be reached.
    async fn replace(&self, path: &Path, scenario: &Arc<Scenario>, seed: u64) -> Result<Reload, WorldError> {
        let mut is_logged = false;
        loop {
            match self.worlds.reload(scenario, seed).await {
                Err(WorldError::Store(error)) => {
                    if !std::mem::replace(&mut is_logged, true) {
                        warn!("{} will be served once it can be published: {error}", path.display());
                    }
                    tokio::time::sleep(RETRY_DELAY).await;
                }
                outcome => return outcome,
            }
        }
    }

    pub(super) fn warn(&self, path: &Path, warnings: Option<Box<Problems>>) {
        if let Some(warnings) = &warnings {
            warn!("in {}\n{}", path.display(), render(warnings, self.style));
        }
        self.reloads.warned(warnings);
    }

    /// Logs why the contents of a file are not served, and which file another program still has open for writing.
    pub(super) fn report(&self, path: &Path, problem: &LoadError, being_written: Option<&Path>) {
        let name = self.worlds.default_world().view().scenario.name().to_owned();
        let still = format!("still serving the last good scenario ({name})");
        let open = being_written.map(|path| format!("{} is still open in another program, ", path.display()));
        let open = open.unwrap_or_default();
        match problem {
            LoadError::Invalid(problems) => {
                error!("{} is broken, {open}{still}\n{}", path.display(), render(problems, self.style));
            }
            LoadError::Read(error) => warn!("{error}; {open}{still}"),
        }
    }
}

/// Returns the changes on one line; only the first few if there are many.
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
