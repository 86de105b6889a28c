//! The command line: argument parsing and one module per command.

mod check;
mod health;
mod language;
mod manual;
mod options;
mod play;
mod ready;
mod reference;
mod run;
mod scenario_arg;
mod stop;
mod terminal;

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Parser, Subcommand};
use thiserror::Error;

use crate::scenario::{LoadError, Style, parse_duration, render};
use crate::selector::ScenarioFileError;
use crate::server::ServeError;

/// The exit code for wrong arguments, the same as clap's.
const USAGE_ERROR: u8 = 2;

const EXIT_CODES: &str = "\
Exit codes:
  0  success, or stopped on request
  1  failure: the scenario is invalid or unreadable, the port is taken, …; see standard error
  2  wrong arguments";

/// A mock server for HTTP and WebSocket APIs with live data, described in a YAML file
#[derive(Debug, Parser)]
#[command(name = "mockd", version = env!("MOCKD_VERSION"), arg_required_else_help = true, after_help = EXIT_CODES)]
#[command(disable_help_subcommand = true)]
pub struct Cli {
    #[command(subcommand)]
    command: CliCommand,
}

#[derive(Debug, Subcommand)]
enum CliCommand {
    /// Serve a scenario over HTTP and WebSocket, and reload it whenever the file is saved
    #[command(after_help = EXIT_CODES)]
    Run(Box<run::RunArgs>),
    /// Print the events of a scenario as JSON lines, without a server and without waiting
    Play(play::PlayArgs),
    /// Check scenarios for errors without serving them
    Check(check::CheckArgs),
    /// Check whether a mockd server is healthy; the exit code is 0 if it is
    Health(health::HealthArgs),
    /// Write a starter scenario and a JSON Schema for your editor
    Init(language::InitArgs),
    /// Explain a key of the scenario language
    Explain(language::ExplainArgs),
    /// Print the scenario language as a JSON Schema or as a reference page
    Schema(language::SchemaArgs),
    #[command(about = "Print the control API as an OpenAPI document or as a reference page")]
    Openapi(reference::OpenapiArgs),
    /// Print the help of mockd or of one of its commands, or a reference page of all commands
    Help(reference::HelpArgs),
    /// Print a shell completion script for mockd's commands and flags
    Completions(manual::CompletionsArgs),
    /// Print the manual page of mockd or of one of its commands
    Man(manual::ManArgs),
}

/// An error that fails a command. Its `Display` text is shown to the user.
#[derive(Debug, Error)]
enum CliError {
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    ScenarioFile(#[from] ScenarioFileError),
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error("{0} is not a directory; --static takes the directory to serve")]
    NotADirectory(std::path::PathBuf),
    #[error("cannot write the result: {0}")]
    Output(std::io::Error),
    #[error("cannot write {}: {error}; name another file with --ready-file", .path.display())]
    ReadyFile { path: std::path::PathBuf, error: std::io::Error },
    #[error("--control-token or MOCKD_CONTROL_TOKEN: {0}")]
    Token(#[from] crate::http::InvalidToken),
    #[error("the server has started but does not answer: {0}")]
    NotReady(std::io::Error),
    #[error("{url} is not healthy: {why}")]
    Unhealthy { url: String, why: String },
    #[error("cannot start the runtime: {0}")]
    Runtime(std::io::Error),
}

impl Cli {
    /// Parses the program's arguments. Invalid arguments, `--help` and `--version` exit the process.
    #[must_use]
    pub fn from_arguments() -> Self {
        Self::try_parse().unwrap_or_else(|error| suggest_run(error).exit())
    }

    /// Runs the command. Results go to standard output, errors and the log to standard error.
    #[must_use]
    pub fn execute(self) -> ExitCode {
        match self.command {
            CliCommand::Run(run) => finish(run.execute()),
            CliCommand::Play(play) => finish(play.execute()),
            CliCommand::Check(check) => check.execute(),
            CliCommand::Health(health) => finish(health.execute()),
            CliCommand::Init(init) => init.execute(),
            CliCommand::Explain(explain) => explain.execute(),
            CliCommand::Schema(schema) => schema.execute(),
            CliCommand::Openapi(openapi) => openapi.execute(),
            CliCommand::Help(help) => help.execute(Self::command()),
            CliCommand::Completions(completions) => completions.execute(),
            CliCommand::Man(man) => man.execute(),
        }
    }
}

/// Suggests `mockd run` if a file name was given in place of a command.
fn suggest_run(mut error: clap::Error) -> clap::Error {
    if error.kind() == ErrorKind::InvalidSubcommand
        && let Some(ContextValue::String(name)) = error.get(ContextKind::InvalidSubcommand)
        && is_scenario_name(Path::new(name))
    {
        let tip = StyledStr::from(format!("to serve a scenario, use 'mockd run {name}'"));
        error.remove(ContextKind::SuggestedSubcommand);
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip]));
    }
    error
}

fn is_scenario_name(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ["yaml", "yml", "json"].iter().any(|one| ending == *one)) || path.exists()
}

fn finish(outcome: Result<(), CliError>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            write_stderr(&describe(&error));
            if error.is_about_arguments() { ExitCode::from(USAGE_ERROR) } else { ExitCode::FAILURE }
        }
    }
}

impl CliError {
    /// Whether the user can fix the error by passing other arguments.
    fn is_about_arguments(&self) -> bool {
        matches!(self, Self::Token(_) | Self::ScenarioFile(ScenarioFileError::Nothing | ScenarioFileError::Several(_)))
    }
}

/// Parses a duration argument.
fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(|error| format!("{error}: {}", error.expected()))
}

/// Writes to standard output. Returns whether that succeeded.
fn write_stdout(text: &str) -> bool {
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => true,
        Err(error) => {
            write_stderr(&format!("error: cannot write the result: {error}"));
            false
        }
    }
}

/// Writes a line to standard error. Failures are ignored because there is nowhere to report them.
fn write_stderr(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

fn describe(error: &CliError) -> String {
    match error {
        CliError::Load(error) => describe_load(error),
        other => format!("error: {other}"),
    }
}

fn describe_load(error: &LoadError) -> String {
    match error {
        LoadError::Invalid(problems) => render(problems, style()),
        LoadError::Read(error) => format!("error: {error}"),
    }
}

/// Returns the style for standard error: colour on a terminal, unless the user has turned it off (no-color.org).
fn style() -> Style {
    let allowed = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    if allowed && std::io::stderr().is_terminal() { Style::Colour } else { Style::Plain }
}
