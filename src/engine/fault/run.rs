//! A running fault.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use super::{FaultMember, FaultState, Hit, SocketFault};
use crate::engine::event::EventKind;
use crate::engine::random::RandomStream;
use crate::scenario::{Effect, Fault, Matches};

/// Random streams of faults have this bit set and the next one clear, so that a fault never changes another draw:
/// streams of generators count from 0, and streams of scripts have both bits set.
const STREAMS: u64 = 1 << 63;

/// The number of fault ids whose sockets have distinct random streams. Later faults reuse the streams.
const SOCKET_STREAMS: u64 = 1 << 30;

/// The source of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum FaultSource {
    /// The scenario's `faults`.
    Scenario,
    /// A step of a script.
    Script,
    /// A client.
    Api,
}

/// The phase of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum FaultPhase {
    /// It has not started.
    Waiting,
    /// It is active.
    Active,
    /// It has ended, or has reached its maximum number of hits.
    Over,
}

#[derive(Debug, Clone)]
pub(in crate::engine) struct FaultRun {
    pub(in crate::engine) id: u64,
    /// The number of this run, unique across all faults and restarts. State kept for one run does not apply to another.
    pub(in crate::engine) run: u64,
    pub(in crate::engine) declared: Arc<Fault>,
    pub(in crate::engine) source: FaultSource,
    /// The index of its declaration in the scenario. A client may have changed the fault since.
    pub(in crate::engine) declaration: Option<usize>,
    /// The world's time at which the fault's time is 0.
    pub(in crate::engine) origin: Duration,
    /// Its phase, regardless of the number of hits.
    pub(in crate::engine) phase: FaultPhase,
    pub(in crate::engine) matched: u64,
    pub(in crate::engine) hit: u64,
    /// Created with the first draw: the seed may change until then.
    pub(in crate::engine) rng: Option<RandomStream>,
    /// The decision for each socket: its ordinal among the sockets hit, or `None` if it is not hit.
    pub(in crate::engine) sockets: HashMap<u64, Option<u64>>,
}

/// The progress of a scenario's fault.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::engine) struct FaultProgress {
    origin: Duration,
    phase: FaultPhase,
    /// The counts of hits belong to one process; see [`EngineState`](crate::engine::EngineState).
    #[serde(skip)]
    matched: u64,
    #[serde(skip)]
    hit: u64,
    #[serde(skip)]
    rng: Option<RandomStream>,
}

impl FaultProgress {
    pub(in crate::engine) fn of(run: &FaultRun) -> Self {
        Self { origin: run.origin, phase: run.phase, matched: run.matched, hit: run.hit, rng: run.rng.clone() }
    }

    /// Makes a new run of the same fault continue from here, shifted by `by`. A fault that was active starts again.
    pub(in crate::engine) fn resume(self, by: Duration, run: &mut FaultRun) {
        let phase = if self.phase == FaultPhase::Active { FaultPhase::Waiting } else { self.phase };
        (run.origin, run.phase) = (self.origin.saturating_add(by), phase);
        (run.matched, run.hit, run.rng) = (self.matched, self.hit, self.rng);
    }
}

impl FaultRun {
    pub(in crate::engine) fn new(
        id: u64,
        epoch: u32,
        declared: Arc<Fault>,
        source: FaultSource,
        origin: Duration,
    ) -> Self {
        let (phase, sockets, run) = (FaultPhase::Waiting, HashMap::new(), numbered(id, epoch));
        Self { id, run, declared, source, declaration: None, origin, phase, matched: 0, hit: 0, rng: None, sockets }
    }

    pub(in crate::engine) fn start_epoch(&mut self, epoch: u32) {
        self.run = numbered(self.run, epoch);
    }

    /// Whether the run differs from one that starts now.
    pub(in crate::engine) fn has_started(&self, now: Duration) -> bool {
        self.origin != now || self.matched > 0
    }

    pub(in crate::engine) fn id(&self) -> u64 {
        self.id
    }

    pub(in crate::engine) fn effect(&self) -> &Effect {
        self.declared.effect()
    }

    pub(in crate::engine) fn matches(&self) -> &Matches {
        self.declared.matches()
    }

    pub(in crate::engine) fn label(&self) -> Arc<str> {
        self.declared.name().map_or_else(|| format!("fault {}", self.id).into(), Into::into)
    }

    /// Returns the event of its end.
    pub(in crate::engine) fn ended(&self) -> EventKind {
        EventKind::FaultEnded { fault: self.id, label: self.label() }
    }

