//! `/__mockd/orders`: many orders in one call.

use std::sync::Arc;

use poem::http::HeaderMap;
use poem::web::Data;
use poem::{Body, Response, handler};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::answer::{Happened, json};
use super::input::{self, wrong};
use crate::engine::Refusal;
use crate::http::error::ApiError;
use crate::http::orders::integer;
use crate::world::{World, WorldError};

/// Orders, which are all carried out, in order, or none.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OrdersRequest {
    /// The orders.
    orders: Vec<OrderRequest>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OrderRequest {
    /// The product.
    id: Arc<str>,
    /// What is added to its total.
    #[schemars(with = "i64")]
    amount: Value,
}

/// Carries out all orders, or none.
#[handler]
pub(in crate::http) async fn post_orders(
    headers: &HeaderMap,
    body: Body,
    Data(world): Data<&World>,
) -> poem::Result<Response> {
    let request: OrdersRequest = input::read(headers, body).await?;
    let amount = |(index, order): (usize, &OrderRequest)| {
        let amount = integer(&order.amount);
        let amount = amount.ok_or_else(|| wrong(&format!("orders[{index}].amount"), "is not an integer"))?;
        Ok((order.id.clone(), amount))
    };
    let orders: Result<Vec<_>, ApiError> = request.orders.iter().enumerate().map(amount).collect();
    let events =
        world.orders(orders?).await.map_err(|error| at_field(error, |index| format!("orders[{index}]"), "amount"))?;
    Ok(json(&Happened { events }))
}

/// Why a total cannot be what is asked, in the control API's words.
pub(super) fn describe(refusal: &Refusal) -> String {
    match refusal {
        Refusal::UnknownProduct(id) => format!("there is no product {id}"),
        Refusal::OutOfRange { .. } => "would make a total outside of ±(2^53 - 1)".to_owned(),
        other => other.to_string(),
    }
}

/// Names the field of the one that is refused.
pub(super) fn at_field(error: WorldError, path: impl FnOnce(usize) -> String, value: &str) -> ApiError {
    match error {
        WorldError::Refused(Refusal::At { index, refusal }) => {
            let field = if matches!(*refusal, Refusal::UnknownProduct(_)) { "id" } else { value };
            wrong(&format!("{}.{field}", path(index)), describe(&refusal))
        }
        other => other.into(),
    }
}
