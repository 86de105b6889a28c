//! What reaches mockd and was meant for something else: requests for another host, for paths without a route, for fields that no
//! row has, and other protocols than HTTP/1.1. The log says so once, with what to do about it.

use std::sync::atomic::{AtomicBool, Ordering};

use poem::http::Method;
use tracing::warn;

use super::error::ApiError;
use super::host_name::is_host_name;
use crate::engine::QueryNote;
use crate::logged_names::{LoggedNames, NameLine};
use crate::world::World;

/// Characters of a path that are logged.
const MOST_CHARACTERS: usize = 200;

/// Paths that browsers ask for by themselves.
const ASKED_BY_THEMSELVES: [&str; 4] = [
    "/favicon.ico",
    "/apple-touch-icon.png",
    "/apple-touch-icon-precomposed.png",
    "/.well-known/appspecific/com.chrome.devtools.json",
];

/// What was logged already.
#[derive(Debug, Default)]
pub(crate) struct Misdirected {
    hosts: LoggedNames,
    routes: LoggedNames,
    queries: LoggedNames,
    tls: AtomicBool,
    http2: AtomicBool,
}

impl Misdirected {
    /// A request was refused.
    pub(super) fn refused(&self, why: &ApiError) {
        let ApiError::ForeignHost(name) = why else { return };
        if !is_host_name(name) {
            return;
        }
        match self.hosts.note(name) {
            NameLine::Name => warn!("refused a request for {name}: {why}"),
            NameLine::NoMore => {
                warn!("refused requests for more than {} hosts; the log names no further ones", LoggedNames::MOST);
            }
            NameLine::Nothing => {}
        }
    }

    /// A request of a world found no route, nor a file of the site; the nearest route is what was most likely meant.
    pub(super) fn found_no_route(&self, world: &World, method: &Method, path: &str, nearest: Option<&str>) {
        if ASKED_BY_THEMSELVES.contains(&path) {
            return;
        }
        let path: String = path.chars().take(MOST_CHARACTERS).collect();
        let request = format!("{method} {path}");
        match self.routes.note(&request) {
            NameLine::Name => {
                let advice = nearest.map(|near| format!(", did you mean {near}?")).unwrap_or_default();
                warn!(world = %world.name(), "no route for {request}{advice}");
            }
            NameLine::NoMore => {
                warn!("more than {} requests found no route; the log names no further ones", LoggedNames::MOST);
            }
            NameLine::Nothing => {}
        }
    }

    /// A list of a route of that key was asked for by something that means nothing.
    pub(super) fn found_no_meaning(&self, world: &World, route: &str, note: &QueryNote) {
        match self.queries.note(&format!("{route} {}", note.name())) {
            NameLine::Name => warn!(world = %world.name(), "`{route}`: {note}"),
            NameLine::NoMore => {
                warn!(
                    "lists were asked for by more than {} names that mean nothing; the log names no further ones",
                    LoggedNames::MOST
                );
            }
            NameLine::Nothing => {}
        }
    }

    /// A client spoke TLS.
    pub(super) fn spoke_tls(&self) {
        if !self.tls.swap(true, Ordering::Relaxed) {
            warn!(
                "a client speaks TLS, and mockd does not: use http:// instead of https://, and ws:// instead of wss://"
            );
        }
    }

    /// A client spoke HTTP/2 without asking whether the server does (RFC 9113, 3.3).
    pub(super) fn spoke_http2(&self) {
        if !self.http2.swap(true, Ordering::Relaxed) {
            warn!("a client speaks HTTP/2, and mockd does not: have the client use HTTP/1.1");
        }
    }
}
