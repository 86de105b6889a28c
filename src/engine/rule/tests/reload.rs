//! Sockets of endpoints across a reload.

use serde_json::{Value, json};

use super::members::notices;
use super::world::TestWorld;
use super::{engine, get, post, scenario};
use crate::engine::codec::SessionOptions;
use crate::engine::{Closing, Command, Engine, Event, EventKind, Frame, MemberEvent, RuleRequest};

/// Opens a socket in room `a` and returns the events of its member.
fn open(engine: &mut Engine, endpoint: &str, member: u64) -> Vec<String> {
    let path = Some([("room".to_owned(), Value::from("a"))].into_iter().collect());
    let request = Box::new(RuleRequest { path, ..RuleRequest::default() });
    let command = Command::Open { member, endpoint: endpoint.into(), request, options: SessionOptions::default() };
    notices(&engine.apply(command).unwrap().events)
}

/// Returns the members that are closed, with code and reason.
fn closed(events: &[Event]) -> Vec<(u64, Closing)> {
    let closed = events.iter().filter_map(|event| match &event.kind {
        EventKind::Member { member, what: MemberEvent::Closed(Some(closing)) } => Some((*member, closing.clone())),
        _ => None,
    });
    closed.collect()
}

/// Adds a row and returns the frames that members receive, sorted.
fn received(engine: &mut Engine) -> Vec<String> {
    let events = post(engine, json!([{ "add": { "rows": { "n": 1 } } }])).unwrap().events;
    let notices = notices(&events).into_iter();
    let mut frames: Vec<String> = notices.filter_map(|line| Some(line.split_once(": ")?.1.to_owned())).collect();
    frames.sort_unstable();
    frames
}

#[test]
fn a_reload_lists_the_endpoints_it_changes() {
    let old = "websocket: { '/rooms/{room}': { messages: [{ reply: 1 }] }, /b: {}, /c: { frame: $event } }";
    for (new, expected) in [
        (old, &[][..]),
        (
            "websocket: { '/rooms/{id}': { messages: [{ reply: 1 }] }, /b: {}, /c: { frame: $event } }",
            &["websocket /rooms/{id} added", "websocket /rooms/{room} removed"],
        ),
        (
            "websocket: { '/rooms/{room}': { messages: [{ text: a, reply: 2 }, { reply: 1 }] }, /c: { frame: $topic } }",
            &["websocket /rooms/{room} changed", "websocket /c changed", "websocket /b removed"],
        ),
    ] {
        let changes = engine(old).replace(&scenario(new), 42).changes;
        assert_eq!(changes.iter().map(ToString::to_string).collect::<Vec<_>>(), expected, "{new}");
    }
}

#[test]
fn sockets_of_a_removed_endpoint_are_closed() {
    let text = |room: &str| {
        format!(
            "
data: {{ rows: [], left: 0 }}
http: {{ GET /n: {{ body: \"{{{{ joined('rows') }}}}\" }} }}
websocket:
  /rooms/{{{room}}}:
    open: [{{ join: rows }}, {{ reply: tick, times: forever, every: 1s }}]
    messages: [{{ set: {{ left: 7 }} }}]
    closed: [{{ set: {{ left: 1 }} }}]
  /feed: {{ open: [{{ join: rows }}] }}
"
        )
    };
    let mut engine = engine(&text("room"));
    for (member, endpoint) in [(1, "/rooms/{room}"), (2, "/feed"), (3, "/rooms/{room}")] {
        open(&mut engine, endpoint, member);
    }
    assert_eq!(get(&mut engine, "GET /n"), 3);
    let events = engine.replace(&scenario(&text("id")), 42).events;
    let closing = Closing::new(1001, "the endpoint is gone");
    assert_eq!(closed(&events), [(1, closing.clone()), (3, closing)]);
    // Their memberships and scheduled steps end, and their messages are ignored.
    assert_eq!((get(&mut engine, "GET /n"), engine.next_due()), (json!(1), None));
    engine.apply(Command::Receive { member: 1, frame: Frame::Text("hello".into()) }).unwrap();
    engine.apply(Command::Close { member: 1 }).unwrap();
    assert_eq!(**engine.data_values().get("left").unwrap(), 0);
    // They are closed once.
    assert!(closed(&engine.replace(&scenario(&text("room_id")), 42).events).is_empty());
}

#[test]
fn sockets_are_closed_when_the_protocol_changes() {
    let text = |protocol: &str| format!("websocket: {{ /s: {{ {protocol} open: [{{ join: room }}] }} }}");
    let (socket_io, graphql) = ("protocol: socket.io,", "protocol: graphql-transport-ws,");
    for (before, after) in [("", socket_io), (socket_io, ""), (graphql, socket_io), ("", graphql)] {
        let mut world = TestWorld::new(&text(before));
        world.open("/s", 1);
        assert_eq!(world.reload(&text(after)), ["1 closed 1012 the endpoint speaks another protocol"], "{before}");
        assert_eq!((world.publish("room"), world.say(1, "x")), (Vec::new(), Vec::new()));
        // Further reloads do not close the socket again.
        assert_eq!((world.reload(&text(before)), world.reload(&text(after))), (Vec::new(), Vec::new()));
    }
}

#[test]
fn memberships_follow_the_frame_of_their_endpoint() {
    let text = |frame: &str| {
        format!(
            "data: {{ rows: [] }}\nwebsocket:\n  /feed/{{room}}: {{ {frame} open: [{{ join: rows }}, {{ join: {{ to: rows, frame: own }} }}, {{ reply: $path.room }}] }}"
        )
    };
    let mut engine = engine(&text(""));
    assert_eq!(open(&mut engine, "/feed/{room}", 1), ["1 in 1", "1 in 2", r#"1: "a""#]);
    let event = |sequence: u64, id: u64| {
        json!({ "sequence": sequence, "change": "added", "row": { "id": id, "n": 1 }, "before": null }).to_string()
    };
    assert_eq!(received(&mut engine), [r#""own""#.to_owned(), event(1, 1)]);
    for (frame, changes, expected) in [
        ("frame: { room: $path.room, n: $event.row.n },", &["1 out 1", "1 in 3"][..], r#"{"room":"a","n":1}"#),
        ("frame: { room: $path.room, n: $event.row.n },", &[], r#"{"room":"a","n":1}"#),
        ("frame: { topic: $topic },", &["1 out 3", "1 in 4"], r#"{"topic":"rows"}"#),
    ] {
        assert_eq!(notices(&engine.replace(&scenario(&text(frame)), 42).events), changes, "{frame}");
        assert_eq!(received(&mut engine), [r#""own""#, expected], "{frame}");
    }
    engine.replace(&scenario(&text("")), 42);
    assert_eq!(received(&mut engine), [r#""own""#.to_owned(), event(5, 5)]);
}
