//! The data of a scenario without a shop.

use serde_json::json;

use super::{Dashboard, ERROR, NOTES, at_both_widths, text};
use crate::support::{Mockd, SHOP, ScenarioFile};

/// Returns a script that reads the cells of a collection's rows.
fn rows(name: &str) -> String {
    format!(
        "[...document.querySelectorAll('[data-name={name}] tbody tr')].map(({{ cells }}) => [...cells].map(({{ textContent }}) => textContent))"
    )
}

fn count(name: &str) -> String {
    format!("document.querySelectorAll('[data-name={name}] tbody tr').length")
}

const SHOP_SECTIONS: &str = "[...document.querySelectorAll('[data-shop]')].map(({ hidden }) => hidden)";
const DATA_SECTION: &str = "document.querySelector('#data-section').hidden";

#[tokio::test]
async fn it_shows_values_and_rows_as_they_change() {
    at_both_widths(async |window| {
        let page = Dashboard::open(NOTES, window).await;
        page.becomes(&text("[data-name=notes] h3"), "notes 2 rows").await;
        let heads =
            "[...document.querySelectorAll('[data-name=notes] th[scope=col]')].map(({ textContent }) => textContent)";
        page.becomes(heads, json!(["id", "text", "Remove"])).await;
        page.becomes(&rows("notes"), json!([["1", "one", "Remove"], ["2", "two", "Remove"]])).await;
        page.becomes(&text("[data-name=price] pre"), "10").await;
        page.browser.eval("document.querySelector('[aria-label=\"Remove 2 from notes\"]').focus()").await;
        page.mockd.post("/notes", r#"{"text":"three","tags":["a"]}"#).await;
        page.mockd.send("DELETE", "/notes/1", None).await;
        page.mockd.control("PATCH", "/__mockd/state", json!({ "data": { "price": { "low": 1 } } })).await;
        page.becomes(&rows("notes"), json!([["2", "two", "", "Remove"], ["3", "three", r#"["a"]"#, "Remove"]])).await;
        page.becomes(&format!("JSON.parse({})", text("[data-name=price] pre")), json!({ "low": 1 })).await;
        // The focus stays on its row.
        page.becomes("document.activeElement.ariaLabel", "Remove 2 from notes").await;
        page.assert_fits("data", window).await;
        page.mockd.control("POST", "/__mockd/reset", json!({})).await;
        page.becomes(&rows("notes"), json!([["1", "one", "Remove"], ["2", "two", "Remove"]])).await;
        page.close().await;
    })
    .await;
}

#[tokio::test]
async fn it_changes_a_value_and_reports_an_invalid_one() {
    at_both_widths(async |window| {
        let page = Dashboard::open(NOTES, window).await;
        let field = "document.querySelector('[data-name=price] textarea').value";
        page.becomes(&text("[data-name=price] pre"), "10").await;
        page.click("[data-name=price] summary").await;
        page.becomes(field, "10").await;
        page.enter("[data-name=price] textarea", "[1, ").await;
        page.click("[data-name=price] button").await;
        page.becomes(&format!("{ERROR}.startsWith('That did not work: ')"), true).await;
        page.enter("[data-name=price] textarea", r#"{"text":"$9 {{ a }}"}"#).await;
        page.click("[data-name=price] button").await;
        page.becomes(&format!("JSON.parse({})", text("[data-name=price] pre")), json!({ "text": "$9 {{ a }}" })).await;
        page.becomes(ERROR, "").await;
        assert_eq!(page.mockd.get("/price").await.json(), json!({ "text": "$9 {{ a }}" }));
        // Typed text stays while the value changes.
        page.enter("[data-name=price] textarea", "12").await;
        page.mockd.control("PATCH", "/__mockd/state", json!({ "data": { "price": 11 } })).await;
        page.becomes(&text("[data-name=price] pre"), "11").await;
        page.becomes(field, "12").await;
        page.close().await;
    })
    .await;
}

#[tokio::test]
async fn it_adds_and_removes_rows_with_any_characters_in_their_ids() {
    at_both_widths(async |window| {
        let odd = "data: { codes: [{ id: 'a$b' }, { id: 'c{{d' }, { id: '$$e' }], price: 10 }";
        let page = Dashboard::open(odd, window).await;
        for (id, left) in [("a$b", 2), ("c{{d", 1), ("$$e", 0)] {
            page.click(&format!("[aria-label='Remove {id} from codes']")).await;
            page.becomes(&count("codes"), left).await;
            page.becomes(ERROR, "").await;
        }
        page.becomes(&text("[data-name=codes] h3"), "codes 0 rows").await;
        page.click("[data-name=codes] summary").await;
        page.enter("[data-name=codes] [name=row]", r#"{"id":"<b>","price":"{{ price }}"}"#).await;
        page.click("[data-name=codes] details button").await;
        page.becomes(&rows("codes"), json!([["<b>", "10", "Remove"]])).await;
        page.enter("[data-name=codes] [name=row]", r#"{"id":"<b>"}"#).await;
        page.click("[data-name=codes] details button").await;
        page.becomes(&format!("{ERROR}.includes('<b>')"), true).await;
        page.becomes(&count("codes"), 1).await;
        page.close().await;
    })
    .await;
}

#[tokio::test]
async fn it_shows_the_first_of_many_rows_and_more_on_demand() {
    at_both_widths(async |window| {
        let many = "data: { users: { generate: { count: 130, row: { name: \"{{ fake('name') }}\" } } } }";
        let page = Dashboard::open(many, window).await;
        page.becomes(&count("users"), 20).await;
        page.becomes(&text("[data-name=users] .more"), "20 of 130 rows shown").await;
        page.click("[data-name=users] .row button").await;
        page.becomes(&count("users"), 120).await;
        page.click("[data-name=users] .row button").await;
        page.becomes(&count("users"), 130).await;
        page.becomes("document.querySelector('[data-name=users] .row').hidden", true).await;
        page.assert_fits("many-rows", window).await;
        page.close().await;
    })
    .await;
}

#[tokio::test]
async fn it_shows_only_the_sections_that_the_scenario_has() {
    at_both_widths(async |window| {
        let file = ScenarioFile::new(NOTES);
        let mockd = Mockd::run_with(file.path(), &["--paused"]).await;
        let page = Dashboard::connect(mockd, window.1, window.2).await;
        page.becomes(SHOP_SECTIONS, json!([true, true])).await;
        page.becomes(DATA_SECTION, false).await;
        page.becomes(
            &format!("/^random#1: every 8s ± 3s, set .*price.*, next at /.test({})", text("#generators li")),
            true,
        )
        .await;
        file.write_in_place(SHOP);
        page.becomes(SHOP_SECTIONS, json!([false, false])).await;
        page.becomes(DATA_SECTION, true).await;
        file.write_in_place(&format!("{SHOP}data: {{ price: 3 }}\n"));
        page.becomes(DATA_SECTION, false).await;
        page.becomes(&text("[data-name=price] pre"), "3").await;
        page.becomes(SHOP_SECTIONS, json!([false, false])).await;
        page.close().await;
    })
    .await;
}
