//! Whatever a client sends on a socket with a protocol of its own, and whatever its rules reply: what it gets is what the protocol
//! allows, and the session goes on the same when it comes back from JSON.

use std::time::Duration;

use mockd::engine::Frame;
use mockd::engine::codec::engine_io::{decode_payload, encode_packet, payload};
use mockd::engine::codec::{Received, Session, SessionOptions};
use mockd::scenario::Protocol;
use serde_json::{Value, json};

/// What comes back of a value that is replied.
type Reads = fn(&[Frame]);

/// Frames of the client with `\x1e` between two: bytes if they begin with a zero or are no text. Those of JSON are also what
/// rules reply.
pub(crate) fn check(bytes: &[u8]) {
    let frames: Vec<Frame> = bytes.split(|byte| *byte == 0x1e).map(frame).collect();
    check_protocol(Protocol::Plain, &frames, |_| {});
    check_protocol(Protocol::SocketIo, &frames, expect_socket_io);
    check_protocol(Protocol::GraphqlTransportWs, &frames, |frames| frames.iter().for_each(expect_graphql));
    if let Ok(text) = str::from_utf8(bytes)
        && let Ok(frames) = decode_payload(text)
    {
        let packets: Vec<u8> = frames.iter().flat_map(packet).collect();
        let written = payload(packets.into());
        assert_eq!(decode_payload(str::from_utf8(&written).expect("packets are text")), Ok(frames));
    }
}

fn frame(bytes: &[u8]) -> Frame {
    match (bytes, str::from_utf8(bytes)) {
        ([0, rest @ ..], _) => Frame::Binary(rest.into()),
        (_, Ok(text)) => Frame::Text(text.into()),
        (_, Err(_)) => Frame::Binary(bytes.into()),
    }
}

/// A frame as it waits for a poll.
fn packet(frame: &Frame) -> Vec<u8> {
    match frame {
        Frame::Text(text) => encode_packet(text.as_bytes(), false),
        Frame::Binary(bytes) => encode_packet(bytes, true),
        Frame::Json(value) => encode_packet(value.to_string().as_bytes(), false),
    }
    .into()
}

fn check_protocol(protocol: Protocol, frames: &[Frame], reads: Reads) {
    let options = SessionOptions { sid: "sid".to_owned(), polling: true, ..SessionOptions::default() };
    let mut session = Session::new(protocol, options);
    expect_received(&session.opened(Duration::ZERO), reads);
    let replies: Vec<Value> = frames.iter().filter_map(json_of).collect();
    for (frame, number) in frames.iter().zip(0_u32..) {
        let received = receive(&mut session, frame);
        expect_received(&received, reads);
        for one in received {
            match one {
                Received::Message(msg) if number % 3 == 2 => reads(&session.unmatched(&msg, Some("none"))),
                Received::Opened(msg) | Received::Message(msg) if number % 7 == 3 => {
                    expect_received(&session.refused(&msg, "no"), reads);
                }
                Received::Opened(msg) | Received::Message(msg) | Received::Notice(msg) => {
                    answer(&mut session, &msg, &replies, reads);
                }
                Received::Close { .. } => assert!(matches!(session, Session::Closed { .. })),
                Received::Reply(_) | Received::Ended(_) => {}
            }
        }
        if let Some(due) = session.due().filter(|_| number % 5 == 4) {
            expect_received(&session.elapse(due, Duration::ZERO), reads);
            assert!(session.due().is_none_or(|next| next > due));
        }
    }
    reads(&session.closing());
    assert_eq!(session.closing(), []);
}

/// Receives a frame, and so does a copy that has come back from JSON.
fn receive(session: &mut Session, frame: &Frame) -> Vec<Received> {
    let text = serde_json::to_string(session).expect("a session becomes JSON");
    let mut copy: Session = serde_json::from_str(&text).expect("a session comes back");
    assert_eq!(*session, copy);
    let received = session.receive(frame.clone());
    assert_eq!(copy.receive(frame.clone()), received);
    assert_eq!(*session, copy);
    received
}

