//! The problems of a scenario: their kinds, places, messages and advice.

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

/// A problem in a scenario file.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// The kind, with the data for its message.
    pub kind: ProblemKind,
    /// The place to show.
    pub span: Span,
    /// A second place to show, such as the first of two equal ids.
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

/// The kind of a problem. `Display` writes the first line of the message.
#[derive(Debug, Clone, PartialEq, Error, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum ProblemKind {
    /// Text that is not YAML.
    #[error("not valid YAML: {0}")]
    Syntax(String),
    /// A tab where YAML allows only spaces.
    #[error("a tab here; YAML indents with spaces")]
    Tab,
    /// A bracket without its closing one.
    #[error("this `{0}` is never closed")]
    UnclosedBracket(char),
    /// Text that is not JSON, in a file whose name ends in `.json`.
    #[error("not valid JSON: {0}")]
    JsonSyntax(String),
    /// Bytes that are not UTF-8.
    #[error("the file is not UTF-8 text")]
    NotUtf8,
    /// Text in UTF-16, with or without a byte order mark.
    #[error("the file is UTF-16 text")]
    Utf16,
    /// A file with only white space and comments.
    #[error("the file declares nothing")]
    Empty,
    /// A second document after `---`.
    #[error("more than one YAML document in the file")]
    SecondDocument,
    /// Mappings and lists nested too deeply.
    #[error("nested deeper than {0} levels")]
    TooDeep(u16),
    /// Aliases that expand into too many values.
    #[error("aliases expand into more than {0} values")]
    AliasBomb(usize),
    /// An alias inside the value that it refers to.
    #[error("an alias refers to the value that contains it")]
    RecursiveAlias,
    /// An alias without an earlier anchor in the same file.
    #[error("there is no anchor `&{0}` before this alias in the file")]
    UnknownAnchor(String),
    /// A `<<` whose value is not a mapping or a list of mappings.
    #[error("`<<` takes a mapping or a list of mappings")]
    BadMerge,
    /// A key that is a list or a mapping.
    #[error("a key must be text")]
    ComplexKey,
    /// An unquoted expression, which YAML reads as a mapping. The field is the text to quote.
    #[error("an expression must be in quotes")]
    UnquotedExpression(String),
    /// The part of an unquoted value after a comma, which YAML reads as a key.
    #[error("`{0}` is not a key: the comma before it ends the value")]
    StrayComma(String),
    /// A tag for a type that JSON does not have.
    #[error("unknown tag `{0}`")]
    UnknownTag(String),
    /// A key that occurs twice in a mapping.
    #[error("`{0}` is declared twice")]
    DuplicateKey(String),
    /// A key that is not allowed here.
    #[error("unknown key `{key}`")]
    UnknownKey {
        /// The key as written.
        key: String,
        /// The keys allowed here.
        expected: &'static [&'static str],
    },
    /// A scenario with none of the keys that declare something.
    #[error("the scenario declares nothing")]
    #[strum(serialize = "missing-key")]
    DeclaresNothing,
    /// A missing required key.
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
        /// The allowed types or values, in words.
        expected: String,
        /// The value found, in words.
        found: String,
    },
    /// A word that is not one of the allowed words.
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
    /// A duration or rate that cannot be parsed.
    #[error(transparent)]
    Unit(#[from] UnitError),
    /// Two keys that cannot be used together.
    #[error("`{0}` and `{1}` cannot be used together")]
    Exclusive(&'static str, &'static str),
    /// A mapping that has none or several of the keys of which it needs exactly one.
    #[error("{owner} needs exactly one of {}", either(keys))]
    NotExactlyOne {
        /// What requires one of the keys.
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
    /// An empty string where a name is required.
    #[error("{0} cannot be empty")]
    EmptyName(&'static str),
    /// A product id that is declared twice.
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
    /// A product that neither the scenario declares nor an earlier step adds.
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
        /// The reason.
        error: CompileErrorKind,
        /// The names that the expression can use.
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
    /// A value that `data` does not declare.
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
    /// A `set` of a collection, where a value of `data` is required.
    #[error("`set` takes values of `data`, but `{0}` is a collection")]
    SetsCollection(String),
    /// An `increment` of a category, where a collection is required.
    #[error("`increment` takes rows of a collection, but `{0}` is a category")]
    IncrementsCategory(String),
    /// An `increment` of a value of `data`, where a collection is required.
    #[error("`increment` takes rows of a collection, but `{name}` is a value")]
    IncrementsValue {
        /// The value's name.
        name: String,
        /// The amount to add.
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
    /// Row ids that no single collection declares together.
    #[error("no collection declares all of these rows")]
    RowsOfSeveral,
    /// Row ids that are all declared by several collections.
    #[error("{} declare all of these rows", either(.0))]
    AmbiguousRows(Vec<String>),
    /// A key that is not implemented yet.
    #[error("`{0}` is not supported yet")]
    NotYet(&'static str),
    /// A verb outside the steps of streams and sockets.
    #[error("`{0}` is only allowed in the steps of streams and sockets")]
    OnlyInStream(&'static str),
    /// A step that is not allowed at its place in an endpoint.
    #[error(transparent)]
    Socket(#[from] SocketMistake),
    /// Two verbs where one is required.
    #[error("expected one verb, found `{0}` and `{1}`")]
    TwoVerbs(&'static str, &'static str),
    /// A time on a step that runs at the same moment as others.
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
    /// A warning: a topic that something waits for, but no step sends to.
    #[error("nothing is ever sent to `{topic}`")]
    NothingSent {
        /// The topic.
        topic: String,
        /// The closest topic that a step sends to.
        nearest: String,
    },
    /// A warning: an answer's file that does not exist.
    #[error("there is no file {0}")]
    MissingFile(String),
    /// A warning: an answer that no request can reach.
    #[error("no request can reach this answer")]
    UnreachableAnswer,
    /// A warning: a message rule that no message can reach.
    #[error("no message can reach this rule")]
    UnreachableMessageRule,
    /// A warning: text to compare that looks like an expression.
    #[error("`match` compares with this text and does not evaluate it")]
    MatchesExpression(String),
    /// A warning: text to compare that looks like a pattern. The field is an equivalent expression.
    #[error("`match` compares this text literally, including the `*`")]
    MatchesStar(String),
    /// Weights that are all 0.
    #[error("all weights are 0")]
    NoWeight,
    /// An empty range.
    #[error("the range is empty: min {min} is above max {max}")]
    EmptyRange {
        /// The lower bound as written.
        min: i64,
        /// The upper bound as written.
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
    /// A `jitter` that could move an event before the previous one.
    #[error("`jitter` is longer than `every`")]
    JitterTooLong,
    /// A step that repeats too many times at one moment.
    #[error("`times` above {MAX_AT_ONCE} needs `every`")]
    TooManyAtOnce,
    /// A script that repeats forever without taking any time.
    #[error("a script that repeats forever must take at least 1us")]
    InstantRepeat,
    /// A script that takes almost no time and repeats too many times.
    #[error("this script takes less than 1us, so its repeats make more than {MAX_AT_ONCE} actions at once")]
    TooManyRepeatsAtOnce,
    /// A step that ends later than the maximum time.
    #[error("the step ends later than 24000h")]
    TooLate,
    /// A file that cannot be included.
    #[error(transparent)]
    Include(#[from] ReadError),
    /// Files that include each other. The field is the path from a file back to itself.
    #[error("{} includes itself{}", .0.first().map_or("a file", String::as_str), by_way(.0))]
    IncludeCycle(Vec<String>),
    /// A fault name that is declared twice.
    #[error("fault `{0}` is declared twice")]
    DuplicateFault(String),
    /// A warning: a fault that can never match. The field is the reason.
    #[error("this fault can never match")]
    NeverMatches(String),
    /// A warning: a category whose path hides a file of the page.
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
    /// Too many keys merged from included files.
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
    /// A data file that refers to another data file.
    #[error("the file refers to another data file")]
    NamesData,
    /// An id that is neither text nor an integer. The field is the id as JSON.
    #[error("expected text or an integer, found {0}")]
    RowId(String),
    /// A row id that a collection declares twice.
    #[error("row id `{0}` is declared twice")]
    DuplicateRowId(String),
    /// A row of a table with more or fewer cells than its header.
    #[error("the row has {cells} cells, but the header has {fields}")]
    UnequalRow {
        /// The number of cells in the row.
        cells: u64,
        /// The number of cells in the header.
        fields: u64,
    },
    /// A quoted cell of a table without its closing quote.
    #[error("this quote is never closed")]
    UnclosedQuote,
    /// Too many generated rows.
    #[error("more than {0} rows")]
    TooManyRows(u64),
    /// Too much generated data.
    #[error("the rows exceed {0} MiB")]
    TooManyBytes(usize),
    /// An expression that fails while the scenario is loaded.
    #[error("`{expression}` {kind}")]
    ExpressionFails {
        /// The expression as written.
        expression: String,
        /// The failure.
        kind: RunErrorKind,
    },
}

impl ProblemKind {
    /// Returns whether this is a warning. A scenario with only warnings is valid.
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

    /// Returns the stable name for programs, such as `unknown-key`. It does not change when messages are reworded.
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

/// Lists keys as text: `a`, `b` and `c`.
fn either(keys: &[impl Display]) -> String {
    joined(&keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>(), "and")
}

/// Describes the files in the middle of an include cycle.
fn by_way(files: &[String]) -> String {
    match files {
        [_, middle @ .., _] if !middle.is_empty() => format!(" through {}", middle.join(", ")),
        _ => String::new(),
    }
}

/// The suffix of the description of a quoted value whose tag gives it another type than text.
pub(super) const BY_TAG: &str = ", by its tag";

/// All problems of a scenario, with its files. `Display` writes the report without colour.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Problems {
    /// The files of the scenario.
    pub sources: Sources,
    /// At least one problem, in the order of the files.
    pub list: Vec<Problem>,
}
