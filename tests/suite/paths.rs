//! Every path is percent-decoded exactly once.

use serde_json::{Value, json};

use crate::support::{Connection, Mockd, SHOP, ScenarioFile};

const ODD: &str = "
categories:
  \"50%41 off\": { prefix: P, products: [{ id: \"P%31\", total: 1 }, { id: P1, total: 10 }] }
  toys: { prefix: T, products: [{ id: T1, total: 100 }] }
";

#[tokio::test]
async fn any_encoding_of_a_path_is_accepted() {
    let mockd = Mockd::run(&ScenarioFile::new(ODD)).await;
    for (path, status) in [
        ("/toys", 200),
        ("/%74oys", 200),
        ("/%74%6F%79%73/", 200),
        ("/%40a/toys", 200),
        ("/@%61/toys", 200),
        ("/@a%2Ftoys", 400),
        ("/@a%20b/toys", 400),
        ("/toys%2F", 404),
        ("/%2Ftoys", 404),
        ("/%2574oys", 404),
        ("/50%2541%20off", 200),
        ("/50%41%20off", 404),
        ("/50%252541%20off", 404),
        ("/%5F_mockd/state", 200),
        ("/@a/%5f%5fmockd/state", 200),
        ("/__mockd%2Fstate", 404),
        ("/__mockd/worlds/%61", 200),
        ("/__mockd/worlds/%2561", 400),
        ("/%ff", 400),
        ("/%zz", 404),
        ("/x/%ff", 404),
    ] {
        let answer = mockd.get(path).await;
        assert_eq!(answer.status, status, "{path} {}", answer.text);
    }
    let worlds = mockd.get("/__mockd/worlds").await.json();
    let names: Vec<&Value> = worlds["worlds"].as_array().unwrap().iter().map(|world| &world["name"]).collect();
    assert_eq!(names, [&json!("default"), &json!("a")]);
}

