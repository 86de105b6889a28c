//! The shop: what `categories`, `orders` and `feed` declare, in the shop's own terms.
//!
//! [`validate`](super::validate) creates a [`Shop`] from the decoded file, and [`lower()`] turns the shop into the
//! general model: each category is a collection with routes to list and add its rows, each total is a counter, and all
//! orders share one route and one endpoint. [`Shop::of`] is the reverse. Apart from this module, only the language's
//! types, their validation and printing deal with categories, products and orders.
//!
//! A [`Scenario`](super::Scenario) keeps only the lowered form. The shop would be a second copy of the same
//! information, and with a script of a million steps it would take 80 MB. The products of a category are shared with
//! the rows of its collection.

mod lower;
mod raise;

use std::sync::Arc;
use std::time::Duration;

pub(super) use lower::lower;

use super::units::times;
use super::{Amount, Arrivals, Fault, FieldRule, NewRow, Repeat, Row};

/// The nouns for the parts of the general model in messages.
pub(crate) struct Nouns {
    pub(crate) collection: Noun,
    pub(crate) row: Noun,
    /// A change of a counter.
    pub(crate) count: Noun,
    /// The value of a counter.
    pub(crate) value: Noun,
}

/// One noun.
pub(crate) struct Noun {
    pub(crate) one: &'static str,
    pub(crate) many: &'static str,
    /// Capitalised, for the start of a sentence.
    pub(crate) title: &'static str,
}

/// The nouns of a shop, which all scenarios use so far.
pub(crate) const NOUNS: Nouns = Nouns {
    collection: Noun { one: "category", many: "categories", title: "Category" },
    row: Noun { one: "product", many: "products", title: "Product" },
    count: Noun { one: "order", many: "orders", title: "Order" },
    value: Noun { one: "total", many: "totals", title: "Total" },
};

/// A shop as its author declares it: every id is unique, every reference resolves, and every number is in range.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shop {
    /// In declared order.
    pub(super) categories: Vec<Category>,
    /// Which orders a live socket receives.
    pub(super) feed: ShopFeed,
    /// `orders.random`, in declared order.
    pub(super) generators: Vec<OrderGenerator>,
    /// `orders.scripts`, in declared order.
    pub(super) scripts: Vec<OrderScript>,
}

/// A list of products with its own path.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Category {
    /// Unique in the shop.
    pub(super) name: Arc<str>,
    /// The id prefix of products that declare no id; empty if these ids are numbers.
    pub(super) prefix: String,
    /// In declared order. Each has an id, and its total is the row's counter.
    pub(super) products: Arc<[Arc<Row>]>,
    /// The properties that a product sent by a client must have; empty if any product is accepted.
    pub(super) fields: Vec<(String, FieldRule)>,
}

/// Which orders a live socket receives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ShopFeed {
    /// The orders of every category.
    All,
    /// The orders of the category that the socket requested last.
    Category,
}

/// An independent source of random orders.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct OrderGenerator {
    /// When orders are placed.
    pub(super) arrivals: Arrivals,
    /// How much earlier or later than scheduled an order may be placed.
    pub(super) jitter: Duration,
    /// The amount that an order adds to a total.
    pub(super) amount: Amount,
    /// Which products are ordered.
    pub(super) products: OrderedProducts,
    /// When it starts. The first order follows one interval later.
    pub(super) from: Duration,
    /// When it stops. An order due at that time is still placed.
    pub(super) until: Option<Duration>,
}

/// The products of random orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum OrderedProducts {
    /// Every current product.
    All,
    /// These ids, each with the same probability.
    Ids(Vec<Arc<str>>),
    /// Every current product of the category.
    Category(Arc<str>),
    /// These ids with their weights, all above 0.
    Weights(Vec<(Arc<str>, u32)>),
}

/// A timeline of orders and changes of products.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct OrderScript {
    /// The name in messages.
    pub(super) name: Option<String>,
    /// When it starts.
    pub(super) start: Duration,
    /// How many times it runs.
    pub(super) repeat: Repeat,
    /// In the order of the file.
    pub(super) steps: Vec<OrderStep>,
}

/// One step of a script.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct OrderStep {
    /// The time since the start of the script or of its current repetition.
    pub(super) at: Duration,
    /// The number of times that the step runs, at least 1.
    pub(super) times: u64,
    /// The interval between two runs.
    pub(super) every: Duration,
    /// What happens.
    pub(super) action: ShopAction,
}

impl OrderStep {
    /// Returns when the step runs for the last time.
    pub(super) fn end(&self) -> Duration {
        self.at.saturating_add(times(self.every, self.times - 1))
    }
}

/// Returns the time from a script's start to its last action.
pub(super) fn length(steps: &[OrderStep]) -> Duration {
    steps.iter().map(OrderStep::end).max().unwrap_or_default()
}

/// What a step of a script does.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum ShopAction {
    /// Orders a product.
    Order {
        /// Its id.
        product: Arc<str>,
        /// The amount to add to its total, negative for a return. It is drawn from the range each time.
        amount: Amount,
    },
    /// Sets a product's total.
    Set {
        /// The product's id.
        product: Arc<str>,
        /// The new total.
        total: i64,
    },
    /// Adds a product to a category.
    Add(Box<NewRow>),
    /// Removes a product from its category.
    Remove {
        /// The product's id.
        product: Arc<str>,
    },
    /// Starts a fault.
    Fault(Arc<Fault>),
}
