//! The packets that a session has for its client, until a poll takes them or a WebSocket takes over.

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

/// The number of pending bytes at which the outbox is full. The write that reaches it is still accepted whole, because
/// a poll is answered with whole packets.
const CAPACITY: usize = 64 << 10;

/// How long a poll waits while a WebSocket probes. The client switches to the WebSocket only after its poll is
/// answered.
const PROBED_POLL_TIMEOUT: Duration = Duration::from_millis(100);

/// The pending packets of a session.
#[derive(Debug)]
pub(super) struct Outbox {
    state: Mutex<OutboxState>,
    /// Notified when there may be an answer for a poll.
    filled: Notify,
    /// Notified when a poll is answered, and when the session ends.
    taken: Notify,
}

#[derive(Debug)]
struct OutboxState {
    /// The pending packets, each preceded by a separator.
    packets: BytesMut,
    phase: Phase,
    /// Whether a poll is waiting.
    is_polled: bool,
    /// Whether a WebSocket is trying to take over.
    is_upgrading: bool,
    /// When the client last polled or posted.
    last_seen: Instant,
}

#[derive(Debug)]
enum Phase {
    Polling,
    /// A WebSocket has probed. If `is_new`, no poll has been answered since.
    Probed {
        is_new: bool,
    },
    /// Packets go into a WebSocket.
    Upgraded(Arc<TcpStream>),
    /// The session is over. If `is_reported`, no further poll reports the end.
    Over {
        end: OutboxEnd,
        is_reported: bool,
    },
}

/// How a poll reports the end of the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OutboxEnd {
    /// With a close packet.
    Close,
    /// With a noop packet, because the client closed the session itself.
    Noop,
    /// As if the session had never existed, because the client is to open another one. Some clients never reconnect
    /// after a close packet.
    Lost,
    /// By resetting the connection.
    Reset,
}

impl Phase {
    fn is_reset(&self) -> bool {
        matches!(self, Self::Over { end: OutboxEnd::Reset, .. })
    }
}

/// The answer to a poll.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Polled {
    /// A payload of packets.
    Packets(Bytes),
    /// None: the connection is reset.
    Reset,
}

