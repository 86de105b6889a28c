//! The status line in the terminal.

use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::AsyncReadExt;

use crate::support::{SHOP, ScenarioFile, Socket, Terminal, command, http, needs, poll, signal, soon};

/// An order every 10 ms.
const BUSY: &str = "orders: { random: [{ every: 10ms, amount: 1 }] }\n";

const COLUMNS: u16 = 200;

fn arguments(file: &ScenarioFile) -> [&str; 4] {
    ["run", file.path().to_str().unwrap(), "--port", "0"]
}

fn is_live_line(line: &str) -> bool {
    line.starts_with("shop  ") && line.contains(" event")
}

async fn control(address: &str, path: &str, body: &Value) {
    let headers = [("content-type", "application/json")];
    let answer = http("POST", &format!("http://{address}{path}"), &headers, Some(&body.to_string())).await;
    assert!(answer.status < 300, "{}", answer.text);
}

/// Waits until a file exists.
async fn appears(path: &Path) {
    poll("a file", async || path.exists().then_some(())).await;
}

/// Returns the events per second in a status line.
fn rate(line: &str) -> u64 {
    let words: Vec<&str> = line.split_whitespace().collect();
    let unit = words.iter().position(|word| word.starts_with("event")).unwrap();
    words[unit - 1].parse().unwrap()
}

#[tokio::test]
async fn it_shows_the_time_sockets_event_rate_and_worlds() {
    let file = ScenarioFile::new(&format!("{SHOP}{BUSY}"));
    let mut terminal = Terminal::run(&arguments(&file), COLUMNS);
    let address = terminal.address().await;
    terminal.last_line(|line| is_live_line(line) && line.contains("s  0 sockets  ")).await;
    let is_busy = |line: &str| !line.starts_with("shop  0s") && (50..=150).contains(&rate(line));
    terminal.last_line(|line| is_live_line(line) && is_busy(line)).await;
    let live = Socket::open(&format!("ws://{address}/orders/electronics")).await;
    terminal.last_line(|line| line.contains("  1 socket  ")).await;
    let in_world = Socket::open(&format!("ws://{address}/@a/orders/electronics")).await;
    terminal.last_line(|line| line.contains("  2 sockets  ") && line.ends_with(" events/s  1 world")).await;
    drop((live, in_world));
    control(&address, "/__mockd/worlds", &json!({ "name": "b" })).await;
    terminal.last_line(|line| line.contains("  0 sockets  ") && line.ends_with(" events/s  2 worlds")).await;
    control(&address, "/__mockd/clock", &json!({ "speed": 20, "advance": "1h" })).await;
    terminal.last_line(|line| line.contains("  ×20  ") && line.starts_with("shop  1h")).await;
    control(&address, "/__mockd/clock", &json!({ "pause": true })).await;
    terminal.last_line(|line| line.contains("  paused  0 sockets  0 events/s  ")).await;
    // A reset restarts the event count, which must not show as a rate.
    control(&address, "/__mockd/reset", &json!({})).await;
    let after = terminal.last_line(|line| is_live_line(line) && !line.contains("paused")).await;
    assert!(rate(&after) <= 150, "{after}");
}

#[tokio::test]
async fn log_lines_stay_intact_and_a_broken_file_is_shown() {
    let file = ScenarioFile::new(&format!("name: shop\n{SHOP}"));
    let mut terminal = Terminal::run(&arguments(&file), COLUMNS);
    terminal.last_line(is_live_line).await;
    let greeting = terminal.lines().len() - 1;
    file.write_in_place("name: 3\n");
    let lines = terminal.until(|lines| lines.last().is_some_and(|line| line.ends_with("  file broken"))).await;
    let broken = format!("{} is broken, still serving the last good scenario (shop)", file.path().display());
    assert!(lines[greeting].ends_with(&broken), "{lines:#?}");
    let reported = lines.len() - 1;
    for total in 1..=5 {
        file.write_in_place(&format!("name: shop\n{}", SHOP.replace("total: 7", &format!("total: {total}"))));
        let reloaded = |line: &String| line.contains("INFO reloaded") && line.ends_with(&format!(" → {total}"));
        let is_whole = |lines: &[String]| lines.iter().any(reloaded) && lines.last().is_some_and(|l| is_live_line(l));
        let lines = terminal.until(is_whole).await;
        // No other line is between them, and the status line is on the screen once.
        assert_eq!(lines.len(), reported + total + 1, "{lines:#?}");
        assert!(reloaded(&lines[reported + total - 1]), "{lines:#?}");
    }
    terminal.last_line(|line| is_live_line(line) && !line.contains("broken")).await;
}

