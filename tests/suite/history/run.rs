//! A run of all clients against one mockd, or against several that serve one mock, and its record.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::clients::Client;
use super::record::{History, Order, Outcome, Span, Stream};
use super::shop::{self, CATEGORIES, MARKER, SPACING};
use super::tap::Tap;
use crate::support::{Mockd, ScenarioFile};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Clients act concurrently, in real time.
    Live,
    /// Clients take turns on a paused clock.
    Replay,
}

/// More than the sum of all orders and less than the spacing of saves, so that the last order's total is unique.
const LAST: i64 = SPACING / 10;

pub(super) struct Run {
    pub(super) mode: Mode,
    /// Clients use any of them. Requests that concern all servers go to the first, the only one that watches the file.
    pub(super) servers: Vec<Mockd>,
    pub(super) file: ScenarioFile,
    /// Shared by additions of products, exclusive for a reset, so that the transcript before it has all products.
    pub(super) reset_lock: tokio::sync::RwLock<()>,
    /// Shared by requests that must be answered, exclusive for an outage.
    pub(super) outage_lock: tokio::sync::RwLock<()>,
    history: Mutex<History>,
    witnesses: Mutex<Vec<Tap>>,
    ticks: AtomicU64,
    amounts: AtomicI64,
}

impl Run {
    pub(super) async fn start(mode: Mode) -> Arc<Self> {
        let file = Self::file();
        // Nothing may happen before the witnesses are connected.
        let mut mockd = Mockd::run_with(file.path(), &["--paused"]).await;
        mockd.discard_log();
        Self::with_servers(mode, file, vec![mockd]).await
    }

    /// Returns a file with the scenario, for servers that the caller starts.
    pub(super) fn file() -> ScenarioFile {
        ScenarioFile::new(&shop::text(&shop::first()))
    }

    /// Starts a run on servers whose clocks are paused. The witnesses are distributed over the servers.
    pub(super) async fn with_servers(mode: Mode, file: ScenarioFile, servers: Vec<Mockd>) -> Arc<Self> {
        let run = Arc::new(Self {
            mode,
            servers,
            file,
            reset_lock: tokio::sync::RwLock::default(),
            outage_lock: tokio::sync::RwLock::default(),
            history: Mutex::new(History { saves: vec![shop::first()], ..History::default() }),
            witnesses: Mutex::default(),
            ticks: AtomicU64::new(0),
            amounts: AtomicI64::new(0),
        });
        for (number, category) in CATEGORIES.into_iter().enumerate() {
            let witness = Tap::open(&run, number % run.servers.len(), category).await;
            run.witnesses.lock().unwrap().push(witness);
        }
        run.resume().await;
        run
    }

    /// Resumes the clock of a live run, which is paused after the start and after a reset.
    async fn resume(&self) {
        if self.mode == Mode::Live {
            self.first().control("POST", "/__mockd/clock", json!({ "resume": true })).await;
        }
    }

    pub(super) fn first(&self) -> &Mockd {
        &self.servers[0]
    }

    /// Returns the next tick of the run.
    pub(super) fn tick(&self) -> u64 {
        self.ticks.fetch_add(1, Ordering::SeqCst)
    }

    /// Returns an amount that no other order has.
    pub(super) fn amount(&self) -> i64 {
        self.amounts.fetch_add(1, Ordering::SeqCst) + 2
    }

