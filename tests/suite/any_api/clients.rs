//! Streams read by real clients: the `openai` package and a browser's `EventSource`.

use std::path::Path;

use serde_json::{Value, json};
use tokio::process::Command;

use super::example;
use crate::support::{Browser, Mockd, Tool, needs, soon};

const ASK: &str = r#"
const [path, baseURL] = process.argv.slice(1);
const { OpenAI } = require(path);
const client = new OpenAI({ baseURL, apiKey: "none", maxRetries: 0 });
const question = { model: "mock-1", messages: [{ role: "user", content: "Hello" }] };
(async () => {
  const models = (await client.models.list()).data.map(({ id }) => id);
  const whole = await client.chat.completions.create(question);
  let streamed = "";
  let chunks = 0;
  for await (const chunk of await client.chat.completions.create({ ...question, stream: true })) {
    streamed += chunk.choices[0].delta.content ?? "";
    chunks += 1;
  }
  const refused = await client.chat.completions.create({ model: "mock-1" }).catch(({ status, param }) => [status, param]);
  console.log(JSON.stringify({ models, whole: whole.choices[0].message.content, streamed, chunks, refused }));
})();
"#;

#[tokio::test]
async fn the_openai_package_reads_a_sentence_word_by_word() {
    needs!(OpenAi);
    let mockd = Mockd::run_with(Path::new("scenarios/assistant.yaml"), &["--speed", "100"]).await;
    let mut node = Command::new("node");
    node.args(["-e", ASK]).arg(Tool::OpenAi.path()).arg(format!("{}/v1", mockd.url())).kill_on_drop(true);
    let output = soon("the client's exit", node.output()).await.unwrap();
    let printed: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let sentence = "Mock servers make it easy to try what a slow and chatty model does to a page.";
    let expected = json!({
        "models": ["mock-1"], "whole": sentence, "streamed": format!("{sentence} "), "chunks": 18,
        "refused": [400, "messages"],
    });
    assert_eq!(printed, expected);
}

#[tokio::test]
async fn an_event_source_receives_each_notification_once() {
    needs!(Browser);
    let mockd = example("notifications.yaml").await;
    let browser = Browser::open(1000, 800).await;
    browser.goto(&format!("{}/notifications", mockd.url())).await;
    let listen = "(window.seen = [], window.source = new EventSource('/notifications/stream'), \
                  source.addEventListener('notification', ({ data, lastEventId }) => \
                  seen.push(`${lastEventId} ${JSON.parse(data).text}`)), 0)";
    browser.eval(listen).await;
    browser.becomes("seen", vec!["1 Welcome."]).await;
    assert_eq!(mockd.post("/notifications", r#"{"text":"Hello"}"#).await.status, 201);
    browser.becomes("seen", vec!["1 Welcome.", "2 Hello"]).await;
    // Restoring a snapshot ends the stream. The browser reconnects and sends the id of its last event.
    mockd.control("POST", "/__mockd/snapshots", json!({ "name": "hello" })).await;
    mockd.control("POST", "/__mockd/snapshots/hello/restore", Value::Null).await;
    assert_eq!(mockd.post("/notifications", r#"{"text":"Bye"}"#).await.status, 201);
    browser.becomes("seen", vec!["1 Welcome.", "2 Hello", "3 Bye"]).await;
    browser.close().await;
}
