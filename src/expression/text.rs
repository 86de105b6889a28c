//! Where the expressions in a text are.

use std::ops::Range;

use super::error::CompileErrorKind;
use super::tokens::end_of_expression;

/// The meaning of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said<'t> {
    /// Literal text, with `$$` for `$`.
    Text(String),
    /// A path without its `$`, such as `msg.id`; it starts at byte 1.
    Path(&'t str),
    /// One expression, whose value is the text's.
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

/// Reads a text; `is_name` tells whether a name exists.
pub(super) fn read(text: &str, is_name: impl Fn(&str) -> bool) -> Result<Said<'_>, (CompileErrorKind, Range<usize>)> {
    if let Some(path) = text.strip_prefix('$').filter(|path| is_path(path)) {
        return Ok(Said::Path(path));
    }
    let (mut parts, mut literal, mut at) = (Vec::new(), String::new(), 0);
    while let Some(found) = text[at..].find(['$', '{']) {
        let (before, rest) = text[at..].split_at(found);
        literal.push_str(before);
        let start = at + found;
        at = start
            + if let Some(expression) = rest.strip_prefix("{{") {
                let length = end_of_expression(expression).ok_or((CompileErrorKind::Unclosed, start..start + 2))?;
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
        return Ok(Said::Text(literal));
    }
    if let ([Part::Expression(range)], "") = (&parts[..], &*literal) {
        return Ok(Said::Expression(range.clone()));
    }
    if !literal.is_empty() {
        parts.push(Part::Text(literal));
    }
    Ok(Said::Parts(parts))
}

/// Whether it is a name followed by steps, such as `msg.items.0` or `headers.x-api-key`.
fn is_path(path: &str) -> bool {
    let is_step = |step: &str| !step.is_empty() && step.chars().all(is_step_char);
    path.starts_with(|c: char| c.is_ascii_alphabetic()) && path.split('.').all(is_step)
}

/// The path that a text starts with, without punctuation at its end.
fn path_at(text: &str) -> &str {
    let end = text.find(|c: char| !is_step_char(c) && c != '.').unwrap_or(text.len());
    text[..end].trim_end_matches(['.', '-'])
}

fn is_step_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-'
}
