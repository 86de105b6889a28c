//! The reverse of lowering: the shop that a scenario declares. Lowering and raising a shop results in the same shop,
//! except that the steps of a script are ordered by time.

use super::{Category, OrderGenerator, OrderScript, OrderStep, OrderedProducts, Shop, ShopAction, ShopFeed};
use crate::scenario::{Action, Collection, Draw, Feed, Fires, Generator, Scenario, Script, Step};

impl Shop {
    /// Returns the shop of a scenario: its collections with counters, and the timelines that change the counters.
    pub(in crate::scenario) fn of(scenario: &Scenario) -> Self {
        Self {
            categories: scenario.collections().iter().filter(|one| one.is_counted()).map(Category::of).collect(),
            feed: match scenario.feed() {
                Feed::All => ShopFeed::All,
                Feed::Collection => ShopFeed::Category,
            },
            generators: scenario.generators().iter().filter_map(OrderGenerator::of).collect(),
            scripts: scenario.scripts().iter().map(OrderScript::of).collect(),
        }
    }
}

impl Category {
    /// Returns the category of a collection.
    pub(in crate::scenario) fn of(collection: &Collection) -> Self {
        let Collection { name, prefix, rows, fields, .. } = collection.clone();
        Self { name, prefix, products: rows, fields }
    }
}

impl OrderGenerator {
    /// Returns the generator in the shop's terms; `None` if it does not generate orders.
    pub(in crate::scenario) fn of(generator: &Generator) -> Option<Self> {
        let Generator { arrivals, jitter, fires, from, until } = generator.clone();
        let Fires::Count { amount, rows } = fires else { return None };
        let products = match rows {
            Draw::All => OrderedProducts::All,
            Draw::Ids(ids) => OrderedProducts::Ids(ids),
            Draw::Collection(name) => OrderedProducts::Category(name),
            Draw::Weights(weights) => OrderedProducts::Weights(weights),
        };
        Some(Self { arrivals, jitter, amount, products, from, until })
    }
}

impl OrderScript {
    fn of(script: &Script) -> Self {
        let steps = script.steps().iter().map(OrderStep::of).collect();
        Self { name: script.name.clone(), start: script.start, repeat: script.repeat, steps }
    }
}

impl OrderStep {
    /// Returns the step in the shop's terms.
    pub(in crate::scenario) fn of(step: &Step) -> Self {
        let Step { at, times, every, action } = step.clone();
        let action = match action {
            Action::Count { row, amount } => ShopAction::Order { product: row, amount },
            Action::Set { row, value } => ShopAction::Set { product: row, total: value },
            Action::Add(new) => ShopAction::Add(new),
            Action::Remove { row } => ShopAction::Remove { product: row },
            Action::Fault(fault) => ShopAction::Fault(fault),
        };
        Self { at, times, every, action }
    }
}
