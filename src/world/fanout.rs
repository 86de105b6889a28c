//! The fan-out: writes published items to their sockets, one after the other.
//!
//! A task per socket would cost a wake-up for each delivery, about as much as the write itself. Instead, one task
//! visits the members of the topics with new messages, and skips all other sockets. It reads the feed once, encodes the
//! new items once, and writes them to each socket in one non-blocking call. Items that arrive during a pass go out with
//! the next one, so a busy feed is written in few large writes, and a quiet one without delay. The pass costs about
//! half a microsecond per socket in addition to the write, which costs five.
//!
//! One core cannot write to thousands of sockets within one display frame. The runtime's other threads then help:
//! each takes the next few sockets until all have received the batch. Only one thread at a time handles a socket, and
//! the next batch waits for the slowest thread, so the order is preserved.
//!
//! Messages for only a few sockets are written by the world's task if the fan-out is idle: waking it would cost more.
//!
//! A socket takes part while its own task has delegated its cursor; see [`Subscription`](super::Subscription). A socket
//! that does not accept all bytes is parked: its task reclaims the cursor and waits for the socket without holding up
//! others.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use super::audience::Audience;
use super::delegation::Served;
use super::feed::{Batch, EncodedBatch, MAX_BATCH_ITEMS};
use super::shared_state::Shared;
use super::socket::{FrameSink, Socket};

/// The number of sockets written to before other tasks on the machine get their turn, a third of a millisecond. Each
/// turn costs as much as the writes to two sockets.
const SOCKETS_PER_TURN: usize = 64;

/// The number of sockets that justifies another thread. With 10,000 sockets, the last of them receives an update in
/// half the time; with 1,000, the slowest updates arrive 20 % sooner, because one of two threads has a core that it
/// does not share with clients on the same machine. The CPU time is the same.
const SOCKETS_PER_HELPER: usize = 500;

/// The maximum number of sockets that the world's task writes to itself, a tenth of a millisecond.
const MAX_DIRECT_SOCKETS: usize = 16;

/// Ends the world and wakes every socket's task, however the fan-out ends.
struct EndGuard(Arc<Shared>);

impl Drop for EndGuard {
    fn drop(&mut self) {
        self.0.end.cancel();
        self.0.sockets.wake_all();
    }
}

/// Runs the fan-out for as long as it is polled. The world ends with it, even if it was never polled: a world may end
/// right after its first socket has opened, and that socket's task waits to be woken.
pub(super) fn run(shared: Arc<Shared>) -> impl Future<Output = ()> + Send {
    let end = EndGuard(shared.clone());
    async move {
        let _end = end;
        loop {
            let from = shared.feed.handed_out();
            match Batch::read(&shared.feed, from, MAX_BATCH_ITEMS, u64::MAX) {
                Some(batch) if batch.is_empty() => shared.feed.published().await,
                Some(batch) => pass(&shared, batch).await,
                // The feed was cleared in the meantime, because there is no socket.
                None => {}
            }
        }
    }
}

/// Hands out the items published from this position on if nothing else waits and they are for few sockets. Returns
/// whether it did. Only the world's task may call this, because only it publishes. The fan-out may run at the same
/// time: each socket's cursor tells what the socket has received.
pub(super) fn hand_out_few(shared: &Arc<Shared>, from: u64) -> bool {
    if shared.feed.handed_out() != from {
        return false;
    }
    let Some(mut batch) = Batch::read(&shared.feed, from, MAX_BATCH_ITEMS, u64::MAX) else { return false };
    let pass = Pass::over(shared.clone(), batch.audiences().cloned().collect());
    if batch.to != shared.feed.end() || pass.max_sockets() > MAX_DIRECT_SOCKETS {
        return false;
    }
    let mut sockets = Vec::with_capacity(MAX_DIRECT_SOCKETS);
    while pass.take(&mut sockets) {
        sockets.drain(..).for_each(|socket| write(shared, &socket, &mut batch));
    }
    note_handed_out(shared, batch.to);
    true
}

/// Notes that everything up to this position is handed out.
fn note_handed_out(shared: &Shared, to: u64) {
    shared.sockets.hand_out(to);
    shared.feed.hand_out(to);
}

/// Writes a batch to every delegated socket in its audiences.
async fn pass(shared: &Arc<Shared>, batch: Batch) {
    let (to, pass) = (batch.to, Arc::new(Pass::over(shared.clone(), batch.audiences().cloned().collect())));
    // One worker runs this task, and another waits for the network.
    let free = Handle::current().metrics().num_workers().saturating_sub(2);
    let helpers = (pass.max_sockets() / SOCKETS_PER_HELPER).min(free);
    let mut helping: JoinSet<()> = (0..helpers).map(|_| pass.clone().write(batch.clone())).collect();
    pass.write(batch).await;
    while let Some(done) = helping.join_next().await {
        // A helper that panicked leaves a gap, which no socket may have.
        if let Err(panic) = done.map_err(tokio::task::JoinError::try_into_panic)
            && let Ok(panic) = panic
        {
            std::panic::resume_unwind(panic);
        }
    }
    note_handed_out(shared, to);
}

/// Splits an audience into those that have an index.
fn by_topic(audience: Audience) -> Vec<Audience> {
    match audience {
        Audience::AnyOf(topics) => topics.iter().copied().map(Audience::Topic).collect(),
        other => vec![other],
    }
}

