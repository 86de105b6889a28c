//! What clients asked and were answered, and what sockets got: all that the checker knows.

use std::collections::BTreeMap;

/// When something was asked and when it was answered, counted over all clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) asked: u64,
    /// The end of time if there was no answer.
    pub(super) answered: u64,
    /// Which of the servers was asked.
    pub(super) server: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Accepted,
    Refused,
    /// The connection ended before an answer.
    InDoubt,
}

/// An order of a client. No two have the same amount, so that a total tells which one changed it.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) id: String,
    pub(super) amount: i64,
    pub(super) span: Span,
    pub(super) outcome: Outcome,
}

/// A product as an answer or an event names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Named {
    pub(super) category: String,
    pub(super) id: String,
}

/// What one socket asked for, and got.
#[derive(Debug, Clone, Default)]
pub(super) struct Stream {
    /// When it was asked for, and when its first frame was there.
    pub(super) opened: Option<Span>,
    /// The category that it began with, and those that it switched to.
    pub(super) categories: Vec<String>,
    pub(super) frames: Vec<String>,
    /// Whether it was read until all had come; otherwise its client left before.
    pub(super) is_complete: bool,
}

/// A run, from its start to its end.
#[derive(Debug, Clone, Default)]
pub(super) struct History {
    pub(super) orders: Vec<Order>,
    pub(super) added: Vec<Named>,
    /// The category of each product whose addition may have been done or not, as the answer says.
    pub(super) perhaps_added: Vec<String>,
    /// In their order; none of them overlap.
    pub(super) resets: Vec<Span>,
    /// The declared totals of each file that was good, the first one's included, in the order of the saves.
    pub(super) saves: Vec<BTreeMap<String, i64>>,
    /// One before each reset, and one at the end.
    pub(super) transcripts: Vec<String>,
    /// A socket on each category, from the start to the end.
    pub(super) witnesses: Vec<Stream>,
    pub(super) streams: Vec<Stream>,
    /// By id, at the end.
    pub(super) totals: BTreeMap<String, i64>,
}

impl History {
    /// What each socket got.
    pub(super) fn frames(&self) -> Vec<&[String]> {
        self.witnesses.iter().chain(&self.streams).map(|stream| &stream.frames[..]).collect()
    }
}
