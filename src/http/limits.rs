//! Limits on what clients may use of the server.

use std::time::Duration;

/// Limits on the size and duration of what clients send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The maximum number of concurrent connections, including live sockets; others get a 503. Up to as many clients
    /// may also poll, because they hold no connection between polls.
    pub connections: usize,
    /// The maximum size of a request body, in bytes; a larger one gets a 413.
    pub body: usize,
    /// The maximum size of a message on a live socket, in bytes; a larger one closes the socket with 1009 (RFC 6455,
    /// 7.4.1).
    pub message: usize,
    /// The time that a request's head, and then its body, may take to arrive; a slower request gets a 408. At least
    /// [`Limits::SHORTEST_REQUEST`]. A head may take up to twice this time. A connection without a request is closed
    /// after 12 to 13 times this time.
    pub request: Duration,
    /// The interval at which idle live sockets are pinged (RFC 6455, 5.5.2); 0 turns pings off.
    pub ping: Duration,
    /// The time after which a connection counts as dead because the peer acknowledges none of the sent data; 0 leaves
    /// it to the system. A client that reads nothing for this long also counts as gone.
    pub peer: Duration,
}

impl Limits {
    /// The minimum [request timeout](Limits::request).
    pub const SHORTEST_REQUEST: Duration = Duration::from_millis(100);

    /// Returns the maximum payload of an Engine.IO client, in bytes. It applies to requests and to messages on a socket
    /// alike, because the client may switch from polling to a socket at any time.
    #[must_use]
    pub fn payload(&self) -> usize {
        self.message.min(self.body)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: usize::MAX,
            body: 1 << 20,
            message: 64 << 10,
            request: Duration::from_secs(10),
            ping: Duration::from_secs(20),
            peer: Duration::from_mins(1),
        }
    }
}