/// A pass over the sockets of some audiences, by one task or by several.
struct Pass {
    shared: Arc<Shared>,
    audiences: Vec<Audience>,
    /// The index of the current audience, and the number of the last of its sockets taken.
    place: Mutex<(usize, u64)>,
}

impl Pass {
    fn over(shared: Arc<Shared>, audiences: Vec<Audience>) -> Self {
        let has_all = audiences.iter().any(|audience| matches!(audience, Audience::All | Audience::State(_)));
        let audiences = if has_all { vec![Audience::All] } else { audiences.into_iter().flat_map(by_topic).collect() };
        Self { shared, audiences, place: Mutex::new((0, 0)) }
    }

    /// Returns the maximum number of sockets in the pass.
    fn max_sockets(&self) -> usize {
        self.audiences.iter().map(|audience| self.shared.sockets.audience_len(audience)).sum()
    }

    async fn write(self: Arc<Self>, mut batch: Batch) {
        self.for_each(|socket| write(&self.shared, socket, &mut batch)).await;
    }

    /// Calls a function with every socket that is not taken yet, until none is left; twice for a socket in two
    /// audiences.
    async fn for_each(&self, mut act: impl FnMut(&Socket)) {
        let mut sockets = Vec::with_capacity(SOCKETS_PER_TURN);
        while self.take(&mut sockets) {
            let is_full_turn = sockets.len() == SOCKETS_PER_TURN;
            sockets.drain(..).for_each(|socket| act(&socket));
            if !is_full_turn {
                continue;
            }
            // Gives the core to a client on the same machine now rather than at the end of this thread's turn,
            // milliseconds away. This lowers the p99 from a POST to the last of 1,000 sockets by a fifth.
            std::thread::yield_now();
            tokio::task::yield_now().await;
        }
    }

    /// Takes the next sockets. Returns whether there are any.
    fn take(&self, sockets: &mut Vec<Arc<Socket>>) -> bool {
        let mut place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        let (index, last) = &mut *place;
        while let Some(audience) = self.audiences.get(*index) {
            self.shared.sockets.after(audience, *last, SOCKETS_PER_TURN, sockets);
            if let Some(socket) = sockets.last() {
                *last = socket.id;
                return true;
            }
            (*index, *last) = (*index + 1, 0);
        }
        false
    }
}

fn write(shared: &Shared, socket: &Socket, batch: &mut Batch) {
    let Some(sink) = socket.sink.get() else { return };
    let served = socket.delegation.serve(|cursor| {
        let mut own;
        let encoded = if cursor.position <= batch.from {
            // The pass skipped the socket before because it was in no audience.
            socket.set_written(batch.from);
            batch.encoded_for(cursor, socket)
        } else if cursor.position >= batch.to {
            return None;
        } else {
            // The cursor was delegated in the middle of this batch.
            own = match Batch::read(&shared.feed, cursor.position, usize::MAX, batch.to) {
                Some(own) => own,
                // Unreachable: nothing from the start of this batch on is dropped yet.
                None => return Some(Box::default()),
            };
            own.encoded_for(cursor, socket)
        };
        let pending = write_to(&**sink, encoded);
        if pending.is_none() {
            // While the cursor is held: the task may advance it afterwards, and a position never goes back.
            shared.sockets.record_written(socket, encoded.messages, cursor.position);
        }
        pending
    });
    match served {
        Served::Parked => socket.wake.notify_one(),
        // The socket's task waits for its client and has fallen behind the feed.
        Served::Skipped { is_delegated: false } if socket.is_rule_driven() && !shared.feed.has(socket.written()) => {
            socket.wake.notify_one();
        }
        // A task that a fault keeps from delegating is woken after the pass.
        Served::Done | Served::Skipped { .. } => {}
    }
}

/// Writes as many bytes as a socket accepts, and returns the rest.
fn write_to(sink: &dyn FrameSink, encoded: &EncodedBatch) -> Option<Box<EncodedBatch>> {
    let taken = match encoded.bytes.len() {
        0 => 0,
        // The socket's task finds out whether the sink is full or closed.
        _ => sink.write(&encoded.bytes).unwrap_or(0),
    };
    let is_all = taken >= encoded.bytes.len();
    let rest = || EncodedBatch { bytes: encoded.bytes.slice(taken..), messages: encoded.messages };
    (!is_all).then(|| Box::new(rest()))
}

/// Writes a ping to every socket with a delegated cursor, and a heartbeat to every such stream. The tasks of other
/// sockets already have something to write.
pub(super) async fn ping(shared: Arc<Shared>, ping: Bytes, heartbeat: Bytes) {
    let pass = Pass::over(shared, vec![Audience::All]);
    let (ping, heartbeat) = (EncodedBatch { bytes: ping, messages: 0 }, EncodedBatch { bytes: heartbeat, messages: 0 });
    pass.for_each(|socket| {
        let Some(sink) = socket.sink.get().filter(|sink| sink.takes_pings()) else { return };
        let encoded = if socket.is_stream() { &heartbeat } else { &ping };
        match socket.delegation.serve(|_| write_to(&**sink, encoded)) {
            Served::Done | Served::Skipped { is_delegated: true } => {}
            Served::Parked => socket.wake.notify_one(),
            Served::Skipped { is_delegated: false } => socket.ask_for_ping(),
        }
    })
    .await;
}

#[cfg(test)]
mod tests;
