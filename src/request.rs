//! The query and the body of a request as rules see them, for routes and for `verify`.

mod forms;
mod media_type;

use bytes::Bytes;
use serde_json::{Map, Value, json};

pub use forms::{FormError, read as read_form};
use media_type::MediaType;

/// An error for a body that does not match its content type.
#[derive(Debug)]
pub(crate) enum BodyError {
    Json(serde_json::Error),
    Form(FormError),
}

/// Parses a query. A repeated parameter becomes a list.
pub(crate) fn query(text: &str) -> Map<String, Value> {
    let mut query = Map::new();
    for (name, value) in form_urlencoded::parse(text.as_bytes()) {
        forms::add(&mut query, name, value.into());
    }
    query
}

/// Parses a body according to its content type: JSON, a form, text, or data that is described by its type and size.
/// Without a content type, the body is JSON if it parses as JSON. `None` if the body is empty.
///
/// # Errors
/// [`BodyError`] if the body is declared as JSON or a form and is not.
pub(crate) fn body(content_type: Option<&str>, body: &Bytes) -> Result<Option<Value>, BodyError> {
    if body.is_empty() {
        return Ok(None);
    }
    let Some(declared) = content_type else {
        return Ok(Some(serde_json::from_slice(body).unwrap_or_else(|_| text(None, body))));
    };
    match MediaType::of(declared) {
        MediaType::Json => serde_json::from_slice(body).map(Some).map_err(BodyError::Json),
        MediaType::Form => {
            // By default, curl declares JSON as a form.
            if let Some(json) = object_or_array(body) {
                return Ok(Some(json));
            }
            fields(declared, body)
        }
        MediaType::Multipart => fields(declared, body),
        MediaType::Binary => Ok(Some(description(content_type, body))),
        MediaType::Text => Ok(Some(text(content_type, body))),
    }
}

/// Returns the mapping that rules see in place of a body that is not declared as JSON: the fields of a form, or the type
/// and size of data.
pub(crate) fn mapping(content_type: Option<&str>, bytes: &Bytes) -> Option<Value> {
    match content_type.map(MediaType::of) {
        Some(MediaType::Json) => None,
        Some(MediaType::Form | MediaType::Multipart) => body(content_type, bytes).ok()?.filter(Value::is_object),
        Some(MediaType::Binary) => Some(description(content_type, bytes)),
        Some(MediaType::Text) | None => std::str::from_utf8(bytes).err().map(|_| description(content_type, bytes)),
    }
}

fn fields(content_type: &str, body: &Bytes) -> Result<Option<Value>, BodyError> {
    let fields = forms::read(content_type, body.clone()).map_err(BodyError::Form)?;
    Ok(fields.map(Value::from))
}

/// Parses a body that is a JSON object or array, regardless of its content type.
fn object_or_array(body: &[u8]) -> Option<Value> {
    let is_like_json = matches!(body.trim_ascii_start().first(), Some(b'{' | b'['));
    is_like_json.then(|| serde_json::from_slice(body).ok()).flatten()
}

/// Returns the body as text, or its description if it is not UTF-8.
fn text(content_type: Option<&str>, body: &[u8]) -> Value {
    std::str::from_utf8(body).map_or_else(|_| description(content_type, body), Value::from)
}

fn description(content_type: Option<&str>, body: &[u8]) -> Value {
    json!({ "type": content_type.unwrap_or("application/octet-stream"), "size": body.len() })
}
