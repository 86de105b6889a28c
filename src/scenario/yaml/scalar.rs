//! Resolution of scalars and of tags, which are limited to the types of JSON.
//!
//! Plain scalars are resolved by the YAML 1.2 core schema (chapter 10.3), with two exceptions. A number with a leading
//! zero (`010`) stays text, because it is far more often an id or an article number than an integer. Octal `0o17` and
//! hexadecimal `0x1F` stay text, because JSON has neither.

use saphyr_parser::{ScalarStyle, Tag};

use crate::scenario::problem::{Problem, ProblemKind, SyntaxMistake};
use crate::scenario::source::Span;

/// The value of a plain scalar.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Scalar<'a> {
    Null,
    Bool(bool),
    Integer(i64),
    Unsigned(u64),
    Float(f64),
    /// `.inf`, `.nan`, or a number too large for an `f64`.
    NotFinite,
    Text(&'a str),
}

pub(super) fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

pub(super) fn resolve(text: &str) -> Scalar<'_> {
    match text {
        _ if is_null(text) => return Scalar::Null,
        "true" | "True" | "TRUE" => return Scalar::Bool(true),
        "false" | "False" | "FALSE" => return Scalar::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Scalar::NotFinite,
        _ => {}
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        return Scalar::NotFinite;
    }
    match shape(unsigned) {
        NumberForm::Other => Scalar::Text(text),
        NumberForm::Integer => {
            let digits = text.strip_prefix('+').unwrap_or(text);
            (digits.parse().map(Scalar::Integer))
                .or_else(|_| digits.parse().map(Scalar::Unsigned))
                .unwrap_or_else(|_| float(digits))
        }
        NumberForm::Float => float(text),
    }
}

fn float(text: &str) -> Scalar<'_> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Scalar::Float(number),
        _ => Scalar::NotFinite,
    }
}

enum NumberForm {
    Integer,
    Float,
    Other,
}

/// Returns the form of a number without its sign: an integer `[0-9]+`, or a float
/// `(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`.
fn shape(text: &str) -> NumberForm {
    let digits = |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let whole = digits(text);
    let rest = &text[whole..];
    if whole > 1 && text.starts_with('0') {
        return NumberForm::Other;
    }
    if rest.is_empty() {
        return if whole > 0 { NumberForm::Integer } else { NumberForm::Other };
    }
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(after) => (digits(after), &after[digits(after)..]),
        None => (0, rest),
    };
    if whole + fraction == 0 {
        return NumberForm::Other;
    }
    let Some(exponent) = rest.strip_prefix(['e', 'E']) else {
        return if rest.is_empty() { NumberForm::Float } else { NumberForm::Other };
    };
    let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    if !exponent.is_empty() && digits(exponent) == exponent.len() { NumberForm::Float } else { NumberForm::Other }
}

/// Returns whether a scalar is resolved as plain. If not, it is text.
pub(super) fn is_plain(style: ScalarStyle, tag: Option<&Tag>, text: &str, span: Span) -> Result<bool, Problem> {
    expect_tag(tag, &["str", "int", "float", "bool", "null"], span)?;
    let Some(tag) = tag else { return Ok(style == ScalarStyle::Plain) };
    let expected = match (tag.suffix.as_str(), resolve(text)) {
        ("int", Scalar::Integer(_) | Scalar::Unsigned(_))
        | ("float", Scalar::Integer(_) | Scalar::Unsigned(_) | Scalar::Float(_) | Scalar::NotFinite)
        | ("bool", Scalar::Bool(_))
        | ("null", Scalar::Null) => return Ok(true),
        ("int", _) => "an integer",
        ("float", _) => "a number",
        ("bool", _) => "true or false",
        ("null", _) => "nothing",
        _ => return Ok(false),
    };
    let kind = ProblemKind::WrongType { expected: expected.to_owned(), found: format!("the text `{text}`") };
    Err(Problem::new(kind, span))
}

/// Rejects a tag for a type that JSON does not have, or that does not fit the kind of node.
pub(super) fn expect_tag(tag: Option<&Tag>, allowed: &[&str], span: Span) -> Result<(), Problem> {
    match tag {
        Some(tag) if !tag.is_yaml_core_schema() || !allowed.contains(&tag.suffix.as_str()) => {
            let name = format!("{}{}", tag.handle, tag.suffix);
            Err(Problem::new(SyntaxMistake::UnknownTag(name).into(), span))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Scalar, resolve};

    #[test]
    fn plain_scalars_follow_the_yaml_1_2_core_schema() {
        for (text, meaning) in [
            ("no", Scalar::Text("no")),
            ("010", Scalar::Text("010")),
            ("1_000", Scalar::Text("1_000")),
            ("0x1F", Scalar::Text("0x1F")),
            ("1.2.3", Scalar::Text("1.2.3")),
            (".", Scalar::Text(".")),
            ("-", Scalar::Text("-")),
            ("1e", Scalar::Text("1e")),
            ("true", Scalar::Bool(true)),
            ("~", Scalar::Null),
            ("0", Scalar::Integer(0)),
            ("-12", Scalar::Integer(-12)),
            ("+7", Scalar::Integer(7)),
            ("18446744073709551615", Scalar::Unsigned(u64::MAX)),
            ("99.50", Scalar::Float(99.5)),
            (".5", Scalar::Float(0.5)),
            ("1e2", Scalar::Float(100.0)),
            ("-.inf", Scalar::NotFinite),
            ("1e999", Scalar::NotFinite),
        ] {
            assert_eq!(resolve(text), meaning, "{text}");
        }
    }
}