#[tokio::test]
async fn it_is_truncated_to_the_terminal_width() {
    let file = ScenarioFile::new(SHOP);
    let mut terminal = Terminal::run(&arguments(&file), 20);
    let mut before = String::new();
    for _ in 0..3 {
        let is_new = |line: &String| line.starts_with("shop  ") && *line != before;
        let lines = terminal.until(|lines| lines.last().is_some_and(is_new)).await;
        assert_eq!(lines.iter().filter(|line| line.starts_with("shop  ")).count(), 1, "{lines:#?}");
        before = lines.last().unwrap().clone();
        assert!(before.len() == 17 && before.contains("s  0 sock"), "{lines:#?}");
    }
}

#[tokio::test]
async fn wide_characters_do_not_exceed_the_terminal_width() {
    // 29 columns: most of these characters are two columns wide, and one is a combining mark.
    let name = "家電量販店のネットショップe\u{301}🛒";
    let file = ScenarioFile::new(&format!("name: {name}\n{SHOP}"));
    let mut terminal = Terminal::run(&arguments(&file), 40);
    for time in ["0s", "1s", "2s"] {
        let is_next = |line: &str| line.starts_with(name) && line.contains(time);
        let line = terminal.last_line(is_next).await;
        // Three columns narrower than the terminal: the name, the time and the part of the sockets that fits.
        assert_eq!(line, format!("{name}  {time}  0"), "{:#?}", terminal.lines());
        assert_eq!(terminal.lines().iter().filter(|line| line.starts_with(name)).count(), 1);
    }
}

#[tokio::test]
async fn at_exit_it_is_erased_with_the_ctrl_c_echo() {
    for signal in ["TERM", "INT"] {
        let file = ScenarioFile::new(SHOP);
        let mut terminal = Terminal::run(&arguments(&file), COLUMNS);
        terminal.last_line(is_live_line).await;
        let greeting = terminal.lines().len() - 1;
        terminal.type_keys(b"\x03");
        terminal.wait_for_output("^C").await;
        let (status, lines, _) = terminal.stop(signal).await;
        assert_eq!((status.code(), lines.len()), (Some(0), greeting), "{lines:#?}");
        assert!(lines.last().unwrap().ends_with("stop with Ctrl-C"), "{lines:#?}");
    }
}

#[tokio::test]
async fn it_is_absent_in_quiet_mode_and_with_json_logs() {
    for flags in [&["-q"][..], &["--log-format", "json"]] {
        let file = ScenarioFile::new(SHOP);
        let ready = file.directory().join("ready.json");
        let ready_file = ["--ready-file", ready.to_str().unwrap()];
        let mut terminal = Terminal::run(&[&arguments(&file), flags, &ready_file].concat(), COLUMNS);
        appears(&ready).await;
        file.write_in_place("categories: 3\n");
        terminal.until(|lines| lines.iter().any(|line| line.contains("is broken"))).await;
        let (status, _, written) = terminal.stop("TERM").await;
        assert_eq!(status.code(), Some(0));
        assert!(!written.contains("socket  ") && !written.contains("sockets  "), "{written}");
        assert!(!written.contains("\x1b[2K"), "{written:?}");
    }
}

#[tokio::test]
async fn it_is_drawn_only_in_the_foreground() {
    needs!(UtilLinux);
    let file = ScenarioFile::new(SHOP);
    let script = format!("\"$MOCKD\" run {} --port 0 --exit-with-parent & read -r; fg", file.path().display());
    let mut terminal = Terminal::shell(&script, COLUMNS);
    terminal.last_line(|line| line.starts_with("ready, ")).await;
    for total in 1..=3 {
        file.write_in_place(&SHOP.replace("total: 7", &format!("total: {total}")));
        terminal.last_line(|line| line.ends_with(&format!(" → {total}"))).await;
    }
    assert!(!terminal.lines().iter().any(|line| is_live_line(line)), "{:#?}", terminal.lines());
    terminal.type_keys(b"\n");
    terminal.last_line(is_live_line).await;
}

#[tokio::test]
async fn a_pipe_gets_only_the_greeting() {
    let file = ScenarioFile::new(SHOP);
    let mut child = command(&arguments(&file)).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut stdout, mut stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let mut greeting = String::new();
    while !greeting.ends_with("Ctrl-C\n") {
        let mut buffer = [0; 1024];
        let count = soon("the greeting", stdout.read(&mut buffer)).await.unwrap();
        assert!(count > 0, "{greeting}");
        greeting += std::str::from_utf8(&buffer[..count]).unwrap();
    }
    // The line would be drawn before a reload.
    let mut log = String::new();
    file.write_in_place(&SHOP.replace("total: 7", "total: 8"));
    while !log.contains("reloaded") {
        let mut buffer = [0; 1024];
        let count = soon("a log line", stderr.read(&mut buffer)).await.unwrap();
        log += std::str::from_utf8(&buffer[..count]).unwrap();
    }
    signal(child.id().unwrap(), "TERM");
    let mut rest = String::new();
    soon("the end of the output", stdout.read_to_string(&mut rest)).await.unwrap();
    assert_eq!(rest, "");
    assert!(!greeting.contains('\x1b') && !log.contains('\x1b'), "{greeting:?} {log:?}");
}
