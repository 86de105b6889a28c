//! Carries out the plans of a shop that change its data.

use poem::Request;
use serde::Deserialize;
use serde_json::Value;

use crate::engine::{Command, Refusal};
use crate::http::body::{self, ApiResponse};
use crate::http::error::ApiError;
use crate::scenario::integer;
use crate::world::{View, World, WorldError};

/// Carries out [`Plan::Add`](crate::scenario::Plan::Add).
pub(super) async fn add(
    world: &World,
    collection: &str,
    request: &Request,
    body: &[u8],
) -> Result<ApiResponse, ApiError> {
    let fields = match body::read(request.headers(), body)? {
        Value::Object(fields) => fields,
        other => return Err(ApiError::NotAnObject(body::kind(&other))),
    };
    if fields.contains_key("id") {
        return Err(ApiError::IdInBody);
    }
    if fields.contains_key("total") {
        return Err(ApiError::ValueInBody);
    }
    Ok(ApiResponse::json(world.add_row(collection, fields).await?))
}

/// Carries out [`Plan::Count`](crate::scenario::Plan::Count). The members of the counter's topic receive the new value.
pub(super) async fn count(
    world: &World,
    view: &View,
    id: &str,
    request: &Request,
    body: &[u8],
) -> Result<ApiResponse, ApiError> {
    let Some(amount) = amount(body::expect_json(request.headers(), body)?)? else {
        // An unknown id takes precedence over an invalid amount.
        let unknown = || WorldError::Refused(Refusal::UnknownRow(id.into()));
        return Err(if view.collections.has_counted_row(id) { ApiError::AmountNotAnInteger } else { unknown().into() });
    };
    world.apply(Command::count(id, amount)).await?;
    Ok(ApiResponse::json(&br#"{"ok":true}"#[..]))
}

/// Returns the amount in a body, or `None` if it is not an integer.
fn amount(body: &[u8]) -> Result<Option<i64>, ApiError> {
    /// The usual body, which is parsed without a map. Bodies with more fields are parsed into one, because serde does
    /// not fully validate the JSON of fields that it skips.
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct AmountBody {
        amount: Value,
    }
    // serde also accepts an array in place of a struct.
    if body.starts_with(b"{")
        && let Ok(AmountBody { amount }) = serde_json::from_slice(body)
    {
        return Ok(integer(&amount));
    }
    let body: Value = serde_json::from_slice(body).map_err(ApiError::BadJson)?;
    Ok(body.get("amount").and_then(integer))
}
