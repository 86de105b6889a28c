//! Properties that hold for any input from a file, a socket or HTTP. The inputs are randomly edited examples.
//! `fuzz/run` applies the same checks to inputs that coverage guides.

mod answer;
mod codec;
mod command;
pub(crate) mod expression;
mod frames;
mod scenario;

use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::support::frame::masked;
use crate::support::properties;

type Bytes = Vec<u8>;

/// Returns the files of a folder that have no extension or end in `.yaml`.
fn files(folder: &str) -> Vec<Bytes> {
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let examples = paths.iter().filter(|path| path.extension().is_none_or(|extension| extension == "yaml"));
    examples.map(|path| std::fs::read(path).unwrap()).collect()
}

/// Returns the entries of a [dictionary](https://llvm.org/docs/LibFuzzer.html#dictionaries). Each is a quoted line,
/// where `\xNN` is a byte and `\` escapes the next character.
fn dictionary(path: &Path) -> Vec<Bytes> {
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().filter_map(|line| line.strip_prefix('"')?.strip_suffix('"'));
    lines.map(unescaped).collect()
}

fn unescaped(mut text: &str) -> Bytes {
    let mut bytes = Vec::new();
    while let Some(first) = text.chars().next() {
        if let Some(digits) = text.strip_prefix("\\x") {
            bytes.push(u8::from_str_radix(&digits[..2], 16).unwrap());
            text = &digits[2..];
        } else {
            text = text.strip_prefix('\\').unwrap_or(text);
            let length = if first == '\\' { text.chars().next().unwrap() } else { first }.len_utf8();
            bytes.extend(&text.as_bytes()[..length]);
            text = &text[length..];
        }
    }
    bytes
}

/// An edit of an input.
#[derive(Clone, Debug)]
enum Edit {
    Insert(Index, Bytes),
    Remove(Index, Index),
    Repeat(Index, Index),
    Set(Index, u8),
}

fn edits(pieces: Vec<Bytes>) -> impl Strategy<Value = Vec<Edit>> {
    let position = any::<Index>;
    let edit = prop_oneof![
        4 => (position(), select(pieces)).prop_map(|(at, piece)| Edit::Insert(at, piece)),
        1 => (position(), vec(any::<u8>(), 1..4)).prop_map(|(at, bytes)| Edit::Insert(at, bytes)),
        2 => (position(), position()).prop_map(|(from, to)| Edit::Remove(from, to)),
        1 => (position(), position()).prop_map(|(from, to)| Edit::Repeat(from, to)),
        2 => (position(), any::<u8>()).prop_map(|(at, byte)| Edit::Set(at, byte)),
    ];
    vec(edit, 0..6)
}

fn edited(mut bytes: Bytes, edits: Vec<Edit>) -> Bytes {
    for edit in edits {
        let length = bytes.len();
        let range = |from: Index, to: Index| {
            let (from, to) = (from.index(length + 1), to.index(length + 1));
            // Short ranges leave enough of the input to check.
            from.min(to)..from.max(to).min(from.min(to) + 16)
        };
        match edit {
            Edit::Insert(at, piece) => drop(bytes.splice(at.index(length + 1)..at.index(length + 1), piece)),
            Edit::Remove(from, to) => drop(bytes.drain(range(from, to))),
            Edit::Repeat(from, to) => bytes.extend_from_within(range(from, to)),
            Edit::Set(at, byte) if length > 0 => bytes[at.index(length)] = byte,
            Edit::Set(..) => {}
        }
    }
    bytes
}

/// Generates edited examples.
fn inputs(examples: Vec<Bytes>, dictionary: Vec<Bytes>) -> impl Strategy<Value = Bytes> {
    (select(examples), edits(dictionary)).prop_map(|(example, edits)| edited(example, edits))
}

/// Generates a client's frames, some of them damaged, after the lengths at which the stream is split.
fn streams() -> impl Strategy<Value = Bytes> {
    let first = prop_oneof![3 => select(vec![0x01, 0x80, 0x81, 0x82, 0x88, 0x89, 0x8a, 0x00]), 1 => any::<u8>()];
    let payload = prop_oneof![vec(b' '..=b'~', 0..140), vec(any::<u8>(), 0..140)];
    let frame = (first, payload).prop_map(|(first, payload)| masked(first, &payload));
    let cuts = vec(any::<u8>(), 3);
    (cuts, vec(frame, 0..6), edits(vec![vec![0], vec![0xff]]), any::<bool>()).prop_map(
        |(cuts, frames, edits, is_valid)| {
            let stream = frames.concat();
            [cuts, if is_valid { stream } else { edited(stream, edits) }].concat()
        },
    )
}

#[test]
fn any_request_is_refused_or_gets_a_sendable_answer() {
    let (examples, pieces) = (files("fuzz/examples/answer"), dictionary(Path::new("fuzz/answer.dict")));
    proptest!(properties(2_000), |(bytes in inputs(examples, pieces))| answer::check(&bytes));
}

#[test]
fn any_frames_leave_a_session_that_sends_readable_output() {
    let (examples, pieces) = (files("fuzz/examples/codec"), dictionary(Path::new("fuzz/codec.dict")));
    proptest!(properties(5_000), |(bytes in inputs(examples, pieces))| codec::check(&bytes));
}

#[test]
fn any_message_is_a_command_or_refused_with_a_reason() {
    let pieces = dictionary(Path::new("fuzz/command.dict"));
    proptest!(properties(50_000), |(message in inputs(files("fuzz/examples/command"), pieces))| command::check(&message));
}

#[test]
fn any_expression_is_refused_or_deterministic() {
    let (examples, pieces) = (files("fuzz/examples/expression"), dictionary(Path::new("fuzz/expression.dict")));
    proptest!(properties(20_000), |(bytes in inputs(examples, pieces))| expression::check(&bytes));
}

#[test]
fn any_frame_stream_reads_the_same_however_it_is_split() {
    let examples = files("fuzz/examples/frames");
    let all = prop_oneof![9 => streams(), 1 => inputs(examples, vec![vec![0x81], vec![0xff; 8]])];
    proptest!(properties(50_000), |(bytes in all)| frames::check(&bytes));
}

#[test]
fn any_file_is_refused_with_a_report_or_survives_printing() {
    let pieces = dictionary(Path::new("fuzz/scenario.dict"));
    proptest!(properties(5_000), |(bytes in inputs(files("scenarios"), pieces))| scenario::check(&bytes));
}
