//! The open sockets of a world: who they are, what they have joined, how far they are, and which of them are to be closed.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::iter;
use std::ops::Bound;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::audience::{Audience, Coverage, Join, TopicIndex};
use super::socket::{Socket, SocketClose, SocketKind, lock};
use crate::engine::{FIRST_SHARED_MEMBER, Topic};

/// How long a socket may write nothing before nobody waits for it any more.
const WRITE_TIMEOUT: Duration = Duration::from_secs(1);

/// All open sockets of a world, in the order in which they were opened.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    open: Mutex<OpenSockets>,
    /// Told when a socket has written or is gone, as long as somebody waits for that.
    progress: Notify,
    /// How many wait.
    waiting: AtomicUsize,
    /// Up to where the fan-out has handed everything out. A socket that has got that far has everything up to there.
    handed_out: Arc<AtomicU64>,
}

#[derive(Debug, Default)]
struct OpenSockets {
    last_id: u64,
    sockets: BTreeMap<u64, Arc<Socket>>,
    /// Made when the first socket comes: a world without sockets has none.
    index: Option<Box<SocketIndex>>,
}

/// What is known of open sockets beside their order.
#[derive(Debug, Default)]
struct SocketIndex {
    topics: TopicIndex<Arc<Socket>>,
    /// Those that faults hit, and some that they do not hit any more.
    faulted: BTreeMap<u64, Arc<Socket>>,
    /// Those that have gone since the world's task has looked. Those that other servers know are closed on all of them.
    gone: Vec<u64>,
    /// The ids that the journal has for an audience: made on demand, void when a socket comes, goes, joins or leaves.
    recorded: HashMap<Audience, Arc<[u64]>>,
}

impl SocketIndex {
    fn join(&mut self, socket: &Arc<Socket>, joins: Vec<Join>, from: u64) {
        for Join { topic, state } in joins {
            let id = self.topics.join(&topic, socket.id, socket.clone());
            socket.with_memberships(|memberships| memberships.join(id, state, from));
        }
    }

    /// Has a socket leave its topics but those that it keeps.
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

