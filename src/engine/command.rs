//! Commands: the changes that clients, the control API and timelines request of an engine, as data, and their effects.
//!
//! A command is atomic: it is carried out completely or not at all, by [`Engine::apply`] for a client and by
//! [`Engine::advance`] when a timeline fires it. Commands are serialisable: the log of a shared world holds the
//! commands of its clients, and every server of that world applies them in log order.

mod fault_text;
mod increment;
mod rows;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use fault_text::FaultText;

use super::Engine;
use super::codec::SessionOptions;
use super::counters::CounterChange;
use super::event::{Closing, Event, EventKind};
use super::fault::FaultSource;
use super::frame::Frame;
use super::refusal::{MAX_TOPICS, Refusal};
use super::rule::{Answered, HandledMessage, RuleRequest, StepsText};
use super::state::whole_row;
use super::topics::Topic;
use crate::scenario::{CrudOperation, Row};

/// A requested change.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names are self-explanatory")]
pub enum Command {
    /// Adds an amount to a row's counter.
    Count {
        id: Arc<str>,
        amount: i64,
    },
    /// Adds each amount to its row's counter, in order.
    CountAll {
        amounts: Vec<(Arc<str>, i64)>,
    },
    SetCounter {
        id: Arc<str>,
        value: i64,
    },
    /// Sets each row's counter, in order.
    SetCounters {
        values: Vec<(Arc<str>, i64)>,
    },
    /// Adds a row to a collection. If the id is empty, the collection generates one; in a collection without counters,
    /// a client may set it with the property `id`.
    AddRow {
        collection: Arc<str>,
        #[serde(with = "whole_row")]
        row: Arc<Row>,
        /// Whether the initial value is reported as an event too.
        announce: bool,
    },
    /// Sets some fields of a row: each field replaces the one of that name, and a null is a value. The id and the value
    /// stay.
    MergeRow {
        collection: Arc<str>,
        id: Arc<str>,
        /// May include the id.
        fields: Map<String, Value>,
    },
    /// Replaces the fields of a row. The id and the value stay.
    ReplaceRow {
        collection: Arc<str>,
        id: Arc<str>,
        /// The complete fields; may include the id.
        fields: Map<String, Value>,
    },
    /// Adds to numeric fields of a row, all or none. A missing field counts as 0.
    IncrementRow {
        collection: Arc<str>,
        id: Arc<str>,
        /// The amounts by field name; may include the id.
        amounts: Map<String, Value>,
    },
    RemoveRow {
        /// The row's collection; `None` for any collection with counters.
        collection: Option<Arc<str>>,
        id: Arc<str>,
    },
    /// Sets a value of `data`, or a part of it. Missing parent objects are created.
    SetValue {
        name: Arc<str>,
        /// The path to the part; an array index is written in digits.
        keys: Vec<Arc<str>>,
        value: Value,
    },
    /// Adds a fault. Its times count from now.
    AddFault {
        fault: FaultText,
    },
    /// Replaces the fault with this number or name and restarts it.
    ChangeFault {
        name: String,
        fault: FaultText,
    },
    /// Removes the fault with this number or name.
    RemoveFault {
        name: String,
    },
    ClearFaults,
    /// Joins a member to topics; topics already joined are skipped. Joining and leaving produce no events.
    Join {
        member: u64,
        topics: Vec<Topic>,
    },
    /// Removes a member from those of the topics that it has joined.
    Leave {
        member: u64,
        topics: Vec<Topic>,
    },
    /// Removes a member from every topic.
    LeaveAll {
        member: u64,
    },
    /// Sends a frame once to each member of any of the topics, except to one member if given.
    Send {
        to: Vec<Topic>,
        frame: Frame,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        except: Option<u64>,
    },
    /// Reports that a socket has opened; runs its endpoint's opening steps.
    Open {
        member: u64,
        /// The endpoint's key.
        endpoint: Arc<str>,
        /// The handshake.
        request: Box<RuleRequest>,
        options: SessionOptions,
    },
    /// Reports a frame from a socket's client.
    Receive {
        member: u64,
        frame: Frame,
    },
    /// Reports that the time for a socket's client to connect has passed, by the machine's clock: see
    /// [`time_to_connect`](super::codec::time_to_connect).
    Overdue {
        member: u64,
    },
    /// Closes sockets and ends streams.
    Disconnect {
        members: Vec<u64>,
        /// The close frame; `None` if connections are reset. Streams have none.
        closing: Option<Closing>,
    },
    /// Reports that the connection of a socket or a stream has ended. A socket that was open until then leaves every
    /// topic, and its endpoint's `closed` steps run.
    Close {
        member: u64,
    },
    /// Carries out steps sent by a client, all or none.
    Steps {
        steps: StepsText,
    },
    /// Sets values of `data` and the rows of its collections, all or none.
    SetData {
        data: Map<String, Value>,
    },
    /// Runs a route's steps and computes its answer to a request.
    Answer {
        /// The route's key.
        key: Arc<str>,
        /// The CRUD operation that the route performs.
        crud: Option<CrudOperation>,
        request: Box<RuleRequest>,
        /// The member that receives the stream, if one starts.
        member: Option<u64>,
    },
}

