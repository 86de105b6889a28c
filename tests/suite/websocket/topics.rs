//! Topics that sockets join and leave, and the frames that their members receive.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::{advance, paused};
use crate::support::{Mockd, Socket};

const HUB: &str = r#"
data: { notes: [{ id: 1, room: a, text: one }], price: 10 }
http:
  /notes: { crud: notes }
  PUT /price: { set: { price: $body } }
  POST /news: { send: { to: news, frame: $body } }
  POST /several: { send: { to: [news, sport, weather], frame: $body } }
websocket:
  /hub:
    messages:
      - match: { do: join }
        when: msg.as
        do: [{ join: { to: $msg.to, as: $msg.as, frame: { as: $msg.as, event: $event } } }, { reply: ok }]
      - { match: { do: join }, do: [{ join: $msg.to }, { reply: ok }] }
      - match: { do: room }
        do:
          - join:
              to: notes
              as: room
              where: { change: added, row: { room: $msg.room } }
              frame: "{{ topic }} {{ event.row.text }}"
          - reply: ok
      - match: { do: beat }
        join: { to: news, as: beat, do: [{ times: forever, every: 1s, reply: beat }] }
      - { match: { do: leave }, when: msg.as, do: [{ leave: { as: $msg.as } }, { reply: left }] }
      - { match: { do: leave }, do: [{ leave: $msg.to }, { reply: left }] }
      - { match: { do: others }, send: { to: $msg.to, frame: $msg.frame, others: true } }
      - { match: { do: send }, when: msg.to, send: { to: $msg.to, frame: $msg.frame } }
      - { match: { do: send }, send: { frame: $msg.frame } }
      - match: { do: topics }
        reply: { topics: $conn.topics, joined: "{{ joined('news') }}", members: "{{ members('news') }}" }
  /framed:
    frame: { topic: $topic, data: $event, id: $conn.id }
    open: [{ join: [news, notes, notes/1] }, { join: { to: price, frame: $event.value } }, { reply: ready }]
  /silent: { open: [{ reply: ready }], messages: [{ reply: nothing }] }
"#;

/// Opens a socket that has joined topics, given as a text or a list.
async fn member(mockd: &Mockd, topics: Value) -> Socket {
    let mut socket = mockd.socket("/hub").await;
    join(&mut socket, topics).await;
    socket
}

async fn join(socket: &mut Socket, topics: Value) {
    socket.send_json(json!({ "do": "join", "to": topics })).await;
    assert_eq!(socket.text().await, "ok");
}

/// Asks a socket's rules for its topics. Panics if another frame comes before the answer.
async fn topics(socket: &mut Socket) -> Value {
    socket.send_json(json!({ "do": "topics" })).await;
    socket.json().await
}

async fn post(mockd: &Mockd, path: &str, body: Value) {
    let answer = mockd.send("POST", path, Some(&body)).await;
    assert!(matches!(answer.status, 201 | 204), "{} {}", answer.status, answer.text);
}

