//! `mockd openapi` and `mockd help`: references for the control API and the command line.

use std::ffi::OsStr;
use std::fmt::Write;
use std::process::ExitCode;

use clap::{Arg, Args, Command, ValueEnum};
use indexmap::IndexMap;

use super::{USAGE_ERROR, write_stdout};
use crate::http::{control_document, control_page};

#[derive(Debug, Args)]
pub(super) struct OpenapiArgs {
    /// Output format
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: OpenapiFormat,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum OpenapiFormat {
    #[default]
    #[value(help = "OpenAPI 3.1")]
    Json,
    /// Reference page
    Markdown,
}

impl OpenapiArgs {
    pub(super) fn execute(self) -> ExitCode {
        let text = match self.format {
            OpenapiFormat::Json => format!("{:#}\n", control_document()),
            OpenapiFormat::Markdown => control_page(),
        };
        if write_stdout(&text) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

#[derive(Debug, Args)]
pub(super) struct HelpArgs {
    /// Command to describe [default: mockd itself]
    command: Option<String>,
    /// Output format
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT", conflicts_with = "command")]
    format: HelpFormat,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum HelpFormat {
    /// The text that `--help` prints
    #[default]
    Text,
    /// Reference page for all commands
    Markdown,
}

impl HelpArgs {
    /// Prints the help. Returns exit code 2 for an unknown command.
    pub(super) fn execute(self, mut mockd: Command) -> ExitCode {
        if matches!(self.format, HelpFormat::Markdown) {
            mockd.build();
            return if write_stdout(&page(&mut mockd)) { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        }
        let arguments = ["mockd"].into_iter().chain(self.command.as_deref()).chain(["--help"]);
        let Err(help) = mockd.try_get_matches_from_mut(arguments) else { return ExitCode::FAILURE };
        if help.print().is_err() {
            return ExitCode::FAILURE;
        }
        ExitCode::from(u8::try_from(help.exit_code()).unwrap_or(USAGE_ERROR))
    }
}

/// Returns the reference page for all commands, in Markdown.
fn page(mockd: &mut Command) -> String {
    let mut page = "# The command line\n\nThis page is printed by `mockd help --format markdown`.\n".to_owned();
    page += "\n| command | what it does |\n|---|---|\n";
    // Writing to a `String` cannot fail.
    for command in mockd.get_subcommands() {
        let (name, about) = (command.get_name(), command.get_about().map(ToString::to_string));
        let _ = writeln!(page, "| [`mockd {name}`](#mockd-{name}) | {} |", escaped(&about.unwrap_or_default()));
    }
    if let Some(after) = mockd.get_after_help() {
        let _ = write!(page, "\n```text\n{after}\n```\n");
    }
    for command in mockd.get_subcommands_mut() {
        section(&mut page, command);
    }
    page
}

fn section(page: &mut String, command: &mut Command) {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let usage = command.render_usage();
    let _ = write!(page, "\n## `mockd {}`\n\n{}.\n", command.get_name(), escaped(&about));
    let _ = write!(page, "\n```text\n{usage}\n```\n");
    let mut tables: IndexMap<&str, String> = IndexMap::new();
    for argument in command.get_arguments().filter(|argument| !argument.is_hide_set() && argument.get_id() != "help") {
        let default_heading = if argument.is_positional() { "Arguments" } else { "Options" };
        let table = tables.entry(argument.get_help_heading().unwrap_or(default_heading)).or_default();
        let (name, default) = (shown(argument), defaults(argument));
        let _ = writeln!(table, "| `{name}` | {default} | {} |", meaning(argument));
    }
    for (heading, rows) in tables {
        let _ = write!(page, "\n| {heading} | default | meaning |\n|---|---|---|\n{rows}");
    }
}

/// Returns an argument as users write it, such as `-p, --port <PORT>`.
fn shown(argument: &Arg) -> String {
    let short = argument.get_short().filter(|_| argument.get_long().is_some());
    format!("{}{argument}", short.map(|short| format!("-{short}, ")).unwrap_or_default())
}

fn defaults(argument: &Arg) -> String {
    let values = argument.get_default_values().iter().filter(|_| argument.get_action().takes_values());
    values.map(|value| format!("`{}`", value.to_string_lossy())).collect::<Vec<_>>().join(" ")
}

fn meaning(argument: &Arg) -> String {
    let help = argument.get_long_help().or(argument.get_help()).map(ToString::to_string).unwrap_or_default();
    let mut meaning = escaped(&help);
    for value in argument.get_possible_values() {
        let _ = write!(meaning, "<br>`{}`", value.get_name());
        if let Some(help) = value.get_help() {
            let _ = write!(meaning, ": {}", escaped(&help.to_string()));
        }
    }
    if let Some(variable) = argument.get_env().map(OsStr::to_string_lossy) {
        let _ = write!(meaning, "<br>Environment: `{variable}`");
    }
    meaning
}

/// Escapes text for a Markdown table cell. Backquotes in the text enclose code.
fn escaped(text: &str) -> String {
    let parts = text.split('`').enumerate().map(|(index, part)| {
        let is_code = index % 2 == 1;
        let special = |c: char| c == '|' || !is_code && "*_<[".contains(c);
        let escape = |c: char| if special(c) { format!("\\{c}") } else { c.to_string() };
        part.replace('\n', " ").chars().map(escape).collect::<String>()
    });
    parts.collect::<Vec<_>>().join("`")
}
