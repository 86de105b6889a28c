//! How much of the server one client, or all of them, may take.

use std::time::Duration;

/// Bounds for what clients send, and for how long they may take over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections at a time, live sockets included; more get a 503. As many clients may poll, which have no connection in between.
    pub connections: usize,
    /// Bytes of a request's body; more get a 413.
    pub body: usize,
    /// Bytes of a message on a live socket; more close it with 1009 (RFC 6455, 7.4.1).
    pub message: usize,
    /// How long a request's head, and then its body, may take to arrive, from [`Limits::SHORTEST_REQUEST`] on; longer gets a
    /// 408. A head may take up to twice the time. A connection without a request is closed after 12 to 13 times the time.
    pub request: Duration,
    /// How often a live socket that the server has nothing to say to is pinged (RFC 6455, 5.5.2); never if it is 0.
    pub ping: Duration,
    /// How long a peer may acknowledge nothing of what was sent to it before its connection counts as gone; what the
    /// system says if it is 0. A client that reads nothing for so long counts as gone as well.
    pub peer: Duration,
}

impl Limits {
    /// The least [time for a request](Limits::request).
    pub const SHORTEST_REQUEST: Duration = Duration::from_millis(100);

    /// Bytes of what a client of Engine.IO may send at once, in a request as well as in a message on its socket: it may go
    /// over from one to the other at any time.
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
