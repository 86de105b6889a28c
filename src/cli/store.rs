//! Flags about several servers that are one mock.

use clap::Args;

use crate::scenario::FoundFile;
use crate::server::{StoreConfig, StoreKind};
use crate::store::RedisUrl;

#[derive(Debug, Args)]
pub(super) struct StoreArgs {
    /// Redis or Valkey server by which all mockds that name it are one mock, such as `redis://user:password@host:6379/0`
    #[arg(long, env = "MOCKD_STORE", hide_env_values = true, value_name = "URL")]
    store: Option<RedisUrl>,
    /// Name that tells this mock from others in the same store
    #[arg(long, env = "MOCKD_STORE_NAME", default_value = "mockd", value_name = "NAME")]
    store_name: String,
    /// Publish this scenario to the other mockds of the store if they play another one, instead of refusing to start
    #[arg(long, requires = "store")]
    publish: bool,
}

impl StoreArgs {
    /// How to share the worlds of a scenario that was made of these files, if they are to be shared.
    pub(super) fn config(&self, files: &[FoundFile]) -> Option<StoreConfig> {
        let (url, name) = (self.store.clone()?, self.store_name.clone());
        Some(StoreConfig { store: StoreKind::Redis { url, name }, publish: self.publish, files: files.to_vec() })
    }
}
