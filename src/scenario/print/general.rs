//! The sections other than the shop's: data as loaded or generated, and rules as written.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value, json};

use super::{duration, insert, list, repeat};
use crate::scenario::{Answers, Collection, Content, Fires, Row, RuleScript, Scenario, Trigger};

/// The `data` section, written row by row because there may be many rows.
pub(super) struct WrittenData<'s> {
    collections: Vec<&'s Collection>,
    values: &'s IndexMap<Arc<str>, Arc<Value>>,
    with_assigned_ids: bool,
}

impl<'s> WrittenData<'s> {
    pub(super) fn of(scenario: &'s Scenario, with_assigned_ids: bool) -> Self {
        let collections = scenario.collections.iter().filter(|collection| !collection.is_counted);
        Self { collections: collections.collect(), values: &scenario.values, with_assigned_ids }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.collections.is_empty() && self.values.is_empty()
    }
}

impl Serialize for WrittenData<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.collections.len() + self.values.len()))?;
        for collection in &self.collections {
            map.serialize_entry(&collection.name, &Rows(&collection.rows, self.with_assigned_ids))?;
        }
        for (name, value) in self.values {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// Rows, and whether to write assigned ids.
struct Rows<'s>(&'s [Arc<Row>], bool);

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(rows, with_assigned_ids) = self;
        serializer.collect_seq(rows.iter().map(|row| WrittenRow(row, *with_assigned_ids || !row.has_assigned_id)))
    }
}

struct WrittenRow<'s>(&'s Row, bool);

impl Serialize for WrittenRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(row, with_id) = self;
        if *with_id { row.serialize(serializer) } else { row.fields.serialize(serializer) }
    }
}

/// Inserts the sections `http`, `websocket`, `triggers`, `scripts` and `random` that are not empty.
pub(super) fn insert_rules(root: &mut Value, scenario: &Scenario) {
    let routes = scenario.routes.all_answers().into_iter().map(|one| (one.key.to_string(), answers(one)));
    let routes: Map<String, Value> = routes.collect();
    insert(root, "http", (!routes.is_empty()).then_some(routes.into()));
    let endpoints = scenario.endpoints.iter().map(|one| (one.key.to_string(), one.source.clone()));
    let endpoints: Map<String, Value> = endpoints.collect();
    insert(root, "websocket", (!endpoints.is_empty()).then_some(endpoints.into()));
    insert(root, "triggers", list(scenario.triggers.iter().map(|one| trigger(one)).collect()));
    insert(root, "scripts", list(scenario.rule_scripts.iter().map(|one| script(one)).collect()));
    let rules = scenario.generators.iter().filter_map(|generator| match generator.fires() {
        Fires::Rule(rule) => Some(Value::clone(&rule.source)),
        Fires::Count { .. } => None,
    });
    insert(root, "random", list(rules.collect()));
}

/// Returns answers as written, but with file paths relative to the main file.
fn answers(answers: &Answers) -> Value {
    let mut written = answers.source.clone();
    let items = match &mut written {
        Value::Array(items) => items.iter_mut().collect(),
        one => vec![one],
    };
    for (item, answer) in items.into_iter().zip(&answers.list) {
        if let (Some(Value::String(path)), Content::File { declared_in, .. }) = (item.get_mut("file"), &answer.content)
        {
            *path = below(declared_in, path);
        }
    }
    written
}

/// Returns the path of a file relative to the main file. It may contain expressions.
fn below(directory: &Path, path: &str) -> String {
    if directory.as_os_str().is_empty() {
        return path.to_owned();
    }
    let directory = PathBuf::from(directory.to_string_lossy().replace('$', "$$"));
    let path = match path.strip_prefix('$') {
        // `$name` is evaluated only if it is the whole text.
        Some(name) if name.starts_with(|c: char| c.is_ascii_alphabetic()) => format!("{{{{ {name} }}}}"),
        _ => path.to_owned(),
    };
    directory.join(path).to_string_lossy().into_owned()
}

fn trigger(trigger: &Trigger) -> Value {
    let mut mapping = json!({ "topic": trigger.topic });
    insert(&mut mapping, "when", trigger.when.as_ref().map(|when| when.source().into()));
    insert(&mut mapping, "do", Some(Value::clone(trigger.steps.source())));
    mapping
}

fn script(script: &RuleScript) -> Value {
    let mut mapping = json!({});
    insert(&mut mapping, "name", script.name.as_deref().map(Into::into));
    insert(&mut mapping, "start", Some(duration(script.start)));
    insert(&mut mapping, "repeat", Some(repeat(script.repeat)));
    insert(&mut mapping, "steps", Some(Value::clone(script.steps.source())));
    mapping
}
