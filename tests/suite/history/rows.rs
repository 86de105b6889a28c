//! Clients by chance change and read one collection at once: its checker finds whether one order of changes explains every
//! answer and every list.

mod checker;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::join_all;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use super::record::Span;
use super::{CLIENTS, SEED, steps};
use crate::support::{Answer, EventStream, Mockd, ScenarioFile, seed};
use checker::{Done, RowHistory, What, check};

const ROWS: &str = "
data: { rows: [{ id: 1, votes: 0 }, { id: 2, votes: 0 }] }
http:
  /rows: { crud: rows }
  POST /rows/{id}/votes: { increment: { rows: { id: $path.id, votes: 1 } }, body: $it }
  GET /changes: { stream: [{ reply: ready }, { join: rows }] }
";

/// The note of the row that is added last.
const LAST: &str = "last";

/// One mockd under all clients.
struct Run {
    mockd: Mockd,
    ticks: AtomicU64,
}

/// A client, and what it did.
struct RowClient {
    run: Arc<Run>,
    random: ChaCha8Rng,
    number: usize,
    done: Vec<Done>,
}

impl Run {
    fn tick(&self) -> u64 {
        self.ticks.fetch_add(1, Ordering::SeqCst)
    }

    async fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> (Answer, Span) {
        let asked = self.tick();
        let answer = self.mockd.send(method, path, body).await;
        (answer, Span { asked, answered: self.tick(), server: 0 })
    }
}

impl RowClient {
    async fn act(&mut self, step: u64) {
        let note = format!("{} of {}", step, self.number);
        // Few rows, so that clients meet; some of them come and go.
        let id = self.random.random_range(1..=6 + step / 8);
        let one = format!("/rows/{id}");
        let (done, span) = match self.random.random_range(0..10) {
            0 | 1 => {
                let (answer, span) = self.run.ask("POST", "/rows", Some(&json!({ "votes": 0, "note": note }))).await;
                assert_eq!(answer.status, 201, "{}", answer.text);
                (What::Added(answer.json()), span)
            }
            2 | 3 => {
                let fields = json!({ "note": note });
                let (answer, span) = self.run.ask("PATCH", &one, Some(&fields)).await;
                (changed(&answer, id, |row| What::Merged { fields, row }), span)
            }
            4..7 => {
                let (answer, span) = self.run.ask("POST", &format!("{one}/votes"), None).await;
                (changed(&answer, id, What::Voted), span)
            }
            7 => {
                let (answer, span) = self.run.ask("DELETE", &one, None).await;
                let is_gone = matches!(answer.status, 200 | 204);
                (if is_gone { What::Removed(id.into()) } else { changed(&answer, id, What::Voted) }, span)
            }
            _ => {
                let (answer, span) = self.run.ask("GET", "/rows", None).await;
                assert_eq!(answer.status, 200, "{}", answer.text);
                (What::Listed(answer.json().as_array().unwrap().clone()), span)
            }
        };
        self.done.push(Done { span, what: done });
    }
}

/// What an answer about one row says.
fn changed(answer: &Answer, id: u64, what: impl FnOnce(Value) -> What) -> What {
    match answer.status {
        200 => what(answer.json()),
        404 => What::Missing(id.into()),
        status => panic!("row {id} was answered with {status} {}", answer.text),
    }
}

/// All changes, up to the last.
async fn witness(mut stream: EventStream) -> Vec<Value> {
    let mut events = Vec::new();
    loop {
        let mut event = stream.data().await;
        let is_last = event["row"]["note"] == LAST;
        event.as_object_mut().unwrap().remove("sequence");
        events.push(event);
        if is_last {
            return events;
        }
    }
}

