//! Connections at the level of a socket's protocol: refused, pending, left, restarted, and never requested.

use std::time::Duration;

use serde_json::{Value, json};

use super::rows;
use super::world::TestWorld;
use crate::engine::{Command, Frame, MessageOutcome};

const NOTHING: [&str; 0] = [];

/// Creates a world with one socket, whose endpoint has these settings.
fn with(protocol: &str, settings: &str) -> TestWorld {
    let mut world = TestWorld::new(&format!(
        "
data: {{ log: [] }}
websocket:
  /s:
    protocol: {protocol}
{settings}
    closed: [{{ add: {{ log: {{ sid: $conn.sid }} }} }}]
"
    ));
    world.open("/s", 1);
    world
}

fn socket_io(settings: &str) -> TestWorld {
    with("socket.io", settings)
}

/// Returns the id in the reply to a client that connects to a namespace.
fn sid(lines: &[String]) -> String {
    let [line] = lines else { panic!("{lines:?}") };
    let packet: String = serde_json::from_str(line.split_once(": ").unwrap().1).unwrap();
    let connected: Value =
        serde_json::from_str(packet.trim_start_matches("40").split(',').next_back().unwrap()).unwrap();
    connected["sid"].as_str().unwrap().to_owned()
}

fn line(member: u64, packet: &str) -> String {
    format!("{member}: {}", json!(packet))
}

