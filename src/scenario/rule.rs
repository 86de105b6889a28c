//! Rules: what a scenario has happen, as lists of steps.
//!
//! A route's answer, a trigger, a script, a generator and a stream are all rules: each has a key of its own, which names
//! its random stream and by which a reload recognises it, and a list of [`RuleStep`]s. Their expressions are compiled and
//! their names are checked.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::{Fault, Repeat};
use crate::expression::{Condition, Template};

/// Steps in the order of the file. A clone is cheap.
///
/// Two are equal if the scenario writes them in the same way.
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

    /// Whether a step of it, or inside of one, has such a verb.
    pub(crate) fn has_verb(&self, is_meant: &impl Fn(&Verb) -> bool) -> bool {
        let has =
            |step: &RuleStep| is_meant(&step.verb) || step.verb.steps().is_some_and(|list| list.has_verb(is_meant));
        self.steps.iter().any(has)
    }

    /// This list, or one inside of its steps, if it is written in that way.
    pub(crate) fn list_written(&self, written: &Value) -> Option<&Self> {
        if *self.written == *written {
            return Some(self);
        }
        self.steps.iter().filter_map(|step| step.verb.steps()).find_map(|list| list.list_written(written))
    }
}

impl PartialEq for StepList {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.written, &other.written) || self.written == other.written
    }
}

/// One step: what happens, when and how often.
///
/// A step without a time comes when the one before has ended. One that goes on for ever has no end: what follows it counts
/// from its start.
#[derive(Debug, Clone)]
pub struct RuleStep {
    /// When it begins.
    pub start: StepStart,
    /// How often it happens; once for each item of `each`, if that is there.
    pub times: Repeat,
    /// The time between two of these.
    pub every: Duration,
    /// Whether it happens, looked at whenever it is due.
    pub when: Option<Condition>,
    /// A list: it happens once for each item, which is `item`, with its place, which is `index`.
    pub each: Option<Template>,
    /// Names with their values, computed in order whenever it is due.
    pub with: Vec<(Arc<str>, Template)>,
    /// What happens.
    pub verb: Verb,
}

/// When a step begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepStart {
    /// That long after the list has begun.
    At(Duration),
    /// That long after the step before has ended.
    After(Duration),
}

/// What a step does.
#[derive(Debug, Clone)]
pub enum Verb {
    /// Several steps at one moment, all or none.
    Do(StepList),
    /// Sends a frame to the one whose rule it is.
    Reply(Template),
    /// Sends a frame to the members of topics.
    Send {
        /// A topic or a list of topics; `None` for all sockets of the endpoint whose step it is.
        to: Option<Template>,
        /// The frame.
        frame: Template,
        /// Whether the sender gets none.
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
    /// Brings a fault.
    Fault(Arc<Fault>),
}

impl Verb {
    /// The steps that it has inside.
    pub(super) fn steps(&self) -> Option<&StepList> {
        match self {
            Self::Do(steps) => Some(steps),
            Self::Join(join) => join.steps.as_ref(),
            _ => None,
        }
    }
}

/// What is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetTarget {
    /// A value of `data`, or a part of it.
    Value(DataPath),
    /// A value of the socket's memory `conn`: the keys that lead to it, at least one, of which the first is neither `id` nor
    /// `topics`.
    Conn(Vec<Arc<str>>),
}

/// How a row changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowVerb {
    /// The value is a row that is added.
    Add,
    /// The value has the id and fields that are merged into the row.
    Merge,
    /// The value is the row from then on.
    Replace,
    /// The value is the row's id.
    Remove,
    /// The value has the id and numbers that are added to those of the row.
    Increment,
}

/// What a member wants of topics.
#[derive(Debug, Clone)]
pub struct Join {
    /// A topic or a list of topics.
    pub to: Template,
    /// JSON that is contained in what the member gets.
    pub condition: Option<Template>,
    /// The name of the membership.
    pub name: Option<Template>,
    /// What the member gets in place of what was sent.
    pub frame: Option<Template>,
    /// What ends with the membership.
    pub steps: Option<StepList>,
}

/// A value of `data`, or a part of it, such as `prices.BTC`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataPath {
    /// The name in `data`.
    pub name: Arc<str>,
    /// The keys that lead to the part; an index of a list is written in digits.
    pub keys: Vec<Arc<str>>,
}

/// What happens when something is sent to a topic, or a collection changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Trigger {
    /// Names its random stream.
    pub key: Arc<str>,
    /// The topic, or with a `*` at its end all topics that begin with what is before it.
    pub topic: Arc<str>,
    /// Whether it fires.
    pub when: Option<Condition>,
    /// What happens. Later steps belong to the world.
    pub steps: StepList,
}

impl Trigger {
    /// Whether it is for what is sent to that topic.
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
    /// When its time 0 is.
    pub start: Duration,
    /// How often it plays.
    pub repeat: Repeat,
    /// What happens.
    pub steps: StepList,
}

/// What a generator fires that counts nothing itself.
#[derive(Debug, Clone, PartialEq)]
pub struct GeneratedRule {
    /// Names its random stream; a reload recognises the generator by it.
    pub key: Arc<str>,
    /// The row that it draws each time, which is `it`.
    pub pick: Option<Pick>,
    /// What happens.
    pub steps: StepList,
    /// The generator as the scenario writes it.
    pub written: Arc<Value>,
}

/// Rows of a collection, of which one is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pick {
    /// The collection.
    pub collection: Arc<str>,
    /// Ids with their weights, all above 0; `None` for every row that the collection has at the time, with the same chance.
    pub weights: Option<Vec<(Arc<str>, u32)>>,
}
