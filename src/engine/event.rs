//! The events of an engine: every change, numbered and timed.

use std::sync::Arc;
use std::time::Duration;

use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::collections::json_len;
use super::frame::Frame;
use super::refusal::Refusal;
use super::topics::Topic;
use crate::scenario::{MAX_REASON, Row, format_duration};

/// An event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The sequence number, which counts up from 1 without gaps over the life of the engine.
    pub sequence: u64,
    /// The time since the world's start.
    pub at: Duration,
    /// What happened.
    pub kind: EventKind,
}

/// A flat JSON object: `at` as a duration in the scenario language, `sequence`, the kind as `event`, and the kind's
/// data.
impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("at", &format_duration(self.at))?;
        map.serialize_entry("sequence", &self.sequence)?;
        match &self.kind {
            EventKind::Counted { id, collection, value, .. } => {
                map.serialize_entry("event", "total")?;
                map.serialize_entry("id", id)?;
                map.serialize_entry("category", collection)?;
                map.serialize_entry("total", value)?;
            }
            EventKind::Added { .. }
            | EventKind::Merged { .. }
            | EventKind::Replaced { .. }
            | EventKind::Removed { .. } => {
                if let Some(change) = self.row_change() {
                    change.serialize_entries(&mut map)?;
                }
            }
            EventKind::ValueSet { name, value, .. } => {
                map.serialize_entry("event", "set")?;
                map.serialize_entry("name", name)?;
                map.serialize_entry("value", value)?;
            }
            EventKind::FaultBegan { label, .. } | EventKind::FaultEnded { label, .. } => {
                let has_started = matches!(self.kind, EventKind::FaultBegan { .. });
                map.serialize_entry("event", if has_started { "fault-began" } else { "fault-ended" })?;
                map.serialize_entry("fault", label)?;
            }
            EventKind::Sent { topics, frame, .. } => {
                map.serialize_entry("event", "sent")?;
                let names: Vec<String> = topics.iter().map(ToString::to_string).collect();
                match &names[..] {
                    [topic] => map.serialize_entry("topic", topic)?,
                    topics => map.serialize_entry("topics", topics)?,
                }
                map.serialize_entry("frame", &frame.displayed())?;
            }
            EventKind::Delivered { .. } => map.serialize_entry("event", "delivered")?,
            EventKind::Member { member, .. } => {
                map.serialize_entry("event", "member")?;
                map.serialize_entry("member", member)?;
                return map.end();
            }
            EventKind::Skipped { rule, refusal } => {
                map.serialize_entry("event", "skipped")?;
                if let Some(rule) = rule {
                    map.serialize_entry("rule", rule)?;
                }
                map.serialize_entry("reason", &refusal.to_string())?;
            }
        }
        map.end()
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are self-explanatory")]
pub enum EventKind {
    /// A row's counter changed.
    Counted {
        id: Arc<str>,
        collection: Arc<str>,
        value: i64,
        /// The row, if its frames contain more than its id as text and its value.
        row: Option<Arc<Row>>,
    },
    /// A row was added at run time.
    Added { id: Arc<str>, collection: Arc<str>, is_counted: bool, row: Arc<Row> },
    /// Some fields of a row were changed.
    Merged { id: Arc<str>, collection: Arc<str>, is_counted: bool, row: Arc<Row>, before: Arc<Row> },
    /// The fields of a row were replaced.
    Replaced { id: Arc<str>, collection: Arc<str>, is_counted: bool, row: Arc<Row>, before: Arc<Row> },
    /// A row was removed.
    Removed { id: Arc<str>, collection: Arc<str>, is_counted: bool, before: Arc<Row> },
    /// A value of `data`, or a part of it, was set.
    ValueSet { name: Arc<str>, value: Arc<Value>, before: Arc<Value> },
    /// The fault with this number is active from now on, or has struck if it is momentary.
    FaultBegan { fault: u64, label: Arc<str> },
    /// The fault with this number has ended.
    FaultEnded { fault: u64, label: Arc<str> },
    /// A frame was sent to the members of topics, except for one of them.
    Sent { topics: Arc<[Topic]>, frame: Frame, except: Option<u64> },
    /// Members of these groups, except for one of them, receive a frame of the preceding event, with its number. A
    /// member of several groups receives the frame once.
    Delivered {
        groups: Vec<u64>,
        /// The topics through which the frame is delivered.
        topics: Arc<[Topic]>,
        frame: Frame,
        except: Option<u64>,
    },
    /// Something happened to a single member. The event has the number of the preceding event.
    Member { member: u64, what: MemberEvent },
    /// A scheduled action could not be carried out.
    Skipped {
        /// The name of the rule whose step was skipped; `None` for orders of a shop's scripts and generators, whose
        /// outcome is not reported.
        rule: Option<Arc<str>>,
        refusal: Refusal,
    },
}

