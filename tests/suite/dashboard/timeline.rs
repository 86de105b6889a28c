//! The timeline of scripts and generators.

use serde_json::json;

use super::{Dashboard, NOW, at_both_widths, text, total};
use crate::support::SHOP;

const MARKS: &str = "[...document.querySelectorAll('#scripts li:first-child .marks button')].map(({ title, className, ariaDisabled, style }) => \
                     [title, className, ariaDisabled, Math.round(parseFloat(style.left))])";
const CURSOR: &str = "Math.round(parseFloat(document.querySelector('.cursor').style.left))";

fn scripted() -> String {
    format!(
        "{SHOP}orders:
  random:
    - {{ every: 500ms, from: 1h, amount: {{ min: 1, max: 3 }}, products: [A2] }}
    - {{ every: 2s, from: 1h, arrivals: poisson }}
  scripts:
    - name: sale
      repeat: 2
      steps:
        - {{ at: 5s, product: A1, amount: 5 }}
        - {{ at: 10s, product: A1, amount: -1, times: 3, every: 1s }}
        - {{ at: 20s, set: {{ product: A1, total: 0 }} }}
    - steps: [{{ at: 1m, remove: {{ product: B1 }} }}]
"
    )
}

#[tokio::test]
async fn it_shows_steps_and_rates_and_a_click_advances_to_a_step() {
    at_both_widths(async |window| {
        let page = Dashboard::open(&scripted(), window).await;
        let ahead = json!([
            ["5s: A1 +5", "ahead", "false", 25],
            ["10s: A1 -1, 3 times every 1s", "ahead", "false", 50],
            ["20s: A1 = 0", "ahead", "false", 100],
        ]);
        page.becomes(MARKS, ahead).await;
        page.becomes(CURSOR, 0).await;
        page.becomes(&text("#scripts h3"), "script sale").await;
        page.becomes(&text("#scripts span"), "repeat 1 of 2, 0 of 3 steps").await;
        page.becomes(&text("#scripts p"), "next at 5s: A1 +5").await;
        page.becomes(
            &text("#generators li"),
            "generator 1: 2 a second (every 500ms), 1 to 3 of [\"A2\"], next at 1h500ms",
        )
        .await;
        page.becomes(&format!("{}.includes('0.5 a second (poisson 2s)')", text("#generators li:last-child")), true)
            .await;
        page.click("#scripts .marks button:nth-child(2)").await;
        page.becomes(NOW, "10s").await;
        page.becomes(&total("A1"), "7").await;
        page.becomes(CURSOR, 50).await;
        let state =
            "[...document.querySelectorAll('#scripts li:first-child .marks button')].map(({ className }) => className)";
        page.becomes(state, json!(["behind", "behind", "ahead"])).await;
        page.assert_fits("timeline", window).await;
        page.click("#scripts .marks button:nth-child(3)").await;
        page.becomes(&text("#scripts span"), "repeat 2 of 2, 0 of 3 steps").await;
        page.becomes(CURSOR, 0).await;
        page.click("#scripts li:last-child .marks button").await;
        page.becomes(NOW, "1m").await;
        page.becomes(&text("#scripts li:first-child p"), "over").await;
        page.becomes("document.querySelector('[data-id=B1]')", json!(null)).await;
        page.close().await;
    })
    .await;
}

