//! Writes what is published to all sockets of a world, one after the other.
//!
//! A task for each socket would cost a wake-up for each delivery, about as much as the write itself. Here one task passes
//! over all sockets: it reads the feed once, puts the frames that wait together once, and writes them to each socket in
//! one call, without waiting. What comes during a pass goes out with the next, so that a busy feed is written in few
//! large writes, and a quiet one without delay. The pass costs about half a
//! microsecond a socket beside the write of five.
//!
//! Thousands of sockets are more than one core writes to in the time of a frame on a screen. Then the other threads of the
//! runtime help: each takes the next few sockets, until all have the batch. A socket is in one hand at a time, and the next
//! batch waits for the slowest, so that the order stays.
//!
//! A socket takes part while its own task has lent it to the fan-out; see [`Subscription`](super::Subscription). One
//! that does not take everything goes back to its task, which waits for it without holding up the others.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use super::Shared;
use super::batch::{Batch, Cursor, FRAMES_AT_ONCE, Portion};
use super::socket::Socket;

/// Sockets that are written to before other tasks of the machine get their turn, a third of a millisecond. Each turn costs
/// as much as the writes to two sockets.
const SOCKETS_AT_ONCE: usize = 64;

/// Sockets that are worth another thread. With 10,000, the last of them has an update in half the time; with 1,000, the
/// slowest updates come 20 % sooner, since one of two threads has a core that it does not share with the clients of the same
/// machine. The CPU time is the same.
const SOCKETS_A_HELPER: usize = 500;

/// Where a socket's bytes go. Behind it is a connection; a world knows no network.
pub trait Outlet: fmt::Debug + Send + Sync {
    /// Takes what it can without waiting, and says how many bytes that is.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] if it can take nothing now; anything else if it never will again.
    fn write(&self, bytes: &[u8]) -> io::Result<usize>;
}

/// What the fan-out holds of a socket that is lent to it.
#[derive(Debug)]
pub(super) struct Lent {
    pub(super) cursor: Cursor,
    /// What the socket did not take. While there is some, even if it is empty, the fan-out leaves it alone, and its task
    /// sees to it.
    pub(super) rest: Option<Box<Portion>>,
}

/// However the fan-out ends, its world ends with it, and every socket's task is told to look.
struct Ending(Arc<Shared>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.end.cancel();
        self.0.sockets.tell_all();
    }
}

/// Runs for as long as it is polled.
pub(super) async fn run(shared: Arc<Shared>) {
    let _end = Ending(shared.clone());
    loop {
        let from = shared.feed.handed_out();
        match Batch::read(&shared.feed, from, FRAMES_AT_ONCE, u64::MAX) {
            Some(batch) if batch.is_empty() => shared.feed.published().await,
            Some(batch) => pass(&shared, batch).await,
            // The feed was cleared in between, because there is no socket.
            None => {}
        }
    }
}

/// Writes a batch to every socket that is lent.
async fn pass(shared: &Arc<Shared>, batch: Batch) {
    let (to, pass) = (batch.to, Arc::new(Pass { shared: shared.clone(), last: Mutex::new(0) }));
    // One is this one, and another waits for the network.
    let free = Handle::current().metrics().num_workers().saturating_sub(2);
    let helpers = (shared.sockets.len() / SOCKETS_A_HELPER).min(free);
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
    shared.feed.hand_out(to);
}

/// A way through all sockets, by one task or by several.
struct Pass {
    shared: Arc<Shared>,
    /// The number of the last socket that somebody has taken.
    last: Mutex<u64>,
}

impl Pass {
    async fn write(self: Arc<Self>, mut batch: Batch) {
        self.each(|socket| write(&self.shared, socket, &mut batch)).await;
    }

    /// Does something with every socket that nobody has taken yet, until there are none.
    async fn each(&self, mut act: impl FnMut(&Socket)) {
        let mut sockets = Vec::with_capacity(SOCKETS_AT_ONCE);
        while self.take(&mut sockets) {
            sockets.drain(..).for_each(|socket| act(&socket));
            // Whoever waits for this core, as the clients of the machine do, gets it now and not at the end of the turn, which
            // is milliseconds away. So the longest GET beside 10,000 sockets and a reload takes 3 ms instead of 7.
            std::thread::yield_now();
            tokio::task::yield_now().await;
        }
    }

    /// Takes the next sockets. Says whether there are any.
    fn take(&self, sockets: &mut Vec<Arc<Socket>>) -> bool {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        self.shared.sockets.after(*last, SOCKETS_AT_ONCE, sockets);
        *last = sockets.last().map_or(*last, |socket| socket.id);
        !sockets.is_empty()
    }
}

fn write(shared: &Shared, socket: &Socket, batch: &mut Batch) {
    let mut held = socket.lent();
    let Some(lent) = held.as_mut().filter(|lent| lent.rest.is_none()) else { return leave(socket, held.is_some()) };
    let Some(outlet) = socket.outlet.get() else { return };
    let mut own;
    let portion = if lent.cursor.position == batch.from {
        batch.portion(&mut lent.cursor, socket.id)
    } else {
        // It came in the middle of what is handed out now.
        own = match Batch::read(&shared.feed, lent.cursor.position, usize::MAX, batch.to) {
            Some(own) => own,
            // It cannot be: what is lent is not behind what is handed out, and nothing after that is dropped.
            None => return stick(socket, lent, Portion::default()),
        };
        own.portion(&mut lent.cursor, socket.id)
    };
    if put(socket, lent, &**outlet, portion) {
        // While it is held: its task may be further by then, and a position never goes back.
        shared.sockets.wrote(socket, portion.frames, lent.cursor.position);
    }
}

/// Leaves a socket to its own task, which has to be told of news if a fault hits it: it waits for nothing else then.
fn leave(socket: &Socket, is_lent: bool) {
    if !is_lent && socket.is_faulted() {
        socket.told.notify_one();
    }
}

/// Writes what the socket takes, and leaves the rest to its task. Says whether it took all.
fn put(socket: &Socket, lent: &mut Lent, outlet: &dyn Outlet, portion: &Portion) -> bool {
    let taken = match portion.bytes.len() {
        0 => 0,
        // Whether it is full or gone, its task finds out.
        _ => outlet.write(&portion.bytes).unwrap_or(0),
    };
    let is_all = taken >= portion.bytes.len();
    if !is_all {
        stick(socket, lent, Portion { bytes: portion.bytes.slice(taken..), frames: portion.frames });
    }
    is_all
}

/// Writes a frame that is no event of the world to every socket that is lent; one that is not has something to write already.
pub(super) async fn ping(shared: Arc<Shared>, frame: Bytes) {
    let (pass, portion) = (Pass { shared, last: Mutex::new(0) }, Portion { bytes: frame, frames: 0 });
    pass.each(|socket| {
        let mut held = socket.lent();
        match (held.as_mut(), socket.outlet.get()) {
            (Some(lent), Some(outlet)) if lent.rest.is_none() => {
                put(socket, lent, &**outlet, &portion);
            }
            (None, _) => socket.ask_for_ping(),
            _ => {}
        }
    })
    .await;
}

fn stick(socket: &Socket, lent: &mut Lent, rest: Portion) {
    lent.rest = Some(Box::new(rest));
    socket.told.notify_one();
}

#[cfg(test)]
mod tests;
