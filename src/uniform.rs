//! Integers and ids from random words, the same from the same words on every platform and with every version.

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

/// A random UUID (RFC 9562, section 5.4) from two words.
pub(crate) fn uuid(high: u64, low: u64) -> String {
    let high = high & !0xf000 | 0x4000;
    let low = low & !(0b11 << 62) | 0b10 << 62;
    let last = low & 0xffff_ffff_ffff;
    format!("{:08x}-{:04x}-{:04x}-{:04x}-{last:012x}", high >> 32, high >> 16 & 0xffff, high & 0xffff, low >> 48)
}