    pub(super) fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap()
    }

    /// Runs an action and returns its span.
    async fn timed<T>(&self, server: usize, action: impl Future<Output = T>) -> (T, Span) {
        let sent = self.tick();
        let outcome = action.await;
        (outcome, Span { sent, answered: self.tick(), server })
    }

    pub(super) async fn order(&self, server: usize, id: &str, amount: i64) -> Outcome {
        let (path, body) = (format!("/orders/{id}"), json!({ "amount": amount }).to_string());
        let (answer, span) = self.timed(server, self.servers[server].post(&path, &body)).await;
        let outcome = match (answer.status, &*answer.text) {
            (200, r#"{"ok":true}"#) => Outcome::Accepted,
            (404, _) => Outcome::Refused,
            // The store is unreachable: a request in flight may have reached it.
            (503, _) if self.servers.len() > 1 => Outcome::InDoubt,
            _ => panic!("an order was answered with {} {}", answer.status, answer.text),
        };
        let span = if outcome == Outcome::InDoubt { Span { answered: u64::MAX, ..span } } else { span };
        self.history().orders.push(Order { id: id.into(), amount, span, outcome });
        outcome
    }

    /// Resets the world and keeps the transcript up to the reset.
    pub(super) async fn reset(&self) {
        let Ok(_no_outage) = self.outage_lock.try_read() else { return };
        let _exclusive = self.reset_lock.write().await;
        if self.servers.len() > 1 {
            // This request is ordered after everything that other servers have answered, so the first one catches up.
            self.first().advance("", "0s").await;
        }
        let transcript = self.first().get("/__mockd/transcript").await.text;
        let (_, span) = self.timed(0, self.first().control("POST", "/__mockd/reset", Value::Null)).await;
        {
            let mut history = self.history();
            history.transcripts.push(transcript);
            history.resets.push(span);
        }
        self.resume().await;
    }

    /// Saves a valid file with a new total of the marker product and, if `both`, of another one. Returns the total.
    pub(super) fn save(&self, both: bool, editor: usize) -> i64 {
        let mut history = self.history();
        let marker = SPACING * i64::try_from(history.saves.len()).unwrap();
        let mut totals = history.saves.last().unwrap().clone();
        for id in [MARKER, "B1"].iter().take(1 + usize::from(both)) {
            totals.insert((*id).to_owned(), marker);
        }
        self.write(&shop::text(&totals), editor);
        history.saves.push(totals);
        marker
    }

    /// Writes the file as one of three editors does.
    pub(super) fn write(&self, text: &str, editor: usize) {
        let editors = [ScenarioFile::write_in_place, ScenarioFile::save_like_vim, ScenarioFile::save_like_jetbrains];
        editors[editor](&self.file, text);
    }

    /// Waits until the file with this total of the marker product is served.
    pub(super) async fn wait_until_served(&self, marker: i64) {
        self.reloaded(|reload| {
            let mut changes = reload["changes"].as_array().unwrap().iter();
            reload["ok"] == true && changes.any(|change| change["id"] == MARKER && change["to"] == marker)
        })
        .await;
    }

    /// Waits for a reload that matches.
    pub(super) async fn reloaded(&self, matches: impl Fn(&Value) -> bool) {
        self.first().until("/__mockd/reload", matches).await;
    }

    /// Waits until all sockets have received everything that happened.
    pub(super) async fn settle(&self, clients: &[Client]) {
        self.first().advance("", "0s").await;
        let witnesses = self.witnesses.lock().unwrap().drain(..).collect::<Vec<_>>();
        for tap in witnesses.iter().chain(clients.iter().flat_map(Client::taps)) {
            tap.settle().await;
        }
        *self.witnesses.lock().unwrap() = witnesses;
    }

    /// Ends the run with a save and an order, reads the remaining frames of all sockets and returns the history.
    pub(super) async fn end(&self, clients: Vec<Client>) -> History {
        let marker = self.save(false, 0);
        self.wait_until_served(marker).await;
        self.first().control("POST", "/__mockd/clock", json!({ "pause": true })).await;
        assert_eq!(self.order(0, "A2", LAST).await, Outcome::Accepted);
        let state = self.first().get("/__mockd/state").await.json();
        let transcript = self.first().get("/__mockd/transcript").await.text;
        let last = format!(r#"{{"id":"A2","total":{}}}"#, state["totals"]["A2"]);
        let witnesses = std::mem::take(&mut *self.witnesses.lock().unwrap());
        let witnesses = finish(witnesses, &last).await;
        let streams = finish(clients.into_iter().flat_map(Client::into_taps), &last).await;
        let mut history = std::mem::take(&mut *self.history());
        history.transcripts.push(transcript);
        history.witnesses = witnesses;
        history.streams.extend(streams);
        history.totals = serde_json::from_value(state["totals"].clone()).unwrap();
        history
    }
}

async fn finish(taps: impl IntoIterator<Item = Tap>, last: &str) -> Vec<Stream> {
    join_all(taps.into_iter().map(|tap| tap.finish(last))).await
}
