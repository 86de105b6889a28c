//! `mockd play`: the events of a scenario as lines of JSON.

use super::{assert_fails, run, text};
use crate::support::ScenarioFile;

#[tokio::test]
async fn play_prints_the_same_json_lines_on_every_run() {
    let file = ScenarioFile::new(
        "seed: 42
categories: { toys: { prefix: T, products: [{ id: T1 }, { id: T2, total: 10 }] } }
orders:
  random: [{ every: 1s, amount: { min: 1, max: 7 } }]
  scripts: [{ steps: [{ at: 1500ms, add: { category: toys, product: { name: Kite, total: 4 } } }, { after: 1s, remove: { product: T3 } }, { product: T3, amount: 1 }] }]
",
    );
    let path = file.path().to_str().unwrap();
    let expected = r#"{"at":"1s","sequence":1,"event":"total","id":"T2","category":"toys","total":17}
{"at":"1s500ms","sequence":2,"event":"added","id":"T3","category":"toys"}
{"at":"1s500ms","sequence":3,"event":"total","id":"T3","category":"toys","total":4}
{"at":"2s","sequence":4,"event":"total","id":"T2","category":"toys","total":22}
{"at":"2s500ms","sequence":5,"event":"removed","id":"T3","category":"toys"}
{"at":"2s500ms","sequence":6,"event":"skipped","reason":"Order T3 not found"}
{"at":"3s","sequence":7,"event":"total","id":"T1","category":"toys","total":2}
"#;
    for _ in 0..2 {
        let output = run(&["play", path, "--until", "3s"]).await;
        assert_eq!((output.status.code(), text(&output.stdout), text(&output.stderr)), (Some(0), expected, ""));
    }
    let other = run(&["play", path, "--until", "3s", "--seed", "7"]).await;
    assert_ne!(text(&other.stdout), expected);
}

#[tokio::test]
async fn play_prints_a_seed_that_repeats_the_run() {
    let output = run(&["play", "scenarios/shop.yaml", "--until", "10m"]).await;
    let stderr = text(&output.stderr);
    let seed = stderr.strip_prefix("seed ").unwrap().split(';').next().unwrap();
    assert_eq!(stderr, format!("seed {seed}; --seed {seed} plays the same again\n"));
    let again = run(&["play", "scenarios/shop.yaml", "--until", "10m", "--seed", seed]).await;
    assert_eq!(text(&again.stdout).lines().count(), 400);
    assert_eq!(again.stdout, output.stdout);
}

#[tokio::test]
async fn play_reports_if_nothing_is_scheduled() {
    let answers = "data: { todos: [] }\nhttp: { /todos: { crud: todos } }\n";
    let later = "data: { n: 0 }\nscripts: [{ steps: [{ at: 2m, set: { n: 1 } }] }]\n";
    for (scenario, until, start) in [
        (answers, "1m", "nothing is scheduled in {}: it only answers clients; `mockd run {}` serves it\n"),
        (later, "1m", "nothing is scheduled in {} until 1m: the first action is due at 2m; use a longer --until\n"),
        (later, "2m", "seed "),
    ] {
        let file = ScenarioFile::new(scenario);
        let path = file.path().to_str().unwrap();
        let output = run(&["play", path, "--until", until]).await;
        assert_eq!(output.status.code(), Some(0));
        assert!(text(&output.stderr).starts_with(&start.replace("{}", path)), "{}", text(&output.stderr));
        assert_eq!(text(&output.stderr).lines().count(), 1);
        assert_eq!(text(&output.stdout).is_empty(), until == "1m");
    }
}

#[tokio::test]
async fn play_refuses_invalid_arguments() {
    let output = run(&["play", "scenarios/shop.yaml", "--until", "soon"]).await;
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("`soon` is not a duration"), "{}", text(&output.stderr));
    assert_fails(&["play", "nope.yaml"], "cannot read nope.yaml: there is no such file").await;
}
