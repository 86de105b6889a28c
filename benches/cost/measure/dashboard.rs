//! What an open dashboard costs the server while 1,000 events a second go to its sockets, and how many frames a second the
//! browser paints meanwhile. Needs Chromium and its driver, as `tests/run` installs them.
//!
//! With 1,000 sockets there is no time left on two cores, so that the browser takes some of the server's; what the dashboard
//! adds shows with 100.

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
use crate::process::Server;
use crate::scenarios;
use crate::subject::Subject;

const SOCKETS: [usize; 2] = [100, 1_000];

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
    for sockets in SOCKETS {
        bench.alternate(&mockd, 3, |bench, subject| round(bench, subject, &browser, sockets));
    }
}

fn round(bench: &mut Bench, subject: &Subject, browser: &Browser, sockets: usize) {
    let server = subject.start_with(&scenarios::thousand_a_second(&bench.scratch), &[]);
    let mut client = Client::new();
    client.open(server.address, "/orders/electronics", sockets, 1);
    browser.show("about:blank");
    let without = cost(&server, &mut client);
    browser.show(&format!("http://{}/__mockd/", server.address));
    // Until it has what happened before it came.
    cost(&server, &mut client);
    browser.run(COUNT);
    let with = cost(&server, &mut client);
    let painted = browser.run(RATE).as_f64().unwrap_or_default();
    let mut add = |what: &str, unit, value| {
        bench.figures.add(&format!("1,000 events a second to {sockets} sockets, {what}"), unit, &subject.name, value);
    };
    add("CPU per delivery without a dashboard", "µs", without.per_delivery);
    add("CPU per delivery with a dashboard", "µs", with.per_delivery);
    add("CPU without a dashboard", "%", without.share * 100.0);
    add("CPU with a dashboard", "%", with.share * 100.0);
    add("frames a second in the browser", "1/s", painted);
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
