//! The engine: plays a scenario in virtual time, without clocks, threads or sockets.
//!
//! An [`Engine`] reports when something is next due ([`Engine::next_due`]), advances to a time ([`Engine::advance`]),
//! applies commands from clients ([`Engine::apply`]) and switches to a new scenario ([`Engine::reload`]). Everything
//! that happens is returned as numbered [`Event`]s. Times are `Duration`s since the world's start. The same scenario,
//! seed, times and commands produce the same events on every platform.

mod change;
mod coalesced;
pub mod codec;
mod collections;
mod command;
mod counters;
mod digest;
mod event;
mod fault;
mod frame;
mod generator;
mod listing;
mod members;
mod pairing;
mod random;
mod refusal;
mod reload;
mod retained;
mod rows;
mod rule;
mod script;
mod state;
mod timeline;
mod topics;
mod values;
mod wildcard;

use std::sync::Arc;
use std::time::Duration;

pub use change::Change;
pub use coalesced::Changed;
pub use collections::{Collections, RowIter, RowSet, Rows};
use command::CommandSource;
pub use command::{Command, Effects, FaultText};
use counters::{Counter, CounterView, Counters};
pub use event::{Closing, Event, EventKind, MemberEvent, SERVICE_RESTART};
use fault::FaultRun;
pub use fault::{FaultMember, FaultPhase, FaultSource, FaultState, FaultSubject, FaultTarget, Hit, SocketFault};
pub use frame::Frame;
pub use generator::GeneratorState;
pub use listing::{ListError, ListQuery, Listing, QueryNote, query_pairs};
pub use members::FIRST_SHARED_MEMBER;
use members::Members;
pub(crate) use random::RandomStream;
pub use refusal::{MAX_COLLECTION_BYTES, MAX_FAULTS, MAX_TOPICS, Refusal, RefusalKind, RowName};
pub use reload::{Reload, ReloadPlan};
use retained::Retained;
pub use rule::{
    Answered, AnsweredContent, DataBodies, HandledMessage, MAX_SCHEDULED, MAX_STEPS, MAX_TRIGGERED, MessageOutcome,
    MissedEnd, Reading, RuleRequest, RuleScriptState, ScheduledSteps, ScriptPlace, StepsText, Unsendable,
};
use rule::{Drawn, Groups, RuleRuns};
pub use script::ScriptState;
pub use state::{EngineState, StateError};
use timeline::{Fired, Timelines};
pub use topics::{Topic, Topics};
pub use values::DataValues;
pub(crate) use wildcard::matches_wildcard;

use crate::scenario::{Row, Scenario, ServerOptions};

/// The default date and time at time 0, in milliseconds since the Unix epoch: 2026-01-01T00:00:00Z.
pub const FIXED_START: i64 = 1_767_225_600_000;

/// A running scenario.
///
/// A clone is an independent world that continues from the same moment. Both share their contents until one of them
/// changes something, so cloning is cheap however many rows there are.
#[derive(Debug, Clone)]
pub struct Engine {
    scenario: Arc<Scenario>,
    /// The `server` section in effect since the start. A reload does not change it.
    server_options: ServerOptions,
    seed: u64,
    now: Duration,
    sequence: u64,
    collections: Collections,
    /// The values of `data` that are not collections.
    values: DataValues,
    counters: Counters,
    timelines: Timelines,
    faults: Vec<FaultRun>,
    /// The number of faults so far. Each fault takes the next number.
    fault_ids: u64,
    /// How many times the world has been reset or restored; see [`Engine::start_epoch`].
    epoch: u32,
    /// The number of random streams handed out so far. Each generator has its own.
    streams: u64,
    /// The state of removed declarations, in case a later reload brings them back.
    retained: Retained,
    topics: Topics,
    groups: Groups,
    members: Members,
    /// The date and time at time 0, in milliseconds since the Unix epoch.
    start_date: i64,
    /// Scheduled lists of steps.
    rule_runs: RuleRuns,
    /// The positions of rules in their random streams.
    drawn: Drawn,
    /// The lowest member number that expressions count. Members with lower numbers exist on a single server only.
    counted_from: u64,
}

/// One row's counter value.
#[derive(Debug, Clone, PartialEq)]
pub struct CounterReading {
    /// The row.
    pub row: Arc<Row>,
    /// Its value.
    pub value: i64,
}

