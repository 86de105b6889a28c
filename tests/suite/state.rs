//! The state of a world: reading, setting, resets and snapshots.

use serde_json::{Value, json};

use crate::support::{Mockd, SHOP, ScenarioFile};

const ORDERS: &str = "
orders:
  random: [{ every: 1s, amount: { min: 1, max: 9 } }]
  scripts: [{ steps: [{ at: 2500ms, remove: { product: A2 } }] }]
";

/// The number of products added while the state is read.
const ADDED: u64 = 300;

async fn paused() -> Mockd {
    Mockd::run_with(ScenarioFile::new(&format!("{SHOP}{ORDERS}")).path(), &["--paused", "--seed", "7"]).await
}

async fn state(mockd: &Mockd) -> Value {
    mockd.get("/__mockd/state").await.json()
}

#[tokio::test]
async fn the_state_has_every_property_of_a_world() {
    let mockd = paused().await;
    let _live = mockd.live("electronics").await;
    mockd.advance("", "1s").await;
    let expected = json!({
        "world": "default", "scenario": "shop", "seed": 7, "at": "1s", "paused": true, "speed": 1.0, "nextDue": "2s",
        "epoch": 0, "sequence": 1, "categories": [
            { "name": "electronics", "prefix": "A", "products": 2 },
            { "name": "confectionery", "prefix": "B", "products": 1 },
        ], "totals": { "A1": 5, "A2": 7, "B1": 101 }, "faults": [], "sockets": 1, "snapshots": [],
    });
    assert_eq!(state(&mockd).await, expected);
}

#[tokio::test]
async fn the_state_is_consistent_with_its_sequence_number() {
    let mockd = paused().await;
    let add = async {
        for _ in 0..ADDED {
            assert_eq!(mockd.post("/confectionery", "{}").await.status, 200);
        }
    };
    let watch = async {
        loop {
            let state = state(&mockd).await;
            let number = |pointer| state.pointer(pointer).and_then(Value::as_u64).unwrap();
            let (sequence, products) = (number("/sequence"), number("/categories/1/products"));
            assert_eq!(sequence, products - 1, "{state}");
            if sequence == ADDED {
                return;
            }
        }
    };
    tokio::join!(add, watch);
}

#[tokio::test]
async fn a_reset_restores_the_start_and_sends_current_orders() {
    let mockd = paused().await;
    let mut live = mockd.live("electronics").await;
    let fresh = live.texts(2).await;
    let first = mockd.advance("", "10s").await;
    let orders = first.iter().filter(|line| !line.ends_with("null")).count();
    live.texts(orders).await;
    assert_eq!(mockd.post("/confectionery", "{}").await.status, 200);
    let before = state(&mockd).await;
    mockd.control("POST", "/__mockd/reset", Value::Null).await;
    assert_eq!(live.texts(2).await, fresh);
    let after = state(&mockd).await;
    assert_eq!((&after["at"], &after["sequence"], &after["nextDue"]), (&json!("0s"), &json!(0), &json!("1s")));
    assert_eq!(after["totals"], json!({ "A1": 3, "A2": 7, "B1": 101 }));
    assert_ne!(after["totals"], before["totals"]);
    assert_eq!(mockd.get("/electronics").await.json().as_array().unwrap().len(), 2);
    let journal = mockd.get("/__mockd/journal?kind=request").await.json();
    assert_eq!(journal["entries"].as_array().unwrap().len(), 1, "only requests after the reset: {journal}");
    assert_eq!(mockd.get("/__mockd/transcript").await.text, "");
    // Random streams restart too.
    assert_eq!(mockd.advance("", "10s").await, first);
}

#[tokio::test]
async fn a_reset_may_set_a_seed_that_later_resets_keep() {
    let mockd = paused().await;
    let first = mockd.advance("", "10s").await;
    mockd.control("POST", "/__mockd/reset", json!({ "seed": 8 })).await;
    assert_eq!(state(&mockd).await["seed"], 8);
    let second = mockd.advance("", "10s").await;
    assert_ne!(second, first);
    mockd.control("POST", "/__mockd/reset", json!({})).await;
    assert_eq!(mockd.advance("", "10s").await, second);
}

