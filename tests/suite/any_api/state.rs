//! The data of a world: resets, snapshots, and changes by control.

use serde_json::{Value, json};

use super::{NOTES, add, advance, paused, texts};
use crate::support::{Answer, EventStream, Mockd};

async fn data(mockd: &Mockd) -> Value {
    mockd.get("/__mockd/state").await.json()["data"].clone()
}

async fn steps(mockd: &Mockd, steps: Value) -> Answer {
    mockd.send("POST", "/__mockd/steps", Some(&json!({ "do": steps }))).await
}

#[tokio::test]
async fn a_reset_restores_data_and_ends_streams() {
    let mockd = paused(NOTES).await;
    let mut stream = EventStream::open(&mockd, "/live").await;
    let before = data(&mockd).await;
    add(&mockd, "", "three").await;
    assert_eq!((stream.text().await.as_str(), &stream.data().await["change"]), ("10", &json!("added")));
    assert_eq!(mockd.send("PUT", "/price", Some(&json!(12))).await.status, 204);
    mockd.control("POST", "/__mockd/reset", json!({})).await;
    assert_eq!(stream.event().await, None);
    assert_eq!(data(&mockd).await, before);
    // Ids start over, too.
    assert_eq!(add(&mockd, "", "another").await, 3);
}

#[tokio::test]
async fn restoring_a_snapshot_restores_data_and_ends_streams() {
    let mockd = paused(NOTES).await;
    add(&mockd, "", "three").await;
    assert_eq!(mockd.send("PUT", "/price", Some(&json!(12))).await.status, 204);
    mockd.control("POST", "/__mockd/snapshots", json!({ "name": "three" })).await;
    let saved = data(&mockd).await;
    let mut stream = EventStream::open(&mockd, "/live").await;
    assert_eq!(mockd.send("DELETE", "/notes/1", None).await.status, 200);
    assert_eq!((stream.text().await.as_str(), &stream.data().await["change"]), ("12", &json!("removed")));
    assert_eq!(mockd.send("PUT", "/price", Some(&json!(13))).await.status, 204);
    mockd.control("POST", "/__mockd/snapshots/three/restore", json!(null)).await;
    assert_eq!(stream.event().await, None);
    assert_eq!(data(&mockd).await, saved);
    assert_eq!((texts(&mockd, "").await, mockd.get("/price").await.json()), (texts_of(&saved), json!(12)));
}

