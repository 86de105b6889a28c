//! Rows without counters, and values.

mod added;
mod ids;

use super::*;
use crate::scenario::IdScheme;

/// A scenario with these collections and values.
fn data(json: &Value) -> Scenario {
    parse(&Source::new("data.json", &json!({ "data": json }).to_string())).unwrap()
}

fn engine(json: &Value) -> Engine {
    Engine::new(&Arc::new(data(json)), 42)
}

fn apply(engine: &mut Engine, command: Value) {
    engine.apply(serde_json::from_value(command).unwrap()).unwrap();
}

fn add(engine: &mut Engine, collection: &str, row: Value) {
    let Value::Object(fields) = row else { panic!("{row} is not an object") };
    engine.apply(Command::add_row(collection, fields)).unwrap();
}

/// The complete data.
fn shown(engine: &Engine) -> Value {
    let rows = engine.collections().iter().map(|(name, row_set)| (name.to_string(), json!(row_set.rows())));
    let values = engine.data_values().iter().map(|(name, value)| (name.to_string(), Value::clone(value)));
    rows.chain(values).collect::<Map<_, _>>().into()
}

fn merged(id: &str, fields: &Value) -> Value {
    json!({ "merge-row": { "collection": "todos", "id": id, "fields": fields } })
}

fn removed(id: &str) -> Value {
    json!({ "remove-row": { "collection": "todos", "id": id } })
}

fn set(name: &str, value: &Value) -> Value {
    json!({ "set-value": { "name": name, "keys": [], "value": value } })
}

/// What happens at run time, in order: commands, and rows to add.
type Run = Vec<Value>;

fn run(engine: &mut Engine, run: &Run) {
    for one in run {
        match one.get("add") {
            Some(row) => add(engine, "todos", row.clone()),
            None => apply(engine, one.clone()),
        }
    }
}

/// Reloads an engine and its restored copy, each with and without a plan. All reach the same state.
fn reloaded(old: &Value, happened: &Run, new: &Value) -> (Value, Vec<String>, Vec<String>) {
    let start = engine(old);
    let mut engine = start.clone();
    run(&mut engine, happened);
    let restored = Engine::restored(&start, engine.save(&start)).unwrap();
    let new = Arc::new(data(new));
    let plan = ReloadPlan::new(start, Engine::new(&new, 42));
    let mut outcomes = Vec::new();
    for mut engine in [engine, restored] {
        for is_planned in [true, false] {
            let mut engine = if is_planned { engine.clone() } else { std::mem::replace(&mut engine, plan.old.clone()) };
            let reload = if is_planned { engine.reload(&plan, 42) } else { engine.replace(&new, 42) };
            let text = |event: &Event| {
                let message = event.change_message().unwrap();
                let text = format!(
                    "{} {} {} → {}",
                    event.sequence,
                    message["change"],
                    message["before"],
                    message.get("row").unwrap_or(&message["value"])
                );
                text.replace('"', "")
            };
            let changes = reload.changes.iter().map(ToString::to_string).collect();
            // A second reload of the same scenario changes nothing.
            assert_eq!(engine.clone().replace(&new, 42), Reload::default());
            outcomes.push((shown(&engine), changes, reload.events.iter().map(text).collect()));
        }
    }
    let first = outcomes.remove(0);
    assert!(outcomes.iter().all(|outcome| *outcome == first), "{outcomes:?} are not all {first:?}");
    first
}

/// Reloads and asserts the data, the changes and the events.
fn expect_reload(old: &Value, happened: &Run, new: &Value, expected: (Value, Vec<&str>, Vec<&str>)) {
    let outcome = reloaded(old, happened, new);
    let texts = |list: Vec<&str>| list.into_iter().map(str::to_owned).collect::<Vec<_>>();
    let (data, changes, events) = expected;
    assert_eq!(outcome, (data, texts(changes), texts(events)), "{happened:?} → {new}");
}

fn two_rows() -> Value {
    json!({ "todos": [{ "id": 1, "a": 1 }, { "id": 2 }] })
}

