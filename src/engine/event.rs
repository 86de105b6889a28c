//! What an engine reports: every change, numbered, with its time.

use std::sync::Arc;
use std::time::Duration;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;
use thiserror::Error;

use super::frame::Frame;
use super::listing::ListError;
use super::rule::{MAX_STEPS, MAX_TRIGGERED, MAX_WAITING};
use super::topics::Topic;
use crate::expression::RunError;
use crate::scenario::{MAX_TOTAL, NOUNS, Row, format_duration};

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

/// One flat JSON object: `at` as the language writes durations, `sequence`, the kind as `event`, and its data.
impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("at", &format_duration(self.at))?;
        map.serialize_entry("sequence", &self.sequence)?;
        let (event, id, collection) = match &self.kind {
            EventKind::Counted { id, collection, .. } => ("total", id, collection),
            EventKind::Added { id, collection } => ("added", id, collection),
            EventKind::Merged { id, collection } => ("merged", id, collection),
            EventKind::Replaced { id, collection } => ("replaced", id, collection),
            EventKind::Removed { id, collection } => ("removed", id, collection),
            EventKind::FaultBegan { label, .. } | EventKind::FaultEnded { label, .. } => {
                let has_begun = matches!(self.kind, EventKind::FaultBegan { .. });
                map.serialize_entry("event", if has_begun { "fault-began" } else { "fault-ended" })?;
                map.serialize_entry("fault", label)?;
                return map.end();
            }
            EventKind::Sent { topic, frame } => {
                map.serialize_entry("event", "sent")?;
                map.serialize_entry("topic", &topic.to_string())?;
                map.serialize_entry("frame", &frame.shown())?;
                return map.end();
            }
            EventKind::Member { member, .. } => {
                map.serialize_entry("event", "member")?;
                map.serialize_entry("member", member)?;
                return map.end();
            }
            EventKind::Skipped(refusal) => {
                map.serialize_entry("event", "skipped")?;
                map.serialize_entry("reason", &refusal.to_string())?;
                return map.end();
            }
        };
        map.serialize_entry("event", event)?;
        map.serialize_entry("id", id)?;
        map.serialize_entry("category", collection)?;
        if let EventKind::Counted { value, .. } = self.kind {
            map.serialize_entry("total", &value)?;
        }
        map.end()
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum EventKind {
    /// A row's counter has a new value.
    Counted {
        id: Arc<str>,
        collection: Arc<str>,
        value: i64,
        /// The row, if its frames have more than its id as text and its value.
        row: Option<Arc<Row>>,
    },
    /// A row was added at run time.
    Added { id: Arc<str>, collection: Arc<str> },
    /// Some fields of a row have changed.
    Merged { id: Arc<str>, collection: Arc<str> },
    /// A row has other fields than before.
    Replaced { id: Arc<str>, collection: Arc<str> },
    /// A row was taken out.
    Removed { id: Arc<str>, collection: Arc<str> },
    /// The fault of that number is in force from now on, or has struck if it is momentary.
    FaultBegan { fault: u64, label: Arc<str> },
    /// The fault of that number is over.
    FaultEnded { fault: u64, label: Arc<str> },
    /// A frame was sent to the members of a topic.
    Sent { topic: Topic, frame: Frame },
    /// Something that concerns one member alone. It has the number of the event before it.
    Member { member: u64, what: MemberEvent },
    /// Something that was due could not be done.
    Skipped(Refusal),
}

/// What concerns one member alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemberEvent {
    /// It gets a frame.
    Reply(Frame),
    /// It has joined a group of a topic's members.
    Joined(u64),
    /// It has left a group.
    Left(u64),
    /// It is to be closed: a stream ends.
    Closed,
    /// A step for it could not be carried out.
    Failed(Refusal),
}

impl Event {
    /// Whether it has no number of its own: it is for some members, and for nobody who looks at what happened.
    #[must_use]
    pub fn is_delivery(&self) -> bool {
        matches!(self.kind, EventKind::Member { .. } | EventKind::Sent { topic: Topic::Group(_), .. })
    }

    /// The row that was added.
    pub(super) fn added_row(&self) -> Option<&Arc<str>> {
        match &self.kind {
            EventKind::Added { id, .. } => Some(id),
            _ => None,
        }
    }

    /// What expressions see of it, if it is sent to topics that scenarios name.
    pub(super) fn payload(&self) -> Option<Value> {
        match &self.kind {
            EventKind::Sent { frame, .. } => Some(frame.to_json()),
            _ => None,
        }
    }

    /// The topics whose members are told of it.
    pub(crate) fn topics(&self) -> Vec<Topic> {
        match &self.kind {
            EventKind::Counted { collection, .. } => vec![Topic::Counters, Topic::CountersOf(collection.clone())],
            EventKind::Sent { topic, .. } => vec![topic.clone()],
            EventKind::Added { .. }
            | EventKind::Merged { .. }
            | EventKind::Replaced { .. }
            | EventKind::Removed { .. }
            | EventKind::FaultBegan { .. }
            | EventKind::FaultEnded { .. }
            | EventKind::Member { .. }
            | EventKind::Skipped(_) => Vec::new(),
        }
    }

