//! Enums whose variant is chosen by the shape of the value rather than by a word.

use crate::scenario::words::joined;

/// The name of a variant that takes any text; no YAML text can say it. The others are alike.
pub(super) const TEXT: &str = "\0text";
pub(super) const INTEGER: &str = "\0integer";
pub(super) const BOOLEAN: &str = "\0boolean";
pub(super) const LIST: &str = "\0list";
pub(super) const MAPPING: &str = "\0mapping";

/// An enum's choices in words: `all`, a list or a mapping.
pub(super) fn choices(variants: &'static [&'static str]) -> String {
    let words: Vec<String> = variants
        .iter()
        .map(|variant| match *variant {
            TEXT => "text".to_owned(),
            INTEGER => "an integer".to_owned(),
            BOOLEAN => "true or false".to_owned(),
            LIST => "a list".to_owned(),
            MAPPING => "a mapping".to_owned(),
            word => format!("`{word}`"),
        })
        .collect();
    joined(&words, "or")
}
