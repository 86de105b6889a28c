//! Flags of a server about clients, worlds and the store.

use std::time::Duration;

use clap::Args;
use tracing::warn;

use crate::http::{Limits, MAX_REFUSALS};
use crate::scenario::{FoundFile, parse_duration};
use crate::server::{StoreConfig, StoreKind};
use crate::store::RedisUrl;
use crate::system::program::raise_open_files;
use crate::world::{DEFAULT_BACKLOG, DEFAULT_ENTRIES, FEWEST_BACKLOG, Pace, SPEEDS};
use crate::worlds::WorldOptions;

/// Files that are open beside connections that are served: the scenario, its watcher, what a static site reads, and connections
/// that are told that there is no place for them.
const OTHER_FILES: usize = 64 + MAX_REFUSALS;

/// The largest message or body that can be allowed; more is no limit.
const LARGEST: i64 = 1 << 30;

#[derive(Debug, Args)]
pub(super) struct LimitArgs {
    /// The most connections at a time, sockets included; more get 503 [default: what the system's limit on open files allows]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    max_connections: Option<u32>,
    /// The most bytes of a request's body; more get 413
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 20, value_parser = clap::value_parser!(u32).range(1..=LARGEST))]
    max_body: u32,
    /// The most bytes of a message on a socket; more close it with 1009
    #[arg(long, value_name = "BYTES", default_value_t = 64 << 10, value_parser = clap::value_parser!(u32).range(125..=LARGEST))]
    max_message: u32,
    /// How long a request's head (up to twice as long) and then its body may take to arrive; longer gets 408. A connection
    /// without a request is closed after 12 to 13 times as long
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = request_time)]
    request_timeout: Duration,
    /// How often sockets are pinged, so that one whose peer vanished is found; 0s for never
    #[arg(long, value_name = "DURATION", default_value = "20s", value_parser = parse_duration)]
    ping: Duration,
    /// How long a peer may acknowledge nothing before it counts as gone; 0s for as long as the system says
    #[arg(long, value_name = "DURATION", default_value = "1m", value_parser = parse_duration)]
    peer_timeout: Duration,
}

fn request_time(text: &str) -> Result<Duration, String> {
    const LEAST: Duration = Limits::SHORTEST_REQUEST;
    let time = parse_duration(text).map_err(|error| error.to_string())?;
    if time < LEAST { Err(format!("expected at least {LEAST:?}")) } else { Ok(time) }
}

impl LimitArgs {
    /// Lets mockd open as many files as it may, and no more connections than files.
    pub(super) fn apply(&self) -> Limits {
        let possible = raise_open_files().saturating_sub(OTHER_FILES).max(1);
        let asked = self.max_connections.map_or(possible, |count| usize::try_from(count).unwrap_or(usize::MAX));
        if asked > possible {
            warn!(
                "--max-connections {asked} is more than the limit on open files allows; it takes {possible} (ulimit -n)"
            );
        }
        Limits {
            connections: asked.min(possible),
            body: usize::try_from(self.max_body).unwrap_or(usize::MAX),
            message: usize::try_from(self.max_message).unwrap_or(usize::MAX),
            request: self.request_timeout,
            ping: self.ping,
            peer: self.peer_timeout,
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct WorldArgs {
    /// Start with clocks that stand still; POST /__mockd/clock lets them go on or advances them
    #[arg(long)]
    paused: bool,
    /// How many times as fast as this machine's the clocks go
    #[arg(long, value_parser = speed, default_value_t = 1.0, value_name = "FACTOR")]
    speed: f64,
    /// How long a world may be unused before it is removed
    #[arg(long, value_parser = parse_duration, default_value = "10m", value_name = "DURATION")]
    world_idle: Duration,
    /// The most worlds at a time, beside the default one
    #[arg(long, default_value_t = 10_000, value_name = "COUNT")]
    max_worlds: usize,
    /// The most journal entries of each world, once for frames to sockets and once for everything else; 0 for no journal
    #[arg(long, default_value_t = DEFAULT_ENTRIES, value_name = "COUNT")]
    journal: usize,
    /// Frames that a socket may be behind before it gets what is so now instead, or is closed
    #[arg(long, value_name = "COUNT", default_value_t = DEFAULT_BACKLOG, value_parser = backlog)]
    backlog: usize,
}

impl WorldArgs {
    pub(super) fn options(&self) -> WorldOptions {
        let pace = Pace { paused: self.paused, speed: self.speed };
        let Self { journal, backlog, .. } = *self;
        WorldOptions { pace, journal, backlog, idle: self.world_idle, most: self.max_worlds }
    }
}

fn speed(text: &str) -> Result<f64, String> {
    let speed = text.parse().ok().filter(|speed| SPEEDS.contains(speed));
    speed.ok_or_else(|| format!("expected a number from {} to {}", SPEEDS.start(), SPEEDS.end()))
}

fn backlog(text: &str) -> Result<usize, String> {
    let backlog = text.parse().ok().filter(|backlog| *backlog >= FEWEST_BACKLOG);
    backlog.ok_or_else(|| format!("expected a whole number from {FEWEST_BACKLOG} on"))
}

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
