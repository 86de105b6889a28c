//! Forms as mappings. A field that comes several times is a list.

use std::borrow::Cow;
use std::convert::Infallible;
use std::future::ready;

use bytes::Bytes;
use futures_util::stream::once;
use multer::{Field, Multipart, parse_boundary};
use serde_json::map::Entry;
use serde_json::{Map, Value, json};

use crate::http::error::ApiError;

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

/// The fields of `application/x-www-form-urlencoded` (URL standard, 5).
pub(super) fn url_encoded(body: &[u8]) -> Map<String, Value> {
    let mut fields = Map::new();
    for (name, value) in form_urlencoded::parse(body) {
        add(&mut fields, name, value.into());
    }
    fields
}

/// The fields of `multipart/form-data` (RFC 7578). A file is `{ filename, type, size }`.
///
/// # Errors
/// 400 for what is none.
pub(super) async fn multipart(content_type: &str, body: &Bytes) -> Result<Map<String, Value>, ApiError> {
    read(content_type, body).await.map_err(ApiError::BadForm)
}

async fn read(content_type: &str, body: &Bytes) -> Result<Map<String, Value>, multer::Error> {
    let boundary = parse_boundary(content_type)?;
    let mut parts = Multipart::new(once(ready(Ok::<_, Infallible>(body.clone()))), boundary);
    let mut fields = Map::new();
    while let Some(field) = parts.next_field().await? {
        let name = field.name().unwrap_or_default().to_owned();
        add(&mut fields, name.into(), value(field).await?);
    }
    Ok(fields)
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
