//! Verification of the journal against the expectations of a test.

use futures_util::future::join;
use serde_json::{Value, json};

use super::{entries, paused, verify, wait_for};

#[tokio::test]
async fn a_met_expectation_lists_its_entries() {
    let mockd = paused().await;
    for amount in [1, 2, 2] {
        mockd.order("A1", amount).await;
    }
    let twos = json!({ "method": "POST", "path": "/orders/*", "body": { "amount": 2 }, "status": 200 });
    for (times, pass) in [
        (json!({}), true),
        (json!({ "exactly": 2 }), true),
        (json!({ "exactly": 1 }), false),
        (json!({ "atLeast": 2 }), true),
        (json!({ "atLeast": 3 }), false),
        (json!({ "atMost": 2 }), true),
        (json!({ "atMost": 1 }), false),
        (json!({ "atLeast": 1, "atMost": 2 }), true),
        (json!({ "atMost": 0, "after": 3 }), true),
    ] {
        let mut expectation = twos.clone();
        expectation.as_object_mut().unwrap().extend(times.as_object().unwrap().clone());
        let verdict = verify(&mockd, json!({ "expect": [expectation] })).await;
        assert_eq!(verdict["pass"], pass, "{times} {verdict}");
    }
    let verdict = verify(&mockd, json!({ "expect": [twos] })).await;
    let finding = json!({ "pass": true, "expected": "at least 1", "count": 2, "matches": [2, 3], "nearest": [] });
    assert_eq!(verdict, json!({ "pass": true, "findings": [finding], "dropped": { "sent": 0, "other": 0 } }));
}

#[tokio::test]
async fn a_body_matches_in_part_in_full_or_as_text() {
    let mockd = paused().await;
    let product = json!({ "name": "Drone", "tags": ["new", { "since": 2026 }], "rrp": 12.0 });
    assert_eq!(mockd.send("POST", "/electronics", Some(&product)).await.status, 200);
    for (expectation, pass) in [
        (json!({ "body": { "name": "Drone" } }), true),
        (json!({ "body": { "rrp": 12 } }), true),
        (json!({ "body": { "tags": ["new", {}] } }), true),
        (json!({ "body": { "tags": ["new"] } }), false),
        (json!({ "body": { "gone": null } }), true),
        (json!({ "bodyEquals": product }), true),
        (json!({ "bodyEquals": { "name": "Drone" } }), false),
        (json!({ "bodyContains": "\"since\":2026" }), true),
        (json!({ "bodyContains": "drone" }), false),
        (json!({ "headers": { "Content-Type": "application/*" } }), true),
        (json!({ "headers": { "x-test": "*" } }), false),
    ] {
        let verdict = verify(&mockd, json!({ "expect": [expectation] })).await;
        assert_eq!(verdict["pass"], pass, "{expectation} {verdict}");
    }
}

#[tokio::test]
async fn sockets_match_by_the_category_they_were_opened_with() {
    let mockd = paused().await;
    let _live = mockd.live("electronics").await;
    for (category, pass) in [("electronics", true), ("confectionery", false)] {
        let verdict = verify(&mockd, json!({ "expect": [{ "category": category }] })).await;
        assert_eq!(verdict["pass"], pass, "{category} {verdict}");
    }
}

#[tokio::test]
async fn an_unmet_expectation_explains_the_nearest_misses() {
    let mockd = paused().await;
    mockd.order("A2", 10).await;
    mockd.order("A1", 5).await;
    let expected = json!({ "method": "POST", "path": "/orders/A1", "body": { "amount": 10 } });
    let verdict = verify(&mockd, json!({ "expect": [expected] })).await;
    let finding = &verdict["findings"][0];
    assert_eq!(finding["why"], "expected at least 1, found 0; entry 2 differs only in body.amount");
    let nearest = |index: usize| {
        let miss = &finding["nearest"][index];
        (miss["entry"]["sequence"].clone(), miss["differences"].clone())
    };
    let differences = json!([{ "field": "body.amount", "expected": 10, "found": 5 }]);
    assert_eq!(nearest(0), (json!(2), differences));
    assert_eq!(nearest(1), (json!(1), json!([{ "field": "path", "expected": "/orders/A1", "found": "/orders/A2" }])));
    let verdict = verify(&mockd, json!({ "expect": [{ "kind": "received", "body": { "cmd": "x" } }] })).await;
    assert_eq!(verdict["findings"][0]["why"], "expected at least 1, found 0; no similar entry");
}

#[tokio::test]
async fn ordered_expectations_must_be_met_in_sequence() {
    let mockd = paused().await;
    let mut live = mockd.live("nothing").await;
    live.update_category("electronics").await;
    live.texts(2).await;
    mockd.order("A1", 1).await;
    let (switch, order) =
        (json!({ "body": { "cmd": "update-category" }, "socket": 1 }), json!({ "path": "/orders/A1" }));
    let ordered = async |expect: [&Value; 2]| verify(&mockd, json!({ "expect": expect, "ordered": true })).await;
    assert_eq!(ordered([&switch, &order]).await["pass"], true);
    let verdict = ordered([&order, &switch]).await;
    assert_eq!(verdict["pass"], false);
    let why = verdict["findings"][1]["why"].as_str().unwrap();
    assert!(
        why.starts_with("expected at least 1 after entry ") && why.ends_with("expectation 1 was met, found 0"),
        "{why}"
    );
    assert_eq!(ordered([&order, &order]).await["pass"], false);
}

