//! The page and its files as they are served.

use crate::support::{Mockd, SHOP, ScenarioFile};

#[tokio::test]
async fn the_page_and_its_files_are_served_under_a_strict_policy_and_others_are_not_there() {
    let mockd = Mockd::run(&ScenarioFile::new(SHOP)).await;
    let page = mockd.get("/__mockd/").await;
    let main = mockd.get("/__mockd/dashboard/main.js").await;
    // Each module that is imported is there.
    let modules = main.text.lines().filter_map(|line| line.split_once("from \"./")?.1.strip_suffix("\";"));
    let modules: Vec<String> = modules.map(|module| format!("dashboard/{module}")).collect();
    assert!(modules.len() > 5 && page.text.contains("dashboard/main.js"), "{modules:?}");
    for path in modules.iter().map(String::as_str).chain(["", "dashboard/style.css"]) {
        let answer = mockd.get(&format!("/__mockd/{path}")).await;
        let policy = answer.header("content-security-policy");
        assert!(
            answer.status == 200 && policy.starts_with("default-src 'none'; script-src 'self'"),
            "{path}: {policy}"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
    assert_eq!(mockd.get("/__mockd/dashboard/other.js").await.status, 404);
    // Nothing comes from elsewhere, so that it works without a network.
    for text in [page.text, main.text] {
        assert!(!text.contains("http://") && !text.contains("https://"), "{text}");
    }
}
