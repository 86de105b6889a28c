//! What the words of an expression are about, before it runs.
//!
//! An expression binds no names of its own, so that each of its words is a name, a function, a filter, a test, a field, the
//! name of an argument, or a word of the language.

use std::collections::BTreeSet;
use std::ops::Range;

use super::error::{CompileErrorKind, Word};
use super::fake::KINDS;
use super::scope::NOW;
use super::signatures::{
    FILTERS, FUNCTIONS, OTHER_FILTERS, Signature, TESTS, filter, function, is_keyword, is_pure_function,
};
use super::tokens::{Token, TokenKind};
use crate::words::nearest;

/// What is wrong, and the bytes of the expression that it is about.
pub(super) type Found = (CompileErrorKind, Range<usize>);

/// The names that expressions of one place can use, besides `now`.
pub type Names<'n> = BTreeSet<&'n str>;

pub(super) fn unknown<'c>(what: Word, name: &str, candidates: impl IntoIterator<Item = &'c str>) -> CompileErrorKind {
    CompileErrorKind::Unknown { what, name: name.into(), nearest: nearest(name, candidates).map(str::to_owned) }
}

/// Whether that is a name.
pub(super) fn is_name(name: &str, names: &Names) -> bool {
    name == NOW || names.contains(name)
}

/// What is wrong with a name that is looked up.
pub(super) fn check_name(name: &str, names: &Names) -> Option<CompileErrorKind> {
    if is_name(name, names) {
        None
    } else if function(name).is_some() {
        Some(CompileErrorKind::NotCalled(name.into()))
    } else {
        Some(unknown(Word::Name, name, names.iter().copied().chain([NOW])))
    }
}

/// What expressions make use of.
#[derive(Debug, Clone, Default)]
pub(super) struct Uses {
    pub(super) names: BTreeSet<String>,
    /// Whether they call a function that is not pure.
    pub(super) surroundings: bool,
}

impl Uses {
    pub(super) fn add(&mut self, other: Self) {
        self.names.extend(other.names);
        self.surroundings |= other.surroundings;
    }
}

/// What a valid expression makes use of, or all that is wrong with its words.
pub(super) fn check(tokens: &[Token], names: &Names) -> Result<Uses, Vec<Found>> {
    let mut words = Words { tokens, names, used: Uses::default(), found: Vec::new() };
    let mut at = 0;
    while at < tokens.len() {
        at = words.word(at);
    }
    if words.found.is_empty() { Ok(words.used) } else { Err(words.found) }
}

struct Words<'w> {
    tokens: &'w [Token<'w>],
    names: &'w Names<'w>,
    used: Uses,
    found: Vec<Found>,
}

impl<'w> Words<'w> {
    fn text(&self, at: usize) -> &'w str {
        self.tokens.get(at).map_or("", |token| token.text)
    }

    /// Looks at a token, and gives the one to look at next.
    fn word(&mut self, at: usize) -> usize {
        let token = self.tokens[at];
        match token.text {
            "." => {
                if self.text(at + 2) == "(" && self.tokens[at + 1].kind == TokenKind::Word {
                    let name = self.tokens[at + 1];
                    self.found.push((CompileErrorKind::Method(name.text.into()), name.range()));
                }
                at + 2
            }
            "|" => {
                let (name, range, next) = self.dotted(at + 1);
                if let Some(signature) = filter(&name) {
                    self.arguments(signature, range, next);
                } else if !OTHER_FILTERS.contains(&&*name) {
                    let all = OTHER_FILTERS.iter().copied().chain(FILTERS.iter().map(|filter| filter.name));
                    self.found.push((unknown(Word::Filter, &name, all), range));
                }
                next
            }
            "is" => {
                let (name, range, next) = self.dotted(if self.text(at + 1) == "not" { at + 2 } else { at + 1 });
                if !TESTS.contains(&&*name) {
                    self.found.push((unknown(Word::Test, &name, TESTS.iter().copied()), range));
                }
                next
            }
            text if token.kind == TokenKind::Word && !is_keyword(text) => {
                self.name(token, at);
                at + 1
            }
            _ => at + 1,
        }
    }

    fn name(&mut self, token: Token, at: usize) {
        let name = token.text;
        let kind = match self.text(at + 1) {
            // The name of an argument.
            "=" => None,
            "(" => match function(name) {
                Some(signature) => {
                    self.arguments(signature, token.range(), at + 1);
                    self.fake_kind(name, at);
                    self.used.surroundings |= !is_pure_function(name);
                    None
                }
                None if is_name(name, self.names) => Some(CompileErrorKind::NotAFunction(name.into())),
                None => Some(unknown(Word::Function, name, FUNCTIONS.iter().map(|function| function.name))),
            },
            _ => {
                self.used.names.insert(name.into());
                check_name(name, self.names)
            }
        };
        self.found.extend(kind.map(|kind| (kind, token.range())));
    }

    /// The name of a filter or test, its place, and what follows it.
    fn dotted(&self, at: usize) -> (String, Range<usize>, usize) {
        let mut next = at + 1;
        while self.text(next) == "." {
            next += 2;
        }
        let parts = &self.tokens[at.min(self.tokens.len())..next.min(self.tokens.len())];
        let range = parts.first().map_or(0, |first| first.start)..parts.last().map_or(0, Token::end);
        (parts.iter().map(|part| part.text).collect(), range, next)
    }

    /// Counts the arguments of a call, whose `(` is there or not.
    fn arguments(&mut self, signature: &'static Signature, range: Range<usize>, at: usize) {
        let Some((by_place, by_name)) = self.count_arguments(at) else { return };
        if !signature.arguments.contains(&by_place) || (by_name > 0 && !signature.takes_named) {
            let kind = CompileErrorKind::Arguments { name: signature.name.into(), takes: signature.takes };
            self.found.push((kind, range));
        }
    }

    /// How many there are by place and by name; `None` if a list or mapping is spread over them.
    fn count_arguments(&self, at: usize) -> Option<(usize, usize)> {
        if self.text(at) != "(" {
            return Some((0, 0));
        }
        let (mut open, mut by_place, mut by_name, mut is_start) = (0, 0, 0, true);
        for (token, next) in self.tokens[at..].iter().zip(at + 1..) {
            let is_first = std::mem::take(&mut is_start) || open == 0;
            let is_end = open == 1 && token.nesting() < 0;
            if open == 1 && token.text == "," {
                is_start = true;
            } else if open > 0 && is_first && !is_end {
                match token.text {
                    "*" | "**" => return None,
                    _ if token.kind == TokenKind::Word && self.text(next) == "=" => by_name += 1,
                    _ => by_place += 1,
                }
            }
            is_start |= open == 0;
            open += token.nesting();
            if open == 0 {
                break;
            }
        }
        Some((by_place, by_name))
    }

    /// A kind that is written out has to be one that there is.
    fn fake_kind(&mut self, function: &str, at: usize) {
        let Some(token) = self.tokens.get(at + 2).filter(|token| token.kind == TokenKind::Quoted) else { return };
        if function == "fake" && self.text(at + 3) == ")" {
            let kind = token.text.trim_matches(['\'', '"']);
            if !KINDS.contains(&kind) {
                self.found.push((unknown(Word::Kind, kind, KINDS.iter().copied()), token.range()));
            }
        }
    }
}
