//! The tutorial and the guides work as shown.

mod page;

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

use self::page::{Block, Example, Page};
use crate::support::{Mockd, Tool, command, needs, schema_errors, soon};

/// Returns `PATH` with the binary's directory first.
fn path() -> OsString {
    let binary = Path::new(env!("CARGO_BIN_EXE_mockd")).parent().unwrap().to_owned();
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(std::iter::once(binary).chain(std::env::split_paths(&inherited))).unwrap()
}

/// Runs a command that must succeed and returns its standard output.
async fn output_of(mut command: Command) -> String {
    let output = soon("the command's exit", command.kill_on_drop(true).output()).await.unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{command:?}: {stdout}{}", String::from_utf8_lossy(&output.stderr));
    stdout
}

async fn check(scenario: &Path) {
    let mut check = command(&["check"]);
    check.arg(scenario);
    output_of(check).await;
}

#[tokio::test]
async fn every_scenario_in_the_guides_is_valid() {
    for page in Page::all() {
        let files = page.files();
        for block in &page.blocks {
            if let Some(name) = block.scenario() {
                check(&files.path().join(name)).await;
                assert_eq!(schema_errors(&block.text), None, "{name} in {}", page.name());
            }
            if let Some(name) = block.added_to() {
                let longer = files.path().join("longer.yaml");
                fs::write(&longer, page.file(name).to_owned() + &block.text).unwrap();
                check(&longer).await;
            }
        }
    }
}

#[test]
fn every_yaml_block_in_the_guides_has_a_known_title() {
    for page in Page::all() {
        let yaml: Vec<&Block> = page.blocks.iter().filter(|block| block.language == "yaml").collect();
        let starts_whole = yaml.first().is_none_or(|first| first.scenario().is_some());
        assert!(starts_whole, "{} does not start with a whole scenario", page.name());
        for block in yaml {
            match block.added_to().or(block.part_of()) {
                Some(whole) => assert!(!page.file(whole).is_empty()),
                None => assert!(block.file_name().is_some(), "{}:\n{}", page.name(), block.text),
            }
        }
    }
}

#[test]
fn every_json_block_in_the_guides_is_valid() {
    for page in Page::all() {
        for block in page.blocks.iter().filter(|block| block.language == "json") {
            let parsed = serde_json::from_str::<Value>(&block.text);
            assert!(parsed.is_ok(), "{}: {parsed:?}\n{}", page.name(), block.text);
        }
    }
}

#[tokio::test]
async fn every_command_and_flag_in_the_guides_exists() {
    for page in Page::all() {
        for Example { command: line, .. } in page.blocks.iter().flat_map(Block::session) {
            let Some(arguments) = line.strip_prefix("mockd ") else { continue };
            let mut words = arguments.split(['>', '|', '&']).next().unwrap().split_whitespace().peekable();
            let subcommand = words.next_if(|word| !word.starts_with('-'));
            let help = output_of(command(&[subcommand.as_slice(), &["--help"]].concat())).await;
            for flag in words.filter(|word| word.starts_with("--")) {
                let is_known = help.split([' ', ',', '\n']).any(|word| word == flag);
                assert!(is_known, "{flag} in `{line}` of {}", page.name());
            }
        }
    }
}

/// Runs a curl command against this mock and returns its output.
async fn run_curl(mockd: &Mockd, line: &str, folder: &TempDir) -> String {
    let line = line.replacen("curl ", "curl -sS ", 1).replace("localhost:3000", mockd.address());
    let mut shell = Command::new("bash");
    shell.args(["-c", &line]).current_dir(folder.path());
    output_of(shell).await.replace('\r', "").replace(mockd.address(), "localhost:3000")
}

