//! The socket examples through a plain WebSocket client.

use std::path::Path;

use serde_json::{Value, json};

use super::advance;
use crate::support::{Mockd, Socket};

async fn example(name: &str) -> Mockd {
    Mockd::run_with(&Path::new("scenarios").join(name), &["--paused"]).await
}

#[tokio::test]
async fn the_chat_bot_speaks_only_in_the_lobby() {
    let mockd = example("chat.yaml").await;
    let (mut lobby, mut kitchen) =
        (mockd.socket("/rooms/lobby?name=ada").await, mockd.socket("/rooms/kitchen?name=bob").await);
    assert_eq!(lobby.json().await["messages"][0]["text"], "Welcome!");
    assert_eq!(kitchen.json().await, json!({ "type": "history", "here": 1, "messages": [] }));
    advance(&mockd, "26s").await;
    let message = lobby.json().await;
    assert_eq!((&message["type"], &message["message"]["from"]), (&json!("message"), &json!("bot")));
    kitchen.send("ping").await;
    assert_eq!(kitchen.text().await, "pong");
    let history = mockd.get("/rooms/lobby/messages").await.json();
    assert_eq!(history[1], message["message"]);
}

#[tokio::test]
async fn the_tickers_prices_change_five_times_a_second() {
    let mockd = example("ticker.yaml").await;
    let mut stream = mockd.socket("/stream?streams=btcusdt@trade/ethusdt@trade").await;
    advance(&mockd, "2s").await;
    let mut prices = std::collections::HashMap::from([("BTCUSDT", 50_000.0), ("ETHUSDT", 3_000.0)]);
    for number in 1..=10_u64 {
        let frame = stream.json().await;
        let (trade, symbol) = (&frame["data"], frame["data"]["s"].as_str().unwrap());
        assert_eq!(frame["stream"], format!("{}@trade", symbol.to_lowercase()));
        assert_eq!((&trade["t"], &trade["T"]), (&json!(number), &json!(1_767_225_600_000 + 200 * number)));
        let text = trade["p"].as_str().unwrap();
        assert_eq!(text.split_once('.').unwrap().1.len(), 2, "{text}");
        let (price, before) = (text.parse::<f64>().unwrap(), prices.get_mut(symbol).unwrap());
        // With a standard deviation of 0.1 %, a step above 1 % is practically impossible.
        let step = (price / *before - 1.0).abs();
        assert!(step > 0.0 && step < 0.01, "{before} {price}");
        *before = price;
    }
    let shown = mockd.get("/api/v3/ticker/price?symbol=BTCUSDT").await.json();
    assert_eq!(shown["price"], format!("{:.2}", prices["BTCUSDT"]));
    assert_eq!(mockd.get("/api/v3/ticker/price?symbol=DOGE").await.json()["code"], -1121);
}

#[tokio::test]
async fn graphql_is_also_answered_over_http() {
    let mockd = example("graphql.yaml").await;
    let execute = async |operation: Value| {
        let answer = mockd.send("POST", "/graphql", Some(&operation)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    };
    let say = |variables: Value| json!({ "operationName": "Say", "variables": variables });
    let row = json!({ "id": 2, "__typename": "Message", "room": "lobby", "from": "rest", "text": "Hi" });
    assert_eq!(execute(say(json!({ "room": "lobby", "text": "Hi" }))).await, json!({ "data": { "say": row } }));
    let empty = execute(say(json!({ "room": "lobby" }))).await;
    assert_eq!((&empty["data"], &empty["errors"][0]["message"]), (&Value::Null, &json!("A message has a text.")));
    let all = execute(json!({ "operationName": "Messages" })).await;
    assert_eq!(all["data"]["messages"].as_array().unwrap().len(), 2);
    let unknown = execute(json!({ "query": "{ messages }" })).await;
    assert_eq!(unknown["errors"][0]["message"], "There is no answer to an operation without a name.");
    // urql sends queries by GET.
    let query = async |query: &str| mockd.get(&format!("/graphql?{query}")).await.json();
    assert_eq!(query("query=query+Messages+%7Bmessages%7Bid%7D%7D&operationName=Messages").await, all);
    assert_eq!(query("query=%7Bmessages%7D").await, unknown);
    // The sockets of the example use a subprotocol.
    let url = format!("ws://{}/graphql", mockd.address());
    let mut socket = Socket::open_with(&url, &[("sec-websocket-protocol", "graphql-transport-ws")]).await;
    socket.send_json(json!({ "type": "connection_init" })).await;
    assert_eq!(socket.json().await, json!({ "type": "connection_ack", "payload": { "user": "anonymous" } }));
}

#[tokio::test]
async fn a_client_can_connect_at_any_clock_speed() {
    for arguments in [&["--paused"][..], &["--speed", "100000"]] {
        let mockd = Mockd::run_with(&Path::new("scenarios").join("graphql.yaml"), arguments).await;
        let url = format!("ws://{}/graphql", mockd.address());
        let mut socket = Socket::open_with(&url, &[("sec-websocket-protocol", "graphql-transport-ws")]).await;
        // Longer than the timeout for the client's `connection_init`.
        advance(&mockd, "10s").await;
        socket.send_json(json!({ "type": "connection_init" })).await;
        assert_eq!(socket.json().await["type"], "connection_ack", "{arguments:?}");
    }
}

#[tokio::test]
async fn phoenix_sends_only_to_members_of_a_channel() {
    let mockd = example("phoenix.yaml").await;
    let (mut ada, mut bob) =
        (mockd.socket("/socket/websocket?user=ada").await, mockd.socket("/socket/websocket?user=bob").await);
    let ok = |response: Value| json!({ "status": "ok", "response": response });
    ada.send_json(json!(["1", "1", "room:kitchen", "phx_join", {}])).await;
    assert_eq!(ada.json().await, json!(["1", "1", "room:kitchen", "phx_reply", ok(json!({ "messages": [] }))]));
    bob.send_json(json!(["1", "1", "room:kitchen", "new_msg", { "body": "not joined" }])).await;
    let unmatched = json!({ "status": "error", "response": { "reason": "unmatched topic" } });
    assert_eq!(bob.json().await, json!(["1", "1", "room:kitchen", "phx_reply", unmatched]));
    bob.send_json(json!([null, "2", "phoenix", "heartbeat", {}])).await;
    assert_eq!(bob.json().await, json!([null, "2", "phoenix", "phx_reply", ok(json!({}))]));
    let row = json!({ "id": 2, "room": "room:kitchen", "user": "rest", "body": "Dinner!" });
    assert_eq!(mockd.post("/rooms/kitchen/messages", r#"{"body":"Dinner!"}"#).await.json(), row);
    assert_eq!(ada.json().await, json!([null, null, "room:kitchen", "new_msg", row]));
    ada.send_json(json!(["1", "3", "room:kitchen", "phx_leave", {}])).await;
    assert_eq!(ada.json().await, json!(["1", "3", "room:kitchen", "phx_reply", ok(json!({}))]));
    assert_eq!(ada.json().await, json!(["1", "1", "room:kitchen", "phx_close", {}]));
}
