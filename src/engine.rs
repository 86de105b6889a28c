//! What happens: a scenario played in virtual time, without a clock, a thread or a socket.
//!
//! An [`Engine`] says when it wants to be woken ([`Engine::next_due`]), is told the time ([`Engine::advance`]) and
//! what clients want ([`Engine::order`], [`Engine::add_product`], [`Engine::replace`]), and answers with numbered
//! [`Event`]s. Time is a `Duration` since the world's start. The same scenario, seed, times and requests give the
//! same events on every platform.

mod action;
mod catalogue;
mod change;
mod compare;
mod event;
mod fault;
mod ledger;
mod progress;
mod random;
mod reload;
mod request;
mod script;
mod state;
mod stream;
mod succession;
mod timelines;
mod totals;

use std::sync::Arc;
use std::time::Duration;

pub use catalogue::{Catalogue, Listing};
pub use change::Change;
pub use event::{Event, EventKind, MAX_CATEGORY_BYTES, Refusal};
use fault::FaultRun;
pub use fault::{Asked, FaultPhase, FaultSource, FaultState, Hit, SocketFault};
use ledger::{Account, Entry, Holder, Ledger};
pub use progress::{GeneratorState, ScriptState};
use random::GeneratorRun;
pub use reload::Reload;
use reload::carry_on;
pub use request::RefusedAt;
use script::ScriptRun;
pub use state::{EngineState, StateError};
pub(crate) use stream::Stream;
pub use succession::Succession;

use crate::scenario::{Product, Scenario, ServerOptions};

/// A scenario at work.
///
/// A clone is a world of its own that goes on from the same moment: what it holds is shared until one of the two
/// changes it, so it costs next to nothing, whatever the number of products.
#[derive(Debug, Clone)]
pub struct Engine {
    scenario: Arc<Scenario>,
    /// The server section that is in force, whatever later scenarios say.
    started_with: ServerOptions,
    seed: u64,
    now: Duration,
    sequence: u64,
    catalogue: Catalogue,
    ledger: Ledger,
    scripts: Vec<ScriptRun>,
    generators: Vec<GeneratorRun>,
    faults: Vec<FaultRun>,
    /// Faults so far; each has a number of its own.
    fault_ids: u64,
    /// Which time this is that the world begins anew; see [`Engine::begin_era`].
    era: u32,
    /// Random streams given out so far; each generator has one of its own.
    streams: u64,
}

/// One product's current order.
#[derive(Debug, Clone, PartialEq)]
pub struct CurrentOrder {
    /// The product.
    pub product: Arc<Product>,
    /// Its total.
    pub total: i64,
}

impl Engine {
    /// An engine at time 0. `seed` decides all that is random.
    #[must_use]
    pub fn new(scenario: &Arc<Scenario>, seed: u64) -> Self {
        let mut engine = Self {
            seed,
            now: Duration::ZERO,
            sequence: 0,
            catalogue: Catalogue::new(scenario),
            ledger: Ledger::default(),
            scripts: Vec::new(),
            generators: Vec::new(),
            faults: Vec::new(),
            fault_ids: 0,
            era: 0,
            streams: 0,
            started_with: scenario.server().clone(),
            scenario: scenario.clone(),
        };
        for (category, product) in scenario.products() {
            engine.ledger.open(product.id().clone(), holder(category.name().clone(), product, true));
        }
        engine.start_timelines();
        engine.start_faults();
        engine
    }

    /// This engine, which has to be as it was at its start, with another seed.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        if seed != self.seed {
            self.seed = seed;
            self.streams = 0;
            self.start_timelines();
        }
        self
    }

    /// With the server section that is in force in another engine.
    pub(crate) fn started_as(self, other: &Self) -> Self {
        Self { started_with: other.started_with.clone(), ..self }
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

    /// The categories and products at this moment.
    #[must_use]
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// When the next script step or random order is due, or a fault begins or ends; `None` if nothing will happen by itself any more.
    #[must_use]
    pub fn next_due(&self) -> Option<Duration> {
        let scripts = self.scripts.iter().filter_map(ScriptRun::due);
        let generators = self.generators.iter().filter_map(GeneratorRun::due);
        scripts.chain(generators).chain(self.faults.iter().filter_map(FaultRun::due)).min()
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
            self.fire(due, &mut events);
            if Event::end_at_a_turn(&events) {
                break;
            }
        }
        events
    }

    /// Lets time go on to `to` where nothing is due before; a time in the past changes nothing.
    pub(crate) fn settle(&mut self, to: Duration) {
        self.now = to.max(self.now);
    }

    /// The current orders of a category in its order of products; none for an unknown one.
    pub fn current_orders(&self, category: &str) -> impl Iterator<Item = CurrentOrder> {
        let products = self.catalogue.get(category).map(Listing::products).unwrap_or_default();
        products.iter().filter_map(|product| {
            let total = self.ledger.get(product.id())?.total;
            Some(CurrentOrder { product: product.clone(), total })
        })
    }

    /// The totals that changed after the event of that number, as events, oldest first.
    #[must_use]
    pub fn changed_since(&self, sequence: u64) -> Vec<Event> {
        let changed = self.ledger.moved().filter(|(_, account)| account.changed > sequence);
        let mut events: Vec<Event> = changed.map(|(id, account)| self.total_event(id.clone(), account)).collect();
        events.sort_by_key(|event| event.sequence);
        events
    }

    /// Every total, in the order of the accounts, as the event that made it what it is.
    pub fn totals_as_events(&self) -> impl Iterator<Item = Event> {
        self.ledger.iter().map(|(id, account)| self.total_event(id.clone(), account))
    }

    /// Every total, in the order of the accounts.
    pub fn totals(&self) -> impl Iterator<Item = (&Arc<str>, i64)> {
        self.ledger.iter().map(|(id, account)| (id, account.total))
    }

    fn total_event(&self, id: Arc<str>, account: Account<'_>) -> Event {
        let kind = EventKind::Total { id, category: account.holder.category.clone(), total: account.total };
        Event { sequence: account.changed, at: self.now, kind }
    }

    fn event(&mut self, kind: EventKind) -> Event {
        self.sequence += 1;
        Event { sequence: self.sequence, at: self.now, kind }
    }

    fn post(&mut self, id: &str, entry: Entry) -> Result<Event, Refusal> {
        let posted = self.ledger.post(id, entry, self.sequence + 1)?;
        let (id, category) = (posted.id.clone(), posted.holder.category.clone());
        let kind = EventKind::Total { id, category, total: posted.total };
        Ok(self.event(kind))
    }
}

fn holder(category: Arc<str>, product: &Product, declared: bool) -> Holder {
    Holder { category, seed_total: product.total(), declared }
}
