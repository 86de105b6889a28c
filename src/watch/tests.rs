#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use tempfile::TempDir;
use tokio::task::spawn_blocking;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use super::{Doubt, FileWatcher, Fingerprint, Reading, Seen, WatchMode};
use crate::reloads::Reloads;
use crate::scenario::{Source, Style, load_regular, parse};
use crate::selector::{ScenarioFiles, ScenarioSelector, SwitchError, SwitchRequests};
use crate::worlds::{WorldOptions, Worlds};

const SHOP: &str = "categories: { toys: { prefix: T, products: [{ id: T1 }] } }";

/// A watcher of the first of two files with the same contents.
struct TwoFiles {
    first: PathBuf,
    second: PathBuf,
    watcher: FileWatcher,
    selector: ScenarioSelector,
    requests: SwitchRequests,
    _directory: TempDir,
    _end: DropGuard,
}

fn two_files() -> TwoFiles {
    let directory = tempfile::tempdir().unwrap();
    let (first, second) = (directory.path().join("first.yaml"), directory.path().join("second.yaml"));
    std::fs::write(&first, SHOP).unwrap();
    std::fs::write(&second, SHOP).unwrap();
    let (selector, requests) = ScenarioSelector::new(ScenarioFiles::new([first.clone(), second.clone()]), &first);
    let end = CancellationToken::new();
    let scenario = Arc::new(parse(&Source::new(&first, SHOP)).unwrap());
    let watcher = FileWatcher {
        path: first.clone(),
        mode: WatchMode::Never,
        seed: None,
        seed_at_start: 1,
        style: Style::Plain,
        reloads: Reloads::default(),
        worlds: Worlds::start(&scenario, 1, WorldOptions::default(), &TaskTracker::new(), end.clone()),
        seen: Seen::default(),
        last_idle: Fingerprint::default(),
    };
    TwoFiles { first, second, watcher, selector, requests, _directory: directory, _end: end.drop_guard() }
}

#[tokio::test]
async fn a_read_that_panics_refuses_the_switch_as_a_defect() {
    let mut files = two_files();
    let read = spawn_blocking(|| panic!("a defect in the reader")).await;
    let name = files.second.to_string_lossy().into_owned();
    let answer = async {
        let switch = files.requests.next().await;
        files.watcher.complete_switch(switch, read, Instant::now(), &files.requests).await;
    };
    let (switched, ()) = tokio::join!(files.selector.switch(&name), answer);
    let error = switched.unwrap_err();
    assert!(matches!(&error, SwitchError::Defect { file } if *file == files.second), "{error}");
    assert!(error.to_string().contains("it is a defect in mockd"), "{error}");
    assert_eq!(files.watcher.path, files.first);
    let serving = |name: &Path| name == files.first;
    assert!(files.selector.list().await.iter().all(|candidate| candidate.serving == serving(&candidate.file)));
}

#[tokio::test]
async fn a_switch_succeeds_while_the_default_world_is_down() {
    let mut files = two_files();
    files.watcher.worlds.default_world().end();
    let name = files.second.to_string_lossy().into_owned();
    let switch = async {
        let switch = files.requests.next().await;
        files.watcher.switch(switch, &files.requests).await;
    };
    let (switched, ()) = tokio::join!(files.selector.switch(&name), switch);
    assert_eq!(switched.unwrap().count, 1);
    assert_eq!(files.watcher.path, files.second);
    let new = files.watcher.worlds.get_or_create("new").unwrap();
    assert_eq!(new.view().scenario.name(), "second");
}

#[tokio::test]
async fn a_save_that_is_truncated_or_removes_something_is_doubted() {
    const SHOP: &str = "categories:\n  toys: { prefix: T, products: [{ id: T1, total: 1 }, { id: T2 }] }\n";
    const SCRIPTS: &str = "orders:\n  scripts:\n    - steps:\n        - { at: 1s, product: T1, amount: 1 }\n        - { at: 2s, product: T1, amount: 12 }\n        - product: T1\n          amount: 345\n";
    let directory = tempfile::tempdir().unwrap();
    let (file, included) = (directory.path().join("shop.yaml"), directory.path().join("more.yaml"));
    let (served, more) = (format!("include: more.yaml\n{SHOP}"), format!("{SCRIPTS}# end"));
    std::fs::write(&file, &served).unwrap();
    std::fs::write(&included, &more).unwrap();
    let end = CancellationToken::new();
    let loading = load_regular(&file);
    let scenario = Arc::new(loading.outcome.unwrap());
    let watcher = FileWatcher {
        path: file.clone(),
        mode: WatchMode::Events,
        seed: None,
        seed_at_start: 1,
        style: Style::Plain,
        reloads: Reloads::default(),
        worlds: Worlds::start(&scenario, 1, WorldOptions::default(), &TaskTracker::new(), end.clone()),
        seen: Seen::new(WatchMode::Events, loading.files),
        last_idle: Fingerprint::default(),
    };
    let without = |text: &str, end: &str| text.strip_suffix(end).unwrap().to_owned();
    for (what, text, more, expected) in [
        ("no change", served.clone(), more.clone(), None),
        ("another amount", served.clone(), more.replace("345", "346"), None),
        ("one more line", format!("{served}name: shop\n"), more.clone(), None),
        ("an amount with fewer digits", served.clone(), without(&more, "5\n# end"), Some(Doubt::Partial)),
        (
            "one step fewer",
            served.clone(),
            without(&more, "        - product: T1\n          amount: 345\n# end"),
            Some(Doubt::Partial),
        ),
        ("one total fewer", served.replace(", total: 1", ""), more.clone(), Some(Doubt::Partial)),
        ("one product fewer", served.replace(", { id: T2 }", ""), more.clone(), Some(Doubt::Partial)),
        ("an invalid scenario", without(&served, " }\n"), more.clone(), Some(Doubt::Partial)),
        ("an empty file", String::new(), more.clone(), Some(Doubt::Empty)),
        ("an empty included file", served.clone(), String::new(), Some(Doubt::Empty)),
    ] {
        std::fs::write(&file, text).unwrap();
        std::fs::write(&included, more).unwrap();
        let reading = Reading::from(load_regular(&file));
        let is_valid = reading.outcome.is_ok();
        assert_eq!(watcher.doubt(&reading).await, expected, "{what} {is_valid}");
    }
    drop(end.drop_guard());
}
