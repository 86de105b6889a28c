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
    App, ControlAccess, HEARTBEAT, HighWater, Hosts, Limits, Listeners, Misdirected, PollingSessions, Site,
    handshake_spelling, serve, service,
};
use crate::reloads::Reloads;
use crate::scenario::{Cors, Scenario};
use crate::selector::ScenarioSelector;
use crate::system::own_addresses;
use crate::websocket::Encoded;
use crate::world::World;
use crate::worlds::{WorldOptions, Worlds, WorldsError};

/// How long requests in flight may take once the server is to stop.
const GRACE: Duration = Duration::from_millis(700);

/// How to serve a scenario.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// Where to listen; port 0 takes a free one.
    pub address: SocketAddr,
    /// Whether to listen on `::1` as well, on the same port. With an address of `127.0.0.1` or `0.0.0.0`, the server then has both
    /// addresses that browsers resolve `localhost` to. Without IPv6, or if another program has the port there, the server listens
    /// on the address alone.
    pub also_ipv6_loopback: bool,
    /// What is served at `/`.
    pub site: Site,
    /// Which web origins may read the API.
    pub cors: Cors,
    /// The seed of all that is random.
    pub seed: u64,
    /// What all worlds have in common.
    pub worlds: WorldOptions,
    /// Who may control the mock.
    pub access: ControlAccess,
    /// Which names of the server requests may be meant for.
    pub hosts: Hosts,
    /// How much clients may take of it.
    pub limits: Limits,
    /// The scenario files that it can be switched to.
    pub selector: ScenarioSelector,
    /// What the worlds are shared by with other servers, if they are.
    #[cfg(feature = "redis")]
    pub store: Option<StoreConfig>,
}

/// Why a server did not start.
#[derive(Debug, Error)]
pub enum ServeError {
    /// Another program listens there.
    #[error(
        "port {} on {} is taken; stop the program that has it, or choose another with --port (0 takes a free one)",
        .0.port(), .0.ip()
    )]
    PortTaken(SocketAddr),
    /// No request could arrive in time.
    #[error("the limit on the time of a request is {0:?}; give at least {least:?}", least = Limits::SHORTEST_REQUEST)]
    RequestTime(Duration),
    /// The worlds cannot be shared with other servers.
    #[error(transparent)]
    Worlds(#[from] WorldsError),
    /// The system does not allow or know the address.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// Where it was to listen.
        address: SocketAddr,
        /// What the system says.
        error: io::Error,
    },
}

/// A mock that serves until it is stopped. Dropping it stops it as well, but does not wait; see [`Server::stop`].
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    worlds: Worlds,
    reloads: Reloads,
    shutdown: CancellationToken,
    tasks: TaskTracker,
    serving: JoinHandle<()>,
    /// Ends the worlds, after all who may still want something of them.
    end: CancellationToken,
    playing: TaskTracker,
    /// Held for their end.
    #[expect(dead_code, reason = "they do their work when they are dropped")]
    stop_on_drop: [DropGuard; 2],
}

impl Server {
    /// Binds the address and starts the scenario's default world.
    ///
    /// # Errors
    /// [`ServeError`] if the address cannot be bound, or a limit lets no request arrive.
    #[cfg_attr(not(feature = "redis"), expect(clippy::unused_async, reason = "it waits only for a store"))]
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
        let (playing, end) = (TaskTracker::new(), CancellationToken::new());
        let reloads = Reloads::default();
        // From here on, whatever is begun ends with them, also if this fails.
        let stop_on_drop = [shutdown.clone().drop_guard(), end.clone().drop_guard()];
        #[cfg(not(feature = "redis"))]
        let worlds = Worlds::start(scenario, seed, worlds, &playing, end.clone());
        #[cfg(feature = "redis")]
        let worlds = match config.store {
            None => Worlds::start(scenario, seed, worlds, &playing, end.clone()),
            Some(store) => {
                let (publishes, directory) = (store.publish, selector.directory());
                let sharing = join_store(store, scenario, directory, reloads.clone(), &playing, &end).await?;
                Worlds::share(scenario, seed, worlds, sharing, publishes, &playing, end.clone()).await?
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
            high_water: HighWater::default(),
            handshake_spelling: handshake_spelling(),
            polling: PollingSessions::default(),
            misdirected: Misdirected::default(),
        });
        let serving = tokio::spawn(serve(listeners, service(app.clone(), &site), app, GRACE));
        tasks.spawn(wake_sockets(worlds.clone(), shutdown.clone()));
        tasks.spawn(ping_sockets(worlds.clone(), limits.ping, shutdown.clone()));
        Ok(Self { address: bound, worlds, reloads, shutdown, tasks, serving, end, playing, stop_on_drop })
    }

    /// The address that it listens on, with the port that was taken; of `localhost` that of IPv4.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of the site, as this machine opens it; the API is below it.
    #[must_use]
    pub fn url(&self) -> String {
        // `0.0.0.0` is no address of anything, although some systems connect to it (RFC 1122, 3.2.1.3).
        let is_every = self.address.ip().is_unspecified();
        if is_every { format!("http://localhost:{}", self.address.port()) } else { format!("http://{}", self.address) }
    }

    /// The URLs by which other machines reach it, if it listens on all addresses and this machine has a network.
    #[must_use]
    pub fn network_urls(&self) -> Vec<String> {
        let own = if self.address.ip().is_unspecified() { own_addresses(self.address.is_ipv6()) } else { Vec::new() };
        own.into_iter().map(|ip| format!("http://{}", SocketAddr::new(ip, self.address.port()))).collect()
    }

    /// The default world.
    #[must_use]
    pub fn world(&self) -> World {
        self.worlds.default_world()
    }

    /// All worlds.
    #[must_use]
    pub fn worlds(&self) -> &Worlds {
        &self.worlds
    }

    /// What became of the last save, which whoever follows the file tells here.
    #[must_use]
    pub fn reloads(&self) -> &Reloads {
        &self.reloads
    }

    /// Tells when the server is to stop, for tasks that belong to it.
    #[must_use]
    pub fn shutdown(&self) -> &CancellationToken {
        &self.shutdown
    }

    /// Stops: open sockets are closed with 1001, requests in flight are answered, and all tasks have ended after it.
    pub async fn stop(self) {
        self.shutdown.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        // It ends with the shutdown.
        let _ = self.serving.await;
        self.end.cancel();
        self.playing.close();
        self.playing.wait().await;
    }
}

/// At the shutdown, has every socket look that it is there: cheaper than that each of many waits for it.
async fn wake_sockets(worlds: Worlds, shutdown: CancellationToken) {
    shutdown.cancelled().await;
    worlds.all().iter().for_each(World::wake_sockets);
}

/// Pings every live socket now and then: one whose peer vanished is found out by what it does not acknowledge.
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
