//! Logs events, and reports refused steps to the user.

use tracing::debug;

use super::journal::Record;
use super::state::WorldState;
use crate::engine::{Event, EventKind, MemberEvent};

impl WorldState {
    /// Logs an event, and warns of a refused step.
    pub(super) fn log(&self, event: &Event) {
        match &event.kind {
            EventKind::Skipped { rule, refusal } => {
                debug!(at = ?event.at, rule = rule.as_deref(), %refusal, "step skipped");
                let Some(rule) = rule else { return };
                if refusal.is_defect_of_scenario() {
                    self.shared.warn_of_failure(rule, refusal);
                } else {
                    self.shared.warn_of_skipped(rule, refusal);
                }
            }
            EventKind::Member { member, what: MemberEvent::Failed { rule, refusal } }
                if !self.is_elsewhere(*member) =>
            {
                debug!(at = ?event.at, rule = &**rule, socket = member, %refusal, "rule failed");
                self.shared.warn_of_failure(rule, refusal);
            }
            EventKind::Added { id, collection, .. } => debug!(%id, %collection, "row added"),
            EventKind::Merged { id, collection, .. } => debug!(%id, %collection, "row merged"),
            EventKind::Replaced { id, collection, .. } => debug!(%id, %collection, "row replaced"),
            EventKind::Removed { id, collection, .. } => debug!(%id, %collection, "row removed"),
            EventKind::ValueSet { name, .. } => debug!(%name, "value set"),
            EventKind::FaultBegan { label, .. } => debug!(fault = %label, "fault began"),
            EventKind::FaultEnded { label, .. } => debug!(fault = %label, "fault ended"),
            EventKind::Counted { .. }
            | EventKind::Sent { .. }
            | EventKind::Delivered { .. }
            | EventKind::Member { .. } => {}
        }
    }

    /// Records a refused step in the journal.
    pub(super) fn record_failure(&self, event: &Event) {
        let (rule, refusal, socket) = match &event.kind {
            EventKind::Skipped { rule: Some(rule), refusal } => (rule, refusal, None),
            EventKind::Member { member, what: MemberEvent::Failed { rule, refusal } }
                if !self.is_elsewhere(*member) =>
            {
                (rule, refusal, Some(*member))
            }
            _ => return,
        };
        if self.shared.journal.is_enabled() {
            let record = Record::Failed { rule: rule.clone(), why: refusal.to_string().into(), socket };
            self.shared.journal.record(event.at, record);
        }
    }
}
