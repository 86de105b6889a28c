//! The checker finds what it is there for: histories that are fine but for one thing.

use super::checker::check;
use super::record::{History, Named, Order, Outcome, Span, Stream};
use super::shop::{self, SPACING};

/// A run of two phases: orders, a product, a save, a reset and a last order, with a socket that comes late and switches.
fn honest() -> History {
    let order = |id: &str, amount, asked, outcome| {
        let span = Span { asked, answered: asked + 1, server: 0 };
        Order { id: id.into(), amount, span, outcome }
    };
    let mut dated = shop::first();
    dated.insert("A1".into(), SPACING);
    let transcripts = [
        lines(&[("A2", 9), ("A2", 4), ("+A3", 0), ("A3", 5), ("C1", 1), ("A1", SPACING), ("A1", SPACING - 6)]),
        lines(&[("A2", 15)]),
    ];
    let mut totals = dated.clone();
    totals.insert("A2".into(), 15);
    History {
        orders: vec![
            order("A2", 2, 0, Outcome::Accepted),
            order("A2", -5, 2, Outcome::Accepted),
            order("A3", 5, 4, Outcome::Accepted),
            order("A1", -6, 6, Outcome::InDoubt),
            order("A1", 7, 8, Outcome::Refused),
            order("A2", 8, 30, Outcome::Accepted),
        ],
        added: vec![Named { category: "electronics".into(), id: "A3".into() }],
        perhaps_added: Vec::new(),
        resets: vec![Span { asked: 20, answered: 21, server: 0 }],
        saves: vec![shop::first(), dated],
        transcripts: transcripts.into(),
        witnesses: vec![
            stream("electronics", &[&["*A1 0", "*A2 7"], LIVE, &[SAVED, "*A2 7"], END]),
            stream("confectionery", &[&["*B1 0"], LIVE, &["*B1 0"], END]),
            stream("toys", &[&["*C1 0"], LIVE, &["*C1 0"], END]),
        ],
        streams: vec![late()],
        totals,
    }
}

const SAVED: &str = "*A1 100000000000";
const LIVE: &[&str] = &["A2 9", "A2 4", "A3 5", "C1 1", "A1 100000000000", "A1 99999999994"];
const END: &[&str] = &["A2 15"];

/// It begins between the first two orders, and asks for the same category again after the script's.
fn late() -> Stream {
    let (first, again) = (&["*A1 0", "*A2 9"], &["*A1 0", "*A2 4", "A3 5"]);
    let mut late = stream("electronics", &[first, &LIVE[1..4], again, &LIVE[4..], &[SAVED, "*A2 7"], END]);
    late.categories.push("electronics".into());
    late.opened = Some(Span { asked: 2, answered: 12, server: 0 });
    late
}

fn stream(category: &str, parts: &[&[&str]]) -> Stream {
    let frames = parts.iter().flat_map(|part| part.iter()).map(|frame| encoded(frame)).collect();
    Stream { opened: None, categories: vec![category.into()], frames, is_complete: true }
}

