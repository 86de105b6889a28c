//! What the functions of a rule's expressions draw on.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::engine::Engine;
use crate::engine::random::RandomStream;
use crate::engine::topics::{Topic, Topics};
use crate::expression::Surroundings;

/// How far the rules of a world are in their random streams, and what `next` has counted. A clone is cheap.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::engine) struct Drawn {
    /// 32-bit words that were drawn, by the rule's key.
    words: Arc<BTreeMap<Arc<str>, u64>>,
    /// The last number of each counter.
    counts: Arc<BTreeMap<Arc<str>, u64>>,
}

/// What one rule draws on while it fires. It is lent to each expression, so that it is no larger than a pointer.
#[derive(Debug, Default)]
pub(in crate::engine) struct Draws(Option<Box<DrawsOfRule>>);

#[derive(Debug)]
struct DrawsOfRule {
    key: Arc<str>,
    seed: u64,
    drawn: Drawn,
    /// Made at the first draw.
    stream: Option<RandomStream>,
    now: i64,
    /// Those that the expression at work sees.
    topics: Option<Topics>,
    /// The lowest number of a member that it counts.
    counted_from: u64,
}

/// What an expression that only reads draws on: nothing but the time, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Moment(pub(super) i64);

impl Drawn {
    /// Forgets how far the streams are, which another seed begins anew.
    pub(in crate::engine) fn reseed(&mut self) {
        self.words = Arc::default();
    }
}

impl Draws {
    /// What the rule of that key draws on at this moment of an engine.
    pub(super) fn of(engine: &Engine, key: Arc<str>) -> Self {
        Self(Some(Box::new(DrawsOfRule {
            key,
            seed: engine.seed,
            drawn: engine.drawn.clone(),
            stream: None,
            now: engine.wall_clock(),
            topics: None,
            counted_from: engine.counted_from,
        })))
    }

    /// Takes notice of what others have drawn meanwhile.
    pub(super) fn take_over(&mut self, drawn: &Drawn) {
        if let Some(draws) = &mut self.0 {
            draws.drawn = drawn.clone();
        }
    }

    /// Has expressions see who has joined what. Only for as long as one is at work: a membership that changes meanwhile would
    /// cost a copy of all.
    pub(super) fn see(&mut self, topics: Option<Topics>) {
        if let Some(draws) = &mut self.0 {
            draws.topics = topics;
        }
    }

    /// Goes back to what was drawn at an earlier moment.
    pub(super) fn go_back(&mut self, drawn: Drawn) {
        if let Some(draws) = &mut self.0 {
            (draws.drawn, draws.stream) = (drawn, None);
        }
    }

    /// What was drawn by now, for the engine to go on from.
    pub(super) fn drawn(&mut self) -> Drawn {
        let Some(draws) = &mut self.0 else { return Drawn::default() };
        if let Some(stream) = &draws.stream {
            Arc::make_mut(&mut draws.drawn.words).insert(draws.key.clone(), stream.place().1);
        }
        draws.drawn.clone()
    }

    /// The members of a topic that the expression at work sees, and how many there are.
    fn members_of(&self, topic: &str) -> Option<(usize, impl Iterator<Item = u64>)> {
        let draws = self.0.as_ref()?;
        let (topics, topic) = (draws.topics.as_ref()?, Topic::Named(topic.into()));
        let members = topics.members(&topic);
        // They come in the order of their numbers.
        let left_out = topics.members(&topic).take_while(|member| *member < draws.counted_from).count();
        Some((members.len() - left_out, members.skip(left_out)))
    }
}

impl Surroundings for Draws {
    fn word(&mut self) -> u64 {
        let Some(draws) = &mut self.0 else { return 0 };
        let words = draws.drawn.words.get(&draws.key).copied().unwrap_or_default();
        draws.stream.get_or_insert_with(|| RandomStream::named_at(draws.seed, &draws.key, words)).word()
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

impl Surroundings for Moment {
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
