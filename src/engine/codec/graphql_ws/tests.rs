//! Conversations between a GraphQL client and the server.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::time::Duration;

use serde_json::{Value, json};

use super::{INIT_TIMEOUT, MAX_OPERATIONS};
use crate::engine::codec::{Address, CodecError, Received, Session, SessionOptions};
use crate::engine::frame::Frame;
use crate::scenario::Protocol;

fn opened() -> Session {
    let mut session = Session::new(Protocol::GraphqlTransportWs, SessionOptions::default());
    assert_eq!(session.opened(Duration::from_secs(10)), []);
    session
}

/// Returns a session whose connection is acknowledged.
fn connected() -> Session {
    let mut session = opened();
    let [Received::Opened(msg)] = &receive(&mut session, &json!({ "type": "connection_init" }))[..] else {
        panic!("a connection_init opens")
    };
    assert_eq!(session.finished(msg, false), [frame(json!({ "type": "connection_ack" }))]);
    session
}

fn receive(session: &mut Session, message: &Value) -> Vec<Received> {
    session.receive(Frame::Text(message.to_string().into()))
}

fn frame(message: Value) -> Frame {
    Frame::Json(message.into())
}

fn close(code: u16, reason: &str) -> Vec<Received> {
    vec![Received::Close { code, reason: reason.to_owned() }]
}

fn subscribe(id: &str) -> Value {
    json!({ "id": id, "type": "subscribe", "payload": { "query": "subscription OnPrice { price }" } })
}

/// Starts an operation and returns its message.
fn started(session: &mut Session, id: &str) -> Value {
    let mut received = receive(session, &subscribe(id));
    let Some(Received::Message(msg)) = received.pop() else { panic!("a subscribe is a message") };
    msg
}

#[test]
fn a_connection_is_acknowledged_once_open_has_finished() {
    let mut session = opened();
    let init = json!({ "type": "connection_init", "payload": { "token": "t" } });
    let msg = json!({ "payload": { "token": "t" } });
    assert_eq!(receive(&mut session, &init), [Received::Opened(msg.clone())]);
    assert_eq!(session.due(), None);
    assert_eq!(session.finished(&msg, true), [frame(json!({ "type": "connection_ack" }))]);
    assert_eq!(session.finished(&msg, false), []);
}

#[test]
fn a_reply_may_give_the_acknowledgement_a_payload() {
    for (ack, acknowledgement) in [
        (json!({ "user": 1 }), json!({ "type": "connection_ack", "payload": { "user": 1 } })),
        (Value::Null, json!({ "type": "connection_ack" })),
    ] {
        let mut session = opened();
        receive(&mut session, &json!({ "type": "connection_init", "payload": null }));
        let msg = json!({ "payload": null });
        for value in [json!({ "ack": 1 }), json!({ "data": 1 }), json!("hello"), json!({ "ack": {}, "data": 1 })] {
            assert!(session.reply(Some(&msg), value).is_err());
        }
        let reply = json!({ "ack": ack });
        assert_eq!(session.reply(Some(&msg), reply.clone()).unwrap(), [frame(acknowledgement)]);
        assert_eq!(session.reply(Some(&msg), reply), Err(CodecError::NothingToAcknowledge));
        assert_eq!(session.finished(&msg, false), []);
    }
}

#[test]
fn a_connection_that_is_not_initialised_in_time_is_closed() {
    let mut session = opened();
    let due = Duration::from_secs(10) + INIT_TIMEOUT;
    let (early, timeout) = (due.saturating_sub(Duration::from_nanos(1)), "Connection initialisation timeout");
    // The world's clock alone closes nothing, however fast it runs.
    assert_eq!((session.due(), session.elapse(due, due), session.awaits_client()), (None, Vec::new(), true));
    let mut fast = session.clone();
    assert_eq!(fast.connect_timeout_expired(due), close(4408, timeout));
    assert_eq!(session.connect_timeout_expired(early), []);
    assert_eq!(session.due(), Some(due));
    assert_eq!(session.elapse(early, early), []);
    let mut initialised = session.clone();
    receive(&mut initialised, &json!({ "type": "connection_init" }));
    assert_eq!(
        (initialised.due(), initialised.awaits_client(), initialised.connect_timeout_expired(due)),
        (None, false, Vec::new())
    );
    assert_eq!(session.elapse(due, due), close(4408, timeout));
    assert_eq!((session.due(), session.was_connected()), (None, false));
}

