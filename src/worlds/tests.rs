#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::time::Duration;

use super::*;
use crate::engine::Change;
use crate::scenario::{Source, parse};

/// How long to wait before checking again, in virtual time, which passes once no other task can run.
const SOON: Duration = Duration::from_millis(1);

/// Returns a scenario with this name.
fn scenario(name: &str) -> Arc<Scenario> {
    let text = format!("name: {name}\ncategories: {{ toys: {{ prefix: T, products: [{{ id: T1 }}] }} }}");
    Arc::new(parse(&Source::new("toys.yaml", &text)).unwrap())
}

/// Returns the worlds of a scenario named `old`: the default world, and one named `other`.
fn worlds_of_old() -> (Worlds, TaskTracker, CancellationToken) {
    let (tasks, end) = (TaskTracker::new(), CancellationToken::new());
    let worlds = Worlds::start(&scenario("old"), 1, WorldOptions::default(), &tasks, end.clone());
    worlds.get_or_create("other").unwrap();
    (worlds, tasks, end)
}

/// Returns the names of the scenarios that the default world, an existing world and a new world run.
fn played(worlds: &Worlds) -> [String; 3] {
    let (other, new) = (worlds.get("other").unwrap(), worlds.get_or_create("new").unwrap());
    [worlds.default_world(), other, new].map(|world| world.view().scenario.name().to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_default_world_that_fails_restarts_and_others_continue() {
    let (worlds, tasks, end) = worlds_of_old();
    let other = worlds.get("other").unwrap();
    other.order("T1", 5).await.unwrap();
    worlds.default_world().order("T1", 7).await.unwrap();
    worlds.default_world().end();
    while worlds.default_world().is_ended() {
        tokio::time::sleep(SOON).await;
    }
    worlds.default_world().order("T1", 2).await.unwrap();
    assert_eq!(worlds.default_world().state().await.unwrap().values, [("T1".into(), 2)]);
    assert_eq!(other.state().await.unwrap().values, [("T1".into(), 5)]);
    end.cancel();
    tasks.close();
    tasks.wait().await;
}

#[tokio::test(start_paused = true)]
async fn a_reload_that_fails_in_the_default_world_changes_no_other() {
    let (worlds, _tasks, _end) = worlds_of_old();
    // A world whose task accepts requests, but is dropped before it has handled one.
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let stuck = {
        let (_in_runtime, end) = (runtime.enter(), CancellationToken::new());
        let start = Engine::new(&scenario("old"), 1);
        World::start(DEFAULT_WORLD.into(), start.into(), &worlds.setup(), end, &TaskTracker::new())
    };
    *worlds.0.default.write().unwrap() = stuck.clone();
    let drop_task = async {
        while stuck.idle_since().is_some() {
            tokio::time::sleep(SOON).await;
        }
        runtime.shutdown_background();
    };
    let new = scenario("new");
    let (reload, ()) = tokio::join!(worlds.reload(&new, 1), drop_task);
    assert_eq!(reload, Err(WorldError::Defect));
    assert_eq!(played(&worlds), ["old", "old", "old"]);
}

#[tokio::test(start_paused = true)]
async fn a_reload_takes_effect_while_the_default_world_is_down() {
    let (worlds, _tasks, _end) = worlds_of_old();
    worlds.default_world().end();
    let reload = worlds.reload(&scenario("new"), 2).await.unwrap();
    let name = Change::Name { from: "old".into(), to: "new".into() };
    assert_eq!(reload.changes, [name, Change::Seed { from: 1, to: 2 }]);
    while worlds.default_world().is_ended() {
        tokio::time::sleep(SOON).await;
    }
    assert_eq!(played(&worlds), ["new", "new", "new"]);
    assert_eq!(worlds.default_world().view().seed, 2);
}

#[tokio::test]
async fn a_reload_after_shutdown_fails_and_changes_nothing() {
    let (worlds, tasks, end) = worlds_of_old();
    end.cancel();
    tasks.close();
    tasks.wait().await;
    assert_eq!(worlds.reload(&scenario("new"), 1).await, Err(WorldError::Ended));
    assert_eq!(worlds.lock().start.engine.scenario().name(), "old");
}
