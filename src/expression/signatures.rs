//! The functions, filters and tests that expressions can call, with their arguments.

use std::ops::RangeInclusive;

/// A function or filter with its arguments.
#[derive(Debug)]
pub(super) struct Signature {
    pub(super) name: &'static str,
    /// The number of positional arguments.
    pub(super) arguments: RangeInclusive<usize>,
    /// The named arguments.
    pub(super) named: Named,
    /// The arguments in words.
    pub(super) takes: &'static str,
}

/// Names of arguments.
#[derive(Debug)]
pub(super) enum Named {
    Any,
    Only(&'static [&'static str]),
}

impl Named {
    /// Returns whether an argument may have this name.
    pub(super) fn contains(&self, name: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Only(names) => names.contains(&name),
        }
    }
}

const fn by_place(name: &'static str, arguments: RangeInclusive<usize>, takes: &'static str) -> Signature {
    Signature { name, arguments, named: Named::Only(&[]), takes }
}

const fn with_names(
    name: &'static str,
    arguments: RangeInclusive<usize>,
    names: &'static [&'static str],
    takes: &'static str,
) -> Signature {
    Signature { name, arguments, named: Named::Only(names), takes }
}

const fn with_any_names(name: &'static str, arguments: RangeInclusive<usize>, takes: &'static str) -> Signature {
    Signature { name, arguments, named: Named::Any, takes }
}

/// Any number of arguments.
const MANY: usize = usize::MAX;

/// The named argument of filters that compare text.
const CASE: &str = "case_sensitive";

/// All functions.
pub(super) const FUNCTIONS: &[Signature] = &[
    by_place("random", 2..=2, "two numbers: the smallest and the largest"),
    by_place("normal", 2..=2, "two numbers: the mean and the standard deviation"),
    by_place("pick", 1..=1, "a list"),
    by_place("chance", 1..=1, "a number from 0 to 1"),
    by_place("uuid", 0..=0, "no arguments"),
    by_place("next", 1..=1, "the name of a counter"),
    by_place("fake", 1..=1, "a kind, such as 'name'"),
    by_place("joined", 1..=1, "a topic"),
    by_place("members", 1..=1, "a topic"),
    by_place("range", 1..=3, "one to three integers: from, to and step"),
    with_any_names("dict", 0..=1, "a mapping, or values by name"),
];

/// The filters that mockd adds or replaces.
pub(super) const FILTERS: &[Signature] = &[
    with_any_names("where", 0..=0, "fields by name, such as `where(done=true)`"),
    by_place("find", 1..=1, "an id"),
    by_place("fixed", 1..=1, "the number of decimals"),
    with_names("tojson", 0..=1, &["indent"], "an optional indent"),
    with_names("fromjson", 0..=1, &["default"], "an optional `default`"),
    by_place("string", 0..=0, "no arguments"),
    with_names("join", 0..=2, &["attribute"], "the separator, and `attribute`"),
    with_any_names("map", 0..=MANY, "`attribute` by name, or the name of a filter with its arguments"),
];

/// The filters of minijinja, unchanged.
pub(super) const OTHER_FILTERS: &[Signature] = &[
    by_place("abs", 0..=0, "no arguments"),
    by_place("attr", 1..=1, "a key"),
    by_place("batch", 1..=2, "the number of items in each list, and the value that fills the last one"),
    by_place("bool", 0..=0, "no arguments"),
    by_place("capitalize", 0..=0, "no arguments"),
    by_place("chain", 0..=MANY, "lists or mappings"),
    by_place("count", 0..=0, "no arguments"),
    by_place("d", 0..=2, "a fallback, and true to replace everything that counts as false"),
    by_place("default", 0..=2, "a fallback, and true to replace everything that counts as false"),
    with_names("dictsort", 0..=0, &["by", CASE, "reverse"], "`by`, `reverse` and `case_sensitive` by name"),
    by_place("e", 0..=0, "no arguments"),
    by_place("escape", 0..=0, "no arguments"),
    by_place("first", 0..=0, "no arguments"),
    with_names("float", 0..=1, &["default"], "an optional `default`"),
    with_any_names("format", 0..=MANY, "the values for its `%s`"),
    with_names("groupby", 0..=1, &["attribute", "default", CASE], "a field, `default` and `case_sensitive`"),
    with_names("indent", 0..=3, &["width", "first", "blank"], "`width`, `first` and `blank`"),
    with_names("int", 0..=2, &["default", "base"], "`default` and `base`"),
    by_place("items", 0..=0, "no arguments"),
    by_place("last", 0..=0, "no arguments"),
    by_place("length", 0..=0, "no arguments"),
    by_place("lines", 0..=0, "no arguments"),
    by_place("list", 0..=0, "no arguments"),
    by_place("lower", 0..=0, "no arguments"),
    with_names("max", 0..=0, &["attribute", CASE], "`attribute` and `case_sensitive` by name"),
    with_names("min", 0..=0, &["attribute", CASE], "`attribute` and `case_sensitive` by name"),
    with_any_names("reject", 0..=MANY, "the name of a test with its arguments"),
    with_any_names("rejectattr", 1..=MANY, "a field, and the name of a test with its arguments"),
    with_names("replace", 2..=3, &["count"], "the text to replace, its replacement, and `count`"),
    by_place("reverse", 0..=0, "no arguments"),
    with_names("round", 0..=2, &["precision", "method"], "`precision` and `method`"),
    with_any_names("select", 0..=MANY, "the name of a test with its arguments"),
    with_any_names("selectattr", 1..=MANY, "a field, and the name of a test with its arguments"),
    by_place("slice", 1..=2, "the number of lists, and the value that fills short ones"),
    with_names("sort", 0..=0, &["attribute", CASE, "reverse"], SORT),
    by_place("split", 0..=2, "the separator, and the maximum number of splits"),
    with_names("sum", 0..=2, &["attribute", "start"], "`attribute` and `start`"),
    by_place("title", 0..=0, "no arguments"),
    by_place("trim", 0..=1, "the characters to remove, or no arguments"),
    with_names("unique", 0..=0, &["attribute", CASE], "`attribute` and `case_sensitive` by name"),
    by_place("upper", 0..=0, "no arguments"),
    by_place("zip", 0..=MANY, "lists"),
];

