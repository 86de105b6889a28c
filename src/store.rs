//! Where several servers keep what they have in common, so that they are one mock.
//!
//! Each world has a log: every change to it, in the one order in which all servers carry it out. The engine is
//! deterministic, so the same log gives the same values, the same events under the same numbers and the same frames
//! everywhere, and to change a value is to append to the log: there is no second place that could differ from it.
//!
//! - **A change** is appended by the server that was asked, and carried out by every server, that one too, when it comes
//!   back in its place. Only then it is answered.
//! - **Time** is a change as well. What scripts and generators do is not in the log, only how far time has gone; one server
//!   at a time may say that, the [leader](Store::lead). Its token is in every such entry, and an older one is refused, so
//!   that a leader that was away too long cannot say anything any more (a fencing token).
//! - **Presence**: a server that has members in a world says again and again that it is [there](Store::be_present). What one
//!   has left that died, the leader has closed by an entry, as a change like any other.
//! - **A checkpoint** is a world's whole state at a position. What is long before it is cut off, and who joins starts there.
//! - **A gap**, because the log was cut off further than somebody had read or because the store has lost its end, is found
//!   by the positions, which count up without holes, and by the marks, of which no two are the same. Then the state is taken
//!   from the checkpoint.
//!
//! [`Memory`] is for several servers of one process, [`Redis`] for those of many machines. A server without a store has no
//! log at all: its changes have the order in which the world's task hears of them.

mod memory;
mod redis;

use std::fmt::Debug;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use thiserror::Error;

pub use self::memory::Memory;
pub use self::redis::{Redis, RedisUrl, WrongUrl};

/// The logs of worlds. Futures may be dropped at any time; what they were to do is then done or not done.
pub trait Store: Debug + Send + Sync {
    /// Opens a world's log, and gives its newest checkpoint and the entries after that, read at one moment. If there are
    /// many, the last of them are left to [`Store::follow`].
    ///
    /// # Errors
    /// [`StoreError::Missing`] or [`StoreError::Exists`], as it is asked for, or [`StoreError::Gone`].
    fn open<'a>(&'a self, world: &'a str, open_mode: OpenMode<'a>) -> BoxFuture<'a, Result<Opened, StoreError>>;

    /// Puts an entry at the end of the log, and gives its position.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if there is no such log, [`StoreError::Fenced`] if a token is given and another was given out
    /// since, or [`StoreError::Gone`]: then it may have been appended or not.
    fn append<'a>(&'a self, world: &'a str, entry: NewEntry<'a>) -> BoxFuture<'a, Result<u64, StoreError>>;

    /// The entries that come after that one, some at a time, as they come. It ends with its first error:
    /// [`StoreError::Gap`] if that entry is not there, or one after it was cut off, or [`StoreError::Gone`].
    fn follow(&self, world: &str, after: &StoredEntry) -> BoxStream<'static, Result<Vec<StoredEntry>, StoreError>>;

    /// Asks for the lead of a world for that long, or keeps it. `None` if another server has it.
    ///
    /// # Errors
    /// [`StoreError::Missing`] or [`StoreError::Gone`].
    fn lead<'a>(&'a self, world: &'a str, claim: Claim<'a>) -> BoxFuture<'a, Result<Option<FencingToken>, StoreError>>;

    /// Notes that a server that plays a world is there for that long from now on, and gives the names of all that are; 0 takes
    /// that back.
    ///
    /// # Errors
    /// [`StoreError::Missing`] or [`StoreError::Gone`].
    fn be_present<'a>(
        &'a self,
        world: &'a str,
        server: &'a str,
        time: Duration,
    ) -> BoxFuture<'a, Result<Vec<String>, StoreError>>;

    /// Keeps a checkpoint, and cuts off what is before another position. Does nothing if a newer checkpoint is kept.
    ///
    /// # Errors
    /// [`StoreError::Missing`] or [`StoreError::Gone`].
    fn keep<'a>(
        &'a self,
        world: &'a str,
        checkpoint: &'a Checkpoint,
        cut: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Ends a world's log with an entry. Those who follow it still read that; for everybody else the world is not there.
    ///
    /// # Errors
    /// [`StoreError::Missing`] or [`StoreError::Gone`].
    fn end<'a>(&'a self, world: &'a str, entry: NewEntry<'a>) -> BoxFuture<'a, Result<(), StoreError>>;

    /// The names of the worlds that there are; some may have been dropped since.
    ///
    /// # Errors
    /// [`StoreError::Gone`].
    fn worlds(&self) -> BoxFuture<'_, Result<Vec<String>, StoreError>>;

    /// The text that was put under a name.
    ///
    /// # Errors
    /// [`StoreError::Gone`].
    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<String>, StoreError>>;

    /// Puts a text under a name, in the place of another.
    ///
    /// # Errors
    /// [`StoreError::Gone`].
    fn put<'a>(&'a self, name: &'a str, text: &'a str) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Why the store cannot be reached, if that is so.
    fn trouble(&self) -> Option<String>;

    /// Where it is, for messages; without any secret.
    fn place(&self) -> String;
}

