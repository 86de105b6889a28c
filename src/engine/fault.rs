//! Running faults: which are active and what they hit.
//!
//! The effects of faults are applied where requests are answered and frames are written. The engine only decides when
//! faults are active and what they hit, so that the same requests in the same order meet the same faults on every run.
//! Faults do not affect counters.

mod run;
mod target;

use std::sync::Arc;
use std::time::Duration;

use super::Engine;
use super::digest::Digest;
use super::event::{Event, EventKind};
use super::pairing::{Pairing, SplitRuns, split_runs};
use super::refusal::{MAX_FAULTS, Refusal};
use super::retained::TimelineState;
use crate::scenario::{Action, Effect, Fault};
pub use run::{FaultPhase, FaultSource};
pub(super) use run::{FaultProgress, FaultRun};
pub use target::{FaultMember, FaultSubject, FaultTarget};

/// A fault and its current state.
#[derive(Debug, Clone, PartialEq)]
pub struct FaultState {
    /// Its number, from 1 in each world.
    pub id: u64,
    /// Its label in messages: its name, or its number.
    pub label: Arc<str>,
    /// Its source.
    pub source: FaultSource,
    /// Its phase.
    pub phase: FaultPhase,
    /// When it starts, in the world's time.
    pub from: Duration,
    /// When it ends; `None` if it does not end on its own.
    pub until: Option<Duration>,
    /// The number of requests, handshakes or sockets that it could have hit so far.
    pub matched: u64,
    /// The number that it has hit.
    pub hit: u64,
    /// Its declaration.
    pub fault: Arc<Fault>,
}

/// The effect of a fault on one request or handshake.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The number of the fault's run, unique across all faults and their restarts.
    pub run: u64,
    /// The fault's label in messages.
    pub label: Arc<str>,
    /// The fault.
    pub fault: Arc<Fault>,
    /// The delay of the answer, if there is one.
    pub delay: Duration,
}

/// A fault that hits a socket while it is active.
#[derive(Debug, Clone, PartialEq)]
pub struct SocketFault {
    /// The number of the fault's run, unique across all faults and their restarts.
    pub run: u64,
    /// Its label in messages.
    pub label: Arc<str>,
    /// The fault.
    pub fault: Arc<Fault>,
    /// The seed and the number of its random stream for this socket.
    pub stream: (u64, u64),
}

impl Engine {
    /// All faults: the scenario's first, in declared order.
    pub fn faults(&self) -> impl Iterator<Item = FaultState> {
        self.faults.iter().map(FaultRun::state)
    }

    /// The [runs](Hit::run) of the active faults, including those that have reached their maximum number of hits.
    pub fn active_faults(&self) -> impl Iterator<Item = u64> {
        self.faults.iter().filter(|run| run.is_active()).map(|run| run.run)
    }

    /// The largest number of sockets that any fault remembers; see [`Engine::forget_sockets`].
    #[must_use]
    pub fn decided_sockets(&self) -> usize {
        self.faults.iter().map(FaultRun::decided).max().unwrap_or_default()
    }

    /// Makes faults forget sockets that are no longer open.
    pub fn forget_sockets(&mut self, is_open: &dyn Fn(u64) -> bool) {
        self.faults.iter_mut().for_each(|run| run.forget(is_open));
    }

    /// Whether an active fault may hit requests or handshakes.
    #[must_use]
    pub fn has_request_faults(&self) -> bool {
        self.faults.iter().any(|run| run.is_active() && applies_to_requests(run.effect()))
    }

    /// Whether an active fault that may still hit is [repeated](Effect::is_repeated).
    #[must_use]
    pub fn has_repeated_faults(&self) -> bool {
        self.faults.iter().any(|run| run.is_active() && !run.is_spent() && run.effect().is_repeated())
    }

    /// Whether an active fault may hit sockets.
    #[must_use]
    pub fn has_socket_faults(&self) -> bool {
        self.faults.iter().any(|run| run.is_active() && !applies_to_requests(run.effect()))
    }

    /// Returns what hits a request or a handshake, in declared order. The list ends with the first fault that replaces
    /// the answer; only delays precede it.
    pub fn hits(&mut self, request: &FaultTarget) -> Vec<Hit> {
        let target = request.resolve(&self.collections, &self.counters);
        let seed = self.seed;
        let mut hits: Vec<Hit> = Vec::new();
        let overrides = |hit: &Hit| hit.fault.effect().overrides_answer();
        for run in self.faults.iter_mut().filter(|run| run.is_active() && applies_to_requests(run.effect())) {
            if !target.fits(run.effect(), run.matches())
                || run.effect().overrides_answer() && hits.iter().any(overrides)
            {
                continue;
            }
            let Some(hit) = run.hit(seed) else { continue };
            if hit.fault.effect().replaces_answer() {
                hits.retain(|hit| hit.fault.effect().delays_answer());
                hits.push(hit);
                break;
            }
            hits.push(hit);
        }
        hits
    }

