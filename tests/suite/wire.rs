//! Frames, byte by byte (RFC 6455, section 5).

use serde_json::Value;

use crate::support::frame::{
    BINARY, CLOSE, CONTINUATION, FINAL_BINARY, FINAL_CONTINUATION, FINAL_TEXT, PING, PONG, TEXT, masked,
};
use crate::support::{Mockd, RawSocket, SHOP, ScenarioFile};

const UPDATE: &[u8] = br#"{"cmd":"update-category","payload":{"category":"confectionery"}}"#;

/// The frame that answers [`UPDATE`].
const UPDATED: &[u8] = br#"{"id":"B1","total":101}"#;

async fn socket() -> (Mockd, RawSocket) {
    let mockd = Mockd::run(&ScenarioFile::new(SHOP)).await;
    let socket = open(&mockd).await;
    (mockd, socket)
}

async fn open(mockd: &Mockd) -> RawSocket {
    RawSocket::open(mockd.address(), "/orders/nothing").await
}

/// Returns an update padded with spaces to a length, or only spaces if it does not fit.
fn padded(length: usize) -> Vec<u8> {
    let mut payload = if length < UPDATE.len() { Vec::new() } else { UPDATE.to_vec() };
    payload.resize(length, b' ');
    payload
}

/// Asserts that each of these byte strings closes its socket with 1002, and that later frames are ignored.
async fn assert_protocol_errors(all: impl IntoIterator<Item = Vec<u8>>) {
    let mockd = Mockd::run(&ScenarioFile::new(SHOP)).await;
    for bytes in all {
        let mut socket = open(&mockd).await;
        socket.send_bytes(&[&bytes[..], &masked(FINAL_TEXT, UPDATE)].concat()).await;
        let shown = &bytes[..bytes.len().min(16)];
        assert_eq!(socket.receive().await, (CLOSE, 1002_u16.to_be_bytes().to_vec()), "{shown:x?}");
        assert_eq!(socket.ended().await, b"", "{shown:x?}");
    }
}

#[tokio::test]
async fn payloads_may_have_any_length_up_to_64_kib() {
    let (mockd, mut socket) = socket().await;
    for opcode in [FINAL_TEXT, FINAL_BINARY] {
        for length in [0, 1, 125, 126, 127, 128, 65_535, 65_536] {
            socket.send(opcode, &padded(length)).await;
            if length >= UPDATE.len() {
                assert_eq!(socket.receive().await, (FINAL_TEXT, UPDATED.to_vec()), "{length}");
            }
            socket.send(PING, b"").await;
            assert_eq!(socket.receive().await, (PONG, vec![]), "{length}");
        }
    }
    let journal = mockd.get("/__mockd/journal?kind=received").await.json();
    let texts: Vec<&Value> = journal["entries"].as_array().unwrap().iter().map(|entry| &entry["text"]).collect();
    assert_eq!(texts.iter().filter_map(|text| text.as_str()).collect::<Vec<_>>(), ["", " ", "", " "]);
    assert_eq!(texts.len(), 16);
}

#[tokio::test]
async fn a_ping_is_answered_with_its_payload() {
    let (_mockd, mut socket) = socket().await;
    for payload in [&b""[..], b"are you there?", &[0xff; 125]] {
        socket.send(PING, payload).await;
        assert_eq!(socket.receive().await, (PONG, payload.to_vec()));
    }
}

#[tokio::test]
async fn pings_in_a_row_are_answered_in_order() {
    let (_mockd, mut socket) = socket().await;
    let pings: Vec<u8> = (0..10_u8).flat_map(|number| masked(PING, &[number])).collect();
    socket.send_bytes(&pings).await;
    for number in 0..10 {
        assert_eq!(socket.receive().await, (PONG, vec![number]));
    }
}

#[tokio::test]
async fn unsolicited_pongs_are_ignored() {
    let (_mockd, mut socket) = socket().await;
    for payload in [&b""[..], b"here I am", &[0xff; 125]] {
        socket.send(PONG, payload).await;
    }
    socket.send(PING, b"x").await;
    assert_eq!(socket.receive().await, (PONG, b"x".to_vec()));
}

#[tokio::test]
async fn long_or_fragmented_control_frames_get_1002() {
    let controls = [CLOSE, PING, PONG];
    let long = controls.map(|first| masked(first, &[b'x'; 126]));
    let very_long = controls.map(|first| masked(first, &vec![b'x'; 65_536]));
    let fragmented = controls.map(|first| masked(first & 0x0f, b""));
    assert_protocol_errors(long.into_iter().chain(very_long).chain(fragmented)).await;
}