#[tokio::test]
async fn it_shows_general_scripts_and_scheduled_steps() {
    at_both_widths(async |window| {
        let scripts = "data: { price: 1 }\nscripts: [{ name: morning, steps: [{ at: 30s, set: { price: 2 } }, { after: 5s, set: { price: 4 } }] }]\n";
        let page = Dashboard::open(scripts, window).await;
        let lines = "[...document.querySelectorAll('#waiting li')].map(({ textContent }) => textContent)";
        page.becomes(lines, json!([])).await;
        page.becomes(&text("#scripts h3"), "scripts/morning").await;
        page.becomes(&text("#scripts span"), "repeat 1 of 1, 0 of 2 steps").await;
        page.becomes(&text("#scripts p"), r#"next at 30s: set {"price":2}"#).await;
        page.becomes(MARKS, json!([[r#"30s: set {"price":2}"#, "ahead", "false", 100]])).await;
        page.enter("#post textarea", r#"{"do":[{"after":"5s","set":{"price":3}}]}"#).await;
        page.click("#post button").await;
        page.becomes(lines, json!(["steps: next at 5s"])).await;
        page.click("#step").await;
        page.becomes(&text("[data-name=price] pre"), "3").await;
        page.becomes(lines, json!([])).await;
        page.click("#scripts .marks button").await;
        page.becomes(&text("#scripts span"), "repeat 1 of 1, 1 of 2 steps").await;
        page.becomes(&text("[data-name=price] pre"), "2").await;
        page.click("#scripts .marks button").await;
        page.becomes(&text("#scripts p"), "over").await;
        page.becomes("document.querySelectorAll('#scripts .marks button').length", 0).await;
        page.close().await;
    })
    .await;
}

#[tokio::test]
async fn arrow_keys_move_between_steps_and_enter_advances() {
    at_both_widths(async |window| {
        let page = Dashboard::open(&scripted(), window).await;
        page.becomes("document.querySelectorAll('#scripts .marks button').length", 4).await;
        // Each script has one step in the tab order.
        page.becomes("document.querySelectorAll('#scripts [tabindex=\"0\"]').length", 2).await;
        page.browser.eval("document.querySelector('#scripts [tabindex=\"0\"]').focus()").await;
        page.browser.type_keys("\u{e014}").await;
        let focus = "document.activeElement.ariaLabel";
        page.becomes(focus, "10s: A1 -1, 3 times every 1s, advance to it").await;
        page.browser.type_keys("\u{e007}").await;
        page.becomes(NOW, "10s").await;
        page.becomes(focus, "10s: A1 -1, 3 times every 1s, done").await;
        page.browser.type_keys("\u{e014}").await;
        page.becomes(focus, "20s: A1 = 0, advance to it").await;
        page.becomes(&text("#scripts .told"), "20s: A1 = 0").await;
        page.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_click_between_steps_advances_and_simultaneous_steps_merge() {
    let script = "orders: { scripts: [{ name: a, steps: [{ at: 10s, product: A1, amount: 1 }, { at: 10s, product: A2, amount: 1 }] }, \
                  { name: a, steps: [{ at: 1s, product: A1, amount: 1 }] }] }";
    at_both_widths(async |window| {
        let page = Dashboard::open(&format!("{SHOP}{script}"), window).await;
        page.becomes("document.querySelector('.marks button').title", "10s: A1 +1; A2 +1").await;
        page.becomes("document.querySelector('.marks button').dataset.count", "2").await;
        page.browser
            .eval(
                "(rail => { const { left, width, top } = rail.getBoundingClientRect(); rail.dispatchEvent(new PointerEvent('click', \
                 { bubbles: true, clientX: left + width / 2, clientY: top + 3 })) })(document.querySelector('.marks'))",
            )
            .await;
        page.becomes(&format!("/^(4s9\\d\\dms|5s(\\d+ms)?)$/.test({NOW})"), true).await;
        // Two scripts of the same name stay separate after an update.
        page.mockd.order("A1", 1).await;
        page.becomes(super::ROWS, 1).await;
        page.becomes("document.querySelectorAll('#scripts > li').length", 2).await;
        page.close().await;
    })
    .await;
}

#[tokio::test]
async fn it_shows_the_steps_around_the_next_one_of_a_long_script() {
    at_both_widths(async |window| {
        let steps: Vec<String> = (1..=2_000).map(|step| format!("{{ at: {step}s, product: A1, amount: 1 }}")).collect();
        let script = format!("orders: {{ scripts: [{{ steps: [{}] }}] }}", steps.join(", "));
        let page = Dashboard::open(&format!("{SHOP}{script}"), window).await;
        page.becomes("document.querySelectorAll('#scripts .marks button').length", 240).await;
        page.enter("#advance input", "1000s").await;
        page.click("#advance button").await;
        let first = "document.querySelector('#scripts .marks button').title";
        page.becomes(first, "15m41s: A1 +1").await;
        page.becomes(&text("#scripts span"), "repeat 1 of 1, 1000 of 2000 steps").await;
        page.close().await;
    })
    .await;
}
