//! `mockd play`: prints the events of a scenario, without a server and without waiting.

use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use rand::TryRng;
use rand::rngs::SysRng;

use super::scenario_arg::ScenarioArg;
use super::{CliError, duration, write_stderr};
use crate::engine::Engine;
use crate::scenario::format_duration;
use crate::selector::default_file;

/// The number of actions per batch. A busy scenario produces millions of events, too many to hold in memory at once.
const BATCH_SIZE: usize = 4096;

#[derive(Debug, Args)]
pub(super) struct PlayArgs {
    /// Scenario file, a folder with one, or - for standard input [default: mockd.yaml, or the only *.mockd.yaml here]
    file: Option<PathBuf>,
    /// Scenario time to play, such as 90s or 1h
    #[arg(long, value_parser = duration, default_value = "1m", value_name = "DURATION")]
    until: Duration,
    /// Seed for every random choice [default: the scenario's, else a random one, printed to standard error]
    #[arg(long)]
    seed: Option<u64>,
}

impl PlayArgs {
    /// Prints each event as a line of JSON. The same scenario and seed produce the same bytes on every platform.
    pub(super) fn execute(self) -> Result<(), CliError> {
        let file = self.file.clone().map_or_else(default_file, Ok)?;
        let ScenarioArg { path, loading } = ScenarioArg::one(&file)?;
        let scenario = Arc::new(loading.outcome?);
        let chosen = self.seed.or(scenario.seed());
        let seed = chosen.unwrap_or_else(any_seed);
        let engine = Engine::new(&scenario, seed);
        match engine.next_due() {
            due if due.is_none_or(|due| due > self.until) => write_stderr(&self.nothing_due(&path, due)),
            _ if chosen.is_none() => write_stderr(&format!("seed {seed}; --seed {seed} plays the same again")),
            _ => {}
        }
        match self.play(engine) {
            // A reader such as `head` may close the pipe early.
            Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(CliError::Output(error)),
            _ => Ok(()),
        }
    }

    /// Returns a message that explains why nothing is printed and what to do. `due` is the time of the first action.
    fn nothing_due(&self, file: &Path, due: Option<Duration>) -> String {
        let file = file.display();
        match due {
            None => format!("nothing is scheduled in {file}: it only answers clients; `mockd run {file}` serves it"),
            Some(due) => {
                let [until, due] = [self.until, due].map(format_duration);
                format!(
                    "nothing is scheduled in {file} until {until}: the first action is due at {due}; use a longer --until"
                )
            }
        }
    }

    fn play(&self, mut engine: Engine) -> std::io::Result<()> {
        let mut output = BufWriter::new(std::io::stdout().lock());
        while engine.next_due().is_some_and(|due| due <= self.until) {
            for event in engine.advance_some(self.until, BATCH_SIZE) {
                serde_json::to_writer(&mut output, &event)?;
                output.write_all(b"\n")?;
            }
        }
        output.flush()
    }
}

/// Returns a random seed that is short enough to type, or 0 if the system cannot provide randomness.
pub(super) fn any_seed() -> u64 {
    SysRng.try_next_u32().map_or(0, u64::from)
}
