//! The names that data cannot have because expressions use them for something else.

/// The names that expressions know in some places, with what each one is there and the name to use for data instead.
const TAKEN: &[(&str, &str, &str)] = &[
    ("path", "the parameters of a request's path", "base_path"),
    ("query", "the query parameters of a request", "search"),
    ("headers", "the headers of a request", "default_headers"),
    ("cookies", "the cookies of a request", "default_cookies"),
    ("body", "the body of a request", "content"),
    ("method", "the method of a request", "methods"),
    ("url", "the URL of a request", "address"),
    ("event", "what a trigger or a `frame` handles", "events"),
    ("topic", "the topic that a trigger or a `frame` handles", "topics"),
    ("frame", "what a step sends", "frames"),
    ("it", "the row that an earlier step changed", "row"),
    ("item", "the item of an `each`", "entry"),
    ("index", "the position of the item of an `each`", "position"),
    ("msg", "the message of a client", "message"),
    ("conn", "the memory of a socket", "connection"),
    ("now", "the current time", "today"),
];

/// Returns whether expressions know the name as something else in some places.
pub(in crate::scenario) fn is_taken(name: &str) -> bool {
    TAKEN.iter().any(|(taken, ..)| *taken == name)
}

/// Returns what a reserved name is in expressions, and which other name to use.
pub(super) fn advice(name: &str) -> String {
    match TAKEN.iter().find(|(taken, ..)| *taken == name) {
        Some((_, meaning, other)) => format!("`{name}` is {meaning}; choose another name, such as `{other}`"),
        None => format!(
            "`{name}` is a word of the expression language; choose another name, such as `{}_value`",
            name.to_ascii_lowercase()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::{TAKEN, is_taken};
    use crate::expression::{is_function, is_reserved_name};

    #[test]
    fn the_suggested_names_are_free() {
        for (name, _, other) in TAKEN {
            assert!(!is_taken(other) && !is_reserved_name(other) && !is_function(other), "{name}: {other}");
        }
    }
}
