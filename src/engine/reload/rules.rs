//! How the rules that two scenarios declare differ: routes, endpoints, triggers and scripts of general steps.

use std::sync::Arc;

use indexmap::IndexMap;

use crate::engine::change::Change;
use crate::scenario::Scenario;

/// The differences, in the order of the new scenario.
pub(super) fn changes(old: &Scenario, new: &Scenario) -> Vec<Change> {
    let mut changes = Vec::new();
    if old.starts() != new.starts() {
        changes.push(Change::Starts);
    }
    let routes = |scenario: &Scenario| {
        let answers = scenario.routes().all_answers().into_iter();
        answers.map(|answers| (answers.key.clone(), answers.clone())).collect()
    };
    changes.extend(differences(&routes(old), &routes(new), |key, how| match how {
        How::Added => Change::RouteAdded { route: key },
        How::Removed => Change::RouteRemoved { route: key },
        How::Changed => Change::RouteChanged { route: key },
    }));
    let endpoints = |scenario: &Scenario| {
        let endpoints = scenario.endpoints().iter();
        endpoints.map(|endpoint| (endpoint.key.clone(), endpoint.clone())).collect()
    };
    changes.extend(differences(&endpoints(old), &endpoints(new), |key, how| match how {
        How::Added => Change::EndpointAdded { endpoint: key },
        How::Removed => Change::EndpointRemoved { endpoint: key },
        How::Changed => Change::EndpointChanged { endpoint: key },
    }));
    let triggers = |scenario: &Scenario| {
        let triggers = scenario.triggers().iter();
        triggers.map(|trigger| (trigger.key.clone(), trigger.clone())).collect()
    };
    changes.extend(differences(&triggers(old), &triggers(new), |key, how| match how {
        How::Added => Change::TriggerAdded { trigger: key },
        How::Removed => Change::TriggerRemoved { trigger: key },
        How::Changed => Change::TriggerChanged { trigger: key },
    }));
    let scripts = |scenario: &Scenario| {
        let scripts = scenario.rule_scripts().iter();
        scripts.map(|script| (script.key.clone(), script.clone())).collect()
    };
    changes.extend(differences(&scripts(old), &scripts(new), |key, how| {
        let script = key.to_string();
        match how {
            How::Added => Change::ScriptAdded { script },
            How::Removed => Change::ScriptRemoved { script },
            How::Changed => Change::ScriptChanged { script },
        }
    }));
    changes
}

/// What became of a declaration.
enum How {
    Added,
    Removed,
    Changed,
}

/// The differences between declarations that are known by their keys.
fn differences<T: PartialEq>(
    old: &IndexMap<Arc<str>, T>,
    new: &IndexMap<Arc<str>, T>,
    change: impl Fn(Arc<str>, How) -> Change,
) -> Vec<Change> {
    let of_new = new.iter().filter_map(|(key, declared)| match old.get(key) {
        None => Some((key, How::Added)),
        Some(before) if before != declared => Some((key, How::Changed)),
        Some(_) => None,
    });
    let gone = old.keys().filter(|key| !new.contains_key(*key)).map(|key| (key, How::Removed));
    of_new.chain(gone).map(|(key, how)| change(key.clone(), how)).collect()
}