/// Each session belongs to the scenario before it. Commands that never end or that use another server are skipped.
#[tokio::test]
async fn every_curl_command_in_the_guides_prints_the_shown_output() {
    needs!(Curl);
    let mut count = 0;
    for page in Page::all() {
        let files = page.files();
        let mut mockd = None;
        for block in &page.blocks {
            if let Some(name) = block.scenario() {
                let mut started = Mockd::run_with(&files.path().join(name), &["--paused"]).await;
                started.discard_log();
                mockd = Some(started);
            }
            let Some(mockd) = &mockd else { continue };
            for example in block.session() {
                let line = &example.command;
                if !line.starts_with("curl ") || !line.contains("localhost:3000") || line.contains(" -N") {
                    continue;
                }
                let answer = run_curl(mockd, line, &files).await;
                assert!(example.matches(&answer), "{}\n$ {line}\n{answer}instead of\n{}", page.name(), example.output);
                count += 1;
            }
        }
    }
    assert!(count > 40, "{count}");
}

/// Runs the tests in a folder, which must pass, and returns pytest's output. The plugin is loaded from this repository.
async fn pytest(folder: &TempDir) -> String {
    let mut pytest = Command::new(Tool::Pytest.path());
    pytest.args(["-q", "-p", "no:cacheprovider", "-p", "mockd.pytest_plugin"]).current_dir(folder.path());
    pytest.env("PYTHONPATH", Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/python/src"));
    pytest.env("PYTHONDONTWRITEBYTECODE", "1").env("MOCKD_BINARY", env!("CARGO_BIN_EXE_mockd")).env("PATH", path());
    output_of(pytest).await
}

#[tokio::test]
async fn the_python_tests_in_the_guides_pass() {
    needs!(Pytest);
    for (page, passed) in [("tutorial/first-test.md", "1 passed"), ("how-to/pytest.md", "3 passed")] {
        let stdout = pytest(&Page::named(page).files()).await;
        assert!(stdout.contains(passed), "{page}: {stdout}");
    }
}

/// Uses this repository's client, and the `ws` package of the live-client tests.
#[cfg(unix)]
#[tokio::test]
async fn the_javascript_tests_in_the_guides_pass() {
    needs!(LiveClients);
    let mut count = 0;
    for page in Page::all() {
        let files = page.files();
        let modules = files.path().join("node_modules");
        fs::create_dir(&modules).unwrap();
        let client = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/js");
        std::os::unix::fs::symlink(client, modules.join("mockd")).unwrap();
        std::os::unix::fs::symlink(Tool::LiveClients.path().join("node_modules/ws"), modules.join("ws")).unwrap();
        for name in page.blocks.iter().filter_map(Block::file_name).filter(|name| name.ends_with(".test.js")) {
            // Without a `package.json`, Node treats the file as a CommonJS module.
            fs::write(files.path().join("package.json"), r#"{ "type": "module" }"#).unwrap();
            let mut node = Command::new("node");
            node.args(["--test", name]).current_dir(files.path()).env("MOCKD_BINARY", env!("CARGO_BIN_EXE_mockd"));
            output_of(node).await;
            count += 1;
        }
    }
    assert!(count >= 3, "{count}");
}

#[cfg(unix)]
#[tokio::test]
async fn the_ci_guide_starts_mockd_and_reads_its_address() {
    needs!(Curl);
    let page = Page::named("how-to/ci.md");
    let folder = page.files();
    let workflow: Value = serde_yaml::from_str(page.file(".github/workflows/test.yml")).unwrap();
    let steps = workflow["jobs"]["test"]["steps"].as_array().unwrap();
    let run = steps.iter().filter_map(|step| step["run"].as_str()).find(|run| run.contains("mockd run")).unwrap();
    // Sends a request to the address while mockd runs, then stops mockd.
    let script = format!(
        "{}curl -sf \"$(cut -d= -f2 \"$GITHUB_ENV\")/@a/tickets\"\nkill $!\nwait $!\n",
        run.replace("jq -r .url", "sed -E 's/.*\"url\":\"([^\"]*)\".*/\\1/'")
    );
    let mut shell = Command::new("bash");
    shell.args(["-ec", &script]).current_dir(folder.path()).env("PATH", path());
    shell.env("GITHUB_ENV", folder.path().join("environment"));
    let stdout = output_of(shell).await;
    assert!(stdout.contains("Printer on fire"), "{stdout}");
}
