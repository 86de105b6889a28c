//! Writes every request, with its answer, to the journal of its world. Control requests are not in it: they are the
//! test's own doing.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use poem::http::Method;
use poem::{Endpoint, Request, Response};

use super::body::{self, Kept};
use super::envelope::AskedMethod;
use super::fate::{Fate, Spoiled};
use super::{App, access, cors, error};
use crate::world::{Answer, Exchange, Payload, RequestHead, World};

/// Wraps the routes; what they answer is an answer from here on, not an error.
pub(super) struct Record<E> {
    pub(super) inner: E,
    pub(super) app: Arc<App>,
}

impl<E: Endpoint<Output = Response>> Endpoint for Record<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        if access::is_control(&request) {
            let origin = access::allowed_origin(&self.app.access, request.headers());
            let mut response = self.answer(request, None).await;
            cors::mark_control(&mut response, origin);
            return Ok(response);
        }
        let world = request.data::<World>().filter(|world| world.has_journal()).cloned();
        let received = body::receive(&mut request, &self.app.limits).await;
        let fate = match request.data::<World>().filter(|_| received.is_ok()).cloned() {
            Some(world) => Fate::of(&request, &world).await,
            None => None,
        };
        let Some(world) = world else {
            return Ok(self.meet(fate.as_ref(), request, received.err(), |_| {}).await);
        };
        let mut exchange = describe(&request);
        let (bytes, too_large) = received.map_or_else(|error| (Bytes::new(), Some(error)), |bytes| (bytes, None));
        exchange.body = (!bytes.is_empty()).then(|| Payload::new(Bytes::copy_from_slice(&bytes)));
        exchange.faults = fate.as_ref().map(Fate::marks).unwrap_or_default();
        let number = world.requested(exchange);
        let write_down = |response: &mut Response| {
            let body = response.extensions_mut().remove::<Kept>().map(|Kept(bytes)| Payload::new(bytes));
            world.answered(number, Answer { status: response.status().as_u16(), body });
        };
        Ok(self.meet(fate.as_ref(), request, too_large, write_down).await)
    }
}

impl<E: Endpoint<Output = Response>> Record<E> {
    /// The answer, with what faults make of it after it was seen.
    async fn meet(
        &self,
        fate: Option<&Fate>,
        request: Request,
        wrong: Option<error::ApiError>,
        see: impl FnOnce(&mut Response),
    ) -> Response {
        let Some(fate) = fate else {
            let mut response = self.answer(request, wrong).await;
            see(&mut response);
            return response;
        };
        let mut response = match fate.before().await {
            Some(response) => response,
            None => self.answer(request, wrong).await,
        };
        if !Spoiled::is_in_place_of(&response) {
            see(&mut response);
        }
        fate.after(response).await
    }

    /// The answer, also to what went wrong before or goes wrong now.
    async fn answer(&self, request: Request, wrong: Option<error::ApiError>) -> Response {
        let (method, uri) = (asked_method(&request).clone(), request.original_uri().clone());
        let outcome = match wrong {
            Some(error) => Err(error.into()),
            None if request.method() == Method::OPTIONS => {
                Ok(cors::preflight(request.headers(), access::is_control(&request)))
            }
            None => self.inner.call(request).await,
        };
        outcome.unwrap_or_else(|error| error::answer(error, &method, &uri))
    }
}

/// The method that the client asked with.
pub(super) fn asked_method(request: &Request) -> &Method {
    request.data::<AskedMethod>().map_or(request.method(), |AskedMethod(method)| method)
}

fn describe(request: &Request) -> Exchange {
    let headers = request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    let head = RequestHead::new(asked_method(request).as_str(), request.uri().path(), request.uri().query(), headers);
    Exchange { head, body: None, faults: Vec::new(), answer: OnceLock::new() }
}
