//! Conversations between a Socket.IO client and the server.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::time::Duration;

use serde_json::{Value, json};

use super::{CONNECT_TIMEOUT, MAX_NAMESPACES};
use crate::engine::codec::engine_io::PING_INTERVAL;
use crate::engine::codec::{Address, CodecError, Disconnected, Received, Session, SessionOptions};
use crate::engine::frame::Frame;
use crate::scenario::Protocol;

fn session(polling: bool) -> Session {
    let (sid, max_payload) = ("lv_VI97H".to_owned(), 1_000_000);
    Session::new(Protocol::SocketIo, SessionOptions { sid, polling, max_payload })
}

fn opened() -> Session {
    let mut session = session(false);
    session.opened(Duration::ZERO);
    session
}

/// Returns a session that is connected to the namespace `/`.
fn connected() -> Session {
    let mut session = opened();
    session.receive(text("40"));
    assert_eq!(session.finished(&msg("/", "connect", json!([{}]), Value::Null), false).len(), 1);
    session
}

fn text(text: &str) -> Frame {
    Frame::Text(text.into())
}

fn msg(namespace: &str, event: &str, args: Value, ack: Value) -> Value {
    Value::from_iter([("namespace", namespace.into()), ("event", event.into()), ("args", args), ("ack", ack)])
}

/// Returns the client's id from the acknowledgement of a connection.
fn sid_in(frames: &[Frame], before: &str) -> String {
    let [Frame::Text(text)] = frames else { panic!("{frames:?}") };
    let json: Value = serde_json::from_str(text.strip_prefix(before).unwrap()).unwrap();
    assert_eq!(json, json!({ "sid": json["sid"] }));
    json["sid"].as_str().unwrap().to_owned()
}

