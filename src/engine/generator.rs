//! Random generators. Each has its own random stream and draws when the next change of a counter happens, which row it
//! affects, and by how much.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use serde::{Deserialize, Serialize};

use super::Engine;
use super::collections::Collections;
use super::command::Command;
use super::counters::Counters;
use super::pairing::Declaration;
use super::random::RandomStream;
use super::timeline::Fired;
use crate::scenario::{Arrivals, Draw, Fires, Generator, Pick, times};

/// A running generator.
#[derive(Debug, Clone)]
pub(super) struct GeneratorRun {
    pub(super) declared: Arc<Generator>,
    /// The world's time at which the generator's time is 0.
    pub(super) origin: Duration,
    rng: RandomStream,
    /// The number of draws so far, used to compute evenly spaced times without accumulating rounding errors.
    count: u64,
    due: Option<Duration>,
    pool: Pool,
}

/// The saved position of a generator.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GeneratorRunState {
    origin: Duration,
    count: u64,
    due: Option<Duration>,
    /// The number of its random stream.
    stream: u64,
    /// Its position in the stream, in 32-bit words.
    words: u64,
}

impl GeneratorRunState {
    pub(super) fn of(run: &GeneratorRun) -> Self {
        let (stream, words) = run.rng.place();
        Self { origin: run.origin, count: run.count, due: run.due, stream, words }
    }

    /// Returns the same position, shifted by `by`.
    pub(super) fn shifted(mut self, by: Duration) -> Self {
        self.origin = self.origin.saturating_add(by);
        self.due = self.due.map(|due| due.saturating_add(by));
        self
    }

    /// Moves to the start of the random stream, as [`GeneratorRun::reseed`] does.
    pub(super) fn reseed(&mut self) {
        self.words = 0;
    }

    /// Resumes the generator at this position.
    pub(super) fn resume(self, declared: Arc<Generator>, seed: u64) -> GeneratorRun {
        let Self { origin, count, due, stream, words } = self;
        let rng = RandomStream::at(seed, stream, words);
        GeneratorRun { declared, origin, rng, count, due, pool: Pool::default() }
    }
}

/// The counters to draw from, by index, and the generation of [`Counters`] that they were computed for.
#[derive(Debug, Clone, Default)]
struct Pool {
    generation: Option<u64>,
    chosen: Arc<Chosen>,
}

#[derive(Debug, Default)]
struct Chosen {
    indices: Indices,
    /// The cumulative weights of the indices; empty if all have equal weight.
    bounds: Vec<u64>,
}

#[derive(Debug)]
enum Indices {
    /// All indices below this number.
    Below(usize),
    These(Vec<usize>),
}

impl Default for Indices {
    fn default() -> Self {
        Self::Below(0)
    }
}

impl Indices {
    fn len(&self) -> usize {
        match self {
            Self::Below(count) => *count,
            Self::These(indices) => indices.len(),
        }
    }

    fn get(&self, at: usize) -> Option<usize> {
        match self {
            Self::Below(count) => Some(at).filter(|at| at < count),
            Self::These(indices) => indices.get(at).copied(),
        }
    }
}

impl GeneratorRun {
    pub(super) fn new(declared: Arc<Generator>, origin: Duration, rng: RandomStream) -> Self {
        let mut run = Self { declared, origin, rng, count: 0, due: None, pool: Pool::default() };
        run.schedule(origin.saturating_add(run.declared.from()));
        run
    }

    /// Continues with another seed at the same position of the timeline.
    pub(super) fn reseed(&mut self, seed: u64) {
        self.rng.reseed(seed);
    }

    pub(super) fn due(&self) -> Option<Duration> {
        self.due
    }

    /// Fires what is due; `None` if there is nothing to draw from.
    pub(super) fn fire(&mut self, counters: &Counters, collections: &Collections) -> Option<Fired> {
        let at = self.due?;
        let (amount, rows) = match self.declared.fires() {
            Fires::Count { amount, rows } => (amount, rows),
            Fires::Rule(rule) => {
                let rule = rule.clone();
                let it = rule.pick.as_ref().map(|pick| self.rng.row(pick, collections));
                self.count += 1;
                self.schedule(at);
                return match it {
                    Some(None) => None,
                    it => Some(Fired::Rule { rule, it: it.flatten() }),
                };
            }
        };
        self.pool.refresh(rows, counters);
        let index = self.pool.pick(&mut self.rng, counters);
        let amount = self.rng.amount(amount);
        self.count += 1;
        self.schedule(at);
        Some(Fired::Command(Command::Count { id: counters.id_at(index?)?.clone(), amount }))
    }

