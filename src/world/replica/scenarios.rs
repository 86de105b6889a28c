//! The scenarios that logs speak of: each under its fingerprint.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};
use tokio::sync::watch;
use tokio::task::spawn_blocking;

use super::ReplicaError;
use crate::scenario::{Scenario, ServerOptions, Source, parse};
use crate::store::{Store, StoreError};

/// What a scenario is known by: the same for the same scenario, however its files are written. It is that of its text as
/// mockd prints it, without the server section and without made ids (SHA-256, FIPS 180-4).
#[must_use]
pub fn fingerprint(text: impl AsRef<[u8]>) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(text.as_ref()))
}

/// The scenarios of a store. A clone is the same.
#[derive(Debug, Clone)]
pub struct Scenarios {
    store: Arc<dyn Store>,
    /// The server section of this server: it is its own, whatever is published.
    server: ServerOptions,
    /// Where the files are that published scenarios name: the directory of this server's own scenario.
    directory: PathBuf,
    known: Arc<Mutex<HashMap<String, Arc<Scenario>>>>,
    /// The files that this server has read last, each with the fingerprint of what is in it.
    files: Arc<Mutex<Vec<(String, String)>>>,
    /// The one that the default world plays, and its seed.
    played: Arc<watch::Sender<Option<(String, u64)>>>,
}

impl Scenarios {
    /// None yet.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, server: ServerOptions, directory: PathBuf) -> Self {
        Self { store, server, directory, known: Arc::default(), files: Arc::default(), played: Arc::default() }
    }

    /// Puts one where all servers find it, and gives its fingerprint.
    ///
    /// # Errors
    /// [`StoreError::Gone`].
    pub async fn publish(&self, scenario: &Arc<Scenario>) -> Result<String, StoreError> {
        let fingerprint = self.put(scenario).await?;
        let files = serde_json::to_string(&self.own_files()).unwrap_or_default();
        self.store.put(&name_of_files(&fingerprint), &files).await?;
        Ok(fingerprint)
    }

    /// As [`Scenarios::publish`], without a word about files.
    pub(in crate::world) async fn put(&self, scenario: &Arc<Scenario>) -> Result<String, StoreError> {
        let (fingerprint, text) = self.know(scenario).await;
        self.store.put(&name(&fingerprint), &text).await?;
        Ok(fingerprint)
    }

    /// The scenario that is published next was made of these files.
    pub fn made_of(&self, files: Vec<(String, String)>) {
        *self.files.lock().unwrap_or_else(PoisonError::into_inner) = files;
    }

    /// The names of the files that are not what another scenario was made of.
    ///
    /// # Errors
    /// [`StoreError::Gone`].
    pub async fn differing_files(&self, fingerprint: &str) -> Result<Vec<String>, StoreError> {
        let text = self.store.get(&name_of_files(fingerprint)).await?.unwrap_or_default();
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

    /// The fingerprint of one that is at hand, and its text.
    pub async fn know(&self, scenario: &Arc<Scenario>) -> (String, String) {
        let printed = scenario.clone();
        let print = move || {
            let text = Scenario::clone(&printed).with_server(ServerOptions::default()).to_yaml_as_declared();
            (fingerprint(&text), text)
        };
        // To print 100,000 rows takes a while; that it fails can only be at the end of the runtime.
        let (fingerprint, text) = spawn_blocking(print).await.unwrap_or_default();
        self.lock().insert(fingerprint.clone(), scenario.clone());
        (fingerprint, text)
    }

    /// The scenario of that fingerprint.
    ///
    /// # Errors
    /// [`StoreError::Gone`]; the other error is about the scenario.
    pub(in crate::world) async fn get(
        &self,
        fingerprint: &str,
    ) -> Result<Result<Arc<Scenario>, ReplicaError>, StoreError> {
        if let Some(known) = self.lock().get(fingerprint).cloned() {
            return Ok(Ok(known));
        }
        let missing = || ReplicaError::NoScenario(fingerprint.to_owned());
        let Some(text) = self.store.get(&name(fingerprint)).await? else { return Ok(Err(missing())) };
        let path = self.directory.join("published");
        let read = spawn_blocking(move || parse(&Source::new(path, &text))).await;
        let Ok(Ok(scenario)) = read else { return Ok(Err(missing())) };
        let scenario = Arc::new(scenario.with_server(self.server.clone()));
        self.lock().insert(fingerprint.to_owned(), scenario.clone());
        Ok(Ok(scenario))
    }

    /// The default world plays that one from now on.
    pub(in crate::world) fn plays(&self, fingerprint: &str, seed: u64) {
        // Those of before may still be in logs, but are read again then.
        self.lock().retain(|known, _| known == fingerprint);
        self.played.send_replace(Some((fingerprint.to_owned(), seed)));
    }

    /// Hears which one the default world plays.
    pub(crate) fn played(&self) -> watch::Receiver<Option<(String, u64)>> {
        self.played.subscribe()
    }

    /// One that is at hand.
    pub(crate) fn known(&self, fingerprint: &str) -> Option<Arc<Scenario>> {
        self.lock().get(fingerprint).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Scenario>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn name_of_files(fingerprint: &str) -> String {
    format!("files:{fingerprint}")
}

fn name(fingerprint: &str) -> String {
    format!("scenario:{fingerprint}")
}
