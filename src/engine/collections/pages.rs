//! Ordered rows, in pages that copies share until one of them changes a row in the page.
//!
//! Each row has a place, a number that never changes. Places ascend in row order: declared rows come first, and an
//! added row gets a place after all others.

use std::sync::{Arc, OnceLock};

use rpds::HashTrieMapSync;
use serde::ser::{Serialize, Serializer};

use crate::scenario::Row;

/// The number of low bits of a place that select a row within its page.
const SLOT_BITS: u32 = 8;

/// The maximum number of rows in a page.
const PAGE: usize = 1 << SLOT_BITS;

/// Rows in order: declared ones, then added ones. Cloning is cheap, and so is changing one of many rows.
///
/// Serialises as a JSON array.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    /// The pages with their numbers, in ascending order. No page is empty.
    pages: Arc<Vec<(u64, Arc<Page>)>>,
    len: usize,
    /// The first place for added rows.
    first_added: u64,
    /// Places by id. Built by the first search if there are several pages.
    index: OnceLock<HashTrieMapSync<Arc<str>, u64>>,
}

/// Rows with neighbouring places.
#[derive(Debug, Clone, Default)]
struct Page {
    /// The low bits of the rows' places, in ascending order.
    slots: Vec<u8>,
    rows: Vec<Arc<Row>>,
}

impl Rows {
    /// Creates rows from declared ones and those added at run time.
    pub(in crate::engine) fn new(declared: Vec<Arc<Row>>, added: Vec<Arc<Row>>) -> Self {
        let first_added = declared.len() as u64;
        let len = declared.len() + added.len();
        let (mut pages, mut page) = (Vec::with_capacity(len.div_ceil(PAGE)), Page::default());
        for row in declared.into_iter().chain(added) {
            page.push(row);
            if page.rows.len() == PAGE {
                pages.push((pages.len() as u64, Arc::new(std::mem::take(&mut page))));
            }
        }
        if !page.rows.is_empty() {
            pages.push((pages.len() as u64, Arc::new(page)));
        }
        Self { pages: Arc::new(pages), len, first_added, index: OnceLock::new() }
    }

    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Iterates over the rows in order. Skipping many of them is cheap.
    #[must_use]
    pub fn iter(&self) -> RowIter<'_> {
        RowIter { pages: self.pages.iter(), page: [].iter(), left: self.len }
    }

    /// The row at `index`.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&Arc<Row>> {
        self.iter().nth(index)
    }

    /// The last row.
    #[must_use]
    pub fn last(&self) -> Option<&Arc<Row>> {
        self.pages.last()?.1.rows.last()
    }

    /// Returns the row with this id.
    #[must_use]
    pub fn by_id(&self, id: &str) -> Option<&Arc<Row>> {
        let (page, at) = self.at(self.place(id)?)?;
        self.pages[page].1.rows.get(at)
    }

    /// Whether a row has this id and continues a declared one.
    pub(in crate::engine) fn is_declared(&self, id: &str) -> bool {
        self.place(id).is_some_and(|place| place < self.first_added)
    }

    /// Iterates over the rows that continue declared ones, in order.
    pub(in crate::engine) fn declared(&self) -> impl Iterator<Item = &Arc<Row>> {
        self.iter().take(self.declared_len())
    }

    /// Iterates over the rows that were added at run time, in order.
    pub(in crate::engine) fn added(&self) -> impl Iterator<Item = &Arc<Row>> {
        self.iter().skip(self.declared_len())
    }

    fn declared_len(&self) -> usize {
        let declared = |(number, page): &(u64, Arc<Page>)| {
            let slots = self.first_added.saturating_sub(number << SLOT_BITS);
            page.slots.partition_point(|slot| u64::from(*slot) < slots)
        };
        self.pages.iter().map(declared).sum()
    }

    /// Whether one is a clone of the other and no row was added, removed or changed since.
    pub(in crate::engine) fn shares_all_with(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.pages, &other.pages)
    }

    /// Appends a row. Its id must not be in use.
    pub(super) fn push(&mut self, row: Arc<Row>) {
        let place = self.next_place();
        if let Some(index) = self.index.get_mut() {
            index.insert_mut(row.id().clone(), place);
        }
        let pages = Arc::make_mut(&mut self.pages);
        let (number, slot) = (place >> SLOT_BITS, slot(place));
        if pages.last().is_none_or(|(last, _)| *last != number) {
            pages.push((number, Arc::default()));
        }
        if let Some((_, page)) = pages.last_mut() {
            let page = Arc::make_mut(page);
            page.slots.push(slot);
            page.rows.push(row);
        }
        self.len += 1;
    }

    /// Replaces the row with the same id and returns the previous one.
    pub(super) fn replace(&mut self, row: Arc<Row>) -> Option<Arc<Row>> {
        let (page, at) = self.at(self.place(row.id())?)?;
        let page = Arc::make_mut(&mut Arc::make_mut(&mut self.pages)[page].1);
        Some(std::mem::replace(&mut page.rows[at], row))
    }

    /// Removes the row with this id and returns it.
    pub(super) fn remove(&mut self, id: &str) -> Option<Arc<Row>> {
        let (page, at) = self.at(self.place(id)?)?;
        if let Some(index) = self.index.get_mut() {
            index.remove_mut(id);
        }
        self.len -= 1;
        let pages = Arc::make_mut(&mut self.pages);
        if pages[page].1.rows.len() == 1 {
            return pages.remove(page).1.rows.first().cloned();
        }
        let page = Arc::make_mut(&mut pages[page].1);
        page.slots.remove(at);
        Some(page.rows.remove(at))
    }

    /// The place after all rows.
    fn next_place(&self) -> u64 {
        let after_last = |(number, page): &(u64, Arc<Page>)| {
            page.slots.last().map_or(0, |slot| (number << SLOT_BITS | u64::from(*slot)) + 1)
        };
        self.pages.last().map_or(0, after_last).max(self.first_added)
    }

    fn place(&self, id: &str) -> Option<u64> {
        match &**self.pages {
            [] => None,
            [(number, page)] => {
                let at = page.rows.iter().position(|row| &**row.id() == id)?;
                Some(number << SLOT_BITS | u64::from(page.slots[at]))
            }
            _ => self.index.get_or_init(|| self.places().collect()).get(id).copied(),
        }
    }

    fn places(&self) -> impl Iterator<Item = (Arc<str>, u64)> {
        self.pages.iter().flat_map(|(number, page)| {
            let place = move |slot: &u8| number << SLOT_BITS | u64::from(*slot);
            page.rows.iter().zip(&page.slots).map(move |(row, slot)| (row.id().clone(), place(slot)))
        })
    }

    /// The index of a place's page, and of its row within the page.
    fn at(&self, place: u64) -> Option<(usize, usize)> {
        let page = self.pages.binary_search_by_key(&(place >> SLOT_BITS), |(number, _)| *number).ok()?;
        let at = self.pages[page].1.slots.binary_search(&slot(place)).ok()?;
        Some((page, at))
    }
}

