//! Integers from random words, the same from the same words on every platform and with every version.

/// An integer from 0 to `n - 1`, each with the same chance (Lemire, "Fast Random Integer Generation in an Interval", 2019).
/// `n` is above 0.
pub(crate) fn below(n: u64, mut word: impl FnMut() -> u64) -> u64 {
    let threshold = n.wrapping_neg() % n;
    loop {
        let wide = u128::from(word()) * u128::from(n);
        #[expect(clippy::cast_possible_truncation, reason = "the low half is what is meant")]
        if wide as u64 >= threshold {
            return (wide >> 64) as u64;
        }
    }
}