#[test]
fn a_failed_open_closes_the_connection() {
    let mut session = opened();
    receive(&mut session, &json!({ "type": "connection_init" }));
    let msg = json!({ "payload": null });
    assert!(session.is_pending(&msg));
    assert_eq!(session.refused(&msg, "Row 9 not found"), close(4500, "Row 9 not found"));
    assert!(!session.was_connected());
    // An acknowledged connection stays open.
    let mut session = connected();
    assert!(!session.is_pending(&msg) && session.was_connected());
    assert_eq!(session.refused(&msg, "late"), []);
}

#[test]
fn a_subscription_receives_results_until_the_server_leaves() {
    let mut session = connected();
    let payload = json!({
        "operationName": "Prices", "query": "{ price }", "variables": { "id": 7 }, "extensions": { "hash": "h" },
    });
    let msg = json!({
        "id": "1", "operationName": "Prices", "query": "{ price }", "variables": { "id": 7 }, "extensions": { "hash": "h" },
    });
    let subscribe = json!({ "id": "1", "type": "subscribe", "payload": payload });
    assert_eq!(receive(&mut session, &subscribe), [Received::Message(msg.clone())]);
    let next = |n: u64| frame(json!({ "id": "1", "type": "next", "payload": { "data": { "price": n } } }));
    assert_eq!(session.reply(Some(&msg), json!({ "data": { "price": 1 } })).unwrap(), [next(1)]);
    assert_eq!(session.finished(&msg, true), []);
    let address = session.address(Some("1"), Some(&msg));
    assert_eq!(address, Address::GraphqlWs(Some("1".into())));
    assert_eq!(session.address(Some("room"), Some(&msg)), address);
    assert!(session.reaches(&address));
    assert_eq!(address.frames(&json!({ "data": { "price": 2 } })).unwrap(), [next(2)]);
    assert_eq!(session.left("1"), [frame(json!({ "id": "1", "type": "complete" }))]);
    assert!(!session.reaches(&address));
    assert_eq!(session.left("1"), []);
    assert_eq!(session.reply(Some(&msg), json!({ "data": null })), Ok(Vec::new()));
}

#[test]
fn a_message_names_its_operation_and_has_mappings() {
    let mut session = connected();
    for (id, payload, name) in [
        ("1", json!({ "query": "query A { a }" }), json!("A")),
        ("2", json!({ "query": "query A { a } query B { b }", "operationName": "B" }), json!("B")),
        ("3", json!({ "query": "query A { a } query B { b }", "variables": null, "extensions": null }), Value::Null),
        ("4", json!({ "query": "query A { a }", "operationName": "" }), json!("A")),
        ("5", json!({ "query": "", "operationName": null }), Value::Null),
    ] {
        let msg = json!({
            "id": id, "operationName": name, "query": payload["query"], "variables": {}, "extensions": {},
        });
        let received = receive(&mut session, &json!({ "id": id, "type": "subscribe", "payload": payload }));
        assert_eq!(received, [Received::Message(msg)]);
    }
}

#[test]
fn a_rule_that_keeps_nothing_open_completes_its_operation() {
    let mut session = connected();
    let msg = started(&mut session, "1");
    assert_eq!(session.finished(&msg, false), [frame(json!({ "id": "1", "type": "complete" }))]);
    assert_eq!(session.finished(&msg, false), []);
    started(&mut session, "1");
}

