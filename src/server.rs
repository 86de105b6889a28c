//! A running mock: worlds behind one listening address.

#[cfg(feature = "redis")]
mod sharing;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
#[cfg(feature = "redis")]
use sharing::join_store;
#[cfg(feature = "redis")]
pub use sharing::{StoreConfig, StoreKind};
use thiserror::Error;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use tungstenite::Message;

use crate::http::{
    App, ControlAccess, HEARTBEAT, Hosts, Limits, Listeners, Misdirected, PollingSessions, Site, handshake_header_case,
    serve, service,
};
use crate::reloads::Reloads;
use crate::scenario::{Cors, Scenario};
use crate::selector::ScenarioSelector;
use crate::system::own_addresses;
use crate::websocket::Encoded;
use crate::world::World;
use crate::worlds::{WorldOptions, Worlds, WorldsError};

/// The time that requests in flight may take to finish after the shutdown.
const GRACE: Duration = Duration::from_millis(700);

/// The configuration of a server.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// The address to listen on; port 0 picks a free port.
    pub address: SocketAddr,
    /// Whether to also listen on `::1`, on the same port. Together with `127.0.0.1` or `0.0.0.0`, this covers both
    /// addresses that browsers resolve `localhost` to. Without IPv6, or if another program uses the port on `::1`, the
    /// server listens only on `address`.
    pub also_ipv6_loopback: bool,
    /// The site served at `/`.
    pub site: Site,
    /// The web origins that may read the API.
    pub cors: Cors,
    /// The seed for every random choice.
    pub seed: u64,
    /// The options of all worlds.
    pub worlds: WorldOptions,
    /// The clients that may use the control API.
    pub access: ControlAccess,
    /// The host names that requests may use.
    pub hosts: Hosts,
    /// The limits for clients.
    pub limits: Limits,
    /// The available scenario files.
    pub selector: ScenarioSelector,
    /// The store that shares the worlds with other servers; `None` if they are not shared.
    #[cfg(feature = "redis")]
    pub store: Option<StoreConfig>,
}

/// An error that prevents a server from starting.
#[derive(Debug, Error)]
pub enum ServeError {
    /// Another program listens on the address.
    #[error(
        "port {} on {} is taken; stop the program that uses it, or choose another with --port (0 picks a free one)",
        .0.port(), .0.ip()
    )]
    PortTaken(SocketAddr),
    /// The request timeout is below [`Limits::SHORTEST_REQUEST`].
    #[error("the request timeout {0:?} is too short; set at least {least:?}", least = Limits::SHORTEST_REQUEST)]
    RequestTime(Duration),
    /// The worlds cannot be shared with other servers.
    #[error(transparent)]
    Worlds(#[from] WorldsError),
    /// The system does not support or allow listening on the address.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// The address to listen on.
        address: SocketAddr,
        /// The system's error.
        error: io::Error,
    },
}

/// A running mock server. Dropping it stops it without waiting; see [`Server::stop`].
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    worlds: Worlds,
    reloads: Reloads,
    shutdown: CancellationToken,
    tasks: TaskTracker,
    serving: JoinHandle<()>,
    /// Ends the worlds, after all tasks that may still use them.
    world_shutdown: CancellationToken,
    world_tasks: TaskTracker,
    /// Guards that stop everything when the server is dropped.
    #[expect(dead_code, reason = "the guards act when they are dropped")]
    stop_on_drop: [DropGuard; 2],
}

