//! The state of handlers, for tests that run without a server.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{App, ControlAccess, Hosts, Limits, Misdirected, PollingSessions, handshake_header_case};
use crate::reloads::Reloads;
use crate::scenario::{Cors, Scenario, Source, parse};
use crate::selector::ScenarioSelector;
use crate::worlds::{WorldOptions, Worlds};

/// Returns a shop with one toy.
pub(super) fn shop() -> Scenario {
    parse(&Source::new("scenario.yaml", "categories: { toys: { prefix: T, products: [{ id: T1 }] } }")).unwrap()
}

/// Returns the state of a server whose control API is off.
pub(super) fn app(scenario: Scenario) -> Arc<App> {
    let (tasks, shutdown) = (TaskTracker::new(), CancellationToken::new());
    Arc::new(App {
        worlds: Worlds::start(&Arc::new(scenario), 0, WorldOptions::default(), &tasks, shutdown.clone()),
        reloads: Reloads::default(),
        selector: ScenarioSelector::fixed(None),
        access: ControlAccess::Off,
        hosts: Hosts::Any,
        cors: Cors::Any,
        limits: Limits::default(),
        tasks,
        shutdown,
        handshake_header_case: handshake_header_case(),
        polling: PollingSessions::default(),
        misdirected: Misdirected::default(),
    })
}
