//! The rows that a client requests, and the ways in which it joins their changes.

use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use serde_json::{Value, json};

use super::record::View;

pub(super) const ROOMS: [&str; 3] = ["a", "b", "c"];

/// The highest id of a row.
pub(super) const MAX_ID: u64 = 10;

/// How a client joins. The scenario has a rule for each way.
#[derive(Debug, Clone, Copy)]
pub(super) enum JoinMode {
    /// By the topic of all rows.
    All,
    /// By a condition for the rows of a room.
    Room,
    /// By the topic of a room, to which a trigger sends the changes of its rows.
    Told,
    /// By the topics of single rows.
    Ids,
    /// By a condition for the rows of a room, and by the topics of single rows.
    Pinned,
    /// By the topic of all rows, with a frame that names the membership.
    Framed,
    /// By the topic of all rows several times, and by the topics of single rows too.
    Twice,
}

/// All ways to join.
pub(super) const ALL_MODES: [JoinMode; 7] =
    [JoinMode::All, JoinMode::Room, JoinMode::Told, JoinMode::Ids, JoinMode::Pinned, JoinMode::Framed, JoinMode::Twice];

#[derive(Debug, Clone)]
pub(super) struct Membership {
    mode: JoinMode,
    room: &'static str,
    ids: Vec<u64>,
}

impl JoinMode {
    fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Room => "room",
            Self::Told => "told",
            Self::Ids => "ids",
            Self::Pinned => "pinned",
            Self::Framed => "framed",
            Self::Twice => "twice",
        }
    }
}

impl Membership {
    pub(super) fn draw(random: &mut ChaCha8Rng, modes: &[JoinMode]) -> Self {
        let mode = modes[random.random_range(0..modes.len())];
        let (room, required) = (ROOMS[random.random_range(0..ROOMS.len())], random.random_range(1..=MAX_ID));
        let ids = (1..=MAX_ID).filter(|id| *id == required || random.random()).collect();
        Self { mode, room, ids }
    }

    pub(super) fn view(&self) -> View {
        match self.mode {
            JoinMode::All | JoinMode::Framed | JoinMode::Twice => View::All,
            JoinMode::Room | JoinMode::Told => View::Room(self.room),
            JoinMode::Ids => View::Ids(self.ids.clone()),
            JoinMode::Pinned => View::Pinned(self.room, self.ids.clone()),
        }
    }

    /// Returns the message that starts or ends the membership: `verb` is `in` or `out`.
    pub(super) fn message(&self, verb: &str, request: usize, is_padded: bool) -> Value {
        let topics: Vec<String> = self.ids.iter().map(|id| format!("rows/{id}")).collect();
        let (mode, room) = (self.mode.name(), self.room);
        json!({ verb: mode, "n": request, "room": room, "topics": topics, "padded": is_padded })
    }
}
