//! Whether a journal meets expectations and, if not, which entries came closest.

use schemars::JsonSchema;
use serde::Serialize;

use super::matcher::Difference;
use super::{AnsweredBy, Dropped, Entry, Expectation, Record};

/// The maximum number of near misses shown per expectation.
const NEAR_MISSES: usize = 3;

/// The result of comparing a journal with expectations.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Verdict {
    /// Whether every expectation is met.
    pub pass: bool,
    /// The findings for each expectation, in order.
    pub findings: Vec<Finding>,
    /// The numbers of entries that were no longer in the journal and thus not compared.
    pub dropped: Dropped,
}

/// The result for one expectation.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Finding {
    /// Whether the expectation is met.
    pub pass: bool,
    /// The expected number of entries, in words.
    pub expected: String,
    /// The number of matching entries.
    pub count: u64,
    /// The sequence numbers of the matching entries.
    pub matches: Vec<u64>,
    /// What is wrong, in words; missing if the expectation is met.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// If there are too few entries, those with the smallest difference, closest first.
    pub nearest: Vec<NearMiss>,
}

/// An entry that almost matches.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct NearMiss {
    /// The entry.
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    pub entry: Entry,
    /// How it differs.
    pub differences: Vec<Difference>,
}

impl Verdict {
    /// Compares entries with expectations, each independently; `ordered` requires the entries of each to come after
    /// those of the previous one.
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
        let too_few = count < expectation.min_count();
        let pass = !too_few && count <= expectation.max_count();
        let expected = expectation.count_text();
        let nearest = if too_few { near_misses(expectation, entries) } else { Vec::new() };
        let why = (!pass).then(|| {
            let reason = format!("expected {expected}, found {count}");
            match nearest.first() {
                None if too_few => format!("{reason}; no similar entry"),
                None => reason,
                Some(near) => {
                    let fields: Vec<&str> = near.differences.iter().map(|one| one.field.as_str()).collect();
                    format!("{reason}; entry {} differs only in {}", describe(&near.entry), fields.join(", "))
                }
            }
        });
        Self { pass, expected, count, matches, why, nearest }
    }
}

/// Returns an entry's number and where its answer is declared.
fn describe(entry: &Entry) -> String {
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

/// Returns the entries with the smallest difference. Entries that match in no field are left out.
fn near_misses(expectation: &Expectation, entries: &[Entry]) -> Vec<NearMiss> {
    let is_of_kind = |entry: &&Entry| expectation.kind.is_none_or(|kind| kind == entry.kind());
    let is_candidate =
        |entry: &&Entry| expectation.after.is_none_or(|after| entry.sequence > after) && !expectation.excludes(entry);
    // A field that the entry lacks is a larger difference than one with another value.
    let distance = |differences: &[Difference]| -> usize {
        differences.iter().map(|one| if one.found.is_null() { 2 } else { 1 }).sum()
    };
    let limit = 2 * expectation.criteria();
    let mut misses: Vec<NearMiss> = Vec::with_capacity(NEAR_MISSES + 1);
    for entry in entries.iter().filter(is_of_kind).filter(is_candidate) {
        let differences = expectation.differences(entry);
        if differences.is_empty() || distance(&differences) >= limit {
            continue;
        }
        // Of equally close entries the latest comes first: it is most likely the intended one.
        let place = misses.partition_point(|miss| distance(&miss.differences) < distance(&differences));
        misses.insert(place, NearMiss { entry: entry.clone(), differences });
        misses.truncate(NEAR_MISSES);
    }
    misses
}

/// Checks that the entries of each expectation come after those of the previous one.
fn check_order(expectations: &[Expectation], findings: &mut [Finding]) {
    let mut after = 0;
    for (place, (expectation, finding)) in expectations.iter().zip(findings).enumerate() {
        if !finding.pass {
            continue;
        }
        let later: Vec<u64> = finding.matches.iter().copied().filter(|sequence| *sequence > after).collect();
        let needed = usize::try_from(expectation.min_count()).unwrap_or(usize::MAX);
        match needed.checked_sub(1).map(|last| later.get(last)) {
            // An expectation that requires no entries is met in any order.
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
