//! Rules: what happens in a scenario, as lists of steps.
//!
//! Answers of routes, triggers, scripts, generators, streams and endpoints are rules. Each rule has a list of
//! [`RuleStep`]s and a key. The key names the rule's random stream, and a reload recognises the rule by it. All
//! expressions are compiled, and all names in them exist.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Fault, Repeat};
use crate::expression::{Condition, Template};

/// A list of steps in the order of the file. Cloning is cheap.
///
/// Two lists are equal if they are written the same way in the scenario.
#[derive(Debug, Clone)]
pub struct StepList {
    pub(super) steps: Arc<[RuleStep]>,
    pub(super) source: Arc<Value>,
}

impl Default for StepList {
    fn default() -> Self {
        Self { steps: Arc::default(), source: Arc::new(Value::Array(Vec::new())) }
    }
}

impl StepList {
    /// Returns the steps.
    #[must_use]
    pub fn steps(&self) -> &[RuleStep] {
        &self.steps
    }

    /// Returns the list as written in the scenario.
    #[must_use]
    pub fn source(&self) -> &Arc<Value> {
        &self.source
    }

    /// Returns whether any of its steps, including nested ones, has a verb that matches the predicate.
    pub(crate) fn has_verb(&self, predicate: &impl Fn(&Verb) -> bool) -> bool {
        self.steps.iter().any(|step| step.has_verb(predicate))
    }

    /// Finds a list by the way it is written in the scenario: this one, or one nested in its steps.
    pub(crate) fn list_with_source(&self, written: &Value) -> Option<&Self> {
        if *self.source == *written {
            return Some(self);
        }
        self.steps.iter().filter_map(|step| step.verb.steps()).find_map(|list| list.list_with_source(written))
    }

    /// Finds a step by the way it is written in the scenario, in this list or one nested in its steps.
    pub(crate) fn step_with_source(&self, written: &Value) -> Option<&RuleStep> {
        let position = self.source.as_array()?.iter().position(|step| step == written);
        position.and_then(|position| self.steps.get(position)).or_else(|| {
            let mut nested = self.steps.iter().filter_map(|step| step.verb.steps());
            nested.find_map(|list| list.step_with_source(written))
        })
    }

    /// Returns this list with only the steps that `find` finds by the way they are written. The others have ended: they
    /// do nothing, but keep the steps that count from their end at their times. Only an `each` that had not started
    /// counts as a single run.
    pub(crate) fn resumed<'s>(&self, find: impl Fn(&Value) -> Option<&'s RuleStep>) -> Self {
        let written = self.source.as_array().into_iter().flatten();
        let resumed = self.steps.iter().zip(written).map(|(step, written)| match find(written) {
            Some(found) => (found.clone(), written.clone()),
            None => step.ended(),
        });
        let (steps, written): (Vec<RuleStep>, Vec<Value>) = resumed.unzip();
        Self { steps: steps.into(), source: Arc::new(written.into()) }
    }

    /// Returns the list that [`StepList::resumed`] returned with this source. `None` if `find` does not find one of its
    /// steps.
    pub(crate) fn with_source<'s>(written: &Value, find: impl Fn(&Value) -> Option<&'s RuleStep>) -> Option<Self> {
        let step = |written: &Value| find(written).cloned().or_else(|| RuleStep::ended_with_source(written));
        let steps: Option<Arc<[RuleStep]>> = written.as_array()?.iter().map(step).collect();
        Some(Self { steps: steps?, source: Arc::new(written.clone()) })
    }

    /// Finds the `frame` of a `join` by the way it is written in the scenario, in these steps or nested ones.
    pub(crate) fn frame_with_source(&self, written: &Value) -> Option<&Template> {
        self.steps.iter().find_map(|step| {
            let frame = if let Verb::Join(join) = &step.verb { join.frame.as_ref() } else { None };
            let frame = frame.filter(|frame| frame.source().is_some_and(|one| **one == *written));
            frame.or_else(|| step.verb.steps()?.frame_with_source(written))
        })
    }
}

