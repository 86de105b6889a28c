//! Worlds: isolated copies of the scenario, selected by path or header.

use std::time::Duration;

use futures_util::future::join_all;
use mockd::embed::Mockd as Embedded;
use mockd::world::Expectation;
use mockd::worlds::WorldOptions;
use serde_json::{Value, json};

use crate::support::{Browser, Mockd, SHOP, ScenarioFile, http, needs, soon};

const SCRIPT: &str = "
orders:
  random: [{ every: 1s, amount: { min: 1, max: 9 } }]
  scripts: [{ steps: [{ at: 10s, product: A1, amount: 5 }] }]
";

async fn paused() -> Mockd {
    Mockd::run_with(ScenarioFile::new(&format!("{SHOP}{SCRIPT}")).path(), &["--paused", "--seed", "7"]).await
}

async fn totals(mockd: &Mockd, prefix: &str) -> Value {
    mockd.get(&format!("{prefix}/__mockd/state")).await.json()["totals"].clone()
}

#[tokio::test]
async fn each_world_has_its_own_data_clock_sockets_and_journal() {
    let mockd = paused().await;
    let mut a = mockd.live_in("/@a", "electronics").await;
    let mut b = mockd.live_in("/@b", "electronics").await;
    a.texts(2).await;
    b.texts(2).await;
    assert_eq!(mockd.post("/@a/orders/A1", r#"{"amount":10}"#).await.status, 200);
    assert_eq!(mockd.post("/@a/electronics", "{}").await.json()[2], json!({ "id": "A3" }));
    mockd.advance("/@b", "10s").await;
    assert_eq!(a.text().await, r#"{"id":"A1","total":13}"#);
    assert_eq!(b.texts(11).await.last().unwrap(), r#"{"id":"A1","total":25}"#);
    assert_eq!(totals(&mockd, "").await, json!({ "A1": 3, "A2": 7, "B1": 101 }));
    assert_eq!(totals(&mockd, "/@a").await, json!({ "A1": 13, "A2": 7, "B1": 101, "A3": 0 }));
    assert_eq!(mockd.get("/@b/electronics").await.json().as_array().unwrap().len(), 2);
    assert_eq!(mockd.get("/@a/__mockd/clock").await.json()["at"], "0s");
    assert_eq!(mockd.get("/@b/__mockd/clock").await.json()["at"], "10s");
    let journal = |prefix: &'static str| {
        let mockd = &mockd;
        async move { mockd.get(&format!("{prefix}/__mockd/journal?kind=request")).await.json()["entries"].clone() }
    };
    let paths = |entries: Value| -> Vec<Value> {
        entries.as_array().unwrap().iter().map(|entry| entry["path"].clone()).collect()
    };
    assert_eq!(paths(journal("").await), [] as [&str; 0]);
    assert_eq!(paths(journal("/@a").await), ["/orders/electronics", "/orders/A1", "/electronics"]);
    assert_eq!(paths(journal("/@b").await), ["/orders/electronics", "/electronics"]);
    let sockets = mockd.get("/@a/__mockd/sockets").await.json();
    assert_eq!((&sockets["sockets"][0]["socket"], &sockets["sockets"][0]["world"]), (&json!(1), &json!("a")));
}

#[tokio::test]
async fn worlds_are_equal_only_with_the_same_seed() {
    let mockd = paused().await;
    mockd.control("POST", "/__mockd/worlds", json!({ "name": "other", "seed": 8 })).await;
    let [one, two, other] =
        [mockd.advance("/@one", "1m").await, mockd.advance("/@two", "1m").await, mockd.advance("/@other", "1m").await];
    assert_eq!(one.len(), 61);
    assert_eq!(one, two);
    assert_ne!(one, other);
    assert_eq!(mockd.get("/@other/__mockd/state").await.json()["seed"], 8);
}

#[tokio::test]
async fn a_header_selects_the_world() {
    let mockd = paused().await;
    let in_a = [("x-mockd-world", "a"), ("content-type", "application/json")];
    let url = |path: &str| format!("{}{path}", mockd.url());
    assert_eq!(http("POST", &url("/orders/A1"), &in_a, Some(r#"{"amount":1}"#)).await.status, 200);
    assert_eq!(http("GET", &url("/__mockd/state"), &in_a, None).await.json()["totals"]["A1"], 4);
    assert_eq!(totals(&mockd, "/@a").await["A1"], 4);
    assert_eq!(totals(&mockd, "").await["A1"], 3);
    assert_eq!(http("GET", &url("/@a/electronics"), &in_a, None).await.status, 200);
    // Requests about the server itself ignore the header, and create no world.
    let in_b = [("x-mockd-world", "b"), ("content-type", "application/json")];
    for path in ["/__mockd/health", "/__mockd/worlds", "/__mockd/openapi.json", "/__mockd/reload"] {
        assert_eq!(http("GET", &url(path), &in_b, None).await.status, 200, "{path}");
    }
    let created = http("POST", &url("/__mockd/worlds"), &in_b, Some(r#"{"name":"b","seed":5}"#)).await;
    assert_eq!((created.status, &created.json()["seed"]), (201, &json!(5)));
    let both = http("GET", &url("/@b/electronics"), &in_a, None).await;
    assert_eq!(both.json()["message"], "The path and the x-mockd-world header name two worlds, leave one of them out");
}

#[tokio::test]
async fn worlds_are_listed_created_and_deleted() {
    let mockd = paused().await;
    let options = json!({ "name": "checkout-1", "seed": 3, "paused": false, "speed": 2.0 });
    let created = mockd.send("POST", "/__mockd/worlds", Some(&options)).await;
    assert_eq!(created.status, 201);
    let world = created.json();
    assert_eq!((&world["path"], &world["seed"], &world["paused"]), (&json!("/@checkout-1/"), &json!(3), &json!(false)));
    mockd.get("/@a/electronics").await;
    let names = |answer: Value| -> Vec<Value> {
        answer["worlds"].as_array().unwrap().iter().map(|world| world["name"].clone()).collect()
    };
    assert_eq!(names(mockd.get("/__mockd/worlds").await.json()), ["default", "a", "checkout-1"]);
    let mut live = mockd.live_in("/@a", "nothing").await;
    assert_eq!(mockd.send("DELETE", "/__mockd/worlds/a", None).await.text, r#"{"ok":true}"#);
    assert_eq!(live.close_code().await, 1001);
    assert_eq!(names(mockd.get("/__mockd/worlds").await.json()), ["default", "checkout-1"]);
    assert_eq!(mockd.send("DELETE", "/__mockd/worlds/a", None).await.json()["message"], "World a not found");
    assert_eq!(mockd.send("DELETE", "/__mockd/worlds/default", None).await.status, 409);
    let again = json!({ "name": "checkout-1" });
    assert_eq!(mockd.send("POST", "/__mockd/worlds", Some(&again)).await.status, 409);
}

#[tokio::test]
async fn reading_an_unknown_world_gets_404_and_using_it_creates_it() {
    let mockd = paused().await;
    for path in ["/@a/__mockd/state", "/@a/__mockd/journal", "/__mockd/worlds/a"] {
        let answer = mockd.get(path).await;
        assert_eq!((answer.status, &answer.json()["message"]), (404, &json!("World a not found")), "{path}");
    }
    assert_eq!(mockd.send("DELETE", "/@a/__mockd/journal", None).await.status, 404);
    assert_eq!(mockd.get("/__mockd/worlds").await.json()["worlds"].as_array().unwrap().len(), 1);
    assert_eq!(mockd.advance("/@a", "1s").await.len(), 1);
    assert_eq!(mockd.get("/@a/__mockd/state").await.status, 200);
}

#[tokio::test]
async fn invalid_world_names_are_refused_with_the_valid_characters() {
    let mockd = paused().await;
    let long = "x".repeat(65);
    for name in ["a%20b", "%2e%2e", "a%2Fb", "%C3%A4", &long, ""] {
        let answer = mockd.get(&format!("/@{name}/electronics")).await;
        let message = answer.json()["message"].as_str().unwrap().to_owned();
        assert_eq!(answer.status, 400, "{name}");
        assert!(message.contains("1 to 64 letters, digits, dots, dashes, underscores or tildes"), "{message}");
    }
    let answer = mockd.send("POST", "/__mockd/worlds", Some(&json!({ "name": "a b" }))).await;
    assert_eq!((answer.status, &answer.json()["field"]), (400, &json!("name")));
    assert_eq!(mockd.get("/@100%25/electronics").await.status, 400);
    assert_eq!(mockd.get(&format!("/@{}/electronics", "x".repeat(64))).await.status, 200);
}

#[tokio::test]
async fn a_reload_applies_to_every_world_and_keeps_its_state() {
    let file = ScenarioFile::new(&format!("{SHOP}{SCRIPT}"));
    let mut mockd = Mockd::run_with(file.path(), &["--paused", "--seed", "7"]).await;
    mockd.control("POST", "/__mockd/worlds", json!({ "name": "own", "seed": 8 })).await;
    let mut sockets = join_all(["", "/@a", "/@own"].map(|prefix| mockd.live_in(prefix, "electronics"))).await;
    for socket in &mut sockets {
        socket.texts(2).await;
    }
    assert_eq!(mockd.post("/@a/orders/A2", r#"{"amount":1}"#).await.status, 200);
    assert_eq!(sockets[1].text().await, r#"{"id":"A2","total":8}"#);
    file.write_in_place(&format!("{SHOP}{SCRIPT}").replace("total: 3", "total: 300"));
    for socket in &mut sockets {
        assert_eq!(socket.text().await, r#"{"id":"A1","total":300}"#);
    }
    mockd.logged("reloaded").await;
    assert_eq!(totals(&mockd, "/@a").await, json!({ "A1": 300, "A2": 8, "B1": 101 }));
    assert_eq!(mockd.get("/@own/__mockd/state").await.json()["seed"], 8);
    // New worlds and reset worlds use the new scenario.
    assert_eq!(totals(&mockd, "/@a").await["A1"], 300);
    mockd.get("/@new/electronics").await;
    mockd.control("POST", "/@a/__mockd/reset", Value::Null).await;
    for prefix in ["/@new", "/@a"] {
        assert_eq!(totals(&mockd, prefix).await, json!({ "A1": 300, "A2": 7, "B1": 101 }));
    }
}

#[tokio::test]
async fn a_thousand_concurrent_worlds_are_isolated() {
    let mockd = paused().await;
    let test = async |number: usize| {
        let prefix = format!("/@test-{number}");
        let mut live = mockd.live_in(&prefix, "electronics").await;
        live.texts(2).await;
        let amount = i64::try_from(number).unwrap();
        let answer = mockd.post(&format!("{prefix}/orders/A1"), &json!({ "amount": amount }).to_string()).await;
        assert_eq!(answer.status, 200);
        assert_eq!(live.order().await, ("A1".into(), 3 + amount));
        let advanced = mockd.advance(&prefix, "5s").await;
        assert_eq!(live.texts(5).await.len(), advanced.len());
        totals(&mockd, &prefix).await["A1"].as_i64().unwrap() - amount
    };
    let mut changes = Vec::new();
    for hundred in 0..10 {
        changes.extend(join_all((1..=100).map(|number| test(100 * hundred + number))).await);
    }
    assert!(changes.iter().all(|change| *change == changes[0]), "{changes:?}");
    assert_eq!(mockd.get("/__mockd/worlds").await.json()["worlds"].as_array().unwrap().len(), 1001);
}

#[tokio::test]
async fn worlds_over_the_limit_are_refused_until_one_is_deleted() {
    let file = ScenarioFile::new(SHOP);
    let mockd = Mockd::run_with(file.path(), &["--max-worlds", "2"]).await;
    for (name, status) in [("a", 200), ("b", 200), ("c", 503), ("a", 200)] {
        assert_eq!(mockd.get(&format!("/@{name}/electronics")).await.status, status, "{name}");
    }
    let message = "there are 2 worlds already; delete some, or allow more with --max-worlds";
    assert_eq!(mockd.get("/@c/electronics").await.json()["message"], message);
    assert_eq!(mockd.send("DELETE", "/__mockd/worlds/a", None).await.status, 200);
    assert_eq!(mockd.get("/@c/electronics").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn unused_worlds_are_removed_and_used_ones_kept() {
    let worlds = WorldOptions { idle: Duration::from_mins(1), ..WorldOptions::default() };
    let mockd = Embedded::builder().yaml(SHOP).worlds(worlds).start().await.unwrap();
    let (unused, used) = (mockd.world("unused").unwrap(), mockd.world("used").unwrap());
    let feed = used.subscribe("electronics", false, |message| message.payload().clone()).await.unwrap();
    let (waited, expectation) = (mockd.world("waited").unwrap(), Expectation::request("GET", "/never"));
    let waiting = tokio::spawn(async move { waited.wait_for(&expectation, Duration::from_mins(30)).await });
    // Tokio's paused clock advances only when every task waits.
    unused.ended().await;
    assert!(mockd.worlds().get("unused").is_err());
    assert!(mockd.worlds().get("used").is_ok());
    // A pending wait keeps its world in use, however long it takes.
    assert!(!waiting.await.unwrap().unwrap().pass);
    drop(feed);
    used.ended().await;
    if let Ok(waited) = mockd.worlds().get("waited") {
        waited.ended().await;
    }
    assert_eq!(mockd.worlds().all().len(), 1);
}

#[tokio::test]
async fn the_page_at_a_worlds_path_uses_that_world() {
    needs!(Browser);
    let mockd = paused().await;
    let redirect = mockd.get("/@a?x=1").await;
    assert_eq!(redirect.status, 200, "the client follows the redirect to the page");
    let browser = Browser::open(900, 700).await;
    browser.goto(&format!("{}/@a#electronics", mockd.url())).await;
    browser.becomes("location.pathname", "/@a/").await;
    browser.becomes("document.querySelector('[data-id=A1] .orders').textContent", "3").await;
    let advanced = soon("an advance", mockd.advance("/@a", "10s")).await;
    let last = advanced.iter().rev().find(|line| line.contains(" A1 ")).unwrap();
    let total = last.rsplit(' ').next().unwrap();
    browser.becomes("document.querySelector('[data-id=A1] .orders').textContent", total).await;
    browser.click("[data-id=A1] summary").await;
    browser.click("[data-id=A1] [data-amount='10']").await;
    let after = (total.parse::<i64>().unwrap() + 10).to_string();
    browser.becomes("document.querySelector('[data-id=A1] .orders').textContent", after.as_str()).await;
    assert_eq!(totals(&mockd, "/@a").await["A1"].to_string(), after);
    assert_eq!(totals(&mockd, "").await["A1"], 3);
    browser.close().await;
}
