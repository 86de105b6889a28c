//! The locks of [`super::delegation`]. `tests/model.rs` compiles that file with the locks of a model checker instead.

pub(super) use std::sync::{Mutex, MutexGuard, PoisonError};
