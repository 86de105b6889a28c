//! Decides when a save is over: when files are read, and when what was read counts.
//!
//! [`Debounce`] is a state machine without I/O. It is given what was observed and when, and says what comes next: wait,
//! read, or take what was read. What was read is taken at once if all writers are done and the scenario loses nothing by
//! it. If it could be part of what is still to come, it is taken only after a longer time in which nothing changes.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::checkout::CheckoutLock;
use super::file_events::Writer;
use super::fingerprint::Fingerprint;

/// The time between two reads of files that change all the time.
const RETRY: Duration = Duration::from_millis(50);

/// What can be seen of the files at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Observation {
    pub(super) fingerprint: Fingerprint,
    /// How many events of the files there have been.
    pub(super) events: u64,
    /// What is known about who writes to them.
    pub(super) writer: Writer,
    /// The first file that is being written.
    pub(super) written: Option<PathBuf>,
    /// Held while a version control system changes files.
    pub(super) lock: Option<CheckoutLock>,
}

impl Observation {
    /// Whether nothing has happened to the files in between.
    fn agrees_with(&self, later: &Self) -> bool {
        self.events == later.events && self.fingerprint.agrees_with(&later.fingerprint)
    }

    fn is_written(&self) -> bool {
        self.writer == Writer::Writing
    }

    /// The first file that is being written, or that is empty, as before a program writes to it.
    fn unfinished(&self) -> Option<&Path> {
        self.written.as_deref().or_else(|| self.fingerprint.empty())
    }
}

/// Why what was read may be part of what is to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doubt {
    /// It removes something, is the beginning of what is served, is wrong, or lacks a file.
    Partial,
    /// A file is empty, as it is before a slow program has written to it.
    Empty,
}

/// A save that may not be over.
#[derive(Debug)]
pub(super) struct Debounce<R> {
    /// When it was first noticed, plus the time in which a file was being written.
    since: Instant,
    /// Since when a file is being written.
    writing: Option<Instant>,
    /// When something was last seen to change.
    changed: Instant,
    /// When the files were last read while they changed.
    vain: Option<Instant>,
    seen: Observation,
    /// What was read since then, and why to doubt it.
    read: Option<(Option<Doubt>, R)>,
}

/// What to do now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next<R> {
    /// Nothing until this time, unless something changes.
    Wait(Instant),
    /// Read the files.
    Read,
    /// Apply or report what was read.
    Take(Taken<R>),
}

/// What a save waits for.
#[derive(Debug)]
pub(super) enum WaitsFor<'a> {
    /// This file is being written.
    Writer(&'a Path),
    /// A version control system holds this lock.
    Checkout(&'a CheckoutLock),
}

impl fmt::Display for WaitsFor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Writer(path) => write!(f, "{} is written", path.display()),
            Self::Checkout(CheckoutLock { system, path }) => write!(f, "{system} is done ({})", path.display()),
        }
    }
}

/// What was read and counts.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Taken<R> {
    pub(super) read: R,
    /// Whether to compare the files with it once more: some time has passed.
    pub(super) is_to_be_compared: bool,
    /// The file that another program still has open for writing.
    pub(super) written: Option<PathBuf>,
    /// When something was last seen to change.
    pub(super) changed: Instant,
}

/// How long to wait in a situation.
struct Times {
    /// How long nothing may change.
    quiet: Duration,
    /// The files are read after so long even if something changes all the time.
    patience: Duration,
    /// What was read counts after so long even if something has changed since.
    limit: Duration,
}

