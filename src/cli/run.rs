//! `mockd run`: serve a scenario until told to stop.

use std::io;
use std::net::SocketAddr;
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use clap::Args;
use futures_util::future::join_all;
use tokio::runtime::{Builder, Runtime};
use tracing::warn;

use super::options::{LimitArgs, StoreArgs, WorldArgs};
use super::play::any_seed;
use super::ready::{Ready, ReadyFile};
use super::stop::{StopArgs, StopCondition};
use super::terminal::{Figures, LiveLine, LogArgs};
use super::{CliError, style};
use crate::http::{ControlAccess, ControlToken, Hosts, Site, is_host_name};
use crate::scenario::{FoundFile, Host, Loading, Problems, Scenario, load, parse_origin, render};
use crate::selector::{ScenarioFiles, ScenarioSelector};
use crate::server::{Server, ServerConfig, StoreConfig};
use crate::system::program::StopSignals;
use crate::watch::{Watch, WatchMode};

/// How long the end of the program waits for the file's watcher, and until the live line is erased.
const PATIENCE: Duration = Duration::from_secs(1);

/// The port when neither flag nor scenario names one.
const DEFAULT_PORT: u16 = 3000;

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// Scenario files, and folders of which every *.yaml, *.yml and *.json is one; the first is served, and POST /__mockd/scenarios
    /// switches to another
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Port to listen on, 0 for any free one [default: the scenario's, or 3000]
    #[arg(short, long)]
    port: Option<u16>,
    /// Address to listen on, localhost for its IPv4 and IPv6 address, 0.0.0.0 for all [default: the scenario's, or localhost]
    #[arg(long, value_name = "ADDRESS")]
    host: Option<Host>,
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
    /// File to write when mockd answers: a line of JSON with url, pid and seed. It is deleted at the end
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
    /// Secret for the control API under /__mockd, which is off without it unless mockd listens on loopback
    #[arg(long, env = "MOCKD_CONTROL_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    control_token: Option<String>,
    /// Web origin whose pages may use the control API, beside those of this machine; may be given several times
    #[arg(long, value_name = "ORIGIN", value_parser = origin)]
    control_origin: Vec<String>,
    /// Name that requests may be meant for while mockd listens on loopback, beside localhost and its addresses; may be given
    /// several times
    #[arg(long, value_name = "NAME", value_parser = host_name)]
    allow_host: Vec<String>,
    #[command(flatten)]
    limits: LimitArgs,
    #[command(flatten)]
    worlds: WorldArgs,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    end: StopArgs,
    #[command(flatten)]
    log: LogArgs,
}

/// What is served at the start.
struct InitialScenario {
    path: PathBuf,
    scenario: Arc<Scenario>,
    /// What is odd about it.
    warnings: Option<Box<Problems>>,
    /// The files that it was made of, as long as they are to be followed.
    followed: Vec<FoundFile>,
    available: ScenarioFiles,
    store: Option<StoreConfig>,
}

fn origin(text: &str) -> Result<String, String> {
    parse_origin(text).map_err(|wrong| {
        let meant = wrong.meant.map(|meant| format!("; did you mean `{meant}`?"));
        format!("expected what browsers send, such as https://app.example{}", meant.unwrap_or_default())
    })
}

fn host_name(text: &str) -> Result<String, &'static str> {
    let name = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let wrong = "expected a name without scheme and port, such as shop.test";
    if is_host_name(name) { Ok(name.to_ascii_lowercase()) } else { Err(wrong) }
}

/// The runtime, with a thread for each core that works and one that waits for the network meanwhile. Without that one, a
/// thread waits whenever it has nothing to do, and what comes then is spread late: of two cores a fifth stood idle, and they
/// answered 15 % fewer requests.
fn runtime() -> io::Result<Runtime> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    Builder::new_multi_thread().worker_threads(cores + 1).enable_all().build()
}

impl RunArgs {
    pub(super) fn execute(self) -> Result<(), CliError> {
        let end = self.end.begin();
        let line = self.log.is_for_people().then(LiveLine::on_terminal).flatten();
        let _log = self.log.start(line.as_ref());
        let available = ScenarioFiles::new(self.files.iter().cloned());
        let path = available.first()?;
        // A pipe can be read once, so there is nothing to follow.
        let watches = !self.no_watch && path.is_file();
        let Loading { outcome, warnings, files } = load(&path);
        let scenario = outcome?;
        if let Some(warnings) = &warnings {
            warn!("{} is served, but\n{}", path.display(), render(warnings, style()));
        }
        let store = self.store.config(&files);
        let followed = if watches { files } else { Vec::new() };
        let first = InitialScenario { path, scenario: Arc::new(scenario), warnings, followed, available, store };
        let runtime = runtime().map_err(CliError::Runtime)?;
        let outcome = runtime.block_on(self.serve(first, line, end));
        // A read of a file that never answers must not keep the program.
        runtime.shutdown_background();
        outcome
    }

