//! Invalid YAML: errors point at the cause rather than where the parser stopped.

use super::{help, messages, report, with};

#[test]
fn an_unclosed_bracket_is_reported_where_it_opens() {
    let text = "data:
  a: [1, 2
  b: 3
http:
  GET /x: { body: 1 }
";
    let expected = "\
error: this `[` is never closed
 --> shop.yaml:2:6
  |
2 |   a: [1, 2
  |      ^
3 |   b: 3
  |   - `]` is missing here";
    assert_eq!(report(text), expected);
}

#[test]
fn the_innermost_unclosed_bracket_is_reported() {
    for (text, message, place) in [
        ("data:\n  a: [1, 2\n", "this `[` is never closed", "2:6"),
        ("data:\n  a: { x: 1, y: [1, 2}\n", "this `[` is never closed", "2:17"),
        ("data: { a: [1, { b: 2], c: 3 }\n", "this `{` is never closed", "1:16"),
        ("{ data: { a: [1, 2 }, b: 3 }", "this `[` is never closed", "1:14"),
        ("data: [\n1,\n2\nhttp: { GET /x: { body: 1 } }\n", "this `[` is never closed", "1:7"),
        ("http:\n  GET /x: { body: { a: \"}\" }\n  GET /y/{id}: { body: 2 }\n", "this `{` is never closed", "2:11"),
        ("data: { é: [ä, ö }\n", "this `[` is never closed", "1:12"),
    ] {
        assert_eq!(messages(text), [message], "{text}");
        assert!(report(text).contains(&format!("shop.yaml:{place}\n")), "{}", report(text));
    }
}

#[test]
fn other_syntax_errors_keep_the_parser_message() {
    for text in ["data: { a: b: c, d: [1, 2] }\n", "data: [1, 2]]\n", "data: { text: \"never\n"] {
        assert!(messages(text)[0].starts_with("not valid YAML: "), "{}", report(text));
    }
}

#[test]
fn tabs_in_the_indentation_are_reported() {
    for (text, place) in [
        ("data:\n\ta: 1\n", "2:1"),
        ("data:\n  a:\n  \tb: 1\n", "3:3"),
        ("data:\n  a: 1\n\tb: 2\n", "3:1"),
        ("data:\n\t- a\n\t- b\n", "2:1"),
        ("data:\n  a:\n    -\t- 2\n", "3:6"),
        ("data:\n  é: ä\n\t\tb: 2\n", "3:1"),
    ] {
        assert_eq!(messages(text), ["a tab here; YAML indents with spaces"], "{text:?}");
        assert!(report(text).contains(&format!("shop.yaml:{place}\n")), "{}", report(text));
        assert_eq!(help(text).as_deref(), Some("replace it with spaces"));
    }
}

#[test]
fn invalid_durations_explain_the_format() {
    let report_of = |every: &str| report(&with(&format!("orders: {{ random: [{{ every: {every} }}] }}\n")));
    assert!(report_of("\"5\"").starts_with("error: `5` is not a duration\n"), "{}", report_of("\"5\""));
    assert!(
        report_of("\"5\"").contains(" expected a number with a unit, such as 500ms, 5s or 1m30s"),
        "{}",
        report_of("\"5\"")
    );
    assert!(report_of("soon").contains(" expected a duration such as 500ms, 5s or 1m30s"), "{}", report_of("soon"));
    let order = " expected a duration such as 500ms, 5s or 1m30s: units are h, m, s, ms, us, ns, in this order";
    assert!(report_of("30m1h").contains(order), "{}", report_of("30m1h"));
}

#[test]
fn an_unclosed_bracket_in_an_expression_is_named() {
    for (expression, bracket, message) in [
        ("{{ (a + b }}", "(", "this `(` has no `)`"),
        ("{{ a | where(b=[1, 2) }}", "[", "this `[` has no `]`"),
        ("{{ [1, 2 }} and {{ 3 }}", "[", "this `[` has no `]`"),
        ("so {{ {a: 1 }}", "{a", "this `{` has no `}`"),
        ("{{ {a: {b: 1} }}", "{a", "this `{` has no `}`"),
        ("{{ f({a: (1}) }}", "(1", "this `(` has no `)`"),
    ] {
        let text = format!("http: {{ GET /: {{ body: \"{expression}\" }} }}\n");
        let column = text.find(expression).zip(expression.find(bracket)).map_or(0, |(start, at)| start + at + 1);
        let expected = format!("error: {message}\n --> shop.yaml:1:{column}\n");
        assert!(report(&text).starts_with(&expected), "{expected}{}", report(&text));
        assert_eq!(help(&text).as_deref(), Some("close it before the `}}` that ends the expression"));
    }
    for unclosed in ["{{ (a", "{{ 'a }}", "{{ a"] {
        let text = format!("http: {{ GET /: {{ body: \"{unclosed}\" }} }}\n");
        assert_eq!(messages(&text), ["this `{{` has no `}}`"], "{unclosed}");
    }
}
