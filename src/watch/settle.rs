//! Waits until nobody writes to a file any more.

use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use tokio::time::sleep;

/// How long a file has to stay the same. Editors write a file in one go or within a few milliseconds; a reload has to
/// be done 50 ms after the last write.
const QUIET: Duration = Duration::from_millis(15);

/// The time between two looks: what the first event of a save finds is rarely the save's end.
const STEP: Duration = Duration::from_millis(3);

/// A file that is written to for longer than this is looked at all the same.
const PATIENCE: Duration = Duration::from_secs(2);

/// What changes with a write; `None` for a file that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fingerprint(Option<(u64, Option<SystemTime>)>);

impl Fingerprint {
    pub(super) fn of(path: &Path) -> Self {
        Self(std::fs::metadata(path).ok().map(|metadata| (metadata.len(), metadata.modified().ok())))
    }
}

/// Returns once the file, or its absence, has stayed the same for a moment.
pub(super) async fn settled(path: &Path) {
    let started = Instant::now();
    let (mut before, mut since) = (Fingerprint::of(path), started);
    while since.elapsed() < QUIET && started.elapsed() < PATIENCE {
        sleep(STEP).await;
        let now = Fingerprint::of(path);
        if now != before {
            (before, since) = (now, Instant::now());
        }
    }
}
