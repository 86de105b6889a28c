//! Digests of declarations. They identify retained state once no running scenario contains the declaration.

use std::io;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::scenario::{Action, Collection, Row, Script, Step};

/// A 128-bit digest of a declaration, equal for equal declarations on every platform. (The first half of SHA-256, FIPS
/// 180-4.)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Digest(u64, u64);

impl Digest {
    /// Digests a serialisable declaration.
    pub(super) fn of(kind: &str, declared: &impl Serialize) -> Self {
        let mut hash = JsonHasher::default();
        hash.add(&(kind, declared));
        hash.finish()
    }

    /// Digests everything except the id.
    pub(super) fn of_row(row: &Row) -> Self {
        Self::of("product", &row.content())
    }

    /// Digests the rows of a collection, ignoring generated ids.
    pub(super) fn of_rows(collection: &Collection) -> Self {
        let mut hash = JsonHasher::default();
        hash.add(&"rows");
        for row in collection.rows() {
            let id = (!row.has_assigned_id()).then(|| (row.id(), row.has_number_id()));
            hash.add(&(id, row.content()));
        }
        hash.finish()
    }

    pub(super) fn of_script(script: &Script) -> Self {
        let mut hash = JsonHasher::default();
        hash.add(&("script", script.name(), script.start(), script.repeat()));
        for Step { at, times, every, action } in script.steps() {
            hash.add(&(at, times, every));
            match action {
                Action::Count { row, amount } => hash.add(&("order", row, amount)),
                Action::Set { row, value } => hash.add(&("set", row, value)),
                Action::Add(new) => {
                    hash.add(&("add", &new.collection, new.has_id, new.row.id(), new.row.content()));
                }
                Action::Remove { row } => hash.add(&("remove", row)),
                Action::Fault(fault) => hash.add(&("fault", fault)),
            }
        }
        hash.finish()
    }
}

/// A hasher for a sequence of JSON values.
#[derive(Default)]
struct JsonHasher(Sha256);

impl JsonHasher {
    fn add(&mut self, value: &impl Serialize) {
        // Numbers, strings and maps with string keys always serialise, and hashing cannot fail.
        let _ = serde_json::to_writer(&mut *self, value);
    }

    fn finish(self) -> Digest {
        let bytes = self.0.finalize();
        let half = |from: usize| bytes[from..from + 8].iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        Digest(half(0), half(8))
    }
}

impl io::Write for JsonHasher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
