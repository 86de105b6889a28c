//! The parts of requests, handshakes and members that faults match.

use std::sync::Arc;

use crate::engine::collections::Collections;
use crate::engine::counters::Counters;
use crate::engine::wildcard::matches_wildcard;
use crate::scenario::{Effect, Matches};

/// The parts of a request or a handshake that faults match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultTarget {
    /// Its method.
    pub method: String,
    /// The decoded path below the world's prefix, which is matched against a fault's pattern.
    pub path: String,
    /// Whether it is a WebSocket handshake (RFC 6455, 4.1).
    pub is_handshake: bool,
    /// Its subject.
    pub subject: FaultSubject,
}

/// The subject of a request or a handshake, whether or not it exists in the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultSubject {
    /// The collection with this name.
    Collection(String),
    /// The row with this id.
    Row(String),
    /// Neither, but a route of the scenario handles it.
    Route,
    /// None of these.
    Other,
}

/// The parts of an open socket or stream that faults match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultMember {
    /// A socket.
    Socket {
        /// The collection that it last subscribed to.
        collection: Arc<str>,
    },
    /// A stream.
    Stream {
        /// The decoded path of its request, below the world's prefix.
        path: Arc<str>,
    },
    /// A socket of an endpoint that the scenario declares.
    Endpoint {
        /// The decoded path of its handshake, below the world's prefix.
        path: Arc<str>,
    },
}

impl FaultMember {
    /// Whether a fault on open sockets or streams may hit the member.
    pub(super) fn fits(&self, matches: &Matches) -> bool {
        match self {
            Self::Endpoint { path } => {
                !matches.streams
                    && matches.collection.is_none()
                    && matches.path.as_deref().is_none_or(|pattern| is_path_of(pattern, path))
            }
            Self::Socket { collection } => {
                !matches.streams
                    && matches.path.is_none()
                    && matches.collection.as_ref().is_none_or(|wanted| wanted == collection)
            }
            Self::Stream { path } => {
                matches.streams && matches.path.as_deref().is_none_or(|pattern| is_path_of(pattern, path))
            }
        }
    }
}

/// Whether a pattern matches a path. A trailing slash makes no difference.
fn is_path_of(pattern: &str, path: &str) -> bool {
    matches_wildcard(pattern, path) || matches_wildcard(pattern, path.trim_end_matches('/'))
}

/// A target whose subject has been looked up in the world.
pub(super) struct ResolvedTarget<'r> {
    request: &'r FaultTarget,
    /// Whether it is part of the API, and so is hit by faults without a path.
    is_api: bool,
    collection: Option<&'r str>,
    row: Option<&'r str>,
}

impl FaultTarget {
    pub(super) fn resolve<'r>(&'r self, collections: &Collections, counters: &'r Counters) -> ResolvedTarget<'r> {
        let (collection, row) = match &self.subject {
            // A socket may subscribe to a collection that does not exist.
            FaultSubject::Collection(name) => {
                (Some(&**name).filter(|name| self.is_handshake || collections.get(name).is_some()), None)
            }
            FaultSubject::Row(id) => (counters.get(id).map(|counter| &*counter.counter.collection), Some(&**id)),
            FaultSubject::Route | FaultSubject::Other => (None, None),
        };
        let is_api = collection.is_some() || row.is_some() || self.subject == FaultSubject::Route;
        ResolvedTarget { request: self, is_api, collection, row }
    }
}

impl ResolvedTarget<'_> {
    /// Whether a fault on requests or handshakes may hit the target.
    pub(super) fn fits(&self, effect: &Effect, matches: &Matches) -> bool {
        let Matches { method, path, collection, row, .. } = matches;
        // A preflight is not the request itself.
        let is_preflight = self.request.method == "OPTIONS" && method.as_deref() != Some("OPTIONS");
        if effect.affects_only_requests() == self.request.is_handshake || is_preflight {
            return false;
        }
        path.as_deref().map_or(self.is_api, |pattern| is_path_of(pattern, &self.request.path))
            && method.as_deref().is_none_or(|method| method == self.request.method)
            && collection.as_deref().is_none_or(|collection| Some(collection) == self.collection)
            && (self.request.is_handshake || row.as_deref().is_none_or(|row| Some(row) == self.row))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;
    use crate::scenario::{Source, parse};

    #[test]
    fn a_fault_without_a_path_hits_every_route() {
        let text = "categories: { toys: { prefix: T, products: [{ id: T1 }] } }";
        let collections = Collections::new(&parse(&Source::new("toys.yaml", text)).unwrap());
        let counters = Counters::default();
        for (subject, fits) in [
            (FaultSubject::Route, true),
            (FaultSubject::Collection("toys".into()), true),
            (FaultSubject::Row("T9".into()), true),
            (FaultSubject::Collection("todos".into()), false),
            (FaultSubject::Other, false),
        ] {
            let target = |method: &str| FaultTarget {
                method: method.into(),
                path: "/x/7".into(),
                is_handshake: false,
                subject: subject.clone(),
            };
            let hits = |method: &str, matches: &Matches| {
                target(method).resolve(&collections, &counters).fits(&Effect::Malformed, matches)
            };
            assert_eq!(hits("PUT", &Matches::default()), fits, "{subject:?}");
            let put = Matches { method: Some("PUT".into()), ..Matches::default() };
            assert_eq!((hits("PUT", &put), hits("GET", &put)), (fits, false), "{subject:?}");
            let path = Matches { path: Some("/x/*".into()), ..Matches::default() };
            assert!(hits("PUT", &path), "{subject:?}");
        }
    }

    #[test]
    fn a_fault_hits_sockets_of_endpoints_by_their_path() {
        let socket = FaultMember::Endpoint { path: "/rooms/7/".into() };
        let path = |path: &str| Matches { path: Some(path.into()), ..Matches::default() };
        for (matches, fits) in [
            (Matches::default(), true),
            (path("/rooms/*"), true),
            (path("/rooms/7"), true),
            (path("/rooms"), false),
            (Matches { streams: true, ..path("/rooms/*") }, false),
            (Matches { collection: Some("rooms".into()), ..Matches::default() }, false),
        ] {
            assert_eq!(socket.fits(&matches), fits, "{matches:?}");
        }
        let of_shop = FaultMember::Socket { collection: "toys".into() };
        assert!(!of_shop.fits(&path("/orders/*")));
    }

    #[test]
    fn a_fault_hits_either_streams_by_their_path_or_sockets() {
        let stream = FaultMember::Stream { path: "/rooms/7/events/".into() };
        let socket = FaultMember::Socket { collection: "toys".into() };
        let streams = Matches { streams: true, ..Matches::default() };
        let path = |path: &str| Matches { path: Some(path.into()), ..streams.clone() };
        for (matches, stream_fits, socket_fits) in [
            (streams.clone(), true, false),
            (path("/rooms/*"), true, false),
            (path("/rooms/*/events"), true, false),
            (path("/rooms"), false, false),
            (Matches::default(), false, true),
            (Matches { collection: Some("toys".into()), ..Matches::default() }, false, true),
            (Matches { collection: Some("books".into()), ..Matches::default() }, false, false),
        ] {
            assert_eq!((stream.fits(&matches), socket.fits(&matches)), (stream_fits, socket_fits), "{matches:?}");
        }
    }
}
