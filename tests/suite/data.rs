//! `data`: values, collections and their row ids, files, and generated rows.

mod files;
mod reload;

use mockd::scenario::{Collection, IdScheme, Scenario, Source, parse};
use serde_json::{Value, json};

use crate::support::accepted;

/// Returns the rows of a collection as the API shows them.
fn rows(scenario: &Scenario, name: &str) -> Value {
    serde_json::to_value(scenario.collection(name).unwrap().rows()).unwrap()
}

/// Returns the values by name.
fn values(scenario: &Scenario) -> Value {
    scenario.values().iter().map(|(name, value)| (name.to_string(), Value::clone(value))).collect()
}

/// Returns the ids, the id scheme and the prefix of a collection with these rows.
fn ids(text: &str) -> (Value, IdScheme, String) {
    let scenario = accepted(&format!("data: {{ rows: {text} }}\n"));
    let collection = scenario.collection("rows").unwrap();
    let ids = collection.rows().iter().map(|row| row.id_json()).collect();
    (ids, collection.ids(), collection.prefix().to_owned())
}

#[test]
fn only_lists_of_mappings_are_collections() {
    let scenario = accepted(
        "
data:
  todos: [{ title: Buy milk, done: false }, { id: 7, tags: [a, null], title: \"{{ 1 + 1 }}\" }]
  nothing_yet: []
  price: 9.5
  mixed: [{ id: 1 }, text]
  words: [a, b]
  deep: { from: a, to: { b: [1] } }
  null_:
  _x1: $path.id
",
    );
    let names: Vec<&str> = scenario.collections().iter().map(|collection| &**collection.name()).collect();
    assert_eq!(names, ["todos", "nothing_yet"]);
    assert!(!scenario.collections().iter().any(Collection::is_counted));
    assert_eq!(
        rows(&scenario, "todos"),
        json!([
            { "id": 8, "title": "Buy milk", "done": false },
            { "id": 7, "tags": ["a", null], "title": "{{ 1 + 1 }}" }
        ])
    );
    assert_eq!(
        values(&scenario),
        json!({
            "price": 9.5, "mixed": [{ "id": 1 }, "text"], "words": ["a", "b"], "deep": { "from": "a", "to": { "b": [1] } },
            "null_": null, "_x1": "$path.id"
        })
    );
    assert!(scenario.routes().iter().next().is_none());
}

#[test]
fn rows_without_ids_continue_the_declared_ids() {
    let numbered = |prefix: &str| (IdScheme::Numbered, prefix.to_owned());
    for (text, expected, (scheme, prefix)) in [
        ("[]", json!([]), numbered("")),
        ("[{}, {}]", json!([1, 2]), numbered("")),
        ("[{ id: null }, { id: 5 }, {}]", json!([6, 5, 7]), numbered("")),
        ("[{ id: -3 }, {}]", json!([-3, 1]), numbered("")),
        ("[{ id: A1 }, {}, { id: A7 }]", json!(["A1", "A8", "A7"]), numbered("A")),
        ("[{ id: \"4\" }, {}]", json!(["4", 5]), numbered("")),
        ("[{ id: a-09 }, {}]", json!(["a-09", "a-10"]), numbered("a-")),
    ] {
        assert_eq!(ids(text), (expected, scheme, prefix), "{text}");
    }
    for text in [
        "[{ id: A1 }, { id: B2 }, {}]",
        "[{ id: x }, {}, {}]",
        "[{ id: 1 }, { id: A2 }, {}]",
        "[{ id: A }, { id: A1 }, {}]",
    ] {
        let (ids, scheme, _) = ids(text);
        let assigned = ids.as_array().unwrap().last().unwrap().as_str().unwrap();
        assert_eq!((assigned.len(), &assigned[14..15], scheme), (36, "4", IdScheme::Uuid), "{text}");
    }
}

#[test]
fn an_assigned_uuid_depends_only_on_name_and_position() {
    let uuid = "ea64c874-99a7-499b-b8b2-0e50ceda586c";
    let (assigned, ..) = ids("[{ id: x }, {}, {}]");
    assert_eq!(assigned[1].as_str().unwrap(), uuid);
    let (again, ..) = ids("[{}, { id: y }, {}, { id: z }]");
    assert_eq!(again[2], assigned[2]);
    assert_ne!(assigned[1], assigned[2]);
    let (declared, scheme, _) = ids(&format!("[{{ id: {uuid} }}, {{}}]"));
    assert_eq!((&declared[1], scheme), (&assigned[1], IdScheme::Uuid));
}

const GENERATED: &str = "
seed: 7
starts: 2026-03-01T12:00:00+01:00
data:
  people:
    generate:
      count: 3
      row: { id: \"P{{ index + 1 }}\", name: \"{{ fake('name') }}\", n: \"{{ next('n') }}\", at: $now.iso, odd: \"{{ random(1, 6) }}\", no: $index.x }
  others: { generate: { count: 2, row: { name: \"{{ fake('name') }}\" } } }
  nobody: { generate: { count: 0, row: {} } }
";

#[test]
fn generated_rows_do_not_depend_on_other_declarations() {
    let scenario = accepted(GENERATED);
    assert_eq!(scenario.starts(), Some(1_772_362_800_000));
    let people = rows(&scenario, "people");
    assert_eq!(people[2]["id"], "P3");
    assert_eq!(people[1]["n"], 2);
    assert_eq!(people[0]["at"], "2026-03-01T11:00:00.000Z");
    assert_eq!(people[0].get("no"), None);
    assert_eq!(people[0]["name"], "Hugo Ortega");
    assert_eq!(rows(&scenario, "others")[1]["id"], 2);
    assert_eq!(rows(&scenario, "nobody"), json!([]));
    let other = accepted(
        &GENERATED
            .replace("  others:", "  before: { generate: { count: 9, row: { a: \"{{ uuid() }}\" } } }\n  others:"),
    );
    assert_eq!(rows(&other, "people"), people);
    assert_eq!(rows(&other, "others"), rows(&scenario, "others"));
    let seeded = accepted(&GENERATED.replace("seed: 7", "seed: 8"));
    assert_ne!(rows(&seeded, "others"), rows(&scenario, "others"));
    let unseeded = accepted(&GENERATED.replace("seed: 7", "name: x"));
    assert_eq!(rows(&unseeded, "others"), rows(&accepted(&GENERATED.replace("seed: 7", "seed: 0")), "others"));
}

#[test]
fn starts_is_a_timestamp_with_an_offset() {
    let starts = |text: &str| accepted(&format!("starts: {text}\ndata: {{}}\n")).starts();
    assert_eq!(starts("2026-01-01T00:00:00Z"), Some(1_767_225_600_000));
    assert_eq!(starts("2026-01-01T00:00:00.25+01:00"), Some(1_767_222_000_250));
    assert_eq!(starts("\"1969-12-31T23:59:59Z\""), Some(-1_000));
    assert_eq!(accepted("data: {}\n").starts(), None);
}

#[test]
fn a_shop_may_declare_data_without_totals() {
    let scenario = accepted(
        "categories: { toys: { prefix: T, products: [{ id: T1 }] } }\ndata: { orders: [{ id: T1 }], rate: 2 }\n",
    );
    let counted: Vec<bool> = scenario.collections().iter().map(Collection::is_counted).collect();
    assert_eq!(counted, [true, false]);
}

#[test]
fn data_survives_a_round_trip_through_yaml() {
    let text = format!(
        "{GENERATED}  odd: [{{ id: 1 }}, {{ id: x, \"\": [null, 1e3], total: 4, order: 5 }}, {{ a: 010 }}]
  letters: [{{ id: A1 }}, {{}}]
  value: {{ a: [], b: {{}}, c: \"$$ {{{{ x }}}}\", d: \"1\", from: {{ generate: [] }}, generate: 1, z: 1 }}
  nothing:
"
    );
    let scenario = accepted(&text);
    let printed = scenario.to_yaml();
    let again =
        parse(&Source::new("scenario.yaml", &printed)).unwrap_or_else(|problems| panic!("{problems}\n{printed}"));
    assert_eq!(again, *scenario, "{printed}");
    assert_eq!(again.to_yaml(), printed);
    assert!(!printed.contains("categories") && !printed.contains("orders"), "{printed}");
    assert_eq!(again.collection("letters").unwrap().prefix(), "A");
}
