#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::sync::Mutex;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::*;
use crate::engine::Engine;
use crate::scenario::{Source, parse};
use crate::world::{Setup, Subscription, World};

/// A connection whose buffer has little room.
#[derive(Debug, Default)]
struct Narrow {
    room: Mutex<usize>,
    taken: Mutex<Vec<u8>>,
}

impl Outlet for Narrow {
    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut room = self.room.lock().unwrap();
        let count = bytes.len().min(*room);
        *room -= count;
        self.taken.lock().unwrap().extend(&bytes[..count]);
        if count == 0 { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(count) }
    }
}

fn world() -> World {
    let text = "categories: { toys: { prefix: T, products: [{ id: T1 }] } }";
    let scenario = Arc::new(parse(&Source::new("toys.yaml", text)).unwrap());
    let (engine, setup) = (Engine::new(&scenario, 1), Setup::default());
    World::start("default".into(), engine, &setup, CancellationToken::new(), &TaskTracker::new())
}

/// Takes what waits, as a socket's task does, and lends the socket.
async fn lend(socket: &mut Subscription, outlet: &Narrow) {
    loop {
        match socket.next().await.unwrap() {
            Some(portion) => {
                outlet.taken.lock().unwrap().extend(&portion.bytes);
                socket.wrote(portion.frames);
            }
            None if socket.lend() => return,
            None => {}
        }
    }
}

fn frames(totals: std::ops::RangeInclusive<i32>) -> Vec<u8> {
    let frame = |total| crate::websocket::Encoded::text(&format!(r#"{{"id":"T1","total":{total}}}"#)).frame().to_vec();
    totals.flat_map(frame).collect()
}

#[tokio::test]
async fn what_a_socket_does_not_take_goes_back_to_its_task_and_nothing_is_lost_or_doubled() {
    let world = world();
    let (narrow, wide) =
        (Arc::new(Narrow::default()), Arc::new(Narrow { room: Mutex::new(usize::MAX), ..Default::default() }));
    let mut slow = world.subscribe("toys", false).await.unwrap();
    let mut fast = world.subscribe("toys", false).await.unwrap();
    slow.connect(narrow.clone());
    fast.connect(wide.clone());
    lend(&mut fast, &wide).await;
    for total in 1..=100 {
        lend(&mut slow, &narrow).await;
        *narrow.room.lock().unwrap() = total % 30;
        world.order("T1", 1).await.unwrap();
        // Whenever that comes, in the middle of a pass or not, both together have everything.
        tokio::task::yield_now().await;
        let rest = slow.recall();
        narrow.taken.lock().unwrap().extend(&rest.bytes);
        slow.wrote(rest.frames);
    }
    lend(&mut slow, &narrow).await;
    while wide.taken.lock().unwrap().len() < frames(0..=100).len() {
        tokio::task::yield_now().await;
    }
    assert_eq!(*narrow.taken.lock().unwrap(), frames(0..=100));
    assert_eq!(*wide.taken.lock().unwrap(), frames(0..=100));
}
