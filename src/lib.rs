//! mockd is a mock backend with live data: one YAML file says what it answers over HTTP, WebSocket and server-sent events, and
//! what happens by itself. This is the library; [`embed`] runs a mock inside a test's own process.
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
//!     // Each test has a world of its own. The app under test talks to `world.url()`.
//!     let world = mockd.world("a-test")?;
//!
//!     // The clock stands still until the test advances it.
//!     world.advance(Until::By(Duration::from_secs(5))).await?;
//!     let assigned = json!([{ "id": 1, "title": "Printer on fire", "status": "assigned" }]);
//!     assert_eq!(world.data("tickets"), Some(assigned));
//!
//!     // The journal knows what the app did: nothing yet.
//!     let read = Expectation::request("GET", "/tickets").exactly(0);
//!     assert!(world.verify(&[read], false)?.pass);
//!     Ok(())
//! }
//! ```
//!
//! In `Cargo.toml`, `default-features = false` leaves out the command line and the store of several servers. The example needs
//! `serde_json`, and `tokio` with its features `macros` and `rt-multi-thread`.
//!
//! # The parts
//!
//! Three rings, dependencies only inward:
//!
//! - [`scenario`] (what the user wrote) and [`engine`] (what happens) know neither runtime nor network;
//! - [`expression`] computes values from what is known, for both of them;
//! - [`world`] runs an engine in time, feeds sockets and keeps a journal, [`worlds`] has one for each test, [`reloads`]
//!   knows what became of the last save, [`selector`] which of several files is served;
//! - [`store`] keeps the logs by which several servers play the same worlds;
//! - [`http`], [`watch`], [`server`], [`embed`] and [`cli`] are the edges.
//!
//! [`websocket`] turns messages into bytes and back, without I/O, for the feed and for sockets.
//!
//! # The way of a request
//!
//! `POST /orders/A1` with `{"amount": 1}`, from the accepted connection to the answer and to the event that sockets get, file by
//! file:
//!
//! 1. `http/connections.rs` accepts the connection, and has hyper parse the request: `ServedConnection::answer`.
//! 2. [`http`] itself, `Service`: chooses between the mock API and the control API.
//! 3. `http/target.rs`, `RequestTarget`: which world, which of the two APIs, and the path in its one spelling.
//! 4. `http/mock.rs`, `Mock::answer`: from what the world [shows](world::View) to the handler of the route, here `count`.
//! 5. `http/body.rs` receives the body within its limits, and makes the JSON of the answer.
//! 6. `scenario/route.rs`: the [`RouteTable`](scenario::RouteTable) finds the route and its [`Plan`](scenario::Plan).
//! 7. `world/task.rs`: [`World::apply`](world::World::apply) has the world's task carry out a [`Command`](engine::Command), after
//!    whatever came before it, and gives its [effects](world::WorldEffects).
//! 8. `world/state.rs`, `WorldState::apply`: what the task owns, with the engine in it.
//! 9. `engine/command.rs`: [`Engine::apply`](engine::Engine::apply) turns the command into [events](engine::Event).
//! 10. `engine/counters.rs`, `Counters::change`: the row's counter takes its new value, or refuses it.
//! 11. `world/publish.rs`, `WorldState::notify`: view, transcript, journal and feed hear of the event.
//! 12. `world/feed.rs`, `EventFeed::publish`: it is a message for those who have joined its topic, encoded once, and the fan-out
//!     writes it to their sockets.
//!
//! The request passes some more, which only stop or note it: `http/access.rs` (the host), `http/faults.rs` (faults in force),
//! `world/journal.rs`, `http/cors.rs` (who may read the answer). `http/error.rs` makes an answer of every error.
//! [`worlds`] has the world by its name.
//!
//! # Other ways
//!
//! - A step of a script: [`Engine::advance`](engine::Engine::advance) fires its command, then the same way from 9 on.
//! - A change where several servers are one mock: 7 appends the command to the world's log in the [`store`], and the tasks of
//!   that world on all servers go on at 8, in the order of the log. So does a frame from the client of an endpoint's socket.
//! - A save: [`watch`] settles → [`scenario::load`] → [`Engine::reload`](engine::Engine::reload) → events, from 11 on.
//! - A switch to another file: a handler asks by [`selector`] → [`watch`] loads that file → as a save from there on, and follows it.
//! - A fault: the scenario, a step or a client brings it → the [engine](engine::Engine) says when it is in force and whom it hits →
//!   request faults are carried out in [`http`], a socket's frames pass through it in [`world`], off the ways of all others.

#[cfg(feature = "cli")]
pub mod cli;
pub mod embed;
pub mod engine;
pub mod expression;
pub mod http;
mod logged_names;
mod matching;
pub mod reloads;
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
