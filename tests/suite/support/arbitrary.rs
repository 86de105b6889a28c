//! Random scenarios for property tests.

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::BoxedStrategy;
use proptest::test_runner::{Config, RngSeed};
use serde_json::{Map, Value, json};

/// Returns the configuration of a property test with this number of cases, unless `PROPTEST_CASES` sets another.
pub(crate) fn properties(cases: u32) -> Config {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(cases);
    Config { cases, rng_seed: RngSeed::Fixed(42), failure_persistence: None, ..Config::default() }
}

/// Returns realistic scenarios, most of them valid. Orders are at least `fastest` apart.
pub(crate) fn documents(fastest: &'static str) -> BoxedStrategy<Value> {
    let scenario = (
        of(select(vec!["shop", "no", "1_000", "甘い", "a: b # c"])),
        of(any::<u64>()),
        of(select(vec!["all", "category"])),
        (vec(product(), 3..5), of(vec(product(), 1..3)), of(fields())),
        vec(generator(fastest), 0..3),
        vec(script(fastest), 0..3),
    );
    let build = |(name, seed, feed, (toys, food, fields), random, scripts): (_, _, _, (_, _, _), _, _)| {
        let toys = object([("prefix", json!("T")), ("products", json!(toys)), ("fields", json!(fields))]);
        let food = object([("prefix", json!("F")), ("products", json!(food))]);
        object([
            ("name", json!(name)),
            ("seed", json!(seed)),
            ("feed", json!(feed)),
            ("categories", json!({ "toys": toys, "food": food })),
            ("orders", object([("random", json!(random)), ("scripts", json!(scripts))])),
        ])
    };
    scenario.prop_map(build).boxed()
}

/// Returns the same scenarios with one value replaced or one key renamed, most of them invalid.
pub(crate) fn mutations() -> BoxedStrategy<Value> {
    let invalid = select(vec![
        json!(-1),
        json!(0),
        json!(1.5),
        json!("x"),
        json!("1s"),
        json!(""),
        json!([]),
        json!({}),
        json!(null),
        json!(true),
        json!(9_007_199_254_740_992_i64),
        json!({ "category": "toys", "weights": {} }),
    ]);
    let renamed = of(select(vec!["every", "rate", "at", "product", "total", "orders", "__x", "a/b", "zzz"]));
    (documents("1us"), any::<Index>(), invalid, renamed)
        .prop_map(|(mut document, index, invalid, renamed)| {
            let mut remaining = index.index(count(&document));
            mutate(&mut document, &mut remaining, &invalid, renamed);
            document
        })
        .boxed()
}

/// Returns a mapping of the entries that are not null.
fn object<const N: usize>(entries: [(&str, Value); N]) -> Value {
    let entries = entries.into_iter().filter(|(_, value)| !value.is_null());
    Value::Object(entries.map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>())
}

fn id() -> impl Strategy<Value = &'static str> {
    select(vec!["T1", "T2", "T3", "T1", "T2", "T3", "F1", "X"])
}

fn total() -> impl Strategy<Value = i64> {
    prop_oneof![4 => -5..200_i64, 1 => select(vec![9_007_199_254_740_991, -9_007_199_254_740_991])]
}

fn product() -> impl Strategy<Value = Value> {
    let values = select(vec![json!("no"), json!(1.5), json!([1, "010", null]), json!({ "": "\n" }), json!(true)]);
    (of(total()), values.clone(), of(values)).prop_map(|(total, name, order)| {
        let order = order.map(|order| json!({ "extra": order }));
        object([("name", name), ("total", json!(total)), ("order", json!(order))])
    })
}

fn fields() -> impl Strategy<Value = Value> {
    select(vec![
        json!({ "name": "string" }),
        json!({ "name": ["string", "null"], "info": { "type": "object", "optional": true } }),
        json!({ "info": { "optional": false } }),
    ])
}

