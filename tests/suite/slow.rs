//! Clients that do not read have no effect on clients that do, and almost none on the server.

use std::collections::HashMap;

use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use crate::support::{Mockd, SHOP, ScenarioFile, Socket};

const READERS: usize = 50;
const STUCK: usize = 10;

/// Orders in one call: fewer than the backlog of a socket.
const BATCH: usize = 1_000;

/// The number of batches after which the journal is full and every socket that does not read has fallen behind.
const FIRST: usize = 20;

/// The number of batches after that.
const THEN: usize = 40;

/// The memory that the server may take in addition for these, in MiB. The transcript takes half of it. The frames of
/// one socket alone would take 11.
const MAX_GROWTH: u64 = 8;

/// A shop, the totals of its three products, and the sockets that receive them.
struct Shop {
    mockd: Mockd,
    totals: [(String, i64); 3],
    readers: Vec<Socket>,
}

impl Shop {
    async fn open() -> Self {
        // Long ids, so that the frames are larger than their bookkeeping.
        let long = ["A", "B"].map(|letter| letter.repeat(400));
        let scenario =
            SHOP.replace("id: A1", &format!("id: {}", long[0])).replace("id: A2", &format!("id: {}", long[1]));
        let mockd = Mockd::run(&ScenarioFile::new(&scenario)).await;
        let readers = join_all((0..READERS).map(|_| mockd.live("nothing"))).await;
        let [one, two] = long;
        Self { mockd, totals: [(one, 3), (two, 7), ("B1".into(), 101)], readers }
    }

    /// Places a batch of orders, and asserts that every reader receives all of it in order.
    async fn batch(&mut self, size: usize) {
        let mut frames = Vec::with_capacity(size);
        let mut orders = Vec::with_capacity(size);
        for index in 0..size {
            let (id, total) = &mut self.totals[index % 3];
            *total += 1;
            orders.push(json!({ "id": id, "amount": 1 }));
            frames.push(json!({ "id": id, "total": total }).to_string());
        }
        let order = self.mockd.control("POST", "/__mockd/orders", json!({ "orders": orders }));
        let (_, seen) = join(order, join_all(self.readers.iter_mut().map(|reader| reader.texts(size)))).await;
        assert!(seen.iter().all(|seen| *seen == frames), "an update is missing or out of order");
    }

    /// Returns the open sockets, the oldest first.
    async fn sockets(&self) -> Vec<Value> {
        self.mockd.get("/__mockd/sockets").await.json()["sockets"].as_array().unwrap().clone()
    }
}

fn count(socket: &Value, key: &str) -> u64 {
    socket[key].as_u64().unwrap_or_else(|| panic!("no {key} in {socket}"))
}

/// Returns the last total of each product in these frames. Panics if a total decreases.
fn last_totals(frames: &[String]) -> HashMap<String, i64> {
    let mut totals = HashMap::new();
    for frame in frames {
        let frame: Value = serde_json::from_str(frame).unwrap();
        let (id, total) = (frame["id"].as_str().unwrap().to_owned(), frame["total"].as_i64().unwrap());
        let before = totals.insert(id, total);
        assert!(before.is_none_or(|before| before <= total), "a total went from {before:?} back to {total}");
    }
    totals
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn sockets_that_do_not_read_affect_neither_others_nor_memory() {
    let mut shop = Shop::open().await;
    let url = format!("ws://{}/orders/nothing", shop.mockd.address());
    let mut stuck = join_all((0..STUCK).map(|_| Socket::open_narrow(&url))).await;
    for _ in 0..FIRST {
        shop.batch(BATCH).await;
    }
    let before = shop.mockd.memory() / 1024;
    for _ in 0..THEN {
        shop.batch(BATCH).await;
    }
    let after = shop.mockd.memory() / 1024;
    assert!(after <= before + MAX_GROWTH, "memory grew from {before} to {after} MiB");

    let (published, sockets) = (((FIRST + THEN) * BATCH) as u64, shop.sockets().await);
    let (reading, not_reading) = sockets.split_at(READERS);
    for socket in reading {
        assert_eq!((count(socket, "sent"), count(socket, "caughtUp")), (published, 0), "{socket}");
    }
    for socket in not_reading {
        assert!(count(socket, "backlog") > published / 2 && count(socket, "caughtUp") == 0, "{socket}");
    }

    shop.batch(3).await;
    let (id, total) = &shop.totals[2];
    let last = json!({ "id": id, "total": total }).to_string();
    let seen = join_all(stuck.iter_mut().map(|socket| socket.until(&last))).await;
    for mut frames in seen {
        assert!(frames.len() < FIRST * BATCH, "a slow socket got {} of {published} updates", frames.len());
        frames.push(last.clone());
        assert_eq!(last_totals(&frames), HashMap::from(shop.totals.clone()));
    }
    for socket in &shop.sockets().await[READERS..] {
        assert!((count(socket, "backlog"), count(socket, "caughtUp")) == (0, 1), "{socket}");
    }
    shop.readers.append(&mut stuck);
    shop.batch(BATCH).await;
}
