//! The vocabulary of expressions: every operator, name, function, filter and test, with its result and an example.

use super::signatures::{filter, function};

/// An operator, name, function, filter or test of expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The kind.
    pub kind: EntryKind,
    /// The word, or the notation of the operator.
    pub name: &'static str,
    /// The result; for a test, the condition.
    pub result: &'static str,
    /// An example expression.
    pub example: &'static str,
}

/// A kind of entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are self-explanatory")]
pub enum EntryKind {
    Operator,
    Name,
    Function,
    Filter,
    Test,
}

impl EntryKind {
    /// All kinds, in the order in which they are listed.
    pub const ALL: [Self; 5] = [Self::Operator, Self::Name, Self::Function, Self::Filter, Self::Test];

    fn table(self) -> &'static [(&'static str, &'static str, &'static str)] {
        match self {
            Self::Operator => OPERATORS,
            Self::Name => NAMES,
            Self::Function => FUNCTIONS,
            Self::Filter => FILTERS,
            Self::Test => TESTS,
        }
    }
}

impl Entry {
    /// Returns what a function or filter takes, in words, apart from the value before the `|`; `None` for other kinds.
    #[must_use]
    pub fn takes(&self) -> Option<&'static str> {
        let signature = match self.kind {
            EntryKind::Function => function(self.name),
            EntryKind::Filter => filter(self.name),
            EntryKind::Operator | EntryKind::Name | EntryKind::Test => None,
        };
        signature.map(|signature| signature.takes)
    }
}

/// Returns all entries.
pub fn entries() -> impl Iterator<Item = Entry> {
    let of_kind = |kind: EntryKind| {
        kind.table().iter().map(move |&(name, result, example)| Entry { kind, name, result, example })
    };
    EntryKind::ALL.into_iter().flat_map(of_kind)
}

const OPERATORS: &[(&str, &str, &str)] = &[
    ("a + b", "the sum of numbers, or two lists joined", "[1] + [2]"),
    ("a - b", "the difference of numbers", "7 - 2"),
    ("a * b", "the product of numbers", "7 * 2"),
    ("a / b", "the quotient of numbers", "7 / 2"),
    ("a // b", "the integer part of the quotient", "7 // 2"),
    ("a % b", "the remainder of `//`", "7 % 2"),
    ("a ** b", "the power", "2 ** 10"),
    ("a ~ b", "both joined as text; neither may be undefined", "'so ' ~ 1"),
    ("a == b", "whether the two are equal; 1 and '1' are not", "1 == 1.0"),
    ("a != b", "whether the two differ", "1 != 2"),
    ("a < b", "whether one is less than the other, also `<=` `>` `>=`; numbers and text do not compare", "1 < 2 < 3"),
    ("a in b", "whether a list has the item, a mapping the key, or a text the part, also `not in`", "1 in [1, 2]"),
    ("a and b", "the second value if the first is true, else the first", "true and 1"),
    ("a or b", "the first value if it is true, else the second", "none or 'other'"),
    ("not a", "whether the value is false, undefined, none, 0 or empty", "not []"),
    ("a if b else c", "the first value if the condition is true, else the last", "'yes' if 1 < 2 else 'no'"),
    ("a.b", "a field, also `a['b']`; undefined if it is missing", "{'b': 1}.b"),
    ("a.0", "an item, also `a[0]`, and from the end `a[-1]`", "[1, 2].0"),
    ("a[1:3]", "the items 1 and 2, or these characters of a text; `[:3]` are the first three", "[1, 2, 3][:2]"),
    ("a is b", "whether a test below is true of a value, also `is not`", "1 is number"),
];

const NAMES: &[(&str, &str, &str)] = &[(
    "now",
    "the world's date and time: `now.iso` is RFC 3339 in UTC, `now.ms` and `now.s` count from 1970",
    "now.iso",
)];

