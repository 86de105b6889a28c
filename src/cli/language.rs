//! `mockd init`, `mockd explain` and `mockd schema`: help with writing a scenario.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::{write_stderr, write_stdout};
use crate::expression::{Entry, EntryKind, entries};
use crate::scenario::language::{KeyDoc, Section, page, sections};
use crate::scenario::schema;
use crate::words::nearest;

/// The scenario that `mockd init` writes.
const STARTER: &str = include_str!("language/starter.yaml");

#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// Directory to write to; created if it does not exist
    #[arg(value_name = "DIR", default_value = ".")]
    directory: PathBuf,
}

impl InitArgs {
    /// Writes the scenario and its schema. Never overwrites a file: if one exists, the exit code is 1.
    pub(super) fn execute(self) -> ExitCode {
        if let Err(error) = std::fs::create_dir_all(&self.directory) {
            write_stderr(&format!("error: cannot create the directory {}: {error}", self.directory.display()));
            return ExitCode::FAILURE;
        }
        let scenario = self.directory.join("mockd.yaml");
        let schema_file = self.directory.join("mockd.schema.json");
        if let Some(taken) = [&scenario, &schema_file].into_iter().find(|path| path.symlink_metadata().is_ok()) {
            write_stderr(&format!("error: {} already exists; remove it, or name another directory", taken.display()));
            return ExitCode::FAILURE;
        }
        let written = write_new(&schema_file, &format!("{:#}\n", schema())) && write_new(&scenario, STARTER);
        let (path, schema_path) = (scenario.display(), schema_file.display());
        let next = format!(
            "wrote {path}, and {schema_path} for your editor\n\
             now: mockd run {path}\n\
             then: curl localhost:3000/todos, curl -N localhost:3000/live; edit {path} and save\n"
        );
        if written && write_stdout(&next) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// Writes a new file. Returns whether that succeeded; an existing file is an error.
fn write_new(path: &Path, text: &str) -> bool {
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    let failed = |error: std::io::Error| match error.kind() {
        ErrorKind::AlreadyExists => format!("error: {} already exists; remove it first", path.display()),
        _ => format!("error: cannot write {}: {error}", path.display()),
    };
    written.map_err(|error| write_stderr(&failed(error))).is_ok()
}

#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// A key (every), the end of a key's path (random.every), an expression word (where), or `expressions` for all
    /// expression words [default: list every key]
    key: Option<String>,
}

impl ExplainArgs {
    /// Explains the key or word. Returns exit code 1 if the key or word does not exist.
    pub(super) fn execute(self) -> ExitCode {
        let sections = sections();
        let keys: Vec<KeyDoc> = sections.iter().flat_map(|section| section.keys.iter().cloned()).collect();
        let text = match &self.key {
            None => overview(&keys),
            Some(query) if query == "expressions" => expressions(),
            Some(query) => {
                let words = entries().filter(|entry| entry.name == query).map(|entry| explain_word(&entry));
                let found: Vec<String> = keys
                    .iter()
                    .filter(|key| path_matches(&key.path, query))
                    .map(explain)
                    .chain(sections.iter().filter(|section| is_named_section(section, query)).map(explain_section))
                    .chain(words)
                    .collect();
                if found.is_empty() {
                    write_stderr(&unknown_key(query, &keys));
                    return ExitCode::FAILURE;
                }
                found.join("\n")
            }
        };
        if write_stdout(&text) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// Whether `query` is a mapping under a user-defined name, such as `categories.toys`.
fn is_named_section(section: &Section, query: &str) -> bool {
    section.path.ends_with("NAME") && query.contains('.') && path_matches(&section.path, query)
}

/// Whether `path` ends with the parts of `query`. Brackets are optional, and any name matches `NAME`.
fn path_matches(path: &str, query: &str) -> bool {
    fn parts(path: &str) -> impl DoubleEndedIterator<Item = &str> {
        path.split('.').map(|part| part.split('[').next().unwrap_or(part))
    }
    let mut own = parts(path).rev();
    parts(query).rev().all(|part| own.next().is_some_and(|own| own == part || own == "NAME"))
}

fn explain_section(section: &Section) -> String {
    let keys: Vec<(&str, &str)> = section.keys.iter().map(|key| (&*key.name, &*key.description)).collect();
    let mut lines = vec![section.path.clone(), "  takes mapping\n".to_owned(), format!("  {}\n", section.description)];
    lines.extend(table(&keys).iter().map(|line| format!("    {line}")));
    lines.join("\n") + "\n"
}

fn overview(keys: &[KeyDoc]) -> String {
    let keys: Vec<(&str, &str)> = keys.iter().map(|key| (&*key.path, &*key.description)).collect();
    table(&keys).join("\n") + "\n"
}

/// Returns one line per key, with the first sentence of its meaning.
fn table(keys: &[(&str, &str)]) -> Vec<String> {
    let widest = keys.iter().map(|(key, _)| key.len()).max().unwrap_or_default();
    let first = |text: &str| text.split_once(". ").map_or(text, |(first, _)| first).trim_end_matches('.').to_owned();
    keys.iter().map(|(key, meaning)| format!("{key:widest$}  {}", first(meaning))).collect()
}

fn explain(key: &KeyDoc) -> String {
    let mut lines = vec![key.path.clone(), format!("  takes {}", key.takes)];
    lines.extend(key.needed.then(|| "  required".to_owned()));
    lines.extend(key.default.as_ref().map(|default| format!("  default {default}")));
    lines.push(String::new());
    lines.push(format!("  {}", key.description));
    let words = key.words.iter().filter(|(_, meaning)| !meaning.is_empty());
    lines.extend(words.map(|(word, meaning)| format!("    {word}: {meaning}")));
    let keys: Vec<(&str, &str)> = key.keys.iter().map(|(name, meaning)| (&**name, &**meaning)).collect();
    lines.extend((!keys.is_empty()).then(String::new));
    lines.extend(table(&keys).iter().map(|line| format!("    {line}")));
    lines.extend(key.examples.iter().map(|example| format!("\n    {}: {example}", key.name)));
    lines.push(String::new());
    lines.join("\n")
}

/// Returns one line per operator, name, function, filter and test of expressions.
fn expressions() -> String {
    let part = |kind: EntryKind| {
        let entries: Vec<Entry> = entries().filter(|entry| entry.kind == kind).collect();
        let words: Vec<(&str, &str)> = entries.iter().map(|entry| (entry.name, entry.result)).collect();
        let lines: Vec<String> = table(&words).iter().map(|line| format!("  {line}\n")).collect();
        format!("{}\n{}", heading(kind), lines.concat())
    };
    EntryKind::ALL.map(part).join("\n")
}

fn heading(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Operator => "Operators",
        EntryKind::Name => "Names, in addition to `data` and the names of each context",
        EntryKind::Function => "Functions: `random(1, 6)`",
        EntryKind::Filter => "Filters: `text | upper`",
        EntryKind::Test => "Tests: `value is number`",
    }
}

fn explain_word(entry: &Entry) -> String {
    let what = match entry.kind {
        EntryKind::Operator => "an operator",
        EntryKind::Name => "a name",
        EntryKind::Function => "a function",
        EntryKind::Filter => "a filter",
        EntryKind::Test => "a test",
    };
    let takes = entry.takes().map(|takes| format!("; takes {takes}")).unwrap_or_default();
    format!("{}\n  {what} of expressions{takes}\n\n  {}.\n\n    {}\n", entry.name, entry.result, entry.example)
}

fn unknown_key(query: &str, keys: &[KeyDoc]) -> String {
    let last = query.rsplit('.').next().unwrap_or(query);
    let names = keys.iter().map(|key| key.name.as_str()).chain(entries().map(|entry| entry.name));
    let advice = nearest(last, names)
        .map_or_else(|| "`mockd explain` lists every key".to_owned(), |near| format!("did you mean `{near}`?"));
    format!("error: the language has no key `{query}`; {advice}")
}

#[derive(Debug, Args)]
pub(super) struct SchemaArgs {
    /// Output format
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: SchemaFormat,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum SchemaFormat {
    /// JSON Schema, draft 2020-12
    #[default]
    Json,
    /// Reference page
    Markdown,
}

impl SchemaArgs {
    pub(super) fn execute(self) -> ExitCode {
        let written = match self.format {
            SchemaFormat::Json => write_stdout(&format!("{:#}\n", schema())),
            SchemaFormat::Markdown => write_stdout(&page()),
        };
        if written { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}