    /// Sets the next due time, after `last`; none if it would exceed the maximum `Duration`.
    fn schedule(&mut self, last: Duration) {
        let next = match self.declared.arrivals() {
            Arrivals::Poisson(mean) => last.checked_add(self.rng.exponential(mean)),
            Arrivals::Every(every) => {
                let start = self.origin.checked_add(self.declared.from());
                let even = start.and_then(|start| start.checked_add(times(every, self.count + 1)));
                even.map(|even| self.jittered(even).max(last))
            }
        };
        let until = self.declared.until().map(|until| self.origin.saturating_add(until));
        self.due = next.filter(|next| until.is_none_or(|until| *next <= until));
    }

    fn jittered(&mut self, even: Duration) -> Duration {
        let jitter = nanos(self.declared.jitter());
        if jitter == 0 {
            return even;
        }
        let offset = self.rng.below(2 * jitter + 1);
        even.saturating_add(Duration::from_nanos(offset)).saturating_sub(Duration::from_nanos(jitter))
    }
}

impl Pool {
    fn refresh(&mut self, draw: &Draw, counters: &Counters) {
        if self.generation == Some(counters.generation()) {
            return;
        }
        self.generation = Some(counters.generation());
        let mut bounds = Vec::new();
        let indices = match draw {
            Draw::All => Indices::Below(counters.len()),
            Draw::Ids(ids) => Indices::These(ids.iter().filter_map(|id| counters.index_of(id)).collect()),
            Draw::Collection(name) => {
                let by_row =
                    counters.iter().enumerate().filter(|(_, (_, counter))| counter.counter.collection == *name);
                Indices::These(by_row.map(|(index, _)| index).collect())
            }
            Draw::Weights(weights) => {
                let present: Vec<_> =
                    weights.iter().filter_map(|(id, weight)| Some((counters.index_of(id)?, *weight))).collect();
                bounds.extend(present.iter().scan(0, |sum, (_, weight)| {
                    *sum += u64::from(*weight);
                    Some(*sum)
                }));
                Indices::These(present.into_iter().map(|(index, _)| index).collect())
            }
        };
        self.chosen = Arc::new(Chosen { indices, bounds });
    }

    fn pick(&self, rng: &mut RandomStream, counters: &Counters) -> Option<usize> {
        let Chosen { indices, bounds } = &*self.chosen;
        let shares = bounds.last().copied().unwrap_or(indices.len() as u64);
        let drawn = rng.below(shares.max(1));
        let at = if bounds.is_empty() {
            usize::try_from(drawn).ok()?
        } else {
            bounds.partition_point(|bound| *bound <= drawn)
        };
        indices.get(at).filter(|index| *index < counters.len())
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX / 4)
}

impl RandomStream {
    /// Draws one of the rows that may be picked, as JSON; `None` if none of them exists.
    fn row(&mut self, pick: &Pick, collections: &Collections) -> Option<Value> {
        let rows = collections.get(&pick.collection)?;
        let Some(weights) = &pick.weights else {
            let count = rows.rows().len();
            let at = self.below((count as u64).max(1));
            return rows.rows().get(usize::try_from(at).ok()?).map(|row| row.to_json());
        };
        let present: Vec<_> =
            weights.iter().filter_map(|(id, weight)| Some((rows.row(id)?, u64::from(*weight)))).collect();
        let mut drawn = self.below(present.iter().map(|(_, weight)| weight).sum::<u64>().max(1));
        let chosen = present.iter().find(|(_, weight)| {
            let is_drawn = drawn < *weight;
            drawn = drawn.saturating_sub(*weight);
            is_drawn
        });
        chosen.map(|(row, _)| row.to_json())
    }
}

/// The current state of a generator.
#[derive(Debug, Clone, PartialEq)]
pub struct GeneratorState {
    /// Its label in messages.
    pub label: String,
    /// Its declaration.
    pub generator: Arc<Generator>,
    /// The world's time at which the generator's time is 0.
    pub origin: Duration,
    /// When it draws next; `None` if it has ended.
    pub due: Option<Duration>,
}

impl Engine {
    /// The generators, in declared order.
    pub fn generator_states(&self) -> impl Iterator<Item = GeneratorState> {
        self.timelines.generators().enumerate().map(|(index, run)| GeneratorState {
            label: run.declared.label(index),
            generator: run.declared.clone(),
            origin: run.origin,
            due: run.due(),
        })
    }
}
