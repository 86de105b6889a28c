//! Routes and their answers.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use mockd::scenario::{Answer, Answers, Content, CrudOperation, Plan, Scenario, Verb};
use serde_json::json;

use super::with;

fn routes(routes: &str) -> Arc<Scenario> {
    with(&format!("http:\n  {routes}"))
}

/// Returns the answers of the only route of a scenario.
fn answers(value: &str) -> Arc<Answers> {
    let scenario = routes(&format!("ANY /x/{{room}}/{{name}}: {value}"));
    scenario.routes().answers("ANY /x/{room}/{name}").unwrap().clone()
}

fn answer(value: &str) -> (Arc<Answers>, usize) {
    let answers = answers(value);
    let last = answers.list.len() - 1;
    (answers, last)
}

/// Returns the routes that are not the shop's.
fn declared(scenario: &Scenario) -> Vec<String> {
    let general = scenario.routes().iter().filter(|route| matches!(route.plan(), Plan::Answer { .. }));
    general.map(ToString::to_string).collect()
}

#[test]
fn keys_are_methods_and_paths() {
    let scenario = routes(
        "GET /: { body: 1 }
  POST /a/{id}/b/{x-y}: {}
  ANY /files/{*rest}: {}
  DELETE /a%20b/: {}
  PATCH   /spaced: {}
  PUT /google:verb: {}",
    );
    assert_eq!(
        declared(&scenario),
        [
            "GET / → answer of `GET /`",
            "POST /a/{id}/b/{x-y} → answer of `POST /a/{id}/b/{x-y}`",
            "ANY /files/{*rest} → answer of `ANY /files/{*rest}`",
            "DELETE /a b → answer of `DELETE /a%20b/`",
            "PATCH /spaced → answer of `PATCH   /spaced`",
            "PUT /google:verb → answer of `PUT /google:verb`",
        ]
    );
}

#[test]
fn crud_has_a_route_for_each_operation() {
    let scenario = routes("/todos/: { crud: todos }");
    assert_eq!(
        declared(&scenario),
        [
            "GET /todos → list of `/todos/`",
            "GET /todos/{id} → get of `/todos/`",
            "POST /todos → add of `/todos/`",
            "PUT /todos/{id} → replace of `/todos/`",
            "PATCH /todos/{id} → merge of `/todos/`",
            "DELETE /todos/{id} → remove of `/todos/`",
        ]
    );
    let shared = scenario.routes().iter().filter_map(|route| match route.plan() {
        Plan::Answer { answers, .. } => Some(Arc::as_ptr(answers)),
        _ => None,
    });
    assert_eq!(shared.collect::<std::collections::HashSet<_>>().len(), 1);
    let some = routes(
        "/todos: [{ when: query.token != 'x', status: 401 }, { crud: { collection: todos, only: [get, list] } }]",
    );
    assert_eq!(declared(&some), ["GET /todos → list of `/todos`", "GET /todos/{id} → get of `/todos`"]);
}

#[test]
fn a_declared_method_overrides_crud() {
    let scenario = routes(
        "/todos: { crud: { collection: todos, only: [list, get, add] } }
  GET /todos/{todo}: { body: 1 }
  ANY /todos/{todo}: { status: 405 }
  GET /todos/first: { body: 2 }",
    );
    assert_eq!(
        declared(&scenario),
        [
            "GET /todos → list of `/todos`",
            "POST /todos → add of `/todos`",
            "GET /todos/{todo} → answer of `GET /todos/{todo}`",
            "ANY /todos/{todo} → answer of `ANY /todos/{todo}`",
            "GET /todos/first → answer of `GET /todos/first`",
        ]
    );
}

#[test]
fn crud_options_are_parsed() {
    let (answers, last) = answer("{}");
    assert!(matches!(answers.list[last].content, Content::Empty));
    let scenario = routes(
        "/t: { crud: { collection: todos, fields: { title: string }, defaults: { at: $now.iso }, only: [remove, add],
    query: { page: p, sort: s }, list: { data: $items, all: $total, of: $page, asked: $query } } }",
    );
    let Content::Crud(crud) = &scenario.routes().answers("/t").unwrap().list[0].content else { panic!() };
    assert_eq!(&*crud.collection, "todos");
    assert_eq!(crud.fields[0].0, "title");
    assert_eq!(crud.only, [CrudOperation::Add, CrudOperation::Remove]);
    assert_eq!((&*crud.query.page, &*crud.query.per_page, &*crud.query.sort), ("p", "_per_page", "s"));
    assert!(crud.defaults.is_some() && crud.list.is_some());
}

#[test]
fn an_answer_has_a_status_headers_and_one_content() {
    let (answers, last) =
        answer("{ status: 201, headers: { Set-Cookie: [a=1, b=2], X-N: 3 }, after: 300ms, body: null }");
    let Answer { status: Some(_), headers, content: Content::Constant(_), after, .. } = &answers.list[last] else {
        panic!("{:?}", answers.list[last])
    };
    let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!((names, *after), (vec!["set-cookie", "x-n"], Duration::from_millis(300)));
    for (text, is_expected) in [
        ("{ text: 'Hello {{ query.name }}' }", (|content| matches!(content, Content::Text(_))) as fn(&Content) -> bool),
        ("{ text: 1 }", |content| matches!(content, Content::Text(_))),
        (
            "{ file: 'images/{{ path.name }}.png' }",
            |content| matches!(content, Content::File { directory, .. } if directory.as_os_str().is_empty()),
        ),
        ("{ stream: [{ reply: $price }, { join: todos }, { close: {} }] }", |content| {
            matches!(content, Content::Stream(_))
        }),
        ("{ status: 204 }", |content| matches!(content, Content::Empty)),
        ("{ set: { price: 1 } }", |content| matches!(content, Content::Empty)),
    ] {
        assert!(is_expected(&answers_of(text)[0].content), "{text}");
    }
}

