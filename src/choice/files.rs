//! The scenario files that there are: those that were named, and those in folders that were.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;

use crate::scenario::ReadError;

/// Files and folders of files. A folder is looked at anew whenever its files are asked for.
#[derive(Debug, Clone, Default)]
pub struct ScenarioFiles(Arc<[PathBuf]>);

/// Why there is nothing to serve.
#[derive(Debug, Error)]
pub enum GivenError {
    /// Nothing was given.
    #[error("no scenario is given; name a file, or a folder of files")]
    Nothing,
    /// A folder has no scenario.
    #[error(
        "there is no scenario in {}: no file directly in it ends in .yaml or .yml; put one there, or give another folder \
         or a file",
        .0.display()
    )]
    Empty(PathBuf),
    /// A file or folder is not there, or the system does not give it.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl ScenarioFiles {
    /// Files and folders, in this order.
    pub fn new(given: impl IntoIterator<Item = PathBuf>) -> Self {
        Self(given.into_iter().collect())
    }

    /// Whether each of what was given is there and gives a file: the first one, which is served at the start.
    ///
    /// # Errors
    /// [`GivenError`] for the first that is not.
    pub fn first(&self) -> Result<PathBuf, GivenError> {
        let mut first = None;
        for given in &*self.0 {
            let failed = |error| ReadError::new(given, &error);
            let file = if std::fs::metadata(given).map_err(failed)?.is_dir() {
                let files = files_in(given).map_err(failed)?;
                files.into_iter().next().ok_or_else(|| GivenError::Empty(given.clone()))?
            } else {
                given.clone()
            };
            first.get_or_insert(file);
        }
        first.ok_or(GivenError::Nothing)
    }

    /// The files there are now, each once: as given, and those of folders by name. It waits for the disk.
    #[must_use]
    pub fn list(&self) -> Vec<PathBuf> {
        let of = |given: &PathBuf| {
            // A folder that cannot be read now may be again the next time.
            if given.is_dir() { files_in(given).unwrap_or_default() } else { vec![given.clone()] }
        };
        let mut seen = HashSet::new();
        self.0.iter().flat_map(of).filter(|file| seen.insert(whole(file))).collect()
    }
}

/// Whether two paths name the same file. Links are not followed: each is a file to choose.
pub(super) fn is_same(one: &Path, other: &Path) -> bool {
    whole(one) == whole(other)
}

fn whole(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// What a shell makes of `folder/*.yaml` and `folder/*.yml`, by name.
fn files_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder)?;
    let mut files: Vec<PathBuf> =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| is_scenario(path)).collect();
    files.sort();
    Ok(files)
}

/// Hidden ones are what editors leave beside a file.
fn is_scenario(path: &Path) -> bool {
    let is_hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    let has_ending = path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
    has_ending && !is_hidden && path.is_file()
}
