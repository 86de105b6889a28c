//! Lists of words in sentences, and suggestions for misspelled words.

/// Joins words like `a, b and c`, with the given conjunction.
pub(crate) fn joined(words: &[String], conjunction: &str) -> String {
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} {conjunction} {last}", rest.join(", ")),
        _ => words.concat(),
    }
}

/// Returns the candidate that `word` most likely misspells, or `None` if none is close enough.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .filter_map(|candidate| Some((typo_count(word, candidate)?, candidate)))
        // Ties are resolved by name, so that the order of the candidates does not matter.
        .min()
        .map(|(_, candidate)| candidate)
}

/// Returns the number of typing mistakes that turn `candidate` into `word`, ignoring case, or `None` if there is more
/// than one per three letters.
pub(crate) fn typo_count(word: &str, candidate: &str) -> Option<usize> {
    let length = word.chars().count();
    let most = (length / 3).max(1);
    // Each letter of difference in length is at least one mistake. This check is cheap and excludes most candidates.
    if candidate.chars().count().abs_diff(length) > most {
        return None;
    }
    Some(strsim::osa_distance(&word.to_lowercase(), &candidate.to_lowercase())).filter(|distance| *distance <= most)
}

/// Writes the line breaks of a text as `\n` and `\r`, so that the text stays on one line.
pub(crate) fn one_line(text: &str) -> String {
    text.replace('\n', "\\n").replace('\r', "\\r")
}
