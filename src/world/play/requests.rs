//! What clients change: orders, totals and products.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Map, Value};

use super::Play;
use crate::engine::{Event, Listing, Refusal, RefusedAt};

impl Play {
    pub(in crate::world) fn order(&mut self, id: &str, amount: i64) -> Result<(), Refusal> {
        let event = self.engine.order(id, amount)?;
        self.tell(&[event]);
        Ok(())
    }

    pub(in crate::world) fn orders(&mut self, orders: &[(Arc<str>, i64)]) -> Result<Vec<Event>, RefusedAt> {
        let events = self.engine.orders(orders.iter().map(|(id, amount)| (&**id, *amount)))?;
        self.tell(&events);
        Ok(events)
    }

    pub(in crate::world) fn set_totals(&mut self, totals: &[(Arc<str>, i64)]) -> Result<Vec<Event>, RefusedAt> {
        let events = self.engine.set_totals(totals.iter().map(|(id, total)| (&**id, *total)))?;
        self.tell(&events);
        Ok(events)
    }

    pub(in crate::world) fn add_product(&mut self, category: &str, own: Map<String, Value>) -> Result<Bytes, Refusal> {
        let event = self.engine.add_product(category, own)?;
        self.tell(&[event]);
        Ok(self.engine.catalogue().get(category).map(Listing::json).unwrap_or_default())
    }
}
