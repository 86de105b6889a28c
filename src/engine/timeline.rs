//! Timelines: everything that happens on schedule, except faults.
//!
//! A timeline is a script (a list of steps) or a generator (random draws). All timelines are in one list, which fixes
//! the order in which they fire and the place where they are carried over to another scenario.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::Engine;
use super::change::Change;
use super::collections::Collections;
use super::command::Command;
use super::counters::Counters;
use super::digest::Digest;
use super::generator::{GeneratorRun, GeneratorRunState};
use super::pairing::{Declaration, Pairing, SplitRuns, split_runs};
use super::random::RandomStream;
use super::retained::TimelineState;
use super::script::{ScriptRun, ScriptRunState};
use crate::scenario::{Fires, GeneratedRule, Generator, Scenario, Script};

/// The owner of a timeline, which ends a timeline that would otherwise go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// The world. A reload whose scenario no longer declares the timeline ends it.
    World,
}

/// The effect of a timeline that fires.
#[derive(Debug)]
pub(super) enum Fired {
    Command(Command),
    /// Nothing, because there are no rows to draw from.
    Nothing,
    /// A generator's rule.
    Rule {
        rule: Arc<GeneratedRule>,
        /// The drawn row.
        it: Option<Value>,
    },
}

/// A running timeline.
#[derive(Debug, Clone)]
pub(super) enum Run {
    Script(ScriptRun),
    // Boxed because it contains its random stream.
    Generator(Box<GeneratorRun>),
}

/// All timelines, in firing order for equal times: scripts, then generators, each in declared order.
#[derive(Debug, Clone, Default)]
pub(super) struct Timelines(Vec<(Owner, Run)>);

impl Run {
    fn due(&self) -> Option<Duration> {
        match self {
            Self::Script(run) => run.due(),
            Self::Generator(run) => run.due(),
        }
    }

    fn fire(&mut self, counters: &Counters, collections: &Collections) -> Option<Fired> {
        match self {
            Self::Script(run) => run.fire().map(Fired::Command),
            Self::Generator(run) => run.fire(counters, collections),
        }
    }

    fn reseed(&mut self, seed: u64) {
        match self {
            Self::Script(run) => run.reseed(seed),
            Self::Generator(run) => run.reseed(seed),
        }
    }

    /// Whether the run differs from one that starts now.
    fn has_started(&self, now: Duration) -> bool {
        match self {
            Self::Script(run) => run.has_started(now),
            // It owns a random stream even before it first fires.
            Self::Generator(_) => true,
        }
    }

    fn state(&self) -> TimelineState {
        match self {
            Self::Script(run) => TimelineState::Script(ScriptRunState::of(run)),
            Self::Generator(run) => TimelineState::Generator(GeneratorRunState::of(run)),
        }
    }
}

impl Timelines {
    /// Creates the timelines that a world's scenario declares.
    pub(super) fn of_world(runs: impl IntoIterator<Item = Run>) -> Self {
        Self(runs.into_iter().map(|run| (Owner::World, run)).collect())
    }

    /// When the next timeline is due.
    pub(super) fn next_due(&self) -> Option<Duration> {
        self.0.iter().filter_map(|(_, run)| run.due()).min()
    }

    /// Fires the first timeline that is due at `due`; `None` if none is.
    pub(super) fn fire(&mut self, due: Duration, counters: &Counters, collections: &Collections) -> Option<Fired> {
        let (_, run) = self.0.iter_mut().find(|(_, run)| run.due() == Some(due))?;
        Some(run.fire(counters, collections).unwrap_or(Fired::Nothing))
    }

    /// Switches all timelines to another seed, keeping their positions.
    pub(super) fn reseed(&mut self, seed: u64) {
        for (_, run) in &mut self.0 {
            run.reseed(seed);
        }
    }

    /// The scripts, in declared order.
    pub(super) fn scripts(&self) -> impl Iterator<Item = &ScriptRun> {
        self.0.iter().filter_map(|(_, run)| if let Run::Script(run) = run { Some(run) } else { None })
    }

    /// The generators, in declared order.
    pub(super) fn generators(&self) -> impl Iterator<Item = &GeneratorRun> {
        self.0.iter().filter_map(|(_, run)| if let Run::Generator(run) = run { Some(&**run) } else { None })
    }

    /// Removes the timelines of an owner and returns its scripts and generators.
    fn take(&mut self, owner: Owner) -> (Vec<Run>, Vec<Run>) {
        let own = self.0.extract_if(.., |(of, _)| *of == owner).map(|(_, run)| run);
        own.partition(|run| matches!(run, Run::Script(_)))
    }
}

/// The differences between the timelines of two scenarios.
#[derive(Debug)]
pub(super) struct TimelineEdits {
    scripts: Edits,
    generators: Edits,
}

