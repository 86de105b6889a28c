//! The operands of `~`, filters and slices.
//!
//! minijinja treats an undefined operand as empty text, 0 or an empty list, and its `~` joins values as Python prints
//! them, such as `True`. To prevent this, filters are inserted after the operands: `a ~ b | upper` is compiled as
//! `(a)|joined_text ~ (b|given_value | upper)|joined_text`.

use std::ops::Range;

use super::signatures::{OPERATORS, TAKE_UNDEFINED, filter};
use super::tokens::{Token, TokenKind};

/// The filter that refuses undefined. Expressions cannot use it because it is not one of the known filters.
pub(super) const GIVEN: &str = "given_value";

/// The filter that refuses undefined, and writes a value as it appears inside text. Expressions cannot use it.
pub(super) const JOINED: &str = "joined_text";

/// The insertions into an expression, and the operands that must not be undefined.
#[derive(Debug, Default)]
pub(super) struct Operands {
    /// The byte offset and the text of each insertion.
    inserts: Vec<(usize, &'static str)>,
    required: Vec<Required>,
}

/// An operand that must not be undefined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Required {
    /// The bytes of the operand.
    pub(super) range: Range<usize>,
    /// The filter that it is passed to; empty for `~`, a slice or an argument.
    pub(super) filter: &'static str,
}

/// The state inside one pair of brackets.
#[derive(Debug, Default)]
struct Level {
    /// The bytes of the operand that a `~` could follow.
    operand: Option<(usize, usize)>,
    follows_tilde: bool,
    /// The start of the value that a filter could follow.
    value: Option<usize>,
    /// The start of the value that a slice could follow.
    sliced: Option<usize>,
    /// Whether the tokens belong to a test, in which a bracket opens arguments.
    is_test: bool,
    /// Whether the brackets contain arguments that must not be undefined.
    has_arguments: bool,
    argument: Option<(usize, usize)>,
}

impl Level {
    /// Ends the current value: another one follows.
    fn end_value(&mut self) {
        (self.value, self.sliced, self.is_test) = (None, None, false);
    }
}

impl Operands {
    /// Finds the operands of a valid expression.
    pub(super) fn of(tokens: &[Token]) -> Self {
        let mut operands = Self::default();
        if tokens.iter().all(|token| !matches!(token.text, "~" | "|" | "[")) {
            return operands;
        }
        let mut levels = vec![Level::default()];
        for (at, token) in tokens.iter().enumerate() {
            if token.nesting() < 0
                && let Some(mut inner) = levels.pop()
            {
                operands.end(&mut inner);
            }
            let Some(level) = levels.last_mut() else { break };
            operands.add(tokens, at, level);
            if token.nesting() > 0 {
                levels.push(Level { has_arguments: has_required_arguments(tokens, at), ..Level::default() });
            }
        }
        for mut level in levels {
            operands.end(&mut level);
        }
        operands.inserts.sort_by_key(|(at, _)| *at);
        operands
    }

    /// Returns the expression with all insertions.
    pub(super) fn write(&self, text: &str) -> String {
        let (mut written, mut from) = (String::with_capacity(text.len()), 0);
        for (at, insert) in &self.inserts {
            written += &text[from..*at];
            written += insert;
            from = *at;
        }
        written + &text[from..]
    }

    /// Maps a byte offset in the result to one in the original expression.
    pub(super) fn original(&self, written: usize) -> usize {
        let mut more = 0;
        for (at, insert) in &self.inserts {
            more += insert.len().min(written.saturating_sub(at + more));
        }
        written - more
    }

    /// Returns the operand that ends at this byte offset and must not be undefined.
    pub(super) fn required(&self, end: usize) -> Option<&Required> {
        self.required.iter().filter(|required| required.range.end == end).max_by_key(|required| required.range.start)
    }

    fn add(&mut self, tokens: &[Token], at: usize, level: &mut Level) {
        let token = &tokens[at];
        if is_between_operands(tokens, at) {
            self.end_operand(level, token.text == "~");
            level.end_value();
        } else {
            extend(&mut level.operand, token);
            match token.text {
                "*" | "/" | "//" | "%" | "**" => level.end_value(),
                "|" => self.filter(tokens, at, level),
                // A minus binds less tightly than a slice.
                "-" => level.value = level.value.or(Some(token.start)),
                "[" if is_slice(tokens, at) => self.slice(tokens, at, level),
                "is" if !is_field(tokens, at) => (level.sliced, level.is_test) = (None, true),
                _ => {
                    level.value = level.value.or(Some(token.start));
                    level.sliced = level.sliced.or((!level.is_test).then_some(token.start));
                }
            }
        }
        if level.has_arguments {
            self.argument(token, level);
        }
    }

