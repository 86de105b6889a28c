//! State that one save removes and a later one restores, and totals that follow rows without ids.

use std::sync::Arc;
use std::time::Duration;

use mockd::engine::{Change, Command, Engine, EventKind, FaultSubject, FaultTarget, Reload};
use mockd::scenario::Scenario;
use serde_json::{Map, Value};

use crate::support::{Mockd, SHOP, ScenarioFile, accepted};

fn toys(products: &str) -> Arc<Scenario> {
    accepted(&format!("categories:\n  toys: {{ prefix: T, products: [{products}] }}\n  food: {{ prefix: F }}\n"))
}

/// Returns the current orders of a category, as `id total`.
fn orders(engine: &Engine, category: &str) -> Vec<String> {
    engine.counter_readings(category).map(|order| format!("{} {}", order.row.id(), order.value)).collect()
}

/// Returns the totals that sockets receive, as `id total`.
fn totals_sent(reload: &Reload) -> Vec<String> {
    let line = |kind: &EventKind| match kind {
        EventKind::Counted { id, value: total, .. } => format!("{id} {total}"),
        other => panic!("{other:?}"),
    };
    reload.events.iter().map(|event| line(&event.kind)).collect()
}

fn changes(reload: &Reload) -> Vec<String> {
    reload.changes.iter().map(ToString::to_string).collect()
}

fn order(engine: &mut Engine, orders: &[(&str, i64)]) {
    for (id, amount) in orders {
        engine.apply(Command::count(id, *amount)).unwrap();
    }
}

fn add(engine: &mut Engine, category: &str, name: &str) {
    let fields = Map::from_iter([("name".to_owned(), Value::from(name))]);
    engine.apply(Command::add_row(category, fields)).unwrap();
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn a_returning_product_has_its_previous_total() {
    let all = "{ id: T1, total: 3 }, { id: T2 }";
    for (case, away, back, expected) in [
        ("commented out and back in", "{ id: T2 }", all, "T1 13"),
        ("with another name", "{ id: T2 }", "{ id: T1, name: Kite, total: 3 }, { id: T2 }", "T1 13"),
        ("with another id for a moment", "{ id: X1, total: 3 }, { id: T2 }", all, "T1 13"),
        ("with another seed total", "{ id: T2 }", "{ id: T1, total: 4 }, { id: T2 }", "T1 4"),
        ("with another seed total and then the old one", "{ id: T1, total: 4 }, { id: T2 }", all, "T1 3"),
    ] {
        let mut engine = Engine::new(&toys(all), 1);
        order(&mut engine, &[("T1", 10)]);
        engine.replace(&toys(away), 1);
        let reload = engine.replace(&toys(back), 1);
        assert_eq!(totals_sent(&reload), [expected], "{case}");
        assert_eq!(orders(&engine, "toys")[0], expected, "{case}");
        let seed = if back.contains("total: 4") { "T1 4" } else { "T1 3" };
        assert_eq!(
            orders(&Engine::new(engine.scenario(), 1), "toys")[0],
            seed,
            "a new engine starts with the seed total"
        );
    }
}

/// The products of each save, and the totals of T1 and T2 after it.
type Saves = &'static [(&'static str, [i64; 2])];

