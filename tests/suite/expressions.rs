//! The expressions of scenarios by table: the value of each, or its error and the error's position.
//!
//! `tests/golden/expressions` has a line for each. An error includes the range of bytes above its caret.

mod bounds;
mod oddities;
mod operands;
mod table;
mod undefined;

use std::sync::Arc;

use mockd::expression::{
    CompileError, Data, KINDS, Language, Names, PathStep, Place, RunError, Template, is_reserved_name,
};
use mockd::scenario::Content;
use serde_json::{Value, json};

use table::{COMPUTED, CONDITIONS, REFUSED, TEXTS, UNDEFINED};

use crate::golden::assert_golden;
use crate::inputs::expression::{Collection, Setting};
use crate::support::accepted;

/// Returns the data that the expressions of these tests can read under a name.
fn known(name: &str) -> Option<Data> {
    Some(match name {
        "msg" => Data::shared(&Arc::new(json!({
            "id": 7, "big": 18_446_744_073_709_551_615_u64, "price": 9.5, "text": "hello", "done": true, "none": null,
            "items": [{ "sku": "a", "count": 2 }, { "sku": "b", "count": 3 }], "zebra": { "b": 1, "a": 2 }, "0": "zero"
        }))),
        "path" => Data::from(json!({ "id": "2" })),
        "headers" => Data::from(json!({ "x-api-key": "k1" })),
        "rows" => Data::rows(Collection::new(vec![
            json!({ "id": 1, "name": "one", "done": true }),
            json!({ "id": 2, "name": "two", "done": false }),
            json!({ "id": "A3", "name": "three", "done": true }),
        ])),
        "price" => Data::from(9.99),
        "nothing" => return None,
        "line-items" => Data::from(json!([1, 2])),
        other => panic!("{other} is not a name of these tests"),
    })
}

const NAMES: [&str; 7] = ["msg", "path", "headers", "rows", "price", "nothing", "line-items"];

fn names() -> Names<'static> {
    Names::from(NAMES)
}

fn place(place: &Place) -> String {
    let steps = place.path.iter().map(|step| match step {
        PathStep::Key(key) => format!("{key} "),
        PathStep::Index(index) => format!("{index} "),
    });
    format!("{}{}..{}", steps.collect::<String>(), place.range.start, place.range.end)
}

fn refused(errors: &[CompileError]) -> String {
    let line = |error: &CompileError| {
        let help = error.kind.help().map(|help| format!(" ({help})")).unwrap_or_default();
        format!("at {}: {error}{help}", place(&error.place))
    };
    format!("refused {}", errors.iter().map(line).collect::<Vec<_>>().join("; "))
}

fn failed(error: &RunError) -> String {
    format!("failed at {}: {error}", place(&error.place))
}

fn compiled(value: &Value) -> Result<Template, String> {
    Language::default().template(value, &names()).map_err(|errors| refused(&errors))
}

fn rendered(value: &Value) -> String {
    let render = |template: Template| template.render_required(&known, &mut Setting::default());
    match compiled(value).map(render) {
        Ok(Ok(value)) => value.to_string(),
        Ok(Err(error)) => failed(&error),
        Err(refused) => refused,
    }
}

fn condition(text: &str) -> String {
    match Language::default().condition(text, &names()) {
        Ok(condition) => match condition.holds(&known, &mut Setting::default()) {
            Ok(holds) => holds.to_string(),
            Err(error) => failed(&error),
        },
        Err(errors) => refused(&errors),
    }
}

#[test]
fn every_expression_yields_its_golden_result() {
    let mut lines = Vec::new();
    for text in TEXTS.iter().chain(REFUSED) {
        lines.push(format!("{text}  =>  {}", rendered(&json!(text))));
    }
    for text in COMPUTED.iter().chain(UNDEFINED) {
        lines.push(format!("{text}  =>  {}", rendered(&json!(format!("{{{{ {text} }}}}")))));
    }
    for text in CONDITIONS {
        lines.push(format!("when {text}  =>  {}", condition(text)));
    }
    assert_golden("expressions", &lines.join("\n"));
}

#[test]
fn fake_data_matches_the_golden_file() {
    let of_kind = |kind: &str| {
        let template = compiled(&json!(format!("{{{{ fake('{kind}') }}}}"))).unwrap();
        let mut setting = Setting::default();
        let mut fake = || template.render_required(&known, &mut setting).unwrap().to_string();
        (0..24).map(|_| format!("{kind} {}", fake())).collect::<Vec<_>>()
    };
    assert_golden("made-up", &KINDS.map(of_kind).concat().join("\n"));
}

