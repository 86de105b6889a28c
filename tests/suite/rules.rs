//! Routes, triggers, scripts and generators with general steps, as scenarios declare them.

mod endpoints;
mod routes;

use std::time::Duration;

use mockd::scenario::{
    Arrivals, Fires, GeneratedRule, Repeat, RowVerb, RuleStep, Scenario, SetTarget, StepStart, Verb,
};
use serde_json::json;

use crate::support::accepted;

const DATA: &str = "\
data:
  todos: [{ id: 1, title: Buy milk, votes: 0 }, { id: 2, title: Sleep }]
  people: [{ id: ada }, { id: bob }]
  price: 10
  prices: { BTC: 1 }
categories: { toys: { prefix: T, products: [{ id: T1 }] } }
";

fn with(rest: &str) -> std::sync::Arc<Scenario> {
    accepted(&format!("{DATA}{rest}\n"))
}

fn script(steps: &str) -> Vec<RuleStep> {
    let scenario = with(&format!("scripts: [{{ steps: {steps} }}]"));
    scenario.rule_scripts()[0].steps.steps().to_vec()
}

#[test]
fn a_step_has_a_time_and_a_repetition() {
    let steps = script(
        "[
          { set: { price: 1 } },
          { at: 2s, times: 3, every: 10ms, set: { price: 2 } },
          { after: 1s, times: forever, every: 1s, set: { price: 3 } },
          { each: $todos, every: 1ms, set: { price: $index } },
        ]",
    );
    let times: Vec<_> = steps.iter().map(|step| (step.start, step.times, step.every)).collect();
    let (ms, seconds) = (Duration::from_millis, Duration::from_secs);
    assert_eq!(
        times,
        [
            (StepStart::After(Duration::ZERO), Repeat::Times(1), Duration::ZERO),
            (StepStart::At(seconds(2)), Repeat::Times(3), ms(10)),
            (StepStart::After(seconds(1)), Repeat::Forever, seconds(1)),
            (StepStart::After(Duration::ZERO), Repeat::Times(1), ms(1)),
        ]
    );
    assert!(steps[3].each.is_some() && steps[2].each.is_none());
}

#[test]
fn a_step_has_an_item_and_named_values() {
    let steps = script(
        "[{
          each: [1, 2], with: { double: '{{ item * 2 }}', text: '{{ double }} of {{ index }}' }, when: double > 2,
          do: [{ add: { todos: { title: $text } } }, { set: { price: $it.id } }]
        }]",
    );
    let names: Vec<&str> = steps[0].with.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["double", "text"]);
    assert!(steps[0].when.is_some());
    let Verb::Do(list) = &steps[0].verb else { panic!("{:?}", steps[0].verb) };
    assert_eq!(
        **list.source(),
        json!([{ "add": { "todos": { "title": "$text" } } }, { "set": { "price": "$it.id" } }])
    );
}

#[test]
fn each_general_verb_is_parsed() {
    let steps = script(
        "[
          { send: { to: [news, '{{ price }}'], frame: null } },
          { add: { todos: { title: x }, toys: { id: T2 } } },
          { merge: { todos: { id: 1, done: true } } },
          { replace: { todos: '{{ todos | first }}' } },
          { remove: { people: ada } },
          { increment: { todos: { id: 1, votes: '{{ random(1, 6) }}' } } },
          { set: { price: 2, prices.BTC: 3 } },
          { order: { product: T1, amount: { min: 1, max: 7 } } },
          { fault: { on: http, status: 503 } },
        ]",
    );
    let Verb::Send { to: Some(_), others: false, .. } = &steps[0].verb else { panic!("{:?}", steps[0].verb) };
    let rows: Vec<(RowVerb, Vec<&str>)> = steps
        .iter()
        .filter_map(|step| match &step.verb {
            Verb::Rows(verb, rows) => Some((*verb, rows.iter().map(|(name, _)| &**name).collect())),
            _ => None,
        })
        .collect();
    assert_eq!(
        rows,
        [
            (RowVerb::Add, vec!["todos", "toys"]),
            (RowVerb::Merge, vec!["todos"]),
            (RowVerb::Replace, vec!["todos"]),
            (RowVerb::Remove, vec!["people"]),
            (RowVerb::Increment, vec!["todos"]),
        ]
    );
    let Verb::Set(values) = &steps[6].verb else { panic!("{:?}", steps[6].verb) };
    let paths: Vec<(&str, Vec<&str>)> = values
        .iter()
        .map(|(target, _)| match target {
            SetTarget::Value(path) => (&*path.name, path.keys.iter().map(|key| &**key).collect()),
            SetTarget::Conn(_) => panic!("{target:?}"),
        })
        .collect();
    assert_eq!(paths, [("price", vec![]), ("prices", vec!["BTC"])]);
    let Verb::Count { amount, .. } = &steps[7].verb else { panic!("{:?}", steps[7].verb) };
    assert!(!amount.is_constant());
    assert!(matches!(steps[8].verb, Verb::Fault(_)));
}

