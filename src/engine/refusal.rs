//! Reasons for refusing a change, and the limits behind some of them.

use std::sync::Arc;

use serde_json::Value;
use thiserror::Error;

use super::codec::CodecError;
use super::listing::ListError;
use super::rule::{MAX_SCHEDULED, MAX_STEPS, MAX_TRIGGERED};
use crate::expression::{RunError, RunErrorKind};
use crate::scenario::{MAX_TOTAL, NOUNS};

/// The maximum size of a collection's rows as JSON, in bytes. Beyond it, clients cannot add rows, and rows cannot grow.
/// The same limit applies to all values of `data` together.
pub const MAX_COLLECTION_BYTES: usize = 64 << 20;

/// The maximum number of faults in an engine.
pub const MAX_FAULTS: usize = 1000;

/// The maximum size of a socket's `conn` as JSON, in bytes.
pub(super) const MAX_MEMORY_BYTES: usize = 1 << 20;

/// The maximum number of topics of a member, and of its memberships: as many as the streams that exchanges allow on one
/// connection.
pub const MAX_TOPICS: usize = 1024;

/// The reason a change is refused. A refused change has no effect.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// No row has this id.
    #[error("{} not found{}", .0.titled(NOUNS.count.title), .0.place())]
    UnknownRow(RowName),
    /// No row has this id, and no collection has rows with counters.
    #[error("There is no {row} {0}: the scenario has no `{collections}`", row = NOUNS.row.one, collections = NOUNS.collection.many)]
    NothingCounted(Arc<str>),
    /// The collection does not exist.
    #[error("{noun} {0} not found", noun = NOUNS.collection.title)]
    UnknownCollection(Arc<str>),
    /// A row already has this id.
    #[error("{} already exists{}", .0.titled(NOUNS.row.title), .0.place())]
    DuplicateRow(RowName),
    /// The value would leave the range of integers that JavaScript numbers represent exactly.
    #[error("The {noun} of {id} would leave the range of ±{MAX_TOTAL}, it stays {value}", noun = NOUNS.value.one)]
    OutOfRange {
        /// The row.
        id: Arc<str>,
        /// Its value, unchanged.
        value: i64,
    },
    /// The collection has no room for more data.
    #[error(
        "The {rows} of {collection} take more than {} MiB; a reset removes the added ones",
        MAX_COLLECTION_BYTES >> 20,
        rows = if *is_counted { NOUNS.row.many } else { "rows" }
    )]
    Full {
        /// The collection.
        collection: Arc<str>,
        /// Whether its rows have counters.
        is_counted: bool,
    },
    /// No value of `data` has this name.
    #[error("Value {0} not found")]
    UnknownValue(Arc<str>),
    /// A part of a value cannot be set because its parent has no such part.
    #[error("{path} cannot be set: {parent} is {found}")]
    NotAPart {
        /// The part, such as `prices.BTC.high`.
        path: String,
        /// The parent.
        parent: String,
        /// A description of the parent, such as "a number".
        found: String,
    },
    /// The values of `data` would exceed [`MAX_COLLECTION_BYTES`].
    #[error("The values of data would take more than {} MiB", MAX_COLLECTION_BYTES >> 20)]
    ValuesTooLarge,
    /// A numeric field of a row would leave the range of numbers.
    #[error("Field {field} would be out of range")]
    Overflow {
        /// The field's name.
        field: String,
    },
    /// A change of a row has another id than the row.
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
    /// An answer has a header that HTTP does not allow, and no expression to point at.
    #[error("{0}")]
    BadAnswer(Box<Refusal>),
    /// No fault has this number or name.
    #[error("Fault {0} not found")]
    UnknownFault(String),
    /// A fault already has this name.
    #[error("Fault {0} already exists; change it or remove it first")]
    FaultExists(String),
    /// There are already [`MAX_FAULTS`] faults.
    #[error("There are already {MAX_FAULTS} faults; remove one first")]
    TooManyFaults,
    /// The member has already joined [`MAX_TOPICS`] topics.
    #[error("Already joined {MAX_TOPICS} topics; leave one first")]
    TooManyTopics,
    /// The member already has [`MAX_TOPICS`] memberships; a topic may be joined several times.
    #[error("Already has {MAX_TOPICS} memberships; leave one first")]
    TooManyMemberships,
    /// The text of a fault cannot be parsed here, although the server that sent it could: the servers differ.
    #[error("The fault cannot be parsed: {0}")]
    UnreadableFault(String),
    /// The text of steps cannot be parsed here, although the server that sent it could: the servers differ.
    #[error("The steps cannot be parsed: {0}")]
    UnreadableSteps(String),
    /// The route was removed after the request arrived.
    #[error("Route `{0}` no longer exists")]
    UnknownRoute(Arc<str>),
    /// No answer of a route matches the request.
    #[error(
        "No answer of {route} matches the request{}",
        .nearest.as_ref().map(|nearest| format!("; the nearest is {nearest}")).unwrap_or_default()
    )]
    NoAnswer {
        /// The route's key.
        route: Arc<str>,
        /// The closest answer and why it does not match; `None` if the route has no answers.
        nearest: Option<String>,
    },
    /// The query of a list cannot be parsed.
    #[error("{0}")]
    Query(ListError),
    /// An expression failed.
    #[error("{0}")]
    Expression(Box<RunError>),
    /// The request requires a body and has none.
    #[error("The request has no body")]
    NoBody,
    /// A value has the wrong type.
    #[error("{} must be {expected}, found {found}", capitalised(what))]
    WrongValue {
        /// What the value is for.
        what: String,
        /// The expected type.
        expected: &'static str,
        /// The value, shortened if it is long.
        found: String,
    },
    /// The endpoint was removed after the handshake.
    #[error("Endpoint `{0}` no longer exists")]
    UnknownEndpoint(Arc<str>),
    /// The `conn` of a socket would exceed its maximum size.
    #[error("`conn` would take more than {MAX_MEMORY_BYTES} bytes")]
    MemoryTooLarge,
    /// A value cannot be encoded in the socket's protocol.
    #[error("{0}")]
    Codec(CodecError),
    /// A client violated the protocol of its socket, which is closed.
    #[error("The socket is closed, because its client violated the protocol: {0}")]
    Violation(String),
    /// A step requires a member, and the rule has none.
    #[error("The step needs a socket or a stream, and the rule has neither")]
    NoMember,
    /// A rule carries out too many steps at one time.
    #[error("More than {MAX_STEPS} steps at one moment")]
    TooManySteps,
    /// Too many lists of steps are scheduled.
    #[error("More than {MAX_SCHEDULED} lists of steps are scheduled")]
    TooManyScheduled,
    /// Too many triggers set each other off.
    #[error("More than {MAX_TRIGGERED} triggers set each other off, the last one on topic `{0}`")]
    TooManyTriggers(Arc<str>),
    /// A script that repeats forever takes no time.
    #[error("`{0}` takes no time and would repeat forever")]
    InstantRepeat(Arc<str>),
    /// One of several changes is refused, so none is applied.
    #[error("Change {} is refused, so none is applied: {refusal}", index + 1)]
    At {
        /// The change's index.
        index: usize,
        /// Why.
        refusal: Box<Refusal>,
    },
}