    /// Returns the faults that hit a socket or a stream. The decision is made once per socket.
    pub fn socket_faults(&mut self, socket: u64, member: &FaultMember) -> Vec<SocketFault> {
        let seed = self.seed;
        let faults = self.faults.iter_mut().filter(|run| run.is_active() && !applies_to_requests(run.effect()));
        faults.filter_map(|run| run.hits_socket(socket, member, seed)).collect()
    }

    /// Returns those of the given sockets and streams that a fault hits when it starts.
    pub fn hits_at_start(
        &mut self,
        fault: u64,
        sockets: impl Iterator<Item = (u64, FaultMember)>,
    ) -> Vec<(u64, SocketFault)> {
        let seed = self.seed;
        let Some(run) = self.faults.iter_mut().find(|run| run.id == fault) else { return Vec::new() };
        sockets.filter_map(|(id, member)| Some((id, run.hits_socket(id, &member, seed)?))).collect()
    }

    /// Adds a fault and returns its number. Its times count from now. If the same step added it before, it restarts.
    pub(super) fn add_fault(&mut self, fault: Arc<Fault>, source: FaultSource, events: &mut Vec<Event>) -> u64 {
        let same = |run: &FaultRun| source == FaultSource::Script && Arc::ptr_eq(&run.declared, &fault);
        if let Some(index) = self.faults.iter().position(same) {
            events.extend(self.end_fault(index));
            self.faults.remove(index);
        }
        let run = self.new_fault(fault, source);
        let id = run.id;
        self.faults.push(run);
        events.extend(self.start_if_due(self.faults.len() - 1));
        id
    }

    /// Replaces a fault. The new one starts under the same number.
    pub(super) fn change_fault(&mut self, index: usize, fault: Arc<Fault>) -> Vec<Event> {
        let mut events = Vec::from_iter(self.end_fault(index));
        let mut fresh = self.new_fault(fault, self.faults[index].source);
        (fresh.id, fresh.declaration) = (self.faults[index].id, self.faults[index].declaration);
        self.faults[index] = fresh;
        events.extend(self.start_if_due(index));
        events
    }

    /// Removes a fault.
    pub(super) fn remove_fault(&mut self, index: usize) -> Vec<Event> {
        let events = Vec::from_iter(self.end_fault(index));
        self.faults.remove(index);
        events
    }

    /// Removes all faults.
    pub(super) fn clear_faults(&mut self) -> Vec<Event> {
        let events = (0..self.faults.len()).filter_map(|index| self.end_fault(index)).collect();
        self.faults.clear();
        events
    }

    /// Returns the fault with this number or name.
    ///
    /// # Errors
    /// [`Refusal::UnknownFault`] if there is none.
    pub fn fault(&self, name: &str) -> Result<FaultState, Refusal> {
        Ok(self.faults[self.fault_index(name)?].state())
    }

    /// Returns the index of the fault with this number or name.
    pub(super) fn fault_index(&self, name: &str) -> Result<usize, Refusal> {
        let named = self.faults.iter().position(|run| run.declared.name() == Some(name));
        let numbered = || name.parse().ok().and_then(|id: u64| self.faults.iter().position(|run| run.id == id));
        named.or_else(numbered).ok_or_else(|| Refusal::UnknownFault(name.to_owned()))
    }

    /// Checks that a client may add the fault.
    pub(super) fn expect_room_for(&mut self, fault: &Fault) -> Result<(), Refusal> {
        self.sweep_faults(MAX_FAULTS);
        if self.faults.len() >= MAX_FAULTS {
            return Err(Refusal::TooManyFaults);
        }
        self.expect_free_name(fault.name(), None)
    }

    /// Checks that no fault has the name, except the one numbered `own`.
    pub(super) fn expect_free_name(&self, name: Option<&str>, own: Option<u64>) -> Result<(), Refusal> {
        let is_taken =
            |name: &&str| self.faults.iter().any(|run| run.declared.name() == Some(*name) && Some(run.id) != own);
        match name.filter(is_taken) {
            Some(name) => Err(Refusal::FaultExists(name.to_owned())),
            None => Ok(()),
        }
    }

    /// Starts the scenario's faults. Those that start immediately are active without an event.
    pub(super) fn start_faults(&mut self) {
        let (declared, now) = (self.scenario.faults().to_vec(), self.now);
        let declared = declared.into_iter().enumerate();
        self.faults = declared.map(|(index, fault)| self.declared_fault(index, fault)).collect();
        self.faults.iter_mut().filter(|run| run.due() == Some(now)).for_each(FaultRun::transition);
    }

