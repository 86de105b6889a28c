//! What the guides for pytest and for CI show works as it stands.

use std::path::Path;

use tempfile::TempDir;

use crate::support::{Tool, needs, soon};

/// A folder with the files that a guide shows under these names.
fn with_files(guide: &str, names: &[&str]) -> TempDir {
    let directory = TempDir::new().unwrap();
    for name in names {
        std::fs::write(directory.path().join(name), block(guide, name)).unwrap();
    }
    directory
}

/// The code block of a guide that has that title.
fn block(guide: &str, title: &str) -> String {
    let page = std::fs::read_to_string(format!("docs/content/how-to/{guide}.md")).unwrap();
    let (_, code) = page.split_once(&format!(" title=\"{title}\"\n")).expect("the block");
    code.split_once("```\n").unwrap().0.to_owned()
}

/// The path with the binary's directory first.
fn path() -> std::ffi::OsString {
    let binary = Path::new(env!("CARGO_BIN_EXE_mockd")).parent().unwrap().to_owned();
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(std::iter::once(binary).chain(std::env::split_paths(&inherited))).unwrap()
}

fn with_pytest_example() -> TempDir {
    with_files("pytest", &["desk.yaml", "conftest.py", "test_desk.py"])
}

/// What pytest says of the tests in a folder, all of which pass.
async fn pytest(directory: &TempDir) -> String {
    let mut pytest = tokio::process::Command::new(Tool::Pytest.path());
    let pytest = pytest.args(["-q", "-p", "no:cacheprovider"]).current_dir(directory.path()).env("PATH", path());
    let output = soon("pytest", pytest.kill_on_drop(true).output()).await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

#[tokio::test]
async fn the_pytest_example_passes() {
    needs!(Pytest);
    let said = pytest(&with_pytest_example()).await;
    assert!(said.contains("3 passed"), "{said}");
}

/// Tests of one name, with parameters that begin alike, and with one that holds no letter of a world's name.
const ALIKE: &str = r#"
import pytest
from conftest import call

LONG = "a-parameter-that-is-longer-than-the-name-of-a-world-may-be-and-ends-with-"


@pytest.mark.parametrize("text", [LONG + "1", LONG + "2", "家電", "電家", "a b", "a-b", "", "/@?#%"])
def test_alike(world, text):
    assert len(call(f"{world}/tickets")) == 1
    call(f"{world}/tickets", {"title": text})


class TestAlike:
    def test_alike(self, world):
        test_alike(world, "")


def test_unused(world):
    pass


@pytest.fixture(scope="session", autouse=True)
def nothing_is_left(mockd):
    yield
    assert [world["name"] for world in call(f"{mockd}/__mockd/worlds")["worlds"]] == ["default"]

"#;

/// Runs each test once before the time that counts, as plugins do that run those again that fail.
const TWICE: &str = r"

from _pytest.runner import runtestprotocol


def pytest_runtest_protocol(item, nextitem):
    reports = runtestprotocol(item, nextitem=nextitem, log=False)
    assert all(report.passed for report in reports), reports
    item._initrequest()
";

#[tokio::test]
async fn each_test_of_the_pytest_example_has_a_world_of_its_own() {
    needs!(Pytest);
    let directory = with_pytest_example();
    let conftest = directory.path().join("conftest.py");
    let twice = std::fs::read_to_string(&conftest).unwrap() + TWICE;
    std::fs::write(conftest, twice).unwrap();
    for file in ["test_one.py", "test_two.py"] {
        std::fs::write(directory.path().join(file), ALIKE).unwrap();
    }
    let said = pytest(&directory).await;
    assert!(said.contains("23 passed"), "{said}");
}

#[cfg(unix)]
#[tokio::test]
async fn the_ci_example_starts_mockd_and_finds_where_it_is() {
    needs!(Curl);
    let directory = with_files("ci", &["desk.yaml"]);
    let workflow: serde_json::Value = serde_yaml::from_str(&block("ci", ".github/workflows/test.yml")).unwrap();
    let steps = workflow["jobs"]["test"]["steps"].as_array().unwrap();
    let run = steps.iter().filter_map(|step| step["run"].as_str()).find(|run| run.contains("mockd run")).unwrap();
    let environment = directory.path().join("environment");
    // The address is asked while mockd runs; then it is told to end.
    let script = format!(
        "{}curl -sf \"$(cut -d= -f2 \"$GITHUB_ENV\")/@a/tickets\"\nkill $!\nwait $!\n",
        run.replace("jq -r .url", "sed -E 's/.*\"url\":\"([^\"]*)\".*/\\1/'")
    );
    let mut shell = tokio::process::Command::new("bash");
    let shell = shell.args(["-ec", &script]).current_dir(directory.path()).env("PATH", path());
    let output = soon("the step", shell.env("GITHUB_ENV", &environment).kill_on_drop(true).output()).await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said} {}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("Printer on fire"), "{said}");
}
