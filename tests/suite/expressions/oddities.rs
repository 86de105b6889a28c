//! Syntax of other languages in texts and keys: it is sent literally, with a warning.

use mockd::expression::Language;
use serde_json::{Value, json};

use super::{names, rendered};

/// Returns the warnings about a valid value.
fn oddities(value: &Value) -> Vec<String> {
    let language = Language::default();
    assert!(language.template(value, &names()).is_ok(), "{value}");
    let oddities = language.foreign_syntax(value, &names());
    assert!(oddities.iter().all(|oddity| oddity.kind.is_warning()));
    let line = |oddity: &mockd::expression::CompileError| {
        format!("{}: {oddity} ({})", super::place(&oddity.place), oddity.kind.help().unwrap_or_default())
    };
    oddities.iter().map(line).collect()
}

#[test]
fn braces_and_statements_of_other_languages_are_text() {
    assert_eq!(
        oddities(&json!("{{ msg.id }} is ${path.id} or ${ msg.items[0] }")),
        [
            "16..26: `${path.id}` is text (write `{{ path.id }}` for its value)",
            "30..47: `${msg.items[0]}` is text (write `{{ msg.items[0] }}` for its value)",
        ]
    );
    let statement = oddities(&json!(["a", "{% if msg.id %}b{% endif %}"]));
    assert_eq!(statement.len(), 1);
    assert!(statement[0].starts_with("1 0..15: `{%` is text (expressions have no statements: "), "{statement:?}");
    let comment = oddities(&json!({ "a": "b {# c #}" }));
    assert_eq!(comment.len(), 1);
    assert!(comment[0].starts_with("a 2..9: `{#` is text (expressions have no comments"), "{comment:?}");
}

#[test]
fn mapping_keys_are_text() {
    assert_eq!(
        oddities(&json!({ "{{ path.id }}": 1, "$path.id": 2, "...msg": 3 })),
        [
            "{{ path.id }} 0..0: keys are text: the expression in `{{ path.id }}` is not evaluated \
             (write the whole mapping as one expression: `\"{{ {path.id: value} }}\"`)",
            "$path.id 0..0: keys are text: the expression in `$path.id` is not evaluated \
             (write the whole mapping as one expression: `\"{{ {path.id: value} }}\"`)",
            "...msg 0..0: the key `...msg` is text and spreads nothing \
             (write the whole mapping as one expression: `\"{{ dict(msg, name=value) }}\"`)",
        ]
    );
    assert_eq!(rendered(&json!("{{ {path.id: 1} }}")), r#"{"2":1}"#);
    assert_eq!(rendered(&json!("{{ dict(msg.zebra, name=1) }}")), r#"{"b":1,"a":2,"name":1}"#);
}

#[test]
fn ordinary_text_is_not_mistaken_for_foreign_syntax() {
    for text in [
        "${HOME}",
        "$${path.id}",
        "${{ price }}",
        "{{ '{% x %}' }}",
        "{% alone",
        "a {#",
        "100 %}",
        "...",
        "{{ '${path.id}' }}",
    ] {
        assert_eq!(oddities(&json!([{ "a": text }])), <[String; 0]>::default(), "{text}");
    }
    assert_eq!(oddities(&json!({ "...": 1, "$set": 2, "a.b": 3 })), <[String; 0]>::default());
}
