//! `mockd check`: is it right, and if not, what is wrong where.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::{complain, describe_load};
use crate::scenario::{Scenario, load};

#[derive(Debug, Args)]
pub(super) struct Check {
    /// Scenario files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print each scenario as mockd sees it: ids given, anchors and merge keys resolved, defaults filled in
    #[arg(long)]
    print: bool,
}

impl Check {
    /// Checks every file, also after one that is wrong. Exit code 1 if any is.
    pub(super) fn execute(self) -> ExitCode {
        let mut all_right = true;
        for path in self.files {
            match load(&path) {
                Ok(loaded) if self.print => all_right &= say(&loaded.scenario.to_yaml()),
                Ok(loaded) => all_right &= say(&format!("{}: ok, {}\n", path.display(), describe(&loaded.scenario))),
                Err(error) => {
                    all_right = false;
                    complain(&describe_load(&error));
                }
            }
        }
        if all_right { ExitCode::SUCCESS } else { ExitCode::FAILURE }
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

fn describe(scenario: &Scenario) -> String {
    let count = |count: usize, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
    [
        count(scenario.categories().len(), "category", "categories"),
        count(scenario.products().count(), "product", "products"),
        count(scenario.generators().len(), "generator", "generators"),
        count(scenario.scripts().len(), "script", "scripts"),
    ]
    .join(", ")
}
