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
    /// From one engine at its start to another at its own.
    #[must_use]
    pub fn new(old: Engine, new: Engine) -> Self {
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
    /// As [`Engine::replace`] with the scenario that the succession leads to, and gives what sockets have to hear. An
    /// engine in which no product came or went by itself shares the products of the new start from then on.
    pub fn follow(&mut self, succession: &Succession, seed: u64) -> Vec<Event> {
        let Succession { old, new, changes, pairings } = succession;
        let is_as_declared = Arc::ptr_eq(&self.scenario, &old.scenario) && self.ledger.has_holders_of(&old.ledger);
        if !is_as_declared {
            return self.replace(&new.scenario, seed).events;
        }
        self.scenario = new.scenario.clone();
        let before = std::mem::replace(&mut self.catalogue, new.catalogue.clone());
        for (name, listing) in before.iter() {
            self.catalogue.keep_numbers(name, Listing::highest(listing));
        }
        self.ledger = Ledger::carried_over(&new.ledger, &self.ledger);
        self.replace_timelines(pairings, seed);
        changes.iter().filter_map(|change| self.tell(change)).collect()
    }
}
