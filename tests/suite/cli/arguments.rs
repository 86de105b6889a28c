//! Scenario arguments: none, folders, standard input, and a file instead of a command.

use std::path::Path;
use std::process::{Output, Stdio};

use tempfile::TempDir;
use tokio::io::AsyncWriteExt;

use super::text;
use crate::support::{Mockd, SHOP, command, soon};

/// Runs mockd in a folder.
async fn run_in(folder: &Path, arguments: &[&str]) -> Output {
    soon("mockd's exit", command(arguments).current_dir(folder).output()).await.unwrap()
}

/// Runs mockd with a text as its standard input.
async fn run_with_input(folder: &Path, arguments: &[&str], input: &str) -> Output {
    let mut command = command(arguments);
    command.current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).await.unwrap();
    drop(stdin);
    soon("mockd's exit", child.wait_with_output()).await.unwrap()
}

fn folder_with(files: &[&str]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for file in files {
        std::fs::write(folder.path().join(file), SHOP).unwrap();
    }
    folder
}

#[tokio::test]
async fn without_a_file_run_serves_the_default_one() {
    for (files, default_file) in [
        (&["mockd.yaml", "a.mockd.yaml", "another.yaml"][..], "mockd.yaml"),
        (&["shop.mockd.yaml", "another.yaml"], "shop.mockd.yaml"),
    ] {
        let folder = folder_with(files);
        let mut command = command(&["run", "--log-format", "json", "--port", "0"]);
        command.current_dir(folder.path());
        let mockd = Mockd::start(command).await;
        assert_eq!(mockd.greeting()["watching"], default_file);
        for (arguments, start) in [(&["check"][..], format!("{default_file}: ok, ")), (&["play"], String::new())] {
            let output = run_in(folder.path(), arguments).await;
            assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output.stderr));
            assert!(text(&output.stdout).starts_with(&start), "{}", text(&output.stdout));
        }
    }
}

#[tokio::test]
async fn without_a_file_the_error_names_the_candidates() {
    let none = "error: no scenario given, and the current folder has no mockd.yaml and no *.mockd.yaml; name a file or a \
                folder, or write a scenario with `mockd init`\n";
    let several =
        "error: no scenario given, and the current folder has a.mockd.yaml and b.mockd.yaml; name one of them\n";
    for (files, message) in [(&["another.yaml"][..], none), (&["b.mockd.yaml", "a.mockd.yaml"], several)] {
        let folder = folder_with(files);
        for command in ["run", "check", "play"] {
            let output = run_in(folder.path(), &[command]).await;
            assert_eq!((output.status.code(), text(&output.stderr)), (Some(2), message), "{command}");
        }
    }
}

#[tokio::test]
async fn check_checks_every_file_in_a_folder() {
    let folder = folder_with(&["b.yaml", "a.yml"]);
    std::fs::write(folder.path().join("notes.txt"), "").unwrap();
    let output = run_in(folder.path(), &["check", "."]).await;
    let ok = "ok, 2 categories, 3 products, 0 generators, 0 scripts";
    let expected = format!("./a.yml: {ok}\n./b.yaml: {ok}\n");
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), expected.as_str()));
}

#[tokio::test]
async fn play_plays_the_file_that_run_would_serve() {
    let folder = folder_with(&["a.yaml"]);
    std::fs::write(
        folder.path().join("shop.yaml"),
        "seed: 1\ndata: { n: 0 }\nrandom: [{ every: 1s, set: { n: 1 } }]\n",
    )
    .unwrap();
    let output = run_in(folder.path(), &["play", ".", "--until", "3s"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(!output.stdout.is_empty());
}

#[tokio::test]
async fn check_and_play_read_standard_input() {
    let folder = folder_with(&["common.yaml"]);
    let input = "include: common.yaml\nname: it\n";
    let output = run_with_input(folder.path(), &["check", "-"], input).await;
    let expected = "<stdin>: ok, 2 categories, 3 products, 0 generators, 0 scripts\n";
    assert_eq!((output.status.code(), text(&output.stdout), text(&output.stderr)), (Some(0), expected, ""));
    let output = run_with_input(folder.path(), &["check", "-"], "categories: 3\n").await;
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("\n --> <stdin>:1:13\n"), "{}", text(&output.stderr));
    let play = "seed: 1\ndata: { n: 0 }\nrandom: [{ every: 1s, set: { n: 1 } }]\n";
    let output = run_with_input(folder.path(), &["play", "-", "--until", "3s"], play).await;
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
    assert!(!output.stdout.is_empty());
}

#[tokio::test]
async fn a_file_instead_of_a_command_suggests_run() {
    let folder = folder_with(&["api"]);
    for (arguments, tip) in [
        (&["shop.yaml"][..], Some("  tip: to serve a scenario, use 'mockd run shop.yaml'\n")),
        (&["runn.json", "--port", "0"], Some("  tip: to serve a scenario, use 'mockd run runn.json'\n")),
        (&["api"], Some("  tip: to serve a scenario, use 'mockd run api'\n")),
        (&["nothing"], None),
    ] {
        let output = run_in(folder.path(), arguments).await;
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.starts_with(&format!("error: unrecognized subcommand '{}'\n", arguments[0])), "{stderr}");
        assert_eq!(stderr.contains("tip: to serve"), tip.is_some(), "{stderr}");
        assert!(stderr.contains(tip.unwrap_or_default()), "{stderr}");
    }
}
