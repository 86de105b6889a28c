//! Whatever a client sends and its rules reply, a session sends only what its protocol allows. After a round trip
//! through JSON, it continues unchanged.

use std::time::Duration;

use mockd::engine::Frame;
use mockd::engine::codec::engine_io::{decode_payload, encode_packet, payload};
use mockd::engine::codec::{Disconnected, Received, Session, SessionOptions};
use mockd::scenario::Protocol;
use serde_json::{Value, json};

/// Asserts that a client of the protocol can read the frames.
type AssertReadable = fn(&[Frame]);

/// Checks client frames separated by `\x1e`. A frame is binary if it starts with a zero byte or is not UTF-8. JSON
/// frames are also the replies of rules.
pub(crate) fn check(bytes: &[u8]) {
    let frames: Vec<Frame> = bytes.split(|byte| *byte == 0x1e).map(frame).collect();
    check_protocol(Protocol::Plain, &frames, |_| {});
    check_protocol(Protocol::SocketIo, &frames, assert_socket_io);
    check_protocol(Protocol::GraphqlTransportWs, &frames, |frames| frames.iter().for_each(assert_graphql));
    if let Ok(text) = str::from_utf8(bytes)
        && let Ok(frames) = decode_payload(text)
    {
        let packets: Vec<u8> = frames.iter().flat_map(packet).collect();
        let encoded = payload(packets.into());
        assert_eq!(decode_payload(str::from_utf8(&encoded).expect("packets are text")), Ok(frames));
    }
}

fn frame(bytes: &[u8]) -> Frame {
    match (bytes, str::from_utf8(bytes)) {
        ([0, rest @ ..], _) => Frame::Binary(rest.into()),
        (_, Ok(text)) => Frame::Text(text.into()),
        (_, Err(_)) => Frame::Binary(bytes.into()),
    }
}

/// Encodes a frame as a packet of a polling payload.
fn packet(frame: &Frame) -> Vec<u8> {
    match frame {
        Frame::Text(text) => encode_packet(text.as_bytes(), false),
        Frame::Binary(bytes) => encode_packet(bytes, true),
        Frame::Json(value) => encode_packet(value.to_string().as_bytes(), false),
    }
    .into()
}

fn check_protocol(protocol: Protocol, frames: &[Frame], assert_readable: AssertReadable) {
    let options = SessionOptions { sid: "sid".to_owned(), polling: true, ..SessionOptions::default() };
    let mut session = Session::new(protocol, options);
    assert_received(&session.opened(Duration::ZERO), assert_readable);
    let replies: Vec<Value> = frames.iter().filter_map(json_of).collect();
    for (frame, number) in frames.iter().zip(0_u32..) {
        let received = receive(&mut session, frame);
        assert_received(&received, assert_readable);
        for one in received {
            match one {
                Received::Message(msg) if number % 3 == 2 => assert_readable(&session.unmatched(&msg, Some("none"))),
                Received::Opened(msg) | Received::Message(msg) if number % 7 == 3 => {
                    assert_received(&session.refused(&msg, "no"), assert_readable);
                }
                Received::Opened(msg) | Received::Message(msg) | Received::Notice(msg) => {
                    answer(&mut session, &msg, &replies, assert_readable);
                }
                Received::Close { .. } => assert!(matches!(session, Session::Closed { .. })),
                Received::Reply(_) | Received::Ended(_) => {}
            }
        }
        if let Some(due) = session.due().filter(|_| number % 5 == 4) {
            assert_received(&session.elapse(due, Duration::ZERO), assert_readable);
            assert!(session.due().is_none_or(|next| next > due));
        }
    }
    session.close();
    assert_eq!(session.disconnect(None).frames, []);
}

