//! Tests of the checker: histories that are valid except for a single error, which the checker names.

use serde_json::{Value, json};

use super::checker::{Contradiction, Explained, Violation, check};
use super::record::{Received, Request, SocketHistory, SocketLog, View, by_id};

/// The frames of the first visit that contain events: the index of each, and the number of its event.
const FIRST: [(usize, u64); 4] = [(1, 1), (2, 3), (3, 5), (4, 6)];

/// The index of the frame that ends the first visit.
const OUT: usize = 5;

fn row(id: u64, room: &str, moment: u64) -> Value {
    json!({ "id": id, "room": room, "moment": moment })
}

/// Returns the events of rows: number, change, new row and previous row.
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

/// Returns the line of an event in the transcript.
fn line((sequence, change, row, before): (u64, &str, Option<Value>, Option<Value>)) -> Value {
    let id = row.as_ref().or(before.as_ref()).unwrap()["id"].clone();
    let mut line = json!({ "sequence": sequence, "event": change, "collection": "rows", "id": id });
    if let Some(row) = row {
        line["row"] = row;
    }
    line
}

/// Returns the frame of an event.
fn change(sequence: u64) -> Received {
    let found = events().into_iter().find(|event| event.0 == sequence);
    let (_, change, row, before) = found.unwrap();
    Received::Change {
        of: None,
        event: json!({ "sequence": sequence, "change": change, "row": row, "before": before }),
    }
}

/// Returns a valid history: a visit to room a, and another one in which the client disconnects.
fn valid() -> SocketHistory {
    let answer = |request, moment, rows: &[Value]| Received::Answer { request, moment, rows: rows.to_vec() };
    let mut transcript: Vec<Value> = events().into_iter().map(line).collect();
    transcript.insert(1, json!({ "sequence": 2, "event": "sent", "topic": "told/a" }));
    let mut log = SocketLog::new("client 1".into(), 7);
    log.requests = vec![Request::Join(View::Room("a")), Request::Leave, Request::Join(View::Room("a"))];
    log.received.push(answer(0, 1, &[row(1, "a", 0)]));
    log.received.extend(FIRST.map(|(_, event)| change(event)));
    log.received.push(answer(1, 6, &[row(3, "a", 5)]));
    log.received.push(answer(2, 8, &[row(3, "a", 5), row(4, "a", 7)]));
    log.received.push(change(8));
    let end = vec![row(1, "b", 3), row(3, "a", 5), row(4, "a", 9)];
    SocketHistory { start: vec![row(1, "a", 0)], transcript, end, sockets: vec![log] }
}

/// Returns the contradiction that the checker detects in the valid history after a mutation.
fn contradiction(mutate: impl FnOnce(&mut SocketHistory)) -> Contradiction {
    let mut history = valid();
    mutate(&mut history);
    check(&history).expect_err("the history was accepted")
}

/// Returns the violation that the checker detects after a mutation of the frames of the socket.
fn detect(mutate: impl FnOnce(&mut Vec<Received>)) -> Violation {
    contradiction(|history| mutate(&mut history.sockets[0].received)).violation
}

#[test]
fn a_valid_socket_history_is_accepted() {
    let explained = check(&valid()).unwrap();
    assert_eq!(explained, Explained { changes: 7, sockets: 1, visits: 1, interrupted: 1, received: 5 });
}

#[test]
fn a_client_may_leave_at_any_time() {
    let mut history = valid();
    while history.sockets[0].received.pop().is_some() {
        check(&history).unwrap();
    }
}

#[test]
fn a_missing_event_is_named() {
    for (index, event) in FIRST {
        assert_eq!(detect(|received| drop(received.remove(index))), Violation::Missing(event));
    }
    let contradiction = contradiction(|history| drop(history.sockets[0].received.remove(3)));
    assert_eq!(contradiction.to_string(), "client 1, frame 3: event 5 is missing");
}

#[test]
fn a_duplicate_event_is_named() {
    for (index, event) in FIRST {
        for again in index + 1..=OUT {
            assert_eq!(detect(|received| received.insert(again, change(event))), Violation::Doubled(event));
        }
    }
}

