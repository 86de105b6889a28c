//! Templates and conditions in isolation; `tests/suite/expressions.rs` covers their values.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::{Condition, Rendered, Template};
use crate::expression::{Data, Language, Names, PathStep, Runtime};

/// A runtime in which every draw, count and time is 0.
#[derive(Default)]
struct Still;

impl Runtime for Still {
    fn word(&mut self) -> u64 {
        0
    }

    fn count(&mut self, _: &str) -> u64 {
        0
    }

    fn now(&self) -> i64 {
        0
    }

    fn joined(&self, _: &str) -> u64 {
        0
    }

    fn members(&self, _: &str) -> Vec<Json> {
        Vec::new()
    }
}

fn template(value: &Json) -> Template {
    Language::default().template(value, &Names::from(["a", "b"])).unwrap()
}

fn condition(text: &str) -> Condition {
    Language::default().condition(text, &Names::from(["a", "b"])).unwrap()
}

#[test]
fn templates_and_conditions_are_equal_if_written_the_same() {
    let all = [
        json!(1),
        json!("$a"),
        json!("$b"),
        json!("{{ a + 1 }}"),
        json!("{{ a + 1 }}!"),
        json!(["$a"]),
        json!({ "a": "$a" }),
    ];
    for (at, one) in all.iter().enumerate() {
        for (other_at, other) in all.iter().enumerate() {
            assert_eq!(template(one) == template(other), at == other_at, "{one} {other}");
        }
    }
    assert_eq!(template(&json!("$a")), template(&json!("{{ a }}")));
    assert_eq!(condition("a == 1"), condition(" a == 1 "));
    assert_ne!(condition("a == 1"), condition("b == 1"));
}

#[test]
fn calls_that_draw_count_or_query_topics_do_not_only_read() {
    let pure =
        ["$a", "{{ a | find(1) }}", "{{ now.ms + a }}", "{{ range(3) }}", "{{ dict(pick=a).next }}", "{{ a.random }}"];
    for text in pure {
        assert!(template(&json!([text])).only_reads(), "{text}");
    }
    let calls = [
        "random(1, 2)",
        "normal(1, 2)",
        "pick(a)",
        "chance(0.5)",
        "uuid()",
        "next('a')",
        "fake('name')",
        "joined('a')",
        "members('a')",
    ];
    for call in calls {
        assert!(!template(&json!({ "a": "$a", "b": [format!("so {{{{ a ~ {call} }}}}")] })).only_reads(), "{call}");
        assert!(!condition(&format!("a or {call}")).only_reads(), "{call}");
    }
    assert!(condition("a == 1").only_reads());
}

#[test]
fn errors_have_the_location_of_their_expression() {
    let written = json!({ "x": ["{{ 1 }}", "so {{ a.b }}!"] });
    let locate = |path: &[PathStep], byte: usize| Some(format!("f.yaml:{}:{byte}", path.len()).into());
    let located = template(&written).located(&locate);
    assert_eq!(located, template(&written));
    let nothing = |_: &str| None;
    let error = located.render(&nothing, &mut Still).unwrap_err();
    assert_eq!(error.to_string(), "`a.b` is undefined (f.yaml:2:6); provide a fallback with `or`: `{{ a.b or '' }}`");
    let error = template(&written).render(&nothing, &mut Still).unwrap_err();
    assert_eq!(error.to_string(), "`a.b` is undefined; provide a fallback with `or`: `{{ a.b or '' }}`");
    let error = condition("1 // 0").located(&locate).holds(&nothing, &mut Still).unwrap_err();
    assert!(error.to_string().ends_with(" (f.yaml:0:0)"), "{error}");
}

#[test]
fn templates_and_conditions_are_send_and_sync() {
    fn expect_shared<T: Send + Sync + 'static>(_: &T) {}
    expect_shared(&template(&json!("{{ a + 1 }}")));
    expect_shared(&condition("a + 1"));
    expect_shared(&Language::default());
}