    /// Whether a fault has begun or ended.
    #[must_use]
    pub fn is_fault_transition(&self) -> bool {
        matches!(self.kind, EventKind::FaultBegan { .. } | EventKind::FaultEnded { .. })
    }

    /// Whether the rows of a collection are other than before.
    #[must_use]
    pub fn changes_rows(&self) -> bool {
        matches!(
            self.kind,
            EventKind::Added { .. } | EventKind::Merged { .. } | EventKind::Replaced { .. } | EventKind::Removed { .. }
        )
    }

    /// Whether the last event is a fault transition: what comes next may meet other faults.
    pub(crate) fn ends_at_fault_transition(events: &[Self]) -> bool {
        events.last().is_some_and(Self::is_fault_transition)
    }
}

/// The most bytes of a collection's rows as JSON with which clients may add another, and beyond which no row may grow.
pub const MAX_COLLECTION_BYTES: usize = 64 << 20;

/// The most faults of an engine at a time.
pub const MAX_FAULTS: usize = 1000;

/// The most topics of a member at a time.
pub const MAX_TOPICS: usize = 1000;

/// Why a change is refused; nothing has changed then.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// No row has this id at the time.
    #[error("{noun} {0} not found", noun = NOUNS.count.title)]
    UnknownRow(Arc<str>),
    /// The collection does not exist at the time.
    #[error("{noun} {0} not found", noun = NOUNS.collection.title)]
    UnknownCollection(Arc<str>),
    /// A row has the id already.
    #[error("{noun} {0} exists already", noun = NOUNS.row.title)]
    DuplicateRow(Arc<str>),
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
        rows = NOUNS.row.many
    )]
    Full {
        /// The collection.
        collection: Arc<str>,
    },
    /// A change of a row names another id.
    #[error("the id {0} cannot change")]
    FixedId(Arc<str>),
    /// A row lacks a declared field, or a field has the wrong type.
    #[error("Field {field} must be {expected}")]
    Field {
        /// The field's name.
        field: String,
        /// The declared types.
        expected: String,
    },
    /// No fault has this number or name.
    #[error("Fault {0} not found")]
    UnknownFault(String),
    /// A fault has the name already.
    #[error("Fault {0} exists already; change it, or remove it first")]
    FaultExists(String),
    /// There are enough faults.
    #[error("there are {MAX_FAULTS} faults already, remove one first")]
    TooManyFaults,
    /// A member has joined enough topics.
    #[error("joined {MAX_TOPICS} topics already, leave one first")]
    TooManyTopics,
    /// The text of a fault cannot be parsed. It was parsed where it came from: the servers differ.
    #[error("the fault cannot be read: {0}")]
    UnreadableFault(String),
    /// The route has gone since the request came.
    #[error("there is no route `{0}` any more")]
    UnknownRoute(Arc<str>),
    /// No answer of a route fits the request.
    #[error("no answer of `{route}` fits; nearest is {nearest}")]
    NoAnswer {
        /// The route's key.
        route: Arc<str>,
        /// Which answer came nearest, and why it does not fit.
        nearest: String,
    },
    /// The query of a list cannot be read.
    #[error("{0}")]
    Query(ListError),
    /// An expression fails.
    #[error("{0}")]
    Expression(Box<RunError>),
    /// A value is of the wrong kind.
    #[error("{what} must be {expected}, found {found}")]
    WrongValue {
        /// What the value is for.
        what: String,
        /// What it has to be.
        expected: &'static str,
        /// The value, shortened.
        found: String,
    },
    /// A step is about a member, and the rule has none.
    #[error("there is no socket or stream that this step is about")]
    NoMember,
    /// A rule carries out too many steps at one moment.
    #[error("more than {MAX_STEPS} steps at one moment")]
    TooManySteps,
    /// Too many lists of steps wait for their time.
    #[error("more than {MAX_WAITING} lists of steps wait for their time")]
    TooManyWaiting,
    /// Triggers set off triggers without end.
    #[error("more than {MAX_TRIGGERED} triggers set each other off, the last by topic `{0}`")]
    TooManyTriggers(Arc<str>),
    /// A script that plays for ever takes no time.
    #[error("`{0}` takes no time and would play without end")]
    InstantRepeat(Arc<str>),
    /// One of several changes is refused, and so all are.
    #[error("number {} of them is refused, and so all are: {refusal}", index + 1)]
    At {
        /// Which one, from 0.
        index: usize,
        /// Why.
        refusal: Box<Refusal>,
    },
}

impl Refusal {
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

impl From<RunError> for Refusal {
    fn from(error: RunError) -> Self {
        Self::Expression(Box::new(error))
    }
}
