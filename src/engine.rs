//! What happens: a scenario played in virtual time, without a clock, a thread or a socket.
//!
//! An [`Engine`] says when something is due ([`Engine::next_due`]), advances to a time ([`Engine::advance`]), carries out
//! what clients want ([`Engine::apply`]) and goes on with another scenario ([`Engine::reload`]). Each answers with numbered
//! [`Event`]s. Time is a `Duration` since the world's start. The same scenario, seed, times and commands give the same
//! events on every platform.

mod catalogue;
mod change;
mod command;
mod event;
mod fault;
mod ledger;
mod random;
mod reload;
mod retained;
mod rows;
mod script;
mod state;
mod wildcard;

use std::sync::Arc;
use std::time::Duration;

pub use catalogue::{Catalogue, Listing};
pub use change::Change;
pub use command::{Command, Effects, FaultText};
pub use event::{Event, EventKind, MAX_CATEGORY_BYTES, MAX_FAULTS, Refusal};
use fault::FaultRun;
pub use fault::{FaultPhase, FaultSource, FaultState, FaultSubject, FaultTarget, Hit, SocketFault};
use ledger::{Account, AccountView, Ledger, TotalChange};
use random::GeneratorRun;
pub(crate) use random::RandomStream;
pub use reload::{Reload, ReloadPlan};
use retained::Retained;
use script::ScriptRun;
pub use script::{GeneratorState, ScriptState};
pub use state::{EngineState, StateError};
pub(crate) use wildcard::matches_wildcard;

use crate::scenario::{Action, NewProduct, Product, Scenario, ServerOptions};

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
    /// How often the world was reset or restored; see [`Engine::begin_epoch`].
    epoch: u32,
    /// Random streams given out so far; each generator has one of its own.
    streams: u64,
    /// What reloads have taken away.
    retained: Retained,
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
            epoch: 0,
            streams: 0,
            retained: Retained::default(),
            started_with: scenario.server().clone(),
            scenario: scenario.clone(),
        };
        for (category, product) in scenario.products() {
            engine.ledger.insert(product.id().clone(), account(category.name().clone(), product, true));
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

    fn total_event(&self, id: Arc<str>, account: AccountView<'_>) -> Event {
        let AccountView { account: Account { category, product, .. }, total, .. } = account;
        let kind = EventKind::Total { id, category: category.clone(), total, product: product.clone() };
        Event { sequence: account.changed, at: self.now, kind }
    }

    fn event(&mut self, kind: EventKind) -> Event {
        self.sequence += 1;
        Event { sequence: self.sequence, at: self.now, kind }
    }

    /// Does the first of what is due: faults, then scripts, then generators, each in declared order.
    fn fire(&mut self, due: Duration, events: &mut Vec<Event>) {
        if let Some(index) = self.faults.iter().position(|run| run.due() == Some(due)) {
            events.push(self.transition(index));
        } else if let Some(run) = self.scripts.iter_mut().find(|run| run.due() == Some(due)) {
            if let Some(action) = run.fire() {
                self.act(&action, events);
            }
        } else if let Some(run) = self.generators.iter_mut().find(|run| run.due() == Some(due))
            && let Some((index, amount)) = run.fire(&self.ledger)
            && let Some(id) = self.ledger.id_at(index).cloned()
        {
            let outcome = self.change_total(&id, TotalChange::Add(amount));
            self.record(outcome, events);
        }
    }

    fn act(&mut self, action: &Action, events: &mut Vec<Event>) {
        let outcome = match action {
            Action::Order { product, amount } => self.change_total(product, TotalChange::Add(*amount.start())),
            Action::Set { product, total } => self.change_total(product, TotalChange::Set(*total)),
            Action::Remove { product } => self.remove(product),
            Action::Add(new) => self.add(new, events),
            Action::Fault(fault) => {
                events.extend(self.add_fault(fault.clone(), FaultSource::Script).1);
                return;
            }
        };
        self.record(outcome, events);
    }

    fn record(&mut self, outcome: Result<Event, Refusal>, events: &mut Vec<Event>) {
        let event = outcome.unwrap_or_else(|refusal| self.event(EventKind::Skipped(refusal)));
        events.push(event);
    }

    fn remove(&mut self, id: &Arc<str>) -> Result<Event, Refusal> {
        let account = self.ledger.remove(id).ok_or_else(|| Refusal::UnknownProduct(id.clone()))?;
        self.catalogue.remove(&account.category, id);
        Ok(self.event(EventKind::Removed { id: id.clone(), category: account.category }))
    }

    /// A product that a script adds: it comes on sale, and its first total goes to the sockets.
    fn add(&mut self, new: &NewProduct, events: &mut Vec<Event>) -> Result<Event, Refusal> {
        let listing =
            self.catalogue.get(&new.category).ok_or_else(|| Refusal::UnknownCategory(new.category.clone()))?;
        let product = if new.has_id { new.product.clone() } else { Arc::new(self.numbered(listing, &new.product)) };
        let (id, total) = (product.id().clone(), product.total());
        if self.ledger.get(&id).is_some() {
            return Err(Refusal::DuplicateProduct(id));
        }
        let added = self.put_on_sale(&new.category, product);
        events.push(added);
        self.change_total(&id, TotalChange::Set(total))
    }

    fn put_on_sale(&mut self, category: &str, product: Arc<Product>) -> Event {
        let (id, category): (_, Arc<str>) = (product.id().clone(), category.into());
        self.ledger.insert(id.clone(), account(category.clone(), &product, false));
        self.catalogue.add(&category, product);
        self.event(EventKind::Added { id, category })
    }

    /// The product under an id that the category makes.
    fn numbered(&self, listing: &Listing, product: &Product) -> Product {
        product.with_id(self.free_id(listing)).with_number_id(listing.prefix().is_empty())
    }

    fn free_id(&self, listing: &Listing) -> Arc<str> {
        // Endless but for the 2^64 numbers of a category, of which the ledger cannot hold all.
        listing.next_ids().find(|id| self.ledger.get(id).is_none()).unwrap_or_else(|| listing.prefix().into())
    }
}

fn account(category: Arc<str>, product: &Arc<Product>, declared: bool) -> Account {
    let own_frames = product.has_own_frames().then(|| product.clone());
    Account { category, seed_total: product.total(), declared, product: own_frames }
}
