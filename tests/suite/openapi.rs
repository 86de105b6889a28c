//! The document that describes the control API, compared with the actual answers.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use crate::support::{Mockd, SHOP, ScenarioFile, Tool, command, needs, soon};

/// An order that is due after one second.
const SCRIPT: &str = "orders: { scripts: [{ steps: [{ at: 1s, product: A1, amount: 1 }] }] }\n";

/// Validates answers against the document, and records the operations seen.
struct Contract<'m> {
    mockd: &'m Mockd,
    document: Value,
    seen: BTreeSet<(String, String, String)>,
}

impl<'m> Contract<'m> {
    async fn of(mockd: &'m Mockd) -> Self {
        let document = mockd.get("/__mockd/openapi.json").await.json();
        Self { mockd, document, seen: BTreeSet::new() }
    }

    fn schema(&self, mut schema: Value) -> jsonschema::Validator {
        // The schema's references point into the document.
        schema["components"] = self.document["components"].clone();
        jsonschema::draft202012::new(&schema).unwrap()
    }

    /// Sends a request, and asserts that the request and its answer match the document.
    async fn exchange(&mut self, method: &str, template: &str, names: &[&str], body: Value, status: u16) {
        let operation = self.document["paths"][template][method.to_lowercase()].clone();
        assert!(operation.is_object(), "{method} {template} is not in the document");
        let (path, query) = template.split_once('?').unwrap_or((template, ""));
        let mut path = path.to_owned();
        for name in names {
            let (before, after) = (path.find('{').unwrap(), path.find('}').unwrap());
            path.replace_range(before..=after, name);
        }
        if status < 400 && !body.is_null() {
            let schema = operation["requestBody"]["content"]["application/json"]["schema"].clone();
            let errors: Vec<String> = self.schema(schema).iter_errors(&body).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{method} {path} {body}: {errors:?}");
        }
        let sent = Some(&body).filter(|body| !body.is_null());
        let answer = self.mockd.send(method, &format!("{path}{query}"), sent).await;
        assert_eq!(answer.status, status, "{method} {path} {body}: {}", answer.text);
        let content = &operation["responses"][status.to_string()]["content"];
        let media_type = answer.header("content-type").split(';').next().unwrap();
        assert!(content[media_type].is_object(), "{method} {path} {status} {media_type} is not in the document");
        if media_type == "application/json" {
            let validator = self.schema(content[media_type]["schema"].clone());
            let json = answer.json();
            let errors: Vec<String> = validator.iter_errors(&json).map(|error| format!("{error}")).collect();
            assert!(errors.is_empty(), "{method} {path}: {errors:?} in {json}");
        }
        self.seen.insert((method.to_lowercase(), template.to_owned(), status.to_string()));
    }
}

