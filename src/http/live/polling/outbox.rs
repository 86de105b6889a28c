//! What a session has for its client, until a poll takes it or a WebSocket takes over.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout};

use super::packets::{CLOSE, NOOP};
use super::query::EngineIoError;
use crate::engine::codec::engine_io::payload;
use crate::world::FrameSink;

/// Bytes of packets that may wait. What makes them more is still taken, because a poll is answered with whole packets.
const ROOM: usize = 64 << 10;

/// How long a poll waits while a WebSocket probes: the client goes over to it only after its poll is answered.
const WAIT_WHILE_PROBED: Duration = Duration::from_millis(100);

/// The packets of a session that wait for its client.
#[derive(Debug)]
pub(super) struct Outbox {
    state: Mutex<OutboxState>,
    /// Told when a poll may have something to answer.
    filled: Notify,
    /// Told when a poll is answered, and when the session is at its end.
    taken: Notify,
}

#[derive(Debug)]
struct OutboxState {
    /// Each behind a separator.
    packets: BytesMut,
    phase: Phase,
    /// Whether a poll waits.
    is_polled: bool,
    /// Whether there is a WebSocket that wants to take over.
    is_upgrading: bool,
    /// When the client was heard of last.
    seen: Instant,
}

#[derive(Debug)]
enum Phase {
    Polling,
    /// A WebSocket has probed. With `is_new`, no poll has been answered since.
    Probed {
        is_new: bool,
    },
    /// Packets go into a WebSocket.
    Upgraded(Arc<TcpStream>),
    /// The session is over. `is_told` says whether no poll is to hear of it any more.
    Over {
        end: OutboxEnd,
        is_told: bool,
    },
}

/// How the session ends for the poll that hears of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OutboxEnd {
    /// With what still waits, and a packet that says so.
    Close,
    /// With a packet that says nothing: it is the client who has closed it.
    Noop,
    /// By a connection that is reset.
    Reset,
}

/// What a poll is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Polled {
    /// A payload of packets.
    Packets(Bytes),
    /// Nothing: its connection is reset.
    Reset,
}

impl Outbox {
    pub(super) fn new() -> Self {
        let state = OutboxState {
            packets: BytesMut::new(),
            phase: Phase::Polling,
            is_polled: false,
            is_upgrading: false,
            seen: Instant::now(),
        };
        Self { state: Mutex::new(state), filled: Notify::new(), taken: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, OutboxState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until there is something for the client. If the poll is given up before, the session is over.
    ///
    /// # Errors
    /// [`EngineIoError`] if the session is over, or upgraded. A second poll beside one that waits ends the session for both.
    pub(super) async fn poll(&self) -> Result<Polled, EngineIoError> {
        let mut poll = self.begin_poll()?;
        loop {
            let filled = self.filled.notified();
            let (polled, is_probed) = {
                let mut state = self.lock();
                (state.take(), matches!(state.phase, Phase::Probed { .. }))
            };
            if let Some(polled) = polled {
                poll.is_answered = true;
                return Ok(polled);
            }
            if !is_probed {
                filled.await;
            } else if timeout(WAIT_WHILE_PROBED, filled).await.is_err() {
                poll.is_answered = true;
                return Ok(Polled::noop());
            }
        }
    }

    fn begin_poll(&self) -> Result<Poll<'_>, EngineIoError> {
        let mut state = self.lock();
        match state.phase {
            Phase::Over { is_told: true, .. } => return Err(EngineIoError::UnknownSession),
            Phase::Upgraded(_) => return Err(EngineIoError::BadRequest),
            Phase::Polling | Phase::Probed { .. } | Phase::Over { .. } => {}
        }
        if state.is_polled {
            drop(state);
            self.end(OutboxEnd::Close, false);
            return Err(EngineIoError::BadRequest);
        }
        state.is_polled = true;
        Ok(Poll { outbox: self, is_answered: false })
    }

    /// Ends the session, unless it is over or upgraded. A poll that waits hears of it; if none does, the next one if `lingers`.
    pub(super) fn end(&self, end: OutboxEnd, lingers: bool) {
        let mut state = self.lock();
        if let Phase::Polling | Phase::Probed { .. } = state.phase {
            state.phase = Phase::Over { end, is_told: !lingers && !state.is_polled };
        }
        drop(state);
        self.filled.notify_waiters();
        self.taken.notify_waiters();
    }

    /// The client was heard of.
    ///
    /// # Errors
    /// [`EngineIoError::UnknownSession`] if the session is over, also if its task has not heard of it yet.
    pub(super) fn touch(&self) -> Result<(), EngineIoError> {
        let mut state = self.lock();
        state.seen = Instant::now();
        if let Phase::Over { .. } = state.phase { Err(EngineIoError::UnknownSession) } else { Ok(()) }
    }

    /// Waits until nothing was heard of the client for that long. One that polls is there.
    pub(super) async fn expired(&self, time: Duration) {
        loop {
            let (now, due) = {
                let (state, now) = (self.lock(), Instant::now());
                (now, if state.is_polled { now } else { state.seen } + time)
            };
            if due <= now {
                return;
            }
            sleep_until(due).await;
        }
    }

    /// Waits until there is room.
    pub(super) async fn has_room(&self) {
        self.until(|state| state.packets.len() < ROOM).await;
    }

    /// Waits until the session is over.
    pub(super) async fn over(&self) {
        self.until(|state| matches!(state.phase, Phase::Over { .. })).await;
    }

    /// Waits until the session is over and no poll is to hear of it any more.
    pub(super) async fn told(&self) {
        self.until(|state| matches!(state.phase, Phase::Over { is_told: true, .. })).await;
    }

    async fn until(&self, is_so: impl Fn(&OutboxState) -> bool) {
        loop {
            let taken = self.taken.notified();
            if is_so(&self.lock()) {
                return;
            }
            taken.await;
        }
    }
}

/// The upgrade.
impl Outbox {
    /// Whether a WebSocket may try to take over, which one does at a time.
    pub(super) fn begin_upgrade(&self) -> bool {
        let mut state = self.lock();
        let may = matches!(state.phase, Phase::Polling) && !state.is_upgrading;
        state.is_upgrading |= may;
        may
    }

