//! Messages of sockets that no rule fits.

use serde_json::{Value, json};

use super::paused;
use crate::support::{Mockd, Socket};

/// What the log says of messages without a rule, up to the line that contains the text.
async fn unmatched(mockd: &mut Mockd, last: &str) -> Vec<String> {
    let mut said = mockd.log_until(last).await;
    said.retain(|line| line.starts_with("no rule of"));
    said
}

/// What the journal says of the frames that a client has sent.
async fn received(mockd: &Mockd) -> Vec<Value> {
    let journal = mockd.get("/__mockd/journal?kind=received").await.json();
    journal["entries"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_message_that_no_rule_fits_is_logged_once_for_each_reason() {
    let mut mockd = paused(
        "
websocket:
  /rooms/{room}: { messages: [{ match: { type: say, to: all }, reply: said }, { match: { type: say }, reply: heard }] }
  /silent: {}
",
    )
    .await;
    let mut room = Socket::open(&format!("ws://{}/rooms/a", mockd.address())).await;
    for kind in ["syy", "say", "syy", "shout"] {
        room.send(json!({ "type": kind }).to_string()).await;
    }
    let line = |kind: &str| {
        format!(
            "no rule of websocket /rooms/{{room}} fits a message; nearest is rule 2: msg.type is \"{kind}\" instead of \"say\""
        )
    };
    assert_eq!(unmatched(&mut mockd, "shout").await, [line("syy"), line("shout")]);
    assert_eq!(room.text().await, "heard");
    let mut silent = Socket::open(&format!("ws://{}/silent", mockd.address())).await;
    silent.send("hello").await;
    assert_eq!(unmatched(&mut mockd, "websocket /silent").await, ["no rule of websocket /silent fits a message"]);
    let long = "x".repeat(1_000);
    room.send(json!({ "type": long }).to_string()).await;
    let said = unmatched(&mut mockd, "xxx").await.remove(0);
    assert!(said.len() < 300 && said.ends_with("x…"), "{said}");
}

#[tokio::test]
async fn what_a_socket_io_client_sends_by_itself_needs_no_rule() {
    let mut mockd = paused(
        "
websocket:
  /socket.io: { protocol: socket.io, messages: [{ match: { event: chat }, reply: { event: echo, args: $msg.args } }] }
",
    )
    .await;
    let url = format!("ws://{}/socket.io/?EIO=4&transport=websocket", mockd.address());
    let mut client = Socket::open(&url).await;
    assert!(client.text().await.starts_with("0{"));
    // It connects, acknowledges something, leaves, connects again, and says what no rule fits.
    for packet in ["40", "431[]", "41", "40", "42[\"chatt\"]", "42[\"chat\",1]"] {
        client.send(packet).await;
    }
    assert_eq!(client.until("42[\"echo\",1]").await.len(), 2);
    let nearest = "rule 1: msg.event is \"chatt\" instead of \"chat\"";
    let line = format!("no rule of websocket /socket.io fits a message; nearest is {nearest}");
    assert_eq!(unmatched(&mut mockd, "chatt").await, [line]);
    let entries = received(&mockd).await;
    let of_rules: Vec<_> = entries.iter().map(|entry| (entry.get("rule"), entry.get("nearest"))).collect();
    let none = (None, None);
    let (null, nearest, first) = (Value::Null, json!(nearest), json!(1));
    assert_eq!(of_rules, [none, none, none, none, (Some(&null), Some(&nearest)), (Some(&first), None)]);
}
