//! An engine restored from the state of another continues as that one does, with its members.

use std::time::Duration;

use serde_json::{Value, json};

use super::world::{TestWorld, restored_copy, saved_state};
use super::{ask, engine, get, post, request, rows};
use crate::engine::codec::SessionOptions;
use crate::engine::{Command, Engine, FIRST_SHARED_MEMBER, RuleRequest, Topic};
use crate::scenario::CrudOperation;

/// The key of the endpoint for rooms.
const ROOM: &str = "/rooms/{room}";

/// Sockets and streams with a bit of everything.
const ALL: &str = "
data: { rows: [{ n: 0 }], log: [] }
http:
  GET /live:
    stream:
      - join: { to: rows, frame: { data: '{{ random(1, 1000000) }}', id: $event.row.id } }
      - { after: 1s, times: 3, every: 1s, reply: '{{ random(1, 1000000) }}' }
websocket:
  /rooms/{room}:
    frame: { all: $event, by: $topic }
    open:
      - { set: { conn.name: $query.name } }
      - join:
          to: rows
          where: { change: added }
          frame: { n: $event.row.n, me: $conn.name, room: $path.room }
          do: [{ after: 2s, reply: first }, { times: forever, every: 3s, reply: '{{ random(1, 1000000) }}' }]
      - { join: [a, b] }
      - { after: 1s, reply: { late: $query.name, here: \"{{ members('a') }}\" } }
    messages:
      - { match: { do: name }, set: { conn.name: $msg.name } }
      - { match: { do: join }, join: { to: $msg.to, as: $msg.as, frame: '{{ random(1, 1000000) }} {{ event }}' } }
      - { match: { do: leave }, leave: { as: $msg.as } }
      - { match: { do: all }, send: { frame: $msg.frame } }
      - { match: { do: add }, add: { rows: { n: '{{ random(1, 9) }}' } } }
      - { match: { do: later }, do: [{ after: 1s, reply: $msg }, { after: 1s, close: 4000 }] }
    closed: [{ add: { log: { left: $conn.name } } }, { after: 1s, send: { to: a, frame: gone } }]
";

/// Returns the command that opens the stream.
fn stream(member: u64) -> Command {
    let request = Box::new(request("GET", "/", Value::Null));
    Command::Answer { key: "GET /live".into(), crud: None, request, member: Some(member) }
}

#[test]
fn members_are_restored_with_all_of_their_state() {
    let mut world = TestWorld::compared(ALL);
    for member in [1, 2, 3] {
        world.open(ROOM, member);
    }
    world.apply(&stream(4));
    for (member, message) in [
        (1, json!({ "do": "name", "name": "eve" })),
        (2, json!({ "do": "join", "to": ["c", "a"], "as": "two" })),
        (3, json!({ "do": "join", "to": "c", "as": "three" })),
        (1, json!({ "do": "add" })),
        (2, json!({ "do": "later", "null": null })),
    ] {
        world.send(member, &message);
    }
    assert_eq!(world.publish("c").len(), 2);
    world.pass_millis(1500);
    world.send(3, &json!({ "do": "leave", "as": "three" }));
    assert_eq!(world.publish("c").len(), 1);
    assert_eq!(world.send(3, &json!({ "do": "all", "frame": [1] })).len(), 3);
    world.pass(1);
    world.close(2);
    world.close(1);
    assert_eq!(rows(&world.engine, "log"), json!([{ "id": 1, "left": "ada" }, { "id": 2, "left": "eve" }]));
    assert_eq!(world.publish("a").len(), 1);
    world.open(ROOM, 5);
    world.pass(5);
    assert_eq!(world.send(5, &json!({ "do": "add" })).len(), 3);
}

#[test]
fn a_frame_that_a_reload_removed_is_restored() {
    let text = |frame: &str| {
        format!(
            "
data: {{ rows: [] }}
http: {{ GET /live: {{ stream: [{{ join: {{ to: rows, frame: {{ data: '{frame} {{{{ event.row.n }}}}' }} }} }}] }} }}
websocket: {{ '{ROOM}': {{ open: [{{ join: {{ to: rows, frame: '{frame} {{{{ event.row.n }}}} {{{{ path.room }}}}' }} }}] }} }}
"
        )
    };
    let mut world = TestWorld::compared(&text("old"));
    world.open(ROOM, 1);
    world.apply(&stream(2));
    assert_eq!(world.reload(&text("new")), Vec::<String>::new());
    world.open(ROOM, 3);
    let add = |world: &mut TestWorld| world.post(&json!([{ "add": { "rows": { "n": 5 } } }]));
    let expected = [r#"1: "old 5 7""#, r#"2: {"data":"old 5"}"#, r#"3: "new 5 7""#];
    assert_eq!(add(&mut world), expected);
    assert_eq!(add(&mut world), expected);
}

#[test]
fn groups_are_restored_in_order() {
    let mut world = TestWorld::compared(
        "websocket: { /s: { messages: [{ match: { join: 1 }, join: { to: a, as: $msg.id, frame: '{{ msg.id }} {{ random(1, 1000000) }}' } }, { leave: { as: $msg.id } }] } }",
    );
    world.open("/s", 1);
    for name in ["one", "two", "three", "four"] {
        world.send(1, &json!({ "join": 1, "id": name }));
    }
    // The others keep their order when one is left.
    world.send(1, &json!({ "id": "one" }));
    assert_eq!(world.publish("a").len(), 3);
    world.send(1, &json!({ "join": 1, "id": "one" }));
    assert_eq!(world.publish("a").len(), 4);
}

#[test]
fn a_snapshot_has_no_members() {
    let mut world = TestWorld::new(ALL);
    world.open(ROOM, 1);
    world.apply(&stream(2));
    let waiting = |state: &Value| state["rules"]["waiting"].as_array().unwrap().len();
    let with_members = saved_state(&world.engine);
    assert_eq!((with_members["members"]["members"].as_array().unwrap().len(), waiting(&with_members)), (2, 3));
    let without = saved_state(&world.engine.clone().without_members());
    assert_eq!((without.get("members"), waiting(&without)), (None, 0));
}

#[test]
fn a_snapshot_runs_the_closed_steps_of_open_sockets_alone() {
    let mut world = TestWorld::compared(
        "
data: { log: [] }
http: { GET /log: { body: \"{{ log | map(attribute='id') | list }}\" } }
websocket: { /s: { messages: [{ text: bye, close: 4000 }], closed: [{ add: { log: { id: $conn.id } } }] } }
",
    );
    for member in [1, 2, 3] {
        world.open("/s", member);
    }
    world.say(2, "bye");
    assert_eq!(get(&mut world.engine, "GET /log"), json!([2]));
    let mut snapshot = world.engine.clone();
    snapshot.end_all_sockets();
    assert_eq!(get(&mut snapshot, "GET /log"), json!([2, 1, 3]));
    for member in [2, 3] {
        world.close(member);
    }
    assert_eq!(get(&mut world.engine, "GET /log"), json!([2, 3]));
}

#[test]
fn expressions_count_the_members_known_to_all_servers() {
    let text = "
http: { GET /here: { body: \"{{ [joined('a'), members('a')] }}\" } }
websocket: { /s: { open: [{ join: a }] } }
";
    let a = Topic::Named("a".into());
    for (first, expected) in [
        (FIRST_SHARED_MEMBER, json!([1, [FIRST_SHARED_MEMBER]])),
        // With a single server, all members count.
        (7, json!([2, [3, 7]])),
    ] {
        let mut engine = engine(text);
        if first == FIRST_SHARED_MEMBER {
            engine = engine.shared_by_servers();
        }
        engine.apply(Command::Join { member: 3, topics: vec![a.clone()] }).unwrap();
        let (request, options) = (Box::<RuleRequest>::default(), SessionOptions::default());
        engine.apply(Command::Open { member: first, endpoint: "/s".into(), request, options }).unwrap();
        assert_eq!(get(&mut engine, "GET /here"), expected);
        let mut restored = restored_copy(&engine);
        assert_eq!(restored.topics().members(&a).collect::<Vec<_>>(), [first]);
        restored = restored.with_local_members_of(&engine);
        assert_eq!(get(&mut restored, "GET /here"), expected);
        assert!(restored.topics().has_joined(3, &a));
    }
}

/// A world whose rules have delayed steps.
const LATER: &str = "
data: { rows: [{ id: 1, n: 0 }], price: 1 }
triggers:
  - { topic: rows, do: [{ after: 1s, set: { price: $event.row.n } }] }
http:
  GET /dice: { do: [{ set: { price: '{{ random(1, 1000000) }}' } }], body: $price }
  GET /seen: { body: \"{{ [now.ms, next('seen'), random(1, 1000000)] }}\" }
  GET /vote: { increment: { rows: { id: 1, n: 1 } }, body: $it }
";

#[test]
fn rules_are_restored_with_their_scheduled_steps() {
    let mut engine = engine(LATER);
    let answers = |engine: &mut Engine| {
        ["GET /dice", "GET /seen", "GET /vote"].map(|key| ask(engine, key, request("GET", "/", Value::Null)).unwrap())
    };
    answers(&mut engine);
    let steps = json!([{ "set": { "price": 0.1 } }, { "after": "1s", "set": { "price": "{{ random(1, 1000000) }}" } }]);
    post(&mut engine, steps).unwrap();
    let mut restored = restored_copy(&engine);
    assert_eq!(engine.advance(Duration::from_secs(5)), restored.advance(Duration::from_secs(5)));
    assert_eq!(answers(&mut engine), answers(&mut restored));
    assert_eq!(saved_state(&engine), saved_state(&restored));
}

#[test]
fn commands_of_rules_survive_a_json_round_trip() {
    let full = RuleRequest {
        method: Some("POST".into()),
        url: Some("/rows/1?a=b".into()),
        path: Some([("id".to_owned(), json!("1"))].into_iter().collect()),
        query: Some([("a".to_owned(), json!(["b", "c"]))].into_iter().collect()),
        headers: Some([("x-a".to_owned(), json!("b"))].into_iter().collect()),
        cookies: Some([("c".to_owned(), json!("d"))].into_iter().collect()),
        body: Some(json!({ "n": 1, "f": 0.1, "z": null, "a": [true] })),
    };
    let operations = [
        (CrudOperation::List, "list"),
        (CrudOperation::Get, "get"),
        (CrudOperation::Add, "add"),
        (CrudOperation::Replace, "replace"),
        (CrudOperation::Merge, "merge"),
        (CrudOperation::Remove, "remove"),
    ];
    let answers = operations.into_iter().map(|(operation, name)| {
        let request = Box::new(full.clone());
        let command = Command::Answer { key: "/rows".into(), crud: Some(operation), request, member: None };
        let written = json!({ "key": "/rows", "crud": name, "request": {
            "method": "POST", "url": "/rows/1?a=b", "path": { "id": "1" }, "query": { "a": ["b", "c"] },
            "headers": { "x-a": "b" }, "cookies": { "c": "d" },
            "body": { "n": 1, "f": 0.1, "z": null, "a": [true] },
        }, "member": null });
        (command, json!({ "answer": written }))
    });
    let steps = json!([{ "after": "1s", "set": { "price": "{{ price + 1 }}" } }]);
    let data = json!({ "price": 2, "rows": [{ "id": 1 }] });
    let Value::Object(set) = data.clone() else { panic!("expected a mapping") };
    let others = [
        (
            Command::Steps { steps: crate::engine::StepsText::Written(steps.clone()) },
            json!({ "steps": { "steps": steps } }),
        ),
        (Command::SetData { data: set }, json!({ "set-data": { "data": data } })),
    ];
    for (command, expected) in answers.chain(others) {
        let text = serde_json::to_string(&command).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected);
        let read: Command = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), expected);
    }
    // A missing body stays missing.
    let bare = request("GET", "/", Value::Null);
    let written = serde_json::to_value(&bare).unwrap();
    assert_eq!(serde_json::from_value::<RuleRequest>(written).unwrap(), bare);
}
