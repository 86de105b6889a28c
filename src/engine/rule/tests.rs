//! Rules of small scenarios, run without a clock.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod answers;
mod connections;
mod guards;
mod leaving;
mod members;
mod operations;
mod reload;
mod restore;
mod resumption;
mod rollback;
mod rooms;
mod sockets;
mod world;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Answered, AnsweredContent, MAX_TRIGGERED, RuleRequest};
use crate::engine::{Command, Effects, Engine, Event, EventKind, Refusal, StepsText};
use crate::scenario::{CrudOperation, Scenario, Source, parse};

fn scenario(text: &str) -> Arc<Scenario> {
    match parse(&Source::new("test.yaml", text)) {
        Ok(scenario) => Arc::new(scenario),
        Err(problems) => panic!("{problems}"),
    }
}

fn engine(text: &str) -> Engine {
    Engine::new(&scenario(text), 42)
}

fn request(method: &str, url: &str, body: Value) -> RuleRequest {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let id = path.rsplit('/').next().unwrap_or_default();
    let query = query.split('&').filter_map(|pair| pair.split_once('='));
    RuleRequest {
        method: Some(method.into()),
        url: Some(url.into()),
        path: Some([("id".to_owned(), Value::from(id))].into_iter().collect()),
        query: Some(query.map(|(name, value)| (name.to_owned(), value.into())).collect()),
        body: Some(body).filter(|body| !body.is_null()),
        ..RuleRequest::default()
    }
}

fn ask(engine: &mut Engine, key: &str, request: RuleRequest) -> Result<Effects, Refusal> {
    engine.apply(Command::Answer { key: key.into(), crud: None, request: Box::new(request), member: None })
}

/// Returns the answer of a route to an empty request.
fn get(engine: &mut Engine, key: &str) -> Value {
    body(ask(engine, key, request("GET", "/", Value::Null)).unwrap().answer.unwrap())
}

fn body(answered: Answered) -> Value {
    match answered.content {
        AnsweredContent::Json(value) => value,
        AnsweredContent::Encoded(text) => serde_json::from_slice(&text).unwrap(),
        AnsweredContent::Text(text) => text.into(),
        AnsweredContent::Empty => Value::Null,
        other => panic!("{other:?}"),
    }
}

fn post(engine: &mut Engine, steps: Value) -> Result<Effects, Refusal> {
    engine.apply(Command::Steps { steps: StepsText::Written(steps) })
}

fn rows(engine: &Engine, collection: &str) -> Value {
    engine.collections().get(collection).unwrap().rows().iter().map(|row| row.to_json()).collect()
}

/// Returns when rows were added or steps skipped, in tenths of a second, with their texts.
fn added(events: &[Event]) -> Vec<(u128, String)> {
    let rows = events.iter().filter_map(|event| match &event.kind {
        EventKind::Added { row, .. } => {
            Some((event.at, row.fields().get("t").map(Value::to_string).unwrap_or_default()))
        }
        EventKind::Skipped { refusal, .. } => Some((event.at, format!("skipped: {refusal}"))),
        _ => None,
    });
    rows.map(|(at, text)| (at.as_millis() / 100, text)).collect()
}

