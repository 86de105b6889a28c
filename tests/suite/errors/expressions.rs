//! Common mistakes in expressions: unknown fields, and the syntax of other languages.

use super::rules::{answer, assert_problems, route, step, with};
use super::{help, messages, report};
use crate::support::accepted;

#[test]
fn an_unknown_path_parameter_suggests_the_known_ones() {
    let text = with(
        "http:
  GET /users/{id}/of/{team}:
    when: path.uid
    do: [{ when: path.teem, with: { x: $path.user }, set: { price: \"{{ path['id'] ~ path['i-d'] }}\" } }]
    stream:
      - { each: $path.id, reply: $path.name }
      - { join: { to: todos, frame: $path.team, do: [{ reply: \"so {{ path.idd }}\" }] } }
  GET /users: { body: $path.id }
  GET /files/{*rest}: { file: \"{{ path.path }}\" }",
    );
    let expected = "\
error: `path` has no field `uid`
 --> shop.yaml:4:16
  |
4 |     when: path.uid
  |                ^^^ not defined here
  |
  = help: did you mean `id`?

error: `path` has no field `teem`
 --> shop.yaml:5:23
  |
5 |     do: [{ when: path.teem, with: { x: $path.user }, set: { price: \"{{ path['id'] ~ path['i-d'] }}\" } }]
  |                       ^^^^ not defined here
  |
  = help: did you mean `team`?

error: `path` has no field `user`
 --> shop.yaml:5:46
  |
5 |     do: [{ when: path.teem, with: { x: $path.user }, set: { price: \"{{ path['id'] ~ path['i-d'] }}\" } }]
  |                                              ^^^^ not defined here
  |
  = help: the fields of `path` are `id` and `team`

error: `path` has no field `i-d`
 --> shop.yaml:5:91
  |
5 |     do: [{ when: path.teem, with: { x: $path.user }, set: { price: \"{{ path['id'] ~ path['i-d'] }}\" } }]
  |                                                                                           ^^^ not defined here
  |
  = help: did you mean `id`?

error: `path` has no field `name`
 --> shop.yaml:7:40
  |
7 |       - { each: $path.id, reply: $path.name }
  |                                        ^^^^ not defined here
  |
  = help: the fields of `path` are `id` and `team`

error: `path` has no field `idd`
 --> shop.yaml:8:75
  |
8 |       - { join: { to: todos, frame: $path.team, do: [{ reply: \"so {{ path.idd }}\" }] } }
  |                                                                           ^^^ not defined here
  |
  = help: did you mean `id`?

error: `path` has no field `id`
 --> shop.yaml:9:29
  |
9 |   GET /users: { body: $path.id }
  |                             ^^ not defined here
  |
  = help: a parameter is a segment of the route's path in braces, such as `{id}`

error: `path` has no field `path`
  --> shop.yaml:10:40
   |
10 |   GET /files/{*rest}: { file: \"{{ path.path }}\" }
   |                                        ^^^^ not defined here
   |
   = help: the only field of `path` is `rest`";
    assert_eq!(report(&text), expected);
}

#[test]
fn crud_routes_see_path_parameters_and_with_shadows_them() {
    for valid in [
        route("/t/{of}", "[{ when: path.id == path.of, status: 403 }, { crud: todos }]"),
        route("GET /t/{id}", "{ do: [{ with: { path: { a: 1 } }, set: { price: $path.a } }] }"),
        route("GET /t/{user-id}", "{ body: [$path.user-id, \"{{ path['user-id'] }}\", $path] }"),
    ] {
        accepted(&valid);
    }
    assert_problems(&[
        (
            route("GET /t/{user-id}", "{ body: \"{{ path.user-id }}\" }"),
            "`path.user-id` is a subtraction",
            "path.user-id",
            "did you mean `path['user-id']`?",
        ),
        (route("GET /t/:id", "{ body: $path.name }"), "`:id` is not a parameter", ":id", "did you mean `{id}`?"),
    ]);
    let cookie = answer("{ do: [{ set: { price: \"{{ cookies.session-id }}\" } }] }");
    let other = answer("{ body: \"{{ now.ms-strat }} {{ query.a-prise }}\" }");
    assert_problems(&[(
        cookie,
        "`cookies.session-id` is a subtraction",
        "cookies.session-id",
        "did you mean `cookies['session-id']`?",
    )]);
    assert_eq!(messages(&other), ["unknown name `strat`", "unknown name `prise`"]);
    assert_eq!(messages(&route("GET /t/:id", "{ body: $path.name }")).len(), 1);
}

#[test]
fn misread_header_names_suggest_the_right_syntax() {
    let text = with(
        "http:
  GET /x:
    when: headers.x-all == 'yes'
    headers: { x-a: $headers.X_Api_Key, x-b: \"{{ headers.user_agent ~ headers.x-price-1 }}\" }
    body: $headers.x-all",
    );
    let expected = "\
error: `headers.x-all` is a subtraction
 --> shop.yaml:4:11
  |
4 |     when: headers.x-all == 'yes'
  |           ^^^^^^^^^^^^^
  |
  = help: did you mean `headers['x-all']`?

error: the field `X_Api_Key` has `_` instead of `-`
 --> shop.yaml:5:22
  |
5 |     headers: { x-a: $headers.X_Api_Key, x-b: \"{{ headers.user_agent ~ headers.x-price-1 }}\" }
  |                      ^^^^^^^^^^^^^^^^^
  |
  = help: did you mean `headers.X-Api-Key`?

error: the field `user_agent` has `_` instead of `-`
 --> shop.yaml:5:50
  |
5 |     headers: { x-a: $headers.X_Api_Key, x-b: \"{{ headers.user_agent ~ headers.x-price-1 }}\" }
  |                                                  ^^^^^^^^^^^^^^^^^^
  |
  = help: did you mean `headers['user-agent']`?

error: `headers.x-price-1` is a subtraction
 --> shop.yaml:5:71
  |
5 |     headers: { x-a: $headers.X_Api_Key, x-b: \"{{ headers.user_agent ~ headers.x-price-1 }}\" }
  |                                                                       ^^^^^^^^^^^^^^^^^
  |
  = help: did you mean `headers['x-price-1']`?";
    assert_eq!(report(&text), expected);
    let valid =
        "{ when: headers.Authorization, body: [$headers.X-All, \"{{ headers['my_own'] }}\", \"{{ price - price }}\"] }";
    accepted(&answer(valid));
}

#[test]
fn a_field_of_a_row_list_suggests_a_filter() {
    let text = answer("{ when: todos.length > 1, body: [$todos.0.id, $todos.title, \"{{ now.date }}\"] }");
    let expected = "\
error: `todos` is a list of rows, which has no field `length`
 --> shop.yaml:3:25
  |
3 |   GET /x: { when: todos.length > 1, body: [$todos.0.id, $todos.title, \"{{ now.date }}\"] }
  |                         ^^^^^^
  |
  = help: write `todos | length` for the number of rows

error: `todos` is a list of rows, which has no field `title`
 --> shop.yaml:3:64
  |
3 |   GET /x: { when: todos.length > 1, body: [$todos.0.id, $todos.title, \"{{ now.date }}\"] }
  |                                                                ^^^^^
  |
  = help: write `todos | map(attribute='title')` for the field of each row, or `(todos | find(1)).title` for the field of one row

error: `now` has no field `date`
 --> shop.yaml:3:79
  |
3 |   GET /x: { when: todos.length > 1, body: [$todos.0.id, $todos.title, \"{{ now.date }}\"] }
  |                                                                               ^^^^ not defined here
  |
  = help: the fields of `now` are `iso`, `ms` and `s`";
    assert_eq!(report(&text), expected);
}

#[test]
fn javascript_syntax_suggests_the_equivalent() {
    let when = |when: &str| with(&format!("http:\n  GET /x:\n    when: {when}\n    body: 1"));
    let value = |value: &str| answer(&format!("{{ body: '{{{{ {value} }}}}' }}"));
    assert_problems(&[
        (when("query.a && query.b"), "expressions have no `&&`", "&&", "write `and`"),
        (when("query.a || query.b"), "expressions have no `||`", "||", "write `or`"),
        (when("query.a ?? query.b"), "expressions have no `??`", "??", "write `or`"),
        (when("(!query.a)"), "expressions have no `!`", "!", "write `not`"),
        (when("query.a === \"b\""), "expressions have no `===`", "===", "write `==`"),
        (when("query.a !== price"), "expressions have no `!==`", "!==", "write `!=`"),
        (when("query.a?.b"), "expressions have no `?.`", "?.", "write `.`"),
        (when("query.a == null"), "expressions have no `null`", "null", "write `none`"),
        (when("query.a != undefined"), "expressions have no `undefined`", "undefined", "write `x is undefined`"),
        (value("query.a ? price : 2 + 1"), "expressions have no `?`", "?", "write `price if query.a else 2 + 1`"),
        (value("(query.a ? 1 : 2) + 1"), "expressions have no `?`", "?", "write `b if a else c`"),
        (value("todos.filter(t => t.done)"), "expressions have no `=>`", "=>", "write `list | where(field=value)`"),
        (
            value("query.a.startsWith(\"x\")"),
            "values have no method `startsWith`",
            "startsWith",
            "write `text is startingwith 'start'`",
        ),
        (
            value("query.a.length()"),
            "values have no method `length`",
            "length",
            "a filter comes after `|`: `value | length`",
        ),
        (value("query.a.foo()"), "values have no method `foo`", "foo", ""),
        (value("int(query.a)"), "unknown function `int`", "int", "a filter comes after `|`: `value | int`"),
        (value("parseInt(query.a)"), "unknown function `parseInt`", "parseInt", "write `text | int`"),
    ]);
    let combined = when("query.a && !query.b || query.c === 1");
    let operators = ["&&", "!", "||", "==="].map(|operator| format!("expressions have no `{operator}`"));
    assert_eq!(messages(&combined), operators);
    accepted(&when("query.a != 'b && !c'"));
    assert_eq!(messages(&when("!query.a")), ["unknown tag `!query.a`"]);
    assert!(help(&when("!query.a")).unwrap().ends_with("to negate an expression, write `not x`"));
}

#[test]
fn suggested_filters_and_tests_exist() {
    let value = |value: &str| answer(&format!("{{ body: '{{{{ {value} }}}}' }}"));
    assert_problems(&[
        (
            value("query.a | startswith(1)"),
            "unknown filter `startswith`",
            "startswith",
            "write `text is startingwith 'start'`",
        ),
        (
            value("todos | map(\"price\")"),
            "unknown filter `price`",
            "price",
            "write `map(attribute='price')` for the field of each item",
        ),
        (
            value("todos | map(\"uper\") | list"),
            "unknown filter `uper`",
            "uper",
            "did you mean `upper`? write `map(attribute='uper')` for the field of each item",
        ),
        (value("todos | select(\"od\")"), "unknown test `od`", "od", "did you mean `odd`?"),
        (
            value("todos | selectattr(\"id\", \"equalsto\", 1)"),
            "unknown test `equalsto`",
            "equalsto",
            "did you mean `equalto`?",
        ),
    ]);
    for filter in ["map(\"string\")", "map(attribute=\"price\")", "selectattr(\"id\", \"==\", 1)", "reject(\"odd\")"] {
        accepted(&value(&format!("todos | {filter} | list")));
    }
}

#[test]
fn an_unquoted_expression_suggests_quoting_the_whole_text() {
    let text = answer("{ status: 200, text: Hello {{ query.name }}, it is {{ now.iso }}!, after: 1s }");
    let expected = "\
error: an expression must be in quotes
 --> shop.yaml:3:38
  |
3 |   GET /x: { status: 200, text: Hello {{ query.name }}, it is {{ now.iso }}!, after: 1s }
  |                                      ^^^^^^^^^^^^^^^^ YAML reads this as a mapping
  |
  = help: write \"Hello {{ query.name }}, it is {{ now.iso }}!\"";
    assert_eq!(report(&text), expected);
}

#[test]
fn errors_of_all_kinds_are_reported_together() {
    let text = "\
data: { todos: [{ id: 1 }], quotes: { from: nowhere.csv } }
http:
  GET /a: { status: ok }
  GET /b: { add: { todoz: { title: 1 } } }
  GET /c/{id}: { body: [$pric, $path.idd, $quotes.0], after: soon }
  /quotes: { crud: quotes }
triggers:
  - { topic: todos, wen: true, set: { prise: 1 } }
scripts: [{ start: later, steps: [{ remove: { todo: 1 } }] }]
random: [{ every: 1, pick: todoz, set: { quotes: 1 } }]
";
    assert_eq!(
        messages(text),
        [
            "cannot read nowhere.csv: only a scenario read from a file can refer to others",
            "expected a status from 200 to 599, found the text `ok`",
            "there is no collection `todoz`",
            "unknown name `pric`",
            "`path` has no field `idd`",
            "`soon` is not a duration",
            "unknown key `wen`",
            "there is no value `prise`",
            "`later` is not a duration",
            "there is no collection `todo`",
            "expected a duration such as 500ms, 5s or 1m30s, found the number `1`",
            "there is no collection `todoz`",
        ]
    );
    assert_eq!(messages(&step("{ set: { price: $query.a }, at: 1 }")).len(), 2);
}

#[test]
fn javascript_habits_get_a_remedy() {
    let when = |when: &str| with(&format!("http:\n  GET /x:\n    when: {when}\n    body: 1"));
    let value = |value: &str| answer(&format!("{{ body: \"{value}\" }}"));
    let dollar = "`$` takes a name and its fields, not a whole expression";
    let dict = "`dict` takes a mapping, or values by name";
    let no_statements = "there are no statements in expressions";
    let statements = "use `{{ a if condition else b }}` to choose, \
        `{{ list | map(attribute='field') | join(', ') }}` to write a list, \
        and steps with `when` and `each` to decide and repeat";
    let changes = "the steps `set` and `increment` change values";
    let sort = "`sort` takes `attribute`, `reverse` and `case_sensitive` by name, such as `sort(attribute='id', reverse=true)`";
    assert_problems(&[
        (value("$todos[0].id"), dollar, "$todos[0].id", "write `{{ todos[0].id }}`"),
        (value("$now.s + 900"), dollar, "$now.s + 900", "write `{{ now.s + 900 }}`"),
        (when("query.a = 'b'"), "expressions have no `=`", "=", "write `==`"),
        (value("{{ price++ }}"), "expressions have no `++`", "++", &format!("write `n + 1`; {changes}")),
        (value("{{ price += 1 }}"), "expressions have no `+=`", "+=", &format!("write `a + b`; {changes}")),
        (value("{{ Date.now() }}"), "expressions have no `Date.now`", "Date.now", "write `now.ms`"),
        (value("{{ Math.random() }}"), "expressions have no `Math.random`", "Math.random", "write `random(0, 1.0)`"),
        (value("{{ todos | find(a='b') }}"), "`find` takes an id", "find", "write `where(a='b') | first`"),
        (value("{{ dict(body, {'a': 1}) }}"), dict, "dict", "write `body | chain({'a': 1})`"),
        (value("{% if query.a %}{{ b }}{% endif %}"), no_statements, "{% if query.a %}", statements),
        (when("\"{% if query.a %}\""), no_statements, "{%", statements),
        (value("{{ todos | sort('-id') }}"), sort, "sort", ""),
        (value("{{ todos | sort(by='id') }}"), sort, "sort", ""),
        (
            value("{{ query.a | frobnicate }}"),
            "unknown filter `frobnicate`",
            "frobnicate",
            "`mockd explain expressions` lists every filter",
        ),
    ]);
}

#[test]
fn names_of_other_tools_suggest_the_names_here() {
    let endpoint = |rule: &str| with(&format!("websocket: {{ /w: {{ messages: [{{ {rule} }}] }} }}"));
    let request = "write `query.name` or `path.name`";
    assert_problems(&[
        (route("GET /x/{id}", "{ body: $params.id }"), "unknown name `params`", "params", "did you mean `path`?"),
        (answer("{ body: $payload.id }"), "unknown name `payload`", "payload", "did you mean `body`?"),
        (answer("{ body: $request.query.a }"), "expressions have no `request`", "request", request),
        (answer("{ body: \"{{ faker }}\" }"), "expressions have no `faker`", "faker", "write `fake('name')`"),
        (endpoint("reply: $message.id"), "unknown name `message`", "message", "did you mean `msg`?"),
        (endpoint("reply: $socket.id"), "unknown name `socket`", "socket", "did you mean `conn`?"),
        (answer("{ body: \"{{ now() }}\" }"), "`now` is not a function", "now", "write `now.iso`, `now.ms` or `now.s`"),
        (answer("{ body: \"{{ query() }}\" }"), "`query` is not a function", "query", "remove the parentheses"),
    ]);
}

#[test]
fn an_expression_in_match_suggests_when() {
    let text = answer("{ match: query.a == 'b', body: 1 }");
    assert_eq!(
        messages(&text),
        ["expected a mapping with the keys query, headers, body, found the text `query.a == 'b'`"]
    );
    assert!(help(&text).unwrap().ends_with("did you mean `when`?"));
}

#[test]
fn a_number_for_a_duration_suggests_a_unit() {
    let text = answer("{ body: 1, after: 300 }");
    assert_eq!(help(&text).as_deref(), Some("did you mean `300ms`?"));
}

#[test]
fn unquoted_text_with_a_colon_suggests_quotes() {
    let flow = answer("{ text: Note: hello }");
    assert!(
        help(&flow).unwrap().contains("text that contains `: ` or one of `,[]{}` needs quotes"),
        "{}",
        report(&flow)
    );
    let block = with("http:\n  GET /x:\n    text: Note: hello");
    assert!(help(&block).unwrap().ends_with("text that contains `: ` needs quotes"), "{}", report(&block));
}

#[test]
fn unsupported_keys_are_not_suggested() {
    let text = answer("{ body: 1, zzzzzz: 2 }");
    let help = help(&text).unwrap();
    assert!(help.starts_with("the keys allowed here are `") && !help.contains("proxy"), "{help}");
}
