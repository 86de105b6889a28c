//! Any byte stream from a client yields the same messages and the same end, however it is split.

use mockd::websocket::{Encoded, Reader, Violation};
use tungstenite::Message;

/// Maximum length of a message in bytes: slightly more than a 7-bit payload length can express.
const MAX_LENGTH: usize = 130;

/// The messages, and the violation that ended the stream, if any.
type Outcome = (Vec<Message>, Option<Violation>);

pub(crate) fn check(bytes: &[u8]) {
    // The first bytes are the lengths of the pieces, used in turn.
    let Some((lengths, bytes)) = bytes.split_first_chunk::<3>() else { return };
    let (messages, end) = read(&[bytes]);
    assert_eq!(read(&cut(bytes, lengths)), (messages.clone(), end));
    for message in messages {
        assert!(message.len() <= MAX_LENGTH, "{message:?}");
        assert_eq!(read(&[&masked_by_client(&Encoded::message(&message))]), (vec![message], None));
    }
}

fn cut<'b>(mut bytes: &'b [u8], lengths: &[u8]) -> Vec<&'b [u8]> {
    let mut pieces = Vec::new();
    for length in lengths.iter().cycle() {
        let (piece, rest) = bytes.split_at(usize::from(*length).clamp(1, bytes.len().max(1)).min(bytes.len()));
        pieces.push(piece);
        bytes = rest;
        if bytes.is_empty() {
            break;
        }
    }
    pieces
}

fn read(pieces: &[&[u8]]) -> Outcome {
    let (mut reader, mut messages) = (Reader::new(MAX_LENGTH), Vec::new());
    for piece in pieces {
        reader.push(piece);
        loop {
            match reader.message() {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(violation) => return (messages, Some(violation)),
            }
        }
    }
    (messages, None)
}

/// Returns the frame masked with zeros, which leave the payload unchanged.
fn masked_by_client(encoded: &Encoded) -> Vec<u8> {
    let (frame, payload) = (encoded.frame(), encoded.payload());
    let mut header = frame[..frame.len() - payload.len()].to_vec();
    header[1] |= 0x80;
    [&header[..], &[0; 4], &payload].concat()
}
