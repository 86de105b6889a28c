//! A list of steps at work: which step is due when, and how often still.
//!
//! A step without `at` begins when the one before has ended, so that steps between two `at`s are a strand of their own: it
//! has a cursor. What follows a step that goes on for ever is another strand, from that step's start on.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::scenario::{Repeat, RuleStep, StepStart, times};

/// The strands of a list that have not ended.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Strands(Vec<Strand>);

/// Steps that follow each other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Strand {
    /// The step that is due next.
    step: usize,
    /// When that step begins or has begun, in the world's time.
    begins: Duration,
    /// How often it has happened.
    done: u64,
    /// What `each` gave when it began.
    items: Option<VecDeque<Value>>,
}

/// What is due.
#[derive(Debug)]
pub(super) struct Occurrence {
    /// The index of the step.
    pub(super) step: usize,
    /// How often it has happened before.
    pub(super) done: u64,
}

impl Strands {
    /// Those of a list that begins at that time.
    pub(super) fn of(steps: &[RuleStep], origin: Duration) -> Self {
        let heads = steps.iter().enumerate().filter(|(index, step)| *index == 0 || is_head(step));
        Self(heads.map(|(index, step)| Strand::new(index, step, origin, origin)).collect())
    }

    /// When the next step is due.
    pub(super) fn due(&self, steps: &[RuleStep]) -> Option<Duration> {
        self.0.iter().map(|strand| strand.due(steps)).min()
    }

    /// The step that is due next, those further up first.
    pub(super) fn next(&self, steps: &[RuleStep]) -> Option<Occurrence> {
        let strand = self.0.iter().min_by_key(|strand| (strand.due(steps), strand.step))?;
        Some(Occurrence { step: strand.step, done: strand.done })
    }

    /// Says what the `each` of the step that is due gave as it began.
    pub(super) fn begin_each(&mut self, step: usize, items: Vec<Value>) {
        if let Some(strand) = self.0.iter_mut().find(|strand| strand.step == step) {
            strand.items = Some(items.into());
        }
    }

    /// The item that the step that is due is for: nothing if it has no `each`, or no item is left.
    pub(super) fn take_item(&mut self, step: usize) -> Option<Value> {
        self.0.iter_mut().find(|strand| strand.step == step)?.items.as_mut()?.pop_front()
    }

    /// Goes on after the step that was due has happened, or was left out; `has_ended` if it does not happen again in any
    /// case.
    pub(super) fn go_on(&mut self, steps: &[RuleStep], step: usize, has_ended: bool) {
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

    /// The steps that are still to come, but for those that go on for ever.
    pub(super) fn to_come<'s>(&self, steps: &'s [RuleStep]) -> impl Iterator<Item = &'s RuleStep> {
        let of_strand = |strand: &Strand| {
            let follows = |step: &&RuleStep| !is_head(step);
            let first = steps.get(strand.step);
            // What follows a step that goes on for ever is a strand of its own once that has happened.
            let has_split =
                strand.done > 0 && first.is_some_and(|step| step.times == Repeat::Forever && step.each.is_none());
            let rest = if has_split { &[][..] } else { steps.get(strand.step + 1..).unwrap_or_default() };
            first.into_iter().chain(rest.iter().take_while(follows))
        };
        self.0.iter().flat_map(of_strand).filter(|step| step.times != Repeat::Forever).collect::<Vec<_>>().into_iter()
    }

    /// Whether they are places in that list.
    pub(super) fn fit(&self, steps: &[RuleStep]) -> bool {
        self.0.iter().all(|strand| strand.step < steps.len())
    }
}

impl Strand {
    fn new(index: usize, step: &RuleStep, origin: Duration, before: Duration) -> Self {
        let begins = match step.start {
            StepStart::At(at) => origin.saturating_add(at),
            StepStart::After(after) => before.saturating_add(after),
        };
        Self { step: index, begins, done: 0, items: None }
    }

    fn due(&self, steps: &[RuleStep]) -> Duration {
        self.begins.saturating_add(times(steps[self.step].every, self.done))
    }
}

/// Whether a step begins a strand.
fn is_head(step: &RuleStep) -> bool {
    matches!(step.start, StepStart::At(_))
}
