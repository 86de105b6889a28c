//! Rows without counters, and values.

use super::*;
use crate::engine::{Event, EventKind};
use crate::scenario::IdScheme;

/// A shop with a toy `7`, and a collection whose row has the same id.
fn mixed() -> Engine {
    let shop =
        Scenario::clone(&scenario("categories: { toys: { prefix: T, products: [{ id: 7, name: Kite, n: 1 }] } }"));
    let todos = json!([{ "id": 7, "name": "Sleep", "n": 1 }, { "id": "8", "name": "Eat" }]);
    let scenario = shop.with_collection("todos", "", IdScheme::Numbered, &todos).with_value("price", json!({ "a": 1 }));
    Engine::new(&Arc::new(scenario), 1)
}

fn with_ids(prefix: &str, ids: IdScheme, rows: &Value) -> Engine {
    Engine::new(&Arc::new(Scenario::of_data().with_collection("todos", prefix, ids, rows)), 42)
}

fn add(json: Value) -> Command {
    Command::add_row("todos", fields(json))
}

fn increment(collection: &str, id: &str, json: Value) -> Command {
    Command::IncrementRow { collection: collection.into(), id: id.into(), amounts: fields(json) }
}

fn set(path: &str, value: Value) -> Command {
    let mut keys = path.split('.').map(Arc::from);
    Command::SetValue { name: keys.next().unwrap(), keys: keys.collect(), value }
}

fn only(effects: Effects) -> Event {
    let [event] = <[Event; 1]>::try_from(effects.events).unwrap();
    event
}

fn id_of(event: &Event) -> Value {
    serde_json::to_value(event).unwrap()["id"].clone()
}

#[test]
fn rows_without_an_id_get_one_by_their_scheme() {
    let uuid = json!("e91d7b76-8791-490a-8df9-8e27d66a0dcf");
    for (prefix, ids, rows, expected) in [
        ("", IdScheme::Numbered, json!([]), vec![json!(1), json!(2)]),
        ("", IdScheme::Numbered, json!([{ "id": 7 }, { "id": "3" }]), vec![json!(8), json!(9)]),
        ("A", IdScheme::Numbered, json!([{ "id": "A1" }, { "id": "A10" }]), vec![json!("A11"), json!("A12")]),
        ("A", IdScheme::Numbered, json!([]), vec![json!("A1"), json!("A2")]),
        ("", IdScheme::Uuid, json!([{ "id": "x" }]), vec![uuid]),
    ] {
        let mut engine = with_ids(prefix, ids, &rows);
        for id in expected {
            // A null id counts as missing.
            for command in [add(json!({ "a": 1 })), add(json!({ "a": 1, "id": null }))] {
                assert_eq!(id_of(&only(engine.clone().apply(command).unwrap())), id);
            }
            engine.apply(add(json!({}))).unwrap();
        }
    }
}

#[test]
fn a_clients_id_is_text_or_an_integer_and_keeps_its_type() {
    let wrong = Refusal::Field { field: "id".into(), expected: "string or integer".into() };
    let mut engine = with_ids("", IdScheme::Numbered, &json!([{ "id": 1 }]));
    for (id, expected) in [
        (json!(7), Ok(7)),
        (json!("x"), Ok(7)),
        (json!("9"), Ok(9)),
        (json!(-3), Ok(9)),
        (json!(1), Err("Row 1 already exists in todos")),
        // Ids compare as text.
        (json!("7"), Err("Row 7 already exists in todos")),
        (json!(9), Err("Row 9 already exists in todos")),
    ] {
        let before = rows(&engine, "todos");
        match (engine.apply(add(json!({ "a": 1, "id": id }))), expected) {
            (Ok(effects), Ok(highest)) => {
                assert_eq!(id_of(&only(effects)), id);
                let row = serde_json::to_string(&json!({ "id": id, "a": 1 })).unwrap();
                assert!(rows(&engine, "todos").ends_with(&format!("{row}]")));
                let next = id_of(&only(engine.clone().apply(add(json!({}))).unwrap()));
                assert_eq!(next, highest + 1);
            }
            (Err(refusal), Err(expected)) => {
                assert!(matches!(refusal, Refusal::DuplicateRow(_)));
                assert_eq!((refusal.to_string(), rows(&engine, "todos")), (expected.to_owned(), before));
            }
            (outcome, expected) => panic!("got {outcome:?}, expected {expected:?}"),
        }
    }
    for id in [json!(""), json!(1.5), json!(true), json!([1]), json!(u64::MAX)] {
        assert_eq!(engine.apply(add(json!({ "id": id }))), Err(wrong.clone()), "{id}");
    }
}

