//! `mockd health`: whether a mockd answers, for health checks of containers and for scripts that wait.

use std::io;
use std::time::Duration;

use clap::Args;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, ToSocketAddrs};
use tokio::runtime::Builder;
use tokio::time::timeout;
use url::Url;

use super::CliError;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What precedes a body.
const END_OF_HEAD: &[u8] = b"\r\n\r\n";

#[derive(Debug, Args)]
pub(super) struct HealthArgs {
    /// Where it listens
    #[arg(default_value = "http://127.0.0.1:3000", value_parser = plain_url)]
    url: Url,
}

impl HealthArgs {
    /// Asks once.
    ///
    /// # Errors
    /// [`CliError::Unhealthy`] unless the answer says that all is well.
    pub(super) fn execute(self) -> Result<(), CliError> {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(CliError::Runtime)?;
        let asked = runtime.block_on(async { timeout(PATIENCE, self.ask()).await });
        // The name may still be looked up.
        runtime.shutdown_background();
        let trouble = match asked {
            Ok(Ok(answer)) => trouble(&answer),
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some(format!("no answer within {} s", PATIENCE.as_secs())),
        };
        let Some(why) = trouble else { return Ok(()) };
        Err(CliError::Unhealthy { url: self.url.as_str().trim_end_matches('/').to_owned(), why })
    }

    async fn ask(&self) -> io::Result<Vec<u8>> {
        let (host, port) =
            (self.url.host_str().unwrap_or_default(), self.url.port_or_known_default().unwrap_or_default());
        // The brackets of an IPv6 address belong to the URL.
        let name = host.trim_start_matches('[').trim_end_matches(']');
        ask((name, port), &format!("{host}:{port}")).await
    }
}

fn plain_url(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).ok().filter(|url| url.scheme() == "http" && url.path() == "/");
    url.ok_or("expected scheme, host and port, such as http://127.0.0.1:3000")
}

/// What keeps a server that gave this answer from being well.
fn trouble(answer: &[u8]) -> Option<String> {
    let head_end = answer.windows(END_OF_HEAD.len()).position(|bytes| bytes == END_OF_HEAD);
    let body = head_end.map(|end| &answer[end + END_OF_HEAD.len()..]).unwrap_or_default();
    let health: Value = serde_json::from_slice(body).unwrap_or_default();
    if is_ok(answer) && health["status"] == "ok" {
        return None;
    }
    let said = health["trouble"].as_str().or(health["message"].as_str());
    Some(said.map_or_else(|| "its answer is not that of a mockd".to_owned(), str::to_owned))
}

/// Whether the status code of an answer is 200.
pub(super) fn is_ok(answer: &[u8]) -> bool {
    answer.starts_with(b"HTTP/1.1 200 ")
}

/// Asks a server how it is, and gives the whole answer.
pub(super) async fn ask(address: impl ToSocketAddrs, host: &str) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /__mockd/health HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(answer)
}
