//! Which of several scenario files is served, and how another takes its place.
//!
//! The task that follows the file ([`crate::watch`]) owns which one it is: between two looks at its files it takes
//! [`SwitchRequests`], one after the other, so that a switch never meets a save or another switch. Whoever wants to ask holds a
//! [`ScenarioSelector`]: the files that there are, the one that is served, and a channel on which each question carries its reply.
//! Where no task follows files, as in [`crate::embed`], the selector is [fixed](ScenarioSelector::fixed): there is nobody to ask.

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

/// Switches that may wait for the task before who asks for one waits.
const WAITING_SWITCHES: usize = 16;

/// The scenario files that can be served, and the one that is. A clone is the same.
#[derive(Debug, Clone)]
pub struct ScenarioSelector {
    files: ScenarioFiles,
    /// `None` if the scenario came from no file.
    served: watch::Receiver<Option<PathBuf>>,
    /// `None` if nobody can switch.
    asks: Option<mpsc::Sender<PendingSwitch>>,
}

/// A scenario file that can be served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its path as it was given, or that of its folder and its name.
    pub file: PathBuf,
    /// Whether it is the one that is served.
    pub serving: bool,
}

/// Why the server did not switch to a file. It serves and follows the one of before.
#[derive(Debug, Error)]
pub enum SwitchError {
    /// Nobody named that file.
    #[error(
        "{0} is not among the scenario files that mockd was started with; GET /__mockd/scenarios lists them, each to be \
         named as it stands there"
    )]
    Unknown(String),
    /// The file cannot be read, or is wrong.
    #[error("{} cannot be served, so the scenario of before still is\n{error}", file.display())]
    Broken {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        error: LoadError,
    },
    /// The file could not be checked or applied, which the log tells more of.
    #[error(
        "mockd failed while it switched to {}, so the scenario of before is still served; it is a defect in mockd, please \
         report it",
        file.display()
    )]
    Defect {
        /// The file.
        file: PathBuf,
    },
    /// There is no task that could switch.
    #[error("the scenario of this mock cannot be switched; a server that was started with `mockd run` can do that")]
    Fixed,
    /// The task that switches has ended.
    #[error("the server is ending and does not switch any more")]
    Ended,
}

/// What is asked of the task that follows the file.
#[derive(Debug)]
pub struct SwitchRequests {
    served: watch::Sender<Option<PathBuf>>,
    asked: mpsc::Receiver<PendingSwitch>,
}

/// Somebody waits for another file to be served.
#[derive(Debug)]
pub struct PendingSwitch {
    file: PathBuf,
    reply: oneshot::Sender<Result<Arc<LastReload>, SwitchError>>,
}

impl ScenarioSelector {
    /// A selector among files, which starts with this one served, and the end at which switches arrive.
    #[must_use]
    pub fn new(files: ScenarioFiles, served: &Path) -> (Self, SwitchRequests) {
        let (sender, receiver) = watch::channel(Some(served.to_owned()));
        let (asks, asked) = mpsc::channel(WAITING_SWITCHES);
        (Self { files, served: receiver, asks: Some(asks) }, SwitchRequests { served: sender, asked })
    }

    /// A selector that cannot switch: the server keeps to this file, or to a scenario that came from none.
    #[must_use]
    pub fn fixed(served: Option<&Path>) -> Self {
        let (files, served) = (ScenarioFiles::new(served.map(Path::to_owned)), served.map(Path::to_owned));
        Self { files, served: watch::channel(served).1, asks: None }
    }

    /// The directory of the file that is served; that in which mockd was started if the scenario came from none.
    #[must_use]
    #[cfg(feature = "redis")]
    pub(crate) fn directory(&self) -> PathBuf {
        let served = self.served.borrow();
        served.as_deref().and_then(Path::parent).unwrap_or(Path::new("")).to_owned()
    }

    /// The files there are now, in order. None of them is served if the one that is has gone from its folder.
    pub async fn list(&self) -> Vec<Candidate> {
        let (files, served) = (self.files.clone(), self.served.borrow().clone());
        let look = move || {
            let is_served = |file: &Path| served.as_deref().is_some_and(|served| is_same(served, file));
            files.list().into_iter().map(|file| Candidate { serving: is_served(&file), file }).collect()
        };
        // To look at a folder may take a while; that it fails can only be at the end of the runtime.
        spawn_blocking(look).await.unwrap_or_default()
    }

    /// Has that file served and followed from now on, in all worlds, and gives what is known of that reload then.
    ///
    /// # Errors
    /// [`SwitchError`]; everything is as before then.
    pub async fn switch(&self, name: &str) -> Result<Arc<LastReload>, SwitchError> {
        let asks = self.asks.as_ref().ok_or(SwitchError::Fixed)?;
        let named = |candidate: &Candidate| candidate.file.to_string_lossy() == name;
        let Some(Candidate { file, .. }) = self.list().await.into_iter().find(named) else {
            return Err(SwitchError::Unknown(name.to_owned()));
        };
        let (reply, answer) = oneshot::channel();
        asks.send(PendingSwitch { file, reply }).await.map_err(|_| SwitchError::Ended)?;
        answer.await.map_err(|_| SwitchError::Ended)?
    }
}

