//! Requests to the mock API as raw bytes: single, pipelined and split, with answers of any size.

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Connection, Mockd, ScenarioFile, soon};

/// Sends requests on a new connection, and returns this number of answers.
async fn exchange(mockd: &Mockd, requests: &str, count: usize) -> Vec<String> {
    let mut connection = Connection::open(mockd).await;
    connection.send(requests.as_bytes()).await.unwrap();
    let mut answers = Vec::new();
    for _ in 0..count {
        let is_head = requests.starts_with("HEAD");
        let answer =
            if is_head { connection.head().await.map(|head| (head, String::new())) } else { connection.answer().await };
        let (head, body) = answer.expect("the connection ended");
        // Only the date depends on the time of the request.
        let lines = head.split_inclusive('\n').filter(|line| !line.starts_with("date: "));
        answers.push(lines.collect::<String>() + &body);
    }
    answers
}

fn request(line: &str, headers: &str, body: Option<&str>) -> String {
    let length = body.map(|body| format!("content-length: {}\r\n", body.len())).unwrap_or_default();
    format!("{line} HTTP/1.1\r\nhost: localhost\r\n{headers}{length}\r\n{}", body.unwrap_or_default())
}

const JSON: &str = "content-type: application/json\r\n";

fn get(target: &str) -> String {
    request(&format!("GET {target}"), "", None)
}

fn post(target: &str, body: &str) -> String {
    request(&format!("POST {target}"), JSON, Some(body))
}

/// Returns an answer's status and body.
fn parts(answer: &str) -> (&str, &str) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (&head["HTTP/1.1 ".len()..][..3], body)
}

const ELECTRONICS: &str = r#"[{"id":"A1","name":"Vacuum Cleaner","rrp":"99.99","info":"The worst vacuum in the world."},{"id":"A2","name":"Leaf Blower","rrp":"303.33","info":"This product will blow your socks off."}]"#;
const CONFECTIONERY: &str = r#"[{"id":"B1","name":"Chewy Toffee","rrp":"0.99","info":"Sticks."}]"#;
const OK: &str = r#"{"ok":true}"#;
const NOT_AN_INTEGER: &str =
    r#"{"statusCode":400,"error":"Bad Request","message":"Supplied amount must be an integer"}"#;
const OUT_OF_RANGE: &str = r#"{"statusCode":400,"error":"Bad Request","message":"The total of A1 would leave the range of ±9007199254740991, it stays 8"}"#;
const UNSUPPORTED: &str = r#"{"statusCode":415,"error":"Unsupported Media Type","message":"Unsupported Media Type, send content-type: application/json"}"#;
const EMPTY: &str = r#"{"statusCode":400,"error":"Bad Request","message":"Body cannot be empty, send a JSON object"}"#;

