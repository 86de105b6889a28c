//! `mockd completions` and `mockd man`: files that a package installs alongside the program.

use std::process::ExitCode;

use clap::{Args, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;

use super::{Cli, USAGE_ERROR, write_stderr, write_stdout};

#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// Shell to complete in
    shell: Shell,
}

impl CompletionsArgs {
    pub(super) fn execute(&self) -> ExitCode {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "mockd", &mut script);
        print(&script)
    }
}

#[derive(Debug, Args)]
pub(super) struct ManArgs {
    /// Command, such as run [default: mockd itself]
    command: Option<String>,
}

impl ManArgs {
    pub(super) fn execute(&self) -> ExitCode {
        // `help` does not get a separate page.
        let mut mockd = Cli::command().disable_help_subcommand(true);
        // Gives the commands their full names, such as `mockd-run`.
        mockd.build();
        let named = self.command.as_deref();
        let Some(command) = named.map_or(Some(&mockd), |name| mockd.find_subcommand(name)) else {
            let name = named.unwrap_or_default();
            write_stderr(&format!("error: mockd has no command `{name}`; `mockd --help` lists the commands"));
            return ExitCode::from(USAGE_ERROR);
        };
        let mut page = Vec::new();
        match Man::new(command.clone()).render(&mut page) {
            Ok(()) => print(&page),
            Err(error) => {
                write_stderr(&format!("error: cannot write the manual page: {error}"));
                ExitCode::FAILURE
            }
        }
    }
}

fn print(bytes: &[u8]) -> ExitCode {
    if write_stdout(&String::from_utf8_lossy(bytes)) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
