//! What a client or the control API wants of an engine, as data, and what comes of it.
//!
//! A command is carried out by [`Engine::apply`], as a whole or not at all. It is serialisable: a shared world's log holds
//! commands, and every server that plays the world applies them in the log's order.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::de::Deserializer;
use serde::ser::{Error as _, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Engine;
use super::counters::CounterChange;
use super::event::{Event, EventKind, MAX_COLLECTION_BYTES, MAX_FAULTS, MAX_TOPICS, Refusal};
use super::fault::FaultSource;
use super::frame::Frame;
use super::topics::Topic;
use crate::scenario::{Fault, Row, Scenario, Source, parse_fault};

/// A change.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Command {
    /// Adds an amount to a row's counter.
    Count(Arc<str>, i64),
    /// Adds each amount to its row's counter, in order.
    CountAll(Vec<(Arc<str>, i64)>),
    /// Sets each row's counter, in order.
    SetCounters(Vec<(Arc<str>, i64)>),
    /// Adds a row to a collection; its id is the collection's prefix with the next number, its value is 0.
    AddRow(Arc<str>, Map<String, Value>),
    /// Merges fields into a row (RFC 7396: a field that is null goes). Its id and its value stay.
    MergeRow {
        /// The row's collection.
        collection: Arc<str>,
        /// The row.
        id: Arc<str>,
        /// The fields, perhaps with the id.
        fields: Map<String, Value>,
    },
    /// Replaces the fields of a row. Its id and its value stay.
    ReplaceRow {
        /// The row's collection.
        collection: Arc<str>,
        /// The row.
        id: Arc<str>,
        /// All fields, perhaps with the id.
        fields: Map<String, Value>,
    },
    /// Removes a row from a collection.
    RemoveRow {
        /// The row's collection.
        collection: Arc<str>,
        /// The row.
        id: Arc<str>,
    },
    /// Adds a fault; its times count from now.
    AddFault(FaultText),
    /// Replaces the fault of that number or name, which starts over.
    ChangeFault(String, FaultText),
    /// Removes the fault of that number or name.
    RemoveFault(String),
    /// Removes all faults.
    ClearFaults,
    /// Has a member join topics. Like leaving, it makes no event.
    Join {
        /// Its id.
        member: u64,
        /// What it joins; it may have joined some of it before.
        topics: Vec<Topic>,
    },
    /// Has a member leave topics.
    Leave {
        /// Its id.
        member: u64,
        /// What it leaves, as far as it has joined it.
        topics: Vec<Topic>,
    },
    /// Has a member leave every topic.
    LeaveAll {
        /// Its id.
        member: u64,
    },
    /// Sends a frame to a topic's members.
    Send {
        /// The topic.
        to: Topic,
        /// The frame.
        frame: Frame,
    },
}

/// What a command did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Effects {
    /// What happened, in order.
    pub events: Vec<Event>,
    /// The number of the fault that was added or changed.
    pub fault: Option<u64>,
}

impl From<Vec<Event>> for Effects {
    fn from(events: Vec<Event>) -> Self {
        Self { events, fault: None }
    }
}

impl Command {
    /// Adds an amount to a row's counter.
    #[must_use]
    pub fn count(row: &str, amount: i64) -> Self {
        Self::Count(row.into(), amount)
    }

    /// Whether its times count from the moment at which it is applied.
    pub(crate) fn starts_a_timeline(&self) -> bool {
        matches!(self, Self::AddFault(_) | Self::ChangeFault(..))
    }

    /// Whether it changes which faults are in force.
    pub(crate) fn changes_faults(&self) -> bool {
        matches!(self, Self::AddFault(_) | Self::ChangeFault(..) | Self::RemoveFault(_) | Self::ClearFaults)
    }
}

/// A fault that was parsed here, or its text as another server wrote it.
#[derive(Debug, Clone)]
pub enum FaultText {
    /// The fault.
    Parsed(Arc<Fault>),
    /// Its text as JSON, to be parsed against the scenario that is played.
    Written(String),
}

