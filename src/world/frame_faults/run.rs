//! What one fault keeps of the frames of one socket.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;

use super::{Behind, id_of};
use crate::engine::RandomStream;
use crate::scenario::{Damage, Effect, format_duration};
use crate::world::message::Message;

/// How long frames that are to change places wait for others.
pub(super) const REORDER_TIMEOUT: Duration = Duration::from_secs(1);

/// A frame on its way through faults.
#[derive(Debug, Clone)]
pub(super) struct InFlight {
    pub(super) message: Message,
    pub(super) event: Option<u64>,
    pub(super) damage: Option<Damage>,
}

#[derive(Debug)]
pub(super) struct FaultRunOnFrames {
    rng: RandomStream,
    /// Frames that a closing fault has let pass.
    pub(super) passed: u64,
    /// Frames that wait to change places, and since when.
    pub(super) window: Vec<InFlight>,
    pub(super) since: Duration,
    /// What the socket has to be sent when the fault is over.
    pub(super) behind: Option<Behind>,
    /// The value that each row is said to have.
    stale: HashMap<String, Value>,
}

impl FaultRunOnFrames {
    pub(super) fn new(rng: RandomStream) -> Self {
        Self { rng, passed: 0, window: Vec::new(), since: Duration::ZERO, behind: None, stale: HashMap::new() }
    }

    /// Applies the fault to frames, and says what that changed, if anything.
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
                *frames = frames.iter().flat_map(|waiting| [waiting.clone(), waiting.clone()]).collect();
                Some("sent twice".into())
            }
            Effect::Corrupt(kind, chance) if self.rng.takes(*chance) => {
                for waiting in frames {
                    waiting.damage = Some(*kind);
                }
                Some(format!("corrupted: {}", kind.word()))
            }
            Effect::Stale => {
                let mut is_told = false;
                for waiting in frames {
                    if let Some(stale) = self.stale(&waiting.message) {
                        waiting.message = stale;
                        is_told = true;
                    }
                }
                is_told.then(|| "told a stale total".into())
            }
            Effect::Delay(latency) => {
                let drawn = self.rng.latency(*latency);
                *delay = delay.saturating_add(drawn);
                Some(format!("delayed by {}", format_duration(drawn)))
            }
            Effect::Reorder(window) => {
                self.reorder(frames, *window, now);
                Some("put in another order".into())
            }
            _ => None,
        }
    }

    /// The same frame with the value that the row was first said to have; none if that is what it says.
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

    /// Collects frames, and gives them when there are enough.
    fn reorder(&mut self, frames: &mut Vec<InFlight>, window: u64, now: Duration) {
        if self.window.is_empty() {
            self.since = now;
        }
        self.window.append(frames);
        if self.window.len() as u64 >= window {
            *frames = self.take_reordered();
        }
    }

    /// The frames of the window, the last of them first.
    pub(super) fn take_reordered(&mut self) -> Vec<InFlight> {
        let mut frames = std::mem::take(&mut self.window);
        let last = 1.min(frames.len());
        frames.rotate_right(last);
        frames
    }
}

/// Bytes of a frame that is too large for most clients.
const OVERSIZED: usize = 1 << 20;

/// A message that no client should have to read.
pub(super) fn damaged(message: &Message, damage: Damage) -> Message {
    let payload = message.payload();
    match damage {
        Damage::Json => {
            let text = String::from_utf8_lossy(payload);
            let half: String = text.chars().take(text.chars().count().div_ceil(2)).collect();
            Message::text(half)
        }
        Damage::Utf8 => {
            // No text has this byte (RFC 3629, section 1).
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
