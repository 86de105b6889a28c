//! Diagnostics, completions and hovers of the YAML language server that editors run.

use std::path::Path;

use serde_json::json;
use tempfile::TempDir;

use crate::support::{LanguageServer, needs};

/// Returns a directory with the schema, as `mockd init` creates it.
fn directory() -> TempDir {
    let directory = TempDir::new().unwrap();
    std::fs::copy("scenarios/mockd.schema.json", directory.path().join("mockd.schema.json")).unwrap();
    directory
}

const SCHEMA: &str = "# yaml-language-server: $schema=mockd.schema.json\n";

#[tokio::test]
async fn an_editor_reports_no_problems_in_the_examples() {
    needs!(LanguageServer);
    let mut server = LanguageServer::start(Path::new("scenarios")).await;
    for file in std::fs::read_dir("scenarios").unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            let text = std::fs::read_to_string(&path).unwrap();
            assert_eq!(server.open(path.file_name().unwrap().to_str().unwrap(), &text).await, json!([]), "{text}");
        }
    }
}

#[tokio::test]
async fn an_editor_marks_mistakes_at_their_position() {
    needs!(LanguageServer);
    let directory = directory();
    let mut server = LanguageServer::start(directory.path()).await;
    let text =
        format!("{SCHEMA}categories: {{ toys: {{ prefix: T }} }}\nfeed: al\norders:\n  random:\n    - evry: 1s\n");
    let found = server.open("shop.yaml", &text).await;
    let marked = |line: u64, column: u64, part: &str| {
        found.as_array().unwrap().iter().any(|mark| {
            let start = &mark["range"]["start"];
            start["line"] == line && start["character"] == column && mark["message"].as_str().unwrap().contains(part)
        })
    };
    assert!(marked(2, 6, "\"all\" | \"category\"") && marked(5, 6, "evry is not allowed"), "{found:#}");
}

#[tokio::test]
async fn an_editor_completes_and_documents_keys_and_values() {
    needs!(LanguageServer);
    let directory = directory();
    let mut server = LanguageServer::start(directory.path()).await;
    let start = format!("{SCHEMA}categories: {{ toys: {{ prefix: T }} }}\norders:\n  random:\n    - every: 1s\n      ");
    server.open("keys.yaml", &start).await;
    let keys = server.completions("keys.yaml", 5, 6).await;
    for key in ["arrivals", "jitter", "amount", "products", "from", "until"] {
        assert!(keys.iter().any(|found| found == key), "{key}: {keys:?}");
    }
    server.open("words.yaml", &format!("{start}arrivals: \n")).await;
    let words = server.completions("words.yaml", 5, 16).await;
    assert!(words.contains(&"even".to_owned()) && words.contains(&"poisson".to_owned()), "{words:?}");
    let hover = server.hover("words.yaml", 5, 8).await;
    assert!(hover.contains("How the times between orders are distributed."), "{hover}");
}

#[tokio::test]
async fn an_editor_completes_faults_and_marks_their_mistakes() {
    needs!(LanguageServer);
    let directory = directory();
    let mut server = LanguageServer::start(directory.path()).await;
    let start = format!("{SCHEMA}categories: {{ toys: {{ prefix: T }} }}\nfaults:\n  - on: websocket\n    ");
    server.open("keys.yaml", &start).await;
    let keys = server.completions("keys.yaml", 4, 4).await;
    for key in ["share", "latency", "drop", "freeze", "storm", "until"] {
        assert!(keys.iter().any(|found| found == key), "{key}: {keys:?}");
    }
    server.open("words.yaml", &format!("{start}corrupt: \n")).await;
    let words = server.completions("words.yaml", 4, 13).await;
    assert!(words.contains(&"utf8".to_owned()) && words.contains(&"oversized".to_owned()), "{words:?}");
    let found = server.open("wrong.yaml", &format!("{start}share: 20\n    frozen: true\n")).await.to_string();
    assert!(found.contains("frozen is not allowed") && found.contains("Incorrect type"), "{found}");
}
