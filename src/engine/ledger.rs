//! The order accounts: which product each belongs to, and its running total.
//!
//! A copy costs next to nothing, however many products there are: accounts and pages of totals are shared until one of
//! the copies changes something. A world of its own, or a snapshot, holds only the difference.

use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;

use super::event::{Event, EventKind, Refusal};
use crate::scenario::{MAX_TOTAL, Product};

/// Whose account it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) category: Arc<str>,
    /// The seed total that the running total started from.
    pub(super) seed_total: i64,
    /// Whether the scenario declares the product; otherwise it was added at run time.
    pub(super) declared: bool,
    /// The product, if its frames are its own.
    pub(super) product: Option<Arc<Product>>,
}

/// The order account of one product.
#[derive(Debug, Clone, Copy)]
pub(super) struct AccountView<'a> {
    pub(super) account: &'a Account,
    pub(super) total: i64,
    /// The sequence number of the last change, 0 if there was none.
    pub(super) changed: u64,
}

/// All accounts: the declared ones in declared order, then the others as they came.
#[derive(Debug, Clone, Default)]
pub(super) struct Ledger {
    accounts: Arc<IndexMap<Arc<str>, Account>>,
    totals: Totals,
    /// Counts how often accounts came or went, so that who keeps an index knows when it is stale.
    generation: u64,
}

/// The accounts of a new ledger, each with its total and the number of its last change.
#[derive(Debug, Default)]
pub(super) struct Rebuild {
    accounts: IndexMap<Arc<str>, Account>,
    totals: Totals,
}

impl Rebuild {
    pub(super) fn add(&mut self, id: Arc<str>, account: Account, total: i64, changed: u64) {
        let moved = (total != account.seed_total || changed > 0).then_some(Running { total, changed });
        let (index, _) = self.accounts.insert_full(id, account);
        if moved.is_some() {
            self.totals.set(index, moved);
        }
    }

    pub(super) fn has(&self, id: &str) -> bool {
        self.accounts.contains_key(id)
    }
}

impl Ledger {
    /// The accounts of one ledger with the totals that have moved in another, where the id is `kept`.
    pub(super) fn carried_over(accounts: &Self, totals: &Self, kept: impl Fn(&str) -> bool) -> Self {
        let mut carried =
            Self { accounts: accounts.accounts.clone(), totals: Totals::default(), generation: totals.generation + 1 };
        for (id, AccountView { total, changed, .. }) in totals.moved() {
            if let Some(index) = carried.index_of(id).filter(|_| kept(id)) {
                carried.totals.set(index, Some(Running { total, changed }));
            }
        }
        carried
    }

    /// Whether the accounts are those of another ledger, and none came or went since.
    pub(super) fn shares_accounts_with(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.accounts, &other.accounts)
    }

    pub(super) fn get(&self, id: &str) -> Option<AccountView<'_>> {
        let (index, _, account) = self.accounts.get_full(id)?;
        Some(self.account(index, account))
    }

    pub(super) fn id_at(&self, index: usize) -> Option<&Arc<str>> {
        self.accounts.get_index(index).map(|(id, _)| id)
    }

    pub(super) fn index_of(&self, id: &str) -> Option<usize> {
        self.accounts.get_index_of(id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Arc<str>, AccountView<'_>)> {
        self.accounts.iter().enumerate().map(|(index, (id, account))| (id, self.account(index, account)))
    }

    /// Those whose total was ever changed.
    pub(super) fn moved(&self) -> impl Iterator<Item = (&Arc<str>, AccountView<'_>)> {
        self.totals.iter().filter_map(|(index, Running { total, changed })| {
            let (id, account) = self.accounts.get_index(index)?;
            Some((id, AccountView { account, total, changed }))
        })
    }

    pub(super) fn len(&self) -> usize {
        self.accounts.len()
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    pub(super) fn insert(&mut self, id: Arc<str>, account: Account) {
        Arc::make_mut(&mut self.accounts).insert(id, account);
        self.generation += 1;
    }

    pub(super) fn remove(&mut self, id: &str) -> Option<Account> {
        let (index, _, account) = Arc::make_mut(&mut self.accounts).shift_remove_full(id)?;
        self.totals.remove(index);
        self.generation += 1;
        Some(account)
    }

    /// Replaces all accounts.
    pub(super) fn replace_all(&mut self, Rebuild { accounts, totals }: Rebuild) {
        self.accounts = Arc::new(accounts);
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
    pub(super) fn change(&mut self, id: &str, entry: TotalChange, sequence: u64) -> Result<ChangedTotal<'_>, Refusal> {
        let Some((index, id, account)) = self.accounts.get_full(id) else {
            return Err(Refusal::UnknownProduct(id.into()));
        };
        let before = self.totals.get(index);
        let current = before.map_or(account.seed_total, |running| running.total);
        let total = match entry {
            TotalChange::Add(amount) => current.checked_add(amount),
            TotalChange::Set(total) => Some(total),
        };
        let in_range = total.filter(|total| (-MAX_TOTAL..=MAX_TOTAL).contains(total));
        let total = in_range.ok_or_else(|| Refusal::OutOfRange { id: id.clone(), total: current })?;
        self.totals.set(index, Some(Running { total, changed: sequence }));
        Ok(ChangedTotal { id, account, total, applied: Applied { index, before } })
    }

    /// Reverts a change, the last one that was not reverted.
    pub(super) fn revert(&mut self, Applied { index, before }: Applied) {
        self.totals.set(index, before);
    }

    fn account<'a>(&self, index: usize, account: &'a Account) -> AccountView<'a> {
        let Running { total, changed } =
            self.totals.get(index).unwrap_or(Running { total: account.seed_total, changed: 0 });
        AccountView { account, total, changed }
    }
}

