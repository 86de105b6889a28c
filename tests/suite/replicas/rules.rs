//! General APIs on several servers: the effects of an answer reach every server.

use std::fs;
use std::time::Duration;

use mockd::embed::{self, MockWorld};
use mockd::store::Memory;
use mockd::world::Until;
use serde_json::{Value, json};

use super::{agreed, server, servers};
use crate::support::{EventStream, Mockd, Redis, ScenarioFile, http, needs, poll};

/// Rows, a value, random draws, delayed steps, and streams.
const API: &str = "
data:
  todos: [{ id: 1, title: one, votes: 0 }]
  price: 0
triggers:
  - { topic: todos, when: event.change == 'added', do: [{ after: 5s, merge: { todos: { id: $event.row.id, late: $now.iso } } }] }
http:
  /todos: { crud: todos }
  POST /todos/{id}/votes: { increment: { todos: { id: $path.id, votes: 1 } }, body: $it }
  POST /dice:
    set: { price: '{{ random(1, 1000000) }}' }
    body: \"{{ { 'price': price, 'number': next('dice'), 'id': uuid(), 'now': now.iso } }}\"
  POST /later: { do: [{ after: 2s, add: { todos: { title: '{{ uuid() }}' } } }] }
  GET /live:
    increment: { todos: { id: 1, votes: 1 } }
    stream:
      - reply: { votes: $it.votes, chance: '{{ random(1, 1000000) }}' }
      - join: { to: todos, frame: $event.change }
      - { after: 1s, reply: tick }
";

/// Returns the todos of a server.
async fn todos(server: &Mockd) -> Value {
    server.get("/todos").await.json()
}

/// Waits until all servers list the same todos and these are as expected, and returns them.
async fn agree_on(servers: &[Mockd], is_expected: impl Fn(&Value) -> bool) -> Value {
    poll("the same rows everywhere", async || {
        let mut all = Vec::new();
        for server in servers {
            all.push(todos(server).await);
        }
        let first = all[0].clone();
        (is_expected(&first) && all.iter().all(|one| *one == first)).then_some(first)
    })
    .await
}

