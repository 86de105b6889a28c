//! Rules: what happens in a scenario, as lists of steps.
//!
//! A route's answer, a trigger, a script, a generator and a stream are all rules: each has a key, which names its
//! random stream and by which a reload recognises it, and a list of [`RuleStep`]s. Their expressions are compiled and
//! their names are checked.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::{Fault, Repeat};
use crate::expression::{Condition, Template};

/// Steps in the order of the file. Cloning is cheap.
///
/// Two are equal if the scenario writes them the same way.
#[derive(Debug, Clone)]
pub struct StepList {
    pub(super) steps: Arc<[RuleStep]>,
    pub(super) written: Arc<Value>,
}

/// No steps.
impl Default for StepList {
    fn default() -> Self {
        Self { steps: Arc::default(), written: Arc::new(Value::Array(Vec::new())) }
    }
}

impl StepList {
    /// The steps.
    #[must_use]
    pub fn steps(&self) -> &[RuleStep] {
        &self.steps
    }

    /// The list as the scenario writes it.
    #[must_use]
    pub fn written(&self) -> &Arc<Value> {
        &self.written
    }

    /// Whether one of its steps, or a step nested in one, has a verb for which the test is true.
    pub(crate) fn has_verb(&self, is_meant: &impl Fn(&Verb) -> bool) -> bool {
        self.steps.iter().any(|step| step.has_verb(is_meant))
    }

    /// This list, or one nested in its steps, if the scenario writes it this way.
    pub(crate) fn list_written(&self, written: &Value) -> Option<&Self> {
        if *self.written == *written {
            return Some(self);
        }
        self.steps.iter().filter_map(|step| step.verb.steps()).find_map(|list| list.list_written(written))
    }

    /// What members get by a `join` of its steps, or of those inside of them, that writes it in that way.
    pub(crate) fn frame_written(&self, written: &Value) -> Option<&Template> {
        self.steps.iter().find_map(|step| {
            let frame = if let Verb::Join(join) = &step.verb { join.frame.as_ref() } else { None };
            let frame = frame.filter(|frame| frame.written().is_some_and(|one| **one == *written));
            frame.or_else(|| step.verb.steps()?.frame_written(written))
        })
    }
}

impl PartialEq for StepList {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.written, &other.written) || self.written == other.written
    }
}

/// One step: what happens, when and how often.
///
/// A step without a time begins when the previous one has ended. A step that repeats forever has no end: what follows
/// it counts from its start.
#[derive(Debug, Clone)]
pub struct RuleStep {
    /// When it begins.
    pub start: StepStart,
    /// How many times it happens; with `each`, once for each item.
    pub times: Repeat,
    /// The time between two of these.
    pub every: Duration,
    /// Whether it happens, evaluated whenever it is due.
    pub when: Option<Condition>,
    /// A list: it happens once for each item. `item` is the item, `index` its position.
    pub each: Option<Template>,
    /// Named values, computed in order whenever it is due.
    pub with: Vec<(Arc<str>, Template)>,
    /// What happens.
    pub verb: Verb,
}

impl RuleStep {
    /// Whether it, or a step inside of it, has such a verb.
    pub(crate) fn has_verb(&self, is_meant: &impl Fn(&Verb) -> bool) -> bool {
        is_meant(&self.verb) || self.verb.steps().is_some_and(|list| list.has_verb(is_meant))
    }
}

/// When a step begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepStart {
    /// This long after the start of the list.
    At(Duration),
    /// This long after the end of the previous step.
    After(Duration),
}

/// What a step does.
#[derive(Debug, Clone)]
pub enum Verb {
    /// Several steps at one moment, all or none.
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
    /// Changes rows, each in its collection, in order.
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
}

impl Verb {
    /// The steps nested in it.
    pub(super) fn steps(&self) -> Option<&StepList> {
        match self {
            Self::Do(steps) => Some(steps),
            Self::Join(join) => join.steps.as_ref(),
            _ => None,
        }
    }
}

/// The target of `set`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetTarget {
    /// A value of `data`, or a part of it.
    Value(DataPath),
    /// A value of the socket's memory `conn`: the keys that lead to it, at least one. The first is neither `id` nor
    /// `topics`.
    Conn(Vec<Arc<str>>),
}

/// How to change a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowVerb {
    /// Add a row: the value is the row.
    Add,
    /// Merge fields into a row: the value has the id and the fields.
    Merge,
    /// Replace a row: the value is the new row.
    Replace,
    /// Remove a row: the value is its id.
    Remove,
    /// Add to numbers of a row: the value has the id and the numbers to add.
    Increment,
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
    /// The frame that the member gets for an event.
    pub frame: Option<Template>,
    /// Steps that end with the membership.
    pub steps: Option<StepList>,
}

/// A value of `data`, or a part of it, such as `prices.BTC`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataPath {
    /// The name in `data`.
    pub name: Arc<str>,
    /// The keys that lead to the part; digits are an index of a list.
    pub keys: Vec<Arc<str>>,
}

/// What happens when something is sent to a topic, or a collection changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Trigger {
    /// Names its random stream.
    pub key: Arc<str>,
    /// The topic. With a `*` at its end, all topics that start with the text before it.
    pub topic: Arc<str>,
    /// Whether it fires.
    pub when: Option<Condition>,
    /// What happens. Later steps belong to the world.
    pub steps: StepList,
}

impl Trigger {
    /// Whether it fires for this topic.
    #[must_use]
    pub fn hears(&self, topic: &str) -> bool {
        self.topic.strip_suffix('*').map_or(*self.topic == *topic, |start| topic.starts_with(start))
    }
}

/// A script of general steps.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleScript {
    /// Names its random stream; a reload recognises the script by it.
    pub key: Arc<str>,
    /// The declared name.
    pub name: Option<String>,
    /// When it starts.
    pub start: Duration,
    /// How many times it runs.
    pub repeat: Repeat,
    /// What happens.
    pub steps: StepList,
}

/// The rule of a generator that does not add to counters itself.
#[derive(Debug, Clone, PartialEq)]
pub struct GeneratedRule {
    /// Names its random stream; a reload recognises the generator by it.
    pub key: Arc<str>,
    /// The row to pick each time, available as `it`.
    pub pick: Option<Pick>,
    /// What happens.
    pub steps: StepList,
    /// The generator as the scenario writes it.
    pub written: Arc<Value>,
}

/// Rows of a collection to pick one from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pick {
    /// The collection.
    pub collection: Arc<str>,
    /// Ids with their weights, all above 0; `None` for every current row of the collection, with equal weights.
    pub weights: Option<Vec<(Arc<str>, u32)>>,
}
