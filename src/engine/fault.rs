//! Faults at work: which of them are in force, and whom they hit.
//!
//! What a fault does is done where requests are answered and frames are written; the engine only says when and to whom, so
//! that the same requests in the same order meet the same faults on every run. Counters know nothing of them.

mod run;
mod target;

use std::sync::Arc;
use std::time::Duration;

use super::Engine;
use super::digest::Digest;
use super::event::{Event, EventKind};
use super::pairing::{Carried, Pairing, carry_on};
use super::refusal::{MAX_FAULTS, Refusal};
use super::retained::TimelineState;
use crate::scenario::{Action, Effect, Fault};
pub use run::{FaultPhase, FaultSource};
pub(super) use run::{FaultProgress, FaultRun};
pub use target::{FaultMember, FaultSubject, FaultTarget};

/// A fault and how it is.
#[derive(Debug, Clone, PartialEq)]
pub struct FaultState {
    /// Its number, from 1 in each world.
    pub id: u64,
    /// What messages call it: its name, or its number.
    pub label: Arc<str>,
    /// Who brought it.
    pub source: FaultSource,
    /// Whether it is in force.
    pub phase: FaultPhase,
    /// When it began or begins, in the world's time.
    pub from: Duration,
    /// When it ends, unless it does not by itself.
    pub until: Option<Duration>,
    /// Requests, handshakes or sockets that it could have hit so far.
    pub matched: u64,
    /// Those that it has hit.
    pub hit: u64,
    /// What was declared.
    pub fault: Arc<Fault>,
}

/// What a fault does to one request or handshake.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Which of all faults that were ever brought or started over it is.
    pub run: u64,
    /// What messages call the fault.
    pub label: Arc<str>,
    /// The fault.
    pub fault: Arc<Fault>,
    /// How much later it is answered, if it is.
    pub delay: Duration,
}

/// A fault that hits a socket for as long as it is in force.
#[derive(Debug, Clone, PartialEq)]
pub struct SocketFault {
    /// Which of all faults that were ever brought or started over it is.
    pub run: u64,
    /// What messages call it.
    pub label: Arc<str>,
    /// The fault.
    pub fault: Arc<Fault>,
    /// Which random stream it draws from for this socket, of which seed.
    pub stream: (u64, u64),
}

impl Engine {
    /// All faults: those of the scenario first, in declared order.
    pub fn faults(&self) -> impl Iterator<Item = FaultState> {
        self.faults.iter().map(FaultRun::state)
    }

    /// The [runs](Hit::run) of those that are in force, also if they have hit as many as they may.
    pub fn active_faults(&self) -> impl Iterator<Item = u64> {
        self.faults.iter().filter(|run| run.is_active()).map(|run| run.run)
    }

    /// How many sockets faults have decided about, if that is worth to be forgotten.
    #[must_use]
    pub fn decided_sockets(&self) -> usize {
        self.faults.iter().map(FaultRun::decided).max().unwrap_or_default()
    }

    /// Has faults forget about sockets that are not open any more.
    pub fn forget_sockets(&mut self, is_open: &dyn Fn(u64) -> bool) {
        self.faults.iter_mut().for_each(|run| run.forget(is_open));
    }

    /// Whether a fault is in force that may hit requests or handshakes.
    #[must_use]
    pub fn has_request_faults(&self) -> bool {
        self.faults.iter().any(|run| run.is_active() && is_met_by_requests(run.effect()))
    }

    /// Whether a fault is in force, and may still hit, that is [repeated](Effect::is_repeated).
    #[must_use]
    pub fn has_repeated_faults(&self) -> bool {
        self.faults.iter().any(|run| run.is_active() && !run.is_spent() && run.effect().is_repeated())
    }

    /// Whether a fault is in force that may hit sockets.
    #[must_use]
    pub fn has_socket_faults(&self) -> bool {
        self.faults.iter().any(|run| run.is_active() && !is_met_by_requests(run.effect()))
    }

    /// What hits a request or a handshake, in declared order: the first that says what comes of it is the last, and only
    /// delays go before it.
    pub fn hits(&mut self, request: &FaultTarget) -> Vec<Hit> {
        let target = request.resolve(&self.collections, &self.counters);
        let seed = self.seed;
        let mut hits: Vec<Hit> = Vec::new();
        let overrides = |hit: &Hit| hit.fault.effect().overrides_answer();
        for run in self.faults.iter_mut().filter(|run| run.is_active() && is_met_by_requests(run.effect())) {
            if !target.fits(run.effect(), run.matches())
                || run.effect().overrides_answer() && hits.iter().any(overrides)
            {
                continue;
            }
            let Some(hit) = run.hit(seed) else { continue };
            if hit.fault.effect().is_in_place_of_answer() {
                hits.retain(|hit| hit.fault.effect().delays_answer());
                hits.push(hit);
                break;
            }
            hits.push(hit);
        }
        hits
    }

