//! Uniform integers from random words. The same words yield the same integers on every platform and in every version.

/// Returns a uniformly distributed integer below `n` (Lemire, "Fast Random Integer Generation in an Interval", 2019).
/// `n` must not be 0.
pub(crate) fn below(n: u64, mut word: impl FnMut() -> u64) -> u64 {
    let threshold = n.wrapping_neg() % n;
    loop {
        let wide = u128::from(word()) * u128::from(n);
        #[expect(clippy::cast_possible_truncation, reason = "only the low half is needed")]
        if wide as u64 >= threshold {
            return (wide >> 64) as u64;
        }
    }
}
