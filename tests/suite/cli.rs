//! The command line: output, errors and exit codes.

mod arguments;
mod check;
mod help;
mod play;

use std::net::TcpListener;
use std::process::Output;

use crate::support::{Mockd, Port, SHOP, ScenarioFile, command, poll, signal, soon};

async fn run(arguments: &[&str]) -> Output {
    soon("mockd's exit", command(arguments).output()).await.unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Asserts that the command fails with this one-line error and prints nothing on standard output.
async fn assert_fails(arguments: &[&str], message: &str) {
    let output = run(arguments).await;
    assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    assert_eq!(text(&output.stdout), "");
    assert_eq!(text(&output.stderr), format!("error: {message}\n"));
}

#[cfg(unix)]
#[tokio::test]
async fn run_prints_the_url_the_categories_and_the_watched_file() {
    let file = ScenarioFile::new(SHOP);
    let path = file.path().to_str().unwrap();
    let mut child = command(&["run", path, "--port", "0", "--seed", "7"]);
    let child = child.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let pid = child.id().unwrap();
    let mut stdout = tokio::io::BufReader::new(child.stdout.unwrap());
    let mut printed = String::new();
    while !printed.ends_with("Ctrl-C\n") {
        let mut line = String::new();
        let read = tokio::io::AsyncBufReadExt::read_line(&mut stdout, &mut line);
        assert!(soon("a line", read).await.unwrap() > 0, "{printed}");
        printed += &line;
    }
    signal(pid, "TERM");
    let port = printed.lines().next().unwrap().rsplit(':').next().unwrap();
    let address = format!("127.0.0.1:{port}");
    let expected = format!(
        "mockd serves shop at http://{address}
  /electronics    2 products  ws://{address}/orders/electronics
  /confectionery  1 product   ws://{address}/orders/confectionery
  watching {path}: edit it and save
ready, pid {pid}, seed 7, stop with Ctrl-C
"
    );
    assert_eq!(printed, expected);
}

#[tokio::test]
async fn the_json_greeting_contains_the_same_facts() {
    let file = ScenarioFile::new(SHOP);
    let mockd = Mockd::run_with(file.path(), &["--seed", "7"]).await;
    let expected = serde_json::json!({ "ready": true, "url": mockd.url(), "pid": mockd.pid(), "seed": 7,
        "scenario": "shop", "watching": file.path(),
        "categories": ["electronics", "confectionery"] });
    assert_eq!(mockd.greeting(), &expected);
}

#[tokio::test]
async fn a_taken_port_is_a_one_line_error() {
    let file = ScenarioFile::new(SHOP);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let message = format!(
        "port {port} on 127.0.0.1 is taken; stop the program that uses it, or choose another with --port (0 picks a free one)"
    );
    assert_fails(&["run", file.path().to_str().unwrap(), "--port", &port], &message).await;
}

#[tokio::test]
async fn a_missing_file_is_a_one_line_error() {
    for command in ["run", "check"] {
        assert_fails(&[command, "nope.yaml"], "cannot read nope.yaml: there is no such file").await;
    }
}

#[tokio::test]
async fn a_folder_without_a_scenario_is_a_one_line_error() {
    let message = "no scenario in tests: it has no file that ends in .yaml, .yml or .json; put one there, or name another \
                   folder or a file";
    assert_fails(&["play", "tests"], message).await;
    assert_fails(&["check", "tests"], "cannot read tests: no file in it ends in .yaml, .yml or .json").await;
}

#[tokio::test]
async fn a_missing_static_directory_is_a_one_line_error() {
    let file = ScenarioFile::new(SHOP);
    let message = "nowhere is not a directory; --static takes the directory to serve";
    assert_fails(&["run", file.path().to_str().unwrap(), "--static", "nowhere"], message).await;
}

#[tokio::test]
async fn a_broken_file_is_not_served() {
    let file = ScenarioFile::new("categories: 3\n");
    let output = run(&["run", file.path().to_str().unwrap(), "--port", "0"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stdout), "");
    let expected = format!(
        "error: expected a mapping, found the number `3`
 --> {}:1:13
  |
1 | categories: 3
  |             ^ expected a mapping
",
        file.path().display()
    );
    assert_eq!(text(&output.stderr), expected);
}

#[tokio::test]
async fn invalid_flags_exit_with_2_and_a_hint() {
    for (arguments, hint) in [
        (&["run", "x.yaml", "--prot", "1"][..], "'--port'"),
        (&["run", "x.yaml", "--port", "70000"], "70000"),
        (&["run", "x.yaml", "--host", "nowhere"], "nowhere"),
        (&["run", "x.yaml", "--poll", "--no-watch"], "--no-watch"),
        (&["chek", "x.yaml"], "'check'"),
        (
            &["run", "x.yaml", "--ping", "5"],
            "`5` is not a duration: expected a number with a unit, such as 500ms, 5s or 1m30s",
        ),
        (&["completions", "tcsh"], "tcsh"),
    ] {
        let output = run(arguments).await;
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains(hint), "{}", text(&output.stderr));
    }
}

