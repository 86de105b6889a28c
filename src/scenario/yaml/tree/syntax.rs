//! Finds the most likely cause of a parser error: a misplaced tab or an unclosed bracket. The parser reports the error
//! where it notices it, possibly many lines below the cause.

use super::unquoted::BEFORE_VALUES;

/// Returns whether a parser error is about a tab, in the indentation or elsewhere.
pub(super) fn is_about_tabs(error: &str) -> bool {
    error.contains("tab") || error.contains("YAML whitespace")
}

/// Returns the offset of the tab that causes an error at byte `at`.
pub(super) fn misplaced_tab(text: &str, error: &str, at: usize) -> Option<usize> {
    let before = &text[..at];
    if error.contains("YAML whitespace") {
        return before.ends_with('\t').then(|| at - 1);
    }
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    if !error.contains("tab") {
        return indented_with_tab(text, start);
    }
    // For a plain scalar that continues after a tab, the parser reports the start of the scalar.
    let ends = text[start..].match_indices('\n').map(|(end, _)| start + end + 1);
    let below = std::iter::once(start).chain(ends).find_map(|line| indented_with_tab(text, line));
    below.or_else(|| before[start..].rfind('\t').map(|tab| start + tab))
}

/// Returns the offset of the first tab in a line's indentation.
fn indented_with_tab(text: &str, line: usize) -> Option<usize> {
    let rest = &text[line..];
    let spaces = rest.len() - rest.trim_start_matches(' ').len();
    let is_blank = rest.trim_start_matches([' ', '\t', '\r']).starts_with('\n');
    (rest[spaces..].starts_with('\t') && !is_blank).then_some(line + spaces)
}

/// Returns the innermost bracket that is open at byte `at`, if some bracket is never closed. The scan starts at `from`,
/// the end of the last event, where the brackets in `open` are open. The parser's error may be further ahead.
pub(super) fn unclosed_bracket(text: &str, open: Vec<usize>, from: usize, at: usize) -> Option<usize> {
    let mut scan = Scan { text, open, place: from, before: text[..from].trim_end().chars().last().unwrap_or(':') };
    while scan.place < at {
        if !scan.step()? {
            return scan.open.last().copied();
        }
    }
    let innermost = scan.open.last().copied()?;
    while !scan.open.is_empty() {
        if !scan.step().unwrap_or(false) {
            return Some(innermost);
        }
    }
    None
}

/// A scan for brackets outside quotes and comments.
struct Scan<'t> {
    text: &'t str,
    /// The offsets of the open brackets.
    open: Vec<usize>,
    place: usize,
    /// The previous character that is not white space.
    before: char,
}

impl Scan<'_> {
    /// Advances past a character, quoted text or a comment. Returns false at a closing bracket of the wrong kind, and
    /// `None` at the end.
    fn step(&mut self) -> Option<bool> {
        let rest = &self.text[self.place..];
        let c = rest.chars().next()?;
        let starts_value = BEFORE_VALUES.contains(self.before);
        let mut length = c.len_utf8();
        match c {
            '\'' | '"' if starts_value => length = quoted_length(rest, c),
            '#' if self.text[..self.place].ends_with(char::is_whitespace) => {
                self.place += rest.find('\n').unwrap_or(rest.len());
                return Some(true);
            }
            '[' | '{' if starts_value || !self.open.is_empty() => self.open.push(self.place),
            ']' | '}' => {
                let is_other = |open: &usize| self.text[*open..].starts_with('[') != (c == ']');
                if self.open.last().is_some_and(is_other) {
                    return Some(false);
                }
                self.open.pop();
            }
            _ => {}
        }
        self.place += length;
        if !c.is_whitespace() {
            self.before = c;
        }
        Some(true)
    }
}

/// Returns the length in bytes of the quoted text at the start of `text`, with its quotes.
fn quoted_length(text: &str, quote: char) -> usize {
    let mut letters = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = letters.next() {
        let is_doubled = c == quote && letters.peek().is_some_and(|(_, next)| *next == quote);
        let is_escape = if quote == '"' { c == '\\' } else { is_doubled };
        if is_escape {
            letters.next();
        } else if c == quote {
            return at + 1;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::{misplaced_tab, unclosed_bracket};

    #[test]
    fn the_innermost_unclosed_bracket_is_found() {
        for (text, at, unclosed) in [
            ("a: [1, 2\nb: 3", ": 3", Some(3)),
            ("a: { b: [1, 2 }", "}", Some(8)),
            ("a: { b: { c: 1 }\nd: { e: 1 } }", ": { e", None),
            ("a: { b: { c: 1\nd: { e: 1 } }", ": { e", Some(8)),
            ("a: [b c: d: e]", ": e", None),
            ("a: [']', \"]\\\"]\", 'it''s ]' # ]\n", "\n", Some(3)),
            ("a: [don't, x]\nb: [1", "don", None),
            ("a: b[0]\nc: [1", "1", Some(11)),
            ("a: 1]", "]", None),
        ] {
            let at = text.find(at).unwrap_or_default();
            assert_eq!(unclosed_bracket(text, Vec::new(), 0, at), unclosed, "{text}");
        }
        assert_eq!(unclosed_bracket("a: [1, { b: 2", vec![3], 5, 13), Some(7));
    }

    #[test]
    fn a_tab_is_found_in_the_indentation_or_before_the_error() {
        for (text, error, at, tab) in [
            ("a:\n\tb: 1", "tabs disallowed within this context", 4, Some(3)),
            ("a:\n  b: c\n \td: 1", "while scanning a plain scalar, found a tab", 8, Some(11)),
            ("a:\tb", "':' must be followed by a valid YAML whitespace", 3, Some(2)),
            ("a: b", "':' must be followed by a valid YAML whitespace", 3, None),
            ("\ta: b: c", "mapping values are not allowed", 5, Some(0)),
            ("a:\tb: c", "mapping values are not allowed", 4, None),
        ] {
            assert_eq!(misplaced_tab(text, error, at), tab, "{text:?}");
        }
    }
}