impl From<Fault> for FaultText {
    fn from(fault: Fault) -> Self {
        Self::Parsed(Arc::new(fault))
    }
}

impl FaultText {
    fn parse(self, scenario: &Scenario) -> Result<Arc<Fault>, Refusal> {
        match self {
            Self::Parsed(fault) => Ok(fault),
            Self::Written(text) => match parse_fault(&Source::new("fault", &text), scenario) {
                Ok((fault, _)) => Ok(Arc::new(fault)),
                Err(problems) => Err(Refusal::UnreadableFault(problems.to_string())),
            },
        }
    }
}

impl Serialize for FaultText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Parsed(fault) => serializer.serialize_str(&serde_json::to_string(fault).map_err(S::Error::custom)?),
            Self::Written(text) => serializer.serialize_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for FaultText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::Written)
    }
}

impl Engine {
    /// Carries out a command at the engine's time.
    ///
    /// # Errors
    /// [`Refusal`]; nothing has changed then.
    pub fn apply(&mut self, command: Command) -> Result<Effects, Refusal> {
        match command {
            Command::Count(id, amount) => Ok(vec![self.change_counter(&id, CounterChange::Add(amount))?].into()),
            Command::CountAll(amounts) => self.change_counters(&amounts, CounterChange::Add).map(Effects::from),
            Command::SetCounters(values) => self.change_counters(&values, CounterChange::Set).map(Effects::from),
            Command::AddRow(collection, own) => Ok(vec![self.add_row(&collection, own)?].into()),
            Command::MergeRow { collection, id, fields } => Ok(vec![self.merge_row(&collection, &id, fields)?].into()),
            Command::ReplaceRow { collection, id, fields } => {
                Ok(vec![self.replace_row(&collection, &id, fields)?].into())
            }
            Command::RemoveRow { collection, id } => {
                self.collections.find(&collection, &id)?;
                Ok(vec![self.remove(&id)?].into())
            }
            Command::AddFault(fault) => {
                let fault = fault.parse(&self.scenario)?;
                self.sweep_faults(MAX_FAULTS);
                if self.faults.len() >= MAX_FAULTS {
                    return Err(Refusal::TooManyFaults);
                }
                self.expect_free_name(fault.name(), None)?;
                let (id, events) = self.add_fault(fault, FaultSource::Api);
                Ok(Effects { events, fault: Some(id) })
            }
            Command::ChangeFault(name, fault) => {
                let fault = fault.parse(&self.scenario)?;
                let index = self.fault_index(&name)?;
                let id = self.faults[index].id();
                self.expect_free_name(fault.name(), Some(id))?;
                Ok(Effects { events: self.change_fault(index, fault), fault: Some(id) })
            }
            Command::RemoveFault(name) => {
                let index = self.fault_index(&name)?;
                Ok(self.remove_fault(index).into())
            }
            Command::ClearFaults => Ok(self.clear_faults().into()),
            Command::Join { member, topics } => self.join(member, &topics).map(|()| Effects::default()),
            Command::Leave { member, topics } => {
                for topic in &topics {
                    self.topics.leave(member, topic);
                }
                Ok(Effects::default())
            }
            Command::LeaveAll { member } => {
                self.topics.leave_all(member);
                Ok(Effects::default())
            }
            Command::Send { to, frame } => Ok(vec![self.event(EventKind::Sent { topic: to, frame })].into()),
        }
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
        let changed = self.counters.change(id, change, self.sequence + 1)?;
        let event = changed.event(self.sequence + 1, self.now);
        self.sequence += 1;
        Ok(event)
    }

