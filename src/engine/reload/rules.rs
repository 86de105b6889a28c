//! The differences between the rules of two scenarios: routes, endpoints, triggers and scripts of general steps.

use std::sync::Arc;

use indexmap::IndexMap;

use crate::engine::change::Change;
use crate::scenario::Scenario;

/// Returns the differences, in the order of the new scenario.
pub(super) fn changes(old: &Scenario, new: &Scenario) -> Vec<Change> {
    let mut changes = Vec::new();
    if old.starts() != new.starts() {
        changes.push(Change::Starts);
    }
    let routes = |scenario: &Scenario| {
        let answers = scenario.routes().all_answers().into_iter();
        answers.map(|answers| (answers.key.clone(), answers.clone())).collect()
    };
    changes.extend(differences(&routes(old), &routes(new), |key, difference| match difference {
        Difference::Added => Change::RouteAdded { route: key },
        Difference::Removed => Change::RouteRemoved { route: key },
        Difference::Changed => Change::RouteChanged { route: key },
    }));
    let endpoints = |scenario: &Scenario| {
        let endpoints = scenario.endpoints().iter();
        endpoints.map(|endpoint| (endpoint.key.clone(), endpoint.clone())).collect()
    };
    changes.extend(differences(&endpoints(old), &endpoints(new), |key, difference| match difference {
        Difference::Added => Change::EndpointAdded { endpoint: key },
        Difference::Removed => Change::EndpointRemoved { endpoint: key },
        Difference::Changed => Change::EndpointChanged { endpoint: key },
    }));
    let triggers = |scenario: &Scenario| {
        let triggers = scenario.triggers().iter();
        triggers.map(|trigger| (trigger.key.clone(), trigger.clone())).collect()
    };
    changes.extend(differences(&triggers(old), &triggers(new), |key, difference| match difference {
        Difference::Added => Change::TriggerAdded { trigger: key },
        Difference::Removed => Change::TriggerRemoved { trigger: key },
        Difference::Changed => Change::TriggerChanged { trigger: key },
    }));
    let scripts = |scenario: &Scenario| {
        let scripts = scenario.rule_scripts().iter();
        scripts.map(|script| (script.key.clone(), script.clone())).collect()
    };
    changes.extend(differences(&scripts(old), &scripts(new), |key, difference| {
        let script = key.to_string();
        match difference {
            Difference::Added => Change::ScriptAdded { script },
            Difference::Removed => Change::ScriptRemoved { script },
            Difference::Changed => Change::ScriptChanged { script },
        }
    }));
    changes
}

/// The difference in a declaration.
enum Difference {
    Added,
    Removed,
    Changed,
}

/// Returns the differences between declarations that are identified by their keys.
fn differences<T: PartialEq>(
    old: &IndexMap<Arc<str>, T>,
    new: &IndexMap<Arc<str>, T>,
    change: impl Fn(Arc<str>, Difference) -> Change,
) -> Vec<Change> {
    let of_new = new.iter().filter_map(|(key, declared)| match old.get(key) {
        None => Some((key, Difference::Added)),
        Some(before) if before != declared => Some((key, Difference::Changed)),
        Some(_) => None,
    });
    let gone = old.keys().filter(|key| !new.contains_key(*key)).map(|key| (key, Difference::Removed));
    of_new.chain(gone).map(|(key, difference)| change(key.clone(), difference)).collect()
}