impl SwitchRequests {
    /// Waits for the next one; for ever once nobody can ask any more. Safe to cancel.
    pub async fn next(&mut self) -> PendingSwitch {
        match self.asked.recv().await {
            Some(switch) => switch,
            None => std::future::pending().await,
        }
    }

    /// The file is served and followed.
    pub fn done(&self, switch: PendingSwitch, last: Arc<LastReload>) {
        self.served.send_replace(Some(switch.file));
        // Whoever asked may be gone; it is done all the same.
        let _ = switch.reply.send(Ok(last));
    }
}

impl PendingSwitch {
    /// The file to be served.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The file cannot be served, and everything is as before.
    pub fn refuse(self, error: LoadError) {
        let Self { file, reply } = self;
        let _ = reply.send(Err(SwitchError::Broken { file, error }));
    }

    /// The file could not be checked or applied because of a defect, and everything is as before.
    pub fn fail(self) {
        let Self { file, reply } = self;
        let _ = reply.send(Err(SwitchError::Defect { file }));
    }
}

/// Files and folders of files. A folder is looked at anew whenever its files are asked for.
#[derive(Debug, Clone, Default)]
pub struct ScenarioFiles(Arc<[PathBuf]>);

/// Why there is nothing to serve.
#[derive(Debug, Error)]
pub enum GivenError {
    /// Nothing was given, and no file has a name that is looked for.
    #[error(
        "no scenario given, and the current folder has no mockd.yaml and no *.mockd.yaml; name a file or a folder, or write \
         a scenario with `mockd init`"
    )]
    Nothing,
    /// Nothing was given, and several files have a name that is looked for.
    #[error("no scenario given, and the current folder has {}; name one of them", joined(.0, "and"))]
    Several(Vec<String>),
    /// A folder has no scenario directly in it.
    #[error(
        "no scenario in {}: it has no file that ends in .yaml, .yml or .json; put one there, or name another folder or a file",
        .0.display()
    )]
    Empty(PathBuf),
    /// A file or folder does not exist or cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl ScenarioFiles {
    /// Files and folders, in this order.
    pub fn new(given: impl IntoIterator<Item = PathBuf>) -> Self {
        Self(given.into_iter().collect())
    }

    /// The file to start with, which is the first one given. Of a folder it is `mockd.yaml` or `shop.yaml` if it has one,
    /// else the first by name.
    ///
    /// # Errors
    /// [`GivenError`] for the first path given, of all of them, that leads to no file.
    pub fn first(&self) -> Result<PathBuf, GivenError> {
        let mut first = None;
        for given in &*self.0 {
            let failed = |error| ReadError::new(given, &error);
            let file = if std::fs::metadata(given).map_err(failed)?.is_dir() {
                let files = files_in(given).map_err(failed)?;
                main_file(files).ok_or_else(|| GivenError::Empty(given.clone()))?
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

/// The file to use when none is given: `mockd.yaml`, or the only `*.mockd.yaml`, in the current folder.
///
/// # Errors
/// [`GivenError`] if there is none or more than one.
pub fn usual_file() -> Result<PathBuf, GivenError> {
    let here = Path::new(".");
    let files = files_in(here).map_err(|error| ReadError::new(here, &error))?;
    let names: Vec<String> =
        files.iter().filter_map(|file| Some(file.file_name()?.to_string_lossy().into_owned())).collect();
    if names.iter().any(|name| name == USUAL_NAME) {
        return Ok(USUAL_NAME.into());
    }
    let usual: Vec<String> = names.into_iter().filter(|name| name.ends_with(USUAL_ENDING)).collect();
    match &usual[..] {
        [] => Err(GivenError::Nothing),
        [only] => Ok(only.into()),
        _ => Err(GivenError::Several(usual)),
    }
}

const USUAL_NAME: &str = "mockd.yaml";
const USUAL_ENDING: &str = ".mockd.yaml";

/// The names that a folder's files are searched for, best first.
const MAIN_NAMES: [&str; 2] = [USUAL_NAME, "shop.yaml"];

/// The file of a folder to start with; `files` are sorted by name.
fn main_file(files: Vec<PathBuf>) -> Option<PathBuf> {
    let named = |name: &&str| files.iter().find(|file| file.file_name().is_some_and(|own| own == *name)).cloned();
    MAIN_NAMES.iter().find_map(named).or_else(|| files.into_iter().next())
}

/// Whether two paths name the same file. Links are not followed: each is a file to choose.
fn is_same(one: &Path, other: &Path) -> bool {
    whole(one) == whole(other)
}

fn whole(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// What a shell makes of `folder/*.yaml`, `folder/*.yml` and `folder/*.json`, by name, without JSON Schemas.
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
    let has_ending = path.extension().is_some_and(|ending| ["yaml", "yml", "json"].iter().any(|one| ending == *one));
    let is_schema = path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(".schema.json"));
    has_ending && !is_hidden && !is_schema && path.is_file()
}
