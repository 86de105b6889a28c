//! Paused, accelerated and advanced clocks.

use std::time::Duration;

use mockd::embed::Mockd as Embedded;
use mockd::world::Until;
use serde_json::{Value, json};

use crate::support::{Mockd, SHOP, ScenarioFile};

const SCRIPT: &str = "
orders:
  scripts:
    - steps:
        - { at: 1s, product: A1, amount: 1 }
        - { at: 2s, product: A2, amount: 1 }
        - { at: 2s, product: B1, amount: 1 }
        - { at: 30s, product: A1, amount: 1 }
";

async fn paused() -> Mockd {
    Mockd::run_with(ScenarioFile::new(&format!("{SHOP}{SCRIPT}")).path(), &["--paused"]).await
}

async fn clock(mockd: &Mockd, request: Value) -> Value {
    mockd.control("POST", "/__mockd/clock", request).await
}

fn ids(answer: &Value) -> Vec<&str> {
    answer["events"].as_array().unwrap().iter().map(|event| event["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_advance_runs_and_lists_due_events() {
    let mockd = paused().await;
    assert_eq!(mockd.advance("", "1s999ms").await, ["1s A1 4"]);
    assert_eq!(mockd.advance("", "1ms").await, ["2s A2 8", "2s B1 102"]);
    let answer = clock(&mockd, json!({ "advance_to": "1m" })).await;
    let expected = json!({ "at": "1m", "paused": true, "speed": 1.0, "nextDue": null, "count": 1, "events": [
        { "at": "30s", "sequence": 4, "event": "total", "id": "A1", "category": "electronics", "total": 5 }],
        "leftBehind": [] });
    assert_eq!(answer, expected);
    assert_eq!(mockd.advance("", "0s").await, [""; 0]);
}

#[tokio::test]
async fn a_step_runs_the_next_event_and_stops() {
    let mockd = paused().await;
    let first = clock(&mockd, json!({ "step": 1 })).await;
    assert_eq!((ids(&first), &first["at"]), (vec!["A1"], &json!("1s")));
    let second = clock(&mockd, json!({ "step": 1 })).await;
    // The other event at 2s is still due, even after a request.
    assert_eq!((ids(&second), &second["nextDue"]), (vec!["A2"], &json!("2s")));
    mockd.order("A1", 1).await;
    let rest = clock(&mockd, json!({ "step": 5 })).await;
    assert_eq!((ids(&rest), &rest["at"], &rest["nextDue"]), (vec!["B1", "A1"], &json!("30s"), &Value::Null));
    assert_eq!(ids(&clock(&mockd, json!({ "step": 1 })).await), [""; 0]);
}

#[tokio::test]
async fn an_advance_answers_after_sockets_have_received_every_frame() {
    let embedded = Embedded::builder().yaml(format!("{SHOP}{SCRIPT}")).paused().start().await.unwrap();
    let world = embedded.default_world();
    let url = format!("ws://{}/orders/nothing", embedded.url().strip_prefix("http://").unwrap());
    let mut live = crate::support::Socket::open(&url).await;
    let advanced = world.advance(Until::At(Duration::from_mins(1))).await.unwrap();
    let sockets = world.open_sockets().await.unwrap();
    assert_eq!((sockets[0].sent, sockets[0].backlog, advanced.left_behind.len()), (4, 0, 0));
    assert_eq!(live.texts(4).await.len(), 4);
}

#[tokio::test]
async fn every_socket_receives_each_frame_of_a_busy_virtual_hour() {
    let script = "orders: { scripts: [{ repeat: forever, steps: [{ at: 100ms, product: A1, amount: 1 }] }] }\n";
    let file = ScenarioFile::new(&format!("{SHOP}{script}"));
    let mockd = Mockd::run_with(file.path(), &["--paused"]).await;
    let mut sockets = [mockd.live("nothing").await, mockd.live("nothing").await, mockd.live("nothing").await];
    let reading = futures_util::future::join_all(sockets.iter_mut().map(|socket| socket.texts(36_000)));
    let advance = clock(&mockd, json!({ "advance": "1h" }));
    let (frames, answer) = futures_util::future::join(reading, advance).await;
    assert_eq!((&answer["count"], answer["events"].as_array().unwrap().len()), (&json!(36_000), 10_000));
    let expected: Vec<String> = (4..36_004).map(|total| format!(r#"{{"id":"A1","total":{total}}}"#)).collect();
    assert!(frames.iter().all(|one| *one == expected));
    let sockets = mockd.get("/__mockd/sockets").await.json();
    assert_eq!(sockets["sockets"][2]["caughtUp"], 0);
}

#[tokio::test]
async fn an_advance_names_a_socket_that_does_not_read() {
    let script = "orders: { scripts: [{ repeat: forever, steps: [{ at: 1ms, product: A1, amount: 1 }] }] }\n";
    let file = ScenarioFile::new(&format!("{SHOP}{script}"));
    let mockd = Mockd::run_with(file.path(), &["--paused"]).await;
    let _stuck = mockd.live("nothing").await;
    // More bytes than the kernel buffers for a peer that does not read.
    let answer = clock(&mockd, json!({ "advance": "10m" })).await;
    assert_eq!((&answer["count"], &answer["leftBehind"]), (&json!(600_000), &json!([1])));
}

#[tokio::test]
async fn orders_do_not_move_a_paused_clock() {
    let mockd = paused().await;
    let mut live = mockd.live("nothing").await;
    mockd.order("A1", 1).await;
    assert_eq!(live.text().await, r#"{"id":"A1","total":4}"#);
    let clock = mockd.get("/__mockd/clock").await.json();
    assert_eq!(clock, json!({ "at": "0s", "paused": true, "speed": 1.0, "nextDue": "1s" }));
}

#[tokio::test]
async fn a_resumed_clock_runs_at_the_requested_speed() {
    let mockd = paused().await;
    let mut live = mockd.live("nothing").await;
    mockd.advance("", "1s").await;
    assert_eq!(live.order().await.0, "A1");
    let answer = clock(&mockd, json!({ "resume": true, "speed": 1000 })).await;
    assert_eq!((&answer["paused"], &answer["speed"]), (&json!(false), &json!(1000.0)));
    // At this speed, the remaining 29 s take 29 ms.
    assert_eq!(live.texts(3).await[2], r#"{"id":"A1","total":5}"#);
    let paused = clock(&mockd, json!({ "pause": true })).await;
    assert_eq!(paused["at"], mockd.get("/__mockd/clock").await.json()["at"]);
}

#[tokio::test]
async fn a_flag_sets_the_speed_of_every_clock() {
    let file = ScenarioFile::new(&format!("{SHOP}{SCRIPT}"));
    let mockd = Mockd::run_with(file.path(), &["--speed", "1000"]).await;
    for prefix in ["", "/@a"] {
        let mut live = mockd.live_in(prefix, "nothing").await;
        live.until(r#"{"id":"A1","total":5}"#).await;
    }
}

#[tokio::test]
async fn an_invalid_request_names_the_field_and_changes_nothing() {
    let mockd = paused().await;
    mockd.advance("", "1s").await;
    for (request, field, why) in [
        (json!({ "advanc": "1s" }), "advanc", "unknown field"),
        (json!({ "advance": "10" }), "advance", "`10` is not a duration"),
        (json!({ "advance": 10 }), "advance", "a duration such as"),
        (json!({ "advance": "-1s" }), "advance", "`-1s` is not a duration"),
        (json!({ "advance_to": "999ms" }), "advance_to", "it is 1s already, and time does not go back"),
        (json!({ "speed": 9, "advance_to": "999ms" }), "advance_to", "it is 1s already"),
        (json!({ "step": 0 }), "step", "0 is not between 1 and 1000000"),
        (json!({ "step": -1 }), "step", "integer `-1`"),
        (json!({ "speed": 0 }), "speed", "0 is not between 0.001 and 100000"),
        (json!({ "speed": 2, "pause": false }), "pause", "true or left out"),
        (json!({ "pause": true, "resume": true }), "resume", "combined with pause"),
        (json!({ "advance": "1s", "step": 1 }), "step", "combined with advance"),
        (json!({}), "body", "nothing to do: set pause"),
    ] {
        let answer = mockd.send("POST", "/__mockd/clock", Some(&request)).await;
        let error = answer.json();
        assert_eq!((answer.status, &error["field"]), (400, &json!(field)), "{request}: {error}");
        assert!(error["message"].as_str().unwrap().contains(why), "{request}: {error}");
        let clock = mockd.get("/__mockd/clock").await.json();
        assert_eq!(clock, json!({ "at": "1s", "paused": true, "speed": 1.0, "nextDue": "2s" }), "{request}");
    }
    for (body, status) in [("", 400), ("[]", 400), ("{", 400)] {
        assert_eq!(mockd.post("/__mockd/clock", body).await.status, status, "{body}");
    }
}

#[tokio::test]
async fn a_refused_request_leaves_a_running_clock_unchanged() {
    let mockd = Mockd::run_with(ScenarioFile::new(SHOP).path(), &["--speed", "1000"]).await;
    let request = json!({ "pause": true, "speed": 5, "advance_to": "1us" });
    let answer = mockd.send("POST", "/__mockd/clock", Some(&request)).await;
    assert_eq!((answer.status, &answer.json()["field"]), (400, &json!("advance_to")));
    let clock = mockd.get("/__mockd/clock").await.json();
    assert_eq!((&clock["paused"], &clock["speed"]), (&json!(false), &json!(1000.0)));
}

#[tokio::test]
async fn due_events_run_before_a_pause_takes_effect() {
    let script = "orders: { random: [{ every: 1ms, amount: 1 }] }\n";
    let file = ScenarioFile::new(&format!("{SHOP}{script}"));
    let mockd = Mockd::run_with(file.path(), &["--speed", "100"]).await;
    for _ in 0..20 {
        let paused = clock(&mockd, json!({ "pause": true })).await;
        let (at, due) = (duration(&paused["at"]), duration(&paused["nextDue"]));
        assert!(due > at, "{paused}");
        mockd.order("A1", 1).await;
        let after = mockd.get("/__mockd/transcript").await.text;
        let last: Value = serde_json::from_str(after.lines().last().unwrap()).unwrap();
        assert_eq!(last["at"], paused["at"]);
        clock(&mockd, json!({ "resume": true })).await;
    }
}

fn duration(text: &Value) -> Duration {
    mockd::scenario::parse_duration(text.as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn sockets_that_do_not_read_delay_an_advance_only_briefly() {
    let mockd = paused().await;
    let mut stuck = Vec::new();
    for _ in 0..5 {
        stuck.push(mockd.live("nothing").await);
    }
    let large = json!({ "text": "x".repeat(900_000) });
    for _ in 0..12 {
        mockd.control("POST", "/__mockd/sockets/send", large.clone()).await;
    }
    let advance = clock(&mockd, json!({ "advance": "5s" }));
    let other_requests = async {
        loop {
            mockd.get("/__mockd/clock").await;
        }
    };
    let answer = tokio::select! {
        answer = advance => answer,
        () = other_requests => unreachable!(),
    };
    assert_eq!((&answer["count"], &answer["leftBehind"]), (&json!(3), &json!([1, 2, 3, 4, 5])));
}

#[tokio::test]
async fn a_reset_ends_a_running_advance() {
    let script = "orders: { scripts: [{ repeat: forever, steps: [{ at: 1us, product: B1, amount: 0 }] }] }\n";
    let mockd = Mockd::run_with(ScenarioFile::new(&format!("{SHOP}{script}")).path(), &["--paused"]).await;
    let request = json!({ "advance": "1000h" });
    let endless = mockd.send("POST", "/__mockd/clock", Some(&request));
    let reset = async {
        mockd.until("/__mockd/state", |state| state["sequence"] != 0).await;
        mockd.control("POST", "/__mockd/reset", Value::Null).await;
    };
    let (answer, ()) = futures_util::future::join(endless, reset).await;
    let message = "the world was reset or restored during the advance";
    assert_eq!((answer.status, &answer.json()["message"]), (409, &json!(message)));
    let clock = mockd.get("/__mockd/clock").await.json();
    assert_eq!(clock, json!({ "at": "0s", "paused": true, "speed": 1.0, "nextDue": "1µs" }));
}

#[tokio::test]
async fn a_restore_ends_an_advance_and_keeps_the_clock_running() {
    let script = "orders: { scripts: [{ repeat: forever, steps: [{ at: 10us, product: B1, amount: 0 }] }] }\n";
    let mockd = Mockd::run_with(ScenarioFile::new(&format!("{SHOP}{script}")).path(), &["--speed", "0.5"]).await;
    mockd.control("POST", "/__mockd/snapshots", json!({ "name": "s" })).await;
    let request = json!({ "advance": "1000h", "pause": true });
    let endless = mockd.send("POST", "/__mockd/clock", Some(&request));
    let restore = async {
        let far = Duration::from_mins(1);
        mockd.until("/__mockd/clock", |clock| duration(&clock["at"]) >= far).await;
        mockd.control("POST", "/__mockd/snapshots/s/restore", Value::Null).await;
    };
    let (answer, ()) = futures_util::future::join(endless, restore).await;
    assert_eq!(answer.status, 409);
    let clock = mockd.get("/__mockd/clock").await.json();
    assert_eq!((&clock["paused"], &clock["speed"]), (&json!(false), &json!(0.5)));
}

#[tokio::test]
async fn a_reset_holds_while_an_advance_waits_for_sockets() {
    let mockd = paused().await;
    let _stuck = mockd.live("nothing").await;
    let large = json!({ "text": "x".repeat(900_000) });
    for _ in 0..12 {
        mockd.control("POST", "/__mockd/sockets/send", large.clone()).await;
    }
    let request = json!({ "advance": "5s", "resume": true });
    let advance = mockd.send("POST", "/__mockd/clock", Some(&request));
    let reset = async {
        mockd.until("/__mockd/state", |state| state["sequence"] == 3).await;
        mockd.control("POST", "/__mockd/reset", Value::Null).await;
    };
    let (answer, ()) = futures_util::future::join(advance, reset).await;
    assert_eq!(answer.status, 409);
    let clock = mockd.get("/__mockd/clock").await.json();
    assert_eq!(clock, json!({ "at": "0s", "paused": true, "speed": 1.0, "nextDue": "1s" }));
}

#[tokio::test]
async fn orders_are_answered_during_a_long_advance() {
    let script = "orders: { scripts: [{ repeat: forever, steps: [{ at: 1us, product: B1, amount: 0 }] }] }\n";
    let file = ScenarioFile::new(&format!("{SHOP}{script}"));
    let mockd = Mockd::run_with(file.path(), &["--paused"]).await;
    // A thousand hours at a million events a second. The advance ends when its client disconnects.
    let endless = clock(&mockd, json!({ "advance": "1000h" }));
    let meanwhile = async {
        mockd.until("/__mockd/state", |state| state["sequence"] != 0).await;
        mockd.order("A1", 1).await;
        mockd.get("/__mockd/state").await.json()["totals"]["A1"].clone()
    };
    tokio::select! {
        answer = endless => panic!("the advance ended: {answer}"),
        total = meanwhile => assert_eq!(total, 4),
    }
    assert_eq!(mockd.advance("", "1us").await.len(), 1);
}

#[tokio::test]
async fn an_advance_answers_with_the_clock_at_its_end() {
    let mockd = paused().await;
    // After the advance, a day takes less than a second.
    let answer = clock(&mockd, json!({ "advance": "29s", "resume": true, "speed": 100_000 })).await;
    let reported = ["at", "nextDue", "paused", "speed"].map(|key| answer[key].clone());
    assert_eq!(reported, [json!("29s"), json!("30s"), json!(false), json!(100_000.0)]);
}
