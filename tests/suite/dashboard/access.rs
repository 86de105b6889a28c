//! Accessibility: keyboard, screen readers, dark mode and phones.

use serde_json::json;

use super::{Dashboard, NOTES, ROWS, at_both_widths};
use crate::support::{SHOP, Tool, needs};

const SCRIPTED: &str = "orders: { random: [{ every: 1h }], scripts: [{ steps: [{ at: 1h, product: A1, amount: 1 }] }] }\n\
                        faults: [{ on: http, path: /nowhere, status: 500 }]";

/// Runs axe-core on the page and returns the serious and critical violations.
async fn violations(page: &Dashboard) -> serde_json::Value {
    let axe = std::fs::read_to_string(Tool::Axe.path()).unwrap();
    let script = format!(
        "{axe};
        const done = arguments[arguments.length - 1];
        axe.run().then(({{ violations, passes }}) => done({{
            passes: passes.length,
            violations: violations
                .filter(({{ impact }}) => impact === 'serious' || impact === 'critical')
                .map(({{ id, nodes }}) => [id, nodes.map(({{ html, failureSummary }}) => [html, failureSummary])]),
        }}), (error) => done(String(error)));"
    );
    let outcome = page.browser.page.execute_async(&script, vec![]).await.unwrap();
    assert!(outcome["passes"].as_u64().is_some_and(|passes| passes > 20), "{outcome}");
    outcome["violations"].clone()
}

#[tokio::test]
async fn axe_finds_nothing_serious_in_light_and_dark_at_both_widths() {
    needs!(Axe, Browser);
    at_both_widths(async |window| {
        let page = Dashboard::open(&format!("{SHOP}{SCRIPTED}"), window).await;
        let mut live = page.mockd.live("electronics").await;
        live.texts(2).await;
        page.mockd.order("A1", 1).await;
        page.becomes(&format!("{ROWS} > 3"), true).await;
        page.click("[data-category=electronics] summary").await;
        for scheme in ["light", "dark"] {
            page.browser.eval(&format!("document.documentElement.style.colorScheme = '{scheme}'")).await;
            assert_eq!(violations(&page).await, json!([]), "{window:?} {scheme}");
            page.assert_fits(scheme, window).await;
        }
        page.click("#journal [role=option]").await;
        page.becomes("document.querySelector('#entry').open", true).await;
        assert_eq!(violations(&page).await, json!([]), "{window:?} with an entry");
        page.close().await;
    })
    .await;
}

#[tokio::test]
async fn axe_finds_nothing_serious_without_a_shop() {
    needs!(Axe, Browser);
    at_both_widths(async |window| {
        let page = Dashboard::open(NOTES, window).await;
        page.mockd.get("/price").await;
        page.becomes(ROWS, 1).await;
        for name in ["notes", "price"] {
            page.click(&format!("[data-name={name}] summary")).await;
        }
        page.click("#post button").await;
        page.becomes("document.querySelector('#happened').hidden", false).await;
        for scheme in ["light", "dark"] {
            page.browser.eval(&format!("document.documentElement.style.colorScheme = '{scheme}'")).await;
            assert_eq!(violations(&page).await, json!([]), "{window:?} {scheme}");
            page.assert_fits(&format!("notes-{scheme}"), window).await;
        }
        page.close().await;
    })
    .await;
}

#[tokio::test]
async fn every_control_is_reachable_by_keyboard() {
    at_both_widths(async |window| {
        let page = Dashboard::open(&format!("{SHOP}{SCRIPTED}"), window).await;
        let mut live = page.mockd.live("electronics").await;
        live.texts(2).await;
        page.becomes("document.querySelector('#sockets button') !== null", true).await;
        page.browser.eval("document.querySelector('.skip').focus()").await;
        // The elements in tab order, once around.
        let name = "(one => one.id || one.name || one.ariaLabel || one.textContent)";
        let all = "[...document.querySelectorAll('a, button, input, select, textarea, summary, [tabindex]')]";
        let is_reachable = "one => one.checkVisibility() && one.tabIndex >= 0 && !one.disabled";
        let reached = page.browser.eval(&format!("{all}.filter({is_reachable}).map({name})")).await;
        for expected in [
            "pause",
            "step",
            "by",
            "reset",
            "name",
            "wanted",
            "amount",
            "Order A1",
            "preset",
            "fault",
            "Close socket 1",
            "close-all",
            "Run",
            "journal",
            "copy-steps",
        ] {
            assert!(reached.as_array().unwrap().contains(&json!(expected)), "{expected} in {reached}");
        }
        let mut focused = Vec::new();
        for _ in 0..reached.as_array().unwrap().len() {
            focused.push(page.browser.eval(&format!("{name}(document.activeElement)")).await);
            page.browser.type_keys("\u{e004}").await;
        }
        assert_eq!(json!(focused), reached);
        page.close().await;
    })
    .await;
}

#[tokio::test]
async fn screen_readers_find_landmarks_and_hear_only_state_and_errors() {
    at_both_widths(async |window| {
        let page = Dashboard::open(SHOP, window).await;
        let parts =
            "['header', 'main', 'main > section[aria-labelledby]'].map(part => document.querySelectorAll(part).length)";
        page.becomes(parts, json!([1, 1, 10])).await;
        let levels = "[...document.querySelectorAll('main h2, main h3')].every(one => one.textContent !== '')";
        page.becomes(levels, true).await;
        let spoken =
            "[...document.querySelectorAll('[aria-live], [role=status], [role=alert], [role=log]')].map(({ id }) => id)";
        page.becomes(spoken, json!(["status", "note", "error"])).await;
        // The status is not announced again each second.
        page.browser
            .eval("(window.said = 0, new MutationObserver(() => { window.said += 1 }).observe(document.querySelector('#status'), { childList: true, characterData: true, subtree: true }))")
            .await;
        page.mockd.order("A1", 1).await;
        page.becomes(ROWS, 1).await;
        page.mockd.order("A1", 1).await;
        page.becomes(ROWS, 2).await;
        page.becomes("window.said", 0).await;
        page.close().await;
    })
    .await;
}