#[tokio::test]
async fn ids_are_decoded_once() {
    let mockd = Mockd::run(&ScenarioFile::new(ODD)).await;
    for (path, status) in [
        ("/orders/P1", 200),
        ("/orders/P%31", 200),
        ("/%6Frders/P%2531", 200),
        ("/orders/P%252531", 404),
        ("/orders%2FP1", 404),
        ("/orders/x%2FP1", 404),
    ] {
        assert_eq!(mockd.post(path, r#"{"amount":1}"#).await.status, status, "{path}");
    }
    let totals = mockd.get("/__mockd/state").await.json()["totals"].clone();
    assert_eq!(totals, json!({ "P%31": 2, "P1": 12, "T1": 100 }));
    let mut live = mockd.live("50%2541%20off").await;
    assert_eq!(live.order().await, ("P%31".into(), 2));
}

#[tokio::test]
async fn names_may_look_like_path_patterns() {
    let shop = "
categories:
  \"a{b}\": { prefix: A, products: [{ id: A1, total: 1 }] }
  \"{id}\": { prefix: B, products: [{ id: \"{id}\", total: 2 }] }
  \"{*rest}\": { prefix: C, products: [{ id: \"C/1\", total: 3 }] }
  \"*\": { prefix: D, products: [{ id: \"*\", total: 4 }] }
";
    let mockd = Mockd::run(&ScenarioFile::new(shop)).await;
    let mut connection = Connection::open(&mockd).await;
    for (path, id, status) in [
        ("/a%7Bb%7D", "A1", 200),
        ("/a{b}", "A1", 200),
        ("/{id}", "{id}", 200),
        ("/%7b%69d%7D/", "{id}", 200),
        ("/{*rest}", "C/1", 200),
        ("/*", "*", 200),
        ("/%2A", "*", 200),
        ("/x", "", 404),
        ("/**", "", 404),
        ("/{*rest}/x", "", 404),
    ] {
        let (head, body) =
            connection.request(format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").as_bytes()).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{path} {head}");
        let listed: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(listed[0]["id"].as_str().unwrap_or_default(), id, "{path}");
    }
    for (id, category, total) in [("A1", "a%7Bb%7D", 2), ("%7Bid%7D", "%7Bid%7D", 3), ("C%2F1", "%7B*rest%7D", 4)] {
        assert_eq!(mockd.post(&format!("/orders/{id}"), r#"{"amount":1}"#).await.status, 200, "{id}");
        assert_eq!(mockd.live(category).await.order().await.1, total, "{category}");
    }
    assert_eq!(mockd.post("/%7Bid%7D/", "{}").await.json()[1]["id"], "B1");
}

#[tokio::test]
async fn an_empty_id_is_unknown() {
    let mockd = Mockd::run(&ScenarioFile::new(SHOP)).await;
    for (path, message) in [
        ("/orders//", "Order  not found"),
        ("/orders/", "Route POST:/orders/ not found"),
        ("/orders", "Route POST:/orders not found"),
        ("/orders/A1//", "Route POST:/orders/A1// not found"),
    ] {
        let answer = mockd.post(path, r#"{"amount":1}"#).await;
        assert_eq!((answer.status, &answer.json()["message"]), (404, &json!(message)), "{path}");
    }
    assert_eq!(mockd.get("/orders//").await.status, 426);
}

#[tokio::test]
async fn faults_and_the_journal_use_the_decoded_path() {
    let faults = "faults: [{ on: http, path: '/50%41 off', status: 503 }, { on: http, path: '/ü*/ä', status: 502 }]\n";
    let mockd = Mockd::run(&ScenarioFile::new(&format!("{faults}{ODD}"))).await;
    for (path, status, seen) in [
        ("/50%2541%20off", 503, "/50%41 off"),
        ("/50%41%20off", 404, "/50A off"),
        ("/%C3%BCx%3Fy%0A/%c3%a4?a=%20b", 502, "/üx?y\n/ä"),
        ("/%74oys", 200, "/toys"),
        ("/x/%ff", 404, "/x/\u{fffd}"),
    ] {
        mockd.send("DELETE", "/__mockd/journal", None).await;
        assert_eq!(mockd.get(path).await.status, status, "{path}");
        let journal = mockd.get("/__mockd/journal?kind=request").await.json();
        assert_eq!(journal["entries"][0]["path"], seen, "{path}");
        // The expected path has no question mark, which would start the query.
        let seen = seen.replace('?', "*");
        let verdict =
            mockd.control("POST", "/__mockd/verify", json!({ "expect": [{ "path": seen, "exactly": 1 }] })).await;
        assert_eq!(verdict["pass"], true, "{verdict}");
    }
    mockd.send("DELETE", "/__mockd/journal", None).await;
    mockd.get("/%C3%BCx%3Fy/%c3%a4?a=%20b").await;
    let entry = mockd.get("/__mockd/journal?kind=request").await.json()["entries"][0].clone();
    assert_eq!((&entry["path"], &entry["query"]), (&json!("/üx?y/ä"), &json!("a=%20b")));
}

#[tokio::test]
async fn names_in_control_paths_are_decoded_once() {
    let mockd = Mockd::run(&ScenarioFile::new(SHOP)).await;
    for (name, path) in [("a b", "a%20b"), ("a/b", "a%2Fb"), ("a%41", "a%2541"), ("ä?", "%C3%A4%3f")] {
        mockd.control("POST", "/__mockd/snapshots", json!({ "name": name })).await;
        mockd.control("POST", &format!("/__mockd/snapshots/{path}/restore"), Value::Null).await;
        mockd.control("DELETE", &format!("/@default/%5F%5Fmockd/snapshots/{path}"), Value::Null).await;
        let fault = json!({ "name": name, "on": "http", "status": 503 });
        mockd.control("POST", "/__mockd/faults", fault).await;
        assert_eq!(mockd.control("GET", &format!("/__mockd/faults/{path}"), Value::Null).await["label"], name);
    }
}
