//! mockd plays a scenario: it serves categories and products over HTTP and their live order totals over WebSocket,
//! and follows the scenario's file while it is edited.
//!
//! Three rings, dependencies only inward:
//!
//! - [`scenario`] (what the user wrote) and [`engine`] (what happens) know neither runtime nor network;
//! - [`world`] runs an engine in time and feeds sockets, [`reloads`] knows what became of the last save;
//! - [`http`], [`watch`], [`server`] and [`cli`] are the edges.
//!
//! An order's way: script step → [`engine::Engine::advance`] → event → feed, encoded once → socket. A save's way:
//! [`watch`] settles → [`scenario::load`] → [`engine::Engine::replace`] → events → the same feed.
//!
//! # A mock inside a test
//! ```
//! use std::sync::Arc;
//! use mockd::scenario::{Cors, Source, parse};
//! use mockd::server::{Server, ServerConfig};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! let text = "categories: { electronics: { prefix: A, products: [{ name: Vacuum Cleaner, total: 3 }] } }";
//! let scenario = Arc::new(parse(&Source::new("shop.yaml", text))?);
//! let config = ServerConfig {
//!     address: ([127, 0, 0, 1], 0).into(),
//!     site: mockd::http::Site::BuiltIn,
//!     cors: Cors::Any,
//!     seed: 42,
//! };
//! let server = Server::start(&scenario, config).await?;
//! println!("point the app at {}", server.url());
//! server.world().order("A1", 10).await?;
//! server.stop().await;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })
//! # }
//! ```

pub mod cli;
pub mod engine;
pub mod http;
pub mod reloads;
pub mod scenario;
pub mod server;
pub mod watch;
pub mod world;
