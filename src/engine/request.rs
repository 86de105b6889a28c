//! What clients ask of an engine. Each request is carried out as a whole or not at all.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::Engine;
use super::event::{Event, EventKind, MAX_CATEGORY_BYTES, Refusal};
use super::ledger::Entry;
use crate::scenario::Product;

/// Why none of several entries was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedAt {
    /// Which of them was refused, from 0.
    pub index: usize,
    /// Why.
    pub refusal: Refusal,
}

impl Engine {
    /// Adds `amount` to a product's order total.
    ///
    /// # Errors
    /// [`Refusal`] if there is no such product, or the total would leave ±(2^53 - 1).
    pub fn order(&mut self, id: &str, amount: i64) -> Result<Event, Refusal> {
        self.post(id, Entry::Add(amount))
    }

    /// Adds each amount to its product's order total, in order.
    ///
    /// # Errors
    /// [`RefusedAt`] the first that is not possible; nothing has changed then.
    pub fn orders<'o>(&mut self, orders: impl IntoIterator<Item = (&'o str, i64)>) -> Result<Vec<Event>, RefusedAt> {
        self.post_all(orders.into_iter().map(|(id, amount)| (id, Entry::Add(amount))))
    }

    /// Puts each product's order total to a value, in order.
    ///
    /// # Errors
    /// [`RefusedAt`] the first that is not possible; nothing has changed then.
    pub fn set_totals<'o>(
        &mut self,
        totals: impl IntoIterator<Item = (&'o str, i64)>,
    ) -> Result<Vec<Event>, RefusedAt> {
        self.post_all(totals.into_iter().map(|(id, total)| (id, Entry::Set(total))))
    }

    /// Adds a product of a client's to a category; its id is the prefix with the next number, its total is 0.
    ///
    /// # Errors
    /// [`Refusal`] if there is no such category, the product is not what the category's `fields` ask for, or there is no
    /// room for more than [`MAX_CATEGORY_BYTES`].
    pub fn add_product(&mut self, category: &str, own: Map<String, Value>) -> Result<Event, Refusal> {
        let listing = self.catalogue.get(category).ok_or_else(|| Refusal::UnknownCategory(category.into()))?;
        listing.accept(&own)?;
        if listing.json().len() > MAX_CATEGORY_BYTES {
            return Err(Refusal::Full { category: category.into() });
        }
        let id = self.free_id(listing);
        Ok(self.put_on_sale(category, Arc::new(Product::new(id, own))))
    }

    fn post_all<'o>(&mut self, entries: impl Iterator<Item = (&'o str, Entry)>) -> Result<Vec<Event>, RefusedAt> {
        let (mut events, mut undo) = (Vec::new(), Vec::new());
        for (index, (id, entry)) in entries.enumerate() {
            let sequence = self.sequence + 1 + events.len() as u64;
            match self.ledger.post(id, entry, sequence) {
                Ok(posted) => {
                    let (id, category) = (posted.id.clone(), posted.holder.category.clone());
                    let kind = EventKind::Total { id, category, total: posted.total };
                    events.push(Event { sequence, at: self.now, kind });
                    undo.push(posted.undo);
                }
                Err(refusal) => {
                    undo.into_iter().rev().for_each(|one| self.ledger.undo(one));
                    return Err(RefusedAt { index, refusal });
                }
            }
        }
        self.sequence += events.len() as u64;
        Ok(events)
    }
}
