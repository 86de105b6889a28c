//! Effects of faults on sockets and their handshakes.

use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::{bring, buy, did, handshake, lift, live, quiet_shop, totals, totals_of};
use crate::support::{Mockd, RawSocket, SHOP, ScenarioFile, poll, soon};

#[tokio::test]
async fn a_share_hits_the_same_sockets_while_a_fault_is_active() {
    let mockd = quiet_shop().await;
    let mut sockets = Vec::new();
    for _ in 0..30 {
        sockets.push(live(&mockd).await);
    }
    bring(&mockd, json!({ "share": "50%", "product": "B1", "drop": true })).await;
    buy(&mockd, 4).await;
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
async fn sockets_close_at_the_scheduled_time_and_can_reconnect() {
    let file = ScenarioFile::new(&format!(
        "{SHOP}\nfaults: [{{ name: crash, on: websocket, category: confectionery, from: 10s, close: 1011, reason: bad day }}]"
    ));
    let mockd = Mockd::run_with(file.path(), &["--paused"]).await;
    let (mut hit, mut other) = (live(&mockd).await, mockd.live("electronics").await);
    other.texts(2).await;
    mockd.advance("", "10s").await;
    let Message::Close(Some(frame)) = hit.message().await else { panic!("no Close frame") };
    assert_eq!((frame.code, frame.reason.as_str()), (CloseCode::Error, "bad day"));
    let mut again = live(&mockd).await;
    buy(&mockd, 1).await;
    assert_eq!((again.order().await.1, other.order().await.1), (102, 102));
    assert_eq!(did(&mockd).await, ["1 closed with 1011"]);
}

#[tokio::test]
async fn each_socket_is_closed_after_its_allowed_frames() {
    let mockd = quiet_shop().await;
    bring(&mockd, json!({ "close": 4001, "after": 3 })).await;
    let mut sockets = [live(&mockd).await, live(&mockd).await];
    buy(&mockd, 5).await;
    for socket in &mut sockets {
        assert_eq!(totals_of(socket, 2).await, [102, 103]);
        assert_eq!(socket.close_code().await, 4001);
    }
}

#[tokio::test]
async fn sockets_are_reset_without_a_close_frame() {
    let mockd = quiet_shop().await;
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
    buy(&mockd, 1).await;
    assert_eq!(again.order().await.1, 102);
}

#[tokio::test]
async fn a_frozen_socket_is_silent_and_then_gets_current_totals() {
    let file = ScenarioFile::new(SHOP);
    let mockd = Mockd::run_with(file.path(), &["--paused", "--backlog", "16"]).await;
    let mut raw = RawSocket::open(mockd.address(), "/orders/confectionery").await;
    raw.receive().await;
    let mut witness = live(&mockd).await;
    bring(&mockd, json!({ "name": "ice", "times": 1, "freeze": true })).await;
    raw.send(0x89, b"are you there").await;
    raw.send(0x81, br#"{"cmd":"update-category","payload":{"category":"electronics"}}"#).await;
    buy(&mockd, 100).await;
    assert_eq!(totals_of(&mut witness, 100).await.last(), Some(&201));
    assert_eq!(mockd.get("/__mockd/sockets").await.json()["sockets"].as_array().unwrap().len(), 2);
    assert_eq!(mockd.get("/__mockd/sockets").await.json()["sockets"][0]["received"], 0);
    lift(&mockd).await;
    // One current total replaces the hundred frames; then come the pong and the requested category.
    assert_eq!(raw.receive().await, (0x81, br#"{"id":"B1","total":201}"#.to_vec()));
    assert_eq!(raw.receive().await, (0x8a, b"are you there".to_vec()));
    assert_eq!(raw.receive().await, (0x81, br#"{"id":"A1","total":3}"#.to_vec()));
}

#[tokio::test]
async fn client_messages_are_ignored_but_pings_are_answered() {
    let mockd = quiet_shop().await;
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
async fn handshakes_can_be_rejected_or_delayed() {
    let mockd = quiet_shop().await;
    bring(&mockd, json!({ "category": "electronics", "times": 2, "status": 503, "retryAfter": "3s" })).await;
    for status in [503, 503] {
        let answer = handshake(&mockd, "electronics").await;
        assert_eq!((answer.status, answer.header("retry-after")), (status, "3"));
    }
    mockd.live("electronics").await.texts(2).await;
    assert_eq!(mockd.get("/electronics").await.status, 200);
    bring(&mockd, json!({ "connect": "5s" })).await;
    let (mut late, ()) = tokio::join!(live(&mockd), async {
        let is_late = |journal: &Value| journal.to_string().contains("handshake answered 5s later");
        mockd.until("/__mockd/journal?kind=request", is_late).await;
        assert_eq!(mockd.get("/__mockd/sockets").await.json()["sockets"].as_array().unwrap().len(), 0);
        mockd.advance("", "5s").await;
    });
    buy(&mockd, 1).await;
    assert_eq!(late.order().await.1, 102);
}

#[tokio::test]
async fn a_storm_closes_all_sockets_and_rejects_new_ones() {
    let mockd = quiet_shop().await;
    let mut sockets = [live(&mockd).await, live(&mockd).await, live(&mockd).await];
    bring(&mockd, json!({ "storm": "5s" })).await;
    for socket in &mut sockets {
        assert_eq!(socket.close_code().await, 1012);
    }
    let refused = handshake(&mockd, "confectionery").await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, "5"));
    mockd.advance("", "5s").await;
    let mut again = live(&mockd).await;
    buy(&mockd, 1).await;
    assert_eq!(again.order().await.1, 102);
}

#[tokio::test]
async fn sockets_that_no_fault_hits_are_unaffected() {
    let mockd = quiet_shop().await;
    let (mut hit, mut other) = (mockd.live("electronics").await, live(&mockd).await);
    hit.texts(2).await;
    bring(&mockd, json!({ "category": "electronics", "freeze": true })).await;
    buy(&mockd, 200).await;
    assert_eq!(totals_of(&mut other, 200).await, (102..=301).collect::<Vec<_>>());
}

#[cfg(unix)]
#[tokio::test]
async fn frozen_and_delayed_sockets_do_not_delay_shutdown() {
    let mockd = quiet_shop().await;
    let (mut frozen, mut late) = (mockd.live("electronics").await, live(&mockd).await);
    frozen.texts(2).await;
    bring(&mockd, json!({ "category": "electronics", "freeze": true })).await;
    bring(&mockd, json!({ "category": "confectionery", "latency": "1h" })).await;
    buy(&mockd, 3).await;
    mockd.signal("TERM");
    assert_eq!((frozen.close_code().await, late.close_code().await), (1001, 1001));
    assert_eq!(mockd.ended().await.code(), Some(0));
}

#[tokio::test]
async fn a_close_or_storm_added_by_a_reload_hits_open_sockets() {
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
async fn a_frozen_socket_is_removed_when_its_client_leaves() {
    let mockd = quiet_shop().await;
    bring(&mockd, json!({ "freeze": true })).await;
    let sockets = [mockd.live("nothing").await, mockd.live("nothing").await];
    poll("two frozen sockets", async || (did(&mockd).await.len() >= 2).then_some(())).await;
    assert_eq!(did(&mockd).await.iter().filter(|did| did.ends_with("frozen")).count(), 2);
    drop(sockets);
    mockd.until("/__mockd/sockets", |answer| answer["sockets"] == json!([])).await;
}

#[tokio::test]
async fn a_socket_hit_by_a_fault_is_still_pinged() {
    let mockd = Mockd::run_with(ScenarioFile::new(SHOP).path(), &["--paused", "--ping", "50ms"]).await;
    bring(&mockd, json!({ "drop": true, "chance": "1%" })).await;
    let mut raw = RawSocket::open(mockd.address(), "/orders/nothing").await;
    assert_eq!((raw.receive().await, raw.receive().await), ((0x89, vec![]), (0x89, vec![])));
}

#[tokio::test]
async fn the_journal_records_how_a_fault_closed_a_socket() {
    let mockd = quiet_shop().await;
    bring(&mockd, json!({ "close": 4000, "after": 1 })).await;
    let mut one = live(&mockd).await;
    assert_eq!(one.close_code().await, 4000);
    assert_eq!(did(&mockd).await, ["1 closed with 4000"]);
}
