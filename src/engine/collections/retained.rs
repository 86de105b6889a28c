//! Collections without counters that a reload takes away, and brings back.

use super::RowSet;
use crate::engine::digest::Digest;
use crate::engine::retained::DataContent;

impl RowSet {
    /// What has become of it, and the digest of what was declared; `None` if it is as at the start.
    pub(in crate::engine) fn retained(&self) -> Option<(Digest, DataContent)> {
        let Self { highest, uuids, .. } = *self;
        let is_as_at_start = self.is_as_declared() && !self.has_kept_ids();
        if is_as_at_start && highest == self.declared_highest() && uuids == 0 {
            return None;
        }
        let (declared, added) = (self.rows.declared().cloned().collect(), self.rows.added().cloned().collect());
        let ids = self.kept_ids();
        Some((self.declared_digest(), DataContent::Rows { ids, declared, added, highest, uuids }))
    }

    /// The digest of the rows that the scenario declares.
    pub(in crate::engine) fn declared_digest(&self) -> Digest {
        Digest::of_rows(&self.declared)
    }

    /// The collection, which is as at the start, as it was when it was retained.
    pub(in crate::engine) fn recalled(&self, content: DataContent) -> Option<Self> {
        let DataContent::Rows { ids, declared, added, highest, uuids } = content else { return None };
        Some(Self { highest, uuids, ..self.with_kept_ids(ids)?.with_rows(declared, added) })
    }
}
