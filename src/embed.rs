//! A mock inside a test, without another process.
//!
//! ```
//! use std::time::Duration;
//!
//! use mockd::embed::Mockd;
//! use mockd::world::{Expectation, Until};
//! use serde_json::json;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! let scenario = "
//!   categories: { toys: { prefix: T, products: [{ name: Kite, total: 3 }] } }
//!   orders: { scripts: [{ steps: [{ at: 10s, product: T1, amount: 5 }] }] }
//! ";
//! let mockd = Mockd::builder().yaml(scenario).seed(42).paused().start().await?;
//!
//! // Each test has a world of its own: the app under test is pointed at `world.url()`.
//! let world = mockd.world("checkout")?;
//! let advanced = world.advance(Until::By(Duration::from_secs(10))).await?;
//! assert_eq!(advanced.count, 1);
//! world.order("T1", 2).await?;
//! assert_eq!(world.state().await?.values, [("T1".into(), 10)]);
//!
//! // What the app did is in the world's journal.
//! let order = Expectation::request("POST", "/orders/T1").body(json!({ "amount": 2 })).exactly(0);
//! assert!(world.verify(&[order], false)?.pass);
//!
//! world.reset(None).await?;
//! assert_eq!(world.state().await?.values, [("T1".into(), 3)]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })
//! # }
//! ```

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Map, Value};
use thiserror::Error;

use crate::engine::{Command, Event, Frame, StepsText, Topic};
use crate::http::{ControlAccess, Hosts, Limits, Site};
use crate::scenario::{LoadError, Scenario, Source, load, parse};
use crate::selector::ScenarioSelector;
use crate::server::{ServeError, Server, ServerConfig};
#[cfg(feature = "redis")]
use crate::server::{StoreConfig, StoreKind};
#[cfg(feature = "redis")]
use crate::store::Memory;
use crate::world::{World, WorldError};
use crate::worlds::{WorldOptions, Worlds, WorldsError};

/// A mock in this process, on loopback and a free port unless set otherwise. It stops when it is dropped;
/// [`Mockd::stop`] waits for that.
#[derive(Debug)]
pub struct Mockd {
    server: Server,
}

/// A world and where it is.
#[derive(Debug, Clone)]
pub struct MockWorld {
    world: World,
    url: String,
}

/// How to start a mock.
#[derive(Debug, Clone, Default)]
#[must_use = "a mock runs from start() on"]
pub struct MockdBuilder {
    scenario: Option<Given>,
    seed: Option<u64>,
    port: u16,
    site: Site,
    worlds: WorldOptions,
    limits: Limits,
    #[cfg(feature = "redis")]
    store: Option<StoreConfig>,
}

#[derive(Debug, Clone)]
enum Given {
    File(PathBuf),
    Text(String),
    Scenario(Arc<Scenario>),
}

/// Why a mock did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// None of the builder's methods that give a scenario was called.
    #[error("no scenario is given; call file(), yaml() or scenario() before start()")]
    NoScenario,
    /// The scenario cannot be read, or is wrong.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The server cannot be started as it was asked for.
    #[error(transparent)]
    Serve(#[from] ServeError),
}

impl Mockd {
    /// How to start one.
    pub fn builder() -> MockdBuilder {
        MockdBuilder::default()
    }

    /// The URL of the default world, without a slash at its end.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// The world of paths without a world's prefix.
    #[must_use]
    pub fn default_world(&self) -> World {
        self.server.world()
    }

    /// The world of that name, which is made if there is none. Of worlds that are shared, only those are found that are
    /// played here by now; see [`Mockd::shared_world`].
    ///
    /// # Errors
    /// [`WorldsError`] if it is no name, or there are too many worlds.
    pub fn world(&self, name: &str) -> Result<MockWorld, WorldsError> {
        self.worlds().get_or_make(name).map(|world| self.at_its_url(world))
    }

    /// As [`Mockd::world`], also if the mock shares its worlds with others.
    ///
    /// # Errors
    /// [`WorldsError`].
    pub async fn shared_world(&self, name: &str) -> Result<MockWorld, WorldsError> {
        self.worlds().find(name, true).await.map(|world| self.at_its_url(world))
    }

    fn at_its_url(&self, world: World) -> MockWorld {
        MockWorld { url: format!("{}/@{}", self.url(), world.name()), world }
    }

    /// All worlds.
    #[must_use]
    pub fn worlds(&self) -> &Worlds {
        self.server.worlds()
    }

    /// Closes all sockets with 1001, answers what is in flight, and waits until everything has ended.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

/// Data, and steps from outside.
impl World {
    /// What a name of `data` is now: a value, or the rows of a collection as a list; `None` for an unknown name.
    #[must_use]
    pub fn data(&self, name: &str) -> Option<Value> {
        let view = self.view();
        if let Some(value) = view.values.get(name) {
            return Some(Value::clone(value));
        }
        let rows = view.collections.get(name)?.rows();
        Some(rows.iter().map(|row| row.to_json()).collect())
    }

    /// Sets values of `data` and the rows of its collections, all of them or none, and gives what happened. Rows that are not
    /// among the new ones go.
    ///
    /// # Errors
    /// [`WorldError`] for an unknown name or for rows that the collection does not take, or if the world has ended.
    pub async fn set_data(&self, data: Map<String, Value>) -> Result<Vec<Event>, WorldError> {
        Ok(self.apply(Command::SetData { data }).await?.events)
    }

    /// Carries out steps, written as in a scenario, all of them or none, and gives what happened. What is due later belongs to
    /// the world.
    ///
    /// # Errors
    /// [`WorldError`] if they are not written as they must be, one that is due now is refused, or the world has ended.
    pub async fn steps(&self, steps: Value) -> Result<Vec<Event>, WorldError> {
        Ok(self.apply(Command::Steps { steps: StepsText::Written(steps) }).await?.events)
    }

