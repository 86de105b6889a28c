//! Lists of rows by query parameters, as in json-server: filters, search, order and pages.
//!
//! | parameter | lists |
//! |---|---|
//! | `field=v`, `a.b=v` | the rows whose field, as text, has this value; for a list, one of its items |
//! | `field:eq=` `:ne=` `:lt=` `:lte=` `:gt=` `:gte=` | … is equal, not equal, less, at most, greater, at least: compared as numbers if both are, otherwise as text |
//! | `field:in=a,b` | … is one of these |
//! | `field:contains=` `:like=` `:startsWith=` `:endsWith=` | … is text that contains, starts or ends with this, ignoring case; `like` is `contains` |
//! | `field_ne=` `_lt=` `_lte=` `_gt=` `_gte=` `_like=` | older forms; `_like` is `contains` |
//! | `q=text` | the rows with text that contains this, ignoring case |
//! | `_sort=-a,b`, `_order=desc,asc` | in this order; `-` or `desc` for descending |
//! | `_page=2`, `_per_page=20` or `_limit=20` | a page |
//! | `_start=20`, `_end=30` or `_limit=10` | a range |
//!
//! Any other parameter is a filter on the field with its name. A row without the field never matches, so a misspelt
//! name lists no rows; [`ListQuery::notes`] reports it. If a parameter is repeated, one of its values must match, or
//! for `ne` all of them.

mod filter;
mod notes;
mod order;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::Arc;

use form_urlencoded::byte_serialize;
use indexmap::IndexMap;
use serde_json::{Map, Value};
use thiserror::Error;

use self::filter::{Filter, contains};
pub use self::notes::QueryNote;
use self::order::{SortKey, sorted};
use crate::scenario::{CrudQuery, Row};

/// The default number of rows on a page.
const PER_PAGE: usize = 10;

/// The maximum number of filter values in a query.
const MAX_OPERANDS: usize = 1000;

/// The maximum number of fields to sort by.
const MAX_SORT_KEYS: usize = 10;

/// A parsed query for a collection's rows.
#[derive(Debug)]
pub struct ListQuery {
    /// The filters, by parameter.
    filters: IndexMap<String, Filter>,
    /// In lower case.
    search: Option<String>,
    sort: Vec<SortKey>,
    window: Window,
    /// Parameters of json-server that are not supported.
    unsupported: Vec<&'static str>,
}

/// The part of the matching rows that is listed.
#[derive(Debug)]
enum Window {
    All,
    /// Both from 1.
    Page {
        number: usize,
        size: usize,
    },
    Part(Range<usize>),
}

/// The rows that match a query.
#[derive(Debug)]
pub struct Listing {
    /// The rows of the page, in order.
    pub rows: Vec<Arc<Row>>,
    /// The number of matching rows on all pages.
    pub total: usize,
    /// The number of the page, from 1; 1 if the query does not ask for a page.
    pub page: usize,
    /// The page size; the number of listed rows if the query does not ask for a page.
    pub per_page: usize,
    /// The number of pages, at least 1; 1 if the query does not ask for a page.
    pub pages: usize,
    is_paged: bool,
}

/// An invalid query.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ListError {
    /// A parameter is not a number in its range.
    #[error("{parameter} must be a whole number from {least}, not `{found}`")]
    Number {
        /// The parameter's name.
        parameter: String,
        /// The smallest allowed value.
        least: usize,
        /// The value.
        found: String,
    },
    /// There are too many filters.
    #[error("a list takes at most {MAX_OPERANDS} filter values")]
    TooManyFilters,
    /// There are too many fields to sort by.
    #[error("a list is sorted by at most {MAX_SORT_KEYS} fields")]
    TooManySortKeys,
}

/// The parameters of a query as pairs. A repeated parameter is a list in the mapping.
pub fn query_pairs(query: &Map<String, Value>) -> impl Iterator<Item = (&str, &str)> {
    query.iter().flat_map(|(name, value)| {
        let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        values.iter().filter_map(move |value| Some((&**name, value.as_str()?)))
    })
}

/// The numbers in a query that select a window.
#[derive(Default)]
struct Numbers {
    page: Option<usize>,
    size: Option<usize>,
    start: Option<usize>,
    end: Option<usize>,
}

