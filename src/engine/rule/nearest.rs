//! The nearest of several rules when none matches.

use std::cmp::Reverse;

use serde_json::Value;

use crate::matching::equal_values;
use crate::words::one_line;

/// Why a rule does not match.
#[derive(Debug)]
pub(super) enum Mismatch {
    /// Its `match` or `text` differs.
    Differs {
        /// What differs.
        differences: Vec<String>,
        /// What does not differ.
        likeness: Likeness,
    },
    /// Its `match` or `text` matches, but its `when` is false.
    OnlyWhen(String),
    /// Its `when` is false, and it has neither `match` nor `text`.
    When(String),
}

/// How much of a rule a message has; the greater, the more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Likeness {
    /// Whether the rule is for messages of this form: with `match` for JSON, with a text for text.
    is_of_form: bool,
    /// For JSON, the number of values that are equal.
    values: usize,
    /// For text, the number of characters with which both begin.
    start: usize,
}

/// How near a rule is to matching; the greater, the nearer.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Nearness {
    /// A lone `when` gives no measure, so any rule with a `match` is nearer.
    Unknown,
    /// Of equally like rules, the one with the fewest differences is the nearest.
    Partial(Likeness, Reverse<usize>),
    AllButWhen,
}

impl Mismatch {
    /// Creates the mismatch for a false `when` with this source.
    pub(super) fn of_when(source: &str, has_match: bool) -> Self {
        let text = format!("`when: {}` is false", one_line(source));
        if has_match { Self::OnlyWhen(text) } else { Self::When(text) }
    }

    fn nearness(&self) -> Nearness {
        match self {
            Self::OnlyWhen(_) => Nearness::AllButWhen,
            Self::Differs { differences, likeness } => Nearness::Partial(*likeness, Reverse(differences.len())),
            Self::When(_) => Nearness::Unknown,
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Differs { differences, .. } => differences.join("; "),
            Self::OnlyWhen(text) | Self::When(text) => text.clone(),
        }
    }
}

impl Likeness {
    /// Compares a message with the `match` and the `text` of a rule. `sent` is the text of the message as the client
    /// sent it, if it is text.
    pub(super) fn of((message, sent): (&Value, Option<&str>), matches: Option<&Value>, text: Option<&str>) -> Self {
        let start = |pattern: &str, message: Option<&str>| message.map_or(0, |message| common_start(pattern, message));
        if let Value::String(message) = message {
            let pattern = text.or_else(|| matches.and_then(Value::as_str));
            let start = pattern.map_or(0, |pattern| start(pattern, Some(message)).max(start(pattern, sent)));
            return Self { is_of_form: pattern.is_some(), values: 0, start };
        }
        let start = text.map_or(0, |pattern| start(pattern, sent));
        // Any text may be meant for a number, but only text that begins with a bracket for a mapping or list.
        let is_container = message.is_object() || message.is_array();
        let is_text = text.is_some() && sent.is_some() && (start > 0 || !is_container);
        let values = matches.map_or(0, |expected| equal_values(expected, message));
        Self { is_of_form: matches.is_some() || is_text, values, start }
    }
}

/// Returns the number of characters that a text has in common with what a pattern begins with, up to its first `*`.
fn common_start(pattern: &str, text: &str) -> usize {
    let literal = pattern.split('*').next().unwrap_or_default();
    literal.chars().zip(text.chars()).take_while(|(one, other)| one == other).count()
}

/// The nearest rule so far: of several equally near ones, the first.
#[derive(Debug)]
pub(super) struct Nearest {
    /// The word for a rule in messages.
    noun: &'static str,
    /// The nearness of the nearest rule, and why it does not match.
    found: Option<(Nearness, String)>,
}

impl Nearest {
    pub(super) fn of(noun: &'static str) -> Self {
        Self { noun, found: None }
    }

