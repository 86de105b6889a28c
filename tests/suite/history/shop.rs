//! The scenario: what its file declares, and what a total says about where it came from.

use std::collections::BTreeMap;

/// The categories, each with a witness.
pub(super) const CATEGORIES: [&str; 3] = ["electronics", "confectionery", "toys"];

/// One that does not exist: its sockets get no current orders, and all live ones.
pub(super) const NOWHERE: &str = "nowhere";

/// Declared totals that change are multiples of this, more than all orders together can move a total.
pub(super) const SPACING: i64 = 100_000_000_000;

/// The product that the script orders, always one; no client does.
pub(super) const SCRIPTED: &str = "C1";

/// Another total of it in each file, so that it tells which file is served.
pub(super) const DATED: &str = "A1";

/// The products that the file declares in a category, in order.
pub(super) fn declared(category: &str) -> &'static [&'static str] {
    match category {
        "electronics" => &["A1", "A2"],
        "confectionery" => &["B1"],
        "toys" => &["C1"],
        _ => &[],
    }
}

/// The declared totals of the first file.
pub(super) fn first() -> BTreeMap<String, i64> {
    [("A1", 0), ("A2", 7), ("B1", 0), ("C1", 0)].map(|(id, total)| (id.to_owned(), total)).into()
}

/// The file with these declared totals.
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

/// Whether a change of a total is that of a declared one.
pub(super) fn is_declared(change: i64) -> bool {
    change.abs() > SPACING / 2
}