/// The origin of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CommandSource {
    /// A timeline. Its commands were checked when the scenario was loaded, and the scenario bounds their number.
    Timeline,
    /// A client.
    Api,
    /// A rule, fired by a client, the clock or another rule.
    Rule,
}

impl From<CommandSource> for FaultSource {
    fn from(source: CommandSource) -> Self {
        match source {
            CommandSource::Timeline | CommandSource::Rule => Self::Script,
            CommandSource::Api => Self::Api,
        }
    }
}

/// The effects of a command.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Effects {
    /// The events, in order.
    pub events: Vec<Event>,
    /// The number of the added or changed fault.
    pub fault: Option<u64>,
    /// The answer of a route.
    pub answer: Option<Answered>,
    /// The client's messages and how rules handled them, in order.
    pub messages: Vec<HandledMessage>,
}

impl Command {
    /// Creates a command that adds an amount to a row's counter.
    #[must_use]
    pub fn count(id: &str, amount: i64) -> Self {
        Self::Count { id: id.into(), amount }
    }

    /// Creates a command that adds a row with these fields to a collection, as a client does. Without an id in the
    /// fields, the collection generates one. The value is 0.
    #[must_use]
    pub fn add_row(collection: &str, fields: Map<String, Value>) -> Self {
        let row = Arc::new(Row::new(Arc::default(), fields));
        Self::AddRow { collection: collection.into(), row, announce: false }
    }

    /// Whether the command's times count from the moment it is applied.
    pub(crate) fn starts_a_timeline(&self) -> bool {
        matches!(
            self,
            Self::AddFault { .. }
                | Self::ChangeFault { .. }
                | Self::Answer { .. }
                | Self::Steps { .. }
                | Self::Open { .. }
                | Self::Receive { .. }
                | Self::Overdue { .. }
                | Self::Disconnect { .. }
                | Self::Close { .. }
        )
    }

    /// Whether the command changes which faults are active.
    pub(crate) fn changes_faults(&self) -> bool {
        matches!(self, Self::AddFault { .. } | Self::ChangeFault { .. } | Self::RemoveFault { .. } | Self::ClearFaults)
    }
}

impl Engine {
    /// Carries out a client's command at the engine's time.
    ///
    /// # Errors
    /// [`Refusal`] if the command cannot be carried out. Nothing has changed then.
    pub fn apply(&mut self, command: Command) -> Result<Effects, Refusal> {
        let mut events = Vec::new();
        let outcome = self.carry_out(command, CommandSource::Api, &mut events)?;
        self.end_closed_sockets(&mut events);
        self.react(&mut events, 0);
        Ok(Effects { events, ..outcome })
    }

