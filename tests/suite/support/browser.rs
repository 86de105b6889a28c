//! A real Chromium, driven through chromedriver.

use std::process::Stdio;

use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::{Tool, soon};

pub(crate) struct Browser {
    pub(crate) page: Client,
    // Dropping these kills the driver and deletes the profile.
    _driver: Child,
    _profile: TempDir,
}

impl Browser {
    /// Opens a window of this size in CSS pixels.
    pub(crate) async fn open(width: u32, height: u32) -> Self {
        let mut driver = Command::new(Tool::Browser.path())
            .args(["--port=0"])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = loop {
            let line = soon("chromedriver's start", stdout.next_line()).await.unwrap().expect("chromedriver ended");
            if let Some((_, port)) = line.split_once("successfully on port ") {
                break port.trim_end_matches('.').to_owned();
            }
        };
        let profile = TempDir::new().unwrap();
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            &format!("--user-data-dir={}", profile.path().display()),
            &format!("--window-size={width},{height}"),
        ];
        let phone = json!({ "deviceMetrics": { "width": width, "height": height, "pixelRatio": 1.0, "touch": false } });
        let options = json!({ "args": arguments, "mobileEmulation": phone });
        let capabilities = Capabilities::from_iter([
            ("goog:chromeOptions".to_owned(), options),
            ("goog:loggingPrefs".to_owned(), json!({ "browser": "ALL" })),
        ]);
        let url = format!("http://127.0.0.1:{port}");
        let mut builder = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new());
        let page = soon("a browser", builder.capabilities(capabilities).connect(&url)).await.unwrap();
        Self { page, _driver: driver, _profile: profile }
    }

    pub(crate) async fn goto(&self, url: &str) {
        soon("the page", self.page.goto(url)).await.unwrap();
    }

    /// Evaluates a JavaScript expression in the page.
    pub(crate) async fn eval(&self, expression: &str) -> Value {
        self.page.execute(&format!("return {expression}"), vec![]).await.unwrap()
    }

    /// Waits until an expression has this value.
    pub(crate) async fn becomes(&self, expression: &str, expected: impl Into<Value>) {
        let expected = expected.into();
        // The page checks on every frame. The driver answers once the values are equal, or with the last value.
        let script = "
            const [done, expected] = [arguments[arguments.length - 1], arguments[0]];
            const deadline = performance.now() + 28000;
            const check = () => {
                let value;
                try { value = EXPRESSION } catch (error) { value = String(error) }
                const same = JSON.stringify(value) === JSON.stringify(expected);
                if (same || performance.now() > deadline) done(value ?? null); else requestAnimationFrame(check);
            };
            check();";
        let script = script.replace("EXPRESSION", expression);
        let value = soon(expression, self.page.execute_async(&script, vec![expected.clone()])).await.unwrap();
        assert_eq!(value, expected, "{expression}");
    }

    pub(crate) async fn click(&self, selector: &str) {
        self.page.find(Locator::Css(selector)).await.unwrap().click().await.unwrap();
    }

    pub(crate) async fn choose(&self, category: &str) {
        let select = self.page.find(Locator::Css("#category")).await.unwrap();
        select.select_by_value(category).await.unwrap();
    }

    pub(crate) async fn fill(&self, field: &str, text: &str) {
        let field = self.page.find(Locator::Css(&format!("#add [name={field}]"))).await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Types into the focused element.
    pub(crate) async fn type_keys(&self, keys: &str) {
        self.page.active_element().await.unwrap().send_keys(keys).await.unwrap();
    }

    /// Saves a screenshot for manual review beside the test binaries.
    pub(crate) async fn screenshot(&self, name: &str) {
        let directory = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("screenshots");
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(directory.join(format!("{name}.png")), self.page.screenshot().await.unwrap()).unwrap();
    }

    pub(crate) async fn close(self) {
        self.page.close().await.unwrap();
    }
}
