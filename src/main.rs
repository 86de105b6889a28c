//! The `mockd` program: runs the command given by its arguments.

use std::process::ExitCode;

fn main() -> ExitCode {
    mockd::cli::Cli::from_arguments().execute()
}
