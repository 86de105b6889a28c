//! RFC 6455, byte by byte.

use crate::support::{Mockd, RawSocket, SHOP, ScenarioFile, http};

const FINAL_TEXT: u8 = 0x81;
const TEXT: u8 = 0x01;
const CONTINUATION: u8 = 0x00;
const FINAL_CONTINUATION: u8 = 0x80;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;

/// The headers of a handshake, with the key of RFC 6455's own example (section 1.3).
const HANDSHAKE: [(&str, &str); 4] = [
    ("connection", "upgrade"),
    ("upgrade", "websocket"),
    ("sec-websocket-version", "13"),
    ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
];

const UPDATE: &[u8] = br#"{"cmd":"update-category","payload":{"category":"confectionery"}}"#;

async fn socket() -> (Mockd, RawSocket) {
    let mockd = Mockd::run(&ScenarioFile::new(SHOP)).await;
    let socket = RawSocket::open(mockd.address(), "/orders/nothing").await;
    (mockd, socket)
}

#[tokio::test]
async fn a_ping_is_answered_by_a_pong_with_its_payload() {
    let (_mockd, mut socket) = socket().await;
    for payload in [&b""[..], b"are you there?", &[0xff; 125]] {
        socket.send(PING, payload).await;
        assert_eq!(socket.receive().await, (PONG, payload.to_vec()));
    }
}

