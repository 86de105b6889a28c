//! The addresses that a server listens on, and its greeting.

use std::net::TcpListener;
use std::process::Stdio;

use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdout};

use crate::support::{Mockd, SHOP, ScenarioFile, Socket, command, http, needs, poll, signal, soon};

/// Returns both addresses of `localhost` with mockd's port.
fn addresses(mockd: &Mockd) -> [String; 2] {
    ["127.0.0.1", "[::1]"].map(|host| format!("{host}:{}", mockd.port()))
}

#[tokio::test]
async fn localhost_listens_on_ipv4_and_ipv6_on_the_same_port() {
    needs!(Ipv6);
    for (server, flags) in [
        ("", &[][..]),
        ("", &["--host", "localhost"]),
        ("server: { host: localhost }", &[]),
        ("", &["--host", "LocalHost"]),
    ] {
        let mockd = Mockd::shop_with(server, flags).await;
        assert_eq!(mockd.url(), format!("http://127.0.0.1:{}", mockd.port()), "{server} {flags:?}");
        for address in addresses(&mockd) {
            let answer = http("GET", &format!("http://{address}/electronics"), &[], None).await;
            assert_eq!(answer.status, 200, "{server} {flags:?} {address}");
        }
    }
}

#[tokio::test]
async fn an_ip_address_as_host_listens_only_there() {
    needs!(Ipv6);
    for (server, flags, listens) in [
        ("", &["--host", "127.0.0.1"][..], [true, false]),
        ("server: { host: 127.0.0.1 }", &[], [true, false]),
        ("", &["--host", "::1"], [false, true]),
        ("", &["--host", "[::1]"], [false, true]),
    ] {
        let mockd = Mockd::shop_with(server, flags).await;
        for (address, listens) in addresses(&mockd).into_iter().zip(listens) {
            assert_eq!(TcpStream::connect(&address).await.is_ok(), listens, "{server} {flags:?} {address}");
        }
    }
}

#[tokio::test]
async fn both_addresses_share_the_connection_limit_and_shutdown() {
    needs!(Ipv6);
    let mockd = Mockd::shop_with("", &["--max-connections", "2"]).await;
    let addresses = addresses(&mockd);
    let open = async |address| Socket::open(&format!("ws://{address}/orders/electronics")).await;
    let mut sockets = [open(&addresses[0]).await, open(&addresses[1]).await];
    for address in &addresses {
        // The connection is refused before it sends a request.
        let (mut stream, mut answer) = (TcpStream::connect(address).await.unwrap(), String::new());
        soon("a refusal", stream.read_to_string(&mut answer)).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 503 "), "{address} {answer}");
    }
    mockd.signal("TERM");
    for socket in &mut sockets {
        socket.texts(2).await;
        assert_eq!(socket.close_code().await, 1001);
    }
    assert_eq!(mockd.ended().await.code(), Some(0));
    for address in &addresses {
        assert!(TcpStream::connect(address).await.is_err(), "{address}");
    }
}

#[tokio::test]
async fn another_program_on_ipv6_localhost_causes_a_warning() {
    needs!(Ipv6);
    for host in ["localhost", "0.0.0.0"] {
        let other = TcpListener::bind("[::1]:0").unwrap();
        let port = other.local_addr().unwrap().port().to_string();
        let mut mockd = Mockd::shop_with("", &["--host", host, "--port", &port]).await;
        let expected = format!(
            "another program listens on [::1]:{port}; browsers that open http://localhost:{port} may reach it instead of mockd, \
             so open http://127.0.0.1:{port}, or choose another port with --port"
        );
        assert_eq!(mockd.logged("another program").await, expected);
        assert_eq!(http("GET", &format!("http://127.0.0.1:{port}/electronics"), &[], None).await.status, 200);
    }
}

#[tokio::test]
async fn every_printed_url_opens() {
    needs!(Ipv6);
    for host in ["0.0.0.0", "::"] {
        let mockd = Mockd::shop_with("", &["--host", host]).await;
        let (local, network) = (format!("http://localhost:{}", mockd.port()), mockd.greeting()["network"].clone());
        assert_eq!(mockd.url(), local, "{host}");
        for address in addresses(&mockd) {
            assert_eq!(
                http("GET", &format!("http://{address}/electronics"), &[], None).await.status,
                200,
                "{host} {address}"
            );
        }
        let network: Vec<&str> = network.as_array().into_iter().flatten().map(|url| url.as_str().unwrap()).collect();
        for url in network.iter().copied().chain([&*local]) {
            assert_eq!(http("GET", &format!("{url}/electronics"), &[], None).await.status, 200, "{host} {url}");
            assert!(!url.contains("0.0.0.0") && !url.contains("[::]"), "{url}");
        }
        // The text greeting has the same URLs.
        let mut started = Started::with(SHOP, &["--host", host, "--port", "0"]);
        let lines = started.until("ready, ").await;
        let port = lines[0].rsplit(':').next().unwrap();
        assert_eq!(lines[0], format!("mockd serves shop at http://localhost:{port}"));
        let elsewhere =
            network.iter().map(|url| format!("  from other machines at {}:{port}", url.rsplit_once(':').unwrap().0));
        assert_eq!(lines[1..=network.len()], elsewhere.collect::<Vec<_>>());
        let socket = format!("ws://localhost:{port}/orders/electronics");
        assert_eq!(lines[1 + network.len()], format!("  /electronics    2 products  {socket}"));
    }
}

