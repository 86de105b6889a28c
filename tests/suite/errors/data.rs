//! Errors in `data` and `starts`.

use super::{messages, report};

fn with(data: &str) -> String {
    format!("data:\n  {data}\n")
}

#[test]
fn invalid_data_names_are_reported_with_the_reason() {
    assert_eq!(
        report(&with("to-do: []")),
        "\
error: `to-do` is not a valid name for data
 --> shop.yaml:2:3
  |
2 |   to-do: []
  |   ^^^^^ a name consists of letters, digits and `_`, and does not start with a digit"
    );
    assert_eq!(
        report(&with("members: []")),
        "\
error: `members` is not a valid name for data
 --> shop.yaml:2:3
  |
2 |   members: []
  |   ^^^^^^^ expressions have a function with this name
  |
  = help: choose another name; `mockd explain members` explains the function"
    );
    for name in ["path", "msg", "now", "random", "true", "__x", "1a", "frame", "toys", "é", "\"\""] {
        let text = format!("categories: {{ toys: {{ prefix: T }} }}\ndata: {{ {name}: 1 }}\n");
        assert_eq!(messages(&text), [format!("`{}` is not a valid name for data", name.trim_matches('"'))]);
    }
}

#[test]
fn a_duplicate_row_id_points_at_both_declarations() {
    assert_eq!(
        report(&with("rows: [{ id: 1 }, { name: x, id: \"1\" }]")),
        "\
error: row id `1` is declared twice
 --> shop.yaml:2:36
  |
2 |   rows: [{ id: 1 }, { name: x, id: \"1\" }]
  |                -                   ^^^ declared again here
  |                |
  |                first declared here
  |
  = help: give one of them another id"
    );
    assert_eq!(messages(&with("rows: [{ id: \"\" }]")), ["a row's id cannot be empty"]);
    for id in ["1.5", "[1]", "true", "9007199254740992"] {
        let found = messages(&with(&format!("rows: [{{ id: {id} }}]")));
        assert_eq!(found, [format!("expected text or an integer, found {id}")]);
    }
}

#[test]
fn errors_in_generated_rows_point_at_their_cause() {
    let generated = |count: &str, row: &str| with(&format!("rows: {{ generate: {{ count: {count}, row: {row} }} }}"));
    assert_eq!(
        report(&generated("2", "{ id: \"A{{ indx + 1 }}\" }")),
        "\
error: unknown name `indx`
 --> shop.yaml:2:49
  |
2 |   rows: { generate: { count: 2, row: { id: \"A{{ indx + 1 }}\" } } }
  |                                                 ^^^^ not defined here
  |
  = help: did you mean `index`?"
    );
    assert_eq!(
        report(&generated("2", "{ a: [\"so {{ 1 // (1 - index) }}\"] }")),
        "\
error: `1 // (1 - index)` fails: unable to calculate 1 // 0
 --> shop.yaml:2:51
  |
2 |   rows: { generate: { count: 2, row: { a: [\"so {{ 1 // (1 - index) }}\"] } } }
  |                                                   ^^^^^^^^^^^^^^^^"
    );
    assert_eq!(
        report(&generated("3", "{ id: \"{{ index % 2 }}\" }")),
        "\
error: row id `0` is declared twice
 --> shop.yaml:2:44
  |
2 |   rows: { generate: { count: 3, row: { id: \"{{ index % 2 }}\" } } }
  |                                            ^^^^^^^^^^^^^^^^^ declared again here
  |
  = help: give one of them another id"
    );
    for (text, message) in [
        (generated("2", "{ id: \"{{ index / 2 }}\" }"), "expected text or an integer, found 0.0"),
        (generated("2", "{ id: $rows }"), "unknown name `rows`"),
        (generated("1000001", "{}"), "more than 1000000 rows"),
        (generated("-1", "{}"), "expected an integer from 0 to 18446744073709551615, found the number `-1`"),
        (generated("1", "$index"), "expected a mapping, found the text `$index`"),
        (
            generated("1000000", "{ a: \"{{ range(2000) | list }}\" }"),
            "`range(2000) | list` takes more than 1000 steps",
        ),
        (generated("2", "{ a: \"{{ 'x' * 40000000 }}\" }"), "the rows exceed 64 MiB"),
        (with("rows: { generate: { row: {} } }"), "`generate` needs `count`"),
        (with("rows: { generate: { count: 1 } }"), "`generate` needs `row`"),
        (with("rows: { generate: 3 }"), "expected a mapping with the keys count, row, found the number `3`"),
        (with("rows: { generate: { count: 1, row: {}, rows: 2 } }"), "unknown key `rows`"),
        (
            with("rows: { from: a.csv, generate: { count: 1, row: {} } }"),
            "`from` and `generate` cannot be used together",
        ),
        (with("rows: { from: a.csv }"), "cannot read a.csv: only a scenario read from a file can refer to others"),
    ] {
        assert_eq!(messages(&text), [message], "{text}");
    }
}

#[test]
fn an_invalid_start_time_reports_what_is_missing() {
    assert_eq!(
        report("starts: 2026-01-01\ndata: {}\n"),
        "\
error: `2026-01-01` is not a date and time
 --> shop.yaml:1:9
  |
1 | starts: 2026-01-01
  |         ^^^^^^^^^^ expected a time after the date, such as T09:30:00Z"
    );
    assert_eq!(
        report("starts: 2026-01-01T09:00:00\ndata: {}\n"),
        "\
error: `2026-01-01T09:00:00` is not a date and time
 --> shop.yaml:1:9
  |
1 | starts: 2026-01-01T09:00:00
  |         ^^^^^^^^^^^^^^^^^^^ expected a date and time with its offset (RFC 3339), such as 2026-01-01T09:30:00Z"
    );
    assert_eq!(
        messages("starts: 3\ndata: {}\n"),
        ["expected a date and time such as 2026-01-01T09:30:00Z, found the number `3`"]
    );
}

#[test]
fn a_reserved_data_name_says_what_has_the_name() {
    for (name, help) in [
        ("it", "`it` is the row that an earlier step changed; choose another name, such as `row`"),
        ("method", "`method` is the method of a request; choose another name, such as `methods`"),
        ("now", "`now` is the current time; choose another name, such as `today`"),
        ("loop", "`loop` is a word of the expression language; choose another name, such as `loop_value`"),
    ] {
        let text = with(&format!("{name}: [{{ id: 1 }}]"));
        assert_eq!(messages(&text), [format!("`{name}` is not a valid name for data")]);
        assert_eq!(super::help(&text).as_deref(), Some(help));
        assert!(report(&text).contains("^ this name is reserved in expressions"), "{}", report(&text));
    }
}
