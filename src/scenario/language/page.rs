//! The language's reference page.

use std::fmt::Write;

use super::{Key, Section, sections};

/// What goes before the keys, by hand.
const INTRODUCTION: &str = include_str!("introduction.md");

/// The page in Markdown: an introduction, then every key.
#[must_use]
pub fn page() -> String {
    let mut page = format!("{INTRODUCTION}\n## Every key\n\n");
    page += "`[]` stands for an item of a list, `NAME` for a key of your own. Nothing behind a key of this table is the same as no key.\n";
    for section in sections() {
        add(&mut page, &section);
    }
    page
}

fn add(page: &mut String, Section { path, description, keys }: &Section) {
    let title = if path.is_empty() { "The file".to_owned() } else { format!("`{path}`") };
    // Writing into text cannot fail.
    let _ =
        write!(page, "\n### {title}\n\n{description}\n\n| key | takes | without it | meaning |\n|---|---|---|---|\n");
    for key in keys {
        let default = key.default.as_ref().map(|default| format!("`{default}`"));
        let default = default.unwrap_or_else(|| if key.needed { "an error".to_owned() } else { String::new() });
        let takes = key.takes.replace('|', "\\|");
        let _ = writeln!(page, "| `{}` | {takes} | {default} | {} |", key.name, meaning(key).replace('|', "\\|"));
    }
}

fn meaning(key: &Key) -> String {
    let words = key.words.iter().filter(|(_, meaning)| !meaning.is_empty());
    let words: Vec<String> = words.map(|(word, meaning)| format!(" `{word}`: {meaning}")).collect();
    let examples: Vec<String> = key.examples.iter().map(|example| format!("`{example}`")).collect();
    let examples = if examples.is_empty() { String::new() } else { format!(" Such as {}.", examples.join(", ")) };
    format!("{}{}{examples}", key.description, words.concat())
}
