//! The `mockd` program: runs the command given by its arguments.

use std::process::ExitCode;

#[cfg(all(feature = "jemalloc", target_os = "linux", target_env = "gnu"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// musl's allocator is slow as soon as several threads allocate, and jemalloc's thread, which returns memory, does not
/// work there.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    mockd::cli::Cli::from_arguments().execute()
}
