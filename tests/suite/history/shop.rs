//! The scenario file, and how a total reveals what caused it.

use std::collections::BTreeMap;

/// The categories, each with a witness.
pub(super) const CATEGORIES: [&str; 3] = ["electronics", "confectionery", "toys"];

/// A category that does not exist. Its sockets get all live orders but no current ones.
pub(super) const NOWHERE: &str = "nowhere";

/// Declared totals that change are multiples of this, which exceeds the sum of all orders.
pub(super) const SPACING: i64 = 100_000_000_000;

/// The product that only the script orders, one at a time.
pub(super) const SCRIPTED: &str = "C1";

/// The product whose declared total differs in every file, so that the total identifies the file that is served.
pub(super) const MARKER: &str = "A1";

/// Returns the products that the file declares in a category, in order.
pub(super) fn declared(category: &str) -> &'static [&'static str] {
    match category {
        "electronics" => &["A1", "A2"],
        "confectionery" => &["B1"],
        "toys" => &["C1"],
        _ => &[],
    }
}

/// Returns the declared totals of the first file.
pub(super) fn first() -> BTreeMap<String, i64> {
    [("A1", 0), ("A2", 7), ("B1", 0), ("C1", 0)].map(|(id, total)| (id.to_owned(), total)).into()
}

/// Returns the scenario with these declared totals.
pub(super) fn text(totals: &BTreeMap<String, i64>) -> String {
    let product = |id: &str| format!("{{ id: {id}, total: {} }}", totals[id]);
    format!(
        "name: history\nseed: 1\ncategories:\n  \
           electronics: {{ prefix: A, products: [{}, {}] }}\n  \
           confectionery: {{ prefix: B, products: [{}] }}\n  \
           toys: {{ prefix: C, products: [{}] }}\n\
         orders: {{ scripts: [{{ repeat: forever, steps: [{{ at: 5ms, product: {SCRIPTED}, amount: 1 }}] }}] }}\n",
        product("A1"),
        product("A2"),
        product("B1"),
        product("C1"),
    )
}

/// Whether a change of a total comes from a save rather than an order.
pub(super) fn is_declared(change: i64) -> bool {
    change.abs() > SPACING / 2
}
