//! What a report says beside a problem: at the caret, and what to do about it.

use super::problem::ProblemKind;
use super::units::MAX_TOTAL;

impl ProblemKind {
    /// What the caret says: what was expected at the place.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::UnknownKey { .. } => "not a key that may stand here".into(),
            Self::DuplicateKey(_) | Self::DuplicateId(_) => "declared again here".into(),
            Self::MissingKey { key, .. } => format!("`{key}` is missing here"),
            Self::WrongType { expected, .. } => format!("expected {expected}"),
            Self::NotOneOf { expected, .. } => format!("expected {}", list(expected)),
            Self::ReservedCategory(_) => "reserved".into(),
            Self::UnknownProduct { late: true, .. } => "added only by a later step".into(),
            Self::UnknownProduct { .. } => "not declared, and no step before adds it".into(),
            Self::UnknownCategory { .. } => "not declared under `categories`".into(),
            Self::TotalOutOfRange(_) => format!("expected a number from -{MAX_TOTAL} to {MAX_TOTAL}"),
            Self::Unit(error) => error.expected().into(),
            _ => String::new(),
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::UnknownKey { key, expected } => match nearest(key, expected.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the keys that may stand here are {}", list(expected)),
            },
            Self::NotOneOf { found, expected } => {
                format!("did you mean `{}`?", nearest(found, expected.iter().copied())?)
            }
            Self::UnknownProduct { nearest: Some(near), .. } | Self::UnknownCategory { nearest: Some(near), .. } => {
                format!("did you mean `{near}`?")
            }
            Self::ReservedCategory(_) => {
                "a category's name is a path of its own: not `orders`, not empty, no `/`, no leading `__` or `@`".into()
            }
            Self::WrongType { expected, found } if expected == "text" && found.contains('`') => {
                "put it in quotes to make it text".into()
            }
            Self::Syntax(_) => "check the indentation, quotes and brackets on this line and the one above".into(),
            Self::Empty => "a scenario starts with `categories:`".into(),
            Self::SecondDocument => "keep one scenario in a file, remove the `---`".into(),
            Self::UnknownProduct { late: true, .. } => "move this step behind the one that adds the product".into(),
            Self::IncludeCycle(_) => "remove one of the `include`s on the way".into(),
            Self::DuplicateId(_) => "give one of them another id".into(),
            Self::EmptyRange { .. } => "swap `min` and `max`".into(),
            Self::DuplicateKey(_) | Self::Exclusive(..) => "remove one of the two".into(),
            Self::InstantRepeat => "give a step an `at` or `after` above 0s".into(),
            Self::UnknownTag(_) => "remove it; what a value is follows from how it is written".into(),
            Self::NotUtf8 => "save the file as UTF-8".into(),
            _ => return None,
        })
    }
}

/// The candidate that a typing mistake most likely meant, if any is near enough.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let most = (word.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (strsim::osa_distance(&word.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn list(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