    /// Those of an audience after a number, in order.
    fn after(&self, audience: &Audience, last: u64) -> impl Iterator<Item = (u64, &Arc<Socket>)> {
        let range = match audience {
            // Of those that have a state there is no index: it is rare that something is for them.
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

/// Members of several topics in the order of their numbers, each once. Mostly there is one topic.
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

/// Somebody who waits for progress, until it is dropped.
struct Waits<'a>(&'a AtomicUsize);

impl<'a> Waits<'a> {
    fn on(waiting: &'a AtomicUsize) -> Self {
        waiting.fetch_add(1, Ordering::SeqCst);
        Self(waiting)
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Sockets {
    /// Opens a socket at that position of the feed. It has joined nothing yet.
    pub(super) fn open(&self, collection: Arc<str>, opened: Duration, position: u64) -> Arc<Socket> {
        self.open_as(collection, None, opened, position, |socket| socket)
    }

    /// As [`Sockets::open`], for a member of another kind, under that number if it has one already.
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

    /// Has a socket leave the topics that it has joined but those that it keeps, and join these, at that position of the feed.
    pub(super) fn change_topics(
        &self,
        socket: &Arc<Socket>,
        keeps: impl Fn(&Topic) -> bool,
        joins: Vec<Join>,
        position: u64,
    ) {
        let written = socket.written();
        if written < position {
            // While it is still a member: the fan-out comes by for members alone, so what it has not handed out yet is left to
            // the socket's task.
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

    /// Those who have joined one of these topics; `None` for nobody.
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
        index.gone.extend((socket.id < FIRST_SHARED_MEMBER).then_some(socket.id));
        index.recorded.clear();
        drop(open);
        socket.gone.store(true, Ordering::SeqCst);
        self.progress.notify_waiters();
    }

    /// The ids of those that have gone since the last time.
    pub(super) fn take_gone(&self) -> Vec<u64> {
        std::mem::take(&mut lock(&self.open).index().gone)
    }

    /// Notes that an item of the feed before that position is for one socket alone, or for all whatever they have joined.
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

    /// Those of an audience after a number, at most `most`, put into a list; also some that are not in it.
    pub(super) fn after(&self, audience: &Audience, last: u64, most: usize, into: &mut Vec<Arc<Socket>>) {
        into.extend(lock(&self.open).after(audience, last).take(most).map(|(_, socket)| socket.clone()));
    }

    /// How many sockets there are in an audience, at most.
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

    /// The fan-out has handed out everything up to there. To be called before the feed may drop it.
    pub(super) fn hand_out(&self, position: u64) {
        self.handed_out.fetch_max(position, Ordering::SeqCst);
        self.wake_faulted();
        self.tell_waiting();
    }

    /// Has a socket's own task look at what is handed out, as long as faults hit it: the fan-out does not come by.
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

    /// The ids of those who get a frame, as the journal has them: without the sockets that it leaves out.
    pub(super) fn recorded(&self, audience: &Audience, position: u64) -> Arc<[u64]> {
        let mut open = lock(&self.open);
        if let Some(ids) = open.index().recorded.get(audience) {
            return ids.clone();
        }
        let is_in = |socket: &Arc<Socket>| {
            socket.is_recorded() && socket.coverage(audience, position, position + 1) == Coverage::Everything
        };
        let ids: Arc<[u64]> = open.after(audience, 0).filter(|(_, socket)| is_in(socket)).map(|(id, _)| id).collect();
        open.index().recorded.insert(audience.clone(), ids.clone());
        ids
    }

    /// Closes one socket, or all, after what is published up to that position; gives those that it closes.
    pub(super) fn close(&self, id: Option<u64>, close: &SocketClose, end: u64) -> Vec<Arc<Socket>> {
        let closed: Vec<_> = self.all().into_iter().filter(|socket| id.is_none_or(|id| id == socket.id)).collect();
        for socket in &closed {
            socket.close(close.clone(), end);
        }
        closed
    }

    /// Resets one socket after what is published up to that position.
    pub(super) fn reset(&self, id: u64, end: u64) {
        if let Some(socket) = self.get(id) {
            socket.reset(end);
        }
    }

    /// Wakes every socket's task.
    pub(super) fn wake_all(&self) {
        lock(&self.open).sockets.values().for_each(|socket| socket.wake.notify_one());
    }

    /// What a socket has written up to that position of the feed.
    pub(super) fn wrote(&self, socket: &Socket, messages: u64, position: u64) {
        socket.sent.fetch_add(messages, Ordering::Relaxed);
        socket.set_written(position);
        self.tell_waiting();
    }

    fn tell_waiting(&self) {
        if self.waiting.load(Ordering::SeqCst) > 0 {
            self.progress.notify_waiters();
        }
    }

    /// Waits until every open socket has written everything up to the position, but not for those that have written
    /// nothing for as long as `lagging` allows. Cancel safe: what was seen of them is kept there.
    pub(super) async fn written(&self, position: u64, lagging: &mut LaggingSockets) {
        let _waits = Waits::on(&self.waiting);
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
                // Others may go on meanwhile; only this one is waited for here.
                let _ = tokio::time::timeout_at(give_up, progress).await;
            }
        }
    }

    /// Those that have not written everything up to the position.
    pub(super) fn behind(&self, position: u64) -> Vec<u64> {
        let behind = |socket: &&Arc<Socket>| socket.is_behind(position);
        self.all().iter().filter(behind).map(|socket| socket.id).collect()
    }

    /// Waits until none of these is open any more.
    pub(super) async fn gone(&self, sockets: &[Arc<Socket>]) {
        loop {
            let progress = self.progress.notified();
            if sockets.iter().all(|socket| socket.gone.load(Ordering::SeqCst)) {
                return;
            }
            progress.await;
        }
    }
}

/// Sockets that lag: where each was seen last, and since when it is there.
#[derive(Debug, Default)]
pub(super) struct LaggingSockets(HashMap<u64, (u64, Instant)>);

impl LaggingSockets {
    /// Whether there is something to wait for; remembers where it is, if so.
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

    /// Forgets about sockets that are not open any more.
    pub(super) fn keep_only(&mut self, sockets: &[Arc<Socket>]) {
        if !self.0.is_empty() {
            let open: HashSet<u64> = sockets.iter().map(|socket| socket.id).collect();
            self.0.retain(|id, _| open.contains(id));
        }
    }

    /// Until when to wait for it; `None` if it has been still for too long.
    pub(super) fn give_up(&self, socket: &Socket) -> Option<Instant> {
        let (_, since) = self.0.get(&socket.id)?;
        Some(*since + WRITE_TIMEOUT).filter(|give_up| *give_up > Instant::now())
    }
}
