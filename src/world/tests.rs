#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use super::*;
use crate::engine::Engine;
use crate::scenario::{Source, parse};

#[tokio::test]
async fn after_a_failed_command_the_world_keeps_what_it_acknowledged() {
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
async fn a_frame_reaches_the_members_of_its_topic_when_sent() {
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
    // Switching collections does not affect joined topics.
    socket.switch("food").await.unwrap();
    for command in [send(" and still"), Command::LeaveAll { member }, send(" gone")] {
        world.apply(command).await.unwrap();
    }
    let mut got = Vec::new();
    while let Some(batch) = socket.next().await.unwrap() {
        got.extend(batch.bytes);
        socket.record_written(batch.messages);
    }
    assert_eq!(String::from_utf8(got).unwrap(), "joined again and still");
    let unknown = world.apply(Command::LeaveAll { member: 99 }).await;
    assert_eq!(unknown.map(|_| ()), Err(WorldError::UnknownSocket(99)));
}

#[tokio::test]
async fn an_endpoint_is_notified_of_a_socket_that_is_never_served() {
    use futures_util::FutureExt;

    use crate::engine::RuleRequest;

    let text = "
data: { log: [] }
websocket: { /s: { open: [{ join: log }], closed: [{ add: { log: { gone: $conn.id } } }] } }
";
    let scenario = parse(&Source::new("log.yaml", text));
    let (engine, end) = (Engine::new(&Arc::new(scenario.unwrap()), 1), CancellationToken::new());
    let world = World::start("default".into(), engine.into(), &Setup::default(), end, &TaskTracker::new());
    let transport = Transport { encode: |message| message.payload().clone(), polling: false, max_payload: 1 };
    let endpoint: Arc<str> = "/s".into();
    let open = || world.open_socket(&endpoint, RuleRequest::default(), "/s", transport);
    let mut view = world.0.view.clone();
    let mut log = async |count: usize| {
        let has_all = |view: &Arc<View>| view.collections.get("log").unwrap().rows().len() == count;
        let view = view.wait_for(has_all).await.unwrap();
        let rows = view.collections.get("log").unwrap().rows().iter().map(|row| row.fields()["gone"].clone());
        rows.collect::<Vec<_>>()
    };
    // The connection is never set up.
    drop(open().await.unwrap());
    assert_eq!(log(1).await, [1]);
    // The client is gone before the socket is opened.
    assert!(open().now_or_never().is_none());
    assert_eq!(log(2).await, [1, 2]);
    // A caller that waits finds that the endpoint was notified, and only once.
    open().await.unwrap().feed.finish().await;
    assert_eq!(log(3).await, [1, 2, 3]);
    assert_eq!(world.open_sockets().await.unwrap(), []);
    let is_known = world.ask(|state| (1..=3).any(|member| state.engine.endpoint_of(member).is_some())).await;
    assert_eq!((is_known, log(3).await.len()), (Ok(false), 3));
}
