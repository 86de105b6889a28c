//! Why a world does not do what it is asked.

use std::time::Duration;

use thiserror::Error;

use super::journal::{ExpectationError, WrongWait};
use crate::engine::{Refusal, Unsendable};
use crate::scenario::format_duration;
#[cfg(feature = "redis")]
use crate::store::StoreError;

/// Snapshots that a world keeps at most.
pub const MAX_SNAPSHOTS: usize = 100;

/// Why a command has no effect.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum WorldError {
    /// The engine refused it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Time was not advanced.
    #[error(transparent)]
    Clock(#[from] ClockError),
    /// The snapshot does not exist, or cannot be made.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// What is expected makes no sense.
    #[error("expectation {}: {error}", .index + 1)]
    Expectation {
        /// Which of them, from 0.
        index: usize,
        /// Why.
        error: ExpectationError,
    },
    /// What is waited for makes no sense.
    #[error(transparent)]
    Wait(#[from] WrongWait),
    /// No open socket has that number.
    #[error("socket {0} is not open")]
    UnknownSocket(u64),
    /// The protocol of a socket has no frame for what it is to be sent.
    #[error("socket {socket} cannot be sent this: {why}")]
    Unsendable {
        /// Its number.
        socket: u64,
        /// Why.
        why: Unsendable,
    },
    /// The store that the world is shared by cannot be reached, or did not answer. What was asked for may still happen.
    #[cfg(feature = "redis")]
    #[error("{0}; it may not have been done, try again")]
    Store(#[from] StoreError),
    /// What is in the store cannot be played; the log says why.
    #[cfg(feature = "redis")]
    #[error("the world in the store cannot be played by this server; its log says why")]
    Unplayable,
    /// The client of a stream, or of a socket of an endpoint, has not taken what came for it, and the feed no longer has it.
    #[error("the client has fallen too far behind")]
    Behind,
    /// The world has ended.
    #[error("the world has ended")]
    Ended,
    /// The world failed to do it, and goes on without.
    #[error("the world has failed to do this; it is a defect in mockd, please report it")]
    Defect,
}

/// Why time was not advanced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ClockError {
    /// That time is over; nothing has changed.
    #[error("it is {} already, and time does not go back", format_duration(*.now))]
    InThePast {
        /// The world's time.
        now: Duration,
    },
    /// The world went back to its start, or to a snapshot, while it was at work.
    #[error("the world was reset or restored before its clock had got there")]
    Overtaken,
}

/// Why a snapshot is not there.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SnapshotError {
    /// There is none of that name.
    #[error("Snapshot {0} not found")]
    Unknown(String),
    /// There are enough.
    #[error("there are {MAX_SNAPSHOTS} snapshots already, delete one first")]
    TooMany,
}
