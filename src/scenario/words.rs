//! Lists in sentences.

/// `a, b and c`, with the conjunction as given.
pub(super) fn joined(words: &[String], conjunction: &str) -> String {
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} {conjunction} {last}", rest.join(", ")),
        _ => words.concat(),
    }
}