/// A server with a text greeting.
struct Started {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    file: ScenarioFile,
}

impl Started {
    fn with(scenario: &str, flags: &[&str]) -> Self {
        let file = ScenarioFile::new(scenario);
        let mut command = command(&["run"]);
        command.arg(file.path()).args(flags).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines, file }
    }

    /// Returns the printed lines up to one that starts with `last`.
    async fn until(&mut self, last: &str) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        while !lines.last().is_some_and(|line| line.starts_with(last)) {
            lines.push(soon("a line", self.lines.next_line()).await.unwrap().expect("the output ended"));
        }
        lines
    }

    /// Stops the server, and returns what it has printed since.
    async fn rest(self) -> String {
        signal(self.child.id().unwrap(), "TERM");
        let mut rest = String::new();
        soon("the end", self.lines.into_inner().read_to_string(&mut rest)).await.unwrap();
        rest
    }
}

#[cfg(unix)]
#[tokio::test]
async fn quiet_prints_only_the_url_and_the_ready_line() {
    for (server, flags) in [("", &["-q", "--port", "0"][..]), ("server: { port: 0 }", &["-q"])] {
        let mut started = Started::with(&format!("{server}{SHOP}"), flags);
        let lines = started.until("ready, ").await;
        assert_eq!(lines.len(), 2, "{lines:#?}");
        let url = lines[0].strip_prefix("mockd serves shop at ").unwrap();
        assert_eq!(http("GET", &format!("{url}/electronics"), &[], None).await.status, 200);
        assert_eq!(started.rest().await, "");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn quiet_twice_prints_nothing() {
    for format in ["text", "json"] {
        let ready = tempfile::TempDir::new().unwrap();
        let ready = ready.path().join("ready.json");
        let flags = ["-qq", "--port", "0", "--log-format", format, "--ready-file", ready.to_str().unwrap()];
        let started = Started::with(SHOP, &flags);
        poll("the ready file", async || ready.exists().then_some(())).await;
        assert_eq!(started.rest().await, "");
    }
}

#[tokio::test]
async fn printed_paths_are_percent_encoded() {
    let scenario = r#"
name: shop
categories:
  toys: { prefix: T, products: [{ id: T1 }] }
  家電 👩‍👩‍👧: { prefix: K, products: [{ id: K1 }, { id: K2 }, { id: K3 }, { id: K4 }, { id: K5 }, { id: K6 }, { id: K7 }, { id: K8 }, { id: K9 }, { id: K10 }] }
  "100% ?#é": { prefix: P, products: [] }
"#;
    let mut started = Started::with(scenario, &["--port", "0"]);
    let lines = started.until("ready, ").await;
    let address = lines[0].strip_prefix("mockd serves shop at http://").unwrap();
    let family = "%E5%AE%B6%E9%9B%BB%20%F0%9F%91%A9%E2%80%8D%F0%9F%91%A9%E2%80%8D%F0%9F%91%A7";
    let percent = "100%25%20%3F%23%C3%A9";
    let width = family.len();
    let expected = [
        format!("  /{:width$}   1 product   ws://{address}/orders/toys", "toys"),
        format!("  /{family}  10 products  ws://{address}/orders/{family}  家電 👩‍👩‍👧"),
        format!("  /{percent:width$}   0 products  ws://{address}/orders/{percent}  100% ?#é"),
        format!("  watching {}: edit it and save", started.file.path().display()),
    ];
    assert_eq!(lines[1..5], expected);
    for path in ["toys", family, percent] {
        assert_eq!(http("GET", &format!("http://{address}/{path}"), &[], None).await.status, 200, "{path}");
        let mut live = Socket::open(&format!("ws://{address}/orders/{path}")).await;
        if path != percent {
            assert!(live.text().await.contains(r#""total":0"#));
        }
    }
}

#[tokio::test]
async fn the_greeting_for_one_address_lists_no_network_urls() {
    let mockd = Mockd::shop_with("", &["--host", "127.0.0.1"]).await;
    assert_eq!(mockd.greeting()["network"], json!(null));
}