fn answer(session: &mut Session, msg: &Value, replies: &[Value], reads: Reads) {
    let echoes = [
        json!({ "event": "back", "args": msg["args"] }),
        json!({ "event": "back", "args": msg, "ack": true }),
        json!({ "ack": msg["args"] }),
        json!({ "ack": msg["payload"] }),
        json!({ "data": msg }),
    ];
    let address = session.address(Some("1"), Some(msg));
    for value in replies.iter().chain(&echoes).take(20) {
        if let Ok(frames) = address.frames(value) {
            reads(&frames);
        }
        let before = session.clone();
        match session.reply(Some(msg), value.clone()) {
            Ok(frames) => reads(&frames),
            Err(error) => {
                assert!(!error.to_string().is_empty());
                assert_eq!(*session, before);
            }
        }
    }
    if msg["args"][0] == "leave" {
        let left = session.disconnect(Some(msg));
        assert!(left.is_none() || session.is_disconnected(msg));
        reads(&left.unwrap_or_default());
    }
    reads(&session.finished(msg, true));
    if msg["id"] == "2" {
        reads(&session.left("2"));
    } else {
        reads(&session.finished(msg, false));
    }
    assert_eq!(session.finished(msg, false), []);
}

fn json_of(frame: &Frame) -> Option<Value> {
    if let Frame::Text(text) = frame { serde_json::from_str(text).ok() } else { None }
}

/// A closing frame is the last and fits; what is sent can be read.
fn expect_received(received: &[Received], reads: Reads) {
    for (index, one) in received.iter().enumerate() {
        match one {
            Received::Reply(frame) => reads(std::slice::from_ref(frame)),
            Received::Close { code, reason } => {
                assert!(reason.len() <= 123 && matches!(*code, 1000 | 1002 | 4400..=4500), "{one:?}");
                assert_eq!(index + 1, received.len());
            }
            Received::Opened(_) | Received::Message(_) | Received::Notice(_) | Received::Ended(_) => {}
        }
    }
}

/// Packets as the client of the reference implementation reads them: each with as many attachments as it says.
fn expect_socket_io(frames: &[Frame]) {
    let mut attachments = 0;
    for frame in frames {
        match frame {
            Frame::Binary(_) => {
                assert!(attachments > 0, "{frames:?}");
                attachments -= 1;
            }
            Frame::Text(text) => {
                assert_eq!(attachments, 0, "{frames:?}");
                attachments = expect_packet(text);
            }
            Frame::Json(value) => panic!("{value} is no packet"),
        }
    }
    assert_eq!(attachments, 0, "{frames:?}");
}

/// How many attachments a packet says that it has.
fn expect_packet(text: &str) -> usize {
    let Some(packet) = text.strip_prefix('4') else {
        assert!(matches!(text, "2" | "3probe") || text.starts_with("0{"), "{text}");
        return 0;
    };
    let (kind, rest) = packet.split_at(1);
    let (attachments, rest) = match kind {
        "5" | "6" => {
            let (count, rest) = rest.split_once('-').expect("a number of attachments");
            (count.parse().expect("a number"), rest)
        }
        _ => (0, rest),
    };
    assert!(attachments <= 10, "{text}");
    let rest = if rest.starts_with('/') { rest.split_once(',').expect("the end of a namespace").1 } else { rest };
    let payload = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    let has_id = payload.len() < rest.len();
    let data: Option<Value> =
        (!payload.is_empty()).then(|| serde_json::from_str(payload).unwrap_or_else(|_| panic!("{text}")));
    let is_right = match (kind, &data) {
        ("0", Some(data)) => data["sid"].is_string(),
        ("1", None) => true,
        ("2" | "5", Some(Value::Array(args))) => {
            args.first().is_some_and(|event| event.is_string() || event.is_number())
        }
        ("3" | "6", Some(Value::Array(_))) => has_id,
        ("4", Some(data)) => data["message"].is_string(),
        _ => false,
    };
    assert!(is_right, "{text}");
    attachments
}

/// Messages as the client of the reference implementation validates them.
fn expect_graphql(frame: &Frame) {
    let Frame::Json(message) = frame else { panic!("{frame:?} is no message") };
    let (payload, has_id) = (&message["payload"], message["id"].as_str().is_some_and(|id| !id.is_empty()));
    let is_right = match message["type"].as_str() {
        Some("connection_ack" | "pong") => payload.is_null() || payload.is_object(),
        Some("next") => has_id && payload.is_object(),
        Some("error") => {
            let errors = payload.as_array().filter(|errors| !errors.is_empty());
            has_id && errors.is_some_and(|errors| errors.iter().all(|error| error["message"].is_string()))
        }
        Some("complete") => has_id,
        _ => false,
    };
    assert!(is_right, "{message}");
}
