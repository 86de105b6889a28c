//! The running order totals.

use std::sync::Arc;

use indexmap::IndexMap;

use super::event::Refusal;
use crate::scenario::MAX_TOTAL;

/// The order account of one product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) category: Arc<str>,
    pub(super) total: i64,
    /// The seed total that the running total started from.
    pub(super) seed_total: i64,
    /// Whether the scenario declares the product; otherwise it was added at run time.
    pub(super) declared: bool,
    /// The sequence number of the last change, 0 if there was none.
    pub(super) changed: u64,
}

/// All accounts: the declared ones in declared order, then the others as they came.
#[derive(Debug, Clone, Default)]
pub(super) struct Ledger {
    accounts: IndexMap<Arc<str>, Account>,
    /// Counts how often accounts came or went, so that who keeps an index knows when it is stale.
    generation: u64,
}

impl Ledger {
    pub(super) fn get(&self, id: &str) -> Option<&Account> {
        self.accounts.get(id)
    }

    pub(super) fn at(&self, index: usize) -> Option<(&Arc<str>, &Account)> {
        self.accounts.get_index(index)
    }

    pub(super) fn index_of(&self, id: &str) -> Option<usize> {
        self.accounts.get_index_of(id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Account)> {
        self.accounts.iter()
    }

    pub(super) fn len(&self) -> usize {
        self.accounts.len()
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    pub(super) fn open(&mut self, id: Arc<str>, account: Account) {
        self.accounts.insert(id, account);
        self.generation += 1;
    }

    pub(super) fn close(&mut self, id: &str) -> Option<Account> {
        let account = self.accounts.shift_remove(id)?;
        self.generation += 1;
        Some(account)
    }

    /// Replaces all accounts.
    pub(super) fn renew(&mut self, accounts: IndexMap<Arc<str>, Account>) {
        self.accounts = accounts;
        self.generation += 1;
    }

    /// Adds to a total, or puts it to a value, under the sequence number of that change.
    pub(super) fn post(&mut self, id: &str, entry: Entry, sequence: u64) -> Result<(Arc<str>, &Account), Refusal> {
        let Some((_, id, account)) = self.accounts.get_full_mut(id) else {
            return Err(Refusal::UnknownProduct(id.into()));
        };
        let total = match entry {
            Entry::Add(amount) => account.total.checked_add(amount),
            Entry::Set(total) => Some(total),
        };
        match total.filter(|total| (-MAX_TOTAL..=MAX_TOTAL).contains(total)) {
            Some(total) => account.total = total,
            None => return Err(Refusal::OutOfRange { id: id.clone(), total: account.total }),
        }
        account.changed = sequence;
        Ok((id.clone(), account))
    }
}

/// How a total changes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Entry {
    Add(i64),
    Set(i64),
}
