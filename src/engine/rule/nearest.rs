//! Which of several rules came nearest, if none fits.

use crate::words::one_line;

/// Why a rule does not fit.
#[derive(Debug)]
pub(super) enum Misfit {
    /// Its `match` or `text` differs, in these ways.
    Differs(Vec<String>),
    /// Its `match` fits, and its `when` is false.
    OnlyWhen(String),
    /// Its `when` is false, and it has no `match`.
    When(String),
}

impl Misfit {
    /// That the `when` of this source is false.
    pub(super) fn of_when(source: &str, has_match: bool) -> Self {
        let text = format!("`when: {}` is false", one_line(source));
        if has_match { Self::OnlyWhen(text) } else { Self::When(text) }
    }

    /// How far the rule is from fitting. A false `when` alone says nothing about that, so that any `match` is nearer.
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

/// The rule that came nearest so far: the one with the fewest differences, and of several the first.
#[derive(Debug)]
pub(super) struct Nearest {
    /// What a rule is called.
    noun: &'static str,
    /// Its distance, and why it does not fit.
    found: Option<(usize, String)>,
}

impl Nearest {
    pub(super) fn of(noun: &'static str) -> Self {
        Self { noun, found: None }
    }

    /// Notes that the rule of that number does not fit.
    pub(super) fn note(&mut self, number: usize, misfit: &Misfit) {
        let distance = misfit.distance();
        if self.found.as_ref().is_none_or(|(least, _)| distance < *least) {
            self.found = Some((distance, format!("{} {number}: {}", self.noun, misfit.text())));
        }
    }

    /// Which came nearest, and why it does not fit; `None` if there is none.
    pub(super) fn text(self) -> Option<String> {
        self.found.map(|(_, text)| text)
    }
}

#[cfg(test)]
mod tests {
    use super::{Misfit, Nearest};

    #[test]
    fn the_nearest_rule_has_the_fewest_differences() {
        let differs = |count: usize| Misfit::Differs(vec!["x".to_owned(); count]);
        let when = |has_match| Misfit::of_when("a", has_match);
        for (misfits, expected) in [
            (vec![], None),
            (vec![differs(2), differs(1), differs(1)], Some("rule 2: x")),
            (vec![when(false), differs(2)], Some("rule 2: x; x")),
            (vec![differs(1), when(false)], Some("rule 1: x")),
            (vec![differs(1), when(true)], Some("rule 2: `when: a` is false")),
            (vec![when(false), when(false)], Some("rule 1: `when: a` is false")),
        ] {
            let mut nearest = Nearest::of("rule");
            for (number, misfit) in (1..).zip(&misfits) {
                nearest.note(number, misfit);
            }
            assert_eq!(nearest.text().as_deref(), expected, "{misfits:?}");
        }
    }
}
