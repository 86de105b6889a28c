//! Where rules are declared: their keys, and the lookup of their steps and frames in a scenario.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::posted::StepsText;
use crate::expression::{Language, Template};
use crate::scenario::{Answers, Content, Fires, MessageRule, Scenario, StepList, Verb};

/// The declaration that a step list belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::engine) enum RuleOrigin {
    /// An answer of the route with this key.
    Answer(Arc<str>),
    /// The trigger with this key.
    Trigger(Arc<str>),
    /// The generator with this key.
    Generator(Arc<str>),
    /// The script with this key.
    Script(Arc<str>),
    /// The endpoint with this key.
    Endpoint(Arc<str>),
    /// None: the steps were posted from outside.
    Posted,
}

impl RuleOrigin {
    /// Returns the key, which also names the random stream.
    pub(in crate::engine) fn key(&self) -> Arc<str> {
        match self {
            Self::Answer(key) | Self::Trigger(key) | Self::Generator(key) | Self::Script(key) => key.clone(),
            Self::Endpoint(key) => format!("websocket {key}").into(),
            Self::Posted => "steps".into(),
        }
    }

    /// Returns the rule name that the journal and the log show when one of its step lists fails.
    pub(super) fn name_of_list(&self, scenario: &Scenario, list: &StepList) -> Arc<str> {
        let rules = self.message_rules(scenario);
        // Several rules may have lists with the same text.
        let same = rules.iter().position(|rule| Arc::ptr_eq(rule.steps.source(), list.source()));
        let alike = || rules.iter().position(|rule| rule.steps.list_with_source(list.source()).is_some());
        self.name(same.or_else(alike).map(|index| index + 1))
    }

    /// Like [`RuleOrigin::name_of_list`], for the frame of a membership.
    pub(super) fn name_of_frame(&self, scenario: &Scenario, frame: &Template) -> Arc<str> {
        let joins = |verb: &Verb| matches!(verb, Verb::Join(join) if join.frame.as_ref() == Some(frame));
        let rules = self.message_rules(scenario);
        self.name(rules.iter().position(|rule| rule.steps.has_verb(&joins)).map(|index| index + 1))
    }

    /// Returns the key, followed by the number of a message rule, counted from 1, if there is one.
    pub(super) fn name(&self, rule: Option<usize>) -> Arc<str> {
        rule.map_or_else(|| self.key(), |rule| format!("{}, rule {rule}", self.key()).into())
    }

    fn message_rules<'s>(&self, scenario: &'s Scenario) -> &'s [MessageRule] {
        let Self::Endpoint(key) = self else { return &[] };
        scenario.endpoints().get(key).map(|endpoint| &*endpoint.messages).unwrap_or_default()
    }

    /// Returns the list that a scenario declares here with this text.
    pub(super) fn steps(&self, scenario: &Scenario, written: &Value) -> Option<StepList> {
        let same = |steps: &&StepList| **steps.source() == *written;
        match self {
            Self::Answer(key) => {
                steps_of(scenario.routes().answers(key)?).find_map(|list| list.list_with_source(written)).cloned()
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
            Self::Endpoint(key) => scenario.endpoints().get(key)?.list_with_source(written).cloned(),
            Self::Posted => StepsText::Written(written.clone()).parse(scenario).ok(),
        }
    }

    /// Returns the frame that a scenario declares here with this text. Members keep their frames across a reload, so a
    /// frame that is no longer declared is compiled from its text and the names it uses.
    pub(super) fn frame(&self, scenario: &Scenario, written: &Value, names: &BTreeSet<String>) -> Option<Template> {
        let declared = match self {
            Self::Endpoint(key) => {
                scenario.endpoints().get(key).and_then(|endpoint| endpoint.frame_with_source(written))
            }
            Self::Answer(key) => {
                let answers = scenario.routes().answers(key);
                answers.and_then(|answers| steps_of(answers).find_map(|list| list.frame_with_source(written)))
            }
            _ => None,
        };
        if let Some(declared) = declared {
            return Some(declared.clone());
        }
        let names = names.iter().map(String::as_str).collect();
        let frame = Language::default().template(written, &names).ok()?.with_source(written.clone());
        // An event of a stream requires `data`, as when a scenario is loaded.
        Some(if matches!(self, Self::Answer(_)) { frame.requiring("data") } else { frame })
    }

    /// Returns whether a list continues under another scenario.
    pub(super) fn survives(&self, scenario: &Scenario, steps: &StepList) -> bool {
        *self == Self::Posted || self.steps(scenario, steps.source()).is_some()
    }
}

/// Iterates over the step lists of a route.
fn steps_of(answers: &Answers) -> impl Iterator<Item = &StepList> {
    answers.list.iter().flat_map(|answer| {
        let stream = if let Content::Stream(stream) = &answer.content { Some(stream) } else { None };
        answer.steps.iter().chain(stream)
    })
}