    /// Switches to the faults of a new scenario; `before` are those of the old one. New faults start now unless they
    /// continue an old one, and the faults of removed steps end. A fault that a client has removed stays removed as
    /// long as its declaration is unchanged.
    pub(super) fn replace_faults(&mut self, before: &[Arc<Fault>], pairing: &Pairing) -> Vec<Event> {
        let scenario = self.scenario.clone();
        let active = self.faults.iter().filter(|run| run.is_active());
        let were_active: Vec<(u64, EventKind)> = active.map(|run| (run.run, run.ended())).collect();
        // The run of each declaration, unless a client has removed it.
        let mut declared: Vec<Option<FaultRun>> = before.iter().map(|_| None).collect();
        let mut others = Vec::new();
        for run in std::mem::take(&mut self.faults) {
            match run.declaration.and_then(|index| declared.get_mut(index)) {
                Some(place) => *place = Some(run),
                None => others.push(run),
            }
        }
        let SplitRuns { kept, ended } = split_runs(declared, pairing);
        for (index, (carried, fault)) in kept.into_iter().zip(scenario.faults()).enumerate() {
            let run = carried.unwrap_or_else(|| self.start_or_resume_fault(index, fault));
            self.faults.extend(run.map(|run| FaultRun { declaration: Some(index), ..run }));
        }
        for (index, run) in ended {
            let (digest, state) = match run {
                // The digest of the fault as it ran, because a client may have changed it.
                Some(run) if run.has_started(self.now) => {
                    (digest(&run.declared), TimelineState::Fault(Box::new(FaultProgress::of(&run))))
                }
                Some(_) => continue,
                None => (digest(&before[index]), TimelineState::RemovedFault),
            };
            self.retained.keep_timeline(digest, self.now, state);
        }
        others.retain(|run| run.source != FaultSource::Script || self.has_step(&run.declared));
        self.faults.extend(others);
        let mut events = Vec::new();
        for (run, ended) in were_active {
            if !self.faults.iter().any(|kept| kept.run == run) {
                events.push(self.event(ended));
            }
        }
        for index in 0..self.faults.len() {
            events.extend(self.start_if_due(index));
        }
        events
    }

    /// Starts a newly declared fault, or resumes it if an earlier reload removed it; `None` if a client had removed it
    /// by then.
    fn start_or_resume_fault(&mut self, index: usize, fault: &Arc<Fault>) -> Option<FaultRun> {
        let kept = if self.retained.is_empty() { None } else { self.retained.take_timeline(digest(fault)) };
        if let Some((_, TimelineState::RemovedFault)) = kept {
            return None;
        }
        let mut run = self.declared_fault(index, fault.clone());
        if let Some((since, TimelineState::Fault(progress))) = kept {
            progress.resume(self.now.saturating_sub(since), &mut run);
        }
        Some(run)
    }

    /// Creates the run of the scenario's fault at `index`, starting now.
    fn declared_fault(&mut self, index: usize, fault: Arc<Fault>) -> FaultRun {
        FaultRun { declaration: Some(index), ..self.new_fault(fault, FaultSource::Scenario) }
    }

    /// Whether a step of a script adds this fault.
    fn has_step(&self, fault: &Arc<Fault>) -> bool {
        let steps = self.timelines.scripts().flat_map(|run| run.declared.steps());
        steps.into_iter().any(|step| matches!(&step.action, Action::Fault(one) if Arc::ptr_eq(one, fault)))
    }

    fn new_fault(&mut self, fault: Arc<Fault>, source: FaultSource) -> FaultRun {
        self.fault_ids += 1;
        FaultRun::new(self.fault_ids, self.epoch, fault, source, self.now)
    }

    /// Starts an epoch. After a reset, faults reuse the earlier numbers, and the epoch keeps their runs apart from
    /// earlier ones.
    pub fn start_epoch(&mut self, epoch: u32) {
        self.epoch = epoch;
        self.faults.iter_mut().for_each(|run| run.start_epoch(epoch));
    }

    /// Drops ended faults of clients if there are at least `max` faults.
    fn sweep_faults(&mut self, max: usize) {
        if self.faults.len() >= max {
            self.faults.retain(|run| run.source != FaultSource::Api || run.phase != FaultPhase::Over);
        }
    }

    fn start_if_due(&mut self, index: usize) -> Option<Event> {
        let run = &self.faults[index];
        let starts = run.phase == FaultPhase::Waiting && run.due().is_some_and(|due| due <= self.now);
        starts.then(|| self.transition(index))
    }

    fn end_fault(&mut self, index: usize) -> Option<Event> {
        let run = &mut self.faults[index];
        let kind = run.is_active().then(|| run.ended())?;
        run.phase = FaultPhase::Over;
        Some(self.event(kind))
    }

    /// Starts or ends a fault that is due.
    pub(super) fn transition(&mut self, index: usize) -> Event {
        let run = &mut self.faults[index];
        let (fault, label) = (run.id, run.label());
        run.transition();
        let has_started = run.is_active() || run.effect().is_momentary();
        let is_forgotten =
            run.phase == FaultPhase::Over && run.source == FaultSource::Script && !run.effect().is_momentary();
        let kind =
            if has_started { EventKind::FaultBegan { fault, label } } else { EventKind::FaultEnded { fault, label } };
        if is_forgotten {
            self.faults.remove(index);
        }
        self.event(kind)
    }
}

fn digest(fault: &Fault) -> Digest {
    Digest::of("fault", fault)
}

/// Whether the effect applies to requests and handshakes rather than to open sockets.
fn applies_to_requests(effect: &Effect) -> bool {
    effect.affects_only_requests() || effect.affects_only_handshakes() || matches!(effect, Effect::Storm(_))
}
