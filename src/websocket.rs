//! Messages of the WebSocket protocol as bytes, and back (RFC 6455, section 5). No I/O: whoever has a connection reads
//! and writes.
//!
//! A library that owns the connection keeps a read and a write buffer for each, 4 KiB and more. Here a socket that is
//! idle has none, and a frame that is encoded once is the same bytes for every socket, because a server does not mask.

mod encoded;
mod reader;

pub use encoded::{Encoded, put_together};
pub use reader::{Reader, Violation, may_be_sent};

/// Bytes of a close reason: a control frame's 125 less the code (RFC 6455, 5.5.1).
pub const MAX_REASON: usize = 123;
