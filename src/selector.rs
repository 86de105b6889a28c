//! Selects which of several scenario files is served, and switches to another.
//!
//! The task that watches the served file ([`crate::watch`]) owns the selection. Between checks of its files, it handles
//! [`SwitchRequests`] one at a time, so that a switch never overlaps with a save or another switch. Clients hold a
//! [`ScenarioSelector`]: the available files, the served file, and a channel on which each request carries a channel
//! for its reply. If no task watches files, as in [`crate::embed`], the selector is [fixed](ScenarioSelector::fixed).

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::spawn_blocking;

use crate::reloads::LastReload;
use crate::scenario::{LoadError, ReadError};
use crate::words::joined;

/// The number of requests that can be queued before [`ScenarioSelector::switch`] has to wait.
const MAX_QUEUED_SWITCHES: usize = 16;

/// The available scenario files and the served one. Clones share the selection.
#[derive(Debug, Clone)]
pub struct ScenarioSelector {
    files: ScenarioFiles,
    /// The served file; `None` if the scenario did not come from a file.
    served: watch::Receiver<Option<PathBuf>>,
    /// The channel for requests; `None` if the selector is fixed.
    requests: Option<mpsc::Sender<PendingSwitch>>,
}

/// A scenario file that can be served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The file's path as given, or the path of its folder as given with the file's name.
    pub file: PathBuf,
    /// Whether this file is being served.
    pub serving: bool,
}

/// An error that prevents a switch to a file. The server still serves and watches the previous file.
#[derive(Debug, Error)]
pub enum SwitchError {
    /// The file is not among the available ones.
    #[error(
        "{0} is not one of the scenario files that mockd was started with; use a name that GET /__mockd/scenarios lists"
    )]
    Unknown(String),
    /// The file cannot be read or is invalid.
    #[error("cannot serve {}; the previous scenario is still served\n{error}", file.display())]
    Broken {
        /// The file.
        file: PathBuf,
        /// The reason.
        error: LoadError,
    },
    /// The file could not be checked or applied because of a defect. The log has the details.
    #[error(
        "mockd failed to switch to {}, so the previous scenario is still served; it is a defect in mockd, please report it",
        file.display()
    )]
    Defect {
        /// The file.
        file: PathBuf,
    },
    /// The selector is fixed.
    #[error("this mock cannot switch scenarios; start the server with `mockd run`")]
    Fixed,
    /// The task that handles requests has ended.
    #[error("the server is shutting down and no longer switches scenarios")]
    Ended,
}

/// The switch requests for the task that watches the served file.
#[derive(Debug)]
pub struct SwitchRequests {
    served: watch::Sender<Option<PathBuf>>,
    requests: mpsc::Receiver<PendingSwitch>,
}

/// A request to serve another file, whose sender waits for the reply.
#[derive(Debug)]
pub struct PendingSwitch {
    file: PathBuf,
    reply: oneshot::Sender<Result<Arc<LastReload>, SwitchError>>,
}

impl ScenarioSelector {
    /// Creates a selector for `files`, with `served` selected, and the receiver of its switch requests.
    #[must_use]
    pub fn new(files: ScenarioFiles, served: &Path) -> (Self, SwitchRequests) {
        let (served_sender, served) = watch::channel(Some(served.to_owned()));
        let (sender, receiver) = mpsc::channel(MAX_QUEUED_SWITCHES);
        let requests = SwitchRequests { served: served_sender, requests: receiver };
        (Self { files, served, requests: Some(sender) }, requests)
    }

    /// Creates a selector that cannot switch from `served`, which is `None` if the scenario did not come from a file.
    #[must_use]
    pub fn fixed(served: Option<&Path>) -> Self {
        let (files, served) = (ScenarioFiles::new(served.map(Path::to_owned)), served.map(Path::to_owned));
        Self { files, served: watch::channel(served).1, requests: None }
    }

