//! Random numbers.
//!
//! Random words are converted to numbers here rather than by a library, so that the same words result in the same
//! values on every platform and in every version.

use super::scope::Runtime;
use crate::streams::uuid;
use crate::uniform::below;

/// Draws from a stream of random words.
pub(super) struct Chance<'s>(pub(super) &'s mut dyn Runtime);

impl Chance<'_> {
    /// Draws an integer from 0 to `n - 1`, uniformly distributed; any integer if `n` is 0.
    pub(super) fn below(&mut self, n: u64) -> u64 {
        if n == 0 { self.0.word() } else { below(n, || self.0.word()) }
    }

    /// Draws an item of a list, which must not be empty.
    pub(super) fn one_of<'l>(&mut self, list: &[&'l str]) -> &'l str {
        list[self.index(list.len())]
    }

    /// Draws an index of a list with this length, which must be above 0.
    pub(super) fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or_default()
    }

    /// Draws an integer between two bounds, both included. The first must not be above the second.
    pub(super) fn integer(&mut self, least: i64, most: i64) -> i64 {
        // The count of the full range, 2^64, wraps to 0.
        let count = most.abs_diff(least).wrapping_add(1);
        least.wrapping_add_unsigned(self.below(count))
    }

    /// Draws an integer between two small bounds, both included. The first must not be above the second.
    pub(super) fn between(&mut self, least: i32, most: i32) -> i32 {
        i32::try_from(self.integer(least.into(), most.into())).unwrap_or(least)
    }

    /// Draws a number in [0, 1), from the 53 high bits of a word.
    pub(super) fn unit(&mut self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit a double exactly")]
        let unit = (self.0.word() >> 11) as f64 / (1_u64 << 53) as f64;
        unit
    }

    /// Draws a number from the standard normal distribution (Box and Muller, "A Note on the Generation of Random Normal
    /// Deviates", 1958).
    pub(super) fn normal(&mut self) -> f64 {
        let (radius, angle) = (1.0 - self.unit(), self.unit());
        libm::sqrt(-2.0 * libm::log(radius)) * libm::cos(2.0 * std::f64::consts::PI * angle)
    }

    /// Draws a random UUID, version 4.
    pub(super) fn uuid(&mut self) -> String {
        uuid(self.0.word(), self.0.word())
    }
}