    pub(in crate::engine) fn is_active(&self) -> bool {
        self.phase == FaultPhase::Active
    }

    /// Whether it has reached its maximum number of hits.
    pub(in crate::engine) fn is_spent(&self) -> bool {
        self.matches().times.is_some_and(|times| self.hit >= times)
    }

    fn starts_at(&self) -> Duration {
        self.origin.saturating_add(self.declared.from())
    }

    fn end(&self) -> Option<Duration> {
        let until = self.declared.until().map(|until| self.origin.saturating_add(until));
        match self.effect() {
            Effect::Storm(closed) => {
                let end = self.starts_at().saturating_add(*closed);
                Some(until.map_or(end, |until| until.min(end)))
            }
            _ => until,
        }
    }

    /// When it starts or ends.
    pub(in crate::engine) fn due(&self) -> Option<Duration> {
        match self.phase {
            FaultPhase::Waiting => Some(self.starts_at()),
            FaultPhase::Active => self.end(),
            FaultPhase::Over => None,
        }
    }

    /// Begins or ends the fault.
    pub(in crate::engine) fn transition(&mut self) {
        self.phase = match self.phase {
            FaultPhase::Waiting if !self.effect().is_momentary() => FaultPhase::Active,
            _ => FaultPhase::Over,
        };
        if self.phase == FaultPhase::Over && !self.effect().is_momentary() {
            self.sockets = HashMap::new();
        }
    }

    pub(in crate::engine) fn state(&self) -> FaultState {
        let is_spent = self.is_spent() && !self.is_for_open_sockets();
        FaultState {
            id: self.id,
            label: self.label(),
            source: self.source,
            phase: if self.is_active() && is_spent { FaultPhase::Over } else { self.phase },
            from: self.starts_at(),
            until: self.end(),
            matched: self.matched,
            hit: self.hit,
            fault: self.declared.clone(),
        }
    }

    fn is_for_open_sockets(&self) -> bool {
        !self.effect().affects_only_requests() && !self.effect().affects_only_handshakes()
    }

    /// Draws whether the next match is hit.
    fn draws(&mut self, seed: u64) -> bool {
        self.matched += 1;
        let Matches { share, skip, .. } = *self.declared.matches();
        if self.matched <= skip || self.is_spent() {
            return false;
        }
        let is_hit = self.rng(seed).takes(share);
        self.hit += u64::from(is_hit);
        is_hit
    }

    fn rng(&mut self, seed: u64) -> &mut RandomStream {
        let number = STREAMS + self.id;
        self.rng.get_or_insert_with(|| RandomStream::new(seed, number))
    }

    pub(in crate::engine) fn hit(&mut self, seed: u64) -> Option<Hit> {
        if !self.draws(seed) {
            return None;
        }
        let delay = match *self.declared.effect() {
            Effect::DelayAnswer(latency) | Effect::DelayHandshake(latency) => self.rng(seed).latency(latency),
            _ => Duration::ZERO,
        };
        Some(Hit { run: self.run, label: self.label(), fault: self.declared.clone(), delay })
    }

    pub(in crate::engine) fn hits_socket(
        &mut self,
        socket: u64,
        member: &FaultMember,
        seed: u64,
    ) -> Option<SocketFault> {
        if !member.fits(self.matches()) {
            return None;
        }
        if !self.sockets.contains_key(&socket) {
            let ordinal = self.draws(seed).then_some(self.hit);
            self.sockets.insert(socket, ordinal);
        }
        let ordinal = self.sockets.get(&socket).copied().flatten()?;
        // Each socket has its own stream, so that the speed of other sockets makes no difference. The stream is chosen
        // by the ordinal, because socket numbers continue after a reset.
        let number = (self.id % SOCKET_STREAMS) << 32 | ordinal & u64::from(u32::MAX);
        let stream = (seed, STREAMS + number);
        Some(SocketFault { run: self.run, label: self.label(), fault: self.declared.clone(), stream })
    }

    /// The number of sockets that it has decided about.
    pub(in crate::engine) fn decided(&self) -> usize {
        self.sockets.len()
    }

    /// Forgets sockets that are no longer open.
    pub(in crate::engine) fn forget(&mut self, is_open: &dyn Fn(u64) -> bool) {
        self.sockets.retain(|socket, _| is_open(*socket));
    }
}

/// Makes a number unique to an epoch.
fn numbered(run: u64, epoch: u32) -> u64 {
    u64::from(epoch) << 32 | run & u64::from(u32::MAX)
}