    /// Returns the directory of the served file, or the current directory if the scenario did not come from a file.
    #[must_use]
    #[cfg(feature = "redis")]
    pub(crate) fn directory(&self) -> PathBuf {
        let served = self.served.borrow();
        served.as_deref().and_then(Path::parent).unwrap_or(Path::new("")).to_owned()
    }

    /// Returns the files that currently exist, in order. None is marked as served if the served file has been removed
    /// from its folder.
    pub async fn list(&self) -> Vec<Candidate> {
        let (files, served) = (self.files.clone(), self.served.borrow().clone());
        let list = move || {
            let is_served = |file: &Path| served.as_deref().is_some_and(|served| is_same(served, file));
            files.list().into_iter().map(|file| Candidate { serving: is_served(&file), file }).collect()
        };
        // Reading a folder may block. The task fails only while the runtime shuts down.
        spawn_blocking(list).await.unwrap_or_default()
    }

    /// Switches all worlds to the file named `name`, which is watched from then on. Returns the record of that reload.
    ///
    /// # Errors
    /// [`SwitchError`], in which case nothing has changed.
    pub async fn switch(&self, name: &str) -> Result<Arc<LastReload>, SwitchError> {
        let requests = self.requests.as_ref().ok_or(SwitchError::Fixed)?;
        let named = |candidate: &Candidate| candidate.file.to_string_lossy() == name;
        let Some(Candidate { file, .. }) = self.list().await.into_iter().find(named) else {
            return Err(SwitchError::Unknown(name.to_owned()));
        };
        let (reply, answer) = oneshot::channel();
        requests.send(PendingSwitch { file, reply }).await.map_err(|_| SwitchError::Ended)?;
        answer.await.map_err(|_| SwitchError::Ended)?
    }
}

impl SwitchRequests {
    /// Waits for the next request. Never returns once all selectors are gone. Cancel safe.
    pub async fn next(&mut self) -> PendingSwitch {
        match self.requests.recv().await {
            Some(switch) => switch,
            None => std::future::pending().await,
        }
    }

    /// Reports that the file is now served and watched.
    pub fn done(&self, switch: PendingSwitch, last: Arc<LastReload>) {
        self.served.send_replace(Some(switch.file));
        // The client may have gone; the switch is done regardless.
        let _ = switch.reply.send(Ok(last));
    }
}

impl PendingSwitch {
    /// Returns the file to be served.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Reports that the file cannot be served and nothing has changed.
    pub fn refuse(self, error: LoadError) {
        let Self { file, reply } = self;
        let _ = reply.send(Err(SwitchError::Broken { file, error }));
    }

    /// Reports that a defect prevented the switch and nothing has changed.
    pub fn fail(self) {
        let Self { file, reply } = self;
        let _ = reply.send(Err(SwitchError::Defect { file }));
    }
}

/// Files and folders of files. A folder is read again each time its files are requested.
#[derive(Debug, Clone, Default)]
pub struct ScenarioFiles(Arc<[PathBuf]>);

