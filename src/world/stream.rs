//! Streaming responses, such as server-sent events. A stream is a member like a socket: it has its own position in the
//! feed, and replies of its rule go to it alone.

use std::sync::Arc;

use super::World;
use super::error::WorldError;
use super::member::MemberRequest;
use super::message::Encode;
use super::socket::SocketKind;
use super::subscription::Subscription;
use super::task::WorldEffects;
use crate::engine::{Answered, Command, RuleRequest};
use crate::scenario::{Answers, CrudOperation};

/// The answer of a route that may stream.
#[derive(Debug)]
pub struct StreamOpening {
    /// The answer.
    pub answered: Answered,
    /// The stream; `None` if the answer is not one.
    pub stream: Option<Subscription>,
}

impl World {
    /// Answers a request to a route that only reads, from the given view.
    ///
    /// # Errors
    /// [`WorldError::Refused`] if no answer matches, a row does not exist, or an expression fails.
    pub fn read_answer(
        &self,
        view: &super::View,
        answers: &Answers,
        crud: Option<CrudOperation>,
        request: RuleRequest,
    ) -> Result<Answered, WorldError> {
        let answered = view.reading(self.now()).answer(answers, crud, request);
        answered.map_err(|refusal| self.failed(&answers.key, refusal.into()))
    }

    /// Runs the steps of a route and returns its answer.
    ///
    /// # Errors
    /// [`WorldError`] if no answer matches, a step is refused, an expression fails, or the world has ended.
    pub async fn answer(
        &self,
        key: &Arc<str>,
        crud: Option<CrudOperation>,
        request: RuleRequest,
    ) -> Result<Answered, WorldError> {
        let command = Command::Answer { key: key.clone(), crud, request: Box::new(request), member: None };
        let WorldEffects { answer, .. } = self.apply(command).await.map_err(|error| self.failed(key, error))?;
        answer.ok_or(WorldError::Defect)
    }

    /// Like [`World::answer`], for a route that may stream. `path` identifies the stream, and `encode` encodes its
    /// messages for the transport.
    ///
    /// # Errors
    /// Same as [`World::answer`].
    pub async fn open_stream(
        &self,
        key: &Arc<str>,
        request: RuleRequest,
        path: &str,
        encode: Encode,
    ) -> Result<StreamOpening, WorldError> {
        let request = MemberRequest::Stream { key: key.clone(), request: Box::new(request) };
        let opened = self.open_member(SocketKind::Stream(path.into()), encode, request).await;
        let opened = opened.map_err(|error| self.failed(key, error))?;
        Ok(StreamOpening { answered: opened.answered.ok_or(WorldError::Defect)?, stream: opened.feed })
    }

    /// Logs a failure of a route that is the scenario's fault.
    fn failed(&self, route: &str, error: WorldError) -> WorldError {
        if let WorldError::Refused(refusal) = &error
            && refusal.is_defect_of_scenario()
        {
            self.shared().warn_of_failure(route, refusal);
        }
        error
    }
}
