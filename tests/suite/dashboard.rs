//! The dashboard in a real Chromium, in a desktop window and in a phone-sized one: its views of a world, and its
//! controls. Screenshots are left beside the test binaries.

mod access;
mod data;
mod journal;
mod page;
mod reading;
mod routes;
mod steering;
mod steps;
mod timeline;

use serde_json::Value;

use crate::support::{Browser, Mockd, ScenarioFile, needs};

/// The name, width and height of each window.
const WINDOWS: [Window; 2] = [("wide", 1280, 900), ("phone", 400, 800)];

type Window = (&'static str, u32, u32);

/// Runs a test in both windows concurrently, since it mostly waits for the page.
async fn at_both_widths(test: impl AsyncFn(Window)) {
    needs!(Browser);
    futures_util::future::join(test(WINDOWS[0]), test(WINDOWS[1])).await;
}

const STATE: &str = "document.querySelector('#status').dataset.state";
const NOW: &str = "document.querySelector('#now').textContent";
const PACE: &str = "document.querySelector('#pace').textContent";
const ERROR: &str = "document.querySelector('#error').textContent";
const STEPS: &str = "document.querySelector('#steps').value";
const ROWS: &str = "document.querySelectorAll('#journal [role=option]').length";

/// A scenario without a shop: notes, a price that a generator sets, and their routes.
const NOTES: &str = "
data:
  notes:
    - { id: 1, text: one }
    - { id: 2, text: two }
  price: 10
http:
  /notes: { crud: notes }
  GET /price:
    - { when: query.in == 'cents', body: \"{{ price * 100 }}\" }
    - { body: $price }
  GET /live: { stream: [{ reply: $price }, { join: notes }] }
random:
  - { every: 8s, jitter: 3s, set: { price: 11 } }
";

fn text(selector: &str) -> String {
    format!("document.querySelector('{selector}').textContent")
}

fn total(id: &str) -> String {
    text(&format!("[data-id={id}] td:nth-child(3)"))
}

/// A mockd and its dashboard in a browser window.
struct Dashboard {
    mockd: Mockd,
    browser: Browser,
    // Deleted on drop.
    _file: Option<ScenarioFile>,
}

impl Dashboard {
    /// Opens the dashboard of a mockd with a paused clock.
    async fn open(scenario: &str, (_, width, height): Window) -> Self {
        let file = ScenarioFile::new(scenario);
        let page = Self::connect(Mockd::run_with(file.path(), &["--paused"]).await, width, height).await;
        Self { _file: Some(file), ..page }
    }

    async fn connect(mockd: Mockd, width: u32, height: u32) -> Self {
        let browser = Browser::open(width, height).await;
        browser.goto(&format!("{}/__mockd/", mockd.url())).await;
        browser.becomes(STATE, "live").await;
        Self { mockd, browser, _file: None }
    }

    async fn becomes(&self, expression: &str, expected: impl Into<Value>) {
        self.browser.becomes(expression, expected).await;
    }

    async fn click(&self, selector: &str) {
        // The sticky header must not cover the element.
        let element = Value::from(selector);
        self.browser.eval(&format!("document.querySelector({element})?.scrollIntoView({{ block: 'center' }})")).await;
        self.browser.click(selector).await;
    }

    /// Sets the value of a field and fires the events of typing or choosing it.
    async fn enter(&self, selector: &str, text: &str) {
        let text = Value::from(text);
        self.browser
            .eval(&format!(
                "(field => {{ field.value = {text}; for (const kind of ['input', 'change']) \
                 field.dispatchEvent(new Event(kind, {{ bubbles: true }})) }})(document.querySelector('{selector}'))"
            ))
            .await;
    }

    /// Asserts that nothing is wider than the window, and takes a screenshot.
    async fn assert_fits(&self, name: &str, window: Window) {
        assert_eq!(self.browser.eval("document.documentElement.scrollWidth <= innerWidth").await, true, "{name}");
        self.browser.screenshot(&format!("dashboard-{name}-{}", window.0)).await;
    }

    async fn close(self) {
        self.browser.close().await;
    }
}