#[tokio::test]
async fn a_message_in_fragments_is_one_message_even_with_a_ping_between() {
    let (_mockd, mut socket) = socket().await;
    socket.send(TEXT, &UPDATE[..10]).await;
    socket.send(PING, b"x").await;
    socket.send(CONTINUATION, &UPDATE[10..30]).await;
    assert_eq!(socket.receive().await, (PONG, b"x".to_vec()));
    socket.send(FINAL_CONTINUATION, &UPDATE[30..]).await;
    assert_eq!(socket.receive().await, (FINAL_TEXT, br#"{"id":"B1","total":101}"#.to_vec()));
}

#[tokio::test]
async fn a_closing_frame_is_answered_with_its_code_and_ends_the_connection() {
    let (_mockd, mut socket) = socket().await;
    socket.send(CLOSE, &[&1000_u16.to_be_bytes()[..], b"bye"].concat()).await;
    assert_eq!(socket.close_code().await, 1000);
    socket.ended().await;
}

#[tokio::test]
async fn what_the_protocol_forbids_is_answered_with_1002() {
    let reserved_opcode = (0x83, &b"x"[..]);
    let reserved_bit = (0xc1, &b"x"[..]);
    let fragmented_ping = (0x09, &b"x"[..]);
    let continuation_of_nothing = (FINAL_CONTINUATION, &b"x"[..]);
    let close_of_one_byte = (CLOSE, &b"x"[..]);
    for (first, payload) in [reserved_opcode, reserved_bit, fragmented_ping, continuation_of_nothing, close_of_one_byte]
    {
        let (_mockd, mut socket) = socket().await;
        socket.send(first, payload).await;
        assert_eq!(socket.close_code().await, 1002, "{first:x}");
        socket.ended().await;
    }
}

#[tokio::test]
async fn an_unmasked_frame_is_answered_with_1002() {
    let (_mockd, mut socket) = socket().await;
    socket.send_bytes(&[FINAL_TEXT, 2, b'{', b'}']).await;
    assert_eq!(socket.close_code().await, 1002);
    socket.ended().await;
}

#[tokio::test]
async fn text_that_is_not_utf_8_is_answered_with_1007() {
    let (_mockd, mut socket) = socket().await;
    socket.send(FINAL_TEXT, b"caf\xe9").await;
    assert_eq!(socket.close_code().await, 1007);
    socket.ended().await;
    let (_mockd, mut socket) = self::socket().await;
    socket.send(TEXT, b"\xc3").await;
    socket.send(FINAL_CONTINUATION, b"x").await;
    assert_eq!(socket.close_code().await, 1007);
}

#[tokio::test]
async fn a_message_over_64_kib_is_answered_with_1009_and_one_of_64_kib_is_not() {
    let (_mockd, mut socket) = socket().await;
    let padded = [UPDATE, &vec![b' '; 65_535 - UPDATE.len()]].concat();
    socket.send(TEXT, &padded).await;
    socket.send(FINAL_CONTINUATION, b" ").await;
    assert_eq!(socket.receive().await.1, br#"{"id":"B1","total":101}"#);
    socket.send(TEXT, &padded).await;
    socket.send(FINAL_CONTINUATION, b"  ").await;
    assert_eq!(socket.close_code().await, 1009);
    socket.ended().await;
}

#[tokio::test]
async fn a_broken_handshake_gets_400_and_another_version_426() {
    let mockd = Mockd::run(&ScenarioFile::new(SHOP)).await;
    let url = format!("{}/orders/electronics", mockd.url());
    let [connection, upgrade, version, key] = HANDSHAKE;
    for (headers, status) in [
        (vec![upgrade, version, key], 400),
        (vec![connection, upgrade, version], 400),
        (vec![connection, upgrade, version, key, key], 400),
        (vec![connection, upgrade, version, ("sec-websocket-key", "short")], 400),
        (vec![connection, upgrade, key], 426),
        (vec![connection, upgrade, key, ("sec-websocket-version", "8")], 426),
        (vec![connection, version, key, ("upgrade", "h2c")], 426),
    ] {
        let answer = http("GET", &url, &headers, None).await;
        assert_eq!(answer.status, status, "{headers:?}");
        if status == 426 {
            assert_eq!(answer.header("sec-websocket-version"), "13");
        }
    }
}

#[tokio::test]
async fn a_connection_that_breaks_off_disturbs_no_other() {
    let (mockd, socket) = socket().await;
    let mut other = mockd.live("confectionery").await;
    other.text().await;
    drop(socket);
    let mut half = RawSocket::open(mockd.address(), "/orders/electronics").await;
    half.send_bytes(&[FINAL_TEXT, 0xfe, 0xff]).await;
    drop(half);
    mockd.order("B1", 1).await;
    assert_eq!(other.text().await, r#"{"id":"B1","total":102}"#);
}

#[tokio::test]
async fn a_head_request_never_becomes_a_socket() {
    let mockd = Mockd::run(&ScenarioFile::new(SHOP)).await;
    assert_eq!(http("HEAD", &format!("{}/orders/x", mockd.url()), &HANDSHAKE, None).await.status, 426);
}

#[tokio::test]
async fn the_first_offered_subprotocol_is_taken_as_browsers_expect() {
    let mockd = Mockd::run(&ScenarioFile::new(SHOP)).await;
    let none = [&HANDSHAKE[..], &[("sec-websocket-protocol", ", not a token")]].concat();
    let answer = http("GET", &format!("{}/orders/x", mockd.url()), &none, None).await;
    assert!(answer.status == 101 && !answer.headers.contains_key("sec-websocket-protocol"));
    let headers = [&HANDSHAKE[..], &[("sec-websocket-protocol", "orders.v2, orders.v1")]].concat();
    let answer = http("GET", &format!("{}/orders/x", mockd.url()), &headers, None).await;
    assert_eq!((answer.status, answer.header("sec-websocket-protocol")), (101, "orders.v2"));
}

#[tokio::test]
async fn a_message_far_over_the_limit_still_sees_why_it_is_refused() {
    let (_mockd, mut socket) = socket().await;
    let mut frame = vec![FINAL_TEXT, 0xff];
    frame.extend((8_u64 << 20).to_be_bytes());
    frame.extend(vec![0; 4 + (8 << 20)]);
    socket.send_bytes(&frame).await;
    assert_eq!(socket.close_code().await, 1009);
}
