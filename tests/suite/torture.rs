//! Hundreds of saves in every manner, good and bad, under open sockets and orders in flight.
//!
//! `MOCKD_TORTURE_SAVES` says how many, `MOCKD_TORTURE_SEED` repeats them.

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

/// Who order at once.
/// Orders of one of them that are in flight together.
const ORDERS_AT_ONCE: usize = 8;

const BUYERS: usize = 3;

/// The order of this amount is the last one.
const LAST: i64 = 1_000_000_000;

type Totals = BTreeMap<String, i64>;

/// Reads a socket until the last order, and gives the last total of each product.
async fn view(mut socket: Socket, seen: Arc<watch::Sender<i64>>) -> Totals {
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

/// One who orders A1 again and again, several times at once and then after a socket has heard of it, and gives how often.
async fn buy(url: String, mut seen: watch::Receiver<i64>, over: watch::Receiver<bool>) -> i64 {
    let client = Client::new();
    let mut bought = 0;
    while !*over.borrow() {
        let before = *seen.borrow_and_update();
        let order = || client.post(format!("{url}/orders/A1")).header("content-type", "application/json");
        let orders = (0..ORDERS_AT_ONCE).map(|_| order().body(r#"{"amount":1}"#).send());
        for answer in join_all(orders).await {
            assert_eq!(answer.unwrap().status(), 200);
            bought += 1;
        }
        soon("a new total", seen.wait_for(|seen| *seen > before)).await.unwrap();
    }
    bought
}

/// One who looks at the products all the time: they are those of a good file, never of an older one than before.
async fn look(url: String, good: Arc<AtomicI64>, over: watch::Receiver<bool>) -> usize {
    let (client, mut last, mut looks) = (Client::new(), 0, 0);
    while !*over.borrow() {
        let answer = client.get(format!("{url}/electronics")).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let products: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        let name = products[1]["name"].as_str().unwrap();
        let save = name.strip_prefix("Blower ").and_then(|save| save.parse().ok()).unwrap();
        assert!((last..=good.load(Ordering::SeqCst)).contains(&save), "{name} after save {last}");
        assert_eq!((products.as_array().unwrap().len(), &products[0]["name"]), (2, &json!("Vacuum Cleaner")));
        (last, looks) = (save, looks + 1);
    }
    looks
}

/// Waits until what was saved has become of it what has to.
async fn arrived(client: &Client, url: &str, saved: Saved) {
    let is_there = |reload: &Value| match saved {
        Saved::Good(save) => {
            let mut changes = reload["changes"].as_array().unwrap().iter();
            reload["ok"] == true && changes.any(|change| change["id"] == "A2" && change["to"] == total(save))
        }
        Saved::Mistaken(number) => reload["error"].to_string().contains(&format!("`bogus{number}`")),
        Saved::Bad => reload["ok"] == false,
        Saved::Same => true,
    };
    let look = async || {
        let answer = client.get(format!("{url}/__mockd/reload")).send().await.unwrap();
        is_there(&serde_json::from_str(&answer.text().await.unwrap()).unwrap()).then_some(())
    };
    poll(&format!("{saved:?}"), look).await;
}

/// All saves, and a last good one that has arrived; gives its number.
async fn save_on(saver: &mut Saver, url: &str) -> i64 {
    let client = Client::new();
    for _ in 0..number("MOCKD_TORTURE_SAVES").unwrap_or(150) {
        let outcome = saver.save();
        if saver.is_patient() {
            arrived(&client, url, outcome).await;
        }
    }
    let last = saver.save_a_good_one();
    arrived(&client, url, Saved::Good(last)).await;
    last
}

async fn open(mockd: &Mockd, seen: &Arc<watch::Sender<i64>>) -> Vec<JoinHandle<Totals>> {
    let categories = ["electronics", "confectionery", "nothing"].iter().cycle().take(SOCKETS);
    let sockets = join_all(categories.map(|category| mockd.live(category))).await;
    sockets.into_iter().map(|socket| tokio::spawn(view(socket, seen.clone()))).collect()
}

#[tokio::test]
async fn hundreds_of_varied_saves_drop_no_socket_and_lose_no_order() {
    let random = ChaCha8Rng::seed_from_u64(seed("MOCKD_TORTURE_SEED"));
    let file = ScenarioFile::new(&shop(0));
    let mut mockd = Mockd::run(&file).await;
    mockd.forget_log();
    let mut saver = Saver::new(file, random);
    let seen = Arc::new(watch::Sender::new(3));
    let views = open(&mockd, &seen).await;
    let (end, over) = watch::channel(false);
    let buyers: Vec<_> =
        (0..BUYERS).map(|_| tokio::spawn(buy(mockd.url().into(), seen.subscribe(), over.clone()))).collect();
    let looker = tokio::spawn(look(mockd.url().into(), saver.good.clone(), over));
    let last = save_on(&mut saver, mockd.url()).await;
    end.send(true).unwrap();
    let bought: i64 = join_all(buyers).await.into_iter().map(Result::unwrap).sum();
    println!("{last} good saves, {bought} orders, {} looks", looker.await.unwrap());
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
