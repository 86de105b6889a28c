//! The open sockets of a world: their topics, their progress, and which of them are to be closed.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::iter;
use std::ops::Bound;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use indexmap::IndexSet;
use rustc_hash::FxHashMap;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::audience::{Audience, Coverage, Join, TopicIndex};
use super::journal::Recipients;
use super::socket::{Socket, SocketKind, lock};
use crate::engine::Topic;

/// How long to wait for a socket that makes no progress.
const WRITE_TIMEOUT: Duration = Duration::from_secs(1);

/// All open sockets of a world, in the order in which they were opened.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    open: Mutex<OpenSockets>,
    /// Notified when a socket has written or has closed, while there are waiters.
    progress: Notify,
    /// The number of waiters.
    waiting: AtomicUsize,
    /// The feed position up to which the fan-out has handed out everything. A socket that has reached it has
    /// everything.
    handed_out: Arc<AtomicU64>,
}

#[derive(Debug, Default)]
struct OpenSockets {
    last_id: u64,
    sockets: BTreeMap<u64, Arc<Socket>>,
    /// Created with the first socket; a world without sockets has no index.
    index: Option<Box<SocketIndex>>,
}

/// Indices of the open sockets.
#[derive(Debug, Default)]
struct SocketIndex {
    topics: TopicIndex<Arc<Socket>>,
    /// All sockets that faults hit, and some that faults no longer hit.
    faulted: BTreeMap<u64, Arc<Socket>>,
    /// Sockets of collections that have closed since the world's task last checked. The rules of other sockets, and of
    /// streams, are notified at once.
    gone: Vec<u64>,
    /// The recipients that the journal records for an audience. Made on demand, and discarded when a socket opens,
    /// closes, joins or leaves.
    recorded: FxHashMap<Audience, Recipients>,
}

impl SocketIndex {
    fn join(&mut self, socket: &Arc<Socket>, joins: Vec<Join>, from: u64) {
        for Join { topic, state } in joins {
            let id = self.topics.join(&topic, socket.id, socket.clone());
            socket.with_memberships(|memberships| memberships.join(id, state, from));
        }
    }

    /// Removes a socket from its topics, except those that it keeps.
    fn leave(&mut self, socket: &Socket, until: u64, keeps: impl Fn(&Topic) -> bool) {
        for topic in socket.with_memberships(|memberships| memberships.topics()) {
            if !self.topics.topic(topic).is_some_and(&keeps) {
                self.topics.leave(topic, socket.id);
                socket.with_memberships(|memberships| memberships.leave(topic, until));
            }
        }
    }
}

impl OpenSockets {
    fn index(&mut self) -> &mut SocketIndex {
        self.index.get_or_insert_default()
    }

    /// Returns the sockets of an audience whose numbers are greater than `last`, in order.
    fn after(&self, audience: &Audience, last: u64) -> impl Iterator<Item = (u64, &Arc<Socket>)> {
        let range = match audience {
            // Audiences by state have no index, because items for them are rare.
            Audience::All | Audience::State(_) => Some((Bound::Excluded(last), Bound::Unbounded)),
            Audience::One(id) => (*id > last).then_some((Bound::Included(*id), Bound::Included(*id))),
            Audience::Topic(_) | Audience::AnyOf(_) | Audience::Without { .. } => None,
        };
        let topics = audience.topics().unwrap_or_default().iter();
        let members = topics.filter_map(move |topic| Some(self.index.as_ref()?.topics.after(*topic, last)));
        let sockets = range.map(|range| self.sockets.range(range).map(|(id, socket)| (*id, socket)));
        sockets.into_iter().flatten().chain(in_order(members))
    }
}

/// Merges the members of several topics in the order of their numbers, without duplicates. Usually there is one topic.
fn in_order<'s>(
    topics: impl Iterator<Item = impl Iterator<Item = (u64, &'s Arc<Socket>)>>,
) -> impl Iterator<Item = (u64, &'s Arc<Socket>)> {
    let mut topics: Vec<_> = topics.map(Iterator::peekable).collect();
    iter::from_fn(move || {
        let next = topics.iter_mut().filter_map(|topic| topic.peek().map(|(number, _)| *number)).min()?;
        let found = topics.iter_mut().filter_map(|topic| topic.next_if(|(number, _)| *number == next));
        found.last()
    })
}

/// A waiter for progress, until it is dropped.
struct Waiter<'a>(&'a AtomicUsize);

