//! Waits until nobody writes to the files any more.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use tokio::time::sleep;

use crate::system::program::FileIdentity;

/// How long a file has to stay the same. Editors write a file in one go or within a few milliseconds; a reload has to
/// be done 50 ms after the last write.
const QUIET: Duration = Duration::from_millis(10);

/// The same for a file that is empty or not there, as it is in the middle of a save, which a busy machine may hold up.
const QUIET_WITHOUT_CONTENT: Duration = Duration::from_millis(100);

/// The time between two looks: what the first event of a save finds is rarely the save's end.
const STEP: Duration = Duration::from_millis(3);

/// A file that is written to for longer than this is looked at all the same.
const PATIENCE: Duration = Duration::from_secs(2);

/// What changes with a write, or when another file takes the place of one of those that are followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fingerprint(Vec<Option<Look>>);

/// `None` for a file that is not there.
type Look = (u64, Option<SystemTime>, FileIdentity);

impl Fingerprint {
    pub(super) fn of(paths: &[PathBuf]) -> Self {
        Self(paths.iter().map(|path| look(path)).collect())
    }

    fn quiet(&self) -> Duration {
        let has_content = |look: &Option<Look>| look.is_some_and(|(length, ..)| length > 0);
        if self.0.iter().all(has_content) { QUIET } else { QUIET_WITHOUT_CONTENT }
    }
}

fn look(path: &Path) -> Option<Look> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.len(), metadata.modified().ok(), FileIdentity::of(&metadata)))
}

/// Returns once the files, or their absence, have stayed the same for a moment: what they were then.
pub(super) async fn settled(paths: &[PathBuf]) -> Fingerprint {
    let started = Instant::now();
    let (mut before, mut since) = (Fingerprint::of(paths), started);
    while since.elapsed() < before.quiet() && started.elapsed() < PATIENCE {
        sleep(STEP).await;
        let now = Fingerprint::of(paths);
        if now != before {
            (before, since) = (now, Instant::now());
        }
    }
    before
}
