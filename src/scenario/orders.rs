//! Changes that happen on their own: random generators and timed scripts.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Fault, GeneratedRule, Row};

/// An independent source of random changes.
///
/// Its times count from the start of the world, or from the reload that added or changed it.
#[derive(Debug, Clone, PartialEq)]
pub struct Generator {
    pub(super) arrivals: Arrivals,
    pub(super) jitter: Duration,
    pub(super) fires: Fires,
    pub(super) from: Duration,
    pub(super) until: Option<Duration>,
}

impl Generator {
    /// Returns when changes happen.
    #[must_use]
    pub fn arrivals(&self) -> Arrivals {
        self.arrivals
    }

    /// Returns how much earlier or later than scheduled a change may happen.
    #[must_use]
    pub fn jitter(&self) -> Duration {
        self.jitter
    }

    /// Returns what it does each time.
    #[must_use]
    pub fn fires(&self) -> &Fires {
        &self.fires
    }

    /// Returns when it starts. The first change follows one interval later.
    #[must_use]
    pub fn from(&self) -> Duration {
        self.from
    }

    /// Returns when it stops; `None` if it never does. A change due at that time still happens.
    #[must_use]
    pub fn until(&self) -> Option<Duration> {
        self.until
    }
}

/// What a generator does each time.
#[derive(Debug, Clone, PartialEq)]
pub enum Fires {
    /// Adds an amount to a row's counter.
    Count {
        /// The amount to add.
        amount: Amount,
        /// The rows to draw from.
        rows: Draw,
    },
    /// Runs the steps of a rule.
    Rule(Arc<GeneratedRule>),
}

/// The intervals between random changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrivals {
    /// All equal.
    Every(Duration),
    /// Exponentially distributed around this mean: a Poisson process.
    Poisson(Duration),
}

/// The amount that a change adds to a value, drawn from this range with equal probabilities.
pub type Amount = RangeInclusive<i64>;

/// The rows that a generator draws from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Draw {
    /// Every current row, including those added at run time.
    All,
    /// These ids, each with the same probability.
    Ids(Vec<Arc<str>>),
    /// Every current row of the collection.
    Collection(Arc<str>),
    /// These ids with their weights, all above 0.
    Weights(Vec<(Arc<str>, u32)>),
}

/// A timeline of steps.
///
/// Its times count from the start of the world, or from the reload that added or changed it.
#[derive(Debug, Clone, PartialEq)]
pub struct Script {
    pub(super) name: Option<String>,
    pub(super) start: Duration,
    pub(super) repeat: Repeat,
    pub(super) steps: Arc<Vec<Step>>,
    pub(super) length: Duration,
    /// The random stream that amounts are drawn from; `None` if no amount is random.
    pub(super) stream: Option<u64>,
}

impl Script {
    /// Returns the declared name.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Returns when it starts.
    #[must_use]
    pub fn start(&self) -> Duration {
        self.start
    }

    /// Returns how many times it runs.
    #[must_use]
    pub fn repeat(&self) -> Repeat {
        self.repeat
    }

    /// Returns the steps, ordered by time.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Returns the time from its start to its last action, when the next repetition starts.
    #[must_use]
    pub fn length(&self) -> Duration {
        self.length
    }

    /// Returns the random stream that amounts are drawn from; `None` if no amount is random.
    #[must_use]
    pub fn stream(&self) -> Option<u64> {
        self.stream
    }
}

/// How many times a script runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Repeat {
    /// This many times, at least once.
    Times(u64),
    /// Until the server stops.
    Forever,
}

/// One step of a script.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The time since the start of the script or of its current repetition.
    pub at: Duration,
    /// The number of times that the action happens, at least 1.
    pub times: u64,
    /// The interval between two runs.
    pub every: Duration,
    /// The action.
    pub action: Action,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Adds to a value.
    Count {
        /// The row.
        row: Arc<str>,
        /// The amount, possibly negative. It is drawn from the range each time.
        amount: Amount,
    },
    /// Sets a value.
    Set {
        /// The row.
        row: Arc<str>,
        /// The new value.
        value: i64,
    },
    /// Adds a row to a collection.
    Add(Box<NewRow>),
    /// Removes a row.
    Remove {
        /// The row.
        row: Arc<str>,
    },
    /// Starts a fault.
    Fault(Arc<Fault>),
}

/// A row that a script adds.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRow {
    /// The collection to add it to.
    pub collection: Arc<str>,
    /// Whether the id is declared. Otherwise, the row gets the collection's prefix and next number when it is added.
    pub has_id: bool,
    /// The row; its id is empty if none is declared.
    pub row: Arc<Row>,
}
