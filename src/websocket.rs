//! Encoding and decoding of WebSocket messages (RFC 6455, section 5), without I/O: the owner of the connection reads
//! and writes.
//!
//! A library that owns the connection keeps a read and a write buffer for each, 4 KiB and more. Here, an idle socket
//! has no buffers, and a frame is encoded once for all sockets, because servers do not mask.

mod encoded;
mod reader;

pub use encoded::{Encoded, concat_frames};
pub use reader::{Reader, Violation, is_sendable_code};

/// The maximum length of a close reason in bytes: the 125 of a control frame, less the code (RFC 6455, 5.5.1).
pub const MAX_REASON: usize = 123;
