//! The shop: what `categories` and `feed` are in general terms. Beside this, only its language, its checks and its
//! printing know of it.

use super::raw::RawFeed;
use super::{Collection, Feed, PathPattern, Plan, Route, RouteMethod, SocketEndpoint};

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

/// The routes of a shop: each category is a list that products are added to, and `/orders` is for all of them.
pub(super) fn routes(categories: &[Collection]) -> Vec<Route> {
    let mut routes: Vec<Route> = categories.iter().flat_map(category).collect();
    let orders = PathPattern::default().literal("orders");
    let (path, row) = orders.clone().parameter("id");
    routes.push(Route::new(RouteMethod::Post, path, Plan::Count { row }));
    let (path, collection) = orders.parameter("category");
    routes.push(Route::new(RouteMethod::Get, path, Plan::Endpoint(SocketEndpoint { collection })));
    routes
}

fn category(category: &Collection) -> [Route; 2] {
    let collection = category.name();
    let path = PathPattern::default().literal(collection.clone());
    let (list, add) = (Plan::List { collection: collection.clone() }, Plan::Add { collection: collection.clone() });
    [Route::new(RouteMethod::Get, path.clone(), list), Route::new(RouteMethod::Post, path, add)]
}

/// Which orders a live socket gets.
pub(super) fn feed(declared: Option<RawFeed>) -> Feed {
    match declared {
        Some(RawFeed::Category) => Feed::Collection,
        Some(RawFeed::All) | None => Feed::All,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

    use crate::scenario::{Action, Arrivals, Draw, Row, Scenario, Source, parse};

    /// The general declaration as text.
    fn declaration(scenario: &Scenario) -> Vec<String> {
        let collections = scenario.collections().iter().map(|collection| {
            let row = |row: &Row| format!(" {} from {}", serde_json::to_string(row).unwrap(), row.value());
            let rows: Vec<String> = collection.rows().iter().map(|one| row(one)).collect();
            format!("collection {} {}:{}", collection.name(), collection.prefix(), rows.join(","))
        });
        let generators = scenario.generators().iter().map(|generator| {
            let gap = match generator.arrivals() {
                Arrivals::Every(gap) => format!("every {gap:?}"),
                Arrivals::Poisson(gap) => format!("about every {gap:?}"),
            };
            let rows = match generator.rows() {
                Draw::All => "any row".to_owned(),
                Draw::Ids(ids) => ids.join(" or "),
                Draw::Collection(name) => format!("any row of {name}"),
                Draw::Weights(weights) => format!("{weights:?}"),
            };
            format!("timeline {gap}: count {rows} by {:?}", generator.amount())
        });
        let scripts = scenario.scripts().iter().map(|script| {
            let steps = script.steps().iter().map(|step| {
                let action = match &step.action {
                    Action::Count { row, amount } => format!("count {row} by {amount:?}"),
                    Action::Set { row, value } => format!("set {row} to {value}"),
                    Action::Add(new) => format!("add to {}", new.collection),
                    Action::Remove { row } => format!("remove {row}"),
                    Action::Fault(_) => "fault".to_owned(),
                };
                format!(" {:?} {action}", step.at)
            });
            format!("timeline {}:{}", script.name().unwrap_or_default(), steps.collect::<Vec<_>>().join(","))
        });
        let routes = scenario.routes().iter().map(ToString::to_string);
        let feed = format!("feed {:?}", scenario.feed());
        collections.chain(generators).chain(scripts).chain(routes).chain([feed]).collect()
    }

    #[test]
    fn a_shop_is_collections_timelines_and_routes() {
        for (shop, expected) in [
            (
                "categories: { toys: { prefix: T } }",
                &[
                    "collection toys T:",
                    "GET /toys → list toys",
                    "POST /toys → add to toys",
                    "POST /orders/{id} → count {id}",
                    "GET /orders/{category} → endpoint of {category}",
                    "feed All",
                ][..],
            ),
            (
                "feed: category
categories:
  electronics: { prefix: A, products: [{ name: Radio, total: 3 }, { id: A7, order: { unit: piece } }, {}] }
  \"50% {off}\": { products: [{ id: 1 }] }
orders:
  random: [{ every: 1s, products: { category: electronics } }, { rate: 2/s, arrivals: poisson, amount: { min: 1, max: 5 } }]
  scripts:
    - name: sale
      steps: [{ at: 1s, product: A1, amount: 10 }, { at: 2s, set: { product: A7, total: 0 } }, { at: 3s, remove: { product: A1 } }]
",
                &[
                    r#"collection electronics A: {"id":"A1","name":"Radio"} from 3, {"id":"A7"} from 0, {"id":"A8"} from 0"#,
                    r#"collection 50% {off} : {"id":1} from 0"#,
                    "timeline every 1s: count any row of electronics by 1..=1",
                    "timeline about every 500ms: count any row by 1..=5",
                    "timeline sale: 1s count A1 by 10..=10, 2s set A7 to 0, 3s remove A1",
                    "GET /electronics → list electronics",
                    "POST /electronics → add to electronics",
                    "GET /50% {off} → list 50% {off}",
                    "POST /50% {off} → add to 50% {off}",
                    "POST /orders/{id} → count {id}",
                    "GET /orders/{category} → endpoint of {category}",
                    "feed Collection",
                ],
            ),
        ] {
            let scenario = parse(&Source::new("shop.yaml", shop)).unwrap_or_else(|problems| panic!("{problems:?}"));
            assert_eq!(declaration(&scenario), expected);
        }
    }
}
