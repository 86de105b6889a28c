//! The record of a run: the requests and the frames of sockets. The checker sees nothing else.

use std::collections::BTreeMap;

use serde_json::Value;

/// Rows by their ids.
pub(super) type Rows = BTreeMap<u64, Value>;

/// The record of a whole run.
#[derive(Debug, Clone)]
pub(super) struct SocketHistory {
    /// The rows at the start.
    pub(super) start: Vec<Value>,
    /// The lines of the transcript, in the order of events.
    pub(super) transcript: Vec<Value>,
    /// The rows at the end.
    pub(super) end: Vec<Value>,
    pub(super) sockets: Vec<SocketLog>,
}

/// The requests and the frames of one socket.
#[derive(Debug, Clone)]
pub(super) struct SocketLog {
    /// The name of the client, with the number of the socket.
    pub(super) name: String,
    /// The number of the socket in its frames.
    pub(super) id: u64,
    /// Requests, by the number that answers repeat.
    pub(super) requests: Vec<Request>,
    pub(super) received: Vec<Received>,
    /// Whether the client left everything and read to the end; otherwise it disconnected early.
    pub(super) is_complete: bool,
}

/// A request of a client on a socket.
#[derive(Debug, Clone)]
pub(super) enum Request {
    /// Requests these rows and their changes from then on. A repeated request returns the rows again.
    Join(View),
    /// Requests the rows for the last time.
    Leave,
}

/// A frame, without its padding.
#[derive(Debug, Clone)]
pub(super) enum Received {
    /// The rows at the moment of a request.
    Answer { request: usize, moment: u64, rows: Vec<Value> },
    /// A change, with its membership if the frame names that.
    Change { of: Option<String>, event: Value },
}

/// The rows that a client has requested.
#[derive(Debug, Clone)]
pub(super) enum View {
    All,
    Room(&'static str),
    Ids(Vec<u64>),
    /// The rows of a room, and some rows in any room.
    Pinned(&'static str, Vec<u64>),
}

pub(super) fn by_id(rows: &[Value]) -> Rows {
    rows.iter().map(|row| (row["id"].as_u64().expect("a row without an id"), row.clone())).collect()
}

impl SocketLog {
    pub(super) fn new(name: String, id: u64) -> Self {
        Self { name, id, requests: Vec::new(), received: Vec::new(), is_complete: false }
    }
}

impl Received {
    pub(super) fn read(frame: Value) -> Self {
        let request = frame.get("in").or_else(|| frame.get("out")).and_then(Value::as_u64);
        if let Some(request) = request {
            let (moment, rows) = (frame["moment"].as_u64().unwrap(), frame["rows"].as_array().unwrap().clone());
            return Self::Answer { request: usize::try_from(request).unwrap(), moment, rows };
        }
        match frame["of"].as_str() {
            Some(of) => Self::Change { of: Some(of.to_owned()), event: frame["event"].clone() },
            None => Self::Change { of: None, event: frame },
        }
    }
}

impl View {
    pub(super) fn shows(&self, row: &Value) -> bool {
        let is_of = |ids: &[u64]| row["id"].as_u64().is_some_and(|id| ids.contains(&id));
        match self {
            Self::All => true,
            Self::Room(room) => row["room"] == *room,
            Self::Ids(ids) => is_of(ids),
            Self::Pinned(room, ids) => row["room"] == *room || is_of(ids),
        }
    }

    /// Returns the rows that the view shows.
    pub(super) fn of(&self, rows: &Rows) -> Rows {
        rows.iter().filter(|(_, row)| self.shows(row)).map(|(id, row)| (*id, row.clone())).collect()
    }

    /// Returns the rows that an answer contains: more than the view shows if the request names ids.
    pub(super) fn answered(&self, rows: &Rows) -> Rows {
        match self {
            Self::All | Self::Ids(_) | Self::Pinned(..) => rows.clone(),
            Self::Room(_) => self.of(rows),
        }
    }
}
