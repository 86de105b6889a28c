//! Members of rules, sockets of endpoints and streams: how they open. Each has a place of its own in the feed.
//!
//! Opening one is one step of the world's task: what its rule has it join holds from there on, so that what it begins with and
//! what follows neither miss nor double anything.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::World;
use super::error::WorldError;
use super::journal::{OpenedBy, Record};
use super::message::Encode;
use super::socket::SocketKind;
use super::state::WorldState;
use super::subscription::Subscription;
use crate::engine::codec::SessionOptions;
use crate::engine::{Answered, AnsweredContent, Command, Effects, RuleRequest};

/// What a client asks for by which it becomes a member, as data: every server that plays the world carries it out.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum MemberRequest {
    /// A socket of the endpoint of that key.
    Socket {
        endpoint: Arc<str>,
        request: Box<RuleRequest>,
        /// Whether the client polls by HTTP, and may go over to WebSocket.
        polling: bool,
        /// The most bytes that the client may send at once.
        max_payload: usize,
    },
    /// What the route of that key answers, if that is a stream.
    Stream { key: Arc<str>, request: Box<RuleRequest> },
}

/// What is known of a member on the server that its client is connected to.
pub(super) struct LocalMember {
    pub(super) world: World,
    pub(super) kind: SocketKind,
    pub(super) encode: Encode,
}

/// What came of a request to become a member.
pub(super) struct OpenedMember {
    /// What it is to get; `None` if the route has answered with something else.
    pub(super) feed: Option<Subscription>,
    /// What the route has answered.
    pub(super) answered: Option<Answered>,
    /// The id of its session, for protocols that have one: each socket of a world has another.
    pub(super) sid: String,
}

impl World {
    /// Opens a member here, in the sight of all servers that play the world.
    pub(super) async fn open_member(
        &self,
        kind: SocketKind,
        encode: Encode,
        request: MemberRequest,
    ) -> Result<OpenedMember, WorldError> {
        let local = LocalMember { world: self.clone(), kind, encode };
        #[cfg(feature = "redis")]
        if let Some(replica) = &self.0.replica {
            let _in_use = self.in_use();
            return replica.open(local, request, self.now()).await;
        }
        self.ask(move |state| state.open_member(local, request, None)).await?
    }
}

impl WorldState {
    /// Opens a member of this server, under a number that others know it by as well if there are any.
    pub(super) fn open_member(
        &mut self,
        local: LocalMember,
        request: MemberRequest,
        number: Option<u64>,
    ) -> Result<OpenedMember, WorldError> {
        let LocalMember { world, kind, encode } = local;
        let (socket, joined) = self.open_of_rules(kind.clone(), number);
        let opened = self.apply_opening(request, socket.id);
        let effects = opened.inspect_err(|_| self.shared.sockets.leave(&socket))?;
        let is_open = is_open(&effects);
        if is_open {
            // What its own rule has it send at once is hit as well.
            self.hit(&socket, joined.position);
            let by = match kind {
                SocketKind::Stream(path) => OpenedBy::Stream { path },
                SocketKind::Endpoint(path) => {
                    let endpoint = self.engine.endpoint_of(socket.id).unwrap_or(&path).clone();
                    OpenedBy::Socket { path, endpoint }
                }
                SocketKind::Collection => OpenedBy::Collection(socket.collection()),
            };
            self.shared.journal.record(joined.at, Record::Opened { socket: socket.id, by });
        } else {
            self.shared.sockets.leave(&socket);
        }
        self.notify(&effects.events);
        let sid = self.session_id(socket.id);
        let feed = is_open.then(|| Subscription::new(world, socket, encode, &joined));
        Ok(OpenedMember { feed, answered: effects.answer, sid })
    }

    /// Has the engine open a member. Nobody has heard of what happened by that yet.
    pub(super) fn apply_opening(&mut self, request: MemberRequest, member: u64) -> Result<Effects, WorldError> {
        self.settle();
        let command = match request {
            MemberRequest::Socket { endpoint, request, polling, max_payload } => {
                let options = SessionOptions { sid: self.session_id(member), polling, max_payload };
                Command::Open { member, endpoint, request, options }
            }
            MemberRequest::Stream { key, request } => {
                Command::Answer { key, crud: None, request, member: Some(member) }
            }
        };
        Ok(self.engine.apply(command)?)
    }

    /// Has a member that is gone leave everything, and its endpoint hear of it.
    pub(super) fn close_member(&mut self, member: u64) {
        self.settle();
        // It is not refused: what its rule meets is told of it alone.
        let effects = self.engine.apply(Command::Close { member }).unwrap_or_default();
        self.notify(&effects.events);
    }

    fn session_id(&self, member: u64) -> String {
        format!("{}-{}-{member}", self.shared.name, self.epoch)
    }
}

/// Whether a request to become a member has made one.
pub(super) fn is_open(effects: &Effects) -> bool {
    effects.answer.as_ref().is_none_or(|answered| answered.content == AnsweredContent::Stream)
}