#[test]
fn steps_of_a_list_run_at_their_times() {
    for (steps, expected) in [
        ("[{ add: { log: { t: 1 } } }, { after: 1s, add: { log: { t: 2 } } }]", "0:1 10:2"),
        // `after` counts from the end of the previous step, `at` from the start of the list.
        (
            "[{ add: { log: { t: 1 } }, times: 3, every: 1s }, { after: 500ms, add: { log: { t: 2 } } }]",
            "0:1 10:1 20:1 25:2",
        ),
        (
            "[{ at: 2s, add: { log: { t: 1 } } }, { add: { log: { t: 2 } } }, { at: 1s, add: { log: { t: 3 } } }]",
            "10:3 20:1 20:2",
        ),
        // A step that repeats forever has no end, so the next step counts from its start.
        (
            "[{ at: 0s, add: { log: { t: 1 } }, times: forever, every: 2s }, { after: 1s, add: { log: { t: 2 } } }]",
            "0:1 10:2 20:1 40:1",
        ),
        (
            "[{ each: '{{ [7, 8] }}', every: 1s, add: { log: { t: '{{ item + index }}' } } }, { add: { log: { t: 3 } } }]",
            "0:7 10:9 10:3",
        ),
        ("[{ each: '{{ [] }}', add: { log: { t: 1 } } }, { add: { log: { t: 2 } } }]", "0:2"),
        ("[{ times: 2, every: 1s, when: now.s % 2 == 1, add: { log: { t: 1 } } }]", "10:1"),
        ("[{ with: { a: 1, b: '{{ a + 1 }}' }, add: { log: { t: '$b' } } }]", "0:2"),
        // A refused step does not affect the others.
        ("[{ remove: { log: 9 } }, { add: { log: { t: 1 } } }]", "0:skipped: Row 9 not found in log 0:1"),
        // Of the steps due at one moment, the one listed first runs first.
        (
            "[{ at: 1s, add: { log: { t: 1 } } }, { at: 0s, add: { log: { t: 2 } }, times: 2, every: 1s }]",
            "0:2 10:1 10:2",
        ),
    ] {
        let text = format!("data: {{ log: [] }}\nscripts: [{{ name: s, steps: {steps} }}]");
        let events = engine(&text).advance(Duration::from_secs(5));
        let shown: Vec<String> = added(&events).iter().map(|(at, text)| format!("{at}:{text}")).collect();
        assert_eq!(shown.join(" "), expected, "{steps}");
    }
}

#[test]
fn a_repeating_script_restarts_when_it_ends() {
    let text = "data: { log: [] }\nscripts: [{ start: 1s, repeat: 2, steps: [{ after: 1s, add: { log: { t: 1 } } }, { after: 1s, add: { log: { t: 2 } } }] }]";
    let events = engine(text).advance(Duration::from_mins(1));
    assert_eq!(added(&events).iter().map(|(at, _)| *at).collect::<Vec<_>>(), [20, 30, 40, 50]);
    let text = "data: { nothing: [], log: [] }\nscripts: [{ repeat: forever, steps: [{ each: $nothing, every: 1s, add: { log: { t: 1 } } }] }]";
    let events = engine(text).advance(Duration::from_mins(1));
    let [(0, why)] = &added(&events)[..] else { panic!("{events:?}") };
    assert!(why.contains("takes no time"), "{why}");
}

const PIZZA: &str = "
data: { orders: [], log: [] }
http:
  POST /orders:
    - { when: body.bad, do: [{ add: { orders: { id: 1 } } }, { remove: { orders: 9 } }], body: 1 }
    - { when: body.broken, do: [{ add: { orders: { id: 1 } } }], body: '{{ it.nope }}' }
    - { do: [{ add: { orders: { pizza: $body.pizza } } }, { after: 5s, merge: { orders: { id: $it.id, done: true } } }], status: 201, body: $it }
";

#[test]
fn an_answer_runs_all_of_its_steps_or_none() {
    let mut engine = engine(PIZZA);
    let mut order = |body| ask(&mut engine, "POST /orders", request("POST", "/orders", body));
    assert!(matches!(order(json!({ "bad": true })), Err(Refusal::UnknownRow(_))));
    let Err(Refusal::Expression(error)) = order(json!({ "broken": true })) else { panic!() };
    assert_eq!(
        error.to_string(),
        "`it.nope` is undefined (test.yaml:6:76); provide a fallback with `or`: `{{ it.nope or '' }}`"
    );
    let Effects { events, answer, .. } = order(json!({ "pizza": "funghi" })).unwrap();
    let answer = answer.unwrap();
    // The refused requests left no rows, event numbers or ids behind.
    assert_eq!((answer.status, events[0].sequence), (201, 1));
    assert_eq!(body(answer), json!({ "id": 1, "pizza": "funghi" }));
    assert_eq!(engine.next_due(), Some(Duration::from_secs(5)));
    let events = engine.advance(Duration::from_secs(9));
    assert_eq!((events.len(), events[0].at), (1, Duration::from_secs(5)));
    assert_eq!(rows(&engine, "orders"), json!([{ "id": 1, "pizza": "funghi", "done": true }]));
}

