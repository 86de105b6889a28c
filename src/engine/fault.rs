//! Faults at work: which of them are in force, and whom they hit.
//!
//! What a fault does is done where requests are answered and frames are written; the engine only says when and to whom, so
//! that the same requests in the same order meet the same faults on every run. Totals know nothing of them.

mod run;
mod state;
mod target;

use std::sync::Arc;
use std::time::Duration;

use super::event::{Event, EventKind};
use super::timelines::Pairing;
use super::{Engine, carry_on};
use crate::scenario::{Action, Effect, Fault};
pub(super) use run::FaultRun;
pub use run::{FaultPhase, FaultSource};
pub(super) use state::FaultRunState;
pub use target::Asked;

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

    /// Whether a fault is in force that may hit sockets.
    #[must_use]
    pub fn has_socket_faults(&self) -> bool {
        self.faults.iter().any(|run| run.is_active() && !is_met_by_requests(run.effect()))
    }

    /// What hits a request or a handshake, in declared order: the first that says what comes of it is the last, and only
    /// delays go before it.
    pub fn hits(&mut self, asked: &Asked<'_>) -> Vec<Hit> {
        let target = asked.target(&self.catalogue, &self.ledger);
        let seed = self.seed;
        let mut hits: Vec<Hit> = Vec::new();
        let spoils = |hit: &Hit| hit.fault.effect().spoils_answer();
        for run in self.faults.iter_mut().filter(|run| run.is_active() && is_met_by_requests(run.effect())) {
            if !target.fits(run.effect(), run.matches()) || run.effect().spoils_answer() && hits.iter().any(spoils) {
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

    /// The faults that hit a socket, which stays with them however often it is asked. `category` is what it asked for last.
    pub fn socket_faults(&mut self, socket: u64, category: &str) -> Vec<SocketFault> {
        let seed = self.seed;
        let faults = self.faults.iter_mut().filter(|run| run.is_active() && !is_met_by_requests(run.effect()));
        faults.filter_map(|run| run.hits_socket(socket, category, seed)).collect()
    }

    /// The sockets, of these, that a momentary fault hits as it begins.
    pub fn struck<'s>(&mut self, fault: u64, sockets: impl Iterator<Item = (u64, &'s str)>) -> Vec<(u64, SocketFault)> {
        let seed = self.seed;
        let Some(run) = self.faults.iter_mut().find(|run| run.id == fault) else { return Vec::new() };
        sockets.filter_map(|(id, category)| Some((id, run.hits_socket(id, category, seed)?))).collect()
    }

    /// Brings a fault, whose times count from now, or starts it over if it is the same step's that brought it before. Gives
    /// its number.
    pub fn add_fault(&mut self, fault: Arc<Fault>, source: FaultSource) -> (u64, Vec<Event>) {
        let mut events = Vec::new();
        let same = |run: &FaultRun| source == FaultSource::Script && Arc::ptr_eq(&run.declared, &fault);
        if let Some(index) = self.faults.iter().position(same) {
            events.extend(self.lift(index));
            self.faults.remove(index);
        }
        let run = self.new_fault(fault, source);
        let id = run.id;
        self.faults.push(run);
        events.extend(self.begin_if_due(self.faults.len() - 1));
        (id, events)
    }

    /// Puts another in the place of a fault, which starts over; `None` if there is none of that number.
    pub fn change_fault(&mut self, id: u64, fault: Arc<Fault>) -> Option<Vec<Event>> {
        let index = self.faults.iter().position(|run| run.id == id)?;
        let mut events = Vec::from_iter(self.lift(index));
        let mut fresh = self.new_fault(fault, self.faults[index].source);
        fresh.id = id;
        self.faults[index] = fresh;
        events.extend(self.begin_if_due(index));
        Some(events)
    }

    /// Lifts a fault for good; `None` if there is none of that number.
    pub fn remove_fault(&mut self, id: u64) -> Option<Vec<Event>> {
        let index = self.faults.iter().position(|run| run.id == id)?;
        let events = Vec::from_iter(self.lift(index));
        self.faults.remove(index);
        Some(events)
    }

    /// The number of the fault of that number or name.
    #[must_use]
    pub fn find_fault(&self, name: &str) -> Option<u64> {
        let by_number = || name.parse().ok().filter(|id| self.faults.iter().any(|run| run.id == *id));
        let named = self.faults.iter().find(|run| run.declared.name() == Some(name)).map(|run| run.id);
        named.or_else(by_number)
    }

    /// Starts the faults of the scenario. Those that begin at once are in force without an event.
    pub(super) fn start_faults(&mut self) {
        let (declared, now) = (self.scenario.faults().to_vec(), self.now);
        self.faults = declared.into_iter().map(|fault| self.new_fault(fault, FaultSource::Scenario)).collect();
        self.faults.iter_mut().filter(|run| run.due() == Some(now)).for_each(FaultRun::turn);
    }

    /// Follows another scenario: its faults begin now unless they carry on, and those of steps that are no more are lifted.
    pub(super) fn replace_faults(&mut self, pairing: &Pairing) -> Vec<Event> {
        let scenario = self.scenario.clone();
        let active = self.faults.iter().filter(|run| run.is_active());
        let were_active: Vec<(u64, EventKind)> = active.map(|run| (run.run, run.ended())).collect();
        let (declared, mut others): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.faults).into_iter().partition(|run| run.source == FaultSource::Scenario);
        let start = |fault: &Arc<Fault>| self.new_fault(fault.clone(), FaultSource::Scenario);
        self.faults = carry_on(declared, pairing, scenario.faults(), start);
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

    /// Whether a step of a script brings this fault.
    fn has_step(&self, fault: &Arc<Fault>) -> bool {
        let steps = self.scripts.iter().flat_map(|run| run.declared.steps());
        steps.into_iter().any(|step| matches!(&step.action, Action::Fault(one) if Arc::ptr_eq(one, fault)))
    }

    fn new_fault(&mut self, fault: Arc<Fault>, source: FaultSource) -> FaultRun {
        self.fault_ids += 1;
        FaultRun::new(self.fault_ids, self.era, fault, source, self.now)
    }

    /// The world begins anew, for that time: after a reset the faults are numbered as before, but none of them is one of
    /// before.
    pub fn begin_era(&mut self, era: u32) {
        self.era = era;
        self.faults.iter_mut().for_each(|run| run.begin_era(era));
    }

    /// Drops faults of clients that are over, which nobody misses, if there are that many or more.
    pub fn sweep_faults(&mut self, most: usize) {
        if self.faults.len() >= most {
            self.faults.retain(|run| run.source != FaultSource::Api || run.phase != FaultPhase::Over);
        }
    }

    fn begin_if_due(&mut self, index: usize) -> Option<Event> {
        let run = &self.faults[index];
        let begins = run.phase == FaultPhase::Waiting && run.due().is_some_and(|due| due <= self.now);
        begins.then(|| self.turn_fault(index))
    }

    fn lift(&mut self, index: usize) -> Option<Event> {
        let run = &mut self.faults[index];
        let kind = run.is_active().then(|| run.ended())?;
        run.phase = FaultPhase::Over;
        Some(self.event(kind))
    }

    /// A fault begins or ends, as it is due.
    pub(super) fn turn_fault(&mut self, index: usize) -> Event {
        let run = &mut self.faults[index];
        let (fault, label) = (run.id, run.label());
        run.turn();
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

/// Whether it is met by requests and handshakes; otherwise by open sockets.
fn is_met_by_requests(effect: &Effect) -> bool {
    effect.is_for_requests() || effect.is_for_handshakes() || matches!(effect, Effect::Storm(_))
}
