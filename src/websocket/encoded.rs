//! Messages encoded as unmasked frames, as servers send them.

use bytes::{BufMut, Bytes, BytesMut};
use tungstenite::Message;
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Control, Data, OpCode};

/// The maximum length of an unmasked frame's header in bytes (RFC 6455, 5.2).
const MAX_HEADER: usize = 10;

/// A frame, encoded once for all its recipients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    frame: Bytes,
    header: usize,
}

impl Encoded {
    /// Creates a text frame.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::text_of(text.as_bytes())
    }

    /// Creates a text frame from bytes that may be invalid UTF-8.
    #[must_use]
    pub fn text_of(bytes: &[u8]) -> Self {
        Self::new(OpCode::Data(Data::Text), bytes)
    }

    /// Creates a binary frame.
    #[must_use]
    pub fn binary(bytes: &[u8]) -> Self {
        Self::new(OpCode::Data(Data::Binary), bytes)
    }

    /// Creates the frame of a message.
    #[must_use]
    pub fn message(message: &Message) -> Self {
        match message {
            Message::Text(text) => Self::text(text),
            Message::Binary(bytes) => Self::new(OpCode::Data(Data::Binary), bytes),
            Message::Ping(bytes) => Self::new(OpCode::Control(Control::Ping), bytes),
            Message::Pong(bytes) => Self::new(OpCode::Control(Control::Pong), bytes),
            Message::Close(frame) => Self::close(frame.as_ref()),
            Message::Frame(frame) => Self::new(frame.header().opcode, frame.payload()),
        }
    }

    /// Creates a close frame.
    #[must_use]
    pub fn close(frame: Option<&CloseFrame>) -> Self {
        let payload = frame.map_or_else(BytesMut::new, |frame| {
            let mut payload = BytesMut::with_capacity(2 + frame.reason.len());
            payload.put_u16(frame.code.into());
            payload.put_slice(frame.reason.as_bytes());
            payload
        });
        Self::new(OpCode::Control(Control::Close), &payload)
    }

    fn new(opcode: OpCode, payload: &[u8]) -> Self {
        let header = FrameHeader { opcode, ..FrameHeader::default() };
        let mut frame = BytesMut::with_capacity(MAX_HEADER + payload.len()).writer();
        // Writing to memory cannot fail.
        let _ = header.format(payload.len() as u64, &mut frame);
        let mut frame = frame.into_inner();
        let header = frame.len();
        frame.put_slice(payload);
        Self { frame: frame.freeze(), header }
    }

    /// Returns the whole frame.
    #[must_use]
    pub fn frame(&self) -> &Bytes {
        &self.frame
    }

    /// Returns the whole frame.
    #[must_use]
    pub fn into_frame(self) -> Bytes {
        self.frame
    }

    /// Returns the payload.
    #[must_use]
    pub fn payload(&self) -> Bytes {
        self.frame.slice(self.header..)
    }
}

/// Concatenates encoded frames. Does not copy if one of the two is empty.
#[must_use]
pub fn concat_frames(first: &Bytes, second: &Bytes) -> Bytes {
    match (first.is_empty(), second.is_empty()) {
        (true, _) => second.clone(),
        (_, true) => first.clone(),
        (false, false) => [&first[..], &second[..]].concat().into(),
    }
}
