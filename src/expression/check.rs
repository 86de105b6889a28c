//! Checks the names in an expression before it runs.
//!
//! An expression cannot bind names, so each of its words is a name, a function, a filter, a test, a field, an argument
//! name, or a keyword.

use std::collections::BTreeSet;
use std::ops::Range;

use super::error::{CompileErrorKind, Word};
use super::fake::KINDS;
use super::foreign;
use super::names::{Fields, Names};
use super::scope::NOW;
use super::signatures::{FUNCTIONS, Signature, TESTS, filter, filters, function, is_filter, is_pure_function};
use super::tokens::{Token, TokenKind};
use crate::words::nearest;

/// An error, and the bytes of the expression that it concerns.
pub(super) type Found = (CompileErrorKind, Range<usize>);

pub(super) fn unknown<'c>(what: Word, name: &str, candidates: impl IntoIterator<Item = &'c str>) -> CompileErrorKind {
    CompileErrorKind::Unknown { what, name: name.into(), nearest: nearest(name, candidates).map(str::to_owned) }
}

/// Returns the error for a name that is looked up; `None` if the name exists.
pub(super) fn check_name(name: &str, names: &Names) -> Option<CompileErrorKind> {
    if names.contains(name) {
        None
    } else if let Some(kind) = foreign::word(name, names) {
        Some(kind)
    } else if function(name).is_some() {
        Some(CompileErrorKind::NotCalled(name.into()))
    } else {
        let nearest = foreign::name(name, names).or_else(|| nearest(name, names.iter().chain([NOW])));
        Some(CompileErrorKind::Unknown { what: Word::Name, name: name.into(), nearest: nearest.map(str::to_owned) })
    }
}

/// Returns the error for a field of the value of the name `of`; `None` if the field may exist.
pub(super) fn check_field(of: &str, field: &str, fields: &Fields) -> Option<CompileErrorKind> {
    let (of, name) = (of.to_owned(), field.to_owned());
    match fields {
        Fields::Only(known) if !known.contains(&field) => Some(CompileErrorKind::UnknownField {
            of,
            name,
            known: known.iter().map(|known| (*known).to_owned()).collect(),
        }),
        Fields::OfRows if field.parse::<usize>().is_err() => Some(CompileErrorKind::FieldOfRows { of, field: name }),
        _ => None,
    }
}

/// Returns the name of a field with `-` if it is written with `_`, for example in headers.
pub(super) fn hyphenated(field: &str, fields: &Fields) -> Option<String> {
    (*fields == Fields::Hyphenated && field.contains('_')).then(|| field.replace('_', "-"))
}

/// What expressions use.
#[derive(Debug, Clone, Default)]
pub(super) struct Uses {
    pub(super) names: BTreeSet<String>,
    /// Whether they call an impure function.
    pub(super) runtime: bool,
}

impl Uses {
    pub(super) fn add(&mut self, other: Self) {
        self.names.extend(other.names);
        self.runtime |= other.runtime;
    }
}

