//! The firing of a rule: it turns steps into commands at one moment. Either all of them take effect, or none.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::context::Context;
use super::draws::{Drawn, Draws};
use super::guard::applies;
use super::origin::RuleOrigin;
use super::reading::Reading;
use super::rows::text_id;
use super::runs::{RuleRun, RunOwner, RunsCheckpoint};
use super::steps::Strands;
use crate::engine::command::{Command, CommandSource, FaultText};
use crate::engine::event::{Event, EventKind, MemberEvent};
use crate::engine::members::Member;
use crate::engine::refusal::Refusal;
use crate::engine::topics::Topic;
use crate::engine::{Collections, Counters, DataValues, Engine, FaultRun};
use crate::expression::{Condition, Data, Rendered, Template};
use crate::scenario::{CONN, DataPath, Repeat, RuleStep, SetTarget, StepList, Verb, integer};

/// The maximum number of steps that one firing runs at one moment.
pub const MAX_STEPS: u64 = 10_000;

/// One firing of a rule.
pub(super) struct Firing<'e> {
    pub(super) engine: &'e mut Engine,
    pub(super) events: &'e mut Vec<Event>,
    pub(super) origin: RuleOrigin,
    pub(super) owner: RunOwner,
    draws: Draws,
    /// The number of steps that may still run; see [`MAX_STEPS`].
    steps_left: u64,
}

/// The state that a firing can roll back to.
struct Checkpoint {
    collections: Collections,
    counters: Counters,
    values: DataValues,
    faults: Vec<FaultRun>,
    fault_ids: u64,
    sequence: u64,
    /// The member that owns the rule.
    member: Option<Arc<Member>>,
    /// The number of protocol addresses that the operation had ended.
    ended: usize,
    runs: RunsCheckpoint,
    drawn: Drawn,
    /// The number of events.
    events: usize,
}

impl Engine {
    /// Fires a rule: runs `job`, and rolls back all of its changes if it fails.
    pub(super) fn fire_rule<T>(
        &mut self,
        origin: RuleOrigin,
        owner: RunOwner,
        events: &mut Vec<Event>,
        job: impl FnOnce(&mut Firing<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let mut firing = Firing::new(self, events, origin, owner);
        let result = firing.all_or_none(job);
        firing.finish();
        result
    }
}

impl<'e> Firing<'e> {
    pub(super) fn new(engine: &'e mut Engine, events: &'e mut Vec<Event>, origin: RuleOrigin, owner: RunOwner) -> Self {
        let draws = Draws::of(engine, origin.clone());
        Self { engine, events, origin, owner, draws, steps_left: MAX_STEPS }
    }

    /// Runs `job`, and rolls back its changes if it fails.
    pub(super) fn all_or_none<T>(&mut self, job: impl FnOnce(&mut Self) -> Result<T, Refusal>) -> Result<T, Refusal> {
        let checkpoint = self.checkpoint();
        let result = job(self);
        if result.is_err() {
            self.roll_back(checkpoint);
        }
        result
    }

    /// Ends the firing and hands its random positions back to the engine.
    pub(super) fn finish(mut self) {
        self.engine.drawn = self.draws.drawn();
        self.engine.end_operations(self.events);
    }

    /// Starts a list and runs the steps that are due now. Returns the list if it has steps left.
    fn start_list(&mut self, steps: &StepList, context: &mut Context) -> Result<Option<RuleRun>, Refusal> {
        let now = self.engine.now;
        let mut run = RuleRun {
            origin: self.origin.clone(),
            owner: self.owner,
            steps: steps.clone(),
            strands: Strands::of(steps.steps(), now),
            context: std::mem::take(context),
            script: None,
        };
        let result = self.run_due_steps(&mut run);
        // Handed back even after a refusal, because the caller may continue with it.
        *context = run.context.clone();
        result?;
        Ok((!run.strands.is_over()).then_some(run))
    }

    /// Starts a list: runs the steps that are due now, and schedules the others.
    pub(super) fn run_list(&mut self, steps: &StepList, context: &mut Context) -> Result<(), Refusal> {
        let later = self.start_list(steps, context)?;
        later.map_or(Ok(()), |later| self.engine.schedule(later))
    }

