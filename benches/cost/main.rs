//! What mockd costs, as ratios to a floor and to peers that are measured in the same run.
//!
//! `cargo bench --bench cost` prints a table; `-- --short` takes a minute and prints JSON; `-- --only fanout` measures that
//! alone; `-- --mockd PATH --mockd PATH` compares builds; `-- --only http --beside nginx --rounds 25` compares with one peer for
//! longer.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::unchecked_time_subtraction,
    missing_docs,
    reason = "a bench that cannot go on says so by panicking"
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
    /// Takes a minute instead of ten, and prints JSON.
    #[arg(long)]
    short: bool,
    /// Prints JSON instead of a table.
    #[arg(long)]
    json: bool,
    /// Measures this; may be given several times.
    #[arg(long, value_name = "NAME", value_parser = ALL.iter().map(|(name, _)| *name).collect::<Vec<_>>())]
    only: Vec<String>,
    /// A build of mockd instead of this one; may be given several times.
    #[arg(long, value_name = "PATH")]
    mockd: Vec<PathBuf>,
    /// Measures beside this peer instead of all that are installed; may be given several times.
    #[arg(long, value_name = "PEER")]
    beside: Vec<String>,
    /// Rounds of each measurement that alternates, instead of its own number.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..))]
    rounds: Option<u16>,
    /// Seconds that a script of 1,000 events a second is followed; 3600 show whether it drifts in an hour.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(2..))]
    script_seconds: Option<u32>,
    /// What `cargo bench` adds.
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
    let begin = Instant::now();
    for (name, run) in ALL {
        if arguments.only.is_empty() || arguments.only.iter().any(|only| only == name) {
            eprintln!("{name}, after {:.0} s", begin.elapsed().as_secs_f64());
            run(&mut bench);
        }
    }
    eprintln!("done after {:.0} s", begin.elapsed().as_secs_f64());
    if arguments.short || arguments.json {
        println!("{:#}", bench.figures.json());
    } else {
        println!("{}", bench.figures.table());
    }
}

/// All that are installed, or those of them that are named.
fn peers(names: &[String]) -> Vec<Subject> {
    let peers: Vec<Subject> = peers::installed().into_iter().map(Subject::peer).collect();
    if let Some(name) = names.iter().find(|&name| peers.iter().all(|peer| peer.name != *name)) {
        panic!("{name} is not installed: benches/peers/install does so");
    }
    let is_asked = |peer: &Subject| names.is_empty() || names.contains(&peer.name);
    peers.into_iter().filter(is_asked).collect()
}

/// This build, or those that are given, each by its path.
fn builds(paths: &[PathBuf]) -> Vec<Subject> {
    if paths.is_empty() {
        return vec![Subject::mockd("mockd", env!("CARGO_BIN_EXE_mockd").into())];
    }
    paths.iter().map(|path| Subject::mockd(path.display().to_string(), path.clone())).collect()
}
