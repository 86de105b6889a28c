//! Random numbers. Only the 64-bit words of `ChaCha8` come from the `rand` crate. This crate itself turns words into
//! integers and gaps, so that a seed produces the same numbers on every platform and with every version.
//!
//! A seed has many streams. The two high bits of a stream's number name its use:
//!
//! | bits | streams |
//! |---|---|
//! | `00` | generators, counted from 0 |
//! | `01` | streams [named by a key](RandomStream::named) |
//! | `10` | faults, and the sockets that they hit |
//! | `11` | scripts, by their names or steps |

use std::time::Duration;

use rand::rand_core::{Rng, SeedableRng};
use rand::rngs::ChaCha8Rng;

use crate::scenario::{Amount, Latency, Share};
use crate::streams::stream_number;
use crate::uniform::below;

/// A stream of random numbers.
#[derive(Debug)]
pub(crate) struct RandomStream(ChaCha8Rng);

impl RandomStream {
    /// Creates the stream with this number.
    pub(crate) fn new(seed: u64, number: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(number);
        Self(rng)
    }

    /// Creates the stream with this key, which does not depend on other streams.
    pub(crate) fn named(seed: u64, key: &str) -> Self {
        Self::new(seed, stream_number(key))
    }

    /// Creates the stream with this key, `words` 32-bit words from its start.
    pub(super) fn named_at(seed: u64, key: &str, words: u64) -> Self {
        let Self(mut rng) = Self::named(seed, key);
        rng.set_word_pos(words.into());
        Self(rng)
    }

    /// Returns the next word.
    pub(super) fn word(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Creates the stream with this number, `words` 32-bit words from its start.
    pub(super) fn at(seed: u64, number: u64, words: u64) -> Self {
        let Self(mut rng) = Self::new(seed, number);
        rng.set_word_pos(words.into());
        Self(rng)
    }

    /// The stream's number, and the number of 32-bit words consumed.
    pub(super) fn place(&self) -> (u64, u64) {
        // No process draws 2^64 words.
        (self.0.get_stream(), u64::try_from(self.0.get_word_pos()).unwrap_or(u64::MAX))
    }

    /// Restarts as the stream with the same number of another seed.
    pub(super) fn reseed(&mut self, seed: u64) {
        *self = Self::new(seed, self.0.get_stream());
    }

    /// Returns a uniformly distributed integer from 0 to `n - 1`. `n` must be positive.
    pub(super) fn below(&mut self, n: u64) -> u64 {
        below(n, || self.0.next_u64())
    }

    /// Returns a uniformly distributed amount of the range.
    pub(super) fn amount(&mut self, amount: &Amount) -> i64 {
        let span = amount.end().abs_diff(*amount.start()) + 1;
        amount.start().saturating_add_unsigned(self.below(span))
    }

    /// Returns `true` with a probability of `share`.
    pub(crate) fn takes(&mut self, share: Share) -> bool {
        share == Share::ALL || self.below(Share::WHOLE.into()) < share.millionths().into()
    }

    /// Returns a number in (0, 1], from the 53 high bits.
    fn uniform(&mut self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit a double exactly")]
        let uniform = ((self.0.next_u64() >> 11) + 1) as f64 / (1_u64 << 53) as f64;
        uniform
    }

    /// Returns a number from the standard normal distribution (Box and Muller, "A Note on the Generation of Random
    /// Normal Deviates", 1958).
    pub(super) fn normal(&mut self) -> f64 {
        let (radius, angle) = (self.uniform(), self.uniform());
        libm::sqrt(-2.0 * libm::log(radius)) * libm::cos(2.0 * std::f64::consts::PI * angle)
    }

    /// Returns a gap of a Poisson process: -ln(u) times the mean, with u uniform in (0, 1].
    pub(super) fn exponential(&mut self, mean: Duration) -> Duration {
        let seconds = -libm::log(self.uniform()) * mean.as_secs_f64();
        // At least one nanosecond, so that time always advances.
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX).max(Duration::from_nanos(1))
    }
}

impl RandomStream {
    /// Draws a time from a distribution.
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

/// A clone produces the same numbers from here on.
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
    fn seed_42_always_starts_with_the_same_words() {
        let RandomStream(mut rng) = RandomStream::new(42, 0);
        assert_eq!([rng.next_u64(), rng.next_u64()], [0xae90_bfb5_395d_5ba1, 0xf345_3fc6_2579_9188]);
    }

    #[test]
    fn a_key_always_names_the_same_stream_and_never_a_numbered_one() {
        for (key, number, word) in [
            ("", 0x72fc_a739_2108_88c9, 0x3231_980d_4bc9_7d68),
            ("GET /dice", 0x45ca_214f_2fce_c2a1, 0x4c12_8c3b_82be_504d),
            ("GET /dice/", 0x6539_440e_3c54_c7b7, 0xa8cc_b8c3_c435_346a),
        ] {
            let mut stream = RandomStream::named(42, key);
            assert_eq!((stream.place(), stream.0.next_u64()), ((number, 0), word), "{key}");
            assert_eq!(number >> 62, 0b01);
        }
    }

    #[test]
    fn integers_below_a_bound_take_every_value_and_no_other() {
        let mut stream = RandomStream::new(7, 3);
        let drawn: Vec<u64> = (0..5_000).map(|_| stream.below(5)).collect();
        let counts: Vec<usize> = (0..6).map(|value| drawn.iter().filter(|one| **one == value).count()).collect();
        assert!(counts[..5].iter().all(|count| (850..1150).contains(count)), "{counts:?}");
        assert_eq!(counts[5], 0);
    }

    #[test]
    fn a_clone_produces_the_same_numbers_from_any_position() {
        let mut stream = RandomStream::new(42, 5);
        for _ in 0..100 {
            let mut copy = stream.clone();
            assert_eq!(stream.0.next_u64(), copy.0.next_u64());
            assert_eq!(stream.0.next_u64(), copy.0.next_u64());
        }
    }
}