/// Whether a log has to exist, or is to be created.
#[derive(Debug, Clone, Copy)]
pub enum OpenMode<'a> {
    /// It has to be there.
    Existing,
    /// It must not be there, and begins with this entry.
    New(NewEntry<'a>),
    /// It begins with this entry unless it is there.
    Either(NewEntry<'a>),
}

/// A log at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// The newest checkpoint; none if the log goes back to its beginning.
    pub checkpoint: Option<Checkpoint>,
    /// The entry at the checkpoint's position, or the first of all, and those after it.
    pub entries: Vec<StoredEntry>,
    /// The world's time that was told last.
    pub at: Duration,
    /// How long ago that was.
    pub age: Duration,
    /// Whether a server has the lead.
    pub is_led: bool,
}

/// An entry to be appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewEntry<'a> {
    /// Tells it from all other entries, of whatever log.
    pub mark: &'a str,
    /// What it says.
    pub text: &'a str,
    /// The world's time.
    pub at: Duration,
    /// The lead that it needs, if it needs one.
    pub token: Option<FencingToken>,
    /// How long the log is kept if nobody appends to it or leads its world; for ever without.
    pub lifetime: Option<Duration>,
}

/// An entry of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEntry {
    /// Counts up without holes.
    pub position: u64,
    /// Tells it from all other entries.
    pub mark: String,
    /// What it says.
    pub text: String,
}

/// A world's whole state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The position of the last entry that is in it.
    pub position: u64,
    /// The state.
    pub state: String,
}

/// Who asks for the lead of a world.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'a> {
    /// The server, by a name that no other has.
    pub server: &'a str,
    /// How long it keeps the lead without asking again; 0 gives it up.
    pub lease: Duration,
    /// The world's time.
    pub at: Duration,
    /// As that of an entry.
    pub lifetime: Option<Duration>,
}

/// What a leader shows with what it appends. Whoever leads later has a higher one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FencingToken(pub u64);

/// Why a store does not do what it is asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StoreError {
    /// It cannot be reached.
    #[error("the store cannot be reached: {0}")]
    Gone(String),
    /// There is no such log.
    #[error("the store has no such world")]
    Missing,
    /// There is such a log already.
    #[error("the store has such a world already")]
    Exists,
    /// Another server leads the world by now.
    #[error("another server leads the world by now")]
    Fenced,
    /// What comes after that position is not there, or something else stands at it.
    #[error("the log has a gap after position {0}")]
    Gap(u64),
}

/// That entries follow on from that position without a hole.
fn follow_on(after: u64, entries: &[StoredEntry]) -> Result<(), StoreError> {
    let is_next = |(entry, position): (&StoredEntry, u64)| entry.position == position;
    if entries.iter().zip(after + 1..).all(is_next) { Ok(()) } else { Err(StoreError::Gap(after)) }
}
