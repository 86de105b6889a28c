//! Tests of mockd from the outside (the binary, HTTP, sockets and a real browser), and of the engine as pure functions.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests fail by panicking")]

mod access;
mod any_api;
mod api;
mod browser;
mod changes;
mod cli;
mod clock;
mod closing;
mod coding;
mod cors;
mod dashboard;
mod data;
#[cfg(target_os = "linux")]
mod deprived;
mod docs;
mod editor;
mod engine;
mod errors;
mod examples;
mod expressions;
mod faults;
mod fragments;
mod golden;
mod handshake;
mod health;
mod history;
mod ids;
mod include;
mod injection;
mod inputs;
mod journal;
mod json;
mod language;
mod lifecycle;
mod limits;
mod live;
mod live_clients;
#[cfg(unix)]
mod live_line;
mod misdirected;
mod openapi;
mod packages;
mod paths;
mod polling;
mod print;
mod properties;
mod readme;
mod reference;
mod reload;
mod replicas;
mod requests;
mod retained;
mod rules;
mod saving;
mod scenarios;
mod shutdown;
mod site;
mod slow;
#[cfg(target_os = "linux")]
mod soak;
mod sockets;
#[cfg(unix)]
mod start;
mod state;
mod store;
mod streams;
mod support;
#[cfg(unix)]
mod torture;
mod websocket;
mod wire;
mod worlds;
