//! Streams of random words, each named by a key. A stream never changes and does not depend on other streams.

use rand::rand_core::{Rng, SeedableRng};
use rand::rngs::ChaCha8Rng;

use crate::scenario::Fnv;

/// The high bits of the stream numbers derived from keys.
const NAMED_STREAMS: u64 = 0b01 << 62;

/// Returns the stream number of a key.
pub(crate) fn stream_number(key: &str) -> u64 {
    let mut hash = Fnv::default();
    hash.add(key.as_bytes());
    NAMED_STREAMS | hash.value() >> 2
}

/// A stream of random words.
#[derive(Debug)]
pub(crate) struct Words(ChaCha8Rng);

impl Words {
    /// Returns the stream that `seed` and `key` determine.
    pub(crate) fn named(seed: u64, key: &str) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream_number(key));
        Self(rng)
    }

    /// Moves to the word at index `word`, counted from 0.
    pub(crate) fn skip_to(&mut self, word: u64) {
        // Positions count 32-bit words.
        self.0.set_word_pos(u128::from(word) * 2);
    }

    /// Returns the next word.
    pub(crate) fn next(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Returns a random UUID (RFC 9562, section 5.4) built from the next two words.
    pub(crate) fn uuid(&mut self) -> String {
        uuid(self.next(), self.next())
    }
}

/// Builds a UUID from random bits (RFC 9562, section 5.4).
pub(crate) fn uuid(high: u64, low: u64) -> String {
    let high = high & !0xf000 | 0x4000;
    let low = low & !(0b11 << 62) | 0b10 << 62;
    let last = low & 0xffff_ffff_ffff;
    format!("{:08x}-{:04x}-{:04x}-{:04x}-{last:012x}", high >> 32, high >> 16 & 0xffff, high & 0xffff, low >> 48)
}

#[cfg(test)]
mod tests {
    use super::{Words, uuid};

    #[test]
    fn a_key_always_yields_the_same_words_from_any_index() {
        let mut words = Words::named(42, "GET /dice");
        let first = [words.next(), words.next(), words.next()];
        assert_eq!(first[0], 0x4c12_8c3b_82be_504d);
        words.skip_to(1);
        assert_eq!([words.next(), words.next()], first[1..]);
        words.skip_to(0);
        assert_eq!(words.uuid(), uuid(first[0], first[1]));
        assert_eq!(uuid(0, 0), "00000000-0000-4000-8000-000000000000");
        assert_eq!(uuid(u64::MAX, u64::MAX), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }
}
