//! Controls of a world.

use serde_json::json;

use super::{Dashboard, ERROR, NOW, PACE, at_both_widths, text, total};
use crate::support::{Mockd, SHOP};

fn timed() -> String {
    format!(
        "{SHOP}orders: {{ scripts: [{{ steps: [{{ at: 10s, product: A1, amount: 5 }}, {{ at: 1h, product: A2, amount: 1 }}] }}] }}"
    )
}

#[tokio::test]
async fn it_pauses_steps_advances_speeds_up_and_resets() {
    at_both_widths(async |window| {
        let page = Dashboard::open(&timed(), window).await;
        page.becomes(PACE, "paused, next at 10s").await;
        page.click("#advance button").await;
        page.becomes(NOW, "10s").await;
        page.becomes(&total("A1"), "8").await;
        page.click("#step").await;
        page.becomes(NOW, "1h").await;
        page.enter("#speed input", "5").await;
        page.click("#speed button").await;
        page.click("#pause").await;
        page.becomes(PACE, "5 × real time").await;
        page.click("#pause").await;
        page.becomes(PACE, "paused").await;
        page.enter("#advance input", "soon").await;
        page.click("#advance button").await;
        page.becomes(&format!("{ERROR}.startsWith('That did not work: advance')"), true).await;
        page.assert_fits("clock", window).await;
        page.click("#reset").await;
        page.becomes(&total("A1"), "3").await;
        page.becomes(NOW, "0s").await;
        page.becomes(ERROR, "").await;
        page.close().await;
    })
    .await;
}

#[tokio::test]
async fn it_orders_one_or_many_and_adds_products() {
    at_both_widths(async |window| {
        let page = Dashboard::open(SHOP, window).await;
        let mut live = page.mockd.live("electronics").await;
        live.texts(2).await;
        page.click("[data-id=A2] button").await;
        page.becomes(&total("A2"), "8").await;
        assert_eq!(live.order().await, ("A2".into(), 8));
        page.enter("[data-id=A1] [name=amount]", "-2").await;
        page.enter("[data-id=A1] [name=times]", "1000").await;
        page.click("[data-id=A1] button").await;
        page.becomes(&total("A1"), "-1997").await;
        page.click("[data-category=confectionery] summary").await;
        page.enter("[data-category=confectionery] [name=product]", r#"{"name":"Fudge"}"#).await;
        page.click("[data-category=confectionery] details button").await;
        page.becomes(&text("[data-id=B2] td"), "Fudge").await;
        assert!(page.mockd.get("/confectionery").await.text.contains("Fudge"));
        page.enter("[data-category=confectionery] [name=product]", "Fudge").await;
        page.click("[data-category=confectionery] details button").await;
        page.becomes(&format!("{ERROR}.startsWith('That did not work: ')"), true).await;
        page.assert_fits("ordered", window).await;
        page.close().await;
    })
    .await;
}

#[tokio::test]
async fn it_adds_faults_and_switches_them_off_and_on() {
    at_both_widths(async |window| {
        let page = Dashboard::open(SHOP, window).await;
        let order = async || page.mockd.post("/orders/A1", r#"{"amount":1}"#).await.status;
        page.click("#fault button").await;
        let fault_status = text("#faults span");
        page.becomes(&fault_status, "fault 1: active, hit 0 of 0").await;
        assert_eq!(order().await, 503);
        page.becomes(&fault_status, "fault 1: active, hit 1 of 1").await;
        let checked = "document.querySelector('#faults [role=switch]').ariaChecked";
        page.becomes(checked, "true").await;
        page.click("#faults [role=switch]").await;
        page.becomes(&fault_status, "fault 1: off").await;
        page.becomes(checked, "false").await;
        assert_eq!(order().await, 200);
        page.assert_fits("faults", window).await;
        page.click("#faults [role=switch]").await;
        page.becomes(&fault_status, "fault 2: active, hit 0 of 0").await;
        assert_eq!(order().await, 503);
        page.becomes("document.querySelector('#faults').children.length", 1).await;
        page.click("#faults [role=switch]").await;
        page.becomes("document.querySelectorAll('[aria-label=\"Forget fault 2\"]').length", 1).await;
        page.click("[aria-label='Forget fault 2']").await;
        page.becomes("document.querySelector('#faults').children.length", 0).await;
        page.enter("#fault [name=preset]", "Slow answers").await;
        page.becomes("document.querySelector('#fault textarea').value", r#"{"on":"http","latency":"2s"}"#).await;
        page.enter("#fault textarea", r#"{"on":"http"}"#).await;
        page.click("#fault button").await;
        page.becomes(&format!("{ERROR}.includes('a fault needs exactly one of')"), true).await;
        // The error is inside the window.
        let is_visible = "(({ top, bottom }) => top >= 0 && bottom <= innerHeight)(document.querySelector('#error').getBoundingClientRect())";
        page.becomes(is_visible, true).await;
        page.close().await;
    })
    .await;
}

#[tokio::test]
async fn mockd_accepts_every_fault_preset() {
    at_both_widths(async |window| {
        let page = Dashboard::open(SHOP, window).await;
        let presets = page
            .browser
            .eval("[...document.querySelector('#fault [name=preset]').options].map(({ value }) => value)")
            .await;
        let presets = presets.as_array().unwrap();
        for (count, preset) in presets.iter().enumerate() {
            page.enter("#fault [name=preset]", preset.as_str().unwrap()).await;
            page.click("#fault button").await;
            page.becomes(
                &format!("[{ERROR}, document.querySelector('#faults').children.length]"),
                json!(["", count + 1]),
            )
            .await;
        }
        assert!(presets.len() > 5);
        page.close().await;
    })
    .await;
}

#[tokio::test]
async fn it_switches_the_scenario_file_or_reports_why_not() {
    at_both_widths(async |window| {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("a.yaml", SHOP.to_owned()),
            ("b.yaml", SHOP.replace("total: 3", "total: 30")),
            ("c.yaml", "feed: al".into()),
        ] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let mockd = Mockd::run_with(folder.path(), &["--paused"]).await;
        let page = Dashboard::connect(mockd, window.1, window.2).await;
        page.becomes(&total("A1"), "3").await;
        let select = "document.querySelector('#file select')";
        page.becomes(
            &format!("[...{select}.options].map(({{ value }}) => value.slice(-6))"),
            json!(["a.yaml", "b.yaml", "c.yaml"]),
        )
        .await;
        page.enter("#file select", folder.path().join("b.yaml").to_str().unwrap()).await;
        page.click("#file button").await;
        page.becomes(&total("A1"), "30").await;
        page.becomes(&text("#title"), "b").await;
        page.enter("#file select", folder.path().join("c.yaml").to_str().unwrap()).await;
        page.click("#file button").await;
        page.becomes(&format!("{ERROR}.includes('unknown feed') || {ERROR}.includes('c.yaml:1:7')"), true).await;
        // The selection returns to the served file.
        page.becomes(&format!("{select}.value.slice(-6)"), "b.yaml").await;
        page.assert_fits("files", window).await;
        page.close().await;
    })
    .await;
}
