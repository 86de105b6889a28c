//! What clients change in a world: orders, totals and products.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Map, Value};

use super::operation::{Operation, Outcome};
use super::{World, WorldError};
use crate::engine::Event;

impl World {
    /// Adds `amount` to a product's order total.
    ///
    /// # Errors
    /// [`WorldError`] if there is no such product, the total would leave ±(2^53 - 1), or the world has ended.
    pub async fn order(&self, id: &str, amount: i64) -> Result<(), WorldError> {
        self.change(Operation::Order(id.into(), amount)).await.map(drop)
    }

    /// Adds each amount to its product's order total, all of them or none, and gives what happened.
    ///
    /// # Errors
    /// [`WorldError`] for the first that is not possible, or if the world has ended.
    pub async fn orders(&self, orders: Vec<(Arc<str>, i64)>) -> Result<Vec<Event>, WorldError> {
        self.change(Operation::Orders(orders)).await.map(Outcome::events)
    }

    /// Puts each product's order total to a value, all of them or none, and gives what happened.
    ///
    /// # Errors
    /// [`WorldError`] for the first that is not possible, or if the world has ended.
    pub async fn set_totals(&self, totals: Vec<(Arc<str>, i64)>) -> Result<Vec<Event>, WorldError> {
        self.change(Operation::SetTotals(totals)).await.map(Outcome::events)
    }

    /// Adds a product to a category and gives the category's products as JSON, the new one last.
    ///
    /// # Errors
    /// [`WorldError`] if there is no such category, the product is not as its `fields` ask, or the world has ended.
    pub async fn add_product(&self, category: &str, own: Map<String, Value>) -> Result<Bytes, WorldError> {
        self.change(Operation::AddProduct(category.into(), own)).await.map(Outcome::products)
    }

    /// Carries out what a client asks for: here, or wherever the world is played.
    pub(super) async fn change(&self, operation: Operation) -> Result<Outcome, WorldError> {
        match &self.0.shared.replica {
            None => self.ask(move |play| operation.carry_out(play)).await?,
            Some(replica) => {
                let _used = self.using();
                replica.carry_out(operation, self.now()).await
            }
        }
    }
}
