//! What an open dashboard costs the server while 1,000 events a second go to 1,000 sockets, and how many frames a second the
//! browser paints meanwhile. Needs Chromium and its driver, as `tests/run` installs them.
//!
//! On two cores the browser takes time that the server would have used, and frames that wait for longer leave in fewer
//! writes, so that the server seems to get cheaper by it. So what the dashboard asks for in a second is measured for
//! itself: on a server that stands still, as often as gives a figure.

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

/// Events a second.
const EVENTS: usize = 1_000;

/// Seconds of questions that are asked at once.
const ASKED: usize = 200;

/// What the page asks for each second, beside the journal.
const QUESTIONS: [&str; 7] =
    ["state", "sockets?sort=backlog&limit=100", "faults", "timeline", "reload?limit=6", "worlds", "scenarios"];

/// How long the server is looked at, once without the page and once with it.
const WINDOW: Duration = Duration::from_secs(5);

/// Counts what the browser paints until it is asked.
const COUNT: &str = "window.painted = 0; window.since = performance.now(); \
                     const paint = () => { window.painted += 1; requestAnimationFrame(paint); }; requestAnimationFrame(paint);";
const RATE: &str = "return window.painted * 1000 / (performance.now() - window.since);";

pub(super) fn run(bench: &mut Bench) {
    if bench.is_short {
        return;
    }
    let Some(browser) = Browser::start() else {
        eprintln!("  there is no chromedriver, so the dashboard is not measured");
        return;
    };
    let mockd = bench.mockd.clone();
    bench.alternate(&mockd, 3, |bench, subject| round(bench, subject, &browser));
}

fn round(bench: &mut Bench, subject: &Subject, browser: &Browser) {
    let asked = questions(&subject.start());
    let server = subject.start_with(&scenarios::thousand_a_second(&bench.scratch), &[]);
    let mut client = Client::new();
    client.open(server.address, "/orders/electronics", SOCKETS, 1);
    browser.show("about:blank");
    let without = cost(&server, &mut client);
    browser.show(&format!("http://{}/__mockd/", server.address));
    // Until it has what happened before it came.
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
    add("CPU of a second's questions", "% of it", asked / without.share * 100.0);
    add("frames a second in the browser", "1/s", painted);
}

/// The CPU time that the questions of one second take, of one core.
fn questions(server: &Server) -> f64 {
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
    // Opening the sockets made entries, too; each second brings as many as there are events.
    let journal = format!("journal?brief=true&limit={EVENTS}");
    let before = server.cpu();
    for _ in 0..ASKED {
        for question in QUESTIONS.into_iter().chain([journal.as_str()]) {
            connection.exchange(&get(&format!("/__mockd/{question}")));
        }
    }
    (server.cpu() - before).as_secs_f64() / count(ASKED)
}

struct Cost {
    /// In microseconds.
    per_delivery: f64,
    /// Of one core.
    share: f64,
}

fn cost(server: &Server, client: &mut Client) -> Cost {
    let (begin, before) = (Instant::now(), server.cpu());
    let mut frames = 0;
    while begin.elapsed() < WINDOW {
        client.poll(Duration::from_millis(100), |_, _| frames += 1);
    }
    let (time, cpu) = (begin.elapsed(), server.cpu() - before);
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