#[test]
fn the_first_match_answers_or_the_nearest_is_named() {
    let mut engine = engine(
        "
data: { limit: 3 }
http:
  GET /a:
    - { match: { query: { n: 1, b: true } }, body: query }
    - { match: { headers: { authorization: 'Bearer *' } }, body: \"{{ 'headers' if headers.Authorization }}\" }
    - { match: { body: { user: { name: ada } } }, body: body }
    - { when: query.n | int > limit, body: when }
",
    );
    let mut answer = |url: &str, header: Option<&str>, body: Value| {
        let mut request = request("GET", url, body);
        request.headers.get_or_insert_default().extend(header.map(|value| ("authorization".to_owned(), value.into())));
        ask(&mut engine, "GET /a", request).map(|effects| self::body(effects.answer.unwrap()))
    };
    assert_eq!(answer("/a?n=1&b=true&c=2", None, Value::Null), Ok("query".into()));
    assert_eq!(answer("/a?n=1", Some("Bearer x"), Value::Null), Ok("headers".into()));
    assert_eq!(answer("/a", None, json!({ "user": { "name": "ada", "age": 36 } })), Ok("body".into()));
    assert_eq!(answer("/a?n=4", None, Value::Null), Ok("when".into()));
    let refusal = answer("/a?n=1", None, Value::Null).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "No answer of GET /a matches the request; the nearest is answer 1: query.b is null instead of true"
    );
}

#[test]
fn operations_on_a_collection_follow_rest_conventions() {
    use CrudOperation::{Add, Get, List, Merge, Remove, Replace};

    let text = "
data: { todos: [{ title: a }, { title: b }] }
http:
  /todos: { crud: { collection: todos, fields: { title: string, n: { type: integer, optional: true } }, defaults: { done: false, url: $url } } }
";
    let mut engine = engine(text);
    for (operation, url, sent, expected) in [
        (List, "/todos", json!(null), json!([200, [{ "id": 1, "title": "a" }, { "id": 2, "title": "b" }]])),
        (Get, "/todos/2", json!(null), json!([200, { "id": 2, "title": "b" }])),
        (Get, "/todos/3", json!(null), json!("Row 3 not found in todos")),
        (
            Add,
            "/todos",
            json!({ "title": "c" }),
            json!([201, { "id": 3, "title": "c", "done": false, "url": "/todos" }]),
        ),
        (Add, "/todos", json!({ "id": 2, "title": "c" }), json!("Row 2 already exists in todos")),
        (
            Add,
            "/todos",
            json!({ "id": "x", "title": "c", "done": 1 }),
            json!([201, { "id": "x", "title": "c", "done": 1, "url": "/todos" }]),
        ),
        (Add, "/todos", json!({ "title": 1 }), json!("Field title must be string")),
        (Add, "/todos", json!([1]), json!("The body must be a JSON object, found [1]")),
        (Add, "/todos", json!(null), json!("The request has no body")),
        (Merge, "/todos/1", json!({ "n": 5 }), json!([200, { "id": 1, "title": "a", "n": 5 }])),
        (Merge, "/todos/1", json!({ "n": "x" }), json!("Field n must be integer")),
        (Merge, "/todos/1", json!({ "id": "1", "n": null }), json!("Field n must be integer")),
        (Merge, "/todos/1", json!({ "id": 7 }), json!("The id 1 cannot change")),
        (Replace, "/todos/1", json!({ "n": 5 }), json!("Field title is missing")),
        (Replace, "/todos/1", json!({ "title": "z" }), json!([200, { "id": 1, "title": "z" }])),
        (Remove, "/todos/2", json!(null), json!([200, { "id": 2, "title": "b" }])),
        (Remove, "/todos/2", json!(null), json!("Row 2 not found in todos")),
        (List, "/todos?title=z&_page=1", json!(null), json!([200, [{ "id": 1, "title": "z" }]])),
        (List, "/todos?_page=x", json!(null), json!("_page must be a whole number from 1, not `x`")),
    ] {
        let command = Command::Answer {
            key: "/todos".into(),
            crud: Some(operation),
            request: Box::new(request("", url, sent.clone())),
            member: None,
        };
        let found = match engine.apply(command).map(|effects| effects.answer.unwrap()) {
            Ok(answered) => json!([answered.status, body(answered)]),
            Err(refusal) => refusal.to_string().into(),
        };
        assert_eq!(found, expected, "{operation} {url} {sent}");
    }
}