#[test]
fn every_template_error_is_reported_with_its_position() {
    let value =
        json!({ "a": ["$mgs", { "b": "ok {{ 1 + }} {{ nope }}" }], "{{ key }}": "$msg.id", "c": "{{ uuid(1) }}" });
    assert_eq!(
        rendered(&value),
        "refused at a 0 1..4: unknown name `mgs` (did you mean `msg`?); \
         at a 1 b 8..9: not a valid expression: unexpected end of input, expected expression; \
         at a 1 b 16..20: unknown name `nope`; \
         at c 3..7: `uuid` takes no arguments"
    );
    let failing = json!({ "a": [1, "n {{ msg.id + msg.text }}"] });
    assert_eq!(
        rendered(&failing),
        "failed at a 1 5..22: `msg.id + msg.text` fails: tried to use + operator on unsupported types number and string"
    );
    let negative = json!({ "a": "{{ -msg.text }}" });
    assert_eq!(rendered(&negative), "failed at a 3..12: `-msg.text` fails: a value has the wrong type");
}

#[test]
fn a_template_lists_the_names_that_it_uses() {
    let cases: [(Value, &[&str]); 7] = [
        (json!({ "a": [1, "x", null], "b": {} }), &[]),
        (json!("$$msg"), &[]),
        (json!("{{ 1 + 1 }}"), &[]),
        (json!({ "a": "$msg.id", "b": "{{ rows | find(path.id) }}" }), &["msg", "path", "rows"]),
        (json!("{{ {'msg': 1, 'path': headers.rows} | attr('price') }}"), &["headers"]),
        (json!("{{ dict(msg=now.iso) }}"), &["now"]),
        (json!("{{ msg.path is in headers }}"), &["headers", "msg"]),
    ];
    for (value, expected) in cases {
        let template = compiled(&value).unwrap();
        assert_eq!(template.names().iter().collect::<Vec<_>>(), expected, "{value}");
        let is_literal = !value.to_string().contains("{{") && expected.is_empty();
        assert_eq!(template.is_constant(), is_literal, "{value}");
    }
    let condition = Language::default().condition("msg.id == path.id", &names()).unwrap();
    assert_eq!(condition.names().iter().collect::<Vec<_>>(), ["msg", "path"]);
}

#[test]
fn words_of_the_language_are_reserved_names() {
    for name in ["now", "random", "in", "not", "true", "None", "loop", "members"] {
        assert!(is_reserved_name(name), "{name}");
    }
    for name in ["rows", "msg", "upper", "where", "item"] {
        assert!(!is_reserved_name(name), "{name}");
    }
}

#[test]
fn header_fields_are_found_in_any_case() {
    let headers = Arc::new(json!({ "x-api-key": "k1", "authorization": "Bearer x" }));
    let known = |_: &str| Some(Data::in_any_case(&headers));
    let rendered = |text: &str| compiled(&json!([text])).unwrap().render_required(&known, &mut Setting::default());
    for (text, expected) in [
        ("$headers.X-Api-Key", json!("k1")),
        ("{{ headers['X-API-KEY'] }}", json!("k1")),
        ("{{ headers.Authorization | replace('Bearer ', '') }}", json!("x")),
        ("{{ 'Authorization' in headers and 'Host' not in headers }}", json!(true)),
        ("{{ headers | length }}", json!(2)),
        ("{{ headers.Host }}", Value::Null),
    ] {
        assert_eq!(rendered(text).unwrap(), json!([expected]), "{text}");
    }
    let own = Arc::new(json!({ "Own": 1 }));
    let template = compiled(&json!("$headers.Own")).unwrap();
    let own_data = |_: &str| Some(Data::in_any_case(&own));
    assert_eq!(template.render_required(&own_data, &mut Setting::default()), Ok(json!(1)));
}

#[test]
fn draws_and_counters_continue_from_one_run_to_the_next() {
    let mut setting = Setting::default();
    let template = compiled(&json!(["{{ next('n') }}", "{{ random(0, 1000000) }}", "{{ next('n') }}"])).unwrap();
    let first = template.render_required(&known, &mut setting).unwrap();
    let second = template.render_required(&known, &mut setting).unwrap();
    assert_eq!((&first[0], &first[2], &second[0], &second[2]), (&json!(1), &json!(2), &json!(3), &json!(4)));
    assert_ne!(first[1], second[1]);
    assert_eq!(template.render_required(&known, &mut Setting::default()).unwrap(), first);
}

#[test]
fn a_run_time_error_reports_the_position_of_its_expression() {
    let text = "data: { price: 1 }\nhttp:\n  GET /x: { body: { a: [\"so {{ price.x }}\"] } }\n  GET /y: { when: price // 0 }\n";
    let scenario = accepted(text);
    let answer = |key: &str| &scenario.routes().answers(key).unwrap().list[0];
    let Content::DataJson(body) = &answer("GET /x").content else { panic!("the answer has no body") };
    let nothing = |_: &str| None;
    let error = body.render_required(&nothing, &mut Setting::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`price.x` is undefined (scenario.yaml:3:32); provide a fallback with `or`: `{{ price.x or '' }}`"
    );
    let when = answer("GET /y").when.as_ref().unwrap();
    let one = |_: &str| Some(Data::from(1));
    let error = when.holds(&one, &mut Setting::default()).unwrap_err().to_string();
    assert!(error.ends_with(" (scenario.yaml:4:19)"), "{error}");
}
