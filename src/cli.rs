//! The command line: arguments, and one command each.

mod check;
mod health;
mod language;
mod options;
mod play;
mod ready;
mod reference;
mod run;
mod stop;
mod terminal;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use thiserror::Error;

use crate::scenario::{LoadError, Style, render};
use crate::selector::GivenError;
use crate::server::ServeError;

/// The exit code for wrong arguments, which is that of clap too.
const WRONG_ARGUMENTS: u8 = 2;

const EXIT_CODES: &str = "\
Exit codes:
  0  done, or stopped as it was told to
  1  it did not work: the scenario is wrong or cannot be read, the port is taken, …; standard error says what
  2  wrong arguments";

/// A mock backend with live data, from a YAML file.
#[derive(Debug, Parser)]
#[command(name = "mockd", version, about, arg_required_else_help = true, after_help = EXIT_CODES)]
#[command(disable_help_subcommand = true)]
pub struct Cli {
    #[command(subcommand)]
    command: CliCommand,
}

#[derive(Debug, Subcommand)]
enum CliCommand {
    /// Serve a scenario over HTTP and WebSocket, follow the file as it is edited, and switch to others
    #[command(after_help = EXIT_CODES)]
    Run(Box<run::RunArgs>),
    /// Print what happens in a scenario as JSON lines, without serving it and without waiting
    Play(play::PlayArgs),
    /// Say whether scenarios are right, without serving them
    Check(check::CheckArgs),
    /// Say whether a mockd answers: exit code 0 if it does
    Health(health::HealthArgs),
    /// Write a scenario to start from, and the schema by which editors complete it
    Init(language::InitArgs),
    /// Show what a key of the scenario language means
    Explain(language::ExplainArgs),
    /// Print the language as a JSON Schema for editors, or as a page to read
    Schema(language::SchemaArgs),
    #[command(about = "Print the control API as an OpenAPI document or as a reference page")]
    Openapi(reference::OpenapiArgs),
    /// Print the help of mockd or of one of its commands, or a reference page of all commands
    Help(reference::HelpArgs),
}

/// Why a command failed; `Display` is what the user reads.
#[derive(Debug, Error)]
enum CliError {
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Given(#[from] GivenError),
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error("{0} is not a directory that can be served; give another with --static")]
    NoSite(std::path::PathBuf),
    #[error("cannot write the result: {0}")]
    Output(std::io::Error),
    #[error("cannot write {}: {error}; give another --ready-file", .path.display())]
    ReadyFile { path: std::path::PathBuf, error: std::io::Error },
    #[error("--control-token or MOCKD_CONTROL_TOKEN: {0}")]
    Token(#[from] crate::http::BadToken),
    #[error("the server was started but does not answer: {0}")]
    NotReady(std::io::Error),
    #[error("{url} is not healthy: {why}")]
    Unhealthy { url: String, why: String },
    #[error("the runtime cannot be started: {0}")]
    Runtime(std::io::Error),
}

impl Cli {
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
        }
    }
}

fn finish(outcome: Result<(), CliError>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&describe(&error));
            if matches!(error, CliError::Token(_)) { ExitCode::from(WRONG_ARGUMENTS) } else { ExitCode::FAILURE }
        }
    }
}

/// Writes to standard output, and says whether that went well.
fn say(text: &str) -> bool {
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => true,
        Err(error) => {
            complain(&format!("error: cannot write the result: {error}"));
            false
        }
    }
}

/// To standard error, whether anybody reads it or not.
fn complain(text: &str) {
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

/// Colour on a terminal, unless the user does not want any (no-color.org).
fn style() -> Style {
    let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    if wanted && std::io::stderr().is_terminal() { Style::Colour } else { Style::Plain }
}