    /// Serves, follows the files if there are any to follow, and switches to others.
    async fn serve(self, first: InitialScenario, line: Option<LiveLine>, end: StopCondition) -> Result<(), CliError> {
        let InitialScenario { path, scenario, warnings, followed, available, store } = first;
        // Before anybody can know that there is a server to stop.
        let mut stop = StopSignals::listen();
        let scenarios = available.list().len();
        let (selector, switches) = ScenarioSelector::new(available, &path);
        let server = Server::start(&scenario, self.config(&scenario, selector, store)?).await?;
        server.reloads().warned(warnings);
        let ready =
            Ready { server: &server, scenario: &scenario, file: &path, watches: !followed.is_empty(), scenarios };
        ready.check().await?;
        let _ready_file = self.ready_file.as_ref().map(|path| ReadyFile::write(path, &ready)).transpose()?;
        if let Some(greeting) = self.log.greeting(self.port(&scenario) != 0) {
            ready.greet(greeting);
        }
        // The worlds have it. Kept here as well, its rows would stay in memory after a reload.
        drop(scenario);
        let (mode, seed, reloads) = (self.watch_mode(), self.seed, server.reloads().clone());
        let watch = Watch { path, mode, seed, style: style(), reloads, switches };
        let following = tokio::spawn(watch.follow(server.worlds().clone(), followed, server.shutdown().clone()));
        let figures = Figures::new(server.worlds().clone(), server.reloads().clone());
        let line = line.map(|line| tokio::spawn(line.show(figures, server.shutdown().clone())));
        tokio::select! {
            () = stop.received() => {}
            () = end.reached() => {}
        }
        // A second signal ends it at once.
        tokio::select! {
            () = stop.received() => {}
            () = server.stop() => {
                // They end with the server, unless the system keeps one in a call; that is no reason to stay.
                let tasks = line.into_iter().chain([following]);
                let _ = tokio::time::timeout(PATIENCE, join_all(tasks)).await;
            }
        }
        Ok(())
    }

    fn config(
        &self,
        scenario: &Scenario,
        selector: ScenarioSelector,
        store: Option<StoreConfig>,
    ) -> Result<ServerConfig, CliError> {
        let declared = scenario.server();
        let host = self.host.or(declared.host()).unwrap_or_default();
        let (address, also_ipv6_loopback) =
            (SocketAddr::new(host.ip(), self.port(scenario)), host.needs_ipv6_loopback());
        let site = match self.site.as_ref().or(declared.site()) {
            None => Site::BuiltIn,
            Some(path) if path.is_dir() => Site::Directory(path.clone()),
            Some(path) => return Err(CliError::NoSite(path.clone())),
        };
        let seed = self.seed.or(scenario.seed()).unwrap_or_else(any_seed);
        // An empty one is what a secret that is not set becomes in CI.
        let token = self.control_token.as_deref().filter(|token| !token.is_empty());
        let token = token.map(str::parse::<ControlToken>).transpose()?;
        let access = ControlAccess::new(host.ip(), token, self.control_origin.clone());
        if access == ControlAccess::Off {
            warn!("the control API under /__mockd is off, because {host} is not loopback; --control-token turns it on");
        }
        let (cors, worlds) = (declared.cors().clone(), self.worlds.options());
        let (hosts, limits) = (Hosts::new(host.ip(), self.allow_host.clone()), self.limits.apply());
        Ok(ServerConfig {
            address,
            also_ipv6_loopback,
            site,
            cors,
            seed,
            worlds,
            access,
            hosts,
            limits,
            selector,
            store,
        })
    }

    /// The port to listen on, 0 for any free one.
    fn port(&self, scenario: &Scenario) -> u16 {
        self.port.or(scenario.server().port()).unwrap_or(DEFAULT_PORT)
    }

    fn watch_mode(&self) -> WatchMode {
        match (self.no_watch, self.poll) {
            (true, _) => WatchMode::Never,
            (false, true) => WatchMode::Poll,
            (false, false) => WatchMode::Events,
        }
    }
}
