//! Writes what is published to the sockets that it is for, one after the other.
//!
//! A task for each socket would cost a wake-up for each delivery, about as much as the write itself. Here one task visits the
//! members of the topics that something was sent to, and skips all other sockets. It reads the feed once, encodes what waits
//! once, and writes it to each socket in one call, without waiting. What comes during a pass goes out with the next, so that
//! a busy feed is written in few large writes, and a quiet one without delay. The pass costs about half a microsecond a
//! socket beside the write of five.
//!
//! Thousands of sockets are more than one core writes to in the time of a frame on a screen. Then the other threads of the
//! runtime help: each takes the next few sockets, until all have the batch. A socket is in one hand at a time, and the next
//! batch waits for the slowest, so that the order stays.
//!
//! What is for a few sockets alone is written by the world's task, if the fan-out has nothing to do: to wake it costs more.
//!
//! A socket takes part while its own task has delegated its cursor; see [`Subscription`](super::Subscription). One that
//! does not take everything is parked: its task reclaims the cursor and waits for the socket without holding up others.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use super::audience::Audience;
use super::delegation::Served;
use super::feed::{Batch, EncodedBatch, MAX_BATCH_ITEMS};
use super::shared_state::Shared;
use super::socket::{FrameSink, Socket};

/// Sockets that are written to before other tasks of the machine get their turn, a third of a millisecond. Each turn costs
/// as much as the writes to two sockets.
const SOCKETS_PER_TURN: usize = 64;

/// Sockets that are worth another thread. With 10,000, the last of them has an update in half the time; with 1,000, the
/// slowest updates come 20 % sooner, since one of two threads has a core that it does not share with the clients of the same
/// machine. The CPU time is the same.
const SOCKETS_A_HELPER: usize = 500;

/// The most sockets that the world's task writes to itself, a tenth of a millisecond.
const FEW_SOCKETS: usize = 16;

/// However the fan-out ends, its world ends with it, and every socket's task is woken.
struct Ending(Arc<Shared>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.end.cancel();
        self.0.sockets.wake_all();
    }
}

/// Runs for as long as it is polled. The world ends with it, also if it was never polled: a world may end right after its
/// first socket has come, and that socket's task waits to be woken.
pub(super) fn run(shared: Arc<Shared>) -> impl Future<Output = ()> + Send {
    let end = Ending(shared.clone());
    async move {
        let _end = end;
        loop {
            let from = shared.feed.handed_out();
            match Batch::read(&shared.feed, from, MAX_BATCH_ITEMS, u64::MAX) {
                Some(batch) if batch.is_empty() => shared.feed.published().await,
                Some(batch) => pass(&shared, batch).await,
                // The feed was cleared in between, because there is no socket.
                None => {}
            }
        }
    }
}

/// Hands out what was published from that position on, if that is all that waits and it is for few sockets; says whether it has.
/// Only the world's task may do so, since only it publishes. The fan-out may come by at the same time: what a socket has got, its
/// cursor says.
pub(super) fn hand_out_few(shared: &Arc<Shared>, from: u64) -> bool {
    if shared.feed.handed_out() != from {
        return false;
    }
    let Some(mut batch) = Batch::read(&shared.feed, from, MAX_BATCH_ITEMS, u64::MAX) else { return false };
    let pass = Pass::over(shared.clone(), batch.audiences().cloned().collect());
    if batch.to != shared.feed.end() || pass.most_sockets() > FEW_SOCKETS {
        return false;
    }
    let mut sockets = Vec::with_capacity(FEW_SOCKETS);
    while pass.take(&mut sockets) {
        sockets.drain(..).for_each(|socket| write(shared, &socket, &mut batch));
    }
    handed_out(shared, batch.to);
    true
}

/// Notes that everything up to that position is handed out.
fn handed_out(shared: &Shared, to: u64) {
    shared.sockets.hand_out(to);
    shared.feed.hand_out(to);
}

/// Writes a batch to every delegated socket that it is for.
async fn pass(shared: &Arc<Shared>, batch: Batch) {
    let (to, pass) = (batch.to, Arc::new(Pass::over(shared.clone(), batch.audiences().cloned().collect())));
    // One is this one, and another waits for the network.
    let free = Handle::current().metrics().num_workers().saturating_sub(2);
    let helpers = (pass.most_sockets() / SOCKETS_A_HELPER).min(free);
    let mut helping: JoinSet<()> = (0..helpers).map(|_| pass.clone().write(batch.clone())).collect();
    pass.write(batch).await;
    while let Some(done) = helping.join_next().await {
        // What one of them has left undone is a hole that no socket may have.
        if let Err(panic) = done.map_err(tokio::task::JoinError::try_into_panic)
            && let Ok(panic) = panic
        {
            std::panic::resume_unwind(panic);
        }
    }
    handed_out(shared, to);
}

