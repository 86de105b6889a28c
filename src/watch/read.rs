//! Reading a file that was not followed before, and that may be in the middle of a save.

use std::path::{Path, PathBuf};
use std::time::Instant;

use tokio::task::{JoinError, spawn_blocking};

use super::debounce::{Debounce, Doubt, Next};
use super::wake::{Wake, WatchMode};
use crate::scenario::{FoundFile, Loading, load_regular};

/// Reads a whole file. No events are available for it, so it is read like a save by an unknown writer: a broken or
/// empty file gets more time to become valid. That it lacks parts of the current scenario is no reason for doubt,
/// because it is a different scenario.
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
                let doubt = loading.outcome.is_err().then(|| doubt_of_invalid(&loading.files));
                save.hold(Instant::now(), wake.observe(), doubt, loading);
            }
            Next::Accept(accepted) if accepted.needs_comparison && !is_unchanged(&accepted.read.files).await? => {
                save = Debounce::new(Instant::now(), wake.observe());
            }
            Next::Accept(accepted) => return Ok(accepted.read),
        }
    }
}

/// Returns why files that are not a valid scenario may become one.
pub(super) fn doubt_of_invalid(files: &[FoundFile]) -> Doubt {
    let is_empty = |file: &FoundFile| file.bytes().is_some_and(<[u8]>::is_empty);
    if files.iter().any(is_empty) { Doubt::Empty } else { Doubt::Partial }
}

/// Returns whether the files are the same as when they were read.
pub(super) async fn is_unchanged(files: &[FoundFile]) -> Result<bool, JoinError> {
    let files = files.to_vec();
    spawn_blocking(move || files.iter().all(FoundFile::is_unchanged)).await
}

pub(super) fn paths(files: &[FoundFile]) -> Vec<PathBuf> {
    files.iter().map(|file| file.path().to_owned()).collect()
}
