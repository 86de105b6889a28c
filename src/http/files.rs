//! Responses with files. These functions correct and complete poem's responses where they deviate from HTTP.

use std::fs::{File, Metadata};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use poem::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use poem::web::headers::{ETag, HeaderMapExt, IfNoneMatch};
use poem::{Body, Response};
use tokio::task::spawn_blocking;

/// The versions of a file that a client already has (RFC 9110, 13.1.2).
pub(super) struct KnownVersions(Option<IfNoneMatch>);

impl KnownVersions {
    /// Removes the versions from a request's headers, together with headers that do not apply to `method` or that have
    /// lower precedence.
    pub(super) fn take(headers: &mut HeaderMap, method: &Method) -> Self {
        if method != Method::GET {
            // Only GET supports ranges (RFC 9110, 14.2).
            headers.remove(header::RANGE);
        }
        let known = headers.typed_get();
        if headers.remove(header::IF_NONE_MATCH).is_some() {
            // `If-None-Match` takes precedence (RFC 9110, 13.1.3).
            headers.remove(header::IF_MODIFIED_SINCE);
        }
        Self(known)
    }

    /// Returns the response with a file, or a 304 if the client already has it.
    pub(super) fn answer(&self, mut response: Response) -> Response {
        quote_etag(response.headers_mut());
        let is_known = |known: &IfNoneMatch, etag: &ETag| !known.precondition_passes(etag);
        match (&self.0, &response.headers().typed_get::<ETag>()) {
            (Some(known), Some(etag)) if response.status().is_success() && is_known(known, etag) => {
                not_modified(response)
            }
            _ => response,
        }
    }
}

/// Quotes an entity tag (RFC 9110, 8.8.3), because poem omits the quotes for embedded files.
fn quote_etag(headers: &mut HeaderMap) {
    let bare = headers.get(header::ETAG).and_then(|etag| etag.to_str().ok()).filter(|etag| !etag.ends_with('"'));
    if let Some(quoted) = bare.and_then(|bare| HeaderValue::try_from(format!("\"{bare}\"")).ok()) {
        headers.insert(header::ETAG, quoted);
    }
}

/// Turns a response with a file into a 304 for a client that already has the file (RFC 9110, 15.4.5).
fn not_modified(mut response: Response) -> Response {
    response.set_status(StatusCode::NOT_MODIFIED);
    for name in [header::CONTENT_TYPE, header::CONTENT_LENGTH, header::CONTENT_RANGE, header::ACCEPT_RANGES] {
        response.headers_mut().remove(name);
    }
    response.set_body(Body::empty());
    response
}

/// Declares UTF-8 as the charset of text. Otherwise, browsers assume another charset unless the file declares one.
pub(super) fn name_charset(mut response: Response) -> Response {
    if let Some(kind) = text_kind(&response)
        && let Ok(named) = HeaderValue::try_from(format!("{kind}; charset=utf-8"))
    {
        response.headers_mut().insert(header::CONTENT_TYPE, named);
    }
    response
}

/// Declares the charset like [`name_charset`], but only if the file is valid UTF-8.
pub(super) async fn name_charset_of(path: PathBuf, response: Response) -> Response {
    // A charset in the header takes precedence over the one that the file declares (HTML, 13.2.3.2).
    let is_named = text_kind(&response).is_some() && is_utf8(path).await;
    if is_named { name_charset(response) } else { response }
}

/// Returns the content type of a response if it is a text type without parameters.
fn text_kind(response: &Response) -> Option<&str> {
    let kind = response.headers().get(header::CONTENT_TYPE)?.to_str().ok()?;
    let is_text = kind.starts_with("text/") || ["javascript", "json", "xml"].iter().any(|end| kind.ends_with(end));
    (is_text && !kind.contains(';')).then_some(kind)
}

/// Whether a file can be read and is entirely UTF-8.
async fn is_utf8(path: PathBuf) -> bool {
    // A line feed byte is never part of a longer UTF-8 sequence, so lines can be checked separately.
    let check = || File::open(path).is_ok_and(|file| BufReader::new(file).lines().all(|line| line.is_ok()));
    // Fails only while the runtime shuts down.
    spawn_blocking(check).await.unwrap_or(false)
}

/// Follows all links of a path. Returns the result and its metadata, or `None` if the path leads out of the directory
/// or to nothing.
pub(super) fn resolve_within(directory: &Path, path: &Path) -> Option<(PathBuf, Metadata)> {
    let path =
        path.canonicalize().ok().filter(|path| directory.canonicalize().is_ok_and(|own| path.starts_with(own)))?;
    let found = path.metadata().ok()?;
    Some((path, found))
}

