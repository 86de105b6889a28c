//! Leader election, and how the leader advances the time of a shared world.
//!
//! A world needs a leader for two things. While actions are scheduled, the leader appends to the log how far time has
//! advanced. While the world has members (sockets of endpoints, and streams), the leader notices when a server has
//! died, and closes that server's members. A world with neither needs no leader; its servers only keep its log alive.
//!
//! The leader has a lease, which it renews. The other servers claim the lead just as often, so one of them gets it soon
//! after the lease has expired. With each claim, a server also announces its presence if the world has members.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout};
use tracing::{debug, info};

use super::log::LogEntry;
use super::members::PRESENCE_TIMEOUT;
use super::{Progress, Replica};
use crate::store::{Claim, FencingToken, StoreError};
use crate::world::shared_state::Shared;

/// How long a leader keeps the lead without renewing it.
const LEASE: Duration = Duration::from_secs(2);

/// How often a leader renews its lease, and the other servers claim it.
const CLAIM_INTERVAL: Duration = Duration::from_millis(500);

/// The delay before the next claim after the store could not be reached, or refused an entry.
const RETRY_DELAY: Duration = Duration::from_millis(100);

/// How long to try to give up the lead when the world ends.
const RELEASE_TIMEOUT: Duration = Duration::from_millis(100);

/// The lease of a claim that only extends the log's lifetime.
const KEEP_ALIVE_LEASE: Duration = Duration::from_millis(100);

/// How long to wait until an appended entry comes back from the log, before the store is called again.
const APPEND_TIMEOUT: Duration = Duration::from_secs(2);

/// The maximum number of actions per entry. Other changes wait while the actions of an entry are carried out.
const MAX_ACTIONS: usize = 256;

/// A server's part in the election of a world's leader.
pub(in crate::world) struct LeaderElection {
    replica: Arc<Replica>,
    shared: Arc<Shared>,
    /// The token of the lead; `None` while another server leads, or none does.
    token: Option<FencingToken>,
    /// When to claim or renew the lead.
    claim_at: Instant,
    /// The start of the time in which this server has claimed the lead regularly and the store has always answered.
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
            // Then the other servers need not wait for the lease to expire, which it does if this fails.
            let _ = timeout(RELEASE_TIMEOUT, self.claim(Duration::ZERO)).await;
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

    /// Claims or renews the lead, and schedules the next claim.
    async fn claim_lead(&mut self) {
        if self.claim_at.elapsed() > PRESENCE_TIMEOUT / 2 {
            // This server was suspended, and perhaps others with it; or the world has needed no leader.
            self.reached_since = None;
        }
        let had_lead = self.token.is_some();
        let (token, delay) = if let Ok(token) = self.claim(LEASE).await {
            (token, CLAIM_INTERVAL)
        } else {
            self.reached_since = None;
            (None, RETRY_DELAY)
        };
        if had_lead != token.is_some() {
            debug!(world = %self.shared.name, leads = token.is_some(), "the lead has changed");
        }
        (self.token, self.claim_at) = (token, Instant::now() + delay);
    }

    /// Claims the lead in the store; a lease of 0 gives it up.
    async fn claim(&self, lease: Duration) -> Result<Option<FencingToken>, StoreError> {
        let (server, at) = (&*self.replica.sharing.server, self.shared.clock.now());
        let claim = Claim { server, lease, at, lifetime: self.replica.lifetime };
        self.replica.sharing.store.lead(&self.shared.name, claim).await
    }

    /// Announces this server's presence. If it leads, also closes the members of each of these servers that is absent.
    async fn check_presence(&mut self, servers: &[Arc<str>]) {
        // A server announces its presence before it opens a member, so one that has members and is absent has stopped.
        let Ok(present) = self.replica.renew_presence().await else {
            self.reached_since = None;
            return;
        };
        if self.reached_since.get_or_insert_with(Instant::now).elapsed() < PRESENCE_TIMEOUT {
            // The store may have been unreachable, so the other servers need time to announce their presence.
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

    /// Appends how far the world's time has advanced. Returns once the entry has come back.
    async fn append_time(&mut self) {
        let to = self.shared.clock.now();
        self.append(&LogEntry::Time { to, most: MAX_ACTIONS }, to).await;
    }

    /// Appends an entry as the leader, and waits until it comes back: the next entry depends on its effects. If the
    /// append fails, the server no longer leads.
    async fn append(&mut self, entry: &LogEntry, at: Duration) {
        let (mark, text) = (self.replica.sharing.mark(), entry.to_text());
        let entry = self.replica.new_entry(&mark, &text, at, self.token);
        if let Ok(position) = self.replica.sharing.store.append(&self.shared.name, entry).await {
            // If the entry does not come back, the store is unreachable, and the next call notices that.
            let _ = timeout(APPEND_TIMEOUT, self.replica.reached(position)).await;
        } else {
            (self.token, self.claim_at) = (None, Instant::now() + RETRY_DELAY);
        }
    }

    /// Waits for a third of the log's lifetime and then extends it. A log that is kept forever needs none of this.
    async fn keep_alive(&self) {
        let Some(lifetime) = self.replica.lifetime else { return std::future::pending().await };
        tokio::time::sleep(lifetime / 3).await;
        let _ = self.claim(KEEP_ALIVE_LEASE).await;
    }
}
