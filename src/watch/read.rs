//! Reads a file that was not followed so far, and may be in the middle of a save.

use std::path::{Path, PathBuf};
use std::slice;
use std::time::{Duration, Instant};

use tokio::task::{JoinError, spawn_blocking};
use tokio::time::sleep;

use super::fingerprint::Fingerprint;
use crate::scenario::{FoundFile, Loading, load_regular};

/// A file that is another broken one after so many looks is broken.
const LOOKS: usize = 5;

/// How long a file has to stay the same. Editors write a file in one go or within a few milliseconds.
const QUIET: Duration = Duration::from_millis(10);

/// The same for a file that is empty or not there, as it is in the middle of a save, which a busy machine may hold up.
const QUIET_WITHOUT_CONTENT: Duration = Duration::from_millis(100);

/// The time between two looks: what the first look at a save finds is rarely its end.
const STEP: Duration = Duration::from_millis(3);

/// A file that is written to for longer than this is read all the same.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is in a file. It counts as broken only if it stays the same for a moment: whoever follows a file
/// gets another look at what a save has left half done, but whoever asks for it gets one answer.
pub(super) async fn read_whole(path: &Path) -> Result<Loading, JoinError> {
    let path = path.to_owned();
    settled(slice::from_ref(&path)).await;
    let mut looks = 1;
    loop {
        let path = path.clone();
        let loading = spawn_blocking(move || load_regular(&path)).await?;
        if loading.outcome.is_ok() || looks == LOOKS || is_still_so(&loading.files).await? {
            return Ok(loading);
        }
        looks += 1;
    }
}

async fn is_still_so(files: &[FoundFile]) -> Result<bool, JoinError> {
    let files = files.to_vec();
    settled(&paths(&files)).await;
    spawn_blocking(move || files.iter().all(FoundFile::is_unchanged)).await
}

pub(super) fn paths(files: &[FoundFile]) -> Vec<PathBuf> {
    files.iter().map(|file| file.path().to_owned()).collect()
}

/// Returns once the files, or their absence, have stayed the same for a moment.
async fn settled(paths: &[PathBuf]) {
    let started = Instant::now();
    let (mut before, mut since) = (Fingerprint::of(paths), started);
    let quiet = |files: &Fingerprint| if files.has_content() { QUIET } else { QUIET_WITHOUT_CONTENT };
    while since.elapsed() < quiet(&before) && started.elapsed() < PATIENCE {
        sleep(STEP).await;
        let now = Fingerprint::of(paths);
        if now != before {
            (before, since) = (now, Instant::now());
        }
    }
}
