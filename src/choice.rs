//! Which of several scenario files is served, and how another takes its place.
//!
//! The task that follows the file ([`crate::watch`]) owns which one it is: between two looks at its files it takes
//! [`Switches`], one after the other, so that a switch never meets a save or another switch. Whoever wants to ask holds a
//! [`Choice`]: the files that there are, the one that is served, and a channel on which each question carries its reply.
//! Where no task follows files, as in [`crate::embed`], the choice is [fixed](Choice::fixed): there is nobody to ask.

mod files;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::spawn_blocking;

pub use files::{GivenError, ScenarioFiles};

use crate::reloads::LastReload;
use crate::scenario::LoadError;

/// Switches that may wait for the task before who asks for one waits.
const WAITING_SWITCHES: usize = 16;

/// The scenario files that can be served, and the one that is. A clone is the same.
#[derive(Debug, Clone)]
pub struct Choice {
    files: ScenarioFiles,
    /// `None` if the scenario came from no file.
    served: watch::Receiver<Option<PathBuf>>,
    /// `None` if nobody can switch.
    asks: Option<mpsc::Sender<Switch>>,
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
    /// There is no task that could switch.
    #[error("the scenario of this mock cannot be switched; a server that was started with `mockd run` can do that")]
    Fixed,
    /// The task that switches has ended.
    #[error("the server is ending and does not switch any more")]
    Ended,
}

/// What is asked of the task that follows the file.
#[derive(Debug)]
pub struct Switches {
    served: watch::Sender<Option<PathBuf>>,
    asked: mpsc::Receiver<Switch>,
}

/// Somebody waits for another file to be served.
#[derive(Debug)]
pub struct Switch {
    file: PathBuf,
    reply: oneshot::Sender<Result<Arc<LastReload>, LoadError>>,
}

impl Choice {
    /// A choice between files, of which this one is served, and the end at which switches arrive.
    #[must_use]
    pub fn new(files: ScenarioFiles, served: &Path) -> (Self, Switches) {
        let (sender, receiver) = watch::channel(Some(served.to_owned()));
        let (asks, asked) = mpsc::channel(WAITING_SWITCHES);
        (Self { files, served: receiver, asks: Some(asks) }, Switches { served: sender, asked })
    }

    /// No choice: the server keeps to this file, or to a scenario that came from none.
    #[must_use]
    pub fn fixed(served: Option<&Path>) -> Self {
        let (files, served) = (ScenarioFiles::new(served.map(Path::to_owned)), served.map(Path::to_owned));
        Self { files, served: watch::channel(served).1, asks: None }
    }

    /// The files there are now, in order. None of them is served if the one that is has gone from its folder.
    pub async fn list(&self) -> Vec<Candidate> {
        let (files, served) = (self.files.clone(), self.served.borrow().clone());
        let look = move || {
            let is_served = |file: &Path| served.as_deref().is_some_and(|served| files::is_same(served, file));
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
        asks.send(Switch { file: file.clone(), reply }).await.map_err(|_| SwitchError::Ended)?;
        let outcome = answer.await.map_err(|_| SwitchError::Ended)?;
        outcome.map_err(|error| SwitchError::Broken { file, error })
    }
}

impl Switches {
    /// Waits for the next one; for ever once nobody can ask any more. Safe to cancel.
    pub async fn next(&mut self) -> Switch {
        match self.asked.recv().await {
            Some(switch) => switch,
            None => std::future::pending().await,
        }
    }

    /// The file is served and followed.
    pub fn done(&self, switch: Switch, last: Arc<LastReload>) {
        self.served.send_replace(Some(switch.file));
        // Whoever asked may be gone; it is done all the same.
        let _ = switch.reply.send(Ok(last));
    }
}

impl Switch {
    /// The file to be served.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The file cannot be served, and everything is as before.
    pub fn refuse(self, error: LoadError) {
        let _ = self.reply.send(Err(error));
    }
}