/// Returns durations of at least `fastest`.
fn duration(fastest: &'static str) -> impl Strategy<Value = &'static str> {
    select(vec![fastest, fastest, "250ms", "1.5s", "1m", "1h30m", "24000h"])
}

fn generator(fastest: &'static str) -> impl Strategy<Value = Value> {
    let gap = prop_oneof![
        duration(fastest).prop_map(|every| json!({ "every": every })),
        select(vec!["4/s", "90/m", "0.5/h"]).prop_map(|rate| json!({ "rate": rate })),
    ];
    let amount = prop_oneof![
        total().prop_map(|amount| json!(amount)),
        (total(), 0..50_i64).prop_map(|(min, width)| {
            let max = (min + width).min(9_007_199_254_740_991);
            json!({ "min": min, "max": max })
        }),
    ];
    let products = prop_oneof![
        Just(json!("all")),
        vec(id(), 1..3).prop_map(|ids| json!(ids)),
        Just(json!({ "category": "food" })),
        (id(), 1..5_u32).prop_map(|(id, weight)| json!({ "weights": { id: weight, "T1": 1 } })),
    ];
    let spread = of(prop_oneof![Just(json!({ "arrivals": "poisson" })), Just(json!({ "jitter": fastest }))]);
    let times = (of(Just("0s")), of(select(vec!["1s", "10m"])));
    (gap, of(amount), of(products), spread, times).prop_map(|(gap, amount, products, spread, (from, until))| {
        let mut generator = object([
            ("amount", json!(amount)),
            ("products", json!(products)),
            ("from", json!(from)),
            ("until", json!(until)),
        ]);
        for more in [Some(gap), spread].into_iter().flatten() {
            generator.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        }
        generator
    })
}

fn script(fastest: &'static str) -> impl Strategy<Value = Value> {
    let repeat = of(prop_oneof![Just(json!("forever")), (1..20_i64).prop_map(|times| json!(times))]);
    (of(Just("flash sale")), of(duration(fastest)), repeat, vec(step(fastest), 1..6)).prop_map(
        |(name, start, repeat, steps)| {
            object([("name", json!(name)), ("start", json!(start)), ("repeat", repeat.into()), ("steps", json!(steps))])
        },
    )
}

fn step(fastest: &'static str) -> impl Strategy<Value = Value> {
    let action = prop_oneof![
        4 => (id(), total()).prop_map(|(id, amount)| json!({ "product": id, "amount": amount })),
        1 => (id(), total()).prop_map(|(id, total)| json!({ "set": { "product": id, "total": total } })),
        1 => id().prop_map(|id| json!({ "remove": { "product": id } })),
        1 => (of(Just("X")), product()).prop_map(|(id, mut product)| {
            if let Some(id) = id {
                product["id"] = id.into();
            }
            json!({ "add": { "category": "toys", "product": product } })
        }),
    ];
    let times = of((1..500_i64, of(Just(fastest))));
    let time = prop_oneof![Just("at"), Just("after")];
    (action, time, duration(fastest), times).prop_map(|(mut step, key, time, times)| {
        step[key] = time.into();
        if let Some((times, every)) = times {
            step["times"] = times.into();
            step["every"] = every.map_or(Value::Null, Into::into);
        }
        step
    })
}

/// Counts the values in a document.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(entries) => entries.values().map(count).sum::<usize>(),
        _ => 0,
    }
}

/// Changes the value that comes after `remaining` others.
fn mutate(value: &mut Value, remaining: &mut usize, invalid: &Value, renamed: Option<&str>) {
    if *remaining == 0 {
        match (renamed, &mut *value) {
            (Some(renamed), Value::Object(entries)) if !entries.is_empty() => {
                let key = entries.keys().next().unwrap().clone();
                let moved = entries.shift_remove(&key).unwrap();
                entries.insert(renamed.to_owned(), moved);
            }
            _ => *value = invalid.clone(),
        }
    }
    *remaining = remaining.wrapping_sub(1);
    match value {
        Value::Array(items) if *remaining < usize::MAX / 2 => {
            for item in items {
                mutate(item, remaining, invalid, renamed);
            }
        }
        Value::Object(entries) if *remaining < usize::MAX / 2 => {
            for entry in entries.values_mut() {
                mutate(entry, remaining, invalid, renamed);
            }
        }
        _ => {}
    }
}
