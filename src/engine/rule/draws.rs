//! What the functions of expressions depend on: random streams, counters, time and topics.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::origin::RuleOrigin;
use crate::engine::Engine;
use crate::engine::random::RandomStream;
use crate::engine::topics::{Topic, Topics};
use crate::expression::Runtime;

/// The positions of a world's rules in their random streams, and the counters of `next`. Cheap to clone.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::engine) struct Drawn {
    /// The number of 32-bit words drawn, by rule key.
    words: Arc<BTreeMap<Arc<str>, u64>>,
    /// The last number of each counter.
    counts: Arc<BTreeMap<Arc<str>, u64>>,
}

/// The runtime of a firing rule's expressions. Boxed to the size of a pointer, because every expression borrows
/// it.
#[derive(Debug, Default)]
pub(in crate::engine) struct Draws(Option<Box<DrawsOfRule>>);

#[derive(Debug)]
struct DrawsOfRule {
    origin: RuleOrigin,
    /// The rule's key, made by the first draw.
    key: OnceCell<Arc<str>>,
    seed: u64,
    drawn: Drawn,
    /// The rule's random stream, created by the first draw.
    stream: Option<RandomStream>,
    now: i64,
    /// The topics visible to the current expression.
    topics: Option<Topics>,
    /// The lowest member number that expressions count.
    counted_from: u64,
}

/// The runtime of an expression that only reads: the time, in milliseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Moment(pub(super) i64);

impl Drawn {
    /// Resets all random streams to their start, as a new seed requires.
    pub(in crate::engine) fn reseed(&mut self) {
        self.words = Arc::default();
    }
}

impl Draws {
    /// Creates the runtime of a rule from an engine's current state.
    pub(super) fn of(engine: &Engine, origin: RuleOrigin) -> Self {
        Self::new(engine, origin, OnceCell::new())
    }

    /// Creates the runtime of frames from an engine's current state. All frames share one random stream.
    pub(super) fn of_frames(engine: &Engine) -> Self {
        Self::new(engine, RuleOrigin::Posted, OnceCell::from(Arc::from("frames")))
    }

    fn new(engine: &Engine, origin: RuleOrigin, key: OnceCell<Arc<str>>) -> Self {
        Self(Some(Box::new(DrawsOfRule {
            origin,
            key,
            seed: engine.seed,
            drawn: engine.drawn.clone(),
            stream: None,
            now: engine.wall_clock(),
            topics: None,
            counted_from: engine.counted_from,
        })))
    }

    /// Adopts the engine's positions after other rules and frames have drawn.
    pub(super) fn adopt(&mut self, drawn: &Drawn) {
        if let Some(draws) = &mut self.0 {
            draws.drawn = drawn.clone();
        }
    }

    /// Sets the topics visible to expressions. They are set only during evaluation: while they are shared, any change
    /// of membership would copy them all.
    pub(super) fn set_topics(&mut self, topics: Option<Topics>) {
        if let Some(draws) = &mut self.0 {
            draws.topics = topics;
        }
    }

    /// Rolls back to earlier positions.
    pub(super) fn roll_back(&mut self, drawn: Drawn) {
        if let Some(draws) = &mut self.0 {
            (draws.drawn, draws.stream) = (drawn, None);
        }
    }

    /// Returns the current positions, from which the engine continues.
    pub(super) fn drawn(&mut self) -> Drawn {
        let Some(draws) = &mut self.0 else { return Drawn::default() };
        if let Some(stream) = &draws.stream {
            let key = draws.key.get_or_init(|| draws.origin.key()).clone();
            Arc::make_mut(&mut draws.drawn.words).insert(key, stream.place().1);
        }
        draws.drawn.clone()
    }

    /// Returns the number of members of a topic that the current expression counts, and the members.
    fn members_of(&self, topic: &str) -> Option<(usize, impl Iterator<Item = u64>)> {
        let draws = self.0.as_ref()?;
        let (topics, topic) = (draws.topics.as_ref()?, Topic::Named(topic.into()));
        let members = topics.members(&topic);
        // Members are sorted by number.
        let left_out = topics.members(&topic).take_while(|member| *member < draws.counted_from).count();
        Some((members.len() - left_out, members.skip(left_out)))
    }
}

impl Runtime for Draws {
    fn word(&mut self) -> u64 {
        let Some(draws) = &mut self.0 else { return 0 };
        let key = draws.key.get_or_init(|| draws.origin.key());
        let words = draws.drawn.words.get(key).copied().unwrap_or_default();
        draws.stream.get_or_insert_with(|| RandomStream::named_at(draws.seed, key, words)).word()
    }

    fn count(&mut self, counter: &str) -> u64 {
        let Some(draws) = &mut self.0 else { return 0 };
        let count = Arc::make_mut(&mut draws.drawn.counts).entry(counter.into()).or_default();
        *count += 1;
        *count
    }

    fn now(&self) -> i64 {
        self.0.as_ref().map_or(0, |draws| draws.now)
    }

    fn joined(&self, topic: &str) -> u64 {
        self.members_of(topic).map_or(0, |(count, _)| count as u64)
    }

    fn members(&self, topic: &str) -> Vec<Value> {
        self.members_of(topic).map_or_else(Vec::new, |(_, members)| members.map(Value::from).collect())
    }
}

impl Runtime for Moment {
    fn word(&mut self) -> u64 {
        0
    }

    fn count(&mut self, _: &str) -> u64 {
        0
    }

    fn now(&self) -> i64 {
        self.0
    }

    fn joined(&self, _: &str) -> u64 {
        0
    }

    fn members(&self, _: &str) -> Vec<Value> {
        Vec::new()
    }
}
