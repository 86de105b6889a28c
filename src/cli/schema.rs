//! `mockd schema`: the language for editors, and as a page.

use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::say;
use crate::scenario::{language, schema};

#[derive(Debug, Args)]
pub(super) struct SchemaArgs {
    /// How the language is written
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: SchemaFormat,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum SchemaFormat {
    /// JSON Schema, draft 2020-12
    #[default]
    Json,
    /// The reference page
    Markdown,
}

impl SchemaArgs {
    pub(super) fn execute(self) -> ExitCode {
        let written = match self.format {
            SchemaFormat::Json => say(&format!("{:#}\n", schema())),
            SchemaFormat::Markdown => say(&language::page()),
        };
        if written { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}
