//! Declared answers: passes requests to the engine and turns its answers into responses.

mod file;
mod request;
mod response;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use percent_encoding::percent_decode_str;
use poem::Request;
use poem::http::{HeaderMap, Method};

pub(super) use request::handshake_request;
pub(super) use response::build_response;

use super::body::ApiResponse;
use super::error::ApiError;
use super::target::RequestTarget;
use super::{App, stream};
use crate::engine::{Answered, AnsweredContent, RuleRequest};
use crate::scenario::{Answer, Answers, Content, CrudOperation, PathMatch, Route};
use crate::world::{StreamOpening, View, World, WorldError, WorldMoment};

/// The world in which a request is answered, as it was when the request arrived.
pub(super) struct Moment {
    pub(super) world: World,
    pub(super) view: Arc<View>,
    /// The moment at which the request arrived.
    pub(super) arrived: WorldMoment,
}

/// A request for a route with declared answers.
pub(super) struct RuleCall<'c> {
    pub(super) target: &'c RequestTarget<'c>,
    pub(super) routes: &'c PathMatch<'c, 'c>,
    pub(super) route: &'c Route,
    pub(super) answers: &'c Arc<Answers>,
    /// The route's operation on a collection, if it has one.
    pub(super) crud: Option<CrudOperation>,
}

impl RuleCall<'_> {
    /// Returns the response if it is available without waiting: the route only reads, and has neither delays nor files.
    /// Otherwise returns `None`.
    pub(super) fn respond_now(
        &self,
        app: &App,
        moment: &Moment,
        headers: &HeaderMap,
        body: &Bytes,
    ) -> Option<Result<ApiResponse, ApiError>> {
        let waits = |answer: &Answer| !answer.after.is_zero() || matches!(answer.content, Content::File { .. });
        (self.only_reads() && !self.answers.list.iter().any(waits)).then(|| {
            let Moment { world, view, .. } = moment;
            let request = self.read(headers, body)?;
            let answered = world.read_answer(view, self.answers, self.crud, request).map_err(refused)?;
            let notes = self.note_query(app, world, &answered);
            let number = Some(answered.number);
            Ok(ApiResponse { number, notes, ..self.without_file(answered)? })
        })
    }

    /// Returns the response, after the answer's delay on the world's clock.
    ///
    /// # Errors
    /// [`ApiError`] if the request cannot be read, is refused or matches no answer, or the answer cannot be sent.
    pub(super) async fn respond(
        &self,
        app: &Arc<App>,
        moment: &Moment,
        request: Request,
        body: &Bytes,
    ) -> Result<ApiResponse, ApiError> {
        let Moment { world, view, arrived } = moment;
        let rule_request = self.read(request.headers(), body)?;
        let opening = self.answered(world, view, rule_request).await.map_err(refused)?;
        if !opening.answered.after.is_zero() {
            world.pass_since(*arrived, opening.answered.after).await;
        }
        let StreamOpening { answered, stream } = opening;
        let (number, is_stream) = (answered.number, matches!(answered.content, AnsweredContent::Stream));
        let notes = self.note_query(app, world, &answered);
        let mut response = self.response(answered, request).await?;
        response.response = match stream {
            Some(feed) => stream::stream(app, feed, response.response),
            None if is_stream => stream::head(response.response),
            None => response.response,
        };
        Ok(ApiResponse { number: Some(number), notes, ..response })
    }

    fn only_reads(&self) -> bool {
        self.answers.only_reads && self.crud.is_none_or(CrudOperation::only_reads)
    }

    /// Logs the names without a meaning in a list query. Returns notes about them for the journal.
    fn note_query(&self, app: &App, world: &World, answered: &Answered) -> Vec<String> {
        for note in &answered.query_notes {
            app.misdirected.unknown_query_name(world, &self.answers.key, note);
        }
        answered.query_notes.iter().map(ToString::to_string).collect()
    }

    /// Obtains the engine's answer: from the view if the route only reads, otherwise through a command. HEAD runs the
    /// steps that precede the answer like any method, but does not open a stream, because the steps of a stream are its
    /// content (RFC 9110, 9.3.2).
    async fn answered(&self, world: &World, view: &View, request: RuleRequest) -> Result<StreamOpening, WorldError> {
        let Self { answers, crud, .. } = self;
        let answered = if self.only_reads() {
            world.read_answer(view, answers, *crud, request)?
        } else if self.target.method != Method::HEAD
            && answers.list.iter().any(|answer| matches!(answer.content, Content::Stream(_)))
        {
            let path = percent_decode_str(&self.target.path).decode_utf8_lossy();
            return world.open_stream(&answers.key, request, &path, stream::encode).await;
        } else {
            world.answer(&answers.key, *crud, request).await?
        };
        Ok(StreamOpening { answered, stream: None })
    }
}

/// Converts an error of the rule's own steps, so that a refusal counts as a fault of the scenario rather than the
/// request.
fn refused(error: WorldError) -> ApiError {
    match error {
        WorldError::Refused(refusal) => ApiError::Refused(refusal),
        error => error.into(),
    }
}

/// Returns the collection that the answers serve with CRUD operations, if any.
pub(super) fn collection(answers: &Answers) -> Option<&Arc<str>> {
    answers.list.iter().find_map(|answer| match &answer.content {
        Content::Crud(crud) => Some(&crud.collection),
        _ => None,
    })
}