#[test]
fn numbers_and_uuids_are_not_reused() {
    for (prefix, ids) in [("", IdScheme::Numbered), ("A", IdScheme::Numbered), ("", IdScheme::Uuid)] {
        let mut engine = with_ids(prefix, ids, &json!([]));
        let mut given = Vec::new();
        for _ in 0..3 {
            let EventKind::Added { id, .. } = only(engine.apply(add(json!({}))).unwrap()).kind else { panic!() };
            engine.apply(remove("todos", &id)).unwrap();
            given.push(id);
        }
        assert!(given[0] != given[1] && given[1] != given[2] && given[0] != given[2], "{given:?}");
        // An id that a client has taken is skipped.
        let next = only(engine.clone().apply(add(json!({}))).unwrap());
        engine.apply(add(json!({ "id": id_of(&next) }))).unwrap();
        assert_ne!(id_of(&only(engine.apply(add(json!({}))).unwrap())), id_of(&next));
    }
}

#[test]
fn each_command_changes_rows_of_both_kinds_and_reports_before() {
    let was = json!({ "id": 7, "name": "Sleep", "n": 1 });
    let nap = json!({ "id": 7, "name": "Nap", "n": 1 });
    for (command, change, now) in [
        (merge("", "7", json!({ "name": "Nap" })), "merged", nap.clone()),
        (merge("", "7", json!({ "id": "7", "name": null })), "merged", json!({ "id": 7, "name": null, "n": 1 })),
        (replace("", "7", json!({ "id": 7, "b": 2 })), "replaced", json!({ "id": 7, "b": 2 })),
        (
            increment("", "7", json!({ "id": 7, "n": 2, "m": 0.5 })),
            "merged",
            json!({ "id": 7, "name": "Sleep", "n": 3, "m": 0.5 }),
        ),
        (remove("", "7"), "removed", Value::Null),
    ] {
        for collection in ["todos", "toys"] {
            let mut engine = mixed();
            let mut kept = engine.clone();
            let command = in_collection(command.clone(), collection);
            let event = only(engine.apply(command).unwrap());
            let named = |topic: &str| named(topic.to_owned());
            assert_eq!(event.topics(), [named(collection), named(&format!("{collection}/7"))]);
            let message = event.change_message().unwrap();
            let is_toy = collection == "toys";
            let shown = |row: &Value| {
                let row = row.to_string();
                if is_toy { row.replace("Sleep", "Kite") } else { row }
            };
            let expected =
                format!(r#"{{"sequence":1,"change":"{change}","row":{},"before":{}}}"#, shown(&now), shown(&was));
            assert_eq!(message.to_string(), expected);
            let mut json = json!({ "at": "0s", "sequence": 1, "event": change });
            if is_toy {
                json["id"] = json!("7");
                json["category"] = json!("toys");
            } else {
                json["id"] = json!(7);
                json["collection"] = json!("todos");
            }
            if !is_toy && !now.is_null() {
                json["row"] = now.clone();
            }
            assert_eq!(serde_json::to_string(&event).unwrap(), json.to_string());
            // The other collection and the copy are unchanged.
            let other = if is_toy { "todos" } else { "toys" };
            assert_eq!(rows(&engine, other), rows(&mixed(), other));
            assert_eq!(rows(&kept, collection), rows(&mixed(), collection));
            let listed = rows(&engine, collection);
            assert_eq!(listed.contains(&shown(&now)), !now.is_null(), "{listed}");
            // The toy's counter is only removed with the toy.
            assert_eq!(engine.counter_values().count(), usize::from(!(is_toy && now.is_null())));
            kept.apply(Command::count("7", 1)).unwrap();
        }
    }
}

fn in_collection(command: Command, name: &str) -> Command {
    let name: Arc<str> = name.into();
    match command {
        Command::MergeRow { id, fields, .. } => Command::MergeRow { collection: name, id, fields },
        Command::ReplaceRow { id, fields, .. } => Command::ReplaceRow { collection: name, id, fields },
        Command::IncrementRow { id, amounts, .. } => Command::IncrementRow { collection: name, id, amounts },
        Command::RemoveRow { id, .. } => Command::RemoveRow { collection: Some(name), id },
        other => other,
    }
}

#[test]
fn the_event_of_an_added_row_contains_the_row() {
    let mut engine = mixed();
    let event = only(engine.apply(add(json!({ "name": "Walk" }))).unwrap());
    let json = json!({
        "at": "0s", "sequence": 1, "event": "added", "id": 9, "collection": "todos", "row": { "id": 9, "name": "Walk" },
    });
    assert_eq!(serde_json::to_string(&event).unwrap(), json.to_string());
    let message = json!({ "sequence": 1, "change": "added", "row": { "id": 9, "name": "Walk" }, "before": null });
    assert_eq!(event.change_message(), Some(message));
    assert!(event.changes_data() && !event.changes_counted_rows());
    // It has no counter.
    assert_eq!(engine.apply(Command::count("9", 1)), Err(Refusal::UnknownRow("9".into())));
    assert_eq!(engine.counter_readings("todos").count(), 0);
    let remove = Command::RemoveRow { collection: None, id: "9".into() };
    assert_eq!(engine.apply(remove), Err(Refusal::UnknownRow("9".into())));
}

#[test]
fn the_event_of_a_set_value_contains_the_previous_value() {
    let mut engine = mixed();
    let before = engine.clone();
    let event = only(engine.apply(set("price.b.c", json!([2]))).unwrap());
    let now = json!({ "a": 1, "b": { "c": [2] } });
    let json = json!({ "at": "0s", "sequence": 1, "event": "set", "name": "price", "value": now });
    assert_eq!(serde_json::to_string(&event).unwrap(), json.to_string());
    let message = json!({ "sequence": 1, "change": "set", "value": now, "before": { "a": 1 } });
    assert_eq!((event.change_message(), event.topics()), (Some(message), vec![named("price")]));
    assert!(event.changes_data() && !event.changes_counted_rows());
    assert_eq!(**engine.data_values().get("price").unwrap(), now);
    assert_eq!(**before.data_values().get("price").unwrap(), json!({ "a": 1 }));
    assert_eq!(engine.data_values().iter().len(), 1);
}

#[test]
fn a_refused_change_of_data_changes_nothing_and_says_why() {
    let mut engine = mixed();
    let huge = "x".repeat(MAX_COLLECTION_BYTES);
    let full = "The rows of todos take more than 64 MiB; a reset removes the added ones";
    for (command, expected) in [
        (merge("todos", "9", json!({})), "Row 9 not found in todos"),
        (replace("todos", "9", json!({})), "Row 9 not found in todos"),
        (increment("todos", "9", json!({})), "Row 9 not found in todos"),
        (remove("todos", "9"), "Row 9 not found in todos"),
        (increment("toys", "9", json!({})), "Order 9 not found"),
        (increment("games", "9", json!({})), "Category games not found"),
        (merge("todos", "7", json!({ "id": 8 })), "The id 7 cannot change"),
        (increment("todos", "7", json!({ "id": 8, "n": 1 })), "The id 7 cannot change"),
        (increment("todos", "7", json!({ "n": 1, "name": 1 })), "Field name must be number"),
        (increment("todos", "7", json!({ "n": u64::MAX })), "Field n would be out of range"),
        (merge("todos", "7", json!({ "note": huge })), full),
        (set("cost", json!(1)), "Value cost not found"),
        (set("todos", json!(1)), "Value todos not found"),
        (set("price.a.b", json!(1)), "price.a.b cannot be set: price.a is a number"),
    ] {
        assert_eq!(engine.apply(command).map_err(|refusal| refusal.to_string()), Err(expected.to_owned()));
    }
    assert_eq!((rows(&engine, "todos"), engine.sequence()), (rows(&mixed(), "todos"), 0));
    assert_eq!(engine.data_values().get("price"), mixed().data_values().get("price"));
}

#[test]
fn a_full_collection_accepts_no_row() {
    let mut engine = mixed();
    let large = |less: usize| json!({ "note": "x".repeat(MAX_COLLECTION_BYTES - less) });
    engine.apply(merge("todos", "7", large(200))).unwrap();
    engine.apply(add(json!({ "note": "x".repeat(1000) }))).unwrap();
    let full = Refusal::Full { collection: "todos".into(), is_counted: false };
    assert_eq!(full.to_string(), "The rows of todos take more than 64 MiB; a reset removes the added ones");
    assert_eq!(engine.apply(add(json!({}))), Err(full));
    engine.apply(remove("todos", "9")).unwrap();
    engine.apply(add(json!({}))).unwrap();
}