impl Server {
    /// Binds the address and starts the scenario's default world.
    ///
    /// # Errors
    /// [`ServeError`] if the address cannot be bound, the request timeout is too short, or the worlds cannot be shared.
    #[cfg_attr(not(feature = "redis"), expect(clippy::unused_async, reason = "only a store is awaited"))]
    pub async fn start(scenario: &Arc<Scenario>, config: ServerConfig) -> Result<Self, ServeError> {
        let ServerConfig {
            address, also_ipv6_loopback, site, cors, seed, worlds, access, hosts, limits, selector, ..
        } = config;
        if limits.request < Limits::SHORTEST_REQUEST {
            return Err(ServeError::RequestTime(limits.request));
        }
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::AddrInUse => ServeError::PortTaken(address),
            _ => ServeError::Listen { address, error },
        };
        let listeners = Listeners::bind(address, also_ipv6_loopback).map_err(failed)?;
        let bound = listeners.address();
        let (tasks, shutdown) = (TaskTracker::new(), CancellationToken::new());
        let (world_tasks, world_shutdown) = (TaskTracker::new(), CancellationToken::new());
        let reloads = Reloads::default();
        // From here on, everything that is started ends with these guards, even if this function fails.
        let stop_on_drop = [shutdown.clone().drop_guard(), world_shutdown.clone().drop_guard()];
        #[cfg(not(feature = "redis"))]
        let worlds = Worlds::start(scenario, seed, worlds, &world_tasks, world_shutdown.clone());
        #[cfg(feature = "redis")]
        let worlds = match config.store {
            None => Worlds::start(scenario, seed, worlds, &world_tasks, world_shutdown.clone()),
            Some(store) => {
                let (publishes, directory) = (store.publish, selector.directory());
                let sharing =
                    join_store(store, scenario, directory, reloads.clone(), &world_tasks, &world_shutdown).await?;
                Worlds::share(scenario, seed, worlds, sharing, publishes, &world_tasks, world_shutdown.clone()).await?
            }
        };
        let app = Arc::new(App {
            worlds: worlds.clone(),
            reloads: reloads.clone(),
            selector,
            access,
            hosts,
            cors,
            limits,
            tasks: tasks.clone(),
            shutdown: shutdown.clone(),
            handshake_header_case: handshake_header_case(),
            polling: PollingSessions::default(),
            misdirected: Misdirected::default(),
        });
        let serving = tokio::spawn(serve(listeners, service(app.clone(), &site), app, GRACE));
        tasks.spawn(wake_sockets(worlds.clone(), shutdown.clone()));
        tasks.spawn(ping_sockets(worlds.clone(), limits.ping, shutdown.clone()));
        Ok(Self {
            address: bound,
            worlds,
            reloads,
            shutdown,
            tasks,
            serving,
            world_shutdown,
            world_tasks,
            stop_on_drop,
        })
    }

    /// Returns the bound address with its actual port; for `localhost`, the IPv4 address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the URL of the site and API, for clients on this machine.
    #[must_use]
    pub fn url(&self) -> String {
        // `0.0.0.0` is not a valid destination, although some systems connect to it (RFC 1122, 3.2.1.3).
        if self.address.ip().is_unspecified() {
            format!("http://localhost:{}", self.address.port())
        } else {
            format!("http://{}", self.address)
        }
    }

    /// Returns the URLs at which other machines reach the server. Empty unless it listens on all addresses and this
    /// machine has a network.
    #[must_use]
    pub fn network_urls(&self) -> Vec<String> {
        let own = if self.address.ip().is_unspecified() { own_addresses(self.address.is_ipv6()) } else { Vec::new() };
        own.into_iter().map(|ip| format!("http://{}", SocketAddr::new(ip, self.address.port()))).collect()
    }

    /// Returns the default world.
    #[must_use]
    pub fn world(&self) -> World {
        self.worlds.default_world()
    }

    /// Returns all worlds.
    #[must_use]
    pub fn worlds(&self) -> &Worlds {
        &self.worlds
    }

    /// Returns the record of the last reload, which the task that watches the file updates.
    #[must_use]
    pub fn reloads(&self) -> &Reloads {
        &self.reloads
    }

    /// Returns the token that is cancelled at shutdown, for tasks that belong to the server.
    #[must_use]
    pub fn shutdown(&self) -> &CancellationToken {
        &self.shutdown
    }

    /// Closes open sockets with 1001, answers requests in flight, and waits until all tasks have ended.
    pub async fn stop(self) {
        self.shutdown.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        // The task ends with the shutdown.
        let _ = self.serving.await;
        self.world_shutdown.cancel();
        self.world_tasks.close();
        self.world_tasks.wait().await;
    }
}

/// Wakes every socket at shutdown so that it notices the shutdown. This is cheaper than having each of many sockets
/// wait for it.
async fn wake_sockets(worlds: Worlds, shutdown: CancellationToken) {
    shutdown.cancelled().await;
    worlds.all().iter().for_each(World::wake_sockets);
}

/// Pings every live socket periodically. The missing acknowledgement reveals a peer that has vanished.
async fn ping_sockets(worlds: Worlds, period: Duration, shutdown: CancellationToken) {
    if period.is_zero() {
        return;
    }
    let ping = Encoded::message(&Message::Ping(Bytes::new())).into_frame();
    let pinging = async {
        loop {
            tokio::time::sleep(period).await;
            for world in worlds.all() {
                world.ping_sockets(ping.clone(), HEARTBEAT).await;
            }
        }
    };
    shutdown.run_until_cancelled(pinging).await;
}
