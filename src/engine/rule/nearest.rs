//! The nearest of several rules when none matches.

use crate::words::one_line;

/// Why a rule does not match.
#[derive(Debug)]
pub(super) enum Mismatch {
    /// Its `match` or `text` has these differences.
    Differs(Vec<String>),
    /// Its `match` or `text` matches, but its `when` is false.
    OnlyWhen(String),
    /// Its `when` is false, and it has neither `match` nor `text`.
    When(String),
}

impl Mismatch {
    /// Creates the mismatch for a false `when` with this source.
    pub(super) fn of_when(source: &str, has_match: bool) -> Self {
        let text = format!("`when: {}` is false", one_line(source));
        if has_match { Self::OnlyWhen(text) } else { Self::When(text) }
    }

    /// Returns how far the rule is from matching. A lone `when` gives no measure, so any rule with a `match` is nearer.
    fn distance(&self) -> usize {
        match self {
            Self::OnlyWhen(_) => 0,
            Self::Differs(differences) => differences.len(),
            Self::When(_) => usize::MAX,
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Differs(differences) => differences.join("; "),
            Self::OnlyWhen(text) | Self::When(text) => text.clone(),
        }
    }
}

/// The nearest rule so far: the one with the fewest differences, or the first of several.
#[derive(Debug)]
pub(super) struct Nearest {
    /// The word for a rule in messages.
    noun: &'static str,
    /// The distance of the nearest rule, and why it does not match.
    found: Option<(usize, String)>,
}

impl Nearest {
    pub(super) fn of(noun: &'static str) -> Self {
        Self { noun, found: None }
    }

    /// Records that the rule with this number does not match.
    pub(super) fn note(&mut self, number: usize, mismatch: &Mismatch) {
        let distance = mismatch.distance();
        if self.found.as_ref().is_none_or(|(least, _)| distance < *least) {
            self.found = Some((distance, format!("{} {number}: {}", self.noun, mismatch.text())));
        }
    }

    /// Returns the nearest rule and why it does not match. `None` if there are no rules.
    pub(super) fn text(self) -> Option<String> {
        self.found.map(|(_, text)| text)
    }
}

#[cfg(test)]
mod tests {
    use super::{Mismatch, Nearest};

    #[test]
    fn the_nearest_rule_has_the_fewest_differences() {
        let differs = |count: usize| Mismatch::Differs(vec!["x".to_owned(); count]);
        let when = |has_match| Mismatch::of_when("a", has_match);
        for (mismatches, expected) in [
            (vec![], None),
            (vec![differs(2), differs(1), differs(1)], Some("rule 2: x")),
            (vec![when(false), differs(2)], Some("rule 2: x; x")),
            (vec![differs(1), when(false)], Some("rule 1: x")),
            (vec![differs(1), when(true)], Some("rule 2: `when: a` is false")),
            (vec![when(false), when(false)], Some("rule 1: `when: a` is false")),
        ] {
            let mut nearest = Nearest::of("rule");
            for (number, mismatch) in (1..).zip(&mismatches) {
                nearest.note(number, mismatch);
            }
            assert_eq!(nearest.text().as_deref(), expected, "{mismatches:?}");
        }
    }
}
