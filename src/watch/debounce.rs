//! Decides when a save is complete: when to read the files, and when to accept a reading.
//!
//! [`Debounce`] is a state machine without I/O. Its input is observations and their times; its output is the next
//! action: wait, read, or accept the reading. A reading is accepted at once if all writers are done and the scenario
//! loses nothing. If it may be only a part of a save in progress, it is accepted after a longer time without changes.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::checkout::CheckoutLock;
use super::file_events::Writer;
use super::fingerprint::Fingerprint;

/// The time between two reads of files that keep changing.
const RETRY: Duration = Duration::from_millis(50);

/// An observation of the files at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Observation {
    pub(super) fingerprint: Fingerprint,
    /// The number of events of the files so far.
    pub(super) events: u64,
    /// What is known about the programs that write to the files.
    pub(super) writer: Writer,
    /// The first file that is being written.
    pub(super) being_written: Option<PathBuf>,
    /// The lock of a version control system that is changing files.
    pub(super) lock: Option<CheckoutLock>,
}

impl Observation {
    /// Returns whether nothing has happened to the files between the two observations.
    fn agrees_with(&self, later: &Self) -> bool {
        self.events == later.events && self.fingerprint.agrees_with(&later.fingerprint)
    }

    fn is_written(&self) -> bool {
        self.writer == Writer::Writing
    }

    /// Returns the first file that is being written, or that is empty, as it is before a program writes to it.
    fn unfinished(&self) -> Option<&Path> {
        self.being_written.as_deref().or_else(|| self.fingerprint.empty())
    }
}

/// Why a reading may be incomplete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doubt {
    /// The reading removes something, is a prefix of the current scenario, is invalid, or lacks a file.
    Partial,
    /// A file is empty, as it is before a slow program has written to it.
    Empty,
}

/// A save that may not be complete.
#[derive(Debug)]
pub(super) struct Debounce<R> {
    /// When the save was first noticed, plus the time during which a file was being written.
    since: Instant,
    /// When the current write started; `None` if no file is being written.
    writing: Option<Instant>,
    /// When the last change was observed.
    changed: Instant,
    /// When the files last changed during a read.
    interrupted: Option<Instant>,
    seen: Observation,
    /// The reading since then, and the reason to doubt it.
    read: Option<(Option<Doubt>, R)>,
}

/// The next action.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next<R> {
    /// Wait until this time, or until something changes.
    Wait(Instant),
    /// Read the files.
    Read,
    /// Apply or report the reading.
    Accept(AcceptedReading<R>),
}

/// The reason that a save waits.
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
            Self::Writer(path) => write!(f, "{} is completely written", path.display()),
            Self::Checkout(CheckoutLock { system, path }) => write!(f, "{system} is done ({})", path.display()),
        }
    }
}

/// A reading that is final, whether valid or not.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct AcceptedReading<R> {
    pub(super) read: R,
    /// Whether to compare the files with the reading once more, because some time has passed.
    pub(super) needs_comparison: bool,
    /// The file that another program still has open for writing.
    pub(super) being_written: Option<PathBuf>,
    /// When the last change was observed.
    pub(super) changed: Instant,
}

/// The wait times in a situation.
struct Times {
    /// How long nothing may change.
    quiet: Duration,
    /// How long until the files are read even if they keep changing.
    max_wait: Duration,
    /// How long until a reading is accepted even if something has changed since.
    limit: Duration,
}

impl Times {
    /// Editors write a file at once, or within a few milliseconds; a plain save has to be applied within 20 ms.
    fn of(writer: Writer, doubt: Option<Doubt>) -> Self {
        let milliseconds = Duration::from_millis;
        let (quiet, max_wait, limit) = match (writer, doubt) {
            // Programs that compute their output pause for as long as the computation takes.
            (Writer::Writing, _) => (milliseconds(30_000), milliseconds(120_000), milliseconds(120_000)),
            // Long enough for the events of a next save that has already started.
            (Writer::Done, None) => (milliseconds(5), milliseconds(2_000), milliseconds(30_000)),
            (Writer::Unknown, None) => (milliseconds(100), milliseconds(2_000), milliseconds(30_000)),
            // Long enough for another file of the same set.
            (Writer::Done, Some(_)) => (milliseconds(300), milliseconds(30_000), milliseconds(30_000)),
            (Writer::Unknown, Some(Doubt::Partial)) => {
                (milliseconds(1_000), milliseconds(30_000), milliseconds(30_000))
            }
            (Writer::Unknown, Some(Doubt::Empty)) => (milliseconds(2_000), milliseconds(30_000), milliseconds(30_000)),
        };
        Self { quiet, max_wait, limit }
    }
}

impl<R> Debounce<R> {
    pub(super) fn new(now: Instant, seen: Observation) -> Self {
        let writing = seen.is_written().then_some(now);
        Self { since: now, writing, changed: now, interrupted: None, seen, read: None }
    }

    /// Returns the reading that is not accepted yet.
    pub(super) fn held(&self) -> Option<&R> {
        self.read.as_ref().map(|(_, read)| read)
    }

    /// Returns what the save waits for, and how long it has waited.
    pub(super) fn waits_for(&self, now: Instant) -> Option<(WaitsFor<'_>, Duration)> {
        match &self.seen.lock {
            Some(lock) if self.doubt().is_some() => Some((WaitsFor::Checkout(lock), now - self.changed)),
            _ => {
                let path = self.seen.unfinished()?;
                Some((WaitsFor::Writer(path), now - self.writing.unwrap_or(self.since)))
            }
        }
    }

    /// Returns the next action after an observation.
    pub(super) fn next(&mut self, now: Instant, observation: Observation) -> Next<R> {
        self.observe(now, observation);
        let times = self.times();
        let is_partial = self.seen.lock.is_some() && self.doubt().is_some();
        let quiet = if is_partial { times.max_wait } else { times.quiet };
        let latest = self.start() + times.max_wait;
        let latest = self.interrupted.map_or(latest, |interrupted| latest.max(interrupted + RETRY));
        let due = (self.changed + quiet).min(latest);
        if now < due {
            return Next::Wait(due);
        }
        let Some((doubt, read)) = self.read.take() else { return Next::Read };
        Next::Accept(AcceptedReading {
            read,
            needs_comparison: doubt.is_some() && !self.is_overdue(now),
            being_written: self.seen.being_written.clone(),
            changed: self.changed,
        })
    }

    /// Holds a reading, unless something has changed since the files were last observed.
    pub(super) fn hold(&mut self, now: Instant, observation: Observation, doubt: Option<Doubt>, read: R) {
        let has_changed = self.observe(now, observation);
        if !has_changed || self.is_overdue(now) {
            self.read = Some((doubt, read));
        } else {
            self.interrupted = Some(now);
        }
    }

    /// Records an observation, and returns whether something has changed.
    fn observe(&mut self, now: Instant, observation: Observation) -> bool {
        let before = std::mem::replace(&mut self.seen, observation);
        match self.writing {
            None if self.seen.is_written() => self.writing = Some(now),
            Some(start) if !self.seen.is_written() => {
                self.since += now - start;
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

    /// Returns the time that `max_wait` and `limit` count from.
    fn start(&self) -> Instant {
        self.writing.unwrap_or(self.since)
    }

    /// Returns whether the reading is accepted even if something has changed since.
    fn is_overdue(&self, now: Instant) -> bool {
        now >= self.start() + self.times().limit
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
