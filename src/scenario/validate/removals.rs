//! Finds steps that refer to a product that an earlier step of the same script removed.
//!
//! A case counts only if, within one repeat, no step between the two can have added the product again. The additions of
//! other scripts are known once all scripts are read, so [`References::report`] decides in the end.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::references::{AddedId, AfterRemoval, References, possible_additions};
use super::{Validator, given};
use crate::scenario::raw::RawStep;
use crate::scenario::shop::{OrderStep, ShopAction};
use crate::scenario::source::Span;
use crate::scenario::yaml::{Items, Spanned};

/// The position of a step in its script: its time, then its index in the file.
type StepPosition = (Duration, usize);

/// Records the references of a script to products that it removed earlier. `steps` are in file order.
pub(super) fn record(
    list: &Items<RawStep>,
    steps: &[OrderStep],
    script: usize,
    references: &mut References<'_>,
    check: &Validator<'_>,
) {
    // The effect of an invalid step is unknown.
    if steps.len() != list.len() {
        return;
    }
    let mut removed: HashMap<&Arc<str>, StepPosition> = HashMap::new();
    for (index, step) in steps.iter().enumerate() {
        if let ShopAction::Remove { product } = &step.action {
            let place = (step.at, index);
            removed.entry(product).and_modify(|first| *first = place.min(*first)).or_insert(place);
        }
    }
    if removed.is_empty() {
        return;
    }
    let added = additions(steps, references);
    for (index, step) in steps.iter().enumerate() {
        let Some((id, removal)) = product(step).and_then(|id| Some((id, *removed.get(id)?))) else { continue };
        let until = (step.end(), index);
        let is_added_again = |id: &AddedId| {
            let added = added.get(id).into_iter().flatten();
            added.into_iter().any(|(first, latest)| *latest > removal && *first < until)
        };
        if (step.at, index) > removal && !possible_additions(id).any(|id| is_added_again(&id)) {
            let span = |index: usize| product_span(list, index, check);
            if let (Some(span), Some(removed)) = (span(index), span(removal.1)) {
                references.note_after_removal(AfterRemoval { id: id.clone(), span, removed, script });
            }
        }
    }
}

/// Returns the first and the last position at which each step adds its product.
fn additions(steps: &[OrderStep], references: &References<'_>) -> HashMap<AddedId, Vec<(StepPosition, StepPosition)>> {
    let mut added: HashMap<AddedId, Vec<(StepPosition, StepPosition)>> = HashMap::new();
    for (index, step) in steps.iter().enumerate() {
        let ShopAction::Add(new) = &step.action else { continue };
        let id = new.has_id.then(|| new.row.id());
        if let Some(id) = references.added_id(id, &new.collection) {
            added.entry(id).or_default().push(((step.at, index), (step.end(), index)));
        }
    }
    added
}

/// Returns the product that must exist for a step.
fn product(step: &OrderStep) -> Option<&Arc<str>> {
    match &step.action {
        ShopAction::Order { product, .. } | ShopAction::Set { product, .. } | ShopAction::Remove { product } => {
            Some(product)
        }
        ShopAction::Add(_) | ShopAction::Fault(_) => None,
    }
}

/// Returns the span of the product in a step.
fn product_span(list: &Items<RawStep>, index: usize, check: &Validator<'_>) -> Option<Span> {
    let step = check.document.decode::<Spanned<RawStep>>(*list.ids().get(index)?)?;
    let (step, _) = step.get()?;
    let of_set = given(step.set.as_ref()).and_then(|(set, _)| set.product.as_ref().map(|id| id.span));
    let of_remove = given(step.remove.as_ref()).and_then(|(remove, _)| remove.product.as_ref().map(|id| id.span));
    step.product.as_ref().map(|id| id.span).or(of_set).or(of_remove)
}