#[test]
fn events_out_of_order_are_named() {
    for pair in FIRST.windows(2) {
        let ((index, event), (_, after)) = (pair[0], pair[1]);
        assert_eq!(detect(|received| received.swap(index, index + 1)), Violation::OutOfOrder { event, after });
    }
}

#[test]
fn an_event_from_outside_the_membership_is_named() {
    // From another room.
    for index in 0..=OUT {
        assert_eq!(detect(|received| received.insert(index, change(4))), Violation::Foreign(4));
    }
    // From after the visit, from between two visits, and from before a visit.
    for (index, event) in [(OUT, 7), (OUT + 1, 7), (OUT + 1, 6), (OUT + 2, 1), (OUT + 3, 7)] {
        assert_eq!(detect(|received| received.insert(index, change(event))), Violation::Foreign(event), "{index}");
    }
    // An event that does not exist.
    let unknown = Received::Change { of: None, event: json!({ "sequence": 99 }) };
    assert_eq!(detect(|received| received.insert(1, unknown)), Violation::Foreign(99));
}

#[test]
fn an_event_of_another_membership_is_detected() {
    let violation = |of: &str| {
        detect(|received| {
            let Received::Change { of: name, .. } = &mut received[1] else { panic!("no event") };
            *name = Some(of.to_owned());
            // With the right name, the missing event is the only error.
            received.remove(2);
        })
    };
    assert_eq!(
        (violation("7/0"), violation("7/1"), violation("6/0")),
        (Violation::Missing(3), Violation::Foreign(1), Violation::Foreign(1))
    );
}

#[test]
fn an_event_with_other_rows_is_detected() {
    for (index, key) in [(1, "row"), (2, "before"), (3, "before"), (4, "row")] {
        let violation = detect(|received| {
            let Received::Change { event, .. } = &mut received[index] else { panic!("no event") };
            event[key] = Value::Null;
        });
        assert!(matches!(violation, Violation::Copy { event, .. } if event == FIRST[index - 1].1), "{violation}");
    }
}

#[test]
fn rows_of_another_moment_are_detected() {
    let cases = [
        (0, vec![row(1, "a", 0), row(2, "a", 2)]),
        (0, Vec::new()),
        (OUT, vec![row(3, "a", 5), row(4, "a", 7)]),
        (OUT, Vec::new()),
        (OUT + 1, vec![row(3, "a", 5)]),
    ];
    for (index, rows) in cases {
        let expected = by_id(&rows);
        let violation = detect(|received| {
            let Received::Answer { rows: answered, .. } = &mut received[index] else { panic!("no answer") };
            *answered = rows;
        });
        assert!(matches!(&violation, Violation::Rows { rows, .. } if *rows == expected), "{violation}");
    }
}

#[test]
fn missing_and_misordered_answers_are_detected() {
    assert_eq!(detect(|received| received.swap(OUT, OUT + 1)), Violation::Answer { request: 2, expected: 1 });
    let unanswered = contradiction(|history| {
        history.sockets[0].received.truncate(OUT + 1);
        history.sockets[0].is_complete = true;
    });
    assert_eq!(unanswered.violation, Violation::Incomplete { answered: 2, requests: 3 });
    let still_joined = contradiction(|history| history.sockets[0].is_complete = true);
    assert_eq!(still_joined.violation, Violation::Incomplete { answered: 3, requests: 3 });
}

#[test]
fn an_inconsistent_transcript_is_detected() {
    let lines = |mutate: fn(&mut Vec<Value>)| contradiction(|history| mutate(&mut history.transcript)).violation;
    let at = |index: usize| Violation::Line(valid().transcript[index].clone());
    assert_eq!(lines(|lines| drop(lines.remove(1))), at(2));
    let without_row = lines(|lines| lines[0]["collection"] = "others".into());
    assert_eq!(without_row, at(4));
    let at_the_end = lines(|lines| drop(lines.pop()));
    assert!(matches!(at_the_end, Violation::End { .. }), "{at_the_end}");
}
