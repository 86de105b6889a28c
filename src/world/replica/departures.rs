//! Departures: announces to all servers that members of this one have gone, however long the store takes.

use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::Replica;
use super::log::LogEntry;
use crate::store::StoreError;
use crate::world::shared_state::Shared;

/// The delay before the next attempt when the store cannot be reached.
const RETRY_DELAY: Duration = Duration::from_millis(100);

/// How long the end of a world waits for its members to be closed everywhere. If that fails, the other servers notice
/// that this one is gone.
const END_TIMEOUT: Duration = Duration::from_secs(1);

/// The maximum number of members per entry.
const MAX_PER_ENTRY: usize = 1000;

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

/// Announces departures.
pub(in crate::world) struct Departures {
    replica: Arc<Replica>,
    shared: Arc<Shared>,
}

impl Departures {
    pub(in crate::world) fn new(replica: Arc<Replica>, shared: Arc<Shared>) -> Self {
        Self { replica, shared }
    }

    /// Announces departures until the world ends, and then the last members, which go with the world.
    pub(in crate::world) async fn run(self) {
        let end = self.shared.end.clone();
        end.run_until_cancelled(self.announce_all()).await;
        let _ = timeout(END_TIMEOUT, self.announce_last()).await;
    }

    async fn announce_all(&self) {
        loop {
            self.announce().await;
            self.replica.departure.notified().await;
        }
    }

    async fn announce_last(&self) {
        loop {
            self.announce().await;
            if !self.shared.sockets.all().iter().any(|socket| socket.is_rule_driven()) {
                return;
            }
            self.replica.departure.notified().await;
        }
    }

    /// Announces all departures so far. Cancel safe: those not yet announced stay queued.
    async fn announce(&self) {
        loop {
            let members: Vec<u64> = self.replica.departed().iter().take(MAX_PER_ENTRY).copied().collect();
            if members.is_empty() {
                return;
            }
            let (count, at, server) = (members.len(), self.shared.clock.now(), self.replica.sharing.server.clone());
            let (mark, text) = (self.replica.sharing.mark(), LogEntry::Close { at, server, members }.to_text());
            let entry = self.replica.new_entry(&mark, &text, at, None);
            match self.replica.sharing.store.append(&self.shared.name, entry).await {
                // A world without a log has no members either. If the log is created again, the world is checked for
                // departed members.
                Ok(_) | Err(StoreError::Missing) => drop(self.replica.departed().drain(..count)),
                Err(_) => sleep(RETRY_DELAY).await,
            }
        }
    }
}
