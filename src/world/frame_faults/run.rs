//! The state that one fault keeps for the frames of one socket.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;

use super::{Resend, id_of};
use crate::engine::RandomStream;
use crate::scenario::{Damage, Effect, format_duration};
use crate::world::message::Message;

/// How long frames to be reordered wait for others.
pub(super) const REORDER_TIMEOUT: Duration = Duration::from_secs(1);

/// A frame on its way through the faults.
#[derive(Debug, Clone)]
pub(super) struct InFlight {
    pub(super) message: Message,
    pub(super) event: Option<u64>,
    pub(super) damage: Option<Damage>,
}

#[derive(Debug)]
pub(super) struct FaultRunOnFrames {
    rng: RandomStream,
    /// Frames that a closing fault has let through.
    pub(super) passed: u64,
    /// Frames that wait to be reordered, and since when.
    pub(super) window: Vec<InFlight>,
    pub(super) since: Duration,
    /// What to send the socket again when the fault is over.
    pub(super) resend: Option<Resend>,
    /// The first value sent for each row.
    stale: HashMap<String, Value>,
}

impl FaultRunOnFrames {
    pub(super) fn new(rng: RandomStream) -> Self {
        Self { rng, passed: 0, window: Vec::new(), since: Duration::ZERO, resend: None, stale: HashMap::new() }
    }

    /// Applies the fault to frames. Returns a description of the change; `None` if nothing changed.
    pub(super) fn apply(
        &mut self,
        effect: &Effect,
        frames: &mut Vec<InFlight>,
        delay: &mut Duration,
        now: Duration,
    ) -> Option<String> {
        if frames.is_empty() {
            return None;
        }
        match effect {
            Effect::Drop(chance) if self.rng.takes(*chance) => {
                frames.clear();
                Some("dropped".into())
            }
            Effect::Duplicate(chance) if self.rng.takes(*chance) => {
                *frames = frames.iter().flat_map(|frame| [frame.clone(), frame.clone()]).collect();
                Some("sent twice".into())
            }
            Effect::Corrupt(kind, chance) if self.rng.takes(*chance) => {
                for frame in frames {
                    frame.damage = Some(*kind);
                }
                Some(format!("corrupted: {}", kind.word()))
            }
            Effect::Stale => {
                let mut has_changed = false;
                for frame in frames {
                    if let Some(stale) = self.stale(&frame.message) {
                        frame.message = stale;
                        has_changed = true;
                    }
                }
                has_changed.then(|| "sent with a stale total".into())
            }
            Effect::Delay(latency) => {
                let drawn = self.rng.latency(*latency);
                *delay = delay.saturating_add(drawn);
                Some(format!("delayed by {}", format_duration(drawn)))
            }
            Effect::Reorder(window) => {
                self.reorder(frames, *window, now);
                Some("reordered".into())
            }
            _ => None,
        }
    }

    /// Returns the frame with the value first sent for its row; `None` if the frame has that value already.
    fn stale(&mut self, message: &Message) -> Option<Message> {
        let mut body: Value = serde_json::from_slice(message.payload()).ok()?;
        let (id, value) = (id_of(&body)?.into_owned(), body.get("total")?.clone());
        let first = self.stale.entry(id).or_insert_with(|| value.clone()).clone();
        if first == value {
            return None;
        }
        body["total"] = first;
        Some(Message::text(body.to_string()))
    }

    /// Collects frames, and releases them once the window is full.
    fn reorder(&mut self, frames: &mut Vec<InFlight>, window: u64, now: Duration) {
        if self.window.is_empty() {
            self.since = now;
        }
        self.window.append(frames);
        if self.window.len() as u64 >= window {
            *frames = self.take_reordered();
        }
    }

    /// Takes the frames of the window, with the last one moved to the front.
    pub(super) fn take_reordered(&mut self) -> Vec<InFlight> {
        let mut frames = std::mem::take(&mut self.window);
        let last = 1.min(frames.len());
        frames.rotate_right(last);
        frames
    }
}

/// The size of a frame that is too large for most clients, in bytes.
const OVERSIZED: usize = 1 << 20;

/// Returns a damaged version of a message, which no client should have to handle.
pub(super) fn damaged(message: &Message, damage: Damage) -> Message {
    let payload = message.payload();
    match damage {
        Damage::Json => {
            let text = String::from_utf8_lossy(payload);
            let half: String = text.chars().take(text.chars().count().div_ceil(2)).collect();
            Message::text(half)
        }
        Damage::Utf8 => {
            // This byte never occurs in UTF-8 (RFC 3629, section 1).
            let middle = payload.len() / 2;
            Message::text([&payload[..middle], &[0xff], &payload[middle..]].concat())
        }
        Damage::Oversized => {
            let mut large = payload.to_vec();
            large.resize(large.len().max(OVERSIZED), b' ');
            Message::text(large)
        }
        Damage::Type => Message::binary(payload.clone()),
    }
}
