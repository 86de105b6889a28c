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
    /// An expression without quotes, which YAML reads as a mapping. As it has to be written.
    #[error("an expression has to be in quotes")]
    UnquotedExpression(String),
    /// A part of a value behind a comma, which YAML reads as a key.
    #[error("`{0}` is not a key: the comma before it ends the value")]
    StrayComma(String),
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
    /// A file without any of the keys that a scenario is made of.
    #[error("the scenario declares nothing")]
    #[strum(serialize = "missing-key")]
    DeclaresNothing,
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
    /// Routes that cannot be told apart.
    #[error(transparent)]
    RouteConflict(#[from] RouteError),
    /// Endpoints that cannot be told apart.
    #[error(transparent)]
    EndpointConflict(#[from] EndpointError),
    /// An expression that cannot be right.
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
    #[error("a key of `set` is text: the expression in it is not computed")]
    SetsComputedKey {
        /// The entry to write instead.
        meant: String,
    },
    /// A collection where a value of `data` is set.
    #[error("`{0}` is a collection")]
    SetsCollection(String),
    /// A category where numbers of rows are added to.
    #[error("`{0}` is a category, whose products have totals alone")]
    IncrementsCategory(String),
    /// A value of `data` where numbers of rows are added to.
    #[error("`{name}` is a value")]
    IncrementsValue {
        /// The value's name.
        name: String,
        /// What is added.
        by: String,
    },
    /// An id of a row that no collection declares.
    #[error("no collection declares a row `{id}`")]
    UnknownRow {
        /// The id as written.
        id: String,
        /// The closest id that there is.
        nearest: Option<String>,
    },
    /// Ids of rows that no collection declares all of.
    #[error("no collection declares all of these rows")]
    RowsOfSeveral,
    /// Ids of rows that several collections declare.
    #[error("{} declare all of these rows", either(.0))]
    AmbiguousRows(Vec<String>),
    /// A key of the language that does nothing yet.
    #[error("`{0}` is not supported yet")]
    NotYet(&'static str),
    /// A verb outside of a stream and of a socket.
    #[error("`{0}` is only for the steps of streams and sockets")]
    OnlyInStream(&'static str),
    /// A step that is not for its place in or beside an endpoint.
    #[error(transparent)]
    Socket(#[from] SocketMistake),
    /// Two verbs where one is needed.
    #[error("`{0}` and `{1}` are two verbs")]
    TwoVerbs(&'static str, &'static str),
    /// A time of a step among others that happen at one moment.
    #[error("`{0}` has no place among steps of one moment")]
    TimeInMoment(&'static str),
    /// More steps in a list than a mistake can be told from.
    #[error("a list of more than {0} steps")]
    TooManySteps(usize),
    /// Steps inside each other beyond all reason.
    #[error("steps are nested deeper than {0} levels")]
    StepsTooDeep(usize),
    /// A key that is no route.
    #[error(transparent)]
    Route(#[from] RouteMistake),
    /// A topic that something waits for, and that no step sends to: a warning.
    #[error("nothing is ever sent to `{topic}`")]
    NothingSent {
        /// The topic.
        topic: String,
        /// The closest one that something is sent to.
        nearest: String,
    },
    /// A file of an answer that is not there: a warning.
    #[error("there is no file {0}")]
    MissingFile(String),
    /// An answer that no request gets: a warning.
    #[error("no request gets this answer")]
    UnreachableAnswer,
    /// A message rule that no message gets to: a warning.
    #[error("no message gets to this rule")]
    UnreachableMessageRule,
    /// Text to compare a message with that looks like an expression: a warning.
    #[error("`match` compares with this text, and computes nothing")]
    MatchesExpression(String),
    /// Text of `match` that looks like a pattern, with an expression for it: a warning.
    #[error("`match` compares this text literally, including the `*`")]
    MatchesStar(String),
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
    /// A name that nothing of `data` can have.
    #[error("`{name}` cannot name data")]
    DataName {
        /// The name.
        name: String,
        /// The reason.
        why: &'static str,
    },
    /// A file of data whose name does not tell what is in it.
    #[error("`{0}` is no CSV, JSON or YAML file by its name")]
    UnknownDataFile(String),
    /// A file of data with nothing but blanks and comments.
    #[error("the file has no data")]
    EmptyDataFile,
    /// A file of data that names another.
    #[error("the file names data instead of having it")]
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
    /// A cell of a table that is quoted, up to the end of the file.
    #[error("this quote is never closed")]
    UnclosedQuote,
    /// More rows than are made.
    #[error("more than {0} rows")]
    TooManyRows(u64),
    /// More data than is made.
    #[error("the rows have more than {0} MiB")]
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
    /// Whether a scenario is good all the same.
    #[must_use]
    pub fn is_warning(&self) -> bool {
        if let Self::Expression { error, .. } = self {
            return error.is_warning();
        }
        matches!(
            self,
            Self::NeverMatches(_)
                | Self::MatchesExpression(_)
                | Self::MatchesStar(_)
                | Self::Socket(SocketMistake::JoinsAgain)
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
        [_, middle @ .., _] if !middle.is_empty() => format!(" by way of {}", middle.join(", ")),
        _ => String::new(),
    }
}

/// How a value of the wrong type ends that is quoted, and is no text because of its tag.
pub(super) const BY_TAG: &str = ", by its tag";

/// All that is wrong with a scenario, with the text it is about. `Display` is the rendered report without colour.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Problems {
    /// The files.
    pub sources: Sources,
    /// At least one problem, in the order of the files.
    pub list: Vec<Problem>,
}
