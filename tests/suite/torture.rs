//! Hundreds of valid and invalid saves in different ways, with open sockets and orders in flight.
//!
//! `MOCKD_TORTURE_SAVES` sets the number of saves, and `MOCKD_TORTURE_SEED` repeats a run.

mod saves;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use futures_util::future::join_all;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use reqwest::Client;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Mockd, ScenarioFile, Socket, number, poll, seed, soon};
use saves::{Saved, Saver, shop, total};

const SOCKETS: usize = 200;

/// Clients that place orders concurrently.
const BUYERS: usize = 3;

/// Concurrent orders per buyer.
const CONCURRENT_ORDERS: usize = 8;

/// The amount of the last order.
const LAST: i64 = 1_000_000_000;

type Totals = BTreeMap<String, i64>;

/// Reads a socket until the last order, and returns the last total of each product.
async fn read_totals(mut socket: Socket, seen: Arc<watch::Sender<i64>>) -> Totals {
    let mut totals = Totals::new();
    loop {
        let Some(Message::Text(text)) = socket.next().await else { panic!("a socket was dropped") };
        let frame: Value = serde_json::from_str(&text).unwrap();
        let (id, total) = (frame["id"].as_str().unwrap(), frame["total"].as_i64().unwrap());
        let before = totals.insert(id.to_owned(), total);
        match id {
            "A1" => assert!(before.is_none_or(|before| before < total), "A1 went from {before:?} to {total}"),
            "B1" if total >= LAST => return totals,
            _ => {}
        }
        seen.send_if_modified(|seen| {
            let is_new = id == "A1" && *seen < total;
            *seen = if is_new { total } else { *seen };
            is_new
        });
    }
}

/// Places batches of concurrent orders for A1, each after a socket has received the previous one. Returns the number of
/// orders.
async fn buy(url: String, mut seen: watch::Receiver<i64>, stopped: watch::Receiver<bool>) -> i64 {
    let client = Client::new();
    let mut bought = 0;
    while !*stopped.borrow() {
        let before = *seen.borrow_and_update();
        let order = || client.post(format!("{url}/orders/A1")).header("content-type", "application/json");
        let orders = (0..CONCURRENT_ORDERS).map(|_| order().body(r#"{"amount":1}"#).send());
        for answer in join_all(orders).await {
            assert_eq!(answer.unwrap().status(), 200);
            bought += 1;
        }
        soon("a new total", seen.wait_for(|seen| *seen > before)).await.unwrap();
    }
    bought
}

/// Lists the products repeatedly, and asserts that they come from a valid save that is never older than the previous
/// one. Returns the number of requests.
async fn list_products(url: String, last_valid: Arc<AtomicI64>, stopped: watch::Receiver<bool>) -> usize {
    let (client, mut last, mut requests) = (Client::new(), 0, 0);
    while !*stopped.borrow() {
        let answer = client.get(format!("{url}/electronics")).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let products: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        let name = products[1]["name"].as_str().unwrap();
        let save = name.strip_prefix("Blower ").and_then(|save| save.parse().ok()).unwrap();
        assert!((last..=last_valid.load(Ordering::SeqCst)).contains(&save), "{name} after save {last}");
        assert_eq!((products.as_array().unwrap().len(), &products[0]["name"]), (2, &json!("Vacuum Cleaner")));
        (last, requests) = (save, requests + 1);
    }
    requests
}

/// Waits until a save has had its effect.
async fn wait_for_effect(client: &Client, url: &str, saved: Saved) {
    let has_effect = |reload: &Value| match saved {
        Saved::Valid(save) => {
            let mut changes = reload["changes"].as_array().unwrap().iter();
            reload["ok"] == true && changes.any(|change| change["id"] == "A2" && change["to"] == total(save))
        }
        Saved::UnknownKey(number) => reload["error"].to_string().contains(&format!("`bogus{number}`")),
        Saved::Invalid => reload["ok"] == false,
        Saved::Unchanged => true,
    };
    let check = async || {
        let answer = client.get(format!("{url}/__mockd/reload")).send().await.unwrap();
        has_effect(&serde_json::from_str(&answer.text().await.unwrap()).unwrap()).then_some(())
    };
    poll(&format!("{saved:?}"), check).await;
}

/// Performs all saves and a last valid one, and waits for its effect. Returns the number of the last save.
async fn save_all(saver: &mut Saver, url: &str) -> i64 {
    let client = Client::new();
    for _ in 0..number("MOCKD_TORTURE_SAVES").unwrap_or(150) {
        let outcome = saver.save();
        if saver.should_wait() {
            wait_for_effect(&client, url, outcome).await;
        }
    }
    let last = saver.save_valid();
    wait_for_effect(&client, url, Saved::Valid(last)).await;
    last
}

async fn open(mockd: &Mockd, seen: &Arc<watch::Sender<i64>>) -> Vec<JoinHandle<Totals>> {
    let categories = ["electronics", "confectionery", "nothing"].iter().cycle().take(SOCKETS);
    let sockets = join_all(categories.map(|category| mockd.live(category))).await;
    sockets.into_iter().map(|socket| tokio::spawn(read_totals(socket, seen.clone()))).collect()
}

#[tokio::test]
async fn hundreds_of_saves_drop_no_socket_and_lose_no_order() {
    let random = ChaCha8Rng::seed_from_u64(seed("MOCKD_TORTURE_SEED"));
    let file = ScenarioFile::new(&shop(0));
    let mut mockd = Mockd::run(&file).await;
    mockd.discard_log();
    let mut saver = Saver::new(file, random);
    let seen = Arc::new(watch::Sender::new(3));
    let views = open(&mockd, &seen).await;
    let (stop, stopped) = watch::channel(false);
    let buyers: Vec<_> =
        (0..BUYERS).map(|_| tokio::spawn(buy(mockd.url().into(), seen.subscribe(), stopped.clone()))).collect();
    let reader = tokio::spawn(list_products(mockd.url().into(), saver.last_valid.clone(), stopped));
    let last = save_all(&mut saver, mockd.url()).await;
    stop.send(true).unwrap();
    let bought: i64 = join_all(buyers).await.into_iter().map(Result::unwrap).sum();
    println!("{last} valid saves, {bought} orders, {} listings", reader.await.unwrap());
    mockd.order("A2", 5).await;
    mockd.order("B1", LAST).await;
    let expected = [("A1", 3 + bought), ("A2", total(last) + 5), ("B1", 101 + LAST)];
    let expected: Totals = expected.map(|(id, total)| (id.to_owned(), total)).into();
    let state = mockd.get("/__mockd/state").await.json();
    assert_eq!(serde_json::from_value::<Totals>(state["totals"].clone()).unwrap(), expected);
    for view in views {
        assert_eq!(soon("the last order", view).await.unwrap(), expected);
    }
}