/// An error that leaves nothing to serve.
#[derive(Debug, Error)]
pub enum ScenarioFileError {
    /// No file was given, and the current folder has no default file.
    #[error(
        "no scenario given, and the current folder has no mockd.yaml and no *.mockd.yaml; name a file or a folder, or \
         write a scenario with `mockd init`"
    )]
    Nothing,
    /// No file was given, and the current folder has several candidates for the default file.
    #[error("no scenario given, and the current folder has {}; name one of them", joined(.0, "and"))]
    Several(Vec<String>),
    /// A folder does not directly contain a scenario.
    #[error(
        "no scenario in {}: it has no file that ends in .yaml, .yml or .json; put one there, or name another folder or a \
         file",
        .0.display()
    )]
    Empty(PathBuf),
    /// A file or folder does not exist or cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl ScenarioFiles {
    /// Creates a list of files and folders, in the given order.
    pub fn new(given: impl IntoIterator<Item = PathBuf>) -> Self {
        Self(given.into_iter().collect())
    }

    /// Returns the first file, which is the one to start with. For a folder, this is `mockd.yaml` or `shop.yaml` if
    /// either exists, otherwise the first file by name.
    ///
    /// # Errors
    /// [`ScenarioFileError`] for the first path, among all given paths, that does not lead to a file.
    pub fn first(&self) -> Result<PathBuf, ScenarioFileError> {
        let mut first = None;
        for given in &*self.0 {
            let failed = |error| ReadError::new(given, &error);
            let file = if std::fs::metadata(given).map_err(failed)?.is_dir() {
                let files = files_in(given).map_err(failed)?;
                main_file(files).ok_or_else(|| ScenarioFileError::Empty(given.clone()))?
            } else {
                given.clone()
            };
            first.get_or_insert(file);
        }
        first.ok_or(ScenarioFileError::Nothing)
    }

    /// Returns the current files, each once: given files in order, and the files of folders sorted by name. Blocks on
    /// disk I/O.
    #[must_use]
    pub fn list(&self) -> Vec<PathBuf> {
        let of = |given: &PathBuf| {
            // A folder that cannot be read now may be readable next time.
            if given.is_dir() { files_in(given).unwrap_or_default() } else { vec![given.clone()] }
        };
        let mut seen = HashSet::new();
        self.0.iter().flat_map(of).filter(|file| seen.insert(absolute(file))).collect()
    }
}

/// Returns the file to use if none is given: `mockd.yaml`, or the only `*.mockd.yaml`, in the current folder.
///
/// # Errors
/// [`ScenarioFileError`] if there is no such file or more than one.
pub fn default_file() -> Result<PathBuf, ScenarioFileError> {
    let here = Path::new(".");
    let files = files_in(here).map_err(|error| ReadError::new(here, &error))?;
    let names: Vec<String> =
        files.iter().filter_map(|file| Some(file.file_name()?.to_string_lossy().into_owned())).collect();
    if names.iter().any(|name| name == DEFAULT_NAME) {
        return Ok(DEFAULT_NAME.into());
    }
    let candidates: Vec<String> = names.into_iter().filter(|name| name.ends_with(DEFAULT_ENDING)).collect();
    match &candidates[..] {
        [] => Err(ScenarioFileError::Nothing),
        [only] => Ok(only.into()),
        _ => Err(ScenarioFileError::Several(candidates)),
    }
}

const DEFAULT_NAME: &str = "mockd.yaml";
const DEFAULT_ENDING: &str = ".mockd.yaml";

/// The file names preferred in a folder, in order of preference.
const MAIN_NAMES: [&str; 2] = [DEFAULT_NAME, "shop.yaml"];

/// Returns the file of a folder to start with. `files` must be sorted by name.
fn main_file(files: Vec<PathBuf>) -> Option<PathBuf> {
    let named = |name: &&str| files.iter().find(|file| file.file_name().is_some_and(|own| own == *name)).cloned();
    MAIN_NAMES.iter().find_map(named).or_else(|| files.into_iter().next())
}

/// Whether two paths name the same file. Links are not followed, because each link is a separate choice.
fn is_same(one: &Path, other: &Path) -> bool {
    absolute(one) == absolute(other)
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Returns the files that a shell would expand `folder/*.yaml`, `folder/*.yml` and `folder/*.json` to, sorted by name,
/// except JSON Schemas.
fn files_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder)?;
    let mut files: Vec<PathBuf> =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| is_scenario(path)).collect();
    files.sort();
    Ok(files)
}

/// Whether a path is a scenario file. Hidden files are excluded because editors create them next to the file being
/// edited.
fn is_scenario(path: &Path) -> bool {
    let is_hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    let has_ending = path.extension().is_some_and(|ending| ["yaml", "yml", "json"].iter().any(|one| ending == *one));
    let is_schema = path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(".schema.json"));
    has_ending && !is_hidden && !is_schema && path.is_file()
}
