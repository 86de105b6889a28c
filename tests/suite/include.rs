//! `include`: files are merged, problems are reported in their file, and every file is watched.

use std::fs;
use std::path::PathBuf;

use mockd::scenario::{LoadError, ProblemKind, Scenario, load};
use tempfile::TempDir;

use crate::support::{Mockd, schema_errors};

/// Files in a temporary directory.
struct Files(TempDir);

impl Files {
    fn new(files: &[(&str, &str)]) -> Self {
        let directory = Self(TempDir::new().unwrap());
        for (name, text) in files {
            directory.write(name, text);
        }
        directory
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn load(&self) -> Result<Scenario, LoadError> {
        let outcome = load(&self.path("main.yaml")).outcome;
        if outcome.is_ok() {
            let text = fs::read_to_string(self.path("main.yaml")).unwrap();
            assert_eq!(schema_errors(&text), None, "{text}");
        }
        outcome
    }

    /// Returns the merged scenario as YAML.
    fn printed(&self) -> String {
        self.load().unwrap_or_else(|error| panic!("{error}")).to_yaml()
    }

    /// Returns the report with paths relative to the directory.
    fn report(&self) -> String {
        let report = self.load().expect_err("the scenario is valid").to_string();
        report.replace(&format!("{}/", self.0.path().display()), "")
    }
}

const TOYS: &str = "toys: { prefix: T, products: [{ id: T1, name: Kite }] }";

#[test]
fn merged_keys_come_from_the_file_itself_or_the_last_include() {
    let files = Files::new(&[
        ("main.yaml", "include: [one.yaml, two.yaml]\nseed: 3\ncategories: { toys: { prefix: X } }\n"),
        (
            "one.yaml",
            &format!("seed: 1\nfeed: category\ncategories: {{ {TOYS} }}\norders: {{ random: [{{ every: 1s }}] }}\n"),
        ),
        (
            "two.yaml",
            "seed: 2\nfeed: all\ncategories: { food: { prefix: F } }\norders: { scripts: [{ steps: [{ product: T1, amount: 1 }] }] }\n",
        ),
    ]);
    let whole = Files::new(&[(
        "main.yaml",
        "name: main\nseed: 3\nfeed: all
categories: { toys: { prefix: X, products: [{ id: T1, name: Kite }] }, food: { prefix: F } }
orders: { random: [{ every: 1s }], scripts: [{ steps: [{ product: T1, amount: 1 }] }] }\n",
    )]);
    assert_eq!(files.printed(), whole.printed());
}

#[test]
fn lists_are_replaced_and_an_empty_key_changes_nothing() {
    let files = Files::new(&[
        ("main.yaml", "include: common.yaml\ncategories: { toys: { products: [{ id: T9 }] } }\norders:\n"),
        ("common.yaml", &format!("categories: {{ {TOYS} }}\norders: {{ random: [{{ every: 1s }}] }}\n")),
    ]);
    let scenario = files.load().unwrap();
    let ids: Vec<&str> = scenario.rows().map(|(_, product)| &**product.id()).collect();
    assert_eq!((ids, scenario.generators().len()), (vec!["T9"], 1));
}

#[test]
fn nested_includes_are_relative_to_their_file_and_may_repeat() {
    let files = Files::new(&[
        ("main.yaml", "include: [parts/a.yaml, parts/b.yaml]\n"),
        ("parts/a.yaml", "include: deeper/base.yaml\nname: a\n"),
        ("parts/b.yaml", "include: deeper/../deeper/base.yaml\nname: b\n"),
        ("parts/deeper/base.yaml", &format!("categories: {{ {TOYS} }}\nserver: {{ static: site }}\n")),
    ]);
    let scenario = files.load().unwrap();
    assert_eq!(scenario.name(), "b");
    assert_eq!(scenario.server().site(), Some(&files.path("parts/deeper/site")));
}

#[test]
fn a_cycle_is_reported_with_its_files() {
    let files = Files::new(&[
        ("main.yaml", &format!("include: [a.yaml]\ncategories: {{ {TOYS} }}\n")),
        ("a.yaml", "include:\n  - ./b.yaml\n"),
        ("b.yaml", "include: [main.yaml]\n"),
    ]);
    let expected = "\
error: main.yaml includes itself through a.yaml, b.yaml
 --> b.yaml:1:11
  |
1 | include: [main.yaml]
  |           ^^^^^^^^^
  |
  = help: remove one of these `include`s";
    assert_eq!(files.report(), expected);
}

#[cfg(unix)]
#[test]
fn files_are_identified_by_their_target_not_by_their_path() {
    let files = Files::new(&[
        ("main.yaml", "include: link/../main.yaml\n"),
        ("sub/main.yaml", &format!("seed: 3\ncategories: {{ {TOYS} }}\n")),
        ("sub/deep/other.yaml", ""),
    ]);
    std::os::unix::fs::symlink(files.path("sub/deep"), files.path("link")).unwrap();
    assert_eq!(files.load().unwrap().seed(), Some(3));
    let files = Files::new(&[("main.yaml", &format!("include: [again.yaml]\ncategories: {{ {TOYS} }}\n"))]);
    std::os::unix::fs::symlink(files.path("main.yaml"), files.path("again.yaml")).unwrap();
    let report = files.report();
    assert!(report.starts_with("error: main.yaml includes itself\n --> main.yaml:1:11"), "{report}");
    assert_eq!(report.matches("error:").count(), 1, "{report}");
}

#[test]
fn a_file_that_is_included_many_times_is_merged_once() {
    let names = vec!["common.yaml"; 50_000].join(", ");
    let files = Files::new(&[
        ("main.yaml", &format!("include: [{names}]\n")),
        ("common.yaml", &format!("categories: {{ {TOYS} }}\n")),
    ]);
    assert_eq!(files.load().unwrap().rows().count(), 1);
}

#[test]
fn more_than_256_included_files_are_refused_even_if_missing() {
    let names: Vec<String> = (0..10_000).map(|number| format!("gone{number}.yaml")).collect();
    let files = Files::new(&[("main.yaml", &format!("include: [{}]\n", names.join(", ")))]);
    let loading = load(&files.path("main.yaml"));
    let Err(LoadError::Invalid(problems)) = loading.outcome else { panic!("the scenario is valid") };
    assert!(problems.list.iter().any(|problem| problem.kind == ProblemKind::TooManyFiles(256)));
    assert_eq!(loading.files.len(), 256);
}

#[test]
fn an_included_path_cannot_be_empty() {
    let files = Files::new(&[("main.yaml", &format!("include: ['']\ncategories: {{ {TOYS} }}\n"))]);
    assert!(files.report().starts_with("error: the path of a file cannot be empty\n --> main.yaml:1:11"));
}

#[test]
fn a_missing_include_is_reported_without_follow_up_errors() {
    let files = Files::new(&[(
        "main.yaml",
        "include: [gone.yaml]\nfeed: some\norders: { random: [{ every: 1s, products: [T1] }] }\n",
    )]);
    let report = files.report();
    assert!(report.contains("error: cannot read gone.yaml: there is no such file\n --> main.yaml:1:11"), "{report}");
    assert!(report.contains("error: `some` is not a valid value here"), "{report}");
    assert_eq!(report.matches("error:").count(), 2, "{report}");
}

#[test]
fn a_problem_is_reported_in_its_own_file() {
    let files = Files::new(&[
        ("main.yaml", "include: [common.yaml]\ncategories: { food: { prefix: F, products: [{ id: T1 }] } }\n"),
        ("common.yaml", &format!("# toys\ncategories: {{ {TOYS} }}\norders: {{ randm: [] }}\n")),
    ]);
    let report = files.report();
    assert!(report.contains("error: unknown key `randm`\n --> common.yaml:3:11"), "{report}");
    let duplicate = "\
error: product id `T1` is declared twice
 --> main.yaml:2:51
  |
2 | categories: { food: { prefix: F, products: [{ id: T1 }] } }
  |                                                   ^^ declared again here
  |
 ::: common.yaml:2:51
  |
2 | categories: { toys: { prefix: T, products: [{ id: T1, name: Kite }] } }
  |                                                   -- first declared here
";
    assert!(report.contains(duplicate), "{report}");
}

#[test]
fn only_a_mapping_in_utf_8_can_be_included() {
    for (bytes, message) in [
        (&b"[1, 2]"[..], "error: expected a mapping, found a list\n --> part.yaml:1:1"),
        (b"# nothing", "error: the file declares nothing\n --> part.yaml:1:1"),
        (b"name: \xff", "error: the file is not UTF-8 text\n --> part.yaml:1:7"),
    ] {
        let files = Files::new(&[("main.yaml", &format!("include: part.yaml\ncategories: {{ {TOYS} }}\n"))]);
        fs::write(files.path("part.yaml"), bytes).unwrap();
        let report = files.report();
        assert!(report.contains(message), "{report}");
    }
}

#[test]
fn anchors_are_local_to_their_file() {
    let (main, part) = ("include: part.yaml\nx-a: &a { name: Kite }\n", "x-a: &a { name: Ball }\nx-b: &b 3\n");
    let toys = "categories: { toys: { prefix: T, products: [{ <<: *a, id: T1 }] } }\n";
    let files = Files::new(&[("main.yaml", &format!("{main}{toys}")), ("part.yaml", part)]);
    let loading = mockd::scenario::load(&files.path("main.yaml"));
    let scenario = loading.outcome.unwrap();
    assert_eq!(scenario.collections()[0].rows()[0].fields()["name"], "Kite");
    let files = Files::new(&[("main.yaml", &format!("{main}seed: *b\n{toys}")), ("part.yaml", part)]);
    let report = files.report();
    assert!(report.starts_with("error: there is no anchor `&b` before this alias in the file\n"), "{report}");
    assert!(report.contains("anchors work only within one file"), "{report}");
    let files = Files::new(&[("main.yaml", &format!("{main}{toys}")), ("part.yaml", "name: *a\n")]);
    let report = files.report();
    assert!(report.contains("no anchor `&a` before this alias in the file\n --> part.yaml:1:7"), "{report}");
}

/// Returns a scenario with one product that starts at this total.
fn total(total: i64) -> String {
    format!("categories: {{ toys: {{ prefix: T, products: [{{ id: T1, total: {total} }}] }} }}\n")
}

#[tokio::test]
async fn every_included_file_is_watched_even_a_new_one() {
    let files = Files::new(&[("main.yaml", "include: parts/one.yaml\n"), ("parts/one.yaml", &total(1))]);
    let mut mockd = Mockd::run_with(&files.path("main.yaml"), &[]).await;
    let mut live = mockd.live("toys").await;
    assert_eq!(live.order().await, ("T1".into(), 1));
    files.write("parts/one.yaml", &total(2));
    assert_eq!(live.order().await, ("T1".into(), 2));
    files.write("elsewhere/two.yaml", &total(3));
    files.write("main.yaml", "include: [parts/one.yaml, elsewhere/two.yaml]\n");
    assert_eq!(live.order().await, ("T1".into(), 3));
    files.write("elsewhere/two.yaml", &total(4));
    assert_eq!(live.order().await, ("T1".into(), 4));
    let log = mockd.log_until("T1 total 3 → 4").await;
    assert!(!log.iter().any(|message| message.contains("no file event")), "{log:?}");
}

#[tokio::test]
async fn a_removed_include_is_reported_and_picked_up_when_it_returns() {
    let files = Files::new(&[("main.yaml", "include: one.yaml\n"), ("one.yaml", &total(1))]);
    let mut mockd = Mockd::run_with(&files.path("main.yaml"), &[]).await;
    let mut live = mockd.live("toys").await;
    assert_eq!(live.order().await, ("T1".into(), 1));
    fs::remove_file(files.path("one.yaml")).unwrap();
    let report = mockd.logged("still serving the last good scenario (main)").await;
    assert!(report.contains("one.yaml: there is no such file"), "{report}");
    mockd.order("T1", 5).await;
    assert_eq!(live.order().await, ("T1".into(), 6));
    files.write("one.yaml", &total(9));
    assert_eq!(live.order().await, ("T1".into(), 9));
}

/// Returns the warnings of the main file, each with its offset.
fn warnings(files: &Files) -> Vec<(ProblemKind, u32)> {
    let warnings = load(&files.path("main.yaml")).warnings;
    warnings.into_iter().flat_map(|warnings| warnings.list).map(|one| (one.kind, one.span.start)).collect()
}

#[test]
fn a_category_that_hides_a_static_file_is_a_warning() {
    let category = |name: &str| format!("categories: {{ {name}: {{ prefix: T }} }}\n");
    for file in fs::read_dir("static").unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let files = Files::new(&[("main.yaml", &category(&name))]);
        let file = format!("{name} of mockd's own page");
        assert_eq!(warnings(&files), [(ProblemKind::HidesFile { category: name, file }, 14)]);
    }
    let site = "server: { static: site }\n";
    for (name, hidden) in [("a.css", true), ("assets", true), ("b.css", false), ("style.css", false)] {
        let main = category(name) + site;
        let files = Files::new(&[("main.yaml", &main), ("site/a.css", ""), ("site/assets/b.css", "")]);
        let file = files.path("site").join(name).display().to_string();
        let expected = ProblemKind::HidesFile { category: name.into(), file };
        let expected = if hidden { vec![(expected, 14)] } else { Vec::new() };
        assert_eq!(warnings(&files), expected);
    }
    assert_eq!(warnings(&Files::new(&[("main.yaml", &category("toys"))])), []);
}