impl Outbox {
    pub(super) fn new() -> Self {
        let state = OutboxState {
            packets: BytesMut::new(),
            phase: Phase::Polling,
            is_polled: false,
            is_upgrading: false,
            last_seen: Instant::now(),
        };
        Self { state: Mutex::new(state), filled: Notify::new(), taken: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, OutboxState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until there are packets for the client. A poll that is cancelled before then ends the session.
    ///
    /// # Errors
    /// [`EngineIoError`] if the session is over, lost or upgraded, or if another poll is waiting. The latter ends the
    /// session for both.
    pub(super) async fn poll(&self) -> Result<Polled, EngineIoError> {
        let mut poll = self.start_poll()?;
        loop {
            let filled = self.filled.notified();
            let (polled, is_probed) = {
                let mut state = self.lock();
                (state.take(), matches!(state.phase, Phase::Probed { .. }))
            };
            if let Some(polled) = polled {
                poll.is_answered = true;
                return polled;
            }
            if !is_probed {
                filled.await;
            } else if timeout(PROBED_POLL_TIMEOUT, filled).await.is_err() {
                poll.is_answered = true;
                return Ok(Polled::noop());
            }
        }
    }

    fn start_poll(&self) -> Result<Poll<'_>, EngineIoError> {
        let mut state = self.lock();
        match state.phase {
            Phase::Over { is_reported: true, .. } => return Err(EngineIoError::UnknownSession),
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

    /// Ends the session, unless it is over or upgraded. A waiting poll reports the end; if none is waiting and
    /// `lingers` is set, the next poll does.
    pub(super) fn end(&self, end: OutboxEnd, lingers: bool) {
        let mut state = self.lock();
        if let Phase::Polling | Phase::Probed { .. } = state.phase {
            state.phase = Phase::Over { end, is_reported: !lingers && !state.is_polled };
        }
        drop(state);
        self.filled.notify_waiters();
        self.taken.notify_waiters();
    }

    /// Records that the client is alive.
    ///
    /// # Errors
    /// [`EngineIoError::UnknownSession`] if the session is over, even if its task has not noticed yet.
    pub(super) fn touch(&self) -> Result<(), EngineIoError> {
        let mut state = self.lock();
        state.last_seen = Instant::now();
        if let Phase::Over { .. } = state.phase { Err(EngineIoError::UnknownSession) } else { Ok(()) }
    }

    /// Waits until the client has neither polled nor posted for `time`. A client whose poll is waiting is alive.
    pub(super) async fn expired(&self, time: Duration) {
        loop {
            let (now, due) = {
                let (state, now) = (self.lock(), Instant::now());
                (now, if state.is_polled { now } else { state.last_seen } + time)
            };
            if due <= now {
                return;
            }
            sleep_until(due).await;
        }
    }

    /// Waits until the outbox is not full.
    pub(super) async fn has_room(&self) {
        self.until(|state| state.packets.len() < CAPACITY).await;
    }

    /// Waits until the session is over.
    pub(super) async fn over(&self) {
        self.until(|state| matches!(state.phase, Phase::Over { .. })).await;
    }

    /// Waits until the session is over and no further poll reports the end.
    pub(super) async fn end_reported(&self) {
        self.until(|state| matches!(state.phase, Phase::Over { is_reported: true, .. })).await;
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

/// The upgrade to a WebSocket.
impl Outbox {
    /// Starts the attempt of a WebSocket to take over. Returns `false` if it may not, such as during another attempt.
    pub(super) fn start_upgrade(&self) -> bool {
        let mut state = self.lock();
        let is_allowed = matches!(state.phase, Phase::Polling) && !state.is_upgrading;
        state.is_upgrading |= is_allowed;
        is_allowed
    }

    /// Records that the WebSocket has probed, so that polls no longer wait for long.
    pub(super) fn probed(&self) {
        let mut state = self.lock();
        if let Phase::Polling = state.phase {
            state.phase = Phase::Probed { is_new: true };
        }
        drop(state);
        self.filled.notify_waiters();
    }

    /// Ends the attempt of a WebSocket to take over, whether or not it succeeded.
    pub(super) fn end_upgrade(&self) {
        let mut state = self.lock();
        state.is_upgrading = false;
        if let Phase::Probed { .. } = state.phase {
            state.phase = Phase::Polling;
        }
        drop(state);
        self.filled.notify_waiters();
    }

    /// Writes packets into a WebSocket from now on, and returns the pending ones; `None` if the session is over. A
    /// waiting poll is answered with a noop packet.
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
    /// Returns the answer to a poll; `None` if the poll has to wait.
    fn take(&mut self) -> Option<Result<Polled, EngineIoError>> {
        match &mut self.phase {
            Phase::Upgraded(_) => Some(Ok(Polled::noop())),
            // The end of a session comes in an answer of its own: the client handles a close packet at once, but other
            // packets only after it has read the whole payload.
            phase if !self.packets.is_empty() && !phase.is_reset() => {
                Some(Ok(Polled::Packets(payload(self.packets.split().freeze()))))
            }
            Phase::Over { end, is_reported } => {
                *is_reported = true;
                Some(match end {
                    OutboxEnd::Reset => Ok(Polled::Reset),
                    OutboxEnd::Noop => Ok(Polled::noop()),
                    OutboxEnd::Close => Ok(Polled::one(CLOSE)),
                    OutboxEnd::Lost => Err(EngineIoError::UnknownSession),
                })
            }
            Phase::Probed { is_new } => std::mem::take(is_new).then(|| Ok(Polled::noop())),
            Phase::Polling => None,
        }
    }
}

impl Polled {
    fn one(packet: &'static [u8]) -> Self {
        Self::Packets(payload(Bytes::from_static(packet)))
    }

    fn noop() -> Self {
        Self::one(NOOP)
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
        if state.packets.len() >= CAPACITY {
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

/// A waiting poll.
struct Poll<'o> {
    outbox: &'o Outbox,
    is_answered: bool,
}

impl Drop for Poll<'_> {
    fn drop(&mut self) {
        let mut state = self.outbox.lock();
        state.is_polled = false;
        state.last_seen = Instant::now();
        drop(state);
        if self.is_answered {
            self.outbox.taken.notify_waiters();
        } else {
            // The client is gone.
            self.outbox.end(OutboxEnd::Close, false);
        }
    }
}

#[cfg(test)]
mod tests;
