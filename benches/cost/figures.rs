//! Figures from alternating rounds: medians and ratios, as a table or as JSON.

use std::fmt::Write;

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use crate::subject::FLOOR;

/// The values of all rounds, by figure and subject.
pub(crate) struct Figures {
    /// The subject whose ratios to the others are reported.
    main: String,
    rows: IndexMap<String, Row>,
}

struct Row {
    unit: &'static str,
    values: IndexMap<String, Vec<f64>>,
}

impl Figures {
    pub(crate) fn new(main: impl Into<String>) -> Self {
        Self { main: main.into(), rows: IndexMap::new() }
    }

    pub(crate) fn add(&mut self, name: &str, unit: &'static str, subject: &str, value: f64) {
        eprintln!("  {subject:>10}  {name}: {} {unit}", rounded(value));
        let row = self.rows.entry(name.into()).or_insert_with(|| Row { unit, values: IndexMap::new() });
        row.values.entry(subject.into()).or_default().push(value);
    }

    /// Returns the median of all rounds.
    pub(crate) fn median(&self, name: &str, subject: &str) -> Option<f64> {
        self.rows.get(name)?.values.get(subject).map(|values| median(values))
    }

    /// Returns a table with a row per figure and a column per subject. A cell holds the subject's median and the main
    /// subject's ratio to it.
    pub(crate) fn table(&self) -> String {
        let mut subjects = vec![self.main.as_str(), FLOOR];
        let others = self.rows.values().flat_map(|row| row.values.keys().map(String::as_str));
        others.for_each(|other| {
            if !subjects.contains(&other) {
                subjects.push(other);
            }
        });
        let mut text = format!("In bold: {} as a multiple of that column.\n\n", self.main);
        writeln!(text, "| | {} |", subjects.join(" | ")).expect("text");
        writeln!(text, "|---|{}", "---:|".repeat(subjects.len())).expect("text");
        for (name, row) in &self.rows {
            let cells: Vec<String> = subjects.iter().map(|subject| row.cell(&self.main, subject)).collect();
            writeln!(text, "| {name}, {} | {} |", row.unit, cells.join(" | ")).expect("text");
        }
        text
    }

    pub(crate) fn json(&self) -> Value {
        self.rows.iter().map(|(name, row)| (name.clone(), row.json())).collect::<Map<_, _>>().into()
    }
}

impl Row {
    /// Returns the median of the ratios per round. Values of the same round are affected by the same background load.
    fn ratio(&self, subject: &str, base: &str) -> Option<f64> {
        let (values, base) = (self.values.get(subject)?, self.values.get(base).filter(|_| subject != base)?);
        let ratios: Vec<f64> = values.iter().zip(base).map(|(value, base)| value / base).collect();
        Some(median(&ratios)).filter(|ratio| ratio.is_finite())
    }

    fn cell(&self, main: &str, subject: &str) -> String {
        let Some(values) = self.values.get(subject) else { return String::new() };
        let value = rounded(median(values));
        self.ratio(main, subject).map_or(value.clone(), |ratio| format!("**{} ×** {value}", rounded(ratio)))
    }

    fn json(&self) -> Value {
        let ratios = |subject: &String| {
            let ratio = |base: &String| Some((base.clone(), json!(three_digits(self.ratio(subject, base)?))));
            (subject.clone(), self.values.keys().filter_map(ratio).collect::<Map<_, _>>().into())
        };
        let median = |(subject, values): (&String, &Vec<f64>)| (subject.clone(), json!(three_digits(median(values))));
        json!({
            "unit": self.unit,
            "ratio_to": self.values.keys().map(ratios).collect::<Map<_, _>>(),
            "median": self.values.iter().map(median).collect::<Map<_, _>>(),
        })
    }
}

/// Returns the median: the middle value, or the mean of the two middle values.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len().is_multiple_of(2) { f64::midpoint(sorted[middle - 1], sorted[middle]) } else { sorted[middle] }
}

/// Formats a value for a table, with about three significant digits.
fn rounded(value: f64) -> String {
    match value.abs() {
        100.0.. => format!("{value:.0}"),
        10.0..100.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

fn three_digits(value: f64) -> f64 {
    if value.abs() >= 100.0 { value.round() } else { (value * 1000.0).round() / 1000.0 }
}

/// Converts a count to a float, exact up to 2^53.
pub(crate) fn count(number: impl TryInto<u64>) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "no count here is that high")]
    number.try_into().map_or(f64::NAN, |number| number as f64)
}
