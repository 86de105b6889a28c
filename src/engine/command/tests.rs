#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod data;

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::engine::{Command, Effects, Engine, Frame, MAX_COLLECTION_BYTES, MAX_TOPICS, Refusal, Topic};
use crate::scenario::{Row, Scenario, Source, parse};

fn scenario(text: &str) -> Arc<Scenario> {
    Arc::new(parse(&Source::new("shop.yaml", text)).unwrap_or_else(|problems| panic!("{problems:?}")))
}

fn named(name: impl Into<Arc<str>>) -> Topic {
    Topic::Named(name.into())
}

const TOYS: &str = "categories:
  toys:
    prefix: T
    fields: { name: string, price: { type: number, optional: true } }
    products: [{ id: T1, name: Kite, price: 3, size: { w: 1, h: 2 }, tags: [a, b], total: 5 }, { id: T2 }]
  digits: { products: [{ id: 1, name: one }] }
";

fn fields(json: Value) -> Map<String, Value> {
    if let Value::Object(fields) = json { fields } else { panic!("{json} is not an object") }
}

fn merge(collection: &str, id: &str, json: Value) -> Command {
    Command::MergeRow { collection: collection.into(), id: id.into(), fields: fields(json) }
}

fn replace(collection: &str, id: &str, json: Value) -> Command {
    Command::ReplaceRow { collection: collection.into(), id: id.into(), fields: fields(json) }
}

fn remove(collection: &str, id: &str) -> Command {
    Command::RemoveRow { collection: Some(collection.into()), id: id.into() }
}

fn rows(engine: &Engine, collection: &str) -> String {
    serde_json::to_string(engine.collections().get(collection).unwrap().rows()).unwrap()
}

fn members(engine: &Engine, topic: &Topic) -> Vec<u64> {
    engine.topics().members(topic).collect()
}

