//! The locks of [`super::delegation`]. `tests/model.rs` compiles that file with a model checker's locks instead.

pub(super) use std::sync::{Mutex, MutexGuard, PoisonError};