/// The audiences that have an index, of one.
fn by_topic(audience: Audience) -> Vec<Audience> {
    match audience {
        Audience::AnyOf(topics) => topics.iter().copied().map(Audience::Topic).collect(),
        other => vec![other],
    }
}

/// A way through the sockets of some audiences, by one task or by several.
struct Pass {
    shared: Arc<Shared>,
    audiences: Vec<Audience>,
    /// The audience that is gone through, and the number of the last of its sockets that somebody has taken.
    place: Mutex<(usize, u64)>,
}

impl Pass {
    fn over(shared: Arc<Shared>, audiences: Vec<Audience>) -> Self {
        let has_all = audiences.iter().any(|audience| matches!(audience, Audience::All | Audience::State(_)));
        let audiences = if has_all { vec![Audience::All] } else { audiences.into_iter().flat_map(by_topic).collect() };
        Self { shared, audiences, place: Mutex::new((0, 0)) }
    }

    /// How many sockets it goes through, at most.
    fn most_sockets(&self) -> usize {
        self.audiences.iter().map(|audience| self.shared.sockets.audience_len(audience)).sum()
    }

    async fn write(self: Arc<Self>, mut batch: Batch) {
        self.each(|socket| write(&self.shared, socket, &mut batch)).await;
    }

    /// Does something with every socket that nobody has taken yet, until there are none; twice with one that is in two
    /// audiences.
    async fn each(&self, mut act: impl FnMut(&Socket)) {
        let mut sockets = Vec::with_capacity(SOCKETS_PER_TURN);
        while self.take(&mut sockets) {
            let is_full_turn = sockets.len() == SOCKETS_PER_TURN;
            sockets.drain(..).for_each(|socket| act(&socket));
            if !is_full_turn {
                continue;
            }
            // A client on the same machine gets the core now and not at the end of this thread's turn, milliseconds away: with
            // it, p99 from a POST to the last of 1,000 sockets is a fifth lower.
            std::thread::yield_now();
            tokio::task::yield_now().await;
        }
    }

    /// Takes the next sockets. Says whether there are any.
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
            // What was handed out before without coming by was not for it.
            socket.set_written(batch.from);
            batch.encoded_for(cursor, socket)
        } else if cursor.position >= batch.to {
            return None;
        } else {
            // It came in the middle of what is handed out now.
            own = match Batch::read(&shared.feed, cursor.position, usize::MAX, batch.to) {
                Some(own) => own,
                // It cannot be: nothing from the start of this batch on is dropped yet.
                None => return Some(Box::default()),
            };
            own.encoded_for(cursor, socket)
        };
        let pending = put(&**sink, encoded);
        if pending.is_none() {
            // While the cursor is here: the task may be further by then, and a position never goes back.
            shared.sockets.wrote(socket, encoded.messages, cursor.position);
        }
        pending
    });
    match served {
        Served::Parked => socket.wake.notify_one(),
        // It waits for its client, and is too late for what comes next.
        Served::Skipped { is_delegated: false } if socket.is_of_rules() && !shared.feed.has(socket.written()) => {
            socket.wake.notify_one();
        }
        // A task that a fault keeps from delegating is woken after the pass.
        Served::Done | Served::Skipped { .. } => {}
    }
}

/// Writes what a socket takes, and gives the rest.
fn put(sink: &dyn FrameSink, encoded: &EncodedBatch) -> Option<Box<EncodedBatch>> {
    let taken = match encoded.bytes.len() {
        0 => 0,
        // Whether it is full or gone, its task finds out.
        _ => sink.write(&encoded.bytes).unwrap_or(0),
    };
    let is_all = taken >= encoded.bytes.len();
    let rest = || EncodedBatch { bytes: encoded.bytes.slice(taken..), messages: encoded.messages };
    (!is_all).then(|| Box::new(rest()))
}

/// Writes a ping to every socket whose cursor is delegated, and a heartbeat to every such stream; the task of any other has
/// something to write already.
pub(super) async fn ping(shared: Arc<Shared>, ping: Bytes, heartbeat: Bytes) {
    let pass = Pass::over(shared, vec![Audience::All]);
    let (ping, heartbeat) = (EncodedBatch { bytes: ping, messages: 0 }, EncodedBatch { bytes: heartbeat, messages: 0 });
    pass.each(|socket| {
        let Some(sink) = socket.sink.get().filter(|sink| sink.takes_pings()) else { return };
        let encoded = if socket.is_stream() { &heartbeat } else { &ping };
        match socket.delegation.serve(|_| put(&**sink, encoded)) {
            Served::Done | Served::Skipped { is_delegated: true } => {}
            Served::Parked => socket.wake.notify_one(),
            Served::Skipped { is_delegated: false } => socket.ask_for_ping(),
        }
    })
    .await;
}

#[cfg(test)]
mod tests;
