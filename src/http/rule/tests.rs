//! Tests the parts of requests that rules can read, and the responses built from answers.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use poem::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use serde_json::{Value, json};

use super::*;
use crate::engine::{Answered, AnsweredContent, Refusal};
use crate::expression::{Language, Names, Template};
use crate::http::cors::Readers;
use crate::scenario::{Answer, Crud, CrudQuery, PathPattern, Plan, RequestMatch, RouteMethod, RouteTable};

const ALL: [&str; 7] = ["method", "url", "path", "query", "headers", "cookies", "body"];

fn answer(content: Content) -> Answer {
    let (when, matches, steps, status, headers) = (None, None, None, None, Vec::new());
    Answer { when, matches, with: Vec::new(), steps, after: Duration::ZERO, status, headers, content }
}

fn answers(names: &[&str], list: Vec<Answer>) -> Answers {
    let names = names.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
    Answers { key: "ANY /files/{name}/{*rest}".into(), list, names, only_reads: true, source: Value::Null }
}

fn crud() -> Content {
    let (collection, query) = ("todos".into(), CrudQuery::default());
    let only = CrudOperation::ALL.into();
    Content::Crud(Arc::new(Crud { collection, fields: Vec::new(), defaults: None, only, query, list: None }))
}

fn template(value: &Value) -> Template {
    Language::default().template(value, &Names::from([])).unwrap()
}

