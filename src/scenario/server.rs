//! The `server` section: how the API is offered. Command-line flags win over all of it.

use std::net::IpAddr;
use std::path::PathBuf;

/// Which web origins may read the API (Fetch standard, CORS protocol).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Cors {
    /// Every origin: `access-control-allow-origin: *`.
    #[default]
    Any,
    /// None: no CORS headers at all.
    Off,
    /// These origins, such as `http://localhost:5050`.
    Origins(Vec<String>),
}

/// What the `server` section says; `None` where it says nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServerOptions {
    pub(super) host: Option<IpAddr>,
    pub(super) port: Option<u16>,
    pub(super) site: Option<PathBuf>,
    pub(super) cors: Cors,
}

impl ServerOptions {
    /// The address to listen on.
    #[must_use]
    pub fn host(&self) -> Option<IpAddr> {
        self.host
    }

    /// The port to listen on, 0 for any free one.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// The directory served at `/`, already joined to the scenario file's directory.
    #[must_use]
    pub fn site(&self) -> Option<&PathBuf> {
        self.site.as_ref()
    }

    /// Which web origins may read the API.
    #[must_use]
    pub fn cors(&self) -> &Cors {
        &self.cors
    }

    /// The keys that differ from `other`, all of which take a restart to apply.
    #[must_use]
    pub fn differing_keys(&self, other: &Self) -> Vec<&'static str> {
        [
            ("host", self.host != other.host),
            ("port", self.port != other.port),
            ("static", self.site != other.site),
            ("cors", self.cors != other.cors),
        ]
        .into_iter()
        .filter_map(|(key, differs)| differs.then_some(key))
        .collect()
    }
}
