//! The record of a run: requests with their answers, and the frames of sockets. The checker sees nothing else.

use std::collections::BTreeMap;

/// When a request was sent and when it was answered, in ticks of a counter that all clients share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) sent: u64,
    /// `u64::MAX` if there was no answer.
    pub(super) answered: u64,
    /// The index of the server.
    pub(super) server: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Accepted,
    Refused,
    /// The connection ended before an answer.
    InDoubt,
}

/// An order of a client. Amounts are unique, so that a change of a total identifies its order.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) id: String,
    pub(super) amount: i64,
    pub(super) span: Span,
    pub(super) outcome: Outcome,
}

/// A product as an answer or an event identifies it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ProductKey {
    pub(super) category: String,
    pub(super) id: String,
}

/// The requests and the frames of one socket.
#[derive(Debug, Clone, Default)]
pub(super) struct Stream {
    /// When the socket was opened, and when its first frame arrived.
    pub(super) opened: Option<Span>,
    /// The initial category, and those that the client switched to.
    pub(super) categories: Vec<String>,
    pub(super) frames: Vec<String>,
    /// Whether the client read every frame; otherwise it left early.
    pub(super) is_complete: bool,
}

/// The record of a whole run.
#[derive(Debug, Clone, Default)]
pub(super) struct History {
    pub(super) orders: Vec<Order>,
    pub(super) added: Vec<ProductKey>,
    /// The category of each product whose addition is in doubt according to the answer.
    pub(super) maybe_added: Vec<String>,
    /// In order, without overlaps.
    pub(super) resets: Vec<Span>,
    /// The declared totals of each valid file, including the first one, in the order of the saves.
    pub(super) saves: Vec<BTreeMap<String, i64>>,
    /// One before each reset, and one at the end.
    pub(super) transcripts: Vec<String>,
    /// A socket on each category, from the start to the end.
    pub(super) witnesses: Vec<Stream>,
    pub(super) streams: Vec<Stream>,
    /// The final totals by product id.
    pub(super) totals: BTreeMap<String, i64>,
}

impl History {
    /// Returns the frames of each socket.
    pub(super) fn frames(&self) -> Vec<&[String]> {
        self.witnesses.iter().chain(&self.streams).map(|stream| &stream.frames[..]).collect()
    }
}
