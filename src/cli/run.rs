//! `mockd run`: serves a scenario until it is stopped.

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

use super::options::{AccessArgs, LimitArgs, StoreArgs, TimeArgs, WorldArgs};
use super::play::any_seed;
use super::ready::{Ready, ReadyFile};
use super::scenario_arg::or_default_file;
use super::stop::StopCondition;
use super::terminal::{Figures, LiveLine, LogArgs};
use super::{CliError, style};
use crate::http::{ControlAccess, Site};
use crate::scenario::{FoundFile, Host, Loading, Problems, Scenario, load, render};
use crate::selector::{ScenarioFiles, ScenarioSelector};
use crate::server::{Server, ServerConfig, StoreConfig};
use crate::system::program::StopSignals;
use crate::watch::{Watch, WatchMode};

/// How long to wait on exit for the file watcher to stop and the status line to be erased.
const EXIT_TIMEOUT: Duration = Duration::from_secs(1);

/// The port if neither the flag nor the scenario sets one.
const DEFAULT_PORT: u16 = 3000;

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// Scenario files and folders of them (*.yaml, *.yml, *.json) [default: mockd.yaml, or the only *.mockd.yaml here]
    ///
    /// mockd serves the first one; `POST /__mockd/scenarios` and the dashboard switch to another. For a folder, it
    /// starts with mockd.yaml or shop.yaml if either exists, otherwise with the first file by name.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten, next_help_heading = "Basics")]
    basics: BasicArgs,
    #[command(flatten, next_help_heading = "Basics")]
    log: LogArgs,
    #[command(flatten, next_help_heading = "Time and tests")]
    time: TimeArgs,
    #[command(flatten, next_help_heading = "Access")]
    access: AccessArgs,
    #[command(flatten, next_help_heading = "Limits")]
    limits: LimitArgs,
    #[command(flatten, next_help_heading = "Limits")]
    worlds: WorldArgs,
    #[command(flatten, next_help_heading = "Several servers")]
    store: StoreArgs,
}

#[derive(Debug, Args)]
struct BasicArgs {
    /// Port to listen on; 0 takes any free one [default: the scenario's, else 3000]
    #[arg(short, long)]
    port: Option<u16>,
    /// Address to listen on: an IP address, localhost, or 0.0.0.0 for all interfaces [default: the scenario's, else
    /// localhost]
    #[arg(long, value_name = "ADDRESS")]
    host: Option<Host>,
    /// Directory to serve at / [default: the scenario's, else mockd's own page]
    #[arg(long = "static", value_name = "DIR")]
    site: Option<PathBuf>,
    /// Do not reload the scenario when its files change
    #[arg(long)]
    no_watch: bool,
    /// Check the files every 100 ms instead of waiting for file system events; for network and container mounts
    #[arg(long, conflicts_with = "no_watch")]
    poll: bool,
}

impl BasicArgs {
    fn watch_mode(&self) -> WatchMode {
        match (self.no_watch, self.poll) {
            (true, _) => WatchMode::Never,
            (false, true) => WatchMode::Poll,
            (false, false) => WatchMode::Events,
        }
    }

    /// Returns the port to listen on, or 0 for any free port.
    fn port(&self, scenario: &Scenario) -> u16 {
        self.port.or(scenario.server().port()).unwrap_or(DEFAULT_PORT)
    }

    /// Returns the site to serve at `/`.
    ///
    /// # Errors
    /// [`CliError::NotADirectory`] if its path is not a directory.
    fn site(&self, scenario: &Scenario) -> Result<Site, CliError> {
        match self.site.as_deref().or(scenario.server().site().map(PathBuf::as_path)) {
            None => Ok(Site::BuiltIn),
            Some(path) if path.is_dir() => Ok(Site::Directory(path.to_owned())),
            Some(path) => Err(CliError::NotADirectory(path.to_owned())),
        }
    }
}

/// The scenario to serve first, and what was learned while loading it.
struct InitialScenario {
    path: PathBuf,
    scenario: Arc<Scenario>,
    warnings: Option<Box<Problems>>,
    /// The files that the scenario was read from; empty if they are not watched.
    watched_files: Vec<FoundFile>,
    /// All files that can be served, this one included.
    available: ScenarioFiles,
    store: Option<StoreConfig>,
}

