//! One new scenario for many engines that have the old one: what is the same for all of them is worked out once and
//! shared.

use std::sync::Arc;

use super::change::Change;
use super::event::Event;
use super::ledger::Ledger;
use super::timelines::Pairings;
use super::{Engine, Listing};

/// The way from the start of one scenario to that of the next.
#[derive(Debug)]
pub struct Succession {
    old: Engine,
    new: Engine,
    changes: Vec<Change>,
    pairings: Pairings,
}

impl Succession {
    /// From one engine at its start to another at its own. It takes as long as the scenarios are large; what clients ask
    /// for next is prepared as well.
    #[must_use]
    pub fn new(old: Engine, new: Engine) -> Self {
        new.catalogue.prepare_as(&old.catalogue);
        let pairings = Pairings::of(&old.scenario, &new.scenario);
        let changes = old.compare(&new.scenario, old.seed, &pairings);
        Self { old, new, changes, pairings }
    }

    /// The engine at the start of the new scenario.
    #[must_use]
    pub fn start(&self) -> &Engine {
        &self.new
    }
}

impl Engine {
    /// What [`Engine::follow`] changes; see [`Engine::changes`].
    #[must_use]
    pub fn changes_along(&self, succession: &Succession, seed: u64) -> Vec<Change> {
        if !self.is_as_declared(succession) {
            return self.changes(&succession.new.scenario, seed);
        }
        let mut changes = succession.changes.clone();
        for change in &mut changes {
            if let Change::TotalReset { id, from, .. } = change {
                *from = self.ledger.get(id).map_or(*from, |account| account.total);
            }
        }
        if seed != self.seed {
            let after_name = usize::from(matches!(changes.first(), Some(Change::Name { .. })));
            changes.insert(after_name, Change::Seed { from: self.seed, to: seed });
        }
        changes
    }

    /// Whether no product came or went by itself since the start that the succession begins with.
    fn is_as_declared(&self, Succession { old, .. }: &Succession) -> bool {
        Arc::ptr_eq(&self.scenario, &old.scenario) && self.ledger.has_holders_of(&old.ledger)
    }

    /// As [`Engine::replace`] with the scenario that the succession leads to, and gives what sockets have to hear. An
    /// engine in which no product came or went by itself shares the products of the new start from then on.
    pub fn follow(&mut self, succession: &Succession, seed: u64) -> Vec<Event> {
        let Succession { new, changes, pairings, .. } = succession;
        if !self.is_as_declared(succession) {
            return self.replace(&new.scenario, seed).events;
        }
        self.scenario = new.scenario.clone();
        let before = std::mem::replace(&mut self.catalogue, new.catalogue.clone());
        for (name, listing) in before.iter() {
            self.catalogue.keep_numbers(name, Listing::highest(listing));
        }
        self.ledger = Ledger::carried_over(&new.ledger, &self.ledger);
        let mut events = self.replace_timelines(pairings, seed);
        events.extend(changes.iter().filter_map(|change| self.tell(change)));
        events
    }
}
