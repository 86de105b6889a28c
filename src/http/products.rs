//! `GET /{category}` and `POST /{category}`.

use std::sync::Arc;

use poem::endpoint::BoxEndpoint;
use poem::http::HeaderMap;
use poem::web::{Data, Path};
use poem::{Body, Endpoint, Request, Response, handler};
use serde_json::Value;

use super::body::{self, answer};
use super::error::ApiError;
use crate::engine::Listing;
use crate::world::World;

/// Lists a category's products; a path that names no category is the site's.
pub(super) struct List {
    pub(super) site: Arc<BoxEndpoint<'static, Response>>,
}

impl Endpoint for List {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let category: String = request.path_params()?;
        let world = request.data::<World>();
        let json = world.and_then(|world| world.view().catalogue.get(&category).map(Listing::json));
        match json {
            Some(json) => Ok(answer(json)),
            None => self.site.call(request).await,
        }
    }
}

/// Adds a product and answers with all of them.
#[handler]
pub(super) async fn add(
    Path(category): Path<String>,
    headers: &HeaderMap,
    body: Body,
    Data(world): Data<&World>,
) -> poem::Result<Response> {
    if world.view().catalogue.get(&category).is_none() {
        return Err(poem::error::NotFoundError.into());
    }
    let own = match body::read(headers, body).await? {
        Value::Object(own) => own,
        other => return Err(ApiError::NotAnObject(body::kind(&other)).into()),
    };
    if own.contains_key("id") {
        return Err(ApiError::IdInBody.into());
    }
    Ok(answer(world.add_product(&category, own).await.map_err(ApiError::from)?))
}
