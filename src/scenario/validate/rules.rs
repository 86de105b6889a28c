//! Checks the scripts and generators outside `orders`, which run general steps.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::expressions::{ROW, Scope};
use super::generators::{Timing, weights};
use super::given;
use super::known::KnownCollection;
use super::steps::{Owner, Rules, StepContext, length};
use super::triggers::RuleKeys;
use crate::scenario::problem::{ReferenceMistake, TimingMistake};
use crate::scenario::raw::{RawPick, RawPickBy, RawRuleGenerator, RawRuleScript};
use crate::scenario::source::Span;
use crate::scenario::units::MIN_PERIOD;
use crate::scenario::yaml::{Entries, Items};
use crate::scenario::{Fires, GeneratedRule, Generator, Pick, Repeat, RuleScript, StepList};
use crate::words::nearest;

impl Rules<'_, '_, '_> {
    pub(super) fn scripts(&mut self, list: &Items<RawRuleScript>) -> Vec<Arc<RuleScript>> {
        let mut keys = RuleKeys::default();
        let document = self.check.document;
        let items = list.ids().iter().zip(document.items(list)).enumerate();
        let scripts = items.filter_map(|(index, (id, item))| {
            let (raw, span) = item.get()?;
            let written = document.json(*id);
            let name = self.check.name(raw.name.as_ref(), "a script's name");
            let key =
                keys.next(name.as_ref().map_or(format!("scripts#{}", index + 1), |name| format!("scripts/{name}")));
            self.script(raw, span, written.as_ref(), name, key).map(Arc::new)
        });
        scripts.collect()
    }

    fn script(
        &mut self,
        raw: &RawRuleScript,
        span: Span,
        written: Option<&Value>,
        name: Option<String>,
        key: Arc<str>,
    ) -> Option<RuleScript> {
        let list = self.check.required(raw.steps.as_ref(), "a script", "steps", span, span);
        let start = self.check.duration(raw.start.as_ref()).map(|(start, _)| start).unwrap_or_default();
        let repeat = match given(raw.repeat.as_ref()) {
            Some((repeat, span)) => self.check.repeat("repeat", repeat, span),
            None => Some(Repeat::Times(1)),
        };
        let scope = Scope::of(self.known);
        let context = StepContext::new(Owner::World, &scope);
        let written = written.and_then(|script| script.get("steps"));
        let steps = self.steps(list?.0, ("`steps`", list?.1), written, context)?;
        if let Some(raw) = raw.repeat.as_ref().filter(|_| repeat == Some(Repeat::Forever) && takes_no_time(&steps)) {
            self.check.report(TimingMistake::InstantRepeat.into(), raw.span);
        }
        Some(RuleScript { key, name, start, repeat: repeat?, steps })
    }

    pub(super) fn generators(&mut self, list: &Items<RawRuleGenerator>) -> Vec<Generator> {
        let mut keys = RuleKeys::default();
        let document = self.check.document;
        let items = list.ids().iter().zip(document.items(list)).enumerate();
        let generators = items.filter_map(|(index, (id, item))| {
            let (raw, span) = item.get()?;
            let written = document.json(*id);
            let name = self.check.name(raw.name.as_ref(), "a generator's name");
            let key = keys.next(name.map_or(format!("random#{}", index + 1), |name| format!("random/{name}")));
            self.generator(raw, span, written, key)
        });
        generators.collect()
    }

    fn generator(
        &mut self,
        raw: &RawRuleGenerator,
        span: Span,
        written: Option<Value>,
        key: Arc<str>,
    ) -> Option<Generator> {
        let timing = Timing {
            every: raw.every.as_ref(),
            rate: raw.rate.as_ref(),
            arrivals: raw.arrivals.as_ref(),
            jitter: raw.jitter.as_ref(),
            from: raw.from.as_ref(),
            until: raw.until.as_ref(),
        };
        let timing = timing.check(span, self.check);
        let pick = raw.pick.as_ref().map(|pick| {
            let (pick, span) = pick.get()?;
            self.pick(pick, span)
        });
        let scope = Scope::of(self.known);
        let scope = if pick.is_some() { scope.and([ROW]) } else { scope };
        let context = StepContext::new(Owner::World, &scope);
        let steps = self.steps_of(&raw.verbs(), "a generator", span, written.as_ref(), context);
        let pick = pick.map_or(Some(None), |pick| pick.map(Some));
        let rule = GeneratedRule { key, pick: pick?, steps: steps?, source: Arc::new(written?) };
        let timing = timing?;
        Some(Generator {
            arrivals: timing.arrivals,
            jitter: timing.jitter,
            fires: Fires::Rule(Arc::new(rule)),
            from: timing.from,
            until: timing.until,
        })
    }

    fn pick(&mut self, raw: &RawPick, span: Span) -> Option<Pick> {
        match raw {
            RawPick::Collection(name) => {
                let collection = self.known.collection(name, span, self.check)?.name.clone();
                Some(Pick { collection, weights: None })
            }
            RawPick::By(RawPickBy { weights }) => {
                let (entries, span) = self.check.required(weights.as_ref(), "`pick`", "weights", span, span)?;
                let weights = weights_of(entries, span, self);
                let collection = self.collection_of(entries, span)?;
                Some(Pick { collection, weights: Some(weights) })
            }
        }
    }

    /// Returns the only collection that declares all of these rows. Reports a problem if there is none or several.
    fn collection_of(&mut self, entries: &Entries<i64>, span: Span) -> Option<Arc<str>> {
        let known = self.known;
        let ids: Vec<(&str, Span)> =
            entries.0.iter().filter_map(|(id, _)| id.get()).map(|(id, span)| (&**id, span)).collect();
        if !known.completeness().rows || ids.is_empty() {
            return None;
        }
        let has = |collection: &KnownCollection, id: &str| collection.rows.iter().any(|row| &**row.id() == id);
        let all: Vec<&KnownCollection> =
            known.collections().iter().filter(|collection| ids.iter().all(|(id, _)| has(collection, id))).collect();
        match all[..] {
            [collection] => return Some(collection.name.clone()),
            [_, _, ..] => {
                let names = all.iter().map(|collection| collection.name.to_string()).collect();
                self.check.report(ReferenceMistake::AmbiguousRows(names).into(), span);
                return None;
            }
            [] => {}
        }
        let unknown = ids.iter().filter(|(id, _)| !known.collections().iter().any(|collection| has(collection, id)));
        let mut is_unknown = false;
        for (id, span) in unknown {
            is_unknown = true;
            let rows = known.collections().iter().flat_map(|collection| collection.rows.iter());
            let nearest = nearest(id, rows.map(|row| &**row.id())).map(str::to_owned);
            self.check.report(ReferenceMistake::UnknownRow { id: (*id).to_owned(), nearest }.into(), *span);
        }
        if !is_unknown {
            self.check.report(ReferenceMistake::RowsOfSeveral.into(), span);
        }
        None
    }
}

fn weights_of(entries: &Entries<i64>, span: Span, rules: &mut Rules<'_, '_, '_>) -> Vec<(Arc<str>, u32)> {
    weights(entries, span, &mut |id, _| id.into(), rules.check)
}

/// Returns whether a list of steps would repeat endlessly at one moment. A step with `each` and `every` may take time,
/// because its number of items is not known in advance.
fn takes_no_time(steps: &StepList) -> bool {
    let may_take_time = steps.steps().iter().any(|step| step.each.is_some() && step.every > Duration::ZERO);
    !may_take_time && length(steps.steps()) < MIN_PERIOD
}
