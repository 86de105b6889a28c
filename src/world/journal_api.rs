//! The journal methods of a world's handle: it reads, clears, extends and verifies the journal.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::journal::{
    Answer, Dropped, Entry, EntryIndex, Exchange, Expectation, InvalidWait, PendingExpectation, Record, Verdict,
};
use super::{World, WorldError};

impl World {
    /// Returns the journal's entries after a sequence number, and the numbers of entries dropped.
    #[must_use]
    pub fn journal(&self, after: u64) -> (Vec<Entry>, Dropped) {
        self.shared().journal.after(after)
    }

    /// Clears the journal.
    pub fn clear_journal(&self) {
        self.shared().journal.clear();
    }

    /// Returns whether the world has a journal.
    #[must_use]
    pub fn has_journal(&self) -> bool {
        self.shared().journal.is_enabled()
    }

    /// Records an entry at the world's current time.
    pub(super) fn record(&self, record: Record) {
        if self.has_journal() {
            self.shared().journal.record(self.now(), record);
        }
    }

    /// Records a request that has yet to be answered.
    #[must_use]
    pub fn requested(&self, exchange: Exchange) -> EntryIndex {
        self.shared().journal.record(self.now(), Record::Request(Arc::new(exchange)))
    }

    /// Records the answer to a request.
    pub fn answered(&self, request: EntryIndex, answer: Answer) {
        self.shared().journal.answered(request, answer);
    }

    /// Compares the journal with expectations; `ordered` requires the entries of each to come after those of the
    /// previous one.
    ///
    /// # Errors
    /// [`WorldError::Expectation`] if an expectation is invalid.
    pub fn verify(&self, expectations: &[Expectation], ordered: bool) -> Result<Verdict, WorldError> {
        for (index, one) in expectations.iter().enumerate() {
            one.check().map_err(|error| WorldError::Expectation { index, error })?;
        }
        let (entries, dropped) = self.journal(0);
        Ok(Verdict::of(expectations, ordered, &entries, dropped))
    }

    /// Waits until the journal meets the expectation or the timeout expires, and returns what was found.
    ///
    /// # Errors
    /// [`WorldError`] if the expectation is invalid or the world has ended.
    pub async fn wait_for(&self, expectation: &Expectation, timeout: Duration) -> Result<Verdict, WorldError> {
        expectation.check().map_err(InvalidWait::from)?;
        if !expectation.can_be_awaited() {
            return Err(InvalidWait::NothingToWaitFor.into());
        }
        let _in_use = self.in_use();
        let deadline = Instant::now() + timeout;
        let journal = &self.shared().journal;
        let mut pending = PendingExpectation::new(expectation);
        let listening = journal.listen();
        loop {
            let recorded = listening.recorded();
            if journal.has(&mut pending) {
                break;
            }
            tokio::select! {
                () = recorded => {}
                () = tokio::time::sleep_until(deadline) => break,
                () = self.ended() => return Err(WorldError::Ended),
            }
        }
        self.verify(std::slice::from_ref(expectation), false)
    }
}
