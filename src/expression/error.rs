//! Errors in expressions, at load and at run time, with all of their messages.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use thiserror::Error;

use super::fake::KINDS;
use super::foreign;
use super::scope::NOW;
use super::tokens::MAX_TOKENS;
use crate::words::{joined, nearest, one_line};

/// A place in a template.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// The path of keys and indexes to the text; empty if the template is the text itself.
    pub path: Vec<PathStep>,
    /// The bytes of the text to mark.
    pub range: Range<usize>,
}

/// A step into a JSON value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathStep {
    /// The value of a key.
    Key(String),
    /// The item at an index, from 0.
    Index(usize),
}

/// An error in an expression, found before it runs. `Display` is the first line of the message.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{kind}")]
pub struct CompileError {
    /// The kind of error.
    pub kind: CompileErrorKind,
    /// The place of the error.
    pub place: Place,
}

/// A kind of error in an expression before it runs.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CompileErrorKind {
    /// The text is not an expression.
    #[error("not a valid expression: {0}")]
    Syntax(String),
    /// A `{{` without a matching `}}`.
    #[error("this `{{{{` has no `}}}}`")]
    Unclosed,
    /// A bracket that is still open where its expression ends. The field is the bracket.
    #[error("this `{0}` has no `{closing}`", closing = closing(*.0))]
    UnclosedBracket(char),
    /// An empty expression.
    #[error("the expression is empty")]
    Empty,
    /// Braces around an expression where none are allowed.
    #[error("an expression is written without `{{{{ }}}}` here")]
    Braces,
    /// A `$` before an expression where none is allowed.
    #[error("an expression is written without `$` here")]
    Dollar,
    /// `$name` inside longer text.
    #[error("`${0}` inside longer text is not evaluated")]
    InsideText(String),
    /// An expression after a `$`, which takes only a path.
    #[error("`$` takes a name and its fields, not a whole expression")]
    NotAPath(String),
    /// A path in `${}`, the braces of another language; a warning.
    #[error("`${{{0}}}` is text")]
    DollarBraces(String),
    /// A statement or comment of a template language; a warning.
    #[error("`{0}` is text")]
    Statement(&'static str),
    /// A statement of a template language, next to or inside an expression that is invalid.
    #[error("there are no statements in expressions")]
    NoStatements,
    /// An expression in the key of a mapping; a warning.
    #[error("keys are text: the expression in `{0}` is not evaluated")]
    InKey(String),
    /// A key that would spread a value in another language; a warning.
    #[error("the key `{0}` is text and spreads nothing")]
    SpreadKey(String),
    /// An unknown name.
    #[error("unknown {what} `{name}`")]
    Unknown {
        /// What the name is used as.
        what: Word,
        /// The name as written.
        name: String,
        /// The closest known name.
        nearest: Option<String>,
    },
    /// A word or operator of another language.
    #[error("expressions have no `{written}`")]
    Foreign {
        /// The word or operator.
        written: String,
        /// The equivalent here.
        meant: String,
    },
    /// A field that the value never has.
    #[error("`{of}` has no field `{name}`")]
    UnknownField {
        /// The value's name.
        of: String,
        /// The field as written.
        name: String,
        /// The fields that it has.
        known: Box<[String]>,
    },
    /// A field of a list of rows.
    #[error("`{of}` is a list of rows, which has no field `{field}`")]
    FieldOfRows {
        /// The list's name.
        of: String,
        /// The field as written.
        field: String,
    },
    /// A field whose name contains a `-`, which means subtraction here.
    #[error("`{written}` is a subtraction")]
    Subtraction {
        /// The expression as written.
        written: String,
        /// The path to the field in brackets.
        meant: String,
    },
    /// A field whose name has `_` instead of `-`.
    #[error("the field `{field}` has `_` instead of `-`")]
    Underscore {
        /// The field as written.
        field: String,
        /// The path to the field with `-`.
        meant: String,
    },
    /// A field name where `map` expects the name of a filter.
    #[error("unknown filter `{name}`")]
    MappedField {
        /// The name as written.
        name: String,
        /// The closest filter.
        nearest: Option<String>,
    },
    /// A function that is used without a call.
    #[error("`{0}` is a function")]
    NotCalled(String),
    /// A call of something that is not a function.
    #[error("`{0}` is not a function")]
    NotAFunction(String),
    /// A method call.
    #[error("values have no method `{0}`")]
    Method(String),
    /// A call with the wrong number of arguments, or with unknown named arguments.
    #[error("`{name}` takes {takes}")]
    Arguments {
        /// The function or filter.
        name: String,
        /// What it takes, in words.
        takes: &'static str,
        /// What was most likely meant, if known.
        meant: Option<String>,
    },
    /// Too many tokens.
    #[error("the expression has more than {MAX_TOKENS} tokens")]
    TooLong,
    /// Lists and mappings nested too deeply.
    #[error("nested deeper than {0} levels")]
    TooDeep(usize),
}