#[test]
fn a_total_continues_when_its_seed_is_removed_and_restored() {
    const IDS: &str = "{ id: T1, total: 3 }, { id: T2 }";
    const NONE: &str = "{ id: T1 }, { id: T2 }";
    const ROWS: &str = "{ name: Kite, total: 3 }, { name: Kite, total: 3 }";
    const KITES: &str = "{ name: Kite, total: 3 }, { name: Kite }";
    // T1 and T2 are ordered 10 and 20 times. In cases with ids, T2 is ordered twice more before each save.
    let cases: &[(&str, &str, Saves)] = &[
        ("an id", IDS, &[(NONE, [0, 22]), (IDS, [13, 24])]),
        ("twice", IDS, &[(NONE, [0, 22]), (IDS, [13, 24]), (NONE, [0, 26]), (IDS, [13, 28])]),
        ("no id", ROWS, &[(KITES, [13, 0]), (ROWS, [13, 23])]),
        ("both of two equal rows", ROWS, &[("{ name: Kite }, { name: Kite }", [0, 0]), (ROWS, [13, 23])]),
        (
            "another name in between",
            IDS,
            &[(NONE, [0, 22]), ("{ id: T1, name: Kite }, { id: T2 }", [0, 24]), (IDS, [13, 26])],
        ),
        (
            "the product is absent in between",
            IDS,
            &[(NONE, [0, 22]), ("{ id: T2 }, { id: T3 }", [24, 0]), (IDS, [13, 26])],
        ),
        (
            "the product is absent, then back without a seed total, in between",
            IDS,
            &[(NONE, [0, 22]), ("{ id: T2 }, { id: T3 }", [24, 0]), (NONE, [0, 26]), (IDS, [13, 28])],
        ),
        ("another seed total", IDS, &[(NONE, [0, 22]), ("{ id: T1, total: 4 }, { id: T2 }", [4, 24]), (IDS, [3, 26])]),
        ("between two seed totals", IDS, &[("{ id: T1, total: 4 }, { id: T2 }", [4, 22]), (IDS, [3, 24])]),
    ];
    for (case, old, saves) in cases {
        let mut engine = Engine::new(&toys(old), 1);
        order(&mut engine, &[("T1", 10), ("T2", 20)]);
        for (save, expected) in *saves {
            if old.contains("id:") {
                order(&mut engine, &[("T2", 2)]);
            }
            engine.replace(&toys(save), 1);
            let totals: Vec<i64> = engine.counter_readings("toys").map(|order| order.value).collect();
            assert_eq!(totals, expected, "{case}: {save}");
        }
    }
}

#[test]
fn rows_and_totals_missing_from_a_save_are_removals() {
    const ALL: &str = "{ id: T1, total: 3 }, { id: T2, name: Kite, total: -1 }";
    for (new, expected) in [
        (ALL, false),
        ("{ id: T1, total: 3 }", true),
        ("{ id: T1, total: 3 }, { id: T2, name: Kite }", true),
        ("{ id: T1, total: 3 }, { id: T2, name: Kite, total: 1 }", false),
        ("{ id: T1, total: 3 }, { id: T2, total: -1 }", false),
        ("{ id: T1, total: 3 }, { id: T2, name: Kite, total: -1 }, { id: T3 }", false),
    ] {
        let changes = Engine::new(&toys(ALL), 1).changes(&toys(new), 1);
        assert_eq!(changes.iter().any(Change::is_removal), expected, "{new}");
    }
}

#[test]
fn a_product_reset_to_its_seed_total_returns_with_it() {
    let (both, one) = (toys("{ id: T1, total: 3 }, { id: T2 }"), toys("{ id: T2 }"));
    let mut engine = Engine::new(&both, 1);
    order(&mut engine, &[("T1", 10)]);
    for _ in 0..2 {
        engine.replace(&one, 1);
        assert_eq!(totals_sent(&engine.replace(&both, 1)), ["T1 13"]);
    }
    // The total is as declared again, so nothing is retained.
    engine.apply(Command::SetCounters { values: vec![("T1".into(), 3)] }).unwrap();
    engine.replace(&one, 1);
    assert_eq!(totals_sent(&engine.replace(&both, 1)), ["T1 3"]);
}

#[test]
fn a_copy_has_the_retained_state_and_a_new_engine_does_not() {
    let (both, one) = (toys("{ id: T1 }, { id: T2 }"), toys("{ id: T2 }"));
    let mut engine = Engine::new(&both, 1);
    order(&mut engine, &[("T1", 10)]);
    engine.replace(&one, 1);
    let (mut copy, mut fresh) = (engine.clone(), Engine::new(&one, 1));
    assert_eq!(totals_sent(&engine.replace(&both, 1)), ["T1 10"]);
    assert_eq!(totals_sent(&copy.replace(&both, 1)), ["T1 10"]);
    assert_eq!(totals_sent(&fresh.replace(&both, 1)), ["T1 0"]);
}

