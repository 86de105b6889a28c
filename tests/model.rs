//! A model of what a socket's task, the fan-out and the world's task do with a socket's cursor, run under schedules by chance.
//!
//! The delegation is the product's own file, with locks that a scheduler can interrupt. Around it everything is as small as it
//! can be: items of the feed are numbers, and a connection is a list with room for some of them.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on says so by panicking")]

mod sync {
    pub(super) use shuttle::sync::{Mutex, MutexGuard};
    pub(super) use std::sync::PoisonError;
}

#[path = "../src/world/delegation.rs"]
mod delegation;

use std::sync::Arc;

use delegation::{Delegation, Served};
use shuttle::future;
use shuttle::rand::{Rng, thread_rng};
use shuttle::sync::Mutex;
use tokio::sync::Notify;

/// Items that are published.
const ITEMS: u64 = 6;

/// Items that the feed keeps behind what is handed out.
const BACKLOG: u64 = 2;

/// Schedules that are tried.
const SCHEDULES: usize = 20_000;

#[derive(Default)]
struct Feed {
    first: u64,
    handed_out: u64,
    end: u64,
}

#[derive(Default)]
struct Connection {
    /// What the client has got.
    taken: Vec<u64>,
    /// How much more it takes now.
    room: usize,
}

/// One socket, as all who have to do with it see it.
struct Model {
    feed: Mutex<Feed>,
    published: Notify,
    delegation: Delegation<u64, Vec<u64>>,
    /// The position at which the socket is to be closed.
    closing: Mutex<Option<u64>>,
    wake: Notify,
    connection: Mutex<Connection>,
    writable: Notify,
}

impl Model {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            feed: Mutex::new(Feed::default()),
            published: Notify::new(),
            delegation: Delegation::new(),
            closing: Mutex::new(None),
            wake: Notify::new(),
            connection: Mutex::new(Connection::default()),
            writable: Notify::new(),
        })
    }

    /// Writes what the client takes, and gives the rest.
    fn write(&self, items: &[u64]) -> Vec<u64> {
        let mut connection = self.connection.lock().unwrap();
        let count = items.len().min(connection.room);
        connection.room -= count;
        connection.taken.extend(&items[..count]);
        items[count..].to_vec()
    }

    fn end(&self) -> u64 {
        self.feed.lock().unwrap().end
    }

    /// The position at which the socket is to be closed; beyond all others if it is not.
    fn last(&self) -> u64 {
        self.closing.lock().unwrap().unwrap_or(u64::MAX)
    }

    /// The items from a position on; `None` if the feed has dropped the first of them.
    fn read(&self, from: u64, last: u64) -> Option<Vec<u64>> {
        let feed = self.feed.lock().unwrap();
        (from >= feed.first).then(|| (from..feed.end.min(last)).collect())
    }

    /// The world's task: publishes, and closes the socket somewhere in between or at the end.
    async fn publish(self: Arc<Self>) {
        future::yield_now().await;
        let close_after = thread_rng().gen_range(0..=ITEMS);
        for item in 0..=ITEMS {
            if item == close_after {
                *self.closing.lock().unwrap() = Some(self.end());
                self.wake.notify_one();
                self.delegation.park();
            }
            if item < ITEMS {
                self.feed.lock().unwrap().end += 1;
                self.published.notify_one();
            }
        }
    }

    /// The fan-out, until everything is handed out.
    async fn fan_out(self: Arc<Self>) {
        loop {
            let (from, to) = {
                let feed = self.feed.lock().unwrap();
                (feed.handed_out, feed.end)
            };
            if from == to {
                if from == ITEMS {
                    return;
                }
                self.published.notified().await;
                continue;
            }
            let served = self.delegation.serve(|position| {
                // A delegated cursor is never behind what is handed out.
                let items = self.read(*position, to).expect("the feed keeps what a delegated cursor still has to get");
                *position = to.max(*position);
                let rest = self.write(&items);
                (!rest.is_empty()).then_some(rest)
            });
            if served == Served::Parked {
                self.wake.notify_one();
            }
            let mut feed = self.feed.lock().unwrap();
            feed.handed_out = to;
            feed.first = feed.first.max(to.saturating_sub(BACKLOG));
        }
    }

    /// The client: reads a little at a time.
    async fn read_all(self: Arc<Self>) {
        for _ in 0..=ITEMS {
            self.connection.lock().unwrap().room += 1;
            self.writable.notify_one();
            future::yield_now().await;
        }
    }

    /// The socket's task, until it is closed. Gives up to where it was to write, and whether it had fallen behind.
    async fn exchange(self: Arc<Self>) -> (u64, bool) {
        let (mut cursor, mut output, mut fell_behind) = (Some(0), Vec::new(), false);
        loop {
            output = self.write(&output);
            if !output.is_empty() {
                tokio::select! {
                    biased;
                    () = self.wake.notified() => self.reclaim(&mut cursor, &mut output),
                    () = self.writable.notified() => {}
                }
                continue;
            }
            let Some(position) = cursor else {
                self.wake.notified().await;
                self.reclaim(&mut cursor, &mut output);
                continue;
            };
            let last = self.last();
            let items = self.read(position, last);
            if self.last() < last {
                // The socket is to be closed meanwhile: the items may go beyond that.
                continue;
            }
            let Some(items) = items else {
                // In place of what it missed it gets what is latest.
                fell_behind = true;
                cursor = Some(self.end());
                continue;
            };
            output = items;
            if !output.is_empty() {
                cursor = Some(position + output.len() as u64);
                continue;
            }
            if last < u64::MAX {
                assert!(position >= last);
                return (last, fell_behind);
            }
            let is_up_to_date = |position: &u64| *position >= self.end() && self.last() == u64::MAX;
            cursor = self.delegation.delegate(position, is_up_to_date).err();
        }
    }

    fn reclaim(&self, cursor: &mut Option<u64>, output: &mut Vec<u64>) {
        if let Some((position, pending)) = self.delegation.reclaim() {
            *cursor = Some(position);
            output.extend(pending);
        }
    }
}

#[test]
fn each_item_is_written_once_in_order_under_any_schedule() {
    shuttle::check_random(
        || {
            let model = Model::new();
            let tasks = [
                future::spawn(model.clone().publish()),
                future::spawn(model.clone().fan_out()),
                future::spawn(model.clone().read_all()),
            ];
            let (end, fell_behind) = future::block_on(model.clone().exchange());
            for task in tasks {
                future::block_on(task).unwrap();
            }
            let taken = model.connection.lock().unwrap().taken.clone();
            if fell_behind {
                assert!(
                    taken.is_sorted_by(|one, next| one < next) && taken.iter().all(|item| *item < end),
                    "{taken:?}"
                );
            } else {
                assert_eq!(taken, (0..end).collect::<Vec<_>>());
            }
        },
        SCHEDULES,
    );
}
