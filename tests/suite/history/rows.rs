//! Clients randomly change and read one collection concurrently. The checker verifies that one order of changes
//! explains every answer and every list.

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
use checker::{Operation, Reply, RowHistory, check};

const ROWS: &str = "
data: { rows: [{ id: 1, votes: 0 }, { id: 2, votes: 0 }] }
http:
  /rows: { crud: rows }
  POST /rows/{id}/votes: { increment: { rows: { id: $path.id, votes: 1 } }, body: $it }
  GET /changes: { stream: [{ reply: ready }, { join: rows }] }
";

/// The note of the last row that is added.
const LAST: &str = "last";

/// The server that all clients share.
struct Run {
    mockd: Mockd,
    ticks: AtomicU64,
}

/// A client and its operations.
struct RowClient {
    run: Arc<Run>,
    random: ChaCha8Rng,
    number: usize,
    operations: Vec<Operation>,
}

impl Run {
    fn tick(&self) -> u64 {
        self.ticks.fetch_add(1, Ordering::SeqCst)
    }

    async fn send(&self, method: &str, path: &str, body: Option<&Value>) -> (Answer, Span) {
        let sent = self.tick();
        let answer = self.mockd.send(method, path, body).await;
        (answer, Span { sent, answered: self.tick(), server: 0 })
    }
}

impl RowClient {
    async fn act(&mut self, step: u64) {
        let note = format!("{} of {}", step, self.number);
        // There are few rows, so that clients collide. Some are added and removed.
        let id = self.random.random_range(1..=6 + step / 8);
        let row_path = format!("/rows/{id}");
        let (reply, span) = match self.random.random_range(0..10) {
            0 | 1 => {
                let (answer, span) = self.run.send("POST", "/rows", Some(&json!({ "votes": 0, "note": note }))).await;
                assert_eq!(answer.status, 201, "{}", answer.text);
                (Reply::Added(answer.json()), span)
            }
            2 | 3 => {
                let fields = json!({ "note": note });
                let (answer, span) = self.run.send("PATCH", &row_path, Some(&fields)).await;
                (row_reply(&answer, id, |row| Reply::Merged { fields, row }), span)
            }
            4..7 => {
                let (answer, span) = self.run.send("POST", &format!("{row_path}/votes"), None).await;
                (row_reply(&answer, id, Reply::Voted), span)
            }
            7 => {
                let (answer, span) = self.run.send("DELETE", &row_path, None).await;
                let is_gone = matches!(answer.status, 200 | 204);
                (if is_gone { Reply::Removed(id.into()) } else { row_reply(&answer, id, Reply::Voted) }, span)
            }
            _ => {
                let (answer, span) = self.run.send("GET", "/rows", None).await;
                assert_eq!(answer.status, 200, "{}", answer.text);
                (Reply::Listed(answer.json().as_array().unwrap().clone()), span)
            }
        };
        self.operations.push(Operation { span, reply });
    }
}

/// Returns the reply to a request for one row.
fn row_reply(answer: &Answer, id: u64, reply: impl FnOnce(Value) -> Reply) -> Reply {
    match answer.status {
        200 => reply(answer.json()),
        404 => Reply::Missing(id.into()),
        status => panic!("row {id} was answered with {status} {}", answer.text),
    }
}

/// Returns all changes up to the last one.
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
            RowClient { run: run.clone(), random, number, operations: Vec::new() }
        })
        .collect();
    let acting = clients.into_iter().map(|mut client| {
        tokio::spawn(async move {
            for step in 0..steps() {
                client.act(step).await;
            }
            client.operations
        })
    });
    let mut operations: Vec<Operation> = join_all(acting).await.into_iter().flat_map(Result::unwrap).collect();
    let (answer, span) = run.send("POST", "/rows", Some(&json!({ "votes": 0, "note": LAST }))).await;
    operations.push(Operation { span, reply: Reply::Added(answer.json()) });
    RowHistory { start, events: witness.await.unwrap(), operations }
}

#[tokio::test]
async fn one_order_of_changes_explains_every_list_of_rows() {
    let history = live(seed(SEED)).await;
    let explained = check(&history).unwrap_or_else(|violation| panic!("{violation}"));
    println!("{explained:?}");
    assert!(explained.changes > 100 && explained.lists > 50 && explained.missing > 0, "too little happened");
}

/// Returns a valid history in which a row is voted for and removed while others read.
fn valid() -> RowHistory {
    let row = |id: i64, votes: i64| json!({ "id": id, "votes": votes });
    let operation = |sent, answered, reply| Operation { span: Span { sent, answered, server: 0 }, reply };
    let event = |change: &str, row: Value, before: Value| json!({ "change": change, "row": row, "before": before });
    RowHistory {
        start: vec![row(1, 0)],
        events: vec![
            event("merged", row(1, 1), row(1, 0)),
            event("added", row(2, 0), Value::Null),
            event("removed", Value::Null, row(1, 1)),
        ],
        operations: vec![
            operation(0, 1, Reply::Voted(row(1, 1))),
            operation(2, 6, Reply::Added(row(2, 0))),
            operation(3, 5, Reply::Listed(vec![row(1, 1)])),
            operation(7, 10, Reply::Removed(json!(1))),
            operation(8, 9, Reply::Listed(vec![row(2, 0)])),
            operation(11, 12, Reply::Missing(json!(1))),
        ],
    }
}

#[test]
fn a_valid_row_history_is_accepted() {
    let explained = check(&valid()).unwrap();
    assert_eq!((explained.changes, explained.lists, explained.missing), (3, 2, 1));
}

#[test]
fn a_row_history_with_a_single_error_is_rejected() {
    type Mutation = fn(&mut RowHistory);
    let mutations: [(&str, Mutation); 7] = [
        ("a list from before an answer", |history| history.operations[4].reply = Reply::Listed(history.start.clone())),
        ("a list that never existed", |history| history.operations[2].reply = Reply::Listed(Vec::new())),
        ("a lost change", |history| drop(history.events.pop())),
        ("a change that nobody requested", |history| drop(history.operations.remove(1))),
        ("a missing row that exists", |history| history.operations[5].reply = Reply::Missing(json!(2))),
        ("a vote that counts twice", |history| {
            history.events[0]["row"]["votes"] = json!(2);
            history.events[2]["before"]["votes"] = json!(2);
            history.operations[0].reply = Reply::Voted(json!({ "id": 1, "votes": 2 }));
            history.operations[2].reply = Reply::Listed(vec![json!({ "id": 1, "votes": 2 })]);
        }),
        ("changes in an order that no client can have seen", |history| {
            history.operations[3].span = Span { sent: 0, answered: 1, server: 0 };
            history.operations[0].span = Span { sent: 7, answered: 10, server: 0 };
            history.operations.remove(2);
        }),
    ];
    for (name, mutate) in mutations {
        let mut history = valid();
        mutate(&mut history);
        assert!(check(&history).is_err(), "{name} was accepted");
    }
}