/// A total that was changed.
pub(super) struct ChangedTotal<'a> {
    id: &'a Arc<str>,
    account: &'a Account,
    total: i64,
    pub(super) applied: Applied,
}

impl ChangedTotal<'_> {
    /// The change as the event of that number.
    pub(super) fn event(&self, sequence: u64, at: Duration) -> Event {
        let (id, category) = (self.id.clone(), self.account.category.clone());
        let product = self.account.product.clone();
        Event { sequence, at, kind: EventKind::Total { id, category, total: self.total, product } }
    }
}

/// What a total was before a change, to revert it.
pub(super) struct Applied {
    index: usize,
    before: Option<Running>,
}

/// How a total changes.
#[derive(Debug, Clone, Copy)]
pub(super) enum TotalChange {
    Add(i64),
    Set(i64),
}

/// Totals of a page: 1 KiB.
const PAGE: usize = 64;

/// One account's total, once it has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Running {
    pub(super) total: i64,
    /// The sequence number of the last change.
    pub(super) changed: u64,
}

type Page = [Option<Running>; PAGE];

/// The running total of every account by its index, in pages that copies share until one of them writes to a page. An
/// account whose total never changed takes no memory.
#[derive(Debug, Clone, Default)]
pub(super) struct Totals {
    /// As many as the highest changed index asks for.
    pages: Vec<Option<Arc<Page>>>,
}

impl Totals {
    /// The total of that account; `None` if it never changed.
    pub(super) fn get(&self, index: usize) -> Option<Running> {
        self.pages.get(index / PAGE)?.as_ref()?[index % PAGE]
    }

    pub(super) fn set(&mut self, index: usize, running: Option<Running>) {
        let at = index / PAGE;
        if at >= self.pages.len() {
            self.pages.resize_with(at + 1, Option::default);
        }
        let page = self.pages[at].get_or_insert_with(|| Arc::new([None; PAGE]));
        Arc::make_mut(page)[index % PAGE] = running;
    }

    /// Those that changed, by index.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, Running)> {
        let pages = self.pages.iter().enumerate().filter_map(|(at, page)| Some((at, page.as_ref()?)));
        pages.flat_map(|(at, page)| {
            page.iter().enumerate().filter_map(move |(offset, running)| Some((at * PAGE + offset, (*running)?)))
        })
    }

    /// Takes out an account; those after it move up by one.
    pub(super) fn remove(&mut self, index: usize) {
        let last = self.pages.len() * PAGE;
        for at in index..last {
            let next = self.get(at + 1);
            if next != self.get(at) {
                self.set(at, next);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{PAGE, Running, Totals};

    fn running(total: i64) -> Running {
        Running { total, changed: 1 }
    }

    #[test]
    fn a_copy_keeps_its_totals_when_the_other_changes() {
        let mut one = Totals::default();
        one.set(PAGE + 3, Some(running(7)));
        let two = one.clone();
        one.set(PAGE + 3, Some(running(8)));
        one.set(0, Some(running(1)));
        assert_eq!((two.get(PAGE + 3), two.get(0)), (Some(running(7)), None));
        assert_eq!(one.iter().map(|(index, one)| (index, one.total)).collect::<Vec<_>>(), [(0, 1), (PAGE + 3, 8)]);
    }

    #[test]
    fn what_stands_after_a_removed_account_moves_up_across_pages() {
        let mut totals = Totals::default();
        for index in 0..2 * PAGE {
            totals.set(index, Some(running(i64::try_from(index).unwrap_or_default())));
        }
        totals.remove(PAGE - 1);
        assert_eq!((totals.get(PAGE - 2), totals.get(PAGE - 1)), (Some(running(62)), Some(running(64))));
        assert_eq!((totals.get(2 * PAGE - 2), totals.get(2 * PAGE - 1)), (Some(running(127)), None));
    }
}
