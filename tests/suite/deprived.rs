//! What happens when the system takes away what mockd relies on: a network that swallows everything, file events that are
//! not to be had. Each mockd has a user and a network of its own for that (`unshare(1)`).

use std::path::Path;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};

use crate::support::{Connection, Mockd, SHOP, ScenarioFile, needs, poll, soon};

const PORT: &str = "4000";

/// A wire that ends nowhere yet, with mockd's address at this end.
const WIRE: &str = "ip link add here type veth peer name there; ip addr add 10.77.0.1/24 dev here; ip link set here up";

/// Opens sockets once it is told to, says so, and goes on reading.
const CLIENT: &str = r#"
import socket, sys
handshake = ("GET /orders/electronics HTTP/1.1\r\nhost: mockd\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
             "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n").encode()
sys.stdin.readline()
sockets = [socket.create_connection(("10.77.0.1", int(sys.argv[1]))) for _ in range(20)]
for one in sockets:
    one.sendall(handshake)
    while b'"A2"' not in one.recv(4096):
        pass
print("open", flush=True)
sys.stdin.read()
"#;

/// Runs mockd apart from everything else, after these shell commands.
async fn apart(path: &Path, before: &str, flags: &[&str]) -> Mockd {
    let script = format!(r#"{before}; exec "$0" "$@""#);
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--net", "sh", "-c", &script, env!("CARGO_BIN_EXE_mockd"), "run"]);
    command.arg(path).args(["--log-format", "json"]).args(flags).kill_on_drop(true);
    Mockd::start(command).await
}

/// A command in the network of a process.
fn beside(pid: u32, command: &[&str]) -> Command {
    let mut beside = Command::new("nsenter");
    beside.args(["--target", &pid.to_string(), "--user", "--preserve-credentials", "--net"]).args(command);
    beside.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
    beside
}

async fn run(mut command: Command) {
    assert!(command.status().await.unwrap().success(), "{command:?}");
}

/// A client with open sockets, on a machine of its own at the other end of the wire.
async fn client(mockd: &Mockd) -> Child {
    let mut client = beside(mockd.pid(), &["unshare", "--net", "python3", "-c", CLIENT, PORT]).spawn().unwrap();
    let pid = client.id().unwrap();
    // Before that it is in mockd's network still.
    let network = |pid: u32| std::fs::read_link(format!("/proc/{pid}/ns/net")).unwrap();
    let others = [network(mockd.pid()), network(std::process::id())];
    poll("a network", async || (!others.contains(&network(pid))).then_some(())).await;
    run(beside(mockd.pid(), &["ip", "link", "set", "there", "netns", &pid.to_string()])).await;
    run(beside(pid, &["ip", "addr", "add", "10.77.0.2/24", "dev", "there"])).await;
    run(beside(pid, &["ip", "link", "set", "there", "up"])).await;
    client.stdin.as_mut().unwrap().write_all(b"open\n").await.unwrap();
    let mut lines = BufReader::new(client.stdout.take().unwrap()).lines();
    assert_eq!(soon("open sockets", lines.next_line()).await.unwrap().as_deref(), Some("open"));
    client
}

#[tokio::test]
async fn vanished_peers_are_dropped_even_if_nothing_is_sent_to_them() {
    needs!(Namespaces, Python);
    let file = ScenarioFile::new(SHOP);
    let flags = ["--host", "10.77.0.1", "--port", PORT, "--ping", "200ms", "--peer-timeout", "500ms"];
    let mockd = apart(file.path(), &format!("ip link set lo up; {WIRE}"), &flags).await;
    let client = client(&mockd).await;
    let open = mockd.open_files();
    // From here on what is sent there is neither taken nor refused.
    run(beside(client.id().unwrap(), &["ip", "addr", "del", "10.77.0.2/24", "dev", "there"])).await;
    let dropped = async || (mockd.open_files() <= open - 20).then_some(());
    poll("the end of sockets that nobody has", dropped).await;
}

#[tokio::test]
async fn idle_peers_that_are_still_there_get_pings_and_stay_connected() {
    let file = ScenarioFile::new(SHOP);
    let mockd = Mockd::run_with(file.path(), &["--ping", "50ms", "--peer-timeout", "200ms"]).await;
    let mut raw = crate::support::RawSocket::open(mockd.address(), "/orders/confectionery").await;
    raw.receive().await;
    for _ in 0..10 {
        assert_eq!(raw.receive().await, (0x89, Vec::new()));
    }
    mockd.order("B1", 1).await;
    let order = async {
        loop {
            let (first, payload) = raw.receive().await;
            if first == 0x81 {
                return payload;
            }
        }
    };
    assert_eq!(soon("the order", order).await, br#"{"id":"B1","total":102}"#);
}

/// Listens on ports of `::1`, and becomes the program that is given after them.
const HOLD_PORTS: &str = r#"
import os, socket, sys
held = [socket.create_server(("::1", int(port)), family=socket.AF_INET6) for port in sys.argv[1].split()]
for one in held:
    os.set_inheritable(one.fileno(), True)
os.execvp(sys.argv[2], sys.argv[2:])
"#;

#[tokio::test]
async fn a_free_port_is_free_on_both_addresses_if_there_is_one() {
    needs!(Curl, Namespaces, Python, Ipv6);
    let file = ScenarioFile::new(SHOP);
    // The only ports that the system gives; that which mockd leaves is for its clients.
    let ports = "ip link set lo up; echo 40000 40007 > /proc/sys/net/ipv4/ip_local_port_range";
    let taken = "40000 40001 40003 40004 40006 40007";
    let before = format!(r#"{ports}; exec python3 -c '{HOLD_PORTS}' '{taken}' "$0" "$@""#);
    let mockd = apart(file.path(), &before, &["--port", "0"]).await;
    assert!([40002, 40005].contains(&mockd.port()), "{}", mockd.url());
    let url = format!("http://[::1]:{}/electronics", mockd.port());
    let answer = soon("an answer", beside(mockd.pid(), &["curl", "-sf", &url]).output()).await.unwrap();
    assert!(String::from_utf8_lossy(&answer.stdout).contains("Vacuum Cleaner"));
}

#[tokio::test]
async fn without_ipv6_it_serves_ipv4_and_does_not_complain() {
    needs!(Namespaces);
    let file = ScenarioFile::new(SHOP);
    let without = "echo 1 > /proc/sys/net/ipv6/conf/lo/disable_ipv6; ip link set lo up";
    let mut mockd = apart(file.path(), without, &["--port", PORT]).await;
    assert_eq!(mockd.url(), format!("http://127.0.0.1:{PORT}"));
    file.write_in_place("categories: 3\n");
    assert_eq!(mockd.log_until("is broken").await.len(), 1);
}

#[tokio::test]
async fn without_file_events_it_warns_once_and_polls_the_file() {
    needs!(Namespaces);
    let file = ScenarioFile::new(SHOP);
    let limit = "ip link set lo up; echo 0 > /proc/sys/user/max_inotify_instances";
    let mut mockd = apart(file.path(), limit, &["--port", PORT]).await;
    mockd.logged("file events are unavailable, polling every").await;
    for total in [30, 40] {
        file.write_in_place(&SHOP.replace("total: 3 ", &format!("total: {total} ")));
        let messages = mockd.log_until(&format!("A1 total {} → {total}", if total == 30 { 3 } else { 30 })).await;
        assert!(!messages.iter().any(|message| message.contains("file events")), "{messages:?}");
    }
}

/// Bounds the files that a running mockd may open.
async fn limit_files(mockd: &Mockd, most: usize) {
    // The hard limit stays, so that it can be put back.
    let (pid, limit) = (mockd.pid().to_string(), format!("--nofile={most}:"));
    run({
        let mut prlimit = Command::new("prlimit");
        prlimit.args(["--pid", &pid, &limit]);
        prlimit
    })
    .await;
}

#[tokio::test]
async fn out_of_descriptors_it_serves_the_connected_and_accepts_later() {
    needs!(UtilLinux);
    let file = ScenarioFile::new(SHOP);
    let mut mockd = Mockd::run_with(file.path(), &["--no-watch"]).await;
    let mut socket = mockd.live("confectionery").await;
    socket.text().await;
    let mut there = Connection::open(&mockd).await;
    assert_eq!(there.request(ORDER).await.1, DONE);
    limit_files(&mockd, mockd.open_files()).await;
    let mut others = Vec::new();
    for _ in 0..20 {
        let mut other = Connection::open(&mockd).await;
        other.send(ORDER).await.unwrap();
        others.push(other);
    }
    mockd.logged("cannot accept connections").await;
    for _ in 0..20 {
        assert_eq!(there.request(ORDER).await.1, DONE);
        assert!(socket.text().await.starts_with(r#"{"id":"B1""#));
    }
    limit_files(&mockd, 1_000).await;
    let before = mockd.log_until("accepting connections again").await;
    assert!(!before.iter().any(|message| message.contains("cannot accept")), "{before:?}");
    for other in &mut others {
        assert_eq!(other.answer().await.unwrap().1, DONE);
    }
    assert_eq!(socket.texts(21).await.pop().unwrap(), r#"{"id":"B1","total":142}"#);
}

#[tokio::test]
async fn out_of_file_descriptors_it_still_sends_long_lists() {
    needs!(UtilLinux);
    let products: Vec<String> = (1..=5_000).map(|id| format!("{{ id: T{id}, name: Toy number {id} }}")).collect();
    let products = products.join(", ");
    let file = ScenarioFile::new(&format!("categories: {{ toys: {{ prefix: T, products: [{products}] }} }}"));
    let mockd = Mockd::run_with(file.path(), &["--no-watch"]).await;
    let mut there = Connection::open(&mockd).await;
    let mut lists = Vec::new();
    for _ in 0..3 {
        lists.push(there.request(b"GET /toys HTTP/1.1\r\nhost: localhost\r\n\r\n").await.1);
        limit_files(&mockd, mockd.open_files()).await;
    }
    assert!(lists[0].ends_with(r#"{"id":"T5000","name":"Toy number 5000"}]"#));
    assert!(lists[1] == lists[0] && lists[2] == lists[0]);
}

#[tokio::test]
async fn a_save_that_was_temporarily_unreadable_is_followed_later() {
    needs!(UtilLinux);
    let file = ScenarioFile::new(SHOP);
    let mut mockd = Mockd::run_with(file.path(), &[]).await;
    limit_files(&mockd, 1).await;
    file.write_in_place(&SHOP.replace("total: 7 }", "total: 8 }"));
    mockd.logged("Too many open files").await;
    limit_files(&mockd, 1_000).await;
    mockd.logged("A2 total 7 → 8").await;
}

const ORDER: &[u8] =
    b"POST /orders/B1 HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 12\r\n\r\n{\"amount\":1}";

const DONE: &str = r#"{"ok":true}"#;
