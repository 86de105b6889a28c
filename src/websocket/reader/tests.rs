//! Frames as clients send them, whole and in pieces.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// Returns a frame as a client sends it.
fn masked(opcode: OpCode, is_final: bool, payload: &[u8], mask: [u8; 4]) -> Vec<u8> {
    let header = FrameHeader { opcode, is_final, mask: Some(mask), ..FrameHeader::default() };
    let mut frame = Vec::new();
    header.format(payload.len() as u64, &mut frame).unwrap();
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key));
    frame
}

/// Returns a message with one frame per part, and a ping after each.
fn fragmented(data: Data, parts: &[&[u8]], mask: [u8; 4]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        let opcode = OpCode::Data(if at == 0 { data } else { Data::Continue });
        bytes.extend(masked(opcode, at + 1 == parts.len(), part, mask));
        bytes.extend(masked(OpCode::Control(Control::Ping), true, b"?", mask));
    }
    bytes
}

fn read(reader: &mut Reader, bytes: &[u8]) -> Result<Vec<Message>, Violation> {
    reader.push(bytes);
    let mut messages = Vec::new();
    while let Some(message) = reader.message()? {
        messages.push(message);
    }
    Ok(messages)
}

proptest! {
    #[test]
    fn a_message_survives_any_fragmentation(
        text in ".{0,300}", cuts in vec(0..300_usize, 0..4), pieces in 1..40_usize, mask: [u8; 4], is_text: bool,
    ) {
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
        cuts.sort_unstable();
        let ends = cuts.iter().copied().chain([text.len()]);
        let starts = std::iter::once(0).chain(cuts.iter().copied());
        let parts: Vec<&[u8]> = starts.zip(ends).map(|(start, end)| &text.as_bytes()[start..end]).collect();
        let bytes = fragmented(if is_text { Data::Text } else { Data::Binary }, &parts, mask);
        let mut reader = Reader::new(2_000);
        let received: Vec<Message> = bytes.chunks(pieces).flat_map(|piece| read(&mut reader, piece).unwrap()).collect();
        let expected = if is_text { Message::text(text.clone()) } else { Message::binary(text.clone().into_bytes()) };
        prop_assert_eq!(received.iter().filter(|one| !one.is_ping()).collect::<Vec<_>>(), vec![&expected]);
        prop_assert_eq!(received.iter().filter(|one| one.is_ping()).count(), parts.len());
        prop_assert_eq!((reader.input.capacity(), reader.fragmented.is_some()), (0, false));
    }

    #[test]
    fn arbitrary_bytes_are_messages_or_a_violation(bytes in vec(any::<u8>(), 0..200)) {
        let mut reader = Reader::new(64);
        // Anything else would be a panic or an endless loop.
        let _ = read(&mut reader, &bytes);
    }
}

#[test]
fn a_message_over_the_limit_is_refused_before_it_has_arrived() {
    let text = |length: usize| masked(OpCode::Data(Data::Text), true, &vec![b'x'; length], [1, 2, 3, 4]);
    assert_eq!(read(&mut Reader::new(130), &text(130)).unwrap(), [Message::text("x".repeat(130))]);
    assert_eq!(read(&mut Reader::new(130), &text(131)[..8]), Err(Violation::TooLarge(130)));
    let parts: [&[u8]; 2] = [&[b'x'; 100], &[b'x'; 31]];
    assert_eq!(read(&mut Reader::new(130), &fragmented(Data::Text, &parts, [0; 4])), Err(Violation::TooLarge(130)));
}

#[test]
fn invalid_utf8_is_refused_before_the_message_is_complete() {
    let first_frame =
        |payload: &[u8]| read(&mut Reader::new(99), &masked(OpCode::Data(Data::Text), false, payload, [9; 4]));
    assert_eq!(first_frame("ä".as_bytes()), Ok(vec![]));
    assert_eq!(first_frame(&"ä".as_bytes()[..1]), Ok(vec![]));
    assert_eq!(first_frame(b"\xff"), Err(Violation::NotUtf8));
}