#[test]
fn triggers_have_keys_by_topic_and_may_be_one_verb() {
    let scenario = with(
        "triggers:
  - { topic: todos, when: event.change == 'added' and topic == 'todos', do: [{ after: 5s, merge: { todos: { id: $event.row.id } } }] }
  - { topic: todos, send: { to: news, frame: $event } }
  - { topic: news/1, set: { price: 1 } }",
    );
    let keys: Vec<(&str, &str)> = scenario.triggers().iter().map(|one| (&*one.key, &*one.topic)).collect();
    assert_eq!(keys, [("triggers/todos", "todos"), ("triggers/todos#2", "todos"), ("triggers/news/1", "news/1")]);
    let second = &scenario.triggers()[1];
    assert_eq!(**second.steps.source(), json!([{ "send": { "to": "news", "frame": "$event" } }]));
    assert_eq!(second.steps.steps()[0].start, StepStart::After(Duration::ZERO));
    assert!(second.when.is_none() && scenario.triggers()[0].when.is_some());
}

#[test]
fn script_keys_are_their_names_or_numbers() {
    let scenario = with(
        "scripts:
  - { name: morning, start: 1s, repeat: 3, steps: [{ after: 1s, set: { price: 1 } }] }
  - { repeat: forever, steps: [{ at: 1us, set: { price: 1 } }] }
  - { name: morning, steps: [{ set: { price: 1 } }] }",
    );
    let scripts = scenario.rule_scripts();
    let keys: Vec<(&str, Option<&str>)> = scripts.iter().map(|one| (&*one.key, one.name.as_deref())).collect();
    assert_eq!(
        keys,
        [("scripts/morning", Some("morning")), ("scripts#2", None), ("scripts/morning#2", Some("morning"))]
    );
    assert_eq!((scripts[0].start, scripts[0].repeat), (Duration::from_secs(1), Repeat::Times(3)));
    assert_eq!(scripts[1].repeat, Repeat::Forever);
    assert!(scenario.scripts().is_empty());
}

/// Returns the rules of the generators, with their arrivals.
fn generator_rules(scenario: &Scenario) -> Vec<(&GeneratedRule, Arrivals)> {
    let rules = scenario.generators().iter().filter_map(|one| match one.fires() {
        Fires::Rule(fired) => Some((&**fired, one.arrivals())),
        Fires::Count { .. } => None,
    });
    rules.collect()
}

#[test]
fn generators_pick_rows_of_a_collection_or_by_weight() {
    let scenario = with(
        "random:
  - { every: 1s, pick: todos, increment: { todos: { id: $it.id, votes: 1 } } }
  - { rate: 2/s, arrivals: poisson, name: crowd, pick: { weights: { ada: 5, bob: 0 } }, do: [{ set: { price: $it.id } }] }
  - { every: 1s, pick: { weights: { 1: 1, 2: 3 } }, remove: { todos: $it.id } }
  - { every: 1s, set: { price: '{{ price + 1 }}' } }
orders: { random: [{ every: 1s }] }",
    );
    let rules = generator_rules(&scenario);
    let keys: Vec<&str> = rules.iter().map(|(rule, _)| &*rule.key).collect();
    assert_eq!(keys, ["random#1", "random/crowd", "random#3", "random#4"]);
    let picks: Vec<_> = rules
        .iter()
        .map(|(rule, _)| {
            let pick = rule.pick.as_ref()?;
            let weights =
                pick.weights.as_ref().map(|weights| weights.iter().map(|(id, n)| (&**id, *n)).collect::<Vec<_>>());
            Some((&*pick.collection, weights))
        })
        .collect();
    assert_eq!(
        picks,
        [
            Some(("todos", None)),
            Some(("people", Some(vec![("ada", 5)]))),
            Some(("todos", Some(vec![("1", 1), ("2", 3)]))),
            None
        ]
    );
    assert_eq!(rules[1].1, Arrivals::Poisson(Duration::from_millis(500)));
    assert_eq!(rules[3].0.source["set"], json!({ "price": "{{ price + 1 }}" }));
    // The shop's generators come first: their random streams depend on their positions.
    assert!(matches!(scenario.generators()[0].fires(), Fires::Count { .. }));
}

#[test]
fn a_scenario_need_not_be_a_shop() {
    for text in
        ["http: { GET /: { body: 1 } }\n", "websocket: { /: {} }\n", "triggers: []\n", "scripts: []\n", "random: []\n"]
    {
        let scenario = accepted(text);
        assert!(scenario.collections().is_empty() && scenario.routes().endpoints().next().is_none(), "{text}");
    }
}

#[test]
fn orders_may_be_for_products_that_rules_add() {
    let orders = "orders: { random: [{ every: 1s, products: [T9] }] }";
    for add in ["{ toys: { id: T9 } }", "{ toys: { name: x } }", "{ toys: { id: $body.id } }", "{ toys: $body }"] {
        with(&format!("http: {{ POST /add: {{ add: {add} }} }}\n{orders}"));
    }
}
