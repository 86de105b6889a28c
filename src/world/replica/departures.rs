//! Members of this server that have gone: all servers are told, however long the store takes.

use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::Replica;
use super::log::LogEntry;
use crate::store::StoreError;
use crate::world::shared_state::Shared;

/// How long to wait before the store is asked again after it could not be reached.
const PAUSE: Duration = Duration::from_millis(100);

/// How long the end of a world waits for its members to be closed everywhere. If that fails, the others find out that this
/// server is gone.
const AT_THE_END: Duration = Duration::from_secs(1);

/// The most members of one entry.
const AT_ONCE: usize = 1000;

impl Replica {
    /// Notes that a member of this server has gone.
    pub(in crate::world) fn departs(&self, member: u64) {
        self.departed().push(member);
        self.departure.notify_one();
    }

    fn departed(&self) -> MutexGuard<'_, Vec<u64>> {
        self.departed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells of the members that have gone.
pub(in crate::world) struct Departures {
    replica: Arc<Replica>,
    shared: Arc<Shared>,
}

impl Departures {
    pub(in crate::world) fn new(replica: Arc<Replica>, shared: Arc<Shared>) -> Self {
        Self { replica, shared }
    }

    /// Tells of them until the world ends, and then of those that go with it.
    pub(in crate::world) async fn run(self) {
        let end = self.shared.end.clone();
        end.run_until_cancelled(self.tell_for_ever()).await;
        let _ = timeout(AT_THE_END, self.tell_of_the_last()).await;
    }

    async fn tell_for_ever(&self) {
        loop {
            self.tell().await;
            self.replica.departure.notified().await;
        }
    }

    async fn tell_of_the_last(&self) {
        loop {
            self.tell().await;
            if !self.shared.sockets.all().iter().any(|socket| socket.is_of_rules()) {
                return;
            }
            self.replica.departure.notified().await;
        }
    }

    /// Tells of all that have gone by now. If it is given up, what was not told is still there to be told.
    async fn tell(&self) {
        loop {
            let members: Vec<u64> = self.replica.departed().iter().take(AT_ONCE).copied().collect();
            if members.is_empty() {
                return;
            }
            let (count, at, server) = (members.len(), self.shared.clock.now(), self.replica.sharing.server.clone());
            let (mark, text) = (self.replica.sharing.mark(), LogEntry::Close { at, server, members }.to_text());
            let entry = self.replica.new_entry(&mark, &text, at, None);
            match self.replica.sharing.store.append(&self.shared.name, entry).await {
                // A world without a log has no members either; where it is made anew, it is looked for those that are gone.
                Ok(_) | Err(StoreError::Missing) => drop(self.replica.departed().drain(..count)),
                Err(_) => sleep(PAUSE).await,
            }
        }
    }
}
