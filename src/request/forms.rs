//! Parses forms into mappings. A repeated field becomes a list.

#[cfg(test)]
mod tests;

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

use super::media_type::MediaType;

/// The maximum number of fields, because each takes more memory than its bytes in the body.
const MAX_FIELDS: usize = 10_000;

/// An error for a body that is not the form that its content type declares.
#[derive(Debug, Error)]
pub enum FormError {
    /// The body is not well-formed `multipart/form-data`.
    #[error(transparent)]
    Multipart(#[from] multer::Error),
    /// The form has too many fields.
    #[error("it has more than {} fields", MAX_FIELDS)]
    TooManyFields,
}

/// Parses the fields of a form: `application/x-www-form-urlencoded` (URL standard, 5) or `multipart/form-data` (RFC
/// 7578), in which a file becomes `{ filename, type, size }`. Returns `None` for any other content type.
///
/// # Errors
/// [`FormError`] if the body is malformed or has too many fields.
pub fn read(content_type: &str, body: impl Into<Bytes>) -> Result<Option<Map<String, Value>>, FormError> {
    match MediaType::of(content_type) {
        MediaType::Form => url_encoded(&body.into()).map(Some),
        MediaType::Multipart => {
            // The whole body is in memory, so the future is ready at once.
            let fields = multipart(content_type, body.into()).now_or_never();
            fields.unwrap_or(Err(multer::Error::IncompleteStream.into())).map(Some)
        }
        _ => Ok(None),
    }
}

/// Adds a value after earlier values of the same name.
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
        check_count(count)?;
        add(&mut fields, name, value.into());
    }
    Ok(fields)
}

async fn multipart(content_type: &str, body: Bytes) -> Result<Map<String, Value>, FormError> {
    let boundary = parse_boundary(content_type)?;
    let mut parts = Multipart::new(once(ready(Ok::<_, Infallible>(body))), boundary);
    let (mut fields, mut count) = (Map::new(), 0);
    while let Some(field) = parts.next_field().await? {
        check_count(count)?;
        count += 1;
        let name = field.name().unwrap_or_default().to_owned();
        add(&mut fields, name.into(), value(field).await?);
    }
    Ok(fields)
}

/// Checks that a form with `count` fields may have another one.
fn check_count(count: usize) -> Result<(), FormError> {
    if count < MAX_FIELDS { Ok(()) } else { Err(FormError::TooManyFields) }
}

async fn value(mut field: Field<'_>) -> Result<Value, multer::Error> {
    let Some(filename) = field.file_name().map(str::to_owned) else {
        return Ok(String::from_utf8_lossy(&field.bytes().await?).into());
    };
    // The default type (RFC 7578, 4.4).
    let kind = field.content_type().map_or_else(|| "text/plain".to_owned(), ToString::to_string);
    let mut size = 0;
    while let Some(chunk) = field.chunk().await? {
        size += chunk.len();
    }
    Ok(json!({ "filename": filename, "type": kind, "size": size }))
}