    /// Starts the steps of a stream. A stream that can send nothing more ends.
    pub(super) fn start_stream(&mut self, steps: &StepList, context: &mut Context) -> Result<(), Refusal> {
        let member = self.member()?;
        if let Some(later) = self.start_list(steps, context)? {
            return self.engine.schedule(later);
        }
        self.engine.end_if_idle(member, self.events);
        Ok(())
    }

    fn run_due_steps(&mut self, run: &mut RuleRun) -> Result<(), Refusal> {
        // A step may close the member or end the membership that owns the list.
        while run.due().is_some_and(|due| due <= self.engine.now) && self.engine.has_owner(run.owner) {
            self.step(run)?;
        }
        Ok(())
    }

    /// Runs the next step of a list once. The list advances even if the step is refused.
    pub(super) fn step(&mut self, run: &mut RuleRun) -> Result<(), Refusal> {
        self.steps_left = self.steps_left.checked_sub(1).ok_or(Refusal::TooManySteps)?;
        let steps = run.steps.clone();
        let Some(next) = run.strands.next(steps.steps()) else { return Ok(()) };
        let step = &steps.steps()[next.step];
        let item = match (&step.each, next.done) {
            (Some(each), 0) => match self.each_items(each, &run.context) {
                Ok(items) => {
                    run.strands.start_each(next.step, items);
                    run.strands.take_item(next.step)
                }
                Err(refusal) => {
                    run.strands.advance(steps.steps(), next.step, true);
                    return if self.is_excluded(step, &run.context)? { Ok(()) } else { Err(refusal) };
                }
            },
            (Some(_), _) => run.strands.take_item(next.step),
            // An `each` that a reload has ended still takes its time.
            (None, _) if step.has_ended() => run.strands.take_item(next.step),
            (None, _) => None,
        };
        let has_no_items = step.each.is_some() && item.is_none();
        let has_ended = has_no_items || (step.has_ended() && step.times == Repeat::Forever);
        run.strands.advance(steps.steps(), next.step, has_ended);
        if has_ended {
            return Ok(());
        }
        let mut step_context = run.context.clone();
        if let Some(item) = item {
            step_context.set("item", item);
            step_context.set("index", Value::from(next.done));
        }
        if let Some(row) = self.run_step(step, &mut step_context)? {
            run.context.set("it", row);
        }
        if self.is_disconnected(&run.context) {
            run.strands = Strands::default();
        }
        Ok(())
    }

    /// Returns whether the `when` of a step with `each` is false for every item, so that the list may be undefined.
    fn is_excluded(&mut self, step: &RuleStep, context: &Context) -> Result<bool, Refusal> {
        let names_of_step = step.with.iter().map(|(name, _)| &**name).chain(["item", "index"]);
        let for_all = |when: &&Condition| names_of_step.clone().all(|name| !when.names().contains(name));
        match step.when.as_ref().filter(for_all) {
            Some(when) => Ok(!self.holds(when, context)?),
            None => Ok(false),
        }
    }

    /// Runs a step once. Returns the affected row, if any.
    fn run_step(&mut self, step: &RuleStep, context: &mut Context) -> Result<Option<Arc<Value>>, Refusal> {
        if !applies(&step.with, step.when.as_ref(), self, context)? {
            return Ok(None);
        }
        self.run_verb(&step.verb, context)
    }

    /// Carries out the verb of a step. Returns the affected row, if any.
    fn run_verb(&mut self, verb: &Verb, context: &Context) -> Result<Option<Arc<Value>>, Refusal> {
        match verb {
            Verb::Do(steps) => return self.all_or_none(|firing| firing.run_nested(steps, context)),
            Verb::Rows(verb, rows) => return self.rows(*verb, rows, context),
            Verb::Reply(frame) => self.reply(frame, context)?,
            Verb::Send { to, frame, others } => self.send(to.as_ref(), frame, *others, context)?,
            Verb::Join(join) if join.steps.is_some() || join.name.is_some() => {
                self.all_or_none(|firing| firing.join(join, context))?;
            }
            Verb::Join(join) => self.join(join, context)?,
            Verb::Leave { to, name } => self.leave(to.as_ref(), name.as_ref(), context)?,
            Verb::Close { code, reason } => self.close(code.as_ref(), reason.as_ref(), context)?,
            Verb::Set(values) => self.set_all(values, context)?,
            Verb::Count { row, amount } => {
                let row = self.render_id(row, context)?;
                let amount = self.required(amount, context)?;
                let amount =
                    integer(&amount).ok_or_else(|| Refusal::wrong_value("an order's amount", "an integer", &amount))?;
                self.command(Command::Count { id: row.into(), amount })?;
            }
            Verb::Ended => {}
            Verb::Fault(fault) => self.command(Command::AddFault { fault: FaultText::Parsed(fault.clone()) })?,
        }
        Ok(None)
    }

