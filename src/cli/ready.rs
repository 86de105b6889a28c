//! What is said once a server really answers: to people, to programs that read standard output, and in a file.

use std::fs;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::CliError;
use super::log::LogFormat;
use crate::scenario::Scenario;
use crate::server::Server;

/// What stands for itself in a segment of a path (RFC 3986, 2.3); the rest is percent-encoded.
const IN_A_PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A server that has been started.
pub(super) struct Ready<'a> {
    pub(super) server: &'a Server,
    pub(super) scenario: &'a Scenario,
    pub(super) file: &'a Path,
    pub(super) watches: bool,
}

impl Ready<'_> {
    /// Asks the server as a client would.
    ///
    /// # Errors
    /// [`CliError::NotReady`] if it does not answer with a 200.
    pub(super) async fn check(&self) -> Result<(), CliError> {
        let answer = ask(here(self.server.address())).await.map_err(CliError::NotReady)?;
        if answer.starts_with(b"HTTP/1.1 200 ") {
            Ok(())
        } else {
            let line = String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned();
            Err(CliError::NotReady(io::Error::other(line)))
        }
    }

    /// What programs read, as one line.
    fn json(&self) -> Value {
        let categories: Vec<&str> = self.scenario.categories().iter().map(|category| &**category.name()).collect();
        let watching = self.watches.then_some(self.file);
        json!({ "ready": true, "url": self.server.url(), "pid": std::process::id(), "seed": self.seed(),
            "scenario": self.scenario.name(), "categories": categories, "watching": watching })
    }

    fn seed(&self) -> u64 {
        self.server.world().view().seed
    }

    pub(super) fn greet(&self, format: LogFormat) {
        let greeting = match format {
            LogFormat::Json => self.json().to_string(),
            LogFormat::Text => self.text(),
        };
        // Whoever reads the greeting may be gone; the server is there for others.
        let _ = writeln!(io::stdout(), "{greeting}");
    }

    fn text(&self) -> String {
        let (server, scenario) = (self.server, self.scenario);
        let mut lines = vec![format!("mockd serves {} at {}", scenario.name(), server.url())];
        let widest = scenario.categories().iter().map(|category| category.name().chars().count()).max().unwrap_or(0);
        for category in scenario.categories() {
            let (name, count) = (category.name(), category.products().len());
            let products = if count == 1 { "product " } else { "products" };
            lines.push(format!(
                "  /{name:widest$}  {count} {products}  ws://{}/orders/{}",
                server.address(),
                utf8_percent_encode(name, IN_A_PATH)
            ));
        }
        let (watching, hint) = if self.watches { ("watching", ": edit it and save") } else { ("not watching", "") };
        lines.push(format!("  {watching} {}{hint}", self.file.display()));
        lines.push(format!("ready, pid {}, seed {}, stop with Ctrl-C", std::process::id(), self.seed()));
        lines.join("\n")
    }
}

/// A file that says that mockd is ready, for as long as it is.
pub(super) struct ReadyFile(PathBuf);

impl ReadyFile {
    /// Takes away what an earlier run may have left.
    ///
    /// # Errors
    /// [`CliError::ReadyFile`] if that is not possible.
    pub(super) fn claim(path: &PathBuf) -> Result<Self, CliError> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(CliError::ReadyFile { path: path.clone(), error })
            }
            _ => Ok(Self(path.clone())),
        }
    }

    /// Writes it beside and renames it, so that whoever waits for it sees all of it or nothing.
    ///
    /// # Errors
    /// [`CliError::ReadyFile`].
    pub(super) fn write(&self, ready: &Ready<'_>) -> Result<(), CliError> {
        let failed = |error| CliError::ReadyFile { path: self.0.clone(), error };
        let mut beside = self.0.clone().into_os_string();
        beside.push(format!(".{}", std::process::id()));
        fs::write(&beside, format!("{}\n", ready.json())).map_err(failed)?;
        fs::rename(&beside, &self.0).map_err(failed)
    }
}

impl Drop for ReadyFile {
    fn drop(&mut self) {
        // It may be gone already, which is just as well.
        let _ = fs::remove_file(&self.0);
    }
}

/// Where this machine reaches a server that listens there.
fn here(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

async fn ask(address: SocketAddr) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"GET /__mockd/health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(answer)
}
