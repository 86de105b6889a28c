//! What a request of Engine.IO asks for, by its query: `EIO`, `transport` and `sid`. The rest of a query is the scenario's.

use std::borrow::Cow;

use poem::http::Method;
use thiserror::Error;

/// The only version of the protocol.
const VERSION: &str = "4";

/// Why a request is refused. Code and text are those of the reference implementation, which clients know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(in crate::http) enum EngineIoError {
    /// Neither `polling` nor `websocket`.
    #[error("Transport unknown")]
    UnknownTransport,
    /// No session has the id, or it is over.
    #[error("Session ID unknown")]
    UnknownSession,
    /// A session begins with a GET.
    #[error("Bad handshake method")]
    HandshakeMethod,
    /// What the session or the transport does not take.
    #[error("Bad request")]
    BadRequest,
    /// Another version than 4, or none.
    #[error("Unsupported protocol version")]
    UnsupportedVersion,
}

impl EngineIoError {
    /// The number that tells the client.
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

/// What carries the packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Carrier {
    Polling,
    WebSocket,
}

/// The query of a request, as far as it is Engine.IO's.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::http) struct EngineQuery<'q> {
    version: Option<Cow<'q, str>>,
    transport: Option<Cow<'q, str>>,
    sid: Option<Cow<'q, str>>,
}

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Asked<'q> {
    /// A new session.
    Open,
    /// Something of the session of that id.
    Session(&'q str),
}

impl<'q> EngineQuery<'q> {
    /// Reads a query. Of a parameter that is there twice, the first counts.
    pub(in crate::http) fn read(query: Option<&'q str>) -> Self {
        let mut read = Self::default();
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            let field = match &*name {
                "EIO" => &mut read.version,
                "transport" => &mut read.transport,
                "sid" => &mut read.sid,
                _ => continue,
            };
            field.get_or_insert(value);
        }
        read
    }

    /// Whether it says that it is of Engine.IO.
    pub(in crate::http) fn is_of_engine_io(&self) -> bool {
        self.version.is_some()
    }

    /// What a request of that method asks for that comes by that carrier.
    ///
    /// # Errors
    /// [`EngineIoError`], in the order in which the reference implementation looks.
    pub(in crate::http) fn asked(&self, method: &Method, by: Carrier) -> Result<Asked<'_>, EngineIoError> {
        let transport = match self.transport.as_deref() {
            Some("polling") => Carrier::Polling,
            Some("websocket") => Carrier::WebSocket,
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
            Some(sid) => Ok(Asked::Session(sid)),
            None if self.version.as_deref() == Some(VERSION) => Ok(Asked::Open),
            None => Err(EngineIoError::UnsupportedVersion),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_says_what_is_asked_for_or_what_is_wrong() {
        use Carrier::{Polling, WebSocket};
        use EngineIoError::{BadRequest, HandshakeMethod, UnknownTransport, UnsupportedVersion};
        for (method, by, query, expected) in [
            (Method::GET, Polling, "EIO=4&transport=polling", Ok(Asked::Open)),
            (Method::GET, Polling, "t=x1&b64=1&transport=polling&EIO=4&token=7", Ok(Asked::Open)),
            (Method::GET, Polling, "EIO=4&transport=polling&sid=", Ok(Asked::Open)),
            (Method::GET, WebSocket, "EIO=4&transport=websocket", Ok(Asked::Open)),
            (Method::GET, Polling, "EIO=4&transport=polling&sid=a-0-1", Ok(Asked::Session("a-0-1"))),
            (Method::POST, Polling, "transport=polling&sid=a%2D0&sid=b", Ok(Asked::Session("a-0"))),
            (Method::GET, WebSocket, "EIO=4&transport=websocket&sid=a", Ok(Asked::Session("a"))),
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
            assert_eq!(EngineQuery::read(Some(query)).asked(&method, by), expected, "{method} {query}");
        }
    }

    #[test]
    fn only_a_query_with_a_version_claims_to_be_of_engine_io() {
        for (query, expected) in [(None, false), (Some("transport=polling"), false), (Some("a&EIO=3"), true)] {
            assert_eq!(EngineQuery::read(query).is_of_engine_io(), expected, "{query:?}");
        }
    }
}
