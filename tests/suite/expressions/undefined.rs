//! Undefined values: false, omitted, null or an error, depending on where they occur.

use mockd::expression::Language;
use serde_json::{Value, json};

use super::{compiled, condition, known, names, rendered};
use crate::inputs::expression::Setting;

/// Expressions whose values are undefined.
const UNDEFINED: [&str; 7] =
    ["nothing", "nothing.at.all", "msg.nope", "msg.nope.deeper.3", "msg.items[9].sku", "rows | find(9)", "pick([])"];

#[test]
fn undefined_values_are_false_and_yield_to_fallbacks() {
    for text in UNDEFINED {
        assert_eq!(condition(text), "false", "{text}");
        assert_eq!(rendered(&json!(format!("{{{{ ({text}) or 'other' }}}}"))), r#""other""#, "{text}");
        assert_eq!(rendered(&json!(format!("{{{{ ({text}) | default('other') }}}}"))), r#""other""#, "{text}");
    }
}

#[test]
fn undefined_values_are_omitted_or_null_in_output() {
    for text in UNDEFINED {
        let expression = format!("{{{{ {text} }}}}");
        let value = json!({ "a": expression, "b": [expression, 1], "c": { "d": expression }, "e": null });
        assert_eq!(rendered(&value), r#"{"b":[null,1],"c":{},"e":null}"#, "{text}");
        let inside = format!("{{{{ {{'a': {text}, 'b': [{text}]}} }}}}");
        assert_eq!(rendered(&json!(inside)), r#"{"b":[null]}"#, "{text}");
        let template = compiled(&json!(expression)).unwrap();
        assert_eq!(template.render(&known, &mut Setting::default()), Ok(None), "{text}");
    }
}

#[test]
fn undefined_values_are_errors_in_text_and_where_required() {
    for text in UNDEFINED {
        let end = 3 + text.len();
        let value = if text.contains(' ') { format!("({text})") } else { text.to_owned() };
        let message = format!("`{text}` is undefined; provide a fallback with `or`: `{{{{ {value} or '' }}}}`");
        let expected = format!("failed at 3..{end}: {message}");
        assert_eq!(rendered(&json!(format!("{{{{ {text} }}}}"))), expected, "{text}");
        let expected = format!("failed at k 4..{}: {message}", end + 1);
        assert_eq!(rendered(&json!({ "k": format!("x{{{{ {text} }}}}") })), expected, "{text}");
    }
    let expected = "failed at 1..9: `msg.nope` is undefined; provide a fallback with `or`: `{{ msg.nope or '' }}`";
    assert_eq!(rendered(&json!("$msg.nope")), expected);
    let expected = "failed at 1..16: `msg.text.length` is undefined; provide a fallback with `or`: \
                    `{{ msg.text.length or '' }}`; for the length, write `msg.text | length`";
    assert_eq!(rendered(&json!("$msg.text.length")), expected);
}

#[test]
fn null_is_a_value_and_not_undefined() {
    assert_eq!(rendered(&json!({ "a": "$msg.none", "b": "{{ msg.none }}" })), r#"{"a":null,"b":null}"#);
    assert_eq!(rendered(&json!("is {{ msg.none }}")), r#""is null""#);
    assert_eq!(rendered(&json!(null)), "null");
    let template = Language::default().template(&json!("$msg.none"), &names()).unwrap();
    assert_eq!(template.render_required(&known, &mut Setting::default()), Ok(Value::Null));
}

#[test]
fn an_undefined_filter_input_is_an_error() {
    for filter in ["upper", "lower", "trim", "title", "capitalize", "replace('a', 'b')", "escape"] {
        let name = filter.split('(').next().unwrap();
        let message = format!("`msg.nope` is undefined; provide a fallback with `or`: `(msg.nope or '') | {name}`");
        let text = format!("Hi {{{{ msg.nope | {filter} }}}}!");
        assert_eq!(rendered(&json!({ "k": text })), format!("failed at k 6..14: {message}"));
        assert_eq!(rendered(&json!(format!("{{{{ msg.nope | {filter} }}}}"))), format!("failed at 3..11: {message}"));
        let fallback = rendered(&json!(format!("Hi {{{{ (msg.nope or '') | {filter} }}}}!")));
        assert_eq!(fallback, "\"Hi !\"", "{filter}");
    }
}

#[test]
fn a_condition_with_an_undefined_filter_input_is_false() {
    for text in ["msg.nope | int > 1", "msg.nope | int < 1", "not (msg.nope | upper)", "msg.nope ~ 'x'"] {
        assert_eq!(condition(text), "false", "{text}");
    }
    assert_eq!(condition("msg.nope | int(default=2) > 1"), "true");
    assert_eq!(condition("msg.nope is defined or msg.done"), "true");
}

#[test]
fn values_of_different_types_are_ordered_by_type() {
    for (text, expected) in
        [("'120' < 5", "false"), ("none < 5", "true"), ("msg.nope < 5", "true"), ("'5' > 120", "true")]
    {
        assert_eq!(condition(text), expected, "{text}");
    }
}

#[test]
fn fromjson_returns_its_default_for_invalid_json() {
    for (text, expected) in [
        ("'[1' | fromjson(default={'a': 2})", r#"{"a":2}"#),
        ("'[1' | fromjson(3)", "3"),
        ("1 | fromjson(default=none)", "null"),
        ("msg.nope | fromjson(default=[])", "[]"),
        ("'[1]' | fromjson(default=2)", "[1]"),
        ("'null' | fromjson(default=2)", "null"),
    ] {
        assert_eq!(rendered(&json!(format!("{{{{ {text} }}}}"))), expected, "{text}");
    }
    assert!(rendered(&json!("{{ '[1' | fromjson(other=1) }}")).starts_with("refused "));
    assert!(rendered(&json!("{{ '[1' | fromjson() }}")).starts_with("failed "));
}
