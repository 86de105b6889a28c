//! Streams: answers that go on, as server-sent events do. A stream is a member like a socket, with a place of its own in the
//! feed; what its rule replies is for it alone.

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

/// What a route has answered that may stream.
#[derive(Debug)]
pub struct StreamOpening {
    /// The answer.
    pub answered: Answered,
    /// The stream, if that is what it is.
    pub stream: Option<Subscription>,
}

impl World {
    /// What a route answers that only reads, from what readers see at this moment.
    ///
    /// # Errors
    /// [`WorldError::Refused`] if no answer fits, a row is not there, or an expression fails.
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

    /// What a route answers, after its steps.
    ///
    /// # Errors
    /// [`WorldError`] if no answer fits, a step is refused, an expression fails, or the world has ended.
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

    /// As [`World::answer`], for a route that may stream: `path` is what the stream is called, and `encode` makes of its
    /// messages what its transport writes.
    ///
    /// # Errors
    /// As [`World::answer`].
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

    /// Logs a failure of a route that the scenario is to blame for.
    fn failed(&self, route: &str, error: WorldError) -> WorldError {
        if let WorldError::Refused(refusal) = &error
            && refusal.is_defect_of_scenario()
        {
            self.shared().warn_of_failure(route, refusal);
        }
        error
    }
}
