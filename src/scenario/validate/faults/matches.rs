//! Checks whom a fault hits, and whether there can be anybody.

use std::sync::Arc;

use crate::scenario::fault::Matches;
use crate::scenario::problem::ProblemKind;
use crate::scenario::raw::{RawFault, RawOn};
use crate::scenario::source::Span;
use crate::scenario::validate::references::References;
use crate::scenario::validate::{Check, given};

/// The methods that the API answers.
const METHODS: &[&str] = &["GET", "HEAD", "POST", "OPTIONS"];

/// Whom a fault hits.
pub(super) fn matches(
    raw: &RawFault,
    on: RawOn,
    span: Span,
    references: &References<'_>,
    check: &mut Check<'_>,
) -> Matches {
    if on == RawOn::WebSocket {
        for (key, value) in [("method", &raw.method), ("path", &raw.path)] {
            if let Some(value) = value {
                check.note(ProblemKind::Needs { key, needs: "on: http" }, value.span);
            }
        }
    }
    let method = given(raw.method.as_ref()).map(|(method, span)| {
        // Methods are written in capitals, and nobody means another with small letters.
        let method = method.to_ascii_uppercase();
        if raw.path.is_none() && !METHODS.contains(&method.as_str()) {
            let why = format!("the API answers {} alone", METHODS.join(", "));
            check.note(ProblemKind::NeverMatches(why), span);
        }
        method
    });
    let path = given(raw.path.as_ref()).map(|(path, span)| {
        if !path.starts_with(['/', '*']) {
            let found = format!("the text `{path}`");
            check.note(ProblemKind::WrongType { expected: "a path that begins with / or *".into(), found }, span);
        }
        path.clone()
    });
    let category = given(raw.category.as_ref()).map(|(name, span)| references.category(name, span, check));
    let product: Option<Arc<str>> = given(raw.product.as_ref()).map(|(id, span)| {
        if let Some(why) = references.why_no_product(id, category.as_deref()) {
            check.note(ProblemKind::NeverMatches(why), span);
        }
        id.as_str().into()
    });
    if let (Some("GET" | "HEAD"), Some(_), RawOn::Http) = (method.as_deref(), &product, on) {
        let why = "a product is ordered with POST".into();
        check.note(ProblemKind::NeverMatches(why), raw.product.as_ref().map_or(span, |product| product.span));
    }
    let share = check.share(raw.share.as_ref());
    let skip = given(raw.skip.as_ref()).and_then(|(skip, span)| check.whole("skip", *skip, span)).unwrap_or_default();
    let times = given(raw.times.as_ref()).and_then(|(times, span)| check.count("times", *times, span));
    Matches { method, path, category, product, share, skip, times }
}
