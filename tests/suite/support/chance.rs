//! What is drawn by chance, and can be drawn again.

use rand::TryRng;
use rand::rngs::SysRng;

/// A seed of the environment, or one by chance. Whoever sees the test fail sees it.
pub(crate) fn seed(variable: &str) -> u64 {
    let by_chance = || u64::from(SysRng.try_next_u32().unwrap());
    let seed = number(variable).unwrap_or_else(by_chance);
    println!("{variable}={seed}");
    seed
}

/// A number of the environment, if it is there.
pub(crate) fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is not a number: {text}")))
}