async fn dice(server: &Mockd) -> Value {
    let answer = server.send("POST", "/dice", None).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

#[tokio::test]
async fn rows_added_on_one_server_are_listed_on_all() {
    needs!(Redis);
    let (file, redis) = (ScenarioFile::new(API), Redis::start().await);
    let servers = servers(3, &file, &redis, &["--paused"]).await;
    for (number, server) in (2..).zip(&servers) {
        let added = server.send("POST", "/todos", Some(&json!({ "title": number }))).await;
        assert_eq!((added.status, added.json()["id"].clone()), (201, json!(number)), "{}", added.text);
        // A server has its own row at once.
        assert_eq!(server.get(&format!("/todos/{number}")).await.json()["title"], number);
        assert_eq!(server.send("POST", "/todos/1/votes", None).await.status, 200);
    }
    assert_eq!(servers[1].send("DELETE", "/todos/2", None).await.status, 200);
    assert_eq!(servers[2].send("PATCH", "/todos/2", Some(&json!({ "title": "gone" }))).await.status, 404);
    let rows = agree_on(&servers, |rows| rows[0]["votes"] == 3 && rows.as_array().unwrap().len() == 3).await;
    let ids: Vec<&Value> = rows.as_array().unwrap().iter().map(|row| &row["id"]).collect();
    assert_eq!(ids, [&json!(1), &json!(3), &json!(4)]);
    agreed(&servers, "/__mockd/state").await;
}

#[tokio::test]
async fn draws_counters_and_dates_continue_across_servers() {
    needs!(Redis);
    let (file, redis) = (ScenarioFile::new(API), Redis::start().await);
    let alone = Mockd::run_with(file.path(), &["--paused", "--seed", "7"]).await;
    let servers = servers(2, &file, &redis, &["--paused", "--seed", "7"]).await;
    for turn in 0..6 {
        assert_eq!(dice(&servers[turn % 2]).await, dice(&alone).await);
    }
}

#[tokio::test]
async fn a_shared_world_starts_at_a_fixed_date() {
    let store = Memory::default();
    let start = || embed::Mockd::builder().yaml(API).shared_by(&store).start();
    let (one, other) = (start().await.unwrap(), start().await.unwrap());
    for mockd in [&one, &other] {
        let answer = http("POST", &format!("{}/dice", mockd.url()), &[], None).await;
        let now = answer.json()["now"].as_str().unwrap().to_owned();
        assert!(now.starts_with("2026-01-01T00:"), "{now}");
    }
}

#[tokio::test]
async fn delayed_steps_run_once_across_servers() {
    needs!(Redis);
    let (file, redis) = (ScenarioFile::new(API), Redis::start().await);
    let servers = servers(2, &file, &redis, &["--paused"]).await;
    assert_eq!(servers[0].send("POST", "/later", None).await.status, 204);
    // The row that is added later fires the trigger too.
    servers[1].advance("", "10s").await;
    let rows = agree_on(&servers, |rows| rows[1]["late"].is_string()).await;
    assert_eq!((rows.as_array().unwrap().len(), &rows[1]["late"]), (2, &json!("2026-01-01T00:00:07.000Z")));
}

#[tokio::test]
async fn a_server_that_joins_late_has_rows_draws_and_delayed_steps() {
    needs!(Redis);
    let (file, redis) = (ScenarioFile::new(API), Redis::start().await);
    let mut servers = servers(1, &file, &redis, &["--paused"]).await;
    let first = dice(&servers[0]).await;
    servers[0].send("POST", "/todos", Some(&json!({ "title": "two", "weight": 0.1 }))).await;
    servers[0].send("POST", "/later", None).await;
    servers[0].advance("", "1s").await;
    servers.push(server(&file, &redis, vec!["--paused"]).await);
    assert_eq!(todos(&servers[0]).await, todos(&servers[1]).await);
    let second = dice(&servers[1]).await;
    assert_eq!((&first["number"], &second["number"]), (&json!(1), &json!(2)));
    assert_ne!(first["price"], second["price"]);
    servers[1].advance("", "10s").await;
    let rows = agree_on(&servers, |rows| rows.as_array().unwrap().len() == 3 && rows[2]["late"].is_string()).await;
    assert_eq!(rows[1]["late"], "2026-01-01T00:00:05.000Z");
    agreed(&servers, "/__mockd/state").await;
}

#[tokio::test]
async fn a_stream_receives_changes_from_other_servers() {
    needs!(Redis);
    let (file, redis) = (ScenarioFile::new(API), Redis::start().await);
    let servers = servers(2, &file, &redis, &["--paused", "--seed", "7"]).await;
    let mut stream = EventStream::open(&servers[0], "/live").await;
    // The steps before the stream run on all servers.
    assert_eq!(stream.data().await["votes"], 1);
    agree_on(&servers, |rows| rows[0]["votes"] == 1).await;
    servers[1].send("POST", "/todos", Some(&json!({ "title": "two" }))).await;
    assert_eq!(stream.text().await, "added");
    servers[1].advance("", "1s").await;
    assert_eq!(stream.text().await, "tick");
    // The stream's draws do not affect those of other rules.
    let alone = Mockd::run_with(file.path(), &["--paused", "--seed", "7"]).await;
    let (shared, other) = (dice(&servers[0]).await, dice(&alone).await);
    assert_eq!((&shared["price"], &shared["number"]), (&other["price"], &other["number"]));
    agreed(&servers, "/__mockd/state").await;
}

#[tokio::test]
async fn the_steps_of_a_stream_run_on_any_server() {
    needs!(Redis);
    let (file, redis) = (ScenarioFile::new(API), Redis::start().await);
    let servers = servers(2, &file, &redis, &[]).await;
    // The second server does not lead.
    let mut streams = [EventStream::open(&servers[0], "/live").await, EventStream::open(&servers[1], "/live").await];
    for stream in &mut streams {
        while stream.text().await != "tick" {}
    }
}

#[tokio::test]
async fn steps_and_data_from_tests_reach_every_mock() {
    let store = Memory::default();
    let start = || embed::Mockd::builder().yaml(API).paused().shared_by(&store).start();
    let (one, other) = (start().await.unwrap(), start().await.unwrap());
    let (world, same) = (one.shared_world("a").await.unwrap(), other.shared_world("a").await.unwrap());
    let steps = json!([
        { "add": { "todos": { "title": "now" } } },
        { "after": "2s", "merge": { "todos": { "id": "$it.id", "title": "later" } } },
    ]);
    world.steps(steps).await.unwrap();
    let Value::Object(price) = json!({ "price": { "eur": 0.1 } }) else { panic!("not a mapping") };
    same.set_data(price).await.unwrap();
    same.advance(Until::By(Duration::from_secs(10))).await.unwrap();
    let is_merged = |world: &MockWorld| world.data("todos").is_some_and(|todos| todos[1]["title"] == "later");
    for world in [&world, &same] {
        poll("the delayed step", async || is_merged(world).then_some(())).await;
        assert_eq!(world.data("price"), Some(json!({ "eur": 0.1 })));
    }
    assert_eq!(world.data("todos"), same.data("todos"));
}

/// Creates a scenario that answers with a file. Its directory has files that name their owner.
fn with_files(owner: &str) -> ScenarioFile {
    let file = ScenarioFile::new(FILES);
    for name in ["a.txt", "b.txt"] {
        fs::write(file.directory().join(name), format!("{name} of {owner}")).unwrap();
    }
    file
}

const FILES: &str = "http:\n  GET /a: { file: a.txt }\n";

#[tokio::test]
async fn the_same_scenario_may_be_in_different_directories() {
    let store = Memory::default();
    let files = ["one", "other"].map(with_files);
    let start = |file: &ScenarioFile| embed::Mockd::builder().file(file.path()).shared_by(&store).start();
    let mocks = [start(&files[0]).await.unwrap(), start(&files[1]).await.unwrap()];
    for (mockd, owner) in mocks.iter().zip(["one", "other"]) {
        let answer = http("GET", &format!("{}/a", mockd.url()), &[], None).await;
        assert_eq!((answer.status, answer.text), (200, format!("a.txt of {owner}")));
    }
}

#[tokio::test]
async fn each_server_answers_with_its_own_files() {
    needs!(Redis);
    let (files, redis) = (["one", "other"].map(with_files), Redis::start().await);
    let servers = [server(&files[0], &redis, vec![]).await, server(&files[1], &redis, vec!["--no-watch"]).await];
    files[0].write_in_place(&format!("{FILES}  GET /b: {{ file: b.txt }}\n  GET /none: {{ file: none.txt }}\n"));
    for (server, owner) in servers.iter().zip(["one", "other"]) {
        let added = async || Some(server.get("/b").await).filter(|answer| answer.status == 200);
        assert_eq!(poll("the added route", added).await.text, format!("b.txt of {owner}"));
        assert_eq!(server.get("/a").await.text, format!("a.txt of {owner}"));
        let none = server.get("/none").await;
        assert_eq!(none.status, 404);
        assert!(none.text.contains("File none.txt not found"), "{}", none.text);
    }
}
