//! The advice that a report adds to a problem: the label at the caret, and help.

use super::{BY_TAG, ProblemKind, ReferenceMistake, SocketMistake, SyntaxMistake, foreign_keys};
use crate::expression::{CompileErrorKind, Word};
use crate::scenario::units::MAX_TOTAL;
use crate::words::{joined, nearest};

/// The advice for a file or a scenario that declares nothing.
pub(super) const WHAT_TO_DECLARE: &str = "a scenario declares at least one of `categories`, `data`, `http`, \
    `websocket`, `triggers`, `scripts` and `random`";

impl ProblemKind {
    /// Returns the label at the caret, or an empty string.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::UnknownKey { .. } => "unknown key".into(),
            Self::Syntax(mistake) => mistake.label().into(),
            Self::Reference(mistake) => mistake.label().into(),
            Self::Data(mistake) => mistake.label().into(),
            Self::DuplicateKey(_) | Self::DuplicateId(_) | Self::DuplicateFault(_) => "declared again here".into(),
            Self::MissingKey { key, .. } => format!("`{key}` is missing here"),
            Self::WrongType { expected, .. } => format!("expected {expected}"),
            Self::NotOneOf { expected, .. } => format!("expected {}", list(expected)),
            Self::ReservedCategory(_) => "reserved".into(),
            Self::Expression {
                error: CompileErrorKind::Unknown { .. } | CompileErrorKind::UnknownField { .. },
                ..
            } => "not defined here".into(),
            Self::NothingSent { .. } => "not a name of `data`, and no step sends to it".into(),
            Self::UnreachableAnswer => "never used".into(),
            Self::UnreachableMessageRule => "never runs".into(),
            Self::TotalOutOfRange(_) => format!("expected a number from -{MAX_TOTAL} to {MAX_TOTAL}"),
            Self::Unit(error) => error.expected().into(),
            Self::NeverMatches(why) => why.clone(),
            Self::HidesFile { category, file } => format!("GET /{category} returns its products, not {file}"),
            _ => String::new(),
        }
    }

    /// Returns the label at the problem's related place.
    pub(in crate::scenario) fn related_label(&self) -> &'static str {
        match self {
            Self::Reference(ReferenceMistake::RemovedProduct(_)) => "removed here",
            Self::UnreachableAnswer => "this one matches all requests",
            Self::UnreachableMessageRule => "this one matches all messages",
            Self::Syntax(SyntaxMistake::UnclosedBracket('[')) => "`]` is missing here",
            Self::Syntax(SyntaxMistake::UnclosedBracket(_)) => "`}` is missing here",
            Self::Socket(SocketMistake::JoinsAgain) => "this one is replaced",
            _ => "first declared here",
        }
    }

    /// Returns the replacement that the author most likely meant.
    #[must_use]
    pub fn suggestion(&self) -> Option<String> {
        let suggestion = match self {
            Self::UnknownKey { key: found, expected } if foreign_keys::advice(found, expected).is_none() => {
                let synonym = foreign_keys::synonym(found, expected);
                synonym.or_else(|| nearest(found, implemented(expected))).map(str::to_owned)
            }
            Self::NotOneOf { found, expected } => {
                let alike = nearest(found, expected.iter().copied()).or_else(|| synonym(found, expected));
                alike.map(str::to_owned)
            }
            Self::Reference(mistake) => mistake.suggestion(),
            Self::NothingSent { nearest, .. } => Some(nearest.clone()),
            Self::Expression { error, .. } => error.suggestion().map(str::to_owned),
            Self::Route(mistake) => mistake.suggestion(),
            Self::WrongType { expected, found } => replacement(expected, found),
            Self::NotAnOrigin(error) => error.meant.clone(),
            _ => None,
        };
        suggestion.filter(|suggestion| self.written() != Some(suggestion))
    }

    /// Returns the name or word that a suggestion replaces.
    fn written(&self) -> Option<&str> {
        match self {
            Self::Reference(mistake) => mistake.written(),
            Self::UnknownKey { key: found, .. }
            | Self::NotOneOf { found, .. }
            | Self::NothingSent { topic: found, .. }
            | Self::Expression {
                error:
                    CompileErrorKind::Unknown { name: found, .. } | CompileErrorKind::UnknownField { name: found, .. },
                ..
            } => Some(found),
            _ => None,
        }
    }

    /// Returns advice on how to fix the problem.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        if let Some(suggestion) = self.suggestion() {
            let alike = self.written().map(|written| lookalikes(written, &suggestion)).unwrap_or_default();
            return Some(format!("did you mean `{suggestion}`?{alike}"));
        }
        Some(match self {
            Self::UnknownKey { key: found, expected } => foreign_keys::advice(found, expected).map_or_else(
                || format!("the keys allowed here are {}", list(&implemented(expected).collect::<Vec<_>>())),
                str::to_owned,
            ),
            Self::MatchesExpression(expression) => format!("did you mean `when: {expression}`?"),
            Self::WrongType { expected, found } if expected.starts_with("a mapping") && has_comparison(found) => {
                "`match` is what a request must contain, such as `match: { query: { a: b } }`; did you mean `when`?".into()
            }
            Self::NotAnOrigin(_) => {
                "write each origin as the browser sends it, such as http://localhost:5173, without a path or wildcard; `cors: true` allows every origin".into()
            }
            Self::Expression { error: CompileErrorKind::Unknown { what: Word::Name, name, .. }, .. } if name == "it" => {
                "`it` is the row that an earlier step of the same `do` adds, merges, replaces, removes or increments, or that the `pick` of a generator chooses".into()
            }
            Self::Expression { error: CompileErrorKind::Unknown { what: Word::Name, .. }, known } => {
                format!("the names defined here are {}", list(&known.iter().map(String::as_str).collect::<Vec<_>>()))
            }
            Self::Expression { error: CompileErrorKind::UnknownField { of, name, known, .. }, .. }
                if of == "path" && known.is_empty() =>
            {
                format!("a parameter is a segment of the route's path in braces, such as `{{{name}}}`")
            }
            Self::Expression { error, .. } => return error.help(),
            Self::Syntax(mistake) => return mistake.help(),
            Self::Reference(mistake) => return mistake.help(),
            Self::Timing(mistake) => mistake.help()?.into(),
            Self::Data(mistake) => return mistake.help(),
            Self::Route(mistake) => return mistake.help(),
            Self::Socket(mistake) => mistake.help().into(),
            Self::RouteConflict(_) | Self::EndpointConflict(_) => "remove one of the two, or give it another path".into(),
            Self::NotYet("proxy") => "answer with `body`, `text` or `file`".into(),
            Self::OnlyInStream("reply") => "answer a request with `body`; `send` sends to a topic".into(),
            Self::TwoVerbs(first, second) => format!("write them as a list: `do: [{{ {first}: … }}, {{ {second}: … }}]`"),
            Self::MissingFile(_) => "a path is relative to the file that names it".into(),
            Self::UnreachableAnswer => "move it before the answer that matches all requests".into(),
            Self::UnreachableMessageRule => "move it before the rule that matches all messages".into(),
            Self::DeclaresNothing => WHAT_TO_DECLARE.into(),
            Self::NoWeight => "give one of them a weight above 0".into(),
            Self::ReservedCategory(_) => {
                "a category's name is its path: it cannot be empty, `orders`, `.` or `..`, contain `/`, or start with `__` or `@`".into()
            }
            Self::WrongType { found, .. } if found.ends_with(BY_TAG) => "remove the tag".into(),
            Self::WrongType { expected, found } if expected.starts_with("text") && found.contains('`') => {
                "put it in quotes to make it text".into()
            }
            Self::HidesFile { .. } => "give the category or the file another name".into(),
            Self::IncludeCycle(_) => "remove one of these `include`s".into(),
            Self::DuplicateId(_) => "give one of them another id".into(),
            Self::UnknownDataFile(_) => "the name must end with .csv, .tsv, .json, .yaml or .yml".into(),
            Self::DuplicateFault(_) => "give one of them another name".into(),
            Self::EmptyRange { .. } => "swap `min` and `max`".into(),
            Self::DuplicateKey(_) | Self::Exclusive(..) => "remove one of the two".into(),
            _ => return self.replacement_help(),
        })
    }

    /// Returns the replacement that the kind itself carries.
    fn replacement_help(&self) -> Option<String> {
        match self {
            Self::MatchesStar(expression) => Some(format!("did you mean `when: {expression}`?")),
            Self::SetsComputedKey { meant } => Some(format!("write `set: {{ {meant} }}`")),
            _ => None,
        }
    }
}

