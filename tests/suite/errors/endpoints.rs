//! What is wrong with endpoints for sockets.

use mockd::scenario::load;
use tempfile::TempDir;

use super::rules::expect;
use super::{messages, report};

/// Data, and something that is wrong.
fn with(rest: &str) -> String {
    format!("data: {{ todos: [{{ id: 1 }}], price: 3 }}\n{rest}\n")
}

fn key(key: &str) -> String {
    with(&format!("websocket:\n  {key}: {{}}"))
}

fn endpoint(endpoint: &str) -> String {
    with(&format!("websocket:\n  /rooms/{{room}}: {endpoint}"))
}

fn message(rule: &str) -> String {
    endpoint(&format!("{{ messages: [{rule}] }}"))
}

fn closed(step: &str) -> String {
    endpoint(&format!("{{ closed: [{step}] }}"))
}

#[test]
fn each_mistake_in_the_key_of_an_endpoint_has_its_message() {
    expect(&[
        (key("rooms"), "the path does not begin with `/`", "rooms", "did you mean `/rooms`?"),
        (key("\"\""), "the path does not begin with `/`", "\"\"", "did you mean `/`?"),
        (key("GET /rooms"), "an endpoint of `websocket` has no method", "GET /rooms", "did you mean `/rooms`?"),
        (key("get /rooms"), "an endpoint of `websocket` has no method", "get /rooms", "did you mean `/rooms`?"),
        (key("/rooms/:id"), "`:id` is not a parameter", ":id", "did you mean `{id}`?"),
        (key("/a//b"), "the path has an empty segment", "//", "remove one of the two slashes"),
        (
            key("/__mockd/x"),
            "`/__mockd` is reserved",
            "/__mockd",
            "`/__mockd` is the control API, and `/@NAME` is another world",
        ),
    ]);
}

#[test]
fn endpoints_for_the_same_sockets_show_both_places() {
    let text = "\
categories: { toys: { prefix: T } }
websocket:
  /a/{x}: {}
  /a/{y}/: {}
  /orders/{id}: {}
";
    let expected = "\
error: `/a/{x}` and `/a/{y}/` are for the same sockets
 --> shop.yaml:4:3
  |
3 |   /a/{x}: {}
  |   ------ first declared here
4 |   /a/{y}/: {}
  |   ^^^^^^^
  |
  = help: remove one of the two, or give it another path

error: `/orders/{category}` and `/orders/{id}` are for the same sockets
 --> shop.yaml:5:3
  |
1 | categories: { toys: { prefix: T } }
  | ---------- first declared here
...
5 |   /orders/{id}: {}
  |   ^^^^^^^^^^^^
  |
  = help: remove one of the two, or give it another path";
    assert_eq!(report(text), expected);
    let overlapping = "websocket: { '/a/{x}/b': {}, '/a/{*rest}': {} }\n";
    let expected = "\
error: `/a/{x}/b` and `/a/{*rest}` cannot be told apart
 --> shop.yaml:1:30
  |
1 | websocket: { '/a/{x}/b': {}, '/a/{*rest}': {} }
  |              ----------      ^^^^^^^^^^^^
  |              |
  |              first declared here
  |
  = help: begin the two with different segments";
    assert_eq!(report(overlapping), expected);
}

