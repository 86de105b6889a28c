//! Checks lists of steps: their times and repeats, and the names that their expressions use.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::expressions::{Expressions, ITEM, ROW, Scope};
use super::known::KnownNames;
use super::protocols::ProtocolContext;
use super::references::References;
use super::{Validator, given};
use crate::expression::{Template, is_reserved_name};
use crate::scenario::problem::{Problem, ProblemKind, SocketMistake, TimingMistake};
use crate::scenario::raw::{RawRepeat, RawRuleStep, RawVerb, RawVerbValue};
use crate::scenario::source::Span;
use crate::scenario::units::{MAX_AT_ONCE, MAX_DURATION, times};
use crate::scenario::yaml::{Entries, Items, JsonNode, Spanned};
use crate::scenario::{Repeat, RowVerb, RuleStep, StepList, StepStart, Verb};

/// The maximum number of steps in a list.
const MAX_STEPS: usize = 10_000;

/// The maximum nesting depth of steps.
const MAX_NESTING: usize = 8;

/// The checks of rules, with the state that they share.
pub(super) struct Rules<'c, 'r, 'd> {
    pub(super) check: &'c mut Validator<'d>,
    pub(super) references: &'c mut References<'r>,
    pub(super) known: &'c KnownNames,
    pub(super) expressions: Expressions<'c>,
}

/// The owner of a list of steps, which decides which verbs and names the steps can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    World,
    /// The stream that answers a request.
    Stream,
    /// An open socket.
    Socket,
    /// The world, on behalf of a closed socket.
    ClosedSocket,
}

impl Owner {
    /// Returns whether the steps belong to an endpoint.
    pub(super) fn belongs_to_endpoint(self) -> bool {
        matches!(self, Self::Socket | Self::ClosedSocket)
    }
}

/// What the check of a list of steps depends on.
#[derive(Clone, Copy)]
pub(super) struct StepContext<'s, 'n> {
    pub(super) owner: Owner,
    pub(super) scope: &'s Scope<'n>,
    /// The number of enclosing steps.
    depth: usize,
    /// Whether all of the steps run at the same moment.
    simultaneous: bool,
    pub(super) protocol_context: ProtocolContext,
}

impl<'s, 'n> StepContext<'s, 'n> {
    pub(super) fn new(owner: Owner, scope: &'s Scope<'n>) -> Self {
        Self { owner, scope, depth: 0, simultaneous: false, protocol_context: ProtocolContext::default() }
    }

    /// Returns the same context with the protocol of the endpoint.
    pub(super) fn with_protocol(self, protocol_context: ProtocolContext) -> Self {
        Self { protocol_context, ..self }
    }

    /// Returns the same context with another scope.
    pub(super) fn with_scope<'t, 'm>(self, scope: &'t Scope<'m>) -> StepContext<'t, 'm> {
        StepContext {
            owner: self.owner,
            scope,
            depth: self.depth,
            simultaneous: self.simultaneous,
            protocol_context: self.protocol_context,
        }
    }

    /// Returns the context for steps inside one of these steps, which may all run at the same moment.
    pub(super) fn inside(self, simultaneous: bool) -> Self {
        Self { depth: self.depth + 1, simultaneous, ..self }
    }
}

