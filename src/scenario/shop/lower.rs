//! Lowering: pure functions from the shop to collections, timelines and routes.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::{Category, OrderGenerator, OrderScript, OrderStep, OrderedProducts, Shop, ShopAction, ShopFeed, length};
use crate::scenario::{
    Action, Collection, Declaration, Draw, Feed, Fires, Fnv, Generator, IdScheme, PathPattern, Plan, Route,
    RouteMethod, Script, SocketEndpoint, Step,
};

/// Returns the general declaration of a shop.
///
/// Consumes the shop, so that its steps are never in memory twice.
pub(in crate::scenario) fn lower(shop: Shop) -> Declaration {
    let Shop { categories, feed, generators, scripts } = shop;
    Declaration {
        routes: routes(&categories, feed),
        collections: categories.into_iter().map(collection).collect(),
        generators: generators.into_iter().map(generator).collect(),
        scripts: self::scripts(scripts),
        ..Declaration::default()
    }
}

fn collection(category: Category) -> Collection {
    let Category { name, prefix, products, fields } = category;
    Collection { name, prefix, rows: products, fields, is_counted: true, ids: IdScheme::Numbered }
}

/// Returns the routes to list and add the products of each category, and the shared routes under `/orders`.
fn routes(categories: &[Category], feed: ShopFeed) -> Vec<Route> {
    let mut routes: Vec<Route> = categories.iter().flat_map(category_routes).collect();
    let orders = PathPattern::default().literal("orders");
    let (path, row) = orders.clone().parameter("id");
    routes.push(Route::new(RouteMethod::Post, path, Plan::Count { row }));
    let (path, collection) = orders.parameter("category");
    let endpoint = SocketEndpoint { collection, feed: self::feed(feed) };
    routes.push(Route::new(RouteMethod::Get, path, Plan::Endpoint(endpoint)));
    routes
}

fn category_routes(category: &Category) -> [Route; 2] {
    let collection = &category.name;
    let path = PathPattern::default().literal(collection.clone());
    let (list, add) = (Plan::List { collection: collection.clone() }, Plan::Add { collection: collection.clone() });
    [Route::new(RouteMethod::Get, path.clone(), list), Route::new(RouteMethod::Post, path, add)]
}

fn feed(feed: ShopFeed) -> Feed {
    match feed {
        ShopFeed::All => Feed::All,
        ShopFeed::Category => Feed::Collection,
    }
}

fn generator(generator: OrderGenerator) -> Generator {
    let OrderGenerator { arrivals, jitter, amount, products, from, until } = generator;
    let rows = match products {
        OrderedProducts::All => Draw::All,
        OrderedProducts::Ids(ids) => Draw::Ids(ids),
        OrderedProducts::Category(name) => Draw::Collection(name),
        OrderedProducts::Weights(weights) => Draw::Weights(weights),
    };
    Generator { arrivals, jitter, fires: Fires::Count { amount, rows }, from, until }
}

fn scripts(scripts: Vec<OrderScript>) -> Vec<Script> {
    let mut scripts: Vec<Script> = scripts.into_iter().map(script).collect();
    // Unnamed scripts that draw the same amounts get different streams.
    let mut equal: HashMap<u64, u64> = HashMap::new();
    for script in scripts.iter_mut().filter(|script| script.name.is_none()) {
        let Some(stream) = &mut script.stream else { continue };
        let count = equal.entry(*stream).or_default();
        *stream = SCRIPT_STREAMS | stream.wrapping_add(*count);
        *count += 1;
    }
    scripts
}

fn script(script: OrderScript) -> Script {
    let OrderScript { name, start, repeat, steps } = script;
    let length = length(&steps);
    let mut steps: Vec<Step> = steps.into_iter().map(step).collect();
    // The sort is stable: steps at the same time keep the order of the file.
    steps.sort_by_key(|step| step.at);
    let stream = stream(name.as_deref(), start, &steps);
    Script { name, start, repeat, steps: Arc::new(steps), length, stream }
}

fn step(step: OrderStep) -> Step {
    let OrderStep { at, times, every, action } = step;
    let action = match action {
        ShopAction::Order { product, amount } => Action::Count { row: product, amount },
        ShopAction::Set { product, total } => Action::Set { row: product, value: total },
        ShopAction::Add(new) => Action::Add(new),
        ShopAction::Remove { product } => Action::Remove { row: product },
        ShopAction::Fault(fault) => Action::Fault(fault),
    };
    Step { at, times, every, action }
}

/// The two high bits of the random streams of scripts. Streams of generators count from 0, and streams of faults do not
/// have the second bit.
const SCRIPT_STREAMS: u64 = 0b11 << 62;

/// Returns the random stream of a script; `None` if the script draws no amounts. The stream is derived from the
/// script's name or, without a name, from its steps, so that it does not depend on other scripts and generators.
fn stream(name: Option<&str>, start: Duration, steps: &[Step]) -> Option<u64> {
    let orders = steps.iter().filter_map(|step| match &step.action {
        Action::Count { row, amount } => Some((step, row, amount)),
        _ => None,
    });
    if orders.clone().all(|(_, _, amount)| amount.start() == amount.end()) {
        return None;
    }
    let mut hash = Fnv::default();
    if let Some(name) = name {
        hash.add(name.as_bytes());
        return Some(hash.value() | SCRIPT_STREAMS);
    }
    hash.add(&start.as_nanos().to_le_bytes());
    for (Step { at, times, every, .. }, row, amount) in orders {
        hash.add(&at.as_nanos().to_le_bytes());
        hash.add(&times.to_le_bytes());
        hash.add(&every.as_nanos().to_le_bytes());
        hash.add(row.as_bytes());
        hash.add(&amount.start().to_le_bytes());
        hash.add(&amount.end().to_le_bytes());
    }
    Some(hash.value() | SCRIPT_STREAMS)
}