/// The low bits of a place.
fn slot(place: u64) -> u8 {
    place.to_le_bytes()[0]
}

impl Page {
    /// Appends a row to a page without gaps.
    fn push(&mut self, row: Arc<Row>) {
        self.slots.push(slot(self.rows.len() as u64));
        self.rows.push(row);
    }
}

impl Serialize for Rows {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self)
    }
}

impl<'r> IntoIterator for &'r Rows {
    type Item = &'r Arc<Row>;
    type IntoIter = RowIter<'r>;

    fn into_iter(self) -> RowIter<'r> {
        self.iter()
    }
}

/// An iterator over rows in order. Skipping many of them is cheap.
#[derive(Debug, Clone)]
pub struct RowIter<'r> {
    pages: std::slice::Iter<'r, (u64, Arc<Page>)>,
    page: std::slice::Iter<'r, Arc<Row>>,
    left: usize,
}

impl<'r> Iterator for RowIter<'r> {
    type Item = &'r Arc<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        self.nth(0)
    }

    fn nth(&mut self, mut skipped: usize) -> Option<Self::Item> {
        self.left = self.left.saturating_sub(skipped.saturating_add(1));
        loop {
            let here = self.page.len();
            if skipped < here {
                return self.page.nth(skipped);
            }
            skipped -= here;
            self.page = self.pages.next().map(|(_, page)| page.rows.iter())?;
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for RowIter<'_> {}

#[cfg(test)]
mod tests;
