//! A seed for those who name none.

use rand::TryRng;
use rand::rngs::SysRng;

/// A seed by chance, short enough to be typed again. Without the system's randomness, a fixed one.
pub(super) fn any_seed() -> u64 {
    SysRng.try_next_u32().map_or(0, u64::from)
}