#[tokio::test]
async fn every_operation_matches_the_document() {
    let file = ScenarioFile::new(&format!("{SHOP}{SCRIPT}"));
    let mut mockd = Mockd::run_with(file.path(), &["--paused"]).await;
    file.write_in_place(&format!("{SHOP}{SCRIPT}").replace("total: 3", "total: 4"));
    mockd.logged("reloaded").await;
    file.write_in_place("categories: 3");
    mockd.logged("is broken").await;
    let live = mockd.live("electronics").await;
    mockd.live("electronics").await.text().await;
    mockd.order("A1", 1).await;
    let mut contract = Contract::of(&mockd).await;
    let none = Value::Null;
    for path in ["health", "openapi.json", "categories", "reload", "state", "clock", "transcript", "snapshots"] {
        contract.exchange("GET", &format!("/__mockd/{path}"), &[], none.clone(), 200).await;
    }
    for path in ["journal", "sockets", "worlds", "products", "timeline", "data", "routes"] {
        contract.exchange("GET", &format!("/__mockd/{path}"), &[], none.clone(), 200).await;
    }
    for request in [json!({ "step": 1 }), json!({ "pause": true, "speed": 0.5, "advance": "1m" })] {
        contract.exchange("POST", "/__mockd/clock", &[], request, 200).await;
    }
    let orders = json!({ "orders": [{ "id": "A1", "amount": 3 }] });
    contract.exchange("POST", "/__mockd/orders", &[], orders, 200).await;
    contract.exchange("PATCH", "/__mockd/state", &[], json!({ "totals": { "A1": 3 } }), 200).await;
    let steps =
        json!({ "do": [{ "order": { "product": "A1", "amount": 1 } }, { "send": { "to": "news", "frame": 1 } }] });
    contract.exchange("POST", "/__mockd/steps", &[], steps, 200).await;
    contract.exchange("POST", "/__mockd/snapshots", &[], json!({ "name": "s" }), 200).await;
    contract.exchange("POST", "/__mockd/snapshots/{name}/restore", &["s"], none.clone(), 200).await;
    contract.exchange("POST", "/__mockd/snapshots/{name}/restore", &["x"], none.clone(), 404).await;
    contract.exchange("DELETE", "/__mockd/snapshots/{name}", &["s"], none.clone(), 200).await;
    contract.exchange("DELETE", "/__mockd/snapshots/{name}", &["s"], none.clone(), 404).await;
    let expect = json!({ "method": "POST", "path": "/orders/A2", "headers": { "host": "*" }, "atLeast": 1 });
    contract.exchange("POST", "/__mockd/verify", &[], json!({ "expect": [expect, {}], "ordered": true }), 200).await;
    let wait = json!({ "for": { "kind": "sent", "socket": 1 }, "timeout": "1s" });
    contract.exchange("POST", "/__mockd/journal/wait", &[], wait, 200).await;
    contract.exchange("POST", "/__mockd/sockets/send", &[], json!({ "text": "hello" }), 200).await;
    contract.exchange("POST", "/__mockd/sockets/{socket}/send", &["1"], json!({ "json": {} }), 200).await;
    contract.exchange("POST", "/__mockd/sockets/{socket}/send", &["9"], json!({ "json": {} }), 404).await;
    contract.exchange("POST", "/__mockd/topics/{topic}", &["news"], json!({ "binary": "AP8=" }), 200).await;
    drop(live);
    let closed = json!({ "for": { "kind": "closed", "exactly": 2 }, "timeout": "20s" });
    contract.exchange("POST", "/__mockd/journal/wait", &[], closed, 200).await;
    contract.exchange("POST", "/__mockd/sockets/close", &[], json!({ "code": 4000, "reason": "x" }), 200).await;
    contract.exchange("POST", "/__mockd/sockets/{socket}/close", &["9"], json!({}), 404).await;
    contract.exchange("DELETE", "/__mockd/journal", &[], none.clone(), 200).await;
    contract.exchange("POST", "/__mockd/reset", &[], json!({ "seed": 5 }), 200).await;
    let fault = json!({ "name": "busy", "on": "http", "method": "POST", "latency": { "min": "1ms", "max": "2ms" } });
    contract.exchange("POST", "/__mockd/faults", &[], fault.clone(), 200).await;
    contract.exchange("GET", "/__mockd/faults", &[], none.clone(), 200).await;
    contract.exchange("GET", "/__mockd/state", &[], none.clone(), 200).await;
    contract.exchange("GET", "/__mockd/faults/{fault}", &["busy"], none.clone(), 200).await;
    contract.exchange("PUT", "/__mockd/faults/{fault}", &["1"], fault.clone(), 200).await;
    contract.exchange("PUT", "/__mockd/faults/{fault}", &["2"], fault, 404).await;
    contract.exchange("DELETE", "/__mockd/faults/{fault}", &["busy"], none.clone(), 200).await;
    contract.exchange("GET", "/__mockd/faults/{fault}", &["busy"], none.clone(), 404).await;
    contract.exchange("DELETE", "/__mockd/faults", &[], none.clone(), 200).await;
    let world = json!({ "name": "a", "seed": 1, "paused": false, "speed": 2 });
    contract.exchange("POST", "/__mockd/worlds", &[], world.clone(), 201).await;
    contract.exchange("POST", "/__mockd/worlds", &[], world, 409).await;
    contract.exchange("GET", "/__mockd/worlds/{name}", &["a"], none.clone(), 200).await;
    contract.exchange("DELETE", "/__mockd/worlds/{name}", &["a"], none.clone(), 200).await;
    contract.exchange("DELETE", "/__mockd/worlds/{name}", &["a"], none.clone(), 404).await;
    contract.exchange("DELETE", "/__mockd/worlds/{name}", &["default"], none.clone(), 409).await;
    contract.exchange("DELETE", "/__mockd/worlds/{name}", &["a%20b"], none, 400).await;
    let shop = json!({ "file": file.path() });
    contract.exchange("GET", "/__mockd/scenarios", &[], Value::Null, 200).await;
    contract.exchange("POST", "/__mockd/scenarios", &[], shop.clone(), 422).await;
    contract.exchange("POST", "/__mockd/scenarios", &[], json!({ "file": "nope.yaml" }), 404).await;
    file.write_in_place(SHOP);
    contract.exchange("POST", "/__mockd/scenarios", &[], shop, 200).await;
    for path in [
        "clock",
        "orders",
        "snapshots",
        "verify",
        "journal/wait",
        "worlds",
        "sockets/send",
        "reset",
        "faults",
        "scenarios",
    ] {
        contract.exchange("POST", &format!("/__mockd/{path}"), &[], json!({ "unknown": 1 }), 400).await;
    }
    contract.exchange("POST", "/__mockd/topics/{topic}", &["news"], json!({ "unknown": 1 }), 400).await;
    contract.exchange("PATCH", "/__mockd/state", &[], json!({ "totals": { "Z9": 1 } }), 400).await;
    for (path, operations) in contract.document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let responses = operation["responses"].as_object().unwrap();
            let success = responses.keys().find(|status| status.starts_with('2')).unwrap();
            // Closing one socket has the same answer as closing all, which is tested.
            let seen = (method.clone(), path.clone(), success.clone());
            let is_close = path == "/__mockd/sockets/{socket}/close";
            assert!(is_close || contract.seen.contains(&seen), "{method} {path} {success} was not tested");
        }
    }
}

