//! Sockets that are waited for, and how long.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

use super::socket::Socket;

/// How long a socket may write nothing before it is not waited for.
const PATIENCE: Duration = Duration::from_secs(1);

/// Where sockets that lag were seen last, and since when they stand there.
#[derive(Debug, Default)]
pub(super) struct Stalls(HashMap<u64, (u64, Instant)>);

impl Stalls {
    /// Whether there is something to wait for; remembers where it is, if so.
    pub(super) fn is_lagging(&mut self, socket: &Socket, position: u64) -> bool {
        let written = socket.position.load(Ordering::SeqCst);
        if !socket.is_behind(position) || socket.gone.load(Ordering::SeqCst) || socket.is_frozen() {
            self.0.remove(&socket.id);
            return false;
        }
        let seen = self.0.entry(socket.id).or_insert_with(|| (written, Instant::now()));
        if seen.0 != written {
            *seen = (written, Instant::now());
        }
        true
    }

    /// Forgets about sockets that are not open any more.
    pub(super) fn keep_only(&mut self, sockets: &[Arc<Socket>]) {
        if !self.0.is_empty() {
            let open: HashSet<u64> = sockets.iter().map(|socket| socket.id).collect();
            self.0.retain(|id, _| open.contains(id));
        }
    }

    /// Until when to wait for it; `None` if it stands still for too long already.
    pub(super) fn give_up(&self, socket: &Socket) -> Option<Instant> {
        let (_, since) = self.0.get(&socket.id)?;
        Some(*since + PATIENCE).filter(|give_up| *give_up > Instant::now())
    }
}
