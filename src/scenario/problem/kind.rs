//! The kinds of problems, with the first lines of their messages.

use std::fmt::Display;

use strum::IntoStaticStr;
use thiserror::Error;

use super::{DataMistake, ReferenceMistake, RouteMistake, SocketMistake, SyntaxMistake, TimingMistake};
use crate::expression::CompileErrorKind;
use crate::scenario::endpoint::EndpointError;
use crate::scenario::origin::OriginError;
use crate::scenario::route::RouteError;
use crate::scenario::source::ReadError;
use crate::scenario::units::{MAX_TOTAL, UnitError};
use crate::words::joined;

/// The kind of a problem. `Display` writes the first line of the message.
#[derive(Debug, Clone, PartialEq, Error, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum ProblemKind {
    /// Text that cannot be read as YAML or JSON.
    #[error(transparent)]
    Syntax(#[from] SyntaxMistake),
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
    /// A mapping that needs exactly one of some keys, and has none or several of them.
    #[error("{owner} needs exactly one of {}", quoted_list(keys))]
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
    /// An entry of `cors` that no browser would send.
    #[error(transparent)]
    NotAnOrigin(#[from] OriginError),
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
    /// An expression in a key of `set`.
    #[error("a key of `set` cannot contain an expression")]
    SetsComputedKey {
        /// The entry to write instead.
        meant: String,
    },
    /// A key that is not implemented yet.
    #[error("`{0}` is not supported yet")]
    NotYet(&'static str),
    /// A verb outside the steps of streams and sockets.
    #[error("`{0}` is only allowed in the steps of streams and sockets")]
    OnlyInStream(&'static str),
    /// A reference to something that does not exist or has the wrong kind.
    #[error(transparent)]
    Reference(#[from] ReferenceMistake),
    /// A time or repeat that is not possible.
    #[error(transparent)]
    Timing(#[from] TimingMistake),
    /// An invalid entry of `data` or data file.
    #[error(transparent)]
    Data(#[from] DataMistake),
    /// A step that is not allowed at its place in an endpoint.
    #[error(transparent)]
    Socket(#[from] SocketMistake),
    /// Two verbs where one is required.
    #[error("expected one verb, found `{0}` and `{1}`")]
    TwoVerbs(&'static str, &'static str),
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
    /// A file that cannot be included.
    #[error(transparent)]
    Include(#[from] ReadError),
    /// Files that include each other. The field is the path from a file back to itself.
    #[error("{} includes itself{}", .0.first().map_or("a file", String::as_str), cycle_path(.0))]
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
    /// A data file with an unknown extension.
    #[error("`{0}` is not the name of a CSV, JSON or YAML file")]
    UnknownDataFile(String),
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
            Self::Syntax(mistake) => mistake.into(),
            Self::Reference(mistake) => mistake.into(),
            Self::Timing(mistake) => mistake.into(),
            Self::Data(mistake) => mistake.into(),
            Self::Route(mistake) => mistake.into(),
            Self::Socket(mistake) => mistake.into(),
            kind => kind.into(),
        }
    }
}

/// Joins words into a list in backquotes: `a`, `b` and `c`.
pub(super) fn quoted_list(keys: &[impl Display]) -> String {
    joined(&keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>(), "and")
}

/// Describes the files in the middle of an include cycle.
fn cycle_path(files: &[String]) -> String {
    match files {
        [_, middle @ .., _] if !middle.is_empty() => format!(" through {}", middle.join(", ")),
        _ => String::new(),
    }
}
