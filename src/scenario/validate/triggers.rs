//! Checks triggers.

use std::collections::HashMap;
use std::sync::Arc;

use super::answers::transpose;
use super::expressions::{EVENT, Scope};
use super::given;
use super::steps::{Owner, Rules, StepContext};
use crate::scenario::Trigger;
use crate::scenario::problem::ProblemKind;
use crate::scenario::raw::RawTrigger;
use crate::scenario::source::Span;
use crate::scenario::yaml::Items;

/// A generator of unique keys for rules. The second rule with the same name gets the key `NAME#2`.
#[derive(Default)]
pub(super) struct RuleKeys {
    counts: HashMap<String, usize>,
}

impl RuleKeys {
    pub(super) fn next(&mut self, name: String) -> Arc<str> {
        let count = self.counts.entry(name.clone()).or_default();
        *count += 1;
        if *count == 1 { name.into() } else { format!("{name}#{count}").into() }
    }
}

impl Rules<'_, '_, '_> {
    pub(super) fn triggers(&mut self, list: &Items<RawTrigger>) -> Vec<Arc<Trigger>> {
        let mut keys = RuleKeys::default();
        let document = self.check.document;
        let items = list.ids().iter().zip(document.items(list));
        let triggers = items.filter_map(|(id, item)| {
            let (raw, span) = item.get()?;
            let written = document.json(*id);
            self.trigger(raw, span, written.as_ref(), &mut keys).map(Arc::new)
        });
        triggers.collect()
    }

    fn trigger(
        &mut self,
        raw: &RawTrigger,
        span: Span,
        written: Option<&serde_json::Value>,
        keys: &mut RuleKeys,
    ) -> Option<Trigger> {
        let topic = self.check.required(raw.topic.as_ref(), "a trigger", "topic", span, span);
        if let Some((_, span)) = topic.filter(|(topic, _)| topic.is_empty()) {
            self.check.report(ProblemKind::EmptyName("a topic"), span);
        }
        if let Some((topic, span)) = topic {
            self.check.note_awaited_topic(topic, span);
        }
        let scope = Scope::of(self.known).and(EVENT);
        let when =
            transpose(given(raw.when.as_ref()).map(|(when, _)| self.expressions.condition(*when, &scope, self.check)));
        let context = StepContext::new(Owner::World, &scope);
        let steps = self.steps_of(&raw.verbs(), "a trigger", span, written, context);
        let (topic, _) = topic?;
        let key = keys.next(format!("triggers/{topic}"));
        Some(Trigger { key, topic: topic.as_str().into(), when: when?, steps: steps? })
    }
}