const FUNCTIONS: &[(&str, &str, &str)] = &[
    (
        "random",
        "a random number: an integer between two integers, both included; otherwise a number below the second",
        "random(1, 6)",
    ),
    ("normal", "a random number from a normal distribution", "normal(100, 15)"),
    ("pick", "a random item of a list; undefined if the list is empty", "pick(['a', 'b'])"),
    ("chance", "true with this probability", "chance(0.1)"),
    ("uuid", "a random UUID, version 4", "uuid()"),
    ("next", "a named counter: 1, 2, 3 and so on", "next('ticket')"),
    (
        "fake",
        "made-up data: name, first, last, email, word, sentence, city, country, company, colour, price, phone, url or date",
        "fake('email')",
    ),
    ("joined", "the number of members of a topic", "joined('room')"),
    ("members", "the members of a topic: a list of their `conn.id`", "members('room') | length"),
    ("range", "the integers from 0, or from the first number, up to but not including the second", "range(1, 4)"),
    ("dict", "a mapping of named values, merged into another mapping if there is one", "dict({'a': 1}, b=2)"),
];

const FILTERS: &[(&str, &str, &str)] = &[
    ("abs", "the absolute value of a number", "-1 | abs"),
    ("attr", "the field with this name", "{'a': 1} | attr('a')"),
    ("batch", "lists of this many items each", "range(5) | batch(2)"),
    ("bool", "whether the value is true", "'' | bool"),
    ("capitalize", "text with its first letter in upper case and all others in lower case", "'ada' | capitalize"),
    ("chain", "lists joined, or mappings merged", "[1] | chain([2])"),
    ("count", "the same as `length`", "[1, 2] | count"),
    ("d", "the same as `default`", "none | d('other', true)"),
    (
        "default",
        "a fallback for an undefined value; with true, also for any value that counts as false",
        "none | default('other', true)",
    ),
    ("dictsort", "the pairs of a mapping in the order of its keys", "{'b': 1, 'a': 2} | dictsort"),
    ("e", "the same as `escape`", "'<a>' | e"),
    ("escape", "text with HTML's special characters escaped", "'<a>' | escape"),
    ("find", "the row with this `id`, compared as text; undefined if there is none", "[{'id': 7}] | find('7')"),
    ("first", "the first item or character; undefined if there is none", "[1, 2] | first"),
    ("fixed", "a number as text with this many decimals", "9.5 | fixed(2)"),
    ("float", "the value as a number; `default` is the fallback if it is not one", "'x' | float(default=0)"),
    ("format", "text with values in place of its `%s`", "'%s!' | format('so')"),
    ("fromjson", "the value of a JSON text; `default` is the fallback for other text", "'[1' | fromjson(default=none)"),
    ("groupby", "pairs of a field's value and the items that have it", "[{'a': 1}] | groupby('a')"),
    ("indent", "text with its lines indented by this many spaces", "'a' | indent(2)"),
    ("int", "the value as an integer; `default` is the fallback if it is not a number", "'x' | int(default=0)"),
    ("items", "the pairs of a mapping", "{'a': 1} | items"),
    ("join", "the items joined into one text", "[1, 2] | join(', ')"),
    ("last", "the last item or character; undefined if there is none", "[1, 2] | last"),
    ("length", "the number of items, keys or characters", "[1, 2] | length"),
    ("lines", "the lines of a text", "'a' | lines"),
    ("list", "the items, keys or characters as a list", "'ab' | list"),
    ("lower", "text in lower case", "'A' | lower"),
    ("map", "a field of each item, or the result of a filter for each", "[{'id': 1}] | map(attribute='id')"),
    ("max", "the largest item", "[1, 2] | max"),
    ("min", "the smallest item", "[1, 2] | min"),
    ("reject", "the items for which a test is false", "[1, 2] | reject('odd')"),
    ("rejectattr", "the items for whose field a test is false", "[{'p': 1}] | rejectattr('p', 'gt', 1)"),
    ("replace", "text with one part replaced by another", "'abc' | replace('b', 'x')"),
    ("reverse", "the items or characters in reverse order", "[1, 2] | reverse"),
    ("round", "a number rounded to this many decimals; `method` is common, ceil or floor", "2.55 | round(1)"),
    ("select", "the items for which a test is true", "[1, 2] | select('odd')"),
    ("selectattr", "the items for whose field a test is true", "[{'p': 2}] | selectattr('p', 'gt', 1)"),
    ("slice", "this many lists of about the same length", "range(5) | slice(2)"),
    ("sort", "the items sorted", "[{'p': 1}] | sort(attribute='p', reverse=true)"),
    ("split", "the parts of a text between separators; without an argument, between spaces", "'a,b' | split(',')"),
    ("string", "the value as text, as it appears inside text", "1 | string"),
    ("sum", "the sum of numbers, or of a field of each item", "[{'p': 1}] | sum(attribute='p')"),
    ("title", "text with the first letter of each word in upper case", "'ada b' | title"),
    ("tojson", "the value as JSON text", "[1] | tojson(indent=2)"),
    ("trim", "text without the spaces around it", "' a ' | trim"),
    ("unique", "the items without duplicates", "[1, 1] | unique"),
    ("upper", "text in upper case", "'a' | upper"),
    ("where", "the rows with these fields; a number equals the same number as text", "[{'a': 1}] | where(a='1')"),
    ("zip", "lists of the first items, the second items, and so on", "[1, 2] | zip([3, 4])"),
];

