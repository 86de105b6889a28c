//! mockd from outside: the binary, HTTP, sockets and a real browser; and the engine as pure functions.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on says so by panicking")]

mod api;
mod browser;
mod changes;
mod cli;
mod editor;
mod engine;
mod errors;
mod examples;
mod include;
mod language;
mod live;
mod print;
mod properties;
mod reload;
mod support;
mod wire;
