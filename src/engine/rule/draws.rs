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

/// What one rule draws on while it fires.
#[derive(Debug, Default)]
pub(in crate::engine) struct Draws {
    key: Arc<str>,
    seed: u64,
    drawn: Drawn,
    /// Made at the first draw.
    stream: Option<RandomStream>,
    now: i64,
    topics: Topics,
}

impl Drawn {
    /// Forgets how far the streams are, which another seed begins anew.
    pub(in crate::engine) fn reseed(&mut self) {
        self.words = Arc::default();
    }
}

impl Draws {
    /// What only reads draws on: nothing but the time, in milliseconds since 1970.
    pub(super) fn at(now: i64) -> Self {
        Self { now, ..Self::default() }
    }

    /// What the rule of that key draws on at this moment of an engine. In a world that several servers play, those who have
    /// joined a topic are each server's own, so that only a rule that `is_local` sees them.
    pub(super) fn of(engine: &Engine, key: Arc<str>, is_local: bool) -> Self {
        let (drawn, topics) = match &engine.local {
            Some(local) if is_local => (local.drawn.clone(), engine.topics.clone()),
            Some(_) => (engine.drawn.clone(), Topics::default()),
            None => (engine.drawn.clone(), engine.topics.clone()),
        };
        Self { key, seed: engine.seed, drawn, stream: None, now: engine.wall_clock(), topics }
    }

    /// Takes notice of what others have drawn meanwhile.
    pub(super) fn take_over(&mut self, drawn: &Drawn) {
        self.drawn = drawn.clone();
    }

    /// Takes notice of who has joined what.
    pub(super) fn sees(&mut self, topics: &Topics) {
        self.topics = topics.clone();
    }

    /// Goes back to what was drawn at an earlier moment.
    pub(super) fn go_back(&mut self, drawn: Drawn) {
        (self.drawn, self.stream) = (drawn, None);
    }

    /// What was drawn by now, for the engine to go on from.
    pub(super) fn drawn(&mut self) -> Drawn {
        if let Some(stream) = &self.stream {
            Arc::make_mut(&mut self.drawn.words).insert(self.key.clone(), stream.place().1);
        }
        self.drawn.clone()
    }
}

impl Surroundings for Draws {
    fn word(&mut self) -> u64 {
        let words = self.drawn.words.get(&self.key).copied().unwrap_or_default();
        self.stream.get_or_insert_with(|| RandomStream::named_at(self.seed, &self.key, words)).word()
    }

    fn count(&mut self, counter: &str) -> u64 {
        let count = Arc::make_mut(&mut self.drawn.counts).entry(counter.into()).or_default();
        *count += 1;
        *count
    }

    fn now(&self) -> i64 {
        self.now
    }

    fn joined(&self, topic: &str) -> u64 {
        self.topics.members(&Topic::Named(topic.into())).len() as u64
    }

    fn members(&self, topic: &str) -> Vec<Value> {
        self.topics.members(&Topic::Named(topic.into())).map(Value::from).collect()
    }
}
