//! Finds expressions without quotes, which YAML reads as mappings, and the quoted text to write instead.

use std::ops::Range;

/// Returns the last unquoted expression of a line that starts before byte `before`, and the whole value to quote.
pub(super) fn unquoted(line: &str, before: usize) -> Option<(Range<usize>, String)> {
    let start = last_open_braces(line.get(..before + 2).unwrap_or(line))?;
    let rest = &line[start..];
    let end = start + rest.find("}}").map_or(rest.trim_end().len(), |end| end + 2);
    let value = value_around(line, start);
    let inner = line[start + 2..end].trim_end_matches('}').trim();
    let is_condition = line[..value.start].trim_end().ends_with("when:");
    let meant = match (&line[value.clone()], is_condition) {
        (whole, true) => whole.replace("{{", " ").replace("}}", " ").split_whitespace().collect::<Vec<_>>().join(" "),
        _ if value == (start..end) => format!("{{{{ {inner} }}}}"),
        (whole, false) => whole.to_owned(),
    };
    Some((start..end, meant))
}

/// Returns the offset of the last `{{` of a line outside quotes.
fn last_open_braces(line: &str) -> Option<usize> {
    let (mut quote, mut before, mut found) = (None, ':', None);
    for (at, c) in line.char_indices() {
        match quote {
            Some(open) if c == open => quote = None,
            // Inside plain text, a quote is an ordinary character.
            None if matches!(c, '\'' | '"') && BEFORE_VALUES.contains(before) => quote = Some(c),
            None if line[at..].starts_with("{{") && before != '{' => found = Some(at),
            _ => {}
        }
        if !c.is_whitespace() {
            before = c;
        }
    }
    found.filter(|_| quote.is_none())
}

/// The characters after which a value can start.
pub(super) const BEFORE_VALUES: &str = ":,[{-";

/// Returns the range of the value that contains the expression.
fn value_around(line: &str, expression: usize) -> Range<usize> {
    let (start_of_value, inside) = value_start(line, expression);
    let end = value_end(line, expression, inside);
    let value = &line[start_of_value..end];
    let start = start_of_value + (value.len() - value.trim_start().len());
    start..start + value.trim().len()
}

/// Returns the start of the value, and the innermost bracket around it.
fn value_start(line: &str, expression: usize) -> (usize, Option<char>) {
    let (mut at, mut start_of_value, mut before) = (0, 0, ':');
    let (mut open, mut quote) = (Vec::new(), None);
    while let Some(c) = line[at..expression].chars().next() {
        let rest = &line[at + c.len_utf8()..];
        let is_before_space = rest.starts_with(char::is_whitespace);
        match (quote, c) {
            (Some(closing), _) => quote = Some(closing).filter(|closing| *closing != c),
            (None, '\'' | '"') if BEFORE_VALUES.contains(before) => quote = Some(c),
            (None, '{') if rest.starts_with('{') => {
                at = line[at..expression].find("}}").map_or(expression, |length| at + length + 2);
                continue;
            }
            (None, '[' | '{') if BEFORE_VALUES.contains(before) => {
                open.push(c);
                start_of_value = at + 1;
            }
            (None, ']' | '}') => drop(open.pop()),
            (None, ',') if !open.is_empty() => start_of_value = at + 1,
            (None, ':') if is_before_space => start_of_value = at + 1,
            (None, '-') if is_before_space && line[start_of_value..at].trim().is_empty() => start_of_value = at + 1,
            _ => {}
        }
        if !c.is_whitespace() {
            before = c;
        }
        at += c.len_utf8();
    }
    (start_of_value, open.last().copied())
}

/// Returns the end of the value: before the closing bracket around it, the next key or item, or a comment.
fn value_end(line: &str, expression: usize, inside: Option<char>) -> usize {
    let (mut at, mut open) = (expression, 0);
    while let Some(c) = line[at..].chars().next() {
        let rest = &line[at..];
        if rest.starts_with("{{") {
            at += rest.find("}}").map_or(rest.len(), |end| end + 2);
            continue;
        }
        match c {
            '[' | '{' => open += 1,
            ']' | '}' if open == 0 => return at,
            ']' | '}' => open -= 1,
            ',' if open == 0 && (inside == Some('[') || starts_with_key(&rest[1..])) => return at,
            '#' if line[..at].ends_with(char::is_whitespace) => return at,
            _ => {}
        }
        at += c.len_utf8();
    }
    line.len()
}

/// Returns whether `text` starts with a key, such as ` status: `.
fn starts_with_key(text: &str) -> bool {
    text.split_once(':').is_some_and(|(key, rest)| {
        let is_word = |c: char| c.is_alphanumeric() || "_-.\"'".contains(c);
        !key.trim().is_empty()
            && key.trim().chars().all(is_word)
            && (rest.is_empty() || rest.starts_with(char::is_whitespace))
    })
}

#[cfg(test)]
mod tests {
    use super::unquoted;

    #[test]
    fn the_suggestion_quotes_the_whole_value() {
        for (line, meant) in [
            ("body: {{ x }}", "{{ x }}"),
            ("body: {{x}} # so", "{{ x }}"),
            ("text: {{ x }} and {{ y }}, too", "{{ x }} and {{ y }}, too"),
            ("- {{ x }}!", "{{ x }}!"),
            ("a: { text: Hello {{ x }}, {{ y }}!, status: 200 }", "Hello {{ x }}, {{ y }}!"),
            ("a: { b: 'it: {', text: Hello {{ x }} }", "Hello {{ x }}"),
            ("a: [1, Hello {{ x }}, 2]", "Hello {{ x }}"),
            ("a: { when: {{ x }} == {{ y }}, b: 1 }", "x == y"),
            ("when: {{ x }} > 1", "x > 1"),
            ("b: 1, text: {{ x }} is {{ y }} }", "{{ x }} is {{ y }}"),
        ] {
            let first = line.find("{{").unwrap_or_default();
            let found = unquoted(line, first).map(|(_, meant)| meant);
            assert_eq!(found.as_deref(), Some(meant), "{line}");
        }
    }
}
