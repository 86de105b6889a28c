//! Problems as JSON, for programs.

use serde_json::{Value, json};

use super::{Place, Places};
use crate::scenario::load::LoadError;
use crate::scenario::problem::{Problem, Problems};

/// What is wrong with a scenario as a JSON array, in the order of the files. Each problem has a `kind` that stays the
/// same when messages are reworded, the `message`, the `file`, and unless that cannot be read, `line` and `column` (from
/// 1, in characters; `endColumn` is one past the last). Where there is one, the `label` that a report writes
/// at the place, the `suggestion` of what to put there, the `help`, and
/// the place that it is `related` to.
#[must_use]
pub fn describe(error: &LoadError) -> Value {
    match error {
        LoadError::Read(error) => {
            json!([{ "kind": error.code(), "message": error.to_string(), "file": error.path().to_string_lossy() }])
        }
        LoadError::Invalid(problems) => list(problems),
    }
}

/// As [`describe`].
#[must_use]
pub fn list(problems: &Problems) -> Value {
    let places = Places::new(&problems.sources);
    problems.list.iter().map(|problem| self::problem(problem, &places)).collect()
}

fn problem(problem: &Problem, places: &Places<'_>) -> Value {
    let mut described = json!({ "kind": problem.kind.code(), "message": problem.kind.to_string() });
    if let Some(place) = places.find(problem.span) {
        for (key, value) in self::place(&place).as_object_mut().into_iter().flatten() {
            described[key] = value.take();
        }
    }
    let label = problem.kind.label();
    if !label.is_empty() {
        described["label"] = label.into();
    }
    if let Some(suggestion) = problem.kind.suggestion() {
        described["suggestion"] = suggestion.into();
    }
    if let Some(help) = problem.kind.help() {
        described["help"] = help.into();
    }
    if let Some(related) = problem.related.and_then(|span| places.find(span)) {
        described["related"] = self::place(&related);
    }
    described
}

fn place(place: &Place<'_>) -> Value {
    json!({ "file": place.path(), "line": place.line, "column": place.columns.start, "endColumn": place.columns.end })
}
