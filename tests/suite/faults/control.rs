//! When faults are active, how they are added and removed, and how they are reported.

use serde_json::{Value, json};

use super::{order, shop};
use crate::support::{Mockd, SHOP, ScenarioFile, http};

#[tokio::test]
async fn faults_follow_world_time_and_appear_in_the_transcript() {
    let mockd = shop("- { name: noon, on: http, method: POST, from: 10s, until: 20s, status: 500 }").await;
    let phase = async |mockd: &Mockd| mockd.get("/__mockd/faults/noon").await.json()["phase"].clone();
    assert_eq!((order(&mockd).await.status, phase(&mockd).await), (200, json!("waiting")));
    mockd.advance("", "10s").await;
    assert_eq!((order(&mockd).await.status, phase(&mockd).await), (500, json!("active")));
    let active = mockd.get("/__mockd/state").await.json()["faults"].clone();
    assert_eq!(
        (&active[0]["label"], &active[0]["hit"], &active[0]["until"]),
        (&json!("noon"), &json!(1), &json!("20s"))
    );
    mockd.advance("", "10s").await;
    assert_eq!((order(&mockd).await.status, phase(&mockd).await), (200, json!("over")));
    assert_eq!(mockd.get("/__mockd/state").await.json()["faults"], json!([]));
    let transcript = mockd.get("/__mockd/transcript").await.text;
    assert!(transcript.contains(r#"{"at":"10s","sequence":2,"event":"fault-began","fault":"noon"}"#), "{transcript}");
    assert!(transcript.contains(r#"{"at":"20s","sequence":3,"event":"fault-ended","fault":"noon"}"#), "{transcript}");
}

#[tokio::test]
async fn a_repeated_fault_step_adds_only_one_fault() {
    let file = ScenarioFile::new(&format!(
        "{SHOP}\norders: {{ scripts: [{{ repeat: 3, steps: [\
         {{ at: 5s, fault: {{ on: http, method: POST, until: 2s, status: 500 }} }}, {{ at: 10s, product: A1, amount: 1 }}] }}] }}"
    ));
    let mockd = Mockd::run_with(file.path(), &["--paused"]).await;
    for _ in 0..3 {
        assert_eq!(order(&mockd).await.status, 200);
        mockd.advance("", "5s").await;
        assert_eq!(order(&mockd).await.status, 500);
        assert_eq!(mockd.get("/__mockd/faults").await.json()["faults"].as_array().unwrap().len(), 1);
        mockd.advance("", "5s").await;
    }
    assert_eq!(mockd.get("/__mockd/faults").await.json()["faults"], json!([]));
}

#[tokio::test]
async fn the_journal_records_what_a_fault_did_to_a_request() {
    let mockd = shop("- { name: busy, on: http, method: POST, times: 1, status: 503 }").await;
    order(&mockd).await;
    order(&mockd).await;
    let entries = mockd.get("/__mockd/journal?kind=request").await.json()["entries"].clone();
    assert_eq!(entries[0]["faults"], json!([{ "fault": "busy", "did": "answered with 503" }]));
    assert_eq!((&entries[0]["answer"]["status"], &entries[1]["answer"]["status"]), (&json!(503), &json!(200)));
    assert_eq!(entries[1]["faults"], Value::Null);
}

#[tokio::test]
async fn faults_can_be_changed_at_runtime_in_a_single_world() {
    let mockd = shop("- { name: declared, on: http, method: POST, path: /nothing, status: 500 }").await;
    let fault = json!({ "name": "mine", "on": "http", "method": "POST", "status": 500, "until": "10s" });
    mockd.advance("/@a", "1m").await;
    let added = mockd.control("POST", "/@a/__mockd/faults", fault.clone()).await;
    let expected = json!({
        "id": 2, "label": "mine", "source": "api", "phase": "active", "from": "1m", "until": "1m10s",
        "matched": 0, "hit": 0,
        "fault": { "name": "mine", "on": "http", "method": "POST", "until": "10s", "status": 500 },
    });
    assert_eq!(added, expected);
    let status = async |path: &str| mockd.post(path, r#"{"amount":1}"#).await.status;
    assert_eq!((status("/@a/orders/A1").await, status("/orders/A1").await), (500, 200));
    mockd
        .control(
            "PUT",
            "/@a/__mockd/faults/2",
            json!({ "name": "mine", "on": "http", "method": "POST", "status": 404 }),
        )
        .await;
    assert_eq!(status("/@a/orders/A1").await, 404);
    mockd.control("DELETE", "/@a/__mockd/faults/mine", Value::Null).await;
    assert_eq!(status("/@a/orders/A1").await, 200);
    mockd.control("POST", "/@a/__mockd/faults", fault).await;
    mockd.control("DELETE", "/@a/__mockd/faults", Value::Null).await;
    assert_eq!(mockd.get("/@a/__mockd/faults").await.json()["faults"], json!([]));
    assert_eq!(mockd.get("/__mockd/faults").await.json()["faults"].as_array().unwrap().len(), 1);
    // A reset restores the faults of the scenario.
    mockd.control("POST", "/@a/__mockd/reset", json!({})).await;
    assert_eq!(mockd.get("/@a/__mockd/faults").await.json()["faults"][0]["label"], "declared");
}

#[tokio::test]
async fn invalid_faults_are_rejected_and_change_nothing() {
    let mockd = shop("- { name: declared, on: http, status: 500, path: /nothing }").await;
    for (method, path, body, status, why) in [
        ("POST", "", r#"{"on":"http","statos":500}"#, 400, "unknown key `statos`"),
        ("POST", "", r#"{"on":"http"}"#, 400, "a fault needs exactly one of"),
        ("POST", "", r#"{"on":"http","freeze":true}"#, 400, "`freeze` requires `on: websocket`"),
        ("POST", "", r#"{"on":"http","status":200}"#, 400, "expected a status from 400 to 599, found the number 200"),
        ("POST", "", r#"{"on":"websocket","close":1005}"#, 400, "expected a close code"),
        ("POST", "", r#"{"on":"http","status":500,"share":"150%"}"#, 400, "`150%` is not a percentage"),
        ("POST", "", r#"{"on":"http","status":500,"from":"2s","until":"1s"}"#, 400, "`until` is not after `from`"),
        ("POST", "", r#"{"on":"http","category":"electronic","status":500}"#, 400, "did you mean `electronics`?"),
        ("POST", "", "[]", 400, "Body must be a JSON object, not an array"),
        ("POST", "", "on: http", 400, "Body is not valid JSON"),
        ("PUT", "/nobody", r#"{"on":"http","status":500}"#, 404, "Fault nobody not found"),
        ("DELETE", "/nobody", "", 404, "Fault nobody not found"),
        ("GET", "/9", "", 404, "Fault 9 not found"),
    ] {
        let (url, json) = (format!("{}/__mockd/faults{path}", mockd.url()), [("content-type", "application/json")]);
        let body = Some(body).filter(|body| !body.is_empty());
        let answer = http(method, &url, &json, body).await;
        let message = answer.json()["message"].as_str().unwrap().to_owned();
        assert!(answer.status == status && message.contains(why), "{body:?}: {} {message}", answer.status);
    }
    assert_eq!(mockd.get("/__mockd/faults").await.json()["faults"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_reload_keeps_unchanged_faults_and_restarts_changed_ones() {
    let with = |faults: &str| format!("{SHOP}\nfaults: [{faults}]\n");
    let first = "{ name: one, on: http, method: POST, times: 2, status: 500 }";
    let file = ScenarioFile::new(&with(first));
    let mut mockd = Mockd::run_with(file.path(), &["--paused"]).await;
    assert_eq!(order(&mockd).await.status, 500);
    mockd
        .control("POST", "/__mockd/faults", json!({ "name": "mine", "on": "http", "path": "/mine", "status": 418 }))
        .await;
    file.write_in_place(&with(&format!("{first}, {{ name: two, on: http, path: /two, status: 501 }}")));
    mockd.logged("fault two added").await;
    assert_eq!((order(&mockd).await.status, order(&mockd).await.status), (500, 200));
    assert_eq!((mockd.get("/two").await.status, mockd.get("/mine").await.status), (501, 418));
    file.write_in_place(&with(&first.replace("500", "503")));
    mockd.logged("fault one changed, fault two removed").await;
    assert_eq!((order(&mockd).await.status, mockd.get("/two").await.status), (503, 404));
    assert_eq!(mockd.get("/mine").await.status, 418);
}

#[tokio::test]
async fn a_reload_keeps_changes_that_clients_made_to_faults() {
    let fault =
        |name: &str, status: u16| json!({ "name": name, "on": "http", "path": format!("/{name}"), "status": status });
    let faults = json!([fault("a", 501), fault("b", 502), fault("c", 503), fault("d", 504)]);
    let with = |shop: &str| format!("{shop}\nfaults: {faults}\n");
    let file = ScenarioFile::new(&with(SHOP));
    let mut mockd = Mockd::run(&file).await;
    mockd.control("DELETE", "/__mockd/faults/a", Value::Null).await;
    mockd.control("DELETE", "/__mockd/faults/d", Value::Null).await;
    mockd.control("PUT", "/__mockd/faults/b", fault("b", 418)).await;
    file.write_in_place(&with(&SHOP.replace("total: 3", "total: 4")));
    assert!(mockd.logged("reloaded").await.ends_with(": A1 total 3 → 4"));
    for (path, status) in [("/a", 404), ("/b", 418), ("/c", 503), ("/d", 404)] {
        assert_eq!(mockd.get(path).await.status, status, "{path}");
    }
    let listed = mockd.get("/__mockd/faults").await.json();
    assert_eq!(listed["faults"].as_array().unwrap().len(), 2, "{listed}");
    mockd.control("POST", "/__mockd/reset", Value::Null).await;
    assert_eq!((mockd.get("/a").await.status, mockd.get("/b").await.status), (501, 502));
}

#[tokio::test]
async fn resets_changes_and_removals_release_delayed_requests() {
    for (method, path, body) in [
        ("POST", "/__mockd/reset", json!({})),
        ("PUT", "/__mockd/faults/slow", json!({ "name": "slow", "on": "http", "path": "/nothing", "status": 500 })),
        ("DELETE", "/__mockd/faults", Value::Null),
    ] {
        let mockd = shop("- { name: slow, on: http, method: POST, latency: 1h }").await;
        mockd.advance("", "5h").await;
        let (answer, ()) = tokio::join!(order(&mockd), async {
            mockd.until("/__mockd/journal", |journal| journal.to_string().contains("answered 1h later")).await;
            mockd.control(method, path, body).await;
        });
        assert_eq!(answer.status, 200, "{method} {path}");
    }
}

#[tokio::test]
async fn a_changed_step_removes_the_fault_that_it_added() {
    let with = |latency: &str| {
        format!(
            "{SHOP}orders: {{ scripts: [{{ name: s, steps: [\
             {{ at: 1s, fault: {{ name: step, on: http, path: /x, status: {latency} }} }}] }}] }}\n"
        )
    };
    let file = ScenarioFile::new(&with("500"));
    let mut mockd = Mockd::run_with(file.path(), &["--paused"]).await;
    mockd.advance("", "1s").await;
    assert_eq!(mockd.get("/x").await.status, 500);
    file.write_in_place(&with("501"));
    mockd.logged("script s changed").await;
    assert_eq!(mockd.get("/x").await.status, 404);
    mockd.advance("", "1s").await;
    assert_eq!(mockd.get("/x").await.status, 501);
    file.write_in_place(SHOP);
    mockd.logged("script s removed").await;
    assert_eq!(mockd.get("/__mockd/faults").await.json()["faults"], json!([]));
}

#[tokio::test]
async fn fault_names_are_unique_and_useless_faults_get_a_warning() {
    let mockd = shop("- { name: one, on: http, path: /x, status: 500 }").await;
    let fault = json!({ "name": "one", "on": "http", "path": "/y", "status": 500 });
    assert_eq!(mockd.send("POST", "/__mockd/faults", Some(&fault)).await.status, 409);
    mockd.control("PUT", "/__mockd/faults/one", fault).await;
    let added = mockd.control("POST", "/__mockd/faults", json!({ "on": "http", "product": "ZZ", "status": 500 })).await;
    assert_eq!(added["warnings"], json!(["this fault can never match: there is no product `ZZ`"]));
    let number = json!({ "name": "7", "on": "http", "status": 500 });
    assert_eq!(mockd.send("POST", "/__mockd/faults", Some(&number)).await.status, 400);
}

#[tokio::test]
async fn a_reload_between_simultaneous_ends_loses_none_of_them() {
    let fault = |name: &str| {
        format!("{{ at: 0s, fault: {{ name: {name}, on: http, path: /{name}, until: 10s, status: 500 }} }}")
    };
    let steps = ["a", "b", "c"].map(fault).join(", ");
    let with = |shop: &str| format!("{shop}orders: {{ scripts: [{{ name: s, steps: [{steps}] }}] }}\n");
    let file = ScenarioFile::new(&with(SHOP));
    let mut mockd = Mockd::run_with(file.path(), &["--paused"]).await;
    mockd.control("POST", "/__mockd/clock", json!({ "step": 4 })).await;
    file.write_in_place(&with(&SHOP.replace("total: 7 }", "total: 8 }")));
    mockd.logged("A2 total 7 → 8").await;
    mockd.advance("", "0s").await;
    assert_eq!(mockd.get("/__mockd/faults").await.json()["faults"], json!([]));
    let transcript = mockd.get("/__mockd/transcript").await.text;
    assert_eq!(transcript.matches("fault-ended").count(), 3, "{transcript}");
}
