//! Answers: lists, `with` names, near misses, ids and amounts.

use serde_json::{Value, json};

use super::members::notices;
use super::{ask, body, engine, post, request, rows};
use crate::engine::Command;
use crate::scenario::CrudOperation;

#[test]
fn a_list_reports_its_page_and_the_number_of_pages() {
    let text = "
data: { todos: { generate: { count: 25, row: { n: $index } } } }
http:
  /todos: { crud: { collection: todos, list: { total: $total, page: $page, per_page: $per_page, pages: $pages, first: $items.0.id } } }
";
    let engine = engine(text);
    let answers = engine.scenario().routes().answers("/todos").unwrap().clone();
    for (url, expected) in [
        ("/todos?_page=2&_per_page=10", json!({ "total": 25, "page": 2, "per_page": 10, "pages": 3, "first": 11 })),
        ("/todos", json!({ "total": 25, "page": 1, "per_page": 25, "pages": 1, "first": 1 })),
        ("/todos?n=7", json!({ "total": 1, "page": 1, "per_page": 1, "pages": 1, "first": 8 })),
    ] {
        let request = request("GET", url, Value::Null);
        let answered = engine.reading().answer(&answers, Some(CrudOperation::List), request).unwrap();
        assert_eq!(body(answered), expected, "{url}");
    }
}

#[test]
fn with_names_are_available_throughout_an_answer() {
    let mut engine = engine(
        "
data: { rows: [], price: 3 }
http:
  POST /orders:
    - match: { body: { amount: 0 } }
      with: { total: nothing }
      status: 400
    - with: { total: '{{ body.amount * price }}', label: '{{ total }} EUR', gone: $body.gone }
      when: total < 100
      add: { rows: { total: $total } }
      status: '{{ 200 + it.id }}'
      headers: { x-total: $label }
      body: { total: $total, label: $label, gone: $gone }
    - { with: { total: dear }, body: $total }
  GET /live: { with: { greeting: 'hello {{ query.name }}' }, stream: [{ reply: $greeting }] }
",
    );
    let mut order = |amount: i64| {
        let request = request("POST", "/orders", json!({ "amount": amount }));
        ask(&mut engine, "POST /orders", request).map(|effects| effects.answer.unwrap())
    };
    let answered = order(5).unwrap();
    assert_eq!((answered.status, &*answered.headers), (201, &[("x-total".to_owned(), "15 EUR".to_owned())][..]));
    assert_eq!(body(answered), json!({ "total": 15, "label": "15 EUR" }));
    assert_eq!(body(order(50).unwrap()), json!("dear"));
    assert_eq!(rows(&engine, "rows"), json!([{ "id": 1, "total": 15 }]));
    let request = Box::new(request("GET", "/live?name=Ada", Value::Null));
    let command = Command::Answer { key: "GET /live".into(), crud: None, request, member: Some(1) };
    let notices = notices(&engine.apply(command).unwrap().events);
    assert_eq!(notices, [r#"1: "hello Ada""#, "1 closed"]);
}

#[test]
fn the_first_of_equally_near_answers_is_the_nearest() {
    let mut engine = engine(
        "
http:
  GET /a:
    - { match: { query: { x: a, y: b } }, body: 1 }
    - { match: { query: { x: a }, headers: { x-b: yes } }, when: query.z == 'c', body: 2 }
    - { match: { query: { x: b }, headers: { x-b: yes } }, body: 3 }
    - { match: { query: { x: c } }, when: query.q == 'yes', body: 4 }
    - { when: query.q == '7', body: 5 }
    - { when: query.q == '8', body: 6 }
",
    );
    let mut refusal = |url: &str, header: Option<&str>| {
        let mut request = request("GET", url, Value::Null);
        request.headers.get_or_insert_default().extend(header.map(|value| ("x-b".to_owned(), value.into())));
        ask(&mut engine, "GET /a", request).unwrap_err().to_string()
    };
    let nearest = |text: &str| format!("No answer of GET /a matches the request; the nearest is answer {text}");
    // Each has one difference: `when` is not checked after a `match` that differs.
    assert_eq!(refusal("/a?x=z", None), nearest("4: query.x is \"z\" instead of \"c\""));
    assert_eq!(refusal("/a?x=c", None), nearest("4: `when: query.q == 'yes'` is false"));
    assert_eq!(refusal("/a?x=b&q=1", Some("no")), nearest("3: headers.x-b is \"no\" instead of \"yes\""));
    assert_eq!(refusal("/a?x=a", None), nearest("1: query.y is null instead of \"b\""));
}

#[test]
fn ids_and_amounts_are_parsed_as_in_the_api() {
    let mut engine = engine(
        "
categories: { toys: { prefix: T, products: [{ id: T1, name: a }] } }
data: { rows: [] }
http: { POST /count: { order: { product: T1, amount: $body } } }
",
    );
    for (id, is_taken) in [
        (json!("x"), true),
        (json!(7), true),
        (json!(-7), true),
        (json!(i64::MAX), true),
        (json!(1_u64 << 63), false),
        (json!(1.5), false),
        (json!(""), false),
        (json!([1]), false),
    ] {
        let done = post(&mut engine, json!([{ "add": { "rows": { "id": id } } }]));
        assert_eq!(done.is_ok(), is_taken, "{id}: {done:?}");
    }
    for (amount, expected) in [
        (json!(2), "T1: 2"),
        (json!(-2.0), "T1: 0"),
        (json!(1e2), "T1: 100"),
        (json!(1.5), "An order's amount must be an integer, found 1.5"),
        (json!(1e16), "The total of T1 would leave the range of ±9007199254740991, it stays 100"),
        (json!(u64::MAX), "The total of T1 would leave the range of ±9007199254740991, it stays 100"),
        (json!(-1e300), "The total of T1 would leave the range of ±9007199254740991, it stays 100"),
    ] {
        let request = request("POST", "/count", amount.clone());
        let shown = match ask(&mut engine, "POST /count", request) {
            Ok(_) => engine.counter_values().map(|(id, value)| format!("{id}: {value}")).collect::<Vec<_>>().concat(),
            Err(refusal) => refusal.to_string(),
        };
        assert_eq!(shown, expected, "{amount}");
    }
}

#[test]
fn a_trigger_may_listen_to_topics_by_prefix() {
    let mut engine = engine(
        "
data: { rows: [], heard: [] }
triggers:
  - { topic: room/*, add: { heard: { of: $topic } } }
  - { topic: rows*, add: { heard: { of: $topic } } }
",
    );
    let sent = json!({ "send": { "to": ["room/1", "rooms"], "frame": 1 } });
    post(&mut engine, json!([sent, { "add": { "rows": {} } }])).unwrap();
    // An added row also has a topic of its own, but fires the trigger once.
    assert_eq!(rows(&engine, "heard"), json!([{ "id": 1, "of": "room/1" }, { "id": 2, "of": "rows" }]));
}
