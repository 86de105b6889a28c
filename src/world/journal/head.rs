//! The head of a request as it is kept: one text, taken apart when it is read.
//!
//! Every request is recorded and hardly any is read, so that recording has to be cheap: a map of names and values costs
//! two allocations for each header, this costs one for all.

use std::collections::BTreeMap;

/// Method, target and headers of a request: `METHOD PATH?QUERY`, then a line `NAME:VALUE` for each header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestHead(Box<str>);

impl RequestHead {
    /// The head of a request. The path is that below the world's prefix, percent-encoded as it came.
    pub fn new<'h>(
        method: &str,
        path: &str,
        query: Option<&str>,
        headers: impl Iterator<Item = (&'h str, &'h [u8])>,
    ) -> Self {
        // Bytes that most heads fit in.
        const USUAL: usize = 512;
        let mut text = String::with_capacity(USUAL);
        text.extend([method, " ", path]);
        if let Some(query) = query {
            text.extend(["?", query]);
        }
        for (name, value) in headers {
            text.extend(["\n", name, ":"]);
            // No header has a line end in it (RFC 9110, 5.5).
            text.push_str(&String::from_utf8_lossy(value));
        }
        Self(text.into())
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &str {
        self.0.split(' ').next().unwrap_or_default()
    }

    /// The path below the world's prefix, percent-encoded as it came.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target().split('?').next().unwrap_or_default()
    }

    /// The query without its question mark.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.target().split_once('?').map(|(_, query)| query)
    }

    /// The headers by lower-case name; several of one name are joined by `, ` (RFC 9110, 5.3).
    #[must_use]
    pub fn headers(&self) -> BTreeMap<String, String> {
        let mut headers: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in self.lines() {
            headers
                .entry(name.to_ascii_lowercase())
                .and_modify(|before| before.extend([", ", value]))
                .or_insert_with(|| value.to_owned());
        }
        headers
    }

    /// The value of a header, as [`RequestHead::headers`] gives it.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        let values: Vec<&str> =
            self.lines().filter_map(|(other, value)| other.eq_ignore_ascii_case(name).then_some(value)).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    /// How many bytes it takes.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The headers as they came.
    fn lines(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.split('\n').skip(1).filter_map(|line| line.split_once(':'))
    }

    fn target(&self) -> &str {
        let line = self.0.split('\n').next().unwrap_or_default();
        line.split_once(' ').map_or("", |(_, target)| target)
    }
}

#[cfg(test)]
mod tests {
    use super::RequestHead;

    #[test]
    fn a_head_gives_what_it_was_made_of() {
        let headers: [(&str, &[u8]); 3] = [("Accept", b"a"), ("host", b"x:1"), ("accept", b"b \xff")];
        let head = RequestHead::new("POST", "/orders/A%201", Some("a=b c?"), headers.into_iter());
        assert_eq!((head.method(), head.path(), head.query()), ("POST", "/orders/A%201", Some("a=b c?")));
        let expected = [("accept", "a, b \u{fffd}"), ("host", "x:1")];
        assert_eq!(head.headers(), expected.map(|(name, value)| (name.into(), value.into())).into());
        assert_eq!(head.header("HOST").as_deref(), Some("x:1"));
    }

    #[test]
    fn a_head_without_query_and_headers_has_none() {
        let head = RequestHead::new("GET", "/toys", None, std::iter::empty());
        assert_eq!((head.method(), head.path(), head.query()), ("GET", "/toys", None));
        assert!(head.headers().is_empty());
    }
}
