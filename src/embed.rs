//! Mocks that run inside a test's own process.
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
//! // Each test gets a separate world. Point the app under test at `world.url()`.
//! let world = mockd.world("checkout")?;
//! let advanced = world.advance(Until::By(Duration::from_secs(10))).await?;
//! assert_eq!(advanced.count, 1);
//! world.order("T1", 2).await?;
//! assert_eq!(world.state().await?.values, [("T1".into(), 10)]);
//!
//! // The world's journal records the app's requests.
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

/// A mock in this process, on loopback and a free port by default. Dropping it stops the mock; [`Mockd::stop`] also
/// waits until it has stopped.
#[derive(Debug)]
pub struct Mockd {
    server: Server,
}

/// A world and its URL.
#[derive(Debug, Clone)]
pub struct MockWorld {
    world: World,
    url: String,
}

/// A builder for a [`Mockd`].
#[derive(Debug, Clone, Default)]
#[must_use = "a mock does not run until start() is called"]
pub struct MockdBuilder {
    scenario: Option<ScenarioInput>,
    seed: Option<u64>,
    port: u16,
    site: Site,
    worlds: WorldOptions,
    limits: Limits,
    #[cfg(feature = "redis")]
    store: Option<StoreConfig>,
}

#[derive(Debug, Clone)]
enum ScenarioInput {
    File(PathBuf),
    Text(String),
    Scenario(Arc<Scenario>),
}

/// An error that prevents a mock from starting.
#[derive(Debug, Error)]
pub enum StartError {
    /// The builder has no scenario.
    #[error("no scenario given; call file(), yaml() or scenario() before start()")]
    NoScenario,
    /// The scenario cannot be read or is invalid.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The server cannot be started with this configuration.
    #[error(transparent)]
    Serve(#[from] ServeError),
}

impl Mockd {
    /// Returns a builder with default settings.
    pub fn builder() -> MockdBuilder {
        MockdBuilder::default()
    }

    /// Returns the URL of the default world, without a trailing slash.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Returns the default world, which serves paths without a world prefix.
    #[must_use]
    pub fn default_world(&self) -> World {
        self.server.world()
    }

    /// Returns the world named `name`, creating it if it does not exist. Finds a shared world only if this server
    /// already plays it; otherwise use [`Mockd::shared_world`].
    ///
    /// # Errors
    /// [`WorldsError`] if `name` is not a valid name or there are too many worlds.
    pub fn world(&self, name: &str) -> Result<MockWorld, WorldsError> {
        self.worlds().get_or_create(name).map(|world| self.with_url(world))
    }

    /// Returns the world like [`Mockd::world`], but also finds worlds that other mocks share.
    ///
    /// # Errors
    /// [`WorldsError`].
    pub async fn shared_world(&self, name: &str) -> Result<MockWorld, WorldsError> {
        self.worlds().find(name, true).await.map(|world| self.with_url(world))
    }

    fn with_url(&self, world: World) -> MockWorld {
        MockWorld { url: format!("{}/@{}", self.url(), world.name()), world }
    }

    /// Returns all worlds.
    #[must_use]
    pub fn worlds(&self) -> &Worlds {
        self.server.worlds()
    }

    /// Closes all sockets with 1001, answers requests in flight, and waits until all tasks have ended.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

/// Access to data, and steps on behalf of the test.
impl World {
    /// Returns the current value of a name in `data`: a value, or the rows of a collection as a list. Returns `None` if
    /// the name is unknown.
    #[must_use]
    pub fn data(&self, name: &str) -> Option<Value> {
        let view = self.view();
        if let Some(value) = view.values.get(name) {
            return Some(Value::clone(value));
        }
        let rows = view.collections.get(name)?.rows();
        Some(rows.iter().map(|row| row.to_json()).collect())
    }

    /// Atomically sets values of `data` and replaces the rows of its collections. Returns the resulting events.
    ///
    /// # Errors
    /// [`WorldError`] if a name is unknown, a collection rejects its rows, or the world has ended.
    pub async fn set_data(&self, data: Map<String, Value>) -> Result<Vec<Event>, WorldError> {
        Ok(self.apply(Command::SetData { data }).await?.events)
    }

    /// Atomically runs steps, written as in a scenario, and returns the resulting events. The world runs steps that are
    /// due later on its clock.
    ///
    /// # Errors
    /// [`WorldError`] if the steps are malformed, a step that is due now is refused, or the world has ended.
    pub async fn steps(&self, steps: Value) -> Result<Vec<Event>, WorldError> {
        Ok(self.apply(Command::Steps { steps: StepsText::Written(steps) }).await?.events)
    }

