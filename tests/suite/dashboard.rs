//! The dashboard in a real Chromium: what it shows of a world, and what it does to it.

use serde_json::json;

use crate::support::{Browser, Mockd, SHOP, ScenarioFile, http};

fn total(id: &str) -> String {
    format!("document.querySelector('[data-id=\"{id}\"] td:nth-child(2)').textContent")
}

const STATE: &str = "document.querySelector('#status').dataset.state";
const NOW: &str = "document.querySelector('#now').textContent";
const ERROR: &str = "document.querySelector('#error').textContent";

#[tokio::test]
async fn it_shows_a_world_as_it_changes_and_steers_it() {
    let script =
        "orders: { scripts: [{ steps: [{ at: 10s, product: A1, amount: 5 }, { at: 1h, product: A2, amount: 1 }] }] }";
    let mockd = Mockd::run_with(ScenarioFile::new(&format!("{SHOP}{script}")).path(), &["--paused"]).await;
    let browser = Browser::open(1200, 900).await;
    browser.goto(&format!("{}/__mockd", mockd.url())).await;
    browser.becomes(STATE, "live").await;
    browser.becomes(&total("A1"), "3").await;
    assert_eq!(browser.eval("document.title").await, "shop – mockd");
    // Looking leaves no trace in what a test looks at.
    assert_eq!(browser.eval("document.querySelector('#journal').children.length").await, 0);
    mockd.order("A1", 10).await;
    browser.becomes(&total("A1"), "13").await;
    browser.click("[data-id=A2] button").await;
    browser.becomes(&total("A2"), "8").await;
    browser.click("#advance button").await;
    browser.becomes(NOW, "10s").await;
    browser.becomes(&total("A1"), "18").await;
    browser.becomes("document.querySelector('#pace').textContent", "paused, next at 1h").await;
    browser.click("#step").await;
    browser.becomes(NOW, "1h").await;
    browser.click("#pause").await;
    browser.becomes("document.querySelector('#pause').textContent", "Pause").await;
    browser.screenshot("dashboard-wide").await;
    browser.click("#reset").await;
    browser.becomes(&total("A1"), "3").await;
    browser.close().await;
}