impl<'a> Waiter<'a> {
    fn on(waiting: &'a AtomicUsize) -> Self {
        waiting.fetch_add(1, Ordering::SeqCst);
        Self(waiting)
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Sockets {
    /// Opens a socket at a feed position. It has not joined any topics yet.
    pub(super) fn open(&self, collection: Arc<str>, opened: Duration, position: u64) -> Arc<Socket> {
        self.open_as(collection, None, opened, position, |socket| socket)
    }

    /// Like [`Sockets::open`], for a member of another kind, under `number` if it has one already.
    pub(super) fn open_of_kind(
        &self,
        kind: SocketKind,
        number: Option<u64>,
        opened: Duration,
        position: u64,
    ) -> Arc<Socket> {
        self.open_as(Arc::default(), number, opened, position, |socket| socket.of_kind(kind))
    }

    fn open_as(
        &self,
        collection: Arc<str>,
        number: Option<u64>,
        opened: Duration,
        position: u64,
        finish: impl FnOnce(Socket) -> Socket,
    ) -> Arc<Socket> {
        let mut open = lock(&self.open);
        let number = number.unwrap_or_else(|| {
            open.last_id += 1;
            open.last_id
        });
        let socket = Socket::new(number, collection, opened, position, self.handed_out.clone());
        let socket = Arc::new(finish(socket));
        open.sockets.insert(socket.id, socket.clone());
        open.index().recorded.clear();
        socket
    }

    /// Removes a socket from its topics, except those that it keeps, and adds it to others, at a feed position.
    pub(super) fn change_topics(
        &self,
        socket: &Arc<Socket>,
        keeps: impl Fn(&Topic) -> bool,
        joins: Vec<Join>,
        position: u64,
    ) {
        let written = socket.written();
        if written < position {
            // Park it while it is still a member: the fan-out visits members only, so the socket's task has to write
            // what the fan-out has not handed out yet.
            socket.leave_to_task();
        }
        let mut open = lock(&self.open);
        if !open.sockets.contains_key(&socket.id) {
            return;
        }
        socket.with_memberships(|memberships| memberships.forget_before(written));
        let index = open.index();
        index.leave(socket, position, keeps);
        index.join(socket, joins, position);
        index.recorded.clear();
    }

    /// Returns the members of these topics as an audience; `None` if there are none.
    pub(super) fn audience_of(&self, topics: &[Topic]) -> Option<Audience> {
        let open = lock(&self.open);
        let index = open.index.as_ref()?;
        Audience::of(topics.iter().filter_map(|topic| index.topics.id(topic)).collect())
    }

    pub(super) fn leave(&self, socket: &Socket) {
        let mut open = lock(&self.open);
        open.sockets.remove(&socket.id);
        let index = open.index();
        index.faulted.remove(&socket.id);
        index.leave(socket, 0, |_| false);
        index.gone.extend((!socket.is_rule_driven()).then_some(socket.id));
        index.recorded.clear();
        drop(open);
        socket.gone.store(true, Ordering::SeqCst);
        self.progress.notify_waiters();
    }

    /// Takes the ids of the sockets that have closed since the last call.
    pub(super) fn take_closed(&self) -> Vec<u64> {
        std::mem::take(&mut lock(&self.open).index().gone)
    }

    /// Records an item before this feed position if its audience receives it whatever topics it has joined.
    pub(super) fn note_direct(&self, audience: &Audience, position: u64) {
        match audience {
            Audience::One(id) => self.get(*id).into_iter().for_each(|socket| socket.note_direct(position)),
            Audience::All => self.all().iter().for_each(|socket| socket.note_direct(position)),
            Audience::Topic(_) | Audience::AnyOf(_) | Audience::Without { .. } | Audience::State(_) => {}
        }
    }

    pub(super) fn all(&self) -> Vec<Arc<Socket>> {
        lock(&self.open).sockets.values().cloned().collect()
    }

    /// Adds at most `max` sockets of an audience whose numbers are greater than `last` to a list. The list may contain
    /// some that are not in the audience.
    pub(super) fn after(&self, audience: &Audience, last: u64, max: usize, into: &mut Vec<Arc<Socket>>) {
        into.extend(lock(&self.open).after(audience, last).take(max).map(|(_, socket)| socket.clone()));
    }

    /// Returns an upper bound for the number of sockets in an audience.
    pub(super) fn audience_len(&self, audience: &Audience) -> usize {
        let open = lock(&self.open);
        match audience {
            Audience::All | Audience::State(_) => open.sockets.len(),
            Audience::Topic(_) | Audience::AnyOf(_) | Audience::Without { .. } => {
                let topics = audience.topics().unwrap_or_default().iter();
                open.index.as_ref().map_or(0, |index| topics.map(|topic| index.topics.len(*topic)).sum())
            }
            Audience::One(_) => 1,
        }
    }

    /// Records that the fan-out has handed out everything up to this feed position. Call this before the feed may drop
    /// the items.
    pub(super) fn hand_out(&self, position: u64) {
        self.handed_out.fetch_max(position, Ordering::SeqCst);
        self.wake_faulted();
        self.notify_waiters();
    }

    /// Wakes the socket's own task for items that are handed out, as long as faults hit the socket: the fan-out skips
    /// it.
    pub(super) fn add_faulted(&self, socket: &Arc<Socket>) {
        lock(&self.open).index().faulted.insert(socket.id, socket.clone());
    }

    fn wake_faulted(&self) {
        lock(&self.open).index().faulted.retain(|_, socket| {
            socket.wake.notify_one();
            socket.is_faulted()
        });
    }

    pub(super) fn get(&self, id: u64) -> Option<Arc<Socket>> {
        lock(&self.open).sockets.get(&id).cloned()
    }

    pub(super) fn len(&self) -> usize {
        lock(&self.open).sockets.len()
    }

    /// Returns the recipients of a message for the journal, without the sockets that the journal leaves out.
    pub(super) fn recorded(&self, audience: &Audience, position: u64) -> Recipients {
        let mut open = lock(&self.open);
        if let Some(recipients) = open.index().recorded.get(audience) {
            return recipients.clone();
        }
        let is_in = |socket: &Arc<Socket>| {
            socket.is_recorded() && socket.coverage(audience, position, position + 1) == Coverage::Everything
        };
        let (mut sockets, mut paths) = (Vec::new(), IndexSet::new());
        for (number, socket) in open.after(audience, 0).filter(|(_, socket)| is_in(socket)) {
            sockets.push(number);
            paths.extend(socket.member_path());
        }
        let recipients = Recipients::Many { sockets: sockets.into(), paths: paths.into_iter().collect() };
        open.index().recorded.insert(audience.clone(), recipients.clone());
        recipients
    }

    /// Wakes every socket's task.
    pub(super) fn wake_all(&self) {
        lock(&self.open).sockets.values().for_each(|socket| socket.wake.notify_one());
    }

    /// Records that a socket has written messages up to this feed position.
    pub(super) fn record_written(&self, socket: &Socket, messages: u64, position: u64) {
        socket.sent.fetch_add(messages, Ordering::Relaxed);
        socket.set_written(position);
        self.notify_waiters();
    }

    fn notify_waiters(&self) {
        if self.waiting.load(Ordering::SeqCst) > 0 {
            self.progress.notify_waiters();
        }
    }

    /// Waits until every open socket has written everything up to this feed position, except sockets that have written
    /// nothing for as long as `lagging` allows. This is cancel safe: the observed progress is kept in `lagging`.
    pub(super) async fn wait_written(&self, position: u64, lagging: &mut LaggingSockets) {
        let _waiter = Waiter::on(&self.waiting);
        let sockets = self.all();
        lagging.keep_only(&sockets);
        let behind: Vec<_> = sockets.iter().filter(|socket| lagging.is_lagging(socket, position)).collect();
        for socket in behind {
            loop {
                let progress = self.progress.notified();
                if !lagging.is_lagging(socket, position) {
                    break;
                }
                let Some(give_up) = lagging.give_up(socket) else { break };
                // Other sockets may make progress meanwhile; this waits for one at a time.
                let _ = tokio::time::timeout_at(give_up, progress).await;
            }
        }
    }

    /// Returns the sockets that have not written everything up to this feed position.
    pub(super) fn behind(&self, position: u64) -> Vec<u64> {
        let behind = |socket: &&Arc<Socket>| socket.is_behind(position);
        self.all().iter().filter(behind).map(|socket| socket.id).collect()
    }

    /// Waits until all of these sockets have closed.
    pub(super) async fn wait_closed(&self, sockets: &[Arc<Socket>]) {
        loop {
            let progress = self.progress.notified();
            if sockets.iter().all(|socket| socket.gone.load(Ordering::SeqCst)) {
                return;
            }
            progress.await;
        }
    }
}

/// Lagging sockets: the last observed feed position of each, and since when it has been there.
#[derive(Debug, Default)]
pub(super) struct LaggingSockets(HashMap<u64, (u64, Instant)>);

impl LaggingSockets {
    /// Returns whether to wait for the socket; if so, records its progress.
    pub(super) fn is_lagging(&mut self, socket: &Socket, position: u64) -> bool {
        let written = socket.written();
        if !socket.is_behind(position) || socket.gone.load(Ordering::SeqCst) || socket.is_frozen() {
            self.0.remove(&socket.id);
            return false;
        }
        let seen = self.0.entry(socket.id).or_insert_with(|| (written, Instant::now()));
        if seen.0 != written {
            *seen = (written, Instant::now());
        }
        true
    }

    /// Removes sockets that are no longer open.
    pub(super) fn keep_only(&mut self, sockets: &[Arc<Socket>]) {
        if !self.0.is_empty() {
            let open: HashSet<u64> = sockets.iter().map(|socket| socket.id).collect();
            self.0.retain(|id, _| open.contains(id));
        }
    }

    /// Returns how long to wait for the socket; `None` if it has made no progress for too long.
    pub(super) fn give_up(&self, socket: &Socket) -> Option<Instant> {
        let (_, since) = self.0.get(&socket.id)?;
        Some(*since + WRITE_TIMEOUT).filter(|give_up| *give_up > Instant::now())
    }
}