impl Times {
    /// Editors write a file in one go, or a few milliseconds apart; a plain save has to be applied within 20 ms.
    fn of(writer: Writer, doubt: Option<Doubt>) -> Self {
        let milliseconds = Duration::from_millis;
        let (quiet, patience, limit) = match (writer, doubt) {
            // Programs that compute what they write pause for as long as that takes.
            (Writer::Writing, _) => (milliseconds(30_000), milliseconds(120_000), milliseconds(120_000)),
            // Enough for the events of a next save that has begun already.
            (Writer::Done, None) => (milliseconds(5), milliseconds(2_000), milliseconds(30_000)),
            (Writer::Unknown, None) => (milliseconds(100), milliseconds(2_000), milliseconds(30_000)),
            // Enough for another file of the same set.
            (Writer::Done, Some(_)) => (milliseconds(300), milliseconds(30_000), milliseconds(30_000)),
            (Writer::Unknown, Some(Doubt::Partial)) => {
                (milliseconds(1_000), milliseconds(30_000), milliseconds(30_000))
            }
            (Writer::Unknown, Some(Doubt::Empty)) => (milliseconds(2_000), milliseconds(30_000), milliseconds(30_000)),
        };
        Self { quiet, patience, limit }
    }
}

impl<R> Debounce<R> {
    pub(super) fn new(now: Instant, seen: Observation) -> Self {
        let writing = seen.is_written().then_some(now);
        Self { since: now, writing, changed: now, vain: None, seen, read: None }
    }

    /// What was read and may count later.
    pub(super) fn held(&self) -> Option<&R> {
        self.read.as_ref().map(|(_, read)| read)
    }

    /// What the save waits for, and for how long it has done so.
    pub(super) fn waits_for(&self, now: Instant) -> Option<(WaitsFor<'_>, Duration)> {
        match &self.seen.lock {
            Some(lock) if self.doubt().is_some() => Some((WaitsFor::Checkout(lock), now - self.changed)),
            _ => {
                let path = self.seen.unfinished()?;
                Some((WaitsFor::Writer(path), now - self.writing.unwrap_or(self.since)))
            }
        }
    }

    /// What to do after what is observed now.
    pub(super) fn next(&mut self, now: Instant, observation: Observation) -> Next<R> {
        self.observe(now, observation);
        let times = self.times();
        let is_partial = self.seen.lock.is_some() && self.doubt().is_some();
        let quiet = if is_partial { times.patience } else { times.quiet };
        let patience = self.begun() + times.patience;
        let patience = self.vain.map_or(patience, |vain| patience.max(vain + RETRY));
        let due = (self.changed + quiet).min(patience);
        if now < due {
            return Next::Wait(due);
        }
        let Some((doubt, read)) = self.read.take() else { return Next::Read };
        Next::Take(Taken {
            read,
            is_to_be_compared: doubt.is_some() && !self.is_overdue(now),
            written: self.seen.written.clone(),
            changed: self.changed,
        })
    }

    /// Holds what was read, unless something has changed since the files were last observed.
    pub(super) fn hold(&mut self, now: Instant, observation: Observation, doubt: Option<Doubt>, read: R) {
        let has_changed = self.observe(now, observation);
        if !has_changed || self.is_overdue(now) {
            self.read = Some((doubt, read));
        } else {
            self.vain = Some(now);
        }
    }

    /// Takes note of what is observed now, and tells whether something has changed.
    fn observe(&mut self, now: Instant, observation: Observation) -> bool {
        let before = std::mem::replace(&mut self.seen, observation);
        match self.writing {
            None if self.seen.is_written() => self.writing = Some(now),
            Some(begun) if !self.seen.is_written() => {
                self.since += now - begun;
                self.writing = None;
            }
            _ => {}
        }
        let has_changed = !before.agrees_with(&self.seen);
        if has_changed {
            self.changed = now;
            if !self.is_overdue(now) {
                self.read = None;
            }
        }
        has_changed
    }

    /// What patience counts from.
    fn begun(&self) -> Instant {
        self.writing.unwrap_or(self.since)
    }

    /// Whether what was read counts even if something has changed since.
    fn is_overdue(&self, now: Instant) -> bool {
        now >= self.begun() + self.times().limit
    }

    fn times(&self) -> Times {
        Times::of(self.seen.writer, self.doubt())
    }

    fn doubt(&self) -> Option<Doubt> {
        self.read.as_ref().and_then(|(doubt, _)| *doubt)
    }
}

#[cfg(test)]
mod tests;
