//! The tokens of an expression, with their positions.
//!
//! They determine where an expression in a text ends, and what its words refer to. Whether the expression is valid is
//! up to minijinja's parser.

use std::ops::Range;

use super::signatures::is_keyword;

/// The maximum number of tokens of an expression. This is the only bound on the parser's recursion, which has at most
/// one level for each token.
pub(super) const MAX_TOKENS: usize = 1_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenKind {
    Word,
    Number,
    /// Quoted text, including the quotes.
    Quoted,
    /// An operator or bracket, of one or two characters.
    Symbol,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Token<'t> {
    pub(super) kind: TokenKind,
    pub(super) text: &'t str,
    /// The byte offset of its start.
    pub(super) start: usize,
}

impl Token<'_> {
    pub(super) fn range(&self) -> Range<usize> {
        self.start..self.end()
    }

    pub(super) fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// Returns whether it is a word that is not a keyword.
    pub(super) fn is_name(&self) -> bool {
        self.kind == TokenKind::Word && !is_keyword(self.text)
    }

    pub(super) fn is_symbol(&self) -> bool {
        self.kind == TokenKind::Symbol
    }

    /// Returns the text between the quotes and its range; `None` if the token is not quoted.
    pub(super) fn unquoted(&self) -> Option<(&str, Range<usize>)> {
        let inner = self.start + 1..self.end().max(self.start + 2) - 1;
        (self.kind == TokenKind::Quoted).then(|| (self.text.trim_matches(['\'', '"']), inner))
    }

    /// Returns whether the other token follows without a space.
    pub(super) fn touches(&self, next: &Self) -> bool {
        self.end() == next.start
    }

    /// Returns the change in the number of open brackets.
    pub(super) fn nesting(&self) -> isize {
        match self.text {
            "(" | "[" | "{" => 1,
            ")" | "]" | "}" => -1,
            _ => 0,
        }
    }
}

/// The tokens of a text, in order.
#[derive(Debug, Clone)]
pub(super) struct Tokens<'t> {
    text: &'t str,
    at: usize,
    /// Whether the last token was a dot, after which a number is an integer, not a fraction.
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
            (TokenKind::Symbol, if is_pair { 2 } else { first.len_utf8() })
        };
        let text = &rest[..length];
        self.at = start + length;
        self.after_dot = text == ".";
        Some(Token { kind, text, start })
    }
}

/// Returns the length of the letters, digits and `_` at the start of a text.
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

/// Returns the byte offset of the `}}` that ends the expression at the start of a text: the first one outside brackets
/// and quotes.
pub(super) fn end_of_expression(text: &str) -> Option<usize> {
    let mut open = 0;
    for token in Tokens::new(text) {
        // The parser reports unmatched closing brackets.
        if open <= 0 && text[token.start..].starts_with("}}") {
            return Some(token.start);
        }
        open += token.nesting();
    }
    None
}

/// Returns the unclosed bracket that hides the end of the expression at the start of a text, with its byte offset.
/// `None` if no bracket does.
pub(super) fn unclosed_bracket(text: &str) -> Option<(char, usize)> {
    let mut open: Vec<Token> = Vec::new();
    for token in Tokens::new(text) {
        match token.nesting() {
            1 => open.push(token),
            -1 => {
                let last = open.pop()?;
                let is_pair = matches!((last.text, token.text), ("(", ")") | ("[", "]") | ("{", "}"));
                // Of the two braces that end an expression, an unclosed one takes the first.
                let takes_end = open.is_empty() && text[token.start..].starts_with("}}");
                if !is_pair || takes_end {
                    return Some((last.text.chars().next()?, last.start));
                }
            }
            _ => {}
        }
    }
    None
}
