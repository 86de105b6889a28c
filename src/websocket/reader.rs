//! From the bytes that a client sends to its messages.

use std::io::Cursor;

use bytes::{Buf, Bytes, BytesMut};
use thiserror::Error;
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{CloseCode, Control, Data, OpCode};
use tungstenite::{Message, Utf8Bytes};

/// The most bytes that a control frame may carry (RFC 6455, 5.5).
const LONGEST_CONTROL: u64 = 125;

/// What a client did against the protocol. The connection is to be closed with [`Violation::code`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Violation {
    /// A frame that the protocol does not allow.
    #[error("{0}")]
    Protocol(&'static str),
    /// A text that is not UTF-8.
    #[error("the text is not UTF-8")]
    NotUtf8,
    /// A message over the limit.
    #[error("the message has more than the {0} bytes of --max-message")]
    TooLarge(usize),
}

impl Violation {
    /// The code that tells the client (RFC 6455, 7.4.1).
    #[must_use]
    pub fn code(self) -> CloseCode {
        match self {
            Self::Protocol(_) => CloseCode::Protocol,
            Self::NotUtf8 => CloseCode::Invalid,
            Self::TooLarge(_) => CloseCode::Size,
        }
    }
}

/// Puts a client's messages together. Between messages it holds no memory but its own.
#[derive(Debug)]
pub struct Reader {
    /// What came and is not taken yet.
    input: BytesMut,
    /// The message whose last frame has not come yet.
    begun: Option<Box<Begun>>,
    most: usize,
}

/// A fragmented message (RFC 6455, 5.4).
#[derive(Debug)]
struct Begun {
    is_text: bool,
    payload: BytesMut,
    /// Up to here it is checked to be UTF-8.
    checked: usize,
}

/// A whole frame, unmasked.
struct Frame {
    is_final: bool,
    opcode: OpCode,
    payload: BytesMut,
}

impl Reader {
    /// A reader of messages of so many bytes at the most.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { input: BytesMut::new(), begun: None, most }
    }

    /// Takes what came from the client.
    pub fn push(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
    }

    /// Bytes that have come and were not read.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.input.len()
    }

    /// The next message, if all of it has come. To be asked again until there is none.
    ///
    /// # Errors
    /// [`Violation`]; nothing that comes after it means anything.
    pub fn message(&mut self) -> Result<Option<Message>, Violation> {
        while let Some(frame) = self.frame()? {
            let message = match frame.opcode {
                OpCode::Control(control) => Some(control_message(control, frame.payload.freeze())?),
                OpCode::Data(data) => self.put_together(data, frame)?,
            };
            if message.is_some() {
                return Ok(message);
            }
        }
        Ok(None)
    }

    /// The next frame, if all of it has come.
    fn frame(&mut self) -> Result<Option<Frame>, Violation> {
        let mut cursor = Cursor::new(&self.input[..]);
        let parsed = FrameHeader::parse(&mut cursor).map_err(|_| Violation::Protocol("the opcode is reserved"))?;
        let Some((header, length)) = parsed else { return Ok(self.wait()) };
        let position = usize::try_from(cursor.position()).unwrap_or(usize::MAX);
        self.check(&header, length, position)?;
        // Not more than the limit, which is checked.
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

    /// Nothing to give until more comes. A buffer that is empty is let go.
    fn wait(&mut self) -> Option<Frame> {
        if self.input.is_empty() {
            self.input = BytesMut::new();
        }
        None
    }

    fn check(&self, header: &FrameHeader, length: u64, header_length: usize) -> Result<(), Violation> {
        if header.rsv1 || header.rsv2 || header.rsv3 {
            return Err(Violation::Protocol("a reserved bit is set, and no extension was agreed on"));
        }
        if header.mask.is_none() {
            return Err(Violation::Protocol("the frame is not masked"));
        }
        if header_length != header.len(length) || length > i64::MAX.unsigned_abs() {
            return Err(Violation::Protocol("the length is not written as it has to be"));
        }
        if let OpCode::Control(_) = header.opcode {
            return match (header.is_final, length > LONGEST_CONTROL) {
                (false, _) => Err(Violation::Protocol("a control frame is fragmented")),
                (true, true) => Err(Violation::Protocol("a control frame carries more than 125 bytes")),
                (true, false) => Ok(()),
            };
        }
        let before = self.begun.as_ref().map_or(0, |begun| begun.payload.len());
        if length > (self.most - before) as u64 { Err(Violation::TooLarge(self.most)) } else { Ok(()) }
    }

    /// A data frame: a message, or a part of one.
    fn put_together(&mut self, data: Data, frame: Frame) -> Result<Option<Message>, Violation> {
        let begun = match (data, self.begun.take()) {
            (Data::Continue, Some(mut begun)) => {
                begun.payload.unsplit(frame.payload);
                begun
            }
            (Data::Continue, None) => return Err(Violation::Protocol("nothing is there to be continued")),
            (_, Some(_)) => return Err(Violation::Protocol("the message before was not finished")),
            (data, None) => Box::new(Begun { is_text: matches!(data, Data::Text), payload: frame.payload, checked: 0 }),
        };
        if frame.is_final {
            return begun.finish().map(Some);
        }
        self.begun = Some(begun.go_on()?);
        Ok(None)
    }
}

impl Begun {
    /// Checks what is there so far; the last character may be cut in the middle.
    fn go_on(mut self: Box<Self>) -> Result<Box<Self>, Violation> {
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
        _ => closing(payload).map(Message::Close),
    }
}

/// What a closing frame says: nothing, or a code with a reason (RFC 6455, 5.5.1).
fn closing(mut payload: Bytes) -> Result<Option<CloseFrame>, Violation> {
    match payload.len() {
        0 => Ok(None),
        1 => Err(Violation::Protocol("the closing frame has half a code")),
        _ => {
            let code = CloseCode::from(payload.get_u16());
            if !may_be_sent(code) {
                return Err(Violation::Protocol("the closing frame has a code that is not to be sent"));
            }
            Ok(Some(CloseFrame { code, reason: text(payload)? }))
        }
    }
}

/// Whether a closing frame may carry the code. 1014 came after RFC 6455 (IANA's registry of close codes has it).
#[must_use]
pub fn may_be_sent(code: CloseCode) -> bool {
    code.is_allowed() || u16::from(code) == 1014
}

#[cfg(test)]
mod tests;