/// `id total` as a frame; a star before it is for the reader, and says that it is a current order.
fn encoded(frame: &str) -> String {
    let (id, total) = frame.trim_start_matches('*').split_once(' ').unwrap();
    format!(r#"{{"id":"{id}","total":{total}}}"#)
}

/// A transcript of totals, and of products that are added to electronics.
fn lines(events: &[(&str, i64)]) -> String {
    let line = |(index, (id, total)): (usize, &(&str, i64))| {
        let sequence = index + 1;
        match id.strip_prefix('+') {
            Some(id) => format!(r#"{{"sequence":{sequence},"event":"added","id":"{id}","category":"electronics"}}"#),
            None => format!(r#"{{"sequence":{sequence},"event":"total","id":"{id}","total":{total}}}"#),
        }
    };
    events.iter().enumerate().map(line).collect::<Vec<_>>().join("\n")
}

/// What is found when that is done to the honest history.
fn found(doctor: impl Fn(&mut History)) -> String {
    let mut history = honest();
    doctor(&mut history);
    check(&history).expect_err("nothing was found")
}

/// As [`found`], with a doctor of the socket that comes late.
fn found_on_socket(doctor: impl Fn(&mut Vec<String>)) {
    let violation = found(|history| doctor(&mut history.streams[0].frames));
    assert!(violation.starts_with("socket 3: nothing explains frame "), "{violation}");
}

#[test]
fn an_honest_history_is_explained() {
    check(&honest()).unwrap();
}

#[test]
fn a_lost_duplicated_or_swapped_frame_is_found_anywhere() {
    let frames = honest().streams[0].frames.len();
    for index in 0..frames {
        // Without the second, it looks as if it had begun one order later.
        if index != 1 {
            found_on_socket(|frames| _ = frames.remove(index));
        }
        found_on_socket(|frames| frames.insert(index, frames[index].clone()));
    }
    for index in 1..frames {
        found_on_socket(|frames| frames.swap(index - 1, index));
    }
}

#[test]
fn a_gap_between_current_orders_and_live_ones_is_found() {
    // The current orders of the beginning are those of one order earlier, then of one later.
    found_on_socket(|frames| frames[1] = encoded("*A2 7"));
    found_on_socket(|frames| frames[1] = encoded("*A2 4"));
}

#[test]
fn only_a_socket_that_was_read_to_the_end_must_get_every_frame() {
    found_on_socket(|frames| _ = frames.pop());
    let mut history = honest();
    for left in (0..history.streams[0].frames.len()).rev() {
        history.streams[0].frames.truncate(left);
        history.streams[0].is_complete = false;
        check(&history).unwrap();
    }
}

#[test]
fn a_category_that_was_asked_for_and_never_came_is_found() {
    let violation = found(|history| history.streams[0].categories.push("toys".into()));
    assert!(violation.starts_with("socket 3: nothing explains frame "), "{violation}");
}

#[test]
fn a_socket_that_begins_before_an_earlier_answer_is_found() {
    let violation = found(|history| history.streams[0].opened = Some(Span { asked: 4, answered: 12, server: 0 }));
    assert!(violation.starts_with("socket 3: nothing explains frame 0 "), "{violation}");
}

#[test]
fn an_accepted_order_that_is_lost_or_doubled_is_found() {
    let lost = Order { id: "B1".into(), amount: 9, ..honest().orders[0].clone() };
    assert!(found(|history| history.orders.push(lost.clone())).ends_with(" is lost"));
    let twice = |history: &mut History| {
        history.transcripts[1] = lines(&[("A2", 15), ("A2", 23)]);
        history.witnesses.iter_mut().for_each(|witness| witness.frames.push(encoded("A2 23")));
    };
    assert_eq!(found(twice), "A2 changed by 8, which nobody ordered, or it happened before");
}

#[test]
fn an_order_that_was_refused_and_happened_is_found() {
    assert!(found(|history| history.orders[3].outcome = Outcome::Refused).ends_with(" has happened"));
}

#[test]
fn an_order_in_doubt_may_have_happened_or_not() {
    let mut history = honest();
    history.orders.push(Order { id: "B1".into(), amount: 9, ..history.orders[3].clone() });
    check(&history).unwrap();
}

#[test]
fn orders_that_contradict_the_times_of_answers_are_found() {
    let violation = found(|history| history.orders[0].span = Span { asked: 5, answered: 6, server: 0 });
    assert!(violation.contains("before what was answered when it was asked"), "{violation}");
}

#[test]
fn witnesses_and_transcripts_that_differ_are_found() {
    let violation = found(|history| history.witnesses[1].frames.swap(1, 2));
    assert!(violation.starts_with("the witnesses of electronics and confectionery in phase 0 differ at frame 0"));
    let violation = found(|history| history.transcripts[1] = lines(&[("A2", 14)]));
    assert!(violation.starts_with("transcript and witnesses in phase 1 differ at frame 0"), "{violation}");
    let violation =
        found(|history| history.transcripts[0] = history.transcripts[0].replace("\"sequence\":3", "\"sequence\":4"));
    assert!(violation.ends_with("as event 3"), "{violation}");
}

#[test]
fn a_reset_that_a_witness_did_not_hear_of_is_found() {
    let violation = found(|history| history.witnesses[2].frames.retain(|frame| *frame != encoded("*C1 0")));
    assert_eq!(violation, "toys got current orders of all 0 times, with 1 resets");
}

#[test]
fn events_between_transcript_and_reset_are_known_from_witnesses() {
    let mut history = honest();
    history.transcripts[0] = history.transcripts[0].lines().take(6).collect::<Vec<_>>().join("\n");
    check(&history).unwrap();
}

#[test]
fn a_save_that_did_not_arrive_or_came_by_half_is_found() {
    let violation = found(|history| {
        let newer = history.saves[1].clone();
        history.saves.push(newer);
    });
    assert_eq!(violation, "save 1 is served at the end, and there are 3");
    let violation = found(|history| _ = history.saves[1].insert("B1".into(), SPACING));
    assert_eq!(violation, "save 1 came without B1");
}

#[test]
fn totals_at_the_end_that_are_not_those_of_the_events_are_found() {
    assert!(found(|history| _ = history.totals.insert("A2".into(), 16)).contains("told was"));
    assert!(found(|history| history.added.clear()).contains("were added"));
}
