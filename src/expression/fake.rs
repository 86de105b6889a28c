//! Made-up data.
//!
//! The lists must never change: users' tests depend on which word is drawn for which random number.

mod words;

use jiff::ToSpan;
use jiff::civil::date;
use minijinja::Value;

use super::chance::Chance;
use words::{CITIES, COLOURS, COUNTRIES, FIRST_NAMES, LAST_NAMES, LEGAL_FORMS, WORDS};

/// A kind of data for `fake`.
pub const KINDS: [&str; 14] = [
    "name", "first", "last", "email", "word", "sentence", "city", "country", "company", "colour", "price", "phone",
    "url", "date",
];

/// Domains reserved for examples (RFC 2606).
const DOMAINS: [&str; 3] = ["example.com", "example.net", "example.org"];

/// Generates data of a kind; `None` if the kind is unknown.
pub(super) fn fake(kind: &str, chance: &mut Chance) -> Option<Value> {
    let text = match kind {
        "first" => chance.one_of(FIRST_NAMES).to_owned(),
        "last" => chance.one_of(LAST_NAMES).to_owned(),
        "name" => format!("{} {}", chance.one_of(FIRST_NAMES), chance.one_of(LAST_NAMES)),
        "email" => {
            let (first, last) = (chance.one_of(FIRST_NAMES), chance.one_of(LAST_NAMES));
            format!("{first}.{last}@{}", chance.one_of(&DOMAINS)).to_lowercase()
        }
        "word" => chance.one_of(WORDS).to_owned(),
        "sentence" => sentence(chance),
        "city" => chance.one_of(CITIES).to_owned(),
        "country" => chance.one_of(COUNTRIES).to_owned(),
        "company" => format!("{} {}", chance.one_of(LAST_NAMES), chance.one_of(LEGAL_FORMS)),
        "colour" => chance.one_of(COLOURS).to_owned(),
        // From 1.00 to 999.99.
        "price" => return Some(Value::from(f64::from(chance.between(100, 99_999)) / 100.0)),
        // Numbers reserved for fiction (North American Numbering Plan).
        "phone" => format!("+1-{}-555-01{:02}", chance.between(201, 989), chance.between(0, 99)),
        "url" => format!("https://{}/{}", chance.one_of(&DOMAINS), chance.one_of(WORDS)),
        // From 2000 to 2029.
        "date" => date(2000, 1, 1).saturating_add(chance.between(0, 10_957).days()).to_string(),
        _ => return None,
    };
    Some(Value::from(text))
}

fn sentence(chance: &mut Chance) -> String {
    let count = chance.between(5, 10);
    let words: Vec<&str> = (0..count).map(|_| chance.one_of(WORDS)).collect();
    let mut sentence = words.join(" ") + ".";
    sentence[..1].make_ascii_uppercase();
    sentence
}
