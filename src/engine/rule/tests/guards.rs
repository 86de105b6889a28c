//! Which rules, answers and steps apply, and what ends a member's steps.

use std::time::Duration;

use serde_json::{Value, json};

use super::members::notices;
use super::world::TestWorld;
use super::{ask, body, engine, request, rows};
use crate::engine::{Command, EventKind, Frame, HandledMessage, MemberEvent, MessageOutcome, RuleRequest};

/// Returns the outcome of an endpoint's only rule for a message.
fn outcome(rule: &str, message: &Value) -> MessageOutcome {
    let mut world = TestWorld::new(&format!("websocket: {{ /s: {{ messages: [{rule}] }} }}"));
    world.open("/s", 1);
    let (outcomes, _) = world.outcomes(1, Frame::Text(message.to_string().into()));
    outcomes.into_iter().next().unwrap()
}

#[test]
fn an_undefined_value_in_match_matches_no_message() {
    for (expected, message, why) in [
        ("{ room: $conn.room }", json!({ "room": "a" }), "msg.room is compared with `conn.room`, which is undefined"),
        ("{ room: $conn.room }", json!({}), "msg.room is compared with `conn.room`, which is undefined"),
        ("[a, $conn.room]", json!(["a", null]), "msg[1] is compared with `conn.room`, which is undefined"),
        ("[a, $conn.room]", json!(["a", "b"]), "msg[1] is compared with `conn.room`, which is undefined"),
        (
            "{ room: $conn.room, type: a }",
            json!({ "type": "b" }),
            "msg.room is compared with `conn.room`, which is undefined; msg.type is \"b\" instead of \"a\"",
        ),
        (
            "{ at: 'room/{{ conn.room }}' }",
            json!({ "at": "room/" }),
            "msg.at is compared with `conn.room`, which is undefined",
        ),
        (
            "{ up: '{{ conn.room | upper }}' }",
            json!({ "up": "" }),
            "msg.up is compared with `conn.room`, which is undefined",
        ),
        ("$conn.all", json!({}), "msg is compared with `conn.all`, which is undefined"),
        (
            "{ a: '{{ [conn.room] }}' }",
            json!({ "a": [null] }),
            "msg.a is compared with `[conn.room]`, which is undefined",
        ),
    ] {
        let unmatched = MessageOutcome::Unmatched { nearest: Some(format!("rule 1: {why}")) };
        assert_eq!(outcome(&format!("{{ match: {expected}, reply: fits }}"), &message), unmatched, "{expected}");
    }
    // Another rule applies, and the same rule once the value is defined.
    let mut world = TestWorld::new(
        "
websocket:
  /s:
    messages:
      - { match: { room: $conn.room }, reply: mine }
      - { match: { enter: true }, set: { conn.room: $msg.room } }
      - { reply: other }
",
    );
    world.open("/s", 1);
    assert_eq!(world.send(1, &json!({ "room": "a" })), [r#"1: "other""#]);
    assert_eq!(world.send(1, &json!({ "enter": true, "room": "a" })), Vec::<String>::new());
    assert_eq!(world.send(1, &json!({ "room": "a" })), [r#"1: "mine""#]);
    assert_eq!(world.send(1, &json!({ "room": "b" })), [r#"1: "other""#]);
}

#[test]
fn an_undefined_value_in_match_matches_no_request() {
    let text = "
http:
  GET /a:
    - { match: { query: { key: $cookies.key } }, body: query }
    - { match: { headers: { x-key: $cookies.key } }, body: headers }
    - { match: { body: { key: $cookies.key } }, body: body }
    - { when: query.last, body: last }
";
    let mut engine = engine(text);
    let asked = |url: &str| {
        let headers = Some([("x-key".to_owned(), json!("a"))].into_iter().collect());
        RuleRequest { headers, ..request("GET", url, json!({ "key": "a" })) }
    };
    let answer = ask(&mut engine, "GET /a", asked("/a?key=a&last=1")).unwrap().answer.unwrap();
    assert_eq!(body(answer), json!("last"));
    let refusal = ask(&mut engine, "GET /a", asked("/a?key=a")).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "No answer of GET /a matches the request; the nearest is answer 1: query.key is compared with `cookies.key`, which is undefined"
    );
    let mut with_cookie = asked("/a?key=a");
    with_cookie.cookies = Some([("key".to_owned(), json!("a"))].into_iter().collect());
    let answer = ask(&mut engine, "GET /a", with_cookie).unwrap().answer.unwrap();
    assert_eq!(body(answer), json!("query"));
}

#[test]
fn a_join_with_an_undefined_where_is_refused() {
    let mut world = TestWorld::new(
        "
data: { rows: [] }
websocket:
  /s:
    messages:
      - { match: { user: 1 }, set: { conn.user: ada } }
      - join: { to: rows, where: { change: added, row: { owner: $conn.user } }, frame: $event.row.id }
",
    );
    world.open("/s", 1);
    let refused = world.say(1, "x").concat();
    assert!(refused.starts_with("1 failed: `conn.user` is undefined (test.yaml:7:"), "{refused}");
    let add = |world: &mut TestWorld, owner: &str| world.post(&json!([{ "add": { "rows": { "owner": owner } } }]));
    assert_eq!(add(&mut world, "bob"), Vec::<String>::new());
    world.send(1, &json!({ "user": 1 }));
    assert_eq!(world.say(1, "x"), Vec::<String>::new());
    assert_eq!((add(&mut world, "bob"), add(&mut world, "ada")), (Vec::new(), vec!["1: 3".to_owned()]));
}

#[test]
fn steps_after_close_do_not_run() {
    for steps in [
        "[{ close: 4001 }, { add: { log: {} } }, { reply: late }, { after: 1s, add: { log: {} } }]",
        "[{ after: 1s, add: { log: {} } }, { at: 2s, add: { log: {} } }, { at: 0s, close: 4001 }]",
        "[{ do: [{ close: 4001 }, { add: { log: {} } }] }, { add: { log: {} } }]",
        "[{ do: [{ do: [{ each: [1, 2], close: 4001 }] }, { each: '{{ conn.nope | int }}', add: { log: {} } }] }]",
        "[{ join: { to: a, do: [{ close: 4001 }, { add: { log: {} } }, { after: 1s, add: { log: {} } }] } }, { add: { log: {} } }]",
        "[{ join: { to: a, do: [{ after: 1s, add: { log: {} } }] } }, { times: 3, close: 4001 }]",
        "[{ times: forever, every: 1s, set: { n: 1 } }, { close: 4001 }, { add: { log: {} } }]",
    ] {
        for lists in [format!("open: {steps}"), format!("messages: [{{ do: {steps} }}]")] {
            let mut world = TestWorld::new(&format!(
                "data: {{ log: [], n: 0 }}\nwebsocket: {{ /s: {{ {lists}, closed: [{{ add: {{ log: {{ left: true }} }} }}] }} }}"
            ));
            let mut got = world.open("/s", 1);
            got.extend(world.say(1, "x"));
            assert_eq!(got, ["1 closed 4001 "], "{lists}");
            assert_eq!((world.pass(3), world.engine.next_due()), (Vec::new(), None), "{lists}");
            assert_eq!(world.close(1), Vec::<String>::new());
            assert_eq!(rows(&world.engine, "log"), json!([{ "id": 1, "left": true }]), "{lists}");
        }
    }
}

#[test]
fn close_ends_all_scheduled_steps_of_its_socket() {
    let mut world = TestWorld::new(
        "
data: { log: [] }
websocket:
  /s:
    open:
      - { join: { to: a, do: [{ times: forever, every: 1s, add: { log: { t: 1 } } }] } }
      - { after: 5s, add: { log: { t: 2 } } }
    messages:
      - { match: { later: true }, do: [{ after: 1500ms, close: 4000 }, { add: { log: { t: 3 } } }] }
",
    );
    for member in [1, 2] {
        world.open("/s", member);
    }
    world.send(1, &json!({ "later": true }));
    world.pass(1);
    assert_eq!(rows(&world.engine, "log").as_array().unwrap().len(), 4);
    assert_eq!(world.pass_millis(500), ["1 closed 4000 "]);
    world.pass(4);
    let all = rows(&world.engine, "log");
    let times = |t: u64| all.as_array().unwrap().iter().filter(|row| row["t"] == t).count();
    assert_eq!((times(1), times(2), times(3)), (8, 1, 0), "{all}");
}

#[test]
fn steps_of_a_stream_after_close_do_not_run() {
    let mut engine = engine(
        "
data: { log: [] }
http:
  GET /live: { stream: [{ reply: one }, { close: {} }, { reply: two }, { add: { log: {} } }, { after: 1s, add: { log: {} } }] }
  GET /late: { stream: [{ join: a }, { after: 1s, close: {} }, { add: { log: {} } }] }
",
    );
    let mut open = |key: &str, member: u64| {
        let request = Box::new(request("GET", "/", Value::Null));
        let command = Command::Answer { key: key.into(), crud: None, request, member: Some(member) };
        notices(&engine.apply(command).unwrap().events)
    };
    assert_eq!(open("GET /live", 1), [r#"1: "one""#, "1 closed"]);
    assert_eq!(open("GET /late", 2), ["2 in 1"]);
    assert_eq!(notices(&engine.advance(Duration::from_secs(3))), ["2 closed"]);
    assert_eq!((rows(&engine, "log"), engine.next_due()), (json!([]), None));
}

#[test]
fn closed_can_read_the_topics_of_its_socket() {
    let mut world = TestWorld::new(
        "
data: { log: [] }
websocket: { /s: { open: [{ join: [b, a] }, { join: c }], closed: [{ add: { log: { topics: $conn.topics } } }, { send: { to: a, frame: left } }] } }
",
    );
    world.open("/s", 1);
    world.open("/s", 2);
    assert_eq!(world.close(1), [r#"2: "left""#]);
    assert_eq!(rows(&world.engine, "log"), json!([{ "id": 1, "topics": ["a", "b", "c"] }]));
}

#[test]
fn the_frames_of_a_member_stay_in_order_when_others_leave() {
    let mut world = TestWorld::new(
        "
websocket:
  /other: { open: [{ join: { to: t, frame: other } }] }
  /s: { open: [{ join: { to: t, frame: one } }, { join: { to: t, where: { a: 1 }, frame: two } }, { join: { to: t, frame: three } }] }
",
    );
    world.open("/other", 1);
    world.open("/s", 2);
    let publish = |world: &mut TestWorld| world.post(&json!([{ "send": { "to": "t", "frame": { "a": 1 } } }]));
    let expected = [r#"2: "one""#, r#"2: "two""#, r#"2: "three""#];
    assert_eq!(publish(&mut world)[1..], expected);
    world.close(1);
    assert_eq!(publish(&mut world), expected);
}

#[test]
fn with_is_evaluated_after_a_when_that_does_not_use_it() {
    let guarded = |with: &str, when: &str| {
        format!("{{ do: [{{ with: {{ {with} }}, when: {when}, reply: $n }}, {{ reply: end }}] }}")
    };
    let failing = "n: '{{ msg.n | int }}', bad: '{{ 1 // 0 }}'";
    for (rule, message, expected) in [
        // A name that `when` does not use is evaluated after it.
        (guarded("n: '{{ msg.n | int }}'", "msg.n is defined"), json!({}), "\"end\""),
        (guarded("n: '{{ msg.n | int }}'", "msg.n is defined"), json!({ "n": "7" }), "7 \"end\""),
        (guarded(failing, "n > 5"), json!({ "n": 1 }), "\"end\""),
        (guarded(failing, "n > 5"), json!({ "n": 6 }), "failed"),
        (guarded("bad: '{{ 1 // 0 }}', n: '{{ msg.n }}'", "n > 5"), json!({ "n": 1 }), "failed"),
        // The same applies to rules for messages.
        (
            "{ with: { n: '{{ msg.n | int }}' }, when: n > 5, reply: { n: $n } }".to_owned(),
            json!({ "n": "9" }),
            r#"{"n":9}"#,
        ),
        ("{ with: { n: '{{ msg.n | int }}' }, when: msg.n is defined, reply: $n }".to_owned(), json!({}), ""),
        ("{ with: { a: 1, b: '{{ a + 1 }}' }, reply: $b }".to_owned(), json!({}), "2"),
    ] {
        let mut world = TestWorld::new(&format!("websocket: {{ /s: {{ messages: [{rule}] }} }}"));
        world.open("/s", 1);
        let got = world.send(1, &message);
        let value = |line: &String| line.strip_prefix("1: ").unwrap_or("failed").to_owned();
        assert_eq!(got.iter().map(value).collect::<Vec<_>>().join(" "), expected, "{rule} {message}");
    }
}

#[test]
fn a_rule_without_steps_accepts_its_messages() {
    let mut world =
        TestWorld::new("websocket: { /s: { messages: [{ match: { op: 3 }, do: [] }, { reply: unknown }] } }");
    world.open("/s", 1);
    let said = |world: &mut TestWorld, op: u64| world.outcomes(1, Frame::Text(json!({ "op": op }).to_string().into()));
    assert_eq!(said(&mut world, 3), (vec![MessageOutcome::Fired(1)], Vec::new()));
    assert_eq!(said(&mut world, 4), (vec![MessageOutcome::Fired(2)], vec![r#"1: "unknown""#.to_owned()]));
}

#[test]
fn a_failing_when_is_reported_with_its_rule() {
    let mut world = TestWorld::new(
        "
websocket:
  /s:
    messages:
      - { text: a, reply: a }
      - { when: (msg | fromjson).x == 1, reply: one }
  /t:
    messages:
      - { when: '(msg | fromjson(default={})).x == 1', reply: one }
      - { reply: other }
",
    );
    world.open("/s", 1);
    let command = Command::Receive { member: 1, frame: Frame::Text("[1".into()) };
    let effects = world.engine.apply(command).unwrap();
    let [HandledMessage { outcome: MessageOutcome::Refused { rule: Some(2), why }, .. }] = &effects.messages[..] else {
        panic!("{effects:?}")
    };
    assert!(why.starts_with("`(msg | fromjson).x == 1` fails: not JSON"), "{why}");
    let failed = effects.events.iter().find_map(|event| match &event.kind {
        EventKind::Member { what: MemberEvent::Failed { rule, .. }, .. } => Some(&**rule),
        _ => None,
    });
    assert_eq!(failed, Some("websocket /s, rule 2"));
    world.open("/t", 2);
    assert_eq!(world.say(2, "[1"), [r#"2: "other""#]);
}
