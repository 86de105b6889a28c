//! Reads a file that was not followed so far, and may be in the middle of a save.

use std::path::{Path, PathBuf};
use std::slice;

use tokio::task::{JoinError, spawn_blocking};

use super::settle::settled;
use crate::scenario::{FoundFile, Loading, load_regular};

/// A file that is another broken one after so many looks is broken.
const LOOKS: usize = 5;

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