fn texts_of(data: &Value) -> Vec<String> {
    data["notes"].as_array().unwrap().iter().map(|note| note["text"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_state_shows_values_and_rows() {
    let mockd = paused(NOTES).await;
    let expected = json!({ "notes": [{ "id": 1, "text": "one" }, { "id": 2, "text": "two" }], "price": 10 });
    assert_eq!(data(&mockd).await, expected);
}

#[tokio::test]
async fn data_is_listed_with_a_limited_number_of_rows() {
    let mockd = paused(NOTES).await;
    let notes = json!([{ "id": 1, "text": "one" }, { "id": 2, "text": "two" }]);
    let price = json!({ "name": "price", "value": 10 });
    for (query, expected) in [
        ("", json!([{ "name": "notes", "count": 2, "rows": notes }, price])),
        ("?rows=1", json!([{ "name": "notes", "count": 2, "rows": [notes[0]] }, price])),
        ("?rows=0", json!([{ "name": "notes", "count": 2, "rows": [] }, price])),
        ("?name=price", json!([price])),
        ("?name=nothing", json!([])),
    ] {
        assert_eq!(mockd.get(&format!("/__mockd/data{query}")).await.json()["data"], expected, "{query}");
    }
    assert_eq!(mockd.get("/__mockd/data?rows=few").await.status, 400);
}

#[tokio::test]
async fn the_timeline_lists_scheduled_steps() {
    let script = "scripts: [{ name: morning, steps: [{ at: 1m, set: { price: 1 } }] }]";
    let mockd = paused(&format!("{NOTES}{script}\n")).await;
    let waiting = async || mockd.get("/__mockd/timeline").await.json()["waiting"].clone();
    let morning = json!({ "rule": "scripts/morning", "due": "1m" });
    assert_eq!(waiting().await, json!([morning]));
    let done = steps(&mockd, json!([{ "after": "5s", "set": { "price": 2 } }])).await;
    assert_eq!(done.status, 200, "{}", done.text);
    assert_eq!(waiting().await, json!([{ "rule": "steps", "due": "5s" }, morning]));
    advance(&mockd, "", "5s").await;
    assert_eq!(waiting().await, json!([morning]));
}

#[tokio::test]
async fn general_scripts_and_generators_are_in_the_timeline() {
    let script = json!({ "name": "morning", "repeat": 2, "steps": [
        { "at": "1m", "set": { "price": 1 } },
        { "after": "30s", "set": { "price": 2 } },
    ] });
    let random =
        json!([{ "name": "bot", "every": "1h", "set": { "price": 3 } }, { "every": "2h", "set": { "price": 4 } }]);
    let mockd = paused(&format!("{NOTES}scripts: [{script}]\nrandom: {random}\n")).await;
    let timeline = async || mockd.get("/__mockd/timeline").await.json();
    let progress = |round: u64, began: &str, begun: usize, due: &str| {
        json!([{
            "script": "scripts/morning", "began": began, "length": null, "round": round, "repeat": 2, "count": 2,
            "begun": begun, "due": due, "first": begun, "steps": [{ "at": due, "step": script["steps"][begun] }],
        }])
    };
    let at_start = timeline().await;
    assert_eq!(at_start["scripts"], progress(1, "0s", 0, "1m"));
    let generators = at_start["generators"].as_array().unwrap();
    assert_eq!(generators.iter().map(|one| &one["generator"]).collect::<Vec<_>>(), ["random/bot", "random#2"]);
    for (time, expected) in [("1m", progress(1, "0s", 1, "1m30s")), ("30s", progress(2, "1m30s", 0, "2m30s"))] {
        advance(&mockd, "", time).await;
        assert_eq!(timeline().await["scripts"], expected);
    }
    advance(&mockd, "", "5m").await;
    let finished = &timeline().await["scripts"][0];
    assert_eq!((&finished["due"], &finished["began"], &finished["steps"]), (&Value::Null, &Value::Null, &json!([])));
    assert_eq!((&finished["round"], &finished["begun"], &finished["first"]), (&json!(2), &json!(2), &json!(2)));
}

#[tokio::test]
async fn setting_data_sends_the_changes_to_streams() {
    let mockd = paused(NOTES).await;
    let mut stream = EventStream::open(&mockd, "/live").await;
    assert_eq!(stream.text().await, "10");
    let new = json!({ "price": [1, 2], "notes": [{ "id": 2, "text": "two" }, { "id": 9, "text": "nine" }] });
    mockd.control("PATCH", "/__mockd/state", json!({ "data": new })).await;
    assert_eq!(data(&mockd).await, new);
    let changes = [stream.data().await, stream.data().await];
    let kinds: Vec<&str> = changes.iter().map(|event| event["change"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"added") && kinds.contains(&"removed"), "{changes:?}");
}

#[tokio::test]
async fn invalid_data_changes_nothing() {
    let mockd = paused(NOTES).await;
    let before = data(&mockd).await;
    for wrong in [
        json!({ "price": 4, "nothing": 1 }),
        json!({ "price": 4, "notes": [{ "id": 1 }, { "id": 1 }] }),
        json!({ "price": 4, "notes": [5] }),
        json!({ "price": 4, "notes": 5 }),
    ] {
        let refused = mockd.send("PATCH", "/__mockd/state", Some(&json!({ "data": wrong }))).await;
        assert!((400..500).contains(&refused.status), "{wrong}: {} {}", refused.status, refused.text);
        assert_eq!(data(&mockd).await, before, "{wrong}");
    }
}

#[tokio::test]
async fn posted_steps_run_now_and_later() {
    let mockd = paused(NOTES).await;
    let mut stream = EventStream::open(&mockd, "/live").await;
    assert_eq!(stream.text().await, "10");
    let list = json!([
        { "add": { "notes": { "text": "now, {{ price }}" } } },
        { "after": "5s", "merge": { "notes": { "id": "$it.id", "text": "later" } } },
        { "set": { "price": 3 } },
    ]);
    let done = steps(&mockd, list).await;
    assert_eq!(done.status, 200, "{}", done.text);
    assert_eq!(done.json()["events"][0]["row"], json!({ "id": 3, "text": "now, 10" }));
    assert_eq!(stream.data().await["row"]["text"], "now, 10");
    advance(&mockd, "", "5s").await;
    assert_eq!(stream.data().await["row"]["text"], "later");
    assert_eq!(mockd.get("/price").await.json(), 3);
}

#[tokio::test]
async fn a_refused_step_undoes_all_posted_steps() {
    let mockd = paused(NOTES).await;
    let before = data(&mockd).await;
    let list =
        json!([{ "add": { "notes": { "text": "three" } } }, { "set": { "price": 3 } }, { "remove": { "notes": 99 } }]);
    let refused = steps(&mockd, list).await;
    assert!((400..500).contains(&refused.status), "{} {}", refused.status, refused.text);
    assert!(refused.text.contains("99"), "{}", refused.text);
    assert_eq!(data(&mockd).await, before);
}

#[tokio::test]
async fn an_invalid_step_gets_400_with_its_position() {
    let mockd = paused(NOTES).await;
    let before = data(&mockd).await;
    for (wrong, part) in [
        (json!([{ "set": { "price": 3 } }, { "mrege": { "notes": { "id": 1 } } }]), "unknown key `mrege`"),
        (json!([{ "set": { "price": 3 } }, { "add": { "nots": {} } }]), "there is no collection `nots`"),
        (json!([{ "set": { "price": 3 } }, { "set": { "price": "{{ prise }}" } }]), "unknown name `prise`"),
        (
            json!([{ "set": { "price": 3 } }, { "reply": 1 }]),
            "`reply` is only allowed in the steps of streams and sockets",
        ),
    ] {
        let refused = steps(&mockd, wrong).await;
        let message = refused.json()["message"].as_str().unwrap().to_owned();
        assert_eq!(refused.status, 400, "{message}");
        assert!(message.contains(part) && message.contains("body:1:"), "{message}");
    }
    assert_eq!(data(&mockd).await, before);
}

#[tokio::test]
async fn a_refusal_has_the_same_status_in_routes_and_control() {
    let mockd = paused(
        "
data: { notes: [{ id: 1 }] }
http:
  POST /add: { add: { notes: { id: 1 } } }
  POST /remove: { remove: { notes: $body } }
",
    )
    .await;
    for (path, body, step, status) in [
        ("/add", json!({}), json!({ "add": { "notes": { "id": 1 } } }), 409),
        ("/remove", json!(9), json!({ "remove": { "notes": 9 } }), 404),
        ("/remove", json!([]), json!({ "remove": { "notes": "{{ [] }}" } }), 400),
    ] {
        let (by_route, by_control) = (mockd.send("POST", path, Some(&body)).await, steps(&mockd, json!([step])).await);
        assert_eq!((by_route.status, by_control.status), (status, status), "{} {}", by_route.text, by_control.text);
    }
}