    /// Runs the steps inside a step, all at the moment of that step. Their own times are ignored. Returns the row that
    /// was affected last, if any.
    fn run_nested(&mut self, steps: &StepList, context: &Context) -> Result<Option<Arc<Value>>, Refusal> {
        let mut context = context.clone();
        for step in steps.steps() {
            if self.owner.member().is_some_and(|member| self.engine.members.is_closing(member)) {
                break;
            }
            let items = step.each.as_ref().map(|each| self.each_items(each, &context)).transpose()?;
            let times = match (&items, step.times) {
                (Some(items), _) => items.len() as u64,
                (None, Repeat::Times(times)) => times,
                (None, Repeat::Forever) => return Err(Refusal::TooManySteps),
            };
            let mut items = items.into_iter().flatten();
            for index in 0..times {
                self.steps_left = self.steps_left.checked_sub(1).ok_or(Refusal::TooManySteps)?;
                let mut step_context = context.clone();
                if let Some(item) = items.next() {
                    step_context = step_context.with("item", item).with("index", Value::from(index));
                }
                if let Some(row) = self.run_step(step, &mut step_context)? {
                    context.set("it", row);
                }
                if self.is_disconnected(&context) {
                    return Ok(None);
                }
            }
        }
        Ok(context.get("it").cloned().map(Arc::new))
    }

    fn set_all(&mut self, values: &[(SetTarget, Template)], context: &Context) -> Result<(), Refusal> {
        let set = |firing: &mut Self, (target, template): &(SetTarget, Template)| match target {
            SetTarget::Value(path) => firing.set(path, template, context),
            SetTarget::Conn(keys) => firing.set_conn(keys, template, context),
        };
        if let [one] = values {
            return set(self, one);
        }
        self.all_or_none(|firing| values.iter().try_for_each(|value| set(firing, value)))
    }

    fn set(&mut self, path: &DataPath, template: &Template, context: &Context) -> Result<(), Refusal> {
        let value = self.required(template, context)?;
        self.command(Command::SetValue { name: path.name.clone(), keys: path.keys.clone(), value })
    }

    /// Emits an event that reports a refused step.
    pub(super) fn report_refusal(&mut self, list: &StepList, refusal: Refusal) {
        let rule = self.origin.name_of_list(&self.engine.scenario, list);
        match self.owner {
            RunOwner::Member(_) | RunOwner::Membership { .. } => {
                // The owner has a member, so this cannot fail.
                let _ = self.notify(MemberEvent::Failed { rule, refusal });
            }
            RunOwner::World => {
                let skipped = self.engine.event(EventKind::Skipped { rule: Some(rule), refusal });
                self.events.push(skipped);
            }
        }
    }

    pub(super) fn command(&mut self, command: Command) -> Result<(), Refusal> {
        // The command may render frames, whose expressions draw from the engine's positions.
        self.engine.drawn = self.draws.drawn();
        let result = self.engine.carry_out(command, CommandSource::Rule, self.events);
        self.draws.adopt(&self.engine.drawn);
        result.map(drop)
    }
}

/// Evaluation of templates and conditions.
impl Firing<'_> {
    /// Renders a value. `None` if it is undefined.
    pub(super) fn render(&mut self, template: &Template, context: &Context) -> Result<Option<Value>, Refusal> {
        self.evaluate(template.names(), template.only_reads(), context, |roots, draws| {
            Ok(template.render(roots, draws)?)
        })
    }

    /// Renders a value that must be defined.
    pub(super) fn required(&mut self, template: &Template, context: &Context) -> Result<Value, Refusal> {
        self.evaluate(template.names(), template.only_reads(), context, |roots, draws| {
            Ok(template.render_required(roots, draws)?)
        })
    }

    /// Renders a value as [`Template::render_collecting`] does.
    pub(super) fn render_collecting(&mut self, template: &Template, context: &Context) -> Result<Rendered, Refusal> {
        self.evaluate(template.names(), template.only_reads(), context, |roots, draws| {
            Ok(template.render_collecting(roots, draws)?)
        })
    }

