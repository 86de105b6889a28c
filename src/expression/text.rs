//! The expressions in a text, with their places.

use std::ops::Range;

use super::error::CompileErrorKind;
use super::tokens::{end_of_expression, unclosed_bracket};

/// A parsed text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ParsedText<'t> {
    /// Literal text, with `$$` for `$`.
    Text(String),
    /// A path without its `$`, such as `msg.id`. It starts at byte 1 of the text.
    Path(&'t str),
    /// A single expression, whose value is the value of the text.
    Expression(Range<usize>),
    /// Text with expressions in it.
    Parts(Vec<Part>),
}

/// A part of a text with expressions in it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    Text(String),
    Expression(Range<usize>),
}

/// Parses a text. `is_name` returns whether a name exists.
pub(super) fn parse(
    text: &str,
    is_name: impl Fn(&str) -> bool,
) -> Result<ParsedText<'_>, (CompileErrorKind, Range<usize>)> {
    if let Some(path) = text.strip_prefix('$').filter(|path| is_path(path)) {
        return Ok(ParsedText::Path(path));
    }
    let (mut parts, mut literal, mut at) = (Vec::new(), String::new(), 0);
    while let Some(found) = text[at..].find(['$', '{']) {
        let (before, rest) = text[at..].split_at(found);
        literal.push_str(before);
        let start = at + found;
        at = start
            + if let Some(expression) = rest.strip_prefix("{{") {
                let length = end_of_expression(expression).ok_or_else(|| match unclosed_bracket(expression) {
                    Some((bracket, at)) => (CompileErrorKind::UnclosedBracket(bracket), start + 2 + at..start + 3 + at),
                    None => (CompileErrorKind::Unclosed, start..start + 2),
                })?;
                if !literal.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut literal)));
                }
                parts.push(Part::Expression(start + 2..start + 2 + length));
                length + 4
            } else if rest.starts_with("$$") {
                literal.push('$');
                2
            } else {
                let path = path_at(&rest[1..]);
                let name = path.split('.').next().unwrap_or_default();
                if rest.starts_with('$') && is_name(name) {
                    return Err((CompileErrorKind::InsideText(path.to_owned()), start..start + 1 + path.len()));
                }
                literal.push_str(&rest[..1]);
                1
            };
    }
    literal.push_str(&text[at..]);
    if parts.is_empty() {
        return Ok(ParsedText::Text(literal));
    }
    if let ([Part::Expression(range)], "") = (&parts[..], &*literal) {
        return Ok(ParsedText::Expression(range.clone()));
    }
    if !literal.is_empty() {
        parts.push(Part::Text(literal));
    }
    Ok(ParsedText::Parts(parts))
}

/// Returns whether a text contains an expression, or is a path such as `$msg.id`.
#[must_use]
pub fn has_expression(text: &str) -> bool {
    matches!(parse(text, |_| false), Ok(ParsedText::Path(_) | ParsedText::Expression(_) | ParsedText::Parts(_)))
}

/// Returns whether a text is a name followed by steps, such as `msg.items.0` or `headers.x-api-key`.
fn is_path(path: &str) -> bool {
    let is_step = |step: &str| !step.is_empty() && step.chars().all(is_step_char);
    path.starts_with(|c: char| c.is_ascii_alphabetic()) && path.split('.').all(is_step)
}

/// Returns the path at the start of a text, without trailing punctuation.
fn path_at(text: &str) -> &str {
    let end = text.find(|c: char| !is_step_char(c) && c != '.').unwrap_or(text.len());
    text[..end].trim_end_matches(['.', '-'])
}

fn is_step_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-'
}
