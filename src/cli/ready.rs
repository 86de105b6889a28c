//! The announcement of a ready server: on standard output, for people and programs, and in the ready file.

use std::fs;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::CliError;
use super::health::{ask, is_ok};
use super::terminal::ReadyMessage;
use crate::scenario::{Answers, Collection, Endpoint, Scenario};
use crate::server::Server;

/// The characters that are percent-encoded in a path: all except unreserved ones (RFC 3986, 2.3). URLs require fewer,
/// but shells interpret `&`, `;` and `(`.
const ENCODED_IN_PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The prefix of every ready file.
const PREFIX: &[u8] = br#"{"ready":true,"#;

/// The maximum number of lines for collections, for routes and for endpoints.
const MOST_LINES: usize = 20;

/// A started server.
pub(super) struct Ready<'a> {
    pub(super) server: &'a Server,
    pub(super) scenario: &'a Scenario,
    pub(super) file: &'a Path,
    pub(super) watches: bool,
    /// The number of available scenario files.
    pub(super) scenarios: usize,
}

impl Ready<'_> {
    /// Sends the server a health request, as a client would.
    ///
    /// # Errors
    /// [`CliError::NotReady`] unless the server answers with 200.
    pub(super) async fn check(&self) -> Result<(), CliError> {
        let answer = ask(local_address(self.server.address()), "localhost").await.map_err(CliError::NotReady)?;
        if is_ok(&answer) {
            Ok(())
        } else {
            let line = String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned();
            Err(CliError::NotReady(io::Error::other(line)))
        }
    }

    /// Returns the announcement for programs.
    fn json(&self) -> Value {
        let names = |is_counted: bool| -> Vec<&str> {
            let collections = self.scenario.collections().iter().filter(|one| one.is_counted() == is_counted);
            collections.map(|collection| &**collection.name()).collect()
        };
        let (categories, collections) = (names(true), names(false));
        let watching = self.watches.then_some(self.file);
        let mut ready = json!({ "ready": true, "url": self.server.url(), "pid": std::process::id(), "seed": self.seed(),
            "scenario": self.scenario.name(), "categories": categories, "watching": watching });
        if !collections.is_empty() {
            ready["collections"] = collections.into();
        }
        let network = self.server.network_urls();
        if !network.is_empty() {
            ready["network"] = network.into();
        }
        ready
    }

    fn seed(&self) -> u64 {
        self.server.world().view().seed
    }

    pub(super) fn greet(&self, greeting: ReadyMessage) {
        let greeting = match greeting {
            ReadyMessage::Json => self.json().to_string(),
            ReadyMessage::ShortText => format!("{}\n{}", self.first_line(), self.last_line()),
            ReadyMessage::Text => self.text(),
        };
        // The server keeps running for its clients even if standard output is closed.
        let _ = writeln!(io::stdout(), "{greeting}");
    }

    fn first_line(&self) -> String {
        format!("mockd serves {} at {}", self.scenario.name(), self.server.url())
    }

    fn last_line(&self) -> String {
        format!("ready, pid {}, seed {}, stop with Ctrl-C", std::process::id(), self.seed())
    }

    fn text(&self) -> String {
        let mut lines = vec![self.first_line()];
        lines.extend(self.server.network_urls().iter().map(|url| format!("  from other machines at {url}")));
        lines.extend(category_lines(self.scenario, &self.server.url().replacen("http", "ws", 1)));
        lines.extend(collection_lines(self.scenario));
        lines.extend(route_lines(self.scenario));
        lines.extend(endpoint_lines(self.scenario));
        let (watching, hint) = if self.watches { ("watching", ": edit it and save") } else { ("not watching", "") };
        lines.push(format!("  {watching} {}{hint}", self.file.display()));
        if self.scenarios > 1 {
            let (count, url) = (self.scenarios, self.server.url());
            lines.push(format!("  {count} scenarios: {url}/__mockd/ or POST /__mockd/scenarios switches between them"));
        }
        lines.push(self.last_line());
        lines.join("\n")
    }
}

