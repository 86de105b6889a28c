//! The kinds of content types that rules distinguish.

/// How rules see a body with a content type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MediaType {
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
    /// `multipart/form-data`.
    Multipart,
    /// Data that is not text, even if its bytes happen to be UTF-8.
    Binary,
    /// Text, or an unknown type, which is text if it is UTF-8.
    Text,
}

/// The types whose subtypes are not text. A subtype in JSON or XML, such as `image/svg+xml`, is an exception.
const BINARY_TYPES: &[&str] = &["audio", "font", "image", "model", "video"];

/// The subtypes of `application` that are not text.
const BINARY_APPLICATIONS: &[&str] = &[
    "cbor",
    "grpc",
    "gzip",
    "java-archive",
    "msgpack",
    "msword",
    "octet-stream",
    "pdf",
    "protobuf",
    "vnd.google.protobuf",
    "vnd.msgpack",
    "vnd.rar",
    "wasm",
    "x-7z-compressed",
    "x-bzip2",
    "x-gzip",
    "x-msgpack",
    "x-protobuf",
    "x-rar-compressed",
    "x-tar",
    "x-zip-compressed",
    "zip",
    "zstd",
];

/// The beginnings of the subtypes of office documents.
const DOCUMENTS: &[&str] = &["vnd.ms-", "vnd.oasis.opendocument.", "vnd.openxmlformats-officedocument."];

/// The endings of subtypes in a binary format (RFC 6839, 3).
const BINARY_ENDINGS: &[&str] = &["+cbor", "+gzip", "+proto", "+protobuf", "+zip", "+zstd"];

impl MediaType {
    pub(super) fn of(content_type: &str) -> Self {
        let name = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match &*name {
            "application/json" => Self::Json,
            "application/x-www-form-urlencoded" => Self::Form,
            "multipart/form-data" => Self::Multipart,
            name if name.ends_with("+json") => Self::Json,
            name if is_binary(name) => Self::Binary,
            _ => Self::Text,
        }
    }
}

fn is_binary(name: &str) -> bool {
    let Some((kind, subtype)) = name.split_once('/') else { return false };
    if subtype.ends_with("+xml") {
        return false;
    }
    BINARY_TYPES.contains(&kind)
        || BINARY_ENDINGS.iter().any(|ending| subtype.ends_with(ending))
        || kind == "application"
            && (BINARY_APPLICATIONS.contains(&subtype) || DOCUMENTS.iter().any(|start| subtype.starts_with(start)))
}

#[cfg(test)]
mod tests {
    use super::MediaType::{self, Binary, Form, Json, Multipart, Text};

    #[test]
    fn a_content_type_decides_whether_a_body_is_text() {
        for (content_type, expected) in [
            ("application/json", Json),
            ("Application/Problem+JSON; charset=utf-8", Json),
            ("application/x-www-form-urlencoded", Form),
            (" multipart/form-data ; boundary=x", Multipart),
            ("image/png", Binary),
            ("IMAGE/JPEG; q=1", Binary),
            ("audio/mpeg", Binary),
            ("video/mp4", Binary),
            ("font/woff2", Binary),
            ("application/octet-stream", Binary),
            ("application/pdf", Binary),
            ("application/zip", Binary),
            ("application/epub+zip", Binary),
            ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", Binary),
            ("image/svg+xml", Text),
            ("text/plain", Text),
            ("text/csv; charset=utf-8", Text),
            ("application/xml", Text),
            ("application/atom+xml", Text),
            ("application/javascript", Text),
            ("application/x-ndjson", Text),
            ("application/graphql", Text),
            ("application/unknown", Text),
            ("image", Text),
            ("", Text),
        ] {
            assert_eq!(MediaType::of(content_type), expected, "{content_type}");
        }
    }
}
