//! Ambiguous routes and endpoints are reported together with all other errors.

use super::messages;
use super::rules::with;

#[test]
fn ambiguous_routes_are_reported_beside_other_errors() {
    let text = with(
        "http:
  GET /a/{x}: { body: $nobody }
  GET /a/{y}: { status: 99 }
  POST /b: 3
  POST /b/: { bdy: 1 }
  /c: { crud: nothing }
  /c/: { crud: todos }",
    );
    let expected = [
        "unknown name `nobody`",
        "`GET /a/{x}` and `GET /a/{y}` match the same requests",
        "expected a status from 200 to 599, found the number `99`",
        "`POST /b` and `POST /b/` match the same requests",
        "expected a mapping or a list, found the number `3`",
        "unknown key `bdy`",
        "there is no collection `nothing`",
        "`GET /c` and `GET /c` match the same requests",
    ];
    let mut found = messages(&text);
    let mut expected = expected.map(str::to_owned);
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn all_overlapping_routes_are_reported() {
    let text = with(
        "http:
  GET /a/{x}/b: {}
  GET /a/{*rest}: {}
  GET /b: {}
  GET /b/: {}
  POST /c/{x}/d: {}
  POST /c/{*rest}: {}",
    );
    let expected = [
        "`GET /a/{x}/b` and `GET /a/{*rest}` cannot be told apart",
        "`GET /b` and `GET /b/` match the same requests",
        "`POST /c/{x}/d` and `POST /c/{*rest}` cannot be told apart",
    ];
    assert_eq!(messages(&text), expected);
}

#[test]
fn ambiguous_endpoints_are_reported_beside_other_errors() {
    let text = with(
        "websocket:
  /a/{x}: { open: [{ reply: $nobody }] }
  /a/{y}: { opn: [] }
  /b/{x}/c: {}
  /b/{*rest}: { protocol: 3 }
  /c/{x}/d: {}
  /c/{*rest}: {}",
    );
    let found = messages(&text);
    for expected in [
        "`/a/{x}` and `/a/{y}` match the same sockets",
        "unknown name `nobody`",
        "unknown key `opn`",
        "`/b/{x}/c` and `/b/{*rest}` cannot be told apart",
        "`/c/{x}/d` and `/c/{*rest}` cannot be told apart",
    ] {
        assert!(found.iter().any(|message| message == expected), "{expected}: {found:?}");
    }
    assert_eq!(found.len(), 6, "{found:?}");
}
