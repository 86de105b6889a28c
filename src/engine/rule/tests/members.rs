//! Streams, and what the members of topics receive.

use std::time::Duration;

use serde_json::{Value, json};

use super::{engine, post, request, scenario};
use crate::engine::{Command, Engine, Event, EventKind, Frame, MemberEvent};

/// Opens the stream of a route and returns the events of its member.
fn open(engine: &mut Engine, key: &str, member: u64) -> Vec<String> {
    let request = Box::new(request("GET", "/", Value::Null));
    let command = Command::Answer { key: key.into(), crud: None, request, member: Some(member) };
    notices(&engine.apply(command).unwrap().events)
}

/// Returns the events of members and groups in short form.
pub(super) fn notices(events: &[Event]) -> Vec<String> {
    let shown = |frame: &Frame| frame.to_json().to_string();
    let notices = events.iter().filter_map(|event| match &event.kind {
        EventKind::Member { member, what: MemberEvent::Reply(frame) } => Some(format!("{member}: {}", shown(frame))),
        EventKind::Member { member, what: MemberEvent::Joined(group) } => Some(format!("{member} in {group}")),
        EventKind::Member { member, what: MemberEvent::Left(group) } => Some(format!("{member} out {group}")),
        EventKind::Member { member, what: MemberEvent::Closed(_) } => Some(format!("{member} closed")),
        EventKind::Member { member, what: MemberEvent::Failed { rule, refusal } } => {
            Some(format!("{member} failed: {rule}: {refusal}"))
        }
        EventKind::Delivered { groups, frame, .. } => {
            let groups: Vec<String> = groups.iter().map(ToString::to_string).collect();
            Some(format!("group {}: {}", groups.join("+"), shown(frame)))
        }
        _ => None,
    });
    notices.collect()
}

