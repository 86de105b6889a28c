//! A model of how the sockets' tasks, the fan-out and the world's task share the feed and the sockets' cursors, checked
//! under random schedules.
//!
//! The delegation and the feed's log are the product's own files, with locks that shuttle's scheduler controls.
//! Everything else is as small as possible: the items of the feed are numbers, of which each socket receives two in
//! three, and a connection is a list with room for some of them.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests fail by panicking")]

mod sync {
    pub(super) use shuttle::sync::{Mutex, MutexGuard};
    pub(super) use std::sync::PoisonError;
}

#[path = "../src/world/delegation.rs"]
mod delegation;

#[path = "../src/world/feed/log.rs"]
mod log;

use std::ops::Range;
use std::sync::Arc;

use delegation::{Delegation, Served};
use log::FeedLog;
use shuttle::future::{self, JoinHandle};
use shuttle::rand::{Rng, thread_rng};
use shuttle::sync::Mutex;
use tokio::sync::Notify;

/// The number of published items.
const ITEMS: u64 = 6;

/// The number of items that the feed retains after the fan-out has handed them out.
const BACKLOG: usize = 2;

/// The number of schedules to try.
const SCHEDULES: usize = 20_000;

#[derive(Default)]
struct Connection {
    /// The items that the client has received.
    received: Vec<u64>,
    /// How many more items the connection accepts now.
    room: usize,
}

/// The state of one socket, shared by its task, its client, the fan-out and the world's task.
struct Socket {
    /// The socket receives the items whose remainder modulo 3 is this or 2.
    remainder: u64,
    /// The position up to which the fan-out has handed out every item.
    handed_out: Arc<Mutex<u64>>,
    /// The first item after the socket has joined.
    first: u64,
    fell_behind: Mutex<bool>,
    delegation: Delegation<u64, Vec<u64>>,
    /// The position at which the socket closes.
    closing: Mutex<Option<u64>>,
    wake: Notify,
    connection: Mutex<Connection>,
    writable: Notify,
}

impl Socket {
    fn new(remainder: u64, first: u64, handed_out: Arc<Mutex<u64>>) -> Arc<Self> {
        Arc::new(Self {
            remainder,
            handed_out,
            first,
            fell_behind: Mutex::new(false),
            delegation: Delegation::new(),
            closing: Mutex::new(None),
            wake: Notify::new(),
            connection: Mutex::new(Connection::default()),
            writable: Notify::new(),
        })
    }

    fn receives(&self, item: u64) -> bool {
        item % 3 == self.remainder || item % 3 == 2
    }

    /// Asserts that a socket at rest has received every item up to `last`.
    fn assert_has_all_up_to(&self, last: u64) {
        if self.delegation.is_at_rest() && !*self.fell_behind.lock().unwrap() {
            let received = self.connection.lock().unwrap().received.clone();
            let missing = (self.first..=last).find(|item| self.receives(*item) && !received.contains(item));
            assert_eq!(missing, None, "{received:?} from {} to {last}", self.first);
        }
    }

    /// Skips the items that the fan-out has handed out to other sockets only.
    fn advance(&self, position: &mut u64) {
        *position = (*position).max(*self.handed_out.lock().unwrap());
    }

    /// Writes as many items as the connection accepts, and returns the rest.
    fn write(&self, items: &[u64]) -> Vec<u64> {
        let mut connection = self.connection.lock().unwrap();
        let count = items.len().min(connection.room);
        connection.room -= count;
        connection.received.extend(&items[..count]);
        items[count..].to_vec()
    }

    /// Returns the position at which the socket closes; `u64::MAX` if it stays open.
    fn last(&self) -> u64 {
        self.closing.lock().unwrap().unwrap_or(u64::MAX)
    }

    /// Runs the client, which reads one item at a time.
    async fn read_all(self: Arc<Self>) {
        for _ in 0..=ITEMS {
            self.connection.lock().unwrap().room += 1;
            self.writable.notify_one();
            future::yield_now().await;
        }
    }

    fn reclaim(&self, cursor: &mut Option<u64>, output: &mut Vec<u64>) {
        if let Some((position, pending)) = self.delegation.reclaim(|position| self.advance(position)) {
            *cursor = Some(position);
            output.extend(pending);
        }
    }
}

/// A socket with its task and its client.
struct Visitor {
    socket: Arc<Socket>,
    task: JoinHandle<()>,
    client: JoinHandle<()>,
}

struct Model {
    feed: Mutex<FeedLog<u64>>,
    published: Notify,
    /// Whether everything is published.
    is_over: Mutex<bool>,
    /// The open sockets.
    sockets: Mutex<Vec<Arc<Socket>>>,
    handed_out: Arc<Mutex<u64>>,
}

