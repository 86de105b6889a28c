//! Data files: their contents, their problems, and reloads.

use std::fs;

use mockd::scenario::{FoundFile, LoadError, Loading, load};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{rows, values};
use crate::support::{Mockd, command};

/// A scenario and its data files in a temporary directory.
struct Files(TempDir);

impl Files {
    fn new(data: &str, files: &[(&str, &str)]) -> Self {
        let directory = Self(TempDir::new().unwrap());
        directory.write("main.yaml", format!("data: {{ {data} }}\n"));
        for (name, text) in files {
            directory.write(name, text);
        }
        directory
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn load(&self) -> Loading {
        load(&self.0.path().join("main.yaml"))
    }

    /// Returns the rows of a collection.
    fn rows(&self, name: &str) -> Value {
        rows(&self.load().outcome.unwrap_or_else(|error| panic!("{error}")), name)
    }

    /// Returns the report with paths relative to the directory.
    fn report(&self) -> String {
        let report = self.load().outcome.expect_err("the scenario is valid").to_string();
        report.replace(&format!("{}/", self.0.path().display()), "")
    }
}

/// Returns the rows of a table.
fn table(name: &str, text: &str) -> Value {
    Files::new(&format!("rows: {{ from: {name} }}"), &[(name, text)]).rows("rows")
}

/// Returns the report about an invalid table.
fn table_report(text: &str) -> String {
    Files::new("rows: { from: t.csv }", &[("t.csv", text)]).report()
}

#[test]
fn table_cells_are_typed_by_their_text() {
    let text = "id,name,price,done,note\r\n1,\"Kite, red\",9.50,true,\r\n,007,-1e2,false,\"a \"\"b\"\"\nc\"\n\n9, x ,9007199254740992,True,null\n";
    assert_eq!(
        table("t.csv", text),
        json!([
            { "id": 1, "name": "Kite, red", "price": 9.5, "done": true },
            { "id": 10, "name": "007", "price": -100.0, "done": false, "note": "a \"b\"\nc" },
            { "id": 9, "name": "x", "price": "9007199254740992", "done": "True", "note": "null" }
        ])
    );
}

#[test]
fn tabs_and_semicolons_also_separate_cells() {
    let expected = json!([{ "id": "A1", "name": "a,b" }]);
    assert_eq!(table("t.tsv", "id\tname\nA1\ta,b\n"), expected);
    assert_eq!(table("t.csv", "\u{feff}id;name\nA1;a,b\n"), expected);
    assert_eq!(table("t.csv", "id,name\n"), json!([]));
    assert_eq!(table("t.csv", "id\n1.5\ntrue\n"), json!([{ "id": "1.5" }, { "id": "true" }]));
}

#[test]
fn json_and_yaml_files_may_contain_rows_or_values() {
    let files = Files::new(
        "rows: { from: rows.json }, more: { from: ./more.yml }, value: { from: value.JSON }, text: { from: text.yaml }",
        &[
            ("rows.json", r#"[{"id":"é\u00e9","n":1}]"#),
            ("more.yml", "- &a { name: x }\n- { <<: *a, name: y }\n"),
            ("value.JSON", r#"{"a":[1]}"#),
            ("text.yaml", "$path.id"),
        ],
    );
    assert_eq!(files.rows("rows"), json!([{ "id": "éé", "n": 1 }]));
    assert_eq!(files.rows("more"), json!([{ "id": 1, "name": "x" }, { "id": 2, "name": "y" }]));
    let scenario = files.load().outcome.unwrap();
    assert_eq!(values(&scenario), json!({ "value": { "a": [1] }, "text": "$path.id" }));
    let printed = scenario.to_yaml();
    files.write("main.yaml", &printed);
    assert_eq!(files.load().outcome.unwrap(), scenario, "{printed}");
}

#[test]
fn paths_are_relative_to_the_file_that_names_them() {
    let files =
        Files::new("", &[("sub/rows.csv", "a\n1\n"), ("sub/more.yaml", "data: { rows: { from: rows.csv } }\n")]);
    files.write("main.yaml", "include: sub/more.yaml\ndata: { again: { from: sub/rows.csv } }\n");
    assert_eq!(files.rows("rows"), json!([{ "id": 1, "a": 1 }]));
    assert_eq!(files.rows("again"), files.rows("rows"));
    let read = files.load().files;
    let names: Vec<_> = read.iter().map(|file| file.path().file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["main.yaml", "more.yaml", "rows.csv"]);
}

#[test]
fn unusable_files_are_reported_where_they_are_named() {
    let main = |from: &str| Files::new(&format!("rows: {{ from: {from} }}"), &[("t.txt", "a")]).report();
    assert_eq!(
        main("gone.csv"),
        "\
error: cannot read gone.csv: there is no such file
 --> main.yaml:1:23
  |
1 | data: { rows: { from: gone.csv } }
  |                       ^^^^^^^^"
    );
    assert_eq!(
        main("t.txt"),
        "\
error: `t.txt` is not the name of a CSV, JSON or YAML file
 --> main.yaml:1:23
  |
1 | data: { rows: { from: t.txt } }
  |                       ^^^^^
  |
  = help: the name must end with .csv, .tsv, .json, .yaml or .yml"
    );
    assert!(main("3").starts_with("error: expected text, found the number `3`\n"), "{}", main("3"));
    assert!(main("\"\"").starts_with("error: the path of a file cannot be empty\n"), "{}", main("\"\""));
    let files = Files::new("rows: { from: t.csv }", &[]);
    files.write("t.csv", vec![b'x'; (128 << 20) + 1]);
    assert!(files.report().contains("t.csv is larger than 128 MiB"), "{}", files.report());
}

#[test]
fn problems_in_a_data_file_are_reported_in_that_file() {
    assert_eq!(
        table_report("a,id\n1,x\n\n2, x\n"),
        "\
error: row id `x` is declared twice
 --> t.csv:4:4
  |
2 | 1,x
  |   - first declared here
3 |
4 | 2, x
  |    ^ declared again here
  |
  = help: give one of them another id"
    );
    assert_eq!(
        table_report("a,b\n1,2,3\n1,2\n"),
        "\
error: the row has 3 cells, but the header has 2
 --> t.csv:2:1
  |
2 | 1,2,3
  | ^^^^^
  |
  = help: put a cell that contains a comma in double quotes"
    );
    assert_eq!(
        table_report("a,b\n\"x \"\"y\",\"2\n1,2\n"),
        "\
error: this quote is never closed
 --> t.csv:2:9
  |
2 | \"x \"\"y\",\"2
  |         ^
  |
  = help: close it; to write a quote inside a quoted cell, double it"
    );
    assert_eq!(
        table_report("a,b,a,\n"),
        "\
error: `a` is declared twice
 --> t.csv:1:5
  |
1 | a,b,a,
  | -   ^ declared again here
  | |
  | first declared here
  |
  = help: remove one of the two

error: the name of a column cannot be empty
 --> t.csv:1:7
  |
1 | a,b,a,
  |       ^"
    );
    assert!(table_report(" \n").starts_with("error: the file has no data\n --> t.csv:1:"), "{}", table_report(" \n"));
    let value = |name: &str, text: &str| Files::new(&format!("rows: {{ from: {name} }}"), &[(name, text)]).report();
    for (report, start) in [
        (value("v.json", "[{]"), "error: not valid JSON: key must be a string\n --> v.json:1:3\n"),
        (value("v.yaml", "# nothing\n"), "error: the file has no data\n --> v.yaml:1:1\n"),
        (value("v.yaml", "- { id: true }\n"), "error: expected text or an integer, found true\n --> v.yaml:1:9\n"),
        (value("v.yaml", "- { id: 1 }\n- { id: \"1\" }\n"), "error: row id `1` is declared twice\n --> v.yaml:2:9\n"),
        (value("v.yaml", "from: other.csv\n"), "error: the file refers to another data file\n --> v.yaml:1:1\n"),
    ] {
        assert!(report.starts_with(start), "{report}");
    }
    let files = Files::new("rows: { from: t.csv }", &[]);
    files.write("t.csv", b"a,b\n1,\xff\n");
    assert!(files.report().starts_with("error: the file is not UTF-8 text\n --> t.csv:2:3\n"), "{}", files.report());
}

#[test]
fn a_missing_file_is_still_watched() {
    let Loading { outcome, files, .. } = Files::new("rows: { from: gone.csv }", &[]).load();
    assert!(matches!(outcome, Err(LoadError::Invalid(_))));
    assert_eq!(files.iter().map(FoundFile::was_read).collect::<Vec<_>>(), [true, false]);
}

#[tokio::test]
async fn check_counts_collections_rows_and_values() {
    let files = Files::new("rows: { from: t.csv }, price: 1", &[("t.csv", "a\n1\n2\n")]);
    let path = files.0.path().join("main.yaml").display().to_string();
    let output = command(&["check", &path]).output().await.unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("{path}: ok, 1 collection, 2 rows, 1 value\n"));
}

#[tokio::test]
async fn a_saved_data_file_is_reloaded() {
    let files = Files::new("rows: { from: t.csv }", &[("t.csv", "a\n1\n")]);
    let mut mockd = Mockd::run_with(&files.0.path().join("main.yaml"), &[]).await;
    files.write("t.csv", "a\n1,2\n");
    let report = mockd.logged("still serving the last good scenario (main)").await;
    assert!(report.contains("t.csv:2:1"), "{report}");
    files.write("t.csv", "a\n1\n");
    mockd.logged("is fixed, and matches the scenario that is served").await;
}
