//! Logs misdirected requests: requests for another host, for a path without a route, for a field that no row has, for a
//! subprotocol that an endpoint does not speak, or in a protocol other than HTTP/1.1. Each is logged once, with a
//! remedy.

use std::sync::atomic::{AtomicBool, Ordering};

use poem::http::Method;
use tracing::warn;

use super::error::ApiError;
use super::host_name::is_host_name;
use crate::engine::QueryNote;
use crate::logged_names::{LoggedNames, NameLine};
use crate::world::World;

/// The maximum number of characters of a path, or of a reason that quotes a client, to log.
const MOST_CHARACTERS: usize = 200;

/// Paths that browsers request automatically.
const BROWSER_PATHS: [&str; 4] = [
    "/favicon.ico",
    "/apple-touch-icon.png",
    "/apple-touch-icon-precomposed.png",
    "/.well-known/appspecific/com.chrome.devtools.json",
];

/// A record of the warnings already logged.
#[derive(Debug, Default)]
pub(crate) struct Misdirected {
    hosts: LoggedNames,
    routes: LoggedNames,
    queries: LoggedNames,
    subprotocols: LoggedNames,
    tls: AtomicBool,
    http2: AtomicBool,
}

impl Misdirected {
    /// Logs that a request for another host was refused.
    pub(super) fn refused(&self, why: &ApiError) {
        let ApiError::ForeignHost(name) = why else { return };
        if !is_host_name(name) {
            return;
        }
        match self.hosts.note(name) {
            NameLine::Name => warn!("refused a request for {name}: {why}"),
            NameLine::NoMore => {
                warn!("refused requests for more than {} hosts; the log names no further ones", LoggedNames::MAX_NAMES);
            }
            NameLine::Nothing => {}
        }
    }

    /// Logs that a request matched neither a route nor a file of the site. `nearest` is the route that was most likely
    /// meant.
    pub(super) fn no_route(&self, world: &World, method: &Method, path: &str, nearest: Option<&str>) {
        let advice = nearest.map(|near| format!(", did you mean {near}?"));
        self.log_no_route(world, method, path, &advice.unwrap_or_default());
    }

    /// Logs that a request for an endpoint was neither an upgrade nor of a method that the path has a route for.
    pub(super) fn no_upgrade(&self, world: &World, method: &Method, path: &str, why: &ApiError) {
        self.log_no_route(world, method, path, &format!(": {why}"));
    }

    fn log_no_route(&self, world: &World, method: &Method, path: &str, advice: &str) {
        if BROWSER_PATHS.contains(&path) {
            return;
        }
        let path: String = path.chars().take(MOST_CHARACTERS).collect();
        let request = format!("{method} {path}");
        match self.routes.note(&request) {
            NameLine::Name => warn!(world = %world.name(), "no route for {request}{advice}"),
            NameLine::NoMore => {
                warn!("more than {} requests found no route; the log names no further ones", LoggedNames::MAX_NAMES);
            }
            NameLine::Nothing => {}
        }
    }

    /// Logs that a list query of the route with this key has a name without a meaning.
    pub(super) fn unknown_query_name(&self, world: &World, route: &str, note: &QueryNote) {
        match self.queries.note(&format!("{route} {}", note.name())) {
            NameLine::Name => warn!(world = %world.name(), "`{route}`: {note}"),
            NameLine::NoMore => {
                warn!(
                    "list queries have more than {} names without a meaning; the log names no further ones",
                    LoggedNames::MAX_NAMES
                );
            }
            NameLine::Nothing => {}
        }
    }

    /// Logs that the endpoint with this key refused the subprotocols that a client offers.
    pub(super) fn no_subprotocol(&self, world: &World, endpoint: &str, why: &ApiError) {
        let why: String = why.to_string().chars().take(MOST_CHARACTERS).collect();
        match self.subprotocols.note(&format!("{endpoint} {why}")) {
            NameLine::Name => warn!(world = %world.name(), "`websocket {endpoint}` refused a client: {why}"),
            NameLine::NoMore => {
                warn!(
                    "clients offer more than {} lists of other subprotocols; the log names no further ones",
                    LoggedNames::MAX_NAMES
                );
            }
            NameLine::Nothing => {}
        }
    }

    /// Logs that a client spoke TLS.
    pub(super) fn warn_of_tls(&self) {
        if !self.tls.swap(true, Ordering::Relaxed) {
            warn!(
                "a client speaks TLS, and mockd does not: use http:// instead of https://, and ws:// instead of wss://"
            );
        }
    }

    /// Logs that a client spoke HTTP/2 with prior knowledge (RFC 9113, 3.3).
    pub(super) fn warn_of_http2(&self) {
        if !self.http2.swap(true, Ordering::Relaxed) {
            warn!("a client speaks HTTP/2, and mockd does not: configure the client to use HTTP/1.1");
        }
    }
}
