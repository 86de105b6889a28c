//! Views of a world.

use serde_json::json;

use super::{Dashboard, ERROR, STATE, at_both_widths, text, total};
use crate::support::{Browser, Mockd, SHOP, ScenarioFile, http};

#[tokio::test]
async fn it_shows_categories_products_and_totals_as_they_change() {
    at_both_widths(async |window| {
        let page = Dashboard::open(SHOP, window).await;
        page.becomes(&total("A1"), "3").await;
        assert_eq!(page.browser.eval("document.title").await, "shop – mockd");
        let names = "[...document.querySelectorAll('#categories section')].map(section => [section.dataset.category, \
                     ...[...section.querySelectorAll('tbody tr')].map(row => row.cells[1].textContent)])";
        page.becomes(
            names,
            json!([["electronics", "Vacuum Cleaner", "Leaf Blower"], ["confectionery", "Chewy Toffee"]]),
        )
        .await;
        // The dashboard's own requests are not in the journal.
        assert_eq!(page.browser.eval(super::ROWS).await, 0);
        page.mockd.order("A1", 10).await;
        page.becomes(&total("A1"), "13").await;
        let line = "document.querySelector('[data-id=A1] polyline').points";
        page.becomes(&format!("Math.abs({line}[0].y - {line}[{line}.length - 1].y)"), 18).await;
        let all = "document.querySelector('[data-category=electronics] h3 polyline').points";
        page.becomes(&format!("Math.abs({all}[0].y - {all}[{all}.length - 1].y)"), 18).await;
        page.becomes(&text("[data-category=electronics] h3 span"), "20 in all").await;
        page.mockd.post("/confectionery", r#"{"name":"Fudge"}"#).await;
        page.becomes(&text("[data-id=B2] td"), "Fudge").await;
        page.enter("#wanted", "leaf").await;
        page.becomes(
            "[...document.querySelectorAll('#categories tbody tr')].map(row => row.dataset.id)",
            json!(["A2"]),
        )
        .await;
        page.assert_fits("products", window).await;
        page.close().await;
    })
    .await;
}

#[tokio::test]
async fn it_shows_orders_per_second() {
    at_both_widths(async |window| {
        let busy = format!("{SHOP}orders: {{ random: [{{ every: 10ms, products: [A1] }}] }}");
        let mockd = Mockd::run(&ScenarioFile::new(&busy)).await;
        let page = Dashboard::connect(mockd, window.1, window.2).await;
        page.becomes(&format!("/^[1-9]\\d* a second$/.test({})", text("#rate")), true).await;
        page.close().await;
    })
    .await;
}

#[tokio::test]
async fn it_shows_sockets_with_age_and_backlog_and_closes_them() {
    at_both_widths(async |window| {
        let page = Dashboard::open(SHOP, window).await;
        let mut first = page.mockd.live("electronics").await;
        first.texts(2).await;
        let mut second = page.mockd.live("confectionery").await;
        second.texts(1).await;
        page.becomes(&text("#count"), "2 open").await;
        let row = "[...document.querySelectorAll('#sockets tr')].map(({ cells }) => [0, 1, 3, 4].map(at => cells[at].textContent))";
        page.becomes(row, json!([["1", "electronics", "2", "0"], ["2", "confectionery", "1", "0"]])).await;
        page.becomes(&format!("/^\\d+m?s/.test({})", text("#sockets td:nth-child(3)")), true).await;
        page.click("#sockets button").await;
        assert_eq!(first.close_code().await, 1000);
        page.becomes(&text("#count"), "1 open").await;
        page.click("#close-all").await;
        assert_eq!(second.close_code().await, 1000);
        page.becomes(&text("#count"), "0 open").await;
        page.assert_fits("sockets", window).await;
        page.close().await;
    })
    .await;
}

#[tokio::test]
async fn it_shows_the_problems_of_the_file_and_escapes_html() {
    at_both_widths(async |window| {
        let file = ScenarioFile::new(SHOP);
        let mockd = Mockd::run_with(file.path(), &["--paused"]).await;
        let mut page = Dashboard::connect(mockd, window.1, window.2).await;
        file.write_in_place(&SHOP.replace("prefix: B", "prefx: B"));
        page.mockd.logged("is broken").await;
        let problems = text("#problems");
        page.becomes(&format!("{problems}.includes('unknown key `prefx`') && {problems}.includes('^^^^^')"), true)
            .await;
        page.assert_fits("broken", window).await;
        let evil = "<img src=x onerror=alert(1)>";
        file.write_in_place(
            &SHOP
                .replace("id: B1, name: Chewy Toffee", &format!("id: \"{evil}\", name: \"{evil}\""))
                .replace("categories:", &format!("name: \"{evil}\"\ncategories:"))
                .replace("confectionery:", &format!("\"{}\":", evil.replace('/', "-"))),
        );
        page.mockd.logged("reloaded").await;
        page.becomes(&text("#title"), evil).await;
        page.becomes(&format!("{}.includes('Reload 1')", text("#reload")), true).await;
        let mut live = page.mockd.live("electronics").await;
        live.send(evil).await;
        page.mockd.post("/orders/A1", &json!({ "amount": evil }).to_string()).await;
        page.becomes("document.querySelector('#journal').textContent.includes('<img')", true).await;
        page.becomes("document.images.length", 0).await;
        page.becomes("document.querySelector('#problems').hidden", true).await;
        page.close().await;
    })
    .await;
}

#[tokio::test]
async fn it_shows_the_world_of_its_path_and_links_to_the_others() {
    at_both_widths(async |window| {
        let mockd = Mockd::run_with(ScenarioFile::new(SHOP).path(), &["--paused"]).await;
        for (world, amount) in [("a", 1), ("b", 2)] {
            mockd.post(&format!("/@{world}/orders/A1"), &json!({ "amount": amount }).to_string()).await;
        }
        let page = Dashboard::connect(mockd, window.1, window.2).await;
        page.browser.goto(&format!("{}/@a/__mockd/", page.mockd.url())).await;
        page.becomes(&total("A1"), "4").await;
        let worlds = "[...document.querySelector('#worlds select').options].map(({ value }) => value)";
        page.becomes(worlds, json!(["default", "a", "b"])).await;
        page.enter("#worlds select", "b").await;
        page.click("#worlds button").await;
        page.becomes(&total("A1"), "5").await;
        page.close().await;
    })
    .await;
}

#[tokio::test]
async fn it_asks_for_the_token_and_notices_a_cleared_journal() {
    at_both_widths(async |window| {
        let mockd =
            Mockd::run_with(ScenarioFile::new(SHOP).path(), &["--paused", "--control-token", "secret-of-the-shop"])
                .await;
        let browser = Browser::open(window.1, window.2).await;
        browser.goto(&format!("{}/__mockd/", mockd.url())).await;
        browser.becomes(STATE, "refused").await;
        browser.eval("document.querySelector('#token input').value = 'secret-of-the-shop'").await;
        browser.click("#token button").await;
        browser.becomes(STATE, "live").await;
        for _ in 0..3 {
            mockd.order("A1", 1).await;
        }
        browser.becomes(super::ROWS, 3).await;
        let headers = [("authorization", "Bearer secret-of-the-shop")];
        assert_eq!(http("DELETE", &format!("{}/__mockd/journal", mockd.url()), &headers, None).await.status, 200);
        mockd.order("A2", 1).await;
        browser.becomes(super::ROWS, 1).await;
        browser.becomes(&text("#journal [role=option]"), r#"0srequestPOST /orders/A2 → 200 {"amount":1}"#).await;
        browser.close().await;
    })
    .await;
}

#[tokio::test]
async fn it_reconnects_when_the_server_returns() {
    at_both_widths(async |window| {
        let file = ScenarioFile::new(SHOP);
        let page = Dashboard::connect(Mockd::run_with(file.path(), &["--paused"]).await, window.1, window.2).await;
        let Dashboard { mockd, browser, .. } = page;
        mockd.order("A1", 10).await;
        browser.becomes(&total("A1"), "13").await;
        let port = mockd.kill().await;
        browser.becomes(STATE, "offline").await;
        let _mockd = Mockd::run_with(file.path(), &["--paused", "--port", &port.to_string()]).await;
        browser.becomes(STATE, "live").await;
        browser.becomes(&total("A1"), "3").await;
        browser.becomes(super::ROWS, 0).await;
        browser.becomes(ERROR, "").await;
        browser.close().await;
    })
    .await;
}

#[tokio::test]
async fn it_shows_some_of_20000_products_and_search_finds_the_rest() {
    at_both_widths(async |window| {
        let category = |number: usize| {
            let products: Vec<String> =
                (1..=100).map(|id| format!("{{ id: P{number}-{id}, name: Thing {number}-{id} }}")).collect();
            format!("  c{number}: {{ prefix: P{number}-, products: [{}] }}\n", products.join(", "))
        };
        let categories: Vec<String> = (1..=200).map(category).collect();
        let page = Dashboard::open(&format!("categories:\n{}", categories.concat()), window).await;
        page.becomes("document.querySelectorAll('#categories section').length", 200).await;
        page.becomes("document.querySelectorAll('#categories tbody tr').length", 200).await;
        page.enter("#wanted", "thing 150-100").await;
        page.becomes(&text("[data-key=\"P150-100\"] td"), "Thing 150-100").await;
        page.becomes("document.querySelectorAll('#categories tbody tr').length", 1).await;
        page.close().await;
    })
    .await;
}

#[tokio::test]
async fn typed_input_and_charts_survive_new_products_and_searches() {
    at_both_widths(async |window| {
        let page = Dashboard::open(SHOP, window).await;
        page.mockd.order("A1", 1).await;
        page.becomes(&total("A1"), "4").await;
        page.enter("[data-id=A1] [name=amount]", "77").await;
        page.browser.eval("document.querySelector('[data-id=A1] [name=amount]').focus()").await;
        page.mockd.post("/electronics", r#"{"name":"Drone"}"#).await;
        page.becomes(&text("[data-id=A3] td"), "Drone").await;
        page.becomes("document.activeElement === document.querySelector('[data-id=A1] [name=amount]')", true).await;
        page.enter("#wanted", "drone").await;
        page.becomes("document.querySelector('[data-id=A1]')", json!(null)).await;
        page.enter("#wanted", "").await;
        page.becomes("document.querySelector('[data-id=A1] [name=amount]').value", "77").await;
        page.becomes("document.querySelector('[data-id=A1] polyline').points.length > 1", true).await;
        page.close().await;
    })
    .await;
}

#[tokio::test]
async fn it_shows_the_served_file_its_last_changes_and_its_warnings() {
    at_both_widths(async |window| {
        let file = ScenarioFile::new(SHOP);
        let mockd = Mockd::run_with(file.path(), &["--paused"]).await;
        let mut page = Dashboard::connect(mockd, window.1, window.2).await;
        page.becomes(&text("#serving"), file.path().to_str().unwrap()).await;
        page.becomes(&text("#reload"), "No save has been applied yet.").await;
        let many: Vec<String> = (10..30).map(|id| format!("      - {{ id: A{id} }}\n")).collect();
        let many = SHOP.replace("  confectionery:\n", &format!("{}  confectionery:\n", many.concat()));
        file.write_in_place(&format!("{many}faults: [{{ on: http, product: Z9, status: 500 }}]\n"));
        page.mockd.logged("reloaded").await;
        page.becomes(&format!("/^Reload 1 at .*: .*, and 15 more\\.$/.test({})", text("#reload")), true).await;
        page.becomes(&format!("{}.includes('never')", text("#problems")), true).await;
        page.assert_fits("odd", window).await;
        page.close().await;
    })
    .await;
}
