//! Changes from outside: posted steps, and data that is set as a whole.

use std::collections::HashSet;
use std::sync::Arc;

use serde::de::Deserializer;
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::context::Context;
use super::firing::Firing;
use super::origin::RuleOrigin;
use super::rows::text_id;
use super::runs::RunOwner;
use crate::engine::Engine;
use crate::engine::command::Command;
use crate::engine::event::Event;
use crate::engine::refusal::Refusal;
use crate::scenario::{RowVerb, Scenario, Source, StepList, parse_steps};

/// Steps that were parsed here, or their text as another server sent it.
#[derive(Debug, Clone)]
pub enum StepsText {
    /// The parsed steps.
    Parsed(StepList),
    /// The list as JSON, to be parsed against the current scenario.
    Written(Value),
}

impl StepsText {
    pub(super) fn parse(self, scenario: &Scenario) -> Result<StepList, Refusal> {
        let written = match self {
            Self::Parsed(steps) => return Ok(steps),
            Self::Written(written) => written,
        };
        let text = json!({ "do": written }).to_string();
        let unreadable = |problems: Box<crate::scenario::Problems>| Refusal::UnreadableSteps(problems.to_string());
        parse_steps(&Source::new("steps", &text), scenario).map_err(unreadable)
    }
}

impl Serialize for StepsText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Parsed(steps) => steps.source().serialize(serializer),
            Self::Written(written) => written.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for StepsText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(Self::Written)
    }
}

impl Engine {
    /// Runs posted steps, all or none. The world owns the delayed steps.
    ///
    /// # Errors
    /// [`Refusal`] if a step that is due now is refused. Nothing has changed in that case.
    pub(in crate::engine) fn post_steps(&mut self, steps: StepsText, events: &mut Vec<Event>) -> Result<(), Refusal> {
        let steps = steps.parse(&self.scenario)?;
        self.fire_rule(RuleOrigin::Posted, RunOwner::World, events, |firing| {
            firing.run_list(&steps, &mut Context::default())
        })
    }

    /// Sets values of `data` and replaces the rows of its collections, all or none. Rows missing from a new list are
    /// removed, and identical rows are left unchanged.
    ///
    /// # Errors
    /// [`Refusal`] if a name is unknown or a collection does not accept a row. Nothing has changed in that case.
    pub(in crate::engine) fn set_data(
        &mut self,
        data: Map<String, Value>,
        events: &mut Vec<Event>,
    ) -> Result<(), Refusal> {
        self.fire_rule(RuleOrigin::Posted, RunOwner::World, events, |firing| {
            for (name, value) in data {
                let is_collection = firing.engine.collections.get(&name).is_some_and(|rows| !rows.is_counted());
                if is_collection {
                    firing.set_rows(&name.into(), value)?;
                } else {
                    firing.command(Command::SetValue { name: name.into(), keys: Vec::new(), value })?;
                }
            }
            Ok(())
        })
    }
}

impl Firing<'_> {
    fn set_rows(&mut self, collection: &Arc<str>, rows: Value) -> Result<(), Refusal> {
        let rows = match rows {
            Value::Array(rows) => rows,
            other => return Err(Refusal::wrong_value(&format!("`{collection}`"), "a list of rows", &other)),
        };
        let Some(present) = self.engine.collections.get(collection) else {
            return Err(Refusal::UnknownCollection(collection.clone()));
        };
        let mut named = HashSet::new();
        for id in rows.iter().filter_map(|row| row.get("id").and_then(text_id)) {
            if named.contains(&id) {
                return Err(Refusal::DuplicateRow(present.name_of(&id)));
            }
            named.insert(id);
        }
        let ids = present.rows().iter().map(|row| row.id().clone());
        let unnamed: Vec<Arc<str>> = ids.filter(|id| !named.contains(&**id)).collect();
        for id in unnamed {
            self.change_row(RowVerb::Remove, collection, Value::from(&*id))?;
        }
        for row in rows {
            let id = row.get("id").and_then(text_id);
            let found = id.and_then(|id| Some(self.engine.collections.get(collection)?.row(&id)?.to_json()));
            match found {
                Some(same) if same == row => {}
                Some(_) => drop(self.change_row(RowVerb::Replace, collection, row)?),
                None => drop(self.change_row(RowVerb::Add, collection, row)?),
            }
        }
        Ok(())
    }
}
