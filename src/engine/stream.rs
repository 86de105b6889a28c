//! A generator's own stream of random numbers.
//!
//! Only `ChaCha8`'s stream of 64-bit words is taken from the `rand` package. How words become integers and gaps is
//! written here, so that a seed gives the same orders on every platform and with every version.

use std::time::Duration;

use rand::rand_core::{Rng, SeedableRng};
use rand::rngs::ChaCha8Rng;

use crate::scenario::Share;

#[derive(Debug)]
pub(crate) struct Stream(ChaCha8Rng);

impl Stream {
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

/// A clone gives the same numbers from here on.
impl Clone for Stream {
    fn clone(&self) -> Self {
        Self(ChaCha8Rng::deserialize_state(&self.0.serialize_state()))
    }
}

#[cfg(test)]
mod tests {
    use rand::rand_core::Rng;

    use super::Stream;

    #[test]
    fn seed_42_begins_with_the_same_words_for_ever() {
        let Stream(mut rng) = Stream::new(42, 0);
        assert_eq!([rng.next_u64(), rng.next_u64()], [0xae90_bfb5_395d_5ba1, 0xf345_3fc6_2579_9188]);
    }

    #[test]
    fn integers_below_a_bound_reach_every_value_and_no_other() {
        let mut stream = Stream::new(7, 3);
        let drawn: Vec<u64> = (0..5_000).map(|_| stream.below(5)).collect();
        let counts: Vec<usize> = (0..6).map(|value| drawn.iter().filter(|one| **one == value).count()).collect();
        assert!(counts[..5].iter().all(|count| (850..1150).contains(count)), "{counts:?}");
        assert_eq!(counts[5], 0);
    }

    #[test]
    fn a_clone_gives_the_same_numbers_from_any_place_on() {
        let mut stream = Stream::new(42, 5);
        for _ in 0..100 {
            let mut copy = stream.clone();
            assert_eq!(stream.0.next_u64(), copy.0.next_u64());
            assert_eq!(stream.0.next_u64(), copy.0.next_u64());
        }
    }
}
