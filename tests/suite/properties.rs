//! Properties of every scenario, tested on hundreds of generated ones. Each run generates the same ones;
//! `PROPTEST_CASES` sets their number.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use mockd::engine::{Command, Engine, Event, EventKind, FaultState, ReloadPlan, RowSet};
use mockd::scenario::{MAX_TOTAL, Scenario, Source, parse, parse_fault};
use proptest::prelude::*;
use serde_json::Value;

use crate::support::{documents, mutations, properties, schema_errors};

fn text(document: &Value) -> String {
    serde_yaml::to_string(document).unwrap()
}

/// Parses a scenario; `None` if it is invalid.
fn read(text: &str) -> Option<Arc<Scenario>> {
    parse(&Source::new("scenario.yaml", text)).ok().map(Arc::new)
}

#[test]
fn a_planned_reload_equals_replacing_the_scenario() {
    let compared = Cell::new(0);
    proptest!(properties(150), |(old in documents("250ms"), new in documents("250ms"), orders: Vec<(usize, i8)>, seed: u64)| {
        if let (Some(old), Some(new)) = (read(&text(&old)), read(&text(&new))) {
            compared.set(compared.get() + 1);
            let start = Engine::new(&old, seed);
            let plan = ReloadPlan::new(start.clone(), Engine::new(&new, seed));
            let mut one = start.clone();
            let ids: Vec<Arc<str>> = one.counter_values().map(|(id, _)| id.clone()).collect();
            for (index, amount) in orders.iter().filter(|_| !ids.is_empty()) {
                // An order that would leave the range is refused, which does not matter here.
                let _ = one.apply(Command::count(&ids[index % ids.len()], (*amount).into()));
            }
            one.advance(Duration::from_secs(2));
            let mut other = one.clone();
            prop_assert_eq!(one.reload(&plan, seed ^ 1), other.replace(&new, seed ^ 1));
            prop_assert_eq!(observable(&one), observable(&other));
            // And back again.
            let back = ReloadPlan::new(plan.start().clone(), Engine::new(&old, seed));
            let (mut one_back, mut other_back) = (one.clone(), other.clone());
            prop_assert_eq!(one_back.reload(&back, seed), other_back.replace(&old, seed));
            prop_assert_eq!(observable(&one_back), observable(&other_back));
            prop_assert_eq!(one_back.advance(Duration::from_secs(4)), other_back.advance(Duration::from_secs(4)));
            prop_assert_eq!(one.advance(Duration::from_secs(4)), other.advance(Duration::from_secs(4)));
            prop_assert!(one.counter_values().eq(other.counter_values()));
            for category in new.collections() {
                let json = |engine: &Engine| engine.collections().get(category.name()).map(json_of);
                prop_assert_eq!(json(&one), json(&other));
                let added = |engine: &mut Engine| engine.apply(Command::add_row(category.name(), serde_json::Map::new()));
                prop_assert_eq!(added(&mut one), added(&mut other));
            }
        }
    });
    assert!(compared.get() > 20, "{compared:?}");
}

/// Returns the products of a category as JSON.
fn json_of(listing: &RowSet) -> String {
    serde_json::to_string(listing.rows()).unwrap()
}

/// Returns the observable state of an engine, except the hits of its faults.
fn observable(engine: &Engine) -> impl PartialEq + std::fmt::Debug {
    let json = |(name, listing): (&Arc<str>, &RowSet)| (name.clone(), json_of(listing));
    let faults = engine.faults().map(|fault| FaultState { matched: 0, hit: 0, ..fault });
    (
        (engine.now(), engine.sequence(), engine.seed(), engine.next_due()),
        engine.counters_as_events().collect::<Vec<_>>(),
        engine.collections().iter().map(json).collect::<Vec<_>>(),
        engine.script_states().collect::<Vec<_>>(),
        engine.generator_states().collect::<Vec<_>>(),
        (faults.collect::<Vec<_>>(), engine.active_faults().collect::<Vec<_>>()),
    )
}

