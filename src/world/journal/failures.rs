//! Counts the failures of rules: one that fails again and again must not push everything else out of a journal.

use std::collections::HashMap;
use std::sync::Arc;

/// The maximum number of recorded reasons per rule, and of recorded failures per reason.
const MAX_RECORDED: usize = 10;

/// The number of recorded failures by rule and reason.
#[derive(Debug, Default)]
pub(super) struct Failures(HashMap<Arc<str>, HashMap<Arc<str>, usize>>);

impl Failures {
    /// Counts a failure, and returns whether it should be recorded.
    pub(super) fn admit(&mut self, rule: &Arc<str>, why: &Arc<str>) -> bool {
        let reasons = self.0.entry(rule.clone()).or_default();
        if reasons.len() >= MAX_RECORDED && !reasons.contains_key(why) {
            return false;
        }
        let count = reasons.entry(why.clone()).or_default();
        let has_room = *count < MAX_RECORDED;
        *count += usize::from(has_room);
        has_room
    }
}
