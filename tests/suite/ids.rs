//! Numeric ids: numbers in the API and in frames, text everywhere else.

use mockd::engine::{Command, Engine};
use mockd::scenario::{Source, parse};
use serde_json::json;

use crate::support::{Mockd, ScenarioFile, accepted};

const NUMBERED: &str = "
categories:
  toys:
    products: [{ id: 1, name: Kite, total: 3 }, { name: Drone }, { id: -7 }]
  food:
    prefix: F
    products: [{ id: \"5\" }, { id: 4 }]
";

#[test]
fn only_an_integer_in_json_notation_is_a_numeric_id() {
    for (written, shown) in [
        ("1", json!(1)),
        ("0", json!(0)),
        ("-12", json!(-12)),
        ("9007199254740991", json!(9_007_199_254_740_991_i64)),
        ("9007199254740992", json!("9007199254740992")),
        ("18446744073709551616", json!("18446744073709551616")),
        ("'1'", json!("1")),
        ("007", json!("007")),
        ("1_000", json!("1_000")),
        ("0x1F", json!("0x1F")),
        ("+1", json!("+1")),
        ("-0", json!("-0")),
        ("1.0", json!("1.0")),
        ("1e3", json!("1e3")),
        ("!!str 1", json!("1")),
        ("&a 1", json!(1)),
    ] {
        let text = format!("categories: {{ toys: {{ prefix: T, products: [{{ id: {written} }}] }} }}\n");
        let scenario = parse(&Source::new("toys.yaml", &text)).unwrap_or_else(|problems| panic!("{problems}"));
        let product = &scenario.collections()[0].rows()[0];
        assert_eq!(serde_json::to_value(&**product).unwrap(), json!({ "id": shown }), "{written}");
        assert_eq!(shown.as_str().map_or_else(|| shown.to_string(), str::to_owned), **product.id());
        let again = parse(&Source::new("again.yaml", &scenario.to_yaml())).unwrap();
        assert_eq!(again.collections(), scenario.collections(), "{written}");
    }
}

#[test]
fn ids_compare_as_text_everywhere() {
    accepted(&format!(
        "{NUMBERED}
orders:
  random: [{{ every: 1s, products: [1, \"1\", 5] }}, {{ every: 1s, products: {{ weights: {{ 1: 5, \"4\": 1 }} }} }}]
  scripts:
    - steps:
        - {{ product: 1, amount: 1 }}
        - {{ product: \"1\", amount: 1 }}
        - {{ set: {{ product: 5, total: 1 }} }}
        - {{ add: {{ category: toys, product: {{ id: 30 }} }} }}
        - {{ product: \"30\", amount: 1 }}
        - {{ add: {{ category: toys, product: {{}} }} }}
        - {{ product: 31, amount: 1 }}
        - {{ remove: {{ product: 1 }} }}
faults: [{{ on: http, product: 4, status: 503 }}]
"
    ));
    let twice = "categories: { toys: { prefix: T, products: [{ id: 1 }, { id: '1' }] } }\n";
    let report = parse(&Source::new("toys.yaml", twice)).unwrap_err().to_string();
    assert!(report.starts_with("error: product id `1` is declared twice\n"), "{report}");
}

#[test]
fn a_prefix_is_needed_unless_all_declared_ids_are_numbers() {
    for products in ["[]", "[{ name: x }]", "[{ id: '1' }]", "[{ id: 1 }, { id: T2 }]", "[{ id: 1.0 }]"] {
        let text = format!("categories: {{ toys: {{ products: {products} }} }}\n");
        let report = parse(&Source::new("toys.yaml", &text)).unwrap_err().to_string();
        assert!(report.starts_with("error: a category needs `prefix`\n"), "{report}");
    }
    let printed = accepted(NUMBERED).to_yaml();
    assert!(printed.contains("  toys:\n    products:\n    - id: 1\n"), "{printed}");
}

#[tokio::test]
async fn numeric_ids_stay_numbers_in_lists_frames_and_orders() {
    let mockd = Mockd::run(&ScenarioFile::new(NUMBERED)).await;
    let list = r#"[{"id":1,"name":"Kite"},{"id":2,"name":"Drone"},{"id":-7}]"#;
    assert_eq!(mockd.get("/toys").await.text, list);
    assert_eq!(mockd.get("/food").await.text, r#"[{"id":"5"},{"id":4}]"#);
    let mut live = mockd.live("toys").await;
    let current = [r#"{"id":1,"total":3}"#, r#"{"id":2,"total":0}"#, r#"{"id":-7,"total":0}"#];
    assert_eq!(live.texts(3).await, current);
    mockd.order("1", 10).await;
    assert_eq!(live.text().await, r#"{"id":1,"total":13}"#);
    mockd.order("5", 1).await;
    assert_eq!(live.text().await, r#"{"id":"5","total":1}"#);
    mockd.control("POST", "/__mockd/orders", json!({ "orders": [{ "id": 1, "amount": 1 }] })).await;
    assert_eq!(live.text().await, r#"{"id":1,"total":14}"#);
    let posted = mockd.post("/toys", r#"{"name":"Ball"}"#).await;
    assert_eq!(posted.json()[3], json!({ "id": 3, "name": "Ball" }));
    mockd.order("3", 2).await;
    assert_eq!(live.text().await, r#"{"id":3,"total":2}"#);
    assert_eq!(mockd.post("/food", r#"{"name":"Jam"}"#).await.json()[2]["id"], "F1");
    let state = mockd.get("/__mockd/state").await.json();
    assert_eq!((&state["totals"]["1"], &state["totals"]["3"]), (&json!(14), &json!(2)));
}

#[tokio::test]
async fn a_product_fault_matches_frames_with_a_numeric_id() {
    let faults = "faults: [{ on: websocket, product: 1, drop: true }]\n";
    let mockd = Mockd::run(&ScenarioFile::new(&format!("{NUMBERED}{faults}"))).await;
    let mut live = mockd.live("toys").await;
    mockd.order("1", 10).await;
    mockd.order("2", 10).await;
    loop {
        let frame = live.text().await;
        assert!(!frame.starts_with(r#"{"id":1,"#), "{frame}");
        if frame == r#"{"id":2,"total":10}"# {
            break;
        }
    }
}

#[test]
fn a_saved_engine_keeps_the_numeric_ids_of_added_products() {
    let scenario = accepted(NUMBERED);
    let start = Engine::new(&scenario, 1);
    let mut engine = start.clone();
    engine.apply(Command::add_row("toys", serde_json::Map::new())).unwrap();
    let state = serde_json::to_value(engine.save(&start)).unwrap();
    let mut restored = Engine::restored(&start, serde_json::from_value(state).unwrap()).unwrap();
    let added = restored.collections().get("toys").unwrap().rows().get(3).unwrap().clone();
    assert_eq!(serde_json::to_value(&*added).unwrap(), json!({ "id": 3 }));
    let order = || Command::count("3", 2);
    assert_eq!(restored.apply(order()).unwrap(), engine.apply(order()).unwrap());
}
