//! What moves values by itself: random generators and timed scripts.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::{Fault, GeneratedRule, Row};

/// An independent source of random changes.
///
/// Its times count from the start of the world, or from the reload that brought or changed it.
#[derive(Debug, Clone, PartialEq)]
pub struct Generator {
    pub(super) arrivals: Arrivals,
    pub(super) jitter: Duration,
    pub(super) fires: Fires,
    pub(super) from: Duration,
    pub(super) until: Option<Duration>,
}

impl Generator {
    /// When changes come.
    #[must_use]
    pub fn arrivals(&self) -> Arrivals {
        self.arrivals
    }

    /// How far a change may be from its even time, to both sides.
    #[must_use]
    pub fn jitter(&self) -> Duration {
        self.jitter
    }

    /// What it does each time.
    #[must_use]
    pub fn fires(&self) -> &Fires {
        &self.fires
    }

    /// When it starts; the first change comes one gap later.
    #[must_use]
    pub fn from(&self) -> Duration {
        self.from
    }

    /// When it stops; a change due then still comes.
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
        /// What is added.
        amount: Amount,
        /// Which rows it draws from.
        rows: Draw,
    },
    /// Carries out the steps of a rule.
    Rule(Arc<GeneratedRule>),
}

/// The gaps between random changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrivals {
    /// All the same.
    Every(Duration),
    /// Exponentially distributed around this mean: a Poisson process.
    Poisson(Duration),
}

/// What a change adds to a value: each of these with the same chance.
pub type Amount = RangeInclusive<i64>;

/// The rows that a generator draws from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Draw {
    /// Every row there is at the time, also those added at run time.
    All,
    /// These ids, each with the same chance.
    Ids(Vec<Arc<str>>),
    /// Every row that the collection has at the time.
    Collection(Arc<str>),
    /// These ids with their weights, all above 0.
    Weights(Vec<(Arc<str>, u32)>),
}

/// A timeline of steps.
///
/// Its times count from the start of the world, or from the reload that brought or changed it.
#[derive(Debug, Clone, PartialEq)]
pub struct Script {
    pub(super) name: Option<String>,
    pub(super) start: Duration,
    pub(super) repeat: Repeat,
    pub(super) steps: Arc<Vec<Step>>,
    pub(super) length: Duration,
    /// The random stream that it draws from, if any of its steps draws an amount.
    pub(super) stream: Option<u64>,
}

impl Script {
    /// The declared name.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// When its time 0 is.
    #[must_use]
    pub fn start(&self) -> Duration {
        self.start
    }

    /// How often it plays.
    #[must_use]
    pub fn repeat(&self) -> Repeat {
        self.repeat
    }

    /// The steps, ordered by time.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// From its time 0 to its last action, which is when the next repeat starts.
    #[must_use]
    pub fn length(&self) -> Duration {
        self.length
    }

    /// The number of the random stream that its amounts are drawn from; `None` if none is drawn.
    #[must_use]
    pub fn stream(&self) -> Option<u64> {
        self.stream
    }
}

/// How often a script plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Repeat {
    /// So many times, at least once.
    Times(u64),
    /// Until the server stops.
    Forever,
}

/// One line of a script.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Since the script's or the repeat's start.
    pub at: Duration,
    /// How often the action happens, at least once.
    pub times: u64,
    /// The time between two of these.
    pub every: Duration,
    /// What happens.
    pub action: Action,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Adds to a value.
    Count {
        /// Whose value.
        row: Arc<str>,
        /// What is added; may be negative. One of several is drawn each time.
        amount: Amount,
    },
    /// Sets a value.
    Set {
        /// Whose value.
        row: Arc<str>,
        /// The new value.
        value: i64,
    },
    /// Adds a row to a collection.
    Add(Box<NewRow>),
    /// Takes a row out.
    Remove {
        /// Which one.
        row: Arc<str>,
    },
    /// Brings a fault.
    Fault(Arc<Fault>),
}

/// A row that a script adds.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRow {
    /// The collection it goes to.
    pub collection: Arc<str>,
    /// Whether the id is declared; otherwise it is the collection's prefix and next number at the time.
    pub has_id: bool,
    /// The row; its id is empty if none is declared.
    pub row: Arc<Row>,
}
