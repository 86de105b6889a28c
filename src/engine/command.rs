//! What a client, the control API or a timeline wants of an engine, as data, and what comes of it.
//!
//! A command is carried out as a whole or not at all: by [`Engine::apply`] for a client, by [`Engine::advance`] when a
//! timeline fires it. It is serialisable: a shared world's log holds what clients want, and every server that plays the world
//! applies it in the log's order.

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
use super::event::{Event, EventKind};
use super::fault::FaultSource;
use super::frame::Frame;
use super::refusal::{MAX_TOPICS, Refusal};
use super::rule::{Answered, HeardMessage, RuleRequest, StepsText};
use super::state::whole_row;
use super::topics::Topic;
use crate::scenario::{CrudOperation, Row};

/// A change.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names say it")]
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
    /// Adds a row to a collection. If its id is empty, the collection makes one; in a collection without counters, a client may
    /// give the id as the property `id`.
    AddRow {
        collection: Arc<str>,
        #[serde(with = "whole_row")]
        row: Arc<Row>,
        /// Whether the value that it starts from is an event too.
        announce: bool,
    },
    /// Merges fields into a row (RFC 7396: a field that is null goes). Its id and its value stay.
    MergeRow {
        collection: Arc<str>,
        id: Arc<str>,
        /// Perhaps with the id.
        fields: Map<String, Value>,
    },
    /// Replaces the fields of a row. Its id and its value stay.
    ReplaceRow {
        collection: Arc<str>,
        id: Arc<str>,
        /// All of them, perhaps with the id.
        fields: Map<String, Value>,
    },
    /// Adds to numbers of a row, all or none. A field that is not there counts as 0.
    IncrementRow {
        collection: Arc<str>,
        id: Arc<str>,
        /// Numbers by the names of their fields, perhaps with the id.
        amounts: Map<String, Value>,
    },
    RemoveRow {
        /// Where the row has to be; `None` for wherever a row with a counter is.
        collection: Option<Arc<str>>,
        id: Arc<str>,
    },
    /// Sets a value of `data`, or a part of it. Objects on the way that are not there are made.
    SetValue {
        name: Arc<str>,
        /// The keys that lead to the part; an index of an array is written in digits.
        keys: Vec<Arc<str>>,
        value: Value,
    },
    /// Adds a fault; its times count from now.
    AddFault {
        fault: FaultText,
    },
    /// Replaces the fault of that number or name, which starts over.
    ChangeFault {
        name: String,
        fault: FaultText,
    },
    /// Removes the fault of that number or name.
    RemoveFault {
        name: String,
    },
    ClearFaults,
    /// Has a member join topics, some of which it may have joined before. Like leaving, it makes no event.
    Join {
        member: u64,
        topics: Vec<Topic>,
    },
    /// Has a member leave topics, as far as it has joined them.
    Leave {
        member: u64,
        topics: Vec<Topic>,
    },
    /// Has a member leave every topic.
    LeaveAll {
        member: u64,
    },
    /// Sends a frame to the members of topics, but for one of them; once to each.
    Send {
        to: Vec<Topic>,
        frame: Frame,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        except: Option<u64>,
    },
    /// A socket has opened: what its endpoint does then.
    Open {
        member: u64,
        /// The endpoint's key.
        endpoint: Arc<str>,
        /// The handshake.
        request: Box<RuleRequest>,
        options: SessionOptions,
    },
    /// A frame has come from the client of a socket.
    Receive {
        member: u64,
        frame: Frame,
    },
    /// The client of a socket has had its time to connect, by the machine's clock: see
    /// [`time_to_connect`](super::codec::time_to_connect).
    Overdue {
        member: u64,
    },
    /// A socket has closed: it leaves everything, then comes what its endpoint does.
    Close {
        member: u64,
    },
    /// Carries out steps that come from outside, all or none.
    Steps {
        steps: StepsText,
    },
    /// Sets values of `data` and the rows of its collections, all or none.
    SetData {
        data: Map<String, Value>,
    },
    /// Has a route answer a request, after its steps.
    Answer {
        /// The route's key.
        key: Arc<str>,
        /// What the route is to a collection.
        crud: Option<CrudOperation>,
        request: Box<RuleRequest>,
        /// For whom a stream begins.
        member: Option<u64>,
    },
}

/// Who wants a command to be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CommandSource {
    /// A timeline. What it does was checked when the scenario was loaded, and its number is bounded by the scenario.
    Timeline,
    /// A client.
    Api,
    /// A rule, by what a client, the clock or another rule says.
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

/// What a command did.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Effects {
    /// What happened, in order.
    pub events: Vec<Event>,
    /// The number of the fault that was added or changed.
    pub fault: Option<u64>,
    /// What a route has answered.
    pub answer: Option<Answered>,
    /// The messages of a client, and what rules made of them, in order.
    pub messages: Vec<HeardMessage>,
}

impl Command {
    /// Adds an amount to a row's counter.
    #[must_use]
    pub fn count(id: &str, amount: i64) -> Self {
        Self::Count { id: id.into(), amount }
    }

    /// Adds a row of these fields to a collection, as a client does: if they have no id, the collection makes it, and its value
    /// is 0.
    #[must_use]
    pub fn add_row(collection: &str, fields: Map<String, Value>) -> Self {
        let row = Arc::new(Row::new(Arc::default(), fields));
        Self::AddRow { collection: collection.into(), row, announce: false }
    }

    /// Whether its times count from the moment at which it is applied.
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
                | Self::Close { .. }
        )
    }

    /// Whether it changes which faults are in force.
    pub(crate) fn changes_faults(&self) -> bool {
        matches!(self, Self::AddFault { .. } | Self::ChangeFault { .. } | Self::RemoveFault { .. } | Self::ClearFaults)
    }
}

impl Engine {
    /// Carries out a command of a client at the engine's time.
    ///
    /// # Errors
    /// [`Refusal`]; nothing has changed then.
    pub fn apply(&mut self, command: Command) -> Result<Effects, Refusal> {
        let mut events = Vec::new();
        let outcome = self.carry_out(command, CommandSource::Api, &mut events)?;
        self.react(&mut events, 0);
        Ok(Effects { events, ..outcome })
    }

    /// Carries out a command and adds its events to those before. Gives its other effects.
    ///
    /// # Errors
    /// [`Refusal`]; nothing has changed then, and there is no new event.
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
                // What its steps do is delivered by then.
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
                self.overdue(member, events);
                return Ok(Effects::default());
            }
            Command::Close { member } => {
                self.close_socket(member, events);
                return Ok(Effects::default());
            }
        }
        self.deliver(events, from);
        if source != CommandSource::Rule {
            self.carry_out_ends(events);
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
        let changed = changed.map_err(|refusal| self.collections.explained(refusal))?;
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
                    return Err(Refusal::At { index, refusal: Box::new(self.collections.explained(refusal)) });
                }
            }
        }
        self.sequence += changes.len() as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