#[test]
fn triggers_fire_on_events_and_set_off_other_triggers() {
    let mut engine = engine(
        "
data: { a: [], b: [], count: 0 }
triggers:
  - { topic: a, when: event.change == 'added', add: { b: { of: $event.row.id } } }
  - { topic: b, do: [{ set: { count: '{{ count + 1 }}' } }, { after: 1s, send: { to: news, frame: { of: $event.row.of } } }] }
  - { topic: news, set: { count: '{{ count * 10 + event.of }}' } }
  - { topic: a/2, set: { count: 7 } }
",
    );
    post(&mut engine, json!([{ "add": { "a": {} } }])).unwrap();
    assert_eq!(rows(&engine, "b"), json!([{ "id": 1, "of": 1 }]));
    engine.advance(Duration::from_secs(1));
    assert_eq!(**engine.data_values().get("count").unwrap(), json!(11));
    post(&mut engine, json!([{ "add": { "a": { "id": 2 } } }])).unwrap();
    // The trigger on the row fires before the one that the other trigger sets off.
    assert_eq!(**engine.data_values().get("count").unwrap(), json!(8));
}

#[test]
fn triggers_that_set_each_other_off_stop_at_a_limit() {
    let mut engine = engine(
        "
data: { n: 0, m: 0 }
triggers:
  - { topic: n, set: { m: '{{ m + 1 }}' } }
  - { topic: m, set: { n: '{{ n + 1 }}' } }
",
    );
    let events = post(&mut engine, json!([{ "set": { "n": 1 } }])).unwrap().events;
    let Some(EventKind::Skipped { refusal, .. }) = events.last().map(|event| &event.kind) else { panic!() };
    assert_eq!(*refusal, Refusal::TooManyTriggers("n".into()));
    assert_eq!(events.len(), MAX_TRIGGERED + 2);
    // Later commands are not affected.
    assert!(post(&mut engine, json!([{ "add": { "nope": {} } }])).is_err());
}

#[test]
fn random_values_do_not_depend_on_other_rules() {
    let dice = "GET /dice: { body: \"{{ [random(1, 1000), next('a'), uuid(), fake('name')] }}\" }";
    let mut alone = engine(&format!("http:\n  {dice}"));
    let other = "GET /coin: { body: '{{ random(1, 1000) }}' }";
    let mut beside = engine(&format!("http:\n  {other}\n  {dice}"));
    for _ in 0..3 {
        get(&mut beside, "GET /coin");
        assert_eq!(get(&mut alone, "GET /dice"), get(&mut beside, "GET /dice"));
    }
    assert_eq!(get(&mut alone, "GET /dice")[1], 4);
    // A refused rule has drawn nothing.
    let mut engine = engine(
        "http: { GET /a: [{ when: query.bad, body: '{{ random(1, 1000).x }}' }, { body: '{{ random(1, 1000) }}' }] }",
    );
    let mut same = engine.clone();
    assert!(ask(&mut engine, "GET /a", request("GET", "/a?bad=1", Value::Null)).is_err());
    assert_eq!(get(&mut engine, "GET /a"), get(&mut same, "GET /a"));
}

