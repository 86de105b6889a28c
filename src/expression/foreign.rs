//! Syntax of other languages, with its equivalents here.

use super::check::Found;
use super::error::CompileErrorKind;
use super::names::Names;
use super::signatures::is_filter;
use super::tokens::Token;

/// Operators of JavaScript, each with its equivalent.
const OPERATORS: &[(&str, &str)] = &[
    ("&&", "and"),
    ("||", "or"),
    ("??", "or"),
    ("===", "=="),
    ("!==", "!="),
    ("=>", "list | where(field=value)"),
    ("?.", "."),
    ("!", "not"),
    ("++", "n + 1"),
    ("--", "n - 1"),
    ("+=", "a + b"),
    ("-=", "a - b"),
    ("*=", "a * b"),
    ("/=", "a / b"),
    ("=", "=="),
];

/// Operators of JavaScript that change a variable.
const CHANGES: &[&str] = &["++", "--", "+=", "-=", "*=", "/="];

/// Functions of JavaScript's built-in objects, each with its equivalent.
const OBJECTS: &[(&str, &str)] = &[
    ("Date.now", "now.ms"),
    ("JSON.parse", "text | fromjson"),
    ("JSON.stringify", "value | tojson"),
    ("Math.abs", "number | abs"),
    ("Math.ceil", "number | round(method='ceil')"),
    ("Math.floor", "number | round(method='floor')"),
    ("Math.max", "list | max"),
    ("Math.min", "list | min"),
    ("Math.random", "random(0, 1.0)"),
    ("Math.round", "number | round"),
    ("Object.keys", "value | list"),
    ("crypto.randomUUID", "uuid()"),
];

/// Values of other languages and tools, each with its equivalent.
const WORDS: &[(&str, &str)] =
    &[("null", "none"), ("nil", "none"), ("undefined", "x is undefined"), ("faker", "fake('name')")];

/// Names of the request in other tools.
const REQUESTS: &[&str] = &["req", "request"];

/// Names of other tools, each with the names that it may have here.
const NAMES: &[(&str, &[&str])] = &[
    ("client", &["conn"]),
    ("loop", &["index"]),
    ("message", &["msg"]),
    ("param", &["path"]),
    ("params", &["path"]),
    ("payload", &["msg", "body"]),
    ("session", &["conn"]),
    ("socket", &["conn"]),
    ("ws", &["conn"]),
];

/// Methods and functions of other languages, each with its equivalent.
const CALLS: &[(&str, &str)] = &[
    ("Number", "text | float"),
    ("String", "value | string"),
    ("contains", "'part' in text"),
    ("endsWith", "text is endingwith 'end'"),
    ("endswith", "text is endingwith 'end'"),
    ("filter", "list | where(field=value)"),
    ("get", "value['key']"),
    ("includes", "'part' in text"),
    ("len", "list | length"),
    ("map", "list | map(attribute='field')"),
    ("parse", "text | fromjson"),
    ("parseFloat", "text | float"),
    ("parseInt", "text | int"),
    ("size", "list | length"),
    ("startsWith", "text is startingwith 'start'"),
    ("startswith", "text is startingwith 'start'"),
    ("str", "value | string"),
    ("stringify", "value | tojson"),
    ("strip", "text | trim"),
    ("toFixed", "number | fixed(2)"),
    ("toISOString", "now.iso"),
    ("toLowerCase", "text | lower"),
    ("toString", "value | string"),
    ("toUpperCase", "text | upper"),
];

