//! What happens by itself, when it is due: script steps, random orders, faults.

use std::sync::Arc;
use std::time::Duration;

use super::ledger::Entry;
use super::{Engine, Event, EventKind, FaultSource, Listing, Refusal, holder};
use crate::scenario::{Action, NewProduct, Product};

impl Engine {
    /// Does the first of what is due: faults, then scripts, then generators, each in declared order.
    pub(super) fn fire(&mut self, due: Duration, events: &mut Vec<Event>) {
        if let Some(index) = self.faults.iter().position(|run| run.due() == Some(due)) {
            events.push(self.turn_fault(index));
        } else if let Some(run) = self.scripts.iter_mut().find(|run| run.due() == Some(due)) {
            if let Some(action) = run.fire() {
                self.act(&action, events);
            }
        } else if let Some(run) = self.generators.iter_mut().find(|run| run.due() == Some(due))
            && let Some((index, amount)) = run.fire(&self.ledger)
            && let Some(id) = self.ledger.id_at(index).cloned()
        {
            let outcome = self.post(&id, Entry::Add(amount));
            self.record(outcome, events);
        }
    }

    fn act(&mut self, action: &Action, events: &mut Vec<Event>) {
        let outcome = match action {
            Action::Order { product, amount } => self.post(product, Entry::Add(*amount)),
            Action::Set { product, total } => self.post(product, Entry::Set(*total)),
            Action::Remove { product } => self.remove(product),
            Action::Add(new) => self.add(new, events),
            Action::Fault(fault) => {
                events.extend(self.add_fault(fault.clone(), FaultSource::Script).1);
                return;
            }
        };
        self.record(outcome, events);
    }

    fn record(&mut self, outcome: Result<Event, Refusal>, events: &mut Vec<Event>) {
        let event = outcome.unwrap_or_else(|refusal| self.event(EventKind::Skipped(refusal)));
        events.push(event);
    }

    fn remove(&mut self, id: &Arc<str>) -> Result<Event, Refusal> {
        let account = self.ledger.close(id).ok_or_else(|| Refusal::UnknownProduct(id.clone()))?;
        self.catalogue.change(&account.category, |products| products.retain(|product| product.id() != id));
        Ok(self.event(EventKind::Removed { id: id.clone(), category: account.category }))
    }

    /// A product that a script adds: it comes on sale, and its first total goes to the sockets.
    fn add(&mut self, new: &NewProduct, events: &mut Vec<Event>) -> Result<Event, Refusal> {
        let listing =
            self.catalogue.get(&new.category).ok_or_else(|| Refusal::UnknownCategory(new.category.clone()))?;
        let product =
            if new.has_id { new.product.clone() } else { Arc::new(new.product.with_id(self.free_id(listing))) };
        let (id, total) = (product.id().clone(), product.total());
        if self.ledger.get(&id).is_some() {
            return Err(Refusal::DuplicateProduct(id));
        }
        let added = self.put_on_sale(&new.category, product);
        events.push(added);
        self.post(&id, Entry::Set(total))
    }

    pub(super) fn put_on_sale(&mut self, category: &str, product: Arc<Product>) -> Event {
        let (id, category): (_, Arc<str>) = (product.id().clone(), category.into());
        self.ledger.open(id.clone(), holder(category.clone(), &product, false));
        self.catalogue.change(&category, |products| products.push(product));
        self.event(EventKind::Added { id, category })
    }

    pub(super) fn free_id(&self, listing: &Listing) -> Arc<str> {
        // Endless but for the 2^64 numbers of a category, of which the ledger cannot hold all.
        listing.next_ids().find(|id| self.ledger.get(id).is_none()).unwrap_or_else(|| listing.prefix().into())
    }
}
