//! The fan-out: writes published items to their sockets, one after the other.
//!
//! If each socket's own task wrote the items, each delivery would cost a wake-up, about as much as the write itself.
//! Instead, one task makes a pass over the sockets that have joined the topics of the new items. It reads and encodes
//! the items once, and writes them to each socket in one non-blocking call. Items that arrive during a pass go out with
//! the next one, so a busy feed is written in few large writes, and a quiet one without delay. The pass costs about
//! half a microsecond per socket in addition to the write, which costs five.
//!
//! One core cannot write to thousands of sockets within one display frame. Other threads of the runtime then help: each
//! takes the next few sockets until all have received the batch. Order is preserved: only one thread at a time handles
//! a socket, and the next batch waits until all threads are done.
//!
//! If items are for only a few sockets and the fan-out is idle, the world's task writes them itself. Waking the fan-out
//! would cost more.
//!
//! The fan-out serves a socket while the socket's own task has delegated the cursor to it; see
//! [`Subscription`](super::Subscription). A socket that does not accept all bytes is parked: its task reclaims the
//! cursor and waits for the socket without holding up others.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use super::audience::Audience;
use super::delegation::Served;
use super::feed::{Batch, EncodedBatch, MAX_BATCH_ITEMS};
use super::shared_state::Shared;
use super::socket::{FrameSink, Socket};

/// The number of sockets written to before other tasks on the machine get the core. Writing to them takes a third of a
/// millisecond. Yielding costs as much as writing to two sockets.
const SOCKETS_PER_TURN: usize = 64;

/// The number of sockets for which another thread helps. The CPU time stays the same. With 10,000 sockets, help halves
/// the time until the last of them receives an update. With 1,000, the slowest updates arrive 20 % sooner: of two
/// threads, one has a core that it does not share with clients on the same machine.
const SOCKETS_PER_HELPER: usize = 500;

/// The maximum number of sockets that the world's task writes to itself, which takes a tenth of a millisecond.
const MAX_DIRECT_SOCKETS: usize = 16;

/// Ends the world and wakes every socket's task when dropped, however the fan-out ends.
struct EndGuard(Arc<Shared>);

impl Drop for EndGuard {
    fn drop(&mut self) {
        self.0.end.cancel();
        self.0.sockets.wake_all();
    }
}

/// Runs the fan-out. When the future is dropped, the world ends, even if the future was never polled: a world may end
/// right after its first socket has opened, and that socket's task must be woken.
pub(super) fn run(shared: Arc<Shared>) -> impl Future<Output = ()> + Send {
    let end = EndGuard(shared.clone());
    async move {
        let _end = end;
        loop {
            let from = shared.feed.handed_out();
            match Batch::read(&shared.feed, from, MAX_BATCH_ITEMS, u64::MAX) {
                Some(batch) if batch.is_empty() => shared.feed.published().await,
                Some(batch) => pass(&shared, batch).await,
                // The feed was cleared in the meantime, because no socket is open.
                None => {}
            }
        }
    }
}

/// Hands out the items from a position on, if they are for few sockets and nothing before them is left to hand out.
/// Returns whether it did. Only the world's task may call this, because only it publishes. The fan-out may run at the
/// same time: each socket's cursor records what the socket has received.
pub(super) fn hand_out_few(shared: &Arc<Shared>, from: u64) -> bool {
    if shared.feed.handed_out() != from {
        return false;
    }
    let Some(mut batch) = Batch::read(&shared.feed, from, MAX_BATCH_ITEMS, u64::MAX) else { return false };
    let pass = Pass::over(shared.clone(), batch.audiences());
    if batch.to != shared.feed.end() || pass.max_sockets() > MAX_DIRECT_SOCKETS {
        return false;
    }
    let mut sockets = Vec::with_capacity(MAX_DIRECT_SOCKETS);
    while pass.take(&mut sockets) {
        sockets.drain(..).for_each(|socket| serve(shared, &socket, &mut batch));
    }
    note_handed_out(shared, batch.to);
    true
}

/// Notes that everything up to this position is handed out. The sockets come first: the feed may then drop the items.
fn note_handed_out(shared: &Shared, to: u64) {
    shared.sockets.hand_out(to);
    shared.feed.hand_out(to);
}

/// Writes a batch to every delegated socket in its audiences.
async fn pass(shared: &Arc<Shared>, batch: Batch) {
    let (to, pass) = (batch.to, Arc::new(Pass::over(shared.clone(), batch.audiences())));
    // One worker runs this task.
    let free = Handle::current().metrics().num_workers().saturating_sub(1);
    let helpers = (pass.max_sockets() / SOCKETS_PER_HELPER).min(free);
    let mut helper_tasks: JoinSet<()> = (0..helpers).map(|_| pass.clone().write(batch.clone())).collect();
    pass.write(batch).await;
    while let Some(result) = helper_tasks.join_next().await {
        // After a panic, a socket may have missed the batch. The world must not continue with that gap.
        if let Err(panic) = result.map_err(tokio::task::JoinError::try_into_panic)
            && let Ok(panic) = panic
        {
            std::panic::resume_unwind(panic);
        }
    }
    note_handed_out(shared, to);
}

