//! Draws problems: message, `path:line:column`, the line, a caret under the token, and the way out.

use annotate_snippets::{Annotation, AnnotationKind, Level, Renderer, Snippet};

use super::{Place, Places};
use crate::scenario::problem::{Problem, Problems};

/// More than this many problems are counted rather than drawn: nobody reads them, and drawing each searches the file.
const MOST_DRAWN: usize = 50;

/// How a report is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Bytes for a file or a pipe.
    Plain,
    /// ANSI colours for a terminal.
    Colour,
}

/// The report of all problems, ending without a newline.
#[must_use]
pub fn render(problems: &Problems, style: Style) -> String {
    let renderer = match style {
        Style::Plain => Renderer::plain(),
        Style::Colour => Renderer::styled(),
    };
    let places = Places::new(&problems.sources);
    let drawn = problems.list.iter().take(MOST_DRAWN);
    let mut parts: Vec<String> = drawn.map(|problem| draw(problem, &places, &renderer)).collect();
    if let Some(more) = problems.list.len().checked_sub(MOST_DRAWN).filter(|more| *more > 0) {
        parts.push(format!("… and {more} more problems"));
    }
    parts.join("\n\n")
}

fn draw(problem: &Problem, places: &Places<'_>, renderer: &Renderer) -> String {
    let level = if problem.kind.is_warning() { Level::WARNING } else { Level::ERROR };
    let mut group = level.primary_title(problem.kind.to_string()).elements(snippets(problem, places));
    if let Some(help) = problem.kind.help() {
        group = group.element(Level::HELP.message(help));
    }
    renderer.render(&[group])
}

/// One for each file that the problem is about.
fn snippets<'s>(problem: &Problem, places: &Places<'s>) -> Vec<Snippet<'s, Annotation<'s>>> {
    let Some(main) = places.find(problem.span) else { return Vec::new() };
    let related = problem.related.and_then(|span| places.find(span));
    let main = (main, AnnotationKind::Primary, problem.kind.label());
    let related = related.map(|related| (related, AnnotationKind::Context, "first declared here".to_owned()));
    match related {
        Some(related) if std::ptr::eq(related.0.source, main.0.source) => vec![snippet(vec![main, related])],
        related => [Some(main), related].into_iter().flatten().map(|mark| snippet(vec![mark])).collect(),
    }
}

/// Marks in one file. Only the lines from the first to the last of them are handed over: the renderer reads all that
/// it is given, for each problem.
fn snippet(marks: Vec<(Place<'_>, AnnotationKind, String)>) -> Snippet<'_, Annotation<'_>> {
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
