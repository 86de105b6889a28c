//! A world's engine at work: what is asked of it, and who hears of what happens.

mod entries;
mod journalling;
mod requests;

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::task::TaskTracker;
use tracing::debug;
use tungstenite::Message;

use super::clock::Pace;
use super::fanout;
use super::feed::{self, Frame, notice};
use super::journal::{Payload, Recipients, Record};
use super::replica::Origin;
use super::snapshots::Saved;
use super::socket::Socket;
use super::sockets::Audience;
use super::subscription::Joined;
use super::transcript::Transcript;
use super::{Shared, View};
use crate::engine::{Engine, Event, EventKind, Reload, Succession};
use crate::websocket::Encoded;

/// What the task owns, and what commands work on.
pub(super) struct Play {
    pub(super) engine: Engine,
    /// The engine at time 0, which a reset goes back to.
    pub(super) start: Engine,
    /// The seed of this world alone, which wins over the server's.
    pub(super) own_seed: Option<u64>,
    pub(super) pace_at_start: Pace,
    /// Counts how often the engine was put to another moment.
    pub(super) generation: u64,
    /// What others know the scenario by, if the world is shared.
    pub(super) origin: Option<Origin>,
    /// The world's time, while it is told.
    pub(super) told: Option<Duration>,
    /// How the clock goes again after the advance that holds it.
    pub(super) held: Option<Pace>,
    pub(super) shared: Arc<Shared>,
    publish: watch::Sender<Arc<View>>,
    /// Where the fan-out is started when the first socket comes; a world without sockets has none, and is 1 KiB smaller.
    fanout: Option<TaskTracker>,
    tasks: TaskTracker,
    /// The position of the last entry, if the world is shared.
    position: u64,
    pub(super) transcript: Transcript,
    pub(super) snapshots: BTreeMap<String, Saved>,
    /// The current orders of categories, and the number of the last event in them.
    current: HashMap<Arc<str>, (u64, Arc<[Encoded]>)>,
    /// Whether a fault may hit sockets.
    pub(super) has_faulted_sockets: bool,
}

impl Play {
    pub(super) fn new(
        start: Engine,
        own_seed: Option<u64>,
        shared: Arc<Shared>,
        publish: watch::Sender<Arc<View>>,
        tasks: TaskTracker,
    ) -> Self {
        let pace_at_start = shared.clock.pace();
        let (transcript, snapshots) = (Transcript::default(), BTreeMap::new());
        let engine = start.clone();
        let has_faulted_sockets = engine.has_socket_faults();
        Self {
            engine,
            start,
            own_seed,
            pace_at_start,
            generation: 0,
            origin: None,
            told: None,
            held: None,
            shared,
            publish,
            fanout: Some(tasks.clone()),
            tasks,
            position: 0,
            transcript,
            snapshots,
            current: HashMap::new(),
            has_faulted_sockets,
        }
    }

    /// Lets what is due by now happen, unless time stands still, or is told.
    pub(super) fn catch_up_with_time(&mut self, most: usize) {
        if self.shared.replica.is_none() && !self.shared.clock.pace().paused {
            let events = self.engine.advance_some(self.shared.clock.now(), most);
            self.tell(&events);
        }
    }

    /// The world's time; what is due by then may still have to happen. While an entry of a shared world is carried out, it
    /// is the time that the entry says, so that it is the same everywhere.
    pub(super) fn now(&self) -> Duration {
        self.told.unwrap_or_else(|| self.shared.clock.now()).max(self.engine.now())
    }

    /// The time of an entry of a shared world: none passes in one that is paused.
    pub(super) fn time_of(&self, at: Duration) -> Duration {
        if self.shared.clock.pace().paused { self.engine.now() } else { at.max(self.engine.now()) }
    }

    /// Goes on with another scenario.
    pub(super) fn follow(&mut self, succession: &Succession) -> Vec<Event> {
        self.start = seeded(succession.start().clone(), self.own_seed);
        let events = self.engine.follow(succession, self.start.seed());
        self.publish_view();
        self.tell(&events);
        self.refresh_faults();
        self.publish([Frame::Notice(notice())]);
        events
    }