impl PartialEq for StepList {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.source, &other.source) || self.source == other.source
    }
}

/// A step: what happens, when, and how often.
///
/// A step without a time starts when the previous step has ended. A step that repeats forever never ends, so the
/// following steps count from its start instead.
#[derive(Debug, Clone)]
pub struct RuleStep {
    /// When the step starts.
    pub start: StepStart,
    /// How many times the step runs; with `each`, once for each item.
    pub times: Repeat,
    /// The interval between two runs.
    pub every: Duration,
    /// The condition that must be true for the step to run, evaluated whenever the step is due.
    pub when: Option<Condition>,
    /// A list; the step runs once for each item, which expressions read as `item`, and its position as `index`.
    pub each: Option<Template>,
    /// Named values, computed in order whenever the step is due.
    pub with: Vec<(Arc<str>, Template)>,
    /// The action.
    pub verb: Verb,
}

/// The times of a step that a reload has ended.
#[derive(Debug, Serialize, Deserialize)]
struct EndedStep {
    start: StepStart,
    times: Repeat,
    every: Duration,
}

/// The key of an ended step in the source of its list. No verb has this name.
const ENDED: &str = "ended";

impl RuleStep {
    /// Returns the step without its action, and its source.
    fn ended(&self) -> (Self, Value) {
        let ended = EndedStep { start: self.start, times: self.times, every: self.every };
        let source = json!({ ENDED: ended });
        (ended.into(), source)
    }

    fn ended_with_source(written: &Value) -> Option<Self> {
        EndedStep::deserialize(written.get(ENDED)?).ok().map(Self::from)
    }

    /// Returns whether a reload has ended the step.
    pub(crate) fn has_ended(&self) -> bool {
        matches!(self.verb, Verb::Ended)
    }

    /// Returns whether the step, or a step nested in it, has a verb that matches the predicate.
    pub(crate) fn has_verb(&self, predicate: &impl Fn(&Verb) -> bool) -> bool {
        predicate(&self.verb) || self.verb.steps().is_some_and(|list| list.has_verb(predicate))
    }
}

impl From<EndedStep> for RuleStep {
    fn from(EndedStep { start, times, every }: EndedStep) -> Self {
        Self { start, times, every, when: None, each: None, with: Vec::new(), verb: Verb::Ended }
    }
}

/// When a step starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepStart {
    /// This long after the start of the list.
    At(Duration),
    /// This long after the end of the previous step.
    After(Duration),
}

/// What a step does.
#[derive(Debug, Clone)]
pub enum Verb {
    /// Runs several steps atomically, at one moment.
    Do(StepList),
    /// Sends a frame to the socket or stream that the rule belongs to.
    Reply(Template),
    /// Sends a frame to the members of topics.
    Send {
        /// A topic or a list of topics; `None` for all sockets of the step's endpoint.
        to: Option<Template>,
        /// The frame.
        frame: Template,
        /// Whether to skip the sender.
        others: bool,
    },
    /// Joins topics.
    Join(Arc<Join>),
    /// Leaves topics.
    Leave {
        /// A topic or a list of topics.
        to: Option<Template>,
        /// The name of a membership.
        name: Option<Template>,
    },
    /// Closes a socket with a code, or ends a stream.
    Close {
        /// The code (RFC 6455, 7.4).
        code: Option<Template>,
        /// The reason.
        reason: Option<Template>,
    },
    /// Changes rows in order. Each item is the name of a collection, and the value of one change.
    Rows(RowVerb, Vec<(Arc<str>, Template)>),
    /// Sets values.
    Set(Vec<(SetTarget, Template)>),
    /// Adds to a row's counter.
    Count {
        /// The row's id.
        row: Template,
        /// An integer.
        amount: Template,
    },
    /// Starts a fault.
    Fault(Arc<Fault>),
    /// Nothing: a reload has removed the step while it was waiting.
    Ended,
}

