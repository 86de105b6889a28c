//! Routes, and steps run from the page.

use serde_json::json;

use super::{Dashboard, ERROR, NOTES, at_both_widths, text};
use crate::support::SHOP;

const ROUTES: &str =
    "[...document.querySelectorAll('#routes tr')].map(({ cells }) => [...cells].map(({ textContent }) => textContent))";

#[tokio::test]
async fn it_shows_routes_with_their_requests_and_last_status() {
    at_both_widths(async |window| {
        let page = Dashboard::open(NOTES, window).await;
        let with = |requests: [(&str, &str); 8]| {
            let routes = [
                ("GET", "/notes", "lists notes"),
                ("GET", "/notes/{id}", "returns one of notes"),
                ("POST", "/notes", "adds to notes"),
                ("PUT", "/notes/{id}", "replaces one of notes"),
                ("PATCH", "/notes/{id}", "changes one of notes"),
                ("DELETE", "/notes/{id}", "removes one of notes"),
                ("GET", "/price", "answers"),
                ("GET", "/live", "streams events"),
            ];
            let lines = routes.into_iter().zip(requests);
            json!(lines.map(|((a, b, c), (d, e))| [a, b, c, d, e]).collect::<Vec<_>>())
        };
        page.becomes(ROUTES, with([("0", ""); 8])).await;
        page.becomes(&text("#routes-count"), "8").await;
        for (method, path) in [
            ("GET", "/notes/1"),
            ("GET", "/notes/9"),
            ("HEAD", "/price"),
            ("GET", "/price/"),
            ("OPTIONS", "/price"),
            ("DELETE", "/notes/2"),
            ("GET", "/nothing"),
        ] {
            page.mockd.send(method, path, None).await;
        }
        let none = ("0", "");
        page.becomes(ROUTES, with([none, ("2", "404"), none, none, none, ("1", "200"), ("2", "200"), none])).await;
        page.assert_fits("routes", window).await;
        page.click("#clear").await;
        page.becomes(ROUTES, with([none; 8])).await;
        page.close().await;
    })
    .await;
}

#[tokio::test]
async fn requests_count_for_a_literal_segment_before_a_parameter() {
    at_both_widths(async |window| {
        let files =
            "http: { 'ANY /files/{*rest}': { body: 1 }, 'GET /files/a': { body: 2 }, 'GET /{name}': { body: 3 } }";
        let page = Dashboard::open(files, window).await;
        for path in ["/files/a", "/files/b", "/files/a/b", "/files"] {
            page.mockd.get(path).await;
        }
        page.becomes(
            &format!("{ROUTES}.map(([method, path,, count]) => [method, path, count])"),
            json!([["ANY", "/files/{*rest}", "2"], ["GET", "/files/a", "1"], ["GET", "/{name}", "1"]]),
        )
        .await;
        page.close().await;
    })
    .await;
}

#[tokio::test]
async fn the_journal_names_the_route_and_its_answer() {
    at_both_widths(async |window| {
        let page = Dashboard::open(NOTES, window).await;
        page.mockd.get("/price?in=cents").await;
        page.mockd.get("/price").await;
        let lines = "[...document.querySelectorAll('#journal [role=option]')].sort((one, other) => one.ariaPosInSet - other.ariaPosInSet)\
                     .map(row => row.lastChild.textContent.trim())";
        page.becomes(
            lines,
            json!(["GET /price → 200 (GET /price, answer 2)", "GET /price?in=cents → 200 (GET /price, answer 1)"]),
        )
        .await;
        page.click("#journal [aria-posinset='1']").await;
        let title = "[...document.querySelectorAll('#entry-content h3')].at(-1).textContent";
        page.becomes(title, "Answer 200, number 2 of its route").await;
        page.close().await;
    })
    .await;
}

#[tokio::test]
async fn it_runs_steps_and_shows_their_events() {
    at_both_widths(async |window| {
        let page = Dashboard::open(NOTES, window).await;
        let events = format!(
            "JSON.parse({}).events.map(({{ event, id, topic, name }}) => [event, id ?? topic ?? name])",
            text("#happened")
        );
        page.click("#post button").await;
        page.becomes(&events, json!([["sent", "news"]])).await;
        page.enter("#post textarea", r#"{"do":[{"add":{"notes":{"text":"three"}}},{"set":{"price":3}}]}"#).await;
        page.click("#post button").await;
        page.becomes(&events, json!([["added", 3], ["set", "price"]])).await;
        page.becomes(&text("[data-name=price] pre"), "3").await;
        page.becomes(&text("[data-name=notes] h3"), "notes 3 rows").await;
        page.assert_fits("carried-out", window).await;
        page.enter("#post textarea", r#"{"do":[{"set":{"prise":3}}]}"#).await;
        page.click("#post button").await;
        page.becomes(&format!("{ERROR}.includes('there is no value `prise`')"), true).await;
        page.becomes("document.querySelector('#happened').hidden", true).await;
        page.close().await;
    })
    .await;
}

#[tokio::test]
async fn requests_to_declared_routes_are_not_recorded_as_steps() {
    at_both_widths(async |window| {
        let login = "http: { POST /login: { status: 200, body: { ok: true } } }\n";
        let page = Dashboard::open(&format!("{SHOP}{login}"), window).await;
        page.mockd.post("/login", r#"{"name":"Ada"}"#).await;
        page.mockd.order("A1", 1).await;
        page.becomes(&text("#recorded"), "1 steps").await;
        page.becomes(&format!("{}.includes('A1')", super::STEPS), true).await;
        page.close().await;
    })
    .await;
}