    /// As [`Play::follow`], and says what that changed.
    pub(super) fn replace(&mut self, succession: &Succession) -> Reload {
        let seed = self.own_seed.unwrap_or_else(|| succession.start().seed());
        let changes = self.engine.changes_along(succession, seed);
        Reload { changes, events: self.follow(succession) }
    }

    /// Goes back to the start, with another seed if there is one.
    pub(super) fn reset(&mut self, seed: Option<u64>) {
        if let Some(seed) = seed {
            self.own_seed = Some(seed);
            self.start = self.start.clone().with_seed(seed);
        }
        self.transcript = Transcript::default();
        self.snapshots.clear();
        self.shared.journal.clear();
        self.held = None;
        self.shared.clock.set(Duration::ZERO, self.pace_at_start);
        self.engine = self.start.clone();
        self.begin_anew();
    }

    pub(super) fn join(&mut self, category: &str) -> (Arc<Socket>, Joined) {
        // One name for all, so that none is left behind in the journal in the middle of memory that could be given back.
        let category = self.engine.catalogue().name(category).cloned().unwrap_or_else(|| category.into());
        if let Some(tasks) = self.fanout.take() {
            let (end, fanout) = (self.shared.end.clone(), fanout::run(self.shared.clone()));
            tasks.spawn(async move { end.run_until_cancelled(fanout).await });
        }
        let frames = self.current_orders(&category);
        let position = self.shared.feed.end();
        let at = self.shared.clock.now();
        let socket = self.shared.sockets.open(category.clone(), at, position);
        self.hit(&socket);
        self.shared.journal.record(at, Record::Opened { socket: socket.id, category });
        self.journal_frames(&Recipients::One(socket.id), &frames);
        (socket, Joined { sequence: self.engine.sequence(), position, frames })
    }

    pub(super) fn switch(&mut self, socket: &Socket, category: Arc<str>) -> Joined {
        let frames = self.current_orders(&category);
        self.shared.sockets.switch(socket, category);
        self.hit(socket);
        Joined { sequence: self.engine.sequence(), position: self.shared.feed.end(), frames }
    }

    /// The totals that changed since the event of that number, for a socket whose place in the feed is gone. Without one, or
    /// after a reset or a restore, all that are not as declared, and the current orders of its category.
    pub(super) fn catch_up(&mut self, socket: &Socket, after: Option<u64>, position: u64) -> Joined {
        let scope = self.engine.scenario().feed();
        let category = socket.category();
        let after = after.filter(|_| !self.shared.feed.fresh_since(position));
        let mut frames = if after.is_none() { self.current_orders(&category).to_vec() } else { Vec::new() };
        for event in self.engine.changed_since(after.unwrap_or_default()) {
            if let Some(Frame::Order { only, text, .. }) = Frame::of(scope, &event)
                && only.is_none_or(|only| only == category)
            {
                frames.push(text);
            }
        }
        Joined { sequence: self.engine.sequence(), position: self.shared.feed.end(), frames: frames.into() }
    }

    /// The current orders of a category, made once for all who come before the next event.
    fn current_orders(&mut self, category: &Arc<str>) -> Arc<[Encoded]> {
        let sequence = self.engine.sequence();
        if let Some((_, frames)) = self.current.get(category).filter(|(made, _)| *made == sequence) {
            return frames.clone();
        }
        // What is older is of no more use.
        self.current.retain(|_, (made, _)| *made == sequence);
        let frames: Arc<[Encoded]> = feed::current_orders(&self.engine, category).into();
        // Clients may name categories that do not exist, as many as they like.
        if !frames.is_empty() {
            self.current.insert(category.clone(), (sequence, frames.clone()));
        }
        frames
    }

