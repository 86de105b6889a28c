//! What answers with files have in common: where poem's differ from HTTP, or say less than there is to say.

use std::fs::{File, Metadata};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use poem::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use poem::web::headers::{ETag, HeaderMapExt, IfNoneMatch};
use poem::{Body, Response};
use tokio::task::spawn_blocking;

/// The versions of a file that a client has already (RFC 9110, 13.1.2).
pub(super) struct KnownVersions(Option<IfNoneMatch>);

impl KnownVersions {
    /// Takes them from the headers of a request, which the client asked with that method, and with them what counts less.
    pub(super) fn take(headers: &mut HeaderMap, asked: &Method) -> Self {
        if asked != Method::GET {
            // A part is asked for by GET alone (RFC 9110, 14.2).
            headers.remove(header::RANGE);
        }
        let known = headers.typed_get();
        if headers.remove(header::IF_NONE_MATCH).is_some() {
            // RFC 9110, 13.1.3: it counts less.
            headers.remove(header::IF_MODIFIED_SINCE);
        }
        Self(known)
    }

    /// The answer with a file, or that the client has it already.
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

/// Writes an entity tag as RFC 9110, 8.8.3, has it: poem leaves out the quotes for files inside the binary.
fn quote_etag(headers: &mut HeaderMap) {
    let bare = headers.get(header::ETAG).and_then(|etag| etag.to_str().ok()).filter(|etag| !etag.ends_with('"'));
    if let Some(quoted) = bare.and_then(|bare| HeaderValue::try_from(format!("\"{bare}\"")).ok()) {
        headers.insert(header::ETAG, quoted);
    }
}

/// The answer to a client that has a file already (RFC 9110, 15.4.5).
fn not_modified(mut response: Response) -> Response {
    response.set_status(StatusCode::NOT_MODIFIED);
    for name in [header::CONTENT_TYPE, header::CONTENT_LENGTH, header::CONTENT_RANGE, header::ACCEPT_RANGES] {
        response.headers_mut().remove(name);
    }
    response.set_body(Body::empty());
    response
}

/// Names UTF-8 as the charset of text. Without it, browsers assume another one, unless the file itself names its charset.
pub(super) fn name_charset(mut response: Response) -> Response {
    if let Some(kind) = text_kind(&response)
        && let Ok(named) = HeaderValue::try_from(format!("{kind}; charset=utf-8"))
    {
        response.headers_mut().insert(header::CONTENT_TYPE, named);
    }
    response
}

/// As [`name_charset`], for the answer with a file that may be of another charset.
pub(super) async fn name_charset_of(path: PathBuf, response: Response) -> Response {
    // A charset in the header takes precedence over the one that the file names (HTML, 13.2.3.2).
    let is_named = text_kind(&response).is_some() && is_utf8(path).await;
    if is_named { name_charset(response) } else { response }
}

/// The content type of an answer if it is one of text, and names no charset.
fn text_kind(response: &Response) -> Option<&str> {
    let kind = response.headers().get(header::CONTENT_TYPE)?.to_str().ok()?;
    let is_text = kind.starts_with("text/") || ["javascript", "json", "xml"].iter().any(|end| kind.ends_with(end));
    (is_text && !kind.contains(';')).then_some(kind)
}

/// Whether a file can be read and is UTF-8 as a whole.
async fn is_utf8(path: PathBuf) -> bool {
    // A line end is never part of another character.
    let check = || File::open(path).is_ok_and(|file| BufReader::new(file).lines().all(|line| line.is_ok()));
    // It fails only at the end of the runtime.
    spawn_blocking(check).await.unwrap_or(false)
}

/// Where a path leads once all links are followed, if that is in the directory, and what is there.
pub(super) fn inside(directory: &Path, path: &Path) -> Option<(PathBuf, Metadata)> {
    let path =
        path.canonicalize().ok().filter(|path| directory.canonicalize().is_ok_and(|own| path.starts_with(own)))?;
    let found = path.metadata().ok()?;
    Some((path, found))
}

/// What a request asks for of a file (RFC 9110, 14). A range may always be ignored (14.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AskedPart {
    /// All of it, or what is not answered in parts.
    Whole,
    /// From the first byte to the last.
    Range(u64, u64),
    /// What is beyond its end.
    Nothing,
}

impl AskedPart {
    /// What the headers ask for of a file of that length. It leaves a range there only if it is one that poem answers as it
    /// should, cut at the file's end: poem refuses one that ends behind the file, answers one that begins there with nothing,
    /// and knows no `if-range`.
    pub(super) fn mend(headers: &mut HeaderMap, length: u64) -> Self {
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

    /// The one range that is asked for; `None` if it is not written as one.
    fn of(range: &str, length: u64) -> Option<Self> {
        let (first, last) = match range.strip_prefix("bytes=")?.split_once('-')? {
            ("", count) => (length.saturating_sub(count.parse().ok()?), u64::MAX),
            (first, "") => (first.parse().ok()?, u64::MAX),
            (first, last) => (first.parse().ok()?, last.parse().ok()?),
        };
        if last < first {
            return None;
        }
        Some(if first < length { Self::Range(first, last.min(length - 1)) } else { Self::Nothing })
    }
}

#[cfg(test)]
mod tests {
    use poem::http::{HeaderMap, HeaderValue, header};

    use super::AskedPart::{self, Nothing, Range, Whole};

    #[test]
    fn a_range_is_cut_at_the_end_of_the_file() {
        for (range, length, expected) in [
            ("bytes=0-0", 10, Range(0, 0)),
            ("bytes=2-5", 10, Range(2, 5)),
            ("bytes=2-50", 10, Range(2, 9)),
            ("bytes=9-", 10, Range(9, 9)),
            ("bytes=-3", 10, Range(7, 9)),
            ("bytes=-30", 10, Range(0, 9)),
            ("bytes=10-", 10, Nothing),
            ("bytes=10-20", 10, Nothing),
            ("bytes=-0", 10, Nothing),
            ("bytes=0-", 0, Nothing),
            ("bytes=-1", 0, Nothing),
            ("bytes=5-2", 10, Whole),
            ("bytes=0-1,3-4", 10, Whole),
            ("bytes=a-", 10, Whole),
            ("bytes=", 10, Whole),
            ("lines=0-1", 10, Whole),
        ] {
            let mut headers = HeaderMap::from_iter([(header::RANGE, HeaderValue::from_static(range))]);
            assert_eq!(AskedPart::mend(&mut headers, length), expected, "{range} of {length}");
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
        assert_eq!(AskedPart::mend(&mut headers, 10), Whole);
        assert!(!headers.contains_key(header::RANGE));
    }
}