#[test]
fn errors_without_data_end_an_operation() {
    let errors = json!([{ "message": "No" }]);
    let error = frame(json!({ "id": "1", "type": "error", "payload": errors }));
    for value in [json!({ "errors": errors }), json!({ "errors": ["No"] })] {
        let mut session = connected();
        let msg = started(&mut session, "1");
        let address = session.address(None, Some(&msg));
        assert!(address.is_ended_by(&value));
        assert_eq!(address.frames(&value).unwrap(), std::slice::from_ref(&error));
        assert!(session.reaches(&address));
        let mut other = session.clone();
        other.end(&address);
        assert_eq!(session.reply(Some(&msg), value).unwrap(), std::slice::from_ref(&error));
        assert_eq!(session, other);
        assert_eq!(session.finished(&msg, false), []);
        assert!(!session.reaches(&address));
    }
    let mut session = connected();
    let msg = started(&mut session, "1");
    let partial = json!({ "data": null, "errors": errors });
    assert!(!session.address(None, Some(&msg)).is_ended_by(&partial));
    let next = frame(json!({ "id": "1", "type": "next", "payload": partial }));
    assert_eq!(session.reply(Some(&msg), partial).unwrap(), [next]);
    assert_eq!(session.finished(&msg, false).len(), 1);
}

#[test]
fn an_invalid_result_is_refused_with_a_reason() {
    let mut session = connected();
    let msg = started(&mut session, "1");
    for (value, error) in [
        (json!("hi"), "a GraphQL result must be { data } or { errors }, found \"hi\""),
        (json!({ "ack": {} }), "a GraphQL result must be { data } or { errors }, found {\"ack\":{}}"),
        (json!({ "errors": "No" }), "errors must be a list of texts or { message }, found \"No\""),
        (json!({ "errors": [] }), "errors must be a list of texts or { message }, found []"),
        (json!({ "errors": [{}] }), "a GraphQL error must be text or { message }, found {}"),
    ] {
        assert_eq!(session.reply(Some(&msg), value).unwrap_err().to_string(), error);
    }
    assert_eq!(session.address(None, None).frames(&json!({ "data": 1 })), Err(CodecError::NoOperation));
    assert_eq!(session.finished(&msg, false).len(), 1);
}

#[test]
fn an_unmatched_operation_receives_an_error() {
    for (name, nearest, text) in [
        (json!("A"), None, "no rule of this endpoint answers the operation `A`"),
        (json!("A"), Some("rule 2: x"), "no rule of this endpoint answers the operation `A`; the nearest is rule 2: x"),
        (Value::Null, None, "no rule of this endpoint answers the unnamed operation"),
    ] {
        let mut session = connected();
        let payload = json!({ "query": "{ a }", "operationName": name });
        let received = receive(&mut session, &json!({ "id": "1", "type": "subscribe", "payload": payload }));
        let [Received::Message(msg)] = &received[..] else { panic!("a subscribe is a message") };
        let error = json!({ "id": "1", "type": "error", "payload": [{ "message": text }] });
        assert_eq!(session.unmatched(msg, nearest), [frame(error)]);
        assert_eq!(session.unmatched(msg, nearest), []);
        assert_eq!(session.finished(msg, false), []);
    }
}

#[test]
fn a_client_that_completes_receives_nothing_more() {
    let mut session = connected();
    let msg = started(&mut session, "1");
    let complete = json!({ "id": "1", "type": "complete" });
    let address = session.address(None, Some(&msg));
    assert_eq!(receive(&mut session, &complete), [Received::Ended(address)]);
    assert_eq!(receive(&mut session, &complete), []);
    assert_eq!(session.reply(Some(&msg), json!({ "data": 1 })), Ok(Vec::new()));
    assert_eq!(session.finished(&msg, false), []);
    assert_eq!(session.left("1"), []);
}

