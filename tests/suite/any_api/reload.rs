//! Reloads: their effect on data that clients have changed, and on open streams and sockets.

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use super::{NOTES, add, texts};
use crate::support::{EventStream, Mockd, ScenarioFile, Socket};

async fn save(mockd: &mut Mockd, file: &ScenarioFile, text: &str) {
    file.write_in_place(text);
    mockd.logged("reloaded").await;
}

#[tokio::test]
async fn added_rows_stay_and_a_changed_declaration_wins() {
    let file = ScenarioFile::new(NOTES);
    let mut mockd = Mockd::run(&file).await;
    assert_eq!(add(&mockd, "", "three").await, 3);
    for (id, text) in [(1, "uno"), (2, "dos")] {
        let merged = mockd.send("PATCH", &format!("/notes/{id}"), Some(&json!({ "text": text }))).await;
        assert_eq!(merged.status, 200, "{}", merged.text);
    }
    assert_eq!(mockd.send("PUT", "/price", Some(&json!(12))).await.status, 204);
    save(&mut mockd, &file, &NOTES.replace("text: two", "text: zwei")).await;
    assert_eq!(texts(&mockd, "").await, ["uno", "zwei", "three"]);
    assert_eq!(mockd.get("/price").await.json(), 12);
    save(&mut mockd, &file, &NOTES.replace("text: two", "text: zwei").replace("price: 10", "price: 20")).await;
    assert_eq!(mockd.get("/price").await.json(), 20);
    assert_eq!(texts(&mockd, "").await, ["uno", "zwei", "three"]);
}

#[tokio::test]
async fn removed_data_returns_with_its_last_state() {
    let more = NOTES.replace("http:\n", "  spare: [{ id: 1 }]\nhttp:\n");
    let file = ScenarioFile::new(&more);
    let mut mockd = Mockd::run(&file).await;
    let spare = json!([{ "id": 1, "used": true }, { "id": 7 }]);
    mockd.control("PATCH", "/__mockd/state", json!({ "data": { "spare": spare } })).await;
    save(&mut mockd, &file, NOTES).await;
    assert_eq!(mockd.get("/__mockd/state").await.json()["data"].get("spare"), None);
    save(&mut mockd, &file, &more).await;
    assert_eq!(mockd.get("/__mockd/state").await.json()["data"]["spare"], spare);
}

#[tokio::test]
async fn a_stream_stays_open_across_a_reload() {
    let file = ScenarioFile::new(NOTES);
    let mut mockd = Mockd::run(&file).await;
    let mut stream = EventStream::open(&mockd, "/live").await;
    assert_eq!(stream.event().await.unwrap(), "event: price\ndata: 10");
    let changed = NOTES.replace("event: price", "event: cost").replace("price: 10", "price: 20");
    save(&mut mockd, &file, &changed).await;
    add(&mockd, "", "three").await;
    loop {
        // Changes of the save itself may come first.
        let event = stream.data().await;
        if event["change"] == "added" {
            assert_eq!(event["row"], json!({ "id": 3, "text": "three" }));
            break;
        }
    }
    let mut new = EventStream::open(&mockd, "/live").await;
    assert_eq!(new.event().await.unwrap(), "event: cost\ndata: 20");
}

#[tokio::test]
async fn a_route_appears_and_disappears_with_the_file() {
    let file = ScenarioFile::new(NOTES);
    let mut mockd = Mockd::run(&file).await;
    assert_eq!(mockd.get("/hello").await.status, 404);
    save(&mut mockd, &file, &format!("{NOTES}  GET /hello: {{ text: Hello }}\n")).await;
    assert_eq!(mockd.get("/hello").await.text, "Hello");
    save(&mut mockd, &file, NOTES).await;
    assert_eq!(mockd.get("/hello").await.status, 404);
}

const ROOMS: &str = "
data: { left: 0 }
http: { GET /left: { body: $left } }
websocket:
  /rooms/{room}:
    messages: [{ text: ping, reply: pong }]
    closed: [{ set: { left: 1 } }]
";

#[tokio::test]
async fn a_socket_follows_its_endpoint_and_closes_with_it() {
    let file = ScenarioFile::new(ROOMS);
    let mut mockd = Mockd::run(&file).await;
    let url = format!("ws://{}/rooms/a", mockd.address());
    let mut socket = Socket::open(&url).await;
    file.write_in_place(&ROOMS.replace("reply: pong", "reply: PONG"));
    let logged = mockd.logged("reloaded").await;
    assert!(logged.ends_with(": websocket /rooms/{room} changed"), "{logged}");
    socket.send("ping").await;
    assert_eq!(socket.text().await, "PONG");
    file.write_in_place(&ROOMS.replace("{room}", "{id}"));
    let logged = mockd.log_until("reloaded").await;
    assert!(logged.contains(&"sockets closed, because their endpoint is gone: 1".to_owned()), "{logged:?}");
    let last = logged.last().unwrap();
    assert!(last.ends_with(": websocket /rooms/{id} added, websocket /rooms/{room} removed"), "{last}");
    let Message::Close(Some(frame)) = socket.message().await else { panic!("the socket is not closed") };
    assert_eq!((u16::from(frame.code), frame.reason.as_str()), (1001, "the endpoint is gone"));
    // The `closed` steps of the endpoint are gone, too.
    assert_eq!(mockd.get("/left").await.json(), 0);
    let mut socket = Socket::open(&url).await;
    socket.send("ping").await;
    assert_eq!(socket.text().await, "pong");
}
