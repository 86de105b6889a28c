#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::io;
use std::sync::Mutex;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::*;
use crate::engine::Engine;
use crate::scenario::{Source, parse};
use crate::world::{Message, Setup, Subscription, Until, World};

/// A connection with limited room in its buffer.
#[derive(Debug, Default)]
struct Narrow {
    room: Mutex<usize>,
    taken: Mutex<Vec<u8>>,
    /// Notified after each write.
    wrote: Notify,
}

impl FrameSink for Narrow {
    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut room = self.room.lock().unwrap();
        let count = bytes.len().min(*room);
        *room -= count;
        self.taken.lock().unwrap().extend(&bytes[..count]);
        self.wrote.notify_one();
        if count == 0 { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(count) }
    }
}

const TOYS: &str = "categories: { toys: { prefix: T, products: [{ id: T1 }] } }";

fn world(text: &str) -> World {
    let scenario = Arc::new(parse(&Source::new("toys.yaml", text)).unwrap());
    let (engine, setup) = (Engine::new(&scenario, 1), Setup::default());
    World::start("default".into(), engine.into(), &setup, CancellationToken::new(), &TaskTracker::new())
}

/// Reads everything available, as a socket's task does, and delegates the cursor.
async fn delegate(socket: &mut Subscription, sink: &Narrow) {
    loop {
        match socket.next().await.unwrap() {
            Some(batch) => {
                sink.taken.lock().unwrap().extend(&batch.bytes);
                socket.record_written(batch.messages);
            }
            None if socket.delegate() => return,
            None => {}
        }
    }
}

/// Encodes each message as a line.
fn encode(message: &Message) -> Bytes {
    [message.payload(), &b"\n"[..]].concat().into()
}

fn frames(values: std::ops::RangeInclusive<i32>) -> Vec<u8> {
    let frame = |value| format!("{{\"id\":\"T1\",\"total\":{value}}}\n").into_bytes();
    values.flat_map(frame).collect()
}

#[tokio::test]
async fn frames_a_full_socket_refuses_are_neither_lost_nor_repeated() {
    let world = world(TOYS);
    let (narrow, wide) =
        (Arc::new(Narrow::default()), Arc::new(Narrow { room: Mutex::new(usize::MAX), ..Default::default() }));
    let mut slow = world.subscribe("toys", false, encode).await.unwrap();
    let mut fast = world.subscribe("toys", false, encode).await.unwrap();
    slow.connect(narrow.clone());
    fast.connect(wide.clone());
    delegate(&mut fast, &wide).await;
    for value in 1..=100 {
        delegate(&mut slow, &narrow).await;
        *narrow.room.lock().unwrap() = value % 30;
        world.order("T1", 1).await.unwrap();
        // Whether this happens during a pass or not, both parts together are complete.
        tokio::task::yield_now().await;
        let rest = slow.reclaim();
        narrow.taken.lock().unwrap().extend(&rest.bytes);
        slow.record_written(rest.messages);
    }
    delegate(&mut slow, &narrow).await;
    while wide.taken.lock().unwrap().len() < frames(0..=100).len() {
        wide.wrote.notified().await;
    }
    assert_eq!(*narrow.taken.lock().unwrap(), frames(0..=100));
    assert_eq!(*wide.taken.lock().unwrap(), frames(0..=100));
}

#[tokio::test]
async fn each_socket_receives_the_bytes_of_its_transport() {
    let (world, unlimited) = (world(TOYS), || Arc::new(Narrow { room: Mutex::new(usize::MAX), ..Default::default() }));
    let (lines, bare) = (unlimited(), unlimited());
    let mut by_line = world.subscribe("toys", false, encode).await.unwrap();
    let mut without = world.subscribe("toys", false, |message| message.payload().clone()).await.unwrap();
    by_line.connect(lines.clone());
    without.connect(bare.clone());
    delegate(&mut by_line, &lines).await;
    delegate(&mut without, &bare).await;
    world.order("T1", 1).await.unwrap();
    let expected = frames(0..=1);
    for sink in [&lines, &bare] {
        while !sink.taken.lock().unwrap().ends_with(b"1}") && !sink.taken.lock().unwrap().ends_with(b"1}\n") {
            sink.wrote.notified().await;
        }
    }
    assert_eq!(*lines.taken.lock().unwrap(), expected);
    let is_payload = |byte: &u8| *byte != b'\n';
    assert_eq!(*bare.taken.lock().unwrap(), expected.into_iter().filter(is_payload).collect::<Vec<_>>());
}

#[tokio::test]
async fn sockets_outside_the_topic_are_skipped_and_up_to_date() {
    let text = "feed: category\ncategories: { toys: { prefix: T, products: [{ id: T1 }] }, food: { prefix: F } }";
    let (world, unlimited) = (world(text), || Arc::new(Narrow { room: Mutex::new(usize::MAX), ..Default::default() }));
    let (toys, food) = (unlimited(), unlimited());
    let mut of_toys = world.subscribe("toys", false, encode).await.unwrap();
    let mut of_food = world.subscribe("food", false, encode).await.unwrap();
    of_toys.connect(toys.clone());
    of_food.connect(food.clone());
    delegate(&mut of_toys, &toys).await;
    delegate(&mut of_food, &food).await;
    for _ in 0..3 {
        world.order("T1", 1).await.unwrap();
    }
    while toys.taken.lock().unwrap().len() < frames(0..=3).len() {
        toys.wrote.notified().await;
    }
    // An advance ends once every socket has received everything.
    world.advance(Until::Now).await.unwrap();
    assert!(food.taken.lock().unwrap().is_empty());
    assert_eq!(world.open_sockets().await.unwrap().iter().map(|socket| socket.backlog).collect::<Vec<_>>(), [0, 0]);
    // The task reclaims the cursor where the fan-out is, and misses nothing from there on.
    of_food.reclaim();
    assert_eq!(world.open_sockets().await.unwrap()[1].backlog, 0);
    of_food.switch("toys").await.unwrap();
    world.order("T1", 1).await.unwrap();
    delegate(&mut of_food, &food).await;
    assert_eq!(*food.taken.lock().unwrap(), frames(3..=4));
}

#[tokio::test]
async fn a_fan_out_that_is_never_polled_still_ends_its_world() {
    let world = world(TOYS);
    drop(run(world.0.shared.clone()));
    assert!(world.is_ended());
}
