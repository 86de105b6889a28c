//! How mockd starts, reports that it is ready, and exits.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::support::{Mockd, SHOP, ScenarioFile, command, soon};

#[cfg(unix)]
#[tokio::test]
async fn the_ready_file_has_the_url_and_is_removed_at_exit() {
    let file = ScenarioFile::new(SHOP);
    let ready = file.directory().join("ready.json");
    std::fs::write(&ready, "{\"ready\":true,\"url\":\"of an earlier run\"}\n").unwrap();
    let mockd = Mockd::run_with(file.path(), &["--seed", "7", "--ready-file", ready.to_str().unwrap()]).await;
    let content: Value = serde_json::from_str(&std::fs::read_to_string(&ready).unwrap()).unwrap();
    assert_eq!(&content, mockd.greeting());
    assert_eq!(
        (&content["url"], &content["pid"], &content["seed"]),
        (&json!(mockd.url()), &json!(mockd.pid()), &json!(7))
    );
    assert_eq!(mockd.get("/__mockd/health").await.text, r#"{"status":"ok","version":"0.1.0"}"#);
    mockd.signal("TERM");
    assert_eq!(mockd.ended().await.code(), Some(0));
    assert!(!ready.exists());
    let files: Vec<_> = std::fs::read_dir(file.directory()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(files, ["shop.yaml"]);
}

#[tokio::test]
async fn an_unwritable_ready_file_fails_the_start() {
    let file = ScenarioFile::new(SHOP);
    // The scenario file is refused too, and stays unchanged.
    for path in [file.directory().to_owned(), file.directory().join("no/such/directory"), file.path().to_owned()] {
        let mut command = command(&["run", "--port", "0", "--ready-file"]);
        let output = soon("the end", command.arg(&path).arg(file.path()).output()).await.unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.starts_with(&format!("error: cannot write {}: ", path.display())), "{stderr}");
        assert!(stderr.ends_with("; name another file with --ready-file\n"), "{stderr}");
        assert_eq!(std::fs::read_to_string(file.path()).unwrap(), SHOP);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn signals_close_the_sockets_of_all_worlds_and_exit_with_0() {
    for signal in ["TERM", "INT"] {
        let mockd = Mockd::run(&ScenarioFile::new(SHOP)).await;
        let (mut one, mut two) = (mockd.live("nothing").await, mockd.live_in("/@a", "nothing").await);
        mockd.signal(signal);
        assert_eq!((one.close_code().await, two.close_code().await), (1001, 1001));
        assert_eq!(mockd.ended().await.code(), Some(0), "{signal}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_pending_wait_gets_503_at_shutdown() {
    let mockd = Mockd::run(&ScenarioFile::new(SHOP)).await;
    let mut stream = TcpStream::connect(mockd.address()).await.unwrap();
    let body = r#"{"for":{"method":"PUT"},"timeout":"10m"}"#;
    let head = format!(
        "POST /__mockd/journal/wait HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         expect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut interim = [0; 25];
    // mockd handles the request once it asks for the body.
    soon("100 Continue", stream.read_exact(&mut interim)).await.unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(body.as_bytes()).await.unwrap();
    mockd.signal("TERM");
    let mut answer = String::new();
    soon("an answer", stream.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(answer.ends_with(r#""message":"the world has ended"}"#), "{answer}");
    assert_eq!(mockd.ended().await.code(), Some(0));
}

#[tokio::test]
async fn exit_after_limits_the_run_time() {
    let file = ScenarioFile::new(SHOP);
    let mockd = Mockd::run_with(file.path(), &["--exit-after", "1ms"]).await;
    assert_eq!(mockd.ended().await.code(), Some(0));
}

#[cfg(unix)]
#[tokio::test]
async fn exit_with_parent_ends_with_the_parent_process() {
    let file = ScenarioFile::new(SHOP);
    // A shell starts mockd and waits for it. Both write to the same pipe, which closes when the last of them exits.
    let script = format!(
        "{} run {} --port 0 --log-format json --exit-with-parent & wait",
        env!("CARGO_BIN_EXE_mockd"),
        file.path().display()
    );
    let mut shell = tokio::process::Command::new("sh");
    let mut shell = shell.args(["-c", &script]).stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut stdout = BufReader::new(shell.stdout.take().unwrap());
    let mut ready = String::new();
    soon("the greeting", stdout.read_line(&mut ready)).await.unwrap();
    assert!(ready.starts_with(r#"{"ready":true,"#), "{ready}");
    shell.kill().await.unwrap();
    let mut rest = String::new();
    soon("the end of mockd", stdout.read_to_string(&mut rest)).await.unwrap();
}

#[tokio::test]
async fn the_help_lists_the_exit_codes() {
    let output = soon("the help", command(&["--help"]).output()).await.unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    for line in ["0  success, or stopped on request", "1  failure: ", "2  wrong arguments"] {
        assert!(help.contains(line), "{help}");
    }
    let output = soon("an error", command(&["run", "x.yaml", "--speed", "0"]).output()).await.unwrap();
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("expected a number from 0.001 to 100000"), "{stderr}");
}

#[cfg(unix)]
#[tokio::test]
async fn an_unread_log_blocks_nothing_and_truncates_messages() {
    // More than fit into the pipe and mockd's own buffer of log lines.
    const MESSAGES: usize = 6_000;
    let mut mockd = Mockd::run(&ScenarioFile::new(SHOP)).await;
    let mut live = mockd.live("nothing").await;
    let nonsense = "x".repeat(60_000);
    live.send(nonsense.as_str()).await;
    let message = format!("\"received\":\"{}… (60000 bytes)\"", &nonsense[..200]);
    mockd.logged(&message).await;
    for _ in 0..MESSAGES {
        live.send("nonsense").await;
    }
    mockd.order("A1", 1).await;
    assert_eq!(live.order().await, ("A1".into(), 4));
    live.send(r#"{"cmd":"update-category","payload":{"category":"confectionery"}}"#).await;
    assert_eq!(live.order().await, ("B1".into(), 101));
    mockd.signal("TERM");
    assert_eq!(mockd.ended().await.code(), Some(0));
}
