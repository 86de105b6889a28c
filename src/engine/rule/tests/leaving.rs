//! What members join, in which form they receive it, and how they leave.

use std::ops::Range;

use serde_json::{Value, json};

use super::world::TestWorld;
use crate::engine::{Command, Frame, MAX_SCHEDULED, MAX_TOPICS};

/// Creates a world whose sockets run these steps for each message.
fn with(open: &str, steps: &str) -> TestWorld {
    let data = "data: { rows: [{ room: a, n: 1 }, { room: b, n: 1 }], log: [] }";
    let open = if open.is_empty() { String::new() } else { format!("open: {open}, ") };
    TestWorld::new(&format!("{data}\nwebsocket: {{ /s: {{ {open}messages: [{{ do: {steps} }}] }} }}"))
}

/// Returns the frames of a socket in short form.
fn words(lines: &[String]) -> String {
    let word = |line: &String| line.split_once(": ").map_or(line.clone(), |(_, frame)| frame.replace('"', ""));
    lines.iter().map(word).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_member_receives_events_in_its_own_form() {
    let merged = "{sequence:1,change:merged,row:{id:1,room:a,n:2},before:{id:1,room:a,n:1}}";
    let added = "{sequence:2,change:added,row:{id:3,room:ada,n:5},before:null}";
    for (join, merged, added) in [
        ("rows", merged, added),
        ("{ to: rows, frame: $event.row.n }", "2", "5"),
        ("{ to: rows/1, frame: '{{ topic }} {{ event.row.n }}' }", "rows/1 2", ""),
        ("{ to: rows, where: { change: merged }, frame: $event.row.n }", "2", ""),
        ("{ to: rows, where: { row: { room: b } }, frame: $event.row.n }", "", ""),
        ("{ to: rows, where: { row: { room: $query.name } }, frame: $event.row.n }", "", "5"),
        ("{ to: rows, frame: { who: $conn.id, name: $query.name } }", "{who:1,name:ada}", "{who:1,name:ada}"),
        ("{ to: [rows, rows/1], frame: $event.row.n }", "2", "5"),
        ("{ to: [rows, rows/1], frame: $topic }", "rows rows/1", "rows"),
    ] {
        let mut world = with(&format!("[{{ join: {join} }}]"), "[{ reply: x }]");
        assert_eq!(world.open("/s", 1), Vec::<String>::new());
        let got = world.post(&json!([{ "merge": { "rows": { "id": 1, "n": 2 } } }]));
        assert_eq!(words(&got), merged, "{join}");
        let got = world.post(&json!([{ "add": { "rows": { "room": "ada", "n": 5 } } }]));
        assert_eq!(words(&got), added, "{join}");
    }
}

#[test]
fn an_identical_join_does_not_duplicate_frames() {
    for (second, expected) in [
        ("a", "a"),
        ("[a]", "a"),
        ("[a, a]", "a"),
        ("{ to: a, do: [{ reply: again }] }", "a"),
        ("{ to: a, where: {} }", "a"),
        // The frame or the name differs.
        ("{ to: a, frame: again }", "a again"),
        ("{ to: a, as: two }", "a"),
        ("[a, b]", "a"),
    ] {
        let mut world = with("[{ join: a }]", &format!("[{{ join: {second} }}]"));
        world.open("/s", 1);
        assert_eq!(world.say(1, "x"), Vec::<String>::new(), "{second}");
        assert_eq!(world.say(1, "x"), Vec::<String>::new(), "{second}");
        assert_eq!(words(&world.publish("a")), expected, "{second}");
        world.close(1);
        assert_eq!(world.publish("a"), Vec::<String>::new());
    }
}

#[test]
fn a_join_with_the_same_name_replaces_the_first() {
    let mut world = with("[{ join: { to: [a, b], as: m } }]", "[{ join: { to: [b, c], as: m, frame: new } }]");
    world.open("/s", 1);
    assert_eq!([world.publish("a"), world.publish("b"), world.publish("c")].map(|got| words(&got)), ["a", "b", ""]);
    world.say(1, "x");
    assert_eq!([world.publish("a"), world.publish("b"), world.publish("c")].map(|got| words(&got)), ["", "new", "new"]);
}

#[test]
fn members_leave_by_topic_by_name_or_by_both() {
    let open = "[{ join: { to: a, as: one } }, { join: { to: [a, b], as: two, frame: two } }, { join: c }]";
    for (leave, [a, b, c], topics) in [
        ("z", ["a two", "two", "c"], "[a,b,c]"),
        ("a", ["", "two", "c"], "[b,c]"),
        ("[a, c]", ["", "two", ""], "[b]"),
        ("{ to: b }", ["a two", "", "c"], "[a,c]"),
        ("{ as: one }", ["two", "two", "c"], "[a,b,c]"),
        ("{ as: two }", ["a", "", "c"], "[a,c]"),
        ("{ as: none }", ["a two", "two", "c"], "[a,b,c]"),
        ("{ to: a, as: two }", ["a", "two", "c"], "[a,b,c]"),
        ("{ to: [a, b], as: two }", ["a", "", "c"], "[a,c]"),
        ("{ to: c, as: two }", ["a two", "two", "c"], "[a,b,c]"),
    ] {
        let mut world = with(open, &format!("[{{ leave: {leave} }}, {{ reply: $conn.topics }}]"));
        world.open("/s", 1);
        assert_eq!(words(&world.say(1, "x")), topics, "{leave}");
        let got = ["a", "b", "c"].map(|topic| words(&world.publish(topic)));
        assert_eq!(got, [a, b, c], "{leave}");
        // Leaving again changes nothing.
        assert_eq!(words(&world.say(1, "x")), topics, "{leave}");
        world.close(1);
    }
}

#[test]
fn sockets_cannot_leave_broadcasts() {
    let mut world = with("", "[{ leave: $msg }, { leave: { as: $msg } }, { send: { frame: all } }]");
    assert_eq!(world.open("/s", 1), Vec::<String>::new());
    let refused = "A topic must be text that does not begin with `__`, found \"__sockets/s\"";
    assert_eq!(world.say(1, "__sockets/s"), [format!("1 failed: {refused}")]);
    assert_eq!(world.say(1, "/s"), [r#"1: "all""#]);
}

#[test]
fn steps_of_a_membership_end_with_it() {
    for (steps, expected) in [
        ("[{ join: { to: a, do: [{ reply: x, times: forever, every: 1s }] } }, { after: 1s, leave: a }]", "x|x||"),
        // Also while they are running.
        (
            "[{ join: { to: a, do: [{ reply: x }, { leave: a }, { reply: v }, { after: 1s, reply: v }] } }, { reply: w }]",
            "x w|||",
        ),
        ("[{ join: { to: a, as: m, do: [{ after: 1s, leave: { as: m } }, { reply: v }] } }]", "|||"),
        ("[{ join: { to: a, as: m, do: [{ after: 1s, join: { to: b, as: m } }, { reply: v }] } }]", "|||"),
        (
            "[{ join: { to: a, do: [{ after: 2s, reply: x }] } }, { join: { to: a, do: [{ after: 1s, reply: v }] } }]",
            "||x|",
        ),
        (
            "[{ join: { to: a, as: m, do: [{ after: 1s, reply: v }] } }, { join: { to: b, as: m, do: [{ after: 1s, reply: x }] } }]",
            "|x||",
        ),
        // Steps inside a step run to the end.
        (
            "[{ join: { to: a, as: m, do: [{ after: 1s, do: [{ leave: { as: m } }, { reply: x }] }, { reply: v }] } }]",
            "|x||",
        ),
        ("[{ join: { to: [a, b], do: [{ after: 2s, reply: x }] } }, { leave: a }]", "||x|"),
        ("[{ join: { to: [a, b], do: [{ after: 2s, reply: v }] } }, { leave: a }, { after: 1s, leave: b }]", "|||"),
        ("[{ join: { to: a, do: [{ join: { to: b, do: [{ after: 1s, reply: x }] } }] } }, { leave: a }]", "|x||"),
    ] {
        let mut world = with("", steps);
        world.open("/s", 1);
        let mut got = vec![world.say(1, "x")];
        got.extend((0..3).map(|_| world.pass(1)));
        assert_eq!(got.iter().map(|lines| words(lines)).collect::<Vec<_>>().join("|"), expected, "{steps}");
        world.close(1);
        assert_eq!(world.engine.next_due(), None, "{steps}");
    }
}

#[test]
fn a_socket_has_up_to_1024_memberships() {
    let mut world = with("", "[{ each: $msg, join: { to: 't{{ item.t }}', as: $item.name } }]");
    world.open("/s", 1);
    let list =
        |numbers: Range<usize>| -> Value { numbers.map(|number| json!({ "t": number, "name": number })).collect() };
    let refused = ["1 failed: Already has 1024 memberships; leave one first"];
    assert_eq!(world.send(1, &list(0..MAX_TOPICS + 1)), refused);
    assert_eq!(world.publish("t0"), Vec::<String>::new());
    assert_eq!(world.send(1, &list(0..MAX_TOPICS)), Vec::<String>::new());
    assert_eq!(world.send(1, &list(MAX_TOPICS..MAX_TOPICS + 1)), refused);
    // A membership with the same name replaces the first.
    assert_eq!(world.send(1, &json!([{ "t": 2000, "name": 5 }])), Vec::<String>::new());
    assert_eq!((world.publish("t5"), world.publish("t2000")), (Vec::new(), vec![r#"1: "t2000""#.to_owned()]));
    // Several memberships of one topic count separately.
    let mut world = with("", "[{ each: $msg, join: { to: t, frame: $topic, as: $item.name } }]");
    world.open("/s", 1);
    assert_eq!(world.send(1, &list(0..MAX_TOPICS + 1)), refused);
}

#[test]
fn a_socket_joins_up_to_1024_topics() {
    let mut world = with("", "[{ join: $msg }]");
    world.open("/s", 1);
    let list = |numbers: Range<usize>| -> Value { numbers.map(|number| format!("t{number}")).collect() };
    let refused = ["1 failed: Already joined 1024 topics; leave one first"];
    assert_eq!(world.send(1, &list(0..MAX_TOPICS + 1)), refused);
    assert_eq!(world.publish("t0"), Vec::<String>::new());
    assert_eq!(world.send(1, &list(0..MAX_TOPICS)), Vec::<String>::new());
    assert_eq!(world.publish("t0"), [r#"1: "t0""#]);
    assert_eq!(world.send(1, &list(MAX_TOPICS..MAX_TOPICS + 1)), refused);
}

#[test]
fn the_number_of_scheduled_lists_is_limited() {
    let mut world = with("", "[{ reply: now }, { after: 1h, reply: late }]");
    world.open("/s", 1);
    let receive = |world: &mut TestWorld| {
        let frame = Frame::Text("x".into());
        world.engine.apply(Command::Receive { member: 1, frame }).unwrap().events
    };
    for _ in 0..MAX_SCHEDULED {
        receive(&mut world);
    }
    let refused = receive(&mut world);
    assert_eq!(world.follow(&refused), ["1 failed: More than 100000 lists of steps are scheduled"]);
    world.close(1);
    assert_eq!(world.engine.next_due(), None);
}
