//! The flags of `mockd run` for time, access, limits and the store.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use tracing::warn;

use super::stop::StopArgs;
use super::{CliError, duration};
use crate::http::{ControlAccess, ControlToken, Hosts, Limits, MAX_REFUSALS, is_host_name};
use crate::scenario::{FoundFile, parse_origin};
use crate::server::{StoreConfig, StoreKind};
use crate::store::RedisUrl;
use crate::system::program::raise_open_files;
use crate::world::{DEFAULT_BACKLOG, DEFAULT_ENTRIES, MIN_BACKLOG, Pace, SPEEDS};
use crate::worlds::WorldOptions;

/// The number of open files reserved for purposes other than served connections: the scenario, its watcher, files of a
/// static site, and connections that are being refused.
const OTHER_FILES: usize = 64 + MAX_REFUSALS;

/// The upper bound for the message and body limits, in bytes.
const LARGEST: i64 = 1 << 30;

#[derive(Debug, Args)]
pub(super) struct TimeArgs {
    /// Seed for every random choice [default: the scenario's, else a random one]
    #[arg(long)]
    seed: Option<u64>,
    /// Start with the clocks paused; POST /__mockd/clock advances or resumes them
    #[arg(long)]
    paused: bool,
    /// How fast the clocks run: 2 is twice as fast as real time
    #[arg(long, value_parser = speed, default_value_t = 1.0, value_name = "FACTOR")]
    speed: f64,
    #[command(flatten)]
    stop: StopArgs,
    /// File to write once mockd is ready: one line of JSON with url, pid and seed; mockd deletes the file on exit
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
}

impl TimeArgs {
    pub(super) fn seed(&self) -> Option<u64> {
        self.seed
    }

    pub(super) fn pace(&self) -> Pace {
        Pace { paused: self.paused, speed: self.speed }
    }

    pub(super) fn stop(&self) -> &StopArgs {
        &self.stop
    }

    pub(super) fn ready_file(&self) -> Option<&PathBuf> {
        self.ready_file.as_ref()
    }
}

fn speed(text: &str) -> Result<f64, String> {
    let speed = text.parse().ok().filter(|speed| SPEEDS.contains(speed));
    speed.ok_or_else(|| format!("expected a number from {} to {}", SPEEDS.start(), SPEEDS.end()))
}

#[derive(Debug, Args)]
pub(super) struct AccessArgs {
    /// Secret for the control API under /__mockd; required for that API unless mockd listens on loopback
    #[arg(long, env = "MOCKD_CONTROL_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    control_token: Option<String>,
    /// Web origin whose pages may use the control API, in addition to those of this machine; repeatable
    #[arg(long, value_name = "ORIGIN", value_parser = origin)]
    control_origin: Vec<String>,
    /// Host name to accept while mockd listens on loopback, in addition to localhost and its addresses; repeatable
    #[arg(long, value_name = "NAME", value_parser = host_name)]
    allow_host: Vec<String>,
}

impl AccessArgs {
    /// Returns who may use the control API of a server that listens on `ip`.
    ///
    /// # Errors
    /// [`CliError::Token`].
    pub(super) fn control(&self, ip: IpAddr) -> Result<ControlAccess, CliError> {
        // In CI, an unset secret is an empty string.
        let token = self.control_token.as_deref().filter(|token| !token.is_empty());
        let token = token.map(str::parse::<ControlToken>).transpose()?;
        Ok(ControlAccess::new(ip, token, self.control_origin.clone()))
    }

    pub(super) fn hosts(&self, ip: IpAddr) -> Hosts {
        Hosts::new(ip, self.allow_host.clone())
    }
}

fn origin(text: &str) -> Result<String, String> {
    parse_origin(text).map_err(|error| {
        let meant = error.meant.map(|meant| format!("; did you mean `{meant}`?"));
        format!("expected an origin as browsers send it, such as https://app.example{}", meant.unwrap_or_default())
    })
}

fn host_name(text: &str) -> Result<String, &'static str> {
    let name = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let error = "expected a name without scheme and port, such as shop.test";
    if is_host_name(name) { Ok(name.to_ascii_lowercase()) } else { Err(error) }
}

