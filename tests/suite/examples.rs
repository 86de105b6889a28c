//! The files in `scenarios/` do what their opening comments say.

use std::path::Path;

use crate::support::Mockd;

async fn run(name: &str) -> Mockd {
    Mockd::run_with(&Path::new("scenarios").join(name), &[]).await
}

#[test]
fn each_example_starts_with_a_comment() {
    for file in std::fs::read_dir("scenarios").unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.lines().next().unwrap().starts_with("# "), "{}", path.display());
    }
}

#[tokio::test]
async fn shop_sells_1_to_7_pieces_of_a_product_every_1500_ms() {
    let mockd = run("shop.yaml").await;
    let mut live = mockd.live("confectionery").await;
    let mut before = std::collections::HashMap::from([("A1", 3), ("A2", 7), ("B1", 101)]);
    assert_eq!(live.order().await, ("B1".into(), 101));
    for _ in 0..2 {
        let (id, total) = live.order().await;
        let before = before.get_mut(id.as_str()).unwrap();
        assert!((1..=7).contains(&(total - *before)), "{id} went from {before} to {total}");
        *before = total;
    }
}

#[tokio::test]
async fn webhook_totals_change_only_by_post() {
    let mockd = run("webhook.yaml").await;
    let mut live = mockd.live("electronics").await;
    assert_eq!(live.texts(2).await[0], r#"{"id":"A1","total":3}"#);
    mockd.order("A1", 10).await;
    assert_eq!(live.text().await, r#"{"id":"A1","total":13}"#);
}

#[tokio::test]
async fn flash_sale_starts_with_ten_orders_and_a_return() {
    let mockd = run("flash-sale.yaml").await;
    let mut live = mockd.live("electronics").await;
    let first = [r#"{"id":"A1","total":3}"#, r#"{"id":"A2","total":7,"returned":1}"#];
    assert_eq!(live.texts(2).await, first);
    // With the scenario's seed, the random orders start after these two.
    assert_eq!(live.texts(2).await, [r#"{"id":"A1","total":13}"#, r#"{"id":"A2","total":6,"returned":1}"#]);
}

#[tokio::test]
async fn bad_day_runs_through_its_faults_in_order() {
    let mockd = Mockd::run_with(Path::new("scenarios/bad-day.yaml"), &["--paused"]).await;
    let mut seen = Vec::new();
    for _ in 0..29 {
        mockd.advance("", "5s").await;
        let faults = mockd.get("/__mockd/state").await.json()["faults"].clone();
        seen.extend(faults.as_array().unwrap().iter().map(|fault| fault["label"].as_str().unwrap().to_owned()));
        seen.dedup();
    }
    let expected = [
        "slow answers",
        "busy checkout",
        "too many orders",
        "broken lists",
        "trickle",
        "cut off",
        "nothing",
        "wrong length",
        "no answer",
        "late frames",
        "lost frames",
        "double frames",
        "shuffled frames",
        "damaged frames",
        "wrong frames",
        "old news",
        "silence",
        "deaf",
        "enough",
        "storm",
        "slow door",
        "shut door",
    ];
    assert_eq!(seen, expected);
    let transcript = mockd.get("/__mockd/transcript").await.text;
    for momentary in ["closed", "broken off"] {
        assert!(transcript.contains(&format!(r#""event":"fault-began","fault":"{momentary}""#)), "{momentary}");
    }
}
