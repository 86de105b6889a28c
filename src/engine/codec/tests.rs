//! Behaviour that all protocols share, and sockets without a protocol.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::time::Duration;

use serde_json::json;

use super::*;

#[test]
fn plain_sockets_receive_values_unchanged() {
    let mut session = Session::new(Protocol::Plain, SessionOptions::default());
    assert_eq!(session.opened(Duration::ZERO), [Received::Opened(Value::Null)]);
    for (frame, msg) in [
        (Frame::Text(r#"{"a":[1]}"#.into()), json!({ "a": [1] })),
        (Frame::Text("7".into()), json!(7)),
        (Frame::Text("hello".into()), json!("hello")),
        (Frame::Text("".into()), json!("")),
        (Frame::Text("1e999".into()), json!("1e999")),
        (Frame::Json(json!([true]).into()), json!([true])),
        (Frame::Binary([0, 0xff].into()), json!({ "binary": "AP8=" })),
    ] {
        assert_eq!(session.receive(frame), [Received::Message(msg)]);
    }
    let address = session.address(Some("all"), None);
    for (value, frame) in [
        (json!({ "a": 1 }), Frame::Json(json!({ "a": 1 }).into())),
        (json!("hi"), Frame::Text("hi".into())),
        (json!({ "binary": "AP8=" }), Frame::Binary([0, 0xff].into())),
    ] {
        assert_eq!(address.frames(&value).unwrap(), std::slice::from_ref(&frame));
        assert!(!address.is_ended_by(&value));
        assert_eq!(session.reply(None, value).unwrap(), [frame]);
    }
    assert!(session.reaches(&address));
    assert_eq!(session.finished(&Value::Null, false), []);
    assert_eq!(session.unmatched(&Value::Null, None), []);
    assert_eq!(session.left("all"), []);
    assert_eq!(session.disconnect(None), Disconnected { frames: Vec::new(), is_last: true });
    session.close();
    assert_eq!((session.due(), session), (None, Session::Plain));
}

#[test]
fn close_reasons_fit_a_close_frame() {
    let Received::Close { reason, .. } = Received::close(4409, "ä".repeat(100)) else { unreachable!() };
    assert_eq!(reason, "ä".repeat(61));
}

#[test]
fn a_closed_session_receives_and_sends_nothing() {
    let options = || SessionOptions { sid: "s".to_owned(), ..SessionOptions::default() };
    for protocol in [Protocol::SocketIo, Protocol::GraphqlTransportWs] {
        let mut session = Session::new(protocol, options());
        session.opened(Duration::ZERO);
        let address = session.address(None, None);
        assert!(matches!(session.receive(Frame::Text("?".into()))[..], [Received::Close { .. }]));
        assert!(matches!(session, Session::Closed { .. }));
        assert_eq!(session.receive(Frame::Text("40".into())), []);
        assert_eq!(session.elapse(Duration::from_hours(24), Duration::ZERO), []);
        assert_eq!(session.reply(None, json!({ "event": "a" })), Ok(Vec::new()));
        assert_eq!(session.disconnect(None), Disconnected { frames: Vec::new(), is_last: true });
        assert!(!session.reaches(&address));
    }
}
