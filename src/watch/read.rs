//! Reads a file that was not followed so far, and may be in the middle of a save.

use std::path::{Path, PathBuf};
use std::slice;

use tokio::task::JoinError;

use super::settle::settled;
use crate::background;
use crate::scenario::{FoundFile, Loading, Reader};

/// A file that is another broken one after so many looks is broken.
const LOOKS: usize = 5;

/// What is in a file, and what has read it. It counts as broken only if it stays the same for a moment: whoever follows a file
/// gets another look at what a save has left half done, but whoever asks for it gets one answer.
pub(super) async fn read_whole(path: &Path) -> Result<(Loading, Reader), JoinError> {
    let path = path.to_owned();
    settled(slice::from_ref(&path)).await;
    let mut looks = 1;
    loop {
        let path = path.clone();
        let read = move || {
            let mut reader = Reader::default();
            (reader.load_regular(&path), reader)
        };
        let (loading, reader) = background::spawn(read).await?;
        if loading.outcome.is_ok() || looks == LOOKS || is_still_so(&loading.files).await? {
            return Ok((loading, reader));
        }
        looks += 1;
    }
}

async fn is_still_so(files: &[FoundFile]) -> Result<bool, JoinError> {
    let files = files.to_vec();
    settled(&paths(&files)).await;
    background::spawn(move || files.iter().all(FoundFile::is_unchanged)).await
}

pub(super) fn paths(files: &[FoundFile]) -> Vec<PathBuf> {
    files.iter().map(|file| file.path().to_owned()).collect()
}
