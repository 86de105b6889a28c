//! Expectations of queries, forms and binary bodies, which are compared as routes see them.

use serde_json::{Value, json};

use super::verify;
use crate::support::{Mockd, ScenarioFile, http};

const FORM: &str = "application/x-www-form-urlencoded";

async fn run() -> Mockd {
    let scenario =
        "http: { 'ANY /{*rest}': [{ match: { body: { name: Ada } }, body: $body }, { body: [$query, $body] }] }";
    Mockd::run_with(ScenarioFile::new(scenario).path(), &["--paused"]).await
}

async fn post(mockd: &Mockd, content_type: &str, body: &str) {
    let answer = http("POST", &format!("{}/upload", mockd.url()), &[("content-type", content_type)], Some(body)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

async fn assert_verdicts(mockd: &Mockd, expected: &[(Value, bool)]) {
    for (expectation, pass) in expected {
        let verdict = verify(mockd, json!({ "expect": [expectation] })).await;
        assert_eq!(verdict["pass"], *pass, "{expectation} {verdict}");
    }
}

#[tokio::test]
async fn an_expected_mapping_matches_the_fields_of_a_form() {
    let mockd = run().await;
    post(&mockd, FORM, "name=Ada+L.&tag=a&tag=%C3%A9").await;
    let all = json!({ "name": "Ada L.", "tag": ["a", "é"] });
    let expected = [
        (json!({ "body": { "name": "Ada L." } }), true),
        (json!({ "body": { "tag": ["a", "é"] } }), true),
        (json!({ "body": { "name": "Ada" } }), false),
        (json!({ "bodyEquals": all }), true),
        (json!({ "bodyEquals": { "name": "Ada L." } }), false),
        (json!({ "body": "name=Ada+L.&tag=a&tag=%C3%A9" }), true),
        (json!({ "body": "Ada L." }), false),
        (json!({ "bodyContains": "tag=a&tag=" }), true),
    ];
    assert_verdicts(&mockd, &expected).await;
    let verdict = verify(&mockd, json!({ "expect": [{ "body": { "name": "Ada" } }] })).await;
    let difference = json!({ "field": "body.name", "expected": "Ada", "found": "Ada L." });
    assert_eq!(verdict["findings"][0]["nearest"][0]["differences"], json!([difference]));
}

#[tokio::test]
async fn a_form_that_parses_as_json_is_compared_as_a_form() {
    let mockd = run().await;
    post(&mockd, FORM, "7").await;
    post(&mockd, FORM, r#"{"a":1}"#).await;
    let expected =
        [(json!({ "body": { "7": "" } }), true), (json!({ "body": { "a": 1 } }), true), (json!({ "body": 7 }), true)];
    assert_verdicts(&mockd, &expected).await;
}

#[tokio::test]
async fn an_expected_mapping_matches_an_upload_of_any_size() {
    for size in [5, 100_000] {
        let mockd = run().await;
        let parts = format!(
            "--XX\r\ncontent-disposition: form-data; name=\"name\"\r\n\r\nAda\r\n\
             --XX\r\ncontent-disposition: form-data; name=\"photo\"; filename=\"ada.png\"\r\n\
             content-type: image/png\r\n\r\n{}\r\n--XX--\r\n",
            "1".repeat(size)
        );
        post(&mockd, "multipart/form-data; boundary=XX", &parts).await;
        let photo = |size: usize| json!({ "filename": "ada.png", "type": "image/png", "size": size });
        let expected = [
            (json!({ "body": { "name": "Ada", "photo": photo(size) } }), true),
            (json!({ "body": { "photo": { "type": "image/png" } } }), true),
            (json!({ "body": { "photo": photo(size + 1) } }), false),
            (json!({ "bodyContains": "filename=\"ada.png\"" }), true),
        ];
        assert_verdicts(&mockd, &expected).await;
    }
}

#[tokio::test]
async fn a_binary_body_is_compared_by_its_type_and_size() {
    for size in [3, 100_000] {
        let mockd = run().await;
        post(&mockd, "image/png", &"a".repeat(size)).await;
        let expected = [
            (json!({ "body": { "type": "image/png", "size": size } }), true),
            (json!({ "body": { "type": "image/png", "size": size + 1 } }), false),
            (json!({ "body": "aaa" }), size == 3),
        ];
        assert_verdicts(&mockd, &expected).await;
    }
}

#[tokio::test]
async fn json_in_text_matches_an_expected_mapping() {
    let mockd = run().await;
    post(&mockd, "text/plain;charset=UTF-8", r#"{"a":1}"#).await;
    assert_verdicts(&mockd, &[(json!({ "body": { "a": 1 } }), true), (json!({ "body": { "a": 2 } }), false)]).await;
}

#[tokio::test]
async fn a_query_is_compared_as_a_mapping_or_as_text() {
    let mockd = run().await;
    mockd.get("/list?page=2&tag=a&tag=b&q=a+b").await;
    let expected = [
        (json!({ "query": { "page": "2" } }), true),
        (json!({ "query": { "page": 2 } }), true),
        (json!({ "query": { "q": "a b", "tag": ["a", "b"] } }), true),
        (json!({ "query": { "page": "3" } }), false),
        (json!({ "query": { "none": "1" } }), false),
        (json!({ "query": {} }), true),
        (json!({ "query": "page=2&*" }), true),
        (json!({ "query": "page=2" }), false),
    ];
    assert_verdicts(&mockd, &expected).await;
    let verdict = verify(&mockd, json!({ "expect": [{ "query": { "page": "3", "q": "a b" } }] })).await;
    let difference = json!({ "field": "query.page", "expected": "3", "found": "2" });
    assert_eq!(verdict["findings"][0]["nearest"][0]["differences"], json!([difference]));
    let invalid = mockd.send("POST", "/__mockd/verify", Some(&json!({ "expect": [{ "query": 7 }] }))).await;
    assert_eq!((invalid.status, &invalid.json()["field"]), (400, &json!("expect[0].query")), "{}", invalid.text);
}
