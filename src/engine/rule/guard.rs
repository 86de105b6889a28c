//! Decides whether a rule, answer or step applies: what `match` expects, and whether `when` holds.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value;

use super::answer::Renders;
use super::context::Context;
use crate::engine::refusal::Refusal;
use crate::expression::{Condition, PathStep, Rendered, RunError, Template};
use crate::matching;
use crate::words::one_line;

/// The value that `match` expects in a field.
pub(super) struct Expected<'f> {
    field: &'f str,
    /// The value without its undefined parts; `None` if all of it is undefined.
    pub(super) value: Option<Cow<'f, Value>>,
    /// The undefined parts, which never match.
    undefined: Vec<RunError>,
}

impl<'f> Expected<'f> {
    pub(super) fn of(
        field: &'f str,
        template: &'f Template,
        renders: &mut impl Renders,
        context: &Context,
    ) -> Result<Self, Refusal> {
        if let Some(value) = template.constant() {
            return Ok(Self { field, value: Some(Cow::Borrowed(value)), undefined: Vec::new() });
        }
        let Rendered { value, undefined } = renders.render_collecting(template, context)?;
        Ok(Self { field, value: value.map(Cow::Owned), undefined })
    }

    /// Returns a sentence for each undefined part.
    pub(super) fn undefined(&self) -> impl Iterator<Item = String> {
        let sentence = |(error, place): (&RunError, String)| {
            format!("{place} is compared with `{}`, which is undefined", one_line(&error.expression))
        };
        self.undefined.iter().zip(self.places()).map(sentence)
    }

    /// Returns how the field differs from the expected value. Empty if the field contains that value.
    pub(super) fn differences(&self, found: &Value) -> Vec<String> {
        let reported: Vec<String> = self.places().collect();
        let value = self.value.as_deref().map(|value| matching::differences(self.field, value, found, &reported));
        self.undefined().chain(value.unwrap_or_default()).collect()
    }

    /// Returns the paths of the undefined parts.
    fn places(&self) -> impl Iterator<Item = String> {
        let step = |step: &PathStep| match step {
            PathStep::Key(key) => format!(".{key}"),
            PathStep::Index(index) => format!("[{index}]"),
        };
        let place = move |error: &RunError| {
            let steps: String = error.place.path.iter().map(step).collect();
            format!("{}{steps}", self.field)
        };
        self.undefined.iter().map(place)
    }
}

/// Renders a value that must not have undefined parts.
///
/// # Errors
/// [`Refusal`] if a part is undefined or an expression fails.
pub(super) fn complete(template: &Template, renders: &mut impl Renders, context: &Context) -> Result<Value, Refusal> {
    let Rendered { value, undefined } = renders.render_collecting(template, context)?;
    match undefined.into_iter().next() {
        Some(error) => Err(error.into()),
        None => Ok(value.unwrap_or_default()),
    }
}

/// Evaluates `with` names and checks `when`. `when` is checked as soon as the names it uses are known, so a name that
/// it does not use cannot fail a skipped step.
pub(super) fn applies(
    with: &[(Arc<str>, Template)],
    when: Option<&Condition>,
    renders: &mut impl Renders,
    context: &mut Context,
) -> Result<bool, Refusal> {
    let is_used = |(name, _): &(Arc<str>, Template)| when.is_some_and(|when| when.names().contains(&**name));
    let (before, after) = with.split_at(with.iter().rposition(is_used).map_or(0, |last| last + 1));
    bind(before, renders, context)?;
    if let Some(when) = when
        && !renders.holds(when, context)?
    {
        return Ok(false);
    }
    bind(after, renders, context)?;
    Ok(true)
}

/// Adds `with` names to the context. Undefined names are left out.
fn bind(with: &[(Arc<str>, Template)], renders: &mut impl Renders, context: &mut Context) -> Result<(), Refusal> {
    for (name, template) in with {
        if let Some(value) = renders.render(template, context)? {
            context.set(name, value);
        }
    }
    Ok(())
}
