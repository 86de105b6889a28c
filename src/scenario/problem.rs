//! What can be wrong with a scenario: a kind with its data, and the place.

mod advice;
mod route;
mod socket;

use std::fmt::Display;

use strum::IntoStaticStr;
use thiserror::Error;

pub use route::RouteMistake;
pub use socket::SocketMistake;

use super::endpoint::EndpointError;
use super::origin::NotAnOrigin;
use super::route::RouteError;
use super::source::{ReadError, Sources, Span};
use super::units::{MAX_AT_ONCE, MAX_TOTAL, UnitError};
use crate::expression::{CompileErrorKind, RunErrorKind};
use crate::words::joined;

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
    /// A tab where YAML takes only spaces.
    #[error("a tab here; YAML indents with spaces")]
    Tab,
    /// A bracket without its closing one.
    #[error("this `{0}` is never closed")]
    UnclosedBracket(char),
    /// The text of a file whose name ends in `.json` is not JSON.
    #[error("not valid JSON: {0}")]
    JsonSyntax(String),
    /// A byte that is not part of UTF-8 text.
    #[error("the file is not UTF-8 text")]
    NotUtf8,
    /// Text in UTF-16, with or without a byte order mark.
    #[error("the file is UTF-16 text")]
    Utf16,
    /// Only white space and comments.
    #[error("the file declares nothing")]
    Empty,
    /// A second document after `---`.
    #[error("more than one YAML document in the file")]
    SecondDocument,
    /// Mappings and lists nested too deeply.
    #[error("nested deeper than {0} levels")]
    TooDeep(u16),
    /// Aliases that would expand into too many values.
    #[error("aliases expand into more than {0} values")]
    AliasBomb(usize),
    /// An alias inside the value that its anchor names.
    #[error("an alias refers to the value that contains it")]
    RecursiveAlias,
    /// An alias whose anchor is not before it in the file.
    #[error("there is no anchor `&{0}` before this alias in the file")]
    UnknownAnchor(String),
    /// `<<` with anything but a mapping or a list of mappings.
    #[error("`<<` takes a mapping or a list of mappings")]
    BadMerge,
    /// A key that is a list or a mapping.
    #[error("a key must be text")]
    ComplexKey,
    /// An expression without quotes, which YAML reads as a mapping. The field is the expression to quote.
    #[error("an expression must be in quotes")]
    UnquotedExpression(String),
    /// A part of a value after a comma, which YAML reads as a key.
    #[error("`{0}` is not a key: the comma before it ends the value")]
    StrayComma(String),
    /// A tag that is not one of JSON's types.
    #[error("unknown tag `{0}`")]
    UnknownTag(String),
    /// The same key twice in one mapping.
    #[error("`{0}` is declared twice")]
    DuplicateKey(String),
    /// A key that the language does not have here.
    #[error("unknown key `{key}`")]
    UnknownKey {
        /// The key as written.
        key: String,
        /// The keys allowed here.
        expected: &'static [&'static str],
    },
    /// A file without any of the keys that make a scenario.
    #[error("the scenario declares nothing")]
    #[strum(serialize = "missing-key")]
    DeclaresNothing,
    /// A required key.
    #[error("{owner} needs `{key}`")]
    MissingKey {
        /// What requires it.
        owner: &'static str,
        /// The missing key.
        key: &'static str,
    },
    /// A value of the wrong type.
    #[error("expected {expected}, found {found}")]
    WrongType {
        /// What is allowed here.
        expected: String,
        /// What was found.
        found: String,
    },
    /// A word that is not one of the allowed ones.
    #[error("`{found}` is not a valid value here")]
    NotOneOf {
        /// The word as written.
        found: String,
        /// The allowed words.
        expected: &'static [&'static str],
    },
    /// A number that JSON cannot represent.
    #[error("`{0}` is not a number that JSON can represent")]
    NotFinite(String),
    /// A duration or a rate that cannot be read.
    #[error(transparent)]
    Unit(#[from] UnitError),
    /// Two keys that cannot be used together.
    #[error("`{0}` and `{1}` cannot be used together")]
    Exclusive(&'static str, &'static str),
    /// A mapping with none or several of a set of keys, of which it needs exactly one.
    #[error("{owner} needs exactly one of {}", either(keys))]
    NotExactlyOne {
        /// What it is about.
        owner: &'static str,
        /// The keys to choose from.
        keys: &'static [&'static str],
    },
    /// A key that requires another.
    #[error("`{key}` requires `{needs}`")]
    Needs {
        /// The key.
        key: &'static str,
        /// The key that it requires.
        needs: &'static str,
    },
    /// An empty string where a name is needed.
    #[error("{0} cannot be empty")]
    EmptyName(&'static str),
    /// Two products with one id.
    #[error("product id `{0}` is declared twice")]
    DuplicateId(String),
    /// A category name that is reserved.
    #[error("`{0}` is not a valid name for a category")]
    ReservedCategory(String),
    /// A category that the scenario does not declare.
    #[error("there is no category `{name}`")]
    UnknownCategory {
        /// The name as written.
        name: String,
        /// The closest declared name.
        nearest: Option<String>,
    },
    /// A product that is neither declared nor added by an earlier step.
    #[error("there is no product `{id}`{}", if *late { " yet" } else { "" })]
    UnknownProduct {
        /// The id as written.
        id: String,
        /// The closest known id.
        nearest: Option<String>,
        /// Whether a later step adds it.
        late: bool,
    },
    /// A product that an earlier step has removed.
    #[error("product `{0}` has already been removed")]
    RemovedProduct(String),
    /// An entry of `cors` that no browser would send.
    #[error(transparent)]
    NotAnOrigin(#[from] NotAnOrigin),
    /// Ambiguous routes.
    #[error(transparent)]
    RouteConflict(#[from] RouteError),
    /// Ambiguous endpoints.
    #[error(transparent)]
    EndpointConflict(#[from] EndpointError),
    /// An invalid expression.
    #[error("{error}")]
    Expression {
        /// What is wrong with it.
        error: CompileErrorKind,
        /// The names that it can use.
        known: Vec<String>,
    },
    /// A collection that the scenario does not declare.
    #[error("there is no collection `{name}`")]
    UnknownCollection {
        /// The name as written.
        name: String,
        /// The closest declared name.
        nearest: Option<String>,
    },
    /// A value of `data` that the scenario does not declare.
    #[error("there is no value `{name}`")]
    UnknownValue {
        /// The name as written.
        name: String,
        /// The closest declared name.
        nearest: Option<String>,
    },
    /// An expression in a key of `set`.
    #[error("a key of `set` cannot contain an expression")]
    SetsComputedKey {
        /// The entry to write instead.
        meant: String,
    },
    /// `set` with a collection, which takes a value of `data`.
    #[error("`set` takes values of `data`, but `{0}` is a collection")]
    SetsCollection(String),
    /// `increment` with a category, which takes rows of a collection.
    #[error("`increment` takes rows of a collection, but `{0}` is a category")]
    IncrementsCategory(String),
    /// `increment` with a value of `data`, which takes rows of a collection.
    #[error("`increment` takes rows of a collection, but `{name}` is a value")]
    IncrementsValue {
        /// The value's name.
        name: String,
        /// What is added.
        by: String,
    },
    /// A row id that no collection declares.
    #[error("no collection declares a row `{id}`")]
    UnknownRow {
        /// The id as written.
        id: String,
        /// The closest known id.
        nearest: Option<String>,
    },
    /// Row ids of which no collection declares all.
    #[error("no collection declares all of these rows")]
    RowsOfSeveral,
    /// Row ids that several collections declare.
    #[error("{} declare all of these rows", either(.0))]
    AmbiguousRows(Vec<String>),
    /// A key of the language that does nothing yet.
    #[error("`{0}` is not supported yet")]
    NotYet(&'static str),
    /// A verb outside of streams and sockets.
    #[error("`{0}` is only allowed in the steps of streams and sockets")]
    OnlyInStream(&'static str),
    /// A step that is not allowed at its place in an endpoint.
    #[error(transparent)]
    Socket(#[from] SocketMistake),
    /// Two verbs where one is needed.
    #[error("expected one verb, found `{0}` and `{1}`")]
    TwoVerbs(&'static str, &'static str),
    /// A time for a step that happens at one moment with others.
    #[error("`{0}` is not allowed in steps that run at the same moment")]
    TimeInMoment(&'static str),
    /// Too many steps in a list.
    #[error("more than {0} steps in a list")]
    TooManySteps(usize),
    /// Steps nested too deeply.
    #[error("steps are nested deeper than {0} levels")]
    StepsTooDeep(usize),
    /// A key that is not a route.
    #[error(transparent)]
    Route(#[from] RouteMistake),
    /// A topic that something waits for, and that no step sends to: a warning.
    #[error("nothing is ever sent to `{topic}`")]
    NothingSent {
        /// The topic.
        topic: String,
        /// The closest topic that something is sent to.
        nearest: String,
    },
    /// A missing file of an answer: a warning.
    #[error("there is no file {0}")]
    MissingFile(String),
    /// An answer that no request can reach: a warning.
    #[error("no request can reach this answer")]
    UnreachableAnswer,
    /// A message rule that no message can reach: a warning.
    #[error("no message can reach this rule")]
    UnreachableMessageRule,
    /// Text to compare with that looks like an expression: a warning.
    #[error("`match` compares with this text and does not evaluate it")]
    MatchesExpression(String),
    /// Text of `match` that looks like a pattern, with an expression for it: a warning.
    #[error("`match` compares this text literally, including the `*`")]
    MatchesStar(String),
    /// Weights that are all 0.
    #[error("all weights are 0")]
    NoWeight,
    /// An empty range.
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
    /// An empty list.
    #[error("{0} cannot be empty")]
    EmptyList(&'static str),
    /// A total or amount that JavaScript numbers cannot hold exactly.
    #[error("{0} is outside ±{MAX_TOTAL}")]
    TotalOutOfRange(i64),
    /// A number below its lower bound.
    #[error("`{key}` must be at least {least}")]
    TooSmall {
        /// The key.
        key: &'static str,
        /// The smallest allowed value, as text with its unit.
        least: &'static str,
    },
    /// `jitter` that could move an event before the previous one.
    #[error("`jitter` is longer than `every`")]
    JitterTooLong,
    /// A step that happens too many times at one moment.
    #[error("`times` above {MAX_AT_ONCE} needs `every`")]
    TooManyAtOnce,
    /// A script that repeats forever without taking any time.
    #[error("a script that repeats forever must take at least 1us")]
    InstantRepeat,
    /// A script that takes no time and repeats too many times.
    #[error("this script takes less than 1us, so its repeats make more than {MAX_AT_ONCE} actions at once")]
    TooManyRepeatsAtOnce,
    /// A script's step after the longest possible time.
    #[error("the step ends later than 24000h")]
    TooLate,
    /// A file that cannot be included.
    #[error(transparent)]
    Include(#[from] ReadError),
    /// Files that include each other: the path from one back to itself.
    #[error("{} includes itself{}", .0.first().map_or("a file", String::as_str), by_way(.0))]
    IncludeCycle(Vec<String>),
    /// Two faults with one name.
    #[error("fault `{0}` is declared twice")]
    DuplicateFault(String),
    /// A fault that can never hit anything: a warning.
    #[error("this fault can never match")]
    NeverMatches(String),
    /// A category whose path hides a file of the page: a warning.
    #[error("category `{category}` hides a file of the page")]
    HidesFile {
        /// The category.
        category: String,
        /// The file.
        file: String,
    },
    /// Too many included files.
    #[error("more than {0} files are included")]
    TooManyFiles(usize),
    /// Too many keys in included files.
    #[error("the included files merge into more than {0} keys")]
    TooManyMerged(usize),
    /// A name that cannot be used in `data`.
    #[error("`{name}` is not a valid name for data")]
    DataName {
        /// The name.
        name: String,
        /// The reason.
        why: &'static str,
    },
    /// A data file with an unknown extension.
    #[error("`{0}` is not the name of a CSV, JSON or YAML file")]
    UnknownDataFile(String),
    /// A data file with only white space and comments.
    #[error("the file has no data")]
    EmptyDataFile,
    /// A data file that refers to another.
    #[error("the file refers to another data file")]
    NamesData,
    /// An id that is neither text nor an integer, as JSON.
    #[error("expected text or an integer, found {0}")]
    RowId(String),
    /// Two rows of a collection with one id.
    #[error("row id `{0}` is declared twice")]
    DuplicateRowId(String),
    /// A row of a table that does not fit its header.
    #[error("the row has {cells} cells, but the header has {fields}")]
    UnequalRow {
        /// Cells of the row.
        cells: u64,
        /// Cells of the header.
        fields: u64,
    },
    /// A quoted cell of a table that never ends.
    #[error("this quote is never closed")]
    UnclosedQuote,
    /// Too many generated rows.
    #[error("more than {0} rows")]
    TooManyRows(u64),
    /// Too much generated data.
    #[error("the rows exceed {0} MiB")]
    TooManyBytes(usize),
    /// An expression that fails when the scenario is read.
    #[error("`{expression}` {kind}")]
    ExpressionFails {
        /// The expression as written.
        expression: String,
        /// What goes wrong.
        kind: RunErrorKind,
    },
}

impl ProblemKind {
    /// Whether it is a warning: the scenario is valid nevertheless.
    #[must_use]
    pub fn is_warning(&self) -> bool {
        if let Self::Expression { error, .. } = self {
            return error.is_warning();
        }
        if let Self::Socket(mistake) = self {
            return mistake.is_warning();
        }
        matches!(
            self,
            Self::NeverMatches(_)
                | Self::MatchesExpression(_)
                | Self::MatchesStar(_)
                | Self::HidesFile { .. }
                | Self::UnreachableAnswer
                | Self::UnreachableMessageRule
                | Self::NothingSent { .. }
                | Self::MissingFile(_)
        )
    }

    /// The kind's name for programs, such as `unknown-key`. It stays the same when messages are reworded.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Include(error) => error.code(),
            Self::Route(mistake) => mistake.into(),
            Self::Socket(mistake) => mistake.into(),
            kind => kind.into(),
        }
    }
}

/// Keys in words: `a`, `b` and `c`.
fn either(keys: &[impl Display]) -> String {
    joined(&keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>(), "and")
}

/// The files in the middle of a cycle, in words.
fn by_way(files: &[String]) -> String {
    match files {
        [_, middle @ .., _] if !middle.is_empty() => format!(" through {}", middle.join(", ")),
        _ => String::new(),
    }
}

/// The end of the description of a quoted value that is not text because of its tag.
pub(super) const BY_TAG: &str = ", by its tag";

/// All problems of a scenario, with its files. `Display` is the rendered report without colour.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Problems {
    /// The files.
    pub sources: Sources,
    /// At least one problem, in the order of the files.
    pub list: Vec<Problem>,
}
