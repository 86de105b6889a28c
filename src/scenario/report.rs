//! Draws problems: message, `path:line:column`, the line, a caret under the token, and the way out.

use annotate_snippets::{Annotation, AnnotationKind, Level, Renderer, Snippet};

use super::problem::{Problem, Problems};
use super::source::Source;

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
    let mut parts: Vec<String> =
        problems.list.iter().take(MOST_DRAWN).map(|problem| draw(problem, &problems.source, &renderer)).collect();
    if let Some(more) = problems.list.len().checked_sub(MOST_DRAWN).filter(|more| *more > 0) {
        parts.push(format!("… and {more} more problems"));
    }
    parts.join("\n\n")
}

fn draw(problem: &Problem, source: &Source, renderer: &Renderer) -> String {
    let path = source.path().to_string_lossy();
    let mark = |kind: AnnotationKind, span: super::Span| -> Annotation<'_> { kind.span(clamp(span, source)) };
    let label = problem.kind.label();
    let mut primary = mark(AnnotationKind::Primary, problem.span);
    if !label.is_empty() {
        primary = primary.label(label);
    }
    let mut snippet = Snippet::source(source.text()).path(path.as_ref()).annotation(primary);
    if let Some(related) = problem.related {
        snippet = snippet.annotation(mark(AnnotationKind::Context, related).label("first declared here"));
    }
    let mut group = Level::ERROR.primary_title(problem.kind.to_string()).element(snippet);
    if let Some(help) = problem.kind.help() {
        group = group.element(Level::HELP.message(help));
    }
    renderer.render(&[group])
}

/// A span that the renderer can draw: inside the text, on character boundaries, within one line.
fn clamp(span: super::Span, source: &Source) -> std::ops::Range<usize> {
    let text = source.text();
    let floor = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = floor(span.range().start);
    let line_end = text[start..].find(['\n', '\r']).map_or(text.len(), |length| start + length);
    start..floor(span.range().end).clamp(start, line_end.max(start))
}
