//! Which part of a file is asked for (RFC 9110, 14).

use poem::http::{HeaderMap, HeaderValue, header};

/// Leaves a range of a file of that length only if it is one that is answered as it should be, and cuts it at the file's
/// end. A range may always be ignored (14.2); poem refuses one that ends behind the file, answers one that begins there with
/// nothing, and knows no `if-range`.
pub(super) fn mend(headers: &mut HeaderMap, length: u64) {
    let Some(range) = headers.remove(header::RANGE) else { return };
    let is_conditional = headers.contains_key(header::IF_RANGE);
    if let Some((first, last)) = range.to_str().ok().and_then(|range| within(range, length)).filter(|_| !is_conditional)
        && let Ok(range) = HeaderValue::from_str(&format!("bytes={first}-{last}"))
    {
        headers.insert(header::RANGE, range);
    }
}

/// The first and the last byte of the one range that is asked for, if there is such a part.
fn within(range: &str, length: u64) -> Option<(u64, u64)> {
    let end = length.checked_sub(1)?;
    let (first, last) = match range.strip_prefix("bytes=")?.split_once('-')? {
        ("", count) => (length.saturating_sub(count.parse().ok()?), end),
        (first, "") => (first.parse().ok()?, end),
        (first, last) => (first.parse().ok()?, end.min(last.parse().ok()?)),
    };
    (first <= last).then_some((first, last))
}
