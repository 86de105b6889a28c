//! The `mockd` program: arguments in, one command, an exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    mockd::cli::Cli::from_arguments().execute()
}
