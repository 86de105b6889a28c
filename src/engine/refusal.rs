//! Why a change is refused, and the bounds by which it may be.

use std::sync::Arc;

use serde_json::Value;
use thiserror::Error;

use super::codec::CodecError;
use super::listing::ListError;
use super::rule::{MAX_STEPS, MAX_TRIGGERED, MAX_WAITING};
use crate::expression::RunError;
use crate::scenario::{MAX_TOTAL, NOUNS};

/// The most bytes of a collection's rows as JSON with which clients may add another, and beyond which no row may grow. All
/// values of `data` together may not grow beyond it either.
pub const MAX_COLLECTION_BYTES: usize = 64 << 20;

/// The most faults of an engine at a time.
pub const MAX_FAULTS: usize = 1000;

/// The most bytes of a socket's own memory, as JSON.
pub(super) const MAX_MEMORY_BYTES: usize = 1 << 20;

/// The most topics of a member at a time, and the most memberships: as many as the streams that exchanges allow on one connection.
pub const MAX_TOPICS: usize = 1024;

/// Why a change is refused; nothing has changed then.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// No row has this id at the time.
    #[error("{} not found{}", .0.titled(NOUNS.count.title), .0.place())]
    UnknownRow(RowName),
    /// No row has this id, and no collection has rows with counters.
    #[error("There is no {row} {0}: the scenario has no `{collections}`", row = NOUNS.row.one, collections = NOUNS.collection.many)]
    NothingCounted(Arc<str>),
    /// The collection does not exist at the time.
    #[error("{noun} {0} not found", noun = NOUNS.collection.title)]
    UnknownCollection(Arc<str>),
    /// A row has the id already.
    #[error("{} exists already{}", .0.titled(NOUNS.row.title), .0.place())]
    DuplicateRow(RowName),
    /// The value would leave what a JavaScript number holds exactly.
    #[error("The {noun} of {id} would leave the range of ±{MAX_TOTAL}, it stays {value}", noun = NOUNS.value.one)]
    OutOfRange {
        /// The row.
        id: Arc<str>,
        /// Its value, unchanged.
        value: i64,
    },
    /// The collection has no room for more.
    #[error(
        "The {rows} of {collection} take more than {} MiB, a reset removes those that were added",
        MAX_COLLECTION_BYTES >> 20,
        rows = if *is_counted { NOUNS.row.many } else { "rows" }
    )]
    Full {
        /// The collection.
        collection: Arc<str>,
        /// Whether its rows have counters.
        is_counted: bool,
    },
    /// No value of `data` has this name at the time.
    #[error("Value {0} not found")]
    UnknownValue(Arc<str>),
    /// A part of a value cannot be set, because what it would be a part of has no such parts.
    #[error("{path} cannot be set, {part} is {found}")]
    NotAPart {
        /// The part, such as `prices.BTC.high`.
        path: String,
        /// What it would be a part of.
        part: String,
        /// What that is.
        found: String,
    },
    /// The values of `data` have no room for more.
    #[error("The values of data would take more than {} MiB", MAX_COLLECTION_BYTES >> 20)]
    ValuesTooLarge,
    /// A number of a row would be larger than numbers can be.
    #[error("Field {field} would be out of range")]
    Overflow {
        /// The field's name.
        field: String,
    },
    /// A change of a row names another id.
    #[error("The id {0} cannot change")]
    FixedId(Arc<str>),
    /// A row lacks a declared field, or a field has the wrong type.
    #[error("Field {field} must be {expected}")]
    Field {
        /// The field's name.
        field: String,
        /// The declared types.
        expected: String,
    },
    /// A row lacks a declared field.
    #[error("Field {0} is missing")]
    MissingField(String),
    /// An answer has a header that HTTP does not allow, without an expression that it comes from.
    #[error("{0}")]
    BadAnswer(Box<Refusal>),
    /// No fault has this number or name.
    #[error("Fault {0} not found")]
    UnknownFault(String),
    /// A fault has the name already.
    #[error("Fault {0} exists already; change it, or remove it first")]
    FaultExists(String),
    /// There are enough faults.
    #[error("There are {MAX_FAULTS} faults already, remove one first")]
    TooManyFaults,
    /// A member has joined enough topics.
    #[error("Joined {MAX_TOPICS} topics already, leave one first")]
    TooManyTopics,
    /// A member has enough memberships; a topic may be joined several times.
    #[error("Has {MAX_TOPICS} memberships already, leave one first")]
    TooManyMemberships,
    /// The text of a fault cannot be parsed. It was parsed where it came from: the servers differ.
    #[error("The fault cannot be read: {0}")]
    UnreadableFault(String),
    /// The text of steps cannot be parsed. It was parsed where it came from: the servers differ.
    #[error("The steps cannot be read: {0}")]
    UnreadableSteps(String),
    /// The route has gone since the request came.
    #[error("There is no route `{0}` any more")]
    UnknownRoute(Arc<str>),
    /// No answer of a route fits the request.
    #[error("No answer of {route} fits the request{}", .nearest.as_ref().map(|nearest| format!("; nearest is {nearest}")).unwrap_or_default())]
    NoAnswer {
        /// The route's key.
        route: Arc<str>,
        /// Which answer came nearest, and why it does not fit; `None` if there is none.
        nearest: Option<String>,
    },
    /// The query of a list cannot be read.
    #[error("{0}")]
    Query(ListError),
    /// An expression fails.
    #[error("{0}")]
    Expression(Box<RunError>),
    /// A request has no body, where there has to be one.
    #[error("The request has no body")]
    NoBody,
    /// A value is of the wrong kind.
    #[error("{} must be {expected}, found {found}", capitalised(what))]
    WrongValue {
        /// What the value is for.
        what: String,
        /// What it has to be.
        expected: &'static str,
        /// The value, shortened.
        found: String,
    },
    /// The endpoint has gone since the handshake.
    #[error("There is no endpoint `{0}` any more")]
    UnknownEndpoint(Arc<str>),
    /// `conn` of a socket would become too large.
    #[error("`conn` would take more than {MAX_MEMORY_BYTES} bytes")]
    MemoryTooLarge,
    /// A value cannot be written in the protocol of a socket.
    #[error("{0}")]
    Codec(CodecError),
    /// A step is about a member, and the rule has none.
    #[error("There is no socket or stream that this step is about")]
    NoMember,
    /// A rule carries out too many steps at one moment.
    #[error("More than {MAX_STEPS} steps at one moment")]
    TooManySteps,
    /// Too many lists of steps wait for their time.
    #[error("More than {MAX_WAITING} lists of steps wait for their time")]
    TooManyWaiting,
    /// Triggers set off triggers without end.
    #[error("More than {MAX_TRIGGERED} triggers set each other off, the last by topic `{0}`")]
    TooManyTriggers(Arc<str>),
    /// A script that plays for ever takes no time.
    #[error("`{0}` takes no time and would play without end")]
    InstantRepeat(Arc<str>),
    /// One of several changes is refused, and so all are.
    #[error("Number {} of them is refused, and so all are: {refusal}", index + 1)]
    At {
        /// Which one, from 0.
        index: usize,
        /// Why.
        refusal: Box<Refusal>,
    },
}

