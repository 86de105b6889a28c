//! Where rules are declared: what names them, and where their steps and frames are found again.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::posted::StepsText;
use crate::expression::{Language, Template};
use crate::scenario::{Answers, Content, Fires, MessageRule, Scenario, StepList, Verb};

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

    /// How members get what is sent, as a scenario writes it there. What it no longer has is compiled as it was written, with
    /// the names that it uses: a member keeps it over a reload.
    pub(super) fn frame(&self, scenario: &Scenario, written: &Value, names: &BTreeSet<String>) -> Option<Template> {
        let declared = match self {
            Self::Endpoint(key) => scenario.endpoints().get(key).and_then(|endpoint| endpoint.frame_written(written)),
            Self::Answer(key) => {
                let answers = scenario.routes().answers(key);
                answers.and_then(|answers| steps_of(answers).find_map(|list| list.frame_written(written)))
            }
            _ => None,
        };
        if let Some(declared) = declared {
            return Some(declared.clone());
        }
        let names = names.iter().map(String::as_str).collect();
        let frame = Language::default().template(written, &names).ok()?.written_as(written.clone());
        // As a scenario's are read: an event of a stream has its data.
        Some(if matches!(self, Self::Answer(_)) { frame.requiring("data") } else { frame })
    }

    /// Whether a list goes on with another scenario.
    pub(super) fn goes_on(&self, scenario: &Scenario, steps: &StepList) -> bool {
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