#[tokio::test]
async fn a_wait_ends_with_a_match_or_a_timeout() {
    let mockd = paused().await;
    let mut live = mockd.live("nothing").await;
    let switched = json!({ "kind": "received", "body": { "payload": { "category": "electronics" } } });
    let (verdict, ()) = join(wait_for(&mockd, switched.clone()), live.update_category("electronics")).await;
    assert_eq!(verdict["findings"][0]["count"], 1);
    // Earlier entries count unless `after` excludes them.
    wait_for(&mockd, switched.clone()).await;
    let last = verdict["findings"][0]["matches"][0].clone();
    let mut more = switched;
    more["after"] = last;
    let request = json!({ "for": more, "timeout": "50ms" });
    let verdict = mockd.control("POST", "/__mockd/journal/wait", request).await;
    assert_eq!((&verdict["pass"], &verdict["findings"][0]["count"]), (&json!(false), &json!(0)));
    for wait in [json!({ "exactly": 0 }), json!({ "atMost": 3 }), json!({ "exactly": 1, "atLeast": 1 }), json!([])] {
        let answer = mockd.send("POST", "/__mockd/journal/wait", Some(&json!({ "for": wait }))).await;
        assert_eq!((answer.status, &answer.json()["field"]), (400, &json!("for")), "{wait} {}", answer.text);
    }
}

#[tokio::test]
async fn an_invalid_expectation_names_its_field() {
    let mockd = paused().await;
    for (request, field) in [
        (json!({ "expect": [{}, { "exactly": 1, "atMost": 2 }] }), "expect[1]"),
        (json!({ "expect": [{ "atLeast": 3, "atMost": 2 }] }), "expect[0]"),
        (json!({ "expect": [{ "body": 1, "bodyEquals": 1 }] }), "expect[0]"),
        (json!({ "expect": [{ "metod": "POST" }] }), "expect[0].metod"),
        (json!({ "expect": [{ "status": "ok" }] }), "expect[0].status"),
        (json!({ "expect": {} }), "expect"),
        (json!({}), "expect"),
        (json!({ "expect": [["request"]] }), "expect[0]"),
        (json!({ "expect": [{ "path": "orders/A1", "exactly": 0 }] }), "expect[0]"),
        (json!({ "expect": [{ "path": "/orders/A1?x", "exactly": 0 }] }), "expect[0]"),
        (json!({ "expect": [{ "path": "/@a/orders/A1", "exactly": 0 }] }), "expect[0]"),
        (json!({ "expect": [{ "status": 99, "exactly": 0 }] }), "expect[0]"),
        (json!({ "expect": [{ "status": 600, "exactly": 0 }] }), "expect[0]"),
        (json!({ "expect": [{ "kind": "sent", "method": "POST", "exactly": 0 }] }), "expect[0]"),
        (json!({ "expect": [{ "method": "POST", "code": 1000, "exactly": 0 }] }), "expect[0]"),
        (json!({ "expect": [{ "socket": 1, "path": "/x", "exactly": 0 }] }), "expect[0]"),
    ] {
        let answer = mockd.send("POST", "/__mockd/verify", Some(&request)).await;
        assert_eq!((answer.status, &answer.json()["field"]), (400, &json!(field)), "{request} {}", answer.text);
    }
}

#[tokio::test]
async fn a_wait_ends_when_the_expected_answer_is_sent() {
    let mockd = paused().await;
    let wait = async |expectation: Value| {
        let order = async { mockd.order("A1", 1).await };
        join(wait_for(&mockd, expectation), order).await.0
    };
    let verdict = wait(json!({ "path": "/orders/A1", "status": 200 })).await;
    let last = verdict["findings"][0]["matches"][0].clone();
    wait(json!({ "path": "/orders/A1", "status": 200, "after": last, "exactly": 1 })).await;
}

#[tokio::test]
async fn preflights_match_only_when_the_method_is_given() {
    let mockd = paused().await;
    let preflight = async || assert_eq!(mockd.send("OPTIONS", "/orders/A1", None).await.status, 204);
    let path = json!({ "path": "/orders/A1" });
    preflight().await;
    for (expectation, pass) in [
        (json!({ "path": "/orders/A1", "exactly": 0 }), true),
        (json!({ "kind": "request", "exactly": 0 }), true),
        (json!({ "status": 204 }), false),
        (json!({ "path": "/orders/A1", "method": "OPTIONS" }), true),
        (json!({ "path": "/orders/A1", "method": "options", "exactly": 1 }), true),
    ] {
        let verdict = verify(&mockd, json!({ "expect": [expectation] })).await;
        assert_eq!(verdict["pass"], pass, "{expectation} {verdict}");
    }
    // A preflight is not a near miss either.
    let verdict = verify(&mockd, json!({ "expect": [{ "path": "/orders/A1", "status": 200 }] })).await;
    assert_eq!(verdict["findings"][0]["why"], "expected at least 1, found 0; no similar entry");
    let (verdict, ()) = join(wait_for(&mockd, path.clone()), async {
        preflight().await;
        mockd.order("A1", 1).await;
    })
    .await;
    assert_eq!(verdict["findings"][0]["matches"].as_array().unwrap().len(), 1, "{verdict}");
    wait_for(&mockd, json!({ "path": "/orders/A1", "method": "OPTIONS", "exactly": 2 })).await;
    assert_eq!(entries(&mockd, "?path=/orders/A1").await.len(), 3);
}