#[test]
fn each_mistake_in_an_endpoint_has_its_message() {
    expect(&[
        (endpoint("{ opn: [] }"), "unknown key `opn`", "opn", "did you mean `open`?"),
        (endpoint("{ open: [] }"), "`open` cannot be empty", "[]", ""),
        (endpoint("{ subprotocol: [] }"), "`subprotocol` cannot be empty", "[]", ""),
        (
            endpoint("{ subprotocol: [a, b c] }"),
            "expected the name of a subprotocol (a token of RFC 9110, 5.6.2), found `b c`",
            "b c",
            "",
        ),
        (
            endpoint("{ protocol: socketio }"),
            "`socketio` is not one of the words that may stand here",
            "socketio",
            "did you mean `socket.io`?",
        ),
        (
            endpoint("{ handshake: { stream: [] } }"),
            "unknown key `stream`",
            "stream",
            "the keys that may stand here are `when`, `match`, `status`, `headers`, `body`, `text`",
        ),
        (
            endpoint("{ handshake: [{ set: { price: 1 } }] }"),
            "unknown key `set`",
            "set",
            "the keys that may stand here are `when`, `match`, `status`, `headers`, `body`, `text`",
        ),
        (
            endpoint("{ handshake: { status: 42 } }"),
            "expected a status from 200 to 599, found the number `42`",
            "42",
            "",
        ),
        (endpoint("{ handshake: [] }"), "the list of answers cannot be empty", "[]", ""),
        (
            message("{ text: 'hi {{ msg }}', reply: 1 }"),
            "expected a pattern without expressions, which are for `when`, found `hi {{ msg }}`",
            "'hi {{ msg }}'",
            "",
        ),
        (
            message("{ text: 3, reply: 1 }"),
            "expected text, found the number `3`",
            "3",
            "put it in quotes to make it text",
        ),
    ]);
    assert!(
        messages(&message("{ text: a }"))[0].starts_with("a message rule has to say exactly one of `do`, `reply`, ")
    );
}

#[test]
fn names_are_known_where_they_mean_something() {
    for (text, name) in [
        (endpoint("{ open: [{ reply: $msg }] }"), "msg"),
        (closed("{ send: { frame: $msg } }"), "msg"),
        (endpoint("{ frame: $msg }"), "msg"),
        (endpoint("{ protocol: socket.io, closed: [{ send: { frame: $msg } }] }"), "msg"),
        (endpoint("{ handshake: { when: conn.id == 1 } }"), "conn"),
        (endpoint("{ open: [{ reply: $event }] }"), "event"),
        (endpoint("{ open: [{ reply: $method }] }"), "method"),
        (with("scripts: [{ steps: [{ set: { price: $conn.id } }] }]"), "conn"),
        (with("http: { GET /x: { body: $conn.id } }"), "conn"),
    ] {
        assert_eq!(messages(&text), [format!("unknown name `{name}`")], "{text}");
    }
}

#[test]
fn each_mistake_in_the_step_of_a_socket_has_its_message() {
    let code = |found: &str| {
        let expected = "a close code: 1000 to 1003, 1007 to 1014, or 3000 to 4999";
        format!("expected {expected}, found {found}")
    };
    let long = "x".repeat(124);
    let quoted = format!("'{long}'");
    let no_reply = "`reply` is not for the steps of `closed`";
    let has_closed = "the socket has closed; `send` reaches others";
    let computed = "a key of `set` is text: the expression in it is not computed";
    let contained = "the JSON that an event must contain, such as `{ row: { room: lobby } }`";
    expect(&[
        (message("{ close: 1005 }"), &code("the number `1005`"), "1005", ""),
        (message("{ close: 2999 }"), &code("the number `2999`"), "2999", ""),
        (message("{ close: { code: 5000 } }"), &code("the number `5000`"), "5000", ""),
        (message("{ close: bye }"), &code("the text `bye`"), "bye", ""),
        (
            message(&format!("{{ close: {{ reason: {quoted} }} }}")),
            &format!("expected a reason, which is text of at most 123 bytes, found the text \"{long}\""),
            &quoted,
            "",
        ),
        (closed("{ reply: 1 }"), no_reply, "1", has_closed),
        (closed("{ do: [{ reply: 1 }] }"), no_reply, "1", has_closed),
        (closed("{ join: a }"), "`join` is not for the steps of `closed`", "a", has_closed),
        (
            closed("{ set: { conn.a: 1 } }"),
            "only the steps of an open socket set `conn`",
            "conn",
            "each socket has its own `conn`: set it in the steps of `open` or `messages`",
        ),
        (message("{ set: { conn.id: 1 } }"), "`conn.id` cannot be set", "conn.id", "give the value another name"),
        (
            message("{ set: { conn.topics.0: 1 } }"),
            "`conn.topics` cannot be set",
            "conn.topics.0",
            "give the value another name",
        ),
        (
            message("{ set: { conn: 1 } }"),
            "expected the name of a value of `conn`, such as `conn.name`, found `conn`",
            "conn",
            "",
        ),
        (
            message("{ set: { 'price.{{ msg.k }}': 1 } }"),
            computed,
            "'price.{{ msg.k }}'",
            "write `set: { price: \"{{ price | chain({msg.k: VALUE}) }}\" }`",
        ),
        (
            message("{ set: { conn.of.$msg.k: 1 } }"),
            computed,
            "conn.of.$msg.k",
            "write `set: { conn.of: \"{{ conn.of | chain({msg.k: VALUE}) }}\" }`",
        ),
        (message("{ set: { '{{ msg.k }}': 1 } }"), computed, "'{{ msg.k }}'", "write `set: { name: VALUE }`"),
        (
            message("{ join: { to: a, where: event.from != conn.id } }"),
            &format!("expected {contained}, found the text `event.from != conn.id`"),
            "event.from != conn.id",
            "",
        ),
        (
            message("{ join: { to: a, where: 'from {{ conn.id }}' } }"),
            &format!("expected {contained}, found the text \"from {{{{ conn.id }}}}\""),
            "'from {{ conn.id }}'",
            "",
        ),
        (message("{ set: { pric: 1 } }"), "there is no value `pric`", "pric", "did you mean `price`?"),
        (message("{ join: { to: a, do: [{ close: 7 }] } }"), &code("the number `7`"), "7", ""),
    ]);
}

