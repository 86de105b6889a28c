//! The short way for frequent requests answers as the routes do. A request takes the routes if its world is named by the
//! header, so each one here is sent both ways, byte by byte.

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpSocket, TcpStream};

use crate::support::{Mockd, SHOP, ScenarioFile, soon};

/// What leads a request to the routes and means nothing else.
const BY_THE_ROUTES: &str = "x-mockd-world: default\r\n";

/// Sends requests on a connection of their own, and gives the answers to so many of them.
async fn exchange(mockd: &Mockd, requests: &str, count: usize) -> Vec<String> {
    let mut stream = BufReader::new(TcpStream::connect(mockd.address()).await.unwrap());
    stream.write_all(requests.as_bytes()).await.unwrap();
    let mut answers = Vec::new();
    for _ in 0..count {
        answers.push(soon("an answer", answer(&mut stream, requests.starts_with("HEAD"))).await);
    }
    answers
}

/// One answer, but for its date, the only thing that depends on when it is asked for.
async fn answer(stream: &mut BufReader<TcpStream>, is_head: bool) -> String {
    let (mut text, mut length) = (String::new(), 0);
    while !text.ends_with("\r\n\r\n") {
        let mut line = String::new();
        assert_ne!(stream.read_line(&mut line).await.unwrap(), 0, "the connection ended after {text}");
        if let Some(value) = line.strip_prefix("content-length: ").filter(|_| !is_head) {
            length = value.trim().parse().unwrap();
        }
        if !line.starts_with("date: ") {
            text += &line;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    text + std::str::from_utf8(&body).unwrap()
}

fn request(line: &str, headers: &str, body: Option<&str>) -> String {
    let length = body.map(|body| format!("content-length: {}\r\n", body.len())).unwrap_or_default();
    format!("{line} HTTP/1.1\r\nhost: localhost\r\n{headers}{length}\r\n{}", body.unwrap_or_default())
}

const JSON: &str = "content-type: application/json\r\n";

/// Requests that the short way takes, and some that only look as if it did.
fn requests(extra: &str) -> Vec<String> {
    let get = |target: &str| request(&format!("GET {target}"), extra, None);
    let post = |target: &str, body: &str| request(&format!("POST {target}"), &format!("{JSON}{extra}"), Some(body));
    let mut requests: Vec<String> =
        ["/electronics", "/electronics/", "/confectionery?a=b&c", "/%65lectronics", "/nothing", "/orders/A1"]
            .map(get)
            .into();
    let bodies = [
        r#"{"amount":1}"#,
        r#" {"note":[1],"amount":3.0} "#,
        r#"{"amount":-2e0}"#,
        r#"{"amount":1.5}"#,
        r#"{"amount":"3"}"#,
        r#"{"amount":1,"amount":2}"#,
        r#"{"amount":1,"x":"\ud800"}"#,
        r#"{"amount":1,"x":1e999}"#,
        "\x0c{\"amount\":1}",
        r#"{"amount":9007199254740991}"#,
        r#"{"amount":1e300}"#,
        "[1]",
        "null",
        "{}",
        "{\"amount\":1",
        "",
    ];
    requests.extend(bodies.iter().map(|body| post("/orders/A1", body)));
    requests.extend(
        ["/orders/Z9", "/orders/A%31", "/orders/", "/orders/A1/", "/electronics"].map(|to| post(to, bodies[0])),
    );
    requests.push(request("POST /orders/A1", &format!("content-type: text/plain\r\n{extra}"), Some(bodies[0])));
    requests.push(request("POST /orders/A1", extra, Some(bodies[0])));
    requests.push(request("POST /orders/A1", &format!("content-type: text/plain\r\n{JSON}{extra}"), Some(bodies[0])));
    requests.push(request(
        "POST /orders/A1",
        &format!("content-type: application/json; x=ä\r\n{extra}"),
        Some(bodies[0]),
    ));
    requests.extend(["/electronics?<b>", "/electronics?a#b", "/electronics#a", "//electronics"].map(get));
    requests.push(request("POST /orders/A1", &format!("{JSON}{extra}"), None));
    requests.push(request("HEAD /electronics", extra, None));
    requests.push(request("OPTIONS /electronics", extra, None));
    requests.push(request("DELETE /electronics", extra, None));
    requests
}

/// The journal without what tells the two ways apart: the header, and times.
async fn journal(mockd: &Mockd) -> Vec<Value> {
    let mut entries = mockd.get("/__mockd/journal").await.json()["entries"].take();
    for entry in entries.as_array_mut().unwrap() {
        let entry = entry.as_object_mut().unwrap();
        entry.remove("at");
        entry.get_mut("headers").and_then(Value::as_object_mut).unwrap().remove("x-mockd-world");
    }
    entries.as_array().unwrap().clone()
}

async fn shop(cors: &str) -> Mockd {
    Mockd::run(&ScenarioFile::new(&format!("{cors}\n{SHOP}"))).await
}

#[tokio::test]
async fn the_short_way_and_the_routes_give_the_same_answers_and_the_same_journal() {
    for cors in ["", "server: { cors: false }"] {
        let (short, long) = (shop(cors).await, shop(cors).await);
        for (one, other) in requests("").iter().zip(&requests(BY_THE_ROUTES)) {
            assert_eq!(exchange(&short, one, 1).await, exchange(&long, other, 1).await, "{cors} {one}");
        }
        assert_eq!(journal(&short).await, journal(&long).await, "{cors}");
        let totals = |state: Value| state["totals"].clone();
        let (short, long) = (short.get("/__mockd/state").await.json(), long.get("/__mockd/state").await.json());
        assert_eq!(totals(short), totals(long), "{cors}");
    }
}

#[tokio::test]
async fn requests_of_both_ways_on_one_connection_are_answered_in_their_order() {
    let mockd = shop("").await;
    let order = |amount: i64| request("POST /orders/A1", JSON, Some(&json!({ "amount": amount }).to_string()));
    let wrong = request("POST /orders/A1", JSON, Some("null"));
    let list = request("GET /confectionery", "", None);
    let all = [order(1), list.clone(), order(10), wrong, order(100), list].concat();
    let answers = exchange(&mockd, &all, 6).await;
    let expected =
        ["{\"ok\":true}", "Chewy Toffee", "{\"ok\":true}", "must be an integer", "{\"ok\":true}", "Chewy Toffee"];
    for (answer, expected) in answers.iter().zip(expected) {
        assert!(answer.contains(expected), "{answer}");
    }
    assert_eq!(mockd.get("/__mockd/state").await.json()["totals"]["A1"], 114);
}

#[tokio::test]
async fn a_request_that_comes_in_pieces_is_answered_all_the_same() {
    let mockd = shop("").await;
    let order = request("POST /orders/A1", JSON, Some(r#"{"amount":1}"#));
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
async fn an_answer_of_many_products_comes_whole_however_slowly_it_is_read() {
    let products: Vec<String> = (1..=20_000).map(|id| format!("{{ id: T{id}, name: Toy number {id} }}")).collect();
    let products = products.join(", ");
    let file = ScenarioFile::new(&format!("categories: {{ toys: {{ prefix: T, products: [{products}] }} }}"));
    let mockd = Mockd::run(&file).await;
    let both = [request("GET /toys", "", None), request("GET /toys", "", None)].concat();
    for answer in exchange(&mockd, &both, 2).await {
        assert_eq!(answer.matches("\"id\"").count(), 20_000);
        assert!(answer.ends_with("Toy number 20000\"}]"));
    }
}

/// A category with so many products.
fn long(count: usize) -> ScenarioFile {
    let product = |number| format!("{{id: A{number}, name: Vacuum Cleaner {number}, rrp: '99.99'}}");
    let products: Vec<String> = (1..=count).map(product).collect();
    ScenarioFile::new(&format!("categories: {{electronics: {{prefix: A, products: [{}]}}}}", products.join(",")))
}

#[tokio::test]
async fn a_long_list_is_the_same_however_often_it_is_asked_for_and_the_next_one_once_it_has_changed() {
    let file = long(3000);
    let mockd = Mockd::run(&file).await;
    for _ in 0..3 {
        let by_the_routes = exchange(&mockd, &request("GET /electronics", BY_THE_ROUTES, None), 1).await;
        assert!(by_the_routes[0].len() > 128 * 1024);
        // Several in one write, and with a short one between them.
        let (long, short) =
            (request("GET /electronics", "", None), request("POST /orders/A1", JSON, Some(r#"{"amount":1}"#)));
        let answers = exchange(&mockd, &[&*long, &*short, &*long, &*long, &*short].concat(), 5).await;
        for index in [0, 2, 3] {
            assert!(answers[index] == by_the_routes[0], "answer {index} differs");
        }
        assert!([1, 4].iter().all(|index| answers[*index].ends_with(r#"{"ok":true}"#)));
        assert_eq!(mockd.post("/electronics", r#"{"name":"Another"}"#).await.status, 200);
    }
}

/// A client that takes little at once, and has sent a request of which it has read nothing.
async fn slow_client(mockd: &Mockd, request: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(1).unwrap();
    let mut stream = socket.connect(mockd.address().parse().unwrap()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// The body of the answer that a client gets.
async fn read_body(stream: &mut TcpStream) -> Vec<u8> {
    let (mut read, mut buffer) = (Vec::new(), vec![0; 1 << 14]);
    while !read.ends_with(b"]") {
        let length = soon("more of it", stream.read(&mut buffer)).await.unwrap();
        assert_ne!(length, 0, "the connection ended after {} bytes", read.len());
        read.extend_from_slice(&buffer[..length]);
    }
    body(&read).to_vec()
}

fn body(answer: &[u8]) -> &[u8] {
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap();
    &answer[end + 4..]
}

#[tokio::test]
async fn a_client_that_reads_a_long_list_slowly_gets_all_of_it() {
    let mockd = Mockd::run(&long(60_000)).await;
    let whole = exchange(&mockd, &request("GET /electronics", BY_THE_ROUTES, None), 1).await.remove(0);
    let get = request("GET /electronics", "", None);
    for _ in 0..2 {
        let mut client = slow_client(&mockd, &get).await;
        assert!(read_body(&mut client).await == body(whole.as_bytes()));
    }
}

#[tokio::test]
async fn clients_that_still_read_a_long_list_get_it_as_it_was_when_they_asked_though_it_has_changed() {
    let mockd = Mockd::run(&long(20_000)).await;
    let (get, add) =
        (request("GET /electronics", "", None), request("POST /electronics", JSON, Some(r#"{"name":"x"}"#)));
    let mut clients = Vec::new();
    for _ in 0..5 {
        let now = exchange(&mockd, &[&*get, &*get].concat(), 2).await.remove(1);
        for _ in 0..3 {
            let client = slow_client(&mockd, &get).await;
            client.readable().await.unwrap();
            clients.push((client, now.clone()));
        }
        exchange(&mockd, &add, 1).await;
    }
    for (client, then) in &mut clients {
        assert!(read_body(client).await == body(then.as_bytes()));
    }
}

#[tokio::test]
async fn clients_that_leave_in_the_middle_of_a_long_list_disturb_nobody() {
    let mockd = Mockd::run(&long(20_000)).await;
    let get = request("GET /electronics", "", None);
    let whole = exchange(&mockd, &get, 1).await.remove(0);
    for _ in 0..20 {
        let client = slow_client(&mockd, &get).await;
        client.readable().await.unwrap();
        drop(client);
        assert!(exchange(&mockd, &get, 1).await[0] == whole);
    }
}