#[test]
fn posted_products_return_with_their_category() {
    let food = accepted("categories: { food: { prefix: F } }\n");
    let both = toys("{ id: T1 }");
    let mut engine = Engine::new(&both, 1);
    for name in ["Kite", "Ball", "Robot"] {
        add(&mut engine, "toys", name);
    }
    order(&mut engine, &[("T2", 5), ("T4", 7)]);
    let listed = |engine: &Engine| serde_json::to_string(engine.collections().get("toys").unwrap().rows()).unwrap();
    let before = listed(&engine);
    engine.replace(&food, 1);
    assert!(engine.apply(Command::count("T2", 1)).is_err());
    let reload = engine.replace(&both, 1);
    assert_eq!(changes(&reload), ["category toys added", "T1 added", "T2 added", "T3 added", "T4 added"]);
    assert_eq!(totals_sent(&reload), ["T1 0", "T2 5", "T3 0", "T4 7"]);
    assert_eq!(listed(&engine), before);
    assert_eq!(orders(&engine, "toys"), ["T1 0", "T2 5", "T3 0", "T4 7"]);
}

#[test]
fn ids_are_not_reused_after_a_category_returns() {
    let script = "orders: { scripts: [{ steps: [{ at: 1s, remove: { product: T2 } }] }] }\n";
    let all = "categories: { food: { prefix: F }, toys: { prefix: T, products: [{ id: T1 }, { id: T2 }] } }\n";
    let food = accepted("categories: { food: { prefix: F } }\n");
    let mut engine = Engine::new(&accepted(&format!("{all}{script}")), 1);
    add(&mut engine, "toys", "Kite");
    engine.advance(seconds(1));
    engine.replace(&food, 1);
    engine.replace(&accepted(&all.replace("{ id: T1 }, { id: T2 }", "")), 1);
    assert_eq!(orders(&engine, "toys"), ["T3 0"]);
    add(&mut engine, "toys", "Ball");
    assert_eq!(orders(&engine, "toys"), ["T3 0", "T4 0"]);
}

#[test]
fn a_product_removed_by_a_script_returns_only_when_edited() {
    let script = "orders: { scripts: [{ steps: [{ at: 1s, remove: { product: T1 } }] }] }\n";
    let with = |toys: &str| accepted(&format!("categories: {{ food: {{ prefix: F }}{toys} }}\n"));
    let all = ", toys: { prefix: T, products: [{ id: T1, name: Kite }, { id: T2 }] }";
    for (back, expected) in [(all.to_owned(), vec!["T2 0"]), (all.replace("Kite", "Ball"), vec!["T1 0", "T2 0"])] {
        let text = format!("categories: {{ food: {{ prefix: F }}{all} }}\n{script}");
        let mut engine = Engine::new(&accepted(&text), 1);
        engine.advance(seconds(1));
        engine.replace(&with(""), 1);
        engine.replace(&with(&back), 1);
        assert_eq!(orders(&engine, "toys"), expected);
    }
}