#[tokio::test]
async fn totals_are_set_all_or_none() {
    let mockd = paused().await;
    let mut live = mockd.live("nothing").await;
    let answer = mockd.control("PATCH", "/__mockd/state", json!({ "totals": { "B1": 5, "A1": -1 } })).await;
    assert_eq!(answer["events"][1]["total"], -1);
    assert_eq!(live.texts(2).await, [r#"{"id":"B1","total":5}"#, r#"{"id":"A1","total":-1}"#]);
    for (totals, field, reason) in [
        (json!({ "A1": 1, "Z9": 1 }), "totals.Z9", "there is no product Z9"),
        (json!({ "A1": 1, "A2": 1.5 }), "totals.A2", "is not an integer"),
        (json!({ "A1": 1, "A2": 9_007_199_254_740_992_i64 }), "totals.A2", "would make a total outside of ±(2^53 - 1)"),
        (json!({ "A1": "1" }), "totals.A1", "is not an integer"),
    ] {
        let answer = mockd.send("PATCH", "/__mockd/state", Some(&json!({ "totals": totals }))).await;
        let error = answer.json();
        assert_eq!((answer.status, &error["field"]), (400, &json!(field)), "{error}");
        assert_eq!(error["message"], format!("{field}: {reason}"));
    }
    let after = state(&mockd).await;
    assert_eq!(after["totals"], json!({ "A1": -1, "A2": 7, "B1": 5 }));
    // The refused changes used no sequence number.
    assert_eq!(after["sequence"], 2);
}

#[tokio::test]
async fn orders_in_one_call_are_applied_all_or_none() {
    let mockd = paused().await;
    let mut live = mockd.live("nothing").await;
    let orders = json!([{ "id": "A1", "amount": 1 }, { "id": "B1", "amount": -2 }, { "id": "A1", "amount": 3.0 }]);
    let answer = mockd.control("POST", "/__mockd/orders", json!({ "orders": orders })).await;
    assert_eq!(answer["events"].as_array().unwrap().len(), 3);
    let frames = [r#"{"id":"A1","total":4}"#, r#"{"id":"B1","total":99}"#, r#"{"id":"A1","total":7}"#];
    assert_eq!(live.texts(3).await, frames);
    let max = 9_007_199_254_740_991_i64;
    for (orders, field) in [
        (json!([{ "id": "A1", "amount": 1 }, { "id": "Z9", "amount": 1 }]), "orders[1].id"),
        (json!([{ "id": "A1", "amount": 1 }, { "id": "A1", "amount": "1" }]), "orders[1].amount"),
        (json!([{ "id": "A1", "amount": max - 7 }, { "id": "A1", "amount": 1 }]), "orders[1].amount"),
        (json!([{ "id": "A1" }]), "orders[0].amount"),
        (json!([["A1", 1]]), "orders[0]"),
        (json!([{ "id": "A1", "amount": 1, "amout": 1 }]), "orders[0].amout"),
    ] {
        let answer = mockd.send("POST", "/__mockd/orders", Some(&json!({ "orders": orders }))).await;
        assert_eq!((answer.status, &answer.json()["field"]), (400, &json!(field)), "{}", answer.text);
        assert_eq!(state(&mockd).await["totals"], json!({ "A1": 7, "A2": 7, "B1": 99 }));
    }
    mockd.order("A2", 1).await;
    assert_eq!(live.text().await, r#"{"id":"A2","total":8}"#);
}

#[tokio::test]
async fn a_reading_socket_gets_every_order_of_a_large_call() {
    let mockd = paused().await;
    let mut live = mockd.live("nothing").await;
    for round in 0..2 {
        let orders: Vec<Value> = (0..3_000).map(|_| json!({ "id": "A1", "amount": 1 })).collect();
        mockd.control("POST", "/__mockd/orders", json!({ "orders": orders })).await;
        let first = 4 + 3_000 * round;
        let expected: Vec<String> =
            (first..first + 3_000).map(|total| format!(r#"{{"id":"A1","total":{total}}}"#)).collect();
        assert!(live.texts(3_000).await == expected);
    }
    assert_eq!(mockd.get("/__mockd/sockets").await.json()["sockets"][0]["caughtUp"], 0);
}

#[tokio::test]
async fn duplicate_keys_are_refused() {
    let mockd = paused().await;
    let answer = mockd.post("/__mockd/orders", r#"{"orders":[{"id":"A1","amount":1,"amount":2}]}"#).await;
    assert_eq!(answer.status, 400);
    assert!(answer.text.contains("duplicate key `amount`"), "{}", answer.text);
    assert_eq!(state(&mockd).await["totals"]["A1"], 3);
}

#[tokio::test]
async fn a_snapshot_restores_time_totals_products_and_random_streams() {
    let mockd = paused().await;
    mockd.advance("", "5s").await;
    mockd.control("POST", "/__mockd/snapshots", json!({ "name": "before checkout" })).await;
    let (saved, transcript) = (state(&mockd).await, mockd.get("/__mockd/transcript").await.text);
    let mut live = mockd.live("electronics").await;
    let current = live.text().await;
    let first = mockd.advance("", "5s").await;
    live.texts(first.len()).await;
    assert_eq!(mockd.post("/electronics", "{}").await.status, 200);
    mockd.control("POST", "/__mockd/snapshots/before%20checkout/restore", Value::Null).await;
    assert_eq!(live.text().await, current);
    let after = state(&mockd).await;
    assert_eq!(
        (&after["at"], &after["totals"], &after["sequence"]),
        (&json!("5s"), &saved["totals"], &saved["sequence"])
    );
    assert_eq!(mockd.get("/__mockd/transcript").await.text, transcript);
    assert_eq!(mockd.advance("", "5s").await, first);
    let list = mockd.get("/__mockd/snapshots").await.json();
    assert_eq!(list, json!({ "snapshots": [{ "name": "before checkout", "at": "5s" }] }));
    mockd.control("DELETE", "/__mockd/snapshots/before%20checkout", Value::Null).await;
    for (method, path) in [("DELETE", "/__mockd/snapshots/x"), ("POST", "/__mockd/snapshots/x/restore")] {
        let answer = mockd.send(method, path, None).await;
        assert_eq!((answer.status, &answer.json()["message"]), (404, &json!("Snapshot x not found")));
    }
}

#[tokio::test]
async fn a_snapshot_from_before_a_reload_gets_the_new_scenario() {
    let file = ScenarioFile::new(SHOP);
    let mut mockd = Mockd::run_with(file.path(), &["--paused"]).await;
    mockd.order("A2", 1).await;
    mockd.control("POST", "/__mockd/snapshots", json!({ "name": "old" })).await;
    file.write_in_place(&SHOP.replace("total: 3", "total: 300"));
    mockd.logged("reloaded").await;
    mockd.order("A2", 5).await;
    mockd.control("POST", "/__mockd/snapshots/old/restore", Value::Null).await;
    assert_eq!(state(&mockd).await["totals"], json!({ "A1": 300, "A2": 8, "B1": 101 }));
}

#[tokio::test]
async fn snapshots_have_names_and_are_bounded() {
    let mockd = paused().await;
    let empty = mockd.send("POST", "/__mockd/snapshots", Some(&json!({ "name": "" }))).await;
    assert_eq!((empty.status, &empty.json()["field"]), (400, &json!("name")));
    for number in 0..100 {
        mockd.control("POST", "/__mockd/snapshots", json!({ "name": number.to_string() })).await;
    }
    let more = mockd.send("POST", "/__mockd/snapshots", Some(&json!({ "name": "more" }))).await;
    assert_eq!(
        (more.status, &more.json()["message"]),
        (409, &json!("there are 100 snapshots already; delete one first"))
    );
    mockd.control("POST", "/__mockd/snapshots", json!({ "name": "99" })).await;
}

#[tokio::test]
async fn the_state_since_an_event_has_the_totals_changed_since() {
    let mockd = Mockd::run_with(ScenarioFile::new(SHOP).path(), &["--paused"]).await;
    let since = async |event: u64| {
        let state = mockd.get(&format!("/__mockd/state?since={event}")).await.json();
        ["totals", "sequence", "epoch"].map(|key| state[key].clone())
    };
    assert_eq!(since(0).await, [json!({}), json!(0), json!(0)]);
    mockd.order("A1", 1).await;
    mockd.order("B1", 1).await;
    mockd.order("B1", 1).await;
    assert_eq!(since(0).await, [json!({ "A1": 4, "B1": 103 }), json!(3), json!(0)]);
    assert_eq!(since(1).await, [json!({ "B1": 103 }), json!(3), json!(0)]);
    assert_eq!(since(3).await, [json!({}), json!(3), json!(0)]);
    mockd.control("POST", "/__mockd/reset", json!({})).await;
    mockd.order("A2", 1).await;
    assert_eq!(since(3).await, [json!({}), json!(1), json!(1)]);
    let refused = mockd.get("/__mockd/state?since=x").await;
    assert_eq!((refused.status, &refused.json()["field"]), (400, &json!("since")));
}
