//! `POST /orders/{id}`: a client moves a total.

use poem::http::HeaderMap;
use poem::web::{Data, Path};
use poem::{Body, Response, handler};
use serde_json::Value;

use super::body::{self, answer};
use super::error::ApiError;
use crate::engine::Refusal;
use crate::scenario::MAX_TOTAL;
use crate::world::{World, WorldError};

/// Adds the amount to the product's total; every socket hears of it.
#[handler]
pub(super) async fn add(
    Path(id): Path<String>,
    headers: &HeaderMap,
    body: Body,
    Data(world): Data<&World>,
) -> poem::Result<Response> {
    let body = body::read(headers, body).await?;
    let Some(amount) = amount(&body) else {
        // An unknown id is told before a wrong amount.
        let known = world.view().catalogue.has_product(&id);
        let unknown = || ApiError::from(WorldError::Refused(Refusal::UnknownProduct(id.as_str().into())));
        return Err(if known { ApiError::AmountNotAnInteger } else { unknown() }.into());
    };
    world.order(&id, amount).await.map_err(ApiError::from)?;
    Ok(answer(&br#"{"ok":true}"#[..]))
}

/// The amount as an integer, however it is written (`3`, `3.0`, `1e2`). One beyond what any total can hold is cut to
/// just beyond it, which the engine refuses.
pub(super) fn amount(body: &Value) -> Option<i64> {
    integer(body.get("amount")?)
}

/// An integer, however it is written; see [`amount`].
pub(super) fn integer(value: &Value) -> Option<i64> {
    const BEYOND: i64 = 4 * MAX_TOTAL;
    let number = value.as_number()?;
    if let Some(integer) = number.as_i64() {
        return Some(integer.clamp(-BEYOND, BEYOND));
    }
    let float = number.as_f64().filter(|float| float.fract() == 0.0)?;
    #[expect(clippy::cast_possible_truncation, reason = "a cast from float saturates, and then it is clamped")]
    Some((float as i64).clamp(-BEYOND, BEYOND))
}
