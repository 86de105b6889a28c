//! Waiting steps across a reload.

use serde_json::json;

use super::world::TestWorld;
use super::{get, scenario};

/// Returns what the socket receives in each of the next seconds.
fn seconds(world: &mut TestWorld, count: usize) -> Vec<String> {
    (0..count).map(|_| world.pass(1).join(", ")).collect()
}

#[test]
fn a_waiting_step_goes_on_if_its_text_is_the_same() {
    let text = |steps: &str| format!("websocket: {{ /s: {{ open: [{steps}] }} }}");
    let list = "{ after: 1s, reply: a }, { after: 1s, reply: b }, { after: 1s, reply: c }";
    for (steps, new, expected) in [
        (list, list, ["", "1: \"b\"", "1: \"c\"", ""]),
        // The other steps keep their times.
        (list, "{ after: 1s, reply: a }, { after: 1s, reply: B }, { after: 1s, reply: c }", ["", "", "1: \"c\"", ""]),
        (list, "{ after: 1s, reply: b }", ["", "1: \"b\"", "", ""]),
        // New steps do not run for a list that waits.
        (list, "{ reply: 0 }, { after: 1s, reply: b }, { after: 1s, reply: x }", ["", "1: \"b\"", "", ""]),
        (list, "{ after: 2s, reply: b }", ["", "", "", ""]),
        (
            "{ after: 1s, reply: a }, { after: 500ms, times: 3, every: 500ms, reply: b }, { after: 500ms, reply: c }",
            "{ after: 500ms, reply: c }",
            ["", "", "1: \"c\"", ""],
        ),
        (
            "{ after: 1s, reply: a, every: 1s, times: forever }, { after: 2s, reply: b }, { after: 1s, reply: c }",
            "{ after: 2s, reply: b }, { after: 1s, reply: c }",
            ["", "", "1: \"b\"", "1: \"c\""],
        ),
        (
            "{ after: 1s, each: [1, 2, 3], reply: $item, every: 1s }, { reply: b }",
            "{ reply: b }, { after: 1s, each: [1, 2, 3], reply: $item, every: 1s }",
            ["", "1: 2", "1: 3, 1: \"b\"", ""],
        ),
        (
            "{ after: 1s, each: [1, 2, 3], reply: $item, every: 1s }, { reply: b }",
            "{ reply: b }",
            ["", "", "1: \"b\"", ""],
        ),
    ] {
        let mut world = TestWorld::compared(&text(steps));
        world.open("/s", 1);
        world.pass(1);
        let mut got = vec![world.reload(&text(new)).join(", ")];
        got.extend(seconds(&mut world, 3));
        assert_eq!(got, expected, "{new}");
    }
}

#[test]
fn a_step_that_has_ended_does_not_come_back() {
    let text = |last: &str| format!("websocket: {{ /s: {{ open: [{{ after: 2s, reply: a }}, {last}] }} }}");
    let mut world = TestWorld::compared(&text("{ after: 1s, reply: b }"));
    world.open("/s", 1);
    for last in ["{ after: 1s, reply: x }", "{ after: 1s, reply: b }"] {
        world.reload(&text(last));
    }
    assert_eq!(seconds(&mut world, 4), ["", "1: \"a\"", "", ""]);
    world.open("/s", 2);
    assert_eq!(seconds(&mut world, 4), ["", "2: \"a\"", "2: \"b\"", ""]);
}

#[test]
fn steps_of_a_membership_and_of_a_message_go_on() {
    let text = |tick: &str, tock: &str, answer: &str| {
        format!(
            "
websocket:
  /s:
    open: [{{ join: {{ to: room, do: [{{ after: 1s, reply: {tick} }}, {{ after: 1s, reply: {tock} }}] }} }}]
    messages: [{{ text: x, do: [{{ reply: {answer} }}, {{ after: 2s, reply: late }}] }}]
"
        )
    };
    let mut world = TestWorld::compared(&text("1", "2", "3"));
    world.open("/s", 1);
    assert_eq!(world.say(1, "x"), ["1: 3"]);
    let new = scenario(&text("0", "2", "4"));
    let changes = world.engine.changes(&new, 42).iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(changes, ["websocket /s changed", "websocket /s: 1 waiting step ended"]);
    world.reload(&text("0", "2", "4"));
    assert_eq!(seconds(&mut world, 3), ["", "1: 2, 1: \"late\"", ""]);
}

#[test]
fn waiting_steps_of_a_trigger_follow_it_to_its_new_place() {
    let log = "http: { GET /log: { body: \"{{ log | map(attribute='n') | list }}\" } }";
    let text = |triggers: &str| format!("data: {{ o: [], log: [] }}\n{log}\ntriggers: [{triggers}]");
    let first = "{ topic: o, when: event.row.id == 1, do: [{ after: 1s, add: { log: { n: 1 } } }] }";
    let second = "{ topic: o, when: event.row.id == 2, do: [{ after: 2s, add: { log: { n: 2 } } }] }";
    for (new, expected) in [
        (format!("{{ topic: o, set: {{}} }}, {second}, {first}"), json!([1, 2])),
        (second.to_owned(), json!([2])),
        (first.to_owned(), json!([1])),
        ("{ topic: p, do: [{ after: 1s, add: { log: { n: 1 } } }] }".to_owned(), json!([])),
    ] {
        let mut world = TestWorld::compared(&text(&format!("{first}, {second}")));
        world.post(&json!([{ "add": { "o": {} } }, { "add": { "o": {} } }]));
        world.reload(&text(&new.replace("set: {}", "send: { to: q, frame: 1 }")));
        world.pass(3);
        assert_eq!(get(&mut world.engine, "GET /log"), expected, "{new}");
    }
}

#[test]
fn an_operation_completes_when_its_last_waiting_step_ends() {
    let text = |steps: &str| {
        format!("websocket: {{ /g: {{ protocol: graphql-transport-ws, messages: [{{ do: [{steps}] }}] }} }}")
    };
    let mut world = TestWorld::compared(&text("{ reply: { data: 1 } }, { after: 1s, reply: { data: 2 } }"));
    world.open("/g", 1);
    world.send(1, &json!({ "type": "connection_init" }));
    let subscribe = json!({ "id": "a", "type": "subscribe", "payload": { "query": "{ a }" } });
    assert_eq!(world.send(1, &subscribe).len(), 1);
    assert_eq!(world.reload(&text("{ reply: { data: 1 } }")), [r#"1: {"id":"a","type":"complete"}"#]);
}
