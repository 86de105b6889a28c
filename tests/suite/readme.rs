//! The examples in the README work unchanged.

use std::path::Path;

use serde_json::json;
use tempfile::TempDir;
use url::Url;

use crate::support::{Mockd, ScenarioFile, Socket, Tool, needs, soon};

/// Returns the first code block in a language below a heading of the README.
fn block(heading: &str, language: &str) -> String {
    let readme = std::fs::read_to_string("README.md").unwrap();
    let (_, section) = readme.split_once(&format!("\n## {heading}\n")).expect("the heading");
    let section = section.split("\n## ").next().unwrap();
    let (_, code) = section.split_once(&format!("```{language}\n")).expect("the block");
    code.split_once("```\n").unwrap().0.to_owned()
}

#[tokio::test]
async fn the_readmes_api_works() {
    let scenario = ScenarioFile::new(&block("Describe your API", "yaml"));
    let mockd = Mockd::run_with(scenario.path(), &["--paused"]).await;
    let mut agent = Socket::open(&format!("{}/agents/ann", mockd.url().replacen("http", "ws", 1))).await;
    let printer = json!({ "id": 1, "title": "Printer on fire", "status": "open" });
    assert_eq!(agent.text().await, json!({ "tickets": [printer] }).to_string());
    assert_eq!(mockd.get("/tickets?status=open").await.json(), json!([printer]));
    let summary = json!({ "open": 1, "at": "2026-01-01T00:00:00.000Z" });
    assert_eq!(mockd.get("/summary").await.json(), summary);
    agent.send(r#"{"type":"close","id":1}"#).await;
    let closed = r#"{"ticket":{"id":1,"title":"Printer on fire","status":"closed","by":"ann"}}"#;
    assert_eq!(agent.text().await, closed);
    assert_eq!(mockd.post("/tickets", r#"{"title":"No coffee"}"#).await.status, 201);
    assert_eq!(agent.text().await, r#"{"ticket":{"id":2,"title":"No coffee","status":"open"}}"#);
    mockd.control("POST", "/__mockd/clock", json!({ "advance": "5s" })).await;
    assert_eq!(agent.text().await, r#"{"ticket":{"id":2,"title":"No coffee","status":"assigned"}}"#);
    mockd.control("POST", "/__mockd/clock", json!({ "advance": "15s" })).await;
    assert!(agent.text().await.starts_with(r#"{"ticket":{"id":3,"title":"#));
}

#[tokio::test]
async fn the_readmes_test_passes() {
    needs!(Node);
    let directory = TempDir::new().unwrap();
    let write = |name: &str, text: String| std::fs::write(directory.path().join(name), text).unwrap();
    write("tickets.yaml", block("Describe your API", "yaml"));
    write("tickets.test.mjs", block("Test with it", "js"));
    // The package as npm would install it.
    std::fs::create_dir_all(directory.path().join("node_modules/mockd")).unwrap();
    let client = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/js/index.js");
    let client = Url::from_file_path(client).unwrap();
    write("node_modules/mockd/package.json", r#"{ "name": "mockd", "exports": "./index.mjs" }"#.to_owned());
    write("node_modules/mockd/index.mjs", format!("export * from \"{client}\";\n"));
    let mut node = tokio::process::Command::new(Tool::Node.path());
    node.args(["--test", "tickets.test.mjs"]).current_dir(directory.path()).kill_on_drop(true);
    let output = soon("the test", node.env("MOCKD_BINARY", env!("CARGO_BIN_EXE_mockd")).output()).await.unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && stdout.contains("pass 1"), "{stdout}");
}
