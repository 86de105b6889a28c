//! Whatever bytes a client sends over HTTP: the short way and the routes give the same answers and leave the same totals.
//!
//! What begins with a capital letter is taken for a whole request, or several; anything else for a body: of a product if it
//! begins with a plus, of an order otherwise.

use std::time::Duration;

use mockd::embed::Mockd;
use mockd::world::Kind;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::time::{sleep, timeout};

const SHOP: &str = "
categories:
  toys: { prefix: T, products: [{ name: Kite, total: 3 }, { name: Ball }] }
  food: { prefix: F, products: [{ name: Toffee }] }
";

/// Comes last on every connection; it is answered if what came before was whole.
const LAST: &[u8] = b"GET /last HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

/// Time stands still as long as anything can go on: when this has passed, the mocks wait for more. Less than they wait for a
/// request that does not come.
const UNTIL_IDLE: Duration = Duration::from_secs(1);

/// Two mocks of a scenario, and what runs them.
pub(crate) struct Mocks {
    runtime: Runtime,
    short: Mockd,
    routes: Mockd,
}

/// What came of a connection.
#[derive(Debug, PartialEq)]
struct Outcome {
    answers: String,
    requests: Vec<Value>,
    totals: Value,
}

fn request(bytes: &[u8]) -> Vec<u8> {
    if bytes.first().is_some_and(u8::is_ascii_uppercase) {
        return [bytes, LAST].concat();
    }
    let (path, body) = bytes.strip_prefix(b"+").map_or(("orders/T1", bytes), |product| ("toys", product));
    let head =
        format!("POST /{path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ");
    [format!("{head}{}\r\n\r\n", body.len()).as_bytes(), body, LAST].concat()
}

impl Mocks {
    pub(crate) fn start() -> Self {
        let runtime = Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime");
        let mock = |cors: &str| {
            let scenario = format!("server: {{ cors: {cors} }}\n{SHOP}");
            runtime.block_on(Mockd::builder().yaml(scenario).paused().start()).expect("a mock")
        };
        // Answers that depend on who asks have no short way.
        let (short, routes) = (mock("false"), mock("[\"http://elsewhere.example\"]"));
        Self { runtime, short, routes }
    }

    /// Sends both the same, and compares what comes of it.
    pub(crate) fn check(&self, bytes: &[u8]) {
        // Control may wait, and has no short way.
        if !bytes.windows(7).any(|part| part == b"__mockd") {
            self.compare(&request(bytes));
        }
    }

    fn compare(&self, request: &[u8]) {
        let short = self.runtime.block_on(outcome(&self.short, request));
        let routes = self.runtime.block_on(outcome(&self.routes, request));
        if routes.answers.contains("Route GET:/last not found") {
            return assert_eq!(short, routes);
        }
        // A request that never comes whole is refused by the routes if its head is wrong; the short way waits.
        assert!(routes.answers.starts_with(&short.answers), "{short:?} {routes:?}");
        assert_eq!((short.requests, short.totals), (routes.requests, routes.totals));
    }
}

/// Sends a request, and puts everything back as it was.
async fn outcome(mockd: &Mockd, request: &[u8]) -> Outcome {
    let mut stream = TcpStream::connect(mockd.url().trim_start_matches("http://")).await.expect("a connection");
    let answers = answers(&mut stream, request).await;
    let (mut requests, mut totals) = (Vec::new(), Vec::new());
    for world in mockd.worlds().all() {
        let entries = world.journal(0).0.into_iter().filter(|entry| entry.kind() == Kind::Request);
        requests.extend(entries.map(|entry| json!(entry)));
        totals.push(json!([&**world.name(), world.state().await.expect("a world").totals]));
    }
    drop(stream);
    sleep(UNTIL_IDLE).await;
    for world in mockd.worlds().all() {
        if mockd.worlds().remove(world.name()).await.is_err() {
            world.reset(None).await.expect("the default world");
        }
    }
    Outcome { answers, requests, totals: totals.into() }
}

/// What comes back, but for the date and for the header that says that answers depend on who asks.
async fn answers(stream: &mut TcpStream, request: &[u8]) -> String {
    let mut bytes = Vec::new();
    // A mock that has refused a request reads no further.
    let _ = stream.write_all(request).await;
    while let Ok(Ok(1..)) = timeout(UNTIL_IDLE, stream.read_buf(&mut bytes)).await {}
    let text = String::from_utf8_lossy(&bytes);
    let lines = text.split_inclusive('\n').filter(|line| !line.starts_with("date: ") && *line != "vary: Origin\r\n");
    lines.collect()
}
