//! Moments of a world that can be gone back to.

use std::sync::Arc;
use std::time::Duration;

use super::SnapshotError;
use super::play::Play;
use super::transcript::Transcript;
use crate::engine::Engine;

/// Snapshots that a world keeps at the most.
pub const MAX_SNAPSHOTS: usize = 100;

/// A moment that can be gone back to.
pub(super) struct Saved {
    pub(super) engine: Engine,
    pub(super) transcript: Transcript,
}

impl Play {
    pub(super) fn save(&mut self, name: String) -> Result<(), SnapshotError> {
        if self.snapshots.len() >= MAX_SNAPSHOTS && !self.snapshots.contains_key(&name) {
            return Err(SnapshotError::TooMany);
        }
        let saved = Saved { engine: self.engine.clone(), transcript: self.transcript.clone() };
        self.snapshots.insert(name, saved);
        Ok(())
    }

    /// Goes back to a snapshot: time too, but a paused clock stays paused and a running one goes on.
    pub(super) fn restore(&mut self, name: &str) -> Result<(), SnapshotError> {
        let saved = self.snapshots.get(name).ok_or_else(|| SnapshotError::Unknown(name.to_owned()))?;
        let before = self.engine.scenario().clone();
        (self.engine, self.transcript) = (saved.engine.clone(), saved.transcript.clone());
        if !Arc::ptr_eq(self.engine.scenario(), &before) {
            // The file was saved since; what was restored follows it as if it had been there.
            let reload = self.engine.replace(&before, self.start.seed());
            self.transcript.extend(&reload.events);
        }
        let pace = self.held.take().unwrap_or_else(|| self.shared.clock.pace());
        self.shared.clock.set(self.engine.now(), pace);
        self.begin_anew();
        Ok(())
    }

    pub(super) fn forget(&mut self, name: &str) -> Result<(), SnapshotError> {
        self.snapshots.remove(name).map(drop).ok_or_else(|| SnapshotError::Unknown(name.to_owned()))
    }

    /// Names and times of the snapshots.
    pub(super) fn saved(&self) -> Vec<(String, Duration)> {
        self.snapshots.iter().map(|(name, saved)| (name.clone(), saved.engine.now())).collect()
    }
}
