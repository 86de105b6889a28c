//! What an engine reports: every change, numbered, with its time.

use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use crate::scenario::MAX_TOTAL;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Counts up from 1, without gaps, over the life of the engine.
    pub sequence: u64,
    /// Since the world's start.
    pub at: Duration,
    /// What happened.
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKind {
    /// A product's order total has a new value.
    Total {
        /// The product.
        id: Arc<str>,
        /// Its category.
        category: Arc<str>,
        /// The new total.
        total: i64,
    },
    /// A product was added at run time.
    Added {
        /// The product.
        id: Arc<str>,
        /// Its category.
        category: Arc<str>,
    },
    /// A product was taken out.
    Removed {
        /// The product.
        id: Arc<str>,
        /// The category it was in.
        category: Arc<str>,
    },
    /// Something that was due could not be done.
    Skipped(Refusal),
}

/// Why a change is refused; nothing has changed then.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// No product has this id at the time.
    #[error("Order {0} not found")]
    UnknownProduct(Arc<str>),
    /// The category does not exist at the time.
    #[error("Category {0} not found")]
    UnknownCategory(Arc<str>),
    /// A product has the id already.
    #[error("Product {0} exists already")]
    DuplicateProduct(Arc<str>),
    /// The total would leave what a JavaScript number holds exactly.
    #[error("The total of {id} would leave the range of ±{MAX_TOTAL}, it stays {total}")]
    OutOfRange {
        /// The product.
        id: Arc<str>,
        /// Its total, unchanged.
        total: i64,
    },
    /// A product lacks a declared field, or a field has the wrong type.
    #[error("Field {field} must be {expected}")]
    Field {
        /// The field's name.
        field: String,
        /// The declared types.
        expected: String,
    },
}
