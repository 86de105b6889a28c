//! What a report says beside a problem: at the caret, and what to do about it.

use super::problem::ProblemKind;
use super::units::MAX_TOTAL;

impl ProblemKind {
    /// What the caret says: what was expected at the place.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::UnknownKey { .. } => "not a key that may stand here".into(),
            Self::DuplicateKey(_) | Self::DuplicateId(_) | Self::DuplicateFault(_) => "declared again here".into(),
            Self::MissingKey { key, .. } => format!("`{key}` is missing here"),
            Self::WrongType { expected, .. } => format!("expected {expected}"),
            Self::NotOneOf { expected, .. } => format!("expected {}", list(expected)),
            Self::ReservedCategory(_) => "reserved".into(),
            Self::UnknownProduct { late: true, .. } => "added only by a later step".into(),
            Self::UnknownProduct { .. } => "not declared, and no step before adds it".into(),
            Self::UnknownCategory { .. } => "not declared under `categories`".into(),
            Self::TotalOutOfRange(_) => format!("expected a number from -{MAX_TOTAL} to {MAX_TOTAL}"),
            Self::Unit(error) => error.expected().into(),
            Self::NeverMatches(why) => why.clone(),
            _ => String::new(),
        }
    }

    /// What was most likely meant, to be put in place of what stands there.
    #[must_use]
    pub fn suggestion(&self) -> Option<String> {
        match self {
            Self::UnknownKey { key: found, expected } | Self::NotOneOf { found, expected } => {
                nearest(found, expected.iter().copied()).map(str::to_owned)
            }
            Self::UnknownProduct { nearest, .. } | Self::UnknownCategory { nearest, .. } => nearest.clone(),
            Self::WrongType { expected, found } => replacement(expected, found),
            Self::NotAnOrigin(text) => text.trim_end_matches('/').split_once("://").map(|(scheme, rest)| {
                let host = rest.split('/').next().unwrap_or(rest);
                format!("{scheme}://{host}")
            }),
            _ => None,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        if let Some(suggestion) = self.suggestion() {
            return Some(format!("did you mean `{suggestion}`?"));
        }
        Some(match self {
            Self::UnknownKey { expected, .. } => format!("the keys that may stand here are {}", list(expected)),
            Self::NotAnOrigin(_) => {
                "write it as the browser sends it, such as http://localhost:5173; `cors: true` allows all".into()
            }
            Self::NoWeight => "give one of them a weight above 0".into(),
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
            Self::DuplicateFault(_) => "give one of them another name".into(),
            Self::EmptyRange { .. } => "swap `min` and `max`".into(),
            Self::DuplicateKey(_) | Self::Exclusive(..) => "remove one of the two".into(),
            Self::InstantRepeat => "give a step an `at` or `after` above 0s".into(),
            Self::UnknownTag(_) => "remove it; what a value is follows from how it is written".into(),
            Self::NotUtf8 => "save the file as UTF-8".into(),
            _ => return None,
        })
    }
}

/// What a value of the wrong type was most likely meant to be.
fn replacement(expected: &str, found: &str) -> Option<String> {
    let quoted = found.strip_prefix("the text \"").and_then(|rest| rest.strip_suffix('"'));
    let plain = found.strip_prefix("the text `").and_then(|rest| rest.strip_suffix('`'));
    let text = quoted.or(plain)?;
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty();
    if expected.contains("true or false") {
        match text {
            "true" | "yes" | "on" | "Yes" | "On" | "YES" | "ON" => return Some("true".to_owned()),
            "false" | "no" | "off" | "No" | "Off" | "NO" | "OFF" => return Some("false".to_owned()),
            _ => {}
        }
    }
    if expected.contains("integer") && is_number {
        Some(text.to_owned())
    } else if expected.contains("a list") && !text.contains([',', '\n', '`']) {
        Some(format!("[{text}]"))
    } else {
        None
    }
}

/// The candidate that a typing mistake most likely meant, if any is near enough.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let length = word.chars().count();
    let most = (length / 3).max(1);
    candidates
        .into_iter()
        // One letter more or less is at least one mistake: most candidates need no closer look.
        .filter(|candidate| candidate.chars().count().abs_diff(length) <= most)
        .map(|candidate| (strsim::osa_distance(&word, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= most)
        // Of equally near ones the first by name, so that candidates may come in any order.
        .min()
        .map(|(_, candidate)| candidate)
}

fn list(words: &[&str]) -> String {
    // Those that no text can say stand for a kind of value.
    words.iter().filter(|word| !word.starts_with('\0')).map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