#[test]
fn a_change_of_a_row_is_one_event_and_keeps_the_value() {
    const T2: &str = r#"{"id":"T2"}"#;
    for (command, event, toys) in [
        (
            merge("toys", "T1", json!({ "price": 4, "new": { "a": null, "b": { "c": 1 } }, "name": "Bike" })),
            "merged",
            r#"{"id":"T1","name":"Bike","price":4,"size":{"w":1,"h":2},"tags":["a","b"],"new":{"a":null,"b":{"c":1}}}"#,
        ),
        // Fields are replaced as a whole, and null is a value.
        (
            merge("toys", "T1", json!({ "id": "T1", "gone": null, "size": { "w": null, "d": 3 }, "tags": null })),
            "merged",
            r#"{"id":"T1","name":"Kite","price":3,"size":{"w":null,"d":3},"tags":null,"gone":null}"#,
        ),
        (
            merge("toys", "T1", json!({ "tags": { "x": 1 }, "size": 7 })),
            "merged",
            r#"{"id":"T1","name":"Kite","price":3,"size":7,"tags":{"x":1}}"#,
        ),
        (
            replace("toys", "T1", json!({ "b": null, "name": "Bike" })),
            "replaced",
            r#"{"id":"T1","b":null,"name":"Bike"}"#,
        ),
        (replace("toys", "T1", json!({ "name": "Bike", "id": "T1" })), "replaced", r#"{"id":"T1","name":"Bike"}"#),
        (remove("toys", "T1"), "removed", ""),
    ] {
        let mut engine = Engine::new(&scenario(TOYS), 1);
        let before = engine.clone();
        let events = engine.apply(command).unwrap().events;
        let expected = json!({ "at": "0s", "sequence": 1, "event": event, "id": "T1", "category": "toys" });
        assert_eq!(events.iter().map(|one| serde_json::to_value(one).unwrap()).collect::<Vec<_>>(), [expected]);
        let (separator, value) = if toys.is_empty() { ("", None) } else { (",", Some(5)) };
        assert_eq!(rows(&engine, "toys"), format!("[{toys}{separator}{T2}]"));
        let values: Vec<(&str, i64)> = engine.counter_values().map(|(id, value)| (&**id, value)).collect();
        assert_eq!(
            values,
            value.map(|value| ("T1", value)).into_iter().chain([("T2", 0), ("1", 0)]).collect::<Vec<_>>()
        );
        // The other rows are shared with the copy, which is unchanged.
        let shared = |engine: &Engine| engine.collections().get("toys").unwrap().rows().last().unwrap().clone();
        assert!(Arc::ptr_eq(&shared(&engine), &shared(&before)));
        assert_eq!(rows(&before, "toys"), rows(&Engine::new(&scenario(TOYS), 1), "toys"));
    }
}

#[test]
fn ids_of_rows_compare_as_text_and_stay() {
    for (id, is_same) in
        [(json!(1), true), (json!("1"), true), (json!(1.0), false), (json!(null), false), (json!([1]), false)]
    {
        for change in [merge, replace] {
            let mut engine = Engine::new(&scenario(TOYS), 1);
            let outcome = engine.apply(change("digits", "1", json!({ "id": id, "name": "uno" })));
            let expected = if is_same { r#"[{"id":1,"name":"uno"}]"# } else { r#"[{"id":1,"name":"one"}]"# };
            assert_eq!((rows(&engine, "digits"), outcome.is_ok()), (expected.to_owned(), is_same), "{id}");
        }
    }
}

#[test]
fn a_refused_change_of_a_row_changes_nothing() {
    let mut engine = Engine::new(&scenario(TOYS), 1);
    let before = (rows(&engine, "toys"), rows(&engine, "digits"));
    let field = |field: &str, expected: &str| Refusal::Field { field: field.into(), expected: expected.into() };
    let large = "x".repeat(MAX_COLLECTION_BYTES);
    let full = || Refusal::Full { collection: "toys".into(), is_counted: true };
    for (command, refusal) in [
        (merge("games", "T1", json!({})), Refusal::UnknownCollection("games".into())),
        (replace("games", "T1", json!({})), Refusal::UnknownCollection("games".into())),
        (remove("games", "T1"), Refusal::UnknownCollection("games".into())),
        (merge("toys", "T3", json!({})), Refusal::UnknownRow("T3".into())),
        (replace("toys", "1", json!({ "name": "a" })), Refusal::UnknownRow("1".into())),
        // The row is in another collection.
        (remove("digits", "T1"), Refusal::UnknownRow("T1".into())),
        (merge("toys", "T1", json!({ "id": "T3" })), Refusal::FixedId("T1".into())),
        (replace("toys", "T1", json!({ "id": 1, "name": "a" })), Refusal::FixedId("T1".into())),
        (merge("toys", "T1", json!({ "name": 1 })), field("name", "string")),
        (merge("toys", "T1", json!({ "name": null })), field("name", "string")),
        (merge("toys", "T1", json!({ "price": "3" })), field("price", "number")),
        (merge("toys", "T1", json!({ "price": null })), field("price", "number")),
        (replace("toys", "T1", json!({ "price": 3 })), field("name", "string")),
        (merge("toys", "T1", json!({ "note": large })), full()),
        (replace("toys", "T2", json!({ "name": large })), full()),
    ] {
        assert_eq!(engine.apply(command), Err(refusal));
    }
    assert_eq!((rows(&engine, "toys"), rows(&engine, "digits"), engine.sequence()), (before.0, before.1, 0));
    // A field that a declared row already lacks does not prevent a change of another field.
    engine.apply(merge("toys", "T2", json!({ "price": 1 }))).unwrap();
}

#[test]
fn a_row_added_by_a_client_keeps_its_id() {
    let mut engine = Engine::new(&scenario(TOYS), 1);
    let add = |name: Value, announce| {
        let row = Row::from_parts("T9".into(), fields(json!({ "name": name })), Map::new(), 7);
        Command::AddRow { collection: "toys".into(), row: row.into(), announce }
    };
    let refusal = Refusal::Field { field: "name".into(), expected: "string".into() };
    assert_eq!(engine.apply(add(json!(1), true)), Err(refusal));
    let mut announced = engine.clone();
    let kinds = |effects: Effects| -> Vec<Value> {
        effects.events.iter().map(|event| serde_json::to_value(event).unwrap()["event"].clone()).collect()
    };
    assert_eq!(kinds(engine.apply(add(json!("Kite"), false)).unwrap()), ["added"]);
    assert_eq!(kinds(announced.apply(add(json!("Kite"), true)).unwrap()), ["added", "total"]);
    for mut engine in [engine, announced] {
        assert_eq!(engine.counter_values().last().map(|(id, value)| (&**id, value)), Some(("T9", 7)));
        assert_eq!(engine.apply(add(json!("Bike"), true)), Err(Refusal::DuplicateRow("T9".into())));
        engine.apply(Command::RemoveRow { collection: None, id: "T9".into() }).unwrap();
        assert_eq!(rows(&engine, "toys"), rows(&Engine::new(&scenario(TOYS), 1), "toys"));
    }
}

#[test]
fn a_full_collection_accepts_changes_that_shrink_a_row() {
    let mut engine = Engine::new(&scenario(TOYS), 1);
    let large = |less: usize| json!({ "name": "x".repeat(MAX_COLLECTION_BYTES - less) });
    engine.apply(replace("toys", "T2", large(200))).unwrap();
    let mut added = fields(json!({ "name": "x".repeat(1000) }));
    engine.apply(Command::add_row("toys", added.clone())).unwrap();
    assert_eq!(
        engine.apply(merge("toys", "T1", json!({ "price": 33 }))),
        Err(Refusal::Full { collection: "toys".into(), is_counted: true })
    );
    added.insert("name".into(), "y".repeat(1000).into());
    engine.apply(merge("toys", "T3", added.into())).unwrap();
    engine.apply(replace("toys", "T1", json!({ "name": "" }))).unwrap();
}

#[test]
fn sending_is_one_event_and_joining_is_none() {
    let mut engine = Engine::new(&scenario("categories: { toys: { prefix: T } }"), 1);
    for command in [
        Command::Join { member: 7, topics: vec![named("a"), Topic::Notices, named("a")] },
        Command::Leave { member: 7, topics: vec![named("a"), named("b")] },
        Command::Join { member: 8, topics: vec![named("a"), named("b")] },
        Command::LeaveAll { member: 8 },
    ] {
        assert_eq!(engine.apply(command), Ok(Effects::default()));
    }
    assert_eq!((members(&engine, &Topic::Notices), members(&engine, &named("a"))), (vec![7], vec![]));
    let frame = Frame::Json(json!({ "bid": 3 }).into());
    let effects = engine.apply(Command::Send { to: vec![named("a")], frame, except: None }).unwrap();
    let events: Vec<_> = effects.events.iter().map(|event| serde_json::to_value(event).unwrap()).collect();
    assert_eq!(events, [json!({ "at": "0s", "sequence": 1, "event": "sent", "topic": "a", "frame": { "bid": 3 } })]);
}

#[test]
fn joining_too_many_topics_joins_none() {
    let mut engine = Engine::new(&scenario("categories: { toys: { prefix: T } }"), 1);
    let all = (0..MAX_TOPICS).map(|number| named(number.to_string()));
    engine.apply(Command::Join { member: 1, topics: all.clone().chain(all.clone()).collect() }).unwrap();
    let one_more = || Command::Join { member: 1, topics: vec![named("0"), named("more")] };
    assert_eq!(engine.apply(one_more()), Err(Refusal::TooManyTopics));
    assert_eq!(engine.apply(Command::Join { member: 1, topics: all.collect() }), Ok(Effects::default()));
    engine.apply(Command::Leave { member: 1, topics: vec![named("1")] }).unwrap();
    engine.apply(one_more()).unwrap();
    assert_eq!(engine.topics().joined(1).count(), MAX_TOPICS);
}

#[test]
fn members_survive_resets_and_reloads_and_are_not_in_states() {
    let start = Engine::new(&scenario("categories: { toys: { prefix: T } }"), 1);
    let mut engine = start.clone();
    engine.apply(Command::Join { member: 7, topics: vec![Topic::Counters] }).unwrap();
    let state = engine.save(&start);
    assert_eq!(serde_json::to_value(&state).unwrap(), serde_json::to_value(start.save(&start)).unwrap());
    let restored = Engine::restored(&start, state).unwrap();
    engine.replace(&scenario("categories: { games: { prefix: G } }"), 1);
    for (engine, expected) in [
        (&restored, vec![]),
        (&engine, vec![7]),
        (&engine.clone().without_members(), vec![]),
        (&engine.clone().without_members().with_members_of(&engine), vec![7]),
        (&start.clone().with_members_of(&engine), vec![7]),
        (&restored.clone().with_members_of(&engine), vec![7]),
    ] {
        assert_eq!(members(engine, &Topic::Counters), expected);
    }
}

#[test]
fn commands_round_trip_through_json() {
    let kite = Row::from_parts("T9".into(), fields(json!({ "name": "Kite" })), fields(json!({ "n": 1 })), 7);
    for (command, expected) in [
        (Command::count("T1", -2), json!({ "count": { "id": "T1", "amount": -2 } })),
        (Command::CountAll { amounts: vec![("T1".into(), 1)] }, json!({ "count-all": { "amounts": [["T1", 1]] } })),
        (Command::SetCounter { id: "T1".into(), value: 3 }, json!({ "set-counter": { "id": "T1", "value": 3 } })),
        (Command::SetCounters { values: vec![("T1".into(), 3)] }, json!({ "set-counters": { "values": [["T1", 3]] } })),
        (
            Command::AddRow { collection: "toys".into(), row: kite.into(), announce: true },
            json!({ "add-row": {
                "collection": "toys",
                "row": { "id": "T9", "has_number_id": false, "own": { "name": "Kite" }, "order": { "n": 1 }, "value": 7 },
                "announce": true,
            } }),
        ),
        (
            merge("toys", "T1", json!({ "a": null })),
            json!({ "merge-row": { "collection": "toys", "id": "T1", "fields": { "a": null } } }),
        ),
        (
            replace("toys", "T1", json!({ "a": [1] })),
            json!({ "replace-row": { "collection": "toys", "id": "T1", "fields": { "a": [1] } } }),
        ),
        (remove("toys", "T1"), json!({ "remove-row": { "collection": "toys", "id": "T1" } })),
        (
            Command::IncrementRow { collection: "toys".into(), id: "T1".into(), amounts: fields(json!({ "a": 0.5 })) },
            json!({ "increment-row": { "collection": "toys", "id": "T1", "amounts": { "a": 0.5 } } }),
        ),
        (
            Command::SetValue { name: "price".into(), keys: vec!["a".into(), "0".into()], value: json!(null) },
            json!({ "set-value": { "name": "price", "keys": ["a", "0"], "value": null } }),
        ),
        (
            Command::Join { member: 1, topics: vec![named("a"), Topic::Counters] },
            json!({ "join": { "member": 1, "topics": [{ "named": "a" }, "counters"] } }),
        ),
        (
            Command::Leave { member: 1, topics: vec![Topic::CountersOf("toys".into())] },
            json!({ "leave": { "member": 1, "topics": [{ "counters-of": "toys" }] } }),
        ),
        (Command::LeaveAll { member: 1 }, json!({ "leave-all": { "member": 1 } })),
        (
            Command::Send { to: vec![named("a")], frame: Frame::Text("hi".into()), except: None },
            json!({ "send": { "to": [{ "named": "a" }], "frame": { "text": "hi" } } }),
        ),
    ] {
        let written = serde_json::to_value(&command).unwrap();
        assert_eq!(written, expected);
        let read: Command = serde_json::from_value(written).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), expected);
    }
}