impl Verb {
    /// Returns the steps nested in it, if any.
    pub(super) fn steps(&self) -> Option<&StepList> {
        match self {
            Self::Do(steps) => Some(steps),
            Self::Join(join) => join.steps.as_ref(),
            _ => None,
        }
    }
}

/// What `set` changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetTarget {
    /// A value of `data`, or a part of it.
    Value(DataPath),
    /// A value in the socket's memory, `conn`: the keys that lead to it, at least one. The first is neither `id` nor
    /// `topics`.
    Conn(Vec<Arc<str>>),
}

/// How to change a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowVerb {
    /// Add a row; the value is the row.
    Add,
    /// Merge fields into a row; the value has the id and the fields.
    Merge,
    /// Replace a row; the value is the new row.
    Replace,
    /// Remove a row; the value is its id.
    Remove,
    /// Add to numeric fields of a row; the value has the id and the numbers to add.
    Increment,
}

impl RowVerb {
    /// All verbs that change rows.
    pub(super) const ALL: [Self; 5] = [Self::Add, Self::Merge, Self::Replace, Self::Remove, Self::Increment];

    /// Returns its key in a step.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Merge => "merge",
            Self::Replace => "replace",
            Self::Remove => "remove",
            Self::Increment => "increment",
        }
    }
}

/// Topics to join, with options.
#[derive(Debug, Clone)]
pub struct Join {
    /// A topic or a list of topics.
    pub to: Template,
    /// JSON that an event must contain to reach the member.
    pub condition: Option<Template>,
    /// The name of the membership.
    pub name: Option<Template>,
    /// The frame that the member receives for an event.
    pub frame: Option<Template>,
    /// Steps that end with the membership.
    pub steps: Option<StepList>,
}

/// A value of `data`, or a part of it, such as `prices.BTC`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataPath {
    /// The name in `data`.
    pub name: Arc<str>,
    /// The keys that lead to the part; digits are an index into a list.
    pub keys: Vec<Arc<str>>,
}

/// A rule that fires when a frame is sent to a topic, or when the topic's rows or value change.
#[derive(Debug, Clone, PartialEq)]
pub struct Trigger {
    /// The name of its random stream.
    pub key: Arc<str>,
    /// The topic, or a prefix of topics followed by `*`.
    pub topic: Arc<str>,
    /// The condition that must be true for the trigger to fire.
    pub when: Option<Condition>,
    /// The steps to run. Delayed steps belong to the world.
    pub steps: StepList,
}

impl Trigger {
    /// Returns whether it matches this topic.
    #[must_use]
    pub fn matches(&self, topic: &str) -> bool {
        self.topic.strip_suffix('*').map_or(*self.topic == *topic, |start| topic.starts_with(start))
    }
}

/// A script whose steps are those of rules, as opposed to the order scripts of a shop.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleScript {
    /// The name of its random stream, by which a reload recognises the script.
    pub key: Arc<str>,
    /// The declared name.
    pub name: Option<String>,
    /// When it starts.
    pub start: Duration,
    /// How many times it runs.
    pub repeat: Repeat,
    /// The steps to run.
    pub steps: StepList,
}

/// The rule of a generator that runs steps, as opposed to one that adds to counters.
#[derive(Debug, Clone, PartialEq)]
pub struct GeneratedRule {
    /// The name of its random stream, by which a reload recognises the generator.
    pub key: Arc<str>,
    /// The row to pick each time, available as `it`.
    pub pick: Option<Pick>,
    /// The steps to run.
    pub steps: StepList,
    /// The generator as written in the scenario.
    pub source: Arc<Value>,
}

/// Rows of a collection to pick from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pick {
    /// The collection.
    pub collection: Arc<str>,
    /// Ids with their weights, all above 0; `None` for every current row of the collection, with equal weights.
    pub weights: Option<Vec<(Arc<str>, u32)>>,
}
