//! The operands of filters and `~` follow minijinja's grammar.

use std::cell::Cell;

use minijinja::{Environment, Value};
use mockd::expression::{Data, Language, Names};
use proptest::prelude::*;
use serde_json::json;

use crate::inputs::expression::Setting;
use crate::support::properties;

/// Returns expressions whose parts minijinja prints as JSON does: integers and text.
fn expressions() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec!["1", "2", "'a'", "'b~c'", "n", "t", "m.in", "l[0]", "t[1:3]"])
        .prop_map(str::to_owned);
    leaf.prop_recursive(5, 24, 3, |inner| {
        let operators = vec!["~", "+", "-", "*", "//", "%", "and", "or"];
        let comparisons = vec!["==", "!=", "<", ">=", "in", "not in"];
        let filters = vec!["upper", "string", "default('z')", "replace('a', n ~ 1)", "length"];
        let pair = || (inner.clone(), inner.clone());
        prop_oneof![
            4 => (pair(), prop::sample::select(operators)).prop_map(|((a, b), op)| format!("{a} {op} {b}")),
            2 => (pair(), inner.clone()).prop_map(|((a, b), c)| format!("{a} ~ {b} ~ {c}")),
            2 => (inner.clone(), prop::sample::select(filters)).prop_map(|(a, filter)| format!("{a} | {filter}")),
            1 => (pair(), prop::sample::select(comparisons)).prop_map(|((a, b), op)| format!("1 if {a} {op} {b} else 0")),
            1 => pair().prop_map(|(a, b)| format!("{a} if not {b} else n")),
            1 => inner.clone().prop_map(|a| format!("1 if {a} is not string else 0")),
            1 => inner.clone().prop_map(|a| format!("1 if {a} is eq t[1:3] else 0")),
            1 => inner.clone().prop_map(|a| format!("-{a}")),
            1 => inner.clone().prop_map(|a| format!("({a})")),
            1 => pair().prop_map(|(a, b)| format!("[{a}, {b}][0]")),
            1 => pair().prop_map(|(a, b)| format!("[{a}, {b}][:1][0]")),
            1 => inner.clone().prop_map(|a| format!("({a})[1:]")),
            1 => pair().prop_map(|(a, b)| format!("{{'k': {a}, 'l': {b}}}.k")),
            1 => inner.prop_map(|a| format!("dict(k={a}).k")),
        ]
    })
}

#[test]
fn operands_match_the_minijinja_grammar() {
    let root = json!({ "n": 3, "t": "text", "m": { "in": 5 }, "l": [4, 6] });
    let known = |name: &str| root.get(name).cloned().map(Data::from);
    let minijinja_root = || {
        let inner = Value::from_pairs([("in", Value::from(5))]);
        let list = Value::from(vec![Value::from(4), Value::from(6)]);
        Value::from_pairs([("n", Value::from(3)), ("t", Value::from("text")), ("m", inner), ("l", list)])
    };
    let (environment, language, names) = (Environment::new(), Language::default(), Names::from(["n", "t", "m", "l"]));
    let compared = Cell::new(0);
    proptest!(properties(3_000), |(text in expressions())| {
        let compiled = language.template(&json!(format!("{{{{ {text} }}}}")), &names);
        let expected = environment.compile_expression_owned(text.clone());
        prop_assert_eq!(compiled.is_ok(), expected.is_ok(), "{}", text);
        if let (Ok(template), Ok(expected)) = (compiled, expected) {
            let found = template.render_required(&known, &mut Setting::default());
            match expected.eval(minijinja_root()) {
                Ok(expected) => {
                    compared.set(compared.get() + 1);
                    let found = found.map(|found| found.as_str().map_or(found.to_string(), str::to_owned));
                    prop_assert_eq!(found.map_err(|error| error.to_string()), Ok(expected.to_string()), "{}", text);
                }
                Err(_) => prop_assert!(found.is_err(), "{}: {:?}", text, found),
            }
        }
    });
    assert!(compared.get() > 500, "{compared:?}");
}
