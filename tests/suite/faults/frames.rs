//! Effects of faults on frames, and how sockets recover when the faults end.

use serde_json::json;

use super::{bring, buy, cpu_ticks, did, lift, live, quiet_shop, totals, totals_of};
use crate::support::{Mockd, RawSocket, SHOP, ScenarioFile, Socket, poll};

#[tokio::test]
async fn dropped_frames_are_resent_when_the_fault_ends() {
    let mockd = quiet_shop().await;
    let (mut live, mut raw) = (live(&mockd).await, mockd.live("nothing").await);
    bring(&mockd, json!({ "name": "lossy", "product": "B1", "drop": true })).await;
    buy(&mockd, 3).await;
    mockd.order("A1", 1).await;
    assert_eq!(live.order().await, ("A1".into(), 4));
    assert_eq!(mockd.get("/__mockd/state").await.json()["totals"]["B1"], 104);
    lift(&mockd).await;
    assert_eq!(
        (live.order().await, raw.texts(2).await.pop().unwrap()),
        (("B1".into(), 104), r#"{"id":"B1","total":104}"#.into())
    );
    // Everything that has changed since follows.
    assert_eq!(live.order().await, ("A1".into(), 4));
    buy(&mockd, 1).await;
    assert_eq!(live.order().await, ("B1".into(), 105));
    let journal = mockd.get("/__mockd/journal?kind=faulted").await.json();
    let entry = journal["entries"].as_array().unwrap().iter().find(|entry| entry["socket"] == 1).unwrap();
    assert_eq!((&entry["fault"], &entry["did"], &entry["event"]), (&json!("lossy"), &json!("dropped"), &json!(2)));
}

#[tokio::test]
async fn dropped_current_orders_arrive_when_the_fault_ends() {
    let mockd = quiet_shop().await;
    bring(&mockd, json!({ "drop": true })).await;
    let mut live = mockd.live("electronics").await;
    live.update_category("confectionery").await;
    poll("the dropped frames", async || (did(&mockd).await.len() >= 3).then_some(())).await;
    lift(&mockd).await;
    assert_eq!(live.text().await, r#"{"id":"B1","total":101}"#);
}

#[tokio::test]
async fn delayed_frames_arrive_in_order_and_in_world_time() {
    let mockd = quiet_shop().await;
    let mut live = live(&mockd).await;
    bring(&mockd, json!({ "latency": "2s" })).await;
    buy(&mockd, 2).await;
    mockd.advance("", "1999ms").await;
    buy(&mockd, 1).await;
    mockd.advance("", "1ms").await;
    assert_eq!((live.order().await.1, live.order().await.1), (102, 103));
    mockd.advance("", "1999ms").await;
    assert_eq!(live.order().await.1, 104);
}

#[tokio::test]
async fn frames_can_be_duplicated_reordered_or_stale() {
    let mockd = quiet_shop().await;
    let mut live = live(&mockd).await;
    bring(&mockd, json!({ "product": "B1", "duplicate": true })).await;
    buy(&mockd, 2).await;
    assert_eq!(totals_of(&mut live, 4).await, [102, 102, 103, 103]);
    lift(&mockd).await;
    bring(&mockd, json!({ "product": "B1", "reorder": 3 })).await;
    buy(&mockd, 4).await;
    assert_eq!(totals_of(&mut live, 3).await, [106, 104, 105]);
    lift(&mockd).await;
    // The held frame arrives first, then the latest total: a client that last saw an older one needs it.
    assert_eq!(totals_of(&mut live, 2).await, [107, 107]);
    bring(&mockd, json!({ "product": "B1", "stale": true })).await;
    buy(&mockd, 3).await;
    assert_eq!(totals_of(&mut live, 3).await, [108, 108, 108]);
    lift(&mockd).await;
    assert_eq!(totals_of(&mut live, 1).await, [110]);
    assert_eq!(totals(&mockd, &mut live).await, [0; 0]);
}

#[tokio::test]
async fn corrupted_frames_are_followed_by_the_right_total() {
    for (kind, first) in [("json", 0x81), ("utf8", 0x81), ("type", 0x82)] {
        let mockd = quiet_shop().await;
        let mut raw = RawSocket::open(mockd.address(), "/orders/nothing").await;
        bring(&mockd, json!({ "corrupt": kind })).await;
        buy(&mockd, 1).await;
        let (byte, payload) = raw.receive().await;
        assert_eq!(byte, first, "{kind}");
        match kind {
            "json" => assert_eq!(payload, br#"{"id":"B1",""#),
            "utf8" => assert!(std::str::from_utf8(&payload).is_err()),
            _ => assert_eq!(payload, br#"{"id":"B1","total":102}"#),
        }
        lift(&mockd).await;
        assert_eq!(raw.receive().await, (0x81, br#"{"id":"B1","total":102}"#.to_vec()), "{kind}");
    }
    let mockd = quiet_shop().await;
    let mut large = live(&mockd).await;
    bring(&mockd, json!({ "corrupt": "oversized" })).await;
    buy(&mockd, 1).await;
    assert_eq!(large.text().await.len(), 1 << 20);
}

#[tokio::test]
async fn other_sockets_do_not_change_which_frames_are_hit() {
    let run = async |others: usize| {
        let mockd = quiet_shop().await;
        let mut live = live(&mockd).await;
        let mut sockets = Vec::new();
        for _ in 0..others {
            sockets.push(mockd.live("nothing").await);
        }
        bring(&mockd, json!({ "product": "B1", "drop": true, "chance": "40%" })).await;
        buy(&mockd, 50).await;
        let seen = totals(&mockd, &mut live).await;
        drop(sockets);
        seen
    };
    let first = run(0).await;
    assert!((20..40).contains(&first.len()), "{first:?}");
    assert_eq!(first, run(5).await);
}

#[tokio::test]
async fn a_socket_has_the_right_totals_after_many_faults() {
    let mockd = quiet_shop().await;
    let mut live = live(&mockd).await;
    bring(&mockd, json!({ "drop": true, "chance": "30%", "until": "3s" })).await;
    bring(&mockd, json!({ "latency": { "min": "10ms", "max": "800ms" }, "until": "4s" })).await;
    bring(&mockd, json!({ "reorder": 5, "until": "5s" })).await;
    bring(&mockd, json!({ "duplicate": true, "chance": "50%", "until": "2s" })).await;
    bring(&mockd, json!({ "from": "1s", "until": "2s", "freeze": true })).await;
    for _ in 0..60 {
        mockd.order("A1", 1).await;
        mockd.order("B1", 1).await;
        mockd.advance("", "100ms").await;
    }
    mockd.order("A2", 1).await;
    let mut last = std::collections::HashMap::new();
    loop {
        let (id, total) = live.order().await;
        last.insert(id.clone(), total);
        if id == "A2" {
            break;
        }
    }
    assert_eq!(last, [("A1".to_owned(), 63), ("A2".to_owned(), 8), ("B1".to_owned(), 161)].into());
}

#[cfg(unix)]
#[tokio::test]
async fn a_socket_that_stops_reading_does_not_delay_others() {
    let mockd = quiet_shop().await;
    // More than the buffers of a connection hold.
    bring(&mockd, json!({ "name": "huge", "times": 2, "corrupt": "oversized" })).await;
    bring(&mockd, json!({ "name": "late", "times": 2, "latency": { "min": "0s", "max": "1ms" } })).await;
    let url = format!("ws://{}/orders/nothing", mockd.address());
    let stuck = [Socket::open_narrow(&url).await, Socket::open_narrow(&url).await];
    let mut live = live(&mockd).await;
    buy(&mockd, 300).await;
    mockd.advance("", "1s").await;
    assert_eq!(totals_of(&mut live, 300).await.last(), Some(&401));
    // The stuck sockets take no processor time, and only a few frames are in memory.
    #[cfg(target_os = "linux")]
    {
        let before = cpu_ticks(mockd.pid());
        for _ in 0..200 {
            assert_eq!(mockd.get("/electronics").await.status, 200);
        }
        assert!(cpu_ticks(mockd.pid()) - before < 100, "the server was busy");
        assert!(mockd.memory() < 100 * 1024, "{} KiB", mockd.memory());
    }
    drop(stuck);
    mockd.signal("TERM");
    assert_eq!(mockd.ended().await.code(), Some(0));
}

#[tokio::test]
async fn a_reset_repeats_the_same_hits_and_holds_back_no_frames() {
    let file = ScenarioFile::new(&format!(
        "{SHOP}\nseed: 3\nfaults: [{{ on: websocket, product: B1, drop: true, chance: 50% }}, {{ on: websocket, latency: 1s }}]"
    ));
    let mockd = Mockd::run_with(file.path(), &["--paused"]).await;
    mockd.advance("", "1h").await;
    let mut seen = Vec::new();
    for _ in 0..2 {
        mockd.control("POST", "/__mockd/reset", json!({})).await;
        let mut live = mockd.live("nothing").await;
        buy(&mockd, 20).await;
        mockd.order("A1", 1).await;
        mockd.advance("", "1s").await;
        let before = live.until(r#"{"id":"A1","total":4}"#).await;
        seen.push(before);
        live.close().await;
        assert_eq!(live.close_code().await, 1000);
        // A socket still open at the reset would be hit first and take the random draws of the next one.
        mockd.until("/__mockd/sockets", |answer| answer["sockets"] == json!([])).await;
    }
    assert!((3..17).contains(&seen[0].len()), "{seen:?}");
    assert_eq!(seen[0], seen[1]);
    // A socket that stays open during a reset gets the current orders when they are due.
    let mut live = mockd.live("electronics").await;
    mockd.advance("", "1h").await;
    live.texts(2).await;
    mockd.control("POST", "/__mockd/reset", json!({})).await;
    mockd.advance("", "1s").await;
    assert_eq!(live.texts(2).await, [r#"{"id":"A1","total":3}"#, r#"{"id":"A2","total":7}"#]);
}

#[tokio::test]
async fn a_large_catalogue_arrives_once_despite_a_fault() {
    let products: Vec<String> = (1..=1100).map(|number| format!("{{ id: T{number}, total: {number} }}")).collect();
    let products = products.join(", ");
    let scenario = format!(
        "categories: {{ toys: {{ prefix: T, products: [{products}] }} }}\nfaults: [{{ on: websocket, ignore: true }}]"
    );
    let mockd = Mockd::run_with(ScenarioFile::new(&scenario).path(), &["--paused", "--backlog", "16"]).await;
    let mut live = mockd.live("toys").await;
    assert_eq!(totals(&mockd, &mut live).await, (1..=1100).collect::<Vec<_>>());
}

#[tokio::test]
async fn frames_other_than_totals_survive_the_end_of_a_fault() {
    let mockd = quiet_shop().await;
    let mut live = live(&mockd).await;
    bring(&mockd, json!({ "product": "B1", "drop": true })).await;
    buy(&mockd, 1).await;
    bring(&mockd, json!({ "freeze": true })).await;
    mockd.control("POST", "/__mockd/sockets/send", json!({ "text": "hello" })).await;
    lift(&mockd).await;
    assert_eq!(live.texts(2).await, ["hello", r#"{"id":"B1","total":102}"#]);
}

#[tokio::test]
async fn removing_one_fault_sends_its_frames_despite_another() {
    let mockd = quiet_shop().await;
    let mut live = live(&mockd).await;
    bring(&mockd, json!({ "product": "A1", "stale": true })).await;
    bring(&mockd, json!({ "name": "lossy", "product": "B1", "drop": true })).await;
    buy(&mockd, 3).await;
    mockd.control("DELETE", "/__mockd/faults/lossy", json!(null)).await;
    assert_eq!(live.order().await, ("B1".into(), 104));
}

#[tokio::test]
async fn one_long_advance_over_faults_equals_many_short_ones() {
    let effects = [
        "drop: true",
        "drop: true, chance: 50%",
        "duplicate: true",
        "stale: true",
        "reorder: 3",
        "corrupt: json",
        "freeze: true",
        "latency: 2500ms",
        "latency: { min: 0s, max: 4s }",
    ];
    for effect in effects {
        let file = ScenarioFile::new(&timed_fault(&format!("{effect}, until: 4s")));
        let mut seen = Vec::new();
        for steps in [&["20s"][..], &["3s", "17s"], &["500ms"; 40]] {
            let mockd = Mockd::run_with(file.path(), &["--paused"]).await;
            let mut live = live(&mockd).await;
            for step in steps {
                mockd.advance("", step).await;
            }
            mockd.control("POST", "/__mockd/sockets/send", json!({ "text": "end" })).await;
            seen.push(live.until("end").await);
        }
        assert_eq!(seen[0], seen[2], "{effect}");
        assert_eq!(seen[1], seen[2], "{effect}");
        assert_eq!(seen[0].last().map(String::as_str), Some(r#"{"id":"B1","total":111}"#), "{effect}");
    }
}

#[tokio::test]
async fn a_fault_within_an_advance_hits_only_frames_of_its_time() {
    let mockd =
        Mockd::run_with(ScenarioFile::new(&timed_fault("duplicate: true, until: 3500ms")).path(), &["--paused"]).await;
    let mut live = live(&mockd).await;
    mockd.advance("", "20s").await;
    // The fault starts after the third order and ends at the seventh.
    assert_eq!(totals(&mockd, &mut live).await, [102, 103, 104, 105, 105, 106, 106, 107, 107, 108, 109, 110, 111]);
}

#[tokio::test]
async fn a_socket_closed_during_an_advance_gets_only_earlier_frames() {
    let mockd = Mockd::run_with(ScenarioFile::new(&timed_fault("close: 1011")).path(), &["--paused"]).await;
    let mut live = live(&mockd).await;
    mockd.advance("", "20s").await;
    assert_eq!(totals_of(&mut live, 3).await, [102, 103, 104]);
    assert_eq!(live.close_code().await, 1011);
}

#[tokio::test]
async fn faults_set_between_orders_hit_exactly_the_orders_in_between() {
    let mockd = quiet_shop().await;
    let mut live = live(&mockd).await;
    for _ in 0..50 {
        bring(&mockd, json!({ "duplicate": true })).await;
        buy(&mockd, 1).await;
        lift(&mockd).await;
        buy(&mockd, 1).await;
    }
    let expected: Vec<i64> = (0..50).flat_map(|pair| [102 + 2 * pair, 102 + 2 * pair, 103 + 2 * pair]).collect();
    assert_eq!(totals(&mockd, &mut live).await, expected);
}

/// Returns a shop that orders a B1 every second for ten seconds and adds a fault 500 ms after the third order.
fn timed_fault(fault: &str) -> String {
    let order = |at| format!("        - {{ at: {at}s, product: B1, amount: 1 }}");
    let orders = (1..=10).map(order).collect::<Vec<_>>().join("\n");
    let fault = format!("        - {{ at: 3500ms, fault: {{ on: websocket, {fault} }} }}\n");
    format!(
        "{SHOP}\nseed: 7\norders:\n  scripts:\n    - name: orders\n      steps:\n{orders}\n    - name: fault\n      steps:\n{fault}"
    )
}
