//! Manual actions recorded as a script.

use std::time::Duration;

use mockd::engine::Engine;
use mockd::scenario::{Source, parse};
use serde_json::json;

use super::{Dashboard, NOW, STEPS, at_both_widths, text, total};
use crate::support::SHOP;

#[tokio::test]
async fn recorded_steps_pasted_into_the_scenario_repeat_the_actions() {
    at_both_widths(async |window| {
        let page = Dashboard::open(SHOP, window).await;
        page.click("[data-id=A1] button").await;
        page.becomes(&total("A1"), "4").await;
        page.click("#advance button").await;
        page.becomes(NOW, "10s").await;
        page.enter("[data-id=A2] [name=times]", "20").await;
        page.click("[data-id=A2] button").await;
        page.becomes(&total("A2"), "27").await;
        page.enter("#fault textarea", r#"{"on":"http","method":"POST","from":"1s","status":503}"#).await;
        page.click("#fault button").await;
        page.becomes("document.querySelector('#faults').children.length", 1).await;
        page.click("#advance button").await;
        page.becomes(NOW, "20s").await;
        page.click("#faults [role=switch]").await;
        page.becomes("document.querySelector('#faults [role=switch]').ariaChecked", "false").await;
        // The app's requests are recorded, too, except failed ones.
        page.mockd.order("B1", -3).await;
        page.mockd.post("/orders/C1", r#"{"amount":1}"#).await;
        let odd = json!({ "name": "yes: \"no\" # \u{85} é", "on": null, "tags": ["- a", {}], "long": "x".repeat(300) });
        page.mockd.post("/electronics", &odd.to_string()).await;
        page.becomes(&text("#recorded"), "5 steps").await;
        page.assert_fits("steps", window).await;
        let steps = page.browser.eval(STEPS).await.as_str().unwrap().to_owned();
        let scenario = parse(&Source::new("shop.yaml", &format!("{SHOP}{steps}")));
        let scenario = scenario.unwrap_or_else(|problems| panic!("{problems}\n{steps}"));
        let mut engine = Engine::new(&scenario.into(), 1);
        engine.advance(Duration::from_secs(19));
        let fault = engine.faults().next().unwrap();
        assert_eq!([fault.from, fault.until.unwrap()], [11, 20].map(Duration::from_secs), "{steps}");
        engine.advance(Duration::from_secs(20));
        let totals: Vec<(String, i64)> = engine.counter_values().map(|(id, total)| (id.to_string(), total)).collect();
        let expected = [("A1", 4), ("A2", 27), ("B1", 98), ("A3", 0)].map(|(id, total)| (id.to_owned(), total));
        assert_eq!(totals, expected, "{steps}");
        let added =
            serde_json::to_value(engine.collections().get("electronics").unwrap().rows().last().unwrap()).unwrap();
        assert!(odd.as_object().unwrap().iter().all(|(key, value)| added[key] == *value), "{added}\n{steps}");
        page.click("#copy-steps").await;
        page.becomes(&text("#note"), "Copied.").await;
        page.enter("#fault textarea", "").await;
        page.browser.eval("document.querySelector('#fault textarea').focus()").await;
        page.browser.type_keys("\u{e009}v").await;
        page.becomes("document.querySelector('#fault textarea').value", steps).await;
        page.click("#forget-steps").await;
        page.becomes(&text("#recorded"), "0 steps").await;
        page.close().await;
    })
    .await;
}

#[tokio::test]
async fn orders_are_recorded_with_any_characters_in_their_ids() {
    at_both_widths(async |window| {
        let shop = format!("{SHOP}  toys: {{ prefix: T, products: [{{ id: a/b }}, {{ id: 'ü?#%2F' }}] }}\n");
        let page = Dashboard::open(&shop, window).await;
        page.mockd.order("a%2Fb", 2).await;
        page.mockd.order("%C3%BC%3F%23%252F", 3).await;
        page.becomes(&text("#recorded"), "2 steps").await;
        let steps = page.browser.eval(STEPS).await.as_str().unwrap().to_owned();
        let scenario = parse(&Source::new("shop.yaml", &format!("{shop}{steps}")));
        let scenario = scenario.unwrap_or_else(|problems| panic!("{problems}\n{steps}"));
        let mut engine = Engine::new(&scenario.into(), 1);
        engine.advance(Duration::from_secs(1));
        let totals: Vec<(String, i64)> = engine.counter_values().map(|(id, total)| (id.to_string(), total)).collect();
        let expected = [("a/b", 2), ("ü?#%2F", 3)].map(|(id, total)| (id.to_owned(), total));
        assert!(totals.ends_with(&expected), "{totals:?}\n{steps}");
        page.close().await;
    })
    .await;
}

#[tokio::test]
async fn recorded_steps_extend_orders_and_a_reset_starts_a_new_script() {
    at_both_widths(async |window| {
        let random = "orders:\n  random:\n    - { every: 1h, products: [A2] }\n";
        let scripts = "  scripts:\n    - steps: [{ at: 1h, product: A2, amount: 1 }]\n";
        for orders in [random.to_owned(), format!("{random}{scripts}")] {
            let page = Dashboard::open(&format!("{SHOP}{orders}"), window).await;
            page.becomes("document.querySelector('#generators').children.length", 1).await;
            page.click("#advance button").await;
            page.becomes(NOW, "10s").await;
            page.click("[data-id=A1] button").await;
            page.becomes(&total("A1"), "4").await;
            page.mockd.control("POST", "/__mockd/reset", json!(null)).await;
            page.becomes(NOW, "0s").await;
            page.click("[data-id=B1] button").await;
            page.becomes(&text("#recorded"), "2 steps").await;
            let steps = page.browser.eval(STEPS).await.as_str().unwrap().to_owned();
            let scenario = parse(&Source::new("shop.yaml", &format!("{SHOP}{orders}{steps}")));
            let scenario = scenario.unwrap_or_else(|problems| panic!("{problems}\n{steps}"));
            let by_hand: Vec<_> = scenario.scripts().iter().filter_map(|script| script.name()).collect();
            assert_eq!(by_hand, ["by hand 1", "by hand 2"], "{steps}");
            page.close().await;
        }
    })
    .await;
}
