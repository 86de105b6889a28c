#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::super::file_events::Writer::{Done, Unknown, Writing};
use super::{AcceptedReading, Debounce, Doubt, Next, Observation, Writer};
use crate::watch::checkout::CheckoutLock;
use crate::watch::fingerprint::Fingerprint;

/// A step of a save, each at a time in milliseconds.
enum SaveStep {
    /// Nothing changes.
    Same,
    /// An event reports this state of the writers.
    Event(Writer),
    /// The files are read, with this reason for doubt.
    Read(Option<Doubt>),
    /// The files are read, but an event happens during the read.
    InterruptedRead(Writer),
    /// A version control system starts or finishes.
    Checkout(bool),
}

/// The name of a case, the initial state of the writers, the steps, and the next action after each step.
type Case = (&'static str, Writer, &'static [(u64, SaveStep)], &'static [&'static str]);

use SaveStep::{Checkout, Event, InterruptedRead, Read, Same};

const PARTIAL: SaveStep = Read(Some(Doubt::Partial));
const EMPTY: SaveStep = Read(Some(Doubt::Empty));

fn observation(events: u64, writer: Writer, is_locked: bool) -> Observation {
    let being_written = (writer == Writing).then(|| PathBuf::from("shop.yaml"));
    let lock = is_locked.then(|| CheckoutLock { system: "Git", path: PathBuf::from(".git/index.lock") });
    Observation { fingerprint: Fingerprint::default(), events, writer, being_written, lock }
}

/// Runs the steps and returns the next action after each: `500` to wait until then, `read`, or `take` with its
/// particulars.
fn run(initial: Writer, steps: &[(u64, SaveStep)]) -> Vec<String> {
    let start = Instant::now();
    let (mut events, mut writer, mut is_locked) = (0, initial, false);
    let mut save = Debounce::new(start, observation(events, writer, is_locked));
    let mut outcome = Vec::new();
    for (at, step) in steps {
        let now = start + Duration::from_millis(*at);
        match step {
            Same => {}
            Event(next) => (events, writer) = (events + 1, *next),
            Checkout(is_started) => is_locked = *is_started,
            Read(doubt) => save.hold(now, observation(events, writer, is_locked), *doubt, "what was read"),
            InterruptedRead(next) => {
                (events, writer) = (events + 1, *next);
                save.hold(now, observation(events, writer, is_locked), None, "what was read");
            }
        }
        outcome.push(match save.next(now, observation(events, writer, is_locked)) {
            Next::Wait(until) => (until - start).as_millis().to_string(),
            Next::Read => "read".into(),
            Next::Accept(AcceptedReading { needs_comparison, being_written, .. }) => {
                let compared = if needs_comparison { " compared" } else { "" };
                let open = being_written.map(|path| format!(" {} open", path.display())).unwrap_or_default();
                format!("take{compared}{open}")
            }
        });
    }
    outcome
}

#[test]
fn a_save_is_over_when_its_writer_is_done() {
    let cases: &[Case] = &[
        (
            "a plain save",
            Writing,
            &[(0, Same), (1, Event(Done)), (6, Same), (7, Read(None))],
            &["30000", "6", "read", "take"],
        ),
        (
            "a writer that pauses",
            Writing,
            &[(150, Event(Writing)), (1_150, Event(Writing)), (9_000, Same), (9_001, Event(Done)), (9_006, Same)],
            &["30150", "31150", "31150", "9006", "read"],
        ),
        (
            "a writer that never ends",
            Writing,
            &[(20_000, Event(Writing)), (50_000, Same), (50_010, Read(Some(Doubt::Partial)))],
            &["50000", "read", "take compared shop.yaml open"],
        ),
        (
            "a writer that keeps writing",
            Writing,
            &[
                (29_000, Event(Writing)),
                (58_000, Event(Writing)),
                (87_000, Event(Writing)),
                (119_000, Event(Writing)),
                (120_000, Event(Writing)),
                (120_010, PARTIAL),
            ],
            &["59000", "88000", "117000", "120000", "read", "take shop.yaml open"],
        ),
        ("a save without events", Unknown, &[(99, Same), (100, Same), (101, Read(None))], &["100", "read", "take"]),
        (
            "a save that continues while it is read",
            Done,
            &[(5, Same), (6, InterruptedRead(Writing)), (7, Event(Done)), (12, Same), (13, Read(None))],
            &["read", "30006", "12", "read", "take"],
        ),
        (
            "endless saves",
            Done,
            &[
                (4, Event(Done)),
                (8, Event(Done)),
                (1_999, Event(Done)),
                (2_000, Event(Done)),
                (2_001, InterruptedRead(Done)),
                (2_040, Event(Done)),
                (2_045, Same),
                (2_046, InterruptedRead(Done)),
                (2_050, Event(Done)),
                (2_055, Event(Done)),
                (2_096, Event(Done)),
            ],
            &["9", "13", "2000", "read", "2006", "2045", "read", "2051", "2055", "2060", "read"],
        ),
    ];
    for (name, initial, steps, expected) in cases {
        assert_eq!(run(*initial, steps), *expected, "{name}");
    }
}

#[test]
fn a_reading_that_may_be_partial_is_taken_after_a_quiet_time() {
    let cases: &[Case] = &[
        (
            "a removal",
            Done,
            &[(5, Same), (6, PARTIAL), (299, Same), (300, Same)],
            &["read", "300", "300", "take compared"],
        ),
        (
            "a removal that is undone by the next file",
            Done,
            &[(5, Same), (6, PARTIAL), (200, Event(Writing)), (201, Event(Done)), (206, Same), (207, Read(None))],
            &["read", "300", "30200", "206", "read", "take"],
        ),
        (
            "a removal while another file is being written",
            Done,
            &[
                (5, Same),
                (6, PARTIAL),
                (7, Event(Writing)),
                (400, Same),
                (401, Event(Done)),
                (406, Same),
                (407, PARTIAL),
            ],
            &["read", "300", "30007", "30007", "406", "read", "701"],
        ),
        (
            "a removal in a checkout",
            Done,
            &[(5, Same), (6, Checkout(true)), (7, PARTIAL), (5_000, Same), (5_001, Checkout(false))],
            &["read", "read", "30000", "30000", "take compared"],
        ),
        (
            "a removal by an unknown writer",
            Unknown,
            &[(100, Same), (101, PARTIAL), (999, Same), (1_000, Same)],
            &["read", "1000", "1000", "take compared"],
        ),
        ("an empty file", Unknown, &[(100, Same), (101, EMPTY), (2_000, Same)], &["read", "2000", "take compared"]),
        (
            "an empty file that is closed",
            Done,
            &[(5, Same), (6, EMPTY), (300, Same)],
            &["read", "300", "take compared"],
        ),
        (
            "a removal after a long time of writing",
            Writing,
            &[(40_000, Event(Writing)), (60_000, Event(Done)), (60_005, Same), (60_006, PARTIAL)],
            &["70000", "60005", "read", "60300"],
        ),
        (
            "endless removals",
            Done,
            &[(5, Same), (6, PARTIAL), (29_999, Event(Done)), (30_000, PARTIAL)],
            &["read", "300", "read", "take"],
        ),
    ];
    for (name, initial, steps, expected) in cases {
        assert_eq!(run(*initial, steps), *expected, "{name}");
    }
}
