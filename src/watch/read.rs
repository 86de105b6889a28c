//! Reads a file that was not followed so far, and may be in the middle of a save.

use std::path::{Path, PathBuf};
use std::time::Instant;

use tokio::task::{JoinError, spawn_blocking};

use super::debounce::{Debounce, Doubt, Next};
use super::wake::{Wake, WatchMode};
use crate::scenario::{FoundFile, Loading, load_regular};

/// What is in a file. No event tells who writes to it, so it is read like a save by an unknown writer: a file that is broken
/// or empty has longer to become right. That it lacks what is served now is no reason for doubt: it is another scenario.
pub(super) async fn read_whole(path: &Path) -> Result<Loading, JoinError> {
    let mut wake = Wake::new(WatchMode::Poll);
    wake.refresh(vec![path.to_owned()]);
    let mut save = Debounce::new(Instant::now(), wake.observe());
    loop {
        match save.next(Instant::now(), wake.observe()) {
            Next::Wait(until) => wake.until(until).await,
            Next::Read => {
                let path = path.to_owned();
                let loading = spawn_blocking(move || load_regular(&path)).await?;
                wake.refresh(paths(&loading.files));
                let doubt = loading.outcome.is_err().then(|| doubt_of_broken(&loading.files));
                save.hold(Instant::now(), wake.observe(), doubt, loading);
            }
            Next::Take(taken) if taken.is_to_be_compared && !is_unchanged(&taken.read.files).await? => {
                save = Debounce::new(Instant::now(), wake.observe());
            }
            Next::Take(taken) => return Ok(taken.read),
        }
    }
}

/// Why files that are no scenario may become one.
pub(super) fn doubt_of_broken(files: &[FoundFile]) -> Doubt {
    let is_empty = |file: &FoundFile| file.bytes().is_some_and(<[u8]>::is_empty);
    if files.iter().any(is_empty) { Doubt::Empty } else { Doubt::Partial }
}

/// Whether the files are what was read.
pub(super) async fn is_unchanged(files: &[FoundFile]) -> Result<bool, JoinError> {
    let files = files.to_vec();
    spawn_blocking(move || files.iter().all(FoundFile::is_unchanged)).await
}

pub(super) fn paths(files: &[FoundFile]) -> Vec<PathBuf> {
    files.iter().map(|file| file.path().to_owned()).collect()
}
