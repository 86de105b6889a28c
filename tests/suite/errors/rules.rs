//! Errors and warnings about routes, triggers, scripts and generators.

use mockd::scenario::{Source, load, parse};
use tempfile::TempDir;

use super::{help, messages, report};

/// Returns a scenario that declares data, followed by `rest`.
pub(super) fn with(rest: &str) -> String {
    format!("data: {{ todos: [{{ id: 1 }}, {{ id: 2 }}], people: [{{ id: ada }}, {{ id: 2 }}], price: 3 }}\n{rest}\n")
}

/// Returns a scenario with one route.
pub(super) fn route(key: &str, answer: &str) -> String {
    with(&format!("http:\n  {key}: {answer}"))
}

pub(super) fn answer(answer: &str) -> String {
    route("GET /x", answer)
}

pub(super) fn step(step: &str) -> String {
    with(&format!("scripts: [{{ steps: [{step}] }}]"))
}

fn stream(step: &str) -> String {
    answer(&format!("{{ stream: [{step}] }}"))
}

/// Returns the message, the text under the caret and the help of the first problem.
fn first(text: &str) -> (String, String, Option<String>) {
    let problems = parse(&Source::new("shop.yaml", text)).expect_err("the scenario is valid");
    let problem = problems.list.iter().find(|problem| !problem.kind.is_warning()).unwrap();
    let (source, range) = problems.sources.locate(problem.span).unwrap();
    (problem.kind.to_string(), source.text()[range].trim_end().to_owned(), problem.kind.help())
}

/// Asserts the first problem of each scenario: its message, the text under the caret and its help, if not empty.
pub(super) fn assert_problems(cases: &[(String, &str, &str, &str)]) {
    for (text, message, caret, help) in cases {
        let found = first(text);
        let help = (!help.is_empty()).then(|| (*help).to_owned());
        assert_eq!(found, ((*message).to_owned(), (*caret).to_owned(), help), "{text}");
    }
}

