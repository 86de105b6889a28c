//! The progress of a step list: which step is due next, when, and how many times it has run.
//!
//! A step without `at` starts when the previous step ends. Each `at` therefore starts a strand of consecutive steps,
//! with a cursor of its own. The steps after a step that repeats forever form another strand, which starts together
//! with that step.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::scenario::{Repeat, RuleStep, StepStart, times};

/// The strands of a list that have not ended.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Strands(Vec<Strand>);

/// A sequence of consecutive steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Strand {
    /// The index of the step that is due next.
    step: usize,
    /// The world time at which that step starts or started.
    #[serde(rename = "begins")]
    starts: Duration,
    /// The number of times that step has run.
    done: u64,
    /// The remaining items of that step's `each`, which is evaluated when the step starts.
    items: Option<VecDeque<Value>>,
}

/// The next run of a step.
#[derive(Debug)]
pub(super) struct Occurrence {
    /// The step's index.
    pub(super) step: usize,
    /// The number of earlier runs.
    pub(super) done: u64,
}

impl Strands {
    /// Creates the strands of a list that starts at `origin`.
    pub(super) fn of(steps: &[RuleStep], origin: Duration) -> Self {
        let heads = steps.iter().enumerate().filter(|(index, step)| *index == 0 || is_head(step));
        Self(heads.map(|(index, step)| Strand::new(index, step, origin, origin)).collect())
    }

    /// Returns when the next step is due. `None` if all strands have ended.
    pub(super) fn due(&self, steps: &[RuleStep]) -> Option<Duration> {
        self.0.iter().map(|strand| strand.due(steps)).min()
    }

    /// Returns the step that is due next. Of several, the one listed first.
    pub(super) fn next(&self, steps: &[RuleStep]) -> Option<Occurrence> {
        let strand = self.0.iter().min_by_key(|strand| (strand.due(steps), strand.step))?;
        Some(Occurrence { step: strand.step, done: strand.done })
    }

    /// Stores the items of the due step's `each`.
    pub(super) fn start_each(&mut self, step: usize, items: Vec<Value>) {
        if let Some(strand) = self.0.iter_mut().find(|strand| strand.step == step) {
            strand.items = Some(items.into());
        }
    }

    /// Removes and returns the next item of the due step. `None` if the step has no `each`, or no items are left.
    pub(super) fn take_item(&mut self, step: usize) -> Option<Value> {
        self.0.iter_mut().find(|strand| strand.step == step)?.items.as_mut()?.pop_front()
    }

    /// Advances past the due step once it has run or was skipped. If `has_ended` is `true`, the step does not repeat.
    pub(super) fn advance(&mut self, steps: &[RuleStep], step: usize, has_ended: bool) {
        let Some(at) = self.0.iter().position(|strand| strand.step == step) else { return };
        let strand = &mut self.0[at];
        let (due, declared) = (strand.due(steps), &steps[strand.step]);
        let is_first = strand.done == 0;
        strand.done += 1;
        let again = match (&strand.items, declared.times) {
            (Some(items), _) => !items.is_empty(),
            (None, Repeat::Forever) => true,
            (None, Repeat::Times(times)) => strand.done < times,
        };
        let follower = steps.get(step + 1).filter(|next| !is_head(next));
        if again && !has_ended {
            if is_first && declared.times == Repeat::Forever && declared.each.is_none() {
                self.0.extend(follower.map(|next| Strand::new(step + 1, next, due, due)));
            }
            return;
        }
        match follower {
            Some(next) if declared.times != Repeat::Forever || is_first => {
                self.0[at] = Strand::new(step + 1, next, due, due);
            }
            _ => drop(self.0.swap_remove(at)),
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    /// Iterates over the remaining steps, except those that repeat forever.
    pub(super) fn remaining<'s>(&'s self, steps: &'s [RuleStep]) -> impl Iterator<Item = &'s RuleStep> {
        self.0.iter().flat_map(|strand| strand.rest(steps)).filter(|step| step.times != Repeat::Forever)
    }

    /// Returns whether any step is left that has not ended.
    pub(super) fn has_active(&self, steps: &[RuleStep]) -> bool {
        self.0.iter().any(|strand| strand.rest(steps).any(|step| !step.has_ended()))
    }

    /// Returns the number of steps left that have not ended.
    pub(super) fn active(&self, steps: &[RuleStep]) -> usize {
        self.0.iter().flat_map(|strand| strand.rest(steps)).filter(|step| !step.has_ended()).count()
    }

    /// Returns whether all strands refer to steps of this list.
    pub(super) fn fit_in(&self, steps: &[RuleStep]) -> bool {
        self.0.iter().all(|strand| strand.step < steps.len())
    }
}

impl Strand {
    fn new(index: usize, step: &RuleStep, origin: Duration, before: Duration) -> Self {
        let starts = match step.start {
            StepStart::At(at) => origin.saturating_add(at),
            StepStart::After(after) => before.saturating_add(after),
        };
        Self { step: index, starts, done: 0, items: None }
    }

    /// Iterates over the remaining steps.
    fn rest<'s>(&self, steps: &'s [RuleStep]) -> impl Iterator<Item = &'s RuleStep> {
        let first = steps.get(self.step);
        // Once a step that repeats forever has run, the steps after it are in another strand.
        let has_split = self.done > 0 && first.is_some_and(|step| step.times == Repeat::Forever && step.each.is_none());
        let followers = if has_split { &[][..] } else { steps.get(self.step + 1..).unwrap_or_default() };
        first.into_iter().chain(followers.iter().take_while(|step| !is_head(step)))
    }

    fn due(&self, steps: &[RuleStep]) -> Duration {
        self.starts.saturating_add(times(steps[self.step].every, self.done))
    }
}

/// Returns whether a step starts a strand.
fn is_head(step: &RuleStep) -> bool {
    matches!(step.start, StepStart::At(_))
}
