#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::io;
use std::sync::Mutex;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::*;
use crate::engine::Engine;
use crate::scenario::{Source, parse};
use crate::world::{Message, Setup, Subscription, World};

/// A connection whose buffer has little room.
#[derive(Debug, Default)]
struct Narrow {
    room: Mutex<usize>,
    taken: Mutex<Vec<u8>>,
    /// Notified of each write.
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

fn world() -> World {
    let text = "categories: { toys: { prefix: T, products: [{ id: T1 }] } }";
    let scenario = Arc::new(parse(&Source::new("toys.yaml", text)).unwrap());
    let (engine, setup) = (Engine::new(&scenario, 1), Setup::default());
    World::start("default".into(), engine.into(), &setup, CancellationToken::new(), &TaskTracker::new())
}

/// Takes what waits, as a socket's task does, and delegates its cursor.
async fn delegate(socket: &mut Subscription, sink: &Narrow) {
    loop {
        match socket.next().await.unwrap() {
            Some(batch) => {
                sink.taken.lock().unwrap().extend(&batch.bytes);
                socket.wrote(batch.messages);
            }
            None if socket.delegate() => return,
            None => {}
        }
    }
}

/// A transport that writes each message on a line.
fn encode(message: &Message) -> Bytes {
    [message.payload(), &b"\n"[..]].concat().into()
}

fn frames(values: std::ops::RangeInclusive<i32>) -> Vec<u8> {
    let frame = |value| format!("{{\"id\":\"T1\",\"total\":{value}}}\n").into_bytes();
    values.flat_map(frame).collect()
}

#[tokio::test]
async fn what_a_socket_does_not_take_goes_back_to_its_task_and_nothing_is_lost_or_doubled() {
    let world = world();
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
        // Whenever that comes, in the middle of a pass or not, both together have everything.
        tokio::task::yield_now().await;
        let rest = slow.reclaim();
        narrow.taken.lock().unwrap().extend(&rest.bytes);
        slow.wrote(rest.messages);
    }
    delegate(&mut slow, &narrow).await;
    while wide.taken.lock().unwrap().len() < frames(0..=100).len() {
        wide.wrote.notified().await;
    }
    assert_eq!(*narrow.taken.lock().unwrap(), frames(0..=100));
    assert_eq!(*wide.taken.lock().unwrap(), frames(0..=100));
}

#[tokio::test]
async fn each_socket_gets_the_bytes_of_its_own_transport() {
    let (world, unlimited) = (world(), || Arc::new(Narrow { room: Mutex::new(usize::MAX), ..Default::default() }));
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
