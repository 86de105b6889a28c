//! A client that acts at random.

use std::sync::Arc;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::record::{Order, Outcome, ProductKey, Span};
use super::run::{Mode, Run};
use super::shop::{self, CATEGORIES, NOWHERE};
use super::tap::Tap;

/// The maximum number of sockets of a client.
const MAX_SOCKETS: usize = 4;

/// The products that clients order, whether they exist or not. The last one never exists.
const IDS: [&str; 10] = ["A1", "A1", "A2", "A2", "B1", "B1", "A3", "A4", "B2", "Z1"];

pub(super) struct Client {
    run: Arc<Run>,
    random: ChaCha8Rng,
    taps: Vec<Tap>,
}

impl Client {
    pub(super) fn new(run: Arc<Run>, random: &mut ChaCha8Rng) -> Self {
        Self { run, random: ChaCha8Rng::seed_from_u64(random.random()), taps: Vec::new() }
    }

    pub(super) fn taps(&self) -> &[Tap] {
        &self.taps
    }

    pub(super) fn into_taps(self) -> Vec<Tap> {
        self.taps
    }

    /// Performs a random action and waits for its answer.
    pub(super) async fn act(&mut self) {
        match self.random.random_range(0..100) {
            0..40 => self.order().await,
            40..48 => self.abort_order().await,
            48..60 => self.open().await,
            60..74 => self.switch(),
            74..80 => self.close().await,
            80..86 => self.abort().await,
            86..90 => self.add_product().await,
            90..91 => self.run.reset().await,
            91..95 => self.save().await,
            95..97 => self.save_invalid().await,
            _ => self.read_or_advance().await,
        }
    }

    /// Draws an id and a positive or negative amount.
    fn draw_order(&mut self) -> (&'static str, i64) {
        let id = IDS[self.random.random_range(0..IDS.len())];
        let amount = self.run.amount();
        (id, if self.random.random() { amount } else { -amount })
    }

    async fn order(&mut self) {
        let (id, amount) = self.draw_order();
        let server = self.draw_server();
        self.run.order(server, id, amount).await;
    }

    /// Drops the connection in the middle of the request, or before its answer.
    async fn abort_order(&mut self) {
        let (id, amount) = self.draw_order();
        let server = self.draw_server();
        let (address, body) = (self.run.servers[server].address(), json!({ "amount": amount }).to_string());
        let request = format!(
            "POST /orders/{id} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        // Whether a complete request takes effect is a race, which a replay has to avoid.
        let is_whole = self.random.random() && self.run.mode == Mode::Live;
        let length = if is_whole { request.len() } else { self.random.random_range(1..request.len()) };
        let outcome = if is_whole { Outcome::InDoubt } else { Outcome::Refused };
        let span = Span { sent: self.run.tick(), answered: u64::MAX, server };
        self.run.history().orders.push(Order { id: id.into(), amount, span, outcome });
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(&request.as_bytes()[..length]).await.unwrap();
    }

    fn draw_server(&mut self) -> usize {
        self.random.random_range(0..self.run.servers.len())
    }

    fn draw_category(&mut self) -> &'static str {
        let at = self.random.random_range(0..=CATEGORIES.len());
        CATEGORIES.get(at).copied().unwrap_or(NOWHERE)
    }

    async fn open(&mut self) {
        if self.taps.len() == MAX_SOCKETS {
            self.close().await;
        }
        let category = self.draw_category();
        let server = self.draw_server();
        self.taps.push(Tap::open(&self.run, server, category).await);
    }

    fn draw_tap(&mut self) -> Option<usize> {
        (!self.taps.is_empty()).then(|| self.random.random_range(0..self.taps.len()))
    }

    fn switch(&mut self) {
        let category = self.draw_category();
        if let Some(tap) = self.draw_tap() {
            self.taps[tap].switch(category);
        }
    }

    async fn close(&mut self) {
        if let Some(tap) = self.draw_tap() {
            let stream = self.taps.swap_remove(tap).close().await;
            self.run.history().streams.push(stream);
        }
    }

    async fn abort(&mut self) {
        if let Some(tap) = self.draw_tap() {
            let stream = self.taps.swap_remove(tap).abort().await;
            self.run.history().streams.push(stream);
        }
    }

    async fn add_product(&mut self) {
        let category = if self.random.random() { "electronics" } else { "confectionery" };
        let server = self.draw_server();
        // The request must be answered, so it is not sent during an outage.
        let Ok(_no_outage) = self.run.outage_lock.try_read() else { return };
        let _no_reset = self.run.reset_lock.read().await;
        let answer = self.run.servers[server].post(&format!("/{category}"), r#"{"name":"Another"}"#).await;
        let products = answer.json();
        if answer.status == 503 {
            // A server may notice only after reconnecting that it had lost its store.
            if answer.text.contains("it may not have been done") {
                self.run.history().maybe_added.push(category.into());
            }
            return;
        }
        let id = products.as_array().unwrap().last().unwrap()["id"].as_str().unwrap().to_owned();
        self.run.history().added.push(ProductKey { category: category.into(), id });
    }

    async fn save(&mut self) {
        let marker = self.run.save(self.random.random(), self.random.random_range(0..3));
        if self.run.mode == Mode::Replay {
            self.run.wait_until_served(marker).await;
        }
    }

    /// Saves an invalid file, which does not change what is served.
    async fn save_invalid(&mut self) {
        let (tag, editor) = (format!("broken{}", self.run.amount()), self.random.random_range(0..3));
        let save = || {
            // The lock prevents concurrent saves.
            let history = self.run.history();
            let text = shop::text(history.saves.last().unwrap());
            self.run.write(&format!("{tag}: 1\n{text}"), editor);
        };
        save();
        if self.run.mode == Mode::Replay {
            self.run.reloaded(|reload| reload["error"].as_str().is_some_and(|error| error.contains(&tag))).await;
        }
    }

    /// Reads the products or, on a paused clock, advances the time.
    async fn read_or_advance(&mut self) {
        if self.run.mode == Mode::Replay {
            let time = format!("{}us", self.random.random_range(1..40_000));
            self.run.first().advance("", &time).await;
            return;
        }
        let products = self.run.first().get("/electronics").await.json();
        assert_eq!((&products[0]["id"], &products[1]["id"]), (&json!("A1"), &json!("A2")));
    }
}
