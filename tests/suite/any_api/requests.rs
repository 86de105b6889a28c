//! HTTP in any API: methods, forms, files and delayed answers.

use std::fs;

use serde_json::{Value, json};

use super::{NOTES, advance, paused};
use crate::support::{Mockd, ScenarioFile, http};

#[tokio::test]
async fn an_unsupported_method_gets_405_with_allow() {
    let mockd = paused(NOTES).await;
    for (method, path, allowed) in [
        ("DELETE", "/notes", "GET,HEAD,POST"),
        ("POST", "/notes/1", "GET,HEAD,PUT,PATCH,DELETE"),
        ("POST", "/price", "GET,HEAD,PUT"),
    ] {
        let refused = mockd.send(method, path, None).await;
        assert_eq!((refused.status, refused.header("allow")), (405, allowed), "{method} {path}");
        let options = mockd.send("OPTIONS", path, None).await;
        assert_eq!((options.status, options.header("allow")), (204, allowed), "{path}");
    }
}

#[tokio::test]
async fn the_next_path_that_has_the_method_answers() {
    const ROUTES: &str = "
data: { notes: [] }
http:
  GET /api/x: { body: { x: $method } }
  POST /api/{id}: { body: { id: $path.id } }
  /notes: { crud: { collection: notes, only: [list] } }
";
    let any = paused(&format!("{ROUTES}  ANY /{{*rest}}: {{ body: {{ rest: $path.rest, method: $method }} }}\n")).await;
    for (method, path, expected) in [
        ("GET", "/api/x", json!({ "x": "GET" })),
        ("POST", "/api/x", json!({ "id": "x" })),
        ("PUT", "/api/x", json!({ "rest": "api/x", "method": "PUT" })),
        ("GET", "/api/y", json!({ "rest": "api/y", "method": "GET" })),
        ("DELETE", "/notes", json!({ "rest": "notes", "method": "DELETE" })),
    ] {
        let answer = any.send(method, path, None).await;
        assert_eq!((answer.status, answer.json()), (200, expected), "{method} {path}");
    }
    let journal = any.get("/__mockd/journal?path=/api/x&method=PUT").await.json();
    assert_eq!(journal["entries"][0]["route"], "ANY /{*rest}");
    let delete = paused(&format!("{ROUTES}  DELETE /{{*all}}: {{ body: 1 }}\n")).await;
    for (path, allowed) in [("/notes", "GET,HEAD,DELETE"), ("/api/x", "GET,HEAD,POST,DELETE")] {
        let refused = delete.send("PUT", path, None).await;
        assert_eq!((refused.status, refused.header("allow")), (405, allowed), "{path}");
        assert_eq!(delete.send("OPTIONS", path, None).await.header("allow"), allowed, "{path}");
    }
}

#[tokio::test]
async fn routes_are_listed_with_kind_collection_and_parameters() {
    let mockd = paused(&format!("{NOTES}categories: {{ toys: {{ prefix: T }} }}")).await;
    let routes = mockd.get("/__mockd/routes").await.json()["routes"].clone();
    let of = |method: &str, path: &str| {
        let mut found = routes.as_array().unwrap().iter().filter(|one| one["method"] == method && one["path"] == path);
        let route = found.next().cloned().unwrap_or_default();
        json!([route["kind"], route["collection"], route["route"], route["parameters"]])
    };
    for (method, path, expected) in [
        ("GET", "/notes", json!(["list", "notes", "/notes", []])),
        ("PATCH", "/notes/{id}", json!(["merge", "notes", "/notes", ["id"]])),
        ("PUT", "/price", json!(["answer", null, "PUT /price", []])),
        ("GET", "/live", json!(["stream", null, "GET /live", []])),
        ("GET", "/toys", json!(["list", "toys", null, []])),
        ("POST", "/orders/{id}", json!(["order", null, null, ["id"]])),
        ("GET", "/orders/{category}", json!(["socket", null, null, ["category"]])),
    ] {
        assert_eq!(of(method, path), expected, "{method} {path}");
    }
}

#[tokio::test]
async fn head_has_the_headers_of_get_and_no_body() {
    let mockd = paused(NOTES).await;
    let get = mockd.get("/notes").await;
    let head = mockd.send("HEAD", "/notes", None).await;
    assert_eq!((head.status, head.text.as_str()), (200, ""));
    for name in ["content-type", "content-length", "x-total-count"] {
        assert_eq!(head.header(name), get.header(name), "{name}");
        assert_ne!(head.header(name), "", "{name}");
    }
}