#[derive(Debug, Args)]
pub(super) struct LimitArgs {
    /// Maximum number of open connections, including sockets; others get 503 [default: derived from the open file
    /// limit]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    max_connections: Option<u32>,
    /// Maximum size of a request body; a larger one gets 413
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 20, value_parser = clap::value_parser!(u32).range(1..=LARGEST))]
    max_body: u32,
    /// Maximum size of a WebSocket message; a larger one closes the socket with 1009
    #[arg(long, value_name = "BYTES", default_value_t = 64 << 10, value_parser = clap::value_parser!(u32).range(125..=LARGEST))]
    max_message: u32,
    /// How long a request may take to arrive, including its body; a slower one gets 408
    ///
    /// The head may take up to twice this time. A connection without a request is closed after 12 to 13 times this
    /// time.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = request_time)]
    request_timeout: Duration,
    /// How often to ping each socket, to find clients that have vanished; 0s turns it off
    #[arg(long, value_name = "DURATION", default_value = "20s", value_parser = duration)]
    ping: Duration,
    /// How long a client may leave data unacknowledged before its connection is closed; 0s leaves it to the system
    #[arg(long, value_name = "DURATION", default_value = "1m", value_parser = duration)]
    peer_timeout: Duration,
}

fn request_time(text: &str) -> Result<Duration, String> {
    const LEAST: Duration = Limits::SHORTEST_REQUEST;
    let time = duration(text)?;
    if time < LEAST { Err(format!("expected at least {LEAST:?}")) } else { Ok(time) }
}

impl LimitArgs {
    /// Raises the open file limit as far as the system allows and caps the connection limit accordingly.
    pub(super) fn apply(&self) -> Limits {
        let possible = raise_open_files().saturating_sub(OTHER_FILES).max(1);
        let requested = self.max_connections.map_or(possible, |count| usize::try_from(count).unwrap_or(usize::MAX));
        if requested > possible {
            warn!(
                "--max-connections {requested} exceeds the open file limit (ulimit -n); mockd accepts {possible} \
                 connections"
            );
        }
        Limits {
            connections: requested.min(possible),
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
    /// How long a world may be idle before it is removed
    #[arg(long, value_parser = duration, default_value = "10m", value_name = "DURATION")]
    world_idle: Duration,
    /// Maximum number of worlds, excluding the default world
    #[arg(long, default_value_t = 10_000, value_name = "COUNT")]
    max_worlds: usize,
    /// Journal size of each world: up to this many frames sent to sockets and this many other entries; 0 turns it off
    #[arg(long, default_value_t = DEFAULT_ENTRIES, value_name = "COUNT")]
    journal: usize,
    /// How many frames a slow socket may fall behind before it gets the current state instead or is closed
    #[arg(long, value_name = "COUNT", default_value_t = DEFAULT_BACKLOG, value_parser = backlog)]
    backlog: usize,
}

impl WorldArgs {
    pub(super) fn options(&self, pace: Pace) -> WorldOptions {
        let Self { journal, backlog, .. } = *self;
        WorldOptions { pace, journal, backlog, idle: self.world_idle, max_named: self.max_worlds }
    }
}

fn backlog(text: &str) -> Result<usize, String> {
    let backlog = text.parse().ok().filter(|backlog| *backlog >= MIN_BACKLOG);
    backlog.ok_or_else(|| format!("expected an integer of at least {MIN_BACKLOG}"))
}

#[derive(Debug, Args)]
pub(super) struct StoreArgs {
    /// Redis or Valkey server through which several mockds act as one, such as `redis://user:password@host:6379/0`
    #[arg(long, env = "MOCKD_STORE", hide_env_values = true, value_name = "URL")]
    store: Option<RedisUrl>,
    /// Name of this mock in the store; mockds with the same name act as one
    #[arg(long, env = "MOCKD_STORE_NAME", default_value = "mockd", value_name = "NAME")]
    store_name: String,
    /// If other mockds in the store serve a different scenario, switch them to this one instead of refusing to start
    #[arg(long, requires = "store")]
    publish: bool,
}

impl StoreArgs {
    /// Returns how to share the worlds of a scenario read from `files`, or `None` without a store.
    pub(super) fn config(&self, files: &[FoundFile]) -> Option<StoreConfig> {
        let (url, name) = (self.store.clone()?, self.store_name.clone());
        Some(StoreConfig { store: StoreKind::Redis { url, name }, publish: self.publish, files: files.to_vec() })
    }
}