/// Builds the runtime with a thread for every two cores, because the tests and the browser that mockd serves need the
/// others. Threads that pass work to each other also cost more: on two cores, one thread takes 15 % less CPU for a
/// request than three, and 25 % less for an answered message, at the same rate.
fn runtime() -> io::Result<Runtime> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    Builder::new_multi_thread().worker_threads(cores.div_ceil(2)).enable_all().build()
}

impl RunArgs {
    pub(super) fn execute(self) -> Result<(), CliError> {
        // First, because the end of the parent process goes unnoticed until then.
        let stop_condition = self.time.stop().start();
        let status_line = self.log.is_human_readable().then(LiveLine::on_terminal).flatten();
        let _log = self.log.start(status_line.as_ref());
        let available = ScenarioFiles::new(or_default_file(self.files.clone())?);
        let path = available.first()?;
        // A pipe can be read only once, so there is nothing to watch.
        let watches = !self.basics.no_watch && path.is_file();
        let Loading { outcome, warnings, files } = load(&path);
        let scenario = outcome?;
        if let Some(warnings) = &warnings {
            warn!("{} is served, but\n{}", path.display(), render(warnings, style()));
        }
        let store = self.store.config(&files);
        let watched_files = if watches { files } else { Vec::new() };
        let initial = InitialScenario { path, scenario: Arc::new(scenario), warnings, watched_files, available, store };
        let runtime = runtime().map_err(CliError::Runtime)?;
        let outcome = runtime.block_on(self.serve(initial, status_line, stop_condition));
        // Do not wait for blocking tasks: one that reads a file may never return.
        runtime.shutdown_background();
        outcome
    }

    /// Serves the scenario, follows changes of its files, and switches to other scenarios on request. Returns after a
    /// signal, or when the stop condition is met.
    async fn serve(
        self,
        initial: InitialScenario,
        status_line: Option<LiveLine>,
        stop_condition: StopCondition,
    ) -> Result<(), CliError> {
        let InitialScenario { path, scenario, warnings, watched_files, available, store } = initial;
        // Listen before the server is announced: a signal may arrive from then on.
        let mut signals = StopSignals::listen();
        let scenarios = available.list().len();
        let (selector, switches) = ScenarioSelector::new(available, &path);
        let server = Server::start(&scenario, self.config(&scenario, selector, store)?).await?;
        server.reloads().warned(warnings);
        let ready =
            Ready { server: &server, scenario: &scenario, file: &path, watches: !watched_files.is_empty(), scenarios };
        ready.check().await?;
        let _ready_file = self.time.ready_file().map(|path| ReadyFile::write(path, &ready)).transpose()?;
        if let Some(greeting) = self.log.greeting(self.basics.port(&scenario) != 0) {
            ready.greet(greeting);
        }
        // The worlds hold the scenario. Another reference here would keep its rows in memory after a reload.
        drop(scenario);
        let (mode, seed, reloads) = (self.basics.watch_mode(), self.time.seed(), server.reloads().clone());
        let watch = Watch { path, mode, seed, style: style(), reloads, switches };
        let watching = tokio::spawn(watch.follow(server.worlds().clone(), watched_files, server.shutdown().clone()));
        let figures = Figures::new(server.worlds().clone(), server.reloads().clone());
        let showing = status_line.map(|line| tokio::spawn(line.show(figures, server.shutdown().clone())));
        tokio::select! {
            () = signals.received() => {}
            () = stop_condition.reached() => {}
        }
        // A second signal exits immediately.
        tokio::select! {
            () = signals.received() => {}
            () = server.stop() => {
                // The tasks end with the server, unless one is stuck in a system call.
                let tasks = showing.into_iter().chain([watching]);
                let _ = tokio::time::timeout(EXIT_TIMEOUT, join_all(tasks)).await;
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
        let host = self.basics.host.or(declared.host()).unwrap_or_default();
        let site = self.basics.site(scenario)?;
        let access = self.access.control(host.ip())?;
        if access == ControlAccess::Off {
            warn!("the control API under /__mockd is off, because {host} is not loopback; --control-token turns it on");
        }
        Ok(ServerConfig {
            address: SocketAddr::new(host.ip(), self.basics.port(scenario)),
            also_ipv6_loopback: host.needs_ipv6_loopback(),
            site,
            cors: declared.cors().clone(),
            seed: self.time.seed().or(scenario.seed()).unwrap_or_else(any_seed),
            worlds: self.worlds.options(self.time.pace()),
            access,
            hosts: self.access.hosts(host.ip()),
            limits: self.limits.apply(),
            selector,
            store,
        })
    }
}