    /// Sends a frame to all members of a topic, like a `send` step, and returns the resulting events.
    ///
    /// # Errors
    /// [`WorldError::Ended`].
    pub async fn send_to(&self, topic: &str, frame: Frame) -> Result<Vec<Event>, WorldError> {
        let to = Topic::Named(topic.into());
        Ok(self.apply(Command::Send { to: vec![to], frame, except: None }).await?.events)
    }
}

/// Shop operations. For any other change, use [`World::apply`].
impl World {
    /// Orders `amount` of a product by adding it to the product's total.
    ///
    /// # Errors
    /// [`WorldError`] if the product does not exist, the total would leave ±(2^53 - 1), or the world has ended.
    pub async fn order(&self, id: &str, amount: i64) -> Result<(), WorldError> {
        self.apply(Command::count(id, amount)).await.map(drop)
    }

    /// Atomically orders each amount of its product and returns the resulting events.
    ///
    /// # Errors
    /// [`WorldError`] for the first order that fails, or if the world has ended.
    pub async fn orders(&self, orders: Vec<(Arc<str>, i64)>) -> Result<Vec<Event>, WorldError> {
        Ok(self.apply(Command::CountAll { amounts: orders }).await?.events)
    }

    /// Atomically sets the total of each product and returns the resulting events.
    ///
    /// # Errors
    /// [`WorldError`] for the first total that cannot be set, or if the world has ended.
    pub async fn set_totals(&self, totals: Vec<(Arc<str>, i64)>) -> Result<Vec<Event>, WorldError> {
        Ok(self.apply(Command::SetCounters { values: totals }).await?.events)
    }
}

impl MockWorld {
    /// Returns the base URL of the world's API and browser app, without a trailing slash.
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
    /// Sets the scenario to a file and the files it includes. They are read once and not watched.
    pub fn file(self, path: impl Into<PathBuf>) -> Self {
        Self { scenario: Some(ScenarioInput::File(path.into())), ..self }
    }

    /// Sets the scenario to YAML text.
    pub fn yaml(self, text: impl Into<String>) -> Self {
        Self { scenario: Some(ScenarioInput::Text(text.into())), ..self }
    }

    /// Sets the scenario to one that is already loaded.
    pub fn scenario(self, scenario: Arc<Scenario>) -> Self {
        Self { scenario: Some(ScenarioInput::Scenario(scenario)), ..self }
    }

    /// Sets the seed for every random choice, overriding the scenario's. Without either, the seed is 0, so that all
    /// runs are the same.
    pub fn seed(self, seed: u64) -> Self {
        Self { seed: Some(seed), ..self }
    }

    /// Pauses the clocks until they are advanced.
    pub fn paused(mut self) -> Self {
        self.worlds.pace.paused = true;
        self
    }

    /// Sets the speed of the clocks as a multiple of real time.
    pub fn speed(mut self, speed: f64) -> Self {
        self.worlds.pace.speed = speed;
        self
    }

    /// Sets the port. The default is a free port.
    pub fn port(self, port: u16) -> Self {
        Self { port, ..self }
    }

    /// Sets the site served at `/`. The default is the browser app.
    pub fn site(self, site: Site) -> Self {
        Self { site, ..self }
    }

    /// Sets the options of all worlds, replacing earlier [`paused`](Self::paused) and [`speed`](Self::speed) calls.
    pub fn worlds(self, worlds: WorldOptions) -> Self {
        Self { worlds, ..self }
    }

    /// Sets the limits for clients.
    pub fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Shares the worlds through a store. All mocks of this process that use the same store act as one mock.
    #[cfg(feature = "redis")]
    pub fn shared_by(self, store: &Memory) -> Self {
        let store = StoreConfig { store: StoreKind::Memory(store.clone()), publish: false, files: Vec::new() };
        Self { store: Some(store), ..self }
    }

    /// Starts the mock. It accepts requests once this returns.
    ///
    /// # Errors
    /// [`StartError`] if the scenario is missing or invalid, the request timeout is too short, or the port is not
    /// available.
    pub async fn start(self) -> Result<Mockd, StartError> {
        let mut file = None;
        let scenario = match self.scenario.ok_or(StartError::NoScenario)? {
            ScenarioInput::File(path) => Arc::new(load(file.insert(path)).outcome?),
            ScenarioInput::Text(text) => {
                Arc::new(parse(&Source::new("scenario.yaml", &text)).map_err(LoadError::Invalid)?)
            }
            ScenarioInput::Scenario(scenario) => scenario,
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
    async fn a_request_timeout_that_is_too_short_is_refused() {
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