#[test]
fn a_required_value_must_not_be_undefined() {
    let written = template(&json!({ "data": "$a", "id": "$b" }));
    assert_eq!(written.render(&|_| None, &mut Still).unwrap(), Some(json!({})));
    let error = written.requiring("data").render(&|_| None, &mut Still).unwrap_err();
    assert!(error.to_string().contains("`a` is undefined"), "{error}");
}

#[test]
fn undefined_values_are_collected_for_comparisons() {
    let written = template(&json!({
        "a": "$a", "b": ["{{ b }}", 1], "c": "so {{ a }}", "d": "{{ a | upper }}", "e": "{{ [b] }}", "f": "{{ 1 }}",
    }));
    let Rendered { value, undefined } = written.render_collecting(&|_| None, &mut Still).unwrap();
    assert_eq!(value, Some(json!({ "b": [null, 1], "e": [null], "f": 1 })));
    let noted: Vec<String> =
        undefined.iter().map(|error| format!("{:?} {}", error.place.path, error.expression)).collect();
    let expected =
        [r#"[Key("a")] a"#, r#"[Key("b"), Index(0)] b"#, r#"[Key("c")] a"#, r#"[Key("d")] a"#, r#"[Key("e")] [b]"#];
    assert_eq!(noted, expected);
    let whole = template(&json!("$a")).render_collecting(&|_| None, &mut Still).unwrap();
    assert_eq!((whole.value, whole.undefined.len()), (None, 1));
    let given = written.render_collecting(&|_| Some("x".into()), &mut Still).unwrap();
    assert_eq!(given.undefined, []);
    let error = template(&json!({ "a": "{{ 1 // 0 }}" })).render_collecting(&|_| None, &mut Still).unwrap_err();
    assert!(error.to_string().contains("fails"), "{error}");
}

#[test]
fn an_error_is_one_line_even_if_its_expression_is_not() {
    let error = condition("1\n  // 0").holds(&|_| None, &mut Still).unwrap_err().to_string();
    assert!(error.starts_with(r"`1\n  // 0` fails: ") && !error.contains('\n'), "{error}");
    let error = template(&json!("{{ a.b\r\n.c }}!")).render(&|_| None, &mut Still).unwrap_err().to_string();
    assert!(error.starts_with(r"`a.b\r\n.c` is undefined") && !error.contains('\n'), "{error}");
}

#[test]
fn a_looked_up_value_is_what_an_evaluated_template_gives() {
    let value = Arc::new(json!({
        "text": "abc", "float": 1.5, "whole": 10.0, "large": u64::MAX, "yes": true, "null": null,
        "list": [{ "n": 1 }, [2, 3]], "07": "seven", "7": 7, "X-Id": "x", "empty": {}
    }));
    let sources = [Data::shared(&value), Data::in_any_case(&value), Data::from(3), Data::from("abc")];
    for source in sources {
        let roots = |name: &str| (name == "a").then(|| source.clone());
        for path in [
            "",
            ".text",
            ".text.0",
            ".text.9",
            ".text.x",
            ".float",
            ".whole",
            ".large",
            ".yes",
            ".yes.0",
            ".null",
            ".null.x",
            ".list",
            ".list.0",
            ".list.0.n",
            ".list.1.1",
            ".list.2",
            ".list.n",
            ".07",
            ".7",
            ".TEXT",
            ".empty",
            ".empty.x.y",
            ".gone",
            ".0",
        ] {
            let looked_up = template(&json!({ "value": format!("$a{path}"), "text": format!("<{{{{ a{path} }}}}>") }));
            let with_scope = template(&json!({
                "value": format!("$a{path}"), "text": format!("<{{{{ a{path} }}}}>"), "sum": "{{ 1 + 1 }}"
            }));
            assert!(looked_up.is_lookup && !with_scope.is_lookup, "{path}");
            let mut expected = with_scope.render_collecting(&roots, &mut Still).unwrap();
            if let Some(Json::Object(fields)) = &mut expected.value {
                fields.remove("sum");
            }
            let rendered = looked_up.render_collecting(&roots, &mut Still).unwrap();
            assert_eq!(rendered, expected, "{path} of {source:?}");
        }
    }
}
