//! The order accounts: whose they are, and their running totals.
//!
//! A copy costs next to nothing, whatever the number of products: both halves are shared until one of the copies
//! changes something. So a world of its own, or a snapshot, holds only what differs.

use std::sync::Arc;

use indexmap::IndexMap;

use super::event::Refusal;
use super::totals::{Running, Totals};
use crate::scenario::MAX_TOTAL;

/// Whose account it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Holder {
    pub(super) category: Arc<str>,
    /// The seed total that the running total started from.
    pub(super) seed_total: i64,
    /// Whether the scenario declares the product; otherwise it was added at run time.
    pub(super) declared: bool,
}

/// The order account of one product.
#[derive(Debug, Clone, Copy)]
pub(super) struct Account<'a> {
    pub(super) holder: &'a Holder,
    pub(super) total: i64,
    /// The sequence number of the last change, 0 if there was none.
    pub(super) changed: u64,
}

/// All accounts: the declared ones in declared order, then the others as they came.
#[derive(Debug, Clone, Default)]
pub(super) struct Ledger {
    holders: Arc<IndexMap<Arc<str>, Holder>>,
    totals: Totals,
    /// Counts how often accounts came or went, so that who keeps an index knows when it is stale.
    generation: u64,
}

/// The accounts of a new ledger, each with its total and the number of its last change.
#[derive(Debug, Default)]
pub(super) struct Opening {
    holders: IndexMap<Arc<str>, Holder>,
    totals: Totals,
}

impl Opening {
    pub(super) fn add(&mut self, id: Arc<str>, holder: Holder, total: i64, changed: u64) {
        let moved = (total != holder.seed_total || changed > 0).then_some(Running { total, changed });
        let (index, _) = self.holders.insert_full(id, holder);
        if moved.is_some() {
            self.totals.set(index, moved);
        }
    }

    pub(super) fn has(&self, id: &str) -> bool {
        self.holders.contains_key(id)
    }
}

impl Ledger {
    /// The accounts of one ledger with the totals that have moved in another.
    pub(super) fn carried_over(accounts: &Self, totals: &Self) -> Self {
        let mut carried =
            Self { holders: accounts.holders.clone(), totals: Totals::default(), generation: totals.generation + 1 };
        for (id, Account { total, changed, .. }) in totals.moved() {
            if let Some(index) = carried.index_of(id) {
                carried.totals.set(index, Some(Running { total, changed }));
            }
        }
        carried
    }

    /// Whether the accounts are those of another ledger, and none came or went since.
    pub(super) fn has_holders_of(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.holders, &other.holders)
    }

    pub(super) fn get(&self, id: &str) -> Option<Account<'_>> {
        let (index, _, holder) = self.holders.get_full(id)?;
        Some(self.account(index, holder))
    }

    pub(super) fn id_at(&self, index: usize) -> Option<&Arc<str>> {
        self.holders.get_index(index).map(|(id, _)| id)
    }

    pub(super) fn index_of(&self, id: &str) -> Option<usize> {
        self.holders.get_index_of(id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Arc<str>, Account<'_>)> {
        self.holders.iter().enumerate().map(|(index, (id, holder))| (id, self.account(index, holder)))
    }

    /// Those whose total was ever changed.
    pub(super) fn moved(&self) -> impl Iterator<Item = (&Arc<str>, Account<'_>)> {
        self.totals.iter().filter_map(|(index, Running { total, changed })| {
            let (id, holder) = self.holders.get_index(index)?;
            Some((id, Account { holder, total, changed }))
        })
    }

    pub(super) fn len(&self) -> usize {
        self.holders.len()
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    pub(super) fn open(&mut self, id: Arc<str>, holder: Holder) {
        Arc::make_mut(&mut self.holders).insert(id, holder);
        self.generation += 1;
    }

    pub(super) fn close(&mut self, id: &str) -> Option<Holder> {
        let (index, _, holder) = Arc::make_mut(&mut self.holders).shift_remove_full(id)?;
        self.totals.remove(index);
        self.generation += 1;
        Some(holder)
    }

    /// Replaces all accounts.
    pub(super) fn renew(&mut self, Opening { holders, totals }: Opening) {
        self.holders = Arc::new(holders);
        self.totals = totals;
        self.generation += 1;
    }

    /// Puts a total and the number of its last change to what they were elsewhere; `None` if there is no such account.
    pub(super) fn put(&mut self, id: &str, running: Running) -> Option<()> {
        let index = self.index_of(id)?;
        self.totals.set(index, Some(running));
        Some(())
    }

    /// Adds to a total, or puts it to a value, under the sequence number of that change.
    pub(super) fn post(&mut self, id: &str, entry: Entry, sequence: u64) -> Result<Posted<'_>, Refusal> {
        let Some((index, id, holder)) = self.holders.get_full(id) else {
            return Err(Refusal::UnknownProduct(id.into()));
        };
        let before = self.totals.get(index);
        let current = before.map_or(holder.seed_total, |running| running.total);
        let total = match entry {
            Entry::Add(amount) => current.checked_add(amount),
            Entry::Set(total) => Some(total),
        };
        let in_range = total.filter(|total| (-MAX_TOTAL..=MAX_TOTAL).contains(total));
        let total = in_range.ok_or_else(|| Refusal::OutOfRange { id: id.clone(), total: current })?;
        self.totals.set(index, Some(Running { total, changed: sequence }));
        Ok(Posted { id, holder, total, undo: Undo { index, before } })
    }

    /// Takes back a change, which has to be the last that was not taken back.
    pub(super) fn undo(&mut self, Undo { index, before }: Undo) {
        self.totals.set(index, before);
    }

    fn account<'a>(&self, index: usize, holder: &'a Holder) -> Account<'a> {
        let Running { total, changed } =
            self.totals.get(index).unwrap_or(Running { total: holder.seed_total, changed: 0 });
        Account { holder, total, changed }
    }
}

/// What a change did.
pub(super) struct Posted<'a> {
    pub(super) id: &'a Arc<str>,
    pub(super) holder: &'a Holder,
    pub(super) total: i64,
    pub(super) undo: Undo,
}

/// What an account was before a change.
pub(super) struct Undo {
    index: usize,
    before: Option<Running>,
}

/// How a total changes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Entry {
    Add(i64),
    Set(i64),
}
