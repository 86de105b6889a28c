//! The operands of `~` as text.
//!
//! minijinja joins what Python prints, such as `True`. So each operand is turned into text first: what is compiled for
//! `a ~ b` is `(a)|string ~ (b)|string`.

use super::signatures::OPERATORS;
use super::tokens::{Token, TokenKind};

/// What is put into an expression: at which byte of it, and what.
#[derive(Debug, Default)]
pub(super) struct TextOperands(Vec<(usize, &'static str)>);

/// The operand that a pair of brackets is at.
#[derive(Debug, Default)]
struct Operand {
    /// Its bytes so far.
    range: Option<(usize, usize)>,
    follows_tilde: bool,
}

impl Operand {
    fn end(&mut self, is_joined: bool, inserts: &mut Vec<(usize, &'static str)>) {
        if let Some((start, end)) = self.range.take().filter(|_| is_joined || self.follows_tilde) {
            inserts.extend([(start, "("), (end, ")|string")]);
        }
        self.follows_tilde = is_joined;
    }
}

impl TextOperands {
    /// Those of a valid expression.
    pub(super) fn of(tokens: &[Token]) -> Self {
        let mut inserts = Vec::new();
        if tokens.iter().all(|token| token.text != "~") {
            return Self(inserts);
        }
        let mut operands = vec![Operand::default()];
        for (at, token) in tokens.iter().enumerate() {
            if token.nesting() < 0
                && let Some(mut inner) = operands.pop()
            {
                inner.end(false, &mut inserts);
            }
            let Some(operand) = operands.last_mut() else { break };
            if is_between_operands(tokens, at) {
                operand.end(token.text == "~", &mut inserts);
            } else {
                operand.range = Some((operand.range.map_or(token.start, |(start, _)| start), token.end()));
            }
            if token.nesting() > 0 {
                operands.push(Operand::default());
            }
        }
        for mut operand in operands {
            operand.end(false, &mut inserts);
        }
        inserts.sort_by_key(|(at, _)| *at);
        Self(inserts)
    }

    /// The expression with all of it put in.
    pub(super) fn write(&self, text: &str) -> String {
        let (mut written, mut from) = (String::with_capacity(text.len()), 0);
        for (at, insert) in &self.0 {
            written += &text[from..*at];
            written += insert;
            from = *at;
        }
        written + &text[from..]
    }

    /// The byte of the expression that a byte of what is written stands for.
    pub(super) fn original(&self, written: usize) -> usize {
        let mut more = 0;
        for (at, insert) in &self.0 {
            more += insert.len().min(written.saturating_sub(at + more));
        }
        written - more
    }
}

/// Whether a token binds less than `~` or as much.
fn is_between_operands(tokens: &[Token], at: usize) -> bool {
    let before = |back: usize| at.checked_sub(back).map_or("", |at| tokens[at].text);
    if before(1) == "." {
        return false;
    }
    match tokens[at].text {
        "~" | "+" | "==" | "!=" | "<" | ">" | "<=" | ">=" | "=" | "," | ":" | "and" | "or" | "if" | "else" => true,
        "-" => at.checked_sub(1).is_some_and(|before| ends_value(tokens, before)),
        // A list or mapping that is spread over arguments.
        "*" | "**" => matches!(before(1), "(" | ","),
        // `is not` and `is in` ask what a value is.
        "not" => before(1) != "is",
        "in" => before(1) != "is" && !(before(1) == "not" && before(2) == "is"),
        _ => false,
    }
}

/// Whether a value ends with the token, so that a `-` behind it subtracts.
fn ends_value(tokens: &[Token], at: usize) -> bool {
    let token = &tokens[at];
    let is_field = at.checked_sub(1).is_some_and(|before| tokens[before].text == ".");
    let is_operator = OPERATORS.contains(&token.text) && !is_field;
    match token.kind {
        TokenKind::Word => !is_operator,
        TokenKind::Number | TokenKind::Quoted => true,
        TokenKind::Sign => token.nesting() < 0,
    }
}
