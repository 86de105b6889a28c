//! Text that cannot be read as YAML or JSON.

use strum::IntoStaticStr;
use thiserror::Error;

use super::advice::WHAT_TO_DECLARE;

/// The reason why a file cannot be read into a tree. `Display` writes the first line of the message.
#[derive(Debug, Clone, PartialEq, Eq, Error, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum SyntaxMistake {
    /// Text that is not YAML.
    #[error("not valid YAML: {0}")]
    #[strum(serialize = "syntax")]
    Yaml(String),
    /// A tab where YAML allows only spaces.
    #[error("a tab here; YAML indents with spaces")]
    Tab,
    /// A bracket without its closing one.
    #[error("this `{0}` is never closed")]
    UnclosedBracket(char),
    /// Text that is not JSON, in a file whose name ends in `.json`.
    #[error("not valid JSON: {0}")]
    #[strum(serialize = "json-syntax")]
    Json(String),
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
}

impl SyntaxMistake {
    /// Returns the label at the caret, or an empty string.
    pub(super) fn label(&self) -> &'static str {
        match self {
            Self::UnquotedExpression(_) => "YAML reads this as a mapping",
            _ => "",
        }
    }

    /// Returns advice on how to fix the text.
    pub(super) fn help(&self) -> Option<String> {
        Some(match self {
            Self::UnquotedExpression(expression) => format!("write {}", quoted(expression)),
            Self::StrayComma(_) => "put the whole value in quotes".into(),
            Self::Empty => WHAT_TO_DECLARE.into(),
            Self::Yaml(message) if message.contains("flow") => {
                "check the quotes and brackets on this line and the one above; inside `{ }` and `[ ]`, text that contains `: ` or one of `,[]{}` needs quotes".into()
            }
            Self::Yaml(message) if message.contains("mapping values") => {
                "check the indentation on this line and the one above; text that contains `: ` needs quotes".into()
            }
            Self::Yaml(_) => "check the indentation, quotes and brackets on this line and the one above".into(),
            Self::Json(_) => {
                "JSON has keys and text in double quotes, no comments, and no comma after the last item".into()
            }
            Self::SecondDocument => "keep one scenario per file: move everything below the `---` into another file".into(),
            Self::UnknownAnchor(name) => format!(
                "anchors work only within one file: define `&{name}` in this file, above the alias; keys that start with `x-` hold values that only aliases use"
            ),
            Self::UnknownTag(tag) if tag.starts_with('!') => {
                "remove it: the type of a value follows from how it is written; to negate an expression, write `not x`".into()
            }
            Self::UnknownTag(_) => "remove it: the type of a value follows from how it is written".into(),
            Self::NotUtf8 | Self::Utf16 => "save the file as UTF-8".into(),
            Self::Tab => "replace it with spaces".into(),
            _ => return None,
        })
    }
}

/// Quotes text as a YAML scalar.
fn quoted(text: &str) -> String {
    if text.contains('"') { format!("'{}'", text.replace('\'', "''")) } else { format!("\"{text}\"") }
}
