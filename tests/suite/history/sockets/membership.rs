//! What a client may ask for: which rows, and how it joins what tells of them.

use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use serde_json::{Value, json};

use super::record::View;

pub(super) const ROOMS: [&str; 3] = ["a", "b", "c"];

/// Rows have ids up to this.
pub(super) const MOST: u64 = 10;

/// How a client joins, which is a rule for each in the scenario.
#[derive(Debug, Clone, Copy)]
pub(super) enum How {
    /// By the topic of all rows.
    All,
    /// By a condition for the rows of a room.
    Room,
    /// By the topic of a room, which a trigger tells of its rows.
    Told,
    /// By the topics of single rows.
    Ids,
    /// By a condition for the rows of a room, and by the topics of single rows.
    Pinned,
    /// By the topic of all rows, with a frame that names the membership.
    Framed,
    /// By the topic of all rows several times, and by those of single rows beside.
    Twice,
}

/// Those between which a client may choose.
pub(super) const ALL_WAYS: [How; 7] = [How::All, How::Room, How::Told, How::Ids, How::Pinned, How::Framed, How::Twice];

#[derive(Debug, Clone)]
pub(super) struct Membership {
    how: How,
    room: &'static str,
    ids: Vec<u64>,
}

impl How {
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
    pub(super) fn draw(random: &mut ChaCha8Rng, ways: &[How]) -> Self {
        let how = ways[random.random_range(0..ways.len())];
        let (room, least) = (ROOMS[random.random_range(0..ROOMS.len())], random.random_range(1..=MOST));
        let ids = (1..=MOST).filter(|id| *id == least || random.random()).collect();
        Self { how, room, ids }
    }

    pub(super) fn view(&self) -> View {
        match self.how {
            How::All | How::Framed | How::Twice => View::All,
            How::Room | How::Told => View::Room(self.room),
            How::Ids => View::Ids(self.ids.clone()),
            How::Pinned => View::Pinned(self.room, self.ids.clone()),
        }
    }

    /// What the client sends to begin or end it: the `verb` is `in` or `out`.
    pub(super) fn message(&self, verb: &str, ask: usize, is_padded: bool) -> Value {
        let topics: Vec<String> = self.ids.iter().map(|id| format!("rows/{id}")).collect();
        let (how, room) = (self.how.name(), self.room);
        json!({ verb: how, "n": ask, "room": room, "topics": topics, "padded": is_padded })
    }
}
