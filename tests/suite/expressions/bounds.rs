//! Limits on the steps, the size and the depth of expressions.

use std::sync::Arc;

use mockd::expression::{Data, Language, Limits, RunErrorKind};
use serde_json::{Value, json};

use super::{known, names, rendered};
use crate::inputs::expression::{Collection, Setting};

fn with_limits(fuel: u64, bytes: usize, text: &str) -> Result<Value, RunErrorKind> {
    let template = Language::new(Limits { fuel, bytes }).template(&json!(text), &names()).unwrap();
    template.render_required(&known, &mut Setting::default()).map_err(|error| error.kind)
}

#[test]
fn an_expression_that_takes_too_many_steps_is_stopped() {
    for text in [
        "{{ range(1000) | map('string') | join }}",
        "{{ 'x' * 100000 }}",
        "{{ range(1000) | where(a=1) }}",
        "{{ range(1000) | find(1) or 0 }}",
        "{{ range(1000) | join(',') }}",
        "{{ range(1000) | list | sort | length }}",
        "{{ range(1000) | map('string') | list | tojson }}",
    ] {
        assert_eq!(with_limits(300, 1 << 20, text), Err(RunErrorKind::OutOfFuel(300)), "{text}");
        assert!(with_limits(100_000, 1 << 20, text).is_ok(), "{text}");
    }
}

#[test]
fn a_value_over_the_size_limit_is_an_error() {
    for text in [
        "{{ range(100) }}",
        "$rows",
        "{{ [msg, msg] }}",
        "{{ 'x' * 100 }}",
        "a {{ 'x' * 100 }}",
        "{{ {'x' * 100: 1} }}",
    ] {
        assert_eq!(with_limits(10_000, 50, text), Err(RunErrorKind::TooLong(50)), "{text}");
        assert!(with_limits(10_000, 1_000, text).is_ok(), "{text}");
    }
    let limited = with_limits(10_000, 50, "{{ range(100) | tojson }}");
    assert_eq!(limited, Err(RunErrorKind::Failed("the value exceeds 50 bytes of JSON".into())));
}

#[test]
fn a_value_nested_too_deeply_is_an_error() {
    let nested = |levels: usize| (0..levels).fold(json!("$msg.id"), |value, _| json!([value]));
    assert_eq!(rendered(&nested(128)), format!("{}7{}", "[".repeat(128), "]".repeat(128)));
    assert!(rendered(&nested(129)).ends_with("0..0: nested deeper than 128 levels"));
    let deep = Arc::new(nested(200));
    let template = Language::default().template(&json!("$msg"), &names()).unwrap();
    let error = template.render(&|_| Some(Data::shared(&deep)), &mut Setting::default()).unwrap_err();
    assert_eq!(error.to_string(), "`msg` is nested deeper than 128 levels");
}

#[test]
fn expressions_with_too_many_tokens_are_rejected() {
    for (part, last) in
        [("not ", "1"), ("-", "1"), ("1 - ", "1"), ("1 if 1 else ", "1"), ("1 ~ ", "1"), ("msg.", "id"), ("1 < ", "2")]
    {
        let tokens = part.split_whitespace().map(|word| if word == "msg." { 2 } else { 1 }).sum::<usize>();
        let within = format!("{{{{ {}{last} }}}}", part.repeat(990 / tokens));
        let result = rendered(&json!(within));
        assert!(!result.contains("more than 1000"), "{part}: {result}");
        let beyond = format!("{{{{ {}{last} }}}}", part.repeat(100_000));
        assert!(rendered(&json!(beyond)).ends_with("the expression has more than 1000 tokens"), "{part}");
    }
    for (open, close) in [("(", ")"), ("[", "]"), ("{'a':", "}")] {
        let nested = format!("{{{{ {}1{} }}}}", open.repeat(160), close.repeat(160));
        assert!(rendered(&json!(nested)).contains("template exceeds maximum recursion limits"), "{open}");
    }
}

#[test]
fn large_collections_are_read_without_copying() {
    let rows: Vec<Value> = (0..100_000).map(|id| json!({ "id": id, "name": "x" })).collect();
    let rows = Collection::new(rows);
    let template = Language::new(Limits { fuel: 100, bytes: 1_000 })
        .template(
            &json!("{{ (rows | find(99999)).id }} {{ rows[5].id }} {{ rows | length }} {{ pick(rows).name }}"),
            &names(),
        )
        .unwrap();
    let rendered = template.render(&|_| Some(Data::rows(rows.clone())), &mut Setting::default());
    assert_eq!(rendered, Ok(Some(json!("99999 5 100000 x"))));
    assert!(rows.lookups() < 10, "{}", rows.lookups());
}
