//! Streams: answers that go on, as server-sent events do. A stream is a member like a socket, with a place of its own in the
//! feed; what its rule replies is for it alone.

use std::sync::Arc;

use super::World;
use super::error::WorldError;
use super::journal::{OpenedBy, Record};
use super::message::Encode;
use super::socket::SocketKind;
use super::state::WorldState;
use super::subscription::Subscription;
use super::task::WorldEffects;
use crate::engine::{Answered, AnsweredContent, Command, Effects, Refusal, RuleRequest};
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
        let (world, rule, path): (_, _, Arc<str>) = (self.clone(), key.clone(), path.into());
        #[cfg(feature = "redis")]
        if self.0.replica.is_some() {
            // What it shares with others goes through their log; the stream itself is this server's own.
            let answered = self.answer(key, None, request.clone()).await?;
            if !matches!(answered.content, AnsweredContent::Stream { .. }) {
                return Ok(StreamOpening { answered, stream: None });
            }
            let begin = move |state: &mut WorldState, member| {
                let now = state.now();
                state.engine.begin_stream(&rule, answered, request, member, now)
            };
            let opened = self.ask(move |state| state.open_stream(world, path, encode, begin)).await?;
            return opened.map_err(|error| self.failed(key, error));
        }
        let begin = move |state: &mut WorldState, member| {
            state.settle();
            let (key, request) = (rule, Box::new(request));
            state.engine.apply(Command::Answer { key, crud: None, request, member: Some(member) })
        };
        let opened = self.ask(move |state| state.open_stream(world, path, encode, begin)).await?;
        opened.map_err(|error| self.failed(key, error))
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

impl WorldState {
    fn open_stream(
        &mut self,
        world: World,
        path: Arc<str>,
        encode: Encode,
        begin: impl FnOnce(&mut Self, u64) -> Result<Effects, Refusal>,
    ) -> Result<StreamOpening, WorldError> {
        let (socket, joined) = self.open_of_rules(SocketKind::Stream(path.clone()));
        let opened = begin(self, socket.id);
        let effects = opened.inspect_err(|_| self.shared.sockets.leave(&socket))?;
        let answered = effects.answer.ok_or(WorldError::Defect)?;
        let is_stream = matches!(answered.content, AnsweredContent::Stream { .. });
        if is_stream {
            // What its own rule has it send at once is hit as well.
            self.hit(&socket, joined.position);
            self.shared.journal.record(joined.at, Record::Opened { socket: socket.id, by: OpenedBy::Stream { path } });
        } else {
            self.shared.sockets.leave(&socket);
        }
        self.notify(&effects.events);
        let stream = is_stream.then(|| Subscription::new(world, socket, encode, &joined));
        Ok(StreamOpening { answered, stream })
    }
}
