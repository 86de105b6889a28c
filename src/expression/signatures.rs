//! What expressions can call: functions, filters and tests, and what they take.

use std::ops::RangeInclusive;

/// A function or filter with what it takes.
#[derive(Debug)]
pub(super) struct Signature {
    pub(super) name: &'static str,
    /// How many arguments it takes by place.
    pub(super) arguments: RangeInclusive<usize>,
    /// Whether it takes arguments by name.
    pub(super) takes_named: bool,
    /// The same in words.
    pub(super) takes: &'static str,
}

const fn by_place(name: &'static str, arguments: RangeInclusive<usize>, takes: &'static str) -> Signature {
    Signature { name, arguments, takes_named: false, takes }
}

const fn by_name(name: &'static str, arguments: RangeInclusive<usize>, takes: &'static str) -> Signature {
    Signature { name, arguments, takes_named: true, takes }
}

/// All functions.
pub(super) const FUNCTIONS: &[Signature] = &[
    by_place("random", 2..=2, "two numbers: the least and the most"),
    by_place("normal", 2..=2, "two numbers: the mean and the deviation"),
    by_place("pick", 1..=1, "a list"),
    by_place("chance", 1..=1, "a number from 0 to 1"),
    by_place("uuid", 0..=0, "no arguments"),
    by_place("next", 1..=1, "the name of a counter"),
    by_place("fake", 1..=1, "a kind, such as 'name'"),
    by_place("joined", 1..=1, "a topic"),
    by_place("members", 1..=1, "a topic"),
    by_place("range", 1..=3, "one to three integers: from, to and step"),
    by_name("dict", 0..=1, "a mapping, or values by name"),
];

/// The filters that are not the evaluator's own.
pub(super) const FILTERS: &[Signature] = &[
    by_name("where", 0..=0, "fields by name, such as `where(done=true)`"),
    by_place("find", 1..=1, "an id"),
    by_place("fixed", 1..=1, "the number of decimals"),
    by_name("tojson", 0..=1, "at most an indent"),
    by_place("fromjson", 0..=0, "no arguments"),
    by_place("string", 0..=0, "no arguments"),
    by_name("join", 0..=2, "what to put between, and `attribute`"),
];

/// The filters of minijinja that are left as they are.
pub(super) const OTHER_FILTERS: &[&str] = &[
    "abs",
    "attr",
    "batch",
    "bool",
    "capitalize",
    "chain",
    "count",
    "d",
    "default",
    "dictsort",
    "e",
    "escape",
    "first",
    "float",
    "format",
    "groupby",
    "indent",
    "int",
    "items",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "select",
    "selectattr",
    "slice",
    "sort",
    "split",
    "sum",
    "title",
    "trim",
    "unique",
    "upper",
    "zip",
];

/// The filters of minijinja that make Python's notation, or mean nothing where nothing is escaped.
pub(super) const REMOVED_FILTERS: &[&str] = &["pprint", "safe"];

/// The globals of minijinja that show or change its own state.
pub(super) const REMOVED_GLOBALS: &[&str] = &["debug", "namespace"];

/// The tests of minijinja, but for those that are written as signs.
pub(super) const TESTS: &[&str] = &[
    "boolean",
    "defined",
    "divisibleby",
    "endingwith",
    "eq",
    "equalto",
    "escaped",
    "even",
    "false",
    "filter",
    "float",
    "ge",
    "greaterthan",
    "gt",
    "in",
    "int",
    "integer",
    "iterable",
    "le",
    "lessthan",
    "lower",
    "lt",
    "mapping",
    "ne",
    "none",
    "number",
    "odd",
    "safe",
    "sameas",
    "sequence",
    "startingwith",
    "string",
    "test",
    "true",
    "undefined",
    "upper",
];

/// Words that stand between values.
pub(super) const OPERATORS: &[&str] = &["and", "or", "not", "in", "is", "if", "else"];

/// Words that are values.
const CONSTANTS: &[&str] = &["true", "True", "false", "False", "none", "None"];

/// Whether a word belongs to the language itself.
pub(super) fn is_keyword(word: &str) -> bool {
    OPERATORS.contains(&word) || CONSTANTS.contains(&word)
}

pub(super) fn function(name: &str) -> Option<&'static Signature> {
    FUNCTIONS.iter().find(|signature| signature.name == name)
}

/// Whether a function gives the same for the same arguments: it draws nothing, counts nothing and knows no topics.
pub(super) fn is_pure_function(name: &str) -> bool {
    ["range", "dict"].contains(&name)
}

pub(super) fn filter(name: &str) -> Option<&'static Signature> {
    FILTERS.iter().find(|signature| signature.name == name)
}

/// Whether there is a filter of that name.
pub(super) fn is_filter(name: &str) -> bool {
    filter(name).is_some() || OTHER_FILTERS.contains(&name)
}

/// The names of all filters.
pub(super) fn filters() -> impl Iterator<Item = &'static str> {
    OTHER_FILTERS.iter().copied().chain(FILTERS.iter().map(|filter| filter.name))
}

/// Whether expressions give the word a meaning of its own, so that no value can have that name.
#[must_use]
pub fn is_reserved_name(name: &str) -> bool {
    is_keyword(name) || function(name).is_some() || ["loop", "self", super::scope::NOW].contains(&name)
}

#[cfg(test)]
mod tests {
    use minijinja::Environment;

    use super::{FILTERS, OTHER_FILTERS, REMOVED_FILTERS, TESTS};

    /// The names after a label in what an environment says of itself.
    fn names<'t>(text: &'t str, label: &str) -> Vec<&'t str> {
        let start = text.split_once(label).map_or("", |(_, rest)| rest);
        let list = start.split_once(']').or(start.split_once('}')).map_or(start, |(list, _)| list);
        list.split('"').skip(1).step_by(2).filter(|name| name.starts_with(char::is_alphabetic)).collect()
    }

    #[test]
    fn the_lists_are_all_filters_and_tests_that_there_are() {
        let own = format!("{:?}", Environment::new());
        let mut filters: Vec<&str> = OTHER_FILTERS.iter().chain(REMOVED_FILTERS).copied().collect();
        // Those that are written anew.
        filters.extend(FILTERS.iter().map(|filter| filter.name).filter(|name| ["string", "join"].contains(name)));
        filters.sort_unstable();
        assert_eq!(names(&own, "filters: "), filters);
        assert_eq!(names(&own, "tests: "), TESTS);
    }
}
