//! As much of a GraphQL document as it takes to find the names of its operations.

use std::mem;

/// What a text of several lines begins and ends with.
const BLOCK: &str = r#"""""#;

/// The name of the operation, if exactly one has a name.
pub(super) fn only_operation(document: &str) -> Option<&str> {
    let mut tokens = Tokens { rest: document }.peekable();
    let (mut depth, mut begins_definition, mut only) = (0_usize, true, None);
    while let Some(token) = tokens.next() {
        let is_first = mem::take(&mut begins_definition);
        match token {
            Token::Name("query" | "mutation" | "subscription") if is_first => {
                if let Some(Token::Name(name)) = tokens.next_if(|token| matches!(token, Token::Name(_)))
                    && only.replace(name).is_some()
                {
                    return None;
                }
            }
            Token::Mark('{' | '(' | '[') => depth += 1,
            Token::Mark(mark @ ('}' | ')' | ']')) => {
                depth = depth.saturating_sub(1);
                // A definition ends with its selection set.
                begins_definition = depth == 0 && mark == '}';
            }
            Token::Name(_) | Token::Mark(_) => {}
        }
    }
    only
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'d> {
    Name(&'d str),
    /// Any other character that means something.
    Mark(char),
}

/// The tokens of a document, without its texts, comments and what else says nothing of its structure.
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
                '"' => self.skip_text(),
                first if is_of_name(first) => {
                    let end = self.rest.find(|c| !is_of_name(c)).unwrap_or(self.rest.len());
                    let (name, rest) = self.rest.split_at(end);
                    self.rest = rest;
                    return Some(Token::Name(name));
                }
                mark => {
                    self.skip_to(Some(mark.len_utf8()));
                    return Some(Token::Mark(mark));
                }
            }
        }
    }
}

impl Tokens<'_> {
    /// Goes on at an index, or at the end.
    fn skip_to(&mut self, index: Option<usize>) {
        self.rest = index.and_then(|index| self.rest.get(index..)).unwrap_or_default();
    }

    /// Goes on after a text, or a text of several lines.
    fn skip_text(&mut self) {
        let (quote, escapes): (_, &[&str]) =
            if self.rest.starts_with(BLOCK) { (BLOCK, &[r#"\""""#]) } else { ("\"", &[r"\\", r#"\""#]) };
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

fn is_of_name(c: char) -> bool {
    c == '_' || c.is_ascii_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::only_operation;

    #[test]
    fn the_one_operation_with_a_name_is_found() {
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
