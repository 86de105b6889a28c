//! Faults on live sockets: what a page meets, and that everything is right again when they are over.

use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::support::{Mockd, RawSocket, SHOP, ScenarioFile, Socket, http, soon};

/// A shop in which time stands still.
async fn shop() -> Mockd {
    Mockd::run_with(ScenarioFile::new(SHOP).path(), &["--paused", "--seed", "7"]).await
}

async fn bring(mockd: &Mockd, fault: Value) {
    let mut fault = fault;
    fault["on"] = "websocket".into();
    mockd.control("POST", "/__mockd/faults", fault).await;
}

async fn lift(mockd: &Mockd) {
    mockd.control("DELETE", "/__mockd/faults", Value::Null).await;
}

/// Sends a frame to all sockets that no fault has to do with, and reads up to it: by then, nothing else is under way.
async fn totals(mockd: &Mockd, live: &mut Socket) -> Vec<i64> {
    mockd.control("POST", "/__mockd/sockets/send", json!({ "json": { "id": "end" } })).await;
    let before = live.until(r#"{"id":"end"}"#).await;
    before.iter().map(|text| serde_json::from_str::<Value>(text).unwrap()["total"].as_i64().unwrap()).collect()
}

/// A socket that has got its current order.
async fn live(mockd: &Mockd) -> Socket {
    let mut live = mockd.live("confectionery").await;
    assert_eq!(live.order().await, ("B1".into(), 101));
    live
}

async fn order(mockd: &Mockd, count: usize) {
    for _ in 0..count {
        mockd.order("B1", 1).await;
    }
}

async fn handshake(mockd: &Mockd, category: &str) -> crate::support::Answer {
    let headers = [
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    http("GET", &format!("{}/orders/{category}", mockd.url()), &headers, None).await
}

async fn did(mockd: &Mockd) -> Vec<String> {
    let journal = mockd.get("/__mockd/journal?kind=faulted").await.json();
    let entries = journal["entries"].as_array().unwrap().iter();
    entries.map(|entry| format!("{} {}", entry["socket"], entry["did"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn frames_that_were_dropped_are_made_up_for_when_the_fault_is_over() {
    let mockd = shop().await;
    let (mut live, mut raw) = (live(&mockd).await, mockd.live("nothing").await);
    bring(&mockd, json!({ "name": "lossy", "product": "B1", "drop": true })).await;
    order(&mockd, 3).await;
    mockd.order("A1", 1).await;
    assert_eq!(live.order().await, ("A1".into(), 4));
    assert_eq!(mockd.get("/__mockd/state").await.json()["totals"]["B1"], 104);
    lift(&mockd).await;
    assert_eq!(
        (live.order().await, raw.texts(2).await.pop().unwrap()),
        (("B1".into(), 104), r#"{"id":"B1","total":104}"#.into())
    );
    // With it all that has changed since.
    assert_eq!(live.order().await, ("A1".into(), 4));
    order(&mockd, 1).await;
    assert_eq!(live.order().await, ("B1".into(), 105));
    let journal = mockd.get("/__mockd/journal?kind=faulted").await.json();
    let entry = journal["entries"].as_array().unwrap().iter().find(|entry| entry["socket"] == 1).unwrap();
    assert_eq!((&entry["fault"], &entry["did"], &entry["event"]), (&json!("lossy"), &json!("dropped"), &json!(2)));
}

#[tokio::test]
async fn current_orders_that_were_dropped_come_when_the_fault_is_over() {
    let mockd = shop().await;
    bring(&mockd, json!({ "drop": true })).await;
    let mut live = mockd.live("electronics").await;
    live.update_category("confectionery").await;
    while did(&mockd).await.len() < 3 {}
    lift(&mockd).await;
    assert_eq!(live.text().await, r#"{"id":"B1","total":101}"#);
}

#[tokio::test]
async fn frames_are_late_in_the_worlds_time_and_in_their_order() {
    let mockd = shop().await;
    let mut live = live(&mockd).await;
    bring(&mockd, json!({ "latency": "2s" })).await;
    order(&mockd, 2).await;
    while did(&mockd).await.len() < 2 {}
    mockd.advance("", "1999ms").await;
    order(&mockd, 1).await;
    while did(&mockd).await.len() < 3 {}
    mockd.advance("", "1ms").await;
    assert_eq!((live.order().await.1, live.order().await.1), (102, 103));
    mockd.advance("", "1999ms").await;
    assert_eq!(live.order().await.1, 104);
}

#[tokio::test]
async fn frames_come_twice_in_another_order_or_as_they_were() {
    let mockd = shop().await;
    let mut live = live(&mockd).await;
    bring(&mockd, json!({ "product": "B1", "duplicate": true })).await;
    order(&mockd, 2).await;
    assert_eq!(totals_of(&mut live, 4).await, [102, 102, 103, 103]);
    lift(&mockd).await;
    bring(&mockd, json!({ "product": "B1", "reorder": 3 })).await;
    order(&mockd, 4).await;
    assert_eq!(totals_of(&mut live, 3).await, [106, 104, 105]);
    lift(&mockd).await;
    // What waited comes, and then the latest: who was told something older has to hear it.
    assert_eq!(totals_of(&mut live, 2).await, [107, 107]);
    bring(&mockd, json!({ "product": "B1", "stale": true })).await;
    order(&mockd, 3).await;
    assert_eq!(totals_of(&mut live, 3).await, [108, 108, 108]);
    lift(&mockd).await;
    assert_eq!(totals_of(&mut live, 1).await, [110]);
    assert_eq!(totals(&mockd, &mut live).await, [0; 0]);
}

async fn totals_of(live: &mut Socket, count: usize) -> Vec<i64> {
    let mut totals = Vec::new();
    while totals.len() < count {
        totals.push(live.order().await.1);
    }
    totals
}

#[tokio::test]
async fn frames_are_damaged_in_each_way_and_the_right_total_follows() {
    for (kind, first) in [("json", 0x81), ("utf8", 0x81), ("type", 0x82)] {
        let mockd = shop().await;
        let mut raw = RawSocket::open(mockd.address(), "/orders/nothing").await;
        bring(&mockd, json!({ "corrupt": kind })).await;
        order(&mockd, 1).await;
        let (byte, payload) = raw.receive().await;
        assert_eq!(byte, first, "{kind}");
        match kind {
            "json" => assert_eq!(payload, br#"{"id":"B1",""#),
            "utf8" => assert!(std::str::from_utf8(&payload).is_err()),
            _ => assert_eq!(payload, br#"{"id":"B1","total":102}"#),
        }
        lift(&mockd).await;
        assert_eq!(raw.receive().await, (0x81, br#"{"id":"B1","total":102}"#.to_vec()), "{kind}");
    }
    let mockd = shop().await;
    let mut large = live(&mockd).await;
    bring(&mockd, json!({ "corrupt": "oversized" })).await;
    order(&mockd, 1).await;
    assert_eq!(large.text().await.len(), 1 << 20);
}

#[tokio::test]
async fn the_same_frames_are_hit_on_every_run_whatever_other_sockets_do() {
    let run = async |others: usize| {
        let mockd = shop().await;
        let mut live = live(&mockd).await;
        let mut sockets = Vec::new();
        for _ in 0..others {
            sockets.push(mockd.live("nothing").await);
        }
        bring(&mockd, json!({ "product": "B1", "drop": true, "chance": "40%" })).await;
        order(&mockd, 50).await;
        let seen = totals(&mockd, &mut live).await;
        drop(sockets);
        seen
    };
    let first = run(0).await;
    assert!((20..40).contains(&first.len()), "{first:?}");
    assert_eq!(first, run(5).await);
}

#[tokio::test]
async fn a_share_of_sockets_is_hit_for_as_long_as_the_fault_is_in_force() {
    let mockd = shop().await;
    let mut sockets = Vec::new();
    for _ in 0..30 {
        sockets.push(live(&mockd).await);
    }
    bring(&mockd, json!({ "share": "50%", "product": "B1", "drop": true })).await;
    order(&mockd, 4).await;
    let mut hit = 0;
    for socket in &mut sockets {
        match totals(&mockd, socket).await[..] {
            [] => hit += 1,
            [102, 103, 104, 105] => {}
            ref other => panic!("{other:?}"),
        }
    }
    assert!((8..22).contains(&hit), "{hit}");
    let fault = mockd.get("/__mockd/faults").await.json()["faults"][0].clone();
    assert_eq!((&fault["matched"], &fault["hit"]), (&json!(30), &json!(hit)));
}

#[tokio::test]
async fn sockets_are_closed_at_a_time_and_may_come_back() {
    let file = ScenarioFile::new(&format!(
        "{SHOP}\nfaults: [{{ name: crash, on: websocket, category: confectionery, from: 10s, close: 1011, reason: bad day }}]"
    ));
    let mockd = Mockd::run_with(file.path(), &["--paused"]).await;
    let (mut hit, mut other) = (live(&mockd).await, mockd.live("electronics").await);
    other.texts(2).await;
    mockd.advance("", "10s").await;
    let Message::Close(Some(frame)) = hit.message().await else { panic!("no closing frame") };
    assert_eq!((frame.code, frame.reason.as_str()), (CloseCode::Error, "bad day"));
    let mut again = live(&mockd).await;
    order(&mockd, 1).await;
    assert_eq!((again.order().await.1, other.order().await.1), (102, 102));
    assert_eq!(did(&mockd).await, ["1 closed with 1011"]);
}

#[tokio::test]
async fn sockets_are_closed_after_so_many_frames_each() {
    let mockd = shop().await;
    bring(&mockd, json!({ "close": 4001, "after": 3 })).await;
    let mut sockets = [live(&mockd).await, live(&mockd).await];
    order(&mockd, 5).await;
    for socket in &mut sockets {
        assert_eq!(totals_of(socket, 2).await, [102, 103]);
        assert_eq!(socket.close_code().await, 4001);
    }
}

#[tokio::test]
async fn sockets_are_reset_without_a_closing_frame() {
    let mockd = shop().await;
    let mut stream = TcpStream::connect(mockd.address()).await.unwrap();
    let request = format!(
        "GET /orders/nothing HTTP/1.1\r\nhost: {}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        mockd.address()
    );
    tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    bring(&mockd, json!({ "reset": true })).await;
    let end = soon("the end of the connection", stream.read_u8()).await;
    assert_eq!(end.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    let mut again = live(&mockd).await;
    order(&mockd, 1).await;
    assert_eq!(again.order().await.1, 102);
}

#[tokio::test]
async fn a_frozen_socket_is_open_and_silent_without_pongs_and_wakes_up_to_what_is_true() {
    let file = ScenarioFile::new(SHOP);
    let mockd = Mockd::run_with(file.path(), &["--paused", "--backlog", "16"]).await;
    let mut raw = RawSocket::open(mockd.address(), "/orders/confectionery").await;
    raw.receive().await;
    let mut witness = live(&mockd).await;
    bring(&mockd, json!({ "name": "ice", "times": 1, "freeze": true })).await;
    raw.send(0x89, b"are you there").await;
    raw.send(0x81, br#"{"cmd":"update-category","payload":{"category":"electronics"}}"#).await;
    order(&mockd, 100).await;
    assert_eq!(totals_of(&mut witness, 100).await.last(), Some(&201));
    assert_eq!(mockd.get("/__mockd/sockets").await.json()["sockets"].as_array().unwrap().len(), 2);
    assert_eq!(mockd.get("/__mockd/sockets").await.json()["sockets"][0]["received"], 0);
    lift(&mockd).await;
    // Current totals in place of the hundred, then the pong, then what it had asked for.
    assert_eq!(raw.receive().await, (0x81, br#"{"id":"B1","total":201}"#.to_vec()));
    assert_eq!(raw.receive().await, (0x8a, b"are you there".to_vec()));
    assert_eq!(raw.receive().await, (0x81, br#"{"id":"A1","total":3}"#.to_vec()));
}

#[tokio::test]
async fn what_clients_send_is_ignored_and_pings_are_answered() {
    let mockd = shop().await;
    let mut raw = RawSocket::open(mockd.address(), "/orders/nothing").await;
    bring(&mockd, json!({ "ignore": true })).await;
    raw.send(0x81, br#"{"cmd":"update-category","payload":{"category":"confectionery"}}"#).await;
    raw.send(0x89, b"ping").await;
    assert_eq!(raw.receive().await, (0x8a, b"ping".to_vec()));
    assert_eq!(did(&mockd).await, ["1 ignored what the client sent"]);
    lift(&mockd).await;
    raw.send(0x81, br#"{"cmd":"update-category","payload":{"category":"confectionery"}}"#).await;
    assert_eq!(raw.receive().await.1, br#"{"id":"B1","total":101}"#);
}

#[tokio::test]
async fn handshakes_are_refused_or_answered_late() {
    let mockd = shop().await;
    bring(&mockd, json!({ "category": "electronics", "times": 2, "status": 503, "retryAfter": "3s" })).await;
    for status in [503, 503] {
        let answer = handshake(&mockd, "electronics").await;
        assert_eq!((answer.status, answer.header("retry-after")), (status, "3"));
    }
    mockd.live("electronics").await.texts(2).await;
    assert_eq!(mockd.get("/electronics").await.status, 200);
    bring(&mockd, json!({ "connect": "5s" })).await;
    let (mut late, ()) = tokio::join!(live(&mockd), async {
        let entries = async || mockd.get("/__mockd/journal?kind=request").await.text;
        while !entries().await.contains("handshake answered 5s later") {}
        assert_eq!(mockd.get("/__mockd/sockets").await.json()["sockets"].as_array().unwrap().len(), 0);
        mockd.advance("", "5s").await;
    });
    order(&mockd, 1).await;
    assert_eq!(late.order().await.1, 102);
}

#[tokio::test]
async fn a_storm_closes_all_and_lets_nobody_in_for_its_time() {
    let mockd = shop().await;
    let mut sockets = [live(&mockd).await, live(&mockd).await, live(&mockd).await];
    bring(&mockd, json!({ "storm": "5s" })).await;
    for socket in &mut sockets {
        assert_eq!(socket.close_code().await, 1012);
    }
    let refused = handshake(&mockd, "confectionery").await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, "5"));
    mockd.advance("", "5s").await;
    let mut again = live(&mockd).await;
    order(&mockd, 1).await;
    assert_eq!(again.order().await.1, 102);
}

#[tokio::test]
async fn whatever_happens_a_socket_knows_the_truth_when_the_last_of_many_faults_is_over() {
    let mockd = shop().await;
    let mut live = live(&mockd).await;
    bring(&mockd, json!({ "drop": true, "chance": "30%", "until": "3s" })).await;
    bring(&mockd, json!({ "latency": { "min": "10ms", "max": "800ms" }, "until": "4s" })).await;
    bring(&mockd, json!({ "reorder": 5, "until": "5s" })).await;
    bring(&mockd, json!({ "duplicate": true, "chance": "50%", "until": "2s" })).await;
    bring(&mockd, json!({ "from": "1s", "until": "2s", "freeze": true })).await;
    for _ in 0..60 {
        mockd.order("A1", 1).await;
        mockd.order("B1", 1).await;
        mockd.advance("", "100ms").await;
    }
    mockd.order("A2", 1).await;
    let mut last = std::collections::HashMap::new();
    loop {
        let (id, total) = live.order().await;
        last.insert(id.clone(), total);
        if id == "A2" {
            break;
        }
    }
    assert_eq!(last, [("A1".to_owned(), 63), ("A2".to_owned(), 8), ("B1".to_owned(), 161)].into());
}

#[tokio::test]
async fn sockets_that_no_fault_hits_feel_nothing() {
    let mockd = shop().await;
    let (mut hit, mut other) = (mockd.live("electronics").await, live(&mockd).await);
    hit.texts(2).await;
    bring(&mockd, json!({ "category": "electronics", "freeze": true })).await;
    order(&mockd, 200).await;
    assert_eq!(totals_of(&mut other, 200).await, (102..=301).collect::<Vec<_>>());
}

#[tokio::test]
async fn the_server_ends_in_time_whatever_is_frozen_or_held_back() {
    let mockd = shop().await;
    let (mut frozen, mut late) = (mockd.live("electronics").await, live(&mockd).await);
    frozen.texts(2).await;
    bring(&mockd, json!({ "category": "electronics", "freeze": true })).await;
    bring(&mockd, json!({ "category": "confectionery", "latency": "1h" })).await;
    order(&mockd, 3).await;
    mockd.signal("TERM");
    assert_eq!((frozen.close_code().await, late.close_code().await), (1001, 1001));
    assert_eq!(mockd.ended().await.code(), Some(0));
}

#[tokio::test]
async fn one_who_does_not_read_what_is_held_back_keeps_nobody_busy() {
    let mockd = shop().await;
    // More than a connection takes.
    bring(&mockd, json!({ "name": "huge", "times": 2, "corrupt": "oversized" })).await;
    bring(&mockd, json!({ "name": "late", "times": 2, "latency": { "min": "0s", "max": "1ms" } })).await;
    let url = format!("ws://{}/orders/nothing", mockd.address());
    let stuck = [Socket::open_narrow(&url).await, Socket::open_narrow(&url).await];
    let mut live = live(&mockd).await;
    order(&mockd, 300).await;
    mockd.advance("", "1s").await;
    assert_eq!(totals_of(&mut live, 300).await.last(), Some(&401));
    // Others get the processor, and the memory is that of a few frames.
    #[cfg(target_os = "linux")]
    {
        let before = cpu_ticks(mockd.pid());
        for _ in 0..200 {
            assert_eq!(mockd.get("/electronics").await.status, 200);
        }
        assert!(cpu_ticks(mockd.pid()) - before < 100, "it was busy");
        assert!(mockd.memory() < 100 * 1024, "{} KiB", mockd.memory());
    }
    drop(stuck);
    mockd.signal("TERM");
    assert_eq!(mockd.ended().await.code(), Some(0));
}

/// The processor time of a process so far, in hundredths of a second.
#[cfg(target_os = "linux")]
fn cpu_ticks(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

#[tokio::test]
async fn after_a_reset_the_same_frames_are_hit_again_and_what_was_held_back_keeps_nobody_waiting() {
    let file = ScenarioFile::new(&format!(
        "{SHOP}\nseed: 3\nfaults: [{{ on: websocket, product: B1, drop: true, chance: 50% }}, {{ on: websocket, latency: 1s }}]"
    ));
    let mockd = Mockd::run_with(file.path(), &["--paused"]).await;
    mockd.advance("", "1h").await;
    let mut seen = Vec::new();
    for _ in 0..2 {
        mockd.control("POST", "/__mockd/reset", json!({})).await;
        let mut live = mockd.live("nothing").await;
        order(&mockd, 20).await;
        mockd.order("A1", 1).await;
        while did(&mockd).await.iter().filter(|did| did.contains("delayed")).count() < 2 {}
        mockd.advance("", "1s").await;
        let before = live.until(r#"{"id":"A1","total":4}"#).await;
        seen.push(before);
        live.close().await;
        assert_eq!(live.close_code().await, 1000);
    }
    assert!((3..17).contains(&seen[0].len()), "{seen:?}");
    assert_eq!(seen[0], seen[1]);
    // A socket that was open over a reset gets current orders when their time has come.
    let mut live = mockd.live("electronics").await;
    mockd.advance("", "1h").await;
    live.texts(2).await;
    mockd.control("POST", "/__mockd/reset", json!({})).await;
    mockd.advance("", "1s").await;
    assert_eq!(live.texts(2).await, [r#"{"id":"A1","total":3}"#, r#"{"id":"A2","total":7}"#]);
}

#[tokio::test]
async fn a_save_that_brings_a_momentary_fault_or_a_storm_strikes_those_who_are_there() {
    let file = ScenarioFile::new(SHOP);
    let mockd = Mockd::run_with(file.path(), &["--paused"]).await;
    let mut one = live(&mockd).await;
    file.write_in_place(&format!("{SHOP}faults: [{{ on: websocket, close: 1011 }}]\n"));
    assert_eq!(one.close_code().await, 1011);
    let mut two = live(&mockd).await;
    file.write_in_place(&format!("{SHOP}faults: [{{ on: websocket, storm: 30s }}]\n"));
    assert_eq!(two.close_code().await, 1012);
    assert_eq!(handshake(&mockd, "electronics").await.status, 503);
}

#[tokio::test]
async fn a_frozen_socket_whose_client_leaves_is_gone() {
    let mockd = shop().await;
    bring(&mockd, json!({ "freeze": true })).await;
    let sockets = [mockd.live("nothing").await, mockd.live("nothing").await];
    while did(&mockd).await.len() < 2 {}
    assert_eq!(did(&mockd).await.iter().filter(|did| did.ends_with("frozen")).count(), 2);
    drop(sockets);
    let gone = async { while mockd.get("/__mockd/sockets").await.json()["sockets"] != json!([]) {} };
    soon("the end of both", gone).await;
}

#[tokio::test]
async fn a_socket_that_a_fault_hits_is_pinged_as_ever() {
    let mockd = Mockd::run_with(ScenarioFile::new(SHOP).path(), &["--paused", "--ping", "50ms"]).await;
    bring(&mockd, json!({ "drop": true, "chance": "1%" })).await;
    let mut raw = RawSocket::open(mockd.address(), "/orders/nothing").await;
    assert_eq!((raw.receive().await, raw.receive().await), ((0x89, vec![]), (0x89, vec![])));
}

#[tokio::test]
async fn the_journal_says_how_a_fault_ended_a_socket() {
    let mockd = shop().await;
    bring(&mockd, json!({ "close": 4000, "after": 1 })).await;
    let mut one = live(&mockd).await;
    assert_eq!(one.close_code().await, 4000);
    assert_eq!(did(&mockd).await, ["1 closed with 4000"]);
}
