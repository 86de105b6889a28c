//! `mockd check`: is it right, and if not, what is wrong where.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::{complain, describe_load, say};
use crate::scenario::{LoadError, Scenario, annotations, describe, load};

#[derive(Debug, Args)]
pub(super) struct Check {
    /// Scenario files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print each scenario as mockd sees it: files included, ids given, anchors and merge keys resolved, defaults
    /// filled in
    #[arg(long, conflicts_with = "format")]
    print: bool,
    /// How the result is written
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: CheckFormat,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum CheckFormat {
    /// For people: reports on standard error
    #[default]
    Text,
    /// One JSON object for programs, on standard output
    Json,
    /// Annotations of a GitHub pull request, on standard output
    Github,
}

impl Check {
    /// Checks every file, also after one that is wrong. Exit code 1 if any is.
    pub(super) fn execute(self) -> ExitCode {
        let outcomes: Vec<Checked> = self.files.iter().map(|path| (path.as_path(), load(path).outcome)).collect();
        let all_right = outcomes.iter().all(|(_, outcome)| outcome.is_ok());
        let written = match self.format {
            CheckFormat::Json => say(&format!("{:#}\n", as_json(&outcomes, all_right))),
            CheckFormat::Text => outcomes.iter().all(|checked| self.as_text(checked)),
            CheckFormat::Github => outcomes.iter().all(|(path, outcome)| match outcome {
                Ok(scenario) => say(&ok_line(path, scenario)),
                Err(error) => say(&annotations(error)),
            }),
        };
        // The system takes the memory of a large scenario back at once, which is sooner than piece by piece.
        std::mem::forget(outcomes);
        if all_right && written { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    fn as_text(&self, (path, outcome): &Checked) -> bool {
        match outcome {
            Ok(scenario) if self.print => say(&scenario.to_yaml()),
            Ok(scenario) => say(&ok_line(path, scenario)),
            Err(error) => {
                complain(&describe_load(error));
                true
            }
        }
    }
}

/// A file and what is to be said of it.
type Checked<'p> = (&'p Path, Result<Scenario, LoadError>);

fn as_json(outcomes: &[Checked], ok: bool) -> Value {
    let file = |(path, outcome): &Checked| {
        let mut file = json!({ "file": path.to_string_lossy(), "ok": outcome.is_ok() });
        match outcome {
            Ok(scenario) => counts(scenario).into_iter().for_each(|(_, name, count)| file[name] = count.into()),
            Err(error) => file["problems"] = describe(error),
        }
        file
    };
    json!({ "ok": ok, "files": outcomes.iter().map(file).collect::<Vec<_>>() })
}

fn ok_line(path: &Path, scenario: &Scenario) -> String {
    let counted = |(one, many, count)| format!("{count} {}", if count == 1 { one } else { many });
    format!("{}: ok, {}\n", path.display(), counts(scenario).map(counted).join(", "))
}

/// How much of what there is: one, many, and the number.
fn counts(scenario: &Scenario) -> [(&'static str, &'static str, usize); 4] {
    [
        ("category", "categories", scenario.categories().len()),
        ("product", "products", scenario.products().count()),
        ("generator", "generators", scenario.generators().len()),
        ("script", "scripts", scenario.scripts().len()),
    ]
}