/// An event of a single member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemberEvent {
    /// The member receives a frame.
    Reply(Frame),
    /// The member has joined a group of a topic's members.
    Joined(u64),
    /// The member has left a group.
    Left(u64),
    /// The member is closed: a socket with a close code, a stream without one.
    Closed(Option<Closing>),
    /// A step for the member could not be carried out.
    Failed {
        /// The name of the rule whose step failed: its key, and for a message also the rule's number within the
        /// endpoint.
        rule: Arc<str>,
        /// Why.
        refusal: Refusal,
    },
}

/// The close code that asks clients to reconnect: service restart (IANA, WebSocket Close Code Number Registry).
pub const SERVICE_RESTART: u16 = 1012;

/// The code and reason with which a socket is closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    /// The code (RFC 6455, 7.4).
    pub code: u16,
    /// The reason, at most 123 bytes.
    pub reason: Arc<str>,
    /// Whether the client has asked for it, in the protocol of its socket.
    pub by_client: bool,
}

impl Closing {
    /// Creates a close by the server.
    #[must_use]
    pub fn new(code: u16, reason: impl Into<Arc<str>>) -> Self {
        Self { code, reason: reason.into(), by_client: false }
    }
}

/// Shortens a reason to the length that fits in a close frame.
pub(super) fn fit_for_closing(mut reason: String) -> String {
    reason.truncate(reason.floor_char_boundary(MAX_REASON));
    reason
}

impl Event {
    /// Whether the event shares the number of another event because it only delivers to members and is not part of the
    /// history.
    #[must_use]
    pub fn is_delivery(&self) -> bool {
        matches!(self.kind, EventKind::Member { .. } | EventKind::Delivered { .. })
    }

    /// The approximate memory use in bytes: the event itself, and the row, value or frame that it introduced.
    pub(crate) fn bytes(&self) -> usize {
        let content = match &self.kind {
            EventKind::Added { row, .. } | EventKind::Merged { row, .. } | EventKind::Replaced { row, .. } => {
                json_len(row)
            }
            EventKind::ValueSet { value, .. } => json_len(value),
            EventKind::Sent { frame, .. } => frame.bytes(),
            EventKind::Counted { .. }
            | EventKind::Removed { .. }
            | EventKind::Delivered { .. }
            | EventKind::FaultBegan { .. }
            | EventKind::FaultEnded { .. }
            | EventKind::Member { .. }
            | EventKind::Skipped { .. } => 0,
        };
        size_of::<Self>() + content
    }

    /// The id of the added row.
    pub(super) fn added_row(&self) -> Option<&Arc<str>> {
        match &self.kind {
            EventKind::Added { id, .. } => Some(id),
            _ => None,
        }
    }

    /// The event as expressions see it, if it is sent to topics that scenarios name.
    pub(super) fn payload(&self) -> Option<Value> {
        match &self.kind {
            EventKind::Sent { frame, .. } => Some(frame.to_json()),
            _ => self.change_message(),
        }
    }

