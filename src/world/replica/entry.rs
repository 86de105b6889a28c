//! What stands in a world's log.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::engine::{self, EngineState};
use crate::world::operation::Operation;
use crate::world::{ClockChange, Pace};

/// An entry of a world's log. Times are the world's, as the server knew it that appended the entry.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::world) enum LogEntry {
    /// The world begins.
    Born(Box<Birth>),
    /// A client changes something.
    Do {
        at: Duration,
        operation: Operation,
    },
    /// Somebody changes the clock, or has time go on.
    Clock {
        at: Duration,
        change: ClockChange,
    },
    /// Time has come that far, if not more than so many things happen until then.
    Time {
        to: Duration,
        most: usize,
    },
    /// The scenario of that fingerprint is played from now on.
    Follow {
        scenario: String,
        seed: u64,
    },
    End,
}

impl LogEntry {
    pub(in crate::world) fn to_text(&self) -> String {
        // Maps with text keys, numbers and texts always become JSON.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// A world as it begins, or as it is at one moment.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Birth {
    /// The fingerprint of the scenario.
    pub scenario: String,
    /// The seed of all that is random, unless the world has one of its own.
    pub seed: u64,
    /// A seed of its own.
    pub own_seed: Option<u64>,
    /// How its clock goes after a reset.
    pub pace_at_start: Pace,
    /// How its clock goes.
    pub pace: Pace,
    /// How often it was reset or restored.
    pub generation: u64,
    /// Everything else, unless it is at its start.
    pub engine: Option<Box<EngineState>>,
    /// What it can be restored to.
    pub snapshots: BTreeMap<String, EngineState>,
}

impl Birth {
    /// A world at its start.
    #[must_use]
    pub fn new(scenario: String, seed: u64, own_seed: Option<u64>, pace: Pace) -> Self {
        let (engine, snapshots) = (None, BTreeMap::new());
        Self { scenario, seed, own_seed, pace_at_start: pace, pace, generation: 0, engine, snapshots }
    }

    /// The first entry of its log.
    #[must_use]
    pub fn into_entry(self) -> String {
        LogEntry::Born(Box::new(self)).to_text()
    }
}

/// Why what stands in a log cannot be played.
#[derive(Debug, Error)]
pub enum StateError {
    /// It is no entry of this version of mockd.
    #[error("it cannot be read ({0}); all servers have to be of one version of mockd")]
    Unreadable(#[from] serde_json::Error),
    /// The state does not fit the scenario.
    #[error(transparent)]
    Engine(#[from] engine::StateError),
    /// The scenario cannot be had.
    #[error("the scenario {0} is not in the store")]
    NoScenario(String),
    /// The store was lost before the world was there.
    #[error("the store was lost while the world was joined")]
    Lost,
    /// The log does not begin with a beginning.
    #[error("the log has no beginning")]
    NoBeginning,
}
