//! Path segments, as encoded in URLs and route tables.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};

/// The characters to percent-encode in a segment of a URL's path: all except `pchar` (RFC 3986, 3.3).
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

/// Encodes a segment's text as a [`RouteTable`](super::RouteTable) expects it in a path.
#[must_use]
pub fn encode_segment(text: &str) -> String {
    text.replace('%', "%25").replace('/', "%2F")
}