#[test]
fn rows_keep_their_state_unless_their_declaration_changes() {
    let merge = || merged("1", &json!({ "b": 2 }));
    for (happened, new, expected, changes, events) in [
        // Nothing has happened, or nothing is edited.
        (vec![], two_rows(), json!([{ "id": 1, "a": 1 }, { "id": 2 }]), vec![], vec![]),
        (vec![merge()], two_rows(), json!([{ "id": 1, "a": 1, "b": 2 }, { "id": 2 }]), vec![], vec![]),
        (vec![removed("1")], two_rows(), json!([{ "id": 2 }]), vec![], vec![]),
        // The row itself is edited, a neighbour, the order.
        (
            vec![merge()],
            json!({ "todos": [{ "id": 1, "a": 3 }, { "id": 2 }] }),
            json!([{ "id": 1, "a": 3 }, { "id": 2 }]),
            vec!["data todos 1 redeclared; its run-time changes are lost"],
            vec!["2 replaced {id:1,a:1,b:2} → {id:1,a:3}"],
        ),
        (
            vec![merge()],
            json!({ "todos": [{ "id": 1, "a": 1 }, { "id": 2, "x": 0 }, { "id": 3 }] }),
            json!([{ "id": 1, "a": 1, "b": 2 }, { "id": 2, "x": 0 }, { "id": 3 }]),
            vec!["data todos 2 changed", "data todos 3 added"],
            vec!["2 replaced {id:2} → {id:2,x:0}", "3 added null → {id:3}"],
        ),
        (
            vec![merge()],
            json!({ "todos": [{ "id": 2 }, { "id": 1, "a": 1 }] }),
            json!([{ "id": 2 }, { "id": 1, "a": 1, "b": 2 }]),
            vec!["data todos changed"],
            vec![],
        ),
        (
            vec![merge(), merged("2", &json!({ "b": 2 }))],
            json!({ "todos": [{ "id": 1, "a": 3 }, { "id": 2, "a": 3 }, { "id": 3 }] }),
            json!([{ "id": 1, "a": 3 }, { "id": 2, "a": 3 }, { "id": 3 }]),
            vec!["data todos 1, 2 redeclared; their run-time changes are lost", "data todos 3 added"],
            vec![
                "3 replaced {id:1,a:1,b:2} → {id:1,a:3}",
                "4 replaced {id:2,b:2} → {id:2,a:3}",
                "5 added null → {id:3}",
            ],
        ),
        // A declaration that matches the current state causes no event.
        (
            vec![merge()],
            json!({ "todos": [{ "id": 1, "a": 1, "b": 2 }, { "id": 2 }] }),
            json!([{ "id": 1, "a": 1, "b": 2 }, { "id": 2 }]),
            vec!["data todos 1 changed"],
            vec![],
        ),
        // The rows are no longer declared; one had already been removed.
        (
            vec![merge(), removed("2")],
            json!({ "todos": [] }),
            json!([]),
            vec!["data todos 1, 2 removed"],
            vec!["3 removed {id:1,a:1,b:2} → null"],
        ),
        // A removed row comes back if its declaration is edited.
        (
            vec![removed("1")],
            json!({ "todos": [{ "id": 1, "a": 2 }, { "id": 2 }] }),
            json!([{ "id": 1, "a": 2 }, { "id": 2 }]),
            vec!["data todos 1 changed"],
            vec!["2 added null → {id:1,a:2}"],
        ),
    ] {
        expect_reload(&two_rows(), &happened, &new, (json!({ "todos": expected }), changes, events));
    }
}

#[test]
fn names_and_values_continue_or_start_as_declared() {
    let old = json!({ "todos": [{ "id": 1 }], "price": 3, "flags": { "a": true } });
    let happened = vec![
        merged("1", &json!({ "x": 1 })),
        json!({ "add": { "y": 1 } }),
        set("price", &json!(4)),
        json!({ "set-value": { "name": "flags", "keys": ["b"], "value": 1 } }),
    ];
    let run_rows = json!([{ "id": 1, "x": 1 }, { "id": 2, "y": 1 }]);
    for (new, expected, changes, events) in [
        (old.clone(), json!({ "todos": run_rows, "price": 4, "flags": { "a": true, "b": 1 } }), vec![], vec![]),
        (
            json!({ "price": 5, "todos": [{ "id": 1 }], "flags": { "a": true } }),
            json!({ "price": 5, "todos": run_rows, "flags": { "a": true, "b": 1 } }),
            vec!["data price changed"],
            vec!["5 set 4 → 5"],
        ),
        // The new declaration equals the current value.
        (
            json!({ "todos": [{ "id": 1 }], "price": 4, "flags": { "a": true } }),
            json!({ "todos": run_rows, "price": 4, "flags": { "a": true, "b": 1 } }),
            vec!["data price changed"],
            vec![],
        ),
        // Names are added and removed.
        (
            json!({ "news": [{ "id": 1 }], "size": null }),
            json!({ "news": [{ "id": 1 }], "size": null }),
            vec![
                "data news added",
                "data size added",
                "data todos removed",
                "data price removed",
                "data flags removed",
            ],
            vec![],
        ),
        // A value becomes a collection, and vice versa.
        (
            json!({ "price": [{ "id": 1 }], "todos": 1, "flags": { "a": true } }),
            json!({ "price": [{ "id": 1 }], "todos": 1, "flags": { "a": true, "b": 1 } }),
            vec!["data price changed", "data todos changed"],
            vec![],
        ),
    ] {
        let outcome = reloaded(&old, &happened, &new);
        let texts = |list: Vec<&str>| list.into_iter().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(outcome, (expected, texts(changes), texts(events)), "{new}");
    }
}

