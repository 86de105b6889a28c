//! Lowering of shops, compared as text.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::sync::Arc;

use serde_json::to_string;

use crate::scenario::shop::Shop;
use crate::scenario::{
    Action, Amount, Arrivals, Collection, Draw, Fires, Generator, Repeat, Row, Scenario, Script, Source, Step, parse,
};

fn scenario(shop: &str) -> Scenario {
    parse(&Source::new("shop.yaml", shop)).unwrap_or_else(|problems| panic!("{problems}"))
}

fn row(row: &Row) -> String {
    let made = if row.has_assigned_id() { " (id made)" } else { "" };
    let order =
        if row.order().is_empty() { String::new() } else { format!(" with {}", to_string(row.order()).unwrap()) };
    format!("{}{made} from {}{order}", to_string(row).unwrap(), row.value())
}

fn collection(collection: &Collection) -> Vec<String> {
    let rows = collection.rows().iter().map(|one| format!("  {}", row(one)));
    let fields = collection.fields().iter().map(|(name, rule)| {
        let optional = if rule.optional() { "optional " } else { "" };
        format!("  field {name}: {optional}{}", rule.describe())
    });
    let head = format!("collection {} {}", collection.name(), collection.prefix());
    [head.trim_end().to_owned()].into_iter().chain(fields).chain(rows).collect()
}

fn amount(amount: &Amount) -> String {
    if amount.start() == amount.end() { amount.start().to_string() } else { format!("{amount:?}") }
}

fn generator(generator: &Generator) -> Vec<String> {
    let gap = match generator.arrivals() {
        Arrivals::Every(gap) => format!("every {gap:?} ± {:?}", generator.jitter()),
        Arrivals::Poisson(gap) => format!("about every {gap:?}"),
    };
    let Fires::Count { amount, rows } = generator.fires() else { panic!("a shop has no rules") };
    let rows = match rows {
        Draw::All => "any row".to_owned(),
        Draw::Ids(ids) => ids.join(" or "),
        Draw::Collection(name) => format!("any row of {name}"),
        Draw::Weights(weights) => {
            weights.iter().map(|(id, weight)| format!("{weight} × {id}")).collect::<Vec<_>>().join(" or ")
        }
    };
    let until = generator.until().map(|until| format!("{until:?}")).unwrap_or_default();
    let head = format!("random {gap}, {:?}..{until}", generator.from());
    vec![head, format!("  count {rows} by {}", self::amount(amount))]
}

fn step(step: &Step) -> String {
    let action = match &step.action {
        Action::Count { row, amount } => format!("count {row} by {}", self::amount(amount)),
        Action::Set { row, value } => format!("set {row} to {value}"),
        Action::Add(new) if new.has_id => format!("add to {} {}", new.collection, row(&new.row)),
        Action::Add(new) => format!("add to {}, without id, {}", new.collection, row(&new.row)),
        Action::Remove { row } => format!("remove {row}"),
        Action::Fault(fault) => format!("fault {:?}", fault.effect()),
    };
    let times = if step.times > 1 { format!(", {} times every {:?}", step.times, step.every) } else { String::new() };
    format!("  {:?} {action}{times}", step.at)
}

fn script(script: &Script) -> Vec<String> {
    let repeat = match script.repeat() {
        Repeat::Times(times) => format!("{times} times"),
        Repeat::Forever => "forever".to_owned(),
    };
    let stream = script.stream().map(|stream| format!(", stream {stream:x}")).unwrap_or_default();
    let name = script.name().unwrap_or("without name");
    let head = format!("script {name}: from {:?}, {:?} long, {repeat}{stream}", script.start(), script.length());
    [head].into_iter().chain(script.steps().iter().map(step)).collect()
}

/// Writes the general declaration as text.
fn declaration(scenario: &Scenario) -> Vec<String> {
    let collections = scenario.collections().iter().flat_map(collection);
    let generators = scenario.generators().iter().flat_map(generator);
    let scripts = scenario.scripts().iter().flat_map(script);
    let routes = scenario.routes().iter().map(ToString::to_string);
    collections.chain(generators).chain(scripts).chain(routes).collect()
}

/// Returns the lines of a declaration that start with this text, and the indented lines below them.
fn part(declaration: &[String], head: &str) -> Vec<String> {
    let mut is_in = false;
    let is_part = |line: &&String| {
        is_in = if line.starts_with("  ") { is_in } else { line.starts_with(head) };
        is_in
    };
    declaration.iter().filter(is_part).cloned().collect()
}