/// A pass over the sockets of some audiences, by one task or by several.
struct Pass {
    shared: Arc<Shared>,
    audiences: Vec<Audience>,
    /// The index of the current audience, and the number of its socket that was taken last.
    place: Mutex<(usize, u64)>,
}

impl Pass {
    fn over<'a>(shared: Arc<Shared>, audiences: impl Iterator<Item = &'a Audience>) -> Self {
        let mut split = Vec::new();
        for audience in audiences {
            match audience {
                Audience::All | Audience::State(_) => {
                    split = vec![Audience::All];
                    break;
                }
                Audience::AnyOf(topics) => split.extend(topics.iter().copied().map(Audience::Topic)),
                other => split.push(other.clone()),
            }
        }
        Self { shared, audiences: split, place: Mutex::new((0, 0)) }
    }

    /// Returns an upper bound for the number of sockets in the pass.
    fn max_sockets(&self) -> usize {
        self.audiences.iter().map(|audience| self.shared.sockets.audience_len(audience)).sum()
    }

    /// Writes a batch to the sockets that no other thread takes.
    async fn write(self: Arc<Self>, mut batch: Batch) {
        self.for_each(|socket| serve(&self.shared, socket, &mut batch)).await;
    }

    /// Takes sockets until none is left, and calls `act` with each. A socket in two audiences may be taken twice.
    async fn for_each(&self, mut act: impl FnMut(&Socket)) {
        let mut sockets = Vec::with_capacity(SOCKETS_PER_TURN);
        while self.take(&mut sockets) {
            let is_full_turn = sockets.len() == SOCKETS_PER_TURN;
            sockets.drain(..).for_each(|socket| act(&socket));
            if !is_full_turn {
                continue;
            }
            // Gives the core to a client on the same machine now. Otherwise, it would wait for milliseconds until the
            // end of this thread's time slice. This lowers the p99 from a POST to the last of 1,000 sockets by a fifth.
            std::thread::yield_now();
            tokio::task::yield_now().await;
        }
    }

    /// Adds the next sockets to an empty list. Returns whether there are any.
    fn take(&self, sockets: &mut Vec<Arc<Socket>>) -> bool {
        let mut place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        while sockets.is_empty()
            && let (index, last) = *place
            && let Some(audience) = self.audiences.get(index)
        {
            self.shared.sockets.after(audience, last, SOCKETS_PER_TURN, sockets);
            let is_last = sockets.len() < SOCKETS_PER_TURN;
            *place = if is_last { (index + 1, 0) } else { (index, sockets.last().map_or(last, |socket| socket.id)) };
        }
        !sockets.is_empty()
    }
}

/// Writes the part of a batch that a socket has not received, if the fan-out owns the socket's cursor.
fn serve(shared: &Shared, socket: &Socket, batch: &mut Batch) {
    let Some(sink) = socket.sink.get() else { return };
    let served = socket.delegation.serve(|cursor| {
        let mut own;
        let encoded = if cursor.position <= batch.from {
            // Earlier passes skipped the socket, because it was in none of their audiences.
            socket.set_written(batch.from);
            batch.encoded_for(cursor, socket)
        } else if cursor.position >= batch.to {
            return None;
        } else {
            // The cursor was delegated in the middle of this batch.
            own = match Batch::read(&shared.feed, cursor.position, usize::MAX, batch.to) {
                Some(own) => own,
                // Unreachable: the feed keeps the items of a batch until the batch is handed out.
                None => return Some(Box::default()),
            };
            own.encoded_for(cursor, socket)
        };
        let pending = write_to(&**sink, encoded);
        if pending.is_none() {
            // Recorded while the cursor is locked: afterwards, the socket's task may advance it.
            shared.sockets.record_written(socket, encoded.messages, cursor.position);
        }
        pending
    });
    match served {
        Served::Parked => socket.wake.notify_one(),
        // The socket's task owns the cursor, waits for its client, and has fallen behind the feed.
        Served::Skipped { is_delegated: false } if socket.is_rule_driven() && !shared.feed.has(socket.written()) => {
            socket.wake.notify_one();
        }
        // If a fault keeps the task from delegating, it is woken once the batch is handed out.
        Served::Done | Served::Skipped { .. } => {}
    }
}

/// Writes as many bytes as a socket accepts, and returns the rest.
fn write_to(sink: &dyn FrameSink, encoded: &EncodedBatch) -> Option<Box<EncodedBatch>> {
    let written = match encoded.bytes.len() {
        0 => 0,
        // The socket's task finds out whether the sink is full or closed.
        _ => sink.write(&encoded.bytes).unwrap_or(0),
    };
    (written < encoded.bytes.len())
        .then(|| Box::new(EncodedBatch { bytes: encoded.bytes.slice(written..), messages: encoded.messages }))
}

/// Writes a ping to every socket whose cursor is delegated, and a heartbeat to every such stream. The tasks of other
/// sockets have something to write, except those that a fault keeps from delegating, which are asked to ping.
pub(super) async fn ping(shared: Arc<Shared>, ping: Bytes, heartbeat: Bytes) {
    let pass = Pass::over(shared, [&Audience::All].into_iter());
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