#[test]
fn a_socket_opens_with_a_handshake() {
    for (polling, upgrades) in [(false, ""), (true, r#""websocket""#)] {
        let handshake = format!(
            r#"0{{"sid":"lv_VI97H","upgrades":[{upgrades}],"pingInterval":25000,"pingTimeout":86400000,"maxPayload":1000000}}"#
        );
        let opened = session(polling).opened(Duration::ZERO);
        assert_eq!(opened, [Received::Reply(text(&handshake))]);
    }
}

#[test]
fn the_server_pings_at_every_interval_without_awaiting_pongs() {
    let mut session = session(false);
    assert_eq!(session.due(), None);
    let start = Duration::from_secs(7);
    session.opened(start);
    assert_eq!(session.elapse(start, start), []);
    for round in 1..4 {
        let due = start + PING_INTERVAL * round;
        assert_eq!(session.due(), Some(due));
        let early = due.saturating_sub(Duration::from_nanos(1));
        assert_eq!(session.elapse(early, early), []);
        assert_eq!(session.elapse(due, due), [Received::Reply(text("2"))]);
    }
    assert_eq!(session.receive(text("3")), []);
}

#[test]
fn pings_due_in_one_advance_are_merged() {
    for (until, rounds) in [(0, 1), (49, 1), (50, 2), (51, 2), (24 * 3600, 3456)] {
        let mut session = session(false);
        session.opened(Duration::ZERO);
        let ping = [Received::Reply(text("2"))];
        assert_eq!(session.elapse(PING_INTERVAL, Duration::from_secs(until)), ping, "{until}");
        assert_eq!(session.due(), Some(PING_INTERVAL * (rounds + 1)), "{until}");
    }
}

#[test]
fn a_client_that_never_connects_is_closed_by_both_clocks() {
    let closed = [Received::Close { code: 1000, reason: String::new() }];
    // The world's clock alone closes nothing.
    let mut session = opened();
    for _ in 0..3 {
        let due = session.due().unwrap();
        assert_eq!(session.elapse(due, due), [Received::Reply(text("2"))]);
    }
    let mut late = session.clone();
    assert_eq!(late.connect_timeout_expired(CONNECT_TIMEOUT), closed);
    assert!(!late.was_connected());
    // Neither does the machine's clock alone.
    let early = CONNECT_TIMEOUT.saturating_sub(Duration::from_nanos(1));
    let mut session = opened();
    assert_eq!(session.elapse(PING_INTERVAL, PING_INTERVAL), [Received::Reply(text("2"))]);
    assert_eq!(session.connect_timeout_expired(early), []);
    assert_eq!(session.due(), Some(CONNECT_TIMEOUT));
    let mut connected = session.clone();
    assert_eq!(session.elapse(CONNECT_TIMEOUT, CONNECT_TIMEOUT), closed);
    connected.receive(text("40"));
    assert_eq!((connected.awaits_client(), connected.due()), (false, Some(PING_INTERVAL * 2)));
    assert_eq!(connected.connect_timeout_expired(CONNECT_TIMEOUT), []);
}

#[test]
fn packets_of_the_transport_are_answered_or_ignored() {
    let mut session = connected();
    for ignored in [r#"0{"sid":"x"}"#, "3", "3probe", "5", "6"] {
        assert_eq!(session.receive(text(ignored)), [], "{ignored}");
    }
    assert_eq!(session.receive(text("2probe")), [Received::Reply(text("3probe"))]);
    assert_eq!(session.receive(text("1")), [Received::Close { code: 1000, reason: String::new() }]);
}

#[test]
fn a_connection_is_acknowledged_once_open_has_finished() {
    let mut session = opened();
    for (packet, namespace, auth, before) in [
        ("40", "/", json!({}), "40"),
        (r#"40/admin,{"token":"123"}"#, "/admin", json!({ "token": "123" }), "40/admin,"),
        ("40/last", "/last", json!({}), "40/last,"),
    ] {
        let msg = msg(namespace, "connect", json!([auth]), Value::Null);
        assert_eq!(session.receive(text(packet)), [Received::Opened(msg.clone())]);
        let mut again = session.clone();
        let sid = sid_in(&session.finished(&msg, true), before);
        assert_eq!(sid_in(&again.finished(&msg, true), before), sid);
        assert_eq!(sid.len(), 20);
        assert_eq!(session.finished(&msg, false), []);
    }
}

#[test]
fn each_namespace_has_its_own_id() {
    let mut session = opened();
    let sids = ["/", "/a", "/b"].map(|namespace| {
        session.receive(text(&format!("40{namespace},")));
        let frames = session.finished(&msg(namespace, "connect", json!([{}]), Value::Null), false);
        sid_in(&frames, &if namespace == "/" { "40".to_owned() } else { format!("40{namespace},") })
    });
    assert!(sids[0] != sids[1] && sids[1] != sids[2] && sids[0] != sids[2]);
}

#[test]
fn each_connection_sends_its_id_to_the_client() {
    let (mut session, mut sids) = (opened(), Vec::new());
    for _ in 0..3 {
        session.receive(text("40/a,"));
        let msg = msg("/a", "connect", json!([{}]), Value::Null);
        let address = session.address(None, Some(&msg));
        let before = session.sid(Some(&address)).map(str::to_owned);
        let sid = sid_in(&session.finished(&msg, false), "40/a,");
        assert_eq!(before.as_ref(), Some(&sid));
        session.receive(text("41/a,"));
        // The id stays available to rules that answer the disconnection, and to those that run at the end.
        assert_eq!((session.sid(Some(&address)), session.sid(None)), (Some(&*sid), Some(&*sid)));
        assert!(!sids.contains(&sid), "{sids:?}");
        sids.push(sid);
    }
    session.receive(text("40"));
    let main = sid_in(&session.finished(&msg("/", "connect", json!([{}]), Value::Null), false), "40");
    assert_eq!(session.sid(None), Some(&*main));
    session.receive(text("1"));
    assert_eq!((session.sid(None), session.was_connected()), (Some(&*main), true));
}

#[test]
fn the_first_reply_of_open_acknowledges_first() {
    let mut session = opened();
    session.receive(text("40/admin,"));
    let msg = msg("/admin", "connect", json!([{}]), Value::Null);
    let frames = session.reply(Some(&msg), json!({ "event": "hello", "args": "you" })).unwrap();
    let (acknowledgement, event) = frames.split_at(1);
    sid_in(acknowledgement, "40/admin,");
    assert_eq!(event, [text(r#"42/admin,["hello","you"]"#)]);
    let frames = session.reply(Some(&msg), json!({ "event": "more" })).unwrap();
    assert_eq!(frames, [text(r#"42/admin,["more"]"#)]);
    assert_eq!(session.finished(&msg, false), []);
}

#[test]
fn open_may_refuse_a_connection() {
    let mut session = opened();
    session.receive(text("40/admin,"));
    let msg = msg("/admin", "connect", json!([{}]), Value::Null);
    assert!(session.is_pending(&msg) && !session.is_disconnected(&msg));
    let refusal = json!({ "error": { "message": "Not authorized", "data": { "code": 7 } } });
    let frame = text(r#"44/admin,{"message":"Not authorized","data":{"code":7}}"#);
    assert_eq!(session.reply(Some(&msg), refusal.clone()).unwrap(), [frame]);
    assert!(!session.is_pending(&msg) && session.is_disconnected(&msg) && !session.was_connected());
    assert_eq!(session.finished(&msg, false), []);
    assert_eq!(session.reply(Some(&msg), json!({ "event": "a" })), Ok(Vec::new()));
    assert_eq!(session.reply(Some(&msg), refusal.clone()), Ok(Vec::new()));
    assert_eq!(session.receive(text("40/admin,")), [Received::Opened(msg.clone())]);
    session.finished(&msg, false);
    assert_eq!(session.reply(Some(&msg), refusal.clone()), Err(CodecError::NothingToRefuse));
    assert_eq!(session.reply(None, refusal), Err(CodecError::NothingToRefuse));
}

#[test]
fn a_failed_open_refuses_the_connection() {
    let mut session = opened();
    session.receive(text("40/admin,"));
    let msg = msg("/admin", "connect", json!([{}]), Value::Null);
    let refused = text(r#"44/admin,{"message":"Row 9 not found"}"#);
    assert_eq!(session.refused(&msg, "Row 9 not found"), [Received::Reply(refused)]);
    assert_eq!((session.refused(&msg, "again"), session.finished(&msg, false)), (Vec::new(), Vec::new()));
    // A refused message, or an acknowledged connection, closes nothing.
    session.receive(text("40/admin,"));
    session.finished(&msg, false);
    assert_eq!(session.refused(&msg, "late"), []);
    let event = super::message("/admin", "a".into(), Vec::new(), None);
    assert_eq!((session.refused(&event, "no"), session.is_disconnected(&event)), (Vec::new(), false));
}

#[test]
fn the_server_disconnects_a_client_from_one_namespace() {
    let mut session = connected();
    let admin = msg("/admin", "connect", json!([{}]), Value::Null);
    session.receive(text("40/admin,"));
    session.finished(&admin, false);
    let (one, other) = (msg("/admin", "bye", json!([]), Value::Null), msg("/", "bye", json!([]), Value::Null));
    let left = |frames: Vec<Frame>, is_last: bool| Disconnected { frames, is_last };
    assert_eq!(session.disconnect(Some(&one)), left(vec![text("41/admin,")], false));
    assert_eq!((session.is_disconnected(&one), session.is_disconnected(&other)), (true, false));
    assert_eq!(session.disconnect(Some(&one)), left(Vec::new(), false));
    // The socket closes with the last namespace.
    assert_eq!(session.disconnect(Some(&other)), left(vec![text("41")], true));
    assert_eq!(session.disconnect(Some(&other)), left(Vec::new(), true));
    // A pending connection is acknowledged first, alone or beside another.
    for before in [&[][..], &["40"]] {
        for packet in before {
            session.receive(text(packet));
        }
        session.receive(text("40/admin,"));
        let Disconnected { frames, is_last } = session.disconnect(Some(&admin));
        sid_in(&frames[..1], "40/admin,");
        assert_eq!((&frames[1..], is_last), (&[text("41/admin,")][..], before.is_empty()));
    }
}

#[test]
fn events_and_acknowledgements_are_messages() {
    let mut session = connected();
    for (packet, event, args, ack) in [
        (r#"42["foo"]"#, "foo", json!([]), Value::Null),
        (r#"42["message",1,"2",{"3":[true]}]"#, "message", json!([1, "2", { "3": [true] }]), Value::Null),
        (r#"4212["foo"]"#, "foo", json!([]), json!(12)),
        (r#"4212["ack"]"#, "ack", json!([]), json!(12)),
    ] {
        assert_eq!(session.receive(text(packet)), [Received::Message(msg("/", event, args, ack))]);
    }
}

#[test]
fn an_acknowledgement_counts_once_and_only_if_requested() {
    let mut session = connected();
    session.receive(text("40/admin,"));
    session.finished(&msg("/admin", "connect", json!([{}]), Value::Null), false);
    for (namespace, ack) in [("/", json!(true)), ("/", json!(12)), ("/", json!(true)), ("/admin", json!(true))] {
        let asking = json!({ "namespace": namespace, "event": "ask", "ack": ack });
        assert_eq!(session.reply(None, asking).unwrap().len(), 1);
    }
    assert_eq!(session.reply(None, json!({ "event": "tell" })).unwrap().len(), 1);
    for (packet, taken) in [
        ("43[]", None),
        ("431[]", None),
        (r#"430["bar"]"#, Some(("/", json!(["bar"]), 0))),
        (r#"430["bar"]"#, None),
        ("4313[]", Some(("/", json!([]), 13))),
        ("4312[1,2]", Some(("/", json!([1, 2]), 12))),
        ("4312[]", None),
        ("43/admin,12[]", None),
        ("43/admin,0[]", Some(("/admin", json!([]), 0))),
        ("4377[]", None),
    ] {
        let notice = taken.map(|(namespace, args, id)| Received::Notice(msg(namespace, "ack", args, json!(id))));
        assert_eq!(session.receive(text(packet)), Vec::from_iter(notice), "{packet}");
    }
    // An id may be used again. What was asked before a reconnection is forgotten.
    for (reconnects, number) in [(false, 1), (true, 0)] {
        session.reply(None, json!({ "event": "ask", "ack": 12 })).unwrap();
        if reconnects {
            session.receive(text("41"));
            session.receive(text("40"));
            session.finished(&msg("/", "connect", json!([{}]), Value::Null), false);
        }
        assert_eq!(session.receive(text("4312[]")).len(), number);
    }
}

#[test]
fn the_number_of_unacknowledged_events_is_bounded() {
    let mut session = connected();
    for _ in 0..=1000 {
        session.reply(None, json!({ "event": "ask", "ack": true })).unwrap();
    }
    for (packet, number) in [("430[]", 0), ("431[]", 1), ("431000[]", 1)] {
        assert_eq!(session.receive(text(packet)).len(), number, "{packet}");
    }
}

#[test]
fn attachments_travel_in_separate_frames() {
    let mut session = connected();
    let packet = r#"452-7["baz",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]"#;
    assert_eq!(session.receive(text(packet)), []);
    assert_eq!(session.receive(text("3")), []);
    assert_eq!(session.receive(Frame::Binary([1, 2].into())), []);
    let args = json!([{ "binary": "AwQ=" }, { "binary": "AQI=" }]);
    let msg = msg("/", "baz", args.clone(), json!(7));
    assert_eq!(session.receive(text("bAwQ=")), [Received::Message(msg.clone())]);
    let attachments = [Frame::Binary([3, 4].into()), Frame::Binary([1, 2].into())];
    let placeholders = r#"{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}"#;
    for (value, first) in [
        (json!({ "ack": args }), format!("462-7[{placeholders}]")),
        (json!({ "event": "back", "args": args }), format!(r#"452-["back",{placeholders}]"#)),
    ] {
        let expected = [&[text(&first)][..], &attachments].concat();
        assert_eq!(session.reply(Some(&msg), value).unwrap(), expected);
    }
}

#[test]
fn replies_are_events_or_requested_acknowledgements() {
    let mut session = connected();
    let asked = msg("/", "foo", json!([]), json!(12));
    let unasked = msg("/", "foo", json!([]), Value::Null);
    for (msg, value, frame) in [
        (&asked, json!({ "ack": ["bar"] }), r#"4312["bar"]"#),
        (&asked, json!({ "event": "bar", "args": [1] }), r#"42["bar",1]"#),
        (&unasked, json!({ "event": "bar", "ack": true }), r#"420["bar"]"#),
        (&unasked, json!({ "event": "bar", "ack": true }), r#"421["bar"]"#),
        (&unasked, json!({ "event": "bar", "ack": 7 }), r#"427["bar"]"#),
        (&unasked, json!({ "event": "bar", "id": 3 }), r#"423["bar"]"#),
        (&unasked, json!({ "event": "bar", "ack": true }), r#"428["bar"]"#),
    ] {
        assert_eq!(session.reply(Some(msg), value).unwrap(), [text(frame)]);
    }
    assert_eq!(session.reply(Some(&unasked), json!({ "ack": [] })), Ok(Vec::new()));
    // A callback is called only once, unless the client reuses its id.
    assert_eq!(session.reply(Some(&asked), json!({ "ack": [] })), Ok(Vec::new()));
    session.receive(text(r#"4212["foo"]"#));
    assert_eq!(session.reply(Some(&asked), json!({ "ack": [] })).unwrap(), [text("4312[]")]);
    let connect = msg("/", "connect", json!([{}]), Value::Null);
    for nothing in [None, Some(&connect)] {
        assert_eq!(session.reply(nothing, json!({ "ack": [] })), Err(CodecError::NothingToAcknowledge));
    }
    assert_eq!(session.reply(None, json!({ "event": "a" })).unwrap(), [text(r#"42["a"]"#)]);
    let elsewhere = json!({ "namespace": "/admin", "event": "a" });
    assert_eq!(session.reply(Some(&unasked), elsewhere), Ok(Vec::new()));
    assert_eq!(session.unmatched(&asked, None), []);
    assert_eq!(session.left("foo"), []);
}

#[test]
fn members_share_the_frames_of_their_namespace() {
    let mut session = connected();
    session.receive(text("40/admin,"));
    let admin = msg("/admin", "connect", json!([{}]), Value::Null);
    session.finished(&admin, false);
    let address = session.address(Some("room"), Some(&admin));
    assert_eq!(address, Address::SocketIo("/admin".into()));
    assert_eq!(session.address(None, None), Address::SocketIo("/".into()));
    let value = json!({ "event": "news", "args": ["hi"] });
    assert_eq!(address.frames(&value).unwrap(), [text(r#"42/admin,["news","hi"]"#)]);
    let elsewhere = json!({ "event": "news", "namespace": "/" });
    assert_eq!(address.frames(&elsewhere).unwrap(), [text(r#"42["news"]"#)]);
    for value in [json!({ "event": "a", "ack": true }), json!({ "ack": [] }), json!({ "error": "No" })] {
        assert_eq!(address.frames(&value), Err(CodecError::OnlyReply));
    }
    assert!(session.reaches(&address) && !address.is_ended_by(&value));
    let gone = msg("/admin", "disconnect", json!([]), Value::Null);
    assert_eq!(session.receive(text("41/admin,")), [Received::Ended(address.clone()), Received::Notice(gone.clone())]);
    assert!(!session.reaches(&address) && address.is_address_of(&gone) && !session.is_disconnected(&gone));
    assert!(address.is_other_namespace(&session.address(None, None)) && !address.is_other_namespace(&address));
    assert!(session.reaches(&session.address(None, None)));
}

#[test]
fn closing_leaves_every_namespace() {
    let mut session = connected();
    let namespaces = ["/", "/admin", "/waiting"].map(|namespace| msg(namespace, "connect", json!([{}]), Value::Null));
    session.receive(text("40/admin,"));
    session.finished(&namespaces[1], false);
    session.receive(text("40/waiting,"));
    session.close();
    assert!(namespaces.iter().all(|namespace| session.is_disconnected(namespace)) && session.was_connected());
    assert_eq!((session.addresses(), session.finished(&namespaces[2], false)), (Vec::new(), Vec::new()));
}

#[test]
fn protocol_violations_close_the_socket() {
    let placeholder = r#"451-["a",{"_placeholder":true,"num":0}]"#;
    let attachment = || Frame::Binary([1].into());
    for (frames, reason) in [
        (vec![text("")], "Engine.IO: unknown packet type"),
        (vec![text("abc")], "Engine.IO: unknown packet type"),
        (vec![text("b?")], "Engine.IO: invalid base64"),
        (vec![text("2")], "invalid heartbeat direction"),
        (vec![text("4abc")], "unknown packet type; only the default parser of Socket.IO is supported"),
        (vec![text("42[]")], "invalid payload"),
        (vec![text("40")], "already connected to the namespace"),
        (vec![text(r#"42/admin,["a"]"#)], "not connected to the namespace"),
        (vec![text("40/admin,"), text(r#"42/admin,["a"]"#)], "not connected to the namespace"),
        (vec![text("41/admin,")], "not connected to the namespace"),
        (vec![text("41"), text(r#"42["a"]"#)], "not connected to the namespace"),
        (vec![text(r#"44{"message":"No"}"#)], "only the server may refuse a connection"),
        (vec![attachment()], "an attachment without a packet; only the default parser of Socket.IO is supported"),
        (vec![text(placeholder), text(r#"42["a"]"#)], "text where an attachment was expected"),
        (vec![text(r#"451-["a",{"_placeholder":true,"num":1}]"#), attachment()], "illegal attachments"),
    ] {
        let mut session = connected();
        let received: Vec<_> = frames.into_iter().map(|frame| session.receive(frame)).collect();
        let close = Received::Close { code: 1002, reason: reason.to_owned() };
        assert_eq!(received.last().unwrap()[..], [close]);
        assert!(matches!(session, Session::Closed { .. }));
    }
}

#[test]
fn namespaces_are_bounded() {
    let mut session = opened();
    for number in 0..MAX_NAMESPACES {
        assert!(matches!(session.receive(text(&format!("40/{number},")))[..], [Received::Opened(_)]));
    }
    let refused = text(r#"44/more,{"message":"Too many namespaces"}"#);
    assert_eq!(session.receive(text("40/more,")), [Received::Reply(refused)]);
    let long = "n".repeat(255);
    let refused = text(&format!(r#"44/{long},{{"message":"Invalid namespace"}}"#));
    assert_eq!(session.receive(text(&format!("40/{long},"))), [Received::Reply(refused)]);
}

#[test]
fn a_session_survives_a_json_round_trip() {
    let mut session = connected();
    session.receive(text(r#"452-["a",{"_placeholder":true,"num":0}]"#));
    session.receive(Frame::Binary([1].into()));
    let json = serde_json::to_string(&session).unwrap();
    assert_eq!(serde_json::from_str::<Session>(&json).unwrap(), session);
    assert_eq!(session.clone(), session);
}
