//! Random generators: when the next order comes, for which product, and how much.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ledger::Ledger;
use super::stream::Stream;
use crate::scenario::{Arrivals, Draw, Generator, times};

/// Where even times end, after 584 years: beyond it, [`times`] gives the same moment again and again.
const LATEST: Duration = Duration::from_nanos(u64::MAX);

/// One generator at work.
#[derive(Debug, Clone)]
pub(super) struct GeneratorRun {
    pub(super) declared: Arc<Generator>,
    /// The world's time at which its own time is 0.
    pub(super) origin: Duration,
    rng: Stream,
    /// Orders so far, to compute even times without adding up rounding errors.
    count: u64,
    due: Option<Duration>,
    pool: Pool,
}

/// Where a generator is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GeneratorRunState {
    origin: Duration,
    count: u64,
    due: Option<Duration>,
    /// Which of the seed's streams it draws from.
    stream: u64,
    /// How far it is in there.
    words: u64,
}

impl GeneratorRunState {
    pub(super) fn of(run: &GeneratorRun) -> Self {
        let (stream, words) = run.rng.place();
        Self { origin: run.origin, count: run.count, due: run.due, stream, words }
    }

    /// The run of the same generator at that place.
    pub(super) fn resume(self, run: &GeneratorRun, seed: u64) -> GeneratorRun {
        let Self { origin, count, due, stream, words } = self;
        let rng = Stream::at(seed, stream, words);
        GeneratorRun { declared: run.declared.clone(), origin, rng, count, due, pool: Pool::default() }
    }
}

/// The accounts to draw from, by index in the ledger, as of one of its generations.
#[derive(Debug, Clone, Default)]
struct Pool {
    generation: Option<u64>,
    chosen: Arc<Chosen>,
}

#[derive(Debug, Default)]
struct Chosen {
    indices: Indices,
    /// Upper bounds of each index' share; empty if all shares are the same.
    bounds: Vec<u64>,
}

#[derive(Debug)]
enum Indices {
    /// All below that number.
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
    pub(super) fn new(declared: Arc<Generator>, origin: Duration, seed: u64, stream: u64) -> Self {
        let rng = Stream::new(seed, stream);
        let mut run = Self { declared, origin, rng, count: 0, due: None, pool: Pool::default() };
        run.schedule(origin.saturating_add(run.declared.from()));
        run
    }

    /// Goes on with another seed, at the same place of its timeline.
    pub(super) fn reseed(&mut self, seed: u64) {
        self.rng.reseed(seed);
    }

    pub(super) fn due(&self) -> Option<Duration> {
        self.due
    }

    /// The order that is due: an index in the ledger and an amount. `None` if there is nothing to draw from.
    pub(super) fn fire(&mut self, ledger: &Ledger) -> Option<(usize, i64)> {
        let at = self.due?;
        self.pool.refresh(self.declared.products(), ledger);
        let index = self.pool.pick(&mut self.rng, ledger);
        let amount = self.declared.amount();
        let span = amount.end().abs_diff(*amount.start()) + 1;
        let amount = amount.start().saturating_add_unsigned(self.rng.below(span));
        self.count += 1;
        self.schedule(at);
        Some((index?, amount))
    }

    /// Sets the next due time; `last` is that of the order before.
    fn schedule(&mut self, last: Duration) {
        let next = match self.declared.arrivals() {
            Arrivals::Poisson(mean) => last.saturating_add(self.rng.exponential(mean)),
            Arrivals::Every(every) => {
                let since = times(every, self.count + 1);
                if since >= LATEST {
                    self.due = None;
                    return;
                }
                let even = self.origin.saturating_add(self.declared.from()).saturating_add(since);
                self.jittered(even).max(last)
            }
        };
        let until = self.declared.until().map(|until| self.origin.saturating_add(until));
        self.due = Some(next).filter(|next| until.is_none_or(|until| *next <= until));
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
    fn refresh(&mut self, draw: &Draw, ledger: &Ledger) {
        if self.generation == Some(ledger.generation()) {
            return;
        }
        self.generation = Some(ledger.generation());
        let mut bounds = Vec::new();
        let indices = match draw {
            Draw::All => Indices::Below(ledger.len()),
            Draw::Ids(ids) => Indices::These(ids.iter().filter_map(|id| ledger.index_of(id)).collect()),
            Draw::Category(name) => {
                let accounts = ledger.iter().enumerate().filter(|(_, (_, account))| account.holder.category == *name);
                Indices::These(accounts.map(|(index, _)| index).collect())
            }
            Draw::Weights(weights) => {
                let present: Vec<_> =
                    weights.iter().filter_map(|(id, weight)| Some((ledger.index_of(id)?, *weight))).collect();
                bounds.extend(present.iter().scan(0, |sum, (_, weight)| {
                    *sum += u64::from(*weight);
                    Some(*sum)
                }));
                Indices::These(present.into_iter().map(|(index, _)| index).collect())
            }
        };
        self.chosen = Arc::new(Chosen { indices, bounds });
    }

    fn pick(&self, rng: &mut Stream, ledger: &Ledger) -> Option<usize> {
        let Chosen { indices, bounds } = &*self.chosen;
        let shares = bounds.last().copied().unwrap_or(indices.len() as u64);
        let drawn = rng.below(shares.max(1));
        let at = if bounds.is_empty() {
            usize::try_from(drawn).ok()?
        } else {
            bounds.partition_point(|bound| *bound <= drawn)
        };
        indices.get(at).filter(|index| *index < ledger.len())
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX / 4)
}
