//! What sockets asked and were told: all that the checker knows.

use std::collections::BTreeMap;

use serde_json::Value;

/// Rows by their ids.
pub(super) type Rows = BTreeMap<u64, Value>;

/// A run, from its start to its end.
#[derive(Debug, Clone)]
pub(super) struct SocketHistory {
    /// The rows at the start.
    pub(super) start: Vec<Value>,
    /// The lines of the transcript: the one order of events.
    pub(super) transcript: Vec<Value>,
    /// The rows at the end.
    pub(super) end: Vec<Value>,
    pub(super) sockets: Vec<SocketLog>,
}

/// What one socket asked and was told.
#[derive(Debug, Clone)]
pub(super) struct SocketLog {
    /// Whose it is.
    pub(super) name: String,
    /// Its number, as its frames name it.
    pub(super) id: u64,
    /// Each one's place is its number.
    pub(super) asked: Vec<Ask>,
    pub(super) told: Vec<Told>,
    /// Whether it has left everything and was read to the end; otherwise its client left before.
    pub(super) is_complete: bool,
}

/// What a client asks on a socket.
#[derive(Debug, Clone)]
pub(super) enum Ask {
    /// To be told what these rows are, and how they change from then on. Asked once more, it is told anew what they are.
    In(View),
    /// To be told what the rows are for the last time.
    Out,
}

/// A frame, without what is there to make it long.
#[derive(Debug, Clone)]
pub(super) enum Told {
    /// The rows at the moment at which something was asked.
    Answer { ask: usize, moment: u64, rows: Vec<Value> },
    /// A change, with the membership by which it comes if its frame names that.
    Change { of: Option<String>, event: Value },
}

/// The rows that a client has asked for.
#[derive(Debug, Clone)]
pub(super) enum View {
    All,
    Room(&'static str),
    Ids(Vec<u64>),
    /// Those of a room, and some wherever they are.
    Pinned(&'static str, Vec<u64>),
}

pub(super) fn by_id(rows: &[Value]) -> Rows {
    rows.iter().map(|row| (row["id"].as_u64().expect("a row without an id"), row.clone())).collect()
}

impl SocketLog {
    pub(super) fn new(name: String, id: u64) -> Self {
        Self { name, id, asked: Vec::new(), told: Vec::new(), is_complete: false }
    }
}

impl Told {
    pub(super) fn read(frame: Value) -> Self {
        let ask = frame.get("in").or_else(|| frame.get("out")).and_then(Value::as_u64);
        if let Some(ask) = ask {
            let (moment, rows) = (frame["moment"].as_u64().unwrap(), frame["rows"].as_array().unwrap().clone());
            return Self::Answer { ask: usize::try_from(ask).unwrap(), moment, rows };
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

    /// Those of the rows that it shows.
    pub(super) fn of(&self, rows: &Rows) -> Rows {
        rows.iter().filter(|(_, row)| self.shows(row)).map(|(id, row)| (*id, row.clone())).collect()
    }

    /// Those of the rows that answers tell: more than it shows where rows are asked for by their ids.
    pub(super) fn told(&self, rows: &Rows) -> Rows {
        match self {
            Self::All | Self::Ids(_) | Self::Pinned(..) => rows.clone(),
            Self::Room(_) => self.of(rows),
        }
    }
}