impl ListQuery {
    /// Parses the parameters of a query. `names` are the parameters for the page, its size and the order.
    ///
    /// # Errors
    /// [`ListError`] if a number is invalid, or if there are too many filter values or sort fields.
    pub fn new<'q>(
        parameters: impl IntoIterator<Item = (&'q str, &'q str)>,
        names: &CrudQuery,
    ) -> Result<Self, ListError> {
        let (mut numbers, mut search, mut sort, mut order) = (Numbers::default(), None, "", "");
        let mut filters: IndexMap<String, Filter> = IndexMap::new();
        let mut unsupported = Vec::new();
        for (name, value) in parameters {
            let number = |least| number(name, value, least).map(Some);
            match name {
                _ if name == names.page => numbers.page = number(1)?,
                _ if name == names.per_page => numbers.size = number(1)?,
                _ if name == names.sort => sort = value,
                "_limit" => numbers.size = number(1)?,
                "_start" => numbers.start = number(0)?,
                "_end" => numbers.end = number(0)?,
                "_order" => order = value,
                "q" => search = Some(value.to_lowercase()),
                "_embed" => unsupported.push("_embed"),
                "_expand" => unsupported.push("_expand"),
                // jQuery adds this to bypass caches.
                "_" => {}
                _ => filters.entry(name.to_owned()).or_insert_with(|| Filter::new(name)).add(value),
            }
        }
        if filters.values().map(Filter::operands).sum::<usize>() > MAX_OPERANDS {
            return Err(ListError::TooManyFilters);
        }
        let sort = SortKey::all(sort, order);
        if sort.len() > MAX_SORT_KEYS {
            return Err(ListError::TooManySortKeys);
        }
        unsupported.dedup();
        Ok(Self { filters, search, sort, window: numbers.window(), unsupported })
    }

    /// Lists the matching rows. Without filters, search and order, it only reads the rows of the page.
    #[must_use]
    pub fn list<'r>(&self, rows: impl ExactSizeIterator<Item = &'r Arc<Row>>) -> Listing {
        if self.filters.is_empty() && self.search.is_none() && self.sort.is_empty() {
            let total = rows.len();
            let range = self.range(total);
            return self.listing(rows.skip(range.start).take(range.len()).cloned().collect(), total);
        }
        let mut fitting: Vec<&Arc<Row>> = rows.filter(|row| self.fits(row)).collect();
        let total = fitting.len();
        let range = self.range(total);
        if !self.sort.is_empty() {
            fitting = sorted(&fitting, &self.sort, range.end);
        }
        self.listing(fitting[range].iter().copied().cloned().collect(), total)
    }

    fn fits(&self, row: &Row) -> bool {
        self.filters.values().all(|filter| filter.fits(row))
            && self.search.as_ref().is_none_or(|search| {
                let has_text_id = !row.has_number_id();
                has_text_id && contains(row.id(), search)
                    || row.fields().values().any(|value| contains_text(value, search))
            })
    }

    /// The range of rows to list, of `total` rows.
    fn range(&self, total: usize) -> Range<usize> {
        let wanted = match &self.window {
            Window::All => 0..total,
            Window::Page { number, size } => (number - 1).saturating_mul(*size)..number.saturating_mul(*size),
            Window::Part(range) => range.clone(),
        };
        let end = wanted.end.min(total);
        wanted.start.min(end)..end
    }

    fn listing(&self, rows: Vec<Arc<Row>>, total: usize) -> Listing {
        let (page, per_page, pages, is_paged) = match self.window {
            Window::Page { number, size } => (number, size, total.div_ceil(size).max(1), true),
            Window::All | Window::Part(_) => (1, rows.len(), 1, false),
        };
        Listing { rows, total, page, per_page, pages, is_paged }
    }
}

impl Numbers {
    fn window(self) -> Window {
        match self {
            Self { page: None, start: None, end: None, size: None } => Window::All,
            Self { page: None, start, end, size } if start.is_some() || end.is_some() => {
                let start = start.unwrap_or_default();
                let end = end.or_else(|| Some(start.saturating_add(size?))).unwrap_or(usize::MAX);
                Window::Part(start..end.max(start))
            }
            Self { page, size, .. } => Window::Page { number: page.unwrap_or(1), size: size.unwrap_or(PER_PAGE) },
        }
    }
}

impl Listing {
    /// The `link` header (RFC 8288) with the first, previous, next and last page, for a request with this path and
    /// query; `None` if the query does not ask for a page. `page` is the name of the page parameter.
    #[must_use]
    pub fn link(&self, url: &str, page: &str) -> Option<String> {
        let pages = [
            ("first", Some(1)),
            ("prev", Some((self.page - 1).min(self.pages)).filter(|page| *page > 0)),
            ("next", self.page.checked_add(1).filter(|page| *page <= self.pages)),
            ("last", Some(self.pages)),
        ];
        let link = |(relation, number): (_, Option<usize>)| {
            Some(format!("<{}>; rel=\"{relation}\"", with_parameter(url, page, number?)))
        };
        self.is_paged.then(|| pages.into_iter().filter_map(link).collect::<Vec<_>>().join(", "))
    }
}

/// Returns a path and query with a parameter set to `value`, and everything else unchanged.
fn with_parameter(url: &str, name: &str, value: usize) -> String {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let has_name = |pair: &str| form_urlencoded::parse(pair.as_bytes()).next().is_some_and(|(found, _)| found == name);
    let others = query.split('&').filter(|pair| !pair.is_empty() && !has_name(pair));
    let own = format!("{}={value}", byte_serialize(name.as_bytes()).collect::<String>());
    let pairs: Vec<&str> = others.chain([&*own]).collect();
    format!("{path}?{}", pairs.join("&"))
}

fn number(parameter: &str, value: &str, least: usize) -> Result<usize, ListError> {
    let number = value.parse().ok().filter(|number| *number >= least);
    number.ok_or_else(|| ListError::Number { parameter: parameter.into(), least, found: value.into() })
}

/// Whether any text in a value contains `search`, which is in lower case.
fn contains_text(value: &Value, search: &str) -> bool {
    match value {
        Value::String(text) => contains(text, search),
        Value::Array(items) => items.iter().any(|item| contains_text(item, search)),
        Value::Object(fields) => fields.values().any(|value| contains_text(value, search)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