fn not_json(reason: &str) -> String {
    format!(r#"{{"statusCode":400,"error":"Bad Request","message":"Body is not valid JSON: {reason}"}}"#)
}

fn not_found(route: &str) -> String {
    format!(r#"{{"message":"Route {route} not found","error":"Not Found","statusCode":404}}"#)
}

/// Returns requests in order, each with the expected status and body of its answer.
fn requests() -> Vec<(String, &'static str, String)> {
    let order = |body: &str| post("/orders/A1", body);
    let typed = |headers: &str| request("POST /orders/A1", headers, Some(r#"{"amount":1}"#));
    let upgrade =
        r#"{"statusCode":426,"error":"Upgrade Required","message":"This path speaks WebSocket, connect with ws://"}"#;
    let unknown = r#"{"statusCode":404,"error":"Not Found","message":"Order Z9 not found"}"#;
    let answers: Vec<(String, &str, &str)> = vec![
        (get("/electronics"), "200", ELECTRONICS),
        (get("/electronics/"), "200", ELECTRONICS),
        (get("/confectionery?a=b&c"), "200", CONFECTIONERY),
        (get("/%65lectronics"), "200", ELECTRONICS),
        (get("/electronics?a#b"), "200", ELECTRONICS),
        (get("/electronics#a"), "200", ELECTRONICS),
        (get("/electronics?<b>"), "400", ""),
        (get("/orders/A1"), "426", upgrade),
        (order(r#"{"amount":1}"#), "200", OK),
        (order(r#" {"note":[1],"amount":3.0} "#), "200", OK),
        (order(r#"{"amount":-2e0}"#), "200", OK),
        (order(r#"{"amount":1.5}"#), "400", NOT_AN_INTEGER),
        (order(r#"{"amount":"3"}"#), "400", NOT_AN_INTEGER),
        (order(r#"{"amount":1,"amount":2}"#), "200", OK),
        (order("[1]"), "400", NOT_AN_INTEGER),
        (order("null"), "400", NOT_AN_INTEGER),
        (order("{}"), "400", NOT_AN_INTEGER),
        (order(""), "400", EMPTY),
        (request("POST /orders/A1", JSON, None), "400", EMPTY),
        (post("/orders/Z9", r#"{"amount":1}"#), "404", unknown),
        (post("/orders/A%31", r#"{"amount":1}"#), "200", OK),
        (order(r#"{"amount":9007199254740991}"#), "400", OUT_OF_RANGE),
        (order(r#"{"amount":1e300}"#), "400", OUT_OF_RANGE),
        (post("/orders/A1/", r#"{"amount":1}"#), "200", OK),
        (typed("content-type: text/plain\r\n"), "415", UNSUPPORTED),
        (typed(""), "415", UNSUPPORTED),
        (typed(&format!("content-type: text/plain\r\n{JSON}")), "415", UNSUPPORTED),
        (typed("content-type: application/json; x=ä\r\n"), "415", UNSUPPORTED),
        (request("HEAD /electronics", "", None), "200", ""),
        (request("OPTIONS /electronics", "", None), "204", ""),
    ];
    let mut all: Vec<_> =
        answers.into_iter().map(|(request, status, body)| (request, status, body.to_owned())).collect();
    for (body, reason) in [
        (r#"{"amount":1,"x":"\ud800"}"#, "unexpected end of hex escape at line 1 column 24"),
        (r#"{"amount":1,"x":1e999}"#, "number out of range at line 1 column 21"),
        ("\x0c{\"amount\":1}", "expected value at line 1 column 1"),
        ("{\"amount\":1", "EOF while parsing an object at line 1 column 11"),
    ] {
        all.push((order(body), "400", not_json(reason)));
    }
    for (request, route) in [
        (get("/nothing"), "GET:/nothing"),
        (get("//electronics"), "GET://electronics"),
        (post("/orders/", r#"{"amount":1}"#), "POST:/orders/"),
        (request("DELETE /electronics", "", None), "DELETE:/electronics"),
    ] {
        all.push((request, "404", not_found(route)));
    }
    all
}

#[tokio::test]
async fn every_kind_of_request_is_answered_and_journalled() {
    for (cors, allowed) in [("", true), ("\nserver: { cors: false }", false)] {
        let mockd = Mockd::shop_with(cors, &[]).await;
        for (request, status, body) in requests() {
            let answer = exchange(&mockd, &request, 1).await.remove(0);
            assert_eq!(parts(&answer), (status, &*body), "{cors} {request}");
            // hyper refuses an invalid target, with an empty body.
            let is_from_hyper = body.is_empty() && status == "400";
            let is_allowed = answer.contains("access-control-allow-origin: *\r\n");
            assert_eq!(is_allowed, allowed && !is_from_hyper, "{cors} {request}");
        }
        let journal = mockd.get("/__mockd/journal").await.json();
        let entries = journal["entries"].as_array().unwrap().iter();
        let found: Vec<(String, String)> = entries
            .map(|entry| (entry["method"].as_str().unwrap().into(), entry["answer"]["status"].to_string()))
            .collect();
        let sent = requests().into_iter().filter(|(request, ..)| !request.contains("<b>"));
        let expected: Vec<(String, String)> =
            sent.map(|(request, status, _)| (request.split(' ').next().unwrap().into(), status.into())).collect();
        assert_eq!(found, expected, "{cors}");
        assert_eq!(mockd.get("/__mockd/state").await.json()["totals"]["A1"], 9, "{cors}");
    }
}

#[tokio::test]
async fn requests_on_one_connection_are_answered_in_order() {
    let mockd = Mockd::shop().await;
    let order = |amount: i64| post("/orders/A1", &json!({ "amount": amount }).to_string());
    let invalid = post("/orders/A1", "null");
    let list = get("/confectionery");
    let all = [order(1), list.clone(), order(10), invalid, order(100), list].concat();
    let answers = exchange(&mockd, &all, 6).await;
    let expected =
        ["{\"ok\":true}", "Chewy Toffee", "{\"ok\":true}", "must be an integer", "{\"ok\":true}", "Chewy Toffee"];
    for (answer, expected) in answers.iter().zip(expected) {
        assert!(answer.contains(expected), "{answer}");
    }
    assert_eq!(mockd.get("/__mockd/state").await.json()["totals"]["A1"], 114);
}

#[tokio::test]
async fn a_request_in_pieces_is_answered() {
    let mockd = Mockd::shop().await;
    let order = post("/orders/A1", r#"{"amount":1}"#);
    let mut stream = TcpStream::connect(mockd.address()).await.unwrap();
    stream.set_nodelay(true).unwrap();
    for byte in order.as_bytes() {
        stream.write_all(&[*byte]).await.unwrap();
        tokio::task::yield_now().await;
    }
    let mut answer = [0; 15];
    soon("an answer", stream.read_exact(&mut answer)).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200 OK");
}

#[tokio::test]
async fn pipelined_long_answers_arrive_complete() {
    let products: Vec<String> = (1..=20_000).map(|id| format!("{{ id: T{id}, name: Toy number {id} }}")).collect();
    let products = products.join(", ");
    let file = ScenarioFile::new(&format!("categories: {{ toys: {{ prefix: T, products: [{products}] }} }}"));
    let mockd = Mockd::run(&file).await;
    let both = [get("/toys"), get("/toys")].concat();
    for answer in exchange(&mockd, &both, 2).await {
        assert_eq!(answer.matches("\"id\"").count(), 20_000);
        assert!(answer.ends_with("Toy number 20000\"}]"));
    }
}

/// Returns a scenario with this number of products.
fn long_list(count: usize) -> ScenarioFile {
    let product = |number| format!("{{id: A{number}, name: Vacuum Cleaner {number}, rrp: '99.99'}}");
    let products: Vec<String> = (1..=count).map(product).collect();
    ScenarioFile::new(&format!("categories: {{electronics: {{prefix: A, products: [{}]}}}}", products.join(",")))
}

#[tokio::test]
async fn a_long_list_is_identical_until_it_changes() {
    let file = long_list(3000);
    let mockd = Mockd::run(&file).await;
    for _ in 0..3 {
        let alone = exchange(&mockd, &get("/electronics"), 1).await;
        assert!(alone[0].len() > 128 * 1024);
        // Several requests in one write, with a short answer between the long ones.
        let (long, short) = (get("/electronics"), post("/orders/A1", r#"{"amount":1}"#));
        let answers = exchange(&mockd, &[&*long, &*short, &*long, &*long, &*short].concat(), 5).await;
        for index in [0, 2, 3] {
            assert!(answers[index] == alone[0], "answer {index} differs");
        }
        assert!([1, 4].iter().all(|index| answers[*index].ends_with(r#"{"ok":true}"#)));
        assert_eq!(mockd.post("/electronics", r#"{"name":"Another"}"#).await.status, 200);
    }
}

/// Sends a request on a connection with a small receive buffer, without reading the answer.
async fn slow_client(mockd: &Mockd, request: &str) -> Connection {
    let mut connection = Connection::open_narrow(mockd).await;
    connection.send(request.as_bytes()).await.unwrap();
    connection
}

#[tokio::test]
async fn a_slow_reader_gets_a_whole_long_list() {
    let mockd = Mockd::run(&long_list(60_000)).await;
    let whole = exchange(&mockd, &get("/electronics"), 1).await.remove(0);
    let get = get("/electronics");
    for _ in 0..2 {
        let mut client = slow_client(&mockd, &get).await;
        assert!(client.answer().await.unwrap().1 == parts(&whole).1);
    }
}

#[tokio::test]
async fn slow_readers_get_the_list_as_of_their_request() {
    let mockd = Mockd::run(&long_list(20_000)).await;
    let (get, add) = (get("/electronics"), post("/electronics", r#"{"name":"x"}"#));
    let mut clients = Vec::new();
    for _ in 0..5 {
        let now = exchange(&mockd, &[&*get, &*get].concat(), 2).await.remove(1);
        for _ in 0..3 {
            let client = slow_client(&mockd, &get).await;
            client.readable().await;
            clients.push((client, now.clone()));
        }
        exchange(&mockd, &add, 1).await;
    }
    for (client, then) in &mut clients {
        assert!(client.answer().await.unwrap().1 == parts(then).1);
    }
}

#[tokio::test]
async fn clients_that_disconnect_mid_answer_affect_no_others() {
    let mockd = Mockd::run(&long_list(20_000)).await;
    let get = get("/electronics");
    let whole = exchange(&mockd, &get, 1).await.remove(0);
    for _ in 0..20 {
        let client = slow_client(&mockd, &get).await;
        client.readable().await;
        drop(client);
        assert!(exchange(&mockd, &get, 1).await[0] == whole);
    }
}
