//! The binary as a child process: its URL, its log, its exit.

use std::path::Path;
use std::process::{ExitStatus, Stdio};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};

use super::{Answer, Port, SHOP, ScenarioFile, Socket, http, pause, signal, soon};

/// Returns a command that runs the binary.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mockd"));
    command.args(arguments).env("NO_COLOR", "1").stdin(Stdio::null()).kill_on_drop(true);
    command
}

pub(crate) struct Mockd {
    child: Child,
    /// `None` once the log is discarded.
    log: Option<Lines<BufReader<ChildStderr>>>,
    // Kept open, because only the first line of the greeting is read.
    _stdout: Lines<BufReader<ChildStdout>>,
    greeting: Value,
}

/// A child process that does not serve yet.
pub(crate) struct Starting(Child);

impl Starting {
    pub(crate) fn pid(&self) -> u32 {
        self.0.id().unwrap()
    }

    /// Waits until mockd serves.
    pub(crate) async fn ready(self) -> Mockd {
        Mockd::after(self.0).await
    }
}

impl Mockd {
    /// Runs the seed's shop on a free port.
    pub(crate) async fn shop() -> Self {
        Self::run(&ScenarioFile::new(SHOP)).await
    }

    /// Runs the seed's shop with `more` appended, on a free port.
    pub(crate) async fn shop_with(more: &str, arguments: &[&str]) -> Self {
        Self::run_with(ScenarioFile::new(&format!("{SHOP}{more}")).path(), arguments).await
    }

    /// Runs a scenario on a free port.
    pub(crate) async fn run(file: &ScenarioFile) -> Self {
        Self::run_with(file.path(), &[]).await
    }

    /// Runs a scenario, on a free port unless the arguments set one.
    pub(crate) async fn run_with(path: &Path, arguments: &[&str]) -> Self {
        let mut command = command(&["run", "--log-format", "json"]);
        command.arg(path);
        if !arguments.contains(&"--port") {
            command.args(["--port", "0"]);
        }
        command.args(arguments);
        Self::start(command).await
    }

    /// Runs a command that serves and writes its log as JSON.
    pub(crate) async fn start(command: Command) -> Self {
        Self::spawn(command).ready().await
    }

    /// Like [`Mockd::start`], for a command that waits for something before it serves.
    pub(crate) fn spawn(mut command: Command) -> Starting {
        Starting(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }

    async fn after(mut child: Child) -> Self {
        let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let Some(greeting) = soon("the greeting", stdout.next_line()).await.unwrap() else {
            let mut errors = String::new();
            while let Some(line) = log.next_line().await.unwrap() {
                errors.push_str(&line);
                errors.push('\n');
            }
            panic!("mockd did not start: {errors}");
        };
        Self { child, log: Some(log), _stdout: stdout, greeting: serde_json::from_str(&greeting).unwrap() }
    }

    /// Returns what mockd printed when it started.
    pub(crate) fn greeting(&self) -> &Value {
        &self.greeting
    }

    pub(crate) fn url(&self) -> &str {
        self.greeting["url"].as_str().unwrap()
    }

    pub(crate) fn port(&self) -> u16 {
        self.address().rsplit(':').next().unwrap().parse().unwrap()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// Returns the resident memory in KiB.
    #[cfg(target_os = "linux")]
    pub(crate) fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    #[cfg(target_os = "linux")]
    pub(crate) fn open_files(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.pid())).unwrap().count()
    }

    /// Returns the host and port.
    pub(crate) fn address(&self) -> &str {
        self.url().strip_prefix("http://").unwrap()
    }

    /// Discards the log from now on, because a full pipe would block mockd.
    pub(crate) fn discard_log(&mut self) {
        let mut log = self.log.take().expect("the log is discarded only once").into_inner();
        tokio::spawn(async move { tokio::io::copy(&mut log, &mut tokio::io::sink()).await });
    }

    /// Returns the message of the next log line that contains the text.
    pub(crate) async fn logged(&mut self, text: &str) -> String {
        self.log_until(text).await.pop().unwrap()
    }

