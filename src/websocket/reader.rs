//! Decoding the bytes that a client sends.

use std::io::Cursor;

use bytes::{Buf, Bytes, BytesMut};
use thiserror::Error;
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{CloseCode, Control, Data, OpCode};
use tungstenite::{Message, Utf8Bytes};

/// The maximum payload of a control frame in bytes (RFC 6455, 5.5).
const MAX_CONTROL_PAYLOAD: u64 = 125;

/// A client's violation of the protocol. Close the connection with [`Violation::code`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Violation {
    /// A frame that the protocol does not allow.
    #[error("{0}")]
    Protocol(&'static str),
    /// A text message that is not valid UTF-8.
    #[error("the text is not valid UTF-8")]
    NotUtf8,
    /// A message over the limit.
    #[error("the message exceeds the {0} bytes that --max-message allows")]
    TooLarge(usize),
}

impl Violation {
    /// Returns the close code for the violation (RFC 6455, 7.4.1).
    #[must_use]
    pub fn code(self) -> CloseCode {
        match self {
            Self::Protocol(_) => CloseCode::Protocol,
            Self::NotUtf8 => CloseCode::Invalid,
            Self::TooLarge(_) => CloseCode::Size,
        }
    }
}

/// Assembles a client's messages. Between messages it holds no buffer.
#[derive(Debug)]
pub struct Reader {
    /// Bytes that are not decoded yet.
    input: BytesMut,
    /// The message whose last frame has not arrived yet.
    fragmented: Option<Box<Fragmented>>,
    limit: usize,
}

/// A fragmented message (RFC 6455, 5.4).
#[derive(Debug)]
struct Fragmented {
    is_text: bool,
    payload: BytesMut,
    /// The number of bytes that are known to be valid UTF-8.
    checked: usize,
}

/// A whole frame, unmasked.
struct Frame {
    is_final: bool,
    opcode: OpCode,
    payload: BytesMut,
}

impl Reader {
    /// Creates a reader for messages of at most `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { input: BytesMut::new(), fragmented: None, limit }
    }

    /// Adds bytes from the client.
    pub fn push(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
    }

    /// Returns the number of bytes that are not decoded yet.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.input.len()
    }

    /// Returns the next message, or `None` if it is incomplete. Call this until it returns `None`.
    ///
    /// # Errors
    /// [`Violation`]; no message can be read after it.
    pub fn message(&mut self) -> Result<Option<Message>, Violation> {
        while let Some(frame) = self.frame()? {
            let message = match frame.opcode {
                OpCode::Control(control) => Some(control_message(control, frame.payload.freeze())?),
                OpCode::Data(data) => self.assemble(data, frame)?,
            };
            if message.is_some() {
                return Ok(message);
            }
        }
        Ok(None)
    }

    /// Returns the next frame, or `None` if it is incomplete.
    fn frame(&mut self) -> Result<Option<Frame>, Violation> {
        let mut cursor = Cursor::new(&self.input[..]);
        let parsed = FrameHeader::parse(&mut cursor).map_err(|_| Violation::Protocol("the opcode is reserved"))?;
        let Some((header, length)) = parsed else { return Ok(self.wait()) };
        let position = usize::try_from(cursor.position()).unwrap_or(usize::MAX);
        self.check(&header, length, position)?;
        // This fits, because `check` has compared it with the limit.
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if self.input.len() - position < length {
            return Ok(self.wait());
        }
        self.input.advance(position);
        let mut payload = self.input.split_to(length);
        for (byte, key) in payload.iter_mut().zip(header.mask.unwrap_or_default().iter().cycle()) {
            *byte ^= key;
        }
        Ok(Some(Frame { is_final: header.is_final, opcode: header.opcode, payload }))
    }

    /// Waits for more bytes. Frees an empty buffer.
    fn wait(&mut self) -> Option<Frame> {
        if self.input.is_empty() {
            self.input = BytesMut::new();
        }
        None
    }

    fn check(&self, header: &FrameHeader, length: u64, header_length: usize) -> Result<(), Violation> {
        if header.rsv1 || header.rsv2 || header.rsv3 {
            return Err(Violation::Protocol("a reserved bit is set, but no extension was negotiated"));
        }
        if header.mask.is_none() {
            return Err(Violation::Protocol("the frame is not masked"));
        }
        if header_length != header.len(length) || length > i64::MAX.unsigned_abs() {
            return Err(Violation::Protocol("the payload length is not minimally encoded"));
        }
        if let OpCode::Control(_) = header.opcode {
            return match (header.is_final, length > MAX_CONTROL_PAYLOAD) {
                (false, _) => Err(Violation::Protocol("a control frame is fragmented")),
                (true, true) => Err(Violation::Protocol("a control frame carries more than 125 bytes")),
                (true, false) => Ok(()),
            };
        }
        let before = self.fragmented.as_ref().map_or(0, |message| message.payload.len());
        if length > (self.limit - before) as u64 { Err(Violation::TooLarge(self.limit)) } else { Ok(()) }
    }

    /// Adds a data frame to its message, and returns the message if it is complete.
    fn assemble(&mut self, data: Data, frame: Frame) -> Result<Option<Message>, Violation> {
        let message = match (data, self.fragmented.take()) {
            (Data::Continue, Some(mut message)) => {
                message.payload.unsplit(frame.payload);
                *message
            }
            (Data::Continue, None) => {
                return Err(Violation::Protocol("a continuation frame has no message to continue"));
            }
            (_, Some(_)) => {
                return Err(Violation::Protocol("a new message starts before the previous one is complete"));
            }
            (data, None) => Fragmented { is_text: matches!(data, Data::Text), payload: frame.payload, checked: 0 },
        };
        if frame.is_final {
            return message.finish().map(Some);
        }
        self.fragmented = Some(Box::new(message.check_utf8()?));
        Ok(None)
    }
}