/// Returns what a valid expression uses, or all errors in its names.
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

    /// Checks a token, and returns the index of the next one to check.
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
                match filter(&name) {
                    Some(signature) => self.arguments(signature, range, next),
                    None => self.found.push((unknown(Word::Filter, &name, filters()), range)),
                }
                self.named_argument(&name, next);
                next
            }
            "is" => {
                let (name, range, next) = self.dotted(if self.text(at + 1) == "not" { at + 2 } else { at + 1 });
                if !TESTS.contains(&&*name) {
                    self.found.push((unknown(Word::Test, &name, TESTS.iter().copied()), range));
                }
                next
            }
            _ if token.is_name() => self.name(token, at),
            _ => at + 1,
        }
    }

    fn name(&mut self, token: Token, at: usize) -> usize {
        let name = token.text;
        if let Some(found) = self.object(token, at) {
            self.found.push(found);
            return at + 3;
        }
        let kind = match self.text(at + 1) {
            // An argument name.
            "=" => None,
            "(" => match function(name) {
                Some(signature) => {
                    self.arguments(signature, token.range(), at + 1);
                    self.fake_kind(name, at);
                    self.used.runtime |= !is_pure_function(name);
                    None
                }
                None if self.names.contains(name) => Some(CompileErrorKind::NotAFunction(name.into())),
                None => Some(unknown(Word::Function, name, FUNCTIONS.iter().map(|function| function.name))),
            },
            _ => {
                self.used.names.insert(name.into());
                let unknown = check_name(name, self.names);
                if unknown.is_none() {
                    return self.field(token, at);
                }
                unknown
            }
        };
        self.found.extend(kind.map(|kind| (kind, token.range())));
        at + 1
    }

    /// Returns the error for a call of a built-in object of another language.
    fn object(&self, token: Token, at: usize) -> Option<Found> {
        let function = self.tokens.get(at + 2).filter(|_| self.text(at + 1) == "." && self.text(at + 3) == "(")?;
        let kind = foreign::object(&format!("{}.{}", token.text, function.text))?;
        (!self.names.contains(token.text)).then(|| (kind, token.start..function.end()))
    }

    /// Checks the first step after a name, and returns the index of the next token to check.
    fn field(&mut self, name: Token, at: usize) -> usize {
        let fields = self.names.fields(name.text);
        let Some(field) = self.tokens.get(at + 2) else { return at + 1 };
        match self.text(at + 1) {
            "." if self.text(at + 3) != "(" => {
                let last = self.last_hyphenated(at + 2);
                let words = &self.tokens[at + 2..=last];
                let joined: String = words.iter().map(|word| word.text).collect();
                if self.is_one_field(words, &joined, &fields) {
                    let (written, meant) = (format!("{}.{joined}", name.text), format!("{}['{joined}']", name.text));
                    let range = name.start..self.tokens[last].end();
                    self.found.push((CompileErrorKind::Subtraction { written, meant }, range));
                    return last + 1;
                }
                if let Some(hyphenated) = hyphenated(field.text, &fields) {
                    let meant = format!("{}['{hyphenated}']", name.text);
                    let kind = CompileErrorKind::Underscore { field: field.text.into(), meant };
                    self.found.push((kind, name.start..field.end()));
                }
                self.found.extend(check_field(name.text, field.text, &fields).map(|kind| (kind, field.range())));
            }
            "[" if self.text(at + 3) == "]" => {
                let wrong =
                    field.unquoted().and_then(|(text, range)| Some((check_field(name.text, text, &fields)?, range)));
                self.found.extend(wrong);
            }
            _ => {}
        }
        at + 1
    }

    /// Returns the last token of words joined by `-` without spaces, such as `x-api-key`; the first token if no `-`
    /// follows.
    fn last_hyphenated(&self, first: usize) -> usize {
        let is_joined = |at: usize| match self.tokens.get(at..at + 3) {
            Some([before, hyphen, word]) => {
                let is_word = matches!(word.kind, TokenKind::Word | TokenKind::Number) && self.text(at + 3) != "(";
                hyphen.text == "-" && is_word && before.touches(hyphen) && hyphen.touches(word)
            }
            _ => false,
        };
        let mut last = first;
        while is_joined(last) {
            last += 2;
        }
        last
    }

    /// Returns whether words joined by `-` are most likely the name of one field.
    fn is_one_field(&self, words: &[Token], joined: &str, fields: &Fields) -> bool {
        // A short word is close to almost any other.
        let is_far = |word: &Token, nearest: Option<String>| nearest.is_none() || word.text.len() <= 3;
        let means_nothing = |word: &Token| match check_name(word.text, self.names) {
            Some(CompileErrorKind::Unknown { nearest, .. }) => word.is_name() && is_far(word, nearest),
            _ => false,
        };
        words.len() > 1
            && match fields {
                Fields::Hyphenated => true,
                Fields::Only(known) => known.contains(&joined),
                Fields::Any => words.iter().skip(2).step_by(2).any(means_nothing),
                Fields::OfRows => false,
            }
    }

    /// Checks the argument of `map` and similar filters: the name of a filter or test.
    fn named_argument(&mut self, filter: &str, at: usize) {
        let (is_test, place) = match filter {
            "map" => (false, at + 1),
            "select" | "reject" => (true, at + 1),
            "selectattr" | "rejectattr" if self.text(at + 2) == "," => (true, at + 3),
            _ => return,
        };
        let ends = matches!(self.text(place + 1), ")" | ",");
        let argument = self.tokens.get(place).filter(|_| ends && self.text(at) == "(").and_then(Token::unquoted);
        let Some((name, range)) = argument else { return };
        if is_test && name.starts_with(char::is_alphabetic) && !TESTS.contains(&name) {
            self.found.push((unknown(Word::Test, name, TESTS.iter().copied()), range));
        } else if !is_test && !is_filter(name) {
            // A single letter is close to any other.
            let nearest = nearest(name, filters().filter(|filter| filter.len() > 1)).map(str::to_owned);
            self.found.push((CompileErrorKind::MappedField { name: name.into(), nearest }, range));
        }
    }

    /// Returns the name of a filter or test, its range, and the index of the next token.
    fn dotted(&self, at: usize) -> (String, Range<usize>, usize) {
        let mut next = at + 1;
        while self.text(next) == "." {
            next += 2;
        }
        let parts = &self.tokens[at.min(self.tokens.len())..next.min(self.tokens.len())];
        let range = parts.first().map_or(0, |first| first.start)..parts.last().map_or(0, Token::end);
        (parts.iter().map(|part| part.text).collect(), range, next)
    }

    /// Checks the arguments of a call, with or without `(`.
    fn arguments(&mut self, signature: &'static Signature, range: Range<usize>, at: usize) {
        let Some((by_place, by_name)) = self.count_arguments(at) else { return };
        let is_known = by_name.iter().all(|name| signature.named.contains(name));
        if !signature.arguments.contains(&by_place) || !is_known {
            let meant = match signature.name {
                // A field instead of an id.
                "find" if by_place == 0 && !by_name.is_empty() => {
                    Some(format!("where{} | first", written(self.bracketed(at))))
                }
                // A mapping that is merged into another.
                "dict" if by_name.is_empty() => self.chained(at),
                _ => None,
            };
            let kind = CompileErrorKind::Arguments { name: signature.name.into(), takes: signature.takes, meant };
            self.found.push((kind, range));
        }
    }

    /// Returns the tokens from a bracket to its closing bracket.
    fn bracketed(&self, at: usize) -> &'w [Token<'w>] {
        let mut open = 0;
        let end = self.tokens[at..].iter().position(|token| {
            open += token.nesting();
            open == 0
        });
        &self.tokens[at..end.map_or(self.tokens.len(), |end| at + end + 1)]
    }

    /// Returns the call of `chain` that merges the mappings in brackets.
    fn chained(&self, at: usize) -> Option<String> {
        let [bracket, arguments @ .., _] = self.bracketed(at) else { return None };
        let mut open = bracket.nesting();
        let comma = arguments.iter().position(|token| {
            open += token.nesting();
            open == 1 && token.text == ","
        })?;
        let (first, others) = (written(&arguments[..comma]), written(&arguments[comma + 1..]));
        // A filter binds tighter than an operator.
        let first = if first.contains(' ') { format!("({first})") } else { first };
        Some(format!("{first} | chain({others})"))
    }

    /// Returns the number of positional arguments, and the names of the named ones; `None` if a list or mapping is
    /// spread over them.
    fn count_arguments(&self, at: usize) -> Option<(usize, Vec<&'w str>)> {
        if self.text(at) != "(" {
            return Some((0, Vec::new()));
        }
        let (mut open, mut by_place, mut by_name, mut is_start) = (0, 0, Vec::new(), true);
        for (token, next) in self.tokens[at..].iter().zip(at + 1..) {
            let is_first = std::mem::take(&mut is_start) || open == 0;
            let is_end = open == 1 && token.nesting() < 0;
            if open == 1 && token.text == "," {
                is_start = true;
            } else if open > 0 && is_first && !is_end {
                match token.text {
                    "*" | "**" => return None,
                    _ if token.kind == TokenKind::Word && self.text(next) == "=" => by_name.push(token.text),
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

    /// Checks that the kind passed to `fake` exists, if it is a literal.
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

/// Returns the text of consecutive tokens, with single spaces.
fn written(tokens: &[Token]) -> String {
    let mut written = String::new();
    for (at, token) in tokens.iter().enumerate() {
        let follows_space = at > 0 && !tokens[at - 1].touches(token);
        written.push_str(if follows_space { " " } else { "" });
        written.push_str(token.text);
    }
    written
}
