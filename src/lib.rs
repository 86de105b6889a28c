//! mockd is a mock backend with live data. A YAML file defines its responses over HTTP, WebSocket and server-sent
//! events, and the events that happen on their own. This is the library; [`embed`] runs a mock inside a test's
//! process.
//!
//! ```
//! use std::time::Duration;
//!
//! use mockd::embed::Mockd;
//! use mockd::world::{Expectation, Until};
//! use serde_json::json;
//!
//! const SCENARIO: &str = "
//!   data:
//!     tickets: [{ title: Printer on fire, status: open }]
//!   http:
//!     /tickets: { crud: tickets }
//!   scripts:
//!     - steps: [{ at: 5s, merge: { tickets: { id: 1, status: assigned } } }]
//! ";
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let mockd = Mockd::builder().yaml(SCENARIO).paused().start().await?;
//!
//!     // Each test gets a separate world. Point the app under test at `world.url()`.
//!     let world = mockd.world("a-test")?;
//!
//!     // The clock stands still until the test advances it.
//!     world.advance(Until::By(Duration::from_secs(5))).await?;
//!     let assigned = json!([{ "id": 1, "title": "Printer on fire", "status": "assigned" }]);
//!     assert_eq!(world.data("tickets"), Some(assigned));
//!
//!     // The journal records the app's requests. Here, there are none.
//!     let read = Expectation::request("GET", "/tickets").exactly(0);
//!     assert!(world.verify(&[read], false)?.pass);
//!     Ok(())
//! }
//! ```
//!
//! In `Cargo.toml`, `default-features = false` leaves out the command line and the store for multiple servers. The
//! example requires `serde_json`, and `tokio` with the features `macros` and `rt-multi-thread`.
//!
//! # Architecture
//!
//! The crate has three rings. Dependencies point only inward:
//!
//! - The inner ring depends on neither a runtime nor the network: [`scenario`] is the user's input, [`engine`] is the
//!   resulting behaviour, and [`expression`] evaluates expressions for both.
//! - The middle ring runs engines in time: [`world`] runs one engine, feeds sockets and keeps a journal. [`worlds`]
//!   holds one world per test. [`store`] keeps the logs from which several servers run the same worlds.
//! - The outer ring contains the edges: [`http`], [`watch`], [`server`], [`embed`] and [`cli`].
//!
//! Small modules connect the parts: [`websocket`] encodes and decodes messages, without I/O, for feeds and sockets.
//! [`reloads`] holds the result of the last reload. [`selector`] selects which of several files is served.
//!
//! # The path of a request
//!
//! This is how `POST /orders/A1` with `{"amount": 1}` gets from the accepted connection to the response and to the
//! event that sockets receive:
//!
//! 1. `http/connections.rs`, `ServedConnection::answer`: receives the request that hyper has parsed.
//! 2. [`http`], `Service`: chooses between the mock API and the control API.
//! 3. `http/target.rs`, `RequestTarget`: determines the world, the API and the normalized path.
//! 4. `http/body.rs`, `receive`: receives the body within its limits.
//! 5. `scenario/route.rs`, [`RouteTable`](scenario::RouteTable): finds the route and its [`Plan`](scenario::Plan) in
//!    the scenario of the world's [view](world::View).
//! 6. `http/mock.rs`, `Mock::answer`: runs steps 4 and 5, calls the plan's handler, here `count`, and builds the JSON
//!    response.
//! 7. `world/task.rs`, [`World::apply`](world::World::apply): sends a [`Command`](engine::Command) to the world's task,
//!    which runs commands in order, and returns its [effects](world::WorldEffects).
//! 8. `world/state.rs`, `WorldState::apply`: applies the command to the state that the task owns, including the engine.
//! 9. `engine/command.rs`, [`Engine::apply`](engine::Engine::apply): turns the command into [events](engine::Event).
//! 10. `engine/counters.rs`, `Counters::change`: sets the row's counter to its new value, or refuses the value.
//! 11. `world/publish.rs`, `WorldState::notify`: passes the event to the view, the transcript, the journal and the
//!     feed.
//! 12. `world/feed.rs`, `EventFeed::publish`: encodes the event once, as a message for the members of its topic. The
//!     fan-out writes the message to their sockets.
//!
//! Other modules may refuse, alter or record the request: `http/access.rs` (host check), `http/faults.rs` (active
//! faults), `world/journal.rs`, `http/cors.rs` (who may read the response). `http/error.rs` turns every error into a
//! response. [`worlds`] finds the world by name.
//!
//! # Other paths
//!
//! - A script: [`Engine::advance`](engine::Engine::advance) runs the commands of its steps when they are due. Each
//!   continues at step 9.
//! - A change in a mock of several servers: step 7 appends the command to the world's log in the [`store`]. The tasks
//!   of that world on all servers continue at step 8, in log order. The same applies to a frame that a client sends to
//!   an endpoint.
//! - A saved file: [`watch`] waits until the save is complete → [`scenario::load`] →
//!   [`Engine::reload`](engine::Engine::reload) → events, from step 11.
//! - A switch to another file: a handler sends a request through [`selector`] → [`watch`] loads that file and follows
//!   it → as for a saved file.
//! - A fault: the scenario, a step or a client adds it → the [engine](engine::Engine) decides when it is in force and
//!   what it affects → [`http`] applies request faults; [`world`] passes only the frames of affected sockets through
//!   the fault.

#[cfg(feature = "cli")]
pub mod cli;
pub mod embed;
pub mod engine;
pub mod expression;
pub mod http;
mod logged_names;
mod matching;
pub mod reloads;
mod request;
pub mod scenario;
pub mod selector;
pub mod server;
#[cfg(feature = "redis")]
pub mod store;
mod streams;
mod system;
mod uniform;
#[cfg(feature = "cli")]
pub mod watch;
pub mod websocket;
mod words;
pub mod world;
pub mod worlds;