/// The differences between timelines of one kind.
#[derive(Debug)]
struct Edits {
    pairing: Pairing,
    /// The old timelines that end, by index.
    ended: HashMap<usize, Digest>,
    /// The new timelines that start, by index.
    started: HashMap<usize, Digest>,
}

impl Edits {
    fn between<D: Declaration>(old: &[D], new: &[D], digest: impl Fn(&D) -> Digest) -> Self {
        let pairing = Pairing::of(old, new);
        let ended = pairing.ended().map(|index| (index, digest(&old[index]))).collect();
        let started = pairing.started().map(|index| (index, digest(&new[index]))).collect();
        Self { pairing, ended, started }
    }
}

impl TimelineEdits {
    pub(super) fn between(old: &Scenario, new: &Scenario) -> Self {
        Self {
            scripts: Edits::between(old.scripts(), new.scripts(), Digest::of_script),
            generators: Edits::between(old.generators(), new.generators(), |one| Digest::of("generator", one)),
        }
    }

    /// The changes as shown to users.
    pub(super) fn changes(&self, old: &Scenario, new: &Scenario) -> Vec<Change> {
        let mut changes = self.scripts.pairing.changes(old.scripts(), new.scripts());
        changes.extend(self.generators.pairing.changes(old.generators(), new.generators()));
        changes
    }
}

impl Engine {
    /// Starts all timelines of the scenario.
    pub(super) fn start_timelines(&mut self) {
        let scenario = self.scenario.clone();
        let mut runs: Vec<Run> = scenario.scripts().iter().map(|script| self.start_script(script)).collect();
        runs.extend(scenario.generators().iter().map(|generator| self.start_generator(generator)));
        self.timelines = Timelines::of_world(runs);
    }

    /// Carries the world's timelines over from the previous scenario. Timelines whose declaration is unchanged
    /// continue, as do timelines that an earlier reload removed.
    pub(super) fn carry_timelines_over(&mut self, edits: &TimelineEdits) {
        let scenario = self.scenario.clone();
        let (scripts, generators) = self.timelines.take(Owner::World);
        let mut runs = self.carry_over(scripts, &edits.scripts, |engine, index, retained| {
            engine.start_or_resume_script(&scenario.scripts()[index], retained)
        });
        runs.extend(self.carry_over(generators, &edits.generators, |engine, index, retained| {
            engine.start_or_resume_generator(&scenario.generators()[index], retained)
        }));
        self.timelines.0.splice(..0, runs.into_iter().map(|run| (Owner::World, run)));
    }

    /// Carries over the timelines of one kind. `start` receives the index of a declaration, and its retained state with
    /// the time since it was removed.
    fn carry_over(
        &mut self,
        runs: Vec<Run>,
        edits: &Edits,
        start: impl Fn(&mut Self, usize, Option<(Duration, TimelineState)>) -> Run,
    ) -> Vec<Run> {
        let SplitRuns { kept, ended } = split_runs(runs, &edits.pairing);
        let mut runs = Vec::with_capacity(kept.len());
        for (index, run) in kept.into_iter().enumerate() {
            runs.push(run.unwrap_or_else(|| {
                let retained = edits.started.get(&index).and_then(|digest| self.retained.take_timeline(*digest));
                let retained = retained.map(|(since, state)| (self.now.saturating_sub(since), state));
                start(self, index, retained)
            }));
        }
        for (index, run) in ended.into_iter().filter(|(_, run)| run.has_started(self.now)) {
            if let Some(digest) = edits.ended.get(&index) {
                self.retained.keep_timeline(*digest, self.now, run.state());
            }
        }
        runs
    }

    fn start_or_resume_script(&self, declared: &Script, retained: Option<(Duration, TimelineState)>) -> Run {
        let resumed = match retained {
            Some((gone, TimelineState::Script(state))) => state.shifted(gone).resume(declared.clone(), self.seed),
            _ => None,
        };
        resumed.map_or_else(|| self.start_script(declared), Run::Script)
    }

    fn start_or_resume_generator(&mut self, declared: &Generator, retained: Option<(Duration, TimelineState)>) -> Run {
        match retained {
            Some((gone, TimelineState::Generator(state))) => {
                Run::Generator(Box::new(state.shifted(gone).resume(Arc::new(declared.clone()), self.seed)))
            }
            _ => self.start_generator(declared),
        }
    }

    fn start_script(&self, declared: &Script) -> Run {
        Run::Script(ScriptRun::new(declared.clone(), self.now, self.seed))
    }

    fn start_generator(&mut self, declared: &Generator) -> Run {
        let rng = match declared.fires() {
            Fires::Count { .. } => {
                self.streams += 1;
                RandomStream::new(self.seed, self.streams - 1)
            }
            Fires::Rule(rule) => RandomStream::named(self.seed, &format!("{}/times", rule.key)),
        };
        Run::Generator(Box::new(GeneratorRun::new(Arc::new(declared.clone()), self.now, rng)))
    }
}
