//! Reload plans by table: the changes are a pure function of the old scenario, the new scenario and the state.

use std::time::Duration;

use mockd::engine::{Change, Command, Engine, EventKind};
use serde_json::{Map, json};

use crate::support::accepted;

/// The scenario that each row starts from. It has run for 2.5 s, A1 has 10 orders, and a client has added A3 to
/// electronics.
const OLD: &str = r"
name: shop
categories:
  electronics:
    prefix: A
    products: [{ id: A1, name: Vacuum, total: 3 }, { id: A2, name: Blower, total: 7 }]
  food: { prefix: F, products: [{ id: F1, name: Toffee }] }
orders:
  random: [{ every: 1h }, { every: 2h }]
  scripts:
    - { name: sale, steps: [{ at: 2s, product: F1, amount: 5 }, { at: 3s, product: F1, amount: 5 }] }
    - { steps: [{ at: 1h, product: F1, amount: 1 }] }
";

fn running() -> Engine {
    let mut engine = Engine::new(&accepted(OLD), 42);
    engine.advance(Duration::from_millis(2_500));
    engine.apply(Command::count("A1", 10)).unwrap();
    let drone = Map::from_iter([("name".to_owned(), json!("Drone"))]);
    engine.apply(Command::add_row("electronics", drone)).unwrap();
    engine
}

/// Returns `OLD` with `from` replaced by `to`.
fn edited(from: &str, to: &str) -> String {
    assert!(OLD.contains(from), "{from}");
    OLD.replace(from, to)
}

struct Row {
    edit: &'static str,
    from: &'static str,
    to: &'static str,
    changes: &'static [&'static str],
    /// The totals sent to sockets, as `id total`.
    sent: &'static [&'static str],
}

const TABLE: &[Row] = &[
    Row { edit: "nothing", from: "name: shop", to: "name: shop # saved again", changes: &[], sent: &[] },
    Row {
        edit: "a product is added",
        from: "{ id: A2, name: Blower, total: 7 }",
        to: "{ id: A2, name: Blower, total: 7 }, { id: A9, total: 4 }",
        changes: &["A9 added"],
        sent: &["A9 4"],
    },
    Row {
        edit: "a product is removed",
        from: ", { id: A2, name: Blower, total: 7 }",
        to: "",
        changes: &["A2 removed"],
        sent: &[],
    },
    Row { edit: "a product is renamed", from: "Vacuum", to: "Hoover", changes: &["A1 name changed"], sent: &[] },
    Row {
        edit: "a product gets another id",
        from: "{ id: A2, name",
        to: "{ id: A7, name",
        changes: &["A7 added", "A2 removed"],
        sent: &["A7 7"],
    },
    Row {
        edit: "properties are added, removed and changed",
        from: "name: Blower",
        to: "title: Blower, order: { returned: 1 }",
        changes: &["A2 title, name, order changed"],
        sent: &[],
    },
    Row {
        edit: "products are reordered",
        from: "[{ id: A1, name: Vacuum, total: 3 }, { id: A2, name: Blower, total: 7 }]",
        to: "[{ id: A2, name: Blower, total: 7 }, { id: A1, name: Vacuum, total: 3 }]",
        changes: &["electronics reordered"],
        sent: &[],
    },
    Row {
        edit: "a product moves to another category",
        from: ", { id: A2, name: Blower, total: 7 }]\n  food: { prefix: F, products: [",
        to: "]\n  food: { prefix: F, products: [{ id: A2, name: Blower, total: 7 }, ",
        changes: &["A2 moved to food"],
        sent: &[],
    },
    Row {
        edit: "a product moves, and sockets get the orders of their category only",
        from: "name: shop\ncategories:\n  electronics:\n    prefix: A\n    products: [{ id: A1, name: Vacuum, total: 3 }, { id: A2, name: Blower, total: 7 }]\n  food: { prefix: F, products: [",
        to: "name: shop\nfeed: category\ncategories:\n  electronics:\n    prefix: A\n    products: [{ id: A2, name: Blower, total: 7 }]\n  food: { prefix: F, products: [{ id: A1, name: Vacuum, total: 3 }, ",
        changes: &["feed by category", "A1 moved to food"],
        sent: &["A1 13"],
    },
    Row {
        edit: "a seed total is changed",
        from: "total: 3 ",
        to: "total: 300 ",
        changes: &["A1 total 13 → 300"],
        sent: &["A1 300"],
    },
    Row {
        edit: "a product that a client added is declared",
        from: "total: 7 }",
        to: "total: 7 }, { id: A3, name: Drone, total: 2 }",
        changes: &["A3 total 0 → 2"],
        sent: &["A3 2"],
    },
    Row {
        edit: "a product that a client added is declared unchanged",
        from: "total: 7 }",
        to: "total: 7 }, { id: A3, name: Drone }",
        changes: &[],
        sent: &[],
    },
    Row {
        edit: "another product is declared with the id of one that a client added",
        from: "total: 7 }",
        to: "total: 7 }, { name: Robot, total: 4 }",
        changes: &["A3 declared, replacing an added one"],
        sent: &["A3 4"],
    },
    Row {
        edit: "a category is added",
        from: "  food:",
        to: "  toys: { prefix: T, products: [{ id: T1 }] }\n  food:",
        changes: &["category toys added", "T1 added"],
        sent: &["T1 0"],
    },
    Row {
        edit: "a category gets another prefix and fields",
        from: "prefix: A",
        to: "prefix: E\n    fields: { name: string }",
        changes: &["electronics prefix, fields changed"],
        sent: &[],
    },
    Row {
        edit: "a generator is changed",
        from: "{ every: 1h }",
        to: "{ every: 3h }",
        changes: &["generator 1 changed"],
        sent: &[],
    },
    Row {
        edit: "a generator is added in front",
        from: "[{ every: 1h }",
        to: "[{ rate: 1/h, amount: 2 }, { every: 1h }",
        changes: &["generator 1 added"],
        sent: &[],
    },
    Row {
        edit: "one generator is added in front, another is changed",
        from: "[{ every: 1h }, { every: 2h }]",
        to: "[{ every: 5h }, { every: 1h }, { every: 9h }]",
        changes: &["generator 1 added", "generator 3 changed"],
        sent: &[],
    },
    Row {
        edit: "a generator is removed",
        from: "{ every: 1h }, ",
        to: "",
        changes: &["generator 1 removed"],
        sent: &[],
    },
    Row {
        edit: "a script is changed",
        from: "{ at: 3s, product: F1, amount: 5 }",
        to: "{ at: 3s, product: F1, amount: 6 }",
        changes: &["script sale changed"],
        sent: &[],
    },
    Row {
        edit: "a script is renamed",
        from: "name: sale",
        to: "name: autumn",
        changes: &["script autumn added", "script sale removed"],
        sent: &[],
    },
    Row {
        edit: "a script without a name is changed",
        from: "at: 1h",
        to: "at: 2h",
        changes: &["script 2 changed"],
        sent: &[],
    },
    Row {
        edit: "a script is added",
        from: "    - { steps",
        to: "    - { name: night, steps: [{ at: 9h, product: F1, amount: 1 }] }\n    - { steps",
        changes: &["script night added"],
        sent: &[],
    },
    Row {
        edit: "the server section is changed",
        from: "name: shop",
        to: "name: shop\nserver: { port: 8080, static: site, cors: false, host: 0.0.0.0 }",
        changes: &["server.host, server.port, server.static, server.cors needs a restart"],
        sent: &[],
    },
    Row {
        edit: "the name is changed",
        from: "name: shop",
        to: "name: mall",
        changes: &["name shop → mall"],
        sent: &[],
    },
    Row {
        edit: "the feed is changed",
        from: "name: shop",
        to: "name: shop\nfeed: category",
        changes: &["feed by category"],
        sent: &[],
    },
];