/// Returns one line per category: its path and its socket's URL, ready to paste into curl, and its name if that differs
/// from the path.
fn category_lines(scenario: &Scenario, socket_url: &str) -> Vec<String> {
    let collections: Vec<&Collection> = scenario.collections().iter().filter(|one| one.is_counted()).collect();
    let encoded = |name| utf8_percent_encode(name, ENCODED_IN_PATH).to_string();
    let paths: Vec<String> = collections.iter().map(|collection| encoded(collection.name())).collect();
    // Percent-encoded text is ASCII, so each byte is one column wide.
    let widest = paths.iter().map(String::len).max().unwrap_or(0);
    let most = collections.iter().map(|collection| collection.rows().len().to_string().len()).max().unwrap_or(0);
    let line = |(collection, path): (&&Collection, &String)| {
        let (name, count) = (collection.name(), collection.rows().len());
        let unit = if count == 1 { "product " } else { "products" };
        let name = if **name == *path { String::new() } else { format!("  {}", name.replace(char::is_control, " ")) };
        format!("  /{path:widest$}  {count:>most$} {unit}  {socket_url}/orders/{path}{name}")
    };
    collections.iter().zip(&paths).map(line).collect()
}

/// Returns one line per collection of `data`, up to [`MOST_LINES`].
fn collection_lines(scenario: &Scenario) -> Vec<String> {
    let collections: Vec<&Collection> = scenario.collections().iter().filter(|one| !one.is_counted()).collect();
    let shown = &collections[..collections.len().min(MOST_LINES)];
    let widest = shown.iter().map(|collection| collection.name().len()).max().unwrap_or(0);
    let most = shown.iter().map(|collection| collection.rows().len().to_string().len()).max().unwrap_or(0);
    let line = |collection: &&Collection| {
        let (name, count) = (collection.name(), collection.rows().len());
        format!("  {name:widest$}  {count:>most$} {}", if count == 1 { "row" } else { "rows" })
    };
    shown.iter().map(line).chain(more(collections.len(), "collections")).collect()
}

/// Returns one line per key of `http`, up to [`MOST_LINES`]. The key of a collection has no method.
fn route_lines(scenario: &Scenario) -> Vec<String> {
    let answers = scenario.routes().all_answers();
    let line = |answers: &&Arc<Answers>| {
        let (method, path) = answers.key.split_once(' ').unwrap_or(("REST", &answers.key));
        format!("  {method:6} {}", path.trim_start().replace(char::is_control, " "))
    };
    answers.iter().take(MOST_LINES).map(line).chain(more(answers.len(), "routes")).collect()
}

/// Returns one line per key of `websocket`, up to [`MOST_LINES`].
fn endpoint_lines(scenario: &Scenario) -> Vec<String> {
    let endpoints: Vec<&Arc<Endpoint>> = scenario.endpoints().iter().collect();
    let line = |endpoint: &&Arc<Endpoint>| format!("  SOCKET {}", endpoint.key.replace(char::is_control, " "));
    endpoints.iter().take(MOST_LINES).map(line).chain(more(endpoints.len(), "endpoints")).collect()
}

/// Returns a line that counts the items beyond [`MOST_LINES`], or `None` if there are none.
fn more(count: usize, what: &str) -> Option<String> {
    count.checked_sub(MOST_LINES).filter(|more| *more > 0).map(|more| format!("  … and {more} more {what}"))
}

/// A file that exists while mockd is ready.
pub(super) struct ReadyFile {
    path: PathBuf,
    text: String,
}

impl ReadyFile {
    /// Writes the file under a temporary name and renames it, so that readers see all of it or nothing. Replaces the
    /// ready file of an earlier run, but never any other file.
    ///
    /// # Errors
    /// [`CliError::ReadyFile`].
    pub(super) fn write(path: &Path, ready: &Ready<'_>) -> Result<Self, CliError> {
        let failed = |error| CliError::ReadyFile { path: path.to_owned(), error };
        match fs::read(path) {
            Ok(bytes) if !bytes.starts_with(PREFIX) => {
                return Err(failed(io::Error::new(
                    io::ErrorKind::AlreadyExists,
                    "the existing file is not a mockd ready file",
                )));
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let text = format!("{}\n", ready.json());
        let mut temporary = path.as_os_str().to_owned();
        temporary.push(format!(".{}", std::process::id()));
        fs::write(&temporary, &text).map_err(failed)?;
        fs::rename(&temporary, path).map_err(failed)?;
        Ok(Self { path: path.to_owned(), text })
    }
}

impl Drop for ReadyFile {
    fn drop(&mut self) {
        // Another mockd may have replaced the file, or it may already be gone.
        if fs::read_to_string(&self.path).is_ok_and(|text| text == self.text) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Returns the address at which this machine reaches a server that listens on `address`.
fn local_address(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}
