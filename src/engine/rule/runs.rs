//! Lists of steps that wait for their time: scripts, what rules do later, and what streams do.

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

/// The most lists of steps that wait at a time.
pub const MAX_WAITING: usize = 100_000;

/// Who ends a list of steps that does not end by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::engine) enum RunOwner {
    /// The world.
    #[default]
    World,
    /// The member of that number: the steps end when it leaves.
    Member(u64),
    /// A membership: the steps end with it.
    Membership {
        member: u64,
        /// The number of the membership.
        number: u64,
    },
}

impl RunOwner {
    // As serde asks.
    pub(super) fn is_world(&self) -> bool {
        *self == Self::World
    }

    /// The member that it is, or is of.
    pub(super) fn member(self) -> Option<u64> {
        match self {
            Self::World => None,
            Self::Member(member) | Self::Membership { member, .. } => Some(member),
        }
    }
}

/// A list of steps that waits.
#[derive(Debug, Clone)]
pub(in crate::engine) struct RuleRun {
    pub(super) origin: RuleOrigin,
    pub(super) owner: RunOwner,
    pub(super) steps: StepList,
    pub(super) strands: Strands,
    pub(super) context: Context,
    /// The script that it is, and its round.
    pub(super) script: Option<ScriptRound>,
}

/// Where a script is that repeats.
#[derive(Debug, Clone)]
pub(super) struct ScriptRound {
    pub(super) declared: Arc<RuleScript>,
    /// Rounds before the current one.
    pub(super) round: u64,
    /// When the current round began, in the world's time.
    pub(super) origin: Duration,
}

impl RuleRun {
    /// When its next step is due.
    pub(super) fn due(&self) -> Option<Duration> {
        self.strands.due(self.steps.steps())
    }

    pub(super) fn is_over(&self) -> bool {
        self.strands.is_over()
    }

    /// Has its list begin again at that time.
    pub(super) fn begin_at(&mut self, origin: Duration) {
        self.strands = Strands::of(self.steps.steps(), origin);
        self.context = Context::default();
    }

    /// A script that begins at that time.
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

/// All lists of steps that wait. A clone is cheap.
#[derive(Debug, Clone, Default)]
pub(in crate::engine) struct RuleRuns(Arc<Waiting>);

#[derive(Debug, Clone, Default)]
struct Waiting {
    /// By number, in the order in which they began.
    runs: BTreeMap<u64, Arc<RuleRun>>,
    due: BTreeSet<(Duration, u64)>,
    /// Members with the numbers of what is theirs.
    owned: BTreeSet<(u64, u64)>,
    /// Those that the rule at work has ended, for as long as it may be undone.
    ended: Vec<(u64, Arc<RuleRun>)>,
    last: u64,
}

impl Waiting {
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

/// A moment to go back to.
#[derive(Debug, Clone, Copy)]
pub(super) struct RunsBefore {
    /// The number of the last list that had begun.
    last: u64,
    /// How many lists the rule at work had ended.
    ended: usize,
}

impl RuleRuns {
    /// When the next step is due.
    pub(in crate::engine) fn next_due(&self) -> Option<Duration> {
        self.0.due.first().map(|(due, _)| *due)
    }

    /// All of them, the soonest first, each with the time at which its next step is due.
    pub(super) fn soonest_first(&self) -> impl Iterator<Item = (Duration, &RuleRun)> {
        self.0.due.iter().filter_map(|(due, number)| Some((*due, &**self.0.runs.get(number)?)))
    }

    /// Keeps a list until its next step is due, if there is one.
    pub(super) fn wait(&mut self, run: RuleRun) -> Result<(), Refusal> {
        let Some(due) = run.due() else { return Ok(()) };
        if self.0.runs.len() >= MAX_WAITING {
            return Err(Refusal::TooManyWaiting);
        }
        let waiting = Arc::make_mut(&mut self.0);
        waiting.last += 1;
        waiting.insert(waiting.last, due, Arc::new(run));
        Ok(())
    }

    /// What a rule may have to go back to.
    pub(super) fn before(&self) -> RunsBefore {
        RunsBefore { last: self.0.last, ended: self.0.ended.len() }
    }

    /// Goes back: what has begun since no longer waits, what has ended since waits again.
    pub(super) fn go_back(&mut self, before: RunsBefore) {
        if self.0.last == before.last && self.0.ended.len() == before.ended {
            return;
        }
        let waiting = Arc::make_mut(&mut self.0);
        let newer: Vec<u64> = waiting.runs.range(before.last + 1..).map(|(number, _)| *number).collect();
        for number in newer {
            waiting.remove(number);
        }
        for (number, run) in waiting.ended.split_off(before.ended) {
            if let Some(due) = run.due().filter(|_| number <= before.last) {
                waiting.insert(number, due, run);
            }
        }
    }

