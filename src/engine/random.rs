//! Random generators: when the next order comes, for which product, and how much.
//!
//! Only `ChaCha8`'s stream of 64-bit words is taken from the `rand` package. How words become integers, choices
//! and gaps is written here, so that a seed gives the same orders on every platform and with every version.

use std::time::Duration;

use rand::rand_core::{Rng, SeedableRng};
use rand::rngs::ChaCha8Rng;

use super::ledger::Ledger;
use crate::scenario::{Arrivals, Draw, Generator, times};

/// One generator at work.
#[derive(Debug)]
pub(super) struct GeneratorRun {
    pub(super) declared: Generator,
    /// The world's time at which its own time is 0.
    origin: Duration,
    stream: u64,
    rng: ChaCha8Rng,
    /// Orders so far, to compute even times without adding up rounding errors.
    count: u64,
    due: Option<Duration>,
    pool: Pool,
}

/// The accounts to draw from, by index in the ledger, as of one of its generations.
#[derive(Debug, Clone, Default)]
struct Pool {
    generation: Option<u64>,
    indices: Vec<usize>,
    /// Upper bounds of each index' share; empty if all shares are the same.
    bounds: Vec<u64>,
}

impl GeneratorRun {
    pub(super) fn new(declared: Generator, origin: Duration, seed: u64, stream: u64) -> Self {
        let rng = rng(seed, stream);
        let mut run = Self { declared, origin, stream, rng, count: 0, due: None, pool: Pool::default() };
        run.schedule(origin + run.declared.from());
        run
    }

    /// Goes on with another seed, at the same place of its timeline.
    pub(super) fn reseed(&mut self, seed: u64) {
        self.rng = rng(seed, self.stream);
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
        let amount = amount.start().saturating_add_unsigned(below(&mut self.rng, span));
        self.count += 1;
        self.schedule(at);
        Some((index?, amount))
    }

    /// Sets the next due time; `last` is that of the order before.
    fn schedule(&mut self, last: Duration) {
        let next = match self.declared.arrivals() {
            Arrivals::Poisson(mean) => last.saturating_add(exponential(&mut self.rng, mean)),
            Arrivals::Every(every) => {
                let even = self.origin + self.declared.from() + times(every, self.count + 1);
                self.jittered(even).max(last)
            }
        };
        let until = self.declared.until().map(|until| self.origin + until);
        self.due = Some(next).filter(|next| until.is_none_or(|until| *next <= until));
    }

    fn jittered(&mut self, even: Duration) -> Duration {
        let jitter = nanos(self.declared.jitter());
        if jitter == 0 {
            return even;
        }
        let offset = below(&mut self.rng, 2 * jitter + 1);
        (even + Duration::from_nanos(offset)).saturating_sub(Duration::from_nanos(jitter))
    }
}

impl Pool {
    fn refresh(&mut self, draw: &Draw, ledger: &Ledger) {
        if self.generation == Some(ledger.generation()) {
            return;
        }
        self.generation = Some(ledger.generation());
        self.bounds.clear();
        self.indices = match draw {
            Draw::All => (0..ledger.len()).collect(),
            Draw::Ids(ids) => ids.iter().filter_map(|id| ledger.index_of(id)).collect(),
            Draw::Category(name) => {
                let accounts = ledger.iter().enumerate();
                accounts.filter(|(_, (_, account))| account.category == *name).map(|(index, _)| index).collect()
            }
            Draw::Weights(weights) => {
                let present: Vec<_> =
                    weights.iter().filter_map(|(id, weight)| Some((ledger.index_of(id)?, *weight))).collect();
                self.bounds.extend(present.iter().scan(0, |sum, (_, weight)| {
                    *sum += u64::from(*weight);
                    Some(*sum)
                }));
                present.into_iter().map(|(index, _)| index).collect()
            }
        };
    }

    fn pick(&self, rng: &mut ChaCha8Rng, ledger: &Ledger) -> Option<usize> {
        let shares = self.bounds.last().copied().unwrap_or(self.indices.len() as u64);
        let drawn = below(rng, shares.max(1));
        let at = if self.bounds.is_empty() {
            usize::try_from(drawn).ok()?
        } else {
            self.bounds.partition_point(|bound| *bound <= drawn)
        };
        self.indices.get(at).copied().filter(|index| *index < ledger.len())
    }
}

fn rng(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream);
    rng
}

/// An integer from 0 to `n - 1`, each with the same chance (Lemire, "Fast Random Integer Generation in an
/// Interval", 2019). `n` is above 0.
fn below(rng: &mut ChaCha8Rng, n: u64) -> u64 {
    let threshold = n.wrapping_neg() % n;
    loop {
        let wide = u128::from(rng.next_u64()) * u128::from(n);
        #[expect(clippy::cast_possible_truncation, reason = "the low half is what is meant")]
        if wide as u64 >= threshold {
            return (wide >> 64) as u64;
        }
    }
}

/// A gap of a Poisson process: -ln(u) times the mean, with u uniform in (0, 1] from the 53 high bits.
fn exponential(rng: &mut ChaCha8Rng, mean: Duration) -> Duration {
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit a double exactly")]
    let uniform = ((rng.next_u64() >> 11) + 1) as f64 / (1_u64 << 53) as f64;
    let seconds = -libm::log(uniform) * mean.as_secs_f64();
    // At least a nanosecond, so that time always goes on.
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX).max(Duration::from_nanos(1))
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX / 4)
}

#[cfg(test)]
mod tests {
    use rand::rand_core::Rng;

    use super::{below, rng};

    #[test]
    fn seed_42_begins_with_the_same_words_for_ever() {
        let mut rng = rng(42, 0);
        assert_eq!([rng.next_u64(), rng.next_u64()], [0xae90_bfb5_395d_5ba1, 0xf345_3fc6_2579_9188]);
    }

    #[test]
    fn integers_below_a_bound_reach_every_value_and_no_other() {
        let mut rng = rng(7, 3);
        let drawn: Vec<u64> = (0..5_000).map(|_| below(&mut rng, 5)).collect();
        let counts: Vec<usize> = (0..6).map(|value| drawn.iter().filter(|one| **one == value).count()).collect();
        assert!(counts[..5].iter().all(|count| (850..1150).contains(count)), "{counts:?}");
        assert_eq!(counts[5], 0);
    }
}
