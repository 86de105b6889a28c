//! Seeds and numbers from environment variables, so that random tests can be repeated.

use rand::TryRng;
use rand::rngs::SysRng;

/// Returns the seed in an environment variable, or a random one. Prints it, so that a failed test can be repeated.
pub(crate) fn seed(variable: &str) -> u64 {
    let random = || u64::from(SysRng.try_next_u32().unwrap());
    let seed = number(variable).unwrap_or_else(random);
    println!("{variable}={seed}");
    seed
}

/// Returns the number in an environment variable; `None` if the variable is not set.
pub(crate) fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is not a number: {text}")))
}
