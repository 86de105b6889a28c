//! Sockets of endpoints: opening, messages and closing.

use std::time::Duration;

use serde_json::json;

use super::rows;
use super::world::TestWorld;
use crate::engine::codec::SessionOptions;
use crate::engine::{Command, Event, Frame, MessageOutcome, Refusal};

/// An endpoint with a rule of each kind.
const ROOMS: &str = "
data: { log: [] }
websocket:
  /rooms/{room}:
    open: [{ reply: { room: $path.room, name: $query.name } }]
    messages:
      - { match: { type: ping }, reply: { pong: $msg.n } }
      - { match: { type: ping, n: 2 }, reply: never }
      - { text: 'hello *', reply: $msg }
      - { match: { type: own, name: $query.name }, reply: own }
      - { when: msg == 7, reply: seven }
      - { match: { binary: 'AP8=' }, reply: { binary: 'AP8=' } }
    closed: [{ add: { log: { left: $path.room, name: $query.name, member: $conn.id, topics: $conn.topics } } }]
";

#[test]
fn the_first_matching_rule_answers_a_message() {
    let mut world = TestWorld::new(ROOMS);
    assert_eq!(world.open("/rooms/{room}", 1), [r#"1: {"room":"7","name":"ada"}"#]);
    for (message, rule, reply) in [
        (r#"{"type":"ping","n":1}"#, 1, r#"1: {"pong":1}"#),
        (r#"{"type":"ping","n":2,"more":true}"#, 1, r#"1: {"pong":2}"#),
        ("hello you", 3, r#"1: "hello you""#),
        ("hello ", 3, r#"1: "hello ""#),
        (r#"{"type":"own","name":"ada"}"#, 4, r#"1: "own""#),
        ("7", 5, r#"1: "seven""#),
        ("7.0", 5, r#"1: "seven""#),
    ] {
        let outcome = world.outcomes(1, Frame::Text(message.into()));
        assert_eq!(outcome, (vec![MessageOutcome::Fired(rule)], vec![reply.to_owned()]), "{message}");
    }
    let outcome = world.outcomes(1, Frame::Binary([0, 0xff].into()));
    assert_eq!(outcome, (vec![MessageOutcome::Fired(6)], vec![r#"1: {"binary":"AP8="}"#.to_owned()]));
}

#[test]
fn an_unmatched_message_names_the_nearest_rule() {
    let mut world = TestWorld::new(ROOMS);
    world.open("/rooms/{room}", 1);
    for (message, nearest) in [
        (r#"{"type":"pong"}"#, r#"rule 1: msg.type is "pong" instead of "ping""#),
        (r#"{"type":"own","name":"bob"}"#, r#"rule 4: msg.name is "bob" instead of "ada""#),
        ("hello", r#"rule 3: msg is not the text "hello *""#),
        ("8", r#"rule 1: msg is 8 instead of {"type":"ping"}"#),
    ] {
        let unmatched = MessageOutcome::Unmatched { nearest: Some(nearest.to_owned()) };
        assert_eq!(world.outcomes(1, Frame::Text(message.into())), (vec![unmatched], Vec::new()), "{message}");
    }
    let mut world = TestWorld::new(
        "websocket: { /s: { messages: [{ match: { a: 1, b: 1 }, reply: 1 }, { text: 'x*', reply: 1 }, { when: msg.a == 2, reply: 1 }] } }",
    );
    world.open("/s", 1);
    for (message, nearest) in [
        (r#"{"a":1}"#, "rule 1: msg.b is null instead of 1"),
        (r#"{"a":3}"#, "rule 1: msg.a is 3 instead of 1; msg.b is null instead of 1"),
    ] {
        let unmatched = MessageOutcome::Unmatched { nearest: Some(nearest.to_owned()) };
        assert_eq!(world.outcomes(1, Frame::Text(message.into())).0, [unmatched], "{message}");
    }
    let mut world = TestWorld::new("websocket: { /s: {} }");
    world.open("/s", 1);
    let unmatched = MessageOutcome::Unmatched { nearest: None };
    assert_eq!(world.outcomes(1, Frame::Text("x".into())), (vec![unmatched], Vec::new()));
}

#[test]
fn an_unmatched_binary_message_is_said_to_be_binary() {
    for (rules, nearest) in [
        ("{ text: 'hello*', reply: 1 }", r#"rule 1: the message is binary, not the text "hello*""#),
        ("{ match: { t: 1 }, reply: 1 }", "rule 1: the message is binary; msg.t is null instead of 1"),
        ("{ match: { binary: 'AP8=' }, reply: 1 }", r#"rule 1: msg.binary is "aGVsbG8=" instead of "AP8=""#),
        ("{ when: msg.t == 1, reply: 1 }", "rule 1: `when: msg.t == 1` is false"),
    ] {
        let mut world = TestWorld::new(&format!("websocket: {{ /s: {{ messages: [{rules}] }} }}"));
        world.open("/s", 1);
        let unmatched = MessageOutcome::Unmatched { nearest: Some(nearest.to_owned()) };
        let outcomes = world.outcomes(1, Frame::Binary(b"hello".as_slice().into()));
        assert_eq!(outcomes, (vec![unmatched], Vec::new()), "{rules}");
    }
}

#[test]
fn an_endpoint_is_notified_when_a_socket_closes() {
    let mut world = TestWorld::new(ROOMS);
    world.open("/rooms/{room}", 4);
    assert_eq!(world.close(4), Vec::<String>::new());
    let row = json!([{ "id": 1, "left": "7", "name": "ada", "member": 4, "topics": [] }]);
    assert_eq!(rows(&world.engine, "log"), row);
    // A closed socket receives nothing and does not close again.
    assert_eq!((world.say(4, "7"), world.close(4)), (Vec::new(), Vec::new()));
    assert_eq!(rows(&world.engine, "log"), row);
}

#[test]
fn steps_of_closed_belong_to_the_world() {
    let mut world = TestWorld::new(
        "
data: { log: [] }
websocket:
  /s:
    open: [{ set: { conn.name: ada } }, { join: room }, { times: forever, every: 1s, reply: tick }]
    closed:
      - { send: { to: room, frame: { left: $conn.name } } }
      - { send: { frame: all } }
      - { after: 2s, add: { log: { name: $conn.name } } }
      - { remove: { log: 9 } }
",
    );
    let tick = |member: u64| format!(r#"{member}: "tick""#);
    assert_eq!((world.open("/s", 1), world.open("/s", 2)), (vec![tick(1)], vec![tick(2)]));
    assert_eq!(world.close(1), [r#"2: {"left":"ada"}"#, r#"2: "all""#]);
    // The steps of the socket have ended with it.
    assert_eq!(world.pass(1), [tick(2)]);
    let refused = "skipped: Row 9 not found in log".to_owned();
    assert_eq!(world.pass(1), [tick(2), refused]);
    assert_eq!(rows(&world.engine, "log"), json!([{ "id": 1, "name": "ada" }]));
}

#[test]
fn a_refused_closed_list_changes_nothing() {
    let mut world = TestWorld::new(
        "
data: { log: [] }
websocket: { /s: { closed: [{ add: { log: {} } }, { remove: { log: 9 } }] } }
",
    );
    world.open("/s", 1);
    assert_eq!(world.close(1), ["1 failed: Row 9 not found in log"]);
    assert_eq!(rows(&world.engine, "log"), json!([]));
}

#[test]
fn a_frame_reaches_a_topic_others_or_all_sockets() {
    let mut world = TestWorld::new(
        "
websocket:
  /chat:
    open: [{ join: room }]
    messages:
      - { text: all, send: { frame: all } }
      - { text: rest, send: { frame: rest, others: true } }
      - { text: room, send: { to: room, frame: room } }
      - { text: others, send: { to: room, frame: others, others: true } }
      - { text: two, send: { to: [room, news], frame: two, others: true } }
  /other: { open: [{ join: [room, news] }] }
",
    );
    for (endpoint, member) in [("/chat", 1), ("/chat", 2), ("/other", 3)] {
        assert_eq!(world.open(endpoint, member), Vec::<String>::new());
    }
    for (text, members) in
        [("all", &[1, 2][..]), ("rest", &[2]), ("room", &[1, 2, 3]), ("others", &[2, 3]), ("two", &[2, 3])]
    {
        let expected: Vec<String> = members.iter().map(|member| format!("{member}: \"{text}\"")).collect();
        assert_eq!(world.say(1, text), expected);
    }
    world.close(2);
    assert_eq!(world.say(1, "all"), [r#"1: "all""#]);
}

#[test]
fn each_socket_has_its_own_memory() {
    let mut world = TestWorld::new(
        "
data: { log: [] }
websocket:
  /s:
    open: [{ set: { conn.name: $query.name } }, { join: room }]
    messages:
      - { match: { set: true }, set: { conn.name: $msg.name, conn.at.x: 1 } }
      - { match: { bad: true }, do: [{ set: { conn.name: bad } }, { remove: { log: 9 } }] }
      - { match: { part: true }, set: { conn.name.first: bad } }
      - { match: { both: true }, do: [{ after: 1s, set: { conn.name: bad, conn.at.x.z: bad } }] }
      - { text: show, reply: $conn }
",
    );
    for member in [1, 2] {
        assert_eq!(world.open("/s", member), Vec::<String>::new());
    }
    let shown =
        |member: u64, name: &str| vec![format!(r#"{member}: {{"name":"{name}","id":{member},"topics":["room"]}}"#)];
    assert_eq!((world.say(1, "show"), world.say(2, "show")), (shown(1, "ada"), shown(2, "ada")));
    world.send(1, &json!({ "set": true, "name": "bob" }));
    let bob = vec![r#"1: {"name":"bob","at":{"x":1},"id":1,"topics":["room"]}"#.to_owned()];
    assert_eq!((world.say(1, "show"), world.say(2, "show")), (bob.clone(), shown(2, "ada")));
    // A refused rule does not change the memory, immediately or later.
    assert_eq!(world.send(1, &json!({ "bad": true })), ["1 failed: Row 9 not found in log"]);
    assert_eq!(
        world.send(1, &json!({ "part": true })),
        ["1 failed: conn.name.first cannot be set: conn.name is a string"]
    );
    assert_eq!(world.send(1, &json!({ "both": true })), Vec::<String>::new());
    assert_eq!(world.pass(1), ["1 failed: conn.at.x.z cannot be set: conn.at.x is a number"]);
    assert_eq!(world.say(1, "show"), bob);
}

#[test]
fn a_memory_that_would_be_too_large_is_unchanged() {
    let mut world = TestWorld::new(
        "
websocket:
  /s:
    messages:
      - { match: { at: once }, set: { conn.big: $msg.text } }
      - { match: { at: later }, do: [{ after: 1s, set: { conn.big: $msg.text } }] }
      - { text: show, reply: \"{{ conn.big | length }}\" }
",
    );
    world.open("/s", 1);
    let big = |at: &str, length: usize| json!({ "at": at, "text": "x".repeat(length) });
    let refused = ["1 failed: `conn` would take more than 1048576 bytes"];
    assert_eq!(world.send(1, &big("once", 1_048_000)), Vec::<String>::new());
    assert_eq!(world.send(1, &big("once", 1_048_576)), refused);
    world.send(1, &big("later", 1_048_576));
    assert_eq!(world.pass(1), refused);
    assert_eq!(world.say(1, "show"), ["1: 1048000"]);
}

#[test]
fn a_socket_is_closed_with_a_code_and_a_reason() {
    let mut world = TestWorld::new(
        "
websocket:
  /s:
    messages:
      - { text: bye, do: [{ reply: bye }, { close: 4000 }] }
      - { text: end, close: {} }
      - { close: { code: $msg.code, reason: \"{{ msg.reason or '' }}\" } }
",
    );
    let long = "ä".repeat(100);
    for (member, message, expected) in [
        (1, "bye".to_owned(), vec![r#"1: "bye""#.to_owned(), "1 closed 4000 ".to_owned()]),
        (2, "end".to_owned(), vec!["2 closed 1000 ".to_owned()]),
        (3, r#"{"code":4401,"reason":"who?"}"#.to_owned(), vec!["3 closed 4401 who?".to_owned()]),
        (4, r#"{"code":1014}"#.to_owned(), vec!["4 closed 1014 ".to_owned()]),
        (5, json!({ "code": 3000, "reason": long }).to_string(), vec![format!("5 closed 3000 {}", "ä".repeat(61))]),
    ] {
        world.open("/s", member);
        assert_eq!(world.say(member, &message), expected);
        // Nothing more is received.
        assert_eq!(world.outcomes(member, Frame::Text("bye".into())), (Vec::new(), Vec::new()));
    }
    world.open("/s", 9);
    for code in [
        json!(999),
        json!(1004),
        json!(1005),
        json!(1006),
        json!(1015),
        json!(2999),
        json!(5000),
        json!("4000"),
        json!(4000.5),
        json!(-1),
    ] {
        let refused = world.send(9, &json!({ "code": code }));
        let expected = "1000 to 1003, 1007 to 1014, or 3000 to 4999";
        assert_eq!(refused, [format!("9 failed: A close code must be {expected}, found {code}")]);
    }
    assert_eq!(world.say(9, "bye").len(), 2);
}

#[test]
fn steps_of_a_socket_run_at_their_times() {
    for (steps, expected) in [
        ("[{ reply: 1 }, { after: 1s, reply: 2 }, { after: 1s, reply: 3 }]", "1|2|3|"),
        ("[{ times: 3, every: 1s, reply: 1 }, { reply: 2 }]", "1|1|1 2|"),
        ("[{ times: forever, every: 2s, reply: 1 }, { after: 1s, reply: 2 }]", "1|2|1|"),
        ("[{ each: $msg, every: 1s, reply: $item }]", "5|6|7|"),
        ("[{ after: 1s, reply: '{{ conn.n + 1 }}' }, { at: 0s, set: { conn.n: 2 } }]", "|3||"),
        ("[{ after: 1s, close: 4000 }]", "|closed||"),
    ] {
        let mut world = TestWorld::new(&format!("websocket: {{ /s: {{ messages: [{{ do: {steps} }}] }} }}"));
        world.open("/s", 1);
        let mut got = vec![world.say(1, "[5,6,7]")];
        got.extend((0..3).map(|_| world.pass(1)));
        let first =
            |line: &String| line.split([' ', ':']).find(|part| !matches!(*part, "1" | "")).unwrap_or("1").to_owned();
        let words = |lines: &Vec<String>| lines.iter().map(first).collect::<Vec<_>>().join(" ");
        assert_eq!(got.iter().map(words).collect::<Vec<_>>().join("|"), expected, "{steps}");
    }
}

#[test]
fn expressions_can_read_the_members_of_a_topic() {
    let mut world = TestWorld::new(
        "
websocket:
  /s:
    open: [{ join: room }]
    messages: [{ text: who, reply: { all: \"{{ members('room') }}\", n: \"{{ joined('room') }}\" } }]
",
    );
    for member in [3, 1, 2] {
        world.open("/s", member);
    }
    world.close(1);
    assert_eq!(world.say(2, "who"), [r#"2: {"all":[2,3],"n":2}"#]);
}

#[test]
fn the_same_seed_yields_the_same_random_values() {
    let text = "
data: { log: [] }
websocket:
  /s:
    open: [{ join: { to: log, frame: { n: $event.row.n, draw: '{{ random(1, 1000000) }}' } } }]
    messages:
      - { text: add, do: [{ reply: '{{ uuid() }}' }, { after: 1s, add: { log: { n: '{{ random(1, 1000000) }}' } } }] }
";
    let events = |order: [u64; 2]| -> Vec<Event> {
        let mut world = TestWorld::new(text);
        for member in order {
            world.open("/s", member);
        }
        let apply = |world: &mut TestWorld, member: u64| {
            let command = Command::Receive { member, frame: Frame::Text("add".into()) };
            world.engine.apply(command).unwrap().events
        };
        let said = order.map(|member| apply(&mut world, member)).concat();
        [said, world.engine.advance(Duration::from_secs(2))].concat()
    };
    assert_eq!(events([1, 2]), events([1, 2]));
    // Random values do not depend on the member.
    assert_eq!(events([1, 2]).len(), events([2, 1]).len());
    let drawn: Vec<Event> = events([1, 2]).into_iter().filter(|event| !event.is_delivery()).collect();
    let other: Vec<Event> = events([2, 1]).into_iter().filter(|event| !event.is_delivery()).collect();
    assert!(drawn.len() == 2 && drawn == other, "{drawn:?}");
}

#[test]
fn an_unknown_endpoint_opens_nothing() {
    let mut world = TestWorld::new("websocket: { /s: {} }");
    let command =
        Command::Open { member: 1, endpoint: "/t".into(), request: Box::default(), options: SessionOptions::default() };
    let refused = world.engine.apply(command).unwrap_err();
    assert_eq!(refused, Refusal::UnknownEndpoint("/t".into()));
    assert_eq!(world.say(1, "x"), Vec::<String>::new());
}

#[test]
fn a_reload_keeps_sockets_and_unchanged_scheduled_steps() {
    let text = |end: &str, more: &str| {
        format!(
            "
data: {{ rows: [] }}
websocket:
  /s:
    open:
      - {{ join: {{ to: rows, frame: $event.change, do: [{{ after: 2s, reply: tick }}] }} }}
      - {{ set: {{ conn.name: ada }} }}
      - {{ after: 3s, reply: {end} }}
    messages: [{{ text: show, reply: '{{{{ conn.name }}}} {end}' }}{more}]
"
        )
    };
    for (end, timeline) in [("old", &["tick", "old"][..]), ("new", &["tick"])] {
        let mut world = TestWorld::new(&text("old", ""));
        world.open("/s", 1);
        assert_eq!(world.say(1, "show"), [r#"1: "ada old""#]);
        assert_eq!(world.reload(&text(end, ", { text: all, send: { frame: hi } }")), Vec::<String>::new());
        assert_eq!(world.say(1, "show"), [format!(r#"1: "ada {end}""#)]);
        // The socket receives broadcasts from now on, each once.
        assert_eq!(world.say(1, "all"), [r#"1: "hi""#]);
        assert_eq!(world.post(&json!([{ "add": { "rows": {} } }])), [r#"1: "added""#]);
        let expected: Vec<String> = timeline.iter().map(|word| format!(r#"1: "{word}""#)).collect();
        assert_eq!(world.pass(4), expected);
    }
    let mut world = TestWorld::new(&text("old", ""));
    world.open("/s", 1);
    // The socket and its scheduled steps end with the endpoint.
    let closed = ["1 closed 1001 the endpoint is gone"];
    assert_eq!(world.reload("data: { rows: [] }\nhttp: { GET /x: { body: 1 } }"), closed);
    assert_eq!(world.outcomes(1, Frame::Text("show".into())), (Vec::new(), Vec::new()));
    assert_eq!(world.pass(4), Vec::<String>::new());
    assert_eq!(world.post(&json!([{ "add": { "rows": {} } }])), Vec::<String>::new());
}

#[test]
fn a_frame_sent_to_several_topics_arrives_once() {
    let mut world = TestWorld::new(
        "
websocket:
  /s:
    open: [{ join: [a, b] }]
    messages: [{ text: both, send: { to: [a, b, a], frame: hi } }]
",
    );
    world.open("/s", 1);
    assert_eq!(world.say(1, "both"), [r#"1: "hi""#]);
}
