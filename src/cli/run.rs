//! `mockd run`: serve a scenario until told to stop.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use super::log::{LogArgs, LogFormat};
use super::seed::any_seed;
use super::stop::StopSignal;
use super::{CliError, style};
use crate::http::Site;
use crate::scenario::{FoundFile, Loading, Scenario, load};
use crate::server::{Server, ServerConfig};
use crate::watch::{Watch, WatchMode};

/// How long the end of the program waits for the file's watcher.
const PATIENCE: Duration = Duration::from_secs(1);

/// What stands for itself in a segment of a path (RFC 3986, 2.3); the rest is percent-encoded.
const IN_A_PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The port when neither flag nor scenario names one.
const DEFAULT_PORT: u16 = 3000;

#[derive(Debug, Args)]
pub(super) struct Run {
    /// The scenario file
    file: PathBuf,
    /// Port to listen on, 0 for any free one [default: the scenario's, or 3000]
    #[arg(short, long)]
    port: Option<u16>,
    /// Address to listen on, 0.0.0.0 for all [default: the scenario's, or 127.0.0.1]
    #[arg(long, value_parser = host, value_name = "ADDRESS")]
    host: Option<IpAddr>,
    /// Do not follow the file
    #[arg(long)]
    no_watch: bool,
    /// Look at the file every 100 ms instead of waiting for events; for network and container mounts
    #[arg(long, conflicts_with = "no_watch")]
    poll: bool,
    /// Seed of all that is random [default: the scenario's, or one by chance]
    #[arg(long)]
    seed: Option<u64>,
    /// Directory to serve at / [default: the scenario's, or the browser app inside mockd]
    #[arg(long = "static", value_name = "DIR")]
    site: Option<PathBuf>,
    #[command(flatten)]
    log: LogArgs,
}

/// An address, also in the brackets that it has in a URL, or the one name that everybody expects to work.
fn host(text: &str) -> Result<IpAddr, std::net::AddrParseError> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    if bare == "localhost" { Ok(Ipv4Addr::LOCALHOST.into()) } else { bare.parse() }
}

impl Run {
    pub(super) fn execute(self) -> Result<(), CliError> {
        self.log.start();
        // A pipe can be read once, so there is nothing to follow.
        let watches = !self.no_watch && self.file.is_file();
        let Loading { outcome, files } = load(&self.file);
        let scenario = outcome?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(CliError::Runtime)?;
        let outcome = runtime.block_on(self.serve(scenario, files, watches));
        // A read of a file that never answers must not keep the program.
        runtime.shutdown_background();
        outcome
    }

    async fn serve(self, scenario: Scenario, files: Vec<FoundFile>, watches: bool) -> Result<(), CliError> {
        let scenario = Arc::new(scenario);
        // Before anybody can know that there is a server to stop.
        let mut stop = StopSignal::listen();
        let mut server = Server::start(&scenario, self.config(&scenario)?).await?;
        if !self.log.is_quiet() {
            self.greet(&server, &scenario, watches);
        }
        let following = watches.then(|| {
            let watch = Watch {
                path: self.file.clone(),
                mode: self.watch_mode(),
                seed: self.seed,
                style: style(),
                reloads: server.reloads().clone(),
            };
            tokio::spawn(watch.follow(server.world().clone(), files, server.shutdown().clone()))
        });
        let outcome = tokio::select! {
            () = stop.received() => Ok(()),
            () = server.failed() => Err(CliError::Defect),
        };
        // A second signal ends it at once.
        tokio::select! {
            () = stop.received() => {}
            () = server.stop() => {
                if let Some(following) = following {
                    // It ends with the server, unless the system keeps it in a call; that is no reason to stay.
                    let _ = tokio::time::timeout(PATIENCE, following).await;
                }
            }
        }
        outcome
    }

    fn config(&self, scenario: &Scenario) -> Result<ServerConfig, CliError> {
        let declared = scenario.server();
        let host = self.host.or(declared.host()).unwrap_or(Ipv4Addr::LOCALHOST.into());
        let port = self.port.or(declared.port()).unwrap_or(DEFAULT_PORT);
        let site = match self.site.as_ref().or(declared.site()) {
            None => Site::BuiltIn,
            Some(path) if path.is_dir() => Site::Directory(path.clone()),
            Some(path) => return Err(CliError::NoSite(path.clone())),
        };
        let seed = self.seed.or(scenario.seed()).unwrap_or_else(any_seed);
        Ok(ServerConfig { address: SocketAddr::new(host, port), site, cors: declared.cors().clone(), seed })
    }

    fn watch_mode(&self) -> WatchMode {
        if self.poll { WatchMode::Poll } else { WatchMode::Events }
    }

    /// Says what is served where. The URL comes first, so that a program that starts mockd need not read on.
    fn greet(&self, server: &Server, scenario: &Scenario, watches: bool) {
        let seed = server.world().snapshot().seed;
        let file = watches.then_some(&self.file);
        let greeting = match self.log.log_format {
            LogFormat::Json => {
                let categories: Vec<&str> = scenario.categories().iter().map(|category| &**category.name()).collect();
                json!({ "url": server.url(), "scenario": scenario.name(), "categories": categories,
                    "watching": file, "seed": seed })
                .to_string()
            }
            LogFormat::Text => self.greeting(server, scenario, seed, watches),
        };
        // Whoever reads the greeting may be gone; the server is there for others.
        let _ = writeln!(std::io::stdout(), "{greeting}");
    }

    fn greeting(&self, server: &Server, scenario: &Scenario, seed: u64, watches: bool) -> String {
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
        let (watching, hint) = if watches { ("watching", ": edit it and save") } else { ("not watching", "") };
        lines.push(format!("  {watching} {}{hint}", self.file.display()));
        lines.push(format!("  seed {seed}, stop with Ctrl-C"));
        lines.join("\n")
    }
}
