#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use tempfile::TempDir;
use tokio::task::spawn_blocking;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use super::{FileWatcher, Fingerprint, Seen, WatchMode};
use crate::reloads::Reloads;
use crate::scenario::{Source, Style, parse};
use crate::selector::{ScenarioFiles, ScenarioSelector, SwitchError, SwitchRequests};
use crate::worlds::{WorldOptions, Worlds};

const SHOP: &str = "categories: { toys: { prefix: T, products: [{ id: T1 }] } }";

/// A watcher of the first of two files, which are the same but for their names.
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
        style: Style::Plain,
        reloads: Reloads::default(),
        worlds: Worlds::start(&scenario, 1, WorldOptions::default(), &TaskTracker::new(), end.clone()),
        seen: Seen::default(),
        rested: Fingerprint::default(),
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
        files.watcher.answer(switch, read, Instant::now(), &files.requests).await;
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
async fn a_switch_is_done_while_the_default_world_is_down() {
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
    let new = files.watcher.worlds.get_or_make("new").unwrap();
    assert_eq!(new.view().scenario.name(), "second");
}