#[test]
fn a_shop_is_collections_timelines_and_routes() {
    for (shop, expected) in [
        (
            "categories: { toys: { prefix: T } }",
            &[
                "collection toys T",
                "GET /toys → list toys",
                "POST /toys → add to toys",
                "POST /orders/{id} → count {id}",
                "GET /orders/{category} → endpoint of {category}",
            ][..],
        ),
        (
            "feed: category
categories:
  electronics: { prefix: A, products: [{ name: Radio, total: 3 }] }
  \"50% {off}\": { products: [{ id: 1 }] }
orders:
  random: [{ every: 1s }]
  scripts: [{ steps: [{ at: 1s, product: A1, amount: 10 }] }]
",
            &[
                "collection electronics A",
                r#"  {"id":"A1","name":"Radio"} (id made) from 3"#,
                "collection 50% {off}",
                r#"  {"id":1} from 0"#,
                "random every 1s ± 0ns, 0ns..",
                "  count any row by 1",
                "script without name: from 0ns, 1s long, 1 times",
                "  1s count A1 by 10",
                "GET /electronics → list electronics",
                "POST /electronics → add to electronics",
                "GET /50% {off} → list 50% {off}",
                "POST /50% {off} → add to 50% {off}",
                "POST /orders/{id} → count {id}",
                "GET /orders/{category} → endpoint of {category} alone",
            ],
        ),
    ] {
        assert_eq!(declaration(&scenario(shop)), expected);
    }
}