/// Receives a frame, and so does a copy restored from JSON, which must behave the same.
fn receive(session: &mut Session, frame: &Frame) -> Vec<Received> {
    let text = serde_json::to_string(session).expect("a session serializes to JSON");
    let mut copy: Session = serde_json::from_str(&text).expect("a session deserializes");
    assert_eq!(*session, copy);
    let received = session.receive(frame.clone());
    assert_eq!(copy.receive(frame.clone()), received);
    assert_eq!(*session, copy);
    received
}

fn answer(session: &mut Session, msg: &Value, replies: &[Value], assert_readable: AssertReadable) {
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
            assert_readable(&frames);
        }
        let before = session.clone();
        match session.reply(Some(msg), value.clone()) {
            Ok(frames) => assert_readable(&frames),
            Err(error) => {
                assert!(!error.to_string().is_empty());
                assert_eq!(*session, before);
            }
        }
    }
    if msg["args"][0] == "leave" {
        let Disconnected { frames, is_last } = session.disconnect(Some(msg));
        assert!(is_last || session.is_disconnected(msg));
        assert_readable(&frames);
    }
    assert_readable(&session.finished(msg, true));
    if msg["id"] == "2" {
        assert_readable(&session.left("2"));
    } else {
        assert_readable(&session.finished(msg, false));
    }
    assert_eq!(session.finished(msg, false), []);
}

fn json_of(frame: &Frame) -> Option<Value> {
    if let Frame::Text(text) = frame { serde_json::from_str(text).ok() } else { None }
}

/// Asserts that replies are readable, and that a close comes last with a valid code and a reason that fits.
fn assert_received(received: &[Received], assert_readable: AssertReadable) {
    for (index, one) in received.iter().enumerate() {
        match one {
            Received::Reply(frame) => assert_readable(std::slice::from_ref(frame)),
            Received::Close { code, reason } => {
                assert!(reason.len() <= 123 && matches!(*code, 1000 | 1002 | 4400..=4500), "{one:?}");
                assert_eq!(index + 1, received.len());
            }
            Received::Opened(_) | Received::Message(_) | Received::Notice(_) | Received::Ended(_) => {}
        }
    }
}

/// Asserts that the reference client can read the packets, each followed by as many attachments as it declares.
fn assert_socket_io(frames: &[Frame]) {
    let mut attachments = 0;
    for frame in frames {
        match frame {
            Frame::Binary(_) => {
                assert!(attachments > 0, "{frames:?}");
                attachments -= 1;
            }
            Frame::Text(text) => {
                assert_eq!(attachments, 0, "{frames:?}");
                attachments = assert_packet(text);
            }
            Frame::Json(value) => panic!("{value} is not a packet"),
        }
    }
    assert_eq!(attachments, 0, "{frames:?}");
}

/// Asserts that a packet is valid, and returns the number of attachments that it declares.
fn assert_packet(text: &str) -> usize {
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
    let is_valid = match (kind, &data) {
        ("0", Some(data)) => data["sid"].is_string(),
        ("1", None) => true,
        ("2" | "5", Some(Value::Array(args))) => {
            args.first().is_some_and(|event| event.is_string() || event.is_number())
        }
        ("3" | "6", Some(Value::Array(_))) => has_id,
        ("4", Some(data)) => data["message"].is_string(),
        _ => false,
    };
    assert!(is_valid, "{text}");
    attachments
}

/// Asserts that the reference client accepts the message.
fn assert_graphql(frame: &Frame) {
    let Frame::Json(message) = frame else { panic!("{frame:?} is not a message") };
    let (payload, has_id) = (&message["payload"], message["id"].as_str().is_some_and(|id| !id.is_empty()));
    let is_valid = match message["type"].as_str() {
        Some("connection_ack" | "pong") => payload.is_null() || payload.is_object(),
        Some("next") => has_id && payload.is_object(),
        Some("error") => {
            let errors = payload.as_array().filter(|errors| !errors.is_empty());
            has_id && errors.is_some_and(|errors| errors.iter().all(|error| error["message"].is_string()))
        }
        Some("complete") => has_id,
        _ => false,
    };
    assert!(is_valid, "{message}");
}