impl Model {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            feed: Mutex::new(FeedLog::new(BACKLOG)),
            published: Notify::new(),
            is_over: Mutex::new(false),
            sockets: Mutex::new(Vec::new()),
            handed_out: Arc::default(),
        })
    }

    fn end(&self) -> u64 {
        self.feed.lock().unwrap().end()
    }

    /// Returns the items from a position on, and the position after them; `None` if the feed has dropped the first of
    /// them.
    fn read(&self, from: u64, last: u64) -> Option<(Vec<u64>, u64)> {
        self.feed.lock().unwrap().read(from, usize::MAX, last)
    }

    /// Runs the world's task: publishes the items, opens each socket before the first item of its visit, and closes it
    /// after the last.
    async fn publish(self: Arc<Self>, visits: [Range<u64>; 2]) -> [Option<Visitor>; 2] {
        let mut visitors = [None, None];
        for item in 0..=ITEMS {
            future::yield_now().await;
            for (remainder, (visit, visitor)) in (0..).zip(visits.iter().zip(&mut visitors)) {
                if item == visit.start {
                    *visitor = Some(self.join(remainder, item));
                }
                if item == visit.end
                    && let Some(Visitor { socket, .. }) = visitor
                {
                    *socket.closing.lock().unwrap() = Some(self.end());
                    socket.wake.notify_one();
                    socket.delegation.park(|position| socket.advance(position));
                }
            }
            if item < ITEMS {
                self.publish_one(item);
            }
        }
        *self.is_over.lock().unwrap() = true;
        self.published.notify_one();
        visitors
    }

    fn join(self: &Arc<Self>, remainder: u64, first: u64) -> Visitor {
        let (socket, position) = (Socket::new(remainder, first, self.handed_out.clone()), self.end());
        self.sockets.lock().unwrap().push(socket.clone());
        let task = future::spawn(self.clone().exchange(socket.clone(), position));
        let client = future::spawn(socket.clone().read_all());
        Visitor { socket, task, client }
    }

    fn publish_one(&self, item: u64) {
        let is_empty = self.sockets.lock().unwrap().is_empty();
        if is_empty {
            self.feed.lock().unwrap().clear();
        } else {
            self.feed.lock().unwrap().publish([item]);
            self.published.notify_one();
        }
    }

    /// Runs the fan-out until every item is handed out.
    async fn fan_out(self: Arc<Self>) {
        loop {
            let is_over = *self.is_over.lock().unwrap();
            let from = self.feed.lock().unwrap().handed_out();
            // The feed may have been cleared in between.
            let Some((items, to)) = self.read(from, u64::MAX) else { continue };
            if from == to {
                if is_over {
                    return;
                }
                self.published.notified().await;
                continue;
            }
            let sockets = self.sockets.lock().unwrap().clone();
            for socket in sockets.iter().filter(|socket| items.iter().any(|item| socket.receives(*item))) {
                let served = socket.delegation.serve(|position| {
                    // Items before `from` that the socket has not read were not for it.
                    let read = self.read((*position).max(from), to);
                    let (items, end) = read.expect("the feed retains the items after a delegated cursor");
                    *position = end;
                    let items: Vec<u64> = items.into_iter().filter(|item| socket.receives(*item)).collect();
                    let rest = socket.write(&items);
                    (!rest.is_empty()).then_some(rest)
                });
                if served == Served::Parked {
                    socket.wake.notify_one();
                }
            }
            *self.handed_out.lock().unwrap() = to;
            self.feed.lock().unwrap().hand_out(to);
            for socket in &sockets {
                socket.assert_has_all_up_to(*items.last().unwrap());
            }
        }
    }

    /// Runs a socket's task until the socket is closed.
    async fn exchange(self: Arc<Self>, socket: Arc<Socket>, position: u64) {
        let (mut cursor, mut output) = (Some(position), Vec::new());
        loop {
            output = socket.write(&output);
            if !output.is_empty() {
                tokio::select! {
                    biased;
                    () = socket.wake.notified() => socket.reclaim(&mut cursor, &mut output),
                    () = socket.writable.notified() => {}
                }
                continue;
            }
            let Some(position) = cursor else {
                socket.wake.notified().await;
                socket.reclaim(&mut cursor, &mut output);
                continue;
            };
            let last = socket.last();
            let read = self.read(position, last);
            if socket.last() < last {
                // The socket's end was set while reading, and the items may lie beyond it.
                continue;
            }
            let Some((items, end)) = read else {
                // The socket skips the items that it missed.
                *socket.fell_behind.lock().unwrap() = true;
                cursor = Some(self.end());
                continue;
            };
            if end > position {
                output = items.into_iter().filter(|item| socket.receives(*item)).collect();
                cursor = Some(end);
                continue;
            }
            if last < u64::MAX {
                assert!(position >= last);
                self.sockets.lock().unwrap().retain(|other| !Arc::ptr_eq(other, &socket));
                return;
            }
            let is_up_to_date = |position: &u64| *position >= self.end() && socket.last() == u64::MAX;
            cursor = socket.delegation.delegate(position, is_up_to_date).err();
        }
    }
}

/// Returns a random, possibly empty range of the items.
fn visit() -> Range<u64> {
    let start = thread_rng().gen_range(0..=ITEMS);
    start..thread_rng().gen_range(start..=ITEMS)
}

#[test]
fn each_item_is_written_once_in_order_under_any_schedule() {
    shuttle::check_random(
        || {
            let (model, visits) = (Model::new(), [visit(), visit()]);
            let fan_out = future::spawn(model.clone().fan_out());
            let visitors = future::block_on(model.publish(visits.clone()));
            for (remainder, (visit, visitor)) in (0..).zip(visits.into_iter().zip(visitors)) {
                let Visitor { socket, task, client } = visitor.expect("each visit starts");
                future::block_on(task).unwrap();
                future::block_on(client).unwrap();
                let received = socket.connection.lock().unwrap().received.clone();
                if *socket.fell_behind.lock().unwrap() {
                    let is_in_order = received.is_sorted_by(|one, next| one < next);
                    assert!(
                        is_in_order && received.iter().all(|item| visit.contains(item)),
                        "{received:?} of {visit:?}"
                    );
                } else {
                    let expected = visit.filter(|item| item % 3 == remainder || item % 3 == 2);
                    assert_eq!(received, expected.collect::<Vec<_>>());
                }
            }
            future::block_on(fan_out).unwrap();
        },
        SCHEDULES,
    );
}