impl Fragmented {
    /// Checks the payload so far; it may end in the middle of a character.
    fn check_utf8(mut self) -> Result<Self, Violation> {
        if self.is_text {
            match std::str::from_utf8(&self.payload[self.checked..]) {
                Ok(_) => self.checked = self.payload.len(),
                Err(error) if error.error_len().is_none() => self.checked += error.valid_up_to(),
                Err(_) => return Err(Violation::NotUtf8),
            }
        }
        Ok(self)
    }

    fn finish(self) -> Result<Message, Violation> {
        let payload = self.payload.freeze();
        if self.is_text { text(payload).map(Message::Text) } else { Ok(Message::Binary(payload)) }
    }
}

fn text(bytes: Bytes) -> Result<Utf8Bytes, Violation> {
    Utf8Bytes::try_from(bytes).map_err(|_| Violation::NotUtf8)
}

fn control_message(control: Control, payload: Bytes) -> Result<Message, Violation> {
    match control {
        Control::Ping => Ok(Message::Ping(payload)),
        Control::Pong => Ok(Message::Pong(payload)),
        _ => close_frame(payload).map(Message::Close),
    }
}

/// Parses the payload of a close frame: nothing, or a code with a reason (RFC 6455, 5.5.1).
fn close_frame(mut payload: Bytes) -> Result<Option<CloseFrame>, Violation> {
    match payload.len() {
        0 => Ok(None),
        1 => Err(Violation::Protocol("the close frame has an incomplete code")),
        _ => {
            let code = CloseCode::from(payload.get_u16());
            if !is_sendable_code(code) {
                return Err(Violation::Protocol("the close frame has a code that must not be sent"));
            }
            Ok(Some(CloseFrame { code, reason: text(payload)? }))
        }
    }
}

/// Returns whether a close frame may carry the code. Code 1014 was registered with IANA after RFC 6455.
#[must_use]
pub fn is_sendable_code(code: CloseCode) -> bool {
    code.is_allowed() || u16::from(code) == 1014
}

#[cfg(test)]
mod tests;