    /// Sends a frame to all who have joined a topic, as a step `send` does, and gives what happened.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn send_to(&self, topic: &str, frame: Frame) -> Result<Vec<Event>, WorldError> {
        let to = Topic::Named(topic.into());
        Ok(self.apply(Command::Send { to: vec![to], frame, except: None }).await?.events)
    }
}

/// Changes in the words of a shop; [`World::apply`] takes any other.
impl World {
    /// Orders that amount of a product: adds it to its total.
    ///
    /// # Errors
    /// [`WorldError`] if there is no such product, the total would leave ±(2^53 - 1), or the world has ended.
    pub async fn order(&self, id: &str, amount: i64) -> Result<(), WorldError> {
        self.apply(Command::count(id, amount)).await.map(drop)
    }

    /// Orders each amount of its product, all of them or none, and gives what happened.
    ///
    /// # Errors
    /// [`WorldError`] for the first that is not possible, or if the world has ended.
    pub async fn orders(&self, orders: Vec<(Arc<str>, i64)>) -> Result<Vec<Event>, WorldError> {
        Ok(self.apply(Command::CountAll { amounts: orders }).await?.events)
    }

    /// Sets each product's total, all of them or none, and gives what happened.
    ///
    /// # Errors
    /// [`WorldError`] for the first that is not possible, or if the world has ended.
    pub async fn set_totals(&self, totals: Vec<(Arc<str>, i64)>) -> Result<Vec<Event>, WorldError> {
        Ok(self.apply(Command::SetCounters { values: totals }).await?.events)
    }
}

impl MockWorld {
    /// What its API and its browser app are below, without a slash at its end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Deref for MockWorld {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

impl MockdBuilder {
    /// The scenario in a file, with all that it includes. It is read once and not followed.
    pub fn file(self, path: impl Into<PathBuf>) -> Self {
        Self { scenario: Some(Given::File(path.into())), ..self }
    }

    /// A scenario's text.
    pub fn yaml(self, text: impl Into<String>) -> Self {
        Self { scenario: Some(Given::Text(text.into())), ..self }
    }

    /// A scenario that was read before.
    pub fn scenario(self, scenario: Arc<Scenario>) -> Self {
        Self { scenario: Some(Given::Scenario(scenario)), ..self }
    }

    /// The seed of all that is random, instead of the scenario's; 0 if there is neither, so that each run is the same.
    pub fn seed(self, seed: u64) -> Self {
        Self { seed: Some(seed), ..self }
    }

    /// Clocks stand still until they are advanced.
    pub fn paused(mut self) -> Self {
        self.worlds.pace.paused = true;
        self
    }

    /// How many times as fast as the machine's the clocks go.
    pub fn speed(mut self, speed: f64) -> Self {
        self.worlds.pace.speed = speed;
        self
    }

    /// The port, instead of a free one.
    pub fn port(self, port: u16) -> Self {
        Self { port, ..self }
    }

    /// What is served at `/`, instead of the browser app.
    pub fn site(self, site: Site) -> Self {
        Self { site, ..self }
    }

    /// Everything else that worlds have in common.
    pub fn worlds(self, worlds: WorldOptions) -> Self {
        Self { worlds, ..self }
    }

    /// How much clients may take of it.
    pub fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// What it shares its worlds by with other mocks of this process: all that are given the same are one mock.
    #[cfg(feature = "redis")]
    pub fn shared_by(self, store: &Memory) -> Self {
        let store = StoreConfig { store: StoreKind::Memory(store.clone()), publish: false, files: Vec::new() };
        Self { store: Some(store), ..self }
    }

    /// Starts it. It answers from here on.
    ///
    /// # Errors
    /// [`StartError`] if there is no scenario, it is wrong, a limit lets no request arrive, or the port cannot be had.
    pub async fn start(self) -> Result<Mockd, StartError> {
        let mut file = None;
        let scenario = match self.scenario.ok_or(StartError::NoScenario)? {
            Given::File(path) => Arc::new(load(file.insert(path)).outcome?),
            Given::Text(text) => Arc::new(parse(&Source::new("scenario.yaml", &text)).map_err(LoadError::Invalid)?),
            Given::Scenario(scenario) => scenario,
        };
        let config = ServerConfig {
            address: SocketAddr::new(Ipv4Addr::LOCALHOST.into(), self.port),
            also_ipv6_loopback: true,
            site: self.site,
            cors: scenario.server().cors().clone(),
            seed: self.seed.or(scenario.seed()).unwrap_or_default(),
            worlds: self.worlds,
            access: ControlAccess::Local { origins: Vec::new() },
            hosts: Hosts::Local { also: Vec::new() },
            limits: self.limits,
            selector: ScenarioSelector::fixed(file.as_deref()),
            #[cfg(feature = "redis")]
            store: self.store,
        };
        Ok(Mockd { server: Server::start(&scenario, config).await? })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Limits, Mockd, ServeError, StartError};

    #[tokio::test]
    async fn limits_that_leave_a_request_no_time_are_refused() {
        for (request, is_refused) in [(Duration::ZERO, true), (Limits::SHORTEST_REQUEST, false), (Duration::MAX, false)]
        {
            let mock = Mockd::builder()
                .yaml("categories: { toys: { prefix: T, products: [{ id: T1 }] } }")
                .limits(Limits { request, ..Limits::default() });
            match mock.start().await {
                Err(StartError::Serve(ServeError::RequestTime(given))) => assert!(is_refused && given == request),
                Err(error) => panic!("{error}"),
                Ok(mockd) => {
                    assert!(!is_refused, "{request:?}");
                    mockd.stop().await;
                }
            }
        }
    }
}
