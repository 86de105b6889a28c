//! Reads JSON into the tree. YAML includes almost all of JSON, except surrogate pairs and tabs as indentation.
//!
//! `serde_json` decides whether text is JSON, and decodes strings with escapes. This module only finds the span of each
//! value.

use std::borrow::Cow;
use std::path::Path;

use serde::de::IgnoredAny;

use super::build::Builder;
use crate::scenario::problem::{Problem, SyntaxMistake};
use crate::scenario::source::{Source, Span};

/// Returns whether a file is JSON. A file whose name ends in `.json` must be JSON.
///
/// # Errors
/// Returns a problem if the name ends in `.json` but the text is not JSON.
pub(super) fn is_json(source: &Source, base: u32) -> Result<bool, Problem> {
    let text = source.text();
    let has_json_name = is_named_json(source.path()) && !text.trim().is_empty();
    if !has_json_name && !text.trim_start().starts_with(['{', '[']) {
        return Ok(false);
    }
    match serde_json::from_str::<IgnoredAny>(text) {
        Ok(_) => Ok(true),
        Err(error) if has_json_name => {
            let line = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
            let at = text.floor_char_boundary(line + error.column().saturating_sub(1));
            Err(syntax(&error, base + offset(at)))
        }
        Err(_) => Ok(false),
    }
}

fn is_named_json(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"))
}

fn syntax(error: &serde_json::Error, at: u32) -> Problem {
    // The report shows the place separately.
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or_default().to_owned();
    Problem::new(SyntaxMistake::Json(message).into(), Span { start: at, end: at + 1 })
}

/// Converts an offset. It always fits, because a file has less than 2^28 bytes.
fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

impl Builder<'_, '_> {
    /// Reads text that is known to be JSON and starts at offset `base`.
    pub(super) fn read_json(&mut self, text: &str, base: u32) -> Result<(), Problem> {
        let mut rest = text;
        while let Some(first) = rest.bytes().next() {
            let at = text.len() - rest.len();
            let length = match first {
                b'"' => string_length(rest),
                b'{' | b'[' | b'}' | b']' | b',' | b':' | b' ' | b'\t' | b'\r' | b'\n' => 1,
                _ => rest.find(|c| ",]} \t\r\n".contains(c)).unwrap_or(rest.len()),
            };
            let (written, after) = rest.split_at(length);
            rest = after;
            let span = Span { start: base + offset(at), end: base + offset(at + length) };
            match first {
                b'{' | b'[' => self.start(span, 0, first == b'{')?,
                b'}' | b']' => self.end(span)?,
                b',' | b':' | b' ' | b'\t' | b'\r' | b'\n' => {}
                b'"' if written.contains('\\') => {
                    let text: String = serde_json::from_str(written).map_err(|error| syntax(&error, span.start))?;
                    self.scalar(text.into(), false, 0, span)?;
                }
                b'"' => self.scalar(Cow::Owned(written.trim_matches('"').to_owned()), false, 0, span)?,
                _ => self.scalar(Cow::Owned(written.to_owned()), true, 0, span)?,
            }
        }
        Ok(())
    }
}

/// Returns the length in bytes of the string at the start of `text`, with its quotes.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    let end = text.bytes().skip(1).position(|byte| {
        let is_end = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        is_end
    });
    end.map_or(text.len(), |end| end + 2)
}
