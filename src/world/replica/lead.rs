//! Which server advances the time of a shared world, and how.
//!
//! Each server that plays a world in which something is due asks for the lead. The one that has it keeps it by asking
//! again, and appends that time has come; the others ask so often that one of them has the lead a moment after its lease
//! has run out. Where nothing is due by itself and nobody is there, nobody needs to lead, and nobody asks but to keep the log
//! alive.
//!
//! A world with members is led as well: the leader notices that a server has died, and has its members closed. Each server
//! says that it is there as often as it asks for the lead.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout};
use tracing::{debug, info};

use super::log::LogEntry;
use super::members::PRESENCE;
use super::{Progress, Replica};
use crate::store::{Claim, FencingToken, StoreError};
use crate::world::shared_state::Shared;

/// How long a leader may be silent.
const LEASE: Duration = Duration::from_secs(2);

/// How often a leader asks again, and the others whether there is one.
const ASK_EVERY: Duration = Duration::from_millis(500);

/// How long to wait after the store could not be reached.
const PAUSE: Duration = Duration::from_millis(100);

/// How long to wait for what was appended to come back, before the store is asked again.
const APPEND_TIMEOUT: Duration = Duration::from_secs(2);

/// What happens by one entry at the most: other changes are not held up for longer.
const ACTIONS_AT_ONCE: usize = 256;

/// One server's part in the lead of a world.
pub(in crate::world) struct LeaderElection {
    replica: Arc<Replica>,
    shared: Arc<Shared>,
    token: Option<FencingToken>,
    ask_at: Instant,
    /// Since when this server asks as often as it is to, and the store answers.
    reached_since: Option<Instant>,
}

impl LeaderElection {
    pub(in crate::world) fn new(replica: Arc<Replica>, shared: Arc<Shared>) -> Self {
        Self { replica, shared, token: None, ask_at: Instant::now(), reached_since: None }
    }

    /// Takes part until the world ends, and then gives the lead up.
    pub(in crate::world) async fn run(mut self) {
        let end = self.shared.end.clone();
        end.run_until_cancelled(self.lead_for_ever()).await;
        if self.token.take().is_some() {
            // So that nobody has to wait for the end of the lease. It ends by itself if this fails.
            let _ = timeout(PAUSE, self.claim(Duration::ZERO)).await;
        }
    }

    async fn lead_for_ever(&mut self) {
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
            if self.ask_at <= Instant::now() {
                self.ask().await;
                if !servers.is_empty() {
                    self.look_for(&servers).await;
                }
            }
            let (clock, has_lead) = (&self.shared.clock, self.token.is_some());
            tokio::select! {
                _ = progress.changed() => {}
                () = sleep_until(self.ask_at) => {}
                () = clock.wait_until(due), if has_lead => self.append_time().await,
            }
        }
    }

    /// Asks for the lead.
    async fn ask(&mut self) {
        if self.ask_at.elapsed() > PRESENCE / 2 {
            // It stood still, perhaps with others, or nobody was there.
            self.reached_since = None;
        }
        let had_lead = self.token.is_some();
        let (token, pause) = if let Ok(token) = self.claim(LEASE).await {
            (token, ASK_EVERY)
        } else {
            self.reached_since = None;
            (None, PAUSE)
        };
        if had_lead != token.is_some() {
            debug!(world = %self.shared.name, leads = token.is_some(), "the lead has changed");
        }
        (self.token, self.ask_at) = (token, Instant::now() + pause);
    }

    async fn claim(&self, lease: Duration) -> Result<Option<FencingToken>, StoreError> {
        let (server, at) = (&*self.replica.sharing.server, self.shared.clock.now());
        let claim = Claim { server, lease, at, lifetime: self.replica.lifetime };
        self.replica.sharing.store.lead(&self.shared.name, claim).await
    }

    /// Says that this server is there, and, if it leads, has the members closed of those of these servers that are not.
    async fn look_for(&mut self, servers: &[Arc<str>]) {
        // Whoever has a member by now was there before it opened.
        let Ok(present) = self.replica.renew_presence().await else {
            self.reached_since = None;
            return;
        };
        if self.reached_since.get_or_insert_with(Instant::now).elapsed() < PRESENCE {
            // Others may not have had the time to say that they are there, since nobody could.
            return;
        }
        for server in servers.iter().filter(|server| !present.iter().any(|one| **one == ***server)) {
            if self.token.is_none() {
                return;
            }
            info!(world = %self.shared.name, %server, "a server is gone, and its members are closed");
            let at = self.shared.clock.now();
            self.append(&LogEntry::Gone { at, server: server.clone() }, at).await;
        }
    }

    /// Appends how far time has come.
    async fn append_time(&mut self) {
        let to = self.shared.clock.now();
        self.append(&LogEntry::Time { to, most: ACTIONS_AT_ONCE }, to).await;
    }

    /// Appends what a leader has to say, and waits until that has come back: what is to be said next is not known before.
    async fn append(&mut self, entry: &LogEntry, at: Duration) {
        let (mark, text) = (self.replica.sharing.mark(), entry.to_text());
        let entry = self.replica.new_entry(&mark, &text, at, self.token);
        if let Ok(position) = self.replica.sharing.store.append(&self.shared.name, entry).await {
            // If it does not come back, the store is gone, which is found out by what comes next.
            let _ = timeout(APPEND_TIMEOUT, self.replica.reached(position)).await;
        } else {
            (self.token, self.ask_at) = (None, Instant::now() + PAUSE);
        }
    }

    /// Has the log of a world in which nothing happens by itself kept for as long as the world is here.
    async fn keep_alive(&self) {
        let Some(lifetime) = self.replica.lifetime else { return std::future::pending().await };
        tokio::time::sleep(lifetime / 3).await;
        let _ = self.claim(PAUSE).await;
    }
}
