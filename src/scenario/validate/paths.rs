//! Parses the keys of routes and endpoints, such as `GET /todos/{id}`.

use std::ops::Range;

use percent_encoding::percent_decode_str;

use crate::scenario::problem::{ProblemKind, RouteMistake};
use crate::scenario::{PathPattern, RouteMethod};

/// The parsed key of a route.
#[derive(Debug, PartialEq)]
pub(super) struct RouteKey {
    /// `None` for a route with `crud`.
    pub(super) method: Option<RouteMethod>,
    pub(super) path: PathPattern,
}

/// A problem with a key, and the invalid bytes.
type Mistake = (ProblemKind, Range<usize>);

/// The allowed methods.
const METHODS: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE", "ANY"];

/// Parses the key of a route, or returns everything that is wrong with it.
pub(super) fn read(key: &str) -> (Option<RouteKey>, Vec<Mistake>) {
    let mut mistakes = Vec::new();
    let (word, start) = match key.split_once(char::is_whitespace) {
        Some((word, rest)) if !key.starts_with('/') => (Some(word), key.len() - rest.trim_start().len()),
        None if METHODS.contains(&key) => (Some(key), key.len()),
        _ => (None, 0),
    };
    let method = word.and_then(|word| {
        let method = method(word);
        if method.is_none() {
            mistakes.push((ProblemKind::NotOneOf { found: word.to_owned(), expected: METHODS }, 0..word.len()));
        }
        method
    });
    let mut path = Path { text: key, pattern: PathPattern::default(), names: Vec::new(), mistakes };
    path.read(start..key.trim_end().len().max(start));
    if !path.mistakes.is_empty() {
        return (None, path.mistakes);
    }
    (Some(RouteKey { method, path: path.pattern }), Vec::new())
}

/// Parses the path of an endpoint, or returns everything that is wrong with it.
pub(super) fn read_path(key: &str) -> (Option<PathPattern>, Vec<Mistake>) {
    let path_start = key.find('/').unwrap_or_default();
    if METHODS.contains(&&*key[..path_start].trim().to_ascii_uppercase()) {
        let mistake = RouteMistake::MethodOfEndpoint(key[path_start..].trim_end().to_owned());
        return (None, vec![(mistake.into(), 0..key.len())]);
    }
    if key.trim().is_empty() {
        let mistake = RouteMistake::NoSlash(String::new());
        return (None, vec![(mistake.into(), 0..key.len())]);
    }
    let mut path = Path { text: key, pattern: PathPattern::default(), names: Vec::new(), mistakes: Vec::new() };
    path.read(0..key.trim_end().len());
    if path.mistakes.is_empty() { (Some(path.pattern), Vec::new()) } else { (None, path.mistakes) }
}

/// Returns the method with an upper-case name.
pub(super) fn method(word: &str) -> Option<RouteMethod> {
    Some(match word {
        "GET" => RouteMethod::Get,
        "POST" => RouteMethod::Post,
        "PUT" => RouteMethod::Put,
        "PATCH" => RouteMethod::Patch,
        "DELETE" => RouteMethod::Delete,
        "ANY" => RouteMethod::Any,
        _ => return None,
    })
}

struct Path<'k> {
    text: &'k str,
    pattern: PathPattern,
    names: Vec<&'k str>,
    mistakes: Vec<Mistake>,
}

impl<'k> Path<'k> {
    fn mistake(&mut self, mistake: RouteMistake, range: Range<usize>) {
        self.mistakes.push((mistake.into(), range));
    }

    fn read(&mut self, range: Range<usize>) {
        let path = &self.text[range.clone()];
        if path.is_empty() {
            return self.mistake(RouteMistake::NoPath, 0..self.text.len());
        }
        if let Some((at, c)) = path.char_indices().find(|(_, c)| ['?', '#'].contains(c)) {
            return self.mistake(RouteMistake::NotPath(c), range.start + at..range.end);
        }
        let Some(segments) = path.strip_prefix('/') else {
            return self.mistake(RouteMistake::NoSlash(path.to_owned()), range);
        };
        // A trailing slash is ignored.
        let segments = segments.strip_suffix('/').unwrap_or(segments);
        if segments.is_empty() {
            return;
        }
        let mut start = range.start + 1;
        let mut rest: Option<Range<usize>> = None;
        for segment in segments.split('/') {
            let place = start..start + segment.len();
            start = place.end + 1;
            if let Some(rest) = rest.take() {
                let written = self.text[rest.clone()].to_owned();
                self.mistake(RouteMistake::RestNotLast(written), rest);
            }
            if self.segment(segment, place.clone()) {
                rest = Some(place);
            }
        }
    }

    /// Parses a segment. Returns whether it matches the rest of a path.
    fn segment(&mut self, segment: &'k str, place: Range<usize>) -> bool {
        let is_first = place.start == self.text.find('/').map_or(0, |slash| slash + 1);
        if segment.is_empty() {
            self.mistake(RouteMistake::EmptySegment, place.start - 1..place.end + 1);
        } else if is_first && (segment == "__mockd" || segment.starts_with('@')) {
            self.mistake(RouteMistake::Reserved(format!("/{segment}")), place.start - 1..place.end);
        } else if let Some(meant) = other_syntax(segment) {
            self.mistake(RouteMistake::OtherSyntax { written: segment.to_owned(), meant }, place);
        } else if !segment.contains(['{', '}']) {
            let text = percent_decode_str(segment).decode_utf8().unwrap_or(segment.into());
            self.pattern = std::mem::take(&mut self.pattern).literal(&*text);
        } else {
            return self.parameter(segment, place);
        }
        false
    }

    fn parameter(&mut self, segment: &'k str, place: Range<usize>) -> bool {
        let inner = segment.strip_prefix('{').and_then(|segment| segment.strip_suffix('}')).unwrap_or_default();
        let (name, is_rest) = inner.strip_prefix('*').map_or((inner, false), |name| (name, true));
        if !is_name(name) {
            self.mistake(RouteMistake::Braces(segment.to_owned()), place);
            return false;
        }
        if self.names.contains(&name) {
            self.mistake(RouteMistake::SameParameter(name.to_owned()), place);
        }
        self.names.push(name);
        let pattern = std::mem::take(&mut self.pattern);
        self.pattern = if is_rest { pattern.rest(name).0 } else { pattern.parameter(name).0 };
        is_rest
    }
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

/// Converts a segment in the parameter syntax of another router: `:id`, `<id>`, `*` or `*rest`.
fn other_syntax(segment: &str) -> Option<String> {
    let angle = || segment.strip_prefix('<')?.strip_suffix('>')?.rsplit(':').next();
    if let Some(name) = segment.strip_prefix(':').or_else(angle).filter(|name| is_name(name)) {
        return Some(format!("{{{name}}}"));
    }
    let name = segment.strip_prefix('*')?.trim_start_matches('*');
    match name {
        "" => Some("{*rest}".into()),
        name => is_name(name).then(|| format!("{{*{name}}}")),
    }
}
