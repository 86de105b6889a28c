#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod data;

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::*;
use crate::engine::Command;
use crate::scenario::{Source, parse};

/// A scenario with two toys, additional rows, and a script unless it is empty.
fn scenario(more: &str, script: &str) -> Arc<Scenario> {
    let text = format!(
        "categories: {{ toys: {{ prefix: T, products: [{{ id: T1 }}, {{ id: T2 }}{more}] }} }}\norders: {{ scripts: [{script}] }}\n"
    );
    Arc::new(parse(&Source::new("toys.yaml", &text)).unwrap())
}

#[test]
fn a_reload_after_a_post_or_a_removal_compares_once() {
    const SCRIPT: &str = "{ steps: [{ at: 1s, remove: { product: T1 } }, { at: 1h, product: T2, amount: 1 }] }";
    let (old, new) = (scenario("", SCRIPT), scenario(", { id: X1 }", SCRIPT));
    let post = |engine: &mut Engine| drop(engine.apply(Command::add_row("toys", Map::new())).unwrap());
    let removal = |engine: &mut Engine| drop(engine.advance(Duration::from_secs(1)));
    for change in [&post as &dyn Fn(&mut Engine), &removal] {
        let mut engine = Engine::new(&old, 1);
        let mut plan = ReloadPlan::new(engine.clone(), Engine::new(&new, 1));
        // According to the plan, X1 is unchanged and the script is new. Comparing again would find the opposite.
        plan.comparison = Comparison::of(&scenario(", { id: X1 }", ""), &new);
        change(&mut engine);
        assert!(!engine.counters.shares_counters_with(&plan.old.counters));
        let changes = engine.reload(&plan, 1).changes;
        assert_eq!(changes, [Change::ScriptAdded { script: "script 1".to_owned() }]);
    }
}

/// A scenario with these products in the category `toys`.
fn toys(products: &str) -> Arc<Scenario> {
    let text = format!("categories: {{ toys: {{ prefix: T, products: [{products}] }} }}\n");
    Arc::new(parse(&Source::new("toys.yaml", &text)).unwrap())
}

fn merge(engine: &mut Engine, id: &str, fields: Value) {
    let Value::Object(fields) = fields else { panic!("{fields} is not an object") };
    engine.apply(Command::MergeRow { collection: "toys".into(), id: id.into(), fields }).unwrap();
}

fn rows(engine: &Engine) -> String {
    let rows = serde_json::to_string(engine.collections().get("toys").unwrap().rows()).unwrap();
    rows.replace('"', "")
}

#[test]
fn a_changed_row_stays_unless_its_declaration_changes() {
    const BOTH: &str = "{ id: T1, a: 1 }, { id: T2, a: 1 }";
    for (before, after, expected, changes) in [
        // No edit, another row edited, another order, a neighbour added.
        (BOTH, BOTH, "[{id:T1,a:1,b:2},{id:T2,a:1}]", &[][..]),
        (BOTH, "{ id: T1, a: 1 }, { id: T2, a: 3 }", "[{id:T1,a:1,b:2},{id:T2,a:3}]", &["T2 a changed"]),
        (BOTH, "{ id: T2, a: 1 }, { id: T1, a: 1 }", "[{id:T2,a:1},{id:T1,a:1,b:2}]", &["toys reordered"]),
        (BOTH, "{ id: T0 }, { id: T1, a: 1 }", "[{id:T0},{id:T1,a:1,b:2}]", &["T0 added", "T2 removed"]),
        // The row itself is edited.
        (BOTH, "{ id: T1, a: 2 }", "[{id:T1,a:2}]", &["T1 a, b changed", "T2 removed"]),
        (BOTH, "{ id: T1, a: 1, b: 2 }", "[{id:T1,a:1,b:2}]", &["T2 removed"]),
        (BOTH, "{ id: T1, a: 1, total: 4 }", "[{id:T1,a:1}]", &["T1 b changed", "T1 total 0 → 4", "T2 removed"]),
        // Its position gives it another id.
        (
            "{ a: 1 }, { a: 2 }",
            "{ a: 0 }, { a: 1 }, { a: 2 }",
            "[{id:T1,a:0},{id:T2,a:1,b:2},{id:T3,a:2}]",
            &["T1 a, b changed", "T2 a, b changed", "T3 added"],
        ),
    ] {
        let (old, new) = (toys(before), toys(after));
        let (mut engine, plan) = (Engine::new(&old, 1), ReloadPlan::new(Engine::new(&old, 1), Engine::new(&new, 1)));
        merge(&mut engine, "T1", json!({ "b": 2 }));
        let mut by_plan = engine.clone();
        for reload in [engine.replace(&new, 1), by_plan.reload(&plan, 1)] {
            let lines: Vec<String> = reload.changes.iter().map(ToString::to_string).collect();
            assert_eq!(lines, changes, "{before} → {after}");
        }
        for engine in [&engine, &by_plan] {
            assert_eq!(rows(engine), expected, "{before} → {after}");
        }
    }
}

#[test]
fn a_changed_row_comes_back_as_it_was_if_declared_as_before() {
    for (before, without, after, expected) in [
        ("{ id: T1, a: 1 }", "", "{ id: T1, a: 1 }", "[{id:T1,a:1,b:2}]"),
        ("{ id: T1, a: 1 }", "", "{ id: T1, a: 3 }", "[{id:T1,a:3}]"),
        ("{ id: T1, a: 1, total: 4 }", "{ id: T1, a: 1 }", "{ id: T1, a: 1, total: 4 }", "[{id:T1,a:1,b:2}]"),
        ("{ a: 1 }, { a: 1 }", "{ a: 1 }", "{ a: 1 }, { a: 1 }", "[{id:T1,a:1,b:2},{id:T2,a:1}]"),
        ("{ a: 1 }, { a: 3 }", "{ a: 3 }", "{ a: 3 }, { a: 1 }", "[{id:T1,a:3},{id:T2,a:1,b:2}]"),
    ] {
        let start = Engine::new(&toys(before), 1);
        let mut engine = start.clone();
        merge(&mut engine, "T1", json!({ "b": 2 }));
        engine.replace(&toys(without), 1);
        // Also with a save and a restore in between.
        let state = serde_json::to_string(&engine.save(&Engine::new(&toys(without), 1))).unwrap();
        let read = serde_json::from_str(&state).unwrap();
        let mut restored = Engine::restored(&Engine::new(&toys(without), 1), read).unwrap();
        for engine in [&mut engine, &mut restored] {
            engine.replace(&toys(after), 1);
            assert_eq!(rows(engine), expected, "{before} → {without} → {after}");
        }
    }
}

#[test]
fn a_state_contains_only_the_rows_that_changed() {
    let start = Engine::new(&toys("{ id: T1, a: 1, total: 4 }, { id: T2 }"), 1);
    let mut engine = start.clone();
    let untouched = serde_json::to_value(engine.save(&start)).unwrap();
    assert_eq!(untouched["rows"], json!(null));
    merge(&mut engine, "T1", json!({ "b": 2 }));
    let state = serde_json::to_value(engine.save(&start)).unwrap();
    let changed = json!({ "id": "T1", "has_number_id": false, "own": { "a": 1, "b": 2 }, "order": {}, "value": 4 });
    assert_eq!(state["rows"]["collections"], json!([[changed, "T2"]]));
    let restored = Engine::restored(&start, serde_json::from_value(state.clone()).unwrap()).unwrap();
    assert_eq!((rows(&restored), serde_json::to_value(restored.save(&start)).unwrap()), (rows(&engine), state));
}