    /// Records that the rule with this number does not match.
    pub(super) fn note(&mut self, number: usize, mismatch: &Mismatch) {
        let nearness = mismatch.nearness();
        if self.found.as_ref().is_none_or(|(greatest, _)| nearness > *greatest) {
            self.found = Some((nearness, format!("{} {number}: {}", self.noun, mismatch.text())));
        }
    }

    /// Returns the nearest rule and why it does not match. `None` if there are no rules.
    pub(super) fn text(self) -> Option<String> {
        self.found.map(|(_, text)| text)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Likeness, Mismatch, Nearest};
    use crate::matching::mismatches;

    /// Returns why none of these rules matches.
    fn nearest(mismatches: &[Mismatch]) -> Option<String> {
        let mut nearest = Nearest::of("rule");
        for (number, mismatch) in (1..).zip(mismatches) {
            nearest.note(number, mismatch);
        }
        nearest.text()
    }

    #[test]
    fn of_equally_like_rules_the_nearest_has_the_fewest_differences() {
        let differs = |count: usize| {
            let differences = vec!["x".to_owned(); count];
            Mismatch::Differs { differences, likeness: Likeness::default() }
        };
        let when = |has_match| Mismatch::of_when("a", has_match);
        for (mismatches, expected) in [
            (vec![], None),
            (vec![differs(2), differs(1), differs(1)], Some("rule 2: x")),
            (vec![when(false), differs(2)], Some("rule 2: x; x")),
            (vec![differs(1), when(false)], Some("rule 1: x")),
            (vec![differs(1), when(true)], Some("rule 2: `when: a` is false")),
            (vec![when(false), when(false)], Some("rule 1: `when: a` is false")),
        ] {
            assert_eq!(nearest(&mismatches).as_deref(), expected, "{mismatches:?}");
        }
    }

    #[test]
    fn the_nearest_rule_has_the_most_in_common_with_the_message() {
        let say = json!({ "type": "say", "to": "all", "n": [1, 2] });
        let ping = json!({ "type": "ping" });
        let (by_match, by_text) = (|value| (Some(value), None), |text| (None, Some(text)));
        let rules: [(Option<Value>, Option<&str>); 9] = [
            by_text("\n"),
            by_match(ping),
            by_match(say),
            by_text("hello *!"),
            by_text("hello you*"),
            by_match(json!("hi")),
            by_match(json!([1, 2])),
            by_text("70"),
            by_text("{\"type\": \"p*"),
        ];
        for (message, sent, number) in [
            (json!({ "type": "pong" }), None, 2),
            (json!({}), None, 2),
            (json!({ "type": "say" }), None, 3),
            (json!({ "type": "sya", "to": "all" }), None, 3),
            (json!({ "type": "sya", "n": [1, 3] }), None, 3),
            (json!({ "type": "sya", "n": [1, 3, 4] }), None, 3),
            (json!([1, 3]), None, 7),
            (json!([0, 2, 3]), None, 7),
            (json!(7), None, 2),
            (json!("hello"), Some("hello"), 4),
            (json!("hello yo"), Some("hello yo"), 5),
            (json!("hello yo"), Some("\"hello yo\""), 5),
            (json!("him"), Some("him"), 6),
            (json!("\nx"), Some("\nx"), 1),
            (json!("x"), Some("x"), 1),
            (json!(7), Some("7"), 8),
            (json!({ "type": "lo" }), Some("{\"type\": \"lo\"}"), 9),
            (json!({ "type": "lo", "to": "all" }), Some("{\"to\": \"all\", \"type\": \"lo\"}"), 3),
        ] {
            let all = rules.iter().map(|(matches, text)| {
                let found = matches.as_ref().map_or(1, |matches| mismatches("", matches, &message).len());
                let likeness = Likeness::of((&message, sent), matches.as_ref(), *text);
                Mismatch::Differs { differences: vec!["x".to_owned(); found], likeness }
            });
            let found = nearest(&all.collect::<Vec<_>>()).unwrap_or_default();
            assert!(found.starts_with(&format!("rule {number}:")), "{message} {found}");
        }
    }
}
