//! Lists of steps that wait for their time: scripts, what rules do later, and what streams do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::context::Context;
use super::posted::StepsText;
use super::steps::Strands;
use crate::engine::Engine;
use crate::engine::refusal::Refusal;
use crate::expression::Template;
use crate::scenario::{Answers, Content, Fires, MessageRule, RuleScript, Scenario, StepList, Verb};

/// The most lists of steps that wait at a time.
pub const MAX_WAITING: usize = 100_000;

/// Who ends a list of steps that does not end by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::engine) enum RunOwner {
    /// The world.
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
    /// The member that it is, or is of.
    pub(super) fn member(self) -> Option<u64> {
        match self {
            Self::World => None,
            Self::Member(member) | Self::Membership { member, .. } => Some(member),
        }
    }
}

/// Where a list of steps is declared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::engine) enum RuleOrigin {
    /// An answer of the route of that key.
    Answer(Arc<str>),
    /// The trigger of that key.
    Trigger(Arc<str>),
    /// The generator of that key.
    Generator(Arc<str>),
    /// The script of that key.
    Script(Arc<str>),
    /// The endpoint of that key.
    Endpoint(Arc<str>),
    /// Nowhere: it came from outside.
    Posted,
}

impl RuleOrigin {
    /// The key, which names the random stream.
    pub(in crate::engine) fn key(&self) -> Arc<str> {
        match self {
            Self::Answer(key) | Self::Trigger(key) | Self::Generator(key) | Self::Script(key) => key.clone(),
            Self::Endpoint(key) => format!("websocket {key}").into(),
            Self::Posted => "steps".into(),
        }
    }

    /// What the journal and the log call it if a list of its steps fails.
    pub(super) fn name_of_list(&self, scenario: &Scenario, list: &StepList) -> Arc<str> {
        let rules = self.message_rules(scenario);
        // Several rules may have lists that are written alike.
        let same = rules.iter().position(|rule| Arc::ptr_eq(rule.steps.written(), list.written()));
        let alike = || rules.iter().position(|rule| rule.steps.list_written(list.written()).is_some());
        self.name(same.or_else(alike).map(|index| index + 1))
    }

    /// As [`RuleOrigin::name_of_list`], if the frame of a membership fails.
    pub(super) fn name_of_frame(&self, scenario: &Scenario, frame: &Template) -> Arc<str> {
        let joins = |verb: &Verb| matches!(verb, Verb::Join(join) if join.frame.as_ref() == Some(frame));
        let rules = self.message_rules(scenario);
        self.name(rules.iter().position(|rule| rule.steps.has_verb(&joins)).map(|index| index + 1))
    }

    /// The key; of an endpoint also the number, from 1, of the rule for messages that is meant.
    pub(super) fn name(&self, rule: Option<usize>) -> Arc<str> {
        rule.map_or_else(|| self.key(), |rule| format!("{}, rule {rule}", self.key()).into())
    }

    fn message_rules<'s>(&self, scenario: &'s Scenario) -> &'s [MessageRule] {
        let Self::Endpoint(key) = self else { return &[] };
        scenario.endpoints().get(key).map(|endpoint| &*endpoint.messages).unwrap_or_default()
    }

    /// The list that a scenario has there and writes in that way.
    pub(super) fn steps(&self, scenario: &Scenario, written: &Value) -> Option<StepList> {
        let same = |steps: &&StepList| **steps.written() == *written;
        match self {
            Self::Answer(key) => {
                steps_of(scenario.routes().answers(key)?).find_map(|list| list.list_written(written)).cloned()
            }
            Self::Trigger(key) => {
                let triggers = scenario.triggers().iter().filter(|one| one.key == *key);
                triggers.map(|one| &one.steps).find(same).cloned()
            }
            Self::Generator(key) => {
                let rules = scenario.generators().iter().filter_map(|one| match one.fires() {
                    Fires::Rule(rule) => Some(rule),
                    Fires::Count { .. } => None,
                });
                rules.filter(|rule| rule.key == *key).map(|rule| &rule.steps).find(same).cloned()
            }
            Self::Script(key) => {
                let scripts = scenario.rule_scripts().iter().filter(|one| one.key == *key);
                scripts.map(|one| &one.steps).find(same).cloned()
            }
            Self::Endpoint(key) => scenario.endpoints().get(key)?.list_written(written).cloned(),
            Self::Posted => StepsText::Written(written.clone()).parse(scenario).ok(),
        }
    }

    /// Whether a list goes on with another scenario.
    fn goes_on(&self, scenario: &Scenario, steps: &StepList) -> bool {
        *self == Self::Posted || self.steps(scenario, steps.written()).is_some()
    }
}

/// All lists of a route.
fn steps_of(answers: &Answers) -> impl Iterator<Item = &StepList> {
    answers.list.iter().flat_map(|answer| {
        let stream = if let Content::Stream(stream) = &answer.content { Some(stream) } else { None };
        answer.steps.iter().chain(stream)
    })
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
    last: u64,
}

impl Waiting {
    fn insert(&mut self, number: u64, due: Duration, run: RuleRun) {
        self.owned.extend(run.owner.member().map(|member| (member, number)));
        self.runs.insert(number, Arc::new(run));
        self.due.insert((due, number));
    }

    fn remove(&mut self, number: u64) -> Option<RuleRun> {
        let run = self.runs.remove(&number)?;
        if let Some(due) = run.due() {
            self.due.remove(&(due, number));
        }
        if let Some(member) = run.owner.member() {
            self.owned.remove(&(member, number));
        }
        Some(Arc::unwrap_or_clone(run))
    }

    fn of_member(&self, member: u64) -> impl Iterator<Item = (u64, &RuleRun)> {
        let numbers = self.owned.range((member, 0)..=(member, u64::MAX)).map(|(_, number)| *number);
        numbers.filter_map(|number| Some((number, &**self.runs.get(&number)?)))
    }
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
        waiting.insert(waiting.last, due, run);
        Ok(())
    }

    /// Takes out the first of those that are due by then, with its number.
    pub(super) fn take_due(&mut self, by: Duration) -> Option<(u64, RuleRun)> {
        let (_, number) = *self.0.due.first().filter(|(due, _)| *due <= by)?;
        Some((number, Arc::make_mut(&mut self.0).remove(number)?))
    }

    /// Puts back what was taken out, if it still waits for something.
    pub(super) fn put_back(&mut self, number: u64, run: RuleRun) {
        let Some(due) = run.due() else { return };
        Arc::make_mut(&mut self.0).insert(number, due, run);
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
            over.into_iter().for_each(|number| drop(waiting.remove(number)));
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
        if let Some(local) = &mut self.local {
            local.runs.retain(goes_on);
        }
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
    }

    /// Ends what belongs to a member and is so.
    pub(super) fn end_member_runs(&mut self, member: u64, is_over: impl Fn(&RuleRun) -> bool) {
        self.rule_runs.end_of_member(member, &is_over);
        if let Some(local) = &mut self.local {
            local.runs.end_of_member(member, is_over);
        }
    }

    /// Whether steps of a member wait for which that is true.
    pub(super) fn has_waiting(&self, member: u64, is_meant: impl Fn(&RuleRun) -> bool) -> bool {
        let local = self.local.iter().flat_map(|local| local.runs.of_member(member));
        self.rule_runs.of_member(member).chain(local).any(is_meant)
    }
}
