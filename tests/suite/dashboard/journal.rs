//! The journal of requests and frames.

use std::process::Command;

use serde_json::json;

use super::{Dashboard, ROWS, at_both_widths, text};
use crate::support::{SHOP, http, needs};

const DIALOG: &str = "document.querySelector('#entry').open";
const CONTENT: &str = "document.querySelector('#entry-content').textContent";
const CURL: &str = "document.querySelector('#curl textarea').value";

fn lines(selector: &str) -> String {
    format!(
        "[...document.querySelectorAll('#journal [role=option]')].map(row => row.querySelector('span:{selector}').textContent)"
    )
}

#[tokio::test]
async fn entries_can_be_filtered_and_show_headers_body_and_fault() {
    at_both_widths(async |window| {
        let page = Dashboard::open(SHOP, window).await;
        page.mockd
            .control(
                "POST",
                "/__mockd/faults",
                json!({ "name": "full", "on": "http", "path": "/orders/A2", "status": 507 }),
            )
            .await;
        let mut live = page.mockd.live("electronics").await;
        live.texts(2).await;
        live.update_category("confectionery").await;
        live.texts(1).await;
        let headers = [("content-type", "application/json"), ("x-trace", "it's 7")];
        let order = |id: &str| format!("{}/orders/{id}", page.mockd.url());
        http("POST", &order("A2"), &headers, Some(r#"{"amount":4}"#)).await;
        page.becomes(
            &lines("nth-child(2)"),
            json!(["request", "sent", "received", "sent", "sent", "opened", "request"]),
        )
        .await;
        page.enter("#filter [name=kind]", "request").await;
        page.enter("#filter [name=text]", "ORDERS/a2").await;
        page.becomes(&lines("last-child"), json!([r#"POST /orders/A2 → 507 (full) {"amount":4}"#])).await;
        page.becomes(&text("#entries"), "1 of 7").await;
        page.click("#journal [role=option]").await;
        page.becomes(DIALOG, true).await;
        page.becomes(&text("#entry-title"), "7: POST /orders/A2").await;
        for part in ["x-traceit's 7", "\"amount\": 4", "Answer 507", "fullanswered with 507"] {
            page.becomes(&format!("{CONTENT}.includes({})", json!(part)), true).await;
        }
        page.assert_fits("entry", window).await;
        page.browser.type_keys("\u{e00c}").await;
        page.becomes(DIALOG, false).await;
        page.enter("#filter [name=kind]", "received").await;
        page.enter("#filter [name=text]", "").await;
        page.becomes(ROWS, 1).await;
        page.click("#clear").await;
        page.becomes(&text("#entries"), "0 of 0").await;
        page.close().await;
    })
    .await;
}

#[tokio::test]
async fn an_empty_journal_says_that_it_has_no_entries() {
    at_both_widths(async |window| {
        let page = Dashboard::open(SHOP, window).await;
        page.becomes(&text("#entries"), "0 of 0").await;
        page.close().await;
    })
    .await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_request_copied_as_curl_repeats_it() {
    needs!(Browser, Curl);
    at_both_widths(async |window| {
        let page = Dashboard::open(SHOP, window).await;
        let json = [("content-type", "application/json"), ("x-trace", "it's 7"), ("x-empty", "")];
        let odd = r#"{"name":"it's \"new\" $HOME","big":12345678901234567890,"one":1.0}"#;
        let requests = [
            ("POST", "/electronics?why=it's&filter[a]={b,c}", &json[..], Some(odd)),
            ("HEAD", "/confectionery", &[], None),
            ("DELETE", "/orders/A1", &json[1..], None),
        ];
        page.mockd.get("/@a/electronics").await;
        page.browser.goto(&format!("{}/@a/__mockd/", page.mockd.url())).await;
        for (method, target, headers, body) in requests {
            page.mockd.control("DELETE", "/@a/__mockd/journal", json!(null)).await;
            page.becomes(&text("#entries"), "0 of 0").await;
            let url = format!("{}/@a{target}", page.mockd.url());
            let status = http(method, &url, headers, body).await.status;
            page.becomes(ROWS, 1).await;
            page.click("#journal [role=option]").await;
            page.becomes(DIALOG, true).await;
            let command = page.browser.eval(CURL).await.as_str().unwrap().to_owned();
            page.browser.type_keys("\u{e00c}").await;
            let answer = Command::new("sh").args(["-c", &command]).output().unwrap();
            let answer = String::from_utf8(answer.stdout).unwrap();
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{command}\n{answer}");
            let entries =
                page.mockd.send("GET", "/@a/__mockd/journal?brief=true&text=1000", None).await.json()["entries"]
                    .clone();
            for part in ["method", "path", "query", "text"] {
                assert_eq!(entries[0][part], entries[1][part], "{command}");
            }
            let entries = page.mockd.send("GET", "/@a/__mockd/journal", None).await.json()["entries"].clone();
            for header in ["x-trace", "x-empty"] {
                assert_eq!(entries[0]["headers"][header], entries[1]["headers"][header], "{command}");
            }
        }
        page.close().await;
    })
    .await;
}

#[tokio::test]
async fn the_keyboard_opens_an_entry_and_returns_to_the_list() {
    at_both_widths(async |window| {
        let page = Dashboard::open(SHOP, window).await;
        for id in ["A1", "A2"] {
            page.mockd.order(id, 1).await;
        }
        page.becomes(ROWS, 2).await;
        page.browser.eval("document.querySelector('#journal').focus()").await;
        page.browser.type_keys("\u{e015}\u{e015}").await;
        let active = "document.querySelector('#journal [aria-selected=true]')?.ariaPosInSet";
        page.becomes(active, "2").await;
        page.becomes("document.querySelector('#journal').getAttribute('aria-activedescendant') !== null", true).await;
        page.browser.type_keys("\u{e007}").await;
        page.becomes(&text("#entry-title"), "1: POST /orders/A1").await;
        page.browser.type_keys("\u{e00c}").await;
        page.becomes("document.activeElement.id", "journal").await;
        page.close().await;
    })
    .await;
}

#[tokio::test]
async fn only_visible_entries_of_10000_are_in_the_document() {
    at_both_widths(async |window| {
        let page = Dashboard::open(SHOP, window).await;
        let mut live = page.mockd.live("confectionery").await;
        live.texts(1).await;
        for _ in 0..10 {
            let orders = vec![json!({ "id": "B1", "amount": 1 }); 1_000];
            page.mockd.control("POST", "/__mockd/orders", json!({ "orders": orders })).await;
        }
        page.becomes(&text("#entries"), "10000 of 10000").await;
        let few = format!("{ROWS} > 5 && {ROWS} < 40");
        page.becomes(&few, true).await;
        let first = "document.querySelector('#journal [role=option]').ariaSetSize";
        page.becomes(first, "10000").await;
        page.browser.eval("document.querySelector('#journal').scrollTop = 5000 * 28").await;
        let positions =
            "[...document.querySelectorAll('#journal [role=option]')].map(({ ariaPosInSet }) => Number(ariaPosInSet))";
        page.becomes(&format!("{positions}.includes(5001) && {few}"), true).await;
        let rows = "[...document.querySelectorAll('#journal [role=option]')]";
        let row = page.browser.eval(&format!("{rows}[{positions}.indexOf(5001)].textContent")).await;
        let top = format!("{rows}.find(({{ textContent }}) => textContent === {row}).getBoundingClientRect().top");
        let before = page.browser.eval(&top).await;
        // A new entry does not move the rows in view.
        page.mockd.order("A1", 1).await;
        page.becomes("document.querySelector('#journal').scrollTop > 5000 * 28", true).await;
        page.becomes(&top, before).await;
        page.browser.eval("document.querySelector('#journal').scrollTop = 1e9").await;
        page.becomes(&format!("{positions}.includes(10000) && {few}"), true).await;
        page.assert_fits("ten-thousand", window).await;
        page.close().await;
    })
    .await;
}
