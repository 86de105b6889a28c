//! Errors and warnings about WebSocket endpoints.

use mockd::scenario::{Source, load, parse};
use tempfile::TempDir;

use super::rules::assert_problems;
use super::{messages, report};

/// Returns a scenario that declares data, followed by `rest`.
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
fn each_error_in_an_endpoint_key_has_its_own_message() {
    assert_problems(&[
        (key("rooms"), "the path must start with `/`", "rooms", "did you mean `/rooms`?"),
        (key("\"\""), "the path must start with `/`", "\"\"", "did you mean `/`?"),
        (key("GET /rooms"), "an endpoint of `websocket` takes no method", "GET /rooms", "did you mean `/rooms`?"),
        (key("get /rooms"), "an endpoint of `websocket` takes no method", "get /rooms", "did you mean `/rooms`?"),
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
fn conflicting_endpoints_point_at_both_declarations() {
    let text = "\
categories: { toys: { prefix: T } }
websocket:
  /a/{x}: {}
  /a/{y}/: {}
  /orders/{id}: {}
";
    let expected = "\
error: `/a/{x}` and `/a/{y}/` match the same sockets
 --> shop.yaml:4:3
  |
3 |   /a/{x}: {}
  |   ------ first declared here
4 |   /a/{y}/: {}
  |   ^^^^^^^
  |
  = help: remove one of the two, or give it another path

error: `/orders/{category}` and `/orders/{id}` match the same sockets
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
  = help: start the two with different segments";
    assert_eq!(report(overlapping), expected);
}

#[test]
fn each_error_in_an_endpoint_has_its_own_message() {
    assert_problems(&[
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
            "`socketio` is not a valid value here",
            "socketio",
            "did you mean `socket.io`?",
        ),
        (
            endpoint("{ handshake: { stream: [] } }"),
            "unknown key `stream`",
            "stream",
            "the keys allowed here are `when`, `match`, `status`, `headers`, `body`, `text`",
        ),
        (
            endpoint("{ handshake: [{ set: { price: 1 } }] }"),
            "unknown key `set`",
            "set",
            "the keys allowed here are `when`, `match`, `status`, `headers`, `body`, `text`",
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
            "expected a pattern without expressions (use `when` for those), found `hi {{ msg }}`",
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
    assert!(messages(&message("{ text: a }"))[0].starts_with("a message rule needs exactly one of `do`, `reply`, "));
}

#[test]
fn names_are_unknown_outside_their_scope() {
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
fn each_error_in_a_socket_step_has_its_own_message() {
    let code = |found: &str| {
        let expected = "a close code: 1000 to 1003, 1007 to 1014, or 3000 to 4999";
        format!("expected {expected}, found {found}")
    };
    let long = "x".repeat(124);
    let quoted = format!("'{long}'");
    let no_reply = "`reply` is not allowed in the steps of `closed`";
    let has_closed = "the socket is closed; use `send` to reach others";
    let computed = "a key of `set` cannot contain an expression";
    let contained = "the JSON that an event must contain, such as `{ row: { room: lobby } }`";
    assert_problems(&[
        (message("{ close: 1005 }"), &code("the number `1005`"), "1005", ""),
        (message("{ close: 2999 }"), &code("the number `2999`"), "2999", ""),
        (message("{ close: { code: 5000 } }"), &code("the number `5000`"), "5000", ""),
        (message("{ close: bye }"), &code("the text `bye`"), "bye", ""),
        (
            message(&format!("{{ close: {{ reason: {quoted} }} }}")),
            &format!("expected a reason of at most 123 bytes of text, found the text \"{long}\""),
            &quoted,
            "",
        ),
        (closed("{ reply: 1 }"), no_reply, "1", has_closed),
        (closed("{ do: [{ reply: 1 }] }"), no_reply, "1", has_closed),
        (closed("{ join: a }"), "`join` is not allowed in the steps of `closed`", "a", has_closed),
        (
            closed("{ set: { conn.a: 1 } }"),
            "only the steps of an open socket can set `conn`",
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
fn frames_invalid_for_the_protocol_are_errors() {
    let io = |keys: &str| endpoint(&format!("{{ protocol: socket.io, {keys} }}"));
    let graphql = |keys: &str| endpoint(&format!("{{ protocol: graphql-transport-ws, {keys} }}"));
    let refusal = "expected a Socket.IO frame: { event, args } or { error }, found ";
    let ack = "expected a Socket.IO frame: { event, args } or { ack }, found ";
    let event = "expected a Socket.IO event: { event, args }, found ";
    let result = "expected a GraphQL result: { data } or { errors }, found ";
    let acknowledgement = "expected the acknowledgement of a GraphQL connection: { ack: PAYLOAD }, found ";
    let found = |expected: &str, found: &str| format!("{expected}{found}");
    let misplaced_id = "`id` is only allowed in a `reply` with `event` and without `ack`";
    let own_id = "remove it: `ack: true` chooses the id of an event, and `reply: { ack }` answers the message with the message's own";
    let to_all = "with `protocol: graphql-transport-ws`, `send` needs `to`";
    let of_operation = "a result belongs to an operation: `join: { to: TOPIC, as: $msg.id }` keeps it open, and `send: { to: TOPIC, frame }` reaches it";
    assert_problems(&[
        (io("open: [{ reply: hello }]"), &found(refusal, "the text `hello`"), "hello", ""),
        (io("open: [{ reply: { ack: [] } }]"), &found(refusal, "a mapping"), "{ ack: [] }", ""),
        (io("messages: [{ reply: { foo: 1 } }]"), &found(ack, "a mapping"), "{ foo: 1 }", ""),
        (io("messages: [{ reply: [a] }]"), &found(ack, "a list"), "[a]", ""),
        (io("messages: [{ do: [{ do: [{ reply: { error: a } }] }] }]"), &found(ack, "a mapping"), "{ error: a }", ""),
        (io("messages: [{ reply: { event: a, arg: 1 } }]"), "unknown key `arg`", "arg", "did you mean `args`?"),
        (
            io("messages: [{ reply: { ack: [], status: 1 } }]"),
            "unknown key `status`",
            "status",
            "the keys allowed here are `ack`, `namespace`",
        ),
        (io("messages: [{ reply: { ack: [1], id: 5 } }]"), misplaced_id, "id", own_id),
        (io("messages: [{ reply: { event: a, ack: true, id: 5 } }]"), misplaced_id, "id", own_id),
        (io("open: [{ reply: { error: no, id: 5 } }]"), misplaced_id, "id", own_id),
        (io("closed: [{ send: { frame: { event: a, id: 5 } } }]"), misplaced_id, "id", own_id),
        (io("messages: [{ send: { frame: { ack: [] } } }]"), &found(event, "a mapping"), "{ ack: [] }", ""),
        (io("closed: [{ send: { frame: left } }]"), &found(event, "the text `left`"), "left", ""),
        (io("open: [{ join: { to: a, frame: 7 } }]"), &found(event, "the number `7`"), "7", ""),
        (io("frame: { data: $event }"), &found(event, "a mapping"), "{ data: $event }", ""),
        (
            io("messages: [{ set: { conn.sid: 1 } }]"),
            "`conn.sid` cannot be set",
            "conn.sid",
            "give the value another name",
        ),
        (graphql("open: [{ reply: { data: 1 } }]"), &found(acknowledgement, "a mapping"), "{ data: 1 }", ""),
        (graphql("messages: [{ reply: hello }]"), &found(result, "the text `hello`"), "hello", ""),
        (graphql("messages: [{ reply: { ack: {} } }]"), &found(result, "a mapping"), "{ ack: {} }", ""),
        (
            graphql("open: [{ join: { to: a, frame: $event.a } }, { join: { to: a, frame: { a: 1 } } }]"),
            &found(result, "a mapping"),
            "{ a: 1 }",
            "",
        ),
        (graphql("messages: [{ send: { frame: { data: 1 } } }]"), to_all, "{ frame: { data: 1 } }", of_operation),
        (
            io("open: [{ when: msg.auth.token == 'bad', close: 4401 }]"),
            "`msg` has no field `auth`",
            "auth",
            "the fields of `msg` are `namespace`, `event`, `args` and `ack`",
        ),
        (
            graphql("open: [{ set: { price: $msg.token } }]"),
            "`msg` has no field `token`",
            "token",
            "the only field of `msg` is `payload`",
        ),
        (
            graphql("messages: [{ match: { operationName: A }, reply: { data: $msg.variable.n } }]"),
            "`msg` has no field `variable`",
            "variable",
            "did you mean `variables`?",
        ),
        (
            endpoint("{ protocol: graphql-ws }"),
            "`graphql-ws` is not a valid value here",
            "graphql-ws",
            "did you mean `graphql-transport-ws`?",
        ),
    ]);
    // The result of an expression is unknown until it runs, and a topic may have members of other endpoints.
    for valid in [
        io(
            "open: [{ reply: $msg.args.0 }, { reply: { event: a, ack: true } }], messages: [{ reply: '{{ msg.args }}' }]",
        ),
        io("messages: [{ match: { event: a }, reply: { ack: $msg.args } }, { send: { to: a, frame: b } }]"),
        io("open: [{ reply: { event: a, id: 5 } }], messages: [{ reply: { event: a, ack: null, id: $msg.ack } }]"),
        graphql("open: [{ reply: { ack: $msg.payload } }], messages: [{ reply: { hasNext: true, incremental: [] } }]"),
        graphql("messages: [{ join: { to: todos, as: $msg.id, frame: { errors: [no] } } }]"),
        endpoint("{ messages: [{ text: a, reply: hello }, { set: { conn.sid: 1 } }] }"),
    ] {
        let parsed = parse(&Source::new("shop.yaml", &valid));
        assert!(parsed.is_ok(), "{}", parsed.unwrap_err());
    }
}

#[test]
fn rules_that_do_not_fit_the_protocol_are_warnings() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("mockd.yaml");
    for (protocol, keys, expected) in [
        (
            "socket.io",
            "messages: [{ text: hello, reply: { event: a } }]",
            &["with `protocol: socket.io`, messages are never text"][..],
        ),
        (
            "graphql-transport-ws",
            "messages: [{ text: a, reply: { data: 1 } }]",
            &["with `protocol: graphql-transport-ws`, messages are never text"],
        ),
        (
            "graphql-transport-ws",
            "subprotocol: [a, b]",
            &["clients of `protocol: graphql-transport-ws` offer only that subprotocol"],
        ),
        ("graphql-transport-ws", "subprotocol: [a, graphql-transport-ws]", &[]),
        (
            "socket.io",
            "open: [{ join: [todos, todos/1, room] }, { join: { to: price } }]",
            &[
                "changes of `todos` are not frames of `protocol: socket.io`",
                "changes of `todos/1` are not frames of `protocol: socket.io`",
                "changes of `price` are not frames of `protocol: socket.io`",
            ],
        ),
        ("socket.io", "frame: { event: a, args: [$event] }, open: [{ join: todos }]", &[]),
        (
            "socket.io",
            "open: [{ join: { to: todos, frame: { event: a } } }, { join: room }, { join: $path.room }]",
            &[],
        ),
    ] {
        std::fs::write(&file, endpoint(&format!("{{ protocol: {protocol}, {keys} }}"))).unwrap();
        let loading = load(&file);
        assert!(loading.outcome.is_ok(), "{keys}");
        let warnings = loading.warnings.map(|warnings| warnings.list).unwrap_or_default();
        assert_eq!(warnings.iter().map(|warning| warning.kind.to_string()).collect::<Vec<_>>(), expected, "{keys}");
    }
}

#[test]
fn an_invalid_with_causes_no_errors_about_its_names() {
    for (rule, message_start) in [
        ("{ wiht: { n: 1 }, when: n > 0, reply: $n }", "unknown key `wiht`"),
        ("{ with: [n], when: n > 0, reply: $n }", "expected a mapping"),
        ("{ do: [{ vars: { n: 1 }, reply: $n }] }", "unknown key `vars`"),
        ("{ do: [{ with: n, reply: $n }] }", "expected a mapping"),
        // `match` is checked first.
        ("{ with: { n: 1 }, match: { a: $n }, reply: $n }", "unknown name `n`"),
        ("{ with: { n: 1 }, when: m > 0, reply: $n }", "unknown name `m`"),
    ] {
        let found = messages(&message(rule));
        assert!(found.len() == 1 && found[0].starts_with(message_start), "{rule}: {found:?}");
    }
}

#[test]
fn scripts_reject_others_and_streams_require_to() {
    let step = |step: &str| with(&format!("scripts: [{{ steps: [{step}] }}]"));
    assert_problems(&[
        (
            step("{ send: { to: a, frame: 1, others: true } }"),
            "`others` is only allowed in the steps of streams and sockets",
            "true",
            "remove it: the frame has no sender to skip",
        ),
        (with("http: { GET /x: { stream: [{ send: { frame: 1 } }] } }"), "`send` needs `to`", "{ frame: 1 }", ""),
    ]);
}

#[test]
fn an_unreachable_message_rule_is_a_warning() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("mockd.yaml");
    std::fs::write(&file, "websocket:\n  /x:\n    messages:\n    - { reply: 1 }\n    - { text: a, reply: 2 }\n")
        .unwrap();
    let loading = load(&file);
    assert!(loading.outcome.is_ok());
    let warnings = loading.warnings.unwrap().to_string();
    assert!(warnings.starts_with("warning: no message can reach this rule\n"), "{warnings}");
    let (first, second) = ("-".repeat("{ reply: 1 }".len()), "^".repeat("{ text: a, reply: 2 }".len()));
    assert!(warnings.contains(&format!(" {first} this one matches all messages")), "{warnings}");
    assert!(warnings.contains(&format!(" {second} never runs")), "{warnings}");
}
