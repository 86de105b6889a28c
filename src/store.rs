//! The stores that several servers share, so that they act as one mock.
//!
//! Each world has a log: all of its changes, in the one order in which every server applies them. The engine is
//! deterministic, so the same log yields the same values, the same numbered events and the same frames everywhere. The
//! only way to change a value is to append to the log, so no second copy can differ from it.
//!
//! - **Changes** are appended by the server that received the request, and applied by every server, including that one,
//!   when they come back in log order. Only then is the request answered.
//! - **Time** is a change as well. The log does not hold what scripts and generators do, only how far time has
//!   advanced. One server at a time may append that, the [leader](Store::lead). Each such entry carries the leader's
//!   fencing token, and an outdated token is refused, so that a leader that was away too long cannot append any more.
//! - **Presence**: a server that has members in a world regularly [announces](Store::announce_presence) that it is
//!   present. When a server dies, the leader closes its members with an entry, a change like any other.
//! - **Checkpoints** hold a world's whole state at a position. Entries long before it are trimmed, and a server that
//!   joins starts from it.
//! - **Gaps** occur when the log is trimmed further than a server has read, or when the store has lost the end of the
//!   log. They are detected by the positions, which are contiguous, and by the marks, which are unique. The state is
//!   then taken from the checkpoint.
//!
//! [`Memory`] serves several servers in one process, [`Redis`] servers on many machines. A server without a store has
//! no log at all: its changes are ordered by their arrival at the world's task.

mod memory;
mod redis;

use std::fmt::Debug;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use thiserror::Error;

pub use self::memory::Memory;
pub use self::redis::{InvalidUrl, Redis, RedisUrl};

/// The logs of worlds. Futures may be dropped at any time; their operation has then happened in full or not at all.
pub trait Store: Debug + Send + Sync {
    /// Opens a world's log. Returns its newest checkpoint and the entries after that, read atomically. If there are
    /// many entries, the last of them are left to [`Store::follow`].
    ///
    /// # Errors
    /// [`StoreError::Missing`] or [`StoreError::Exists`], depending on the mode, or [`StoreError::Unreachable`].
    fn open<'a>(&'a self, world: &'a str, open_mode: OpenMode<'a>) -> BoxFuture<'a, Result<Opened, StoreError>>;

    /// Appends an entry to the log and returns its position.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if the log does not exist, [`StoreError::Fenced`] if the entry has a token and a newer
    /// one was issued, or [`StoreError::Unreachable`]: the entry may then have been appended or not.
    fn append<'a>(&'a self, world: &'a str, entry: NewEntry<'a>) -> BoxFuture<'a, Result<u64, StoreError>>;

    /// Returns the entries after the given one in batches, as they are appended. The stream ends with its first error:
    /// [`StoreError::Gap`] if the given entry is missing or an entry after it was trimmed, or
    /// [`StoreError::Unreachable`].
    fn follow(&self, world: &str, after: &StoredEntry) -> BoxStream<'static, Result<Vec<StoredEntry>, StoreError>>;

    /// Claims or renews the lead of a world for the duration of the lease. `None` if another server has it.
    ///
    /// # Errors
    /// [`StoreError::Missing`] or [`StoreError::Unreachable`].
    fn lead<'a>(&'a self, world: &'a str, claim: Claim<'a>) -> BoxFuture<'a, Result<Option<FencingToken>, StoreError>>;

    /// Notes that a server is present in a world for the given time from now on, and returns the names of all present
    /// servers. A time of 0 ends its presence.
    ///
    /// # Errors
    /// [`StoreError::Missing`] or [`StoreError::Unreachable`].
    fn announce_presence<'a>(
        &'a self,
        world: &'a str,
        server: &'a str,
        time: Duration,
    ) -> BoxFuture<'a, Result<Vec<String>, StoreError>>;

    /// Saves a checkpoint and trims the entries before the position `cut`. Does nothing if the store has a newer
    /// checkpoint.
    ///
    /// # Errors
    /// [`StoreError::Missing`] or [`StoreError::Unreachable`].
    fn save_checkpoint<'a>(
        &'a self,
        world: &'a str,
        checkpoint: &'a Checkpoint,
        cut: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Ends a world's log with an entry. Followers of the log still read the entry; for everyone else the world no
    /// longer exists.
    ///
    /// # Errors
    /// [`StoreError::Missing`] or [`StoreError::Unreachable`].
    fn end<'a>(&'a self, world: &'a str, entry: NewEntry<'a>) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Returns the names of the worlds; some may have been dropped in the meantime.
    ///
    /// # Errors
    /// [`StoreError::Unreachable`].
    fn worlds(&self) -> BoxFuture<'_, Result<Vec<String>, StoreError>>;

    /// Returns the text stored under a name.
    ///
    /// # Errors
    /// [`StoreError::Unreachable`].
    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<String>, StoreError>>;

    /// Stores a text under a name, replacing any other.
    ///
    /// # Errors
    /// [`StoreError::Unreachable`].
    fn put<'a>(&'a self, name: &'a str, text: &'a str) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Returns why the store cannot be reached; `None` if it can.
    fn unreachable_reason(&self) -> Option<String>;

    /// Returns the address of the store for messages, without secrets.
    fn address(&self) -> String;
}

