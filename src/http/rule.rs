//! Declared answers: from a request to what the engine answers, and from there to a response.

mod file;
mod forms;
mod request;
mod response;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use poem::Request;
use poem::http::StatusCode;

use super::body::ApiResponse;
use super::error::ApiError;
use super::target::RequestTarget;
use crate::engine::{Answered, Refusal, RuleRequest};
use crate::scenario::{Answers, Content, CrudOperation, PathMatch, Route};
use crate::world::{View, World, WorldError};

/// What a request is answered from.
pub(super) struct Moment {
    pub(super) world: World,
    pub(super) view: Arc<View>,
    /// The world's time when the request came.
    pub(super) arrived: Duration,
}

/// A request that has a route with answers.
pub(super) struct RuleCall<'c> {
    pub(super) target: &'c RequestTarget<'c>,
    pub(super) found: &'c PathMatch<'c, 'c>,
    pub(super) route: &'c Route,
    pub(super) answers: &'c Arc<Answers>,
    /// What the route is to a collection.
    pub(super) crud: Option<CrudOperation>,
}

impl RuleCall<'_> {
    /// The response. An answer that comes later is waited for, on the world's clock.
    ///
    /// # Errors
    /// A request that cannot be read, or that is refused or fits no answer, and an answer that cannot be sent.
    pub(super) async fn respond(
        &self,
        moment: &Moment,
        request: Request,
        body: &Bytes,
    ) -> Result<ApiResponse, ApiError> {
        let Moment { world, view, arrived } = moment;
        let rule_request = self.read(request.headers(), body).await?;
        let answered = answered(world, view, self.answers, self.crud, rule_request).await.map_err(refused)?;
        let answered = answered.ok_or_else(|| ApiError::NoAnswer(self.answers.key.clone()))?;
        if !answered.after.is_zero() {
            world.pass_since(*arrived, answered.after).await;
        }
        self.response(answered, request).await
    }
}

/// What the engine answers; `None` if no answer fits.
// SEAM: the engine is called here. Answers that only read are computed from the view (`Sight::answer`), all others are a
// command (`Command::Answer`), whose effects hold the answer.
#[expect(clippy::unused_async, reason = "a command is awaited")]
async fn answered(
    _world: &World,
    _view: &View,
    _answers: &Arc<Answers>,
    _crud: Option<CrudOperation>,
    _request: RuleRequest,
) -> Result<Option<Answered>, WorldError> {
    Ok(None)
}

/// A refusal is the answer of the steps that met it.
fn refused(error: WorldError) -> ApiError {
    match error {
        WorldError::Refused(refusal) => ApiError::Refused(refusal),
        error => error.into(),
    }
}

/// The status of the answer whose steps, or whose operation on a collection, are refused.
pub(super) fn status_of_refusal(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::UnknownRow(_) | Refusal::UnknownCollection(_) => StatusCode::NOT_FOUND,
        Refusal::DuplicateRow(_) => StatusCode::CONFLICT,
        Refusal::At { refusal, .. } => status_of_refusal(refusal),
        Refusal::UnreadableFault(_) => StatusCode::INTERNAL_SERVER_ERROR,
        Refusal::OutOfRange { .. }
        | Refusal::Full { .. }
        | Refusal::FixedId(_)
        | Refusal::Field { .. }
        | Refusal::UnknownFault(_)
        | Refusal::FaultExists(_)
        | Refusal::TooManyFaults
        | Refusal::TooManyTopics => StatusCode::BAD_REQUEST,
    }
}

/// The collection that answers are REST on, if one of them is.
pub(super) fn collection(answers: &Answers) -> Option<&Arc<str>> {
    answers.list.iter().find_map(|answer| match &answer.content {
        Content::Crud(crud) => Some(&crud.collection),
        _ => None,
    })
}
