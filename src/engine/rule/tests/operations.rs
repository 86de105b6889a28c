//! Sockets with a protocol: GraphQL operations and Socket.IO namespaces.

use std::time::Duration;

use serde_json::{Value, json};

use super::world::TestWorld;
use crate::engine::{Command, StepsText};

/// Operations of each kind.
const PRICES: &str = "
data: { prices: [{ id: BTC, price: 1 }], log: [] }
websocket:
  /graphql:
    protocol: graphql-transport-ws
    open: [{ when: not msg.payload.token, close: 4403 }, { when: msg.payload.token, set: { conn.token: $msg.payload.token } }]
    messages:
      - when: msg.operationName == 'Once'
        reply: { data: $conn.token }
      - when: msg.operationName == 'Live'
        do:
          - { reply: { data: start } }
          - { join: { to: prices, as: $msg.id, frame: { data: $event.row.price } } }
      - when: msg.operationName == 'Unnamed'
        join: { to: prices, frame: { data: $event.row.price } }
      - when: msg.operationName == 'Later'
        do: [{ after: 1s, reply: { data: 1 } }, { after: 1s, reply: { data: 2 } }]
      - when: msg.operationName == 'Both'
        do:
          - { join: { to: prices, as: $msg.id, frame: { data: $event.row.price } } }
          - { after: 1s, leave: prices }
          - { after: 1s, reply: { data: last } }
      - when: msg.operationName == 'Twice'
        do:
          - { join: { to: a, as: $msg.id } }
          - { join: { to: b, as: $msg.id } }
      - when: msg.operationName == 'Parts'
        do: [{ join: { to: [a, b], as: $msg.id } }, { after: 1s, leave: { to: a, as: $msg.id } }, { after: 1s, leave: { to: b, as: $msg.id } }]
      - when: msg.operationName == 'Steps'
        join: { to: a, as: $msg.id, do: [{ times: forever, every: 1s, reply: { data: tick } }] }
      - when: msg.operationName == 'End'
        do: [{ leave: { as: $msg.variables.id } }, { reply: { data: ended } }]
      - when: msg.operationName == 'Wrong'
        reply: { errors: [bad] }
      - when: msg.operationName == 'Refused'
        do: [{ reply: { data: never } }, { remove: { log: 9 } }]
";

