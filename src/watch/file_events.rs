//! Interpretation of file events: whether programs are writing to the followed files.
//!
//! On systems that report when a writer closes a file (inotify's `IN_CLOSE_WRITE`), a file is being written from the
//! first change of its data until it is closed. A rename puts a complete file in place. After any other event, it is
//! unknown whether the file is complete.

use std::collections::HashMap;
use std::fs::symlink_metadata;
use std::path::{Path, PathBuf};

use notify::event::{AccessKind, AccessMode, ModifyKind, RenameMode};
use notify::{Event, EventKind};

use super::watched_paths::WatchedPaths;

/// The state of the writers of a file. For several files, the greatest counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Writer {
    /// The last writer has closed the file, or the file was put in place as a whole, or is gone.
    Done,
    /// No event has settled the matter.
    Unknown,
    /// A program has the file open and has written to it.
    Writing,
}

/// The state derived from file events.
#[derive(Debug)]
pub(super) struct FileEvents {
    /// Whether the system reports when a writer closes a file.
    reports_close: bool,
    watched: WatchedPaths,
    paths: Vec<PathBuf>,
    /// The state of each path's writers.
    writers: Vec<Writer>,
    /// The number of relevant events so far.
    events: u64,
    /// Whether the directories and links that lead to the files may have changed since they were found.
    is_stale: bool,
    /// Whether events were lost, or may have been.
    is_lossy: bool,
}

/// What an event means for a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FileChange {
    Created,
    Written,
    Closed,
    /// Another file was renamed to this path.
    MovedHere,
    /// The file was removed, or renamed to another path.
    Gone,
    Other,
}

impl FileEvents {
    pub(super) fn new(reports_close: bool) -> Self {
        Self {
            reports_close,
            watched: WatchedPaths::default(),
            paths: Vec::new(),
            writers: Vec::new(),
            events: 0,
            is_stale: true,
            is_lossy: false,
        }
    }

    /// Returns the number of relevant events so far.
    pub(super) fn events(&self) -> u64 {
        self.events
    }

    /// Returns the state of all writers, and the first file that is being written.
    pub(super) fn writer(&self) -> (Writer, Option<&Path>) {
        let writer = self.writers.iter().copied().max().unwrap_or(Writer::Done);
        let written = self.writers.iter().position(|writer| *writer == Writer::Writing);
        (writer, written.map(|file| self.paths[file].as_path()))
    }

    /// Marks all writers as done after the files were read in a quiet time, provided that no event has followed the
    /// first `events`.
    pub(super) fn settled(&mut self, events: u64) {
        if events == self.events {
            self.writers.fill(Writer::Done);
        }
    }

    /// Marks all writers as unknown, because events may have been lost.
    pub(super) fn forget(&mut self) {
        self.writers.fill(Writer::Unknown);
        (self.is_stale, self.is_lossy) = (true, true);
    }

    /// Returns whether the directories have to be watched again, if the way to these files has to be found again;
    /// otherwise `None`.
    pub(super) fn stale(&mut self, paths: &[PathBuf]) -> Option<bool> {
        if !self.is_stale && self.paths == paths {
            return None;
        }
        self.is_stale = false;
        let is_lossy = std::mem::take(&mut self.is_lossy);
        if is_lossy {
            self.writers.fill(Writer::Unknown);
        }
        Some(is_lossy)
    }

    /// Sets the followed files and the way to them. A file that was followed before keeps the state of its writers.
    pub(super) fn follow(&mut self, paths: &[PathBuf], watched: WatchedPaths) {
        self.watched = watched;
        if self.paths != paths {
            let known: HashMap<_, _> = self.paths.iter().zip(self.writers.iter().copied()).collect();
            let writers = paths.iter().map(|path| known.get(path).copied().unwrap_or(Writer::Unknown)).collect();
            (self.paths, self.writers) = (paths.to_vec(), writers);
        }
    }

    /// Processes an event. Returns whether a file may have been replaced or changed; reads cause events too.
    pub(super) fn note(&mut self, event: &Event) -> bool {
        if event.need_rescan() || event.paths.is_empty() {
            return self.note_loss();
        }
        let changes = changes(event);
        let counts = changes.iter().fold(false, |counts, (path, change)| self.note_change(path, *change) || counts);
        if counts {
            self.events += 1;
        }
        counts
    }

    /// Records that events were lost.
    pub(super) fn note_loss(&mut self) -> bool {
        self.forget();
        self.events += 1;
        true
    }

    fn note_change(&mut self, path: &Path, change: FileChange) -> bool {
        let Some(relation) = self.watched.relation(path) else { return false };
        let is_lossy = !relation.behind.is_empty() && change == FileChange::Gone;
        let of_files = self.writer_after(path, change);
        let of_those_behind = match change {
            FileChange::MovedHere if self.reports_close => Some(Writer::Done),
            FileChange::MovedHere | FileChange::Created | FileChange::Gone => Some(Writer::Unknown),
            FileChange::Written | FileChange::Closed | FileChange::Other => None,
        };
        for (files, writer) in [(&relation.files, of_files), (&relation.behind, of_those_behind)] {
            for file in files {
                self.writers[*file] = writer.unwrap_or(self.writers[*file]);
            }
        }
        self.is_stale |= !matches!(change, FileChange::Written | FileChange::Closed);
        self.is_lossy |= is_lossy;
        true
    }

    /// Returns the state of the writers of a file after an event at its own path; `None` if the event does not change
    /// it.
    fn writer_after(&self, path: &Path, change: FileChange) -> Option<Writer> {
        match change {
            FileChange::Other if self.reports_close => None,
            _ if !self.reports_close => Some(Writer::Unknown),
            FileChange::Written => Some(Writer::Writing),
            FileChange::Closed | FileChange::MovedHere | FileChange::Gone => Some(Writer::Done),
            // A new link to a file causes the same event as a file that a program is about to write.
            FileChange::Created if is_empty(path) => Some(Writer::Writing),
            FileChange::Created | FileChange::Other => Some(Writer::Unknown),
        }
    }
}

fn is_empty(path: &Path) -> bool {
    symlink_metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() == 0)
}

/// Returns what an event means for each of its paths; empty if something was only read.
fn changes(event: &Event) -> Vec<(&PathBuf, FileChange)> {
    let change = match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => FileChange::Closed,
        EventKind::Access(_) => return Vec::new(),
        EventKind::Create(_) => FileChange::Created,
        EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(RenameMode::From)) => FileChange::Gone,
        EventKind::Modify(ModifyKind::Data(_)) => FileChange::Written,
        EventKind::Modify(ModifyKind::Name(RenameMode::To)) => FileChange::MovedHere,
        EventKind::Modify(ModifyKind::Name(RenameMode::Both)) => {
            return event.paths.iter().zip([FileChange::Gone, FileChange::MovedHere]).collect();
        }
        _ => FileChange::Other,
    };
    event.paths.iter().map(|path| (path, change)).collect()
}

#[cfg(test)]
mod tests;
