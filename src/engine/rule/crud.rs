//! REST operations on a collection.

use std::sync::Arc;

use percent_encoding::utf8_percent_encode;
use serde_json::{Map, Value};

use super::AnsweredContent;
use super::answer::{Reader, Renders};
use super::context::Context;
use super::firing::Firing;
use super::rows::text_id;
use crate::engine::collections::RowSet;
use crate::engine::listing::{ListQuery, QueryNote, query_pairs};
use crate::engine::refusal::Refusal;
use crate::engine::rule::reading::Reading;
use crate::scenario::{Crud, CrudOperation, NOT_IN_SEGMENT, RowVerb};

/// The result of an operation, before the status and headers of the answer are applied.
#[derive(Debug)]
pub(super) struct CrudOutcome {
    pub(super) status: Option<u16>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) content: AnsweredContent,
    /// Notes on query parameters of a list that have no effect.
    pub(super) query_notes: Vec<QueryNote>,
}

impl CrudOutcome {
    /// Creates an outcome with neither status nor headers.
    pub(super) fn of(content: AnsweredContent) -> Self {
        Self { status: None, headers: Vec::new(), content, query_notes: Vec::new() }
    }

    fn json(value: Value) -> Self {
        Self::of(AnsweredContent::Json(value))
    }
}

/// Runs an operation that only reads.
pub(super) fn read(
    crud: &Crud,
    operation: CrudOperation,
    reader: &mut Reader<'_>,
    context: &Context,
    url: &str,
) -> Result<CrudOutcome, Refusal> {
    let rows = rows_of(reader.reading, crud)?;
    match operation {
        CrudOperation::Get => get(&rows, context),
        _ => list(crud, &rows, reader, context, url),
    }
}

fn rows_of(reading: Reading<'_>, crud: &Crud) -> Result<Arc<RowSet>, Refusal> {
    reading.collections.shared(&crud.collection).ok_or_else(|| Refusal::UnknownCollection(crud.collection.clone()))
}

fn get(rows: &RowSet, context: &Context) -> Result<CrudOutcome, Refusal> {
    let id = path_id(context);
    let row = rows.row(&id).ok_or_else(|| rows.unknown(&id))?;
    Ok(CrudOutcome::json(row.to_json()))
}

fn list(
    crud: &Crud,
    rows: &RowSet,
    renders: &mut impl Renders,
    context: &Context,
    url: &str,
) -> Result<CrudOutcome, Refusal> {
    let none = Map::new();
    let query = context.get("query").and_then(Value::as_object).unwrap_or(&none);
    let query = ListQuery::new(query_pairs(query), &crud.query).map_err(Refusal::Query)?;
    let page = query.list(rows.rows().iter());
    let query_notes = query.notes(rows.rows(), &page, crud);
    let items = Value::Array(page.rows.iter().map(|row| row.to_json()).collect());
    let mut headers = vec![("x-total-count".to_owned(), page.total.to_string())];
    headers.extend(page.link(url, &crud.query.page).map(|link| ("link".to_owned(), link)));
    let body = match &crud.list {
        None => items,
        Some(template) => {
            let numbers =
                [("total", page.total), ("page", page.page), ("per_page", page.per_page), ("pages", page.pages)];
            let mut context = context.clone().with("items", items);
            for (name, number) in numbers {
                context.set(name, Value::from(number));
            }
            renders.required(template, &context)?
        }
    };
    Ok(CrudOutcome { headers, query_notes, ..CrudOutcome::json(body) })
}

fn path_id(context: &Context) -> String {
    let id = context.get("path").and_then(|path| path.get("id"));
    id.and_then(text_id).unwrap_or_default()
}

impl Firing<'_> {
    pub(super) fn crud(
        &mut self,
        crud: &Crud,
        operation: CrudOperation,
        context: &Context,
        url: &str,
    ) -> Result<CrudOutcome, Refusal> {
        let collection = &crud.collection;
        if operation == CrudOperation::List || operation == CrudOperation::Get {
            let rows = rows_of(self.engine.reading(), crud)?;
            return match operation {
                CrudOperation::Get => get(&rows, context),
                _ => list(crud, &rows, self, context, url),
            };
        }
        if operation == CrudOperation::Remove {
            let row = self.change_row(RowVerb::Remove, collection, path_id(context).into())?;
            return Ok(CrudOutcome::json(Arc::unwrap_or_clone(row)));
        }
        let mut fields = match context.get("body") {
            Some(Value::Object(fields)) => fields.clone(),
            None => return Err(Refusal::NoBody),
            other => return Err(Refusal::wrong_value("the body", "a JSON object", other.unwrap_or(&Value::Null))),
        };
        if operation == CrudOperation::Add {
            for (field, value) in self.defaults(crud, context)? {
                fields.entry(field).or_insert(value);
            }
            accept(crud, &fields, |_| true)?;
            let row = self.change_row(RowVerb::Add, collection, Value::Object(fields))?;
            let id = row.get("id").and_then(text_id).unwrap_or_default();
            let path = url.split('?').next().unwrap_or_default().trim_end_matches('/');
            let location = format!("{path}/{}", utf8_percent_encode(&id, NOT_IN_SEGMENT));
            let headers = vec![("location".to_owned(), location)];
            return Ok(CrudOutcome { status: Some(201), headers, ..CrudOutcome::json(Arc::unwrap_or_clone(row)) });
        }
        let id = path_id(context);
        if let Some(own) = fields.get("id")
            && text_id(own).as_ref() != Some(&id)
        {
            return Err(Refusal::FixedId(id.into()));
        }
        let (verb, is_partial) = match operation {
            CrudOperation::Merge => (RowVerb::Merge, true),
            _ => (RowVerb::Replace, false),
        };
        // A merge checks only the fields it contains.
        accept(crud, &fields, |field| !is_partial || fields.contains_key(field))?;
        fields.insert("id".into(), id.into());
        let row = self.change_row(verb, collection, Value::Object(fields))?;
        Ok(CrudOutcome::json(Arc::unwrap_or_clone(row)))
    }

    fn defaults(&mut self, crud: &Crud, context: &Context) -> Result<Map<String, Value>, Refusal> {
        let Some(template) = &crud.defaults else { return Ok(Map::new()) };
        match self.required(template, context)? {
            Value::Object(defaults) => Ok(defaults),
            other => Err(Refusal::wrong_value("`defaults`", "a mapping", &other)),
        }
    }
}

/// Checks a row sent by a client against the declared fields.
fn accept(crud: &Crud, row: &Map<String, Value>, is_checked: impl Fn(&str) -> bool) -> Result<(), Refusal> {
    for (field, rule) in crud.fields.iter().filter(|(field, _)| is_checked(field)) {
        match row.get(field) {
            Some(value) if !rule.allows(value) => {
                return Err(Refusal::Field { field: field.clone(), expected: rule.describe() });
            }
            None if !rule.optional() => return Err(Refusal::MissingField(field.clone())),
            _ => {}
        }
    }
    Ok(())
}