#[tokio::test]
async fn frames_to_a_topic_reach_only_its_members() {
    let mockd = paused(HUB).await;
    let (mut a, mut b) = (member(&mockd, json!("news")).await, member(&mockd, json!(["sport", "x/1"])).await);
    post(&mockd, "/news", json!({ "x": 1 })).await;
    post(&mockd, "/several", json!([2])).await;
    a.send_json(json!({ "do": "send", "to": ["x/1", "nobody"], "frame": "to x" })).await;
    assert_eq!(a.texts(2).await, [r#"{"x":1}"#, "[2]"]);
    assert_eq!(b.texts(2).await, ["[2]", "to x"]);
    a.send_json(json!({ "do": "send", "to": "news", "frame": { "binary": "AP8=" } })).await;
    assert_eq!(a.message().await, Message::binary(vec![0, 255]));
    assert_eq!(topics(&mut b).await, json!({ "topics": ["sport", "x/1"], "joined": 1, "members": [1] }));
}

#[tokio::test]
async fn joining_a_topic_again_does_not_duplicate_frames() {
    let mockd = paused(HUB).await;
    let mut socket = member(&mockd, json!("news")).await;
    join(&mut socket, json!("news")).await;
    join(&mut socket, json!(["news", "sport"])).await;
    post(&mockd, "/news", json!(1)).await;
    assert_eq!(socket.text().await, "1");
    assert_eq!(topics(&mut socket).await["topics"], json!(["news", "sport"]));
}

#[tokio::test]
async fn a_member_gets_events_that_match_its_where_in_its_frame() {
    let mockd = paused(HUB).await;
    let (mut a, mut b) = (mockd.socket("/hub").await, mockd.socket("/hub").await);
    for (socket, room) in [(&mut a, "a"), (&mut b, "b")] {
        socket.send_json(json!({ "do": "room", "room": room })).await;
        assert_eq!(socket.text().await, "ok");
    }
    for (room, text) in [("a", "two"), ("b", "three"), ("a", "four")] {
        post(&mockd, "/notes", json!({ "room": room, "text": text })).await;
    }
    // A merge is not an addition.
    assert_eq!(mockd.send("PATCH", "/notes/2", Some(&json!({ "text": "zwei" }))).await.status, 200);
    assert_eq!(a.texts(2).await, ["notes two", "notes four"]);
    assert_eq!(b.text().await, "notes three");
    // Joining under the same name replaces the membership.
    a.send_json(json!({ "do": "room", "room": "b" })).await;
    assert_eq!(a.text().await, "ok");
    post(&mockd, "/notes", json!({ "room": "a", "text": "five" })).await;
    post(&mockd, "/notes", json!({ "room": "b", "text": "six" })).await;
    assert_eq!((a.text().await, b.text().await), ("notes six".to_owned(), "notes six".to_owned()));
}

#[tokio::test]
async fn named_memberships_are_left_separately() {
    let mockd = paused(HUB).await;
    let mut socket = member(&mockd, json!("news")).await;
    for name in ["one", "two"] {
        socket.send_json(json!({ "do": "join", "to": "news", "as": name })).await;
        assert_eq!(socket.text().await, "ok");
    }
    post(&mockd, "/news", json!(1)).await;
    let frames = ["1", r#"{"as":"one","event":1}"#, r#"{"as":"two","event":1}"#];
    assert_eq!(socket.texts(3).await, frames);
    socket.send_json(json!({ "do": "leave", "as": "one" })).await;
    assert_eq!(socket.text().await, "left");
    post(&mockd, "/news", json!(2)).await;
    assert_eq!(socket.texts(2).await, ["2", r#"{"as":"two","event":2}"#]);
    // Without a name, the socket leaves every membership of the topic.
    socket.send_json(json!({ "do": "leave", "to": "news" })).await;
    assert_eq!(socket.text().await, "left");
    post(&mockd, "/news", json!(3)).await;
    assert_eq!(topics(&mut socket).await, json!({ "topics": [], "joined": 0, "members": [] }));
}

#[tokio::test]
async fn others_are_all_members_except_the_sender() {
    let mockd = paused(HUB).await;
    let mut sockets = [member(&mockd, json!("news")).await, member(&mockd, json!(["news", "sport"])).await];
    let mut framed = mockd.socket("/framed").await;
    assert_eq!(framed.text().await, "ready");
    sockets[0].send_json(json!({ "do": "others", "to": "news", "frame": "hi" })).await;
    assert_eq!(sockets[1].text().await, "hi");
    assert_eq!(framed.json().await, json!({ "topic": "news", "data": "hi", "id": 3 }));
    assert_eq!(topics(&mut sockets[0]).await["joined"], 3);
    // A socket that has not joined the topic can send to it.
    sockets[0].send_json(json!({ "do": "others", "to": "sport", "frame": "goal" })).await;
    assert_eq!(sockets[1].text().await, "goal");
}

#[tokio::test]
async fn a_frame_without_a_topic_reaches_all_sockets_of_the_endpoint() {
    let mockd = paused(HUB).await;
    let (mut a, mut b) = (mockd.socket("/hub").await, member(&mockd, json!("news")).await);
    let mut silent = mockd.socket("/silent").await;
    a.send_json(json!({ "do": "send", "frame": "all" })).await;
    assert_eq!((a.text().await, b.text().await), ("all".to_owned(), "all".to_owned()));
    silent.send("?").await;
    assert_eq!(silent.texts(2).await, ["ready", "nothing"]);
    // It adds no topic to the socket.
    assert_eq!(topics(&mut a).await["topics"], json!([]));
}

#[tokio::test]
async fn an_endpoints_frame_applies_to_everything_its_sockets_get() {
    let mockd = paused(HUB).await;
    let mut socket = mockd.socket("/framed").await;
    assert_eq!(socket.text().await, "ready");
    post(&mockd, "/news", json!("a")).await;
    assert_eq!(socket.json().await, json!({ "topic": "news", "data": "a", "id": 1 }));
    assert_eq!(mockd.send("PUT", "/price", Some(&json!(12))).await.status, 204);
    assert_eq!(socket.text().await, "12");
    post(&mockd, "/notes", json!({ "text": "two" })).await;
    let added = socket.json().await;
    assert_eq!((&added["topic"], &added["data"]["change"]), (&json!("notes"), &json!("added")));
    assert_eq!(added["data"]["row"], json!({ "id": 2, "text": "two" }));
}

#[tokio::test]
async fn steps_of_a_membership_end_with_it() {
    let mockd = paused(HUB).await;
    let mut socket = mockd.socket("/hub").await;
    socket.send_json(json!({ "do": "beat" })).await;
    assert_eq!(socket.text().await, "beat");
    advance(&mockd, "2s").await;
    assert_eq!(socket.texts(2).await, ["beat", "beat"]);
    socket.send_json(json!({ "do": "leave", "as": "beat" })).await;
    assert_eq!(socket.text().await, "left");
    assert_eq!(mockd.get("/__mockd/clock").await.json()["nextDue"], Value::Null);
    advance(&mockd, "5s").await;
    assert_eq!(topics(&mut socket).await["topics"], json!([]));
}

#[tokio::test]
async fn reserved_topics_are_refused() {
    let mockd = paused(HUB).await;
    let mut socket = member(&mockd, json!(7)).await;
    socket.send_json(json!({ "do": "join", "to": ["sport", "__counters"] })).await;
    socket.send_json(json!({ "do": "join", "to": "" })).await;
    assert_eq!(topics(&mut socket).await["topics"], json!(["7"]));
    let received = mockd.get("/__mockd/journal?kind=received").await.json();
    let refused = "A topic must be text that does not begin with `__`, found \"__counters\"";
    assert_eq!(received["entries"][1]["refused"], refused);
}

#[tokio::test]
async fn sockets_are_listed_with_their_path_and_topics() {
    let mockd = paused(HUB).await;
    let _member = member(&mockd, json!(["sport", "news"])).await;
    let mut framed = mockd.socket("/framed").await;
    assert_eq!(framed.text().await, "ready");
    let list = mockd.get("/__mockd/sockets").await.json();
    let shown: Vec<Value> =
        list["sockets"].as_array().unwrap().iter().map(|socket| json!([socket["path"], socket["topics"]])).collect();
    assert_eq!(shown, [json!(["/hub", ["news", "sport"]]), json!(["/framed", ["news", "notes", "notes/1", "price"]])]);
    assert_eq!((&list["sockets"][0]["received"], list["sockets"][0].get("category")), (&json!(1), None));
}
