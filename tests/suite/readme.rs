//! What the README shows works as it stands.

use std::path::Path;

use tempfile::TempDir;

use crate::support::{Tool, needs, soon};

/// The code block of that language after a heading.
fn block(heading: &str, language: &str) -> String {
    let readme = std::fs::read_to_string("README.md").unwrap();
    let (_, section) = readme.split_once(&format!("### {heading}\n")).expect("the heading");
    let (_, code) = section.split_once(&format!("```{language}\n")).expect("the code");
    code.split_once("```\n").unwrap().0.to_owned()
}

/// The path with the binary's directory first.
fn path() -> std::ffi::OsString {
    let binary = Path::new(env!("CARGO_BIN_EXE_mockd")).parent().unwrap().to_owned();
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(std::iter::once(binary).chain(std::env::split_paths(&inherited))).unwrap()
}

fn with_shop() -> TempDir {
    let directory = TempDir::new().unwrap();
    std::fs::copy("scenarios/shop.yaml", directory.path().join("shop.yaml")).unwrap();
    directory
}

#[tokio::test]
async fn the_pytest_example_passes() {
    needs!(Pytest);
    let directory = with_shop();
    std::fs::write(directory.path().join("test_shop.py"), block("From Python", "python")).unwrap();
    let mut pytest = tokio::process::Command::new(Tool::Pytest.path());
    let pytest = pytest.args(["-q", "-p", "no:cacheprovider"]).current_dir(directory.path()).env("PATH", path());
    let output = soon("pytest", pytest.kill_on_drop(true).output()).await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.contains("2 passed"), "{said}");
}

#[cfg(unix)]
#[tokio::test]
async fn the_ci_example_starts_mockd_and_finds_where_it_is() {
    needs!(Curl);
    let directory = with_shop();
    let workflow: serde_json::Value = serde_yaml::from_str(&block("In CI", "yaml")).unwrap();
    let steps = workflow["jobs"]["test"]["steps"].as_array().unwrap();
    let run = steps.iter().filter_map(|step| step["run"].as_str()).find(|run| run.contains("mockd run")).unwrap();
    let environment = directory.path().join("environment");
    // The address is asked while mockd runs; then it is told to end.
    let script = format!(
        "{}curl -sf \"$(cut -d= -f2 \"$GITHUB_ENV\")/@a/electronics\"\nkill $!\nwait $!\n",
        run.replace("jq -r .url", "sed -E 's/.*\"url\":\"([^\"]*)\".*/\\1/'")
    );
    let mut shell = tokio::process::Command::new("bash");
    let shell = shell.args(["-ec", &script]).current_dir(directory.path()).env("PATH", path());
    let output = soon("the step", shell.env("GITHUB_ENV", &environment).kill_on_drop(true).output()).await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said} {}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("Vacuum Cleaner"), "{said}");
}
