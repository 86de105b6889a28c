//! Missing system resources: a network that drops everything, no IPv6, no file events, no file descriptors. Where
//! necessary, mockd runs in its own user and network namespaces (`unshare(1)`).

use std::path::Path;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};

use crate::support::{Connection, Mockd, SHOP, ScenarioFile, needs, poll, soon};

const PORT: &str = "4000";

/// Creates a pair of network interfaces: `here` has mockd's address, `there` is not connected yet.
const WIRE: &str = "ip link add here type veth peer name there; ip addr add 10.77.0.1/24 dev here; ip link set here up";

/// Opens 20 sockets when it reads a line, prints `open`, and keeps them open.
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

/// Runs mockd in its own namespaces, after the shell commands in `before`.
async fn run_isolated(path: &Path, before: &str, flags: &[&str]) -> Mockd {
    let script = format!(r#"{before}; exec "$0" "$@""#);
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--net", "sh", "-c", &script, env!("CARGO_BIN_EXE_mockd"), "run"]);
    command.arg(path).args(["--log-format", "json"]).args(flags).kill_on_drop(true);
    Mockd::start(command).await
}

/// Returns a command that runs in a process's network namespace.
fn in_network_of(pid: u32, command: &[&str]) -> Command {
    let mut nsenter = Command::new("nsenter");
    nsenter.args(["--target", &pid.to_string(), "--user", "--preserve-credentials", "--net"]).args(command);
    nsenter.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
    nsenter
}

async fn run(mut command: Command) {
    assert!(command.status().await.unwrap().success(), "{command:?}");
}

/// Starts a client with open sockets, in its own network namespace behind the interface `there`.
async fn client(mockd: &Mockd) -> Child {
    let mut client = in_network_of(mockd.pid(), &["unshare", "--net", "python3", "-c", CLIENT, PORT]).spawn().unwrap();
    let pid = client.id().unwrap();
    // Until `unshare` has run, the process is in one of these namespaces.
    let network = |pid: u32| std::fs::read_link(format!("/proc/{pid}/ns/net")).unwrap();
    let others = [network(mockd.pid()), network(std::process::id())];
    poll("the client's network namespace", async || (!others.contains(&network(pid))).then_some(())).await;
    run(in_network_of(mockd.pid(), &["ip", "link", "set", "there", "netns", &pid.to_string()])).await;
    run(in_network_of(pid, &["ip", "addr", "add", "10.77.0.2/24", "dev", "there"])).await;
    run(in_network_of(pid, &["ip", "link", "set", "there", "up"])).await;
    client.stdin.as_mut().unwrap().write_all(b"open\n").await.unwrap();
    let mut lines = BufReader::new(client.stdout.take().unwrap()).lines();
    assert_eq!(soon("open sockets", lines.next_line()).await.unwrap().as_deref(), Some("open"));
    client
}

#[tokio::test]
async fn vanished_peers_are_dropped_even_when_idle() {
    needs!(Namespaces, Python);
    let file = ScenarioFile::new(SHOP);
    let flags = ["--host", "10.77.0.1", "--port", PORT, "--ping", "200ms", "--peer-timeout", "500ms"];
    let mockd = run_isolated(file.path(), &format!("ip link set lo up; {WIRE}"), &flags).await;
    let client = client(&mockd).await;
    let open = mockd.open_files();
    // From here on, packets to the client are neither accepted nor rejected.
    run(in_network_of(client.id().unwrap(), &["ip", "addr", "del", "10.77.0.2/24", "dev", "there"])).await;
    let dropped = async || (mockd.open_files() <= open - 20).then_some(());
    poll("the end of the vanished sockets", dropped).await;
}

#[tokio::test]
async fn idle_peers_get_pings_and_stay_connected() {
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

/// Listens on ports of `::1`, then executes the program named after them.
const HOLD_PORTS: &str = r#"
import os, socket, sys
held = [socket.create_server(("::1", int(port)), family=socket.AF_INET6) for port in sys.argv[1].split()]
for one in held:
    os.set_inheritable(one.fileno(), True)
os.execvp(sys.argv[2], sys.argv[2:])
"#;

#[tokio::test]
async fn port_0_picks_a_port_that_is_free_on_both_addresses() {
    needs!(Curl, Namespaces, Python, Ipv6);
    let file = ScenarioFile::new(SHOP);
    // The only ephemeral ports. mockd takes one of the two free ones, and clients use the other.
    let ports = "ip link set lo up; echo 40000 40007 > /proc/sys/net/ipv4/ip_local_port_range";
    let taken = "40000 40001 40003 40004 40006 40007";
    let before = format!(r#"{ports}; exec python3 -c '{HOLD_PORTS}' '{taken}' "$0" "$@""#);
    let mockd = run_isolated(file.path(), &before, &["--port", "0"]).await;
    assert!([40002, 40005].contains(&mockd.port()), "{}", mockd.url());
    let url = format!("http://[::1]:{}/electronics", mockd.port());
    let answer = soon("an answer", in_network_of(mockd.pid(), &["curl", "-sf", &url]).output()).await.unwrap();
    assert!(String::from_utf8_lossy(&answer.stdout).contains("Vacuum Cleaner"));
}

#[tokio::test]
async fn without_ipv6_mockd_serves_ipv4_without_a_warning() {
    needs!(Namespaces);
    let file = ScenarioFile::new(SHOP);
    let without = "echo 1 > /proc/sys/net/ipv6/conf/lo/disable_ipv6; ip link set lo up";
    let mut mockd = run_isolated(file.path(), without, &["--port", PORT]).await;
    assert_eq!(mockd.url(), format!("http://127.0.0.1:{PORT}"));
    file.write_in_place("categories: 3\n");
    assert_eq!(mockd.log_until("is broken").await.len(), 1);
}

#[tokio::test]
async fn without_file_events_mockd_warns_once_and_polls_the_file() {
    needs!(Namespaces);
    let file = ScenarioFile::new(SHOP);
    let limit = "ip link set lo up; echo 0 > /proc/sys/user/max_inotify_instances";
    let mut mockd = run_isolated(file.path(), limit, &["--port", PORT]).await;
    mockd.logged("file events are unavailable, polling every").await;
    for total in [30, 40] {
        file.write_in_place(&SHOP.replace("total: 3 ", &format!("total: {total} ")));
        let messages = mockd.log_until(&format!("A1 total {} → {total}", if total == 30 { 3 } else { 30 })).await;
        assert!(!messages.iter().any(|message| message.contains("file events")), "{messages:?}");
    }
}

/// Limits the number of files that a running mockd may open.
async fn limit_files(mockd: &Mockd, max: usize) {
    // Only the soft limit changes, so that it can be raised again.
    let (pid, limit) = (mockd.pid().to_string(), format!("--nofile={max}:"));
    run({
        let mut prlimit = Command::new("prlimit");
        prlimit.args(["--pid", &pid, &limit]);
        prlimit
    })
    .await;
}

#[tokio::test]
async fn without_descriptors_open_connections_work_and_new_ones_wait() {
    needs!(UtilLinux);
    let file = ScenarioFile::new(SHOP);
    let mut mockd = Mockd::run_with(file.path(), &["--no-watch"]).await;
    let mut socket = mockd.live("confectionery").await;
    socket.text().await;
    let mut connected = Connection::open(&mockd).await;
    assert_eq!(connected.request(ORDER).await.1, DONE);
    limit_files(&mockd, mockd.open_files()).await;
    let mut waiting = Vec::new();
    for _ in 0..20 {
        let mut connection = Connection::open(&mockd).await;
        connection.send(ORDER).await.unwrap();
        waiting.push(connection);
    }
    mockd.logged("cannot accept connections").await;
    for _ in 0..20 {
        assert_eq!(connected.request(ORDER).await.1, DONE);
        assert!(socket.text().await.starts_with(r#"{"id":"B1""#));
    }
    limit_files(&mockd, 1_000).await;
    let before = mockd.log_until("accepting connections again").await;
    assert!(!before.iter().any(|message| message.contains("cannot accept")), "{before:?}");
    for connection in &mut waiting {
        assert_eq!(connection.answer().await.unwrap().1, DONE);
    }
    assert_eq!(socket.texts(21).await.pop().unwrap(), r#"{"id":"B1","total":142}"#);
}

#[tokio::test]
async fn without_descriptors_long_lists_are_still_sent() {
    needs!(UtilLinux);
    let products: Vec<String> = (1..=5_000).map(|id| format!("{{ id: T{id}, name: Toy number {id} }}")).collect();
    let products = products.join(", ");
    let file = ScenarioFile::new(&format!("categories: {{ toys: {{ prefix: T, products: [{products}] }} }}"));
    let mockd = Mockd::run_with(file.path(), &["--no-watch"]).await;
    let mut connected = Connection::open(&mockd).await;
    let mut lists = Vec::new();
    for _ in 0..3 {
        lists.push(connected.request(b"GET /toys HTTP/1.1\r\nhost: localhost\r\n\r\n").await.1);
        limit_files(&mockd, mockd.open_files()).await;
    }
    assert!(lists[0].ends_with(r#"{"id":"T5000","name":"Toy number 5000"}]"#));
    assert!(lists[1] == lists[0] && lists[2] == lists[0]);
}

#[tokio::test]
async fn a_save_that_is_unreadable_at_first_is_applied_later() {
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
