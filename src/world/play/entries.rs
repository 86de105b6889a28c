//! The entries of a shared world's log, carried out in their order.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use tracing::error;

use super::Play;
use crate::background;
use crate::engine::{Reload, Succession};
use crate::store::Checkpoint;
use crate::world::WorldError;
use crate::world::advance::Advance;
use crate::world::operation::Operation;
use crate::world::replica::{Arrived, Deed, KEEP_EVERY, Origin, Progress, Reply};

impl Play {
    /// Carries out entries as long as no advance is at work, and says how far it has come.
    pub(in crate::world) fn carry_out_entries(
        &mut self,
        entries: &mut VecDeque<Box<Arrived>>,
        advances: &mut VecDeque<Box<Advance>>,
    ) {
        let Some(replica) = self.shared.replica.clone() else { return };
        if let Some(newest) = entries.iter().rposition(|entry| matches!(entry.deed, Deed::Adopt(_))) {
            // What was before it is of no use any more, and whoever waits for it is told so.
            entries.drain(..newest);
            advances.clear();
        }
        while advances.is_empty()
            && let Some(entry) = entries.pop_front()
        {
            self.position = entry.position;
            let is_to_be_kept = entry.is_own && self.is_to_be_kept();
            if let Some(advance) = self.carry_out(*entry) {
                advances.push_back(advance);
            } else if is_to_be_kept {
                self.keep();
            }
        }
        let goes = advances.is_empty() && !self.shared.clock.pace().paused;
        let due = self.engine.next_due().filter(|_| goes);
        replica.progressed(Progress { position: self.position, due });
    }

    /// Carries out an entry, or gives the advance that it asks for.
    fn carry_out(&mut self, entry: Arrived) -> Option<Box<Advance>> {
        match (entry.deed, entry.reply) {
            (Deed::Nothing, Some(Reply::Reload(reply))) => {
                let changes = self.shared.replica.as_ref().map(|replica| replica.published()).unwrap_or_default();
                let _ = reply.send(Reload { changes, events: Vec::new() });
            }
            (Deed::Nothing, _) => {}
            (Deed::Carry { at, operation }, reply) => self.operate(at, *operation, reply),
            (Deed::Clock { at, change }, reply) => {
                let reply = reply.and_then(|reply| if let Reply::Clock(reply) = reply { Some(reply) } else { None });
                return Some(Box::new(Advance::shared(change, reply, at)));
            }
            (Deed::Time { to, most }, _) => self.come_to(to, most),
            (Deed::Follow { succession, origin }, reply) => self.follow_all(&succession, origin, reply),
            (Deed::Adopt(adopted), _) => self.adopt(*adopted),
        }
        None
    }

    fn operate(&mut self, at: Duration, operation: Operation, reply: Option<Reply>) {
        let now = self.time_of(at);
        // Time goes on, but what is due before waits for whoever leads.
        self.engine.settle(self.engine.next_due().map_or(now, |due| due.min(now)));
        self.told = Some(now);
        let outcome = catch_unwind(AssertUnwindSafe(|| operation.carry_out(self)));
        self.told = None;
        let outcome = outcome.unwrap_or_else(|_| {
            error!(world = %self.shared.name, "an entry has failed; it is a defect in mockd, please report it");
            Err(WorldError::Defect)
        });
        if let Some(Reply::Operation(reply)) = reply {
            let _ = reply.send(outcome);
        }
    }

    /// Time has come that far.
    fn come_to(&mut self, to: Duration, most: usize) {
        if self.shared.clock.pace().paused {
            // It was stopped before this was known to whoever leads.
            return;
        }
        self.comes_to(to);
        let events = self.engine.advance_some(to, most);
        self.tell(&events);
    }

    /// As [`Play::replace`], for a world that others play too. What could be restored follows at once: those who join later
    /// know no other scenario.
    fn follow_all(&mut self, succession: &Arc<Succession>, origin: Origin, reply: Option<Reply>) {
        self.origin = Some(origin);
        let reload = self.replace(succession);
        let (scenario, seed) = (self.engine.scenario().clone(), self.start.seed());
        for saved in self.snapshots.values_mut() {
            let events = saved.engine.replace(&scenario, seed).events;
            saved.transcript.extend(&events);
        }
        match (reply, &self.shared.replica) {
            (Some(Reply::Reload(reply)), _) => drop(reply.send(reload)),
            (_, Some(replica)) => replica.was_published(reload.changes),
            _ => {}
        }
    }

    /// Whether the state after this entry is to be kept by whoever appended it.
    fn is_to_be_kept(&self) -> bool {
        let accounts = self.engine.totals().size_hint().0 as u64;
        self.position.is_multiple_of(accounts.div_ceil(KEEP_EVERY).max(1) * KEEP_EVERY)
    }

    /// Has the state kept as it is now.
    fn keep(&self) {
        let Some((replica, birth)) = self.shared.replica.clone().zip(self.written()) else { return };
        let position = self.position;
        let keep = async move {
            // To write down 100,000 products takes a while.
            let write = move || serde_json::to_string(&birth).unwrap_or_default();
            if let Ok(state) = background::spawn(write).await {
                // If it fails, the next one does as well.
                let _ = replica.keep(&Checkpoint { position, state }).await;
            }
        };
        self.tasks.spawn(keep);
    }
}
