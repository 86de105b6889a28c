//! A GraphQL scanner that is just enough to find the names of operations.

use std::mem;

/// The delimiter of a block string.
const BLOCK_QUOTE: &str = r#"""""#;

/// Returns the name of the operation if exactly one is named.
pub(super) fn only_operation(document: &str) -> Option<&str> {
    let mut tokens = Tokens { rest: document }.peekable();
    let (mut depth, mut starts_definition, mut only) = (0_usize, true, None);
    while let Some(token) = tokens.next() {
        let is_first = mem::take(&mut starts_definition);
        match token {
            Token::Name("query" | "mutation" | "subscription") if is_first => {
                if let Some(Token::Name(name)) = tokens.next_if(|token| matches!(token, Token::Name(_)))
                    && only.replace(name).is_some()
                {
                    return None;
                }
            }
            Token::Punctuator('{' | '(' | '[') => depth += 1,
            Token::Punctuator(punctuator @ ('}' | ')' | ']')) => {
                depth = depth.saturating_sub(1);
                // A definition ends with its selection set.
                starts_definition = depth == 0 && punctuator == '}';
            }
            Token::Name(_) | Token::Punctuator(_) => {}
        }
    }
    only
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'d> {
    Name(&'d str),
    /// Any other significant character.
    Punctuator(char),
}

/// The tokens of a document, without strings, comments and everything else that does not affect its structure.
struct Tokens<'d> {
    rest: &'d str,
}

impl<'d> Iterator for Tokens<'d> {
    type Item = Token<'d>;

    fn next(&mut self) -> Option<Token<'d>> {
        loop {
            self.rest = self.rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',' || c == '\u{feff}');
            match self.rest.chars().next()? {
                '#' => self.skip_to(self.rest.find(['\n', '\r'])),
                '"' => self.skip_string(),
                first if is_name_char(first) => {
                    let end = self.rest.find(|c| !is_name_char(c)).unwrap_or(self.rest.len());
                    let (name, rest) = self.rest.split_at(end);
                    self.rest = rest;
                    return Some(Token::Name(name));
                }
                punctuator => {
                    self.skip_to(Some(punctuator.len_utf8()));
                    return Some(Token::Punctuator(punctuator));
                }
            }
        }
    }
}

impl Tokens<'_> {
    /// Moves to an index, or to the end.
    fn skip_to(&mut self, index: Option<usize>) {
        self.rest = index.and_then(|index| self.rest.get(index..)).unwrap_or_default();
    }

    /// Moves past a string or a block string.
    fn skip_string(&mut self) {
        let (quote, escapes): (_, &[&str]) =
            if self.rest.starts_with(BLOCK_QUOTE) { (BLOCK_QUOTE, &[r#"\""""#]) } else { ("\"", &[r"\\", r#"\""#]) };
        self.skip_to(Some(quote.len()));
        while let Some(first) = self.rest.chars().next() {
            if let Some(rest) = self.rest.strip_prefix(quote) {
                self.rest = rest;
                return;
            }
            let escape = escapes.iter().find(|escape| self.rest.starts_with(**escape));
            self.skip_to(Some(escape.map_or(first.len_utf8(), |escape| escape.len())));
        }
    }
}

fn is_name_char(c: char) -> bool {
    c == '_' || c.is_ascii_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::only_operation;

    #[test]
    fn the_only_named_operation_is_found() {
        for (document, name) in [
            ("", None),
            ("{ a }", None),
            ("query { a }", None),
            ("query Hello { a }", Some("Hello")),
            ("subscription OnPrice($id: ID!) @live { price(id: $id) { eur } }", Some("OnPrice")),
            ("mutation\n\t_add1,{ add }", Some("_add1")),
            ("query A { a } query B { b }", None),
            ("query { a } query B { b }", Some("B")),
            ("fragment query on User { id } query A { ...query }", Some("A")),
            ("fragment F on User { query B { id } }", None),
            ("query A($f: F = { query: [{ b: 1 }] }) { query B }", Some("A")),
            ("# query B { b }\nquery A { a }", Some("A")),
            ("# query B", None),
            (r#"query A { a(b: "} query B {") }"#, Some("A")),
            (r#"query A { a(b: "\"} query B {") }"#, Some("A")),
            (r#"query A { a(b: "\\") } query B { b }"#, None),
            (r#"query A { a(b: """ " \""" } query B { """) }"#, Some("A")),
            (r#"query A { a(b: """"#, Some("A")),
            (r#"query A { a(b: "", c: "") } query B { b }"#, None),
            (r#"query A { a(b: "\"#, Some("A")),
            ("}}} query A {", Some("A")),
            ("query Ä { a }", None),
        ] {
            assert_eq!(only_operation(document), name, "{document}");
        }
    }
}
