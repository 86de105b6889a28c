//! The shop: what `categories`, `orders` and `feed` declare, in the shop's own words.
//!
//! [`validate`](super::validate) makes a [`Shop`] of what is written, and [`lower()`] the general declaration of a shop: each
//! category is a collection with routes to list and add its rows, each total a counter, and all orders one route and one
//! endpoint. [`Shop::of`] is the way back. Beside this module, only the language's shapes, its checks and its printing know
//! of categories, products and orders.
//!
//! A [`Scenario`](super::Scenario) keeps what a shop is lowered to and not the shop as well: the two say the same, and a
//! script may have a million steps, which would take 80 MB more. The products of a category are the rows of its collection,
//! and shared with it.

mod lower;
mod raise;

use std::sync::Arc;
use std::time::Duration;

pub(super) use lower::lower;

use super::units::times;
use super::{Amount, Arrivals, Fault, FieldRule, NewRow, Repeat, Row};

/// What messages call the parts of the general model.
pub(crate) struct Nouns {
    pub(crate) collection: Noun,
    pub(crate) row: Noun,
    /// What adds to a counter.
    pub(crate) count: Noun,
    /// The value of a counter.
    pub(crate) value: Noun,
}

/// One noun.
pub(crate) struct Noun {
    pub(crate) one: &'static str,
    pub(crate) many: &'static str,
    /// As a sentence begins with it.
    pub(crate) title: &'static str,
}

/// The nouns of a shop, which every scenario is as yet.
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
    /// Which orders a live socket gets.
    pub(super) feed: ShopFeed,
    /// `orders.random`, in declared order.
    pub(super) generators: Vec<OrderGenerator>,
    /// `orders.scripts`, in declared order.
    pub(super) scripts: Vec<OrderScript>,
}

/// A list of products at a path of its own.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Category {
    /// Unique in the shop.
    pub(super) name: Arc<str>,
    /// What ids of products start with that declare none; empty if these are numbers.
    pub(super) prefix: String,
    /// In declared order. Each has an id, and its total is the row's counter.
    pub(super) products: Arc<[Arc<Row>]>,
    /// What a product sent by a client must have; empty if anything goes.
    pub(super) fields: Vec<(String, FieldRule)>,
}

/// Which orders a live socket gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ShopFeed {
    /// Those of every category.
    All,
    /// Those of the category that it asked for last.
    Category,
}

/// An independent source of random orders.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct OrderGenerator {
    /// When orders arrive.
    pub(super) arrivals: Arrivals,
    /// How far an order may be from its even time, to both sides.
    pub(super) jitter: Duration,
    /// What one order adds to a total.
    pub(super) amount: Amount,
    /// What is ordered.
    pub(super) products: OrderedProducts,
    /// When it starts; the first order comes one gap later.
    pub(super) from: Duration,
    /// When it stops; an order due then still comes.
    pub(super) until: Option<Duration>,
}

/// The products that random orders are for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum OrderedProducts {
    /// Every product there is at the time.
    All,
    /// These ids, each with the same chance.
    Ids(Vec<Arc<str>>),
    /// Every product that the category has at the time.
    Category(Arc<str>),
    /// These ids with their weights, all above 0.
    Weights(Vec<(Arc<str>, u32)>),
}

/// A timeline of orders and of what happens to products.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct OrderScript {
    /// What messages call it.
    pub(super) name: Option<String>,
    /// When its time 0 is.
    pub(super) start: Duration,
    /// How often it plays.
    pub(super) repeat: Repeat,
    /// In the order of the file.
    pub(super) steps: Vec<OrderStep>,
}

/// One line of a script.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct OrderStep {
    /// Since the script's or the repeat's start.
    pub(super) at: Duration,
    /// How often it happens, at least once.
    pub(super) times: u64,
    /// The time between two of these.
    pub(super) every: Duration,
    /// What happens.
    pub(super) action: ShopAction,
}

impl OrderStep {
    /// When it happens for the last time.
    pub(super) fn end(&self) -> Duration {
        self.at.saturating_add(times(self.every, self.times - 1))
    }
}

/// From a script's time 0 to its last action.
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
        /// What is added to its total, negative for a return. One of several is drawn each time.
        amount: Amount,
    },
    /// Puts a product's total to a value.
    Set {
        /// The product's id.
        product: Arc<str>,
        /// The new total.
        total: i64,
    },
    /// Adds a product to a category.
    Add(Box<NewRow>),
    /// Takes a product out of its category.
    Remove {
        /// The product's id.
        product: Arc<str>,
    },
    /// Brings a fault.
    Fault(Arc<Fault>),
}