fn lines(changes: &[Change]) -> Vec<String> {
    changes.iter().map(ToString::to_string).collect()
}

#[test]
fn each_edit_yields_exactly_its_changes() {
    for Row { edit, from, to, changes, sent } in TABLE {
        let new = accepted(&edited(from, to));
        let mut engine = running();
        assert_eq!(lines(&engine.changes(&new, 42)), *changes, "{edit}");
        let reload = engine.replace(&new, 42);
        assert_eq!(lines(&reload.changes), *changes, "{edit}");
        let totals = reload.events.iter().map(|event| match &event.kind {
            EventKind::Counted { id, value: total, .. } => format!("{id} {total}"),
            other => panic!("{other:?}"),
        });
        assert_eq!(totals.collect::<Vec<_>>(), *sent, "{edit}");
        let mut again = lines(&engine.changes(&new, 42));
        // A restart is still needed.
        again.retain(|change| !change.ends_with("needs a restart"));
        assert_eq!(again, [""; 0], "{edit}, saved again");
    }
}

#[test]
fn removing_a_category_removes_products_added_by_clients_too() {
    let new = accepted("name: shop\ncategories: { food: { prefix: F, products: [{ id: F1, name: Toffee }] } }\n");
    let mut engine = running();
    let expected = [
        "category electronics removed",
        "A1 removed",
        "A2 removed",
        "A3 removed",
        "script sale removed",
        "script 2 removed",
        "generator 1 removed",
        "generator 2 removed",
    ];
    assert_eq!(lines(&engine.replace(&new, 42).changes), expected);
    assert!(engine.collections().get("electronics").is_none());
    assert!(engine.apply(Command::count("A3", 1)).is_err());
}

