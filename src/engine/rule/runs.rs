//! Scheduled step lists: scripts, delayed steps of rules, and streams.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::context::Context;
use super::origin::RuleOrigin;
use super::steps::Strands;
use crate::engine::Engine;
use crate::engine::refusal::Refusal;
use crate::scenario::{RuleScript, StepList};

/// The maximum number of scheduled step lists.
pub const MAX_SCHEDULED: usize = 100_000;

/// The owner of a step list. The list ends with its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::engine) enum RunOwner {
    /// The world.
    #[default]
    World,
    /// The member with this number: the steps end when it leaves.
    Member(u64),
    /// A membership: the steps end when it ends.
    Membership {
        member: u64,
        /// The membership's number.
        number: u64,
    },
}

impl RunOwner {
    // By reference, as `skip_serializing_if` requires.
    pub(super) fn is_world(&self) -> bool {
        *self == Self::World
    }

    /// Returns the member that owns the steps, directly or through a membership.
    pub(super) fn member(self) -> Option<u64> {
        match self {
            Self::World => None,
            Self::Member(member) | Self::Membership { member, .. } => Some(member),
        }
    }
}

/// A scheduled step list.
#[derive(Debug, Clone)]
pub(in crate::engine) struct RuleRun {
    pub(super) origin: RuleOrigin,
    pub(super) owner: RunOwner,
    pub(super) steps: StepList,
    pub(super) strands: Strands,
    pub(super) context: Context,
    /// The script and its current round. `None` if the list is not a script.
    pub(super) script: Option<ScriptRound>,
}

/// The current round of a script.
#[derive(Debug, Clone)]
pub(super) struct ScriptRound {
    pub(super) declared: Arc<RuleScript>,
    /// The number of completed rounds.
    pub(super) round: u64,
    /// The world time at time 0 of the current round.
    pub(super) origin: Duration,
}

impl RuleRun {
    /// Returns when the next step is due. `None` if no steps are left.
    pub(super) fn due(&self) -> Option<Duration> {
        self.strands.due(self.steps.steps())
    }

    /// Returns whether no steps are left but those that a reload has ended.
    pub(super) fn is_over(&self) -> bool {
        !self.strands.has_active(self.steps.steps())
    }

    /// Restarts the list at `origin`.
    pub(super) fn restart_at(&mut self, origin: Duration) {
        self.strands = Strands::of(self.steps.steps(), origin);
        self.context = Context::default();
    }

    /// Creates the first round of a script, which starts `declared.start` after `now`.
    pub(super) fn script(declared: &Arc<RuleScript>, now: Duration) -> Self {
        let origin = now.saturating_add(declared.start);
        Self {
            origin: RuleOrigin::Script(declared.key.clone()),
            owner: RunOwner::World,
            strands: Strands::of(declared.steps.steps(), origin),
            steps: declared.steps.clone(),
            context: Context::default(),
            script: Some(ScriptRound { declared: declared.clone(), round: 0, origin }),
        }
    }
}

/// What happens to a scheduled step list.
#[derive(Debug)]
pub(super) enum RunUpdate {
    Keep,
    Replace(Box<RuleRun>),
    End,
}

/// All scheduled step lists. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(in crate::engine) struct RuleRuns(Arc<Scheduled>);

#[derive(Debug, Clone, Default)]
struct Scheduled {
    /// The lists by number, in creation order.
    runs: BTreeMap<u64, Arc<RuleRun>>,
    due: BTreeSet<(Duration, u64)>,
    /// Pairs of a member and the number of a list that it owns.
    owned: BTreeSet<(u64, u64)>,
    /// Lists that the current rule has ended, kept as long as it may be rolled back.
    ended: Vec<(u64, Arc<RuleRun>)>,
    last: u64,
}

impl Scheduled {
    fn insert(&mut self, number: u64, due: Duration, run: Arc<RuleRun>) {
        self.owned.extend(run.owner.member().map(|member| (member, number)));
        self.runs.insert(number, run);
        self.due.insert((due, number));
    }

    fn remove(&mut self, number: u64) -> Option<Arc<RuleRun>> {
        let run = self.runs.remove(&number)?;
        if let Some(due) = run.due() {
            self.due.remove(&(due, number));
        }
        if let Some(member) = run.owner.member() {
            self.owned.remove(&(member, number));
        }
        Some(run)
    }

    fn of_member(&self, member: u64) -> impl Iterator<Item = (u64, &RuleRun)> {
        let numbers = self.owned.range((member, 0)..=(member, u64::MAX)).map(|(_, number)| *number);
        numbers.filter_map(|number| Some((number, &**self.runs.get(&number)?)))
    }
}

/// A point to roll back to.
#[derive(Debug, Clone, Copy)]
pub(super) struct RunsCheckpoint {
    /// The number of the last list created.
    last: u64,
    /// The number of lists that the current rule had ended.
    ended: usize,
}

impl RuleRuns {
    /// Returns when the next step of any list is due.
    pub(in crate::engine) fn next_due(&self) -> Option<Duration> {
        self.0.due.first().map(|(due, _)| *due)
    }

    /// Iterates over all lists, soonest first, with the time at which the next step of each is due.
    pub(super) fn soonest_first(&self) -> impl Iterator<Item = (Duration, &RuleRun)> {
        self.0.due.iter().filter_map(|(due, number)| Some((*due, &**self.0.runs.get(number)?)))
    }

    /// Schedules a list, unless it has no steps left.
    pub(super) fn schedule(&mut self, run: RuleRun) -> Result<(), Refusal> {
        let Some(due) = run.due() else { return Ok(()) };
        if self.0.runs.len() >= MAX_SCHEDULED {
            return Err(Refusal::TooManyScheduled);
        }
        let scheduled = Arc::make_mut(&mut self.0);
        scheduled.last += 1;
        scheduled.insert(scheduled.last, due, Arc::new(run));
        Ok(())
    }

