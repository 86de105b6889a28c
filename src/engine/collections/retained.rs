//! Collections without counters that a reload removes and a later one restores.

use super::RowSet;
use crate::engine::digest::Digest;
use crate::engine::retained::DataContent;

impl RowSet {
    /// Returns the digest of the declaration and the current content; `None` if the collection is as at the start.
    pub(in crate::engine) fn retained(&self) -> Option<(Digest, DataContent)> {
        let Self { highest, uuids, .. } = *self;
        let is_initial = self.is_as_declared() && !self.has_kept_ids();
        if is_initial && highest == self.declared_highest() && uuids == 0 {
            return None;
        }
        let (declared, added) = (self.rows.declared().cloned().collect(), self.rows.added().cloned().collect());
        let ids = self.kept_ids();
        Some((self.declared_digest(), DataContent::Rows { ids, declared, added, highest, uuids }))
    }

    /// The digest of the declared rows.
    pub(in crate::engine) fn declared_digest(&self) -> Digest {
        Digest::of_rows(&self.declared)
    }

    /// Restores retained content into this collection, which is as at the start.
    pub(in crate::engine) fn recalled(&self, content: DataContent) -> Option<Self> {
        let DataContent::Rows { ids, declared, added, highest, uuids } = content else { return None };
        Some(Self { highest, uuids, ..self.with_kept_ids(ids)?.with_rows(declared, added) })
    }
}
