//! mockd plays a scenario: it serves categories and products over HTTP and their live order totals over WebSocket,
//! and follows the scenario's file while it is edited.
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
//! A request's way: [`http`] → the [route table](scenario::RouteTable) in the world's [`View`](world::View) → the route's
//! [`Plan`](scenario::Plan) → its handler.
//!
//! An order's way: script step → [`engine::Engine::advance`] → event → feed, encoded once → fan-out → socket. A save's way:
//! [`watch`] settles → [`scenario::load`] → [`engine::Engine::reload`] → events → the same feed. A switch to another file's
//! way: a handler asks by [`selector`] → [`watch`] loads that file → as a save from there on, and follows it.
//!
//! A change's way: handler → [`world::World`] → its task → [`engine::Engine`]. Where several servers are one mock: handler →
//! [`world::World`] → [`store`] → the tasks of that world on all servers, in the order of its log.
//!
//! A fault's way: the scenario, a step or a client brings it → [`engine::Engine`] says when it is in force and whom it hits →
//! request faults are carried out in [`http`], a socket's frames pass through it in [`world`], off the ways of all others.
//!
//! Tests in Rust need no other process: [`embed`] starts a mock on a free port and gives each test a world of its own.

#[cfg(feature = "cli")]
pub mod cli;
pub mod embed;
pub mod engine;
pub mod expression;
pub mod http;
mod logged_names;
pub mod reloads;
pub mod scenario;
pub mod selector;
pub mod server;
#[cfg(feature = "redis")]
pub mod store;
mod system;
#[cfg(feature = "cli")]
pub mod watch;
pub mod websocket;
pub mod world;
pub mod worlds;
