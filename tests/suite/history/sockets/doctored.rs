//! The checker finds what it is there for: histories that are fine but for one thing, and names it.

use serde_json::{Value, json};

use super::checker::{Contradiction, Explained, Violation, check};
use super::record::{Ask, SocketHistory, SocketLog, Told, View, by_id};

/// Where the events of the first visit are among what the socket is told, with their numbers.
const FIRST: [(usize, u64); 4] = [(1, 1), (2, 3), (3, 5), (4, 6)];

/// Where the first visit ends.
const OUT: usize = 5;

fn row(id: u64, room: &str, moment: u64) -> Value {
    json!({ "id": id, "room": room, "moment": moment })
}

/// The events of rows, with what the row becomes and what it was.
fn events() -> [(u64, &'static str, Option<Value>, Option<Value>); 7] {
    let (two, three, four) = (row(2, "a", 2), row(3, "b", 4), row(4, "a", 7));
    [
        (1, "added", Some(two.clone()), None),
        (3, "merged", Some(row(1, "b", 3)), Some(row(1, "a", 0))),
        (4, "added", Some(three.clone()), None),
        (5, "removed", None, Some(two)),
        (6, "merged", Some(row(3, "a", 5)), Some(three)),
        (7, "added", Some(four.clone()), None),
        (8, "replaced", Some(row(4, "a", 9)), Some(four)),
    ]
}

/// A line of the transcript.
fn line((sequence, change, row, before): (u64, &str, Option<Value>, Option<Value>)) -> Value {
    let id = row.as_ref().or(before.as_ref()).unwrap()["id"].clone();
    let mut line = json!({ "sequence": sequence, "event": change, "collection": "rows", "id": id });
    if let Some(row) = row {
        line["row"] = row;
    }
    line
}

/// What a socket is told of an event.
fn change(sequence: u64) -> Told {
    let found = events().into_iter().find(|event| event.0 == sequence);
    let (_, change, row, before) = found.unwrap();
    Told::Change { of: None, event: json!({ "sequence": sequence, "change": change, "row": row, "before": before }) }
}

/// A visit of room a, and another one in which the client leaves without a word.
fn honest() -> SocketHistory {
    let answer = |ask, moment, rows: &[Value]| Told::Answer { ask, moment, rows: rows.to_vec() };
    let mut transcript: Vec<Value> = events().into_iter().map(line).collect();
    transcript.insert(1, json!({ "sequence": 2, "event": "sent", "topic": "told/a" }));
    let mut log = SocketLog::new("client 1".into(), 7);
    log.asked = vec![Ask::In(View::Room("a")), Ask::Out, Ask::In(View::Room("a"))];
    log.told.push(answer(0, 1, &[row(1, "a", 0)]));
    log.told.extend(FIRST.map(|(_, event)| change(event)));
    log.told.push(answer(1, 6, &[row(3, "a", 5)]));
    log.told.push(answer(2, 8, &[row(3, "a", 5), row(4, "a", 7)]));
    log.told.push(change(8));
    let end = vec![row(1, "b", 3), row(3, "a", 5), row(4, "a", 9)];
    SocketHistory { start: vec![row(1, "a", 0)], transcript, end, sockets: vec![log] }
}

/// What is found when that is done to the honest history.
fn contradiction(doctor: impl FnOnce(&mut SocketHistory)) -> Contradiction {
    let mut history = honest();
    doctor(&mut history);
    check(&history).expect_err("nothing was found")
}

/// As [`contradiction`], for what the socket is told.
fn found(doctor: impl FnOnce(&mut Vec<Told>)) -> Violation {
    contradiction(|history| doctor(&mut history.sockets[0].told)).what
}

#[test]
fn an_honest_history_of_sockets_is_explained() {
    let explained = check(&honest()).unwrap();
    assert_eq!(explained, Explained { changes: 7, sockets: 1, visits: 1, cut: 1, told: 5 });
}

#[test]
fn a_client_may_leave_at_any_time() {
    let mut history = honest();
    while history.sockets[0].told.pop().is_some() {
        check(&history).unwrap();
    }
}

#[test]
fn an_event_that_is_missing_is_found_and_named() {
    for (index, event) in FIRST {
        assert_eq!(found(|told| drop(told.remove(index))), Violation::Missing(event));
    }
    let contradiction = contradiction(|history| drop(history.sockets[0].told.remove(3)));
    assert_eq!(contradiction.to_string(), "client 1, frame 3: event 5 is missing");
}

#[test]
fn an_event_that_came_twice_is_found_and_named() {
    for (index, event) in FIRST {
        for again in index + 1..=OUT {
            assert_eq!(found(|told| told.insert(again, change(event))), Violation::Doubled(event));
        }
    }
}

#[test]
fn events_out_of_order_are_found_and_named() {
    for pair in FIRST.windows(2) {
        let ((index, event), (_, after)) = (pair[0], pair[1]);
        assert_eq!(found(|told| told.swap(index, index + 1)), Violation::OutOfOrder { event, after });
    }
}

#[test]
fn an_event_from_outside_of_a_membership_is_found_and_named() {
    // Of another room.
    for index in 0..=OUT {
        assert_eq!(found(|told| told.insert(index, change(4))), Violation::Foreign(4));
    }
    // Of the time after the visit, between two visits, and of the time before one.
    for (index, event) in [(OUT, 7), (OUT + 1, 7), (OUT + 1, 6), (OUT + 2, 1), (OUT + 3, 7)] {
        assert_eq!(found(|told| told.insert(index, change(event))), Violation::Foreign(event), "{index}");
    }
    // That never was.
    let unknown = Told::Change { of: None, event: json!({ "sequence": 99 }) };
    assert_eq!(found(|told| told.insert(1, unknown)), Violation::Foreign(99));
}

#[test]
fn an_event_of_an_earlier_membership_is_found() {
    let name = |of: &str| {
        found(|told| {
            let Told::Change { of: named, .. } = &mut told[1] else { panic!("no event") };
            *named = Some(of.to_owned());
            // Nothing else is wrong if the name is right.
            told.remove(2);
        })
    };
    assert_eq!(
        (name("7/0"), name("7/1"), name("6/0")),
        (Violation::Missing(3), Violation::Foreign(1), Violation::Foreign(1))
    );
}

#[test]
fn an_event_that_tells_something_else_is_found() {
    for (index, key) in [(1, "row"), (2, "before"), (3, "before"), (4, "row")] {
        let violation = found(|told| {
            let Told::Change { event, .. } = &mut told[index] else { panic!("no event") };
            event[key] = Value::Null;
        });
        assert!(matches!(violation, Violation::Copy { event, .. } if event == FIRST[index - 1].1), "{violation}");
    }
}

#[test]
fn rows_of_another_moment_are_found() {
    let cases = [
        (0, vec![row(1, "a", 0), row(2, "a", 2)]),
        (0, Vec::new()),
        (OUT, vec![row(3, "a", 5), row(4, "a", 7)]),
        (OUT, Vec::new()),
        (OUT + 1, vec![row(3, "a", 5)]),
    ];
    for (index, rows) in cases {
        let expected = by_id(&rows);
        let violation = found(|told| {
            let Told::Answer { rows: told, .. } = &mut told[index] else { panic!("no answer") };
            *told = rows;
        });
        assert!(matches!(&violation, Violation::Rows { rows, .. } if *rows == expected), "{violation}");
    }
}

#[test]
fn an_answer_that_does_not_come_or_out_of_turn_is_found() {
    assert_eq!(found(|told| told.swap(OUT, OUT + 1)), Violation::Answer { ask: 2, expected: 1 });
    let unanswered = contradiction(|history| {
        history.sockets[0].told.truncate(OUT + 1);
        history.sockets[0].is_complete = true;
    });
    assert_eq!(unanswered.what, Violation::Incomplete { answered: 2, asked: 3 });
    let still_in = contradiction(|history| history.sockets[0].is_complete = true);
    assert_eq!(still_in.what, Violation::Incomplete { answered: 3, asked: 3 });
}

#[test]
fn a_transcript_that_does_not_go_on_is_found() {
    let lines = |doctor: fn(&mut Vec<Value>)| contradiction(|history| doctor(&mut history.transcript)).what;
    let at = |index: usize| Violation::Line(honest().transcript[index].clone());
    assert_eq!(lines(|lines| drop(lines.remove(1))), at(2));
    let without_its_row = lines(|lines| lines[0]["collection"] = "others".into());
    assert_eq!(without_its_row, at(4));
    let at_the_end = lines(|lines| drop(lines.pop()));
    assert!(matches!(at_the_end, Violation::End { .. }), "{at_the_end}");
}