    fn change_counters(
        &mut self,
        changes: &[(Arc<str>, i64)],
        kind: fn(i64) -> CounterChange,
    ) -> Result<Vec<Event>, Refusal> {
        let (mut events, mut applied) = (Vec::with_capacity(changes.len()), Vec::with_capacity(changes.len()));
        for (index, (id, amount)) in changes.iter().enumerate() {
            let sequence = self.sequence + 1 + index as u64;
            match self.counters.change(id, kind(*amount), sequence) {
                Ok(value) => {
                    events.push(value.event(sequence, self.now));
                    applied.push(value.applied);
                }
                Err(refusal) => {
                    applied.into_iter().rev().for_each(|one| self.counters.revert(one));
                    return Err(Refusal::At { index, refusal: Box::new(refusal) });
                }
            }
        }
        self.sequence += events.len() as u64;
        Ok(events)
    }

    fn add_row(&mut self, collection: &str, own: Map<String, Value>) -> Result<Event, Refusal> {
        let row_set = self.collections.get(collection).ok_or_else(|| Refusal::UnknownCollection(collection.into()))?;
        row_set.accept(&own)?;
        if row_set.json_len() > MAX_COLLECTION_BYTES {
            return Err(Refusal::Full { collection: collection.into() });
        }
        let row = self.numbered(row_set, &Row::new(Arc::default(), own));
        Ok(self.put_row(collection, Arc::new(row)))
    }

    fn merge_row(&mut self, collection: &str, id: &str, fields: Map<String, Value>) -> Result<Event, Refusal> {
        let fields = without_id(id, fields)?;
        let (row_set, row) = self.collections.find(collection, id)?;
        let named: Vec<String> = fields.keys().cloned().collect();
        let mut own = row.own().clone();
        merge(&mut own, fields);
        // What it lacked before is not this change's fault.
        row_set.accept_fields(&own, |field| named.iter().any(|named| named == field))?;
        let (id, collection) = self.change_row(collection, id, own)?;
        Ok(self.event(EventKind::Merged { id, collection }))
    }

    fn replace_row(&mut self, collection: &str, id: &str, fields: Map<String, Value>) -> Result<Event, Refusal> {
        let own = without_id(id, fields)?;
        self.collections.find(collection, id)?.0.accept(&own)?;
        let (id, collection) = self.change_row(collection, id, own)?;
        Ok(self.event(EventKind::Replaced { id, collection }))
    }

    /// Gives a row other properties, and says what it and its collection are called.
    fn change_row(
        &mut self,
        collection: &str,
        id: &str,
        own: Map<String, Value>,
    ) -> Result<(Arc<str>, Arc<str>), Refusal> {
        let (row_set, row) = self.collections.find(collection, id)?;
        let changed = Arc::new(row.with_own(own));
        if !row_set.has_room_for(row, &changed) {
            return Err(Refusal::Full { collection: collection.into() });
        }
        let id = changed.id().clone();
        self.collections.replace(collection, changed);
        Ok((id, self.collections.name(collection).cloned().unwrap_or_default()))
    }
}

/// The fields but the id, which has to be that of the row. Ids compare as text.
fn without_id(id: &str, mut fields: Map<String, Value>) -> Result<Map<String, Value>, Refusal> {
    let is_same = match fields.shift_remove("id") {
        None => true,
        Some(Value::String(text)) => text == id,
        Some(Value::Number(number)) => number.to_string() == id,
        Some(_) => false,
    };
    if is_same { Ok(fields) } else { Err(Refusal::FixedId(id.into())) }
}

/// Merges a patch into an object (RFC 7396). What is changed keeps its place.
fn merge(target: &mut Map<String, Value>, patch: Map<String, Value>) {
    for (key, value) in patch {
        match value {
            Value::Null => drop(target.shift_remove(&key)),
            Value::Object(patch) => {
                let place = target.entry(key).or_insert(Value::Null);
                if !place.is_object() {
                    *place = Value::Object(Map::new());
                }
                if let Value::Object(target) = place {
                    merge(target, patch);
                }
            }
            value => drop(target.insert(key, value)),
        }
    }
}

#[cfg(test)]
mod tests;
