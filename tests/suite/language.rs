//! The language as JSON Schema and as output of `mockd explain`, and the scenario that `mockd init` writes.

use std::path::Path;

use mockd::expression::entries;
use mockd::scenario::{language, load, schema};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{EventStream, Mockd, accepted, command, schema_errors, soon};

async fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = soon("the end of mockd", command(arguments).output()).await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn examples() -> Vec<String> {
    let files = std::fs::read_dir("scenarios").unwrap().map(|file| file.unwrap().path());
    let yaml = files.filter(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    yaml.map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

#[tokio::test]
async fn the_schema_file_is_the_output_of_mockd_schema() {
    let saved = std::fs::read_to_string("scenarios/mockd.schema.json").unwrap();
    let (code, printed, _) = run(&["schema"]).await;
    assert_eq!((code, printed == saved), (Some(0), true), "mockd schema > scenarios/mockd.schema.json");
}

#[test]
fn the_schema_is_valid_json_schema_draft_2020_12() {
    assert_eq!(schema()["$schema"], "https://json-schema.org/draft/2020-12/schema");
    jsonschema::draft202012::meta::validate(&schema()).unwrap();
}

/// Returns the entries of every `properties` in a schema, at any depth.
fn properties(schema: &Value) -> Vec<(&String, &Value)> {
    let inner = match schema {
        Value::Object(entries) => entries.values().collect(),
        Value::Array(items) => items.iter().collect(),
        _ => Vec::new(),
    };
    let own = schema["properties"].as_object().filter(|_| schema.get("description").is_some()).into_iter().flatten();
    own.chain(inner.into_iter().flat_map(properties)).collect()
}

#[test]
fn every_key_has_a_description() {
    let schema = schema();
    let keys = properties(&schema);
    assert!(keys.len() > 45, "{}", keys.len());
    for (name, key) in keys {
        assert!(key["description"].as_str().is_some_and(|text| text.ends_with('.')), "{name}: {key}");
    }
}

#[test]
fn the_schema_accepts_its_own_examples() {
    let schema = schema();
    for (name, key) in properties(&schema) {
        let mut alone = key.clone();
        alone["$defs"] = schema["$defs"].clone();
        let validator = jsonschema::validator_for(&alone).unwrap();
        for example in key["examples"].as_array().into_iter().flatten().chain(key.get("default")) {
            assert!(validator.is_valid(example), "{name}: {example}");
        }
    }
}

#[test]
fn the_schema_accepts_every_example_scenario() {
    let texts = examples();
    assert!(texts.len() >= 3);
    for text in texts {
        assert!(text.contains("# yaml-language-server: $schema=mockd.schema.json\n"), "{text}");
        accepted(&text);
    }
}

#[test]
fn every_key_of_the_language_is_explained() {
    let sections = language::sections();
    let explained = sections.iter().map(|section| section.keys.len()).sum::<usize>();
    assert_eq!(explained, properties(&schema()).len());
    assert!(sections.iter().flat_map(|section| &section.keys).all(|key| !key.takes.is_empty()));
}

#[test]
fn the_schema_rejects_common_mistakes() {
    let with = |rest: &str| format!("categories: {{ toys: {{ prefix: T, products: [{{ id: T1 }}] }} }}\n{rest}\n");
    for invalid in [
        with("sed: 4"),
        with("feed: al"),
        with("server: { port: 70000 }"),
        with("orders: { random: [{ evry: 1s }] }"),
        with("orders: { random: [{ every: 1s, rate: 1/s }] }"),
        with("orders: { random: [{ every: 1500 }] }"),
        with("orders: { random: [{ every: soon }] }"),
        with("orders: { random: [{ every: 1s, amount: { min: 1 } }] }"),
        with("orders: { random: [{ every: 1s, products: { weights: { T1: -1 } } }] }"),
        with("orders: { scripts: [{ steps: [] }] }"),
        with("orders: { scripts: [{ repeat: always, steps: [{ product: T1, amount: 1 }] }] }"),
        with("orders: { scripts: [{ steps: [{ at: 1s }] }] }"),
        with("orders: { scripts: [{ steps: [{ product: T1 }] }] }"),
        with("orders: { scripts: [{ steps: [{ product: T1, amount: 1, remove: { product: T1 } }] }] }"),
        "categories: { toys: {} }\n".to_owned(),
        "categories: { orders: { prefix: O } }\n".to_owned(),
        "categories: { toys: { prefix: T, products: [{ id: true }] } }\n".to_owned(),
        "categories: { toys: { prefix: T, products: [{ order: { total: 7 } }] } }\n".to_owned(),
    ] {
        assert!(schema_errors(&invalid).is_some(), "{invalid}");
    }
}

#[tokio::test]
async fn init_writes_a_valid_scenario_and_never_overwrites() {
    let directory = TempDir::new().unwrap();
    let shop = directory.path().join("new/shop");
    let (code, stdout, _) = run(&["init", shop.to_str().unwrap()]).await;
    let file = shop.join("mockd.yaml");
    let expected = format!(
        "wrote {path}, and {schema} for your editor\nnow: mockd run {path}\n\
         then: curl localhost:3000/todos, curl -N localhost:3000/live; edit {path} and save\n",
        path = file.display(),
        schema = shop.join("mockd.schema.json").display(),
    );
    assert_eq!((code, stdout), (Some(0), expected));
    assert!(load(&file).outcome.is_ok());
    let text = std::fs::read_to_string(&file).unwrap();
    accepted(&text);
    assert!(text.contains("$schema=mockd.schema.json"));
    std::fs::write(&file, "mine").unwrap();
    let (code, _, error) = run(&["init", shop.to_str().unwrap()]).await;
    let expected = format!("error: {} already exists; remove it, or name another directory\n", file.display());
    assert_eq!((code, error), (Some(1), expected));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
}

#[tokio::test]
async fn the_scenario_of_init_passes_check_and_runs() {
    let directory = TempDir::new().unwrap();
    let mut init = command(&["init"]);
    assert!(soon("the end of init", init.current_dir(directory.path()).output()).await.unwrap().status.success());
    let file = directory.path().join("mockd.yaml");
    let (code, _, error) = run(&["check", file.to_str().unwrap()]).await;
    assert_eq!((code, error.as_str()), (Some(0), ""));
    let mockd = Mockd::run_with(&file, &["--paused"]).await;
    let mut live = EventStream::open(&mockd, "/live").await;
    assert_eq!(live.data().await, mockd.get("/todos").await.json());
    assert_eq!(mockd.post("/todos", r#"{"title":"Call mum"}"#).await.json()["done"], false);
    let added = live.event().await.unwrap();
    assert!(added.starts_with("event: added\ndata: ") && added.contains("Call mum"), "{added}");
    assert_eq!(mockd.get("/hello?name=Ada").await.json(), json!({ "message": "Hello Ada!", "open": 3 }));
    mockd.control("POST", "/__mockd/clock", json!({ "advance": "4s" })).await;
    let moved = live.event().await.unwrap();
    assert!(moved.starts_with("event: merged\ndata: "), "{moved}");
}

#[tokio::test]
async fn init_reports_that_it_cannot_write() {
    let (code, _, error) = run(&["init", "Cargo.toml/sub"]).await;
    assert_eq!(code, Some(1));
    assert!(error.starts_with("error: cannot create the directory Cargo.toml/sub: "), "{error}");
    assert!(!Path::new("Cargo.toml/sub").exists());
}

#[tokio::test]
async fn explain_describes_a_key_at_each_of_its_paths() {
    let (code, stdout, _) = run(&["explain", "orders.random.jitter"]).await;
    let expected = "\
orders.random[].jitter
  takes duration
  default 0s

  How much earlier or later than scheduled an order may be placed; at most `every`. Deviations do not add up. Not with `arrivals: poisson`.

    jitter: 200ms
";
    assert_eq!((code, stdout.as_str()), (Some(0), expected));
    let (_, both, _) = run(&["explain", "every"]).await;
    assert!(both.contains("orders.random[].every") && both.contains("orders.scripts[].steps[].every"), "{both}");
    let (_, one, _) = run(&["explain", "steps.every"]).await;
    assert!(!one.contains("random") && one.contains("orders.scripts[].steps[].every"), "{one}");
    let (_, own, _) = run(&["explain", "categories.electronics.products[0].total"]).await;
    assert!(own.starts_with("categories.NAME.products[].total\n"), "{own}");
    let (code, all, _) = run(&["explain"]).await;
    assert_eq!((code, all.lines().count()), (Some(0), properties(&schema()).len()));
}

#[test]
fn the_scenarios_in_the_reference_are_valid() {
    let page = language::page();
    let blocks = page.split("```yaml\n").skip(1).map(|block| block.split("```\n").next().unwrap());
    let scenarios: Vec<&str> = blocks.filter(|block| !block.starts_with('#')).collect();
    assert!(scenarios.len() >= 5, "{}", scenarios.len());
    for scenario in scenarios {
        accepted(scenario);
    }
}

#[tokio::test]
async fn explain_lists_the_keys_of_a_mapping() {
    let (code, stdout, _) = run(&["explain", "crud"]).await;
    let expected = "\
http.NAME.crud
  takes text or mapping

  A REST API for a collection. The route's key has no method. `PUT` replaces a row. `PATCH` replaces the fields that it contains, each as a whole: mappings are not merged, and `null` is a value like any other.

    collection  The collection's name
    fields      The fields that a row sent by a client must have: their names, each with its allowed JSON types
    defaults    Fields that an added row has in addition to those that the client sends
    only        The allowed operations
    query       The names of the query parameters for pages and sorting
    list        The body of a list: `$items` are the rows of the page, `$total` is the number of matching rows, `$page` the number of the page, `$per_page` its size, and `$pages` the number of pages

    crud: todos
";
    assert_eq!((code, stdout.as_str()), (Some(0), expected));
    for (key, inside) in
        [("http", "when"), ("http", "stream"), ("triggers", "topic"), ("orders", "random"), ("data", "from")]
    {
        let (_, stdout, _) = run(&["explain", key]).await;
        let line = format!("\n    {inside} ");
        assert_eq!(stdout.matches(&line).count(), 1, "{key}: {stdout}");
    }
}

#[tokio::test]
async fn explain_lists_each_key_of_a_nested_mapping() {
    let (code, stdout, _) = run(&["explain", "orders"]).await;
    let expected = "\
orders
  takes mapping

  Orders that mockd places on its own. Without it, totals change only by POST.

    random   Generators of random orders
    scripts  Timelines of orders
";
    assert_eq!((code, stdout.as_str()), (Some(0), expected));
    let (code, stdout, _) = run(&["explain", "categories.electronics"]).await;
    let expected = "\
categories.NAME
  takes mapping

  A list of products with its own path.

    prefix    The prefix of its products' ids: a product without an id gets the prefix and the next number
    products  The products, in the order in which the API lists them
    fields    The properties that a product added by POST must have: their names, each with its allowed JSON types
";
    assert_eq!((code, stdout.as_str()), (Some(0), expected));
    for section in language::sections().iter().filter(|section| section.keys.len() > 1 && section.path.contains('.')) {
        let (code, stdout, _) = run(&["explain", &section.path]).await;
        assert_eq!(code, Some(0), "{}", section.path);
        for key in &section.keys {
            assert!(stdout.contains(&format!("\n    {} ", key.name)), "{}: {}: {stdout}", section.path, key.name);
        }
    }
}

#[tokio::test]
async fn explain_suggests_the_nearest_key() {
    let (code, stdout, error) = run(&["explain", "random.evry"]).await;
    let expected = "error: the language has no key `random.evry`; did you mean `every`?\n";
    assert_eq!((code, stdout.as_str(), error.as_str()), (Some(1), "", expected));
}

#[tokio::test]
async fn explain_describes_the_words_of_expressions() {
    let (code, stdout, _) = run(&["explain", "fixed"]).await;
    let expected = "\
fixed
  a filter of expressions; takes the number of decimals

  a number as text with this many decimals.

    9.5 | fixed(2)
";
    assert_eq!((code, stdout.as_str()), (Some(0), expected));
    for (word, part) in [
        ("fake", "  a function of expressions; takes a kind, such as 'name'\n"),
        ("members", "  the members of a topic: a list of their `conn.id`.\n"),
        ("now", "    now.iso\n"),
        ("where", "  a filter of expressions; takes fields by name"),
    ] {
        let (code, stdout, _) = run(&["explain", word]).await;
        assert!(code == Some(0) && stdout.contains(part), "{word}: {stdout}");
    }
    let (code, all, _) = run(&["explain", "expressions"]).await;
    assert_eq!((code, all.lines().filter(|line| line.starts_with("  ")).count()), (Some(0), entries().count()));
    let (code, _, error) = run(&["explain", "upperr"]).await;
    assert_eq!((code, error.as_str()), (Some(1), "error: the language has no key `upperr`; did you mean `upper`?\n"));
}
