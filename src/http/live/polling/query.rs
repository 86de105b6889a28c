//! The query of an Engine.IO request: `EIO`, `transport` and `sid`. The rest of the query belongs to the scenario.

use std::borrow::Cow;

use poem::http::Method;
use thiserror::Error;

/// The only version of the protocol.
const VERSION: &str = "4";

/// Why a request is refused. Codes and messages are those of the reference implementation, which clients rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(in crate::http) enum EngineIoError {
    /// The transport is neither `polling` nor `websocket`.
    #[error("Transport unknown")]
    UnknownTransport,
    /// No session has the id, or the session is over.
    #[error("Session ID unknown")]
    UnknownSession,
    /// The request opens a session with a method other than GET.
    #[error("Bad handshake method")]
    HandshakeMethod,
    /// The session or the transport does not accept the request.
    #[error("Bad request")]
    BadRequest,
    /// The protocol version is missing or is not 4.
    #[error("Unsupported protocol version")]
    UnsupportedVersion,
}

impl EngineIoError {
    /// Returns the code that tells the client.
    pub(in crate::http) fn code(self) -> u8 {
        match self {
            Self::UnknownTransport => 0,
            Self::UnknownSession => 1,
            Self::HandshakeMethod => 2,
            Self::BadRequest => 3,
            Self::UnsupportedVersion => 5,
        }
    }
}

/// The transport that carries the packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum EngineTransport {
    Polling,
    WebSocket,
}

/// The parameters of a query that belong to Engine.IO.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::http) struct EngineQuery<'q> {
    version: Option<Cow<'q, str>>,
    transport: Option<Cow<'q, str>>,
    sid: Option<Cow<'q, str>>,
}

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum EngineRequest<'q> {
    /// To open a session.
    Open,
    /// To use the session with this id.
    Session(&'q str),
}

impl<'q> EngineQuery<'q> {
    /// Parses a query. If a parameter is repeated, the first one counts.
    pub(in crate::http) fn read(query: Option<&'q str>) -> Self {
        let mut parsed = Self::default();
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            let field = match &*name {
                "EIO" => &mut parsed.version,
                "transport" => &mut parsed.transport,
                "sid" => &mut parsed.sid,
                _ => continue,
            };
            field.get_or_insert(value);
        }
        parsed
    }

    /// Returns whether the query marks its request as one of Engine.IO.
    pub(in crate::http) fn is_of_engine_io(&self) -> bool {
        self.version.is_some()
    }

    /// Returns what a request with this query and method is for, if it arrives over the transport `by`.
    ///
    /// # Errors
    /// [`EngineIoError`], checked in the same order as by the reference implementation.
    pub(in crate::http) fn request(
        &self,
        method: &Method,
        by: EngineTransport,
    ) -> Result<EngineRequest<'_>, EngineIoError> {
        let transport = match self.transport.as_deref() {
            Some("polling") => EngineTransport::Polling,
            Some("websocket") => EngineTransport::WebSocket,
            _ => return Err(EngineIoError::UnknownTransport),
        };
        let sid = self.sid.as_deref().filter(|sid| !sid.is_empty());
        if sid.is_none() && *method != Method::GET {
            return Err(EngineIoError::HandshakeMethod);
        }
        if transport != by {
            return Err(EngineIoError::BadRequest);
        }
        match sid {
            Some(sid) => Ok(EngineRequest::Session(sid)),
            None if self.version.as_deref() == Some(VERSION) => Ok(EngineRequest::Open),
            None => Err(EngineIoError::UnsupportedVersion),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_tells_what_a_request_is_for_or_what_is_wrong() {
        use EngineIoError::{BadRequest, HandshakeMethod, UnknownTransport, UnsupportedVersion};
        use EngineTransport::{Polling, WebSocket};
        for (method, by, query, expected) in [
            (Method::GET, Polling, "EIO=4&transport=polling", Ok(EngineRequest::Open)),
            (Method::GET, Polling, "t=x1&b64=1&transport=polling&EIO=4&token=7", Ok(EngineRequest::Open)),
            (Method::GET, Polling, "EIO=4&transport=polling&sid=", Ok(EngineRequest::Open)),
            (Method::GET, WebSocket, "EIO=4&transport=websocket", Ok(EngineRequest::Open)),
            (Method::GET, Polling, "EIO=4&transport=polling&sid=a-0-1", Ok(EngineRequest::Session("a-0-1"))),
            (Method::POST, Polling, "transport=polling&sid=a%2D0&sid=b", Ok(EngineRequest::Session("a-0"))),
            (Method::GET, WebSocket, "EIO=4&transport=websocket&sid=a", Ok(EngineRequest::Session("a"))),
            (Method::GET, Polling, "", Err(UnknownTransport)),
            (Method::GET, Polling, "EIO=4", Err(UnknownTransport)),
            (Method::GET, WebSocket, "EIO=4", Err(UnknownTransport)),
            (Method::GET, Polling, "EIO=4&transport=abc&sid=a", Err(UnknownTransport)),
            (Method::POST, Polling, "EIO=4&transport=polling", Err(HandshakeMethod)),
            (Method::HEAD, Polling, "EIO=4&transport=polling", Err(HandshakeMethod)),
            (Method::GET, Polling, "EIO=4&transport=websocket", Err(BadRequest)),
            (Method::GET, Polling, "EIO=4&transport=websocket&sid=a", Err(BadRequest)),
            (Method::GET, WebSocket, "EIO=4&transport=polling", Err(BadRequest)),
            (Method::GET, Polling, "transport=polling", Err(UnsupportedVersion)),
            (Method::GET, Polling, "EIO=3&transport=polling", Err(UnsupportedVersion)),
            (Method::GET, Polling, "EIO=abc&EIO=4&transport=polling", Err(UnsupportedVersion)),
            (Method::GET, WebSocket, "transport=websocket", Err(UnsupportedVersion)),
        ] {
            assert_eq!(EngineQuery::read(Some(query)).request(&method, by), expected, "{method} {query}");
        }
    }

    #[test]
    fn only_a_query_with_a_version_claims_to_be_of_engine_io() {
        for (query, expected) in [(None, false), (Some("transport=polling"), false), (Some("a&EIO=3"), true)] {
            assert_eq!(EngineQuery::read(query).is_of_engine_io(), expected, "{query:?}");
        }
    }
}
