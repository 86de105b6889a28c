//! The running total of every account, by the account's index, in pages that copies of a ledger share until one of
//! them changes something on a page. What was never changed takes no memory.

use std::sync::Arc;

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
