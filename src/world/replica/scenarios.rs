//! The scenarios that logs refer to, by fingerprint.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};
use tokio::sync::watch;
use tokio::task::spawn_blocking;

use super::ReplicaError;
use crate::scenario::{Scenario, ServerOptions, Source, parse};
use crate::store::{Store, StoreError};

/// Returns the fingerprint of a scenario: the SHA-256 hash (FIPS 180-4) of its text as mockd prints it, without the
/// server section and generated ids. It is the same however the scenario's files are written.
#[must_use]
pub fn fingerprint(text: impl AsRef<[u8]>) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(text.as_ref()))
}

/// The scenarios of a store. Clones share the same state.
#[derive(Debug, Clone)]
pub struct Scenarios {
    store: Arc<dyn Store>,
    /// This server's own server section, which published scenarios do not replace.
    server: ServerOptions,
    /// The directory of this server's own scenario, which published scenarios resolve their files in.
    directory: PathBuf,
    known: Arc<Mutex<HashMap<String, Arc<Scenario>>>>,
    /// The files that this server read last, each with the fingerprint of its contents.
    files: Arc<Mutex<Vec<(String, String)>>>,
    /// The scenario that the default world plays, and its seed.
    current: Arc<watch::Sender<Option<(String, u64)>>>,
}

impl Scenarios {
    /// Creates an empty set of scenarios.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, server: ServerOptions, directory: PathBuf) -> Self {
        Self { store, server, directory, known: Arc::default(), files: Arc::default(), current: Arc::default() }
    }

    /// Publishes a scenario to all servers, and returns its fingerprint.
    ///
    /// # Errors
    /// [`StoreError::Unreachable`].
    pub async fn publish(&self, scenario: &Arc<Scenario>) -> Result<String, StoreError> {
        let fingerprint = self.put(scenario).await?;
        let files = serde_json::to_string(&self.own_files()).unwrap_or_default();
        self.store.put(&files_key(&fingerprint), &files).await?;
        Ok(fingerprint)
    }

    /// Like [`Scenarios::publish`], without the list of files.
    pub(in crate::world) async fn put(&self, scenario: &Arc<Scenario>) -> Result<String, StoreError> {
        let (fingerprint, text) = self.remember(scenario).await;
        self.store.put(&scenario_key(&fingerprint), &text).await?;
        Ok(fingerprint)
    }

    /// Sets the files that the next published scenario was read from.
    pub fn set_files(&self, files: Vec<(String, String)>) {
        *self.files.lock().unwrap_or_else(PoisonError::into_inner) = files;
    }

    /// Returns the names of the files that differ from those of another scenario.
    ///
    /// # Errors
    /// [`StoreError::Unreachable`].
    pub async fn differing_files(&self, fingerprint: &str) -> Result<Vec<String>, StoreError> {
        let text = self.store.get(&files_key(fingerprint)).await?.unwrap_or_default();
        let theirs: Vec<(String, String)> = serde_json::from_str(&text).unwrap_or_default();
        let own = self.own_files();
        let differs = |(file, list): &(&(String, String), &Vec<(String, String)>)| !list.contains(file);
        let both = own.iter().map(|file| (file, &theirs)).chain(theirs.iter().map(|file| (file, &own)));
        let mut names: Vec<String> = both.filter(differs).map(|((name, _), _)| name.clone()).collect();
        names.sort();
        names.dedup();
        Ok(names)
    }

    fn own_files(&self) -> Vec<(String, String)> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Remembers a scenario, and returns its fingerprint and its text.
    pub async fn remember(&self, scenario: &Arc<Scenario>) -> (String, String) {
        let printed = scenario.clone();
        let print = move || {
            let text = Scenario::clone(&printed).with_server(ServerOptions::default()).to_yaml_as_declared();
            (fingerprint(&text), text)
        };
        // Printing 100,000 rows takes a while. The task fails only when the runtime shuts down.
        let (fingerprint, text) = spawn_blocking(print).await.unwrap_or_default();
        self.lock().insert(fingerprint.clone(), scenario.clone());
        (fingerprint, text)
    }

    /// Returns the scenario with this fingerprint.
    ///
    /// # Errors
    /// [`StoreError::Unreachable`]; the inner error is about the scenario.
    pub(in crate::world) async fn get(
        &self,
        fingerprint: &str,
    ) -> Result<Result<Arc<Scenario>, ReplicaError>, StoreError> {
        if let Some(known) = self.lock().get(fingerprint).cloned() {
            return Ok(Ok(known));
        }
        let missing = || ReplicaError::NoScenario(fingerprint.to_owned());
        let Some(text) = self.store.get(&scenario_key(fingerprint)).await? else { return Ok(Err(missing())) };
        let path = self.directory.join("published");
        let read = spawn_blocking(move || parse(&Source::new(path, &text))).await;
        let Ok(Ok(scenario)) = read else { return Ok(Err(missing())) };
        let scenario = Arc::new(scenario.with_server(self.server.clone()));
        self.lock().insert(fingerprint.to_owned(), scenario.clone());
        Ok(Ok(scenario))
    }

    /// Records that the default world now plays this scenario.
    pub(in crate::world) fn set_current(&self, fingerprint: &str, seed: u64) {
        // Logs may still refer to earlier scenarios, which are then read again.
        self.lock().retain(|known, _| known == fingerprint);
        self.current.send_replace(Some((fingerprint.to_owned(), seed)));
    }

    /// Subscribes to the scenario that the default world plays.
    pub(crate) fn watch_current(&self) -> watch::Receiver<Option<(String, u64)>> {
        self.current.subscribe()
    }

    /// Returns a scenario that this server remembers.
    pub(crate) fn remembered(&self, fingerprint: &str) -> Option<Arc<Scenario>> {
        self.lock().get(fingerprint).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Scenario>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn files_key(fingerprint: &str) -> String {
    format!("files:{fingerprint}")
}

fn scenario_key(fingerprint: &str) -> String {
    format!("scenario:{fingerprint}")
}