#[tokio::test]
async fn an_unknown_path_gets_404_naming_the_nearest_route() {
    let mockd = paused(NOTES).await;
    for (path, nearest) in [("/note", "GET /notes"), ("/pric", "GET /price")] {
        let unknown = mockd.get(path).await;
        let message = format!("Route GET:{path} not found, did you mean {nearest}?");
        assert_eq!((unknown.status, &unknown.json()["message"]), (404, &json!(message)));
    }
    let message = mockd.get("/something/else/entirely").await.json()["message"].clone();
    assert_eq!(message, "Route GET:/something/else/entirely not found");
}

#[tokio::test]
async fn the_first_matching_answer_is_sent_or_the_nearest_named() {
    let mockd = paused(
        "
http:
  GET /search:
    - { match: { query: { q: cats } }, text: cats }
    - { when: query.q == 'dogs', text: dogs }
    - { when: \"headers['x-all'] == 'yes'\", status: 203, text: all }
",
    )
    .await;
    assert_eq!(mockd.get("/search?q=cats&page=2").await.text, "cats");
    assert_eq!(mockd.get("/search?q=dogs").await.text, "dogs");
    let all = http("GET", &format!("{}/search", mockd.url()), &[("x-all", "yes")], None).await;
    assert_eq!((all.status, all.text.as_str()), (203, "all"));
    let none = mockd.get("/search?q=birds").await;
    assert_eq!(none.status, 404);
    assert!(none.text.contains("query.q"), "{}", none.text);
    let journal = mockd.get("/__mockd/journal?path=/search").await.json();
    let last = journal["entries"].as_array().unwrap().last().unwrap().clone();
    assert!(last["answer"].to_string().contains("query.q"), "{last}");
}

#[tokio::test]
async fn the_first_of_equally_near_answers_is_named() {
    let mockd = paused(
        "
http:
  GET /search:
    - { match: { query: { q: cats, page: 1 } }, text: cats }
    - { match: { query: { q: dogs } }, when: query.page == '2', text: dogs }
    - { match: { query: { q: birds } }, text: birds }
",
    )
    .await;
    for (query, nearest) in [
        ("q=fish", r#"answer 2: query.q is "fish" instead of "dogs""#),
        ("q=dogs&page=3", "answer 2: `when: query.page == '2'` is false"),
        ("q=cats", "answer 1: query.page is null instead of 1"),
        ("", r#"answer 2: query.q is null instead of "dogs""#),
    ] {
        let none = mockd.get(&format!("/search?{query}")).await;
        let message = format!("No answer of GET /search matches the request; the nearest is {nearest}");
        assert_eq!((none.status, &none.json()["message"]), (404, &json!(message)), "{query}");
    }
}

#[tokio::test]
async fn forms_become_mappings_with_descriptions_of_their_files() {
    let mockd = paused("http: { POST /form: { body: $body } }").await;
    let url = format!("{}/form", mockd.url());
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let fields = http("POST", &url, &form, Some("name=Ada+L.&tag=a&tag=%C3%A9")).await;
    assert_eq!(fields.json(), json!({ "name": "Ada L.", "tag": ["a", "é"] }));
    let multipart = [("content-type", "multipart/form-data; boundary=XX")];
    let parts = "--XX\r\ncontent-disposition: form-data; name=\"name\"\r\n\r\nAda\r\n\
                 --XX\r\ncontent-disposition: form-data; name=\"photo\"; filename=\"ada.png\"\r\n\
                 content-type: image/png\r\n\r\n12345\r\n--XX--\r\n";
    let upload = http("POST", &url, &multipart, Some(parts)).await;
    let photo = json!({ "filename": "ada.png", "type": "image/png", "size": 5 });
    assert_eq!(upload.json(), json!({ "name": "Ada", "photo": photo }));
    let truncated = http("POST", &url, &multipart, Some(&parts[..parts.len() - 20])).await;
    assert_eq!(truncated.status, 400, "{}", truncated.text);
}

#[tokio::test]
async fn a_content_type_decides_whether_a_body_is_text() {
    let mockd = paused("http: { POST /any: { body: { is: $body } } }").await;
    let url = format!("{}/any", mockd.url());
    let described = |kind: &str| json!({ "is": { "type": kind, "size": 3 } });
    for (kind, expected) in [
        ("image/png", described("image/png")),
        ("audio/mpeg", described("audio/mpeg")),
        ("application/octet-stream", described("application/octet-stream")),
        ("application/pdf", described("application/pdf")),
        ("image/svg+xml", json!({ "is": "abc" })),
        ("text/csv", json!({ "is": "abc" })),
        ("application/xml", json!({ "is": "abc" })),
        ("application/unknown", json!({ "is": "abc" })),
    ] {
        let answer = http("POST", &url, &[("content-type", kind)], Some("abc")).await;
        assert_eq!(answer.json(), expected, "{kind}");
    }
    assert_eq!(http("POST", &url, &[], Some("abc")).await.json(), json!({ "is": "abc" }));
}

#[tokio::test]
async fn a_file_is_sent_whole_or_in_a_range() {
    let file = ScenarioFile::new("http: { 'GET /files/{name}': { file: 'files/{{ path.name }}' } }");
    fs::create_dir(file.directory().join("files")).unwrap();
    fs::write(file.directory().join("files/digits.txt"), "0123456789").unwrap();
    let mockd = Mockd::run(&file).await;
    let whole = mockd.get("/files/digits.txt").await;
    assert_eq!((whole.status, whole.text.as_str()), (200, "0123456789"));
    assert_eq!((whole.header("content-type"), whole.header("accept-ranges")), ("text/plain; charset=utf-8", "bytes"));
    let ranged = async |range| {
        let answer = http("GET", &format!("{}/files/digits.txt", mockd.url()), &[("range", range)], None).await;
        (answer.status, answer.header("content-range").to_owned(), answer.text)
    };
    assert_eq!(ranged("bytes=2-4").await, (206, "bytes 2-4/10".into(), "234".into()));
    assert_eq!(ranged("bytes=-3").await, (206, "bytes 7-9/10".into(), "789".into()));
    assert_eq!(ranged("bytes=0-").await, (206, "bytes 0-9/10".into(), "0123456789".into()));
    let (status, range, _) = ranged("bytes=20-").await;
    assert_eq!((status, range.as_str()), (416, "bytes */10"));
    assert_eq!(mockd.get("/files/none.txt").await.status, 404);
    let outside = mockd.get("/files/..%2Fshop.yaml").await;
    assert_eq!(outside.status, 400, "{}", outside.text);
}

#[tokio::test]
async fn a_delayed_answer_waits_for_the_clock() {
    let mockd = paused(
        "
data: { asked: false }
http:
  GET /late: { after: 3s, set: { asked: true }, text: late }
  GET /asked: { body: $asked }
",
    )
    .await;
    let url = format!("{}/late", mockd.url());
    let late = tokio::spawn(async move { http("GET", &url, &[], None).await });
    mockd.until("/asked", |asked| *asked == Value::Bool(true)).await;
    advance(&mockd, "", "2s999ms").await;
    assert!(!late.is_finished());
    advance(&mockd, "", "1ms").await;
    let answer = late.await.unwrap();
    assert_eq!((answer.status, answer.text.as_str()), (200, "late"));
}

#[tokio::test]
async fn a_reset_sends_a_delayed_answer_at_once() {
    let mockd = paused("http: { GET /late: { after: 3s, text: late } }").await;
    let url = format!("{}/late", mockd.url());
    let late = tokio::spawn(async move { http("GET", &url, &[], None).await });
    mockd.until("/__mockd/journal?path=/late", |journal| journal["entries"] != json!([])).await;
    mockd.control("POST", "/__mockd/reset", json!({})).await;
    assert_eq!(late.await.unwrap().text, "late");
}

#[tokio::test]
async fn a_location_escapes_only_what_is_invalid_in_a_path() {
    let mockd = paused("data: { files: [] }\nhttp: { /files: { crud: files } }").await;
    for (id, location) in [
        ("7b2a-11_x.~", "/files/7b2a-11_x.~"),
        ("a b/c", "/files/a%20b%2Fc"),
        ("a:b@c", "/files/a:b@c"),
        ("100%", "/files/100%25"),
    ] {
        let added = mockd.send("POST", "/files", Some(&json!({ "id": id }))).await;
        assert_eq!((added.status, added.header("location")), (201, location));
        assert_eq!(mockd.get(location).await.json()["id"], id);
    }
}

#[tokio::test]
async fn a_location_stays_in_the_world_of_its_request() {
    let mockd = paused("http: { GET /old: { status: 201, headers: { location: $query.to } } }").await;
    for (to, location) in [
        ("/new?x=1", "/@a/new?x=1"),
        ("//example.com/new", "//example.com/new"),
        ("/@b/new", "/@b/new"),
        ("https://example.com/", "https://example.com/"),
    ] {
        let answer = mockd.get(&format!("/@a/old?to={to}")).await;
        assert_eq!((answer.status, answer.header("location")), (201, location));
    }
    assert_eq!(mockd.get("/old?to=/new").await.header("location"), "/new");
}

#[tokio::test]
async fn an_answer_with_a_match_is_nearer_than_one_with_a_when() {
    let mockd =
        paused("http: { GET /s: [{ when: query.a, body: 1 }, { match: { query: { b: '1' } }, body: 2 }] }").await;
    let message = mockd.get("/s?b=2").await.json()["message"].clone();
    assert_eq!(
        message,
        "No answer of GET /s matches the request; the nearest is answer 2: query.b is \"2\" instead of \"1\""
    );
}

#[tokio::test]
async fn every_error_has_its_keys_in_the_same_order() {
    let mockd = paused(NOTES).await;
    for path in ["/nothing", "/notes/9"] {
        let missing = mockd.get(path).await;
        assert!(missing.text.starts_with(r#"{"statusCode":404,"error":"Not Found","message":"#), "{}", missing.text);
    }
}

#[tokio::test]
async fn errors_name_what_is_missing() {
    let mockd = paused(
        "
data: { notes: [] }
http: { /notes: { crud: notes }, POST /count: { order: { product: $body.product, amount: 1 } } }
",
    )
    .await;
    let (id, product) = (json!({ "id": "" }), json!({ "product": "A1" }));
    for (path, body, status, message) in [
        ("/notes", None, 400, "The request has no body"),
        ("/notes", Some(&id), 400, "A row's id must be non-empty text or an integer, found \"\""),
        ("/count", Some(&product), 404, "There is no product A1: the scenario has no `categories`"),
    ] {
        let refused = mockd.send("POST", path, body).await;
        assert_eq!((refused.status, &refused.json()["message"]), (status, &json!(message)), "{path}");
    }
}

#[tokio::test]
async fn each_may_be_undefined_if_when_is_false() {
    let step = "when: body.list, each: $body.list, add: { rows: { v: $item } }";
    let kept = "when: item != 2, each: $body.list, add: { rows: { v: $item } }";
    let routes =
        format!("POST /a: {{ do: [{{ {step} }}], body: $rows }}\n  POST /b: {{ do: [{{ {kept} }}], body: $rows }}");
    let mockd = paused(&format!("data: {{ rows: [] }}\nhttp:\n  {routes}\n")).await;
    let post = async |path: &str, body: Value| {
        let answer = mockd.send("POST", path, Some(&body)).await;
        (answer.status, answer.json())
    };
    assert_eq!(post("/a", json!({})).await, (200, json!([])));
    assert_eq!(post("/a", json!({ "list": [7] })).await, (200, json!([{ "id": 1, "v": 7 }])));
    // A condition on the items excludes no list as a whole.
    assert_eq!(post("/b", json!({})).await.0, 500);
    let rows = json!([{ "id": 1, "v": 7 }, { "id": 2, "v": 1 }]);
    assert_eq!(post("/b", json!({ "list": [1, 2] })).await, (200, rows));
}

#[tokio::test]
async fn an_undefined_each_suggests_an_empty_list() {
    let routes = "
  POST /once: { do: [{ each: $body.list, add: { rows: { v: $item } } }] }
  POST /nested: { do: [{ do: [{ each: \"{{ body.list | sort }}\", add: { rows: { v: $item } } }] }] }";
    let mockd = paused(&format!("data: {{ rows: [] }}\nhttp: {routes}\n")).await;
    for (path, fallback) in [("/once", "`{{ body.list or [] }}`"), ("/nested", "`(body.list or []) | sort`")] {
        let refused = mockd.send("POST", path, Some(&json!({}))).await;
        let message = refused.json()["message"].as_str().unwrap_or_default().to_owned();
        assert_eq!(refused.status, 500);
        assert!(message.ends_with(&format!("; provide a fallback with `or`: {fallback}")), "{message}");
    }
}
