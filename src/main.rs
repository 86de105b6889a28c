//! The `mockd` program: runs the command given by its arguments.

use std::process::ExitCode;

/// musl's allocator is slow as soon as several threads allocate.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    mockd::cli::Cli::from_arguments().execute()
}
