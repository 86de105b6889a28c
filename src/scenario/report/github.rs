//! Problems as GitHub's workflow commands, which become annotations of a pull request.

use super::Places;
use crate::scenario::load::LoadError;
use crate::scenario::problem::{Problem, Problems};

/// One `::error` or `::warning` line for each problem (GitHub documentation, "Workflow commands for GitHub Actions"), each ending with
/// a newline.
#[must_use]
pub fn annotations(error: &LoadError) -> String {
    match error {
        LoadError::Read(error) => {
            format!("::error file={}::{}\n", property(&error.path().to_string_lossy()), escape(&error.to_string()))
        }
        LoadError::Invalid(problems) => annotate(problems),
    }
}

/// As [`annotations`].
#[must_use]
pub fn annotate(problems: &Problems) -> String {
    let places = Places::new(&problems.sources);
    problems.list.iter().map(|problem| annotation(problem, &places)).collect()
}

fn annotation(problem: &Problem, places: &Places<'_>) -> String {
    let title = property(&problem.kind.to_string());
    let at = places.find(problem.span).map(|place| {
        let (path, line) = (property(&place.path()), place.line);
        let (first, last) = (place.columns.start, place.columns.end.saturating_sub(1).max(place.columns.start));
        format!("file={path},line={line},endLine={line},col={first},endColumn={last},")
    });
    let mut message = vec![problem.kind.label(), problem.kind.help().unwrap_or_default()];
    message.retain(|part| !part.is_empty());
    if let Some(first) = problem.related.and_then(|span| places.find(span)) {
        message.push(format!("first declared at {}:{}:{}", first.path(), first.line, first.columns.start));
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

/// A property ends at a colon or a comma.
fn property(text: &str) -> String {
    escape(text).replace(':', "%3A").replace(',', "%2C")
}
