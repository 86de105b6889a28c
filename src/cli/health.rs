//! `mockd health`: checks whether a server is healthy, for container health checks and for scripts that wait.

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

/// The time limit for a response.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The blank line that separates the head from the body.
const END_OF_HEAD: &[u8] = b"\r\n\r\n";

#[derive(Debug, Args)]
pub(super) struct HealthArgs {
    /// URL of the server
    #[arg(default_value = "http://127.0.0.1:3000", value_parser = plain_url)]
    url: Url,
}

impl HealthArgs {
    /// Sends one health request.
    ///
    /// # Errors
    /// [`CliError::Unhealthy`] unless the server reports that it is healthy.
    pub(super) fn execute(self) -> Result<(), CliError> {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(CliError::Runtime)?;
        let response = runtime.block_on(async { timeout(TIMEOUT, self.ask()).await });
        // A DNS lookup may still be running.
        runtime.shutdown_background();
        let reason = match response {
            Ok(Ok(answer)) => unhealthy_reason(&answer),
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some(format!("no answer within {} s", TIMEOUT.as_secs())),
        };
        let Some(why) = reason else { return Ok(()) };
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

/// Returns why the server is unhealthy according to its response, or `None` if it is healthy.
fn unhealthy_reason(answer: &[u8]) -> Option<String> {
    let head_end = answer.windows(END_OF_HEAD.len()).position(|bytes| bytes == END_OF_HEAD);
    let body = head_end.map(|end| &answer[end + END_OF_HEAD.len()..]).unwrap_or_default();
    let health: Value = serde_json::from_slice(body).unwrap_or_default();
    if is_ok(answer) && health["status"] == "ok" {
        return None;
    }
    let reported = health["trouble"].as_str().or(health["message"].as_str());
    Some(reported.map_or_else(|| "the response is not from mockd".to_owned(), str::to_owned))
}

/// Whether the status code of a response is 200.
pub(super) fn is_ok(answer: &[u8]) -> bool {
    answer.starts_with(b"HTTP/1.1 200 ")
}

/// Requests a server's health and returns the whole response.
pub(super) async fn ask(address: impl ToSocketAddrs, host: &str) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /__mockd/health HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(answer)
}