fn connected(members: u64) -> TestWorld {
    let mut world = TestWorld::compared(PRICES);
    for member in 1..=members {
        assert_eq!(world.open("/graphql", member), Vec::<String>::new());
        let init = json!({ "type": "connection_init", "payload": { "token": "t" } });
        assert_eq!(world.send(member, &init), [format!(r#"{member}: {{"type":"connection_ack"}}"#)]);
    }
    world
}

fn subscribe(world: &mut TestWorld, member: u64, id: &str, operation: &str, variables: &Value) -> Vec<String> {
    let payload = json!({ "operationName": operation, "query": format!("subscription {operation} {{ x }}"), "variables": variables });
    let got = world.send(member, &json!({ "id": id, "type": "subscribe", "payload": payload }));
    short(&got)
}

/// Returns frames in short form: `MEMBER ID TYPE PAYLOAD`.
fn short(lines: &[String]) -> Vec<String> {
    let short = |line: &String| {
        let Some((member, frame)) = line.split_once(": ") else { return line.clone() };
        let Ok(frame) = serde_json::from_str::<Value>(frame) else { return line.clone() };
        let payload = frame.get("payload").map(|payload| format!(" {payload}")).unwrap_or_default();
        format!("{member} {} {}{payload}", frame["id"].as_str().unwrap_or("-"), frame["type"].as_str().unwrap())
    };
    lines.iter().map(short).collect()
}

fn price(world: &mut TestWorld, price: u64) -> Vec<String> {
    let got = world.post(&json!([{ "merge": { "prices": { "id": "BTC", "price": price } } }]));
    short(&got)
}

/// Sends a value to a topic.
fn publish(world: &mut TestWorld, topic: &str, value: &Value) -> Vec<String> {
    let got = world.post(&json!([{ "send": { "to": topic, "frame": value } }]));
    short(&got)
}

fn pass(world: &mut TestWorld, seconds: u64) -> Vec<String> {
    let got = world.pass(seconds);
    short(&got)
}

const NOTHING: [&str; 0] = [];

#[test]
fn an_operation_completes_once_when_nothing_is_left() {
    let mut world = connected(1);
    let run = |world: &mut TestWorld, id: &str, operation: &str| subscribe(world, 1, id, operation, &json!({}));
    assert_eq!(run(&mut world, "1", "Once"), [r#"1 1 next {"data":"t"}"#, "1 1 complete"]);
    // The id is free again.
    assert_eq!(run(&mut world, "1", "Once").len(), 2);
    assert_eq!(run(&mut world, "2", "Later"), NOTHING);
    assert_eq!(pass(&mut world, 1), [r#"1 2 next {"data":1}"#]);
    assert_eq!(pass(&mut world, 1), [r#"1 2 next {"data":2}"#, "1 2 complete"]);
    // Steps continue after the topic is left.
    assert_eq!(run(&mut world, "3", "Both"), NOTHING);
    assert_eq!(pass(&mut world, 1), NOTHING);
    assert_eq!(price(&mut world, 2), NOTHING);
    assert_eq!(pass(&mut world, 1), [r#"1 3 next {"data":"last"}"#, "1 3 complete"]);
    // Replacing a membership does not end the operation.
    assert_eq!(run(&mut world, "4", "Twice"), NOTHING);
    assert_eq!(publish(&mut world, "a", &json!({ "data": 1 })), NOTHING);
    assert_eq!(publish(&mut world, "b", &json!({ "data": 1 })), [r#"1 4 next {"data":1}"#]);
    assert_eq!(
        subscribe(&mut world, 1, "5", "End", &json!({ "id": "4" })),
        ["1 4 complete", r#"1 5 next {"data":"ended"}"#, "1 5 complete"]
    );
    assert_eq!(publish(&mut world, "b", &json!({ "data": 1 })), NOTHING);
    // Neither does leaving some of its topics.
    assert_eq!(run(&mut world, "6", "Parts"), NOTHING);
    assert_eq!(pass(&mut world, 1), NOTHING);
    assert_eq!(publish(&mut world, "a", &json!({ "data": 1 })), NOTHING);
    assert_eq!(publish(&mut world, "b", &json!({ "data": 1 })), [r#"1 6 next {"data":1}"#]);
    assert_eq!(pass(&mut world, 1), ["1 6 complete"]);
}

#[test]
fn an_operation_completed_by_the_client_is_not_answered() {
    for operation in ["Live", "Unnamed", "Later", "Both", "Parts", "Steps"] {
        let mut world = connected(1);
        subscribe(&mut world, 1, "1", operation, &json!({}));
        assert_eq!(world.send(1, &json!({ "id": "1", "type": "complete" })), Vec::<String>::new(), "{operation}");
        assert_eq!((price(&mut world, 2), pass(&mut world, 3)), (Vec::new(), Vec::new()), "{operation}");
        assert_eq!(publish(&mut world, "a", &json!({ "data": 1 })), NOTHING, "{operation}");
        assert_eq!(world.engine.next_due(), None, "{operation}");
        assert_eq!(subscribe(&mut world, 1, "1", "Once", &json!({})).len(), 2);
    }
}

#[test]
fn operations_of_a_socket_are_independent() {
    let mut world = connected(2);
    for (member, id) in [(1, "a"), (1, "b"), (2, "a")] {
        let start = format!(r#"{member} {id} next {{"data":"start"}}"#);
        assert_eq!(subscribe(&mut world, member, id, "Live", &json!({})), [start]);
    }
    let next = |of: &str, price: u64| format!(r#"{of} next {{"data":{price}}}"#);
    assert_eq!(price(&mut world, 2), [next("1 a", 2), next("2 a", 2), next("1 b", 2)]);
    let ended = subscribe(&mut world, 1, "c", "End", &json!({ "id": "a" }));
    assert_eq!(ended[0], "1 a complete");
    assert_eq!(price(&mut world, 3), [next("2 a", 3), next("1 b", 3)]);
    world.close(2);
    assert_eq!(price(&mut world, 4), [next("1 b", 4)]);
    // An operation that has joined without a name lasts as long as its membership.
    assert_eq!(subscribe(&mut world, 1, "d", "Unnamed", &json!({})), NOTHING);
    assert_eq!(price(&mut world, 5), [next("1 b", 5), next("1 d", 5)]);
}

#[test]
fn an_error_ends_an_operation_and_its_memberships() {
    let mut world = connected(2);
    let error = r#"error [{"message":"bad"}]"#;
    assert_eq!(subscribe(&mut world, 1, "1", "Wrong", &json!({})), [format!("1 1 {error}")]);
    let refused = subscribe(&mut world, 1, "1", "Refused", &json!({}));
    assert_eq!(refused, ["1 failed: Row 9 not found in log", r#"1 1 error [{"message":"Row 9 not found in log"}]"#]);
    let [unmatched] = &subscribe(&mut world, 1, "1", "None", &json!({}))[..] else { panic!() };
    assert!(unmatched.starts_with("1 1 error ") && unmatched.contains("operation `None`"), "{unmatched}");
    // An error that is sent to a topic ends the operation of each member.
    for member in [1, 2] {
        subscribe(&mut world, member, "1", "Twice", &json!({}));
        subscribe(&mut world, member, "2", "Steps", &json!({}));
    }
    assert_eq!(
        publish(&mut world, "b", &json!({ "errors": ["bad"] })),
        [format!("1 1 {error}"), format!("2 1 {error}")]
    );
    assert_eq!(publish(&mut world, "b", &json!({ "data": 1 })), NOTHING);
    assert_eq!(subscribe(&mut world, 1, "1", "Once", &json!({})).len(), 2);
    // The steps of the operations end as well.
    let error = json!([{ "send": { "to": "a", "frame": { "errors": ["bad"] } } }, { "send": { "to": "a", "frame": { "data": 1 } } }]);
    let got = world.post(&error);
    assert_eq!(short(&got).len(), 2, "{got:?}");
    assert_eq!(pass(&mut world, 2), NOTHING);
    assert_eq!(world.engine.next_due(), None);
}

#[test]
fn an_error_in_a_refused_rule_ends_nothing() {
    let mut world = connected(2);
    for member in [1, 2] {
        subscribe(&mut world, member, "1", "Twice", &json!({}));
    }
    let steps = json!([{ "send": { "to": "b", "frame": { "errors": ["bad"] } } }, { "remove": { "log": 9 } }]);
    let steps = StepsText::Written(steps);
    assert!(world.engine.apply(Command::Steps { steps }).is_err());
    assert_eq!(publish(&mut world, "b", &json!({ "data": 1 })), [r#"1 1 next {"data":1}"#, r#"2 1 next {"data":1}"#]);
}

#[test]
fn a_connection_is_acknowledged_or_closed_in_time() {
    let mut world = TestWorld::compared(PRICES);
    for member in [1, 2, 3] {
        assert_eq!(world.open("/graphql", member), Vec::<String>::new());
    }
    assert_eq!(world.engine.next_due(), None);
    let init = |payload: Value| json!({ "type": "connection_init", "payload": payload });
    assert_eq!(world.send(1, &init(json!({ "token": "t" }))), [r#"1: {"type":"connection_ack"}"#]);
    assert_eq!(world.send(2, &init(json!({}))), ["2 closed 4403 "]);
    // The timeout must pass on both clocks.
    for member in [1, 2, 3] {
        assert_eq!(world.apply(&Command::Overdue { member }), Vec::<String>::new());
    }
    assert_eq!(world.engine.next_due(), Some(Duration::from_secs(3)));
    assert_eq!(world.pass_millis(2999), Vec::<String>::new());
    assert_eq!(world.pass_millis(1), ["3 closed 4408 Connection initialisation timeout"]);
    world.open("/graphql", 4);
    assert_eq!(world.pass(3), Vec::<String>::new());
    assert_eq!(world.apply(&Command::Overdue { member: 4 }), ["4 closed 4408 Connection initialisation timeout"]);
    assert_eq!(world.engine.next_due(), None);
    // A closed socket receives nothing.
    assert_eq!(world.send(3, &init(json!({ "token": "t" }))), Vec::<String>::new());
    assert_eq!(world.send(1, &json!({ "type": "ping" })), [r#"1: {"type":"pong"}"#]);
    let [failed, closed] = &world.say(1, "?")[..] else { panic!() };
    assert!(failed.starts_with("1 failed: The socket is closed, because its client violated"), "{failed}");
    assert!(closed.starts_with("1 closed 4400 Invalid message"), "{closed}");
    assert_eq!(world.engine.next_due(), None);
}

/// A Socket.IO chat.
const CHAT: &str = "
data: { log: [] }
websocket:
  /chat:
    protocol: socket.io
    open:
      - { when: msg.namespace == '/admin', reply: { error: { message: bad } } }
      - { when: msg.namespace != '/admin', join: { to: room, do: [{ after: 30s, reply: { event: late, args: [] } }] } }
    messages:
      - match: { event: say }
        send: { to: room, frame: { event: said, args: $msg.args }, others: true }
      - match: { event: ask }
        reply: { ack: [ok] }
      - match: { event: all }
        send: { frame: { event: all, args: [] } }
";

#[test]
fn a_namespace_is_connected_refused_and_left() {
    let mut world = TestWorld::compared(CHAT);
    for member in [1, 2] {
        assert_eq!(world.open("/chat", member).len(), 1);
        let [connected] = &world.say(member, "40")[..] else { panic!() };
        assert!(connected.starts_with(&format!(r#"{member}: "40{{\"sid\":"#)), "{connected}");
    }
    assert_eq!(world.say(1, "40/admin,"), [r#"1: "44/admin,{\"message\":\"bad\"}""#]);
    assert_eq!(world.say(1, r#"42["say","hi"]"#), [r#"2: "42[\"said\",\"hi\"]""#]);
    assert_eq!(world.say(1, r#"427["ask"]"#), [r#"1: "437[\"ok\"]""#]);
    let all = [r#"1: "42[\"all\"]""#, r#"2: "42[\"all\"]""#];
    assert_eq!(world.say(1, r#"42["all"]"#), all);
    // Another namespace has its own memberships.
    assert_eq!(world.say(2, "40/chat,").len(), 1);
    assert_eq!(world.say(1, r#"42["say",1]"#), [r#"2: "42[\"said\",1]""#, r#"2: "42/chat,[\"said\",1]""#]);
    // Leaving a namespace also ends its steps.
    world.say(2, "41");
    assert_eq!(world.say(1, r#"42["say",2]"#), [r#"2: "42/chat,[\"said\",2]""#]);
    world.say(2, "41/chat,");
    assert_eq!(world.say(1, r#"42["say",3]"#), Vec::<String>::new());
    let late: Vec<String> = world.pass(30).into_iter().filter(|line| line.contains("late")).collect();
    assert_eq!(late, [r#"1: "42[\"late\"]""#]);
}

#[test]
fn the_server_pings_on_the_clock_of_the_world() {
    let mut world = TestWorld::compared(CHAT);
    world.open("/chat", 1);
    world.pass(10);
    world.open("/chat", 2);
    assert_eq!(world.engine.next_due(), Some(Duration::from_secs(25)));
    let ping = |member: u64| format!(r#"{member}: "2""#);
    assert_eq!((world.pass(14), world.pass(1)), (Vec::new(), vec![ping(1)]));
    assert_eq!(world.pass(10), [ping(2)]);
    // One ping is enough for all that are due at once.
    assert_eq!(world.pass(50), [ping(1), ping(2)]);
    world.close(1);
    assert_eq!(world.pass(25), [ping(2)]);
    // An invalid packet closes the socket, which stops its pings.
    let closed = [
        "2 failed: The socket is closed, because its client violated the protocol: Engine.IO: unknown packet type",
        "2 closed 1002 Engine.IO: unknown packet type",
    ];
    assert_eq!(world.say(2, "x"), closed);
    assert_eq!(world.engine.next_due(), None);
}

#[test]
fn a_frame_is_made_once_for_all_operations() {
    let mut world = TestWorld::new(
        "
data: { prices: [{ id: BTC, price: 1 }] }
websocket:
  /graphql:
    protocol: graphql-transport-ws
    messages: [{ join: { to: prices, as: $msg.id, frame: { data: { price: $event.row.price, draw: '{{ random(1, 1000000) }}' } } } }]
",
    );
    for member in [1, 2] {
        world.open("/graphql", member);
        world.send(member, &json!({ "type": "connection_init" }));
        for id in ["a", "b"] {
            assert_eq!(subscribe(&mut world, member, id, "Live", &json!({})), NOTHING);
        }
    }
    let payload = |line: &String| line.split_once(" next ").unwrap().1.to_owned();
    let payloads: Vec<String> = price(&mut world, 2).iter().map(payload).collect();
    assert_eq!(payloads, vec![payloads[0].clone(); 4]);
    assert_ne!(payload(&price(&mut world, 3)[0]), payloads[0].replace(":2,", ":3,"));
}
