//! Tests well-formed and malformed forms.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use serde_json::{Value, json};

use crate::request::read_form;

const BOUNDARY: &str = "multipart/form-data; boundary=x";

fn read(content_type: &str, body: &[u8]) -> Result<Option<Value>, String> {
    let fields = read_form(content_type, body.to_vec()).map_err(|error| error.to_string())?;
    Ok(fields.map(Value::from))
}

#[test]
fn any_bytes_are_a_url_encoded_form() {
    for (body, expected) in [
        (&b""[..], json!({})),
        (b"&&&", json!({})),
        (b"=", json!({ "": "" })),
        (b"=v&w", json!({ "": "v", "w": "" })),
        (b"a=1&a=2&b=x&a=3", json!({ "a": ["1", "2", "3"], "b": "x" })),
        (b"a=1=2&b+c=%26", json!({ "a": "1=2", "b c": "&" })),
        (b"a=%ff&\xfe=1", json!({ "a": "\u{fffd}", "\u{fffd}": "1" })),
        (b"%zz=%&%=%4", json!({ "%zz": "%", "%": "%4" })),
        (b"a[]=1&a[]=2&b[c]=3", json!({ "a[]": ["1", "2"], "b[c]": "3" })),
        (b"a=\r\n\0", json!({ "a": "\r\n\0" })),
    ] {
        assert_eq!(read(" Application/X-WWW-Form-Urlencoded ; charset=x", body), Ok(Some(expected)), "{body:?}");
    }
    assert_eq!(read("text/plain", b"a=1"), Ok(None));
}

/// Returns a part with this header and data, after a boundary.
fn part(header: &[u8], data: &[u8]) -> Vec<u8> {
    [&b"--x\r\n"[..], header, b"\r\n\r\n", data, b"\r\n"].concat()
}

fn named(disposition: &[u8], data: &[u8]) -> Vec<u8> {
    part(&[&b"content-disposition: form-data; "[..], disposition].concat(), data)
}

fn form(parts: &[Vec<u8>]) -> Vec<u8> {
    [&parts.concat()[..], b"--x--\r\n"].concat()
}

#[test]
fn parts_of_a_form_may_lack_or_repeat_names() {
    let file = |filename: &str, kind: &str, size: usize| json!({ "filename": filename, "type": kind, "size": size });
    for (parts, expected) in [
        (vec![], json!({})),
        (
            vec![named(b"name=a", b"1"), named(b"name=\"a\"", b"2"), named(b"name=\"a\"; filename=f", b"33")],
            json!({ "a": ["1", "2", file("f", "text/plain", 2)] }),
        ),
        // Without a name: an empty name, no name, no disposition.
        (
            vec![named(b"name=\"\"", b"1"), named(b"", b"2"), part(b"content-type: text/plain", b"3")],
            json!({ "": ["1", "2", "3"] }),
        ),
        (vec![named(b"name=\"\xff\"", b"1")], json!({ "": "1" })),
        (vec![named(b"filename=\"a.bin\"", b"1")], json!({ "": file("a.bin", "text/plain", 1) })),
        // A browser sends this if no file was chosen.
        (
            vec![part(
                b"content-disposition: form-data; name=\"a\"; filename=\"\"\r\ncontent-type: application/octet-stream",
                b"",
            )],
            json!({ "a": file("", "application/octet-stream", 0) }),
        ),
        (
            vec![part(b"content-disposition: form-data; name=a; filename=b\r\ncontent-type: no type", b"1")],
            json!({ "a": file("b", "text/plain", 1) }),
        ),
        (vec![named(b"name=a", b"\xff\0\xc3\xbc")], json!({ "a": "\u{fffd}\0ü" })),
    ] {
        assert_eq!(read(BOUNDARY, &form(&parts)), Ok(Some(expected)), "{:?}", String::from_utf8_lossy(&parts.concat()));
    }
}

#[test]
fn a_boundary_counts_only_at_the_start_of_a_line() {
    let (one, other) = (named(b"name=a", b"1"), named(b"name=b", b"2"));
    let both = json!({ "a": "1", "b": "2" });
    for (body, expected) in [
        // Text before the first boundary, text after the last one, and blanks after a boundary.
        ([&b"hello\r\n"[..], &one, &other, b"--x--"].concat(), both.clone()),
        ([&form(&[one.clone(), other.clone()])[..], b"--x\r\nmore"].concat(), both.clone()),
        ([&b"--x \t\r\n"[..], &one[5..], &other, b"--x--"].concat(), both),
        (form(&[named(b"name=a", b"1--x\r\n--y\n--x")]), json!({ "a": "1--x\r\n--y\n--x" })),
    ] {
        assert_eq!(read(BOUNDARY, &body), Ok(Some(expected)), "{:?}", String::from_utf8_lossy(&body));
    }
}

#[test]
fn a_truncated_form_or_one_without_a_boundary_is_refused() {
    let whole = form(&[named(b"name=\"a\"", b"1")]);
    let many = [&b"--x\r\n"[..], &b"a: b\r\n".repeat(33), b"\r\n1\r\n--x--"].concat();
    for (content_type, body, expected) in [
        ("multipart/form-data", &whole[..], "multipart boundary not found in Content-Type"),
        ("multipart/form-data; boundary=y", &whole[..], "incomplete multipart stream"),
        (BOUNDARY, b"", "incomplete multipart stream"),
        (BOUNDARY, b"x--", "incomplete multipart stream"),
        (BOUNDARY, b"--x", "incomplete multipart stream"),
        (BOUNDARY, b"--x\r\n\r\n--x--", "incomplete multipart stream"),
        (BOUNDARY, b"--xy\r\na: b\r\n\r\n1\r\n--x--", "incomplete multipart stream"),
        (BOUNDARY, &whole[..20], "incomplete multipart stream"),
        (BOUNDARY, &whole[..whole.len() - 9], "field \"a\" received with incomplete data"),
        (BOUNDARY, b"--x\r\na b\r\n\r\n1\r\n--x--", "failed to read headers"),
        (BOUNDARY, &many[..], "failed to read headers"),
    ] {
        assert_eq!(read(content_type, body), Err(expected.to_owned()), "{:?}", String::from_utf8_lossy(body));
    }
    for odd in ["multipart/form-data; boundary=", "multipart/form-data; boundary", "multipart/form-data; ;"] {
        assert!(read(odd, &whole).is_err(), "{odd}");
    }
}

#[test]
fn a_form_has_at_most_10_000_fields() {
    const TOO_MANY: &str = "it has more than 10000 fields";
    for (content_type, field, end) in
        [("application/x-www-form-urlencoded", b"a&".to_vec(), &b""[..]), (BOUNDARY, named(b"name=a", b""), b"--x--")]
    {
        let body = |count: usize| [&field.repeat(count)[..], end].concat();
        let most = read(content_type, &body(10_000)).unwrap().unwrap();
        assert_eq!(most["a"].as_array().unwrap().len(), 10_000);
        assert_eq!(read(content_type, &body(10_001)), Err(TOO_MANY.to_owned()));
    }
}
