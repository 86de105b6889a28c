//! RFC 6455, byte by byte: the closing handshake (sections 5.5.1 and 7).

use serde_json::json;

use crate::support::frame::{CLOSE, FINAL_TEXT, PING, TEXT, masked};
use crate::support::{Mockd, RawSocket};

/// Sends a close frame and returns the payload of the reply, after which the connection must end.
async fn answer(mockd: &Mockd, payload: &[u8]) -> Vec<u8> {
    let mut socket = RawSocket::open(mockd.address(), "/orders/nothing").await;
    socket.send(CLOSE, payload).await;
    let (first, payload) = socket.receive().await;
    assert_eq!((first, socket.ended().await), (CLOSE, Vec::new()));
    payload
}

fn close_payload(code: u16, reason: &[u8]) -> Vec<u8> {
    [&code.to_be_bytes()[..], reason].concat()
}

#[tokio::test]
async fn a_close_frame_without_a_code_is_answered_without_a_code() {
    assert_eq!(answer(&Mockd::shop().await, b"").await, b"");
}

#[tokio::test]
async fn every_valid_close_code_is_echoed() {
    let mockd = Mockd::shop().await;
    for code in (1000..=1003).chain(1007..=1014).chain([3000, 3999, 4000, 4999]) {
        for reason in [&b""[..], b"bye", "甘い".as_bytes(), &[b'x'; 123]] {
            let answer = answer(&mockd, &close_payload(code, reason)).await;
            assert_eq!(answer[..2], code.to_be_bytes(), "{code} {reason:?}");
        }
    }
}

#[tokio::test]
async fn every_invalid_close_code_gets_1002() {
    let mockd = Mockd::shop().await;
    let reserved = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535];
    for code in reserved {
        assert_eq!(answer(&mockd, &close_payload(code, b"")).await, 1002_u16.to_be_bytes(), "{code}");
        assert_eq!(answer(&mockd, &close_payload(code, b"bye")).await, 1002_u16.to_be_bytes(), "{code}");
    }
}

#[tokio::test]
async fn a_truncated_code_gets_1002_and_a_non_utf_8_reason_1007() {
    let mockd = Mockd::shop().await;
    assert_eq!(answer(&mockd, b"\x03").await, 1002_u16.to_be_bytes());
    for reason in [&b"\xff"[..], b"caf\xe9", b"\xed\xa0\x80", b"\xe7\x94"] {
        assert_eq!(answer(&mockd, &close_payload(1000, reason)).await, 1007_u16.to_be_bytes(), "{reason:x?}");
    }
}

#[tokio::test]
async fn data_after_a_close_frame_is_ignored() {
    let mockd = Mockd::shop().await;
    let update = br#"{"cmd":"update-category","payload":{"category":"confectionery"}}"#;
    for after in [masked(PING, b"x"), masked(FINAL_TEXT, update), masked(CLOSE, b""), vec![0xff; 100]] {
        let mut socket = RawSocket::open(mockd.address(), "/orders/nothing").await;
        socket.send_bytes(&[masked(CLOSE, &close_payload(1001, b"")), after].concat()).await;
        assert_eq!(socket.receive().await, (CLOSE, 1001_u16.to_be_bytes().to_vec()));
        assert_eq!(socket.ended().await, b"");
    }
    let received = mockd.get("/__mockd/journal?kind=received").await.json();
    assert_eq!(received["entries"], json!([]));
}

#[tokio::test]
async fn a_close_frame_may_interrupt_a_fragmented_message() {
    let mockd = Mockd::shop().await;
    let mut socket = RawSocket::open(mockd.address(), "/orders/nothing").await;
    socket.send_bytes(&[masked(TEXT, b"{"), masked(CLOSE, &close_payload(1000, b"bye"))].concat()).await;
    assert_eq!(socket.close_code().await, 1000);
    assert_eq!(socket.ended().await, b"");
}

#[tokio::test]
async fn the_journal_records_the_close_code_of_the_client() {
    let mockd = Mockd::shop().await;
    for (payload, code) in [(close_payload(1001, b""), 1001), (close_payload(4999, b"x"), 4999), (vec![], 1005)] {
        answer(&mockd, &payload).await;
        let wait = json!({ "for": { "kind": "closed", "code": code }, "timeout": "10s" });
        let verdict = mockd.control("POST", "/__mockd/journal/wait", wait).await;
        assert_eq!(verdict["pass"], true, "{verdict}");
    }
}

#[tokio::test]
async fn control_can_close_with_every_valid_code() {
    let mockd = Mockd::shop().await;
    for code in (1000..=1003).chain(1007..=1014).chain([3000, 4999]) {
        let mut socket = RawSocket::open(mockd.address(), "/orders/nothing").await;
        let closing = mockd.control("POST", "/__mockd/sockets/close", json!({ "code": code }));
        let answering = async {
            assert_eq!(socket.close_code().await, code);
            socket.send(CLOSE, &close_payload(code, b"")).await;
        };
        futures_util::future::join(closing, answering).await;
    }
}
