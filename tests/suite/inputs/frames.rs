//! Whatever a client sends on its socket: the same messages and the same end, in whatever pieces it comes.

use mockd::websocket::{Encoded, Reader, Violation};
use tungstenite::Message;

/// The most bytes of a message: a few more than a length of seven bits can tell.
const MOST: usize = 130;

/// What was read, and why no more of it.
type Outcome = (Vec<Message>, Option<Violation>);

pub(crate) fn check(bytes: &[u8]) {
    // How the rest is cut: pieces of so many bytes in turns.
    let Some((lengths, bytes)) = bytes.split_first_chunk::<3>() else { return };
    let (messages, end) = read(&[bytes]);
    assert_eq!(read(&cut(bytes, lengths)), (messages.clone(), end));
    for message in messages {
        assert!(message.len() <= MOST, "{message:?}");
        assert_eq!(read(&[&sent_by_client(&Encoded::message(&message))]), (vec![message], None));
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
    let (mut reader, mut messages) = (Reader::new(MOST), Vec::new());
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

/// The frame masked with zeros, which leave the payload as it is.
fn sent_by_client(encoded: &Encoded) -> Vec<u8> {
    let (frame, payload) = (encoded.frame(), encoded.payload());
    let mut header = frame[..frame.len() - payload.len()].to_vec();
    header[1] |= 0x80;
    [&header[..], &[0; 4], &payload].concat()
}