    /// The faults that hit a socket or a stream, which stays with them however often it is asked.
    pub fn socket_faults(&mut self, socket: u64, member: &FaultMember) -> Vec<SocketFault> {
        let seed = self.seed;
        let faults = self.faults.iter_mut().filter(|run| run.is_active() && !is_met_by_requests(run.effect()));
        faults.filter_map(|run| run.hits_socket(socket, member, seed)).collect()
    }

    /// The sockets and streams, of these, that a fault hits at the moment at which it begins.
    pub fn hits_at_beginning(
        &mut self,
        fault: u64,
        sockets: impl Iterator<Item = (u64, FaultMember)>,
    ) -> Vec<(u64, SocketFault)> {
        let seed = self.seed;
        let Some(run) = self.faults.iter_mut().find(|run| run.id == fault) else { return Vec::new() };
        sockets.filter_map(|(id, member)| Some((id, run.hits_socket(id, &member, seed)?))).collect()
    }

    /// Adds a fault, whose times count from now, or starts it over if the same step added it before. Gives its number.
    pub(super) fn add_fault(&mut self, fault: Arc<Fault>, source: FaultSource, events: &mut Vec<Event>) -> u64 {
        let same = |run: &FaultRun| source == FaultSource::Script && Arc::ptr_eq(&run.declared, &fault);
        if let Some(index) = self.faults.iter().position(same) {
            events.extend(self.lift(index));
            self.faults.remove(index);
        }
        let run = self.new_fault(fault, source);
        let id = run.id;
        self.faults.push(run);
        events.extend(self.begin_if_due(self.faults.len() - 1));
        id
    }

    /// Replaces a fault, which starts over under its number.
    pub(super) fn change_fault(&mut self, index: usize, fault: Arc<Fault>) -> Vec<Event> {
        let mut events = Vec::from_iter(self.lift(index));
        let mut fresh = self.new_fault(fault, self.faults[index].source);
        (fresh.id, fresh.declaration) = (self.faults[index].id, self.faults[index].declaration);
        self.faults[index] = fresh;
        events.extend(self.begin_if_due(index));
        events
    }

    /// Removes a fault.
    pub(super) fn remove_fault(&mut self, index: usize) -> Vec<Event> {
        let events = Vec::from_iter(self.lift(index));
        self.faults.remove(index);
        events
    }

    /// Removes all faults.
    pub(super) fn clear_faults(&mut self) -> Vec<Event> {
        let events = (0..self.faults.len()).filter_map(|index| self.lift(index)).collect();
        self.faults.clear();
        events
    }

    /// The fault of that number or name.
    ///
    /// # Errors
    /// [`Refusal::UnknownFault`].
    pub fn fault(&self, name: &str) -> Result<FaultState, Refusal> {
        Ok(self.faults[self.fault_index(name)?].state())
    }

    /// Where the fault of that number or name is.
    pub(super) fn fault_index(&self, name: &str) -> Result<usize, Refusal> {
        let named = self.faults.iter().position(|run| run.declared.name() == Some(name));
        let numbered = || name.parse().ok().and_then(|id: u64| self.faults.iter().position(|run| run.id == id));
        named.or_else(numbered).ok_or_else(|| Refusal::UnknownFault(name.to_owned()))
    }

    /// That a client may add the fault.
    pub(super) fn expect_room_for(&mut self, fault: &Fault) -> Result<(), Refusal> {
        self.sweep_faults(MAX_FAULTS);
        if self.faults.len() >= MAX_FAULTS {
            return Err(Refusal::TooManyFaults);
        }
        self.expect_free_name(fault.name(), None)
    }

    /// That no fault but that of the number `own` has the name.
    pub(super) fn expect_free_name(&self, name: Option<&str>, own: Option<u64>) -> Result<(), Refusal> {
        let is_taken =
            |name: &&str| self.faults.iter().any(|run| run.declared.name() == Some(*name) && Some(run.id) != own);
        match name.filter(is_taken) {
            Some(name) => Err(Refusal::FaultExists(name.to_owned())),
            None => Ok(()),
        }
    }

    /// Starts the faults of the scenario. Those that begin at once are in force without an event.
    pub(super) fn start_faults(&mut self) {
        let (declared, now) = (self.scenario.faults().to_vec(), self.now);
        let declared = declared.into_iter().enumerate();
        self.faults = declared.map(|(index, fault)| self.declared_fault(index, fault)).collect();
        self.faults.iter_mut().filter(|run| run.due() == Some(now)).for_each(FaultRun::transition);
    }

