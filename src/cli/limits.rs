//! Flags about how much clients may take, and the files that the system lets mockd open.

use std::time::Duration;

use clap::Args;
use tracing::warn;

use crate::http::{Limits, TOLD_AT_ONCE};
use crate::scenario::parse_duration;

/// Files that are open beside connections that are served: the scenario, its watcher, timers, what a static site reads, and
/// connections that are told that there is no place for them.
const OTHER_FILES: usize = 64 + TOLD_AT_ONCE;

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
    /// How long a request may take to arrive, its head (at the most six times as long) and then its body; longer gets 408
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
    const LEAST: Duration = Duration::from_millis(100);
    let time = parse_duration(text).map_err(|error| error.to_string())?;
    if time < LEAST { Err(format!("expected at least {LEAST:?}")) } else { Ok(time) }
}

impl LimitArgs {
    /// Lets mockd open as many files as it may, and no more connections than files.
    pub(super) fn apply(&self) -> Limits {
        let possible = open_files().saturating_sub(OTHER_FILES).max(1);
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

/// Raises the limit on open files to the highest that needs no privilege, and gives it (`setrlimit(2)`).
#[cfg(target_os = "linux")]
fn open_files() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).is_ok();
    let limit = if raised { maximum } else { current };
    limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX)
}

/// Elsewhere it is not known.
#[cfg(not(target_os = "linux"))]
fn open_files() -> usize {
    usize::MAX
}
