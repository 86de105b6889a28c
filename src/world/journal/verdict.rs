//! Whether a journal is as expected, and if not, what came nearest.

use schemars::JsonSchema;
use serde::Serialize;

use super::matcher::Difference;
use super::{AnsweredBy, Dropped, Entry, Expectation, Record};

/// Near misses that are shown of an expectation.
const NEAR_MISSES: usize = 3;

/// Whether everything was found as expected.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Verdict {
    /// Whether every expectation holds.
    pub pass: bool,
    /// Of each expectation, in order.
    pub findings: Vec<Finding>,
    /// How much is no longer in the journal, so that it could not be looked at.
    pub dropped: Dropped,
}

/// What was found for one expectation.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Finding {
    /// Whether it holds.
    pub pass: bool,
    /// How many entries were expected, in words.
    pub expected: String,
    /// How many there are.
    pub count: u64,
    /// Their numbers.
    pub matches: Vec<u64>,
    /// What is wrong, in words; missing if nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// If there are too few: the entries that differ least, the nearest first.
    pub nearest: Vec<NearMiss>,
}

/// An entry that is almost as expected.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct NearMiss {
    /// The entry.
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    pub entry: Entry,
    /// In what it differs.
    pub differences: Vec<Difference>,
}

impl Verdict {
    /// Holds entries against expectations, each for itself; `ordered` asks that the entries of each come after those of
    /// the one before.
    pub(in crate::world) fn of(
        expectations: &[Expectation],
        ordered: bool,
        entries: &[Entry],
        dropped: Dropped,
    ) -> Self {
        let mut findings: Vec<Finding> = expectations.iter().map(|one| Finding::of(one, entries)).collect();
        if ordered {
            check_order(expectations, &mut findings);
        }
        Self { pass: findings.iter().all(|finding| finding.pass), findings, dropped }
    }
}

impl Finding {
    fn of(expectation: &Expectation, entries: &[Entry]) -> Self {
        let matches = entries.iter().filter(|entry| expectation.counts(entry));
        let matches: Vec<u64> = matches.map(|entry| entry.sequence).collect();
        let count = matches.len() as u64;
        let too_few = count < expectation.fewest();
        let pass = !too_few && count <= expectation.most();
        let expected = expectation.times();
        let nearest = if too_few { near_misses(expectation, entries) } else { Vec::new() };
        let why = (!pass).then(|| {
            let wrong = format!("expected {expected}, found {count}");
            match nearest.first() {
                None if too_few => format!("{wrong}; nothing comes near it"),
                None => wrong,
                Some(near) => {
                    let fields: Vec<&str> = near.differences.iter().map(|one| one.field.as_str()).collect();
                    format!("{wrong}; entry {} differs only in {}", named(&near.entry), fields.join(", "))
                }
            }
        });
        Self { pass, expected, count, matches, why, nearest }
    }
}

/// An entry's number, and where its answer is declared.
fn named(entry: &Entry) -> String {
    let by = match &entry.record {
        Record::Request(exchange) => exchange.answered_by(),
        _ => None,
    };
    let sequence = entry.sequence;
    match by {
        None => sequence.to_string(),
        Some(AnsweredBy { route, number: Some(number) }) => format!("{sequence} (answer {number} of `{route}`)"),
        Some(AnsweredBy { route, number: None }) => format!("{sequence} (no answer of `{route}`)"),
    }
}

/// The entries that differ least; those that have nothing of what is expected are none.
fn near_misses(expectation: &Expectation, entries: &[Entry]) -> Vec<NearMiss> {
    let is_of_kind = |entry: &&Entry| expectation.kind.is_none_or(|kind| kind == entry.kind());
    let is_meant =
        |entry: &&Entry| expectation.after.is_none_or(|after| entry.sequence > after) && !expectation.leaves_out(entry);
    // What an entry does not even have is further off than what it has otherwise.
    let distance = |differences: &[Difference]| -> usize {
        differences.iter().map(|one| if one.found.is_null() { 2 } else { 1 }).sum()
    };
    let farthest = 2 * expectation.criteria();
    let mut misses: Vec<NearMiss> = Vec::with_capacity(NEAR_MISSES + 1);
    for entry in entries.iter().filter(is_of_kind).filter(is_meant) {
        let differences = expectation.differences(entry);
        if differences.is_empty() || distance(&differences) >= farthest {
            continue;
        }
        // Of equally near ones the latest is first: it is most likely the one that was meant.
        let place = misses.partition_point(|miss| distance(&miss.differences) < distance(&differences));
        misses.insert(place, NearMiss { entry: entry.clone(), differences });
        misses.truncate(NEAR_MISSES);
    }
    misses
}

/// Looks for the entries of each expectation after those of the one before.
fn check_order(expectations: &[Expectation], findings: &mut [Finding]) {
    let mut after = 0;
    for (place, (expectation, finding)) in expectations.iter().zip(findings).enumerate() {
        if !finding.pass {
            continue;
        }
        let later: Vec<u64> = finding.matches.iter().copied().filter(|sequence| *sequence > after).collect();
        let needed = usize::try_from(expectation.fewest()).unwrap_or(usize::MAX);
        match needed.checked_sub(1).map(|last| later.get(last)) {
            // Where none is needed, any order will do.
            None => {}
            Some(Some(last)) => after = *last,
            Some(None) => {
                finding.pass = false;
                let found = later.len();
                finding.why = Some(format!(
                    "expected {} after entry {after}, where expectation {place} was met, found {found}",
                    finding.expected
                ));
            }
        }
    }
}
