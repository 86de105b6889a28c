//! Generates rows of `data`.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use super::super::Validator;
use super::GenerationInputs;
use super::rows::{WrittenRow, id};
use crate::expression::{Data, Language, Limits, Names, RunError, Runtime, Template};
use crate::scenario::problem::{DataMistake, Problem, ProblemKind};
use crate::scenario::raw::RawGenerate;
use crate::scenario::source::Span;
use crate::scenario::yaml::{JsonNode, NodeId};
use crate::streams::Words;

/// The maximum number of rows.
const MAX_ROWS: u64 = 1_000_000;

/// The maximum size of all rows, in approximate bytes of JSON.
const MAX_BYTES: usize = 64 << 20;

/// The fuel for the expressions of all rows. Each row gets an equal share.
const FUEL: u64 = 1_000_000_000;

/// The value of `now` if the scenario does not declare a start: 2026-01-01T00:00:00Z.
const DEFAULT_START: i64 = 1_767_225_600_000;

/// Generates the rows. Stops at the first row in which an expression fails.
pub(super) fn rows(
    name: &Arc<str>,
    raw: &RawGenerate,
    span: Span,
    inputs: GenerationInputs,
    check: &mut Validator<'_>,
) -> Option<Vec<WrittenRow>> {
    let count = check.required(raw.count.as_ref(), "`generate`", "count", span, span);
    let row = check.required(raw.row.as_ref(), "`generate`", "row", span, span);
    let ((count, count_span), (JsonNode(row), row_span)) = (count?, row?);
    if *count > MAX_ROWS {
        check.report(DataMistake::TooManyRows(MAX_ROWS).into(), count_span);
        return None;
    }
    if !check.document.expect_mapping(*row) {
        return None;
    }
    let fuel = FUEL / (*count).max(1);
    let language = Language::new(Limits { fuel: fuel.min(Limits::default().fuel), bytes: MAX_BYTES });
    let template = template(&language, *row, check)?;
    let id_span = check.document.entry(*row, "id").map_or(row_span, |id| check.document.tree().span(id));
    let mut runtime = LoadEnvironment {
        words: Some(Words::named(inputs.seed.unwrap_or_default(), &format!("data.{name}"))),
        counters: HashMap::new(),
        now: inputs.starts.unwrap_or(DEFAULT_START),
    };
    let (mut rows, mut bytes) = (Vec::new(), 0);
    for index in 0..*count {
        let rendered = template.render_required(&|_| Some(Data::from(index)), &mut runtime);
        let rendered = rendered.map_err(|error| note_failure(error, *row, check)).ok()?;
        bytes += size(&rendered);
        if bytes > MAX_BYTES {
            check.report(DataMistake::TooManyBytes(MAX_BYTES >> 20).into(), row_span);
            return None;
        }
        let Value::Object(mut fields) = rendered else { return None };
        let id = match fields.shift_remove("id").filter(|id| !id.is_null()) {
            Some(value) => Some(id(&value, id_span, check)?),
            None => None,
        };
        rows.push(WrittenRow { id, fields });
    }
    Some(rows)
}

fn template(language: &Language, row: NodeId, check: &mut Validator<'_>) -> Option<Template> {
    let written = check.document.json(row)?;
    let errors = match language.template(&written, &Names::from(["index"])) {
        Ok(template) => return Some(template),
        Err(errors) => errors,
    };
    for error in errors {
        let span = check.document.part_span_at(row, &error.place.path, error.place.range);
        let known = vec!["index".to_owned(), "now".to_owned()];
        check.report(ProblemKind::Expression { error: error.kind, known }, span);
    }
    None
}

fn note_failure(error: RunError, row: NodeId, check: &mut Validator<'_>) {
    let RunError { kind, place, expression, .. } = error;
    let span = check.document.part_span_at(row, &place.path, place.range);
    check.document.report(Problem::new(DataMistake::ExpressionFails { expression, kind }.into(), span));
}

/// Returns the approximate size of a value, in bytes of JSON.
fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() + 2,
        Value::Array(items) => items.iter().map(|item| size(item) + 1).sum::<usize>() + 2,
        Value::Object(fields) => fields.iter().map(|(key, value)| key.len() + 4 + size(value)).sum::<usize>() + 2,
        Value::Null | Value::Bool(_) | Value::Number(_) => 4,
    }
}

/// The environment of expressions while the scenario is loaded, before a world exists.
#[derive(Default)]
struct LoadEnvironment {
    words: Option<Words>,
    counters: HashMap<String, u64>,
    now: i64,
}

impl Runtime for LoadEnvironment {
    fn word(&mut self) -> u64 {
        self.words.as_mut().map_or(0, Words::next)
    }

    fn count(&mut self, counter: &str) -> u64 {
        let count = self.counters.entry(counter.to_owned()).or_default();
        *count += 1;
        *count
    }

    fn now(&self) -> i64 {
        self.now
    }

    /// Always 0: there are no members yet.
    fn joined(&self, _: &str) -> u64 {
        0
    }

    fn members(&self, _: &str) -> Vec<Value> {
        Vec::new()
    }
}
