//! Reports of problems: rendered for people, and as data for programs.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{Annotation, AnnotationKind, Level, Renderer, Snippet};
use serde_json::{Value, json};

use super::load::LoadError;
use super::problem::{Problem, Problems};
use super::source::{Source, Sources, Span};

/// The maximum number of problems to render. The rest are only counted: nobody reads that many, and rendering each one
/// searches the file.
const MOST_DRAWN: usize = 50;

/// The style of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Plain text, for a file or a pipe.
    Plain,
    /// ANSI colours for a terminal.
    Colour,
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&render(self, Style::Plain))
    }
}

impl std::error::Error for Problems {}

/// Renders a report of all problems, without a newline at the end.
#[must_use]
pub fn render(problems: &Problems, style: Style) -> String {
    let renderer = match style {
        Style::Plain => Renderer::plain(),
        Style::Colour => Renderer::styled(),
    };
    let places = LineIndex::new(&problems.sources);
    let drawn = problems.list.iter().take(MOST_DRAWN);
    let mut parts: Vec<String> = drawn.map(|problem| draw(problem, &places, &renderer)).collect();
    if let Some(more) = problems.list.len().checked_sub(MOST_DRAWN).filter(|more| *more > 0) {
        let problems = if more == 1 { "problem" } else { "problems" };
        parts.push(format!("… and {more} more {problems}; `mockd check --format json` lists all of them"));
    }
    parts.join("\n\n")
}

fn draw(problem: &Problem, places: &LineIndex<'_>, renderer: &Renderer) -> String {
    let level = if problem.kind.is_warning() { Level::WARNING } else { Level::ERROR };
    let mut group = level.primary_title(problem.kind.to_string()).elements(snippets(problem, places));
    if let Some(help) = problem.kind.help() {
        group = group.element(Level::HELP.message(help));
    }
    renderer.render(&[group])
}

/// Returns a snippet for each file that the problem refers to.
fn snippets<'s>(problem: &Problem, places: &LineIndex<'s>) -> Vec<Snippet<'s, Annotation<'s>>> {
    let Some(main) = places.find(problem.span) else { return Vec::new() };
    let related = problem.related.and_then(|span| places.find(span));
    let main = (main, AnnotationKind::Primary, problem.kind.label());
    let related = related.map(|related| (related, AnnotationKind::Context, problem.kind.related_label().to_owned()));
    match related {
        Some(related) if std::ptr::eq(related.0.source, main.0.source) => vec![snippet(vec![main, related])],
        related => [Some(main), related].into_iter().flatten().map(|mark| snippet(vec![mark])).collect(),
    }
}