impl Rules<'_, '_, '_> {
    pub(super) fn template(&mut self, node: JsonNode, scope: &Scope<'_>) -> Option<Template> {
        self.expressions.template(node, scope, self.check)
    }

    /// Checks the list of steps under `key`. `written` is the list as JSON; the same holds for the other checks.
    pub(super) fn steps(
        &mut self,
        list: &Items<RawRuleStep>,
        (key, span): (&'static str, Span),
        written: Option<&Value>,
        context: StepContext<'_, '_>,
    ) -> Option<StepList> {
        if list.len() == 0 {
            self.check.report(ProblemKind::EmptyList(key), span);
        }
        if list.len() > MAX_STEPS {
            self.check.report(ProblemKind::TooManySteps(MAX_STEPS), span);
            return None;
        }
        if context.depth > MAX_NESTING {
            self.check.report(ProblemKind::StepsTooDeep(MAX_NESTING), span);
            return None;
        }
        let mut scope = context.scope.clone();
        if written.is_some_and(may_set_row_before_first) {
            scope.add([ROW]);
        }
        let document = self.check.document;
        let (mut previous_end, mut names) = (Duration::ZERO, HashMap::new());
        // Collected first, so that all steps are checked even if one is invalid.
        let steps: Vec<Option<RuleStep>> = document
            .items(list)
            .enumerate()
            .map(|(index, item)| {
                let written = written.and_then(|list| list.get(index));
                let sets_row = written.is_none_or(sets_row);
                // A step that runs several times sets the row for its next run.
                if sets_row && written.is_none_or(|step| step.get("times").is_some() || step.get("each").is_some()) {
                    scope.add([ROW]);
                }
                let step = item.get().and_then(|(raw, span)| self.step(raw, span, written, context.with_scope(&scope)));
                // An invalid step may be meant to set the row.
                if sets_row || step.is_none() {
                    scope.add([ROW]);
                }
                let (step, span) = (step?, item.span);
                self.warn_duplicate_name(&step, written, span, &mut names);
                previous_end = end(&step, previous_end);
                if previous_end > MAX_DURATION {
                    self.check.report(TimingMistake::TooLate.into(), span);
                    // Report this only once, although all later steps are late as well.
                    previous_end = Duration::ZERO;
                }
                Some(step)
            })
            .collect();
        // Steps that cannot be decoded are left out.
        if steps.len() < list.len() {
            return None;
        }
        let steps: Option<Arc<[RuleStep]>> = steps.into_iter().collect();
        Some(StepList { steps: steps?, source: Arc::new(written?.clone()) })
    }

    /// Checks the steps of a mapping that has either `do` or a single verb. `owner` names the mapping in messages.
    pub(super) fn steps_of(
        &mut self,
        verbs: &[RawVerb<'_>],
        owner: &'static str,
        span: Span,
        written: Option<&Value>,
        context: StepContext<'_, '_>,
    ) -> Option<StepList> {
        if let [RawVerb { key: "do", span, value }] = verbs {
            let Some(RawVerbValue::Do(list)) = value else { return None };
            return self.steps(list, ("`do`", *span), written?.get("do"), context);
        }
        let verb = self.verb(verbs, owner, span, written, context)?;
        let key = verbs.first()?.key;
        let source = Arc::new(json!([{ key: written?.get(key)? }]));
        let step = RuleStep {
            start: StepStart::After(Duration::ZERO),
            times: Repeat::Times(1),
            every: Duration::ZERO,
            when: None,
            each: None,
            with: Vec::new(),
            verb,
        };
        Some(StepList { steps: [step].into(), source })
    }

    /// Warns about a step that joins under the same name as an earlier step at the same moment. `names` collects the
    /// names so far.
    fn warn_duplicate_name(
        &self,
        step: &RuleStep,
        written: Option<&Value>,
        span: Span,
        names: &mut HashMap<String, Span>,
    ) {
        let is_certain = step.when.is_none() && step.each.is_none();
        let name = match &step.verb {
            // After `leave`, a step can join under the same name again.
            Verb::Leave { .. } => return names.clear(),
            Verb::Join(join) if is_certain => join.name.as_ref().filter(|name| name.only_reads()),
            _ => None,
        };
        if step.start != StepStart::After(Duration::ZERO) {
            // A step at a later moment may replace a membership on purpose.
            names.clear();
        }
        let written = name.and_then(|_| written?.get("join")?.get("as"));
        if let Some(first) = written.and_then(|written| names.insert(written.to_string(), span)) {
            let problem = Problem::new(SocketMistake::JoinsAgain.into(), span);
            self.check.document.report(problem.related_to(first));
        }
    }

    fn step(
        &mut self,
        raw: &RawRuleStep,
        span: Span,
        written: Option<&Value>,
        context: StepContext<'_, '_>,
    ) -> Option<RuleStep> {
        let start = self.start(raw);
        let times = self.times(raw);
        let every = self.every(raw, times);
        if context.simultaneous {
            let keys = [("at", &raw.at), ("after", &raw.after), ("every", &raw.every)];
            for (key, value) in keys.into_iter().filter_map(|(key, value)| Some((key, value.as_ref()?))) {
                self.check.report(TimingMistake::TimeInMoment(key).into(), value.span);
            }
        }
        let mut scope = context.scope.clone();
        let each = given(raw.each.as_ref()).map(|(node, _)| self.list(*node, &scope));
        if raw.each.is_some() {
            scope.add(ITEM);
        }
        let with = self.with(raw.with.as_ref(), &mut scope);
        let when = given(raw.when.as_ref()).map(|(when, _)| self.expressions.condition(*when, &scope, self.check));
        let verb = self.verb(&raw.verbs(), "a step", span, written, context.with_scope(&scope));
        Some(RuleStep {
            start: start?,
            times: times?,
            every: every?,
            when: when.map_or(Some(None), |when| when.map(Some))?,
            each: each.map_or(Some(None), |each| each.map(Some))?,
            with: with?,
            verb: verb?,
        })
    }

    /// Checks `at` and `after`.
    fn start(&mut self, raw: &RawRuleStep) -> Option<StepStart> {
        match (&raw.at, &raw.after) {
            (Some(_), Some(after)) => {
                self.check.report(ProblemKind::Exclusive("at", "after"), after.span);
                None
            }
            (None, None) => Some(StepStart::After(Duration::ZERO)),
            (at @ Some(_), None) => self.check.duration(at.as_ref()).map(|(at, _)| StepStart::At(at)),
            (None, after) => self.check.duration(after.as_ref()).map(|(after, _)| StepStart::After(after)),
        }
    }

    fn times(&mut self, raw: &RawRuleStep) -> Option<Repeat> {
        if let (Some(times), Some(_)) = (&raw.times, &raw.each) {
            self.check.report(ProblemKind::Exclusive("times", "each"), times.span);
            return None;
        }
        let Some(times) = &raw.times else { return Some(Repeat::Times(1)) };
        let (repeat, span) = times.get()?;
        let repeat = self.check.repeat("times", repeat, span)?;
        match repeat {
            Repeat::Forever if raw.every.is_none() => {
                self.check.report(ProblemKind::Needs { key: "times: forever", needs: "every" }, span);
            }
            Repeat::Times(count) if raw.every.is_none() && count > MAX_AT_ONCE => {
                self.check.report(TimingMistake::TooManyAtOnce.into(), span);
            }
            _ => {}
        }
        Some(repeat)
    }

    fn every(&mut self, raw: &RawRuleStep, times: Option<Repeat>) -> Option<Duration> {
        let Some(every) = &raw.every else { return Some(Duration::ZERO) };
        if raw.times.is_none() && raw.each.is_none() {
            self.check.report(ProblemKind::Needs { key: "every", needs: "times` or `each" }, every.span);
        }
        let period = self.check.period("every", Some(every))?.0;
        times.map(|_| period)
    }

    /// Compiles a list, or an expression that may return one.
    fn list(&mut self, node: JsonNode, scope: &Scope<'_>) -> Option<Template> {
        let template = self.template(node, scope)?;
        if template.is_constant() && !self.check.document.is_list(node.0) {
            self.check.report_wrong_type(node, "a list, or an expression that returns one");
            return None;
        }
        Some(template)
    }

    /// Checks the named values of `with` and adds their names to the scope. Each value can use the names before it. If
    /// the values cannot be decoded, the scope accepts any name, so that uses of them are not reported as well.
    pub(super) fn with<'e>(
        &mut self,
        with: Option<&'e Spanned<Entries<JsonNode>>>,
        scope: &mut Scope<'e>,
    ) -> Option<Vec<(Arc<str>, Template)>> {
        let Some(with) = with else { return Some(Vec::new()) };
        let Some((entries, _)) = with.get() else {
            scope.accept_any();
            return None;
        };
        let mut values = Some(Vec::new());
        for (name, node) in &entries.0 {
            let (Some((name, span)), Some((node, _))) = (name.get(), node.get()) else {
                values = None;
                continue;
            };
            if !is_name(name) || is_reserved_name(name) {
                let expected = "a name of letters, digits and `_` that is not reserved".into();
                self.check.report(ProblemKind::WrongType { expected, found: format!("`{name}`") }, span);
            }
            let template = self.template(*node, scope);
            scope.add([name.as_str()]);
            values = values.zip(template).map(|(mut values, template)| {
                values.push((name.as_str().into(), template));
                values
            });
        }
        values
    }
}

