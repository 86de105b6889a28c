//! Flags about worlds, their clocks and journals.

use std::time::Duration;

use clap::Args;

use crate::scenario::parse_duration;
use crate::world::{DEFAULT_BACKLOG, DEFAULT_ENTRIES, FEWEST_BACKLOG, Pace, SPEEDS};
use crate::worlds::WorldOptions;

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
    /// Frames that a socket may be behind before it gets current totals instead
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