    /// Adds the operand of the filter whose `|` is this token.
    fn filter(&mut self, tokens: &[Token], at: usize, level: &Level) {
        let (Some(start), Some(last)) = (level.value, at.checked_sub(1).map(|before| &tokens[before])) else { return };
        if takes_undefined(tokens, at + 1) {
            return;
        }
        let filter = tokens.get(at + 1).and_then(|name| filter(name.text)).map_or("", |signature| signature.name);
        self.inserts.push((last.end(), "|given_value"));
        self.required.push(Required { range: start..last.end(), filter });
    }

    /// Adds the operand of the slice whose `[` is this token.
    fn slice(&mut self, tokens: &[Token], at: usize, level: &Level) {
        let (Some(start), Some(last)) = (level.sliced, at.checked_sub(1).map(|before| &tokens[before])) else { return };
        self.inserts.extend([(start, "("), (last.end(), "|given_value)")]);
        self.required.push(Required { range: start..last.end(), filter: "" });
    }

    fn argument(&mut self, token: &Token, level: &mut Level) {
        match token.text {
            "," => self.end_argument(level),
            // The previous token is the argument's name.
            "=" => level.argument = None,
            // A list or mapping spread over arguments.
            "*" | "**" if level.argument.is_none() => level.has_arguments = false,
            _ => extend(&mut level.argument, token),
        }
    }

    fn end(&mut self, level: &mut Level) {
        self.end_operand(level, false);
        self.end_argument(level);
    }

    fn end_operand(&mut self, level: &mut Level, is_joined: bool) {
        if let Some((start, end)) = level.operand.take().filter(|_| is_joined || level.follows_tilde) {
            self.inserts.extend([(start, "("), (end, ")|joined_text")]);
            self.required.push(Required { range: start..end, filter: "" });
        }
        level.follows_tilde = is_joined;
    }

    fn end_argument(&mut self, level: &mut Level) {
        if let Some((start, end)) = level.argument.take() {
            self.inserts.extend([(start, "("), (end, ")|given_value")]);
            self.required.push(Required { range: start..end, filter: "" });
        }
    }
}

fn extend(range: &mut Option<(usize, usize)>, token: &Token) {
    *range = Some((range.map_or(token.start, |(start, _)| start), token.end()));
}

/// Returns whether the filter whose name is this token accepts undefined.
fn takes_undefined(tokens: &[Token], at: usize) -> bool {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text);
    match text(at) {
        name if TAKE_UNDEFINED.contains(&name) => true,
        "int" | "float" | "fromjson" if text(at + 1) == "(" => match text(at + 2) {
            ")" => false,
            "base" if text(at + 3) == "=" => text(at + 6) == "default",
            _ => true,
        },
        _ => false,
    }
}

/// Returns whether a bracket slices the value before it.
fn is_slice(tokens: &[Token], at: usize) -> bool {
    let follows_value = at.checked_sub(1).is_some_and(|before| ends_value(tokens, before));
    let mut open = 0;
    let found = tokens[at..].iter().find(|token| {
        open += token.nesting();
        open == 0 || (open == 1 && token.text == ":")
    });
    follows_value && found.is_some_and(|token| token.text == ":")
}

/// Returns whether a bracket opens the arguments of a filter that inserts them into text.
fn has_required_arguments(tokens: &[Token], at: usize) -> bool {
    let before = |back: usize| at.checked_sub(back).map_or("", |at| tokens[at].text);
    tokens[at].text == "(" && matches!(before(1), "replace" | "format") && before(2) == "|"
}

/// Returns whether a token is an operator that binds at most as tightly as `~`.
fn is_between_operands(tokens: &[Token], at: usize) -> bool {
    let before = |back: usize| at.checked_sub(back).map_or("", |at| tokens[at].text);
    if is_field(tokens, at) {
        return false;
    }
    match tokens[at].text {
        "~" | "+" | "==" | "!=" | "<" | ">" | "<=" | ">=" | "=" | "," | ":" | "and" | "or" | "if" | "else" => true,
        "-" => at.checked_sub(1).is_some_and(|before| ends_value(tokens, before)),
        // A list or mapping spread over arguments.
        "*" | "**" => matches!(before(1), "(" | ","),
        // `is not` and `is in` are tests.
        "not" => before(1) != "is",
        "in" => before(1) != "is" && !(before(1) == "not" && before(2) == "is"),
        _ => false,
    }
}

/// Returns whether a token is a step of a path, even if it is an operator elsewhere.
fn is_field(tokens: &[Token], at: usize) -> bool {
    at.checked_sub(1).is_some_and(|before| tokens[before].text == ".")
}

/// Returns whether a value ends with the token, so that a `-` after it subtracts.
fn ends_value(tokens: &[Token], at: usize) -> bool {
    let token = &tokens[at];
    let is_operator = OPERATORS.contains(&token.text) && !is_field(tokens, at);
    match token.kind {
        TokenKind::Word => !is_operator,
        TokenKind::Number | TokenKind::Quoted => true,
        TokenKind::Symbol => token.nesting() < 0,
    }
}
