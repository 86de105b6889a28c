#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use super::*;
use crate::engine::Engine;
use crate::scenario::{Source, parse};

#[tokio::test]
async fn a_command_that_fails_says_so_and_the_world_goes_on_with_all_that_was_acknowledged() {
    let scenario = parse(&Source::new("toys.yaml", "categories: { toys: { prefix: T, products: [{ id: T1 }] } }"));
    let (engine, end) = (Engine::new(&Arc::new(scenario.unwrap()), 1), CancellationToken::new());
    let world = World::start("default".into(), engine.into(), &Setup::default(), end, &TaskTracker::new());
    let mut socket = world.subscribe("toys", false, |message| message.payload().clone()).await.unwrap();
    world.order("T1", 3).await.unwrap();
    let failed = world.ask::<()>(|_| panic!("a defect")).await;
    assert_eq!(failed, Err(WorldError::Defect));
    world.order("T1", 4).await.unwrap();
    assert_eq!(world.state().await.unwrap().values, [("T1".into(), 7)]);
    let current = socket.next().await.unwrap().unwrap();
    let live = socket.next().await.unwrap().unwrap();
    assert_eq!((current.messages, live.messages), (1, 2));
}

#[cfg(feature = "redis")]
#[tokio::test]
async fn a_shared_world_outlives_an_answer_that_panics() {
    use crate::reloads::Reloads;
    use crate::scenario::ServerOptions;
    use crate::store::Memory;
    use crate::worlds::{WorldOptions, Worlds};

    let text = "categories: { toys: { prefix: T, products: [{ id: T1 }] } }";
    let scenario = Arc::new(parse(&Source::new("toys.yaml", text)).unwrap());
    let (store, options) = (Arc::new(Memory::default()), ServerOptions::default());
    let sharing = Sharing::new(store, "one".into(), options, "".into(), Reloads::default());
    let (options, tasks, end) = (WorldOptions::default(), TaskTracker::new(), CancellationToken::new());
    let worlds = Worlds::share(&scenario, 1, options, sharing, false, &tasks, end.clone()).await.unwrap();
    let world = worlds.default_world();
    world.order("T1", 3).await.unwrap();
    let failed = world.ask::<()>(|_| panic!("a defect")).await;
    assert_eq!(failed, Err(WorldError::Defect));
    world.order("T1", 4).await.unwrap();
    assert_eq!(world.state().await.unwrap().values, [("T1".into(), 7)]);
    end.cancel();
    tasks.close();
    tasks.wait().await;
}

#[tokio::test]
async fn a_frame_reaches_who_has_joined_its_topic_when_it_is_sent() {
    use crate::engine::{Command, Frame, Topic};

    let scenario = parse(&Source::new("toys.yaml", "categories: { toys: { prefix: T, products: [] } }"));
    let (engine, end) = (Engine::new(&Arc::new(scenario.unwrap()), 1), CancellationToken::new());
    let world = World::start("default".into(), engine.into(), &Setup::default(), end, &TaskTracker::new());
    let mut socket = world.subscribe("toys", false, |message| message.payload().clone()).await.unwrap();
    let member = world.open_sockets().await.unwrap()[0].socket;
    let news = Topic::Named("news".into());
    let send = |text: &str| Command::Send { to: vec![news.clone()], frame: Frame::Text(text.into()), except: None };
    let topics = || vec![news.clone(), Topic::Counters];
    for command in [
        send("before "),
        Command::Join { member, topics: topics() },
        send("joined "),
        Command::Leave { member, topics: vec![news.clone()] },
        send("left "),
        Command::Join { member, topics: topics() },
        Command::Join { member, topics: topics() },
        send("again"),
    ] {
        world.apply(command).await.unwrap();
    }
    // Another collection is another matter.
    socket.switch("food").await.unwrap();
    for command in [send(" and still"), Command::LeaveAll { member }, send(" gone")] {
        world.apply(command).await.unwrap();
    }
    let mut got = Vec::new();
    while let Some(batch) = socket.next().await.unwrap() {
        got.extend(batch.bytes);
        socket.wrote(batch.messages);
    }
    assert_eq!(String::from_utf8(got).unwrap(), "joined again and still");
    let unknown = world.apply(Command::LeaveAll { member: 99 }).await;
    assert_eq!(unknown.map(|_| ()), Err(WorldError::UnknownSocket(99)));
}
