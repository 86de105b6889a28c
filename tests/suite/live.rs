//! Live sockets: the current orders, then every new total, in the same order on every socket.

use std::collections::HashMap;

use futures_util::future::join_all;

use crate::support::{Mockd, SHOP, ScenarioFile, Socket};

const SCRIPT: &str = "
orders:
  random: [{ every: 2ms, amount: { min: 1, max: 7 } }]
  scripts: [{ repeat: forever, steps: [{ after: 3ms, product: B1, amount: 1 }] }]
";

#[tokio::test]
async fn a_socket_first_gets_its_category_in_declared_order() {
    let mockd = Mockd::shop().await;
    assert_eq!(
        mockd.live("electronics").await.texts(2).await,
        [r#"{"id":"A1","total":3}"#, r#"{"id":"A2","total":7}"#]
    );
    assert_eq!(mockd.live("confectionery").await.text().await, r#"{"id":"B1","total":101}"#);
}

#[tokio::test]
async fn every_order_carries_the_extra_properties_of_its_product() {
    let scenario = SHOP.replace("total: 7 }", "total: 7, order: { returned: 1, tags: [new] } }");
    let add = "{ at: 1s, add: { category: electronics, product: { id: A9, total: 2, order: { late: true } } } }";
    let script = format!("{scenario}orders: {{ scripts: [{{ steps: [{add}, {{ product: A9, amount: 3 }}] }}] }}\n");
    let file = ScenarioFile::new(&script);
    let mockd = Mockd::run_with(file.path(), &["--paused"]).await;
    let mut live = mockd.live("electronics").await;
    assert_eq!(live.texts(2).await[1], r#"{"id":"A2","total":7,"returned":1,"tags":["new"]}"#);
    mockd.order("A2", 1).await;
    assert_eq!(live.text().await, r#"{"id":"A2","total":8,"returned":1,"tags":["new"]}"#);
    mockd.order("A1", 1).await;
    assert_eq!(live.text().await, r#"{"id":"A1","total":4}"#);
    mockd.advance("", "1s").await;
    let added = [r#"{"id":"A9","total":2,"late":true}"#, r#"{"id":"A9","total":5,"late":true}"#];
    assert_eq!(live.texts(2).await, added);
}

#[tokio::test]
async fn an_unknown_category_gets_no_current_orders_but_all_live_ones() {
    let mockd = Mockd::shop().await;
    let mut live = mockd.live("books").await;
    mockd.order("B1", 1).await;
    mockd.order("A1", 1).await;
    assert_eq!(live.texts(2).await, [r#"{"id":"B1","total":102}"#, r#"{"id":"A1","total":4}"#]);
}

#[tokio::test]
async fn a_category_feed_sends_only_orders_of_the_category() {
    let mockd = Mockd::run(&ScenarioFile::new(&format!("feed: category{SHOP}"))).await;
    let mut live = mockd.live("electronics").await;
    live.texts(2).await;
    mockd.order("B1", 1).await;
    mockd.order("A1", 1).await;
    assert_eq!(live.order().await, ("A1".into(), 4));
    live.update_category("confectionery").await;
    assert_eq!(live.order().await, ("B1".into(), 102));
    mockd.order("A1", 1).await;
    mockd.order("B1", 1).await;
    assert_eq!(live.order().await, ("B1".into(), 103));
}

#[tokio::test]
async fn all_sockets_get_the_same_updates_in_the_same_order() {
    for sockets in [2, 20] {
        let mockd = Mockd::run(&ScenarioFile::new(&format!("{SHOP}{SCRIPT}"))).await;
        let mut open = join_all((0..sockets).map(|_| mockd.live("nothing"))).await;
        // Sockets open at different times, so the comparison starts at an update that all of them get.
        let posts = join_all((0..100).map(|_| mockd.order("A1", 1)));
        let mark = async {
            posts.await;
            mockd.order("A2", 1_000_000_000).await;
        };
        let read = join_all(open.iter_mut().map(read_past_mark));
        let (seen, ()) = futures_util::future::join(read, mark).await;
        for other in &seen[1..] {
            let common = seen[0].len().min(other.len());
            assert!(common > 100);
            assert_eq!(seen[0][seen[0].len() - common..], other[other.len() - common..]);
        }
    }
}

/// Reads frames up to the mark, a total above 500 million, and returns them.
async fn read_past_mark(live: &mut Socket) -> Vec<(String, i64)> {
    let mut seen = Vec::new();
    loop {
        let order = live.order().await;
        let past = order.1 > 500_000_000;
        seen.push(order);
        if past {
            return seen;
        }
    }
}

#[tokio::test]
async fn no_order_is_lost_or_repeated_after_the_current_ones() {
    let steps = "orders: { scripts: [{ repeat: forever, steps: [{ after: 500us, product: A1, amount: 1 }] }] }";
    let mockd = Mockd::run(&ScenarioFile::new(&format!("{SHOP}{steps}"))).await;
    for _ in 0..10 {
        let mut live = mockd.live("electronics").await;
        let (_, mut last) = live.order().await;
        assert_eq!(live.order().await, ("A2".into(), 7));
        for _ in 0..50 {
            assert_eq!(live.order().await, ("A1".into(), last + 1));
            last += 1;
        }
        live.update_category("electronics").await;
        // The current orders of the switch come in sequence: A1's total at that time, A2, then the next totals.
        let mut switched = false;
        for _ in 0..2_000 {
            match live.order().await {
                (id, total) if id == "A2" => {
                    assert_eq!(total, 7);
                    switched = true;
                }
                (_, total) if total == last => {}
                (_, total) => {
                    assert_eq!(total, last + 1);
                    last += 1;
                    if switched {
                        break;
                    }
                }
            }
        }
        assert!(switched);
    }
}

#[tokio::test]
async fn update_category_sends_the_current_orders() {
    let mockd = Mockd::shop().await;
    let mut live = mockd.live("electronics").await;
    live.texts(2).await;
    live.update_category("confectionery").await;
    assert_eq!(live.order().await, ("B1".into(), 101));
    live.update_category("electronics").await;
    assert_eq!(live.texts(2).await, [r#"{"id":"A1","total":3}"#, r#"{"id":"A2","total":7}"#]);
    live.update_category("books").await;
    mockd.order("A1", 1).await;
    assert_eq!(live.order().await, ("A1".into(), 4));
}

#[tokio::test]
async fn an_invalid_message_is_logged_and_the_socket_stays_open() {
    let mut mockd = Mockd::shop().await;
    let mut live = mockd.live("electronics").await;
    live.texts(2).await;
    for (message, reason) in [
        ("{oops", "not JSON: key must be a string at line 1 column 2"),
        ("null", "no \"cmd\""),
        (r#"{"cmd":"dance"}"#, "unknown cmd \"dance\""),
        (r#"{"cmd":"update-category"}"#, "needs a \"payload\""),
        (r#"{"cmd":"update-category","payload":null}"#, "needs a \"payload\""),
        (r#"{"cmd":"update-category","payload":{"category":3}}"#, "needs a \"payload\""),
    ] {
        live.send(message).await;
        mockd.logged(reason.split('"').next().unwrap()).await;
        live.update_category("confectionery").await;
        assert_eq!(live.order().await, ("B1".into(), 101), "{message}");
    }
}

#[tokio::test]
async fn a_command_may_be_a_binary_message() {
    let mockd = Mockd::shop().await;
    let mut live = mockd.live("books").await;
    live.send(br#"{"cmd":"update-category","payload":{"category":"confectionery"}}"#.to_vec()).await;
    assert_eq!(live.order().await, ("B1".into(), 101));
}

#[tokio::test]
async fn a_slow_client_catches_up_and_delays_no_others() {
    const ORDERS: usize = 400_000;
    let steps = format!(
        "orders: {{ scripts: [{{ steps: [
            {{ at: 200ms, product: A1, amount: 1, times: {ORDERS}, every: 1us }},
            {{ after: 1ms, set: {{ product: A2, total: 1234 }} }} ] }}] }}"
    );
    let mockd = Mockd::run(&ScenarioFile::new(&format!("{SHOP}{steps}"))).await;
    let mut stuck = Socket::open_narrow(&format!("ws://{}/orders/electronics", mockd.address())).await;
    let mut reader = mockd.live("electronics").await;
    let last = r#"{"id":"A2","total":1234}"#;
    reader.until(last).await;
    // The slow client starts to read only now. It may have missed totals, but it reaches the current ones.
    let seen = stuck.until(last).await;
    assert!(seen.len() < ORDERS, "the slow client got all {} frames", seen.len());
    let mut totals: HashMap<String, i64> = HashMap::new();
    for frame in &seen {
        let frame: serde_json::Value = serde_json::from_str(frame).unwrap();
        let (id, total) = (frame["id"].as_str().unwrap().to_owned(), frame["total"].as_i64().unwrap());
        let before = totals.insert(id, total);
        assert!(before.is_none_or(|before| before <= total), "a total went from {before:?} back to {total}");
    }
    assert_eq!(totals["A1"], 3 + i64::try_from(ORDERS).unwrap());
}

#[tokio::test]
async fn only_sockets_that_ask_get_catalogue_notices() {
    let mockd = Mockd::shop().await;
    let mut with_notices = mockd.live("electronics?notices=1").await;
    let mut without = mockd.live("electronics").await;
    with_notices.texts(2).await;
    without.texts(2).await;
    mockd.post("/electronics", "{}").await;
    mockd.order("A3", 1).await;
    assert_eq!(with_notices.texts(2).await, [r#"{"notice":"catalogue"}"#, r#"{"id":"A3","total":1}"#]);
    assert_eq!(without.text().await, r#"{"id":"A3","total":1}"#);
}

#[tokio::test]
async fn random_orders_include_added_products() {
    let random = "orders: { random: [{ every: 1ms, products: { category: electronics } }] }";
    let mockd = Mockd::run(&ScenarioFile::new(&format!("{SHOP}{random}"))).await;
    mockd.post("/electronics", "{}").await;
    let mut live = mockd.live("confectionery").await;
    while live.order().await.0 != "A3" {}
}

#[cfg(unix)]
#[tokio::test]
async fn shutdown_closes_sockets_with_1001() {
    let mockd = Mockd::shop().await;
    let mut live = mockd.live("electronics").await;
    live.texts(2).await;
    mockd.signal("TERM");
    let tokio_tungstenite::tungstenite::Message::Close(Some(frame)) = live.message().await else { panic!() };
    assert_eq!(u16::from(frame.code), 1001);
    assert!(mockd.ended().await.success());
}

#[tokio::test]
async fn an_overloaded_scenario_still_answers() {
    let random = "{ every: 1us }, ".repeat(4);
    let mockd = Mockd::run(&ScenarioFile::new(&format!("{SHOP}orders: {{ random: [{random}] }}"))).await;
    for _ in 0..50 {
        mockd.order("B1", 1).await;
    }
    assert_eq!(mockd.post("/electronics", "{}").await.status, 200);
}

#[cfg(unix)]
#[tokio::test]
async fn stuck_sockets_do_not_prevent_shutdown() {
    // 20 MB of frames: far more than the buffers of an unread socket hold.
    let id = "A".repeat(2_000);
    let steps = format!(
        "orders: {{ scripts: [{{ steps: [
            {{ at: 1s, product: {id}, amount: 1, times: 10000, every: 10us }},
            {{ after: 1ms, set: {{ product: A1, total: 1234 }} }} ] }}] }}"
    );
    let mockd =
        Mockd::run(&ScenarioFile::new(&format!("{}{steps}", SHOP.replace("id: A2", &format!("id: {id}"))))).await;
    let url = format!("ws://{}/orders/electronics", mockd.address());
    let _stuck = join_all((0..10).map(|_| Socket::open_narrow(&url))).await;
    mockd.live("nothing").await.until(r#"{"id":"A1","total":1234}"#).await;
    mockd.signal("TERM");
    assert!(mockd.ended().await.success());
}
