//! Syntax that other languages would evaluate in a text or key, but that is literal text here.

use std::ops::Range;

use serde_json::Value as Json;

use super::error::{CompileError, CompileErrorKind, PathStep, Place};
use super::names::Names;
use super::template::shifted;
use super::tokens::end_of_expression;

/// Finds all occurrences in a value whose expressions are valid.
pub(super) fn find(value: &Json, names: &Names) -> Vec<CompileError> {
    let mut finder = ForeignSyntax { names, path: Vec::new(), found: Vec::new() };
    finder.value(value);
    finder.found
}

struct ForeignSyntax<'o> {
    names: &'o Names<'o>,
    path: Vec<PathStep>,
    found: Vec<CompileError>,
}

impl ForeignSyntax<'_> {
    fn value(&mut self, value: &Json) {
        match value {
            Json::String(text) => self.text(text),
            Json::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.path.push(PathStep::Index(index));
                    self.value(item);
                    self.path.pop();
                }
            }
            Json::Object(fields) => {
                for (key, field) in fields {
                    self.path.push(PathStep::Key(key.clone()));
                    self.key(key);
                    self.value(field);
                    self.path.pop();
                }
            }
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
    }

    fn key(&mut self, key: &str) {
        let is_path = key.strip_prefix('$').is_some_and(|path| self.names.contains(first_word(path)));
        if key.starts_with("...") && key.len() > 3 {
            self.report(CompileErrorKind::SpreadKey(key.to_owned()), 0..0);
        } else if is_path || key.split_once("{{").is_some_and(|(_, rest)| rest.contains("}}")) {
            self.report(CompileErrorKind::InKey(key.to_owned()), 0..0);
        }
    }

    fn text(&mut self, text: &str) {
        for literal in literals(text) {
            let (start, literal) = (literal.start, &text[literal]);
            for (at, _) in literal.match_indices("${") {
                let Some((inner, _)) = literal[at + 2..].split_once('}') else { continue };
                if self.names.contains(first_word(inner.trim_start())) && !literal[..at].ends_with('$') {
                    let end = at + 2 + inner.len() + 1;
                    self.report(CompileErrorKind::DollarBraces(inner.trim().to_owned()), start + at..start + end);
                }
            }
            for (open, close) in [("{%", "%}"), ("{#", "#}")] {
                if let Some(range) = enclosed(literal, open, close) {
                    self.report(CompileErrorKind::Statement(open), shifted(range, start));
                }
            }
        }
    }

    fn report(&mut self, kind: CompileErrorKind, range: Range<usize>) {
        self.found.push(CompileError { kind, place: Place { path: self.path.clone(), range } });
    }
}

/// Returns the range of a text's first statement outside its expressions, such as `{% if a %}`.
pub(super) fn statement(text: &str) -> Option<Range<usize>> {
    let of_literal = |literal: Range<usize>| {
        let range = enclosed(&text[literal.clone()], "{%", "%}")?;
        Some(shifted(range, literal.start))
    };
    literals(text).into_iter().find_map(of_literal)
}

/// Returns the range from the first `open` of a text to the `close` after it.
fn enclosed(text: &str, open: &str, close: &str) -> Option<Range<usize>> {
    let start = text.find(open)?;
    let inner = start + open.len();
    Some(start..inner + text[inner..].find(close)? + close.len())
}

/// Returns the ranges of a text outside its expressions.
fn literals(text: &str) -> Vec<Range<usize>> {
    let (mut literals, mut at) = (Vec::new(), 0);
    while let Some(length) = text[at..].find("{{") {
        let expression = at + length + 2;
        literals.push(at..at + length);
        let Some(end) = end_of_expression(&text[expression..]) else { return literals };
        at = expression + end + 2;
    }
    literals.push(at..text.len());
    literals
}

/// Returns the letters, digits and `_` at the start of a text.
fn first_word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}
