//! The cost of mockd, relative to a floor and to peers measured in the same run.
//!
//! `cargo bench --bench cost` prints a table. More arguments, after `--`:
//!
//! - `--short` takes a minute and prints JSON.
//! - `--only fanout` runs only that measurement.
//! - `--mockd PATH --mockd PATH` compares builds.
//! - `--only http --beside nginx --rounds 25` compares with one peer, in more rounds.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::unchecked_time_subtraction,
    missing_docs,
    reason = "a bench reports its failures by panicking"
)]

mod client;
mod delivery;
mod epoll;
mod figures;
mod floor;
mod http;
mod measure;
mod peers;
mod plot;
mod process;
mod scenarios;
mod subject;

use std::path::PathBuf;
use std::time::Instant;

use clap::{Parser, Subcommand};

use figures::Figures;
use measure::{ALL, Bench};
use subject::Subject;

#[derive(Parser, Debug)]
struct Arguments {
    /// Takes one minute instead of ten, and prints JSON.
    #[arg(long)]
    short: bool,
    /// Prints JSON instead of a table.
    #[arg(long)]
    json: bool,
    /// Runs only this measurement; may be repeated.
    #[arg(long, value_name = "NAME", value_parser = ALL.iter().map(|(name, _)| *name).collect::<Vec<_>>())]
    only: Vec<String>,
    /// Measures this build of mockd instead of the current one; may be repeated.
    #[arg(long, value_name = "PATH")]
    mockd: Vec<PathBuf>,
    /// Measures only this peer instead of all installed ones; may be repeated.
    #[arg(long, value_name = "PEER")]
    beside: Vec<String>,
    /// Number of rounds of each alternating measurement, instead of its default.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..))]
    rounds: Option<u16>,
    /// Seconds to follow a script of 1,000 events per second; 3600 shows whether it drifts within an hour.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(2..))]
    script_seconds: Option<u32>,
    /// Passed by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(Subcommand, Debug)]
enum Role {
    /// Serves as the floor.
    #[command(hide = true)]
    Floor(floor::Options),
}

fn main() {
    let arguments = Arguments::parse();
    match &arguments.role {
        Some(Role::Floor(options)) => floor::run(options),
        None => measure(&arguments),
    }
}

fn measure(arguments: &Arguments) {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let mockd = builds(&arguments.mockd);
    let figures = Figures::new(mockd[0].name.as_str());
    let mut bench = Bench {
        mockd,
        peers: if arguments.short { Vec::new() } else { peers(&arguments.beside) },
        is_short: arguments.short,
        rounds: arguments.rounds.map(usize::from),
        files: process::raise_file_limit(),
        script_seconds: arguments.script_seconds.and_then(|seconds| usize::try_from(seconds).ok()),
        scratch: scratch.path().to_path_buf(),
        figures,
    };
    let start = Instant::now();
    for (name, run) in ALL {
        if arguments.only.is_empty() || arguments.only.iter().any(|only| only == name) {
            eprintln!("{name}, after {:.0} s", start.elapsed().as_secs_f64());
            run(&mut bench);
        }
    }
    eprintln!("done after {:.0} s", start.elapsed().as_secs_f64());
    if arguments.short || arguments.json {
        println!("{:#}", bench.figures.json());
    } else {
        println!("{}", bench.figures.table());
    }
}

/// Returns the installed peers with the given names, or all installed peers if `names` is empty.
fn peers(names: &[String]) -> Vec<Subject> {
    let peers: Vec<Subject> = peers::installed().into_iter().map(Subject::peer).collect();
    if let Some(name) = names.iter().find(|&name| peers.iter().all(|peer| peer.name != *name)) {
        panic!("{name} is not installed; run benches/peers/install");
    }
    let is_selected = |peer: &Subject| names.is_empty() || names.contains(&peer.name);
    peers.into_iter().filter(is_selected).collect()
}

/// Returns the builds at the given paths, each named by its path, or the current build if `paths` is empty.
fn builds(paths: &[PathBuf]) -> Vec<Subject> {
    if paths.is_empty() {
        return vec![Subject::mockd("mockd", env!("CARGO_BIN_EXE_mockd").into())];
    }
    paths.iter().map(|path| Subject::mockd(path.display().to_string(), path.clone())).collect()
}
