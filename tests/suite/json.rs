//! Scenarios in JSON: escapes, tabs, and positions in reports.

use std::fs;

use mockd::scenario::{Scenario, Source, load, parse};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::Mockd;

fn read(path: &str, text: &str) -> Scenario {
    parse(&Source::new(path, text)).unwrap_or_else(|problems| panic!("{problems}"))
}

fn report(path: &str, text: &str) -> String {
    parse(&Source::new(path, text)).unwrap_err().to_string()
}

const SHOP: &str = "\u{feff}{\r\n\t\"seed\": 42,\r\n\t\"categories\": {\r\n\t\t\"toys\": { \"prefix\": \"T\", \"products\": [ { \"id\": \"T1\" } ] }\r\n\t}\r\n}\r\n";

#[test]
fn json_may_have_tabs_crlf_and_a_byte_order_mark() {
    for path in ["shop.json", "shop.yaml", "shop"] {
        assert_eq!(read(path, SHOP).seed(), Some(42), "{path}");
    }
}

#[test]
fn values_match_those_of_a_json_parser() {
    let values = [
        r#""\" \\ \/ \b \f \n \r \t \u0041 \u00e9 \ud83d\ude00 \uD83D\uDE00 甘い \u0000""#,
        r#""""#,
        r#""{[,:]}""#,
        r#""\\""#,
        r#""<<""#,
        "1e5",
        "1E+2",
        "-1.5e-3",
        "0",
        "-0.0",
        "18446744073709551615",
        "-9223372036854775808",
        "123456789012345678901234567890",
        "true",
        "false",
        "null",
        r#"[[],{},[{"a":[1]}]]"#,
        r#"{"010":"x","é":1,"a\nb":{"":2}}"#,
    ];
    for value in values {
        let text = format!(
            "{{\"categories\":{{\"toys\":{{\"prefix\":\"T\",\"products\":[{{\"id\":\"T1\",\"own\":{value}}}]}}}}}}"
        );
        let scenario = read("shop.json", &text);
        let expected: Value = serde_json::from_str(value).unwrap();
        assert_eq!(scenario.collections()[0].rows()[0].fields()["own"], expected, "{value}");
    }
}

#[test]
fn reports_point_at_the_right_column_in_json() {
    let text = "{\n\t\"sed\": 4,\n\t\"categories\": {\"甘\\u0061\": {\"prefix\": 3}}\n}\n";
    let report = report("shop.json", text);
    assert!(report.contains("error: unknown key `sed`\n --> shop.json:2:2\n"), "{report}");
    assert!(report.contains("error: expected text, found the number `3`\n --> shop.json:3:39\n"), "{report}");
    let duplicate = self::report("shop.json", "{\"n\\u0061me\": \"x\", \"name\": \"y\"}");
    assert!(duplicate.contains("`name` is declared twice\n --> shop.json:1:20"), "{duplicate}");
}

#[test]
fn files_named_json_must_be_valid_json() {
    for (text, position) in
        [("{\n  \"seed\": 4,\n}\n", "3:1"), ("{\"a\": 1", "1:7"), ("name: x\n", "1:2"), ("{'a': 1}", "1:2")]
    {
        let report = report("shop.json", text);
        assert!(report.starts_with("error: not valid JSON: "), "{report}");
        assert!(report.contains(&format!(" --> shop.json:{position}\n")), "{report}");
    }
    for text in ["", " \n"] {
        assert!(report("shop.json", text).starts_with("error: the file declares nothing\n"));
    }
    let surrogate = report("shop.json", r#"{"name": "\ud83d"}"#);
    assert!(surrogate.contains("not valid JSON: ") && surrogate.contains("shop.json:1:10"), "{surrogate}");
}

#[test]
fn yaml_in_braces_is_still_yaml() {
    let yaml = "{ categories: { toys: { prefix: T, products: [{ id: T1, name: \"\\x41\", }] } } } # not JSON\n";
    assert_eq!(read("shop.yaml", yaml).collections()[0].rows()[0].fields()["name"], "A");
}

#[tokio::test]
async fn json_files_are_found_served_included_and_reloaded() {
    let directory = TempDir::new().unwrap();
    let path = |name: &str| directory.path().join(name);
    let toys = |total: i64| {
        format!(
            "{{\"categories\": {{\"toys\": {{\"prefix\": \"T\", \"products\": [{{\"id\": \"T1\", \"total\": {total}}}]}}}}}}\n"
        )
    };
    fs::create_dir(path("parts")).unwrap();
    fs::write(path("parts/toys.json"), toys(1)).unwrap();
    fs::write(path("a.json"), "{\"name\": \"\\ud83d\\ude00\", \"include\": [\"parts/toys.json\"]}").unwrap();
    fs::write(path("mockd.schema.json"), "{}").unwrap();
    assert!(load(&path("a.json")).outcome.is_ok());
    let mockd = Mockd::run_with(directory.path(), &[]).await;
    assert_eq!(mockd.greeting()["scenario"], "\u{1f600}");
    let listed = mockd.get("/__mockd/scenarios").await.json();
    assert_eq!(listed["scenarios"], json!([{ "file": path("a.json"), "serving": true }]));
    let mut live = mockd.live("toys").await;
    assert_eq!(live.order().await, ("T1".into(), 1));
    fs::write(path("parts/toys.json"), toys(2)).unwrap();
    assert_eq!(live.order().await, ("T1".into(), 2));
}
