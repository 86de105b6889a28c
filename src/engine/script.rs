//! Scripts. A run is a cursor over the steps rather than a list of timers, however long the script is and however often
//! it repeats.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Engine;
use super::command::{Command, FaultText};
use super::pairing::Declaration;
use super::random::RandomStream;
use crate::scenario::{Action, Repeat, Script};

/// A running script.
#[derive(Debug, Clone)]
pub(super) struct ScriptRun {
    pub(super) declared: Script,
    /// The world's time at which the current round's time is 0.
    pub(super) origin: Duration,
    /// The number of rounds before the current one.
    pub(super) round: u64,
    /// The index of the next step that has not started.
    pub(super) cursor: usize,
    /// Started steps that repeat and are not done: the next time, the step's index, and the number of repetitions left.
    bursts: BinaryHeap<Reverse<(Duration, usize, u64)>>,
    /// The random stream for its amounts, if any amount is random.
    rng: Option<Box<RandomStream>>,
}

/// The saved position of a script.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ScriptRunState {
    origin: Duration,
    round: u64,
    cursor: usize,
    /// As in [`ScriptRun`], earliest first.
    bursts: Vec<(Duration, usize, u64)>,
    /// Its position in its random stream, in 32-bit words, if it has one.
    words: Option<u64>,
}

impl ScriptRunState {
    pub(super) fn of(run: &ScriptRun) -> Self {
        let mut bursts: Vec<_> = run.bursts.iter().map(|Reverse(burst)| *burst).collect();
        bursts.sort_unstable();
        let words = run.rng.as_ref().map(|rng| rng.place().1);
        Self { origin: run.origin, round: run.round, cursor: run.cursor, bursts, words }
    }

    /// Returns the same position, shifted by `by`.
    pub(super) fn shifted(mut self, by: Duration) -> Self {
        let later = |time: &mut Duration| *time = time.saturating_add(by);
        later(&mut self.origin);
        self.bursts.iter_mut().for_each(|(due, ..)| later(due));
        self
    }

    /// Resumes the script at this position; `None` if the script has no such position.
    pub(super) fn resume(self, declared: Script, seed: u64) -> Option<ScriptRun> {
        let (steps, stream) = (declared.steps().len(), declared.stream());
        let is_valid = self.cursor <= steps
            && self.bursts.iter().all(|(_, step, _)| *step < steps)
            && self.words.is_some() == stream.is_some();
        let Self { origin, round, cursor, bursts, words } = self;
        let bursts = bursts.into_iter().map(Reverse).collect();
        let rng = stream.zip(words).map(|(stream, words)| Box::new(RandomStream::at(seed, stream, words)));
        is_valid.then(|| ScriptRun { declared, origin, round, cursor, bursts, rng })
    }
}

impl ScriptRun {
    pub(super) fn new(declared: Script, origin: Duration, seed: u64) -> Self {
        let origin = origin.saturating_add(declared.start());
        let rng = declared.stream().map(|stream| Box::new(RandomStream::new(seed, stream)));
        Self { declared, origin, round: 0, cursor: 0, bursts: BinaryHeap::new(), rng }
    }

    /// Continues with another seed at the same position of the timeline.
    pub(super) fn reseed(&mut self, seed: u64) {
        if let Some(rng) = &mut self.rng {
            rng.reseed(seed);
        }
    }

    /// Whether the run differs from one that starts now.
    pub(super) fn has_started(&self, now: Duration) -> bool {
        (self.origin, self.round, self.cursor) != (now.saturating_add(self.declared.start()), 0, 0)
    }

    pub(super) fn due(&self) -> Option<Duration> {
        // Steps beyond the maximum `Duration` never happen.
        let step = self.declared.steps().get(self.cursor).and_then(|step| self.origin.checked_add(step.at));
        let burst = self.bursts.peek().map(|Reverse((due, ..))| *due);
        step.into_iter().chain(burst).min()
    }

    /// Returns the command of the step that is due.
    pub(super) fn fire(&mut self) -> Option<Command> {
        let due = self.due()?;
        // A step that has already started precedes one that starts at the same time, because it is declared earlier.
        let index = match self.bursts.peek() {
            Some(Reverse((at, index, left))) if *at == due => {
                let (index, left) = (*index, *left);
                self.bursts.pop();
                self.repeat(due, index, left);
                index
            }
            _ => {
                let index = self.cursor;
                self.cursor += 1;
                self.repeat(due, index, self.declared.steps()[index].times);
                index
            }
        };
        let command = command_of(&self.declared.steps()[index].action, self.rng.as_deref_mut());
        self.end_round();
        Some(command)
    }

    /// Schedules the next repetition of a step. `left` includes the one that is due now.
    fn repeat(&mut self, due: Duration, index: usize, left: u64) {
        if left > 1 {
            let every = self.declared.steps()[index].every;
            self.bursts.extend(due.checked_add(every).map(|due| Reverse((due, index, left - 1))));
        }
    }

    /// Starts the next round once this one is complete.
    fn end_round(&mut self) {
        let done = self.cursor == self.declared.steps().len() && self.bursts.is_empty();
        let again = match self.declared.repeat() {
            Repeat::Forever => true,
            Repeat::Times(times) => self.round + 1 < times,
        };
        if done
            && again
            && let Some(origin) = self.origin.checked_add(self.declared.length())
        {
            self.origin = origin;
            self.round += 1;
            self.cursor = 0;
        }
    }
}

/// Returns the command of a step, drawing its amount if it is random.
fn command_of(action: &Action, rng: Option<&mut RandomStream>) -> Command {
    match action {
        Action::Count { row, amount } => {
            let rng = rng.filter(|_| amount.start() != amount.end());
            let amount = rng.map_or(*amount.start(), |rng| rng.amount(amount));
            Command::Count { id: row.clone(), amount }
        }
        Action::Set { row, value } => Command::SetCounter { id: row.clone(), value: *value },
        Action::Add(new) => {
            Command::AddRow { collection: new.collection.clone(), row: new.row.clone(), announce: true }
        }
        Action::Remove { row } => Command::RemoveRow { collection: None, id: row.clone() },
        Action::Fault(fault) => Command::AddFault { fault: FaultText::Parsed(fault.clone()) },
    }
}

/// The current state of a script.
#[derive(Debug, Clone, PartialEq)]
pub struct ScriptState {
    /// Its label in messages.
    pub label: String,
    /// Its declaration.
    pub script: Script,
    /// The world's time at which the current round's time is 0.
    pub origin: Duration,
    /// The number of rounds before the current one.
    pub round: u64,
    /// The index of the next step that has not started; the number of steps if all have.
    pub next: usize,
    /// When its next step is due; `None` if it has ended.
    pub due: Option<Duration>,
}

impl Engine {
    /// The scripts, in declared order.
    pub fn script_states(&self) -> impl Iterator<Item = ScriptState> {
        self.timelines.scripts().enumerate().map(|(index, run)| ScriptState {
            label: run.declared.label(index),
            script: run.declared.clone(),
            origin: run.origin,
            round: run.round,
            next: run.cursor,
            due: run.due(),
        })
    }
}
