//! Where rules are declared: their keys, and the lookup of their steps and frames in a scenario.

use std::collections::BTreeSet;
use std::iter;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::posted::StepsText;
use crate::expression::{Language, Template};
use crate::scenario::{Answers, Content, Fires, GeneratedRule, MessageRule, RuleStep, Scenario, StepList, Verb};

/// The declaration that a step list belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
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

    /// Returns the list that was saved as `written`: the one that a scenario declares here with this text, or one that
    /// a reload has made of its steps.
    pub(super) fn steps(&self, scenario: &Scenario, written: &Value) -> Option<StepList> {
        if *self == Self::Posted {
            return StepsText::Written(written.clone()).parse(scenario).ok();
        }
        let lists = self.lists(scenario);
        let declared = lists.iter().find_map(|list| list.list_with_source(written)).cloned();
        declared.or_else(|| StepList::with_source(written, |step| step_in(&lists, step)))
    }

    /// Returns the lists that a scenario declares here, except those nested in steps.
    fn lists<'s>(&self, scenario: &'s Scenario) -> Vec<&'s StepList> {
        match self {
            Self::Answer(key) => {
                scenario.routes().answers(key).into_iter().flat_map(|answers| steps_of(answers)).collect()
            }
            Self::Trigger(key) => {
                let triggers = scenario.triggers().iter().filter(|one| one.key == *key);
                triggers.map(|one| &one.steps).collect()
            }
            Self::Generator(key) => {
                generated(scenario).filter(|rule| rule.key == *key).map(|rule| &rule.steps).collect()
            }
            Self::Script(key) => {
                let scripts = scenario.rule_scripts().iter().filter(|one| one.key == *key);
                scripts.map(|one| &one.steps).collect()
            }
            Self::Endpoint(key) => scenario.endpoints().get(key).into_iter().flat_map(|one| one.lists()).collect(),
            Self::Posted => Vec::new(),
        }
    }

    /// Returns the declarations that may be this one in a changed scenario, the likeliest first. Triggers and generators
    /// have no names of their own, so the others of their topic or collection are among them.
    fn candidates(&self, scenario: &Scenario) -> Vec<Self> {
        let others: Vec<Self> = match self {
            Self::Trigger(_) => scenario.triggers().iter().map(|one| Self::Trigger(one.key.clone())).collect(),
            Self::Generator(_) => generated(scenario).map(|rule| Self::Generator(rule.key.clone())).collect(),
            _ => Vec::new(),
        };
        let key = self.key();
        let is_sibling = |other: &Self| other != self && without_number(&other.key()) == without_number(&key);
        iter::once(self.clone()).chain(others.into_iter().filter(is_sibling)).collect()
    }

    /// Returns where a waiting list continues under another scenario, and with which steps: those that are declared
    /// there with the same text. `None` if it continues with none of them.
    pub(super) fn resume(&self, scenario: &Scenario, list: &StepList) -> Option<(Self, StepList)> {
        if *self == Self::Posted {
            return Some((self.clone(), list.clone()));
        }
        let candidates = self.candidates(scenario).into_iter().map(|origin| {
            let lists = origin.lists(scenario);
            (origin, lists)
        });
        let candidates: Vec<(Self, Vec<&StepList>)> = candidates.collect();
        let whole = |(origin, lists): &(Self, Vec<&StepList>)| {
            let list = lists.iter().find_map(|one| one.list_with_source(list.source()))?;
            Some((origin.clone(), list.clone()))
        };
        candidates.iter().find_map(whole).or_else(|| {
            let written = list.source().as_array()?;
            let shared = |(_, lists): &&(Self, Vec<&StepList>)| {
                written.iter().filter(|one| step_in(lists, one).is_some()).count()
            };
            // Of several with as many steps of the list, the first.
            let (origin, lists) = candidates.iter().rev().max_by_key(shared).filter(|found| shared(found) > 0)?;
            Some((origin.clone(), list.resumed(|step| step_in(lists, step))))
        })
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
}

/// Finds a step by the way it is written in the scenario.
fn step_in<'s>(lists: &[&'s StepList], written: &Value) -> Option<&'s RuleStep> {
    lists.iter().find_map(|list| list.step_with_source(written))
}

/// Iterates over the generators that run steps.
fn generated(scenario: &Scenario) -> impl Iterator<Item = &Arc<GeneratedRule>> {
    scenario.generators().iter().filter_map(|one| match one.fires() {
        Fires::Rule(rule) => Some(rule),
        Fires::Count { .. } => None,
    })
}

/// Returns the key without the number that tells rules with the same name apart.
fn without_number(key: &str) -> &str {
    let numbered = key.rsplit_once('#').filter(|(_, number)| number.bytes().all(|byte| byte.is_ascii_digit()));
    numbered.map_or(key, |(name, _)| name)
}

/// Iterates over the step lists of a route.
fn steps_of(answers: &Answers) -> impl Iterator<Item = &StepList> {
    answers.list.iter().flat_map(|answer| {
        let stream = if let Content::Stream(stream) = &answer.content { Some(stream) } else { None };
        answer.steps.iter().chain(stream)
    })
}