#[tokio::test]
async fn it_shows_sockets_frames_and_faults_and_brings_and_lifts_them() {
    let mockd = Mockd::run_with(ScenarioFile::new(SHOP).path(), &["--paused"]).await;
    let mut live = mockd.live("electronics").await;
    live.texts(2).await;
    let browser = Browser::open(400, 800).await;
    browser.goto(&format!("{}/__mockd/", mockd.url())).await;
    browser.becomes("document.querySelector('#count').textContent", "1 open").await;
    browser.click("#fault button").await;
    let faults = "document.querySelector('#faults span').textContent";
    browser.becomes(faults, "fault 1: active, hit 0 of 0").await;
    assert_eq!(mockd.post("/orders/A1", r#"{"amount":1}"#).await.status, 503);
    browser.becomes(faults, "fault 1: active, hit 1 of 1").await;
    let first = "document.querySelector('#journal summary').textContent";
    browser.becomes(first, "0srequestPOST /orders/A1 → 503").await;
    browser.click("#journal summary").await;
    let whole = "document.querySelector('#journal pre').textContent.includes('answered with 503')";
    browser.becomes(whole, true).await;
    browser.click("#faults button").await;
    browser.becomes("document.querySelector('#faults').children.length", 0).await;
    browser.eval("document.querySelector('#fault textarea').value = '{\"on\":\"http\"}'").await;
    browser.click("#fault button").await;
    browser.becomes(&format!("{ERROR}.includes('a fault has to say exactly one of')"), true).await;
    browser.click("#sockets button").await;
    assert_eq!(live.close_code().await, 1000);
    browser.becomes("document.querySelector('#count').textContent", "0 open").await;
    // On a phone nothing is wider than the screen.
    assert_eq!(browser.eval("document.documentElement.scrollWidth <= innerWidth").await, true);
    browser.screenshot("dashboard-phone").await;
    browser.close().await;
}

#[tokio::test]
async fn it_shows_what_is_wrong_in_the_file_and_takes_nothing_for_html() {
    let file = ScenarioFile::new(SHOP);
    let mut mockd = Mockd::run(&file).await;
    let browser = Browser::open(1200, 900).await;
    browser.goto(&format!("{}/__mockd/", mockd.url())).await;
    browser.becomes(STATE, "live").await;
    file.write_in_place(&SHOP.replace("prefix: B", "prefx: B"));
    mockd.logged("is broken").await;
    let problems = "document.querySelector('#problems').textContent";
    browser.becomes(&format!("{problems}.includes('unknown key `prefx`') && {problems}.includes('^^^^^')"), true).await;
    let evil = "<img src=x onerror=alert(1)>";
    file.write_in_place(
        &SHOP
            .replace("id: B1", &format!("id: \"{evil}\""))
            .replace("categories:", &format!("name: \"{evil}\"\ncategories:")),
    );
    mockd.logged("reloaded").await;
    browser.becomes("document.querySelector('#title').textContent", evil).await;
    browser.becomes("document.images.length", 0).await;
    browser.becomes("document.querySelector('#problems').hidden", true).await;
    browser.close().await;
}

#[tokio::test]
async fn it_is_about_the_world_in_whose_path_it_is_and_leads_to_the_others() {
    let mockd = Mockd::run_with(ScenarioFile::new(SHOP).path(), &["--paused"]).await;
    for (world, amount) in [("a", 1), ("b", 2)] {
        mockd.post(&format!("/@{world}/orders/A1"), &json!({ "amount": amount }).to_string()).await;
    }
    let browser = Browser::open(1200, 900).await;
    browser.goto(&format!("{}/@a/__mockd/", mockd.url())).await;
    browser.becomes(&total("A1"), "4").await;
    browser
        .becomes(
            "[...document.querySelector('#world').options].map(({ value }) => value)",
            json!(["default", "a", "b"]),
        )
        .await;
    browser.eval("document.querySelector('#world').value = 'b', document.querySelector('#world').dispatchEvent(new Event('change'))").await;
    browser.becomes(&total("A1"), "5").await;
    browser.close().await;
}

#[tokio::test]
async fn it_asks_for_the_token_if_there_is_one_and_sees_that_the_journal_was_emptied() {
    let mockd =
        Mockd::run_with(ScenarioFile::new(SHOP).path(), &["--paused", "--control-token", "secret-of-the-shop"]).await;
    let browser = Browser::open(1200, 900).await;
    browser.goto(&format!("{}/__mockd/", mockd.url())).await;
    browser.becomes(STATE, "refused").await;
    browser.eval("document.querySelector('#token input').value = 'secret-of-the-shop'").await;
    browser.click("#token button").await;
    browser.becomes(STATE, "live").await;
    for _ in 0..3 {
        mockd.order("A1", 1).await;
    }
    let rows = "document.querySelector('#journal').children.length";
    browser.becomes(rows, 3).await;
    let headers = [("authorization", "Bearer secret-of-the-shop")];
    assert_eq!(http("DELETE", &format!("{}/__mockd/journal", mockd.url()), &headers, None).await.status, 200);
    mockd.order("A2", 1).await;
    browser.becomes(rows, 1).await;
    browser.becomes("document.querySelector('#journal summary').textContent", "0srequestPOST /orders/A2 → 200").await;
    browser.close().await;
}

#[tokio::test]
async fn the_page_and_its_files_are_served_under_a_strict_policy_and_others_are_not_there() {
    let mockd = Mockd::run(&ScenarioFile::new(SHOP)).await;
    for path in ["", "dashboard/main.js", "dashboard/style.css", "dashboard/api.js"] {
        let answer = mockd.get(&format!("/__mockd/{path}")).await;
        let policy = answer.header("content-security-policy");
        assert!(
            answer.status == 200 && policy.starts_with("default-src 'none'; script-src 'self'"),
            "{path}: {policy}"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
    assert_eq!(mockd.get("/__mockd/dashboard/other.js").await.status, 404);
}
