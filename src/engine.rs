//! What happens: a scenario played in virtual time, without a clock, a thread or a socket.
//!
//! An [`Engine`] says when something is due ([`Engine::next_due`]), advances to a time ([`Engine::advance`]), carries out
//! what clients want ([`Engine::apply`]) and goes on with another scenario ([`Engine::reload`]). Each answers with numbered
//! [`Event`]s. Time is a `Duration` since the world's start. The same scenario, seed, times and commands give the same
//! events on every platform.

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
    Answered, AnsweredContent, DataBodies, HeardMessage, MAX_STEPS, MAX_TRIGGERED, MAX_WAITING, MessageOutcome,
    MissedEnd, Reading, RuleRequest, RuleScriptState, ScriptPlace, StepsText, Unsendable, WaitingState,
};
use rule::{Drawn, Groups, RuleRuns};
pub use script::ScriptState;
pub use state::{EngineState, StateError};
use timeline::{Fired, Timelines};
pub use topics::{Topic, Topics};
pub use values::DataValues;
pub(crate) use wildcard::matches_wildcard;

use crate::scenario::{Row, Scenario, ServerOptions};

/// The date and time at time 0, in milliseconds since 1970, where nothing else says one: 2026-01-01T00:00:00Z.
pub const FIXED_START: i64 = 1_767_225_600_000;

/// A scenario at work.
///
/// A clone is a world of its own that goes on from the same moment: what it holds is shared until one of the two
/// changes it, so it costs next to nothing, whatever the number of rows.
#[derive(Debug, Clone)]
pub struct Engine {
    scenario: Arc<Scenario>,
    /// The server section that is in force, whatever later scenarios say.
    started_with: ServerOptions,
    seed: u64,
    now: Duration,
    sequence: u64,
    collections: Collections,
    /// The values of `data`.
    values: DataValues,
    counters: Counters,
    timelines: Timelines,
    faults: Vec<FaultRun>,
    /// Faults so far; each has a number of its own.
    fault_ids: u64,
    /// How often the world was reset or restored; see [`Engine::begin_epoch`].
    epoch: u32,
    /// Random streams given out so far; each generator has one of its own.
    streams: u64,
    /// What reloads have taken away.
    retained: Retained,
    topics: Topics,
    groups: Groups,
    members: Members,
    /// Milliseconds since 1970 at time 0.
    started: i64,
    /// Lists of steps that wait for their time.
    rule_runs: RuleRuns,
    drawn: Drawn,
    /// The lowest number of a member that expressions count: those below it are known to one of several servers alone.
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
    /// An engine at time 0. `seed` decides all that is random.
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
            started: scenario.starts().unwrap_or(FIXED_START),
            rule_runs: RuleRuns::default(),
            drawn: Drawn::default(),
            counted_from: 0,
            started_with: scenario.server().clone(),
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

    /// This engine, which has to be as it was at its start, with another seed.
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

    /// With the server section that is in force in another engine.
    pub(crate) fn started_as(self, other: &Self) -> Self {
        Self { started_with: other.started_with.clone(), ..self }
    }

    /// With the memberships of another engine, for a world that goes on with this one: who is there stays there. Sockets of
    /// endpoints and streams are not: what they were told is no longer so.
    #[must_use]
    pub fn with_members_of(self, other: &Self) -> Self {
        Self {
            topics: other.topics_without_rules(),
            groups: other.groups.emptied(),
            members: Members::default(),
            counted_from: other.counted_from,
            ..self
        }
    }

    /// With those memberships of another engine that no rule has made, beside its own: sockets that this server alone has.
    #[must_use]
    pub fn with_visitors_of(mut self, other: &Self) -> Self {
        self.topics.extend(&other.topics_without_rules());
        Self { counted_from: other.counted_from, ..self }
    }

    /// For a world that several servers play: what one of them alone has, expressions do not count.
    #[must_use]
    pub fn played_by_several(self) -> Self {
        Self { counted_from: FIRST_SHARED_MEMBER, ..self }
    }

    /// Without memberships, for a snapshot: who is there is not what happened.
    #[must_use]
    pub fn without_members(self) -> Self {
        let (topics, groups) = (Topics::default(), Groups::default());
        let mut engine = Self { topics, groups, members: Members::default(), ..self };
        engine.end_runs_of_members();
        engine
    }

