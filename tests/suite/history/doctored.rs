//! Tests of the checker: histories that are valid except for a single error.

use super::checker::check;
use super::record::{History, Order, Outcome, ProductKey, Span, Stream};
use super::shop::{self, SPACING};

/// Returns a valid history of two phases: orders, a product, a save, a reset and a last order, with a socket that
/// connects late and switches its category.
fn valid() -> History {
    let order = |id: &str, amount, sent, outcome| {
        let span = Span { sent, answered: sent + 1, server: 0 };
        Order { id: id.into(), amount, span, outcome }
    };
    let mut saved = shop::first();
    saved.insert("A1".into(), SPACING);
    let transcripts = [
        lines(&[("A2", 9), ("A2", 4), ("+A3", 0), ("A3", 5), ("C1", 1), ("A1", SPACING), ("A1", SPACING - 6)]),
        lines(&[("A2", 15)]),
    ];
    let mut totals = saved.clone();
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
        added: vec![ProductKey { category: "electronics".into(), id: "A3".into() }],
        maybe_added: Vec::new(),
        resets: vec![Span { sent: 20, answered: 21, server: 0 }],
        saves: vec![shop::first(), saved],
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

/// Returns a socket that starts between the first two orders and requests its category again after the script's order.
fn late() -> Stream {
    let (first, again) = (&["*A1 0", "*A2 9"], &["*A1 0", "*A2 4", "A3 5"]);
    let mut late = stream("electronics", &[first, &LIVE[1..4], again, &LIVE[4..], &[SAVED, "*A2 7"], END]);
    late.categories.push("electronics".into());
    late.opened = Some(Span { sent: 2, answered: 12, server: 0 });
    late
}

fn stream(category: &str, parts: &[&[&str]]) -> Stream {
    let frames = parts.iter().flat_map(|part| part.iter()).map(|frame| encoded(frame)).collect();
    Stream { opened: None, categories: vec![category.into()], frames, is_complete: true }
}

/// Encodes `id total` as a frame. A leading asterisk marks a current order, for the reader only.
fn encoded(frame: &str) -> String {
    let (id, total) = frame.trim_start_matches('*').split_once(' ').unwrap();
    format!(r#"{{"id":"{id}","total":{total}}}"#)
}

/// Returns a transcript of totals and of products that are added to electronics, which start with `+`.
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

/// Returns the error that the checker detects in the valid history after a mutation.
fn detect(mutate: impl Fn(&mut History)) -> String {
    let mut history = valid();
    mutate(&mut history);
    check(&history).expect_err("the history was accepted")
}

/// Asserts that a mutation of the frames of the late socket is detected.
fn detect_on_socket(mutate: impl Fn(&mut Vec<String>)) {
    let violation = detect(|history| mutate(&mut history.streams[0].frames));
    assert!(violation.starts_with("socket 3: nothing explains frame "), "{violation}");
}

#[test]
fn a_valid_history_is_accepted() {
    check(&valid()).unwrap();
}

#[test]
fn lost_duplicated_and_swapped_frames_are_detected() {
    let frames = valid().streams[0].frames.len();
    for index in 0..frames {
        // Without the second frame, the socket seems to start one order later.
        if index != 1 {
            detect_on_socket(|frames| _ = frames.remove(index));
        }
        detect_on_socket(|frames| frames.insert(index, frames[index].clone()));
    }
    for index in 1..frames {
        detect_on_socket(|frames| frames.swap(index - 1, index));
    }
}

#[test]
fn a_gap_between_current_and_live_orders_is_detected() {
    // The first current orders are those of one order earlier, then of one order later.
    detect_on_socket(|frames| frames[1] = encoded("*A2 7"));
    detect_on_socket(|frames| frames[1] = encoded("*A2 4"));
}

#[test]
fn only_complete_streams_must_contain_every_frame() {
    detect_on_socket(|frames| _ = frames.pop());
    let mut history = valid();
    for left in (0..history.streams[0].frames.len()).rev() {
        history.streams[0].frames.truncate(left);
        history.streams[0].is_complete = false;
        check(&history).unwrap();
    }
}

#[test]
fn a_requested_category_that_never_arrives_is_detected() {
    let violation = detect(|history| history.streams[0].categories.push("toys".into()));
    assert!(violation.starts_with("socket 3: nothing explains frame "), "{violation}");
}

#[test]
fn a_stale_start_of_a_socket_is_detected() {
    let violation = detect(|history| history.streams[0].opened = Some(Span { sent: 4, answered: 12, server: 0 }));
    assert!(violation.starts_with("socket 3: nothing explains frame 0 "), "{violation}");
}

#[test]
fn lost_and_doubled_orders_are_detected() {
    let lost = Order { id: "B1".into(), amount: 9, ..valid().orders[0].clone() };
    assert!(detect(|history| history.orders.push(lost.clone())).ends_with(" is lost"));
    let twice = |history: &mut History| {
        history.transcripts[1] = lines(&[("A2", 15), ("A2", 23)]);
        history.witnesses.iter_mut().for_each(|witness| witness.frames.push(encoded("A2 23")));
    };
    assert_eq!(detect(twice), "no open order explains the change of A2 by 8");
}

#[test]
fn a_refused_order_that_took_effect_is_detected() {
    assert!(detect(|history| history.orders[3].outcome = Outcome::Refused).ends_with(" was refused but took effect"));
}

#[test]
fn an_order_in_doubt_may_take_effect_or_not() {
    let mut history = valid();
    history.orders.push(Order { id: "B1".into(), amount: 9, ..history.orders[3].clone() });
    check(&history).unwrap();
}

#[test]
fn orders_that_contradict_answer_times_are_detected() {
    let violation = detect(|history| history.orders[0].span = Span { sent: 5, answered: 6, server: 0 });
    assert!(violation.contains("before a request that had already been answered"), "{violation}");
}

#[test]
fn differing_witnesses_and_transcripts_are_detected() {
    let violation = detect(|history| history.witnesses[1].frames.swap(1, 2));
    assert!(violation.starts_with("the witnesses of electronics and confectionery in phase 0 differ at frame 0"));
    let violation = detect(|history| history.transcripts[1] = lines(&[("A2", 14)]));
    assert!(violation.starts_with("transcript and witnesses in phase 1 differ at frame 0"), "{violation}");
    let violation =
        detect(|history| history.transcripts[0] = history.transcripts[0].replace("\"sequence\":3", "\"sequence\":4"));
    assert!(violation.ends_with("as event 3"), "{violation}");
}

#[test]
fn a_reset_that_a_witness_missed_is_detected() {
    let violation = detect(|history| history.witnesses[2].frames.retain(|frame| *frame != encoded("*C1 0")));
    assert_eq!(violation, "toys got all current orders 0 times, but there were 1 resets");
}

#[test]
fn witnesses_supply_events_between_transcript_and_reset() {
    let mut history = valid();
    history.transcripts[0] = history.transcripts[0].lines().take(6).collect::<Vec<_>>().join("\n");
    check(&history).unwrap();
}

#[test]
fn missing_and_partial_saves_are_detected() {
    let violation = detect(|history| {
        let newer = history.saves[1].clone();
        history.saves.push(newer);
    });
    assert_eq!(violation, "save 1 is served at the end, but there are 3 saves");
    let violation = detect(|history| _ = history.saves[1].insert("B1".into(), SPACING));
    assert_eq!(violation, "save 1 came without B1");
}

#[test]
fn final_totals_that_contradict_the_events_are_detected() {
    assert!(detect(|history| _ = history.totals.insert("A2".into(), 16)).contains("were reported"));
    assert!(detect(|history| history.added.clear()).contains("were added"));
}