#[test]
fn totals_follow_rows_without_ids() {
    const OLD: &str = "{ name: Vacuum, total: 3 }, { name: Blower, total: 7 }, { name: Fan }";
    for (case, new, expected, changed) in [
        (
            "a row is inserted above",
            "{ name: New, total: 5 }, { name: Vacuum, total: 3 }, { name: Blower, total: 7 }, { name: Fan }",
            vec!["T1 5", "T2 103", "T3 207", "T4 300"],
            vec!["T1 5", "T2 103", "T3 207", "T4 300"],
        ),
        (
            "a row is appended",
            "{ name: Vacuum, total: 3 }, { name: Blower, total: 7 }, { name: Fan }, { name: New }",
            vec!["T1 103", "T2 207", "T3 300", "T4 0"],
            vec!["T4 0"],
        ),
        (
            "the first row is removed",
            "{ name: Blower, total: 7 }, { name: Fan }",
            vec!["T1 207", "T2 300"],
            vec!["T1 207", "T2 300"],
        ),
        (
            "rows are reordered",
            "{ name: Fan }, { name: Vacuum, total: 3 }, { name: Blower, total: 7 }",
            vec!["T1 300", "T2 103", "T3 207"],
            vec!["T1 300", "T2 103", "T3 207"],
        ),
        (
            "a row is edited in place",
            "{ name: Vacuum, total: 3 }, { name: Leaf Blower, total: 7 }, { name: Fan }",
            vec!["T1 103", "T2 207", "T3 300"],
            vec![],
        ),
        (
            "one row is edited and another removed",
            "{ name: Hoover, total: 3 }, { name: Fan }",
            vec!["T1 103", "T2 300"],
            vec!["T2 300"],
        ),
        (
            "a row has another seed total",
            "{ name: Vacuum, total: 4 }, { name: Blower, total: 7 }, { name: Fan }",
            vec!["T1 4", "T2 207", "T3 300"],
            vec!["T1 4"],
        ),
        (
            "a row declares the id that it was assigned",
            "{ name: Vacuum, total: 3 }, { id: T2, name: Blower, total: 7 }, { name: Fan }",
            vec!["T1 103", "T2 207", "T3 300"],
            vec![],
        ),
        (
            "a row with an id is inserted above",
            "{ id: X, name: New }, { name: Vacuum, total: 3 }, { name: Blower, total: 7 }, { name: Fan }",
            vec!["X 0", "T1 103", "T2 207", "T3 300"],
            vec!["X 0"],
        ),
    ] {
        let mut engine = Engine::new(&toys(OLD), 1);
        order(&mut engine, &[("T1", 100), ("T2", 200), ("T3", 300)]);
        let before = engine.clone();
        let reload = engine.replace(&toys(new), 1);
        assert_eq!(orders(&engine, "toys"), expected, "{case}");
        assert_eq!(totals_sent(&reload), changed, "{case}");
        let mut again = engine.clone();
        assert_eq!(again.replace(&toys(new), 1), Reload::default(), "{case}, saved again");
        // Undoing the change restores the state.
        engine.replace(&toys(OLD), 1);
        if case != "a row has another seed total" {
            assert!(engine.counter_values().eq(before.counter_values()), "{case}, then undone");
        }
    }
}

#[test]
fn totals_of_rows_without_ids_survive_a_new_prefix() {
    let with = |prefix: &str| {
        accepted(&format!(
            "categories: {{ toys: {{ prefix: {prefix}, products: [{{ name: Kite }}, {{ name: Ball }}] }} }}\n"
        ))
    };
    let mut engine = Engine::new(&with("T"), 1);
    order(&mut engine, &[("T1", 1), ("T2", 2)]);
    assert_eq!(totals_sent(&engine.replace(&with("E"), 1)), ["E1 1", "E2 2"]);
    assert_eq!(totals_sent(&engine.replace(&with("T"), 1)), ["T1 1", "T2 2"]);
}

#[test]
fn equal_rows_without_ids_return_in_order() {
    let three = toys("{ name: Kite }, { name: Kite }, { name: Kite }");
    let mut engine = Engine::new(&three, 1);
    order(&mut engine, &[("T2", 2), ("T3", 3)]);
    engine.replace(&toys(""), 1);
    assert_eq!(orders(&engine, "toys"), [""; 0]);
    engine.replace(&three, 1);
    assert_eq!(orders(&engine, "toys"), ["T1 0", "T2 2", "T3 3"]);
}

#[test]
fn an_id_taken_by_a_declared_row_returns_to_the_posted_one() {
    let (old, new) = (toys("{ name: Kite }, { name: Ball }"), toys("{ name: New }, { name: Kite }, { name: Ball }"));
    let mut engine = Engine::new(&old, 1);
    add(&mut engine, "toys", "Drone");
    add(&mut engine, "toys", "Robot");
    order(&mut engine, &[("T2", 2), ("T3", 3), ("T4", 4)]);
    let reload = engine.replace(&new, 1);
    let expected = ["T1 name changed", "T2 name changed", "T2 total 2 → 0", "T3 declared, replacing an added one"];
    assert_eq!(changes(&reload), expected);
    assert_eq!(orders(&engine, "toys"), ["T1 0", "T2 0", "T3 2", "T4 4"]);
    let reload = engine.replace(&old, 1);
    assert_eq!(orders(&engine, "toys"), ["T1 0", "T2 2", "T3 3", "T4 4"]);
    let expected = ["T1 name changed", "T2 name changed", "T2 total 0 → 2", "T3 removed", "T3 added"];
    assert_eq!(changes(&reload), expected);
    let listed = serde_json::to_value(engine.collections().get("toys").unwrap().rows()).unwrap();
    assert_eq!((&listed[2]["name"], &listed[3]["name"]), (&"Drone".into(), &"Robot".into()));
}