    pub(super) fn holds(&mut self, condition: &Condition, context: &Context) -> Result<bool, Refusal> {
        self.evaluate(condition.names(), condition.only_reads(), context, |roots, draws| {
            Ok(condition.holds(roots, draws)?)
        })
    }

    /// Evaluates an expression that uses `names`. It sees topics unless it `only_reads`.
    fn evaluate<T>(
        &mut self,
        names: &BTreeSet<String>,
        only_reads: bool,
        context: &Context,
        compute: impl FnOnce(&dyn Fn(&str) -> Option<Data>, &mut Draws) -> T,
    ) -> T {
        if !only_reads {
            self.draws.set_topics(Some(self.engine.topics.clone()));
        }
        let member = self.owner.member().filter(|_| names.contains(CONN));
        let conn = member.and_then(|member| self.engine.conn_in(member, context)).map(Arc::new);
        let reading = self.engine.reading();
        let of_conn = |name: &str| conn.as_ref().filter(|_| name == CONN).map(Data::shared);
        let computed = compute(&|name| of_conn(name).or_else(|| resolve(context, &reading, name)), &mut self.draws);
        self.draws.set_topics(None);
        computed
    }

    /// Renders the list of an `each`.
    fn each_items(&mut self, each: &Template, context: &Context) -> Result<Vec<Value>, Refusal> {
        match self.required(each, context).map_err(Refusal::of_list)? {
            Value::Array(items) => Ok(items),
            other => Err(Refusal::wrong_value("`each`", "a list", &other)),
        }
    }

    /// Renders an id, which is text or an integer.
    pub(super) fn render_id(&mut self, template: &Template, context: &Context) -> Result<String, Refusal> {
        let id = self.required(template, context)?;
        text_id(&id).ok_or_else(|| Refusal::wrong_value("an id", "text or an integer", &id))
    }

    /// Renders a topic or a list of topics. The result is sorted and has no duplicates.
    pub(super) fn render_topics(&mut self, template: &Template, context: &Context) -> Result<Vec<Topic>, Refusal> {
        let topics = match self.required(template, context)? {
            Value::Array(topics) => topics,
            one => vec![one],
        };
        Ok(topics.iter().map(topic).collect::<Result<BTreeSet<Topic>, Refusal>>()?.into_iter().collect())
    }
}

/// Checkpoints, which make a firing atomic.
impl Firing<'_> {
    fn checkpoint(&mut self) -> Checkpoint {
        let (engine, member) = (&*self.engine, self.owner.member());
        Checkpoint {
            collections: engine.collections.clone(),
            counters: engine.counters.clone(),
            values: engine.values.clone(),
            member: member.and_then(|member| engine.members.get(member)).cloned(),
            ended: engine.members.ended(),
            runs: engine.rule_runs.checkpoint(),
            faults: engine.faults.clone(),
            fault_ids: engine.fault_ids,
            sequence: engine.sequence,
            drawn: self.draws.drawn(),
            events: self.events.len(),
        }
    }

    fn roll_back(&mut self, checkpoint: Checkpoint) {
        let engine = &mut *self.engine;
        (engine.collections, engine.counters) = (checkpoint.collections, checkpoint.counters);
        engine.values = checkpoint.values;
        if let Some(member) = self.owner.member() {
            engine.restore_member(member, checkpoint.member);
        }
        engine.members.undo_ended(checkpoint.ended);
        engine.rule_runs.roll_back(checkpoint.runs);
        (engine.faults, engine.fault_ids) = (checkpoint.faults, checkpoint.fault_ids);
        engine.sequence = checkpoint.sequence;
        self.events.truncate(checkpoint.events);
        self.draws.roll_back(checkpoint.drawn);
    }
}

/// Resolves a name in an expression of a rule: first in the rule's own context, then in the world's data.
pub(super) fn resolve(context: &Context, reading: &Reading<'_>, name: &str) -> Option<Data> {
    context.resolve(name).or_else(|| reading.resolve(name))
}

/// Returns the topic with this name. Names that start with `__` are reserved.
fn topic(name: &Value) -> Result<Topic, Refusal> {
    let text = text_id(name).filter(|text| !text.is_empty() && !text.starts_with("__"));
    let text = text.ok_or_else(|| Refusal::wrong_value("a topic", "text that does not begin with `__`", name))?;
    Ok(Topic::Named(text.into()))
}
