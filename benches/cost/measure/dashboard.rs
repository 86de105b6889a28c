//! The server's cost of an open dashboard while 1,000 events per second go to 1,000 sockets, and the browser's frame
//! rate in the meantime. Needs Chromium and its driver, as installed by `tests/run`.
//!
//! On two cores, the browser competes with the server for CPU time. Frames that are delayed longer leave in fewer
//! writes, so the server appears to get cheaper. Therefore the requests that the dashboard sends in a second are also
//! measured separately: on an idle server, with enough repetitions for a stable figure.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fantoccini::wd::Capabilities;
use fantoccini::{Client as Page, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;
use tokio::runtime::{Builder, Runtime};

use super::Bench;
use crate::client::Client;
use crate::figures::count;
use crate::http::{Connection, get, post};
use crate::process::Server;
use crate::scenarios;
use crate::subject::Subject;

const SOCKETS: usize = 1_000;

/// Events per second.
const EVENTS: usize = 1_000;

/// Number of repetitions of one second's requests.
const REPETITIONS: usize = 200;

/// The page's requests per second, except for the journal.
const REQUESTS: [&str; 7] =
    ["state", "sockets?sort=backlog&limit=100", "faults", "timeline", "reload?limit=6", "worlds", "scenarios"];

/// Duration of the measurement without the page, and of the one with it.
const WINDOW: Duration = Duration::from_secs(5);

/// Script that starts to count the frames that the browser paints.
const COUNT: &str = "window.painted = 0; window.since = performance.now(); \
                     const paint = () => { window.painted += 1; requestAnimationFrame(paint); }; \
                     requestAnimationFrame(paint);";

/// Script that returns the frame rate since [`COUNT`].
const RATE: &str = "return window.painted * 1000 / (performance.now() - window.since);";

pub(super) fn run(bench: &mut Bench) {
    if bench.is_short {
        return;
    }
    let Some(browser) = Browser::start() else {
        eprintln!("  chromedriver not found; skipping the dashboard");
        return;
    };
    let mockd = bench.mockd.clone();
    bench.alternate(&mockd, 3, |bench, subject| round(bench, subject, &browser));
}

fn round(bench: &mut Bench, subject: &Subject, browser: &Browser) {
    let requests = request_cost(&subject.start());
    let server = subject.start_with(&scenarios::thousand_a_second(&bench.scratch), &[]);
    let mut client = Client::new();
    client.open(server.address, "/orders/electronics", SOCKETS, 1);
    browser.show("about:blank");
    let without = cost(&server, &mut client);
    browser.show(&format!("http://{}/__mockd/", server.address));
    // Lets the page catch up with earlier events.
    cost(&server, &mut client);
    browser.run(COUNT);
    let with = cost(&server, &mut client);
    let painted = browser.run(RATE).as_f64().unwrap_or_default();
    let mut add = |what: &str, unit, value| {
        bench.figures.add(&format!("1,000 events a second to {SOCKETS} sockets, {what}"), unit, &subject.name, value);
    };
    add("CPU per delivery without a dashboard", "µs", without.per_delivery);
    add("CPU per delivery with a dashboard", "µs", with.per_delivery);
    add("CPU without a dashboard", "%", without.share * 100.0);
    add("CPU with a dashboard", "%", with.share * 100.0);
    add("CPU of the dashboard's requests", "% of CPU without it", requests / without.share * 100.0);
    add("frame rate in the browser", "1/s", painted);
}

/// Returns the share of one core that the dashboard's requests take.
fn request_cost(server: &Server) -> f64 {
    let mut client = Client::new();
    client.open(server.address, "/orders/electronics", SOCKETS, 2);
    let order = json!({ "id": "A1", "amount": 1 });
    let orders = json!({ "orders": vec![order; EVENTS] }).to_string();
    Connection::open(server.address).expect("the server accepts").exchange(&post("/__mockd/orders", &orders));
    let mut arrived = 0;
    while arrived < EVENTS * SOCKETS {
        client.poll(Duration::from_millis(100), |_, _| arrived += 1);
    }
    let mut connection = Connection::open(server.address).expect("the server accepts");
    // Opening the sockets added entries, too. Each second adds one per event.
    let journal = format!("journal?brief=true&limit={EVENTS}");
    let before = server.cpu();
    for _ in 0..REPETITIONS {
        for request in REQUESTS.into_iter().chain([journal.as_str()]) {
            connection.exchange(&get(&format!("/__mockd/{request}")));
        }
    }
    (server.cpu() - before).as_secs_f64() / count(REPETITIONS)
}

struct Cost {
    /// CPU time per delivery, in microseconds.
    per_delivery: f64,
    /// Share of one core.
    share: f64,
}

fn cost(server: &Server, client: &mut Client) -> Cost {
    let (start, before) = (Instant::now(), server.cpu());
    let mut frames = 0;
    while start.elapsed() < WINDOW {
        client.poll(Duration::from_millis(100), |_, _| frames += 1);
    }
    let (time, cpu) = (start.elapsed(), server.cpu() - before);
    Cost { per_delivery: cpu.as_secs_f64() * 1e6 / count(frames), share: cpu.as_secs_f64() / time.as_secs_f64() }
}

/// A browser with one page.
struct Browser {
    runtime: Runtime,
    page: Page,
    driver: Child,
}

impl Browser {
    fn start() -> Option<Self> {
        let driver = Command::new("chromedriver").arg("--port=0").stdout(Stdio::piped()).spawn();
        let mut driver = driver.ok()?;
        let lines = BufReader::new(driver.stdout.take()?).lines().map_while(Result::ok);
        let port = |line: String| Some(line.split_once("successfully on port ")?.1.trim_end_matches('.').to_owned());
        let url = format!("http://127.0.0.1:{}", lines.into_iter().find_map(port)?);
        let arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--window-size=1280,900"];
        let capabilities = Capabilities::from_iter([("goog:chromeOptions".to_owned(), json!({ "args": arguments }))]);
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let page = runtime.block_on(builder.capabilities(capabilities).connect(&url)).expect("a browser");
        Some(Self { runtime, page, driver })
    }

    fn show(&self, url: &str) {
        self.runtime.block_on(self.page.goto(url)).expect("a page");
    }

    fn run(&self, script: &str) -> serde_json::Value {
        self.runtime.block_on(self.page.execute(script, vec![])).expect("a script")
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.runtime.block_on(self.page.clone().close());
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