#[test]
fn names_declared_again_are_restored() {
    let old = json!({ "todos": [{ "id": 1 }, { "id": 2 }], "price": { "a": 1 }, "size": 1 });
    let start = engine(&old);
    let mut engine = start.clone();
    let price = json!({ "set-value": { "name": "price", "keys": ["a"], "value": 2 } });
    run(&mut engine, &vec![merged("1", &json!({ "x": 1 })), removed("2"), json!({ "add": { "y": 1 } }), price]);
    let was = shown(&engine);
    let none = Arc::new(data(&json!({ "other": 1 })));
    engine.replace(&none, 42);
    let state = serde_json::to_value(engine.save(&Engine::new(&none, 42))).unwrap();
    let restored = Engine::restored(&Engine::new(&none, 42), serde_json::from_value(state).unwrap()).unwrap();
    for mut engine in [engine, restored] {
        let mut other = engine.clone();
        engine.replace(&Arc::new(data(&old)), 42);
        assert_eq!((shown(&engine), engine.retained.is_empty()), (was.clone(), true));
        add(&mut engine, "todos", json!({}));
        assert_eq!(&**engine.collections().get("todos").unwrap().rows().last().unwrap().id(), "4");
        // A name with another declaration starts as declared, and its retained state is dropped.
        let declared = json!({ "todos": [{ "id": 1 }, { "id": 3 }], "price": [{ "id": 1 }] });
        other.replace(&Arc::new(data(&declared)), 42);
        assert_eq!((shown(&other), other.retained.is_empty()), (declared, true));
    }
}

