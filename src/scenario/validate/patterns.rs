//! Finds strings in `match` that look like patterns, which `match` does not support.

use serde_json::Value;

use super::steps::Rules;
use crate::expression::PathStep;
use crate::scenario::problem::ProblemKind;
use crate::scenario::yaml::JsonNode;

impl Rules<'_, '_, '_> {
    /// Warns about strings that start or end with a `*`, in the JSON that `name` is compared with. A lone `*` is allowed,
    /// because it may well be meant literally.
    pub(super) fn warn_star_patterns(&mut self, name: &str, JsonNode(node): JsonNode) {
        let Some(value) = self.check.document.json(node) else { return };
        let mut found = Vec::new();
        collect_star_patterns(&value, &mut Vec::new(), &mut found);
        for (path, text) in found {
            let place = self.check.document.part_span_at(node, &path, 0..0);
            let condition = equivalent_condition(&value_expression(name, &path), text);
            self.check.report(ProblemKind::MatchesStar(condition), place);
        }
    }
}

fn collect_star_patterns<'v>(value: &'v Value, path: &mut Vec<PathStep>, found: &mut Vec<(Vec<PathStep>, &'v str)>) {
    let mut inside = |step: PathStep, value: &'v Value| {
        path.push(step);
        collect_star_patterns(value, path, found);
        path.pop();
    };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| inside(PathStep::Key(key.clone()), value)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, value)| inside(PathStep::Index(index), value));
        }
        Value::String(text) => {
            let is_pattern = !text.trim_matches('*').is_empty() && (text.starts_with('*') || text.ends_with('*'));
            if is_pattern && !text.contains("{{") && !text.starts_with('$') {
                found.push((path.clone(), text));
            }
        }
        _ => {}
    }
}

/// Returns the expression for the value at `path` inside `name`.
fn value_expression(name: &str, path: &[PathStep]) -> String {
    let is_word = |key: &str| key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !key.is_empty();
    let step = |step: &PathStep| match step {
        PathStep::Key(key) if is_word(key) => format!(".{key}"),
        PathStep::Key(key) => format!("[{}]", quoted(key)),
        PathStep::Index(index) => format!("[{index}]"),
    };
    name.to_owned() + &path.iter().map(step).collect::<String>()
}

/// Returns the condition that is equivalent to a pattern.
fn equivalent_condition(field: &str, pattern: &str) -> String {
    let text = quoted(pattern.trim_matches('*'));
    match (pattern.starts_with('*'), pattern.ends_with('*')) {
        (true, true) => format!("{text} in {field}"),
        (true, false) => format!("{field} is endingwith({text})"),
        _ => format!("{field} is startingwith({text})"),
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}