#[test]
fn a_file_path_may_leave_the_folder_before_an_expression() {
    for (path, lead_out) in [
        ("a.png", ""),
        ("images/{{ path.name }}.png", ""),
        ("../a.png", "../"),
        ("../images/{{ path.name }}/b.png", "../images/"),
        ("images/../b.png", "images/../"),
        ("/srv/a.png", "/srv/"),
        ("../$$1/a.png", "../$1/"),
        ("{{ path.name }}/../a.png", ""),
    ] {
        let answers = answers_of(&format!("{{ file: '{path}' }}"));
        let Content::File { lead, directory, .. } = &answers[0].content else { panic!("{path}") };
        assert_eq!((&**lead, &**directory), (lead_out, Path::new(lead_out)), "{path}");
    }
}

fn answers_of(text: &str) -> Vec<Answer> {
    Arc::into_inner(answers(text)).map(|answers| answers.list).unwrap()
}

#[test]
fn an_answer_may_run_steps_first() {
    let (one, last) = answer("{ add: { todos: { title: $body.title } }, status: 201, body: $it }");
    let steps = one.list[last].steps.as_ref().unwrap();
    assert_eq!(**steps.source(), json!([{ "add": { "todos": { "title": "$body.title" } } }]));
    let (several, last) = answer("{ do: [{ merge: { todos: { id: 1 } } }, { set: { price: $it.votes } }] }");
    assert_eq!(several.list[last].steps.as_ref().unwrap().steps().len(), 2);
}

#[test]
fn answers_list_the_request_parts_they_use() {
    for (value, names, only_reads) in [
        ("{ body: 1 }", &[][..], true),
        ("{ body: $price, headers: { x: $headers.y } }", &["headers"], true),
        ("{ when: path.name == now.iso, text: '{{ method }} {{ url }}' }", &["method", "now", "path", "url"], true),
        ("[{ match: { query: { a: 1 }, body: $cookies.x } }, {}]", &["body", "cookies", "query"], true),
        ("{ body: '{{ uuid() }}' }", &[], false),
        ("{ when: chance(0.5), body: 1 }", &[], false),
        ("{ body: \"{{ joined('todos') }}\" }", &[], false),
        ("{ set: { price: 1 } }", &[], false),
        ("{ stream: [{ reply: 1 }] }", &[], false),
        ("{ do: [{ with: { body: 1 }, set: { price: $body } }] }", &[], false),
        ("{ with: { path: $query.x, n: $path }, text: '{{ path }} {{ headers.a }}' }", &["headers", "query"], true),
        ("{ with: { n: '{{ random(1, 6) }}' }, body: $n }", &[], false),
        ("{ do: [{ each: $body, set: { price: $item } }] }", &["body"], false),
    ] {
        let answers = answers(value);
        let used: Vec<&str> = answers.names.iter().map(String::as_str).collect();
        assert_eq!((used, answers.only_reads), (names.to_vec(), only_reads), "{value}");
    }
    let scenario = routes("/t: { crud: { collection: todos, defaults: { id: '{{ uuid() }}' } } }");
    assert!(scenario.routes().answers("/t").unwrap().only_reads);
}

#[test]
fn a_match_has_a_query_headers_and_a_body() {
    let answers = answers(
        "[{ match: { query: { page: 2 }, headers: { Authorization: 'Bearer *' }, body: [1] }, when: true, status: 401 }, {}]",
    );
    let matches = answers.list[0].matches.as_ref().unwrap();
    assert!(matches.query.is_some() && matches.headers.is_some() && matches.body.is_some());
    assert!(answers.list[0].when.is_some() && answers.list[1].matches.is_none());
    assert_eq!(answers.source[1], json!({}));
}

#[test]
fn a_stream_joins_topics_and_replies() {
    let answers = answers(
        "{ stream: [
          { join: { to: [todos, people], where: { row: { room: $path.room } }, as: $query.id, frame: { event: $topic, data: $event.row },
                    do: [{ every: 1s, times: forever, reply: { comment: '{{ url }}' } }] } },
          { join: news }, { leave: [news, todos] }, { leave: { as: $query.id } }, { close: 4000 }, { close: { code: 4000, reason: bye } },
        ] }",
    );
    let Content::Stream(steps) = &answers.list[0].content else { panic!() };
    let Verb::Join(join) = &steps.steps()[0].verb else { panic!() };
    assert!(join.condition.is_some() && join.name.is_some() && join.frame.is_some());
    let inner = join.steps.as_ref().unwrap();
    assert_eq!(**inner.source(), json!([{ "every": "1s", "times": "forever", "reply": { "comment": "{{ url }}" } }]));
    assert!(matches!(&steps.steps()[3].verb, Verb::Leave { to: None, name: Some(_) }));
    assert!(matches!(&steps.steps()[5].verb, Verb::Close { code: Some(_), reason: Some(_) }));
}