#[tokio::test]
async fn reserved_opcodes_and_bits_get_1002() {
    let opcodes = (0x3..=0x7).chain(0xb..=0xf).flat_map(|opcode| [opcode, 0x80 | opcode]);
    let bits = (1..8).flat_map(|bits| [FINAL_TEXT, TEXT, BINARY, PING, PONG, CLOSE].map(|first| first | bits << 4));
    assert_protocol_errors(opcodes.chain(bits).flat_map(|first| [masked(first, b""), masked(first, b"{}")])).await;
}

#[tokio::test]
async fn unmasked_frames_get_1002() {
    let firsts = [FINAL_TEXT, TEXT, FINAL_BINARY, CLOSE, PING, PONG];
    assert_protocol_errors(firsts.into_iter().flat_map(|first| [vec![first, 0], vec![first, 2, b'{', b'}']])).await;
}

#[tokio::test]
async fn lengths_that_are_not_minimal_or_too_large_get_1002() {
    let short_in_two = [0_u16, 1, 125].map(|length| [&[0xfe][..], &length.to_be_bytes()].concat());
    let short_in_eight = [0_u64, 125, 126, 65_535].map(|length| [&[0xff][..], &length.to_be_bytes()].concat());
    let negative = [1_u64 << 63, u64::MAX].map(|length| [&[0xff][..], &length.to_be_bytes()].concat());
    let lengths = short_in_two.into_iter().chain(short_in_eight).chain(negative);
    assert_protocol_errors(lengths.map(|length| [&[FINAL_TEXT][..], &length, &[0; 4]].concat())).await;
}

/// Returns frames of every kind, and the frames that answer them.
fn conversation() -> (Vec<u8>, Vec<(u8, Vec<u8>)>) {
    let frames = [
        masked(TEXT, &UPDATE[..7]),
        masked(PING, b"between"),
        masked(CONTINUATION, b""),
        masked(FINAL_CONTINUATION, &UPDATE[7..]),
        masked(PONG, b"?"),
        masked(FINAL_BINARY, &padded(126)),
        masked(PING, b"last"),
    ];
    let update = (FINAL_TEXT, UPDATED.to_vec());
    let answers = [(PONG, b"between".to_vec()), update.clone(), update, (PONG, b"last".to_vec())];
    (frames.concat(), answers.into())
}

#[tokio::test]
async fn frames_may_arrive_in_one_write_or_byte_by_byte() {
    let (bytes, answers) = conversation();
    let (_mockd, mut socket) = socket().await;
    for piece in [bytes.len(), 1, 2, 3] {
        for piece in bytes.chunks(piece) {
            socket.send_bytes(piece).await;
        }
        for answer in &answers {
            assert_eq!(&socket.receive().await, answer);
        }
    }
}

#[tokio::test]
async fn frames_may_be_split_at_any_position() {
    let (bytes, answers) = conversation();
    let (_mockd, mut socket) = socket().await;
    for at in 0..bytes.len() {
        let (first, second) = bytes.split_at(at);
        // The pong shows that mockd has read the first part.
        socket.send_bytes(&[&masked(PING, b"read"), first].concat()).await;
        assert_eq!(socket.receive().await, (PONG, b"read".to_vec()));
        socket.send_bytes(second).await;
        for answer in &answers {
            assert_eq!(&socket.receive().await, answer, "split at {at}");
        }
    }
}

#[tokio::test]
async fn a_message_over_64_kib_gets_1009() {
    let (_mockd, mut socket) = socket().await;
    socket.send(TEXT, &padded(65_535)).await;
    socket.send(FINAL_CONTINUATION, b" ").await;
    assert_eq!(socket.receive().await.1, UPDATED);
    socket.send(TEXT, &padded(65_535)).await;
    socket.send(FINAL_CONTINUATION, b"  ").await;
    assert_eq!(socket.close_code().await, 1009);
    socket.ended().await;
}

#[tokio::test]
async fn a_dropped_connection_affects_no_others() {
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
async fn a_client_that_sends_a_far_too_large_message_gets_1009() {
    let (_mockd, mut socket) = socket().await;
    let mut frame = vec![FINAL_TEXT, 0xff];
    frame.extend((8_u64 << 20).to_be_bytes());
    frame.extend(vec![0; 4 + (8 << 20)]);
    socket.send_bytes(&frame).await;
    assert_eq!(socket.close_code().await, 1009);
}