/// The category of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// The target of the change does not exist.
    Missing,
    /// The name or id is taken, or the maximum number is reached.
    Taken,
    /// The change exceeds a size limit.
    TooLarge,
    /// The request is wrong.
    Wrong,
    /// The scenario's steps are wrong, regardless of the request.
    Defect,
    /// Too much happens at once.
    Overload,
    /// The servers of a world differ.
    Disagreement,
}

impl Refusal {
    /// The category of the refusal.
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
            | Self::Violation(_)
            | Self::WrongValue { .. } => RefusalKind::Wrong,
            Self::Expression(_)
            | Self::BadAnswer(_)
            | Self::NoMember
            | Self::Codec(_)
            | Self::MemoryTooLarge
            | Self::TooManySteps
            | Self::InstantRepeat(_) => RefusalKind::Defect,
            Self::TooManyScheduled | Self::TooManyTriggers(_) => RefusalKind::Overload,
            Self::UnreadableFault(_) | Self::UnreadableSteps(_) => RefusalKind::Disagreement,
        }
    }

    /// Whether the scenario is at fault rather than a request.
    #[must_use]
    pub fn is_defect_of_scenario(&self) -> bool {
        matches!(self.kind(), RefusalKind::Defect | RefusalKind::Overload)
    }

    /// Creates the refusal of a value that has the wrong type.
    pub(super) fn wrong_value(what: &str, expected: &'static str, found: &Value) -> Self {
        const MAX_BYTES: usize = 60;
        let mut found = found.to_string();
        if found.len() > MAX_BYTES {
            found.truncate(found.floor_char_boundary(MAX_BYTES));
            found.push('…');
        }
        Self::WrongValue { what: what.to_owned(), expected, found }
    }

    /// Adapts the refusal of an undefined value to a value that must be a list.
    pub(super) fn of_list(self) -> Self {
        match self {
            Self::Expression(mut error) if error.kind == RunErrorKind::Undefined => {
                error.kind = RunErrorKind::UndefinedList;
                Self::Expression(error)
            }
            other => other,
        }
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

/// The row that a [`Refusal`] names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowName {
    /// Its id.
    pub id: Arc<str>,
    /// Its collection, if the row has no counter. Ids of rows with counters are unique across collections.
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