#[test]
fn all_errors_in_rules_are_reported_together() {
    let text = "\
data: { todos: [{ id: 1 }] }
http:
  get /todos: { body: $todoz }
  GET /a/:id:
    - { match: { query: { page: \"{{ 1 + }}\" } }, statsu: 404 }
    - { add: { todo: { title: x } }, body: 1, text: x }
triggers: [{ topic: todos, when: evnt.change, reply: 1 }]
random: [{ every: 1s, pick: { weights: { 7: 1 } }, remove: { todos: $it.id } }]
";
    let expected = "\
error: `get` is not a valid value here
 --> shop.yaml:3:3
  |
3 |   get /todos: { body: $todoz }
  |   ^^^ expected `GET`, `POST`, `PUT`, `PATCH`, `DELETE`, `ANY`
  |
  = help: did you mean `GET`?

error: unknown name `todoz`
 --> shop.yaml:3:24
  |
3 |   get /todos: { body: $todoz }
  |                        ^^^^^ not defined here
  |
  = help: did you mean `todos`?

error: `:id` is not a parameter
 --> shop.yaml:4:10
  |
4 |   GET /a/:id:
  |          ^^^
  |
  = help: did you mean `{id}`?

error: not a valid expression: unexpected end of input, expected expression
 --> shop.yaml:5:39
  |
5 |     - { match: { query: { page: \"{{ 1 + }}\" } }, statsu: 404 }
  |                                       ^

error: unknown key `statsu`
 --> shop.yaml:5:50
  |
5 |     - { match: { query: { page: \"{{ 1 + }}\" } }, statsu: 404 }
  |                                                  ^^^^^^ unknown key
  |
  = help: did you mean `status`?

error: there is no collection `todo`
 --> shop.yaml:6:16
  |
6 |     - { add: { todo: { title: x } }, body: 1, text: x }
  |                ^^^^ not declared under `data`
  |
  = help: did you mean `todos`?

error: `body` and `text` cannot be used together
 --> shop.yaml:6:53
  |
6 |     - { add: { todo: { title: x } }, body: 1, text: x }
  |                                                     ^
  |
  = help: remove one of the two

error: unknown name `evnt`
 --> shop.yaml:7:34
  |
7 | triggers: [{ topic: todos, when: evnt.change, reply: 1 }]
  |                                  ^^^^ not defined here
  |
  = help: did you mean `event`?

error: `reply` is only allowed in the steps of streams and sockets
 --> shop.yaml:7:54
  |
7 | triggers: [{ topic: todos, when: evnt.change, reply: 1 }]
  |                                                      ^
  |
  = help: answer a request with `body`; `send` sends to a topic

error: no collection declares a row `7`
 --> shop.yaml:8:42
  |
8 | random: [{ every: 1s, pick: { weights: { 7: 1 } }, remove: { todos: $it.id } }]
  |                                          ^
  |
  = help: did you mean `1`?";
    assert_eq!(report(text), expected);
}

#[test]
fn each_error_in_a_route_key_underlines_its_cause() {
    let key = |key: &str| route(key, "{}");
    let parameter = "a parameter is a whole segment: `{name}` of letters, digits, `_` and `-`, or `{*rest}`";
    assert_problems(&[
        (key("HEAD /x"), "`HEAD` is not a valid value here", "HEAD", ""),
        (key("post /x"), "`post` is not a valid value here", "post", "did you mean `POST`?"),
        (key("GET todos"), "the path must start with `/`", "todos", "did you mean `/todos`?"),
        (key("todos"), "the path must start with `/`", "todos", "did you mean `/todos`?"),
        (key("GET"), "the route has no path", "GET", "write a method and a path, such as `GET /todos/{id}`"),
        (
            key("/x"),
            "the route has no method",
            "/x",
            "write `GET /x`, or `ANY /x` for every method; only a route with `crud` has none",
        ),
        (key("GET /a//b"), "the path has an empty segment", "//", "remove one of the two slashes"),
        (
            key("GET /a?b=1"),
            "`?` is not allowed in a path",
            "?b=1",
            "match query parameters with `match: { query: … }`",
        ),
        (key("\"GET /a#b\""), "`#` is not allowed in a path", "#b", "clients do not send the part after it"),
        (key("GET /a{id}"), "`a{id}` is not a parameter", "a{id}", parameter),
        (key("GET /{id"), "`{id` is not a parameter", "{id", parameter),
        (key("GET /{}"), "`{}` is not a parameter", "{}", parameter),
        (key("GET /{a.b}"), "`{a.b}` is not a parameter", "{a.b}", parameter),
        (key("GET /<int:id>"), "`<int:id>` is not a parameter", "<int:id>", "did you mean `{id}`?"),
        (key("ANY /files/*"), "`*` is not a parameter", "*", "did you mean `{*rest}`?"),
        (key("ANY /files/*path"), "`*path` is not a parameter", "*path", "did you mean `{*path}`?"),
        (key("GET /{a}/{a}"), "the path has two parameters named `a`", "{a}", "give one of them another name"),
        (
            key("GET /{*a}/b"),
            "`{*a}` is not the last segment",
            "{*a}",
            "`{*rest}` matches the rest of the path, so nothing can follow it",
        ),
        (
            key("GET /__mockd/x"),
            "`/__mockd` is reserved",
            "/__mockd",
            "`/__mockd` is the control API, and `/@NAME` is another world",
        ),
        (
            route("/x", "{ get: { body: 1 } }"),
            "unknown key `get`",
            "get",
            "the method belongs before the path: `GET /x:`",
        ),
        (key("GET /@a"), "`/@a` is reserved", "/@a", "`/__mockd` is the control API, and `/@NAME` is another world"),
        (
            route("GET /todos", "{ crud: todos }"),
            "a route with `crud` takes no method",
            "GET /todos",
            "did you mean `/todos`?",
        ),
        (
            route("/of/{id}", "{ crud: todos }"),
            "the path has a parameter `id`, which `crud` adds to the paths of rows",
            "/of/{id}",
            "give one of them another name",
        ),
    ]);
}

#[test]
fn conflicting_routes_point_at_both_declarations() {
    let text = "\
categories: { toys: { prefix: T } }
http:
  GET /toys/: {}
  GET /a/{x}: {}
  GET /a/{y}: {}
  POST /orders/{x}: {}
";
    let expected = "\
error: `GET /toys` and `GET /toys/` match the same requests
 --> shop.yaml:3:3
  |
1 | categories: { toys: { prefix: T } }
  |               ---- first declared here
2 | http:
3 |   GET /toys/: {}
  |   ^^^^^^^^^^
  |
  = help: remove one of the two, or give it another path

error: `GET /a/{x}` and `GET /a/{y}` match the same requests
 --> shop.yaml:5:3
  |
4 |   GET /a/{x}: {}
  |   ---------- first declared here
5 |   GET /a/{y}: {}
  |   ^^^^^^^^^^
  |
  = help: remove one of the two, or give it another path

error: `POST /orders/{id}` and `POST /orders/{x}` match the same requests
 --> shop.yaml:6:3
  |
1 | categories: { toys: { prefix: T } }
  | ---------- first declared here
...
6 |   POST /orders/{x}: {}
  |   ^^^^^^^^^^^^^^^^
  |
  = help: remove one of the two, or give it another path";
    assert_eq!(report(text), expected);
    let crud = with("http: { /t: { crud: todos }, /t/: { crud: people } }");
    assert_eq!(messages(&crud), ["`GET /t` and `GET /t` match the same requests"]);
    let overlapping = with("http: { 'GET /a/{x}/b': {}, 'GET /a/{*rest}': {} }");
    let expected = "\
error: `GET /a/{x}/b` and `GET /a/{*rest}` cannot be told apart
 --> shop.yaml:2:29
  |
2 | http: { 'GET /a/{x}/b': {}, 'GET /a/{*rest}': {} }
  |         --------------      ^^^^^^^^^^^^^^^^
  |         |
  |         first declared here
  |
  = help: start the two with different segments";
    assert_eq!(report(&overlapping), expected);
}

#[test]
fn each_error_in_an_answer_has_its_own_message() {
    assert_problems(&[
        (answer("hello"), "expected a mapping or a list, found the text `hello`", "hello", ""),
        (answer("[]"), "the list of answers cannot be empty", "[]", ""),
        (answer("{ status: 99 }"), "expected a status from 200 to 599, found the number `99`", "99", ""),
        (answer("{ status: ok }"), "expected a status from 200 to 599, found the text `ok`", "ok", ""),
        (
            answer("{ headers: { \"a b\": 1 } }"),
            "expected the name of a header (RFC 9110, 5.6.2), found `a b`",
            "\"a b\"",
            "",
        ),
        (answer("{ headers: { X-A: 1, x-a: 2 } }"), "`x-a` is declared twice", "x-a", "remove one of the two"),
        (
            answer("{ headers: { a: { b: 1 } } }"),
            "expected text on one line, or a list of such lines, found a mapping",
            "{ b: 1 }",
            "",
        ),
        (answer("{ text: [1] }"), "expected text (use `body` for JSON), found a list", "[1]", ""),
        (answer("{ file: 3 }"), "expected the path of a file, found the number `3`", "3", ""),
        (answer("{ match: { query: x } }"), "expected a mapping, found the text `x`", "x", ""),
        (
            answer("{ proxy: \"http://a.b\" }"),
            "`proxy` is not supported yet",
            "\"http://a.b\"",
            "answer with `body`, `text` or `file`",
        ),
        (answer("{ after: soon }"), "`soon` is not a duration", "soon", ""),
        (
            answer("{ add: { todos: {} }, set: { price: 1 } }"),
            "expected one verb, found `add` and `set`",
            "{ price: 1 }",
            "write them as a list: `do: [{ add: … }, { set: … }]`",
        ),
        (route("/t", "{ crud: todo }"), "there is no collection `todo`", "todo", "did you mean `todos`?"),
        (
            route("/t", "{ crud: price }"),
            "`price` is a value, not a collection",
            "price",
            "a collection is a list of mappings, one for each row: `price: [{ id: 1 }]`",
        ),
        (route("/t", "{ crud: { only: [list] } }"), "`crud` needs `collection`", "{ only: [list] }", ""),
        (route("/t", "{ crud: { collection: todos, only: [] } }"), "`only` cannot be empty", "[]", ""),
        (
            route("/t", "{ crud: { collection: todos, only: [lst] } }"),
            "`lst` is not a valid value here",
            "lst",
            "did you mean `list`?",
        ),
        (
            route("/t", "{ crud: { collection: todos, query: { page: \"\" } } }"),
            "a parameter's name cannot be empty",
            "\"\"",
            "",
        ),
        (
            route("/t", "{ crud: { collection: todos, list: $itms } }"),
            "unknown name `itms`",
            "itms",
            "did you mean `items`?",
        ),
        (
            route("/t", "{ crud: { collection: todos, fields: { title: strng } } }"),
            "`strng` is not a valid value here",
            "strng",
            "did you mean `string`?",
        ),
    ]);
}

#[test]
fn each_error_in_a_step_has_its_own_message() {
    assert_problems(&[
        (step("{ ad: { todos: {} } }"), "unknown key `ad`", "ad", "did you mean `add`?"),
        (
            step("{ at: 1s, after: 1s, set: { price: 1 } }"),
            "`at` and `after` cannot be used together",
            "1s",
            "remove one of the two",
        ),
        (
            step("{ times: 2, each: [1], set: { price: 1 } }"),
            "`times` and `each` cannot be used together",
            "2",
            "remove one of the two",
        ),
        (step("{ every: 1s, set: { price: 1 } }"), "`every` requires `times` or `each`", "1s", ""),
        (step("{ times: forever, set: { price: 1 } }"), "`times: forever` requires `every`", "forever", ""),
        (step("{ times: 1000001, set: { price: 1 } }"), "`times` above 1000000 needs `every`", "1000001", ""),
        (
            step("{ each: 3, set: { price: 1 } }"),
            "expected a list, or an expression that returns one, found the number `3`",
            "3",
            "",
        ),
        (
            step("{ with: { random: 1 }, set: { price: 1 } }"),
            "expected a name of letters, digits and `_` that is not reserved, found `random`",
            "random",
            "",
        ),
        (
            step("{ when: [1], set: { price: 1 } }"),
            "expected an expression, such as `query.page | int > 1`, found a list",
            "[1]",
            "",
        ),
        (step("{ add: {} }"), "`add` cannot be empty", "{}", ""),
        (step("{ add: { todos: 3 } }"), "expected a row, as a mapping, found the number `3`", "3", ""),
        (step("{ merge: { todos: [] } }"), "expected a row, as a mapping, found a list", "[]", ""),
        (step("{ merge: { todos: { done: true } } }"), "`merge` needs `id`", "{ done: true }", ""),
        (step("{ replace: { todos: { done: true } } }"), "`replace` needs `id`", "{ done: true }", ""),
        (step("{ remove: { todos: { id: 1 } } }"), "expected an id, found a mapping", "{ id: 1 }", ""),
        (step("{ increment: { todos: { id: 1, a: x } } }"), "expected a number, found the text `x`", "x", ""),
        (step("{ set: { pric: 1 } }"), "there is no value `pric`", "pric", "did you mean `price`?"),
        (
            step("{ set: { todos: 1 } }"),
            "`set` takes values of `data`, but `todos` is a collection",
            "todos",
            "`add`, `merge`, `replace` and `remove` change the rows of a collection",
        ),
        (
            step("{ set: { conn.a: 1 } }"),
            "only the steps of an open socket can set `conn`",
            "conn",
            "each socket has its own `conn`: set it in the steps of `open` or `messages`",
        ),
        (
            step("{ set: { price.: 1 } }"),
            "expected a name of `data`, or the path of a part of it, such as `prices.BTC`, found `price.`",
            "price.",
            "",
        ),
    ]);
}

#[test]
fn each_error_in_a_verb_has_its_own_message() {
    assert_problems(&[
        (step("{ send: { frame: 1 } }"), "`send` needs `to`", "{ frame: 1 }", ""),
        (step("{ send: { to: a } }"), "`send` needs `frame`", "{ to: a }", ""),
        (step("{ send: { to: [], frame: 1 } }"), "expected a topic or a list of topics, found a list", "[]", ""),
        (step("{ join: a }"), "`join` is only allowed in the steps of streams and sockets", "a", ""),
        (step("{ order: { product: T1 } }"), "`order` needs `amount`", "{ product: T1 }", ""),
        (step("{ order: { product: [1], amount: 1 } }"), "expected a product's id, found a list", "[1]", ""),
        (step("{ order: { product: T9, amount: 1 } }"), "there is no product `T9`", "T9", ""),
        (
            step("{ order: { product: $price, amount: lots } }"),
            "expected an integer or a mapping, found the text `lots`",
            "lots",
            "",
        ),
        (
            step("{ do: [{ after: 1s, set: { price: 1 } }] }"),
            "`after` is not allowed in steps that run at the same moment",
            "1s",
            "the steps of a nested `do` run at the same moment; give the time to the step that contains them",
        ),
        (
            step("{ at: 24000h, times: 2, every: 1s, set: { price: 1 } }"),
            "the step ends later than 24000h",
            "{ at: 24000h, times: 2, every: 1s, set: { price: 1 } }",
            "",
        ),
        (step("{ fault: { on: http, status: 9 } }"), "expected a status from 400 to 599, found the number 9", "9", ""),
        (step("{ fault: { on: stream, freeze: true } }"), "`freeze` requires `on: websocket`", "true", ""),
        (
            step("{ fault: { on: stream, product: T1, drop: true } }"),
            "`product` requires `on: http` or `on: websocket`",
            "T1",
            "",
        ),
        (
            step("{ fault: { on: streams, drop: true } }"),
            "`streams` is not a valid value here",
            "streams",
            "did you mean `stream`?",
        ),
        (
            step("{ increment: { price: 5 } }"),
            "`increment` takes rows of a collection, but `price` is a value",
            "price",
            "write `set: { price: \"{{ price + 5 }}\" }`",
        ),
        (stream("{ leave: {} }"), "`leave` needs exactly one of `as` and `to`", "{}", ""),
        (stream("{ join: { where: 1 } }"), "`join` needs `to`", "{ where: 1 }", ""),
        (stream("{ join: { to: a, frame: $evnt } }"), "unknown name `evnt`", "evnt", "did you mean `event`?"),
        (stream("{ join: { to: a, do: [] } }"), "`do` cannot be empty", "[]", ""),
    ]);
    let verbs = step("{ at: 1s }");
    assert!(messages(&verbs)[0].starts_with("a step needs exactly one of `do`, `reply`, "), "{verbs}");
    let category = "categories: { toys: { prefix: T, products: [{ id: T1 }] } }\nscripts: [{ steps: [{ increment: { toys: { id: T1, x: 1 } } }] }]\n";
    assert_eq!(messages(category), ["`increment` takes rows of a collection, but `toys` is a category"]);
}

#[test]
fn each_error_in_a_trigger_script_or_generator_is_explained() {
    let generator = |rest: &str| with(&format!("random: [{{ every: 1s, {rest} }}]"));
    let set = "set: { price: 1 }";
    assert_problems(&[
        (with("triggers: [{ set: { price: 1 } }]"), "a trigger needs `topic`", "{ set: { price: 1 } }", ""),
        (with("triggers: [{ topic: \"\", set: { price: 1 } }]"), "a topic cannot be empty", "\"\"", ""),
        (with("scripts: [{ name: a }]"), "a script needs `steps`", "{ name: a }", ""),
        (with("scripts: [{ steps: [] }]"), "`steps` cannot be empty", "[]", ""),
        (
            with("scripts: [{ repeat: forever, steps: [{ set: { price: 1 } }] }]"),
            "a script that repeats forever must take at least 1us",
            "forever",
            "give a step an `at` or `after` of at least 1us",
        ),
        (
            with("random: [{ set: { price: 1 } }]"),
            "a generator needs exactly one of `every` and `rate`",
            "{ set: { price: 1 } }",
            "",
        ),
        (generator(&format!("jitter: 2s, {set}")), "`jitter` is longer than `every`", "2s", ""),
        (generator(&format!("pick: todo, {set}")), "there is no collection `todo`", "todo", "did you mean `todos`?"),
        (
            generator(&format!("pick: {{ weights: {{ ada: 1, 1: 1 }} }}, {set}")),
            "no collection declares all of these rows",
            "{ ada: 1, 1: 1 }",
            "all of them must be rows of one collection",
        ),
        (
            generator(&format!("pick: {{ weights: {{ 2: 1 }} }}, {set}")),
            "`todos` and `people` declare all of these rows",
            "{ 2: 1 }",
            "name at least one row that only one of them has",
        ),
        (
            generator(&format!("pick: {{ weights: {{ ada: 0 }} }}, {set}")),
            "all weights are 0",
            "{ ada: 0 }",
            "give one of them a weight above 0",
        ),
    ]);
    let verbs = with("triggers: [{ topic: a }]");
    assert!(messages(&verbs)[0].starts_with("a trigger needs exactly one of `do`, `reply`, "));
}

#[test]
fn carets_point_at_expressions_in_every_quoting_style() {
    for (text, expected) in [
        ("{ body: $nam.x }", "nam"),
        ("{ body: \"a {{ 1 + nam }}\" }", "nam"),
        ("{ body: 'it''s {{ nam }}' }", "nam"),
        ("{ body: \"\\\"{{ nam }}\\\"\" }", "nam"),
        ("{ body: { a: [1, { b: \"{{ nam }}\" }] } }", "nam"),
        ("{ when: nam == 'name' }", "nam"),
        ("{ headers: { X-Name: \"{{ nam }}\" } }", "nam"),
        ("{ match: { headers: { X-Name: \"{{ nam }}\" } } }", "nam"),
        ("\n    body: |\n      one\n      two {{ nam }}", "nam"),
        ("\n    body: >\n      name {{ nam }}\n      two", "nam"),
        ("{ body: &b { x: $nam }, when: true }", "nam"),
    ] {
        let (message, caret, _) = first(&answer(text));
        assert_eq!((message.as_str(), caret.as_str()), ("unknown name `nam`", expected), "{text}");
    }
    let text = answer("{ body: \"{{ name }} {{ name | fixedd(2) }}\" }");
    let expected = "\
error: unknown name `name`
 --> shop.yaml:3:23
  |
3 |   GET /x: { body: \"{{ name }} {{ name | fixedd(2) }}\" }
  |                       ^^^^ not defined here
  |
  = help: the names defined here are `body`, `cookies`, `headers`, `method`, `now`, `path`, `people`, `price`, `query`, `todos`, `url`

error: unknown name `name`
 --> shop.yaml:3:34
  |
3 |   GET /x: { body: \"{{ name }} {{ name | fixedd(2) }}\" }
  |                                  ^^^^ not defined here
  |
  = help: the names defined here are `body`, `cookies`, `headers`, `method`, `now`, `path`, `people`, `price`, `query`, `todos`, `url`

error: unknown filter `fixedd`
 --> shop.yaml:3:41
  |
3 |   GET /x: { body: \"{{ name }} {{ name | fixedd(2) }}\" }
  |                                         ^^^^^^ not defined here
  |
  = help: did you mean `fixed`?";
    assert_eq!(report(&text), expected);
}

#[test]
fn unquoted_expressions_suggest_quotes() {
    let braces = "an expression must be in quotes";
    assert_problems(&[
        (answer("{ body: {{ path.id }} }"), braces, "{{ path.id }}", "write \"{{ path.id }}\""),
        (answer("{ body: {{ 'a' ~ 1 }} }"), braces, "{{ 'a' ~ 1 }}", "write \"{{ 'a' ~ 1 }}\""),
        (answer("{ when: {{ path.id }}, body: 1 }"), braces, "{{ path.id }}", "write \"path.id\""),
        (answer("\n    body: {{ fake(\"name\") }}"), braces, "{{ fake(\"name\") }}", "write '{{ fake(\"name\") }}'"),
        (answer("[{ a: {{ [1] | length }} }]"), braces, "{{ [1] | length }}", "write \"{{ [1] | length }}\""),
    ]);
    assert_eq!(messages("? { a: 1 }\n: 1\n"), ["a key must be text"]);
}

#[test]
fn a_comma_in_an_unquoted_flow_value_suggests_quotes() {
    let text = answer("{ when: random(1, 6) == 6, body: 1 }");
    assert!(messages(&text).contains(&"`6) == 6` is not a key: the comma before it ends the value".to_owned()));
    assert!(report(&text).contains("= help: put the whole value in quotes"));
    let list = answer("{ when: path.id in ['a', 'b'], body: 1 }");
    assert!(
        help(&list).unwrap().contains("inside `{ }` and `[ ]`, text that contains `: ` or one of `,[]{}` needs quotes")
    );
}

#[test]
fn step_lists_are_limited_in_depth_and_length() {
    let deep =
        |levels: usize| step(&format!("{}{{ set: {{ price: 1 }} }}{}", "{ do: [".repeat(levels), "] }".repeat(levels)));
    parse(&Source::new("shop.yaml", &deep(8))).unwrap();
    assert_eq!(messages(&deep(9)), ["steps are nested deeper than 8 levels"]);
    let many = |count: usize| step(&vec!["{ set: { price: 1 } }"; count].join(", "));
    parse(&Source::new("shop.yaml", &many(10_000))).unwrap();
    assert_eq!(messages(&many(10_001)), ["more than 10000 steps in a list"]);
}

#[test]
fn an_unreachable_answer_is_a_warning() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("mockd.yaml");
    std::fs::write(&file, "http:\n  GET /a:\n    - { when: query.x, body: 1 }\n    - { body: 2 }\n    - { body: 3 }\n")
        .unwrap();
    let loading = load(&file);
    assert!(loading.outcome.is_ok());
    let warnings = loading.warnings.unwrap().to_string();
    assert!(warnings.starts_with("warning: no request can reach this answer\n"), "{warnings}");
    assert!(
        warnings.contains("^^^^^^^^^^^ never used") && warnings.contains("----------- this one matches all requests")
    );
}

#[test]
fn an_empty_scenario_lists_what_it_can_declare() {
    assert_eq!(
        help("name: x\n").as_deref(),
        Some(
            "a scenario declares at least one of `categories`, `data`, `http`, `websocket`, `triggers`, `scripts` and `random`"
        )
    );
    assert_eq!(messages("name: x\n"), ["the scenario declares nothing"]);
    assert_eq!(help("# only a comment\n"), help("name: x\n"));
    assert_eq!(messages("http: {}\norders: { random: [{ every: 1s }] }\n"), ["`orders` needs `categories`"]);
    assert_eq!(messages("htpp: {}\n"), ["unknown key `htpp`"]);
}

#[test]
fn other_errors_do_not_hide_invalid_references() {
    let toys = "categories: { toys: { prefix: T, products: [{ id: T1, total: \"3\" }], fields: { a: b } } }\nport: 1\n";
    let orders = "orders: { random: [{ every: 1s, products: [Q] }] }\n";
    let found = messages(&format!("{toys}{orders}"));
    assert_eq!(found.len(), 4, "{found:?}");
    assert_eq!(found[3], "there is no product `Q`");
    for unreadable in [
        "{ prefx: T, products: [{ name: x }] }",
        "{ products: [{ name: x }] }",
        "{ prefix: T, products: 3 }",
        "{ prefix: T, products: [3] }",
        "{ prefix: T, products: [{ id: [] }] }",
    ] {
        let found = messages(&format!("categories: {{ toys: {unreadable} }}\n{orders}"));
        assert_eq!(found.len(), 1, "{found:?}");
    }
    for step in
        ["{ at: 1s, ad: { category: toys, product: { id: Q } } }", "{ add: Q }", "{ add: { category: toys } }", "Q"]
    {
        let categories = "categories: { toys: { prefix: T, products: [{ id: T1 }] } }";
        let orders =
            format!("orders: {{ random: [{{ every: 1s, products: [Q] }}], scripts: [{{ steps: [{step}] }}] }}");
        let found = messages(&format!("{categories}\n{orders}\n"));
        assert!(found.len() == 1 && !found[0].contains("product `Q`"), "{found:?}");
    }
}

#[test]
fn names_are_unchecked_while_data_is_unreadable() {
    let found = |data: &str| messages(&format!("{data}\nhttp: {{ GET /: {{ body: $x, set: {{ x: 1 }} }} }}\n"));
    for data in ["dta: { x: 1 }", "data: 3"] {
        assert_eq!(found(data).len(), 1, "{data}");
    }
    // An invalid name hides only the errors about that name.
    for name in ["a-b", "now"] {
        let mut found = found(&format!("data: {{ {name}: 1 }}"));
        found.sort();
        let refused = format!("`{name}` is not a valid name for data");
        assert_eq!(found, [refused, "there is no value `x`".into(), "unknown name `x`".into()]);
    }
}