#[test]
fn a_product_is_a_row_and_its_total_a_counter() {
    for (category, expected) in [
        (
            "prefix: A, products: [{ total: 3 }, { id: A7, name: Radio }, {}, { id: x, total: -2 }, {}]",
            &[
                r#"  {"id":"A1"} (id made) from 3"#,
                r#"  {"id":"A7","name":"Radio"} from 0"#,
                r#"  {"id":"A8"} (id made) from 0"#,
                r#"  {"id":"x"} from -2"#,
                r#"  {"id":"A9"} (id made) from 0"#,
            ][..],
        ),
        ("prefix: A, products: [{}, { id: A1 }]", &[r#"  {"id":"A2"} (id made) from 0"#, r#"  {"id":"A1"} from 0"#]),
        (
            "products: [{ id: 5 }, { name: Kite }, { id: -7 }]",
            &[r#"  {"id":5} from 0"#, r#"  {"id":6,"name":"Kite"} (id made) from 0"#, r#"  {"id":-7} from 0"#],
        ),
        ("prefix: A, products: [{ id: 1 }, { id: \"2\" }]", &[r#"  {"id":1} from 0"#, r#"  {"id":"2"} from 0"#]),
        (
            "prefix: A, products: [{ tags: [1, ~], order: { returned: 1, unit: kg }, total: 4 }]",
            &[r#"  {"id":"A1","tags":[1,null]} (id made) from 4 with {"returned":1,"unit":"kg"}"#],
        ),
        (
            "prefix: A, fields: { name: string, rrp: [string, number], info: { type: \"null\", optional: true } }",
            &["  field name: string", "  field rrp: string or number", "  field info: optional null"],
        ),
    ] {
        let declared = declaration(&scenario(&format!("categories: {{ toys: {{ {category} }} }}")));
        assert_eq!(part(&declared, "collection toys")[1..], *expected, "{category}");
    }
}

/// Returns a shop with two products and these `orders`.
fn with_orders(orders: &str) -> String {
    format!("categories: {{ toys: {{ prefix: A, products: [{{}}, {{}}] }} }}\norders: {{ {orders} }}\n")
}

#[test]
fn a_step_counts_sets_adds_removes_or_starts_a_fault() {
    for (steps, expected) in [
        ("{ at: 2s, product: A1, amount: -10 }", &["  2s count A1 by -10"][..]),
        ("{ product: A1, amount: { min: 1, max: 7 } }", &["  0ns count A1 by 1..=7"]),
        ("{ set: { product: A2, total: 5 } }", &["  0ns set A2 to 5"]),
        (
            "{ add: { category: toys, product: { name: Kite, total: 3 } } }",
            &[r#"  0ns add to toys, without id, {"id":"","name":"Kite"} from 3"#],
        ),
        (
            "{ add: { category: toys, product: { id: 9, order: { unit: kg } } } }",
            &[r#"  0ns add to toys {"id":9} from 0 with {"unit":"kg"}"#],
        ),
        ("{ after: 1s, remove: { product: A1 } }", &["  1s remove A1"]),
        ("{ fault: { on: websocket, freeze: true } }", &["  0ns fault Freeze"]),
        (
            "{ at: 5s, product: A1, amount: 1, times: 3, every: 2s }, { after: 1s, remove: { product: A1 } }, \
             { product: A2, amount: 1 }, { at: 5s, product: A2, amount: 2 }",
            &["  5s count A1 by 1, 3 times every 2s", "  5s count A2 by 2", "  10s remove A1", "  10s count A2 by 1"],
        ),
    ] {
        let declared = declaration(&scenario(&with_orders(&format!("scripts: [{{ steps: [{steps}] }}]"))));
        assert_eq!(part(&declared, "script")[1..], *expected, "{steps}");
    }
}

#[test]
fn the_length_of_a_script_is_the_time_of_its_last_action() {
    let steps = "steps: [{ at: 2s, product: A1, amount: 1 }, { at: 1s, product: A1, amount: 1, times: 4, every: 1s }]";
    for (keys, expected) in [
        (String::new(), "script without name: from 0ns, 4s long, 1 times"),
        ("name: sale, start: 1m, repeat: 3, ".to_owned(), "script sale: from 60s, 4s long, 3 times"),
        ("repeat: forever, ".to_owned(), "script without name: from 0ns, 4s long, forever"),
    ] {
        let declared = declaration(&scenario(&with_orders(&format!("scripts: [{{ {keys}{steps} }}]"))));
        assert_eq!(part(&declared, "script")[0], expected, "{keys}");
    }
}

#[test]
fn a_script_that_draws_has_its_own_random_stream() {
    let draws = "steps: [{ product: A1, amount: { min: 1, max: 7 } }]";
    let later = "steps: [{ at: 1s, product: A1, amount: { min: 1, max: 7 } }]";
    let (sale, now, one_second) = (0xc97f_4218_bf97_a89e, 0xee14_a793_46e8_288c, 0xeed6_fff5_0c13_4ed9);
    for (scripts, expected) in [
        ("steps: [{ product: A1, amount: { min: 7, max: 7 } }]".to_owned(), &[None][..]),
        (format!("name: sale, {draws}"), &[Some(sale)]),
        (draws.to_owned(), &[Some(now)]),
        (later.to_owned(), &[Some(one_second)]),
        (
            format!("{draws} }}, {{ {draws} }}, {{ name: sale, {draws} }}, {{ {later} }}, {{ {draws}"),
            &[Some(now), Some(now + 1), Some(sale), Some(one_second), Some(now + 2)],
        ),
    ] {
        let scenario = scenario(&with_orders(&format!("scripts: [{{ {scripts} }}]")));
        let streams: Vec<_> = scenario.scripts().iter().map(Script::stream).collect();
        assert_eq!(streams, expected, "{scripts}");
    }
}

#[test]
fn a_generator_adds_to_the_counters_of_the_rows_it_draws() {
    for (generator, expected) in [
        ("every: 1500ms, jitter: 200ms", ["random every 1.5s ± 200ms, 0ns..", "  count any row by 1"]),
        ("rate: 2/s, arrivals: poisson, amount: 3", ["random about every 500ms, 0ns..", "  count any row by 3"]),
        (
            "every: 1s, products: [A2, A1], amount: { min: -1, max: 7 }, from: 1m, until: 2m",
            ["random every 1s ± 0ns, 60s..120s", "  count A2 or A1 by -1..=7"],
        ),
        ("every: 1s, products: { category: toys }", ["random every 1s ± 0ns, 0ns..", "  count any row of toys by 1"]),
        ("every: 1s, products: { weights: { A1: 5, A2: 0 } }", ["random every 1s ± 0ns, 0ns..", "  count 5 × A1 by 1"]),
    ] {
        let declared = declaration(&scenario(&with_orders(&format!("random: [{{ {generator} }}]"))));
        assert_eq!(part(&declared, "random"), expected, "{generator}");
    }
}

#[test]
fn raising_a_lowered_shop_returns_the_same_shop() {
    let orders = "
  random:
    - { every: 1s, jitter: 1ms, amount: { min: 1, max: 7 }, from: 1s, until: 2s }
    - { rate: 2/s, arrivals: poisson, products: [A2] }
    - { every: 1s, products: { category: toys } }
    - { every: 1s, products: { weights: { A1: 5 } } }
  scripts:
    - { steps: [{ product: A1, amount: { min: 1, max: 7 }, times: 2, every: 1s }, { set: { product: A1, total: 0 } }] }
    - name: sale
      start: 1s
      repeat: forever
      steps:
        - { at: 3s, add: { category: toys, product: { name: Kite } } }
        - { at: 1s, add: { category: toys, product: { id: x, total: 1 } } }
        - { remove: { product: x } }
        - { fault: { on: http, status: 503 } }
";
    for feed in ["all", "category"] {
        let shop =
            format!("feed: {feed}\ncategories: {{ toys: {{ prefix: A, products: [{{}}, {{}}] }} }}\norders:{orders}");
        let scenario = scenario(&shop);
        let shop = Shop::of(&scenario);
        let again = super::lower(shop.clone());
        assert_eq!(again.collections, scenario.collections());
        assert_eq!(again.generators, scenario.generators());
        assert_eq!(again.scripts, scenario.scripts());
        assert!(again.routes.iter().eq(scenario.routes().iter()), "{:?}", again.routes);
        let rows = shop.categories.iter().map(|category| &category.products);
        assert!(rows.zip(&again.collections).all(|(rows, collection)| Arc::ptr_eq(rows, &collection.rows)));
    }
}