#[test]
fn moved_and_client_added_products_keep_their_totals() {
    let row = TABLE.iter().find(|row| row.edit == "a product moves to another category").unwrap();
    let mut engine = running();
    engine.apply(Command::count("A2", 1)).unwrap();
    engine.replace(&accepted(&edited(row.from, row.to)), 42);
    let orders = |category| engine.counter_readings(category).map(|order| (order.row.id().to_string(), order.value));
    assert_eq!(orders("electronics").collect::<Vec<_>>(), [("A1".to_owned(), 13), ("A3".to_owned(), 0)]);
    assert_eq!(orders("food").collect::<Vec<_>>(), [("A2".to_owned(), 8), ("F1".to_owned(), 5)]);
}

#[test]
fn a_new_seed_is_a_change_and_draws_other_orders() {
    let random = "categories: { toys: { prefix: T, products: [{}, {}] } }\norders: { random: [{ every: 1s, amount: { min: 1, max: 999 } }] }\n";
    let scenario = accepted(random);
    let (mut one, mut other) = (Engine::new(&scenario, 1), Engine::new(&scenario, 1));
    let reload = one.replace(&scenario, 2);
    assert_eq!(reload.changes, [Change::Seed { from: 1, to: 2 }]);
    assert!(other.replace(&scenario, 1).changes.is_empty());
    let minute = Duration::from_mins(1);
    assert_ne!(one.advance(minute), other.advance(minute));
}

#[test]
fn an_unchanged_script_continues_and_a_changed_one_restarts() {
    let times = |engine: &mut Engine| -> Vec<u128> {
        engine.advance(Duration::from_mins(1)).iter().map(|event| event.at.as_millis()).collect()
    };
    let mut unchanged = running();
    unchanged.replace(&accepted(&edited("Vacuum", "Hoover")), 42);
    assert_eq!(times(&mut unchanged), [3_000]);
    let mut changed = running();
    changed.replace(&accepted(&edited("{ at: 3s, product: F1, amount: 5 }", "{ at: 3s, product: F1, amount: 6 }")), 42);
    assert_eq!(times(&mut changed), [4_500, 5_500]);
}

#[test]
fn a_product_replaced_by_a_script_stays_until_it_is_edited() {
    let text = |name: &str| {
        format!(
            "categories: {{ toys: {{ prefix: T, products: [{{ id: T1, name: {name} }}, {{ id: T2 }}] }} }}
orders: {{ scripts: [{{ steps: [{{ remove: {{ product: T1 }} }}, {{ add: {{ category: toys, product: {{ id: T1, name: Robot }} }} }}] }}] }}\n"
        )
    };
    let mut engine = Engine::new(&accepted(&text("Kite")), 1);
    engine.advance(Duration::ZERO);
    let shown = |engine: &Engine| serde_json::to_string(engine.collections().get("toys").unwrap().rows()).unwrap();
    assert_eq!(lines(&engine.replace(&accepted(&format!("{}# saved\n", text("Kite"))), 1).changes), [""; 0]);
    assert_eq!(shown(&engine), r#"[{"id":"T2"},{"id":"T1","name":"Robot"}]"#);
    assert_eq!(lines(&engine.replace(&accepted(&text("Ball")), 1).changes), ["T1 declared, replacing an added one"]);
    assert_eq!(shown(&engine), r#"[{"id":"T1","name":"Ball"},{"id":"T2"}]"#);
}

#[test]
fn a_product_moved_by_a_script_is_removed_with_its_category() {
    let both = "categories:
  toys: { prefix: T, products: [{ id: T1 }] }
  food: { prefix: F }
orders: { scripts: [{ steps: [{ remove: { product: T1 } }, { add: { category: food, product: { id: T1 } } }] }] }\n";
    let mut engine = Engine::new(&accepted(both), 1);
    engine.advance(Duration::ZERO);
    let toys_only = accepted("categories: { toys: { prefix: T, products: [{ id: T1 }] } }\n");
    let expected = ["category food removed", "T1 removed", "script 1 removed"];
    assert_eq!(lines(&engine.replace(&toys_only, 1).changes), expected);
    assert!(engine.apply(Command::count("T1", 1)).is_err());
}

#[test]
fn a_needed_restart_is_reported_until_the_edit_is_undone() {
    let with = |rest: &str| accepted(&format!("{OLD}{rest}"));
    let mut engine = running();
    let (port, text) =
        (with("server: { port: 8080 }\n"), format!("{}server: {{ port: 8080 }}\n", edited("Vacuum", "Hoover")));
    assert_eq!(lines(&engine.replace(&port, 42).changes), ["server.port needs a restart"]);
    let expected = ["server.port needs a restart", "A1 name changed"];
    assert_eq!(lines(&engine.replace(&accepted(&text), 42).changes), expected);
    assert_eq!(lines(&engine.replace(&with(""), 42).changes), ["A1 name changed"]);
}

#[test]
fn changes_serialize_as_json() {
    let changes = running().changes(&accepted(&edited("total: 3 ", "total: 300 ")), 42);
    let expected = json!([{ "kind": "total-reset", "id": "A1", "from": 13, "to": 300 }]);
    assert_eq!(serde_json::to_value(changes).unwrap(), expected);
}
