//! A Redis server for one test, which the test can kill and restart.

use std::process::Stdio;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use super::{Port, Tool, poll};

pub(crate) struct Redis {
    folder: tempfile::TempDir,
    host: &'static str,
    port: Port,
    child: Option<Child>,
}

impl Redis {
    /// Starts a server that keeps every acknowledged write when it is killed.
    pub(crate) async fn start() -> Self {
        Self::listen("127.0.0.1").await
    }

    /// Starts a server that also accepts connections from other machines.
    pub(crate) async fn start_for_all() -> Self {
        Self::listen("0.0.0.0").await
    }

    async fn listen(host: &'static str) -> Self {
        let mut redis = Self { folder: tempfile::tempdir().unwrap(), host, port: Port::free(), child: None };
        redis.run().await;
        redis
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) async fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().await.unwrap();
        }
    }

    /// Starts the server with the data that it has kept.
    pub(crate) async fn run(&mut self) {
        let mut command = Command::new(Tool::Redis.path());
        command.args(["--port", &self.port.to_string(), "--bind", self.host, "--save", "", "--appendonly", "yes"]);
        // By default, Redis delays a write while it syncs an earlier one, and a kill loses the delayed write.
        command.args(["--appendfsync", "always", "--protected-mode", "no"]);
        command.arg("--dir").arg(self.folder.path()).stdout(Stdio::null()).kill_on_drop(true);
        self.child = Some(command.spawn().expect("redis-server is installed"));
        let answers = async || self.command("PING").await.filter(|answer| answer == "+PONG\r\n");
        poll("Redis", answers).await;
    }

    /// Sends a command, and returns the first part of the answer; `None` if the server is down.
    pub(crate) async fn command(&self, command: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port.number())).await.ok()?;
        stream.write_all(format!("{command}\r\n").as_bytes()).await.ok()?;
        let mut answer = vec![0; 65536];
        let length = stream.read(&mut answer).await.ok()?;
        Some(String::from_utf8_lossy(&answer[..length]).into_owned())
    }
}