impl Engine {
    /// Creates an engine at time 0. All random choices derive from `seed`.
    #[must_use]
    pub fn new(scenario: &Arc<Scenario>, seed: u64) -> Self {
        let mut engine = Self {
            seed,
            now: Duration::ZERO,
            sequence: 0,
            collections: Collections::new(scenario),
            values: DataValues::of(scenario),
            counters: Counters::default(),
            timelines: Timelines::default(),
            faults: Vec::new(),
            fault_ids: 0,
            epoch: 0,
            streams: 0,
            retained: Retained::default(),
            topics: Topics::default(),
            groups: Groups::default(),
            members: Members::default(),
            start_date: scenario.starts().unwrap_or(FIXED_START),
            rule_runs: RuleRuns::default(),
            drawn: Drawn::default(),
            counted_from: 0,
            server_options: scenario.server().clone(),
            scenario: scenario.clone(),
        };
        for (collection, row) in rows::counted(scenario) {
            engine.counters.insert(row.id().clone(), counter(collection.name().clone(), row, true));
        }
        engine.start_timelines();
        engine.start_rule_scripts();
        engine.start_faults();
        engine
    }

    /// Returns this engine with another seed. It must still be in its initial state.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        if seed != self.seed {
            self.seed = seed;
            self.streams = 0;
            self.drawn.reseed();
            self.start_timelines();
        }
        self
    }

    /// Returns this engine with the `server` section that is in effect in `other`.
    pub(crate) fn with_server_options_of(self, other: &Self) -> Self {
        Self { server_options: other.server_options.clone(), ..self }
    }

    /// Returns this engine with the memberships of `other`, for a world that continues with this engine. Sockets of
    /// collections stay joined. Sockets of endpoints and streams do not, because the state they were sent is outdated.
    #[must_use]
    pub fn with_members_of(self, other: &Self) -> Self {
        Self {
            topics: other.topics_without_rules(),
            groups: other.groups.without_members(),
            members: Members::default(),
            counted_from: other.counted_from,
            ..self
        }
    }

    /// Returns this engine with its own memberships and with those of `other` that rules did not make: the memberships
    /// of the sockets that only this server has.
    #[must_use]
    pub fn with_local_members_of(mut self, other: &Self) -> Self {
        self.topics.extend(&other.topics_without_rules());
        Self { counted_from: other.counted_from, ..self }
    }

    /// Returns this engine for a world that several servers share. Expressions do not count the members that only one
    /// server has.
    #[must_use]
    pub fn shared_by_servers(self) -> Self {
        Self { counted_from: FIRST_SHARED_MEMBER, ..self }
    }

    /// Returns this engine without memberships, for a snapshot: who is connected is not part of a world's history.
    #[must_use]
    pub fn without_members(self) -> Self {
        let (topics, groups) = (Topics::default(), Groups::default());
        let mut engine = Self { topics, groups, members: Members::default(), ..self };
        engine.end_runs_of_members();
        engine
    }

    /// The current scenario.
    #[must_use]
    pub fn scenario(&self) -> &Arc<Scenario> {
        &self.scenario
    }

    /// The seed of all random choices.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The time up to which everything has happened.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.now
    }

    /// The number of the last event.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The current collections and rows.
    #[must_use]
    pub fn collections(&self) -> &Collections {
        &self.collections
    }

    /// The current values of `data` that are not collections.
    #[must_use]
    pub fn data_values(&self) -> &DataValues {
        &self.values
    }

    /// The date and time at time 0, in milliseconds since the Unix epoch.
    #[must_use]
    pub fn start_date(&self) -> i64 {
        self.start_date
    }

    /// The topics and their members.
    #[must_use]
    pub fn topics(&self) -> &Topics {
        &self.topics
    }

    /// When something happens next; `None` if nothing more will happen on its own.
    #[must_use]
    pub fn next_due(&self) -> Option<Duration> {
        let faults = self.faults.iter().filter_map(FaultRun::due);
        faults.chain(self.timelines.next_due()).chain(self.rule_runs.next_due()).chain(self.members.next_due()).min()
    }

    /// Advances to `to` and carries out everything due until then. A time in the past changes nothing.
    pub fn advance(&mut self, to: Duration) -> Vec<Event> {
        let mut events = Vec::new();
        // Each call stops at the next fault transition.
        while self.next_due().is_some_and(|due| due <= to) {
            events.extend(self.advance_some(to, usize::MAX));
        }
        self.settle(to);
        events
    }

    /// Like [`Engine::advance`], but stops after `max_actions` actions, and after a fault transition, because different
    /// faults may apply to later actions. The time is then that of the last action, and the rest is still due.
    pub fn advance_some(&mut self, to: Duration, max_actions: usize) -> Vec<Event> {
        let mut events = Vec::new();
        for _ in 0..max_actions {
            let Some(due) = self.next_due().filter(|due| *due <= to) else {
                self.now = to.max(self.now);
                break;
            };
            self.now = due.max(self.now);
            self.fire(due, to, &mut events);
            if Event::ends_at_fault_transition(&events) {
                break;
            }
        }
        events
    }

    /// Advances the time to `to` without carrying out anything: the caller knows that nothing is due before. A time in
    /// the past changes nothing.
    pub(crate) fn settle(&mut self, to: Duration) {
        self.now = to.max(self.now);
    }

    /// The counter values of a collection, in row order. Empty if the collection is unknown or has no counters.
    pub fn counter_readings(&self, collection: &str) -> impl Iterator<Item = CounterReading> {
        let rows = self.collections.get_counted(collection).into_iter().flat_map(RowSet::rows);
        rows.filter_map(|row| {
            let value = self.counters.get(row.id())?.value;
            Some(CounterReading { row: row.clone(), value })
        })
    }

    /// The counters that changed after event `sequence`, as events, oldest first.
    #[must_use]
    pub fn counters_changed_since(&self, sequence: u64) -> Vec<Event> {
        let changed = self.counters.moved().filter(|(_, counter)| counter.changed > sequence);
        let mut events: Vec<Event> = changed.map(|(id, counter)| self.counter_event(id.clone(), counter)).collect();
        events.sort_by_key(|event| event.sequence);
        events
    }

    /// Every counter's value, in counter order, as its latest event.
    pub fn counters_as_events(&self) -> impl Iterator<Item = Event> {
        self.counters.iter().map(|(id, counter)| self.counter_event(id.clone(), counter))
    }

    /// Every counter's value, in counter order.
    pub fn counter_values(&self) -> impl Iterator<Item = (&Arc<str>, i64)> {
        self.counters.iter().map(|(id, counter)| (id, counter.value))
    }

    fn counter_event(&self, id: Arc<str>, counter: CounterView<'_>) -> Event {
        let CounterView { counter: Counter { collection, row, .. }, value, .. } = counter;
        let kind = EventKind::Counted { id, collection: collection.clone(), value, row: row.clone() };
        Event { sequence: counter.changed, at: self.now, kind }
    }

    fn event(&mut self, kind: EventKind) -> Event {
        self.sequence += 1;
        Event { sequence: self.sequence, at: self.now, kind }
    }

    /// Carries out one action that is due at `due`, while advancing to `to`. Of several, fault transitions come first,
    /// in declared order, then sessions, timelines and scheduled steps.
    fn fire(&mut self, due: Duration, to: Duration, events: &mut Vec<Event>) {
        if let Some(index) = self.faults.iter().position(|run| run.due() == Some(due)) {
            events.push(self.transition(index));
            return;
        }
        let from = events.len();
        if self.members.next_due().is_some_and(|session| session <= due) {
            self.elapse_session(due, to, events);
            self.end_closed_sockets(events);
            return self.react(events, from);
        }
        let (rule, outcome) = match self.timelines.fire(due, &self.counters, &self.collections) {
            Some(Fired::Command(command)) => (None, self.carry_out(command, CommandSource::Timeline, events).map(drop)),
            Some(Fired::Rule { rule, it }) => (Some(rule.key.clone()), self.fire_generated(&rule, it, events)),
            Some(Fired::Nothing) => return,
            None => return self.run_scheduled(due, events),
        };
        if let Err(refusal) = outcome {
            let skipped = self.event(EventKind::Skipped { rule, refusal });
            events.push(skipped);
        }
        self.react(events, from);
    }
}

fn counter(collection: Arc<str>, row: &Arc<Row>, declared: bool) -> Counter {
    let own_frames = row.has_own_frames().then(|| row.clone());
    Counter { collection, seed: row.value(), declared, row: own_frames }
}
