//! `mockd check`: validates scenarios and reports each problem with its location.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::scenario_arg::{ScenarioArg, or_default_file};
use super::{CliError, describe_load, finish, style, write_stderr, write_stdout};
use crate::scenario::{
    FrameEncoding, MemberFrame, Scenario, annotate, annotations, describe, describe_problems, render,
};

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// Scenario files, folders of them, or - for standard input [default: mockd.yaml, or the only *.mockd.yaml here]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print each scenario in full: includes merged, ids assigned, anchors and merge keys resolved, defaults filled in
    #[arg(long, conflicts_with = "format")]
    print: bool,
    /// Also print how often each membership's `frame` is encoded: once for all members, or separately for some
    #[arg(short, long, conflicts_with_all = ["print", "format"])]
    verbose: bool,
    /// Output format
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: CheckFormat,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum CheckFormat {
    /// Reports for people, on standard error
    #[default]
    Text,
    /// One JSON object for programs, on standard output
    Json,
    /// Annotations for a GitHub pull request, on standard output
    Github,
}

impl CheckArgs {
    /// Checks every file, even after an invalid one. Returns exit code 1 if any file is invalid.
    pub(super) fn execute(mut self) -> ExitCode {
        let files = match or_default_file(std::mem::take(&mut self.files)) {
            Ok(files) => files,
            Err(error) => return finish(Err(CliError::ScenarioFile(error))),
        };
        let outcomes: Vec<ScenarioArg> = files.iter().flat_map(|file| ScenarioArg::all(file)).collect();
        let all_right = outcomes.iter().all(|checked| checked.loading.outcome.is_ok());
        let written = match self.format {
            CheckFormat::Json => write_stdout(&format!("{:#}\n", to_json(&outcomes, all_right))),
            CheckFormat::Text => outcomes.iter().all(|checked| self.print_text(checked)),
            CheckFormat::Github => outcomes.iter().all(|ScenarioArg { path, loading }| {
                let warnings = loading.warnings.as_deref().map(annotate).unwrap_or_default();
                match &loading.outcome {
                    Ok(scenario) => write_stdout(&(warnings + &ok_line(path, scenario))),
                    Err(error) => write_stdout(&annotations(error)),
                }
            }),
        };
        // The process is about to exit. The system frees a large scenario faster than dropping it value by value would.
        std::mem::forget(outcomes);
        if all_right && written { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    fn print_text(&self, ScenarioArg { path, loading }: &ScenarioArg) -> bool {
        if let Some(warnings) = &loading.warnings {
            write_stderr(&render(warnings, style()));
        }
        match &loading.outcome {
            Ok(scenario) if self.print => write_stdout(&scenario.to_yaml()),
            Ok(scenario) if self.verbose => write_stdout(&(ok_line(path, scenario) + &frame_lines(scenario))),
            Ok(scenario) => write_stdout(&ok_line(path, scenario)),
            Err(error) => {
                write_stderr(&describe_load(error));
                true
            }
        }
    }
}

fn to_json(outcomes: &[ScenarioArg], ok: bool) -> Value {
    let file = |ScenarioArg { path, loading }: &ScenarioArg| {
        let mut file = json!({ "file": path.to_string_lossy(), "ok": loading.outcome.is_ok() });
        if let Some(warnings) = &loading.warnings {
            file["warnings"] = describe_problems(warnings);
        }
        match &loading.outcome {
            Ok(scenario) => counts(scenario).into_iter().for_each(|(_, name, count)| file[name] = count.into()),
            Err(error) => file["problems"] = describe(error),
        }
        file
    };
    json!({ "ok": ok, "files": outcomes.iter().map(file).collect::<Vec<_>>() })
}

fn ok_line(path: &Path, scenario: &Scenario) -> String {
    let counted = |(one, many, count)| format!(", {count} {}", if count == 1 { one } else { many });
    let counts: String = counts(scenario).into_iter().map(counted).collect();
    format!("{}: ok{counts}\n", path.display())
}

/// Returns one line per membership that tells how often its frame is encoded.
fn frame_lines(scenario: &Scenario) -> String {
    let line = |MemberFrame { place, encoding }: MemberFrame| {
        let encoding = match encoding {
            FrameEncoding::Once => "once for all members".to_owned(),
            FrameEncoding::PerValue(names) => format!("once for members with the same {}", names.join(", ")),
            FrameEncoding::PerMember => "for each member, because it uses conn".to_owned(),
        };
        format!("  {place}: frame encoded {encoding}\n")
    };
    scenario.member_frames().into_iter().map(line).collect()
}

/// Counts the parts of a scenario. Each item is the singular, the plural and the count.
fn counts(scenario: &Scenario) -> Vec<(&'static str, &'static str, usize)> {
    let of_shop = scenario.collections().iter().filter(|collection| collection.is_counted()).count();
    let shop_rows = scenario.rows().filter(|(collection, _)| collection.is_counted()).count();
    let scripts = scenario.scripts().len() + scenario.rule_scripts().len();
    let counts = [
        ("category", "categories", of_shop),
        ("product", "products", shop_rows),
        ("generator", "generators", scenario.generators().len()),
        ("script", "scripts", scripts),
        ("collection", "collections", scenario.collections().len() - of_shop),
        ("row", "rows", scenario.rows().count() - shop_rows),
        ("value", "values", scenario.values().len()),
        ("route", "routes", scenario.routes().all_answers().len()),
        ("endpoint", "endpoints", scenario.endpoints().iter().count()),
        ("trigger", "triggers", scenario.triggers().len()),
        ("fault", "faults", scenario.faults().len()),
    ];
    // For a shop, the first four counts are always shown, even if they are 0.
    let is_shown = |(index, (_, _, count)): &(usize, (_, _, usize))| *count > 0 || (of_shop > 0 && *index < 4);
    counts.into_iter().enumerate().filter(is_shown).map(|(_, counted)| counted).collect()
}