/// Returns a snippet with marks in one file. It contains only the lines from the first to the last mark, because the
/// renderer reads the whole snippet for each problem.
fn snippet(marks: Vec<(Location<'_>, AnnotationKind, String)>) -> Snippet<'_, Annotation<'_>> {
    let (source, text) = marks.first().map_or((None, ""), |(place, ..)| (Some(place.source), place.source.text()));
    let first = marks.iter().map(|(place, ..)| place.bytes.start).min().unwrap_or_default();
    let last = marks.iter().map(|(place, ..)| place.bytes.end).max().unwrap_or_default();
    let start = text[..first].rfind('\n').map_or(0, |end| end + 1);
    let end = text[last..].find('\n').map_or(text.len(), |length| last + length);
    let line = marks.iter().map(|(place, ..)| place.line).min().unwrap_or(1);
    let path = source.map(|source| source.path().to_string_lossy());
    let marks = marks.into_iter().map(|(place, kind, label)| {
        let mark = kind.span(place.bytes.start - start..place.bytes.end - start);
        if label.is_empty() { mark } else { mark.label(label) }
    });
    Snippet::source(&text[start..end]).line_start(line).path(path).annotations(marks)
}

/// Returns an `::error` or `::warning` line for each problem (GitHub documentation, "Workflow commands for GitHub
/// Actions"), each ending with a newline.
#[must_use]
pub fn annotations(error: &LoadError) -> String {
    match error {
        LoadError::Read(error) => {
            format!("::error file={}::{}\n", property(&error.path().to_string_lossy()), escape(&error.to_string()))
        }
        LoadError::Invalid(problems) => annotate(problems),
    }
}

/// Does the same as [`annotations`].
#[must_use]
pub fn annotate(problems: &Problems) -> String {
    let places = LineIndex::new(&problems.sources);
    problems.list.iter().map(|problem| annotation(problem, &places)).collect()
}

fn annotation(problem: &Problem, places: &LineIndex<'_>) -> String {
    let title = property(&problem.kind.to_string());
    let at = places.find(problem.span).map(|place| {
        let (path, line) = (property(&place.path()), place.line);
        let (first, last) = (place.columns.start, place.columns.end.saturating_sub(1).max(place.columns.start));
        format!("file={path},line={line},endLine={line},col={first},endColumn={last},")
    });
    let mut message = vec![problem.kind.label(), problem.kind.help().unwrap_or_default()];
    message.retain(|part| !part.is_empty());
    if let Some(first) = problem.related.and_then(|span| places.find(span)) {
        let what = problem.kind.related_label().trim_end_matches(" here");
        message.push(format!("{what} at {}:{}:{}", first.path(), first.line, first.columns.start));
    }
    if message.is_empty() {
        message.push(problem.kind.to_string());
    }
    let level = if problem.kind.is_warning() { "warning" } else { "error" };
    format!("::{level} {}title={title}::{}\n", at.unwrap_or_default(), escape(&message.join("\n")))
}

fn escape(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a property, which ends at a colon or a comma.
fn property(text: &str) -> String {
    escape(text).replace(':', "%3A").replace(',', "%2C")
}

/// Returns the problems of a scenario as a JSON array, in the order of the files. Each has a `kind` that stays the same
/// when messages are reworded, the `message` and the `file`. Unless the file cannot be read, it has `line` and `column`
/// (in characters, from 1; `endColumn` is one past the last). If present, it also has the `label` that a report shows
/// at the place, a `suggestion` for a replacement, the `help`, and the `related` place.
#[must_use]
pub fn describe(error: &LoadError) -> Value {
    match error {
        LoadError::Read(error) => {
            json!([{ "kind": error.code(), "message": error.to_string(), "file": error.path().to_string_lossy() }])
        }
        LoadError::Invalid(problems) => describe_problems(problems),
    }
}

/// Does the same as [`describe`].
#[must_use]
pub fn describe_problems(problems: &Problems) -> Value {
    let places = LineIndex::new(&problems.sources);
    problems.list.iter().map(|problem| described(problem, &places)).collect()
}

fn described(problem: &Problem, places: &LineIndex<'_>) -> Value {
    let mut fields = json!({ "kind": problem.kind.code(), "message": problem.kind.to_string() });
    if let Some(place) = places.find(problem.span) {
        for (key, value) in place_json(&place).as_object_mut().into_iter().flatten() {
            fields[key] = value.take();
        }
    }
    let label = problem.kind.label();
    if !label.is_empty() {
        fields["label"] = label.into();
    }
    if let Some(suggestion) = problem.kind.suggestion() {
        fields["suggestion"] = suggestion.into();
    }
    if let Some(help) = problem.kind.help() {
        fields["help"] = help.into();
    }
    if let Some(related) = problem.related.and_then(|span| places.find(span)) {
        fields["related"] = place_json(&related);
    }
    fields
}

fn place_json(place: &Location<'_>) -> Value {
    json!({ "file": place.path(), "line": place.line, "column": place.columns.start, "endColumn": place.columns.end })
}

/// Finds lines and columns. Each file is searched for line ends once.
pub(super) struct LineIndex<'s> {
    sources: &'s Sources,
    /// Each file, with the first byte of each of its lines.
    lines: Vec<(&'s Source, Vec<usize>)>,
}

/// A place in one line of a file.
struct Location<'s> {
    source: &'s Source,
    /// The bytes of the place, all in one line.
    bytes: Range<usize>,
    /// The line, counted from 1.
    line: usize,
    /// The columns in characters, counted from 1.
    columns: Range<usize>,
}

impl<'s> LineIndex<'s> {
    pub(super) fn new(sources: &'s Sources) -> Self {
        let starts = |source: &'s Source| {
            let ends = source.text().match_indices('\n').map(|(at, _)| at + 1);
            (source, std::iter::once(0).chain(ends).collect())
        };
        Self { sources, lines: sources.iter().map(starts).collect() }
    }

    /// Returns a place in words, such as `pizza.yaml:12:20`. It contains only the file name, so that it does not depend
    /// on the directory.
    pub(super) fn describe(&self, span: Span) -> Option<Arc<str>> {
        let Location { source, line, columns, .. } = self.find(span)?;
        let name = source.path().file_name()?.to_string_lossy();
        Some(format!("{name}:{line}:{}", columns.start).into())
    }

    /// Returns the part of a span that is in its first line; `None` only if there are no files.
    fn find(&self, span: Span) -> Option<Location<'s>> {
        let (source, range) = self.sources.locate(span)?;
        let text = source.text();
        let start = text.floor_char_boundary(range.start);
        let line_end = text[start..].find(['\n', '\r']).map_or(text.len(), |length| start + length);
        let bytes = start..text.floor_char_boundary(range.end).clamp(start, line_end);
        let (_, lines) = self.lines.iter().find(|(file, _)| std::ptr::eq(*file, source))?;
        let line = lines.partition_point(|first| *first <= start).max(1);
        let column = text.get(lines[line - 1]..start).unwrap_or_default().chars().count() + 1;
        let width = text[bytes.clone()].chars().count();
        Some(Location { source, bytes, line, columns: column..column + width })
    }
}

impl Location<'_> {
    /// Returns the file's path as text.
    fn path(&self) -> Cow<'_, str> {
        self.source.path().to_string_lossy()
    }
}
