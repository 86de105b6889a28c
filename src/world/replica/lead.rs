//! Leader election, and how the leader advances the time of a shared world.
//!
//! Each server that plays a world with scheduled actions claims the lead. The leader renews its lease, and appends that
//! time has advanced; the others claim the lead so often that one of them has it shortly after the lease has expired. A
//! world without scheduled actions and members needs no leader, and its servers only keep its log alive.
//!
//! A world with members has a leader as well, which notices when a server has died and closes its members. Each server
//! announces its presence as often as it claims the lead.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout};
use tracing::{debug, info};

use super::log::LogEntry;
use super::members::PRESENCE_TIMEOUT;
use super::{Progress, Replica};
use crate::store::{Claim, FencingToken, StoreError};
use crate::world::shared_state::Shared;

/// How long a leader may be silent.
const LEASE: Duration = Duration::from_secs(2);

/// How often a leader renews its lease, and the other servers claim it.
const CLAIM_INTERVAL: Duration = Duration::from_millis(500);

/// The delay after the store could not be reached.
const PAUSE: Duration = Duration::from_millis(100);

/// How long to wait for an appended entry to come back before the store is called again.
const APPEND_TIMEOUT: Duration = Duration::from_secs(2);

/// The maximum number of actions per entry, so that other changes are not held up for longer.
const MAX_ACTIONS: usize = 256;

/// A server's part in the election of a world's leader.
pub(in crate::world) struct LeaderElection {
    replica: Arc<Replica>,
    shared: Arc<Shared>,
    token: Option<FencingToken>,
    claim_at: Instant,
    /// Since when this server has claimed the lead regularly and the store has answered.
    reached_since: Option<Instant>,
}

impl LeaderElection {
    pub(in crate::world) fn new(replica: Arc<Replica>, shared: Arc<Shared>) -> Self {
        Self { replica, shared, token: None, claim_at: Instant::now(), reached_since: None }
    }

    /// Takes part until the world ends, and then gives up the lead.
    pub(in crate::world) async fn run(mut self) {
        let end = self.shared.end.clone();
        end.run_until_cancelled(self.run_election()).await;
        if self.token.take().is_some() {
            // Other servers then need not wait for the lease to expire. If this fails, the lease expires on its own.
            let _ = timeout(PAUSE, self.claim(Duration::ZERO)).await;
        }
    }

    async fn run_election(&mut self) {
        let mut progress = self.replica.progress.subscribe();
        loop {
            let Progress { due, servers, .. } = progress.borrow_and_update().clone();
            if due.is_none() && servers.is_empty() && !self.replica.is_always_led {
                self.token = None;
                tokio::select! {
                    _ = progress.changed() => {}
                    () = self.keep_alive() => {}
                }
                continue;
            }
            if self.claim_at <= Instant::now() {
                self.claim_lead().await;
                if !servers.is_empty() {
                    self.check_presence(&servers).await;
                }
            }
            let (clock, has_lead) = (&self.shared.clock, self.token.is_some());
            tokio::select! {
                _ = progress.changed() => {}
                () = sleep_until(self.claim_at) => {}
                () = clock.wait_until(due), if has_lead => self.append_time().await,
            }
        }
    }

    /// Claims the lead.
    async fn claim_lead(&mut self) {
        if self.claim_at.elapsed() > PRESENCE_TIMEOUT / 2 {
            // This server was suspended, perhaps along with others, or there was no need for a leader.
            self.reached_since = None;
        }
        let had_lead = self.token.is_some();
        let (token, pause) = if let Ok(token) = self.claim(LEASE).await {
            (token, CLAIM_INTERVAL)
        } else {
            self.reached_since = None;
            (None, PAUSE)
        };
        if had_lead != token.is_some() {
            debug!(world = %self.shared.name, leads = token.is_some(), "the lead has changed");
        }
        (self.token, self.claim_at) = (token, Instant::now() + pause);
    }

    async fn claim(&self, lease: Duration) -> Result<Option<FencingToken>, StoreError> {
        let (server, at) = (&*self.replica.sharing.server, self.shared.clock.now());
        let claim = Claim { server, lease, at, lifetime: self.replica.lifetime };
        self.replica.sharing.store.lead(&self.shared.name, claim).await
    }

    /// Announces this server's presence and, as the leader, closes the members of those of the given servers that are
    /// absent.
    async fn check_presence(&mut self, servers: &[Arc<str>]) {
        // Every server with a member was present before the member opened.
        let Ok(present) = self.replica.renew_presence().await else {
            self.reached_since = None;
            return;
        };
        if self.reached_since.get_or_insert_with(Instant::now).elapsed() < PRESENCE_TIMEOUT {
            // The store was unreachable, so other servers may not have announced their presence yet.
            return;
        }
        for server in servers.iter().filter(|server| !present.iter().any(|one| **one == ***server)) {
            if self.token.is_none() {
                return;
            }
            info!(world = %self.shared.name, %server, "closing the members of a server that is gone");
            let at = self.shared.clock.now();
            self.append(&LogEntry::Gone { at, server: server.clone() }, at).await;
        }
    }

    /// Appends the time that the world has reached.
    async fn append_time(&mut self) {
        let to = self.shared.clock.now();
        self.append(&LogEntry::Time { to, most: MAX_ACTIONS }, to).await;
    }

    /// Appends an entry of the leader and waits until it comes back: the next entry depends on its effects.
    async fn append(&mut self, entry: &LogEntry, at: Duration) {
        let (mark, text) = (self.replica.sharing.mark(), entry.to_text());
        let entry = self.replica.new_entry(&mark, &text, at, self.token);
        if let Ok(position) = self.replica.sharing.store.append(&self.shared.name, entry).await {
            // If the entry does not come back, the store is unreachable, and the next call notices that.
            let _ = timeout(APPEND_TIMEOUT, self.replica.reached(position)).await;
        } else {
            (self.token, self.claim_at) = (None, Instant::now() + PAUSE);
        }
    }

    /// Keeps the log of a world without scheduled actions alive for as long as this server has the world.
    async fn keep_alive(&self) {
        let Some(lifetime) = self.replica.lifetime else { return std::future::pending().await };
        tokio::time::sleep(lifetime / 3).await;
        let _ = self.claim(PAUSE).await;
    }
}