const SORT: &str = "`attribute`, `reverse` and `case_sensitive` by name, such as `sort(attribute='id', reverse=true)`";

/// The filters that accept undefined.
pub(super) const TAKE_UNDEFINED: &[&str] = &["d", "default", "find", "tojson", "where"];

/// The filters of minijinja that write Python's notation, or that are meaningless without automatic escaping.
pub(super) const REMOVED_FILTERS: &[&str] = &["pprint", "safe"];

/// The globals of minijinja that show or change its state.
pub(super) const REMOVED_GLOBALS: &[&str] = &["debug", "namespace"];

/// The tests of minijinja, except those named by operators.
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

/// Words between values.
pub(super) const OPERATORS: &[&str] = &["and", "or", "not", "in", "is", "if", "else"];

/// Words that are values.
const CONSTANTS: &[&str] = &["true", "True", "false", "False", "none", "None"];

/// Returns whether a word is a keyword.
pub(super) fn is_keyword(word: &str) -> bool {
    OPERATORS.contains(&word) || CONSTANTS.contains(&word)
}

pub(super) fn function(name: &str) -> Option<&'static Signature> {
    FUNCTIONS.iter().find(|signature| signature.name == name)
}

/// Returns whether a function is pure: it does not draw, count, or query the members of a topic.
pub(super) fn is_pure_function(name: &str) -> bool {
    ["range", "dict"].contains(&name)
}

pub(super) fn filter(name: &str) -> Option<&'static Signature> {
    FILTERS.iter().chain(OTHER_FILTERS).find(|signature| signature.name == name)
}

/// Returns whether a filter has this name.
pub(super) fn is_filter(name: &str) -> bool {
    filter(name).is_some()
}

/// Returns the names of all filters.
pub(super) fn filters() -> impl Iterator<Item = &'static str> {
    OTHER_FILTERS.iter().chain(FILTERS).map(|filter| filter.name)
}

/// Returns whether a function has this name.
#[must_use]
pub fn is_function(name: &str) -> bool {
    function(name).is_some()
}

/// Returns whether a word is reserved in expressions and cannot name a value.
#[must_use]
pub fn is_reserved_name(name: &str) -> bool {
    is_keyword(name) || is_function(name) || ["loop", "self", super::scope::NOW].contains(&name)
}

#[cfg(test)]
mod tests {
    use minijinja::Environment;

    use super::{FILTERS, OTHER_FILTERS, REMOVED_FILTERS, TESTS};

    /// Returns the names after a label in the debug output of an environment.
    fn names<'t>(text: &'t str, label: &str) -> Vec<&'t str> {
        let start = text.split_once(label).map_or("", |(_, rest)| rest);
        let list = start.split_once(']').or(start.split_once('}')).map_or(start, |(list, _)| list);
        list.split('"').skip(1).step_by(2).filter(|name| name.starts_with(char::is_alphabetic)).collect()
    }

    #[test]
    fn the_lists_contain_every_filter_and_test() {
        let own = format!("{:?}", Environment::new());
        let mut filters: Vec<&str> = OTHER_FILTERS.iter().map(|filter| filter.name).collect();
        filters.extend(REMOVED_FILTERS);
        // Filters that mockd replaces.
        filters
            .extend(FILTERS.iter().map(|filter| filter.name).filter(|name| ["string", "join", "map"].contains(name)));
        filters.sort_unstable();
        assert_eq!(names(&own, "filters: "), filters);
        assert_eq!(names(&own, "tests: "), TESTS);
    }
}
