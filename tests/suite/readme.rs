//! What the README shows works as it stands.

use std::path::Path;

use serde_json::json;
use tempfile::TempDir;

use crate::support::{EventStream, Mockd, ScenarioFile, Socket, Tool, needs, soon};

/// The code blocks of that language after a heading, up to the next one.
fn blocks(heading: &str, language: &str) -> Vec<String> {
    let readme = std::fs::read_to_string("README.md").unwrap();
    let (_, section) = readme.split_once(&format!("# {heading}\n")).expect("the heading");
    let section = section.split("\n### ").next().unwrap();
    let fence = format!("```{language}\n");
    section.split(&fence).skip(1).map(|code| code.split_once("```\n").unwrap().0.to_owned()).collect()
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

/// A folder with a scenario and the files of the pytest example, which say their names in their first line.
fn with_pytest_example() -> TempDir {
    let directory = with_shop();
    for file in blocks("From Python", "python") {
        let name = file.lines().next().unwrap().trim_start_matches("# ");
        std::fs::write(directory.path().join(name), &file).unwrap();
    }
    directory
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
async fn the_api_of_ones_own_does_what_the_readme_says() {
    let scenario = ScenarioFile::new(&blocks("Mock your own API", "yaml")[0]);
    let mockd = Mockd::run_with(scenario.path(), &["--paused"]).await;
    let mut live = EventStream::open(&mockd, "/live").await;
    let tickets = json!([{ "id": 1, "title": "Printer on fire", "status": "open" }]);
    assert_eq!(live.data().await, tickets);
    assert_eq!(mockd.get("/tickets?status=open").await.json(), tickets);
    assert_eq!(mockd.post("/tickets", r#"{"title":"No coffee"}"#).await.status, 201);
    let summary = json!({ "open": 2, "at": "2026-01-01T00:00:00.000Z" });
    assert_eq!(mockd.get("/summary").await.json(), summary);
    assert_eq!(live.data().await["change"], "added");
    mockd.control("POST", "/__mockd/clock", json!({ "advance": "5s" })).await;
    assert_eq!(live.data().await["row"], json!({ "id": 2, "title": "No coffee", "status": "assigned" }));
    mockd.control("POST", "/__mockd/clock", json!({ "advance": "15s" })).await;
    assert_eq!(live.data().await["row"]["id"], 3);
}

#[tokio::test]
async fn the_sockets_of_ones_own_do_what_the_readme_says() {
    let scenario = ScenarioFile::new(&blocks("Mock your own API", "yaml")[1]);
    let mockd = Mockd::run_with(scenario.path(), &["--paused"]).await;
    let room = |name: &str| format!("{}/rooms/{name}", mockd.url().replacen("http", "ws", 1));
    let mut den = Socket::open(&room("den")).await;
    let mut attic = Socket::open(&room("attic")).await;
    assert_eq!(
        (den.text().await, attic.text().await),
        (r#"{"history":[]}"#.to_owned(), r#"{"history":[]}"#.to_owned())
    );
    den.send(r#"{"type":"name","id":1,"name":"Ann"}"#).await;
    den.send(r#"{"type":"say","id":2,"text":"hi"}"#).await;
    assert_eq!(den.text().await, r#"{"ok":1}"#);
    let message = r#"{"message":{"id":1,"room":"den","from":"Ann","text":"hi"}}"#;
    assert_eq!(den.texts(2).await, [message, r#"{"ok":2}"#]);
    assert_eq!(mockd.post("/messages", r#"{"room":"attic","from":"Bob","text":"here"}"#).await.status, 201);
    assert_eq!(attic.text().await, r#"{"message":{"id":2,"room":"attic","from":"Bob","text":"here"}}"#);
}

#[tokio::test]
async fn the_pytest_example_passes() {
    needs!(Pytest);
    let said = pytest(&with_pytest_example()).await;
    assert!(said.contains("2 passed"), "{said}");
}

/// Tests of one name, with parameters that begin alike, and with one that holds no letter of a world's name.
const ALIKE: &str = r#"
import pytest
from conftest import call

LONG = "a-parameter-that-is-longer-than-the-name-of-a-world-may-be-and-ends-with-"


@pytest.mark.parametrize("text", [LONG + "1", LONG + "2", "家電", "電家", "a b", "a-b", "", "/@?#%"])
def test_alike(world, text):
    assert call(f"{world}/__mockd/state")["totals"]["A1"] == 3
    call(f"{world}/orders/A1", {"amount": 1})


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
    assert!(said.contains("22 passed"), "{said}");
}

#[cfg(unix)]
#[tokio::test]
async fn the_ci_example_starts_mockd_and_finds_where_it_is() {
    needs!(Curl);
    let directory = with_shop();
    let workflow: serde_json::Value = serde_yaml::from_str(&blocks("In CI", "yaml")[0]).unwrap();
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