#[test]
fn a_generator_draws_rows_and_fires_its_rule() {
    let text = "
seed: 1
data: { stocks: [{ id: A, n: 0 }, { id: B, n: 0 }, { id: C, n: 0 }] }
random:
  - { every: 100ms, pick: stocks, increment: { stocks: { id: $it.id, n: 1 } } }
  - { every: 100ms, pick: { weights: { A: 1, C: 3 } }, increment: { stocks: { id: $it.id, n: 1000 } } }
";
    let mut engine = engine(text);
    engine.advance(Duration::from_secs(100));
    let all = rows(&engine, "stocks");
    let counts = |at: usize| (all[at]["n"].as_i64().unwrap() % 1000, all[at]["n"].as_i64().unwrap() / 1000);
    for at in 0..3 {
        assert!((280..390).contains(&counts(at).0), "{all}");
    }
    assert_eq!(counts(1).1, 0);
    assert!((200..300).contains(&counts(0).1) && (700..800).contains(&counts(2).1), "{all}");
}

#[test]
fn a_reload_keeps_scheduled_steps_with_the_same_text() {
    let route = |after: &str| {
        format!(
            "data: {{ log: [] }}\nhttp: {{ POST /a: {{ do: [{{ after: {after}, add: {{ log: {{ t: 1 }} }} }}] }} }}"
        )
    };
    for (new, expected) in [
        (route("5s") + "\nname: other", 1),
        (route("6s"), 0),
        ("data: { log: [] }\nhttp: { POST /b: {} }".to_owned(), 0),
    ] {
        let mut engine = engine(&route("5s"));
        ask(&mut engine, "POST /a", request("POST", "/a", Value::Null)).unwrap();
        let changes = engine.replace(&scenario(&new), 42).changes;
        assert!(!changes.is_empty(), "{new}");
        assert_eq!(added(&engine.advance(Duration::from_secs(9))).len(), expected, "{new}");
    }
}

#[test]
fn a_restored_engine_continues_where_it_was_saved() {
    let text = "
data: { log: [], n: 0 }
scripts: [{ name: s, repeat: forever, steps: [{ after: 1s, add: { log: { t: '{{ random(1, 1000) }}' } } }, { after: 700ms, set: { n: \"{{ next('n') }}\" } }] }]
random: [{ every: 300ms, jitter: 100ms, add: { log: { t: \"{{ fake('word') }}\" } } }]
triggers: [{ topic: n, do: [{ after: 2s, add: { log: { t: $event.value } } }] }]
";
    let start = engine(text);
    let mut original = start.clone();
    original.advance(Duration::from_millis(7_350));
    post(&mut original, json!([{ "after": "1s", "add": { "log": { "t": "posted" } } }])).unwrap();
    let state = serde_json::to_string(&original.save(&start)).unwrap();
    let mut restored = Engine::restored(&start, serde_json::from_str(&state).unwrap()).unwrap();
    let until = Duration::from_secs(30);
    let (one, other) = (original.advance(until), restored.advance(until));
    assert!(one.len() > 50);
    assert_eq!(one, other);
}

#[test]
fn a_reload_lists_the_rules_it_changes() {
    let old = "http: { GET /a: { body: 1 }, GET /b: { body: 1 } }\ntriggers: [{ topic: t, send: { to: u, frame: 1 } }]\nscripts: [{ name: s, steps: [{ send: { to: t, frame: 1 } }] }]";
    let new = "starts: 2027-01-01T00:00:00Z\nhttp: { GET /a: { body: 2 }, GET /c: { body: 1 } }\ntriggers: [{ topic: t, send: { to: u, frame: 2 } }]\nscripts: [{ name: r, steps: [{ send: { to: t, frame: 1 } }] }]";
    let changes = engine(old).replace(&scenario(new), 42).changes;
    let shown: Vec<String> = changes.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "starts changed",
            "GET /a changed",
            "GET /c added",
            "GET /b removed",
            "triggers/t changed",
            "scripts/r added",
            "scripts/s removed",
        ]
    );
}

#[test]
fn a_status_that_http_does_not_allow_is_the_scenarios_fault() {
    let mut engine = engine("data: { price: 3 }\nhttp: { GET /a: { status: '{{ price }}' } }");
    let refusal = ask(&mut engine, "GET /a", request("GET", "/a", Value::Null)).unwrap_err();
    assert!(refusal.is_defect_of_scenario());
    assert_eq!(
        refusal.to_string(),
        "`price` fails: the status must be an integer from 200 to 599, found 3 (test.yaml:2:31)"
    );
}
