//! Faults: their effects on clients, their order, and the state during and after them.

mod answers;
mod check;
mod connections;
mod control;
mod frames;
mod matching;
mod sockets;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Answer, Mockd, Socket, http, soon};

/// Runs a shop with these faults and a paused clock.
async fn shop(faults: &str) -> Mockd {
    Mockd::shop_with(&format!("\nseed: 7\nfaults:\n{faults}"), &["--paused"]).await
}

/// Orders one A1.
async fn order(mockd: &Mockd) -> Answer {
    mockd.post("/orders/A1", r#"{"amount":1}"#).await
}

/// Returns the total of A1.
async fn total(mockd: &Mockd) -> Value {
    mockd.get("/__mockd/state").await.json()["totals"]["A1"].clone()
}

const ORDER: &[u8] = b"POST /orders/A1 HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 12\r\n\r\n{\"amount\":1}";
const LIST: &[u8] = b"GET /confectionery HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// Sends a request on a new connection.
async fn send(mockd: &Mockd, request: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(mockd.address()).await.unwrap();
    stream.write_all(request).await.unwrap();
    stream
}

/// Reads until the connection ends. Returns the text and how the connection ended.
async fn rest(stream: &mut TcpStream) -> (String, Result<(), std::io::ErrorKind>) {
    let mut bytes = Vec::new();
    let end = soon("the end of the connection", stream.read_to_end(&mut bytes)).await;
    (String::from_utf8(bytes).unwrap(), end.map(drop).map_err(|error| error.kind()))
}

/// Runs a shop with a paused clock.
async fn quiet_shop() -> Mockd {
    Mockd::shop_with("", &["--paused", "--seed", "7"]).await
}

/// Adds a fault of sockets.
async fn bring(mockd: &Mockd, fault: Value) {
    let mut fault = fault;
    fault["on"] = "websocket".into();
    mockd.control("POST", "/__mockd/faults", fault).await;
}

/// Removes all faults.
async fn lift(mockd: &Mockd) {
    mockd.control("DELETE", "/__mockd/faults", Value::Null).await;
}

/// Sends a frame that no fault matches to all sockets, and returns the totals received before it. Afterwards, no other
/// frame is in flight.
async fn totals(mockd: &Mockd, live: &mut Socket) -> Vec<i64> {
    mockd.control("POST", "/__mockd/sockets/send", json!({ "json": { "id": "end" } })).await;
    let before = live.until(r#"{"id":"end"}"#).await;
    before.iter().map(|text| serde_json::from_str::<Value>(text).unwrap()["total"].as_i64().unwrap()).collect()
}

/// Opens a socket and reads its current order.
async fn live(mockd: &Mockd) -> Socket {
    let mut live = mockd.live("confectionery").await;
    assert_eq!(live.order().await, ("B1".into(), 101));
    live
}

/// Orders one B1, `count` times.
async fn buy(mockd: &Mockd, count: usize) {
    for _ in 0..count {
        mockd.order("B1", 1).await;
    }
}

/// Sends a handshake and returns its answer.
async fn handshake(mockd: &Mockd, category: &str) -> Answer {
    let headers = [
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    http("GET", &format!("{}/orders/{category}", mockd.url()), &headers, None).await
}

/// Returns the effects of faults in the journal, each with its socket.
async fn did(mockd: &Mockd) -> Vec<String> {
    let journal = mockd.get("/__mockd/journal?kind=faulted").await.json();
    let entries = journal["entries"].as_array().unwrap().iter();
    entries.map(|entry| format!("{} {}", entry["socket"], entry["did"].as_str().unwrap())).collect()
}

/// Reads `count` totals, each from its own frame.
async fn totals_of(live: &mut Socket, count: usize) -> Vec<i64> {
    let mut totals = Vec::new();
    while totals.len() < count {
        totals.push(live.order().await.1);
    }
    totals
}

/// Returns the CPU time of a process so far, in hundredths of a second.
#[cfg(target_os = "linux")]
fn cpu_ticks(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}