fn meaning(of: &str, table: &[(&str, &'static str)]) -> Option<&'static str> {
    table.iter().find(|(written, _)| *written == of).map(|(_, meant)| *meant)
}

/// Returns the name here for the name that other tools use.
pub(super) fn name(written: &str, names: &Names) -> Option<&'static str> {
    let (_, meant) = NAMES.iter().find(|(name, _)| *name == written)?;
    meant.iter().copied().find(|name| names.contains(name))
}

/// Returns the error for a value of another language or tool.
pub(super) fn word(name: &str, names: &Names) -> Option<CompileErrorKind> {
    let is_request = REQUESTS.contains(&name) && names.contains("query");
    let meant = meaning(name, WORDS).or(is_request.then_some("query.name` or `path.name"))?;
    Some(CompileErrorKind::Foreign { written: name.into(), meant: meant.into() })
}

/// Returns the error for a function of a built-in object of another language, such as `Date.now`.
pub(super) fn object(written: &str) -> Option<CompileErrorKind> {
    meaning(written, OBJECTS).map(|meant| CompileErrorKind::Foreign { written: written.into(), meant: meant.into() })
}

/// Returns whether an operator of another language changes a variable.
pub(super) fn changes(operator: &str) -> bool {
    CHANGES.contains(&operator)
}

/// Returns what to write instead of a call to a name that does not exist, or that exists only as a filter.
pub(super) fn call(name: &str) -> Option<String> {
    let filter = || is_filter(name).then(|| format!("a filter comes after `|`: `value | {name}`"));
    meaning(name, CALLS).map(|meant| format!("write `{meant}`")).or_else(filter)
}

/// Returns the start of the first statement of a template language in a text that is not a valid expression.
pub(super) fn statement(tokens: &[Token]) -> Option<Found> {
    let is_start = |pair: &&[Token]| pair[0].text == "{" && pair[1].text == "%" && pair[0].touches(&pair[1]);
    let start = tokens.windows(2).find(is_start)?;
    Some((CompileErrorKind::NoStatements, start[0].start..start[1].end()))
}

/// Returns the operators of other languages in a text that is not a valid expression.
pub(super) fn operators(text: &str, tokens: &[Token]) -> Vec<Found> {
    let mut found = Vec::new();
    let (mut at, mut open) = (0, 0);
    while let Some(token) = tokens.get(at) {
        let written = &text[token.start..];
        let is_outer = open <= 0;
        let operator = OPERATORS
            .iter()
            .find(|(operator, _)| written.starts_with(operator) && starts_operator(token, written, operator, is_outer));
        let (kind, end) = match operator {
            Some((operator, meant)) => {
                let kind = CompileErrorKind::Foreign { written: (*operator).into(), meant: (*meant).into() };
                (kind, token.start + operator.len())
            }
            None if token.text == "?" => {
                let meant = choice(text, tokens).unwrap_or_else(|| "b if a else c".into());
                (CompileErrorKind::Foreign { written: "?".into(), meant }, token.end())
            }
            None => {
                open += token.nesting();
                at += 1;
                continue;
            }
        };
        found.push((kind, token.start..end));
        at += tokens[at..].iter().take_while(|token| token.start < end).count();
    }
    found
}

/// Returns whether the token starts this operator. `!` may start `!=`, and `=` in brackets follows an argument name.
fn starts_operator(token: &Token, written: &str, operator: &str, is_outer: bool) -> bool {
    token.is_symbol()
        && match operator {
            "!" => !written.starts_with("!="),
            "=" => is_outer && token.text == "=",
            _ => true,
        }
}

/// Returns the equivalent of `a ? b : c` if that is the whole expression.
fn choice(text: &str, tokens: &[Token]) -> Option<String> {
    let mut open = 0;
    let outer: Vec<&Token> = tokens
        .iter()
        .filter(|token| {
            open += token.nesting();
            open == 0 && matches!(token.text, "?" | ":")
        })
        .collect();
    let [question, colon] = outer[..] else { return None };
    if (question.text, colon.text) != ("?", ":") {
        return None;
    }
    let (condition, first, second) =
        (&text[..question.start], &text[question.end()..colon.start], &text[colon.end()..]);
    Some(format!("{} if {} else {}", first.trim(), condition.trim(), second.trim()))
}

#[cfg(test)]
mod tests {
    use super::{CALLS, OBJECTS, WORDS};
    use crate::expression::{Language, Names};

    #[test]
    fn every_suggestion_is_a_valid_expression() {
        let names = Names::from(["text", "value", "list", "number", "x"]);
        for (written, meant) in CALLS.iter().chain(WORDS).chain(OBJECTS) {
            let suggestion = meant.replace("field=value", "field=1");
            let compiled = Language::default().condition(&suggestion, &names);
            assert!(compiled.is_ok(), "{written}: {compiled:?}");
        }
    }
}
