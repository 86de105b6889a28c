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
pub use forms::{FormError, read as read_form};
use percent_encoding::percent_decode_str;
use poem::Request;
use poem::http::{HeaderMap, Method};

pub(super) use request::handshake_request;
pub(super) use response::made;

use super::body::ApiResponse;
use super::error::ApiError;
use super::target::RequestTarget;
use super::{App, stream};
use crate::engine::{Answered, AnsweredContent, RuleRequest};
use crate::scenario::{Answer, Answers, Content, CrudOperation, PathMatch, Route};
use crate::world::{StreamOpening, View, World, WorldError};

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
    /// The response of a route that only reads and has nothing to wait for: no later moment, and no file.
    pub(super) fn at_once(
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
            Ok(ApiResponse { number, notes, ..self.at_hand(answered)? })
        })
    }

    /// The response. An answer that comes later is waited for, on the world's clock.
    ///
    /// # Errors
    /// A request that cannot be read, or that is refused or fits no answer, and an answer that cannot be sent.
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

    /// Logs what the query of a list names that means nothing, and gives what the journal says of it.
    fn note_query(&self, app: &App, world: &World, answered: &Answered) -> Vec<String> {
        for note in &answered.query_notes {
            app.misdirected.found_no_meaning(world, &self.answers.key, note);
        }
        answered.query_notes.iter().map(ToString::to_string).collect()
    }

    /// What the engine answers: from what readers see if that changes nothing, else as a command. HEAD carries out the steps
    /// before the answer as any method does, but opens no stream: the steps of a stream are its content (RFC 9110, 9.3.2).
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

/// A refusal is the answer of the steps that met it.
fn refused(error: WorldError) -> ApiError {
    match error {
        WorldError::Refused(refusal) => ApiError::Refused(refusal),
        error => error.into(),
    }
}

/// The collection that answers are REST on, if one of them is.
pub(super) fn collection(answers: &Answers) -> Option<&Arc<str>> {
    answers.list.iter().find_map(|answer| match &answer.content {
        Content::Crud(crud) => Some(&crud.collection),
        _ => None,
    })
}
