//! What a world's handle does with its journal: it is read, cleared, added to and held against expectations.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::journal::{
    Answer, Dropped, Entry, Exchange, Expectation, PendingExpectation, Place, Record, Verdict, WrongWait,
};
use super::{World, WorldError};

impl World {
    /// The journal's entries after that number, and how many are gone because it is bounded.
    #[must_use]
    pub fn journal(&self, after: u64) -> (Vec<Entry>, Dropped) {
        self.shared().journal.after(after)
    }

    /// Empties the journal.
    pub fn clear_journal(&self) {
        self.shared().journal.clear();
    }

    /// Whether there is a journal.
    #[must_use]
    pub fn has_journal(&self) -> bool {
        self.shared().journal.is_on()
    }

    /// Records something at the world's time.
    pub(super) fn record(&self, record: Record) {
        if self.has_journal() {
            self.shared().journal.record(self.now(), record);
        }
    }

    /// Records a request whose answer is still to come.
    #[must_use]
    pub fn requested(&self, exchange: Exchange) -> Place {
        self.shared().journal.record(self.now(), Record::Request(Arc::new(exchange)))
    }

    /// Records the answer to a request.
    pub fn answered(&self, request: Place, answer: Answer) {
        self.shared().journal.answered(request, answer);
    }

    /// Holds the journal against expectations; `ordered` asks that the entries of each come after those of the one before.
    ///
    /// # Errors
    /// [`WorldError::Expectation`] if one makes no sense.
    pub fn verify(&self, expectations: &[Expectation], ordered: bool) -> Result<Verdict, WorldError> {
        for (index, one) in expectations.iter().enumerate() {
            one.check().map_err(|error| WorldError::Expectation { index, error })?;
        }
        let (entries, dropped) = self.journal(0);
        Ok(Verdict::of(expectations, ordered, &entries, dropped))
    }

    /// Waits until the journal is as expected, or for that long, and gives what was found then.
    ///
    /// # Errors
    /// [`WorldError`] if the expectation makes no sense or the world has ended.
    pub async fn wait_for(&self, expectation: &Expectation, timeout: Duration) -> Result<Verdict, WorldError> {
        expectation.check().map_err(WrongWait::from)?;
        if !expectation.can_be_awaited() {
            return Err(WrongWait::ForNothing.into());
        }
        let _in_use = self.in_use();
        let give_up = Instant::now() + timeout;
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
                () = tokio::time::sleep_until(give_up) => break,
                () = self.ended() => return Err(WorldError::Ended),
            }
        }
        self.verify(std::slice::from_ref(expectation), false)
    }
}
