//! Forms as mappings. A field that comes several times is a list.

use std::borrow::Cow;
use std::convert::Infallible;
use std::future::ready;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::stream::once;
use multer::{Field, Multipart, parse_boundary};
use serde_json::map::Entry;
use serde_json::{Map, Value, json};
use thiserror::Error;

pub(super) const URL_ENCODED: &str = "application/x-www-form-urlencoded";

const MULTIPART: &str = "multipart/form-data";

/// The most fields of a form. Each takes more memory than its bytes in the body.
const MAX_FIELDS: usize = 10_000;

/// Why a body is not the form that its content type says.
#[derive(Debug, Error)]
pub enum FormError {
    /// It is not well-formed `multipart/form-data`.
    #[error(transparent)]
    Multipart(#[from] multer::Error),
    /// It has too many fields.
    #[error("it has more than {} fields", MAX_FIELDS)]
    TooManyFields,
}

/// The type and subtype of a content type, in lower case.
pub(super) fn media_type(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The fields of a form: `application/x-www-form-urlencoded` (URL standard, 5) or `multipart/form-data` (RFC 7578), in which a
/// file is `{ filename, type, size }`. `None` for any other content type.
///
/// # Errors
/// [`FormError`] for a body that is none, or is too much.
pub fn read(content_type: &str, body: impl Into<Bytes>) -> Result<Option<Map<String, Value>>, FormError> {
    match &*media_type(content_type) {
        URL_ENCODED => url_encoded(&body.into()).map(Some),
        MULTIPART => {
            // The body is there, so there is nothing to wait for.
            let fields = multipart(content_type, body.into()).now_or_never();
            fields.unwrap_or(Err(multer::Error::IncompleteStream.into())).map(Some)
        }
        _ => Ok(None),
    }
}

/// Adds a value, after those of the same name.
pub(super) fn add(fields: &mut Map<String, Value>, name: Cow<'_, str>, value: Value) {
    match fields.entry(name) {
        Entry::Vacant(entry) => drop(entry.insert(value)),
        Entry::Occupied(mut entry) => match entry.get_mut() {
            Value::Array(values) => values.push(value),
            first => *first = vec![first.take(), value].into(),
        },
    }
}

fn url_encoded(body: &[u8]) -> Result<Map<String, Value>, FormError> {
    let mut fields = Map::new();
    for (count, (name, value)) in form_urlencoded::parse(body).enumerate() {
        expect_few(count)?;
        add(&mut fields, name, value.into());
    }
    Ok(fields)
}

async fn multipart(content_type: &str, body: Bytes) -> Result<Map<String, Value>, FormError> {
    let boundary = parse_boundary(content_type)?;
    let mut parts = Multipart::new(once(ready(Ok::<_, Infallible>(body))), boundary);
    let (mut fields, mut count) = (Map::new(), 0);
    while let Some(field) = parts.next_field().await? {
        expect_few(count)?;
        count += 1;
        let name = field.name().unwrap_or_default().to_owned();
        add(&mut fields, name.into(), value(field).await?);
    }
    Ok(fields)
}

/// Whether there may be one more than that many fields.
fn expect_few(count: usize) -> Result<(), FormError> {
    if count < MAX_FIELDS { Ok(()) } else { Err(FormError::TooManyFields) }
}

async fn value(mut field: Field<'_>) -> Result<Value, multer::Error> {
    let Some(filename) = field.file_name().map(str::to_owned) else {
        return Ok(String::from_utf8_lossy(&field.bytes().await?).into());
    };
    // RFC 7578, 4.4.
    let kind = field.content_type().map_or_else(|| "text/plain".to_owned(), ToString::to_string);
    let mut size = 0;
    while let Some(chunk) = field.chunk().await? {
        size += chunk.len();
    }
    Ok(json!({ "filename": filename, "type": kind, "size": size }))
}