    /// Follows another scenario than the one that declared the faults `before`: its faults begin now unless they carry on, and
    /// those of steps that are no more are lifted. A fault that a client has removed stays so for as long as it says the same.
    pub(super) fn replace_faults(&mut self, before: &[Arc<Fault>], pairing: &Pairing) -> Vec<Event> {
        let scenario = self.scenario.clone();
        let active = self.faults.iter().filter(|run| run.is_active());
        let were_active: Vec<(u64, EventKind)> = active.map(|run| (run.run, run.ended())).collect();
        // For each declaration its run, unless a client has removed it.
        let mut declared: Vec<Option<FaultRun>> = before.iter().map(|_| None).collect();
        let mut others = Vec::new();
        for run in std::mem::take(&mut self.faults) {
            match run.declaration.and_then(|index| declared.get_mut(index)) {
                Some(place) => *place = Some(run),
                None => others.push(run),
            }
        }
        let Carried { kept, ended } = carry_on(declared, pairing);
        for (index, (carried, fault)) in kept.into_iter().zip(scenario.faults()).enumerate() {
            let run = carried.unwrap_or_else(|| self.bring_fault(index, fault));
            self.faults.extend(run.map(|run| FaultRun { declaration: Some(index), ..run }));
        }
        for (index, run) in ended {
            let (digest, state) = match run {
                // By what it was, which a client may have changed.
                Some(run) if run.has_begun(self.now) => {
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
            events.extend(self.begin_if_due(index));
        }
        events
    }

    /// A fault that a scenario brings, which goes on if an earlier reload took it away; `None` if a client had removed it by
    /// then.
    fn bring_fault(&mut self, index: usize, fault: &Arc<Fault>) -> Option<FaultRun> {
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

    /// The fault of that index of the scenario, which begins now.
    fn declared_fault(&mut self, index: usize, fault: Arc<Fault>) -> FaultRun {
        FaultRun { declaration: Some(index), ..self.new_fault(fault, FaultSource::Scenario) }
    }

    /// Whether a step of a script brings this fault.
    fn has_step(&self, fault: &Arc<Fault>) -> bool {
        let steps = self.timelines.scripts().flat_map(|run| run.declared.steps());
        steps.into_iter().any(|step| matches!(&step.action, Action::Fault(one) if Arc::ptr_eq(one, fault)))
    }

    fn new_fault(&mut self, fault: Arc<Fault>, source: FaultSource) -> FaultRun {
        self.fault_ids += 1;
        FaultRun::new(self.fault_ids, self.epoch, fault, source, self.now)
    }

    /// Begins that epoch: after a reset faults have the numbers of before, but none of them is a fault of before.
    pub fn begin_epoch(&mut self, epoch: u32) {
        self.epoch = epoch;
        self.faults.iter_mut().for_each(|run| run.begin_epoch(epoch));
    }

    /// Drops faults of clients that are over if there are that many faults or more.
    fn sweep_faults(&mut self, most: usize) {
        if self.faults.len() >= most {
            self.faults.retain(|run| run.source != FaultSource::Api || run.phase != FaultPhase::Over);
        }
    }

    fn begin_if_due(&mut self, index: usize) -> Option<Event> {
        let run = &self.faults[index];
        let begins = run.phase == FaultPhase::Waiting && run.due().is_some_and(|due| due <= self.now);
        begins.then(|| self.transition(index))
    }

    fn lift(&mut self, index: usize) -> Option<Event> {
        let run = &mut self.faults[index];
        let kind = run.is_active().then(|| run.ended())?;
        run.phase = FaultPhase::Over;
        Some(self.event(kind))
    }

    /// A fault begins or ends, as it is due.
    pub(super) fn transition(&mut self, index: usize) -> Event {
        let run = &mut self.faults[index];
        let (fault, label) = (run.id, run.label());
        run.transition();
        let has_begun = run.is_active() || run.effect().is_momentary();
        let is_forgotten =
            run.phase == FaultPhase::Over && run.source == FaultSource::Script && !run.effect().is_momentary();
        let kind =
            if has_begun { EventKind::FaultBegan { fault, label } } else { EventKind::FaultEnded { fault, label } };
        if is_forgotten {
            self.faults.remove(index);
        }
        self.event(kind)
    }
}

fn digest(fault: &Fault) -> Digest {
    Digest::of("fault", fault)
}

/// Whether it is met by requests and handshakes; otherwise by open sockets.
fn is_met_by_requests(effect: &Effect) -> bool {
    effect.is_for_requests() || effect.is_for_handshakes() || matches!(effect, Effect::Storm(_))
}
