//! How often rules have failed by what: one that fails again and again must not push everything else out of a journal.

use std::collections::HashMap;
use std::sync::Arc;

/// The most reasons of a rule that are recorded, and how often each of them is.
const MOST: usize = 10;

/// What is recorded of failures: by rule and reason, how often.
#[derive(Debug, Default)]
pub(super) struct Failures(HashMap<Arc<str>, HashMap<Arc<str>, usize>>);

impl Failures {
    /// Takes note of a failure, and says whether it is to be recorded.
    pub(super) fn have_room(&mut self, rule: &Arc<str>, why: &Arc<str>) -> bool {
        let reasons = self.0.entry(rule.clone()).or_default();
        if reasons.len() >= MOST && !reasons.contains_key(why) {
            return false;
        }
        let times = reasons.entry(why.clone()).or_default();
        let has_room = *times < MOST;
        *times += usize::from(has_room);
        has_room
    }
}