    /// Forgets what has ended: the rule at work is at its end.
    pub(super) fn forget_ended(&mut self) {
        if !self.0.ended.is_empty() {
            Arc::make_mut(&mut self.0).ended.clear();
        }
    }

    /// Takes out the first of those that are due by then, with its number.
    pub(super) fn take_due(&mut self, by: Duration) -> Option<(u64, RuleRun)> {
        let (_, number) = *self.0.due.first().filter(|(due, _)| *due <= by)?;
        Some((number, Arc::unwrap_or_clone(Arc::make_mut(&mut self.0).remove(number)?)))
    }

    /// Puts back what was taken out, if it still waits for something.
    pub(super) fn put_back(&mut self, number: u64, run: RuleRun) {
        let Some(due) = run.due() else { return };
        Arc::make_mut(&mut self.0).insert(number, due, Arc::new(run));
    }

    /// Keeps those for which that is true.
    pub(super) fn retain(&mut self, keep: impl Fn(&RuleRun) -> bool) {
        if self.0.runs.values().all(|run| keep(run)) {
            return;
        }
        let waiting = Arc::make_mut(&mut self.0);
        waiting.runs.retain(|_, run| keep(run));
        let Waiting { runs, due, owned, .. } = waiting;
        due.retain(|(_, number)| runs.contains_key(number));
        owned.retain(|(_, number)| runs.contains_key(number));
    }

    /// Ends those of a member for which that is true.
    pub(super) fn end_of_member(&mut self, member: u64, is_over: impl Fn(&RuleRun) -> bool) {
        let over = self.0.of_member(member).filter(|(_, run)| is_over(run)).map(|(number, _)| number);
        let over: Vec<u64> = over.collect();
        if !over.is_empty() {
            let waiting = Arc::make_mut(&mut self.0);
            for number in over {
                let ended = waiting.remove(number).map(|run| (number, run));
                waiting.ended.extend(ended);
            }
        }
    }

    /// Those of a member.
    pub(super) fn of_member(&self, member: u64) -> impl Iterator<Item = &RuleRun> {
        self.0.of_member(member).map(|(_, run)| run)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &RuleRun> {
        self.0.runs.values().map(|run| &**run)
    }
}

impl Engine {
    /// Starts the scripts of general steps that the scenario declares.
    pub(in crate::engine) fn start_rule_scripts(&mut self) {
        self.rule_runs = RuleRuns::default();
        let scenario = self.scenario.clone();
        for script in scenario.rule_scripts() {
            // There are fewer of them than may wait.
            let _ = self.rule_runs.wait(RuleRun::script(script, self.now));
        }
    }

    /// Ends what the new scenario no longer declares, and starts the scripts that it brings: those that say the same go on,
    /// and so does what rules do later whose text is the same.
    pub(in crate::engine) fn carry_rule_runs_over(&mut self, before: &[Arc<RuleScript>]) {
        let scenario = self.scenario.clone();
        let goes_on = |run: &RuleRun| match &run.script {
            Some(round) => scenario.rule_scripts().contains(&round.declared),
            None => run.origin.goes_on(&scenario, &run.steps),
        };
        self.rule_runs.retain(goes_on);
        for script in scenario.rule_scripts().iter().filter(|script| !before.contains(script)) {
            // There are fewer of them than may wait.
            let _ = self.rule_runs.wait(RuleRun::script(script, self.now));
        }
    }

    /// Ends what belongs to any member.
    pub(in crate::engine) fn end_runs_of_members(&mut self) {
        self.rule_runs.retain(|run| run.owner == RunOwner::World);
    }

    /// Ends what belongs to a member.
    pub(in crate::engine) fn end_runs_of(&mut self, member: u64) {
        self.end_member_runs(member, |_| true);
        self.rule_runs.forget_ended();
    }

    /// Ends what belongs to a member and is so.
    pub(super) fn end_member_runs(&mut self, member: u64, is_over: impl Fn(&RuleRun) -> bool) {
        self.rule_runs.end_of_member(member, is_over);
    }

    /// Keeps a list until its next step is due.
    pub(super) fn wait(&mut self, run: RuleRun) -> Result<(), Refusal> {
        if self.has_owner(run.owner) { self.rule_runs.wait(run) } else { Ok(()) }
    }

    /// Whether steps of a member wait for which that is true.
    pub(super) fn has_waiting(&self, member: u64, is_meant: impl Fn(&RuleRun) -> bool) -> bool {
        self.rule_runs.of_member(member).any(is_meant)
    }
}