    /// Carries out a command, appends its events to `events` and returns its other effects.
    ///
    /// # Errors
    /// [`Refusal`] if the command cannot be carried out. Nothing has changed then, and no event was added.
    pub(super) fn carry_out(
        &mut self,
        command: Command,
        source: CommandSource,
        events: &mut Vec<Event>,
    ) -> Result<Effects, Refusal> {
        let (mut changed_fault, from) = (None, events.len());
        match command {
            Command::Steps { steps } => return self.post_steps(steps, events).map(|()| Effects::default()),
            Command::SetData { data } => return self.set_data(data, events).map(|()| Effects::default()),
            Command::Answer { key, crud, request, member } => {
                // `answer` has already delivered the effects of the steps.
                let answer = self.answer(&key, crud, *request, member, events)?;
                return Ok(Effects { answer: Some(answer), ..Effects::default() });
            }
            Command::Count { id, amount } => events.push(self.change_counter(&id, CounterChange::Add(amount))?),
            Command::CountAll { amounts } => self.change_counters(&amounts, CounterChange::Add, events)?,
            Command::SetCounter { id, value } => events.push(self.change_counter(&id, CounterChange::Set(value))?),
            Command::SetCounters { values } => self.change_counters(&values, CounterChange::Set, events)?,
            Command::AddRow { collection, row, announce } => {
                let row = self.accepted(&collection, row, source)?;
                self.add_row(collection, row, announce, events);
            }
            Command::MergeRow { collection, id, fields } => events.push(self.merge_row(&collection, &id, fields)?),
            Command::ReplaceRow { collection, id, fields } => {
                events.push(self.replace_row(&collection, &id, fields)?);
            }
            Command::IncrementRow { collection, id, amounts } => {
                events.push(self.increment_row(&collection, &id, amounts)?);
            }
            Command::RemoveRow { collection, id } => events.push(self.remove_row(collection.as_deref(), id)?),
            Command::SetValue { name, keys, value } => {
                let set = self.values.set(&name, &keys, value)?;
                events.push(self.event(set));
            }
            Command::AddFault { fault } => {
                let fault = fault.parse(&self.scenario)?;
                if source != CommandSource::Timeline {
                    self.expect_room_for(&fault)?;
                }
                changed_fault = Some(self.add_fault(fault, source.into(), events));
            }
            Command::ChangeFault { name, fault } => {
                let fault = fault.parse(&self.scenario)?;
                let index = self.fault_index(&name)?;
                let id = self.faults[index].id();
                self.expect_free_name(fault.name(), Some(id))?;
                events.extend(self.change_fault(index, fault));
                changed_fault = Some(id);
            }
            Command::RemoveFault { name } => events.extend(self.remove_fault(self.fault_index(&name)?)),
            Command::ClearFaults => events.extend(self.clear_faults()),
            Command::Join { member, topics } => self.join(member, &topics)?,
            Command::Leave { member, topics } => topics.iter().for_each(|topic| self.topics.leave(member, topic)),
            Command::LeaveAll { member } => {
                self.leave_all(member);
            }
            Command::Send { to, frame, except } => {
                events.push(self.event(EventKind::Sent { topics: to.into(), frame, except }));
            }
            Command::Open { member, endpoint, request, options } => {
                return self.open_socket(member, &endpoint, *request, options, events);
            }
            Command::Receive { member, frame } => return Ok(self.receive(member, frame, events)),
            Command::Overdue { member } => {
                self.connect_timeout_expired(member, events);
                return Ok(Effects::default());
            }
            Command::Disconnect { members, closing } => {
                for member in members {
                    if self.endpoint_of(member).is_some() {
                        self.close_member(member, closing.clone(), events);
                    } else {
                        self.disconnect_stream(member, events);
                    }
                }
                return Ok(Effects::default());
            }
            Command::Close { member } => {
                self.remove_member(member, events);
                return Ok(Effects::default());
            }
        }
        self.deliver(events, from);
        if source != CommandSource::Rule {
            self.end_operations(events);
        }
        Ok(Effects { fault: changed_fault, ..Effects::default() })
    }

    fn join(&mut self, member: u64, topics: &[Topic]) -> Result<(), Refusal> {
        let new: BTreeSet<&Topic> = topics.iter().filter(|topic| !self.topics.has_joined(member, topic)).collect();
        if self.topics.joined(member).count() + new.len() > MAX_TOPICS {
            return Err(Refusal::TooManyTopics);
        }
        for topic in new {
            self.topics.join(member, topic);
        }
        Ok(())
    }

    pub(super) fn change_counter(&mut self, id: &str, change: CounterChange) -> Result<Event, Refusal> {
        let changed = self.counters.change(id, change, self.sequence + 1);
        let changed = changed.map_err(|refusal| self.collections.clarified(refusal))?;
        let event = changed.event(self.sequence + 1, self.now);
        self.sequence += 1;
        Ok(event)
    }

    fn change_counters(
        &mut self,
        changes: &[(Arc<str>, i64)],
        kind: fn(i64) -> CounterChange,
        events: &mut Vec<Event>,
    ) -> Result<(), Refusal> {
        let before = events.len();
        events.reserve(changes.len());
        let mut applied = Vec::with_capacity(changes.len());
        for (index, (id, amount)) in changes.iter().enumerate() {
            let sequence = self.sequence + 1 + index as u64;
            match self.counters.change(id, kind(*amount), sequence) {
                Ok(value) => {
                    events.push(value.event(sequence, self.now));
                    applied.push(value.applied);
                }
                Err(refusal) => {
                    applied.into_iter().rev().for_each(|one| self.counters.revert(one));
                    events.truncate(before);
                    return Err(Refusal::At { index, refusal: Box::new(self.collections.clarified(refusal)) });
                }
            }
        }
        self.sequence += changes.len() as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
