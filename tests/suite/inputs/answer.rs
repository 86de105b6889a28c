//! Any request to the declared routes is rejected without changing state, or gets an answer that can be sent. The
//! command, replayed from a log on an engine restored from its state, has the same effect. A read-only view gives the
//! same answer.

use std::path::Component;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use mockd::engine::{Answered, AnsweredContent, Command, Effects, Engine, Refusal, RuleRequest};
use mockd::http::{FormError, read_form};
use mockd::scenario::{CrudOperation, PathMatch, Plan, Route, RouteMethod, Scenario, Source, encode_segment, parse};
use serde_json::{Map, Value};

/// Covers every kind of route.
const SCENARIO: &str = r#"
data:
  todos: [{ id: 1, title: one, n: 1, tags: [a] }, { id: 2, title: two, n: 2.5 }]
  letters: [{ id: A1, text: a }]
  price: { eur: 10, usd: 11 }
triggers:
  - { topic: todos, when: event.change == 'added', do: [{ set: { price.last: $event.row.id } }] }
  - { topic: loop, do: [{ send: { to: loop, frame: 1 } }] }
http:
  /todos:
    crud: { collection: todos, fields: { title: string }, defaults: { at: $now.iso }, query: { page: p, per_page: size },
      list: { data: $items, total: $total, size: $per_page, pages: $pages } }
  /letters: { crud: letters }
  GET /todos/{id}/title: { text: "{{ (todos | find(path.id)).title }}" }
  POST /todos/{id}/votes: { increment: { todos: { id: $path.id, n: $body.by } }, body: $it }
  POST /form: { when: body.name and body.name != 'x', add: { letters: { text: $body.name } }, status: 201, body: $it }
  GET /login:
    - { match: { headers: { x-user: "a*" } }, headers: { x-hello: "{{ headers['x-user'] }}" }, body: { user: $cookies.name } }
    - { match: { query: { role: admin, level: 3 } }, status: "{{ query.status | default(200) }}", text: $query.role }
    - { status: 401, body: { error: "{{ method ~ ' ' ~ url }}" } }
  POST /match: [{ match: { body: { a: [1, { b: c }] } }, text: yes }, { when: body is mapping, body: $body }, { text: no }]
  GET /files/{*path}: { file: "files/{{ path.path }}" }
  ANY /draw/{n}: { body: "{{ [random(1, 6), pick(todos), next(path.n), uuid(), fake('name'), joined(path.n)] }}" }
  PUT /price/{name}: { set: { price: "{{ dict(price, last=path.name) }}" }, body: $price }
  PUT /named/{n}: { with: { n: $path.n, twice: "{{ n ~ n }}" }, when: query.no != 'x', status: 201, body: [$n, $twice] }
  POST /all: { do: [{ each: $body.items, add: { todos: $item } }, { after: 1s, remove: { todos: $body.items.0.id } }] }
  POST /send/{topic}: { send: { to: $path.topic, frame: $body } }
  GET /live/{topic}:
    increment: { todos: { id: 1, n: 1 } }
    stream:
      - reply: { topic: $path.topic, n: $it.n, chance: "{{ random(1, 6) }}" }
      - { join: { to: $path.topic, where: { row: { title: $query.title } }, frame: "{{ [event.change, path.topic] }}" } }
      - { after: 100ms, times: forever, every: 1s, reply: "{{ todos | length }}" }
"#;

fn scenario() -> &'static Arc<Scenario> {
    static READ: OnceLock<Arc<Scenario>> = OnceLock::new();
    READ.get_or_init(|| {
        Arc::new(parse(&Source::new("answers.yaml", SCENARIO)).unwrap_or_else(|problems| panic!("{problems}")))
    })
}

/// Checks requests separated by `---` lines. Each is a line `METHOD TARGET`, header lines, an empty line and a body.
pub(crate) fn check(bytes: &[u8]) {
    let (mut engine, mut rest) = (Engine::new(scenario(), 7), Some(bytes));
    for member in 1..=20 {
        let Some(bytes) = rest.take() else { break };
        let (text, others) = split_at_first(bytes, b"\n---\n");
        let (head, body) = split_at_first(text, b"\n\n");
        request(&mut engine, member, &String::from_utf8_lossy(head), body);
        rest = others;
    }
    let mut copy = restore(&engine);
    assert_eq!(engine.advance(Duration::from_secs(3)), copy.advance(Duration::from_secs(3)));
    assert_eq!(state(&engine), state(&copy));
}

/// Returns the bytes before the first separator, and those after it, if any.
fn split_at_first<'b>(bytes: &'b [u8], separator: &[u8]) -> (&'b [u8], Option<&'b [u8]>) {
    let at = bytes.windows(separator.len()).position(|window| window == separator);
    at.map_or((bytes, None), |at| (&bytes[..at], Some(&bytes[at + separator.len()..])))
}