const TIMELINES: &str = "categories: { toys: { prefix: T, products: [{ id: T1 }] } }
orders:
  random: [{ every: 1s, amount: { min: 1, max: 1000 } }]
  scripts:
    - { name: once, steps: [{ at: 1s, product: T1, amount: 1 }] }
    - { name: often, repeat: forever, steps: [{ after: 3s, product: T1, amount: 1, times: 2, every: 500ms }] }
";

/// Advances the engine, and returns the events as time from now and total.
fn advance_by(engine: &mut Engine, span: Duration) -> Vec<(Duration, i64)> {
    let from = engine.now();
    let line = |kind: &EventKind| match kind {
        EventKind::Counted { value: total, .. } => *total,
        other => panic!("{other:?}"),
    };
    engine.advance(from + span).iter().map(|event| (event.at.abs_diff(from), line(&event.kind))).collect()
}

#[test]
fn restored_scripts_and_generators_continue() {
    for away in [
        "categories: { toys: { prefix: T, products: [{ id: T1 }] } }\n".to_owned(),
        // Both are different for a moment.
        TIMELINES.replace("amount: 1", "amount: 2").replace("every: 1s", "every: 24h"),
    ] {
        let mut stayed = Engine::new(&accepted(TIMELINES), 7);
        stayed.advance(Duration::from_millis(3_200));
        let mut returned = stayed.clone();
        returned.replace(&accepted(&away), 7);
        returned.advance(Duration::from_millis(3_900));
        returned.replace(&accepted(TIMELINES), 7);
        let expected = advance_by(&mut stayed, seconds(9));
        assert!(expected.len() > 12, "{expected:?}");
        assert_eq!(advance_by(&mut returned, seconds(9)), expected, "{away}");
    }
}

#[test]
fn a_restored_script_that_has_finished_does_not_restart() {
    let without = accepted("categories: { toys: { prefix: T, products: [{ id: T1 }] } }\n");
    let once = accepted(&format!(
        "{}\n",
        TIMELINES
            .lines()
            .filter(|line| !line.contains("often") && !line.contains("random"))
            .collect::<Vec<_>>()
            .join("\n")
    ));
    let mut engine = Engine::new(&once, 1);
    engine.advance(seconds(2));
    engine.replace(&without, 1);
    engine.replace(&once, 1);
    assert_eq!(engine.next_due(), None);
    // A script with another name is new.
    let other = accepted(&TIMELINES.replace("name: once", "name: twice"));
    engine.replace(&other, 1);
    assert!(engine.next_due().is_some());
}

#[test]
fn a_restored_fault_continues_where_it_was() {
    let shop = "categories: { toys: { prefix: T, products: [{ id: T1 }] } }\n";
    let with = accepted(&format!(
        "{shop}faults:\n  - {{ name: late, on: http, from: 1s, until: 5s, status: 503 }}\n  - {{ name: over, on: http, until: 1s, status: 500 }}\n"
    ));
    let mut engine = Engine::new(&with, 1);
    engine.advance(seconds(2));
    let kinds = |reload: &Reload| -> Vec<String> {
        let line = |kind: &EventKind| match kind {
            EventKind::FaultBegan { label, .. } => format!("{label} began"),
            EventKind::FaultEnded { label, .. } => format!("{label} ended"),
            other => panic!("{other:?}"),
        };
        reload.events.iter().map(|event| line(&event.kind)).collect()
    };
    assert_eq!(kinds(&engine.replace(&accepted(shop), 1)), ["late ended"]);
    engine.advance(seconds(12));
    assert_eq!(kinds(&engine.replace(&with, 1)), ["late began"]);
    // The fault has three seconds left.
    assert_eq!(engine.next_due(), Some(seconds(15)));
}

