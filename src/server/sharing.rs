//! How a server shares its worlds with others.

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

/// How worlds are shared with other servers.
#[derive(Debug, Clone)]
pub struct StoreConfig {
    /// Where they meet.
    pub store: StoreKind,
    /// Whether this server's scenario is published to the others if they play another one.
    pub publish: bool,
    /// The files that the scenario was made of.
    pub files: Vec<FoundFile>,
}

/// Where servers that share worlds meet.
#[derive(Debug, Clone)]
pub enum StoreKind {
    /// In this process.
    Memory(Memory),
    /// At a Redis server.
    Redis {
        /// Where it is.
        url: RedisUrl,
        /// What tells this mock from others there.
        name: String,
    },
}

/// Reaches the store where this server meets others. The directory is that of the scenario.
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
    sharing.scenarios.made_of(named(&files));
    Ok(sharing)
}

/// 64 bits by chance, which no two servers of a store have in common.
fn server_name() -> String {
    let by_chance = SysRng.try_next_u64().unwrap_or_else(|_| u64::from(std::process::id()));
    format!("{by_chance:016x}")
}
