//! The `mockd` program: arguments in, one command, an exit code out.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    mockd::cli::Cli::parse().execute()
}