async fn live(seed: u64) -> RowHistory {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut mockd = Mockd::run(&ScenarioFile::new(ROWS)).await;
    mockd.discard_log();
    let mut stream = EventStream::open(&mockd, "/changes").await;
    assert_eq!(stream.text().await, "ready");
    let start = mockd.get("/rows").await.json().as_array().unwrap().clone();
    let witness = tokio::spawn(witness(stream));
    let run = Arc::new(Run { mockd, ticks: AtomicU64::new(0) });
    let clients: Vec<RowClient> = (0..CLIENTS)
        .map(|number| {
            let random = ChaCha8Rng::seed_from_u64(random.random());
            RowClient { run: run.clone(), random, number, done: Vec::new() }
        })
        .collect();
    let acting = clients.into_iter().map(|mut client| {
        tokio::spawn(async move {
            for step in 0..steps() {
                client.act(step).await;
            }
            client.done
        })
    });
    let mut done: Vec<Done> = join_all(acting).await.into_iter().flat_map(Result::unwrap).collect();
    let (answer, span) = run.ask("POST", "/rows", Some(&json!({ "votes": 0, "note": LAST }))).await;
    done.push(Done { span, what: What::Added(answer.json()) });
    RowHistory { start, events: witness.await.unwrap(), done }
}

#[tokio::test]
async fn one_order_of_changes_explains_every_list_of_rows() {
    let history = live(seed(SEED)).await;
    let explained = check(&history).unwrap_or_else(|violation| panic!("{violation}"));
    println!("{explained:?}");
    assert!(explained.changes > 100 && explained.lists > 50 && explained.missing > 0, "too little happened");
}

/// A row that is voted for and removed, and what others read meanwhile.
fn honest() -> RowHistory {
    let row = |id: i64, votes: i64| json!({ "id": id, "votes": votes });
    let done = |asked, answered, what| Done { span: Span { asked, answered, server: 0 }, what };
    let event = |change: &str, row: Value, before: Value| json!({ "change": change, "row": row, "before": before });
    RowHistory {
        start: vec![row(1, 0)],
        events: vec![
            event("merged", row(1, 1), row(1, 0)),
            event("added", row(2, 0), Value::Null),
            event("removed", Value::Null, row(1, 1)),
        ],
        done: vec![
            done(0, 1, What::Voted(row(1, 1))),
            done(2, 6, What::Added(row(2, 0))),
            done(3, 5, What::Listed(vec![row(1, 1)])),
            done(7, 10, What::Removed(json!(1))),
            done(8, 9, What::Listed(vec![row(2, 0)])),
            done(11, 12, What::Missing(json!(1))),
        ],
    }
}

#[test]
fn an_honest_history_of_rows_is_explained() {
    let explained = check(&honest()).unwrap();
    assert_eq!((explained.changes, explained.lists, explained.missing), (3, 2, 1));
}

#[test]
fn a_history_of_rows_with_a_single_error_is_not_explained() {
    type Doctor = fn(&mut RowHistory);
    let doctors: [(&str, Doctor); 7] = [
        ("a list from before an answer", |history| history.done[4].what = What::Listed(history.start.clone())),
        ("a list that never was", |history| history.done[2].what = What::Listed(Vec::new())),
        ("a lost change", |history| drop(history.events.pop())),
        ("a change that nobody asked for", |history| drop(history.done.remove(1))),
        ("a row that is there", |history| history.done[5].what = What::Missing(json!(2))),
        ("a vote that counts twice", |history| {
            history.events[0]["row"]["votes"] = json!(2);
            history.events[2]["before"]["votes"] = json!(2);
            history.done[0].what = What::Voted(json!({ "id": 1, "votes": 2 }));
            history.done[2].what = What::Listed(vec![json!({ "id": 1, "votes": 2 })]);
        }),
        ("changes in an order that no client can have seen", |history| {
            history.done[3].span = Span { asked: 0, answered: 1, server: 0 };
            history.done[0].span = Span { asked: 7, answered: 10, server: 0 };
            history.done.remove(2);
        }),
    ];
    for (what, doctor) in doctors {
        let mut history = honest();
        doctor(&mut history);
        assert!(check(&history).is_err(), "{what} is explained");
    }
}
