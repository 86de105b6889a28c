//! What is not there: false, left out, null, or an error, by where it is.

use mockd::expression::Language;
use serde_json::{Value, json};

use super::{compiled, condition, known, names, rendered};
use crate::inputs::expression::Setting;

/// Ways to name what is not there.
const UNDEFINED: [&str; 7] =
    ["nothing", "nothing.at.all", "msg.nope", "msg.nope.deeper.3", "msg.items[9].sku", "rows | find(9)", "pick([])"];

#[test]
fn what_is_undefined_is_false_and_gives_way_to_another_value() {
    for text in UNDEFINED {
        assert_eq!(condition(text), "false", "{text}");
        assert_eq!(rendered(&json!(format!("{{{{ ({text}) or 'other' }}}}"))), r#""other""#, "{text}");
        assert_eq!(rendered(&json!(format!("{{{{ ({text}) | default('other') }}}}"))), r#""other""#, "{text}");
    }
}

#[test]
fn what_is_undefined_is_left_out_or_null_in_output() {
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
fn what_is_undefined_is_an_error_in_text_and_where_required() {
    for text in UNDEFINED {
        let end = 3 + text.len();
        let value = if text.contains(' ') { format!("({text})") } else { text.to_owned() };
        let said = format!("`{text}` is undefined; provide a fallback with `or`: `{{{{ {value} or '' }}}}`");
        let expected = format!("failed at 3..{end}: {said}");
        assert_eq!(rendered(&json!(format!("{{{{ {text} }}}}"))), expected, "{text}");
        let expected = format!("failed at k 4..{}: {said}", end + 1);
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
fn what_is_undefined_is_no_empty_text_before_a_filter() {
    for filter in ["upper", "lower", "trim", "title", "capitalize", "replace('a', 'b')", "escape"] {
        let name = filter.split('(').next().unwrap();
        let said = format!("`msg.nope` is undefined; provide a fallback with `or`: `(msg.nope or '') | {name}`");
        let text = format!("Hi {{{{ msg.nope | {filter} }}}}!");
        assert_eq!(rendered(&json!({ "k": text })), format!("failed at k 6..14: {said}"));
        assert_eq!(rendered(&json!(format!("{{{{ msg.nope | {filter} }}}}"))), format!("failed at 3..11: {said}"));
        let given = rendered(&json!(format!("Hi {{{{ (msg.nope or '') | {filter} }}}}!")));
        assert_eq!(given, "\"Hi !\"", "{filter}");
    }
}

#[test]
fn a_condition_whose_filter_has_no_value_is_false() {
    for text in ["msg.nope | int > 1", "msg.nope | int < 1", "not (msg.nope | upper)", "msg.nope ~ 'x'"] {
        assert_eq!(condition(text), "false", "{text}");
    }
    assert_eq!(condition("msg.nope | int(default=2) > 1"), "true");
    assert_eq!(condition("msg.nope is defined or msg.done"), "true");
}

#[test]
fn numbers_and_text_are_ordered_by_their_types() {
    for (text, expected) in
        [("'120' < 5", "false"), ("none < 5", "true"), ("msg.nope < 5", "true"), ("'5' > 120", "true")]
    {
        assert_eq!(condition(text), expected, "{text}");
    }
}

#[test]
fn fromjson_has_a_default_for_text_that_is_not_json() {
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
