//! Segments of paths, as URLs and route tables write them.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};

/// What is percent-encoded in a segment of a URL's path: everything but `pchar` (RFC 3986, 3.3).
pub const NOT_IN_SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b':')
    .remove(b'@');

/// A segment's text, encoded as a [`RouteTable`](super::RouteTable) expects it in a path.
#[must_use]
pub fn encode_segment(text: &str) -> String {
    text.replace('%', "%25").replace('/', "%2F")
}
