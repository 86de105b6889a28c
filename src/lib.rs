//! mockd plays a scenario: collections of rows over HTTP, counters on those rows, and every new value live over WebSocket. It
//! follows the scenario's file while it is edited. A shop with categories, products and orders is its first user.
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
//!
//! Tests in Rust need no other process: [`embed`] starts a mock on a free port and gives each test a world of its own.

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
