//! Sharing of worlds with other servers.

use std::path::PathBuf;
use std::sync::Arc;

use rand::TryRng;
use rand::rngs::SysRng;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::reloads::Reloads;
use crate::scenario::{FoundFile, Scenario};
use crate::store::{Memory, Redis, RedisUrl, Store};
use crate::world::Sharing;
use crate::worlds::WorldsError;
use crate::worlds::shared::named;

/// The configuration of shared worlds.
#[derive(Debug, Clone)]
pub struct StoreConfig {
    /// The store that connects the servers.
    pub store: StoreKind,
    /// Whether to publish this server's scenario to the others if they play a different one.
    pub publish: bool,
    /// The files from which the scenario was loaded.
    pub files: Vec<FoundFile>,
}

/// The kind of store that connects servers.
#[derive(Debug, Clone)]
pub enum StoreKind {
    /// A store in this process.
    Memory(Memory),
    /// A Redis server.
    Redis {
        /// The URL of the Redis server.
        url: RedisUrl,
        /// The name of this mock, which distinguishes it from others in the store.
        name: String,
    },
}

/// Connects to the store. `directory` is the scenario's directory.
pub(super) async fn join_store(
    config: StoreConfig,
    scenario: &Scenario,
    directory: PathBuf,
    reloads: Reloads,
    tasks: &TaskTracker,
    end: &CancellationToken,
) -> Result<Sharing, WorldsError> {
    let StoreConfig { store, files, .. } = config;
    let store: Arc<dyn Store> = match store {
        StoreKind::Memory(memory) => Arc::new(memory),
        StoreKind::Redis { url, name } => {
            let store = Redis::connect(&url, &name, tasks, end);
            store.reached().await?;
            Arc::new(store)
        }
    };
    let sharing = Sharing::new(store, server_name().into(), scenario.server().clone(), directory, reloads);
    sharing.scenarios.set_files(named(&files));
    Ok(sharing)
}

/// Returns a random 64-bit name, so that all servers of a store have different names.
fn server_name() -> String {
    let random = SysRng.try_next_u64().unwrap_or_else(|_| u64::from(std::process::id()));
    format!("{random:016x}")
}