    /// Returns the messages up to the next log line that contains the text.
    pub(crate) async fn log_until(&mut self, text: &str) -> Vec<String> {
        let mut messages = Vec::new();
        let log = self.log.as_mut().expect("the log is not discarded");
        let found = async {
            loop {
                let line = log.next_line().await.unwrap().expect("the log ended");
                let message: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("not JSON: {line}"));
                messages.push(message["message"].as_str().unwrap_or(&line).to_owned());
                if line.contains(text) || messages.iter().any(|message| message.contains(text)) {
                    return;
                }
            }
        };
        soon(&format!("a log line with {text:?}"), found).await;
        messages
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        http("GET", &format!("{}{path}", self.url()), &[], None).await
    }

    /// Requests JSON until it is as expected, and returns it.
    pub(crate) async fn until(&self, path: &str, is_expected: impl Fn(&Value) -> bool) -> Value {
        let requests = async {
            loop {
                let answer = self.get(path).await;
                if let Some(value) = (answer.status == 200).then(|| answer.json()).filter(&is_expected) {
                    return value;
                }
                pause().await;
            }
        };
        soon(&format!("the expected answer to {path}"), requests).await
    }

    /// Sends a POST with a body that is labelled as JSON.
    pub(crate) async fn post(&self, path: &str, body: &str) -> Answer {
        let json = [("content-type", "application/json")];
        http("POST", &format!("{}{path}", self.url()), &json, Some(body)).await
    }

    /// Sends a request with a JSON body, or without a body.
    pub(crate) async fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let json = [("content-type", "application/json")];
        let text = body.map(Value::to_string);
        let headers = if text.is_some() { &json[..] } else { &[] };
        http(method, &format!("{}{path}", self.url()), headers, text.as_deref()).await
    }

    /// Sends a request to the control API, asserts that it succeeds, and returns the answer.
    pub(crate) async fn control(&self, method: &str, path: &str, body: Value) -> Value {
        let answer = self.send(method, path, Some(&body).filter(|body| !body.is_null())).await;
        assert!((200..300).contains(&answer.status), "{method} {path} {body}: {} {}", answer.status, answer.text);
        answer.json()
    }

    /// Advances the clock of the world below a prefix (empty for the default world), and returns `at id total` for each
    /// event.
    pub(crate) async fn advance(&self, prefix: &str, by: &str) -> Vec<String> {
        let request = serde_json::json!({ "advance": by });
        let answer = self.control("POST", &format!("{prefix}/__mockd/clock"), request).await;
        let line = |event: &Value| {
            let text = |key: &str| event[key].as_str().unwrap_or_default().to_owned();
            format!("{} {} {}", text("at"), text("id"), event["total"])
        };
        answer["events"].as_array().unwrap().iter().map(line).collect()
    }

    /// Places an order, and asserts that it succeeds.
    pub(crate) async fn order(&self, id: &str, amount: i64) {
        let answer = self.post(&format!("/orders/{id}"), &format!("{{\"amount\":{amount}}}")).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, r#"{"ok":true}"#));
    }

    /// Opens a live socket.
    pub(crate) async fn live(&self, category: &str) -> Socket {
        self.live_in("", category).await
    }

    /// Opens a live socket in the world below a prefix.
    pub(crate) async fn live_in(&self, prefix: &str, category: &str) -> Socket {
        Socket::open(&format!("ws://{}{prefix}/orders/{category}", self.address())).await
    }

    /// Opens a socket at an endpoint.
    pub(crate) async fn socket(&self, path: &str) -> Socket {
        Socket::open(&format!("ws://{}{path}", self.address())).await
    }

    /// Sends mockd a signal.
    #[cfg(unix)]
    pub(crate) fn signal(&self, name: &str) {
        signal(self.pid(), name);
    }

    /// Waits until mockd exits.
    pub(crate) async fn ended(mut self) -> ExitStatus {
        soon("the end of mockd", self.child.wait()).await.unwrap()
    }

    /// Kills mockd, and returns its port.
    pub(crate) async fn kill(mut self) -> Port {
        self.child.kill().await.unwrap();
        Port::hold(self.port())
    }
}