/// What kind of thing is wrong when a change is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// What the change is about does not exist.
    Missing,
    /// There is one already, or there are as many as there may be.
    Taken,
    /// There is no room for it.
    TooLarge,
    /// What was asked for is wrong.
    Wrong,
    /// The steps are wrong, whatever was asked for.
    Defect,
    /// Too much happens at once.
    Overload,
    /// The servers of a world do not agree.
    Disagreement,
}

impl Refusal {
    /// What kind of thing is wrong.
    #[must_use]
    pub fn kind(&self) -> RefusalKind {
        match self {
            Self::At { refusal, .. } => refusal.kind(),
            Self::UnknownRow(_)
            | Self::NothingCounted(_)
            | Self::UnknownCollection(_)
            | Self::UnknownValue(_)
            | Self::UnknownFault(_)
            | Self::UnknownRoute(_)
            | Self::UnknownEndpoint(_)
            | Self::NoAnswer { .. } => RefusalKind::Missing,
            Self::DuplicateRow(_)
            | Self::FaultExists(_)
            | Self::TooManyFaults
            | Self::TooManyTopics
            | Self::TooManyMemberships => RefusalKind::Taken,
            Self::Full { .. } | Self::ValuesTooLarge => RefusalKind::TooLarge,
            Self::OutOfRange { .. }
            | Self::NotAPart { .. }
            | Self::Overflow { .. }
            | Self::FixedId(_)
            | Self::Field { .. }
            | Self::MissingField(_)
            | Self::Query(_)
            | Self::NoBody
            | Self::WrongValue { .. } => RefusalKind::Wrong,
            Self::Expression(_)
            | Self::BadAnswer(_)
            | Self::NoMember
            | Self::Codec(_)
            | Self::MemoryTooLarge
            | Self::TooManySteps
            | Self::InstantRepeat(_) => RefusalKind::Defect,
            Self::TooManyWaiting | Self::TooManyTriggers(_) => RefusalKind::Overload,
            Self::UnreadableFault(_) | Self::UnreadableSteps(_) => RefusalKind::Disagreement,
        }
    }

    /// Whether it is the scenario that is wrong, and no request.
    #[must_use]
    pub fn is_defect_of_scenario(&self) -> bool {
        matches!(self.kind(), RefusalKind::Defect | RefusalKind::Overload)
    }

    /// A value that is of the wrong kind.
    pub(super) fn wrong(what: &str, expected: &'static str, found: &Value) -> Self {
        const MOST: usize = 60;
        let mut found = found.to_string();
        if found.len() > MOST {
            found.truncate(found.floor_char_boundary(MOST));
            found.push('…');
        }
        Self::WrongValue { what: what.to_owned(), expected, found }
    }
}

impl From<CodecError> for Refusal {
    fn from(error: CodecError) -> Self {
        Self::Codec(error)
    }
}

impl From<RunError> for Refusal {
    fn from(error: RunError) -> Self {
        Self::Expression(Box::new(error))
    }
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

/// Which row a [`Refusal`] is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowName {
    /// Its id.
    pub id: Arc<str>,
    /// Its collection, if the row has no counter: the ids of others say enough.
    pub collection: Option<Arc<str>>,
}

impl RowName {
    fn titled(&self, counted: &str) -> String {
        format!("{} {}", if self.collection.is_some() { "Row" } else { counted }, self.id)
    }

    fn place(&self) -> String {
        self.collection.as_ref().map_or_else(String::new, |collection| format!(" in {collection}"))
    }
}

/// A row that has a counter.
impl<I: Into<Arc<str>>> From<I> for RowName {
    fn from(id: I) -> Self {
        Self { id: id.into(), collection: None }
    }
}
