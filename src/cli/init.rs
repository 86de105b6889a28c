//! `mockd init`: a scenario to start from.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::{complain, say};
use crate::scenario::schema;

/// The scenario, with comments that say what to try.
const STARTER: &str = include_str!("init/starter.yaml");

#[derive(Debug, Args)]
pub(super) struct Init {
    /// Where to write it; made if it is not there
    #[arg(value_name = "DIR", default_value = ".")]
    directory: PathBuf,
}

impl Init {
    /// Writes the scenario and its schema. A file that is there already is left alone, and the exit code is 1.
    pub(super) fn execute(self) -> ExitCode {
        if let Err(error) = std::fs::create_dir_all(&self.directory) {
            complain(&format!("error: cannot make the directory {}: {error}", self.directory.display()));
            return ExitCode::FAILURE;
        }
        let scenario = self.directory.join("mockd.yaml");
        let schema_file = self.directory.join("mockd.schema.json");
        if let Some(taken) = [&scenario, &schema_file].into_iter().find(|path| path.symlink_metadata().is_ok()) {
            complain(&format!("error: {} is there already; remove it, or name another directory", taken.display()));
            return ExitCode::FAILURE;
        }
        let written = write_new(&schema_file, &format!("{:#}\n", schema())) && write_new(&scenario, STARTER);
        let path = scenario.display();
        if written
            && say(&format!("wrote {path}, and {} for your editor\nnow: mockd run {path}\n", schema_file.display()))
        {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}

/// Writes a file that must not be there yet.
fn write_new(path: &Path, text: &str) -> bool {
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    let failed = |error: std::io::Error| match error.kind() {
        ErrorKind::AlreadyExists => format!("error: {} is there already; remove it first", path.display()),
        _ => format!("error: cannot write {}: {error}", path.display()),
    };
    written.map_err(|error| complain(&failed(error))).is_ok()
}