    /// Sends a frame that has nothing to do with the scenario.
    pub(super) fn send(&mut self, socket: Option<u64>, message: &Message) {
        let sockets = match socket {
            Some(id) => Recipients::One(id),
            None => Recipients::Many(self.shared.sockets.audience(&Audience::All)),
        };
        let payload = match message {
            Message::Binary(bytes) => Payload::bytes(bytes.clone()),
            Message::Text(text) => Payload::text(text.clone()),
            _ => return,
        };
        self.shared.journal.record(self.shared.clock.now(), Record::Sent { sockets, event: None, payload });
        self.publish([Frame::Raw { socket, message: Encoded::message(message) }]);
    }

    /// Publishes what happened: the catalogue first, so that who hears of a product can get it.
    pub(super) fn tell(&mut self, events: &[Event]) {
        self.count_events();
        let on_sale = |event: &Event| matches!(event.kind, EventKind::Added { .. } | EventKind::Removed { .. });
        let is_catalogue_change = events.iter().any(on_sale);
        if is_catalogue_change {
            self.publish_view();
        }
        events.iter().for_each(log);
        self.transcript.extend(events);
        let is_about_faults =
            |event: &Event| matches!(event.kind, EventKind::FaultBegan { .. } | EventKind::FaultEnded { .. });
        if events.iter().any(is_about_faults) {
            self.faults_turned(events);
        }
        if self.shared.sockets.len() == 0 {
            // A socket that joins later gets current orders, and reads on from here.
            self.shared.feed.clear();
            return;
        }
        let scope = self.engine.scenario().feed();
        let mut frames: Vec<Frame> = events.iter().filter_map(|event| Frame::of(scope, event)).collect();
        self.journal_orders(events, &frames);
        frames.extend(is_catalogue_change.then(|| Frame::Notice(notice())));
        self.publish(frames);
    }

    /// After the engine was put to another moment: everybody gets what is so now.
    pub(super) fn begin_anew(&mut self) {
        self.generation += 1;
        self.engine.begin_era(u32::try_from(self.generation & u64::from(u32::MAX)).unwrap_or_default());
        self.publish_anew(Self::current_orders);
    }

    /// Has the sockets of each category hear something in the place of all that they have not got yet.
    pub(super) fn publish_anew(&mut self, mut of_category: impl FnMut(&mut Self, &Arc<str>) -> Arc<[Encoded]>) {
        self.count_events();
        self.publish_view();
        self.refresh_faults();
        let mut orders: HashMap<Arc<str>, Arc<[Encoded]>> = HashMap::new();
        for category in self.shared.sockets.all().iter().map(|socket| socket.category()) {
            if let Entry::Vacant(place) = orders.entry(category) {
                let frames = of_category(self, place.key());
                let audience = self.shared.sockets.audience(&Audience::Category(place.key().clone()));
                self.journal_frames(&Recipients::Many(audience), &frames);
                place.insert(frames);
            }
        }
        let sequence = self.engine.sequence();
        self.publish([Frame::Fresh { sequence, orders: Arc::new(orders) }, Frame::Notice(notice())]);
    }

    fn publish(&self, frames: impl IntoIterator<Item = Frame>) {
        if self.shared.sockets.len() == 0 {
            self.shared.feed.clear();
        } else {
            self.shared.feed.publish(frames);
        }
    }

    fn count_events(&self) {
        self.shared.last_event.store(self.engine.sequence(), Ordering::Relaxed);
    }

    fn publish_view(&mut self) {
        self.current.clear();
        self.publish.send_replace(Arc::new(View::of(&self.engine)));
    }
}

/// The start of a scenario, with a world's own seed if it has one.
pub(super) fn seeded(start: Engine, own_seed: Option<u64>) -> Engine {
    match own_seed {
        Some(seed) => start.with_seed(seed),
        None => start,
    }
}

fn log(event: &Event) {
    match &event.kind {
        EventKind::Skipped(refusal) => debug!(at = ?event.at, %refusal, "step skipped"),
        EventKind::Added { id, category } => debug!(%id, %category, "product added"),
        EventKind::Removed { id, category } => debug!(%id, %category, "product removed"),
        EventKind::FaultBegan { label, .. } => debug!(fault = %label, "fault began"),
        EventKind::FaultEnded { label, .. } => debug!(fault = %label, "fault ended"),
        EventKind::Total { .. } => {}
    }
}