    /// The WebSocket that wants to take over has probed: polls do not wait for long any more.
    pub(super) fn probed(&self) {
        let mut state = self.lock();
        if let Phase::Polling = state.phase {
            state.phase = Phase::Probed { is_new: true };
        }
        drop(state);
        self.filled.notify_waiters();
    }

    /// The WebSocket that wanted to take over does not, or has.
    pub(super) fn end_upgrade(&self) {
        let mut state = self.lock();
        state.is_upgrading = false;
        if let Phase::Probed { .. } = state.phase {
            state.phase = Phase::Polling;
        }
        drop(state);
        self.filled.notify_waiters();
    }

    /// Has packets go into a WebSocket from now on, and gives those that wait; `None` if the session is over. A poll that waits
    /// gets a packet that says nothing.
    pub(super) fn upgrade(&self, stream: Arc<TcpStream>) -> Option<Bytes> {
        let mut state = self.lock();
        let (Phase::Polling | Phase::Probed { .. }) = state.phase else { return None };
        state.phase = Phase::Upgraded(stream);
        let packets = state.packets.split().freeze();
        drop(state);
        self.filled.notify_waiters();
        Some(packets)
    }
}

impl OutboxState {
    /// What a poll is answered now, if it is.
    fn take(&mut self) -> Option<Polled> {
        match &mut self.phase {
            Phase::Over { end, is_told } => {
                *is_told = true;
                let last = match end {
                    OutboxEnd::Reset => return Some(Polled::Reset),
                    OutboxEnd::Noop => NOOP,
                    OutboxEnd::Close => CLOSE,
                };
                self.packets.extend_from_slice(last);
                Some(Polled::of(&mut self.packets))
            }
            Phase::Upgraded(_) => Some(Polled::noop()),
            Phase::Polling | Phase::Probed { .. } if !self.packets.is_empty() => Some(Polled::of(&mut self.packets)),
            Phase::Probed { is_new } => std::mem::take(is_new).then(Polled::noop),
            Phase::Polling => None,
        }
    }
}

impl Polled {
    fn of(packets: &mut BytesMut) -> Self {
        Self::Packets(payload(packets.split().freeze()))
    }

    fn noop() -> Self {
        Self::Packets(payload(Bytes::from_static(NOOP)))
    }
}

impl FrameSink for Outbox {
    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.lock();
        match &state.phase {
            Phase::Over { .. } => return Err(io::ErrorKind::BrokenPipe.into()),
            Phase::Upgraded(stream) => {
                let stream = stream.clone();
                drop(state);
                return stream.write(bytes);
            }
            Phase::Polling | Phase::Probed { .. } => {}
        }
        if state.packets.len() >= ROOM {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        state.packets.extend_from_slice(bytes);
        drop(state);
        self.filled.notify_waiters();
        Ok(bytes.len())
    }

    fn takes_pings(&self) -> bool {
        matches!(self.lock().phase, Phase::Upgraded(_))
    }
}

/// A poll that waits.
struct Poll<'o> {
    outbox: &'o Outbox,
    is_answered: bool,
}

impl Drop for Poll<'_> {
    fn drop(&mut self) {
        let mut state = self.outbox.lock();
        state.is_polled = false;
        state.seen = Instant::now();
        drop(state);
        if self.is_answered {
            self.outbox.taken.notify_waiters();
        } else {
            // Its client is gone.
            self.outbox.end(OutboxEnd::Close, false);
        }
    }
}

#[cfg(test)]
mod tests;