/// Returns the bracket that closes another.
fn closing(bracket: char) -> char {
    match bracket {
        '(' => ')',
        '[' => ']',
        _ => '}',
    }
}

/// What a word in an expression refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are self-explanatory")]
pub enum Word {
    Name,
    Function,
    Filter,
    Test,
    /// A kind of data for `fake`.
    Kind,
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "name",
            Self::Function => "function",
            Self::Filter => "filter",
            Self::Test => "test",
            Self::Kind => "kind",
        })
    }
}

/// What to use instead of `{% if … %}` and `{% for … %}`.
const IN_PLACE_OF_STATEMENTS: &str = "use `{{ a if condition else b }}` to choose, `{{ list | map(attribute='field') | join(', ') }}` to write a list, and steps with `when` and `each` to decide and repeat";

impl CompileErrorKind {
    /// Returns whether it is a warning. The expression is then still valid.
    #[must_use]
    pub fn is_warning(&self) -> bool {
        matches!(self, Self::DollarBraces(_) | Self::Statement(_) | Self::InKey(_) | Self::SpreadKey(_))
    }

    /// Returns the name that was most likely meant.
    #[must_use]
    pub fn suggestion(&self) -> Option<&str> {
        match self {
            Self::Unknown { nearest, .. } => nearest.as_deref(),
            Self::UnknownField { name, known, .. } => nearest(name, known.iter().map(String::as_str)),
            Self::Subtraction { meant, .. } | Self::Underscore { meant, .. } => Some(meant),
            _ => None,
        }
    }

    /// Returns what to do about the error.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        if let Some(suggestion) = self.suggestion() {
            return Some(format!("did you mean `{suggestion}`?"));
        }
        Some(match self {
            Self::Unknown { what: Word::Name, .. } => return None,
            Self::Unknown { what: Word::Kind, .. } => {
                let kinds: Vec<String> = KINDS.iter().map(|kind| format!("`{kind}`")).collect();
                format!("the kinds are {}", joined(&kinds, "and"))
            }
            Self::Unknown { what, name, .. } => {
                foreign::call(name).unwrap_or_else(|| format!("`mockd explain expressions` lists every {what}"))
            }
            Self::Method(name) => return foreign::call(name),
            Self::Foreign { written, meant } if foreign::changes(written) => {
                format!("write `{meant}`; the steps `set` and `increment` change values")
            }
            Self::Foreign { meant, .. } => format!("write `{meant}`"),
            Self::Arguments { meant, .. } => format!("write `{}`", meant.as_ref()?),
            Self::UnknownField { of, known, .. } => match &**known {
                [] => return None,
                [only] => format!("the only field of `{of}` is `{only}`"),
                known => {
                    let known: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
                    format!("the fields of `{of}` are {}", joined(&known, "and"))
                }
            },
            Self::FieldOfRows { of, field } if ["length", "count", "size"].contains(&&**field) => {
                format!("write `{of} | length` for the number of rows")
            }
            Self::FieldOfRows { of, field } => format!(
                "write `{of} | map(attribute='{field}')` for the field of each row, or `({of} | find(1)).{field}` for the field of one row"
            ),
            Self::MappedField { name, nearest } => {
                let meant = nearest.as_ref().map(|nearest| format!("did you mean `{nearest}`? ")).unwrap_or_default();
                format!("{meant}write `map(attribute='{name}')` for the field of each item")
            }
            Self::UnclosedBracket(_) => "close it before the `}}` that ends the expression".into(),
            Self::Unclosed => "write `{{ '{{' }}` for two braces as text".into(),
            Self::Braces => "remove the braces".into(),
            Self::Dollar => "remove the `$`".into(),
            Self::InsideText(name) => format!("write `{{{{ {name} }}}}` for its value, `$${name}` for the text"),
            Self::NotAPath(expression) => format!("write `{{{{ {expression} }}}}`"),
            Self::DollarBraces(expression) => format!("write `{{{{ {expression} }}}}` for its value"),
            Self::Statement("{#") => "expressions have no comments; YAML comments start with `#`".into(),
            Self::Statement(_) => format!("expressions have no statements: {IN_PLACE_OF_STATEMENTS}"),
            Self::NoStatements => IN_PLACE_OF_STATEMENTS.into(),
            Self::InKey(key) => {
                let key = key.trim_matches(['$', '{', '}', ' ']);
                format!("write the whole mapping as one expression: `\"{{{{ {{{key}: value}} }}}}\"`")
            }
            Self::SpreadKey(key) => {
                let value = key.trim_start_matches(['.', '$']);
                format!("write the whole mapping as one expression: `\"{{{{ dict({value}, name=value) }}}}\"`")
            }
            Self::NotCalled(name) => format!("call it: `{name}(…)`"),
            Self::NotAFunction(name) if name == NOW => "write `now.iso`, `now.ms` or `now.s`".into(),
            Self::NotAFunction(_) => "remove the parentheses".into(),
            _ => return None,
        })
    }
}

