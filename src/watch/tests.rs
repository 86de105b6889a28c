#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{FileWatcher, Seen, WatchMode};
use crate::reloads::Reloads;
use crate::scenario::{Source, Style, parse};
use crate::selector::{ScenarioFiles, ScenarioSelector, SwitchError};
use crate::worlds::{WorldOptions, Worlds};

const SHOP: &str = "categories: { toys: { prefix: T, products: [{ id: T1 }] } }";

#[tokio::test]
async fn a_read_that_panics_refuses_the_switch_as_a_defect() {
    let directory = tempfile::tempdir().unwrap();
    let (first, second) = (directory.path().join("first.yaml"), directory.path().join("second.yaml"));
    std::fs::write(&first, SHOP).unwrap();
    std::fs::write(&second, SHOP).unwrap();
    let (selector, mut requests) = ScenarioSelector::new(ScenarioFiles::new([first.clone(), second.clone()]), &first);
    let end = CancellationToken::new();
    let scenario = Arc::new(parse(&Source::new(&first, SHOP)).unwrap());
    let worlds = Worlds::start(&scenario, 1, WorldOptions::default(), &TaskTracker::new(), end.clone());
    let mut watcher = FileWatcher {
        path: first.clone(),
        mode: WatchMode::Never,
        seed: None,
        style: Style::Plain,
        reloads: Reloads::default(),
        worlds,
        seen: Seen::default(),
    };
    let read = spawn_blocking(|| panic!("a defect in the reader")).await;
    let name = second.to_string_lossy().into_owned();
    let answer = async {
        let switch = requests.next().await;
        watcher.answer(switch, read, Instant::now(), &requests).await;
    };
    let (switched, ()) = tokio::join!(selector.switch(&name), answer);
    let error = switched.unwrap_err();
    assert!(matches!(&error, SwitchError::Defect { file } if file == &second), "{error}");
    assert!(error.to_string().contains("it is a defect in mockd"), "{error}");
    assert_eq!(watcher.path, first);
    let serving = |name: &Path| name == first;
    assert!(selector.list().await.iter().all(|candidate| candidate.serving == serving(&candidate.file)));
    end.cancel();
}