#[test]
fn a_change_names_only_the_first_rows() {
    let rows = |from: i32| json!({ "todos": (from..from + 12).map(|id| json!({ "id": id })).collect::<Vec<_>>() });
    let changes = engine(&rows(0)).changes(&data(&rows(20)), 42);
    let texts: Vec<String> = changes.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "data todos 20, 21, 22, 23, 24, 25, 26, 27, 28, 29 and 2 more added",
            "data todos 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more removed",
        ]
    );
    let ids = |from: i32| (from..from + 10).map(|id| id.to_string()).collect::<Vec<_>>();
    let json = json!([
        { "kind": "data-rows-added", "name": "todos", "rows": ids(20), "more": 2 },
        { "kind": "data-rows-removed", "name": "todos", "rows": ids(0), "more": 2 },
    ]);
    assert_eq!(serde_json::to_value(&changes).unwrap(), json);
    assert_eq!(changes.iter().map(Change::is_removal).collect::<Vec<_>>(), [false, true]);
    let changes = engine(&json!({ "todos": [], "a": 1 })).changes(&data(&json!({ "a": 1, "b": 2 })), 42);
    let json = json!([{ "kind": "data-added", "name": "b" }, { "kind": "data-removed", "name": "todos" }]);
    assert_eq!(serde_json::to_value(&changes).unwrap(), json);
    assert_eq!(changes.iter().map(Change::is_removal).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn a_category_that_becomes_data_starts_as_declared() {
    let shop = |products: &str| Scenario::clone(&toys(products));
    let both = |name: &str| {
        let scenario = shop("{ id: T1 }");
        Arc::new(scenario.with_collection(name, "", IdScheme::Numbered, &json!([{ "id": "T1", "a": 1 }])))
    };
    let mut engine = Engine::new(&both("todos"), 1);
    merge(&mut engine, "T1", json!({ "b": 2 }));
    apply(&mut engine, merged("T1", &json!({ "b": 3 })));
    engine.apply(Command::count("T1", 5)).unwrap();
    let (mut of_shop, mut of_data) = (engine.clone(), engine.clone());
    // The other one keeps its current state.
    let texts = |reload: Reload| reload.changes.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(texts(of_shop.replace(&Arc::new(shop("{ id: T1 }")), 1)), ["data todos removed"]);
    assert_eq!((shown(&of_shop), of_shop.counter_values().count()), (json!({ "toys": [{ "id": "T1", "b": 2 }] }), 1));
    let data = Scenario::of_data().with_collection("toys", "", IdScheme::Numbered, &json!([{ "id": "T1", "a": 1 }]));
    let changes = texts(of_data.replace(&Arc::new(data), 1));
    assert_eq!(changes[1..], ["category toys removed", "T1 removed", "data toys added", "data todos removed"]);
    assert_eq!((shown(&of_data), of_data.counter_values().count()), (json!({ "toys": [{ "id": "T1", "a": 1 }] }), 0));
    // Both are restored.
    of_data.replace(&both("todos"), 1);
    assert_eq!(of_data.counter_values().map(|(_, value)| value).collect::<Vec<_>>(), [5]);
    assert_eq!(shown(&of_data), json!({ "toys": [{ "id": "T1", "b": 2 }], "todos": [{ "id": "T1", "a": 1, "b": 3 }] }));
}

#[test]
fn ids_continue_across_reloads_and_restores() {
    let old = json!({ "todos": [{ "id": 1 }], "uuids": [{ "id": "x" }] });
    let start = engine(&old);
    let mut engine = start.clone();
    for collection in ["todos", "uuids"] {
        add(&mut engine, collection, json!({}));
        let last = engine.collections().get(collection).unwrap().rows().last().unwrap().id().clone();
        engine.apply(Command::RemoveRow { collection: Some(collection.into()), id: last }).unwrap();
    }
    let mut edited = engine.clone();
    edited.replace(&Arc::new(data(&json!({ "todos": [{ "id": 1, "a": 1 }], "uuids": [{ "id": "y" }] }))), 42);
    let state = serde_json::to_value(engine.save(&start)).unwrap();
    let restored = Engine::restored(&start, serde_json::from_value(state).unwrap()).unwrap();
    let next = |mut engine: Engine, collection: &str| {
        add(&mut engine, collection, json!({}));
        engine.collections().get(collection).unwrap().rows().last().unwrap().id().clone()
    };
    for collection in ["todos", "uuids"] {
        let id = next(engine.clone(), collection);
        assert_eq!([&edited, &restored].map(|engine| next(engine.clone(), collection)), [id.clone(), id.clone()]);
        // A new engine starts from the beginning.
        assert_ne!(next(start.clone(), collection), id);
    }
    assert_eq!(&*next(engine, "todos"), "3");
}

#[test]
fn a_state_contains_only_the_data_that_changed() {
    let start =
        engine(&json!({ "todos": [{ "id": 1, "a": 1 }, { "id": 2 }], "news": [{ "id": 1 }], "price": 3, "size": 1 }));
    let untouched = serde_json::to_value(start.save(&start)).unwrap();
    assert_eq!(untouched.get("data"), None);
    let mut engine = start.clone();
    let happened = vec![merged("1", &json!({ "b": 2 })), json!({ "add": { "id": 7 } }), set("price", &json!([4]))];
    run(&mut engine, &happened);
    let state = serde_json::to_value(engine.save(&start)).unwrap();
    let row = |id: &str, own: Value| json!({ "id": id, "has_number_id": true, "own": own, "order": {}, "value": 0 });
    let expected = json!({
        "collections": [{
            "name": "todos",
            "declared": [row("1", json!({ "a": 1, "b": 2 })), "2"],
            "added": [row("7", json!({}))],
            "uuids": 0,
        }],
        "values": [["price", [4]]],
    });
    assert_eq!((&state["data"], &state["rows"]), (&expected, &Value::Null));
    let restored = Engine::restored(&start, serde_json::from_value(state.clone()).unwrap()).unwrap();
    assert_eq!(
        (shown(&restored), serde_json::to_value(restored.save(&start)).unwrap()),
        (shown(&engine), state.clone())
    );
    for mismatch in [
        json!({ "price": 3 }),
        json!({ "todos": [], "news": [], "price": 3 }),
        json!({ "todos": 1, "news": [], "price": 3 }),
    ] {
        let other = self::engine(&mismatch);
        assert!(Engine::restored(&other, serde_json::from_value(state.clone()).unwrap()).is_err());
    }
}
