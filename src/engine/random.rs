//! Random generators: when the next order comes, for which row, and how much.
//!
//! Each draws from a random stream of its own. Only `ChaCha8`'s 64-bit words come from the `rand` crate; how words become
//! integers and gaps is written here, so that a seed gives the same orders on every platform and with every version.

use std::sync::Arc;
use std::time::Duration;

use rand::rand_core::{Rng, SeedableRng};
use rand::rngs::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::counters::Counters;
use crate::scenario::{Amount, Arrivals, Draw, Generator, Latency, Share, times};

/// One generator at work.
#[derive(Debug, Clone)]
pub(super) struct GeneratorRun {
    pub(super) declared: Arc<Generator>,
    /// The world's time at which its own time is 0.
    pub(super) origin: Duration,
    rng: RandomStream,
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

    /// The same place that much later.
    pub(super) fn shifted(mut self, by: Duration) -> Self {
        self.origin = self.origin.saturating_add(by);
        self.due = self.due.map(|due| due.saturating_add(by));
        self
    }

    /// As [`GeneratorRun::reseed`].
    pub(super) fn reseed(&mut self) {
        self.words = 0;
    }

    /// The run of the same generator at that place.
    pub(super) fn resume(self, declared: Arc<Generator>, seed: u64) -> GeneratorRun {
        let Self { origin, count, due, stream, words } = self;
        let rng = RandomStream::at(seed, stream, words);
        GeneratorRun { declared, origin, rng, count, due, pool: Pool::default() }
    }
}

/// The counters to draw from, by index in the counters, as of one of its generations.
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
        let rng = RandomStream::new(seed, stream);
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

    /// The order that is due: an index in the counters and an amount. `None` if there is nothing to draw from.
    pub(super) fn fire(&mut self, counters: &Counters) -> Option<(usize, i64)> {
        let at = self.due?;
        self.pool.refresh(self.declared.rows(), counters);
        let index = self.pool.pick(&mut self.rng, counters);
        let amount = self.rng.amount(self.declared.amount());
        self.count += 1;
        self.schedule(at);
        Some((index?, amount))
    }

    /// Sets the next due time; `last` is that of the order before. Beyond what a `Duration` holds, there is none.
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

/// A stream of random numbers.
#[derive(Debug)]
pub(crate) struct RandomStream(ChaCha8Rng);

impl RandomStream {
    /// The stream of that number, of those that the seed gives.
    pub(crate) fn new(seed: u64, number: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(number);
        Self(rng)
    }

    /// That stream, so many 32-bit words from its beginning.
    pub(super) fn at(seed: u64, number: u64, words: u64) -> Self {
        let Self(mut rng) = Self::new(seed, number);
        rng.set_word_pos(words.into());
        Self(rng)
    }

    /// Its number, and how many 32-bit words of it are used up.
    pub(super) fn place(&self) -> (u64, u64) {
        // 2^64 words are more than any process draws.
        (self.0.get_stream(), u64::try_from(self.0.get_word_pos()).unwrap_or(u64::MAX))
    }

    /// Starts over as the stream of the same number that another seed gives.
    pub(super) fn reseed(&mut self, seed: u64) {
        *self = Self::new(seed, self.0.get_stream());
    }

    /// An integer from 0 to `n - 1`, each with the same chance (Lemire, "Fast Random Integer Generation in an
    /// Interval", 2019). `n` is above 0.
    pub(super) fn below(&mut self, n: u64) -> u64 {
        let threshold = n.wrapping_neg() % n;
        loop {
            let wide = u128::from(self.0.next_u64()) * u128::from(n);
            #[expect(clippy::cast_possible_truncation, reason = "the low half is what is meant")]
            if wide as u64 >= threshold {
                return (wide >> 64) as u64;
            }
        }
    }

    /// One of these, each with the same chance.
    pub(super) fn amount(&mut self, amount: &Amount) -> i64 {
        let span = amount.end().abs_diff(*amount.start()) + 1;
        amount.start().saturating_add_unsigned(self.below(span))
    }

    /// Whether one of all is among a share of them.
    pub(crate) fn takes(&mut self, share: Share) -> bool {
        share == Share::ALL || self.below(Share::WHOLE.into()) < share.millionths().into()
    }

    /// A number from (0, 1], from the 53 high bits.
    fn uniform(&mut self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit a double exactly")]
        let uniform = ((self.0.next_u64() >> 11) + 1) as f64 / (1_u64 << 53) as f64;
        uniform
    }

    /// A number of the standard normal distribution (Box and Muller, "A Note on the Generation of Random Normal Deviates",
    /// 1958).
    pub(super) fn normal(&mut self) -> f64 {
        let (radius, angle) = (self.uniform(), self.uniform());
        libm::sqrt(-2.0 * libm::log(radius)) * libm::cos(2.0 * std::f64::consts::PI * angle)
    }

    /// A gap of a Poisson process: -ln(u) times the mean, with u uniform in (0, 1].
    pub(super) fn exponential(&mut self, mean: Duration) -> Duration {
        let seconds = -libm::log(self.uniform()) * mean.as_secs_f64();
        // At least a nanosecond, so that time always goes on.
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX).max(Duration::from_nanos(1))
    }
}

impl RandomStream {
    /// A time of a distribution.
    pub(crate) fn latency(&mut self, latency: Latency) -> Duration {
        match latency {
            Latency::Fixed(time) => time,
            Latency::Uniform { min, max } => {
                let span = u64::try_from(max.saturating_sub(min).as_nanos()).unwrap_or(u64::MAX - 1);
                min.saturating_add(Duration::from_nanos(self.below(span + 1)))
            }
            Latency::Normal { mean, deviation } => {
                let seconds = mean.as_secs_f64() + self.normal() * deviation.as_secs_f64();
                Duration::try_from_secs_f64(seconds).unwrap_or_default()
            }
            Latency::LogNormal { median, sigma } => {
                let factor = libm::exp(self.normal() * f64::from(sigma) / 1000.0);
                Duration::try_from_secs_f64(median.as_secs_f64() * factor).unwrap_or(Duration::MAX)
            }
        }
    }
}

/// A clone gives the same numbers from here on.
impl Clone for RandomStream {
    fn clone(&self) -> Self {
        Self(ChaCha8Rng::deserialize_state(&self.0.serialize_state()))
    }
}

#[cfg(test)]
mod tests {
    use rand::rand_core::Rng;

    use super::RandomStream;

    #[test]
    fn seed_42_begins_with_the_same_words_for_ever() {
        let RandomStream(mut rng) = RandomStream::new(42, 0);
        assert_eq!([rng.next_u64(), rng.next_u64()], [0xae90_bfb5_395d_5ba1, 0xf345_3fc6_2579_9188]);
    }

    #[test]
    fn integers_below_a_bound_reach_every_value_and_no_other() {
        let mut stream = RandomStream::new(7, 3);
        let drawn: Vec<u64> = (0..5_000).map(|_| stream.below(5)).collect();
        let counts: Vec<usize> = (0..6).map(|value| drawn.iter().filter(|one| **one == value).count()).collect();
        assert!(counts[..5].iter().all(|count| (850..1150).contains(count)), "{counts:?}");
        assert_eq!(counts[5], 0);
    }

    #[test]
    fn a_clone_gives_the_same_numbers_from_any_place_on() {
        let mut stream = RandomStream::new(42, 5);
        for _ in 0..100 {
            let mut copy = stream.clone();
            assert_eq!(stream.0.next_u64(), copy.0.next_u64());
            assert_eq!(stream.0.next_u64(), copy.0.next_u64());
        }
    }
}
