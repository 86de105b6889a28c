//! Operations of a rule's steps on rows.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::context::Context;
use super::firing::Firing;
use crate::engine::command::Command;
use crate::engine::refusal::Refusal;
use crate::expression::Template;
use crate::scenario::{Row, RowVerb};

impl Firing<'_> {
    pub(super) fn rows(
        &mut self,
        verb: RowVerb,
        rows: &[(Arc<str>, Template)],
        context: &Context,
    ) -> Result<Option<Arc<Value>>, Refusal> {
        if let [(collection, template)] = rows {
            return self.row(verb, collection, template, context).map(Some);
        }
        self.all_or_none(|firing| {
            let mut last = None;
            for (collection, template) in rows {
                last = Some(firing.row(verb, collection, template, context)?);
            }
            Ok(last)
        })
    }

    fn row(
        &mut self,
        verb: RowVerb,
        collection: &Arc<str>,
        template: &Template,
        context: &Context,
    ) -> Result<Arc<Value>, Refusal> {
        let value = self.required(template, context)?;
        self.change_row(verb, collection, value)
    }

    /// Changes a row and returns it: the new row, or the removed one.
    pub(super) fn change_row(
        &mut self,
        verb: RowVerb,
        collection: &Arc<str>,
        value: Value,
    ) -> Result<Arc<Value>, Refusal> {
        let collection = collection.clone();
        if let RowVerb::Remove = verb {
            let id = text_id(&value).ok_or_else(|| Refusal::wrong_value("an id", "text or an integer", &value))?;
            let (_, row) = self.engine.collections.find(&collection, &id)?;
            let row = Arc::new(row.to_json());
            self.command(Command::RemoveRow { collection: Some(collection), id: id.into() })?;
            return Ok(row);
        }
        let mut fields = match value {
            Value::Object(fields) => fields,
            other => return Err(Refusal::wrong_value("a row", "a mapping", &other)),
        };
        if let RowVerb::Add = verb {
            let row = new_row(fields)?;
            self.command(Command::AddRow { collection: collection.clone(), row: Arc::new(row), announce: true })?;
            let id = self.events.iter().rev().find_map(|event| event.added_row().cloned());
            let id = id.ok_or_else(|| Refusal::UnknownCollection(collection.clone()))?;
            return self.row_of(&collection, &id);
        }
        let id = fields.get("id").cloned().unwrap_or_default();
        let id: Arc<str> =
            text_id(&id).ok_or_else(|| Refusal::wrong_value("the row's id", "text or an integer", &id))?.into();
        let (of, row) = (collection.clone(), id.clone());
        self.command(match verb {
            RowVerb::Merge => Command::MergeRow { collection, id, fields },
            RowVerb::Replace => Command::ReplaceRow { collection, id, fields },
            _ => {
                fields.shift_remove("id");
                Command::IncrementRow { collection, id, amounts: fields }
            }
        })?;
        self.row_of(&of, &row)
    }

    fn row_of(&self, collection: &str, id: &str) -> Result<Arc<Value>, Refusal> {
        self.engine.collections.find(collection, id).map(|(_, row)| Arc::new(row.to_json()))
    }
}

/// Returns an id as text. `None` if it is neither text nor an integer.
pub(super) fn text_id(id: &Value) -> Option<String> {
    match id {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) if !number.is_f64() => Some(number.to_string()),
        _ => None,
    }
}

/// Creates a row from its fields. The `id` field is optional.
fn new_row(fields: Map<String, Value>) -> Result<Row, Refusal> {
    let row = Row::new(Arc::default(), fields);
    let refusal = || {
        Refusal::wrong_value(
            "a row's id",
            "non-empty text or an integer",
            row.fields().get("id").unwrap_or(&Value::Null),
        )
    };
    row.with_own_id().ok_or_else(refusal)
}
