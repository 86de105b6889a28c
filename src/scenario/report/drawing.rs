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
    let mut group = Level::ERROR.primary_title(problem.kind.to_string()).elements(snippets(problem, places));
    if let Some(help) = problem.kind.help() {
        group = group.element(Level::HELP.message(help));
    }
    renderer.render(&[group])
}

/// One for each file that the problem is about.
fn snippets<'s>(problem: &Problem, places: &Places<'s>) -> Vec<Snippet<'s, Annotation<'s>>> {
    let Some(main) = places.find(problem.span) else { return Vec::new() };
    let related = problem.related.and_then(|span| places.find(span));
    let mut marked = snippet(&main, AnnotationKind::Primary, problem.kind.label());
    let first = "first declared here".to_owned();
    match related {
        None => vec![marked],
        Some(related) if std::ptr::eq(related.source, main.source) => {
            marked = marked.annotation(AnnotationKind::Context.span(related.bytes).label(first));
            vec![marked]
        }
        Some(related) => vec![marked, snippet(&related, AnnotationKind::Context, first)],
    }
}

fn snippet<'s>(place: &Place<'s>, kind: AnnotationKind, label: String) -> Snippet<'s, Annotation<'s>> {
    let mark = kind.span(place.bytes.clone());
    let mark = if label.is_empty() { mark } else { mark.label(label) };
    Snippet::source(place.source.text()).path(place.source.path().to_string_lossy()).annotation(mark)
}