#[tokio::test]
async fn mockd_openapi_prints_the_served_document() {
    let mockd = Mockd::run(&ScenarioFile::new(SHOP)).await;
    let printed = soon("the document", command(&["openapi"]).output()).await.unwrap();
    assert!(printed.status.success());
    let printed: Value = serde_json::from_slice(&printed.stdout).unwrap();
    assert_eq!(printed, mockd.get("/__mockd/openapi.json").await.json());
}

#[tokio::test]
async fn the_document_is_openapi_3_1_with_both_server_urls() {
    let mockd = Mockd::run(&ScenarioFile::new(SHOP)).await;
    let document = mockd.get("/__mockd/openapi.json").await.json();
    assert_eq!(document["openapi"], "3.1.0");
    let urls: Vec<&Value> = document["servers"].as_array().unwrap().iter().map(|server| &server["url"]).collect();
    assert_eq!(urls, ["/", "/@{world}"]);
    let ids: Vec<String> = document["paths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|path| path.as_object().unwrap().values())
        .map(|operation| operation["operationId"].to_string())
        .collect();
    assert_eq!(ids.len(), ids.iter().collect::<BTreeSet<_>>().len());
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(document["components"]["schemas"][name].is_object(), "{name} is not declared");
    }
}

/// The checks that schemathesis runs on every answer. Its other checks need facts that no document can state, such as
/// the ids of the products.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_schema_conformance,response_headers_conformance,negative_data_rejection";

/// Returns a command that sends valid and invalid requests, and sequences of requests, generated from the document at a
/// URL.
fn schemathesis(document: &str) -> Command {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(Tool::Schemathesis.path());
    command.args(["run", document, "--checks", CHECKS, "--seed", "42", "--max-examples", "10"]);
    command.args(["--continue-on-failure", "--generation-database", "none", "--warnings", "off", "--no-color"]);
    command.env("SCHEMATHESIS_HOOKS", "schemathesis_hooks").env("PYTHONPATH", root.join("tests"));
    command.env("PYTHONDONTWRITEBYTECODE", "1").kill_on_drop(true);
    command
}

#[tokio::test]
async fn generated_requests_are_answered_as_documented() {
    needs!(Schemathesis);
    let file = ScenarioFile::new(&format!("{SHOP}{SCRIPT}"));
    let mockd = Mockd::run_with(file.path(), &["--paused", "--seed", "42"]).await;
    let scratch = TempDir::new().unwrap();
    let mut schemathesis = schemathesis(&format!("{}/__mockd/openapi.json", mockd.url()));
    let output = schemathesis.current_dir(scratch.path()).output();
    let output = tokio::time::timeout(Duration::from_mins(5), output).await.expect("schemathesis did not finish");
    let output = output.unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{stdout} {}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn an_unknown_control_path_names_the_nearest_one() {
    let mockd = Mockd::shop().await;
    for (method, path, nearest) in [
        ("GET", "/__mockd/jornal", ", did you mean GET /__mockd/journal?"),
        ("GET", "/__mockd/reset", ", did you mean POST /__mockd/reset?"),
        ("POST", "/__mockd/state/products/A1", ", did you mean GET /__mockd/state?"),
        ("GET", "/__mockd/nothing-like-it", ""),
    ] {
        let answer = mockd.send(method, path, None).await;
        assert_eq!(answer.status, 404);
        assert_eq!(answer.json()["message"], format!("Route {method}:{path} not found{nearest}"));
    }
}
