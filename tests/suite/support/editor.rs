//! A client of the YAML language server (Language Server Protocol 3.17).

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::{Tool, soon};

pub(crate) struct LanguageServer {
    _child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    directory: PathBuf,
    requests: u64,
}

impl LanguageServer {
    /// Starts the server for the files of a directory.
    pub(crate) async fn start(directory: &Path) -> Self {
        let mut command = Command::new(Tool::LanguageServer.path());
        command.arg("--stdio").stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let directory = directory.canonicalize().unwrap();
        let mut server = Self { _child: child, input, output, directory, requests: 0 };
        let capabilities = json!({ "textDocument": { "hover": { "contentFormat": ["plaintext"] }, "completion": {} } });
        let root = server.uri("");
        server.request("initialize", json!({ "processId": null, "rootUri": root, "capabilities": capabilities })).await;
        server.notify("initialized", json!({})).await;
        server.notify("workspace/didChangeConfiguration", json!({ "settings": { "yaml": settings() } })).await;
        server
    }

    fn uri(&self, name: &str) -> String {
        format!("file://{}/{name}", self.directory.display())
    }

    /// Opens a file with this text, and returns its diagnostics.
    pub(crate) async fn open(&mut self, name: &str, text: &str) -> Value {
        let uri = self.uri(name);
        let document = json!({ "uri": uri, "languageId": "yaml", "version": 1, "text": text });
        self.notify("textDocument/didOpen", json!({ "textDocument": document })).await;
        loop {
            let message = self.receive().await;
            if message["method"] == "textDocument/publishDiagnostics" && message["params"]["uri"] == uri {
                return message["params"]["diagnostics"].clone();
            }
        }
    }

    /// Returns the labels of the completions at a position. Lines and characters count from 0.
    pub(crate) async fn completions(&mut self, name: &str, line: u64, character: u64) -> Vec<String> {
        let found = self.request("textDocument/completion", self.position(name, line, character)).await;
        let labels = found["items"].as_array().into_iter().flatten().filter_map(|item| item["label"].as_str());
        labels.map(str::to_owned).collect()
    }

    /// Returns the hover text at a position.
    pub(crate) async fn hover(&mut self, name: &str, line: u64, character: u64) -> String {
        self.request("textDocument/hover", self.position(name, line, character)).await["contents"].to_string()
    }

    fn position(&self, name: &str, line: u64, character: u64) -> Value {
        json!({ "textDocument": { "uri": self.uri(name) }, "position": { "line": line, "character": character } })
    }

    async fn request(&mut self, method: &str, params: Value) -> Value {
        self.requests += 1;
        let id = self.requests;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })).await;
        loop {
            let mut message = self.receive().await;
            if message["id"] == id && message["method"].is_null() {
                return message["result"].take();
            }
        }
    }

    async fn notify(&mut self, method: &str, params: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params })).await;
    }

    async fn send(&mut self, message: &Value) {
        let text = message.to_string();
        let framed = format!("Content-Length: {}\r\n\r\n{text}", text.len());
        self.input.write_all(framed.as_bytes()).await.unwrap();
    }

    /// Returns the next message. Answers it if it is a request for the editor's settings.
    async fn receive(&mut self) -> Value {
        let message: Value = soon("a message of the language server", async {
            let mut length = 0;
            loop {
                let mut line = String::new();
                assert!(self.output.read_line(&mut line).await.unwrap() > 0, "the language server ended");
                match line.trim_end().split_once(": ") {
                    Some(("Content-Length", value)) => length = value.parse().unwrap(),
                    Some(_) => {}
                    None => break,
                }
            }
            let mut bytes = vec![0; length];
            self.output.read_exact(&mut bytes).await.unwrap();
            serde_json::from_slice(&bytes).unwrap()
        })
        .await;
        if message["id"].is_number() && message["method"].is_string() {
            let items = message["params"]["items"].as_array();
            let settings: Vec<Value> = items.into_iter().flatten().map(|_| settings()).collect();
            self.send(&json!({ "jsonrpc": "2.0", "id": message["id"], "result": settings })).await;
        }
        message
    }
}

fn settings() -> Value {
    json!({ "validate": true, "hover": true, "completion": true, "schemaStore": { "enable": false } })
}