#[test]
fn a_removed_fault_stays_removed_and_the_others_continue() {
    let with = |faults: &str| {
        let faults = faults.split_whitespace().map(|fault| {
            let (name, status) = fault.split_once(':').unwrap_or((fault, "503"));
            format!("{{ name: {name}, on: http, path: /{name}, status: {status} }}")
        });
        let faults = faults.collect::<Vec<_>>().join(", ");
        accepted(&format!("categories: {{ toys: {{ prefix: T, products: [{{ id: T1 }}] }} }}\nfaults: [{faults}]\n"))
    };
    // Each fault with its number of hits.
    let listed =
        |engine: &Engine| engine.faults().map(|fault| format!("{} {}", fault.label, fault.hit)).collect::<Vec<_>>();
    let hit = |engine: &mut Engine, path: &str| {
        let (method, path) = ("GET".into(), path.into());
        engine.hits(&FaultTarget { method, path, is_handshake: false, subject: FaultSubject::Other }).len()
    };
    for (case, saves, expected) in [
        ("the same", &["a b c"][..], &["b 1", "c 2"][..]),
        ("another order", &["c a b"], &["c 2", "b 1"]),
        ("one more", &["a d b c"], &["d 0", "b 1", "c 2"]),
        ("one less", &["b c"], &["b 1", "c 2"]),
        ("another is absent for a moment", &["a c", "a b c"], &["b 1", "c 2"]),
        ("it is absent for a moment", &["b c", "a b c"], &["b 1", "c 2"]),
        ("it is different for a moment", &["a:500 b c", "a b c"], &["b 1", "c 2"]),
        ("it is different", &["a:500 b c"], &["a 0", "b 1", "c 2"]),
        ("the one after it is different", &["a b:500 c"], &["b 0", "c 2"]),
    ] {
        let start = Engine::new(&with("a b c"), 1);
        let mut engine = start.clone();
        assert_eq!([hit(&mut engine, "/b"), hit(&mut engine, "/c"), hit(&mut engine, "/c")], [1, 1, 1]);
        engine.apply(Command::RemoveFault { name: "a".into() }).unwrap();
        let mut elsewhere = Engine::restored(&start, engine.save(&start)).unwrap();
        for save in saves {
            engine.replace(&with(save), 1);
            elsewhere.replace(&with(save), 1);
        }
        assert_eq!(listed(&engine), expected, "{case}");
        // The hits are not in the saved state.
        let names = |lines: &[String]| lines.iter().map(|line| line[..1].to_owned()).collect::<Vec<_>>();
        assert_eq!(names(&listed(&elsewhere)), names(&listed(&engine)), "{case}, restored in another process");
    }
}

#[test]
fn at_most_100_000_rows_are_retained_and_the_oldest_dropped() {
    let rows = |prefix: &str, count: usize| {
        let rows: Vec<String> = (0..count).map(|number| format!("{{ id: {prefix}{number} }}")).collect();
        toys(&rows.join(", "))
    };
    let (old, few) = (rows("A", 99_999), rows("B", 2));
    let mut engine = Engine::new(&old, 1);
    let all: Vec<(Arc<str>, i64)> = engine.counter_values().map(|(id, _)| (id.clone(), 1)).collect();
    engine.apply(Command::CountAll { amounts: all }).unwrap();
    engine.replace(&few, 1);
    order(&mut engine, &[("B0", 1), ("B1", 1)]);
    engine.replace(&toys(""), 1);
    engine.replace(&old, 1);
    assert_eq!(engine.counter_values().filter(|(_, total)| *total == 0).count(), 1);
    assert_eq!(engine.counter_values().next().unwrap().1, 0);
    engine.replace(&few, 1);
    assert_eq!(orders(&engine, "toys"), ["B0 1", "B1 1"]);
}

#[test]
fn at_most_64_mib_of_posted_products_are_retained() {
    let food = accepted("categories: { food: { prefix: F } }\n");
    let one = |category: &str| accepted(&format!("categories: {{ {category}: {{ prefix: {category} }} }}\n"));
    let mut engine = Engine::new(&one("A"), 1);
    let large = "x".repeat(1 << 20);
    for category in ["A", "B"] {
        engine.replace(&one(category), 1);
        for _ in 0..40 {
            add(&mut engine, category, &large);
        }
    }
    engine.replace(&food, 1);
    // Each product takes a few bytes more than 1 MiB, so the oldest were dropped.
    for (category, retained) in [("B", 40), ("A", 23)] {
        engine.replace(&one(category), 1);
        assert_eq!(engine.counter_readings(category).count(), retained, "{category}");
    }
}