/// An error in a running expression. `Display` is the whole message.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "`{}` {kind}{}{}",
    one_line(expression),
    location.as_deref().map(|location| format!(" ({location})")).unwrap_or_default(),
    remedy(kind, &one_line(expression))
)]
pub struct RunError {
    /// The kind of error.
    pub kind: RunErrorKind,
    /// The place of the error.
    pub place: Place,
    /// The expression as written, or the part of it that is undefined.
    pub expression: String,
    /// The location in a file, such as `pizza.yaml:12:20`; `None` if it is not known.
    pub location: Option<Arc<str>>,
}

/// Returns the part of the message that says how to fix the error.
fn remedy(kind: &RunErrorKind, expression: &str) -> String {
    let has_parts = expression.contains(char::is_whitespace);
    let value = if has_parts { format!("({expression})") } else { expression.to_owned() };
    let other = match kind {
        RunErrorKind::Undefined => format!("{{{{ {value} or '' }}}}"),
        RunErrorKind::UndefinedList => format!("{{{{ {value} or [] }}}}"),
        RunErrorKind::UndefinedOperand("") => format!("({value} or '')"),
        RunErrorKind::UndefinedOperand(filter) => format!("({value} or {}) | {filter}", empty_value(filter)),
        _ => return String::new(),
    };
    let length = expression.strip_suffix(".length");
    let length = length.map(|value| format!("; for the length, write `{value} | length`")).unwrap_or_default();
    format!("; provide a fallback with `or`: `{other}`{length}")
}

/// Returns an empty value that the filter accepts.
fn empty_value(filter: &str) -> &'static str {
    match filter {
        "abs" | "fixed" | "float" | "int" | "round" => "0",
        "capitalize" | "e" | "escape" | "format" | "fromjson" | "indent" | "lines" | "lower" | "replace" | "split"
        | "string" | "title" | "trim" | "upper" => "''",
        "attr" | "dictsort" | "items" => "{}",
        "bool" => "false",
        _ => "[]",
    }
}

/// A kind of error in a running expression.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RunErrorKind {
    /// A required value is undefined.
    #[error("is undefined")]
    Undefined,
    /// A required list is undefined.
    #[error("is undefined")]
    UndefinedList,
    /// The operand of `~` or of a filter is undefined. The field is the name of the filter; empty for `~`.
    #[error("is undefined")]
    UndefinedOperand(&'static str),
    /// A function, or another value that JSON cannot represent.
    #[error("is not a JSON value")]
    NotJson,
    /// Too many steps.
    #[error("takes more than {0} steps")]
    OutOfFuel(u64),
    /// A value of too many bytes.
    #[error("exceeds {0} bytes of JSON")]
    TooLong(usize),
    /// A value nested too deeply.
    #[error("is nested deeper than {0} levels")]
    TooDeep(usize),
    /// An operation that its operands do not allow.
    #[error("fails: {0}")]
    Failed(String),
}
