//! `mockd play`: what happens in a scenario, without a server and without waiting.

use std::io::{BufWriter, ErrorKind, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use rand::TryRng;
use rand::rngs::SysRng;

use super::{CliError, complain};
use crate::engine::Engine;
use crate::scenario::{UnitError, format_duration, load, parse_duration};

/// Actions between two writes: a busy scenario makes millions of events, which need not be in memory at once.
const AT_ONCE: usize = 4096;

#[derive(Debug, Args)]
pub(super) struct PlayArgs {
    /// The scenario file
    file: PathBuf,
    /// How much of the scenario's time to play, such as 90s or 1h
    #[arg(long, value_parser = duration, default_value = "1m", value_name = "DURATION")]
    until: Duration,
    /// Seed of all that is random [default: the scenario's, or one by chance, which is said on standard error]
    #[arg(long)]
    seed: Option<u64>,
}

fn duration(text: &str) -> Result<Duration, UnitError> {
    parse_duration(text)
}

impl PlayArgs {
    /// Prints every event as a line of JSON. The same scenario and seed give the same bytes on every platform.
    pub(super) fn execute(self) -> Result<(), CliError> {
        let scenario = Arc::new(load(&self.file).outcome?);
        let chosen = self.seed.or(scenario.seed());
        let seed = chosen.unwrap_or_else(any_seed);
        let engine = Engine::new(&scenario, seed);
        match engine.next_due() {
            due if due.is_none_or(|due| due > self.until) => complain(&self.nothing_due(due)),
            _ if chosen.is_none() => complain(&format!("seed {seed}; --seed {seed} plays the same again")),
            _ => {}
        }
        match self.play(engine) {
            // Whoever read it has seen enough.
            Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(CliError::Output(error)),
            _ => Ok(()),
        }
    }

    /// Why nothing is printed, and what to do; `due` is when something happens first.
    fn nothing_due(&self, due: Option<Duration>) -> String {
        let file = self.file.display();
        match due {
            None => format!("nothing is scheduled in {file}: it only answers clients; `mockd run {file}` serves it"),
            Some(due) => {
                let [until, due] = [self.until, due].map(format_duration);
                format!("nothing is scheduled in {file} until {until}: the first is due at {due}; play on with --until")
            }
        }
    }

    fn play(&self, mut engine: Engine) -> std::io::Result<()> {
        let mut output = BufWriter::new(std::io::stdout().lock());
        while engine.next_due().is_some_and(|due| due <= self.until) {
            for event in engine.advance_some(self.until, AT_ONCE) {
                serde_json::to_writer(&mut output, &event)?;
                output.write_all(b"\n")?;
            }
        }
        output.flush()
    }
}

/// A seed by chance, short enough to be typed again. Without the system's randomness, a fixed one.
pub(super) fn any_seed() -> u64 {
    SysRng.try_next_u32().map_or(0, u64::from)
}
