//! The words and signs of an expression, with their places.
//!
//! They say where an expression in a text ends and what its words are about. Whether it is an expression at all is for its
//! parser to say.

use std::ops::Range;

use super::signatures::is_keyword;

/// The most tokens of an expression: its parser recurses without a bound of its own, by at most one level for each.
pub(super) const MAX_TOKENS: usize = 1_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenKind {
    Word,
    Number,
    /// Text in quotes, with them.
    Quoted,
    /// One sign, or two that belong together.
    Sign,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Token<'t> {
    pub(super) kind: TokenKind,
    pub(super) text: &'t str,
    /// The byte at which it starts.
    pub(super) start: usize,
}

impl Token<'_> {
    pub(super) fn range(&self) -> Range<usize> {
        self.start..self.end()
    }

    pub(super) fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// Whether it is a word that the language has no meaning for.
    pub(super) fn is_name(&self) -> bool {
        self.kind == TokenKind::Word && !is_keyword(self.text)
    }

    pub(super) fn is_sign(&self) -> bool {
        self.kind == TokenKind::Sign
    }

    /// What is between its quotes, if it has them.
    pub(super) fn unquoted(&self) -> Option<(&str, Range<usize>)> {
        let inner = self.start + 1..self.end().max(self.start + 2) - 1;
        (self.kind == TokenKind::Quoted).then(|| (self.text.trim_matches(['\'', '"']), inner))
    }

    /// Whether the other one follows without a space.
    pub(super) fn touches(&self, next: &Self) -> bool {
        self.end() == next.start
    }

    /// By how much it changes the number of open brackets.
    pub(super) fn nesting(&self) -> isize {
        match self.text {
            "(" | "[" | "{" => 1,
            ")" | "]" | "}" => -1,
            _ => 0,
        }
    }
}

/// The tokens of a text, one after the other.
#[derive(Debug, Clone)]
pub(super) struct Tokens<'t> {
    text: &'t str,
    at: usize,
    /// Whether the last one was a dot: what follows is a whole number, not a fraction.
    after_dot: bool,
}

impl<'t> Tokens<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0, after_dot: false }
    }
}

impl<'t> Iterator for Tokens<'t> {
    type Item = Token<'t>;

    fn next(&mut self) -> Option<Token<'t>> {
        let rest = &self.text[self.at..];
        let start = self.at + (rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_whitespace()).len());
        let rest = &self.text[start..];
        let first = rest.chars().next()?;
        let (kind, length) = if first.is_ascii_alphabetic() || first == '_' {
            (TokenKind::Word, word_len(rest))
        } else if first.is_ascii_digit() {
            (TokenKind::Number, number_len(rest, self.after_dot))
        } else if first == '\'' || first == '"' {
            (TokenKind::Quoted, quoted_len(rest, first))
        } else {
            let is_pair = ["==", "!=", "<=", ">=", "//", "**"].iter().any(|pair| rest.starts_with(pair));
            (TokenKind::Sign, if is_pair { 2 } else { first.len_utf8() })
        };
        let text = &rest[..length];
        self.at = start + length;
        self.after_dot = text == ".";
        Some(Token { kind, text, start })
    }
}

/// Bytes of the letters, digits and `_` that the text starts with.
fn word_len(text: &str) -> usize {
    text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len())
}

fn number_len(text: &str, is_whole: bool) -> usize {
    let whole = word_len(text);
    let fraction = text[whole..].strip_prefix('.').map_or("", |rest| &rest[..word_len(rest)]);
    if is_whole || !fraction.starts_with(|c: char| c.is_ascii_digit()) { whole } else { whole + 1 + fraction.len() }
}

fn quoted_len(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    let end = text.char_indices().skip(1).find(|(_, c)| {
        let is_end = *c == quote && !is_escaped;
        is_escaped = *c == '\\' && !is_escaped;
        is_end
    });
    end.map_or(text.len(), |(at, _)| at + 1)
}

/// The byte at which the `}}` is that ends the expression a text starts with: one outside of brackets and quotes.
pub(super) fn end_of_expression(text: &str) -> Option<usize> {
    let mut open = 0;
    for token in Tokens::new(text) {
        // Brackets that close too often are for the parser to report.
        if open <= 0 && text[token.start..].starts_with("}}") {
            return Some(token.start);
        }
        open += token.nesting();
    }
    None
}