    /// The topics whose members receive the event.
    pub(crate) fn topics(&self) -> Vec<Topic> {
        match &self.kind {
            EventKind::Counted { collection, .. } => vec![Topic::Counters, Topic::CountersOf(collection.clone())],
            EventKind::Sent { topics, .. } => topics.to_vec(),
            EventKind::Delivered { groups, .. } => groups.iter().copied().map(Topic::Group).collect(),
            EventKind::Added { id, collection, .. }
            | EventKind::Merged { id, collection, .. }
            | EventKind::Replaced { id, collection, .. }
            | EventKind::Removed { id, collection, .. } => {
                vec![Topic::Named(collection.clone()), Topic::Named(format!("{collection}/{id}").into())]
            }
            EventKind::ValueSet { name, .. } => vec![Topic::Named(name.clone())],
            EventKind::FaultBegan { .. }
            | EventKind::FaultEnded { .. }
            | EventKind::Member { .. }
            | EventKind::Skipped { .. } => Vec::new(),
        }
    }

    /// The message about a change of a row or value that members of its topics receive: an object with `sequence`,
    /// `change`, the current `row` or `value`, and the one `before`, each null if absent. `None` for other events.
    #[must_use]
    pub fn change_message(&self) -> Option<Value> {
        let sequence = self.sequence;
        if let EventKind::ValueSet { value, before, .. } = &self.kind {
            return Some(json!({ "sequence": sequence, "change": "set", "value": value, "before": before }));
        }
        let RowChange { change, row, before, .. } = self.row_change()?;
        Some(json!({ "sequence": sequence, "change": change, "row": row, "before": before }))
    }

    fn row_change(&self) -> Option<RowChange<'_>> {
        let (change, id, collection, is_counted, row, before) = match &self.kind {
            EventKind::Added { id, collection, is_counted, row } => {
                ("added", id, collection, *is_counted, Some(row), None)
            }
            EventKind::Merged { id, collection, is_counted, row, before } => {
                ("merged", id, collection, *is_counted, Some(row), Some(before))
            }
            EventKind::Replaced { id, collection, is_counted, row, before } => {
                ("replaced", id, collection, *is_counted, Some(row), Some(before))
            }
            EventKind::Removed { id, collection, is_counted, before } => {
                ("removed", id, collection, *is_counted, None, Some(before))
            }
            _ => return None,
        };
        Some(RowChange { change, id, collection, is_counted, row, before })
    }

    /// Whether the event starts or ends a fault.
    #[must_use]
    pub fn is_fault_transition(&self) -> bool {
        matches!(self.kind, EventKind::FaultBegan { .. } | EventKind::FaultEnded { .. })
    }

    /// Whether the event changes rows that have counters.
    #[must_use]
    pub fn changes_counted_rows(&self) -> bool {
        self.row_change().is_some_and(|change| change.is_counted)
    }

    /// Whether the event changes the rows of a collection or a value of `data`.
    #[must_use]
    pub fn changes_data(&self) -> bool {
        matches!(
            self.kind,
            EventKind::Added { .. }
                | EventKind::Merged { .. }
                | EventKind::Replaced { .. }
                | EventKind::Removed { .. }
                | EventKind::ValueSet { .. }
        )
    }

    /// Whether the last event is a fault transition, after which different faults may apply.
    pub(crate) fn ends_at_fault_transition(events: &[Self]) -> bool {
        events.last().is_some_and(Self::is_fault_transition)
    }
}

/// A change of a row.
struct RowChange<'e> {
    change: &'static str,
    id: &'e Arc<str>,
    collection: &'e Arc<str>,
    is_counted: bool,
    row: Option<&'e Arc<Row>>,
    before: Option<&'e Arc<Row>>,
}

impl RowChange<'_> {
    fn serialize_entries<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry("event", self.change)?;
        if self.is_counted {
            map.serialize_entry("id", self.id)?;
            return map.serialize_entry("category", self.collection);
        }
        map.serialize_entry("id", &self.row.or(self.before).map(|row| row.id_json()))?;
        map.serialize_entry("collection", self.collection)?;
        self.row.map_or(Ok(()), |row| map.serialize_entry("row", row))
    }
}
