//! The ids that collections give to rows which come without one.

use std::sync::Arc;

use super::{RowSet, highest_number};
use crate::engine::RandomStream;
use crate::scenario::{IdScheme, Row, row_number};
use crate::streams::uuid;

/// The words of 32 bits that a UUID takes.
const UUID_WORDS: u64 = 4;

/// An id that a collection makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::engine) struct NewId {
    id: Arc<str>,
    /// Whether the API writes it as a number.
    is_number: bool,
    /// How many UUIDs the collection has drawn then.
    pub(in crate::engine) uuids: u64,
}

impl NewId {
    /// The row with this id.
    pub(in crate::engine) fn given_to(&self, row: &Row) -> Row {
        row.with_id(self.id.clone()).with_number_id(self.is_number)
    }
}

impl RowSet {
    /// The same collection, to give ids to declared rows: behind those that another gave, and those of these rows.
    pub(in crate::engine) fn numbering<'r>(&self, other: &Self, rows: impl IntoIterator<Item = &'r Arc<Row>>) -> Self {
        let highest = highest_number(self.prefix(), rows).max(other.highest);
        Self { highest, uuids: other.uuids, ..self.clone() }
    }

    /// A declared row with an id that is not taken: that of the start if it can be, else the next one.
    pub(in crate::engine) fn numbered(
        &mut self,
        row: &Arc<Row>,
        seed: u64,
        is_taken: impl Fn(&str) -> bool,
    ) -> Arc<Row> {
        let row = if is_taken(row.id()) {
            let id = self.new_id(seed, is_taken);
            self.uuids = id.uuids;
            Arc::new(id.given_to(row))
        } else {
            row.clone()
        };
        self.highest = self.highest.max(row_number(self.prefix(), row.id()).unwrap_or_default());
        row
    }

    /// The next id of this collection that is not taken.
    pub(in crate::engine) fn new_id(&self, seed: u64, is_taken: impl Fn(&str) -> bool) -> NewId {
        match self.declared.ids() {
            IdScheme::Numbered => {
                let mut ids = (self.highest.saturating_add(1)..).map(|number| format!("{}{number}", self.prefix()));
                // Numbers end at 2^64, which is more than there can be rows.
                let id = ids.find(|id| !is_taken(id)).unwrap_or_else(|| self.prefix().to_owned());
                NewId { id: id.into(), is_number: self.prefix().is_empty(), uuids: self.uuids }
            }
            IdScheme::Uuid => {
                let key = format!("data/{}", self.declared.name());
                let mut stream = RandomStream::named_at(seed, &key, self.uuids.saturating_mul(UUID_WORDS));
                let mut uuids = self.uuids;
                loop {
                    let id = uuid(stream.word(), stream.word());
                    uuids += 1;
                    if !is_taken(&id) {
                        return NewId { id: id.into(), is_number: false, uuids };
                    }
                }
            }
        }
    }
}