#[test]
fn a_wrong_with_makes_its_names_no_further_problems() {
    for (rule, mistake) in [
        ("{ wiht: { n: 1 }, when: n > 0, reply: $n }", "unknown key `wiht`"),
        ("{ with: [n], when: n > 0, reply: $n }", "expected a mapping"),
        ("{ do: [{ vars: { n: 1 }, reply: $n }] }", "unknown key `vars`"),
        ("{ do: [{ with: n, reply: $n }] }", "expected a mapping"),
        // `match` is looked at first.
        ("{ with: { n: 1 }, match: { a: $n }, reply: $n }", "unknown name `n`"),
        ("{ with: { n: 1 }, when: m > 0, reply: $n }", "unknown name `m`"),
    ] {
        let found = messages(&message(rule));
        assert!(found.len() == 1 && found[0].starts_with(mistake), "{rule}: {found:?}");
    }
}

#[test]
fn others_and_all_sockets_are_for_the_steps_of_endpoints() {
    let step = |step: &str| with(&format!("scripts: [{{ steps: [{step}] }}]"));
    expect(&[
        (
            step("{ send: { to: a, frame: 1, others: true } }"),
            "`others` is only for the steps of streams and sockets",
            "true",
            "leave it out: the frame has no sender who could be left out",
        ),
        (with("http: { GET /x: { stream: [{ send: { frame: 1 } }] } }"), "`send` needs `to`", "{ frame: 1 }", ""),
    ]);
}

#[test]
fn a_rule_behind_one_for_all_messages_is_a_warning() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("mockd.yaml");
    std::fs::write(&file, "websocket:\n  /x:\n    messages:\n    - { reply: 1 }\n    - { text: a, reply: 2 }\n")
        .unwrap();
    let loading = load(&file);
    assert!(loading.outcome.is_ok());
    let warnings = loading.warnings.unwrap().to_string();
    assert!(warnings.starts_with("warning: no message gets to this rule\n"), "{warnings}");
    let (first, second) = ("-".repeat("{ reply: 1 }".len()), "^".repeat("{ text: a, reply: 2 }".len()));
    assert!(warnings.contains(&format!(" {first} this one is for all messages")), "{warnings}");
    assert!(warnings.contains(&format!(" {second} never carried out")), "{warnings}");
}