    /// Returns the point that a rule can roll back to.
    pub(super) fn checkpoint(&self) -> RunsCheckpoint {
        RunsCheckpoint { last: self.0.last, ended: self.0.ended.len() }
    }

    /// Rolls back to `checkpoint`: removes the lists scheduled since then and restores the lists ended since then.
    pub(super) fn roll_back(&mut self, checkpoint: RunsCheckpoint) {
        if self.0.last == checkpoint.last && self.0.ended.len() == checkpoint.ended {
            return;
        }
        let scheduled = Arc::make_mut(&mut self.0);
        let newer: Vec<u64> = scheduled.runs.range(checkpoint.last + 1..).map(|(number, _)| *number).collect();
        for number in newer {
            scheduled.remove(number);
        }
        for (number, run) in scheduled.ended.split_off(checkpoint.ended) {
            if let Some(due) = run.due().filter(|_| number <= checkpoint.last) {
                scheduled.insert(number, due, run);
            }
        }
    }

    /// Drops the ended lists, because the current rule can no longer be rolled back.
    pub(super) fn forget_ended(&mut self) {
        if !self.0.ended.is_empty() {
            Arc::make_mut(&mut self.0).ended.clear();
        }
    }

    /// Removes and returns the first list due by `by`, with its number.
    pub(super) fn take_due(&mut self, by: Duration) -> Option<(u64, RuleRun)> {
        let (_, number) = *self.0.due.first().filter(|(due, _)| *due <= by)?;
        Some((number, Arc::unwrap_or_clone(Arc::make_mut(&mut self.0).remove(number)?)))
    }

    /// Reschedules a list returned by [`RuleRuns::take_due`], unless it has no steps left.
    pub(super) fn reschedule(&mut self, number: u64, run: RuleRun) {
        let Some(due) = run.due() else { return };
        Arc::make_mut(&mut self.0).insert(number, due, Arc::new(run));
    }

    /// Keeps the lists for which `keep` returns `true`.
    pub(super) fn retain(&mut self, keep: impl Fn(&RuleRun) -> bool) {
        if self.0.runs.values().all(|run| keep(run)) {
            return;
        }
        let scheduled = Arc::make_mut(&mut self.0);
        scheduled.runs.retain(|_, run| keep(run));
        let Scheduled { runs, due, owned, .. } = scheduled;
        due.retain(|(_, number)| runs.contains_key(number));
        owned.retain(|(_, number)| runs.contains_key(number));
    }

    /// Applies a change to every list.
    pub(super) fn update(&mut self, update: impl Fn(&RuleRun) -> RunUpdate) {
        let updates = self.0.runs.iter().map(|(number, run)| (*number, update(run)));
        let updates: Vec<(u64, RunUpdate)> = updates.filter(|(_, update)| !matches!(update, RunUpdate::Keep)).collect();
        if updates.is_empty() {
            return;
        }
        let scheduled = Arc::make_mut(&mut self.0);
        for (number, update) in updates {
            scheduled.remove(number);
            if let RunUpdate::Replace(run) = update
                && let Some(due) = run.due()
            {
                scheduled.insert(number, due, Arc::new(*run));
            }
        }
    }

    /// Ends a member's lists for which `is_over` returns `true`.
    pub(super) fn end_of_member(&mut self, member: u64, is_over: impl Fn(&RuleRun) -> bool) {
        let over = self.0.of_member(member).filter(|(_, run)| is_over(run)).map(|(number, _)| number);
        let over: Vec<u64> = over.collect();
        if !over.is_empty() {
            let scheduled = Arc::make_mut(&mut self.0);
            for number in over {
                let ended = scheduled.remove(number).map(|run| (number, run));
                scheduled.ended.extend(ended);
            }
        }
    }

    /// Iterates over a member's lists.
    pub(super) fn of_member(&self, member: u64) -> impl Iterator<Item = &RuleRun> {
        self.0.of_member(member).map(|(_, run)| run)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &RuleRun> {
        self.0.runs.values().map(|run| &**run)
    }
}

impl Engine {
    /// Starts the rule scripts that the scenario declares.
    pub(in crate::engine) fn start_rule_scripts(&mut self) {
        self.rule_runs = RuleRuns::default();
        let scenario = self.scenario.clone();
        for script in scenario.rule_scripts() {
            // A scenario declares fewer than `MAX_SCHEDULED` scripts.
            let _ = self.rule_runs.schedule(RuleRun::script(script, self.now));
        }
    }

    /// Ends the lists of all members.
    pub(in crate::engine) fn end_runs_of_members(&mut self) {
        self.rule_runs.retain(|run| run.owner == RunOwner::World);
    }

    /// Ends all lists of a member.
    pub(in crate::engine) fn end_runs_of(&mut self, member: u64) {
        self.end_member_runs(member, |_| true);
        self.rule_runs.forget_ended();
    }

    /// Ends a member's lists for which `is_over` returns `true`.
    pub(super) fn end_member_runs(&mut self, member: u64, is_over: impl Fn(&RuleRun) -> bool) {
        self.rule_runs.end_of_member(member, is_over);
    }

    /// Schedules a list if its owner still exists.
    pub(super) fn schedule(&mut self, run: RuleRun) -> Result<(), Refusal> {
        if self.has_owner(run.owner) { self.rule_runs.schedule(run) } else { Ok(()) }
    }

    /// Returns whether a member has a scheduled list for which `matches` returns `true`.
    pub(super) fn has_scheduled(&self, member: u64, matches: impl Fn(&RuleRun) -> bool) -> bool {
        self.rule_runs.of_member(member).any(matches)
    }
}
