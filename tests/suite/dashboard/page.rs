//! The page and its files as served.

use serde_json::json;

use super::{Dashboard, at_both_widths};
use crate::support::{Mockd, SHOP, ScenarioFile};

#[tokio::test]
async fn only_the_files_of_the_page_are_served_under_a_strict_policy() {
    let mockd = Mockd::run(&ScenarioFile::new(SHOP)).await;
    let page = mockd.get("/__mockd/").await.text;
    assert!(page.contains("dashboard/main.js") && page.contains("dashboard/style.css"));
    // Follows the imports of each module.
    let mut files = vec![String::new(), "dashboard/style.css".into(), "dashboard/main.js".into()];
    let mut next = 0;
    while let Some(file) = files.get(next).cloned() {
        let answer = mockd.get(&format!("/__mockd/{file}")).await;
        let policy = answer.header("content-security-policy");
        assert_eq!(answer.status, 200, "{file}");
        for part in ["default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"] {
            assert!(policy.split("; ").any(|one| one == part), "{file}: {policy}");
        }
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        // No file refers to another host, so the page works offline.
        let names = ["\"http://www.w3.org/2000/svg\""];
        let text = names.iter().fold(answer.text, |text, name| text.replace(name, ""));
        assert!(!text.contains("http://") && !text.contains("https://"), "{file}");
        for module in text.lines().filter_map(|line| line.split_once("from \"./")?.1.strip_suffix("\";")) {
            let module = format!("dashboard/{module}");
            if !files.contains(&module) {
                files.push(module);
            }
        }
        next += 1;
    }
    assert!(files.len() > 10, "{files:?}");
    assert_eq!(mockd.get("/__mockd/dashboard/other.js").await.status, 404);
}

#[tokio::test]
async fn scripts_and_styles_injected_into_the_page_are_blocked() {
    at_both_widths(async |window| {
        let page = Dashboard::open(SHOP, window).await;
        page.browser
            .eval(
                "(document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => { (window.blocked ??= []).push(effectiveDirective) }), \
                 document.body.append(Object.assign(document.createElement('script'), { textContent: 'window.evil = 1' }), \
                 Object.assign(document.createElement('style'), { textContent: '* { display: none }' }), \
                 Object.assign(document.createElement('script'), { src: 'https://example.com/evil.js' })))",
            )
            .await;
        page.becomes("(window.blocked ?? []).sort()", json!(["script-src-elem", "script-src-elem", "style-src-elem"]))
            .await;
        page.becomes("window.evil === undefined && document.querySelector('main').checkVisibility()", true).await;
        page.close().await;
    })
    .await;
}
