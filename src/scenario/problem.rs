//! What can be wrong with a scenario: a kind with its data, and the place.

use strum::IntoStaticStr;
use thiserror::Error;

use super::origin::NotAnOrigin;
use super::source::{ReadError, Sources, Span};
use super::units::{MAX_AT_ONCE, MAX_TOTAL, UnitError};
use super::words::{joined, nearest};

/// One thing wrong in a scenario file.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// What is wrong.
    pub kind: ProblemKind,
    /// Where.
    pub span: Span,
    /// Another place that belongs to it, such as the first of two equal ids.
    pub related: Option<Span>,
}

impl Problem {
    pub(crate) fn new(kind: ProblemKind, span: Span) -> Self {
        Self { kind, span, related: None }
    }

    pub(crate) fn related_to(mut self, span: Span) -> Self {
        self.related = Some(span);
        self
    }
}

/// The kinds of problem; `Display` is the message's first line.
#[derive(Debug, Clone, PartialEq, Error, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum ProblemKind {
    /// The text is not YAML.
    #[error("not valid YAML: {0}")]
    Syntax(String),
    /// The text of a file that is called JSON is not JSON.
    #[error("not valid JSON: {0}")]
    JsonSyntax(String),
    /// A byte that is not part of UTF-8 text.
    #[error("the file is not UTF-8 text")]
    NotUtf8,
    /// Nothing but blanks and comments.
    #[error("the file declares nothing")]
    Empty,
    /// A second document after `---`.
    #[error("more than one YAML document in the file")]
    SecondDocument,
    /// Mappings and lists inside each other beyond all reason.
    #[error("nested deeper than {0} levels")]
    TooDeep(u16),
    /// Aliases that would unfold into more than a machine should hold.
    #[error("aliases unfold into more than {0} values")]
    AliasBomb(usize),
    /// An alias inside the very value that its anchor names.
    #[error("an alias refers to the value that contains it")]
    RecursiveAlias,
    /// An alias whose anchor is not before it in the file.
    #[error("there is no anchor `&{0}` before this alias in the file")]
    UnknownAnchor(String),
    /// `<<` with something else than a mapping or a list of mappings.
    #[error("`<<` takes a mapping or a list of mappings")]
    BadMerge,
    /// A key that is a list or a mapping.
    #[error("a key has to be a plain word")]
    ComplexKey,
    /// A tag that is not one of JSON's types.
    #[error("the tag `{0}` means nothing here")]
    UnknownTag(String),
    /// The same key twice in one mapping.
    #[error("`{0}` is declared twice")]
    DuplicateKey(String),
    /// A key that the language does not have here.
    #[error("unknown key `{key}`")]
    UnknownKey {
        /// The key as written.
        key: String,
        /// The keys that may stand here.
        expected: &'static [&'static str],
    },
    /// A key that has to be here.
    #[error("{owner} needs `{key}`")]
    MissingKey {
        /// What lacks it.
        owner: &'static str,
        /// The missing key.
        key: &'static str,
    },
    /// A value of the wrong type.
    #[error("expected {expected}, found {found}")]
    WrongType {
        /// What may stand here.
        expected: String,
        /// What stands here.
        found: String,
    },
    /// A word that is none of the allowed ones.
    #[error("`{found}` is not one of the words that may stand here")]
    NotOneOf {
        /// The word as written.
        found: String,
        /// The allowed words.
        expected: &'static [&'static str],
    },
    /// A number that JSON cannot say.
    #[error("`{0}` is not a number that JSON can carry")]
    NotFinite(String),
    /// A duration or a rate that cannot be read.
    #[error(transparent)]
    Unit(#[from] UnitError),
    /// Two keys that exclude each other.
    #[error("`{0}` and `{1}` exclude each other")]
    Exclusive(&'static str, &'static str),
    /// A mapping that has to do exactly one thing does none or several.
    #[error("{owner} has to say exactly one of {}", either(keys))]
    NotExactlyOne {
        /// What it is about.
        owner: &'static str,
        /// The keys to choose from.
        keys: &'static [&'static str],
    },
    /// A key that only makes sense beside another.
    #[error("`{key}` has no meaning without `{needs}`")]
    Needs {
        /// The key that stands alone.
        key: &'static str,
        /// The key it needs.
        needs: &'static str,
    },
    /// An empty string where a name is needed.
    #[error("{0} cannot be empty")]
    EmptyName(&'static str),
    /// Two products with one id.
    #[error("product id `{0}` is declared twice")]
    DuplicateId(String),
    /// A category name that mockd keeps for itself.
    #[error("`{0}` cannot name a category")]
    ReservedCategory(String),
    /// A category that the scenario does not declare.
    #[error("there is no category `{name}`")]
    UnknownCategory {
        /// The name as written.
        name: String,
        /// The closest declared name.
        nearest: Option<String>,
    },
    /// A product that is neither declared nor added by a step before.
    #[error("there is no product `{id}`{}", if *late { " yet" } else { "" })]
    UnknownProduct {
        /// The id as written.
        id: String,
        /// The closest id that there is.
        nearest: Option<String>,
        /// Whether a later step adds it.
        late: bool,
    },
    /// A product that a step before has removed.
    #[error("product `{0}` is removed before")]
    RemovedProduct(String),
    /// An entry of `cors` that no browser would send.
    #[error(transparent)]
    NotAnOrigin(#[from] NotAnOrigin),
    /// Weights of which none lets anything be drawn.
    #[error("all weights are 0")]
    NoWeight,
    /// A range with nothing in it.
    #[error("the range is empty: min {min} is above max {max}")]
    EmptyRange {
        /// Lower bound as written.
        min: i64,
        /// Upper bound as written.
        max: i64,
    },
    /// `until` that is not after `from`.
    #[error("`until` is not after `from`")]
    UntilBeforeFrom,
    /// A list that draws from nothing.
    #[error("{0} cannot be empty")]
    EmptyList(&'static str),
    /// A total or amount that JavaScript numbers cannot hold exactly.
    #[error("{0} is outside ±{MAX_TOTAL}")]
    TotalOutOfRange(i64),
    /// A number below what makes sense here.
    #[error("`{key}` has to be at least {least}")]
    TooSmall {
        /// The key.
        key: &'static str,
        /// The smallest value that is allowed, as text with its unit.
        least: &'static str,
    },
    /// `jitter` that could put one event before the one before it.
    #[error("`jitter` is longer than `every`")]
    JitterTooLong,
    /// A step that happens too often at one moment.
    #[error("`times` above {MAX_AT_ONCE} needs `every`")]
    TooManyAtOnce,
    /// A script that repeats for ever without taking any time.
    #[error("a script that repeats forever has to take at least 1us")]
    InstantRepeat,
    /// A script that takes no time and repeats too often.
    #[error("the repeats of a script that takes less than 1us make more than {MAX_AT_ONCE} actions at once")]
    TooManyRepeatsAtOnce,
    /// A script's step beyond the longest time there is.
    #[error("the step ends later than 24000h")]
    TooLate,
    /// A file that cannot be included.
    #[error(transparent)]
    Include(#[from] ReadError),
    /// Files that include each other: the way from one back to it.
    #[error("{} includes itself{}", .0.first().map_or("a file", String::as_str), by_way(.0))]
    IncludeCycle(Vec<String>),
    /// Two faults with one name.
    #[error("fault `{0}` is declared twice")]
    DuplicateFault(String),
    /// A fault that hits nothing, whatever clients do: a warning.
    #[error("this fault can never match")]
    NeverMatches(String),
    /// A category at whose path a page's file would be: a warning.
    #[error("category `{category}` hides a file of the page")]
    HidesFile {
        /// The category.
        category: String,
        /// The file.
        file: String,
    },
    /// So many included files that they can only be a mistake.
    #[error("more than {0} files are included")]
    TooManyFiles(usize),
    /// So many keys in included files that they can only be a mistake.
    #[error("the included files merge into more than {0} keys")]
    TooManyMerged(usize),
}

impl ProblemKind {
    /// Whether a scenario is good all the same.
    #[must_use]
    pub fn is_warning(&self) -> bool {
        matches!(self, Self::NeverMatches(_) | Self::HidesFile { .. })
    }

    /// The kind's name for programs, such as `unknown-key`. It stays the same when messages are reworded.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Include(error) => error.code(),
            kind => kind.into(),
        }
    }
}

/// Keys in words: `a`, `b` and `c`.
fn either(keys: &[&str]) -> String {
    joined(&keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>(), "and")
}

/// The files in the middle of a cycle, in words.
fn by_way(files: &[String]) -> String {
    match files {
        [_, middle @ .., _] if !middle.is_empty() => format!(" by way of {}", middle.join(", ")),
        _ => String::new(),
    }
}

/// What a report says beside a problem: at the caret, and what to do about it.
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
            Self::RemovedProduct(_) => "it is no longer there by then".into(),
            Self::UnknownProduct { .. } => "not declared, and no step before adds it".into(),
            Self::UnknownCategory { .. } => "not declared under `categories`".into(),
            Self::TotalOutOfRange(_) => format!("expected a number from -{MAX_TOTAL} to {MAX_TOTAL}"),
            Self::Unit(error) => error.expected().into(),
            Self::NeverMatches(why) => why.clone(),
            Self::HidesFile { category, file } => format!("GET /{category} gives its products, not {file}"),
            _ => String::new(),
        }
    }

    /// What a report says at the other place that belongs to a problem.
    pub(super) fn related_label(&self) -> &'static str {
        match self {
            Self::RemovedProduct(_) => "removed here",
            _ => "first declared here",
        }
    }

    /// What was most likely meant, to be put in place of what stands there.
    #[must_use]
    pub fn suggestion(&self) -> Option<String> {
        let suggestion = match self {
            Self::UnknownKey { key: found, expected } | Self::NotOneOf { found, expected } => {
                nearest(found, expected.iter().copied()).map(str::to_owned)
            }
            Self::UnknownProduct { nearest, .. } | Self::UnknownCategory { nearest, .. } => nearest.clone(),
            Self::WrongType { expected, found } => replacement(expected, found),
            Self::NotAnOrigin(wrong) => wrong.meant.clone(),
            _ => None,
        };
        suggestion.filter(|suggestion| self.written() != Some(suggestion))
    }

    /// The name or word in place of which another is suggested.
    fn written(&self) -> Option<&str> {
        match self {
            Self::UnknownKey { key: found, .. }
            | Self::NotOneOf { found, .. }
            | Self::UnknownProduct { id: found, .. }
            | Self::UnknownCategory { name: found, .. } => Some(found),
            _ => None,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        if let Some(suggestion) = self.suggestion() {
            let alike = self.written().map(|written| lookalikes(written, &suggestion)).unwrap_or_default();
            return Some(format!("did you mean `{suggestion}`?{alike}"));
        }
        Some(match self {
            Self::UnknownKey { expected, .. } => format!("the keys that may stand here are {}", list(expected)),
            Self::NotAnOrigin(_) => {
                "write each as the browser sends it, such as http://localhost:5173, without path and wildcard; `cors: true` allows all".into()
            }
            Self::NoWeight => "give one of them a weight above 0".into(),
            Self::ReservedCategory(_) => {
                "a category's name is a path of its own: not `orders`, `.` or `..`, not empty, no `/`, no leading `__` or `@`".into()
            }
            Self::WrongType { found, .. } if found.ends_with(BY_TAG) => "remove the tag".into(),
            Self::WrongType { expected, found } if expected.starts_with("text") && found.contains('`') => {
                "put it in quotes to make it text".into()
            }
            Self::Syntax(_) => "check the indentation, quotes and brackets on this line and the one above".into(),
            Self::JsonSyntax(_) => {
                "JSON has keys and text in double quotes, no comments, and no comma behind the last item".into()
            }
            Self::Empty => "a scenario starts with `categories:`".into(),
            Self::SecondDocument => "keep one scenario in a file: what is below the `---` goes into a file of its own".into(),
            Self::UnknownProduct { late: true, .. } => "move this step behind the one that adds the product".into(),
            Self::HidesFile { .. } => "give the category or the file another name".into(),
            Self::UnknownAnchor(name) => format!(
                "anchors do not reach across files, included or including: write `&{name}` in this file, above the alias; keys \
                 that start with `x-` hold what only aliases use"
            ),
            Self::RemovedProduct(_) => {
                "move this step before the one that removes the product, or add the product again between them".into()
            }
            Self::IncludeCycle(_) => "remove one of the `include`s on the way".into(),
            Self::DuplicateId(_) => "give one of them another id".into(),
            Self::DuplicateFault(_) => "give one of them another name".into(),
            Self::EmptyRange { .. } => "swap `min` and `max`".into(),
            Self::DuplicateKey(_) | Self::Exclusive(..) => "remove one of the two".into(),
            Self::InstantRepeat => "give a step an `at` or `after` of at least 1us".into(),
            Self::TooManyRepeatsAtOnce => {
                "give a step an `at` or `after` of at least 1us, or let the script repeat less often".into()
            }
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
    if !expected.contains("a list") || !is_printable {
        None
    } else if plain.is_some() && text.chars().all(is_word) {
        Some(format!("[{text}]"))
    } else {
        Some(format!("[\"{text}\"]"))
    }
}

/// How a value of the wrong type ends that is quoted, and is no text because of its tag.
pub(super) const BY_TAG: &str = ", by its tag";

/// What tells two texts apart that look the same: spaces, letters of other alphabets, and what cannot be seen.
fn lookalikes(written: &str, meant: &str) -> String {
    let is_odd = |c: &char| c.is_whitespace() || c.is_control() || *c == '\u{ad}' || *c >= '\u{300}';
    let only = |one: &str, other: &str| -> Vec<String> {
        let odd = one.chars().filter(|c| !other.contains(*c)).filter(is_odd);
        odd.map(|c| format!("U+{:04X}", u32::from(c))).collect()
    };
    match (only(written, meant), only(meant, written)) {
        (more, _) if !more.is_empty() => format!(" what is written has {}", joined(&more, "and")),
        (_, less) if !less.is_empty() => format!(" what is meant has {}", joined(&less, "and")),
        _ => String::new(),
    }
}

fn list(words: &[&str]) -> String {
    // Those that no text can say stand for a kind of value.
    words.iter().filter(|word| !word.starts_with('\0')).map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// All that is wrong with a scenario, with the text it is about. `Display` is the rendered report without colour.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Problems {
    /// The files.
    pub sources: Sources,
    /// At least one problem, in the order of the files.
    pub list: Vec<Problem>,
}
