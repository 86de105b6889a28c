//! One mockd under all clients, or several that are one mock, and the record of what they do.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::clients::Client;
use super::record::{History, Order, Outcome, Span, Stream};
use super::shop::{self, CATEGORIES, DATED, SPACING};
use super::tap::Tap;
use crate::support::{Mockd, ScenarioFile};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// All clients at once, in real time.
    Live,
    /// One after the other, on a clock that stands still.
    Replay,
}

/// More than all orders together, and less than what tells a save: the last order's total is like no other.
const LAST: i64 = SPACING / 10;

pub(super) struct Run {
    pub(super) mode: Mode,
    /// Clients may ask any of them; what is about all of them is asked of the first, which alone follows the file.
    pub(super) servers: Vec<Mockd>,
    pub(super) file: ScenarioFile,
    /// Held by who adds products, and alone by who resets: so the transcript before a reset tells of all products.
    pub(super) products: tokio::sync::RwLock<()>,
    /// Held by who asks for something that has to be answered, and alone by who takes something away.
    pub(super) whole: tokio::sync::RwLock<()>,
    history: Mutex<History>,
    witnesses: Mutex<Vec<Tap>>,
    ticks: AtomicU64,
    amounts: AtomicI64,
}

impl Run {
    pub(super) async fn start(mode: Mode) -> Arc<Self> {
        let file = Self::file();
        // Until the witnesses are there, nothing is to happen.
        let mut mockd = Mockd::run_with(file.path(), &["--paused"]).await;
        mockd.discard_log();
        Self::with(mode, file, vec![mockd]).await
    }

    /// A file with the scenario, for servers that are started elsewhere.
    pub(super) fn file() -> ScenarioFile {
        ScenarioFile::new(&shop::text(&shop::first()))
    }

    /// With servers whose clocks stand still. There is a witness on each, or on some of them.
    pub(super) async fn with(mode: Mode, file: ScenarioFile, servers: Vec<Mockd>) -> Arc<Self> {
        let run = Arc::new(Self {
            mode,
            servers,
            file,
            products: tokio::sync::RwLock::default(),
            whole: tokio::sync::RwLock::default(),
            history: Mutex::new(History { saves: vec![shop::first()], ..History::default() }),
            witnesses: Mutex::default(),
            ticks: AtomicU64::new(0),
            amounts: AtomicI64::new(0),
        });
        for (number, category) in CATEGORIES.into_iter().enumerate() {
            let witness = Tap::open(&run, number % run.servers.len(), category).await;
            run.witnesses.lock().unwrap().push(witness);
        }
        run.begin().await;
        run
    }

    /// Lets time go on, from the start or a reset.
    async fn begin(&self) {
        if self.mode == Mode::Live {
            self.first().control("POST", "/__mockd/clock", json!({ "resume": true })).await;
        }
    }

    pub(super) fn first(&self) -> &Mockd {
        &self.servers[0]
    }

    /// The next moment of the run.
    pub(super) fn tick(&self) -> u64 {
        self.ticks.fetch_add(1, Ordering::SeqCst)
    }

    /// An amount that no other order has.
    pub(super) fn amount(&self) -> i64 {
        self.amounts.fetch_add(1, Ordering::SeqCst) + 2
    }

    pub(super) fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap()
    }

    /// Runs something and says when.
    async fn timed<T>(&self, server: usize, action: impl Future<Output = T>) -> (T, Span) {
        let asked = self.tick();
        let outcome = action.await;
        (outcome, Span { asked, answered: self.tick(), server })
    }

    pub(super) async fn order(&self, server: usize, id: &str, amount: i64) -> Outcome {
        let (path, body) = (format!("/orders/{id}"), json!({ "amount": amount }).to_string());
        let (answer, span) = self.timed(server, self.servers[server].post(&path, &body)).await;
        let outcome = match (answer.status, &*answer.text) {
            (200, r#"{"ok":true}"#) => Outcome::Accepted,
            (404, _) => Outcome::Refused,
            // The store is gone: what was under way may have come there.
            (503, _) if self.servers.len() > 1 => Outcome::InDoubt,
            _ => panic!("an order was answered with {} {}", answer.status, answer.text),
        };
        let span = if outcome == Outcome::InDoubt { Span { answered: u64::MAX, ..span } } else { span };
        self.history().orders.push(Order { id: id.into(), amount, span, outcome });
        outcome
    }

    /// Keeps the transcript that the reset ends.
    pub(super) async fn reset(&self) {
        let Ok(_no_outage) = self.whole.try_read() else { return };
        let _alone = self.products.write().await;
        if self.servers.len() > 1 {
            // What it is asked comes after all that others have answered, and then it knows of that.
            self.first().advance("", "0s").await;
        }
        let transcript = self.first().get("/__mockd/transcript").await.text;
        let (_, span) = self.timed(0, self.first().control("POST", "/__mockd/reset", Value::Null)).await;
        {
            let mut history = self.history();
            history.transcripts.push(transcript);
            history.resets.push(span);
        }
        self.begin().await;
    }

    /// Saves a good file: another total of one product, and maybe of a second one.
    pub(super) fn save(&self, both: bool, way: usize) -> i64 {
        let mut history = self.history();
        let date = SPACING * i64::try_from(history.saves.len()).unwrap();
        let mut totals = history.saves.last().unwrap().clone();
        for id in [DATED, "B1"].iter().take(1 + usize::from(both)) {
            totals.insert((*id).to_owned(), date);
        }
        self.write(&shop::text(&totals), way);
        history.saves.push(totals);
        date
    }

    /// Writes the file as one of the editors does.
    pub(super) fn write(&self, text: &str, way: usize) {
        let ways = [ScenarioFile::write_in_place, ScenarioFile::save_like_vim, ScenarioFile::save_like_jetbrains];
        ways[way](&self.file, text);
    }

    /// Waits until the file of that date is served.
    pub(super) async fn serves(&self, date: i64) {
        self.reloaded(|reload| {
            let mut changes = reload["changes"].as_array().unwrap().iter();
            reload["ok"] == true && changes.any(|change| change["id"] == DATED && change["to"] == date)
        })
        .await;
    }

    /// Waits for what became of a save.
    pub(super) async fn reloaded(&self, is_so: impl Fn(&Value) -> bool) {
        self.first().until("/__mockd/reload", is_so).await;
    }

    /// Everything that happened has come to all sockets.
    pub(super) async fn settle(&self, clients: &[Client]) {
        self.first().advance("", "0s").await;
        let witnesses = self.witnesses.lock().unwrap().drain(..).collect::<Vec<_>>();
        for tap in witnesses.iter().chain(clients.iter().flat_map(Client::taps)) {
            tap.settle().await;
        }
        *self.witnesses.lock().unwrap() = witnesses;
    }

    /// Ends with a save, an order, and everything that the sockets still have to get.
    pub(super) async fn end(&self, clients: Vec<Client>) -> History {
        let date = self.save(false, 0);
        self.serves(date).await;
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