fn request(engine: &mut Engine, member: u64, head: &str, body: Option<&[u8]>) {
    let mut lines = head.lines();
    let (method, target) = lines.next().and_then(|line| line.split_once(' ')).unwrap_or(("GET", head));
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let path = path.trim_end_matches('/').split('/').map(|segment| encode_segment(&percent_decode(segment)));
    let path = path.collect::<Vec<String>>().join("/");
    let scenario = scenario().clone();
    let Some(found) = scenario.routes().find(&path) else { return };
    let Some(route) = found.route(route_method(method)) else { return };
    let Plan::Answer { answers, crud } = route.plan() else { return };
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers: Map<String, Value> =
        headers.map(|(name, value)| (name.to_ascii_lowercase(), Value::from(value))).collect();
    let content_type = headers.get("content-type").and_then(Value::as_str).unwrap_or_default();
    let body = match read_body(content_type, body) {
        Ok(body) => body,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let request = RuleRequest {
        method: Some(method.into()),
        url: Some(target.into()),
        path: Some(parameters(&found, route)),
        query: Some(query.split('&').filter(|pair| !pair.is_empty()).fold(Map::new(), with_parameter)),
        cookies: Some(headers.get("cookie").and_then(Value::as_str).map(cookies).unwrap_or_default()),
        headers: Some(headers),
        body,
    };
    let read = (answers.only_reads && crud.is_none_or(CrudOperation::only_reads))
        .then(|| engine.reading().answer(answers, *crud, request.clone()));
    let (key, request) = (answers.key.clone(), Box::new(request));
    let answered = apply(engine, Command::Answer { key, crud: *crud, request, member: Some(member) });
    if let Some(read) = read {
        assert_eq!(answered.as_ref().map(|effects| effects.answer.as_ref()), read.as_ref().map(Some));
    }
    if let Ok(effects) = answered {
        assert_sendable(&effects.answer.expect("a route answers"));
    }
}

/// Applies a command, and replays it from a log on a restored engine, which must behave the same.
fn apply(engine: &mut Engine, command: Command) -> Result<Effects, Refusal> {
    let (before, mut copy) = (state(engine), restore(engine));
    let text = serde_json::to_string(&command).expect("a command serializes to JSON");
    let replayed = copy.apply(serde_json::from_str(&text).expect("a command deserializes"));
    let applied = engine.apply(command);
    assert_eq!(applied, replayed, "{text}");
    assert_eq!(state(engine), state(&copy), "{text}");
    if let Err(refusal) = &applied {
        assert_eq!(state(engine), before, "{text}");
        assert!(!refusal.to_string().is_empty());
    }
    applied
}

/// Returns an engine restored from the state of another.
fn restore(engine: &Engine) -> Engine {
    let start = Engine::new(engine.scenario(), 7);
    let text = serde_json::to_string(&engine.save(&start)).expect("a state serializes to JSON");
    Engine::restored(&start, serde_json::from_str(&text).expect("a state deserializes"))
        .expect("the state matches the scenario")
}

fn state(engine: &Engine) -> Value {
    let start = Engine::new(engine.scenario(), 7);
    serde_json::to_value(engine.save(&start)).expect("a state serializes to JSON")
}

fn assert_sendable(answered: &Answered) {
    assert!((200..600).contains(&answered.status), "{answered:?}");
    assert!(answered.headers.iter().all(|(_, value)| !value.contains(['\r', '\n', '\0'])), "{answered:?}");
    if let AnsweredContent::File(path) = &answered.content {
        assert!(path.components().all(|part| part != Component::ParentDir), "{answered:?}");
        assert!(path.components().any(|part| part == Component::Normal("files".as_ref())), "{answered:?}");
    }
}

fn route_method(method: &str) -> RouteMethod {
    match method {
        "GET" => RouteMethod::Get,
        "POST" => RouteMethod::Post,
        "PUT" => RouteMethod::Put,
        "PATCH" => RouteMethod::Patch,
        "DELETE" => RouteMethod::Delete,
        _ => RouteMethod::Any,
    }
}

fn parameters(found: &PathMatch<'_, '_>, route: &Route) -> Map<String, Value> {
    let parameters = route.path().parameters();
    parameters
        .map(|parameter| (parameter.name().to_string(), percent_decode(found.parameter(parameter)).into()))
        .collect()
}

/// Adds a query parameter. A repeated parameter becomes a list.
fn with_parameter(mut query: Map<String, Value>, pair: &str) -> Map<String, Value> {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    let (name, value) = (percent_decode(name), Value::from(percent_decode(value)));
    match query.get_mut(&name) {
        Some(Value::Array(values)) => values.push(value),
        Some(first) => *first = Value::Array(vec![first.take(), value]),
        None => drop(query.insert(name, value)),
    }
    query
}

/// Returns a body as rules see it: form fields, JSON or text.
fn read_body(content_type: &str, body: Option<&[u8]>) -> Result<Option<Value>, FormError> {
    let Some(body) = body.filter(|body| !body.is_empty()) else { return Ok(None) };
    let fields = read_form(content_type, body.to_vec())?;
    let text = || Value::from(String::from_utf8_lossy(body));
    Ok(Some(fields.map_or_else(|| serde_json::from_slice(body).unwrap_or_else(|_| text()), Value::from)))
}

fn cookies(text: &str) -> Map<String, Value> {
    let pairs = text.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.into())).collect()
}

/// Decodes the percent-encoding of a text.
fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, others)) = rest.split_first() {
        let code = others.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let code = code.and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(|_| *first == b'%');
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &others[2..] } else { others };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
