//! Reports of invalid scenarios, word for word.

mod ambiguous;
mod data;
mod endpoints;
mod expressions;
mod foreign_keys;
mod products;
mod row;
mod rules;
mod syntax;
mod warnings;

use std::fmt::Write;

use mockd::scenario::{Source, parse};

use crate::support::accepted;

fn report(text: &str) -> String {
    parse(&Source::new("shop.yaml", text)).expect_err("the scenario is valid").to_string()
}

/// Returns the message of each problem.
fn messages(text: &str) -> Vec<String> {
    report(text).lines().filter_map(|line| line.strip_prefix("error: ")).map(str::to_owned).collect()
}

/// Appends `rest` to a valid scenario.
fn with(rest: &str) -> String {
    format!("categories: {{ toys: {{ prefix: T, products: [{{ id: T1 }}, {{ id: T2 }}] }} }}\n{rest}")
}

#[test]
fn all_problems_are_reported_together_in_file_order() {
    let text = "\
sed: 42
categories:
  toys:
    prefix: T
    products:
      - { id: T1, total: \"3\" }
      - { id: T1 }
feed: al
";
    let expected = "\
error: unknown key `sed`
 --> shop.yaml:1:1
  |
1 | sed: 42
  | ^^^ unknown key
  |
  = help: did you mean `seed`?

error: expected an integer, found the text \"3\"
 --> shop.yaml:6:26
  |
6 |       - { id: T1, total: \"3\" }
  |                          ^^^ expected an integer
  |
  = help: did you mean `3`?

error: product id `T1` is declared twice
 --> shop.yaml:7:15
  |
6 |       - { id: T1, total: \"3\" }
  |               -- first declared here
7 |       - { id: T1 }
  |               ^^ declared again here
  |
  = help: give one of them another id

error: `al` is not a valid value here
 --> shop.yaml:8:7
  |
8 | feed: al
  |       ^^ expected `all`, `category`
  |
  = help: did you mean `all`?";
    assert_eq!(report(text), expected);
}

#[test]
fn a_long_report_says_how_to_see_all_problems() {
    let report = |count: usize| {
        let keys: Vec<String> = (0..count).map(|number| format!("key{number}: 1\n")).collect();
        report(&with(&keys.concat()))
    };
    assert!(!report(50).contains("more problem"), "{}", report(50));
    for (count, last) in [(51, "… and 1 more problem"), (64, "… and 14 more problems")] {
        let last = format!("\n\n{last}; `mockd check --format json` lists all of them");
        assert!(report(count).ends_with(&last), "{}", report(count));
    }
}

#[test]
fn the_caret_is_aligned_after_multibyte_characters() {
    let text = "categories: { \"Süßes – 甘い\": { prefx: S } }\n";
    let report = report(text);
    assert!(
        report.contains("shop.yaml:1:31") && report.contains("|                                 ^^^^^ unknown key"),
        "{report}"
    );
}

#[test]
fn each_mistake_has_its_message() {
    for (text, message) in [
        (String::new(), "the file declares nothing"),
        ("# only a comment\n".into(), "the file declares nothing"),
        ("name: x\n".into(), "the scenario declares nothing"),
        ("categories: {}\n".into(), "`categories` cannot be empty"),
        ("categories: { toys: { prefix: T } }\n---\nname: x\n".into(), "more than one YAML document in the file"),
        ("categories: { toys: { products: [] } }\n".into(), "a category needs `prefix`"),
        ("categories: { orders: { prefix: O } }\n".into(), "`orders` is not a valid name for a category"),
        ("categories: { a/b: { prefix: O } }\n".into(), "`a/b` is not a valid name for a category"),
        ("categories: { __x: { prefix: O } }\n".into(), "`__x` is not a valid name for a category"),
        (with("name: x\nname: y\n"), "`name` is declared twice"),
        (with("seed: -1\n"), "expected an integer from 0 to 18446744073709551615, found the number `-1`"),
        (with("server: { port: 70000 }\n"), "expected a port from 0 to 65535, found the number 70000"),
        (with("server: { host: nowhere }\n"), "expected an IP address or `localhost`, found `nowhere`"),
        (with("server: { cors: 3 }\n"), "expected true or false or a list, found the number `3`"),
        (with("orders: { random: [{ amount: 1 }] }\n"), "a generator needs exactly one of `every` and `rate`"),
        (with("orders: { random: [{ every: 1s, rate: 1/s }] }\n"), "`every` and `rate` cannot be used together"),
        (
            with("orders: { random: [{ every: 1500 }] }\n"),
            "expected a duration such as 500ms, 5s or 1m30s, found the number `1500`",
        ),
        (with("orders: { random: [{ every: 15 apples }] }\n"), "`15 apples` is not a duration"),
        (with("orders: { random: [{ every: 0s }] }\n"), "`every` must be at least 1us"),
        (
            with("orders: { random: [{ rate: 5 }] }\n"),
            "expected a rate such as 20/s, 90/m or 0.5/h, found the number `5`",
        ),
        (with("orders: { random: [{ rate: 5 apples/s }] }\n"), "`5 apples/s` is not a rate"),
        (with("orders: { random: [{ rate: 0/s }] }\n"), "the rate `0/s` is not between 0.001/h and 1000000/s"),
        (
            with("orders: { random: [{ rate: 2000000/s }] }\n"),
            "the rate `2000000/s` is not between 0.001/h and 1000000/s",
        ),
        (with("server: { cors: [\"*\"] }\n"), "`*` is not the origin of a web page"),
        (with("server: { cors: [\"http://a.b/\"] }\n"), "`http://a.b/` is not the origin of a web page"),
        ("categories: { toys: { prefix: T, fields: { name: [] } } }\n".into(), "the list of types cannot be empty"),
        (
            "categories: { toys: { prefix: T, fields: { name: { type: [] } } } }\n".into(),
            "the list of types cannot be empty",
        ),
        (
            "categories: { toys: { prefix: T, products: [{ name: !!int abc }] } }\n".into(),
            "expected an integer, found the text `abc`",
        ),
        (
            "categories: { toys: { prefix: T, products: [{ name: !!null x }] } }\n".into(),
            "expected nothing, found the text `x`",
        ),
        (
            with(
                "orders: { scripts: [{ steps: [{ product: T1, amount: 1, times: 9000000000000000, every: 1ms }] }] }\n",
            ),
            "the step ends later than 24000h",
        ),
        (with("orders: { random: [{ every: 1s, jitter: 2s }] }\n"), "`jitter` is longer than `every`"),
        (
            with("orders: { random: [{ every: 1s, amount: { min: 2, max: 1 } }] }\n"),
            "the range is empty: min 2 is above max 1",
        ),
        (with("orders: { random: [{ every: 1s, amount: { min: 2 } }] }\n"), "an amount needs `max`"),
        (
            with("orders: { random: [{ every: 1s, amount: lots }] }\n"),
            "expected an integer or a mapping, found the text `lots`",
        ),
        (with("orders: { random: [{ every: 1s, from: 5s, until: 5s }] }\n"), "`until` is not after `from`"),
        (with("orders: { random: [{ every: 1s, products: [] }] }\n"), "`products` cannot be empty"),
        (with("orders: { random: [{ every: 1s, products: [T3] }] }\n"), "there is no product `T3`"),
        (with("orders: { random: [{ every: 1s, products: { category: tosy } }] }\n"), "there is no category `tosy`"),
        (with("orders: { random: [{ every: 1s, products: { weights: { T1: 0 } } }] }\n"), "all weights are 0"),
        (
            with("orders: { random: [{ every: 1s, products: some }] }\n"),
            "expected `all`, a list or a mapping, found the text `some`",
        ),
    ] {
        assert_eq!(messages(&text).first().map(String::as_str), Some(message), "{text}");
    }
}

#[test]
fn each_mistake_in_a_script_or_in_the_yaml_has_its_message() {
    for (text, message) in [
        (with("orders: { scripts: [{ name: x }] }\n"), "a script needs `steps`"),
        (
            with("orders: { scripts: [{ steps: [{ at: 1s }] }] }\n"),
            "a step needs exactly one of `product`, `set`, `add`, `remove` and `fault`",
        ),
        (with("orders: { scripts: [{ steps: [{ product: T1 }] }] }\n"), "a step with `product` needs `amount`"),
        (
            with("orders: { scripts: [{ steps: [{ at: 1s, after: 1s, product: T1, amount: 1 }] }] }\n"),
            "`at` and `after` cannot be used together",
        ),
        (
            with("orders: { scripts: [{ steps: [{ product: T1, amount: 1, every: 1s }] }] }\n"),
            "`every` requires `times`",
        ),
        (
            with("orders: { scripts: [{ steps: [{ product: T1, amount: 1, times: 0 }] }] }\n"),
            "`times` must be at least 1",
        ),
        (
            with("orders: { scripts: [{ repeat: forever, steps: [{ product: T1, amount: 1 }] }] }\n"),
            "a script that repeats forever must take at least 1us",
        ),
        (
            with("orders: { scripts: [{ repeat: 500001, steps: [{ product: T1, amount: 1, times: 2 }] }] }\n"),
            "this script takes less than 1us, so its repeats make more than 1000000 actions at once",
        ),
        (
            with("orders: { scripts: [{ steps: [{ set: { product: T1, total: 9007199254740992 } }] }] }\n"),
            "9007199254740992 is outside ±9007199254740991",
        ),
        (with("orders: { scripts: [{ steps: [{ remove: { product: T9 } }] }] }\n"), "there is no product `T9`"),
        (
            with("orders: { scripts: [{ steps: [{ product: T1, amount: 1, times: 1000001 }] }] }\n"),
            "`times` above 1000000 needs `every`",
        ),
        (with("name: !mine x\n"), "unknown tag `!mine`"),
        (with("name: !!int 3\n"), "expected text, found the number `3`"),
        (with("orders: !!set {}\n"), "unknown tag `tag:yaml.org,2002:set`"),
        (
            with("include: [common.yaml]\n"),
            "cannot include common.yaml: only a scenario read from a file can include others",
        ),
        (with("include: { a: b }\n"), "expected text or a list, found a mapping"),
        (with("orders: { random: [{ evry: 1s }] }\n"), "unknown key `evry`"),
        (
            with("orders: { scripts: [{ steps: [{ add: { category: toys, product: { id: \"\" } } }] }] }\n"),
            "a product's id cannot be empty",
        ),
        ("a: &a [*a]\n".into(), "an alias refers to the value that contains it"),
        ("? [a]\n: 1\n".into(), "a key must be text"),
        ("categories: { <<: 3 }\n".into(), "`<<` takes a mapping or a list of mappings"),
    ] {
        assert_eq!(messages(&text).first().map(String::as_str), Some(message), "{text}");
    }
}

#[test]
fn a_misspelt_key_is_not_also_reported_as_missing() {
    for text in [
        with("orders: { random: [{ evry: 1s }] }\n"),
        with("orders: { scripts: [{ steps: [{ product: T1, amuont: 1 }] }] }\n"),
        with("orders: { scripts: [{ steps: [{ sett: { product: T1, total: 1 } }] }] }\n"),
        "catgories: { toys: { prefix: T } }\n".to_owned(),
        "categories: { toys: { prefx: T } }\n".to_owned(),
    ] {
        let found = messages(&text);
        assert!(found.len() == 1 && found[0].starts_with("unknown key"), "{found:?}");
    }
}

#[test]
fn the_most_likely_value_is_suggested() {
    for (text, suggestion) in [
        (with("orders: { scripts: [{ repeat: forevr, steps: [{ product: T1, amount: 1 }] }] }\n"), "forever"),
        (with("orders: { random: [{ every: 1s, products: al }] }\n"), "all"),
        (with("orders: { random: [{ every: 1s, products: T1 }] }\n"), "[T1]"),
        (with("orders: { random: [{ every: 1s, products: [T3] }] }\n"), "T1"),
        (with("server: { port: \"3000\" }\n"), "3000"),
        (with("server: { cors: yes }\n"), "true"),
        (with("server: { cors: 'false' }\n"), "false"),
        (with("server: { cors: [\"http://a.b/\"] }\n"), "http://a.b"),
        ("categories: { toys: { prefix: T, fields: { name: strng } } }\n".to_owned(), "string"),
    ] {
        let report = report(&text);
        assert!(report.contains(&format!("= help: did you mean `{suggestion}`?")), "{report}");
    }
}

#[test]
fn null_is_a_type_with_and_without_quotes() {
    let quoted = accepted(
        "categories: { toys: { prefix: T, fields: { a: 'null', b: [string, 'null'], c: { type: 'null' } } } }\n",
    );
    let plain =
        accepted("categories: { toys: { prefix: T, fields: { a: null, b: [string, null], c: { type: null } } } }\n");
    assert_eq!(plain, quoted);
    assert!(plain.to_yaml().contains("'null'"), "{}", plain.to_yaml());
}

#[test]
fn a_mistake_behind_several_aliases_is_reported_once() {
    let text = with("orders: { random: [&g { every: 1s, amout: 1 }, *g, *g] }\n");
    assert_eq!(messages(&text), ["unknown key `amout`"]);
}

#[test]
fn an_alias_bomb_is_refused() {
    let mut text = "a: &a [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (before, name) in ('a'..'i').zip('b'..) {
        let aliases = vec![format!("*{before}"); 9].join(", ");
        writeln!(text, "{name}: &{name} [{aliases}]").unwrap();
    }
    let bomb = format!(
        "{}categories: {{ toys: {{ prefix: T, products: [{{ name: *i }}] }} }}\n",
        text.replace("a: &a", "x-a: &a")
    );
    let found = messages(&bomb);
    assert!(found.iter().any(|message| message.starts_with("aliases expand into more than")), "{found:?}");
}

#[test]
fn excessive_nesting_is_refused() {
    for (open, close) in [("[", "]"), ("{a: ", "}")] {
        let text = format!("{}{}", open.repeat(100), close.repeat(100));
        assert_eq!(messages(&text), ["nested deeper than 64 levels"]);
        assert_eq!(messages(&open.repeat(100_000)).len(), 1);
    }
}

#[test]
fn keys_that_hold_anchors_are_otherwise_ignored() {
    let text = "
x-products: &kite { name: Kite, totl: 1, amount: [1, { deep: !!str 2 }] }
x-: 3
categories: { toys: { prefix: T, products: [{ <<: *kite, id: T1 }] } }
";
    let scenario = accepted(text);
    assert!(!scenario.to_yaml().contains("x-"));
    assert_eq!(scenario.collections()[0].rows()[0].fields()["name"], "Kite");
    assert_eq!(messages("x-a: 1\nx-a: 2\n").first().map(String::as_str), Some("`x-a` is declared twice"));
    let inside = "categories: { toys: { prefix: T, x-a: 1 } }\n";
    assert_eq!(messages(inside), ["unknown key `x-a`"]);
}

#[test]
fn an_unknown_anchor_explains_that_anchors_are_per_file() {
    let text = "categories: { toys: { prefix: T, products: [*base, *other] } }\n";
    let expected = "\
error: there is no anchor `&base` before this alias in the file
 --> shop.yaml:1:45
  |
1 | categories: { toys: { prefix: T, products: [*base, *other] } }
  |                                             ^^^^^
  |
  = help: anchors work only within one file: define `&base` in this file, above the alias; keys that start with `x-` hold values that only aliases use";
    assert_eq!(report(text), expected);
    let last = "categories: { toys: { prefix: T, products: [] } }\nseed: *number";
    assert_eq!(messages(last), ["there is no anchor `&number` before this alias in the file"]);
}

/// Returns the help of the first problem.
fn help(text: &str) -> Option<String> {
    let report = report(text);
    report.lines().find_map(|line| line.trim().strip_prefix("= help: ").map(str::to_owned))
}

#[test]
fn a_suggestion_never_repeats_the_written_text() {
    for (text, advice) in [
        (with("orders: { random: [{ every: 1s, products: [\"T1\u{200b}\"] }] }\n"), "did you mean `T1`? the text has U+200B"),
        (with("orders: { random: [{ every: 1s, products: [\"T1 \"] }] }\n"), "did you mean `T1`? the text has U+0020"),
        (with("orders: { random: [{ every: 1s, products: [\u{422}1] }] }\n"), "did you mean `T1`? the text has U+0422"),
        (
            "categories: { cafe\u{301}teria: { prefix: T } }\norders: { random: [{ every: 1s, products: { category: caf\u{e9}teria } }] }\n".into(),
            "did you mean `cafe\u{301}teria`? the suggestion has U+0301",
        ),
        (with("se\u{435}d: 4\n"), "did you mean `seed`? the text has U+0435"),
        (with("SEED: 4\n"), "did you mean `seed`?"),
        (with("seed: \"007\"\n"), "did you mean `7`?"),
        (with("seed: 1_000\n"), "did you mean `1000`?"),
        (with("orders: { random: [{ every: 1s, products: \"T1: x\" }] }\n"), "did you mean `[\"T1: x\"]`?"),
        (with("name: true\n"), "put it in quotes to make it text"),
        (with("name: !!bool \"true\"\n"), "remove the tag"),
        ("categories: { toys: { prefix: T, products: [{ id: true }] } }\n".into(), "put it in quotes to make it text"),
    ] {
        assert_eq!(help(&text).as_deref(), Some(advice), "{text}");
    }
    for text in [
        with("seed: \"99999999999999999999\"\n"),
        with("seed: \"-1\"\n"),
        with("seed: lots\n"),
        with("orders: { random: [{ every: 1s, amount: \"9007199254740992\" }] }\n"),
    ] {
        assert_eq!(help(&text), None, "{text}");
    }
    for origin in ["http://me@a.b", "http://a.b?c"] {
        let help = help(&with(&format!("server: {{ cors: [\"{origin}\"] }}\n")));
        assert_eq!(help.as_deref(), Some("did you mean `http://a.b`?"), "{origin}");
    }
    for origin in ["https://*.a.b", "http://a b"] {
        let help = help(&with(&format!("server: {{ cors: [\"{origin}\"] }}\n"))).unwrap();
        assert!(help.starts_with("write each origin as the browser sends it"), "{help}");
    }
}
