//! Words in sentences, and words that were meant.

/// `a, b and c`, with the conjunction as given.
pub(crate) fn joined(words: &[String], conjunction: &str) -> String {
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} {conjunction} {last}", rest.join(", ")),
        _ => words.concat(),
    }
}

/// The candidate that a typing mistake most likely meant, if any is near enough.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .filter_map(|candidate| Some((mistakes(word, candidate)?, candidate)))
        // Of equally near ones the first by name, so that candidates may come in any order.
        .min()
        .map(|(_, candidate)| candidate)
}

/// How many typing mistakes make the word of the candidate, in capitals or not; `None` for more than one in three letters.
pub(crate) fn mistakes(word: &str, candidate: &str) -> Option<usize> {
    let length = word.chars().count();
    let most = (length / 3).max(1);
    // One letter more or less is at least one mistake: most candidates need no closer look.
    if candidate.chars().count().abs_diff(length) > most {
        return None;
    }
    Some(strsim::osa_distance(&word.to_lowercase(), &candidate.to_lowercase())).filter(|distance| *distance <= most)
}

/// A text with its line breaks written as `\n` and `\r`, so that it stays on one line.
pub(crate) fn one_line(text: &str) -> String {
    text.replace('\n', "\\n").replace('\r', "\\r")
}