#[test]
fn steps_of_a_namespace_end_and_restart_with_it() {
    let mut world = socket_io(
        "
    open: [{ times: forever, every: 1s, reply: { event: tick } }]
    messages:
      - { match: { event: later }, do: [{ after: 1s, reply: { event: late } }] }
",
    );
    for _ in 0..3 {
        let [_, first] = &world.say(1, "40/chat,")[..] else { panic!() };
        assert_eq!(*first, line(1, r#"42/chat,["tick"]"#));
        assert_eq!(world.pass(1), [line(1, r#"42/chat,["tick"]"#)]);
        assert_eq!(world.say(1, r#"42/chat,["later"]"#), NOTHING);
        assert_eq!(world.say(1, "41/chat,"), NOTHING);
        assert_eq!(world.pass(2), NOTHING);
    }
}

#[test]
fn a_broadcast_stays_in_its_namespace() {
    let mut world = TestWorld::new(
        "
websocket:
  /s:
    protocol: socket.io
    messages:
      - { match: { event: all }, send: { frame: { event: all, args: $msg.args } } }
      - { match: { event: admins }, send: { frame: { namespace: /admin, event: news }, others: true } }
    closed: [{ send: { frame: { event: gone } } }]
",
    );
    for (member, namespaces) in [(1, &["40", "40/admin,"][..]), (2, &["40/admin,"]), (3, &["40"])] {
        world.open("/s", member);
        for connect in namespaces {
            assert_eq!(world.say(member, connect).len(), 1);
        }
    }
    let all = |members: &[u64], packet: &str| members.iter().map(|one| line(*one, packet)).collect::<Vec<_>>();
    assert_eq!(world.say(1, r#"42["all",1]"#), all(&[1, 3], r#"42["all",1]"#));
    assert_eq!(world.say(1, r#"42/admin,["all",2]"#), all(&[1, 2], r#"42/admin,["all",2]"#));
    assert_eq!(world.say(3, r#"42["admins"]"#), all(&[1, 2], r#"42/admin,["news"]"#));
    world.say(2, "41/admin,");
    assert_eq!(world.say(1, r#"42/admin,["all",3]"#), all(&[1], r#"42/admin,["all",3]"#));
    // A reload duplicates nothing, and a socket receives the broadcasts that a reload adds.
    let quiet = "websocket: { /s: { protocol: socket.io } }";
    let all_again = "websocket: { /s: { protocol: socket.io, messages: [{ send: { frame: { event: again } } }] } }";
    assert_eq!((world.reload(quiet), world.reload(all_again)), (Vec::new(), Vec::new()));
    assert_eq!(world.say(3, r#"42["x"]"#), all(&[1, 3], r#"42["again"]"#));
}

#[test]
fn closing_notifies_the_others_in_the_main_namespace() {
    let settings = "websocket: { /s: { protocol: socket.io, closed: [{ send: { frame: { event: gone } } }] } }";
    let mut world = TestWorld::new(settings);
    for (member, connect) in [(1, "40"), (2, "40/admin,"), (3, "40")] {
        world.open("/s", member);
        world.say(member, connect);
    }
    assert_eq!(world.close(3), [line(1, r#"42["gone"]"#)]);
}

#[test]
fn each_namespace_has_its_own_memberships() {
    let mut world = socket_io(
        "
    open: [{ join: { to: room, as: here } }]
    messages:
      - { match: { event: leave }, leave: room }
      - { match: { event: end }, leave: { as: here } }
",
    );
    let hi = |world: &mut TestWorld| world.post(&json!([{ "send": { "to": "room", "frame": { "event": "hi" } } }]));
    for (event, at) in [("leave", "/b,"), ("end", "/b,"), ("leave", ""), ("end", "")] {
        world.say(1, "40");
        world.say(1, "40/b,");
        assert_eq!(hi(&mut world).len(), 2);
        assert_eq!(world.say(1, &format!(r#"42{at}["{event}"]"#)), NOTHING);
        let other = if at.is_empty() { "/b," } else { "" };
        assert_eq!(hi(&mut world), [line(1, &format!(r#"42{other}["hi"]"#))], "{event} {at}");
        world.say(1, "41");
        world.say(1, "41/b,");
    }
}

#[test]
fn a_close_without_a_code_leaves_one_namespace() {
    let mut world = socket_io(
        "
    open: [{ join: room }, { times: forever, every: 1s, reply: { event: tick } }]
    messages:
      - { match: { event: bye }, do: [{ reply: { event: bye } }, { close: {} }, { add: { log: {} } }] }
      - { match: { event: end }, close: 4400 }
",
    );
    for connect in ["40", "40/b,", "40/c,"] {
        assert_eq!(world.say(1, connect).len(), 2);
    }
    assert_eq!(world.say(1, r#"42/b,["bye"]"#), [line(1, r#"42/b,["bye"]"#), line(1, "41/b,")]);
    let ticks = [line(1, r#"42["tick"]"#), line(1, r#"42/c,["tick"]"#)];
    assert_eq!(world.pass(1), ticks);
    // The client may reconnect.
    assert_eq!(world.say(1, "40/b,").len(), 2);
    // With a code, the socket is closed. Without a disconnect packet, its client reconnects.
    let mut closed = TestWorld::new("websocket: { /s: { protocol: socket.io, messages: [{ close: 4400 }] } }");
    closed.open("/s", 1);
    for connect in ["40", "40/b,"] {
        closed.say(1, connect);
    }
    assert_eq!(closed.say(1, r#"42/b,["x"]"#), ["1 closed 4400 "]);
    // Leaving the last namespace also closes the socket.
    for (at, left) in [("/b,", "41/b,"), ("", "41")] {
        assert_eq!(world.say(1, &format!(r#"42{at}["bye"]"#))[1..], [line(1, left)]);
    }
    let last = [line(1, r#"42/c,["bye"]"#), line(1, "41/c,"), "1 closed 1000 ".to_owned()];
    assert_eq!(world.say(1, r#"42/c,["bye"]"#), last);
    // None of the lists has continued, and `closed` has run.
    let log = rows(&world.engine, "log");
    assert_eq!((log.as_array().unwrap().len(), log[0]["sid"].is_string()), (1, true), "{log}");
}

#[test]
fn a_close_without_a_code_in_open_connects_first() {
    for (steps, reason) in
        [("{ close: {} }", ""), ("{ close: { reason: bye } }", "bye"), ("{ do: [{ close: {} }] }", "")]
    {
        let mut world =
            socket_io(&format!("    open: [{{ join: room }}, {{ when: msg.namespace == '/out', do: [{steps}] }}]"));
        let lines = world.say(1, "40/out,");
        let [connected, left, closed] = &lines[..] else { panic!("{lines:?}") };
        assert_eq!(sid(std::slice::from_ref(connected)).len(), 20);
        assert_eq!([left, closed], [&line(1, "41/out,"), &format!("1 closed 1000 {reason}")], "{steps}");
        // The other namespaces stay connected.
        let mut world = socket_io(&format!("    open: [{{ when: msg.namespace == '/out', do: [{steps}] }}]"));
        assert_eq!(world.say(1, "40").len(), 1);
        assert_eq!(world.say(1, "40/out,")[1..], [line(1, "41/out,")], "{steps}");
    }
    // With a code, the client was never connected.
    let mut world = socket_io("    open: [{ close: 4400 }]");
    assert_eq!(world.say(1, "40"), ["1 closed 4400 "]);
    world.close(1);
    assert_eq!(rows(&world.engine, "log"), json!([]));
}

#[test]
fn an_open_that_refuses_or_fails_does_not_connect() {
    let (failed, why) = ("1 failed: Row 9 not found in log".to_owned(), "Row 9 not found in log");
    let refused = |why: &str| line(1, &format!(r#"44{{"message":"{why}"}}"#));
    for (open, expected) in [
        ("[{ join: room }, { remove: { log: 9 } }]", vec![failed.clone(), refused(why)]),
        ("[{ join: room }, { reply: { error: no } }, { add: { log: {} } }]", vec![refused("no")]),
        (
            "[{ do: [{ reply: { error: no } }, { add: { log: {} } }] }, { after: 1s, add: { log: {} } }]",
            vec![refused("no")],
        ),
        ("[{ at: 1s, add: { log: {} } }, { at: 0s, times: 2, reply: { error: no } }]", vec![refused("no")]),
        ("[{ join: { to: room, do: [{ reply: { error: no } }] } }, { add: { log: {} } }]", vec![refused("no")]),
    ] {
        let mut world = socket_io(&format!("    open: {open}"));
        assert_eq!(world.say(1, "40"), expected, "{open}");
        assert_eq!(world.pass(2), NOTHING, "{open}");
        assert_eq!(world.publish("room"), NOTHING, "{open}");
        // The client was never connected, so `closed` does not run.
        assert_eq!(world.close(1), NOTHING, "{open}");
        assert_eq!(rows(&world.engine, "log"), json!([]), "{open}");
    }
    let mut world = with("graphql-transport-ws", "    open: [{ remove: { log: 9 } }]");
    let closed = format!("1 closed 4500 {why}");
    assert_eq!(world.send(1, &json!({ "type": "connection_init" })), [failed, closed]);
    world.close(1);
    assert_eq!(rows(&world.engine, "log"), json!([]));
}

#[test]
fn a_connection_waits_for_a_step_that_decides_it() {
    let guard = "{ after: 1s, when: not msg.args.0.token, reply: { error: no } }";
    let tick = "{ times: forever, every: 10s, reply: { event: tick } }";
    for (open, token, at_once, later) in [
        (format!("[{guard}]"), false, 0, vec!["44"]),
        (format!("[{guard}, {tick}]"), false, 0, vec!["44"]),
        (format!("[{guard}]"), true, 0, vec!["40"]),
        (format!("[{guard}, {tick}]"), true, 0, vec!["40", "42"]),
        (format!("[{guard}, {{ after: 20s, close: 4000 }}]"), true, 0, vec!["40"]),
        (format!("[{{ do: [{{ reply: {{ event: a }} }}] }}, {guard}]"), true, 2, vec![]),
        ("[{ after: 1s, reply: { event: hello } }]".to_owned(), true, 1, vec!["42"]),
        (format!("[{tick}]"), true, 2, vec![]),
    ] {
        let mut world = socket_io(&format!("    open: {open}"));
        let connect = if token { r#"40{"token":1}"# } else { "40" };
        assert_eq!(world.say(1, connect).len(), at_once, "{open}");
        let kinds: Vec<String> = world.pass(1).iter().map(|line| line[4..6].to_owned()).collect();
        assert_eq!(kinds, later, "{open} {token}");
    }
    let mut world = with("graphql-transport-ws", "    open: [{ after: 1s, reply: { ack: { a: 1 } } }]");
    assert_eq!(world.send(1, &json!({ "type": "connection_init" })), NOTHING);
    assert_eq!(world.pass(1), [r#"1: {"type":"connection_ack","payload":{"a":1}}"#]);
}

#[test]
fn a_reload_connects_clients_that_wait_for_removed_steps() {
    let text = |protocol: &str, open: &str| format!("websocket: {{ /s: {{ protocol: {protocol}, open: [{open}] }} }}");
    let (error, ack) = ("{ after: 1s, reply: { error: no } }", "{ after: 1s, reply: { ack: {} } }");
    for (protocol, connect, open, other) in [
        ("socket.io", "40", error, "{ join: room }"),
        ("graphql-transport-ws", r#"{"type":"connection_init"}"#, ack, "{ join: room }"),
    ] {
        let mut world = TestWorld::new(&text(protocol, open));
        world.open("/s", 1);
        assert_eq!(world.say(1, connect), NOTHING, "{protocol}");
        // Steps with the same text continue.
        assert_eq!(world.reload(&format!("seed: 7\n{}", text(protocol, open))), NOTHING, "{protocol}");
        assert_eq!(world.reload(&text(protocol, other)).len(), 1, "{protocol}");
        assert_eq!(world.pass(2), NOTHING, "{protocol}");
    }
}

#[test]
fn expressions_can_read_the_id_of_the_client() {
    let mut world = socket_io(
        "
    open: [{ join: { to: room, frame: { event: hi, args: [$conn.sid] } } }]
    messages:
      - { match: { event: me }, reply: { ack: [$conn.sid] } }
      - { match: { event: disconnect }, add: { log: { left: $conn.sid } } }
",
    );
    let main = sid(&world.say(1, "40"));
    let mut other = String::new();
    for round in 0..2 {
        let earlier = std::mem::replace(&mut other, sid(&world.say(1, "40/b,")));
        assert!(other != main && other != earlier);
        assert_eq!(world.say(1, r#"420["me"]"#), [line(1, &format!(r#"430["{main}"]"#))]);
        assert_eq!(world.say(1, r#"42/b,0["me"]"#), [line(1, &format!(r#"43/b,0["{other}"]"#))]);
        let hi = world.post(&json!([{ "send": { "to": "room", "frame": { "event": "x" } } }]));
        assert_eq!(hi, [line(1, &format!(r#"42["hi","{main}"]"#)), line(1, &format!(r#"42/b,["hi","{other}"]"#))]);
        world.say(1, "41/b,");
        assert_eq!(rows(&world.engine, "log")[round]["left"], json!(other));
    }
    world.close(1);
    assert_eq!(rows(&world.engine, "log")[2]["sid"], json!(main));
}

#[test]
fn rules_may_ignore_what_the_library_sends_on_its_own() {
    let mut world = socket_io(
        "    messages: [{ match: { event: a }, reply: { ack: [] } }, { match: { event: ask }, reply: { event: b, ack: true } }]",
    );
    world.say(1, "40");
    assert_eq!(world.say(1, r#"42["ask"]"#), [line(1, r#"420["b"]"#)]);
    for (packet, is_left) in [(r#"430["x"]"#, true), (r#"421["ack","x"]"#, false), (r#"42["x"]"#, false), ("41", true)]
    {
        let (outcomes, _) = world.outcomes(1, Frame::Text(packet.into()));
        let is_unmatched = matches!(outcomes[..], [MessageOutcome::Unmatched { .. }]);
        assert_eq!((is_unmatched, outcomes.is_empty()), (!is_left, is_left), "{packet}");
    }
}

#[test]
fn an_acknowledgement_fires_its_rule_once() {
    let mut world = socket_io(
        "
    messages:
      - { match: { event: ask }, reply: { event: question, ack: true } }
      - { match: { event: ack }, reply: { event: thanks, args: $msg.args } }
",
    );
    world.say(1, "40");
    assert_eq!(world.say(1, r#"430["early"]"#), NOTHING);
    assert_eq!(world.say(1, r#"42["ask"]"#), [line(1, r#"420["question"]"#)]);
    assert_eq!(world.say(1, r#"430["once"]"#), [line(1, r#"42["thanks","once"]"#)]);
    for unasked in [r#"430["twice"]"#, r#"4377["other"]"#] {
        let (outcomes, lines) = world.outcomes(1, Frame::Text(unasked.into()));
        assert_eq!((outcomes.len(), lines.len()), (0, 0), "{unasked}");
    }
}

#[test]
fn a_client_that_never_connects_is_closed() {
    let mut world = socket_io("    messages: [{ match: { event: a }, reply: { ack: [] } }]");
    world.open("/s", 2);
    world.open("/s", 3);
    world.say(2, "40");
    for member in [1, 2] {
        assert_eq!(world.apply(&Command::Overdue { member }), NOTHING);
    }
    let ping = |member: u64| line(member, "2");
    assert_eq!(world.pass(44), [ping(1), ping(2), ping(3)]);
    assert_eq!(world.pass(1), ["1 closed 1000 "]);
    assert_eq!(world.apply(&Command::Overdue { member: 3 }), ["3 closed 1000 "]);
    for member in [1, 3] {
        world.close(member);
    }
    assert_eq!((rows(&world.engine, "log"), world.engine.next_due()), (json!([]), Some(Duration::from_secs(50))));
}

#[test]
fn closed_steps_see_the_topics_however_the_socket_closes() {
    for (protocol, connect, close) in [
        ("plain", "", r#"{"event":"bye"}"#),
        ("socket.io", "40", r#"42["bye"]"#),
        ("socket.io", "40", "4?"),
        ("socket.io", "40", "1"),
    ] {
        let text = format!(
            "
data: {{ log: [] }}
websocket:
  /s:
    protocol: {protocol}
    open: [{{ join: [room, news] }}]
    messages: [{{ match: {{ event: bye }}, do: [{{ leave: news }}, {{ close: 4400 }}] }}]
    closed: [{{ add: {{ log: {{ topics: $conn.topics }} }} }}]
"
        );
        let mut world =
            TestWorld::new(&if protocol == "plain" { text.replace("    protocol: plain\n", "") } else { text });
        world.open("/s", 1);
        if !connect.is_empty() {
            world.say(1, connect);
        }
        world.say(1, close);
        let topics = if close.contains("bye") { json!(["room"]) } else { json!(["news", "room"]) };
        assert_eq!(rows(&world.engine, "log"), json!([{ "id": 1, "topics": topics }]), "{protocol} {close}");
        // The connection ends later, and nothing more happens.
        world.close(1);
        assert_eq!(rows(&world.engine, "log").as_array().unwrap().len(), 1, "{protocol} {close}");
    }
}