const TESTS: &[(&str, &str, &str)] = &[
    ("boolean", "true or false", "true is boolean"),
    ("defined", "not undefined", "1 is defined"),
    ("divisibleby", "a multiple of the number", "6 is divisibleby(3)"),
    ("endingwith", "text that ends with this", "'ab' is endingwith('b')"),
    ("eq", "equal, also `equalto`", "1 is eq(1)"),
    ("equalto", "equal", "1 is equalto(1)"),
    ("escaped", "text that needs no escaping", "'a' is escaped"),
    ("even", "an even number", "2 is even"),
    ("false", "false", "false is false"),
    ("filter", "the name of a filter", "'upper' is filter"),
    ("float", "a number with a fraction", "1.5 is float"),
    ("ge", "at least the number", "2 is ge(1)"),
    ("greaterthan", "greater than the number, also `gt`", "2 is greaterthan(1)"),
    ("gt", "greater than the number", "2 is gt(1)"),
    ("in", "an item, key or part of this", "1 is in([1])"),
    ("int", "an integer", "1 is int"),
    ("integer", "an integer, also `int`", "1 is integer"),
    ("iterable", "a list, a mapping or text", "[] is iterable"),
    ("le", "at most the number", "1 is le(2)"),
    ("lessthan", "less than the number, also `lt`", "1 is lessthan(2)"),
    ("lower", "text in lower case", "'a' is lower"),
    ("lt", "less than the number", "1 is lt(2)"),
    ("mapping", "a mapping", "{} is mapping"),
    ("ne", "not equal", "1 is ne(2)"),
    ("none", "null", "none is none"),
    ("number", "a number", "1 is number"),
    ("odd", "an odd number", "1 is odd"),
    ("safe", "text that needs no escaping", "'a' is safe"),
    ("sameas", "equal and of the same kind", "1 is sameas(1)"),
    ("sequence", "a list", "[] is sequence"),
    ("startingwith", "text that starts with this", "'ab' is startingwith('a')"),
    ("string", "text", "'a' is string"),
    ("test", "the name of a test", "'odd' is test"),
    ("true", "true", "true is true"),
    ("undefined", "undefined", "{}.a is undefined"),
    ("upper", "text in upper case", "'A' is upper"),
];

#[cfg(test)]
mod tests {
    use super::{EntryKind, entries};
    use crate::expression::fake::KINDS;
    use crate::expression::signatures::{FUNCTIONS, TESTS, filters};
    use crate::expression::{Language, Names};

    fn names(kind: EntryKind) -> Vec<&'static str> {
        let mut names: Vec<&str> = kind.table().iter().map(|(name, ..)| *name).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn every_function_filter_and_test_has_an_entry() {
        let mut all: Vec<&str> = filters().collect();
        all.sort_unstable();
        assert_eq!(names(EntryKind::Filter), all);
        assert_eq!(names(EntryKind::Test), TESTS);
        let mut functions: Vec<&str> = FUNCTIONS.iter().map(|function| function.name).collect();
        functions.sort_unstable();
        assert_eq!(names(EntryKind::Function), functions);
    }

    #[test]
    fn every_example_is_an_expression() {
        for entry in entries() {
            let compiled = Language::default().condition(entry.example, &Names::default());
            assert!(compiled.is_ok(), "{entry:?}: {compiled:?}");
        }
    }

    #[test]
    fn the_entry_of_fake_names_every_kind() {
        let fake = entries().find(|entry| entry.name == "fake").map_or("", |entry| entry.result);
        assert!(KINDS.iter().all(|kind| fake.contains(kind)), "{fake}");
    }
}
