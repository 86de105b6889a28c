//! Errors of a world.

use std::time::Duration;

use thiserror::Error;

use super::journal::{ExpectationError, InvalidWait};
use crate::engine::{Refusal, Unsendable};
use crate::scenario::format_duration;
#[cfg(feature = "redis")]
use crate::store::StoreError;

/// The maximum number of snapshots of a world.
pub const MAX_SNAPSHOTS: usize = 100;

/// Why a request to a world failed.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum WorldError {
    /// The engine refused the command.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Time was not advanced.
    #[error(transparent)]
    Clock(#[from] ClockError),
    /// The snapshot does not exist, or cannot be made.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// An expectation is invalid.
    #[error("expectation {}: {error}", .index + 1)]
    Expectation {
        /// The index of the expectation, from 0.
        index: usize,
        /// The reason.
        error: ExpectationError,
    },
    /// The condition to wait for is invalid.
    #[error(transparent)]
    Wait(#[from] InvalidWait),
    /// No open socket has this number.
    #[error("socket {0} is not open")]
    UnknownSocket(u64),
    /// The protocol of a socket has no frame for the value to send.
    #[error("socket {socket} cannot be sent this: {why}")]
    Unsendable {
        /// The number of the socket.
        socket: u64,
        /// The reason.
        why: Unsendable,
    },
    /// The store of a shared world cannot be reached, or did not reply. The command may still take effect.
    #[cfg(feature = "redis")]
    #[error("{0}; it may not have been done, try again")]
    Store(#[from] StoreError),
    /// The contents of the store cannot be loaded; the log gives the reason.
    #[cfg(feature = "redis")]
    #[error("this server cannot load the world from the store; see its log for the reason")]
    Unplayable,
    /// The client of a stream, or of a socket of an endpoint, has read too slowly, and the feed no longer holds the
    /// items that it missed.
    #[error("the client has fallen too far behind")]
    Behind,
    /// The world has ended.
    #[error("the world has ended")]
    Ended,
    /// The operation panicked; the world continues without it.
    #[error("the world failed to carry this out; it is a defect in mockd, please report it")]
    Defect,
}

/// Why time was not advanced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ClockError {
    /// The target time has passed already; nothing has changed.
    #[error("it is {} already, and time does not go back", format_duration(*.now))]
    InThePast {
        /// The world's time.
        now: Duration,
    },
    /// The world went back to its start, or to a snapshot, during the advance.
    #[error("the world was reset or restored during the advance")]
    Overtaken,
}

/// Why a snapshot command failed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SnapshotError {
    /// No snapshot has this name.
    #[error("Snapshot {0} not found")]
    Unknown(String),
    /// The maximum number of snapshots is reached.
    #[error("there are {MAX_SNAPSHOTS} snapshots already; delete one first")]
    TooMany,
}
