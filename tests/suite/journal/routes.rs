//! The route that answered a request, and the number of its answer.

use serde_json::{Value, json};

use super::{entries, plain, verify};
use crate::support::{Mockd, ScenarioFile};

const TODOS: &str = "\
data: { todos: [{ id: 1, title: Sleep }] }
http:
  /todos: [ { when: headers.token == 'none', status: 401 }, { crud: todos } ]
  GET /teapot: [ { when: query.tea == 'green', body: green }, { match: { query: { tea: black } }, status: 418 } ]
";

async fn todos() -> Mockd {
    Mockd::run_with(ScenarioFile::new(TODOS).path(), &["--paused"]).await
}

#[tokio::test]
async fn request_entries_name_the_route_and_the_answer() {
    let mockd = todos().await;
    for (path, status) in [
        ("/todos/1", 200),
        ("/teapot?tea=green", 200),
        ("/teapot?tea=black", 418),
        ("/teapot?tea=mint", 404),
        ("/todos/9", 404),
        ("/nothing", 404),
    ] {
        assert_eq!(mockd.get(path).await.status, status, "{path}");
    }
    assert_eq!(mockd.send("OPTIONS", "/teapot", None).await.status, 204);
    let found = entries(&mockd, "")
        .await
        .into_iter()
        .map(plain)
        .map(|entry| json!([entry.get("route"), entry["answer"].get("number"), entry["answer"]["status"]]));
    let expected = json!([
        ["/todos", 2, 200],
        ["GET /teapot", 1, 200],
        ["GET /teapot", 2, 418],
        ["GET /teapot", null, 404],
        ["/todos", null, 404],
        [null, null, 404],
        [null, null, 204],
    ]);
    assert_eq!(found.collect::<Value>(), expected);
    let brief = entries(&mockd, "?brief=true&route=GET%20/teapot").await;
    let brief: Value = brief.iter().map(|entry| json!([entry["route"], entry["number"], entry["status"]])).collect();
    assert_eq!(brief, json!([["GET /teapot", 1, 200], ["GET /teapot", 2, 418], ["GET /teapot", null, 404]]));
}

#[tokio::test]
async fn an_expected_route_matches_only_its_exact_key() {
    let mockd = todos().await;
    mockd.get("/teapot?tea=black").await;
    for (route, count) in [("GET /teapot", 1), ("/teapot", 0), ("GET /*", 0)] {
        let verdict = verify(&mockd, json!({ "expect": [{ "route": route, "exactly": count }] })).await;
        assert_eq!(verdict["pass"], true, "{route} {verdict}");
    }
    let green = json!({ "route": "GET /teapot", "status": 200 });
    let verdict = verify(&mockd, json!({ "expect": [green] })).await;
    let why = "expected at least 1, found 0; entry 1 (answer 2 of `GET /teapot`) differs only in status";
    assert_eq!(verdict["findings"][0]["why"], why);
    let wrong = mockd.send("POST", "/__mockd/verify", Some(&json!({ "expect": [{ "route": "teapot" }] }))).await;
    assert_eq!(wrong.status, 400);
    assert!(wrong.text.contains("no route can have this key"), "{}", wrong.text);
}

#[tokio::test]
async fn a_handshake_is_not_a_request_of_the_route_with_its_path() {
    let hub = "http: { GET /hub: { body: 1 } }\nwebsocket: { /hub: { open: [{ reply: hi }] } }\n";
    let mockd = Mockd::run_with(ScenarioFile::new(hub).path(), &["--paused"]).await;
    assert_eq!(mockd.socket("/hub").await.text().await, "hi");
    let verdict = verify(&mockd, json!({ "expect": [{ "route": "GET /hub", "exactly": 0 }] })).await;
    assert_eq!(verdict["pass"], true, "{verdict}");
    let handshake = entries(&mockd, "?kind=request").await.remove(0);
    assert_eq!((handshake["answer"]["status"].clone(), handshake.get("route")), (json!(101), None));
    mockd.get("/hub").await;
    let verdict = verify(&mockd, json!({ "expect": [{ "route": "GET /hub", "exactly": 1 }] })).await;
    assert_eq!(verdict["pass"], true, "{verdict}");
}

#[tokio::test]
async fn a_request_answered_by_a_fault_has_no_route() {
    let faults = "faults: [{ on: http, path: /teapot, status: 503 }]\n";
    let mockd = Mockd::run_with(ScenarioFile::new(&format!("{TODOS}{faults}")).path(), &["--paused"]).await;
    mockd.get("/teapot?tea=black").await;
    let entry = entries(&mockd, "").await.remove(0);
    assert_eq!((entry["answer"]["status"].clone(), entry.get("route")), (json!(503), None));
}
