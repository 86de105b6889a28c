#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use super::*;
use crate::scenario::{Source, parse, parse_fault};
use crate::world::message::MessageKind;

fn frame(value: i64) -> Delivery {
    let event = u64::try_from(value).ok();
    Delivery {
        message: Message::text(format!(r#"{{"id":"T1","total":{value}}}"#)),
        event,
        at: Duration::MAX,
        position: 0,
    }
}

fn faults(texts: &[&str]) -> Arc<[SocketFault]> {
    let shop = parse(&Source::new("toys.yaml", "categories: { toys: { prefix: T, products: [{ id: T1 }] } }")).unwrap();
    let fault = |(text, id): (&&str, u64)| {
        let fault = parse_fault(&Source::new("fault.yaml", &format!("{{ on: websocket, {text} }}")), &shop).unwrap().0;
        SocketFault { run: id, label: format!("fault {id}").into(), fault: Arc::new(fault), stream: (1, id) }
    };
    texts.iter().zip(1..).map(fault).collect()
}

fn frame_faults(texts: &[&str]) -> FrameFaults {
    FrameFaults::new(faults(texts), 1000)
}

fn values(frames: &[Message]) -> Vec<i64> {
    let value = |frame: &Message| serde_json::from_slice::<Value>(frame.payload()).unwrap()["total"].as_i64().unwrap();
    frames.iter().map(value).collect()
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[test]
fn dropped_frames_are_sent_again_from_the_event_before_them() {
    let mut faulted = frame_faults(&["drop: true"]);
    (7..10).for_each(|value| faulted.take(&frame(value), millis(0)));
    assert_eq!(values(&faulted.due(millis(0))), [0; 0]);
    assert_eq!(faulted.take_resend(), None);
    let marks = faulted.marks();
    assert_eq!(
        marks.iter().map(|mark| (mark.description.as_str(), mark.event)).collect::<Vec<_>>(),
        [("dropped", Some(7)), ("dropped", Some(8)), ("dropped", Some(9))]
    );
    faulted.follow(faults(&[]));
    assert_eq!(faulted.take_resend(), Some(Resend::After(6)));
}

#[test]
fn delayed_frames_stay_in_order_and_arrive_when_the_fault_ends() {
    let mut faulted = frame_faults(&["latency: { min: 10ms, max: 50ms }"]);
    let mut seen = Vec::new();
    for value in 1..=20 {
        faulted.take(&frame(value), millis(value.unsigned_abs()));
        seen.extend(values(&faulted.due(millis(value.unsigned_abs()))));
    }
    assert!(seen.len() <= 10, "{seen:?}");
    assert!(faulted.next_due() > Some(millis(20)));
    faulted.follow(faults(&[]));
    seen.extend(values(&faulted.due(millis(20))));
    assert_eq!(seen, (1..=20).collect::<Vec<_>>());
    assert_eq!(faulted.take_resend(), None);
}

#[test]
fn reorder_sends_the_last_first_and_releases_a_partial_window() {
    let mut faulted = frame_faults(&["reorder: 3"]);
    (1..=7).for_each(|value| faulted.take(&frame(value), millis(0)));
    assert_eq!(values(&faulted.due(millis(0))), [3, 1, 2, 6, 4, 5]);
    assert_eq!(faulted.next_due(), Some(millis(1000)));
    assert_eq!(values(&faulted.due(millis(1000))), [7]);
}

#[test]
fn chance_duplicates_the_same_frames_on_every_run() {
    let run = || {
        let mut faulted = frame_faults(&["duplicate: true, chance: 50%"]);
        (1..=100).for_each(|value| faulted.take(&frame(value), millis(0)));
        values(&faulted.due(millis(0)))
    };
    let seen = run();
    assert!((120..180).contains(&seen.len()), "{}", seen.len());
    assert!(seen.is_sorted());
    assert_eq!(seen, run());
}

#[test]
fn only_the_named_product_is_stale() {
    let mut faulted = frame_faults(&["stale: true, product: T1"]);
    let other = Delivery { message: Message::text(r#"{"id":"T2","total":5}"#), event: Some(2), ..frame(5) };
    for delivery in [frame(1), other, frame(3), frame(4)] {
        faulted.take(&delivery, millis(0));
    }
    assert_eq!(values(&faulted.due(millis(0))), [1, 5, 1, 1]);
}

#[test]
fn a_close_fault_passes_a_number_of_frames_then_closes() {
    let mut faulted = frame_faults(&["close: 1011, reason: enough, after: 2"]);
    faulted.take(&frame(1), millis(0));
    assert_eq!((values(&faulted.due(millis(0))), faulted.disconnect()), (vec![1], None));
    (2..=5).for_each(|value| faulted.take(&frame(value), millis(0)));
    assert_eq!(values(&faulted.due(millis(0))), [2]);
    assert_eq!(faulted.disconnect(), Some(Disconnect::Close { code: 1011, reason: "enough".into() }));
}

#[test]
fn each_kind_of_corruption_damages_frames_in_its_own_way() {
    let payload = |kind: &str| {
        let mut faulted = frame_faults(&[&format!("corrupt: {kind}")]);
        faulted.take(&frame(1), millis(0));
        faulted.due(millis(0)).pop().unwrap()
    };
    assert_eq!(&payload("json").payload()[..], br#"{"id":"T1","#);
    assert!(std::str::from_utf8(payload("utf8").payload()).is_err());
    assert_eq!(payload("oversized").payload().len(), 1 << 20);
    assert_eq!(payload("type").kind(), MessageKind::Binary);
}

#[test]
fn a_withheld_counter_value_causes_a_full_resend() {
    let mut faulted = frame_faults(&["drop: true"]);
    faulted.take(&frame(9), millis(0));
    faulted.take(&Delivery { event: None, ..frame(3) }, millis(0));
    faulted.follow(faults(&[]));
    assert_eq!(faulted.take_resend(), Some(Resend::All));
}

#[test]
fn held_frames_are_bounded_and_lost_ones_are_sent_again() {
    let mut faulted = FrameFaults::new(faults(&["latency: 1h"]), 10);
    (1..=100).for_each(|value| faulted.take(&frame(value), millis(0)));
    assert_eq!((faulted.queue.len(), faulted.take_resend()), (10, None));
    faulted.follow(faults(&[]));
    assert_eq!(values(&faulted.due(millis(0))), (91..=100).collect::<Vec<_>>());
    assert_eq!(faulted.take_resend(), Some(Resend::After(0)));
}

#[test]
fn a_restarted_fault_counts_from_zero() {
    let mut faulted = frame_faults(&["close: 4000, after: 2"]);
    faulted.take(&frame(1), millis(0));
    assert_eq!(values(&faulted.due(millis(0))), [1]);
    let again = SocketFault { run: 9, ..faults(&["close: 4000, after: 2"])[0].clone() };
    faulted.follow(Arc::new([again]));
    faulted.take(&frame(2), millis(0));
    assert_eq!((values(&faulted.due(millis(0))), faulted.disconnect()), (vec![2], None));
}

#[test]
fn frames_withheld_by_a_fault_are_resent_when_it_ends() {
    let both = faults(&["product: T1, drop: true", "product: T2, stale: true"]);
    let mut faulted = FrameFaults::new(both.clone(), 1000);
    faulted.take(&frame(5), millis(0));
    faulted.follow(Arc::new([both[1].clone()]));
    assert_eq!((faulted.take_resend(), faulted.take_resend()), (Some(Resend::After(4)), None));
}

#[test]
fn frames_that_are_due_now_are_kept_beyond_the_limit() {
    let mut faulted = FrameFaults::new(faults(&["ignore: true"]), 10);
    (1..=100).for_each(|value| faulted.take(&frame(value), millis(0)));
    assert_eq!((faulted.is_full(), faulted.take_resend()), (true, None));
    assert_eq!(values(&faulted.due(millis(0))).len(), 100);
    assert!(!faulted.is_full());
}

#[test]
fn held_frames_are_due_when_the_world_goes_back_in_time() {
    let mut faulted = frame_faults(&["latency: 1s"]);
    faulted.take(&frame(1), millis(3_600_000));
    faulted.take(&frame(2), millis(0));
    assert_eq!(values(&faulted.due(millis(0))), [1]);
    assert_eq!(values(&faulted.due(millis(1000))), [2]);
}

#[test]
fn damaged_frames_are_sent_one_by_one_even_after_the_fault_ends() {
    let mut faulted = frame_faults(&["corrupt: oversized"]);
    (1..=100).for_each(|value| faulted.take(&frame(value), millis(0)));
    faulted.follow(faults(&[]));
    for _ in 0..100 {
        assert_eq!((faulted.is_done(), faulted.due(millis(0)).len()), (false, 1));
    }
    assert!(faulted.is_done());
}

#[test]
fn frames_held_for_later_are_dropped_beyond_the_limit() {
    let mut faulted = FrameFaults::new(faults(&["latency: 10s"]), 2);
    (1..=2).for_each(|value| faulted.take(&frame(value), millis(0)));
    assert!(!faulted.has_dropped());
    faulted.take(&frame(3), millis(0));
    assert!(faulted.has_dropped());
    assert_eq!(values(&faulted.due(millis(10_000))), [2, 3]);
}