    /// The scenario as it was last given.
    #[must_use]
    pub fn scenario(&self) -> &Arc<Scenario> {
        &self.scenario
    }

    /// The seed of all that is random.
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

    /// The collections and rows at this moment.
    #[must_use]
    pub fn collections(&self) -> &Collections {
        &self.collections
    }

    /// The values of `data` that are no collections, at this moment.
    #[must_use]
    pub fn values_of_data(&self) -> &DataValues {
        &self.values
    }

    /// Milliseconds since 1970 at time 0.
    #[must_use]
    pub fn started(&self) -> i64 {
        self.started
    }

    /// Who has joined which topic.
    #[must_use]
    pub fn topics(&self) -> &Topics {
        &self.topics
    }

    /// When the next timeline is due, or a fault begins or ends; `None` if nothing will happen by itself
    /// any more.
    #[must_use]
    pub fn next_due(&self) -> Option<Duration> {
        let faults = self.faults.iter().filter_map(FaultRun::due);
        faults.chain(self.timelines.next_due()).chain(self.rule_runs.next_due()).chain(self.members.next_due()).min()
    }

    /// Lets time go on to `to` and everything due until then happen. A time in the past changes nothing.
    pub fn advance(&mut self, to: Duration) -> Vec<Event> {
        let mut events = self.advance_some(to, usize::MAX);
        while self.next_due().is_some_and(|due| due <= to) {
            events.extend(self.advance_some(to, usize::MAX));
        }
        self.settle(to);
        events
    }

    /// As [`Engine::advance`], but stops after `most` actions, whether they made events or not, and after a fault has begun
    /// or ended: what comes next may meet other faults. Time has gone on to the last action then, and the rest is still due.
    pub fn advance_some(&mut self, to: Duration, most: usize) -> Vec<Event> {
        let mut events = Vec::new();
        for _ in 0..most {
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

    /// Lets time go on to `to` where nothing is due before; a time in the past changes nothing.
    pub(crate) fn settle(&mut self, to: Duration) {
        self.now = to.max(self.now);
    }

    /// The counter values of a collection in its order of rows; none for one that is unknown or has no counters.
    pub fn counter_readings(&self, collection: &str) -> impl Iterator<Item = CounterReading> {
        let rows = self.collections.get_counted(collection).into_iter().flat_map(RowSet::rows);
        rows.filter_map(|row| {
            let value = self.counters.get(row.id())?.value;
            Some(CounterReading { row: row.clone(), value })
        })
    }

    /// The values that changed after the event of that number, as events, oldest first.
    #[must_use]
    pub fn changed_since(&self, sequence: u64) -> Vec<Event> {
        let changed = self.counters.moved().filter(|(_, counter)| counter.changed > sequence);
        let mut events: Vec<Event> = changed.map(|(id, counter)| self.counter_event(id.clone(), counter)).collect();
        events.sort_by_key(|event| event.sequence);
        events
    }

    /// Every value, in the order of the counters, as the event that made it what it is.
    pub fn counters_as_events(&self) -> impl Iterator<Item = Event> {
        self.counters.iter().map(|(id, counter)| self.counter_event(id.clone(), counter))
    }

    /// Every value, in the order of the counters.
    pub fn values(&self) -> impl Iterator<Item = (&Arc<str>, i64)> {
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

    /// Does the first of what is due where time goes on to `to`: faults in declared order, then timelines in theirs.
    fn fire(&mut self, due: Duration, to: Duration, events: &mut Vec<Event>) {
        if let Some(index) = self.faults.iter().position(|run| run.due() == Some(due)) {
            events.push(self.transition(index));
            return;
        }
        let from = events.len();
        if self.members.next_due().is_some_and(|session| session <= due) {
            self.elapse_session(due, to, events);
            return self.react(events, from);
        }
        let (rule, done) = match self.timelines.fire(due, &self.counters, &self.collections) {
            Some(Fired::Command(command)) => (None, self.carry_out(command, CommandSource::Timeline, events).map(drop)),
            Some(Fired::Rule { rule, it }) => (Some(rule.key.clone()), self.fire_generated(&rule, it, events)),
            Some(Fired::Nothing) => return,
            None => return self.run_waiting(due, events),
        };
        if let Err(refusal) = done {
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
