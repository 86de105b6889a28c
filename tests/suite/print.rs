//! A scenario printed as YAML reads back as the same scenario.

use mockd::scenario::{Source, parse};

use crate::support::{accepted, command};

/// Every key of the language, with YAML's own means of saying things twice.
const ALL_KEYS: &str = r#"
name: everything
seed: 18446744073709551615
feed: category
server: { host: 0.0.0.0, port: 8080, static: site, cors: ["http://localhost:5050"] }
categories:
  electronics:
    prefix: A
    products:
      - &first { id: A7, name: no, code: 010, big: 1_000, price: 1.50, tags: [~, true, { deep: "" }], total: 3, order: { returned: 1 } }
      - { <<: *first, id: A2, name: "yes", total: -7 }
      - { name: "line\nbreak and 甘い", "": odd }
    fields: { name: string, rrp: [string, number], info: { type: [string, "null"], optional: true } }
  empty: { prefix: E }
orders:
  random:
    - { every: 1.5s, jitter: 200ms, amount: { min: -1, max: 7 }, products: all, from: 1m, until: 1h30m }
    - { rate: 20/s, arrivals: poisson, amount: 2, products: [A7, A2] }
    - { rate: 0.5/m, products: { category: electronics } }
    - { every: 250us, products: { weights: { A7: 5, A2: 1, A8: 0 } } }
  scripts:
    - name: sale
      start: 10ms
      repeat: forever
      steps:
        - { at: 2s, product: A7, amount: 10 }
        - { after: 500ms, product: A2, amount: -1, times: 100, every: 10ms }
        - { at: 7s, set: { product: A7, total: 0 } }
        - { at: 8s, add: { category: electronics, product: { name: Drone, rrp: "12.50", total: 5 } } }
        - { at: 8s, add: { category: empty, product: { id: E9 } } }
        - { at: 9s, product: A9, amount: 1 }
        - { at: 9s, remove: { product: E9 } }
    - { repeat: 3, steps: [{ after: 1s, product: A7, amount: 1 }] }
    - { repeat: 3, steps: [{ product: A7, amount: { min: -1, max: 7 }, times: 2 }, { product: A2, amount: { min: 2, max: 2 } }] }
"#;

#[test]
fn every_key_survives_printing_and_reading() {
    let scenario = accepted(ALL_KEYS);
    let printed = scenario.to_yaml();
    let again =
        parse(&Source::new("scenario.yaml", &printed)).unwrap_or_else(|problems| panic!("{problems}\n{printed}"));
    assert_eq!(again, *scenario, "{printed}");
    assert_eq!(again.to_yaml(), printed);
}

#[tokio::test]
async fn check_prints_the_scenario_as_it_is_understood() {
    let output = command(&["check", "--print", "scenarios/webhook.yaml"]).output().await.unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.starts_with("name: webhook\n"), "{printed}");
    let source = std::fs::read_to_string("scenarios/webhook.yaml").unwrap();
    let declared = parse(&Source::new("webhook.yaml", &source)).unwrap();
    assert_eq!(parse(&Source::new("webhook.yaml", &printed)).unwrap(), declared);
}