/// Returns the expected word for which `found` is a common synonym.
fn synonym(found: &str, expected: &[&'static str]) -> Option<&'static str> {
    let is_meant = |word: &&str| *word == "graphql-transport-ws" && matches!(found, "graphql-ws" | "graphql");
    expected.iter().copied().find(|word| is_meant(word))
}

/// Returns the value that was most likely meant by a value of the wrong type.
fn replacement(expected: &str, found: &str) -> Option<String> {
    let quoted = found.strip_prefix("the text \"").and_then(|rest| rest.strip_suffix('"'));
    let plain = found.strip_prefix("the text `").and_then(|rest| rest.strip_suffix('`'));
    let number = found.strip_prefix("the number `").and_then(|rest| rest.strip_suffix('`'));
    if let Some(number) = number.filter(|_| expected.starts_with("a duration")) {
        return number.bytes().all(|byte| byte.is_ascii_digit()).then(|| format!("{number}ms"));
    }
    let text = quoted.or(plain)?;
    if expected.contains("true or false") {
        match text {
            "true" | "yes" | "on" | "Yes" | "On" | "YES" | "ON" => return Some("true".to_owned()),
            "false" | "no" | "off" | "No" | "Off" | "NO" | "OFF" => return Some("false".to_owned()),
            _ => {}
        }
    }
    if expected.contains("integer")
        && let Ok(number) = text.replace('_', "").parse::<i64>()
    {
        let least = if expected.contains("from 0") { 0 } else { -MAX_TOTAL };
        return (least..=MAX_TOTAL).contains(&number).then(|| number.to_string());
    }
    let is_word = |c: char| c.is_alphanumeric() || "_-./".contains(c);
    let is_printable = !text.contains(['"', '\\', '`']) && !text.contains(char::is_control);
    if !expected.contains("a list") || expected.starts_with("a mapping") || !is_printable {
        None
    } else if plain.is_some() && text.chars().all(is_word) {
        Some(format!("[{text}]"))
    } else {
        Some(format!("[\"{text}\"]"))
    }
}

/// Returns the keys that are implemented.
fn implemented(keys: &[&'static str]) -> impl Iterator<Item = &'static str> {
    keys.iter().copied().filter(|key| *key != "proxy")
}

/// Returns whether the value found is text that contains a comparison.
fn has_comparison(found: &str) -> bool {
    found.starts_with("the text") && found.contains(" == ")
}

/// Describes the characters that distinguish two strings that look the same: white space, letters of other alphabets,
/// and invisible characters.
fn lookalikes(written: &str, meant: &str) -> String {
    let is_odd = |c: &char| c.is_whitespace() || c.is_control() || *c == '\u{ad}' || *c >= '\u{300}';
    let only = |one: &str, other: &str| -> Vec<String> {
        let odd = one.chars().filter(|c| !other.contains(*c)).filter(is_odd);
        odd.map(|c| format!("U+{:04X}", u32::from(c))).collect()
    };
    match (only(written, meant), only(meant, written)) {
        (more, _) if !more.is_empty() => format!(" the text has {}", joined(&more, "and")),
        (_, less) if !less.is_empty() => format!(" the suggestion has {}", joined(&less, "and")),
        _ => String::new(),
    }
}

fn list(words: &[&str]) -> String {
    // Variant names that YAML cannot contain select by the shape of the value.
    words.iter().filter(|word| !word.starts_with('\0')).map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