#[tokio::test]
async fn flags_override_the_server_section() {
    let file = ScenarioFile::new(&format!("server: {{ port: 1, host: 192.0.2.1, static: nowhere }}{SHOP}"));
    let site = file.directory().to_str().unwrap();
    let mockd = Mockd::run_with(file.path(), &["--port", "0", "--host", "localhost", "--static", site]).await;
    assert!(mockd.port() > 1);
    assert!(mockd.get("/shop.yaml").await.text.contains("192.0.2.1"));
}

#[tokio::test]
async fn the_server_section_applies_without_flags() {
    let file = ScenarioFile::new(&format!("name: corner shop\nseed: 9\nserver: {{ static: site }}{SHOP}"));
    std::fs::create_dir(file.directory().join("site")).unwrap();
    std::fs::write(file.directory().join("site/index.html"), "mine").unwrap();
    let mockd = Mockd::run(&file).await;
    assert_eq!(mockd.greeting()["scenario"], "corner shop");
    assert_eq!(mockd.greeting()["seed"], 9);
    assert_eq!(mockd.get("/").await.text, "mine");
}

#[tokio::test]
async fn the_same_seed_yields_the_same_orders_on_every_run() {
    let random = "orders: { random: [{ every: 1ms, amount: { min: 1, max: 1000 } }] }";
    let file = ScenarioFile::new(&format!("{SHOP}{random}"));
    let mut totals = Vec::new();
    for _ in 0..2 {
        let mockd = Mockd::run_with(file.path(), &["--seed", "42"]).await;
        let mut live = mockd.live("electronics").await;
        // A socket may open late. Its orders are still comparable, because each carries the total.
        let mut seen: Vec<(String, i64)> = Vec::new();
        while seen.len() < 300 {
            seen.push(live.order().await);
        }
        totals.push(seen);
    }
    let common = totals[0].iter().filter(|order| totals[1].contains(order)).count();
    assert!(common > 100, "only {common} of 300 orders are the same");
}

#[cfg(unix)]
#[tokio::test]
async fn sigint_and_sigterm_exit_with_0() {
    for signal in ["INT", "TERM"] {
        let mockd = Mockd::run(&ScenarioFile::new(SHOP)).await;
        mockd.signal(signal);
        assert_eq!(mockd.ended().await.code(), Some(0));
    }
}

/// Waits until a server listens on the port.
async fn wait_until_listening(port: &Port) {
    let connect = async || tokio::net::TcpStream::connect(format!("127.0.0.1:{port}")).await.ok();
    poll("a listening server", connect).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn unwritable_output_neither_stops_the_server_nor_panics() {
    let file = ScenarioFile::new(SHOP);
    let full = || std::fs::File::options().write(true).open("/dev/full").unwrap();
    let port = Port::free();
    let mut child = command(&["run", "-v", file.path().to_str().unwrap(), "--port", &port.to_string()]);
    let mut child = child.stdout(full()).stderr(full()).spawn().unwrap();
    wait_until_listening(&port).await;
    let answer = crate::support::http("GET", &format!("http://127.0.0.1:{port}/electronics"), &[], None).await;
    assert_eq!(answer.status, 200);
    let pid = child.id().unwrap();
    signal(pid, "TERM");
    assert_eq!(soon("mockd's exit", child.wait()).await.unwrap().code(), Some(0));
    for arguments in [&["check", "nope.yaml"][..], &["run", "nope.yaml"], &["check", "--print", "scenarios/shop.yaml"]]
    {
        let mut child = command(arguments).stdout(full()).stderr(full()).spawn().unwrap();
        assert_eq!(soon("mockd's exit", child.wait()).await.unwrap().code(), Some(1), "{arguments:?}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn quiet_prints_only_problems_and_verbose_logs_requests() {
    let file = ScenarioFile::new(SHOP);
    let mut verbose = Mockd::run_with(file.path(), &["-v"]).await;
    verbose.get("/electronics").await;
    verbose.logged("\"uri\":\"/electronics\"").await;
    let port = Port::free();
    let mut child = command(&["run", file.path().to_str().unwrap(), "--port", &port.to_string(), "-q"]);
    let mut child = child.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    wait_until_listening(&port).await;
    file.write_in_place("broken: [");
    let mut stderr = tokio::io::BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    // The problem report is the first line on standard error.
    soon("a report", tokio::io::AsyncBufReadExt::read_line(&mut stderr, &mut line)).await.unwrap();
    assert!(line.contains("is broken, still serving the last good scenario"), "{line}");
    let pid = child.id().unwrap();
    signal(pid, "TERM");
    let mut printed = String::new();
    let read = tokio::io::AsyncReadExt::read_to_string(&mut child.stdout.take().unwrap(), &mut printed).await;
    assert_eq!((read.unwrap(), printed.as_str()), (0, ""));
}