/// Returns the shop without the lines that contain `line`.
fn without(line: &str) -> String {
    assert!(SHOP.contains(line));
    SHOP.lines().filter(|one| !one.contains(line)).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn a_product_commented_out_and_back_in_keeps_its_total() {
    let file = ScenarioFile::new(SHOP);
    let mut mockd = Mockd::run(&file).await;
    mockd.order("A1", 10).await;
    let mut live = mockd.live("nothing").await;
    file.write_in_place(&SHOP.replace("      - { id: A1", "      # - { id: A1"));
    mockd.logged("A1 removed").await;
    assert_eq!(mockd.post("/orders/A1", r#"{"amount":1}"#).await.status, 404);
    file.write_in_place(SHOP);
    assert_eq!(live.order().await, ("A1".into(), 13));
    // A reset drops the retained total.
    file.write_in_place(&without("id: A1"));
    mockd.logged("A1 removed").await;
    mockd.control("POST", "/__mockd/reset", Value::Null).await;
    file.write_in_place(SHOP);
    assert_eq!(live.order().await, ("A1".into(), 3));
}

#[tokio::test]
async fn a_posted_product_survives_the_absence_of_its_category() {
    let file = ScenarioFile::new(SHOP);
    let mut mockd = Mockd::run(&file).await;
    assert_eq!(mockd.post("/confectionery", r#"{"name":"Fudge"}"#).await.status, 200);
    mockd.order("B2", 5).await;
    let listed = mockd.get("/confectionery").await.text;
    file.write_in_place(SHOP.split_once("  confectionery:").unwrap().0);
    mockd.logged("category confectionery removed").await;
    let mut live = mockd.live("nothing").await;
    file.write_in_place(SHOP);
    assert_eq!([live.order().await, live.order().await], [("B1".into(), 101), ("B2".into(), 5)]);
    assert_eq!(mockd.get("/confectionery").await.text, listed);
    mockd.order("B2", 1).await;
    assert_eq!(live.order().await, ("B2".into(), 6));
    assert_eq!(mockd.post("/confectionery", "{}").await.json()[2]["id"], "B3");
}

#[tokio::test]
async fn an_unfinished_script_continues_after_its_absence() {
    let with_script = format!(
        "{SHOP}orders: {{ scripts: [{{ steps: [{{ at: 1s, product: A1, amount: 1 }}, {{ at: 3s, product: A1, amount: 1 }}] }}] }}\n"
    );
    let file = ScenarioFile::new(&with_script);
    let mut mockd = Mockd::run_with(file.path(), &["--paused"]).await;
    mockd.advance("", "2s").await;
    file.write_in_place(SHOP);
    mockd.logged("script 1 removed").await;
    mockd.advance("", "10s").await;
    file.write_in_place(&with_script);
    mockd.logged("script 1 added").await;
    assert_eq!(mockd.get("/__mockd/state").await.json()["nextDue"], "13s");
    let mut live = mockd.live("nothing").await;
    mockd.advance("", "1m").await;
    assert_eq!(live.order().await, ("A1".into(), 5));
}

#[tokio::test]
async fn inserting_a_row_preserves_the_totals_of_the_others() {
    let shop = |first: &str| {
        format!(
            "categories:\n  toys:\n    prefix: T\n    products:\n{first}      - {{ name: Kite, total: 3 }}\n      - {{ name: Ball }}\n"
        )
    };
    let file = ScenarioFile::new(&shop(""));
    let mockd = Mockd::run(&file).await;
    mockd.order("T1", 10).await;
    mockd.order("T2", 20).await;
    let mut live = mockd.live("nothing").await;
    file.write_in_place(&shop("      - { name: Robot, total: 5 }\n"));
    let orders = [live.order().await, live.order().await, live.order().await];
    assert_eq!(orders, [("T1".into(), 5), ("T2".into(), 13), ("T3".into(), 20)]);
    let listed = mockd.get("/toys").await.text;
    assert_eq!(listed, r#"[{"id":"T1","name":"Robot"},{"id":"T2","name":"Kite"},{"id":"T3","name":"Ball"}]"#);
    mockd.order("T2", 1).await;
    assert_eq!(live.order().await, ("T2".into(), 14));
}