#[test]
fn pings_are_answered_and_pongs_are_not() {
    let mut session = opened();
    for (message, reply) in [
        (json!({ "type": "ping" }), Some(json!({ "type": "pong" }))),
        (json!({ "type": "ping", "payload": null }), Some(json!({ "type": "pong" }))),
        (json!({ "type": "ping", "payload": { "a": 1 } }), Some(json!({ "type": "pong", "payload": { "a": 1 } }))),
        (json!({ "type": "pong" }), None),
        (json!({ "type": "pong", "payload": { "a": 1 } }), None),
    ] {
        let reply: Vec<_> = reply.map(|reply| Received::Reply(frame(reply))).into_iter().collect();
        assert_eq!(receive(&mut session, &message), reply);
    }
}

#[test]
fn protocol_violations_close_the_socket() {
    let init = json!({ "type": "connection_init" });
    assert_eq!(receive(&mut opened(), &subscribe("1")), close(4401, "Unauthorized"));
    let mut session = opened();
    receive(&mut session, &init);
    assert_eq!(receive(&mut session.clone(), &subscribe("1")), close(4401, "Unauthorized"));
    assert_eq!(receive(&mut session, &init), close(4429, "Too many initialisation requests"));
    assert_eq!(receive(&mut connected(), &init), close(4429, "Too many initialisation requests"));
    let mut session = connected();
    started(&mut session, "1");
    assert_eq!(receive(&mut session, &subscribe("1")), close(4409, "Subscriber for 1 already exists"));
    for text in [
        "",
        "hello",
        "[]",
        "null",
        r#"["complete","1"]"#,
        "{}",
        r#"{"type":1}"#,
        r#"{"type":"next","id":"1","payload":{}}"#,
        r#"{"type":"connection_init","payload":1}"#,
        r#"{"type":"ping","payload":[]}"#,
        r#"{"type":"complete"}"#,
        r#"{"type":"complete","id":""}"#,
        r#"{"type":"subscribe","payload":{"query":""}}"#,
        r#"{"type":"subscribe","id":"","payload":{"query":""}}"#,
        r#"{"type":"subscribe","id":1,"payload":{"query":""}}"#,
        r#"{"type":"subscribe","id":"1"}"#,
        r#"{"type":"subscribe","id":"1","payload":{}}"#,
        r#"{"type":"subscribe","id":"1","payload":["{ a }"]}"#,
        r#"{"type":"subscribe","id":"1","payload":{"query":1}}"#,
        r#"{"type":"subscribe","id":"1","payload":{"query":"","variables":[]}}"#,
        r#"{"type":"subscribe","id":"1","payload":{"query":"","operationName":1}}"#,
    ] {
        let received = connected().receive(Frame::Text(text.into()));
        let [Received::Close { code: 4400, reason }] = &received[..] else { panic!("{text}: {received:?}") };
        assert!(reason.starts_with("Invalid message: "), "{text}: {reason}");
    }
    let mut session = connected();
    assert!(matches!(session.receive(Frame::Binary([0xff].into()))[..], [Received::Close { code: 4400, .. }]));
}

#[test]
fn operations_are_bounded() {
    let mut session = connected();
    for number in 0..MAX_OPERATIONS {
        started(&mut session, &number.to_string());
    }
    let text = format!("{MAX_OPERATIONS} operations are already open");
    let error = json!({ "id": "more", "type": "error", "payload": [{ "message": text }] });
    assert_eq!(receive(&mut session, &subscribe("more")), [Received::Reply(frame(error))]);
    receive(&mut session, &json!({ "id": "7", "type": "complete" }));
    started(&mut session, "more");
    let id = "i".repeat(256);
    assert!(matches!(receive(&mut session, &subscribe(&id))[..], [Received::Close { code: 4400, .. }]));
}

#[test]
fn a_session_survives_a_json_round_trip() {
    let mut session = connected();
    started(&mut session, "1");
    let mut closed = opened();
    receive(&mut closed, &json!("?"));
    for session in [opened(), session, closed] {
        let json = serde_json::to_string(&session).unwrap();
        assert_eq!(serde_json::from_str::<Session>(&json).unwrap(), session);
    }
}
