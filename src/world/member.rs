//! How rule-driven members open: sockets of endpoints, and streams. Each has its own position in the feed.
//!
//! Opening a member is one step of the world's task. The memberships that its rule sets up hold from that step on, so
//! its first messages and the items that follow have no gap and no overlap.

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

/// A client's request to become a member, as data, so that every server of a shared world can carry it out.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum MemberRequest {
    /// A socket of the endpoint with this key.
    Socket {
        endpoint: Arc<str>,
        request: Box<RuleRequest>,
        /// Whether the client polls over HTTP and may upgrade to WebSocket.
        polling: bool,
        /// The maximum number of bytes that the client may send at once.
        max_payload: usize,
    },
    /// A request to the route with this key, which may answer with a stream.
    Stream { key: Arc<str>, request: Box<RuleRequest> },
}

/// The part of a member that only the server of its client holds.
pub(super) struct LocalMember {
    pub(super) world: World,
    pub(super) kind: SocketKind,
    pub(super) encode: Encode,
}

/// The result of a [`MemberRequest`].
pub(super) struct OpenedMember {
    /// The member's subscription; `None` if the route answered with something other than a stream.
    pub(super) feed: Option<Subscription>,
    /// The route's answer.
    pub(super) answered: Option<Answered>,
    /// The session id, for protocols that have one; unique within a world.
    pub(super) sid: String,
}

impl World {
    /// Opens a member on this server. In a shared world, all other servers see it.
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
    /// Opens a member of this server. `number` is its number in a shared world.
    pub(super) fn open_member(
        &mut self,
        local: LocalMember,
        request: MemberRequest,
        number: Option<u64>,
    ) -> Result<OpenedMember, WorldError> {
        let LocalMember { world, kind, encode } = local;
        let (socket, joined) = self.open_rule_driven(kind.clone(), number);
        let opened = self.apply_opening(request, socket.id);
        let effects = opened.inspect_err(|_| self.shared.sockets.leave(&socket))?;
        let is_open = is_open(&effects);
        if is_open {
            // The frames that its own rule sends at once meet the faults too.
            self.hit(&socket, joined.position);
            let by = match kind {
                SocketKind::Stream(path) => OpenedBy::Stream { path },
                SocketKind::Endpoint { path, endpoint } => OpenedBy::Socket { path, endpoint },
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

    /// Opens a member in the engine. The resulting events have not been published yet.
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

    /// Removes a member whose connection has ended. If a socket was open until then, its endpoint's rules run.
    pub(super) fn close_member(&mut self, member: u64) {
        self.settle();
        // The command is not refused: a failure of the rule is reported for this member alone.
        let effects = self.engine.apply(Command::Close { member }).unwrap_or_default();
        self.notify(&effects.events);
    }

    fn session_id(&self, member: u64) -> String {
        format!("{}-{}-{member}", self.shared.name, self.epoch)
    }
}

/// Returns whether a request has opened a member.
pub(super) fn is_open(effects: &Effects) -> bool {
    effects.answer.as_ref().is_none_or(|answered| answered.content == AnsweredContent::Stream)
}