/// Applies one action of a client, which `choice` selects.
fn act(engine: &mut Engine, choice: usize, amount: i64) -> Vec<Event> {
    let ids: Vec<Arc<str>> = engine.counter_values().map(|(id, _)| id.clone()).collect();
    let categories: Vec<Arc<str>> = engine.collections().iter().map(|(name, _)| name.clone()).collect();
    let command = match choice % 6 {
        0 if !ids.is_empty() => Command::count(&ids[choice % ids.len()], amount),
        1 if !ids.is_empty() => Command::SetCounters { values: vec![(ids[choice % ids.len()].clone(), amount)] },
        2 => {
            let fields = serde_json::from_str(r#"{"name":"Another","rrp":1}"#).unwrap();
            Command::add_row(&categories[choice % categories.len()], fields)
        }
        3 => {
            let text = format!("{{name: f{choice}, on: websocket, from: 200ms, until: 3s, drop: true, chance: 30%}}");
            match parse_fault(&Source::new("fault", &text), engine.scenario()) {
                Ok((fault, _)) => Command::AddFault { fault: fault.into() },
                Err(_) => return Vec::new(),
            }
        }
        4 => {
            let fault = engine.faults().nth(choice % 5).map(|fault| fault.id).unwrap_or_default();
            Command::RemoveFault { name: fault.to_string() }
        }
        _ => return engine.advance_some(engine.now() + Duration::from_millis(choice as u64 % 900), 300),
    };
    // A refused command changes nothing.
    engine.apply(command).map(|effects| effects.events).unwrap_or_default()
}

#[test]
fn a_saved_engine_continues_elsewhere_as_if_uninterrupted() {
    let compared = Cell::new(0);
    proptest!(properties(200), |(document in documents("1ms"), seed: u64, before: Vec<(usize, i16)>, after: Vec<(usize, i16)>)| {
        if let Some(scenario) = read(&text(&document)) {
            compared.set(compared.get() + 1);
            let mut one = Engine::new(&scenario, seed);
            for (choice, amount) in before {
                act(&mut one, choice, amount.into());
            }
            let written = serde_json::to_string(&one.save(&Engine::new(&scenario, seed))).unwrap();
            // Elsewhere, the scenario is parsed again.
            let start = Engine::new(&read(&text(&document)).unwrap(), seed);
            let mut other = Engine::restored(&start, serde_json::from_str(&written).unwrap()).unwrap();
            prop_assert_eq!(observable(&one), observable(&other));
            prop_assert_eq!(written, serde_json::to_string(&other.save(&start)).unwrap());
            for (choice, amount) in after {
                prop_assert_eq!(act(&mut one, choice, amount.into()), act(&mut other, choice, amount.into()));
            }
            prop_assert_eq!(observable(&one), observable(&other));
        }
    });
    assert!(compared.get() > 50, "{compared:?}");
}

/// Returns the document without some of its rows, scripts and generators, and perhaps without a category.
fn without(document: &Value, choices: &[usize]) -> Value {
    let mut document = document.clone();
    for choice in choices {
        let list = match choice % 5 {
            0 => document.pointer_mut("/categories/toys/products"),
            1 => document.pointer_mut("/categories/food/products"),
            2 => document.pointer_mut("/orders/scripts"),
            3 => document.pointer_mut("/orders/random"),
            _ => {
                document["categories"].as_object_mut().unwrap().shift_remove("food");
                continue;
            }
        };
        if let Some(list) = list.and_then(Value::as_array_mut).filter(|list| !list.is_empty()) {
            list.remove(choice / 5 % list.len());
        }
    }
    document
}

#[test]
fn a_reload_and_its_reversal_restore_the_state() {
    let compared = Cell::new(0);
    proptest!(properties(400), |(document in documents("1ms"), choices: Vec<usize>, before: Vec<(usize, i16)>, seed: u64)| {
        let less = without(&document, &choices[..choices.len().min(4)]);
        if let (Some(all), Some(less)) = (read(&text(&document)), read(&text(&less))) {
            compared.set(compared.get() + 1);
            let mut stayed = Engine::new(&all, seed);
            for (choice, amount) in before {
                act(&mut stayed, choice, amount.into());
            }
            let (mut returned, mut planned) = (stayed.clone(), stayed.clone());
            let start = Engine::new(&less, seed);
            let (away, back) = (ReloadPlan::new(Engine::new(&all, seed), start.clone()), ReloadPlan::new(start, Engine::new(&all, seed)));
            prop_assert_eq!(planned.reload(&away, seed), returned.replace(&less, seed));
            // The removed state is saved with the rest.
            let start = Engine::new(&less, seed);
            let written = serde_json::to_string(&returned.save(&start)).unwrap();
            let mut elsewhere = Engine::restored(&start, serde_json::from_str(&written).unwrap()).unwrap();
            let reload = returned.replace(&all, seed);
            for other in [&mut elsewhere, &mut planned] {
                prop_assert_eq!(&other.reload(&back, seed), &reload);
                prop_assert_eq!(observable(other), observable(&returned));
            }
            // A reload sorts the added products by category.
            stayed.replace(&all, seed);
            let observable = |engine: &Engine| {
                let json = |(name, listing): (&Arc<str>, &RowSet)| (name.clone(), json_of(listing));
                (
                    engine.counter_values().map(|(id, total)| (id.clone(), total)).collect::<Vec<_>>(),
                    engine.collections().iter().map(json).collect::<Vec<_>>(),
                    engine.script_states().collect::<Vec<_>>(),
                    engine.generator_states().collect::<Vec<_>>(),
                )
            };
            prop_assert_eq!(observable(&stayed), observable(&returned));
            for engine in [&mut stayed, &mut returned] {
                for category in all.collections() {
                    let _ = engine.apply(Command::add_row(category.name(), serde_json::Map::new()));
                }
                engine.advance_some(engine.now() + Duration::from_secs(3), 300);
            }
            prop_assert_eq!(observable(&stayed), observable(&returned));
        }
    });
    assert!(compared.get() > 50, "{compared:?}");
}

#[test]
fn the_state_of_another_scenario_is_refused() {
    let engine = |text: &str| Engine::new(&read(text).unwrap(), 1);
    let one = engine("{categories: {a: {prefix: A, products: [{id: A1}]}, b: {prefix: B, products: []}}}");
    let other = engine("{categories: {a: {prefix: A, products: [{id: A2}]}}}");
    let mut moved = one.clone();
    moved.apply(Command::count("A1", 1)).unwrap();
    moved.apply(Command::add_row("b", serde_json::Map::new())).unwrap();
    for state in [one.save(&one), moved.save(&one)] {
        let refused = Engine::restored(&other, state).unwrap_err().to_string();
        assert!(refused.contains("does not fit the scenario"), "{refused}");
    }
}

#[test]
fn every_valid_scenario_runs_for_a_virtual_hour() {
    let accepted = Cell::new(0);
    proptest!(properties(150), |(document in documents("250ms"), seed: u64)| {
        if let Some(scenario) = read(&text(&document)) {
            accepted.set(accepted.get() + 1);
            let mut engine = Engine::new(&scenario, seed);
            let mut before = Duration::ZERO;
            for minute in 1..=60 {
                for event in engine.advance(Duration::from_mins(minute)) {
                    prop_assert!(event.at >= before, "time goes back from {before:?} to {:?}", event.at);
                    before = event.at;
                    if let EventKind::Counted { value: total, .. } = event.kind {
                        prop_assert!(total.abs() <= MAX_TOTAL);
                    }
                }
            }
        }
    });
    assert!(accepted.get() > 50, "{accepted:?}");
}

#[test]
fn every_valid_scenario_runs_at_any_speed() {
    proptest!(properties(200), |(document in documents("1us"), seed: u64)| {
        if let Some(scenario) = read(&text(&document)) {
            let mut engine = Engine::new(&scenario, seed);
            engine.advance_some(Duration::from_hours(1), 5_000);
        }
    });
}

#[test]
fn a_printed_scenario_parses_to_the_same_one() {
    proptest!(properties(300), |(document in documents("1us"))| {
        if let Some(scenario) = read(&text(&document)) {
            let printed = scenario.to_yaml();
            let again = parse(&Source::new("scenario.yaml", &printed));
            prop_assert_eq!(again.as_ref(), Ok(&*scenario), "{}", printed);
        }
    });
}

#[test]
fn check_is_at_least_as_strict_as_the_schema() {
    let (rejected, accepted) = (Cell::new(0), Cell::new(0));
    proptest!(properties(2_000), |(document in mutations())| {
        let text = text(&document);
        let problems = parse(&Source::new("scenario.yaml", &text)).err();
        if let Some(errors) = schema_errors(&text) {
            rejected.set(rejected.get() + 1);
            prop_assert!(problems.is_some(), "only the schema rejects this: {errors}:\n{text}");
        } else if problems.is_none() {
            accepted.set(accepted.get() + 1);
        }
    });
    assert!(rejected.get() > 200 && accepted.get() > 200, "{rejected:?} {accepted:?}");
}

#[test]
fn any_scenario_can_replace_any_other() {
    proptest!(properties(150), |(first in documents("250ms"), then in documents("250ms"), seed: u64)| {
        if let (Some(first), Some(then)) = (read(&text(&first)), read(&text(&then))) {
            let mut engine = Engine::new(&first, seed);
            engine.advance(Duration::from_mins(2));
            let reload = engine.replace(&then, seed ^ 1);
            engine.advance(Duration::from_mins(4));
            prop_assert!(!reload.changes.is_empty());
            let names: Vec<&str> = then.collections().iter().map(|category| &**category.name()).collect();
            for name in names {
                prop_assert!(engine.collections().get(name).is_some());
            }
            prop_assert!(engine.replace(&then, seed ^ 1).changes.is_empty());
        }
    });
}