/// The part of a file that a request selects (RFC 9110, 14). A server may ignore any range (14.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RequestedRange {
    /// The whole file. Also stands for a range that is ignored.
    Whole,
    /// The range from the first byte to the last, both inclusive.
    Range(u64, u64),
    /// A range that starts beyond the end of the file.
    Unsatisfiable,
}

impl RequestedRange {
    /// Parses the range in a request's headers for a file of `length` bytes, and rewrites the headers for poem.
    ///
    /// Only a satisfiable range stays in the headers, clamped to the file's end, because poem refuses a range that ends
    /// beyond the file, answers one that starts beyond it with an empty body, and does not support `if-range`.
    pub(super) fn normalize(headers: &mut HeaderMap, length: u64) -> Self {
        let Some(range) = headers.remove(header::RANGE) else { return Self::Whole };
        let is_conditional = headers.contains_key(header::IF_RANGE);
        let part = range.to_str().ok().filter(|_| !is_conditional).and_then(|range| Self::of(range, length));
        if let Some(Self::Range(first, last)) = part
            && let Ok(range) = HeaderValue::from_str(&format!("bytes={first}-{last}"))
        {
            headers.insert(header::RANGE, range);
        }
        part.unwrap_or(Self::Whole)
    }

    /// Turns a 200 for this range into a 206, because poem answers a range of the whole file like no range. Media
    /// players, which begin with `bytes=0-`, would otherwise assume that the server does not support ranges.
    pub(super) fn mark(self, mut response: Response) -> Response {
        if let Self::Range(first, last) = self
            && response.status() == StatusCode::OK
            && let Ok(part) = HeaderValue::try_from(format!("bytes {first}-{last}/{}", last + 1))
        {
            response.set_status(StatusCode::PARTIAL_CONTENT);
            response.headers_mut().insert(header::CONTENT_RANGE, part);
        }
        response
    }

    /// Parses a single range; `None` if it is malformed or has several parts.
    fn of(range: &str, length: u64) -> Option<Self> {
        let (first, last) = match range.strip_prefix("bytes=")?.split_once('-')? {
            ("", count) => (length.saturating_sub(count.parse().ok()?), u64::MAX),
            (first, "") => (first.parse().ok()?, u64::MAX),
            (first, last) => (first.parse().ok()?, last.parse().ok()?),
        };
        if last < first {
            return None;
        }
        Some(if first < length { Self::Range(first, last.min(length - 1)) } else { Self::Unsatisfiable })
    }
}

#[cfg(test)]
mod tests {
    use poem::http::{HeaderMap, HeaderValue, header};

    use super::RequestedRange::{self, Range, Unsatisfiable, Whole};

    #[test]
    fn a_range_is_clamped_to_the_end_of_the_file() {
        for (range, length, expected) in [
            ("bytes=0-0", 10, Range(0, 0)),
            ("bytes=2-5", 10, Range(2, 5)),
            ("bytes=2-50", 10, Range(2, 9)),
            ("bytes=9-", 10, Range(9, 9)),
            ("bytes=-3", 10, Range(7, 9)),
            ("bytes=-30", 10, Range(0, 9)),
            ("bytes=10-", 10, Unsatisfiable),
            ("bytes=10-20", 10, Unsatisfiable),
            ("bytes=-0", 10, Unsatisfiable),
            ("bytes=0-", 0, Unsatisfiable),
            ("bytes=-1", 0, Unsatisfiable),
            ("bytes=5-2", 10, Whole),
            ("bytes=0-1,3-4", 10, Whole),
            ("bytes=a-", 10, Whole),
            ("bytes=", 10, Whole),
            ("lines=0-1", 10, Whole),
        ] {
            let mut headers = HeaderMap::from_iter([(header::RANGE, HeaderValue::from_static(range))]);
            assert_eq!(RequestedRange::normalize(&mut headers, length), expected, "{range} of {length}");
            let left = headers.get(header::RANGE).map(|range| range.to_str().unwrap_or_default().to_owned());
            let is_part = |(first, last)| format!("bytes={first}-{last}");
            let answered = if let Range(first, last) = expected { Some((first, last)) } else { None };
            assert_eq!(left, answered.map(is_part), "{range} of {length}");
        }
        let condition = HeaderValue::from_static("\"a\"");
        let mut headers = HeaderMap::from_iter([
            (header::RANGE, HeaderValue::from_static("bytes=0-1")),
            (header::IF_RANGE, condition),
        ]);
        assert_eq!(RequestedRange::normalize(&mut headers, 10), Whole);
        assert!(!headers.contains_key(header::RANGE));
    }
}
