//! No name, from a scenario or a request, can inject a header or a second answer.

use std::fs;

use crate::support::{Mockd, SHOP, ScenarioFile, raw};

/// A text that would inject a header and end the head.
const EVIL: &str = "x\r\nx-evil: 1\r\n\r\nevil";

/// A text that would inject a second answer. No category declares it, because their names cannot contain a slash.
const SECOND: &str = "x\r\ncontent-length: 0\r\n\r\nHTTP/1.1 200 OK\r\nx-evil: 1\r\ncontent-length: 4\r\n\r\nevil";

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect::<Vec<_>>().concat()
}

/// Writes a file that uses `EVIL` wherever users choose a name or a value.
fn write_scenario(file: &ScenarioFile) {
    let evil = serde_json::to_string(EVIL).unwrap();
    let own = format!("{{ id: {evil}, name: {evil}, {evil}: {evil}, total: 1, order: {{ {evil}: {evil} }} }}");
    let category = format!("  {evil}:\n    prefix: {evil}\n    products: [{own}]\n");
    file.write_in_place(&format!("name: {evil}{SHOP}{category}"));
}

/// Asserts that this is exactly one complete answer, without an injected header.
fn assert_one_answer(request: &str, answer: &str) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{request}\n{answer}"));
    let mut lines = head.split("\r\n");
    assert!(lines.next().unwrap().starts_with("HTTP/1.1 "), "{request}\n{answer}");
    let mut length = None;
    for line in lines {
        let (name, value) = line.split_once(':').unwrap_or_else(|| panic!("{request}\n{answer}"));
        assert!(
            name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-') && name != "x-evil",
            "{request}\n{answer}"
        );
        assert!(!value.contains(['\r', '\n']), "{request}\n{answer}");
        if name == "content-length" {
            assert_eq!(length.replace(value.trim().parse::<usize>().unwrap()), None, "{request}\n{answer}");
        }
    }
    let is_empty = request.starts_with("HEAD ") || head.starts_with("HTTP/1.1 204 ");
    let expected = if is_empty { 0 } else { length.unwrap_or(0) };
    assert_eq!(body.len(), expected, "{request}\n{answer}");
}

/// Paths in which `N` stands for a name.
const PATHS: &str =
    "/N /N/ /orders/N /@N /@N/ /@a/N /N?N /sub/N /N/N /__mockd/N /__mockd/worlds/N /__mockd/journal?kind=N";

/// Returns requests that contain a name, whether or not the scenario declares it.
fn requests(name: &str) -> Vec<String> {
    let request =
        |line: String, more: &str| format!("{line} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{more}\r\n");
    let json = |body: &str| format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len());
    let mut requests = Vec::new();
    for path in PATHS.split(' ').map(|path| path.replace('N', name)) {
        requests.extend(["GET", "HEAD", "OPTIONS", "DELETE"].map(|method| request(format!("{method} {path}"), "")));
    }
    for (path, body) in
        [("/N", "{}"), ("/orders/N", r#"{"amount":1}"#), ("/orders/N", "{"), ("/__mockd/sockets/N/close", "{}")]
    {
        requests.push(request(format!("POST {}", path.replace('N', name)), &json(body)) + body);
    }
    let headers =
        ["origin", "x-mockd-world", "access-control-request-headers", "sec-websocket-protocol", "authorization"];
    requests.extend(headers.map(|header| request("OPTIONS /electronics".into(), &format!("{header}: {name}\r\n"))));
    requests.extend(headers.map(|header| request("GET /electronics".into(), &format!("{header}: {name}\r\n"))));
    requests
}

#[tokio::test]
async fn no_scenario_value_or_request_part_gets_into_a_response_head() {
    let file = ScenarioFile::new(SHOP);
    write_scenario(&file);
    let mockd = Mockd::run(&file).await;
    let breaks = ["x\nx-evil: 1", "x\rx-evil: 1", "\r\nx-evil: 1", "\0"].map(encoded);
    for name in breaks.into_iter().chain([encoded(EVIL), encoded(SECOND), "%250d%250ax-evil".into()]) {
        for request in requests(&name) {
            assert_one_answer(&request, &raw(&mockd, request.as_bytes()).await);
        }
    }
    // The mock does serve the name.
    let products = mockd.get(&format!("/{}", encoded(EVIL))).await.json();
    assert_eq!((&products[0]["id"], &products[0][EVIL]), (&EVIL.into(), &EVIL.into()));
    mockd.order(&encoded(EVIL), 1).await;
}

#[tokio::test]
async fn a_category_with_line_breaks_opens_sockets_with_a_clean_head() {
    let file = ScenarioFile::new(SHOP);
    write_scenario(&file);
    let mockd = Mockd::run(&file).await;
    let order: serde_json::Value = serde_json::from_str(&mockd.live(&encoded(EVIL)).await.text().await).unwrap();
    assert_eq!(order, serde_json::json!({ "id": EVIL, "total": 1, EVIL: EVIL }));
    let handshake = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
                     sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: x%0d%0ax-evil: 1\r\n\r\n";
    // An unmasked frame, which closes the socket.
    let request = format!("GET /orders/{} HTTP/1.1\r\nhost: localhost\r\n{handshake}\u{1}\0", encoded(EVIL));
    let answer = raw(&mockd, request.as_bytes()).await;
    let (head, _) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 101 ") && !head.to_lowercase().contains("evil"), "{head}");
}

#[cfg(unix)]
#[tokio::test]
async fn file_and_folder_names_stay_out_of_response_heads() {
    let file = ScenarioFile::new(SHOP);
    let site = file.directory().join("site");
    let folder = site.join("x\r\nx-evil: 1");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("y\r\nx-evil: 1.txt"), "text").unwrap();
    let mockd = Mockd::run_with(file.path(), &["--static", site.to_str().unwrap()]).await;
    let (folder, inside) = (encoded("x\r\nx-evil: 1"), encoded("y\r\nx-evil: 1.txt"));
    for path in [format!("/{folder}"), format!("/{folder}/"), format!("/{folder}/{inside}"), format!("/@a/{folder}")] {
        for method in ["GET", "HEAD"] {
            let request = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
            assert_one_answer(&request, &raw(&mockd, request.as_bytes()).await);
        }
    }
    assert_eq!(mockd.get(&format!("/{folder}/{inside}")).await.text, "text");
}

#[tokio::test]
async fn a_line_break_in_a_header_or_target_gets_400() {
    let mockd = Mockd::run(&ScenarioFile::new(SHOP)).await;
    for lines in [
        "GET /a\rb HTTP/1.1",
        "GET /a\nb HTTP/1.1",
        "GET /a\0b HTTP/1.1",
        "GET / HTTP/1.1\r\norigin: a\rx-evil: 1",
        "GET / HTTP/1.1\r\norigin: a\0b",
        "GET / HTTP/1.1\r\nx-mockd-world: a\r b",
        "GET / HTTP/1.1\r\nx evil: 1",
        "GET / HTTP/1.1\r\n: 1",
    ] {
        let answer = raw(&mockd, format!("{lines}\r\nhost: localhost\r\nconnection: close\r\n\r\n").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{lines}: {answer}");
    }
}