#[test]
fn streams_share_the_frames_of_the_topics_they_join() {
    let mut engine = engine(
        "
data: { rows: [{ n: 1 }] }
http:
  GET /all: { stream: [{ reply: $rows }, { join: { to: rows, where: { change: added }, frame: { n: $event.row.n, of: $topic } } }] }
  GET /plain: { stream: [{ join: rows }] }
  GET /short: { stream: [{ reply: a }, { after: 1s, reply: b }] }
  GET /once: { stream: [{ reply: a }] }
  GET /left: { stream: [{ join: rows }, { after: 1s, leave: rows }] }
",
    );
    assert_eq!(open(&mut engine, "GET /all", 1), [r#"1: [{"id":1,"n":1}]"#, "1 in 1"]);
    assert_eq!(open(&mut engine, "GET /all", 2), [r#"2: [{"id":1,"n":1}]"#, "2 in 1"]);
    assert_eq!(open(&mut engine, "GET /plain", 3), ["3 in 2"]);
    let events = post(&mut engine, json!([{ "add": { "rows": { "n": 2 } } }])).unwrap().events;
    let row = r#"{"id":2,"n":2}"#;
    let plain = format!(r#"group 2: {{"sequence":1,"change":"added","row":{row},"before":null}}"#);
    assert_eq!(notices(&events), [r#"group 1: {"n":2,"of":"rows"}"#.to_owned(), plain]);
    let events = post(&mut engine, json!([{ "remove": { "rows": 2 } }])).unwrap().events;
    assert_eq!(
        notices(&events),
        [format!(r#"group 2: {{"sequence":2,"change":"removed","row":null,"before":{row}}}"#)]
    );
    // A stream that can send nothing more ends. A stream that has joined a topic does not.
    assert_eq!(open(&mut engine, "GET /short", 4), [r#"4: "a""#]);
    assert_eq!(open(&mut engine, "GET /once", 6), [r#"6: "a""#, "6 closed"]);
    assert_eq!(open(&mut engine, "GET /left", 5), ["5 in 2"]);
    let events = engine.advance(Duration::from_secs(1));
    assert_eq!(notices(&events), [r#"4: "b""#, "4 closed", "5 out 2", "5 closed"]);
    engine.apply(Command::LeaveAll { member: 3 }).unwrap();
    let events = post(&mut engine, json!([{ "remove": { "rows": 1 } }])).unwrap().events;
    assert_eq!(notices(&events), Vec::<String>::new());
}

#[test]
fn a_member_of_a_collection_and_a_row_receives_an_event_once() {
    let mut engine = engine(
        "
data: { rows: [{ n: 0 }, { n: 0 }] }
http:
  GET /both: { stream: [{ join: [rows, rows/1] }] }
  GET /one: { stream: [{ join: rows/1 }] }
  GET /where: { stream: [{ join: { to: rows, where: { row: { n: 1 } } } }, { join: { to: rows, where: { change: merged } } }] }
  GET /named: { stream: [{ join: { to: [rows, rows/1], frame: $topic } }] }
  GET /framed: { stream: [{ join: { to: [rows, rows/1], frame: $event.row.n } }] }
",
    );
    let mut merged = |stream: &str, member: u64, id: u64| {
        open(&mut engine, stream, member);
        let events = post(&mut engine, json!([{ "merge": { "rows": { "id": id, "n": 1 } } }])).unwrap().events;
        engine.apply(Command::LeaveAll { member }).unwrap();
        let notices = notices(&events);
        notices.iter().map(|notice| notice.split(": ").next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(merged("GET /both", 1, 1), ["group 1+2"]);
    assert_eq!(merged("GET /both", 1, 2), ["group 3"]);
    assert_eq!(merged("GET /where", 1, 2), ["group 5+6"]);
    assert_eq!(merged("GET /framed", 1, 1), ["group 7+8"]);
    // A frame that depends on the topic is sent for each topic.
    assert_eq!(merged("GET /named", 1, 1), ["group 9", "group 10"]);
    // A member of only one of the topics receives the event as well.
    open(&mut engine, "GET /one", 2);
    let events = post(&mut engine, json!([{ "merge": { "rows": { "id": 1, "n": 2 } } }])).unwrap().events;
    assert_eq!(notices(&events).len(), 1);
}

#[test]
fn the_steps_of_a_member_end_with_it() {
    let mut engine = engine("http: { GET /t: { stream: [{ reply: tick, times: forever, every: 1s }] } }");
    assert_eq!(open(&mut engine, "GET /t", 1).len(), 1);
    assert_eq!(engine.advance(Duration::from_secs(2)).len(), 2);
    engine.apply(Command::LeaveAll { member: 1 }).unwrap();
    assert_eq!(engine.next_due(), None);
}

#[test]
fn frames_of_members_never_repeat_random_values() {
    let mut engine = engine(
        "
data: { rows: [] }
http: { GET /s: { stream: [{ join: { to: rows, frame: '{{ random(1, 1000000) }}' } }] } }
",
    );
    open(&mut engine, "GET /s", 1);
    let events = post(&mut engine, json!([{ "add": { "rows": {} } }, { "add": { "rows": {} } }])).unwrap().events;
    let again = post(&mut engine, json!([{ "add": { "rows": {} } }])).unwrap().events;
    let all = [notices(&events), notices(&again)].concat();
    assert_eq!(all.len(), 3);
    assert!(all[0] != all[1] && all[1] != all[2], "{all:?}");
}

#[test]
fn members_are_notified_of_changes_by_a_reload() {
    let text = |title: &str, price: u8| {
        format!(
            "data: {{ rows: [{{ title: {title} }}], price: {price} }}\nhttp: {{ GET /s: {{ stream: [{{ join: [rows, price] }}] }} }}"
        )
    };
    let mut engine = engine(&text("old", 1));
    open(&mut engine, "GET /s", 1);
    let events = engine.replace(&scenario(&text("new", 2)), 42).events;
    let notices = notices(&events);
    assert_eq!(notices.len(), 2, "{notices:?}");
    assert!(notices[0].contains(r#""title":"new""#) && notices[1].contains(r#""value":2"#), "{notices:?}");
}
