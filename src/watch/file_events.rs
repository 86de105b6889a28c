//! What file events say about who writes to the files that are followed.
//!
//! Where the system tells when a writer closes a file (inotify's `IN_CLOSE_WRITE`), a file is being written from the first
//! change of its data until then. A rename puts a whole file in its place. Everything else leaves it open whether the
//! file is whole.

use std::collections::HashMap;
use std::fs::symlink_metadata;
use std::path::{Path, PathBuf};

use notify::event::{AccessKind, AccessMode, ModifyKind, RenameMode};
use notify::{Event, EventKind};

use super::watched_paths::WatchedPaths;

/// What is known about who writes to a file; of several files the greatest counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Writer {
    /// The last writer has closed it, or it was put there as a whole, or it is gone.
    Done,
    /// No event says so.
    Unknown,
    /// A program has it open and has written to it.
    Writing,
}

/// What is known from events.
#[derive(Debug)]
pub(super) struct FileEvents {
    /// Whether the system tells when a writer closes a file.
    tells_of_close: bool,
    watched: WatchedPaths,
    paths: Vec<PathBuf>,
    /// One for each path.
    writers: Vec<Writer>,
    /// How many events counted so far.
    events: u64,
    /// Whether the way to the files may have changed since it was found.
    is_stale: bool,
    /// Whether events were lost, or may be.
    is_lossy: bool,
}

/// What an event says of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FileChange {
    Created,
    Written,
    Closed,
    /// Renamed to this path.
    PutThere,
    /// Removed, or renamed to another path.
    Gone,
    Other,
}

impl FileEvents {
    pub(super) fn new(tells_of_close: bool) -> Self {
        Self {
            tells_of_close,
            watched: WatchedPaths::default(),
            paths: Vec::new(),
            writers: Vec::new(),
            events: 0,
            is_stale: true,
            is_lossy: false,
        }
    }

    /// How many events counted so far.
    pub(super) fn events(&self) -> u64 {
        self.events
    }

    /// What is known of all files, and the first of those that are being written.
    pub(super) fn writer(&self) -> (Writer, Option<&Path>) {
        let writer = self.writers.iter().copied().max().unwrap_or(Writer::Done);
        let written = self.writers.iter().position(|writer| *writer == Writer::Writing);
        (writer, written.map(|file| self.paths[file].as_path()))
    }

    /// The files have been read after a quiet time, when that many events had counted. Their writers until then count as done.
    pub(super) fn settled(&mut self, events: u64) {
        if events == self.events {
            self.writers.fill(Writer::Done);
        }
    }

    /// Events may have been lost, so that nothing is known of who writes.
    pub(super) fn forget(&mut self) {
        self.writers.fill(Writer::Unknown);
        (self.is_stale, self.is_lossy) = (true, true);
    }

    /// Whether the way to these files has to be found again; if so, whether the directories have to be watched again.
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

    /// The way to the files is this one. What is known of a file that was followed before is kept.
    pub(super) fn follow(&mut self, paths: &[PathBuf], watched: WatchedPaths) {
        self.watched = watched;
        if self.paths != paths {
            let known: HashMap<_, _> = self.paths.iter().zip(self.writers.iter().copied()).collect();
            let writers = paths.iter().map(|path| known.get(path).copied().unwrap_or(Writer::Unknown)).collect();
            (self.paths, self.writers) = (paths.to_vec(), writers);
        }
    }

    /// Takes an event into account; whether it can mean that a file is another, or has other content. Reading makes events
    /// as well.
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

    /// Takes into account that events were lost.
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
            FileChange::PutThere if self.tells_of_close => Some(Writer::Done),
            FileChange::PutThere | FileChange::Created | FileChange::Gone => Some(Writer::Unknown),
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

    /// What an event at a file's own path says of who writes to it.
    fn writer_after(&self, path: &Path, change: FileChange) -> Option<Writer> {
        match change {
            FileChange::Other if self.tells_of_close => None,
            _ if !self.tells_of_close => Some(Writer::Unknown),
            FileChange::Written => Some(Writer::Writing),
            FileChange::Closed | FileChange::PutThere | FileChange::Gone => Some(Writer::Done),
            // A link to a file makes the same event as a file that a program is about to write.
            FileChange::Created if is_empty(path) => Some(Writer::Writing),
            FileChange::Created | FileChange::Other => Some(Writer::Unknown),
        }
    }
}

fn is_empty(path: &Path) -> bool {
    symlink_metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() == 0)
}

/// What an event says of each of its paths; nothing if something was only read.
fn changes(event: &Event) -> Vec<(&PathBuf, FileChange)> {
    let change = match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => FileChange::Closed,
        EventKind::Access(_) => return Vec::new(),
        EventKind::Create(_) => FileChange::Created,
        EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(RenameMode::From)) => FileChange::Gone,
        EventKind::Modify(ModifyKind::Data(_)) => FileChange::Written,
        EventKind::Modify(ModifyKind::Name(RenameMode::To)) => FileChange::PutThere,
        EventKind::Modify(ModifyKind::Name(RenameMode::Both)) => {
            return event.paths.iter().zip([FileChange::Gone, FileChange::PutThere]).collect();
        }
        _ => FileChange::Other,
    };
    event.paths.iter().map(|path| (path, change)).collect()
}

#[cfg(test)]
mod tests;