/// Whether to open an existing log or to create one.
#[derive(Debug, Clone, Copy)]
pub enum OpenMode<'a> {
    /// The log must exist.
    Existing,
    /// The log must not exist, and starts with this entry.
    New(NewEntry<'a>),
    /// The log starts with this entry if it does not exist.
    Either(NewEntry<'a>),
}

/// A log at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// The newest checkpoint; `None` if the log is complete.
    pub checkpoint: Option<Checkpoint>,
    /// The entry at the checkpoint's position, or the first entry, followed by later entries.
    pub entries: Vec<StoredEntry>,
    /// The world's time that was announced last.
    pub at: Duration,
    /// The time since that announcement.
    pub age: Duration,
    /// Whether a server has the lead.
    pub is_led: bool,
}

/// An entry to append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewEntry<'a> {
    /// Unique among the entries of all logs.
    pub mark: &'a str,
    /// The content.
    pub text: &'a str,
    /// The world's time.
    pub at: Duration,
    /// The token of the lead that the entry requires; `None` if it requires none.
    pub token: Option<FencingToken>,
    /// How long the log is kept without an append or a leader; `None` means forever.
    pub lifetime: Option<Duration>,
}

/// An entry of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEntry {
    /// The position in the log, without gaps.
    pub position: u64,
    /// Unique among the entries of all logs.
    pub mark: String,
    /// The content.
    pub text: String,
}

/// A world's whole state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The position of the last entry included.
    pub position: u64,
    /// The state.
    pub state: String,
}

/// A claim to the lead of a world.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'a> {
    /// The unique name of the server.
    pub server: &'a str,
    /// How long the server keeps the lead without renewing it; 0 gives the lead up.
    pub lease: Duration,
    /// The world's time.
    pub at: Duration,
    /// How long the log is kept, as in [`NewEntry::lifetime`].
    pub lifetime: Option<Duration>,
}

/// The token that a leader appends its entries with. Each later leader has a higher one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FencingToken(pub u64);

/// Why a store operation failed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StoreError {
    /// The store cannot be reached.
    #[error("the store cannot be reached: {0}")]
    Unreachable(String),
    /// The log does not exist.
    #[error("the world does not exist in the store")]
    Missing,
    /// The log already exists.
    #[error("the world already exists in the store")]
    Exists,
    /// Another server now leads the world.
    #[error("another server now leads the world")]
    Fenced,
    /// The entries after this position are missing, or the entry at it is a different one.
    #[error("the log has a gap after position {0}")]
    Gap(u64),
}

/// Checks that the positions of the entries continue without a gap after `after`.
fn check_contiguous(after: u64, entries: &[StoredEntry]) -> Result<(), StoreError> {
    let is_next = |(entry, position): (&StoredEntry, u64)| entry.position == position;
    if entries.iter().zip(after + 1..).all(is_next) { Ok(()) } else { Err(StoreError::Gap(after)) }
}