/// Calls a route of any method to `/files/{name}/{*rest}`.
async fn call<T>(
    answers: Answers,
    crud: Option<CrudOperation>,
    request: &Request,
    run: impl AsyncFnOnce(RuleCall<'_>) -> T,
) -> T {
    let path = PathPattern::default().literal("files").parameter("name").0.rest("rest").0;
    let plan = Plan::Answer { answers: answers.into(), crud };
    let table = RouteTable::new([Route::new(RouteMethod::Any, path, plan)]).unwrap();
    let target = RequestTarget::new(request.method(), request.uri(), request.headers()).unwrap();
    let path = target.route_path();
    let routes = table.find(&path).unwrap();
    let route = routes.route(RouteMethod::Any).unwrap();
    let Plan::Answer { answers, crud } = route.plan() else { panic!("{route}") };
    run(RuleCall { target: &target, routes: &routes, route, answers, crud: *crud }).await
}

fn request(method: Method, uri: &str, headers: &[(&'static str, &[u8])]) -> Request {
    let mut request = Request::builder().method(method).uri(uri.parse::<Uri>().unwrap()).finish();
    for (name, value) in headers {
        let value = HeaderValue::from_bytes(value).unwrap();
        request.headers_mut().append(HeaderName::from_static(name), value);
    }
    request
}

async fn read(answers: Answers, crud: Option<CrudOperation>, request: &Request, body: &[u8]) -> Result<Value, String> {
    let body = Bytes::copy_from_slice(body);
    let read = call(answers, crud, request, async |call| call.read(request.headers(), &body)).await;
    read.map(|read| serde_json::to_value(read).unwrap()).map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_rule_sees_all_of_a_request() {
    let headers: [(&str, &[u8]); 7] = [
        ("accept", b"a"),
        ("accept", b"b"),
        ("x-odd", b"\xffx"),
        ("content-type", b"Application/JSON; charset=utf-8"),
        ("cookie", b"a=1; b=\"two words\";c==;bad; a=2"),
        ("cookie", b"d="),
        ("x-mockd-world", b"w"),
    ];
    let request = request(Method::POST, "/files/a%20%2F/b/c%2F%25/?x=1&y=%C3%BC+z&x=2&x=&flag", &headers);
    let read = read(answers(&ALL, Vec::new()), None, &request, br#"{"b":1,"a":[]}"#).await.unwrap();
    let expected = json!({
        "method": "POST",
        "url": "/files/a%20%2F/b/c%2F%25/?x=1&y=%C3%BC+z&x=2&x=&flag",
        "path": { "name": "a /", "rest": "b/c/%" },
        "query": { "x": ["1", "2", ""], "y": "ü z", "flag": "" },
        "headers": {
            "accept": "a, b",
            "x-odd": "\u{fffd}x",
            "content-type": "Application/JSON; charset=utf-8",
            "cookie": "a=1; b=\"two words\";c==;bad; a=2, d=",
            "x-mockd-world": "w",
        },
        "cookies": { "a": "1", "b": "two words", "c": "=", "d": "" },
        "body": { "b": 1, "a": [] },
    });
    assert_eq!(read, expected);
}

#[tokio::test]
async fn a_rule_does_not_see_the_prefix_of_its_world() {
    let request = request(Method::GET, "/@w/files/a/b?c", &[]);
    let read = read(answers(&["url"], Vec::new()), None, &request, b"").await.unwrap();
    assert_eq!(read["url"], "/files/a/b?c");
}

#[tokio::test]
async fn only_the_parts_that_rules_use_are_read() {
    let request = request(Method::PUT, "/files/a/b?q=1", &[("cookie", b"a=1"), ("content-type", b"application/json")]);
    let matching = |matches: RequestMatch| Answer { matches: Some(matches), ..answer(Content::Empty) };
    let any = || Some(template(&json!({})));
    for (names, list, crud, expected) in [
        (&[][..], vec![], None, ""),
        (&["now"], vec![answer(Content::Empty)], None, ""),
        (&["path"], vec![], None, "path"),
        (&["query", "cookies"], vec![], None, "query cookies"),
        (
            &[],
            vec![answer(Content::Empty), matching(RequestMatch { query: any(), ..RequestMatch::default() })],
            None,
            "query",
        ),
        (&[], vec![matching(RequestMatch { headers: any(), ..RequestMatch::default() })], None, "headers"),
        (&[], vec![matching(RequestMatch { body: any(), ..RequestMatch::default() })], None, "error"),
        (&["body"], vec![], None, "error"),
        (&[], vec![answer(crud())], Some(CrudOperation::List), "url path query"),
        (&[], vec![answer(crud())], Some(CrudOperation::Remove), "url path query"),
        (&[], vec![answer(crud())], Some(CrudOperation::Replace), "error"),
    ] {
        let read = read(answers(names, list), crud, &request, b"{").await;
        let is_read = |name: &&&str| {
            !matches!(&read.as_ref().unwrap()[**name], Value::Null) && {
                let value = &read.as_ref().unwrap()[**name];
                value != "" && *value != json!({})
            }
        };
        let shown = match &read {
            Ok(_) => ALL[1..].iter().filter(is_read).copied().collect::<Vec<_>>().join(" "),
            Err(error) if error.starts_with("Body is not valid JSON: ") => "error".to_owned(),
            Err(error) => error.clone(),
        };
        assert_eq!(shown, expected, "{names:?} {crud:?}");
    }
}

const MULTIPART: &[u8] = b"--x\r\ncontent-disposition: form-data; name=\"title\"\r\n\r\n\xc3\xbc\xff\r\n\
    --x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.png\"\r\ncontent-type: image/png\r\n\r\n12345\r\n\
    --x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"b\"\r\n\r\n\r\n--x--\r\n";

#[tokio::test]
async fn a_body_is_parsed_according_to_its_content_type() {
    for (kind, body, expected) in [
        (Some("application/json"), &b" 1e2"[..], Ok(json!(1e2))),
        (Some("application/problem+json"), b"{\"a\":1}", Ok(json!({ "a": 1 }))),
        (Some("application/json"), b"", Ok(json!(null))),
        (Some("application/json"), b"{", Err("Body is not valid JSON: EOF while parsing an object at line 1 column 1")),
        (None, b"[1]", Ok(json!([1]))),
        (None, b"[1", Ok(json!("[1"))),
        (None, b"\xff", Ok(json!({ "type": "application/octet-stream", "size": 1 }))),
        (Some("text/plain"), b"[1]", Ok(json!("[1]"))),
        (Some("application/xml; charset=utf-8"), b"<a/>", Ok(json!("<a/>"))),
        (Some("image/png"), b"\x89PNG\xff", Ok(json!({ "type": "image/png", "size": 5 }))),
        (
            Some("application/x-www-form-urlencoded"),
            b"a=1+2&b=%C3%BC&a=&c",
            Ok(json!({ "a": ["1 2", ""], "b": "ü", "c": "" })),
        ),
        (
            Some("Multipart/Form-Data; boundary=x"),
            MULTIPART,
            Ok(json!({
                "title": "ü\u{fffd}",
                "file": [
                    { "filename": "a.png", "type": "image/png", "size": 5 },
                    { "filename": "b", "type": "text/plain", "size": 0 },
                ],
            })),
        ),
        (
            Some("multipart/form-data; boundary=x"),
            b"--y--",
            Err("Body is not a valid form: incomplete multipart stream"),
        ),
        (
            Some("multipart/form-data"),
            MULTIPART,
            Err("Body is not a valid form: multipart boundary not found in Content-Type"),
        ),
    ] {
        let kind: Vec<(&str, &[u8])> = kind.iter().map(|kind| ("content-type", kind.as_bytes())).collect();
        let request = request(Method::POST, "/files/a/b", &kind);
        let read = read(answers(&["body"], Vec::new()), None, &request, body).await;
        assert_eq!(read.map(|read| read["body"].clone()), expected.map_err(str::to_owned), "{kind:?}");
    }
}

#[tokio::test]
async fn a_path_that_is_not_utf_8_is_refused() {
    let request = request(Method::GET, "/files/%ff/b", &[]);
    let read = read(answers(&["path"], Vec::new()), None, &request, b"").await;
    assert_eq!(read.unwrap_err(), "Path is not valid: its percent-encoding is not UTF-8 text");
}

fn answered(status: u16, headers: &[(&str, &str)], content: AnsweredContent) -> Answered {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Answered { number: 1, status, headers, content, after: Duration::ZERO, query_notes: Vec::new() }
}

/// Builds the response to an answer.
async fn respond(answers: Answers, crud: Option<CrudOperation>, answered: Answered, asked: Request) -> Shown {
    let again = request(asked.method().clone(), &asked.uri().to_string(), &[]);
    let response = call(answers, crud, &again, async |call| call.response(answered, asked).await).await;
    let mut response = response.unwrap_or_else(|error| error.to_response()).response;
    Readers::All.mark(&mut response, false);
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = response.take_body().into_bytes().await.unwrap();
    Shown { status, headers, body: String::from_utf8_lossy(&body).into() }
}

struct Shown {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Shown {
    fn header(&self, name: &str) -> String {
        let values = self.headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
        values.collect::<Vec<_>>().join(" | ")
    }
}

#[tokio::test]
async fn an_answer_becomes_a_response() {
    use AnsweredContent::{Empty, Json, Text};

    const JSON: &str = "application/json; charset=utf-8";
    for (answered, status, kind, body) in [
        (answered(204, &[], Empty), 204, "", ""),
        (answered(200, &[], Empty), 200, "", ""),
        (answered(201, &[], Json(json!({ "b": 1, "a": "ü" }))), 201, JSON, "{\"b\":1,\"a\":\"ü\"}"),
        (answered(404, &[], Json(Value::Null)), 404, JSON, "null"),
        (answered(200, &[("content-type", "application/hal+json")], Json(json!(1))), 200, "application/hal+json", "1"),
        (answered(200, &[], Text("ü".into())), 200, "text/plain; charset=utf-8", "ü"),
        (answered(200, &[("content-type", "text/html")], Text("<p>".into())), 200, "text/html", "<p>"),
        (answered(99, &[], Empty), 500, JSON, "HTTP does not allow the status 99"),
        (answered(200, &[("x y", "1")], Empty), 500, JSON, "HTTP does not allow the header x y"),
        (answered(200, &[("x", "1\n2")], Empty), 500, JSON, "HTTP does not allow the header x"),
    ] {
        let shown = respond(answers(&[], Vec::new()), None, answered, request(Method::GET, "/files/a/b", &[])).await;
        assert_eq!((shown.status, &*shown.header("content-type")), (status, kind), "{body}");
        assert!(if status == 500 { shown.body.contains(body) } else { shown.body == body }, "{}", shown.body);
    }
}

#[tokio::test]
async fn a_response_has_the_headers_of_its_answer() {
    let headers = [("set-cookie", "a=1"), ("x-a", "ü"), ("set-cookie", "b=2"), ("content-length", "99")];
    let answered = answered(200, &headers, AnsweredContent::Text("four".into()));
    let shown = respond(answers(&[], Vec::new()), None, answered, request(Method::GET, "/files/a/b", &[])).await;
    assert_eq!((&*shown.header("set-cookie"), &*shown.header("x-a")), ("a=1 | b=2", "ü"));
    assert_eq!(shown.header("access-control-expose-headers"), "x-a");
    assert_eq!(shown.header("content-length"), "");
}

#[tokio::test]
async fn paths_in_headers_keep_the_prefix_of_the_world() {
    let link = "</files/a/b?_page=1>; rel=\"first\", </files/a/b?_page=2>; rel=\"last\"";
    for (uri, crud, expected) in [
        ("/files/a/b", Some(CrudOperation::Add), ("/files/7", link.to_owned())),
        ("/@w/files/a/b", Some(CrudOperation::Add), ("/@w/files/7", link.replace("</", "</@w/"))),
        ("/@w/files/a/b", None, ("/@w/files/7", link.to_owned())),
    ] {
        let answered = answered(201, &[("location", "/files/7"), ("link", link)], AnsweredContent::Empty);
        let shown = respond(answers(&[], Vec::new()), crud, answered, request(Method::POST, uri, &[])).await;
        assert_eq!((&*shown.header("location"), shown.header("link")), expected, "{uri}");
    }
}

/// Requests a file from a directory with several files, next to a secret file outside.
async fn file(path: &str, status: u16, asked: Request) -> Shown {
    let scratch = tempfile::tempdir().unwrap();
    let directory = scratch.path().join("scenario");
    fs::create_dir_all(directory.join("files/empty")).unwrap();
    fs::write(scratch.path().join("secret"), "secret").unwrap();
    fs::write(directory.join("files/a.txt"), "0123456789").unwrap();
    fs::write(directory.join("files/latin.html"), b"\xfc").unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(scratch.path().join("secret"), directory.join("files/link")).unwrap();
    let declared: Arc<Path> = directory.clone().into();
    let (lead, declared_in) = ("".into(), Path::new("").into());
    let content = Content::File { path: template(&json!("any")), lead, directory: declared, declared_in };
    let answered = answered(status, &[], AnsweredContent::File(directory.join(path)));
    respond(answers(&[], vec![answer(content)]), None, answered, asked).await
}

#[tokio::test]
async fn a_file_is_sent_with_the_content_type_of_its_name() {
    let get = || request(Method::GET, "/files/a/b", &[]);
    for (path, status, expected, kind, body) in [
        ("files/a.txt", 200, 200, "text/plain; charset=utf-8", "0123456789"),
        ("./files/./a.txt", 200, 200, "text/plain; charset=utf-8", "0123456789"),
        ("files/a.txt", 404, 404, "text/plain; charset=utf-8", "0123456789"),
        ("files/b.txt", 200, 404, "", "File files/b.txt not found"),
        ("files/empty", 200, 404, "", "File files/empty not found"),
        ("files/../../secret", 200, 404, "", "File secret is outside the directory of the scenario"),
        ("/etc/hostname", 200, 404, "", "File hostname is outside the directory of the scenario"),
    ] {
        let shown = file(path, status, get()).await;
        assert_eq!(shown.status, expected, "{path}");
        assert!(shown.body == body || kind.is_empty() && shown.body.contains(body), "{path}: {}", shown.body);
        assert!(kind.is_empty() || shown.header("content-type") == kind, "{path}");
    }
    assert_eq!(
        file("files/latin.html", 200, request(Method::HEAD, "/files/a/b", &[])).await.header("content-type"),
        "text/html"
    );
    #[cfg(unix)]
    assert!(file("files/link", 200, get()).await.body.contains("File files/link is outside"));
}

#[tokio::test]
async fn ranges_and_conditions_of_files_are_answered() {
    const OLD: &str = "Thu, 01 Jan 1970 00:00:00 GMT";
    const LATE: &str = "Fri, 01 Jan 2100 00:00:00 GMT";
    for (method, status, (name, value), expected, range, body) in [
        (Method::GET, 200, (header::RANGE, "bytes=2-4"), 206, "bytes 2-4/10", "234"),
        (Method::GET, 200, (header::RANGE, "bytes=0-"), 206, "bytes 0-9/10", "0123456789"),
        (Method::GET, 200, (header::RANGE, "bytes=0-99"), 206, "bytes 0-9/10", "0123456789"),
        (Method::GET, 500, (header::RANGE, "bytes=0-"), 500, "", "0123456789"),
        (Method::HEAD, 200, (header::RANGE, "bytes=0-"), 200, "", "0123456789"),
        (Method::GET, 200, (header::RANGE, "bytes=-2"), 206, "bytes 8-9/10", "89"),
        (Method::GET, 200, (header::RANGE, "bytes=0-1,3-4"), 200, "", "0123456789"),
        (Method::GET, 200, (header::RANGE, "bytes=10-"), 416, "bytes */10", ""),
        (Method::GET, 500, (header::RANGE, "bytes=10-"), 500, "", "0123456789"),
        (Method::POST, 200, (header::RANGE, "bytes=2-4"), 200, "", "0123456789"),
        (Method::GET, 200, (header::IF_MODIFIED_SINCE, LATE), 304, "", ""),
        (Method::GET, 200, (header::IF_MODIFIED_SINCE, OLD), 200, "", "0123456789"),
        (Method::GET, 200, (header::IF_NONE_MATCH, "*"), 304, "", ""),
        (Method::POST, 200, (header::IF_NONE_MATCH, "*"), 200, "", "0123456789"),
        (Method::GET, 200, (header::IF_MATCH, "\"other\""), 412, "", ""),
    ] {
        let mut asked = request(method.clone(), "/files/a/b", &[]);
        asked.headers_mut().insert(name, HeaderValue::from_static(value));
        let shown = file("files/a.txt", status, asked).await;
        assert_eq!((shown.status, &*shown.header("content-range")), (expected, range), "{method} {value}");
        assert!(shown.body == body || expected >= 400 && status == 200, "{method} {value}: {}", shown.body);
        assert_eq!(shown.headers.contains_key(header::ACCEPT_RANGES), matches!(expected, 200 | 206 | 500), "{value}");
    }
}

#[test]
fn a_refusal_has_a_status() {
    for (refusal, status) in [
        (Refusal::UnknownRow("7".into()), 404),
        (Refusal::UnknownCollection("todos".into()), 404),
        (Refusal::DuplicateRow("7".into()), 409),
        (Refusal::At { index: 1, refusal: Box::new(Refusal::DuplicateRow("7".into())) }, 409),
        (Refusal::FixedId("7".into()), 400),
        (Refusal::NoBody, 400),
        (Refusal::Full { collection: "todos".into(), is_counted: false }, 413),
        (Refusal::ValuesTooLarge, 413),
        (Refusal::TooManyScheduled, 503),
        (Refusal::UnreadableSteps("x".into()), 500),
    ] {
        // The status is the same for a route and for the control API.
        for error in
            [refused(WorldError::Refused(refusal.clone())), ApiError::from(WorldError::Refused(refusal.clone()))]
        {
            assert_eq!(error.to_response().response.status().as_u16(), status, "{refusal}");
        }
    }
}

#[test]
fn refused_steps_give_500_in_a_scenario_and_400_in_a_request() {
    for refusal in [Refusal::TooManySteps, Refusal::NoMember, Refusal::MemoryTooLarge] {
        let of_scenario = refused(WorldError::Refused(refusal.clone())).to_response().response.status();
        let of_request = ApiError::from(WorldError::Refused(refusal)).to_response().response.status();
        assert_eq!((of_scenario.as_u16(), of_request.as_u16()), (500, 400));
    }
}