/// Returns whether a step, or the mapping that contains its verb, sets `it`: the row that it changes.
pub(super) fn sets_row(step: &Value) -> bool {
    let nested = step.get("do").and_then(Value::as_array);
    RowVerb::ALL.iter().any(|verb| step.get(verb.key()).is_some())
        || nested.is_some_and(|list| list.iter().any(sets_row))
}

/// Returns whether a step of the list may set `it` before the first step runs, because the steps may run in another
/// order than they are written in.
fn may_set_row_before_first(list: &Value) -> bool {
    let Some(list) = list.as_array() else { return false };
    let is_out_of_order =
        |step: &Value| step.get("at").is_some() || step.get("times").is_some_and(|times| times == "forever");
    list.iter().any(is_out_of_order) && list.iter().any(sets_row)
}

/// Returns whether an expression can refer to this name.
fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Returns when a step ends, counted from the start of the list, if the step before it ends at `previous_end`. For a
/// step that repeats forever, returns when it starts.
fn end(step: &RuleStep, previous_end: Duration) -> Duration {
    let start = match step.start {
        StepStart::At(at) => at,
        StepStart::After(after) => previous_end.saturating_add(after),
    };
    match step.times {
        Repeat::Times(count) => start.saturating_add(times(step.every, count - 1)),
        Repeat::Forever => start,
    }
}

/// Returns the time from the start of a list to the end of the step that ends last. Repeats without an end count as
/// one run.
pub(super) fn length(steps: &[RuleStep]) -> Duration {
    let mut previous_end = Duration::ZERO;
    let ends = steps.iter().map(|step| {
        previous_end = end(step, previous_end);
        previous_end
    });
    ends.max().unwrap_or_default()
}

impl Validator<'_> {
    /// Checks a number of repeats, or `forever`.
    pub(super) fn repeat(&mut self, key: &'static str, raw: &RawRepeat, span: Span) -> Option<Repeat> {
        match raw {
            RawRepeat::Forever => Some(Repeat::Forever),
            RawRepeat::Times(count) => self.count(key, *count, span).map(Repeat::Times),
        }
    }
}
