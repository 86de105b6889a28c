//! `mockd explain`: what a key of the language means.

use std::process::ExitCode;

use clap::Args;

use super::{complain, say};
use crate::scenario::language::{Key, sections};
use crate::scenario::nearest;

#[derive(Debug, Args)]
pub(super) struct Explain {
    /// A key such as `every`, or the end of its path such as `random.every`; all keys without it
    key: Option<String>,
}

impl Explain {
    /// Exit code 1 if there is no such key.
    pub(super) fn execute(self) -> ExitCode {
        let keys: Vec<Key> = sections().into_iter().flat_map(|section| section.keys).collect();
        let text = match &self.key {
            None => overview(&keys),
            Some(wanted) => {
                let found: Vec<String> = keys.iter().filter(|key| is_meant(key, wanted)).map(explain).collect();
                if found.is_empty() {
                    complain(&unknown(wanted, &keys));
                    return ExitCode::FAILURE;
                }
                found.join("\n")
            }
        };
        if say(&text) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// Whether the key's path ends with these parts. Brackets may be left out, and a name of the user's own may stand for
/// `NAME`.
fn is_meant(key: &Key, wanted: &str) -> bool {
    fn parts(path: &str) -> impl DoubleEndedIterator<Item = &str> {
        path.split('.').map(|part| part.split('[').next().unwrap_or(part))
    }
    let mut own = parts(&key.path).rev();
    parts(wanted).rev().all(|part| own.next().is_some_and(|own| own == part || own == "NAME"))
}

fn overview(keys: &[Key]) -> String {
    let widest = keys.iter().map(|key| key.path.len()).max().unwrap_or_default();
    let first = |text: &str| text.split_once(". ").map_or(text, |(first, _)| first).trim_end_matches('.').to_owned();
    let lines = keys.iter().map(|key| format!("{:widest$}  {}", key.path, first(&key.description)));
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

fn explain(key: &Key) -> String {
    let mut lines = vec![key.path.clone(), format!("  takes {}", key.takes)];
    lines.extend(key.needed.then(|| "  has to be there".to_owned()));
    lines.extend(key.default.as_ref().map(|default| format!("  without it, {default}")));
    lines.push(String::new());
    lines.push(format!("  {}", key.description));
    let words = key.words.iter().filter(|(_, meaning)| !meaning.is_empty());
    lines.extend(words.map(|(word, meaning)| format!("    {word}: {meaning}")));
    lines.extend(key.examples.iter().map(|example| format!("\n    {}: {example}", key.name)));
    lines.push(String::new());
    lines.join("\n")
}

fn unknown(wanted: &str, keys: &[Key]) -> String {
    let last = wanted.rsplit('.').next().unwrap_or(wanted);
    let advice = nearest(last, keys.iter().map(|key| key.name.as_str()))
        .map_or_else(|| "`mockd explain` lists all of them".to_owned(), |near| format!("did you mean `{near}`?"));
    format!("error: the language has no key `{wanted}`; {advice}")
}
