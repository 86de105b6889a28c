//! Faults to inject: what they hit, when, and their effects.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

/// A fault. Its times count from the start of the world, or from the reload, step or request that added or changed it.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    pub(super) name: Option<String>,
    pub(super) matches: Matches,
    pub(super) from: Duration,
    pub(super) until: Option<Duration>,
    pub(super) effect: Effect,
}

impl Fault {
    /// Returns the declared name.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Returns what it hits.
    #[must_use]
    pub fn matches(&self) -> &Matches {
        &self.matches
    }

    /// Returns when it starts.
    #[must_use]
    pub fn from(&self) -> Duration {
        self.from
    }

    /// Returns when it ends; `None` if it does not end on its own.
    #[must_use]
    pub fn until(&self) -> Option<Duration> {
        self.until
    }

    /// Returns its effect.
    #[must_use]
    pub fn effect(&self) -> &Effect {
        &self.effect
    }
}

/// What a fault hits: requests other than handshakes; sockets, including their handshakes; or streams.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Matches {
    /// The method of requests; `None` for any.
    pub method: Option<String>,
    /// The path of requests, of streams, or of handshakes and the sockets of endpoints; `*` matches any characters.
    /// `None` for any path or, for requests, any path of the API.
    pub path: Option<String>,
    /// Whether it hits streams rather than sockets.
    pub streams: bool,
    /// The requested category, or the category of the ordered product.
    pub collection: Option<Arc<str>>,
    /// The product that is ordered, or that a frame is about.
    pub row: Option<Arc<str>>,
    /// The topics of frames; `*` matches any characters. `None` for any frame.
    pub topic: Option<Arc<str>>,
    /// The probability that a match is hit.
    pub share: Share,
    /// The number of matches to spare first.
    pub skip: u64,
    /// The number of matches to hit after that; `None` for all.
    pub times: Option<u64>,
}

/// A share, in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share(u32);

impl Default for Share {
    fn default() -> Self {
        Self::ALL
    }
}

impl Share {
    /// The whole.
    pub const ALL: Self = Self(Self::WHOLE);
    /// The whole in millionths.
    pub const WHOLE: u32 = 1_000_000;

    /// Parses a percentage such as `30%` or `0.5%`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let number = text.strip_suffix('%')?.trim_end_matches(' ');
        if number.is_empty() || number.contains(|c: char| !c.is_ascii_digit() && c != '.') {
            return None;
        }
        let percent: f64 = number.parse().ok().filter(|percent| *percent <= 100.0)?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the value is between 0 and a million"
        )]
        Some(Self((percent * f64::from(Self::WHOLE / 100)).round() as u32))
    }

    /// Returns the share in millionths.
    #[must_use]
    pub fn millionths(self) -> u32 {
        self.0
    }

    /// Returns the share as a percentage, in the notation of the language.
    #[must_use]
    pub fn percent(self) -> String {
        format!("{}%", f64::from(self.0) / f64::from(Self::WHOLE / 100))
    }
}

/// The effect of a fault. It never affects the underlying state, and sockets receive what they have missed once the
/// fault is over.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// The request is processed, and the answer is delayed.
    DelayAnswer(Latency),
    /// The request is not processed, but answered with an error.
    Answer(FaultResponse),
    /// The connection is reset before the request is processed, or after some bytes of its answer.
    ResetRequest {
        /// The number of bytes of the answer to send first, head included.
        after: Option<u64>,
    },
    /// The connection is closed without sending a byte, and the request is not processed.
    Empty,
    /// The request is processed, and the body of its answer is sent at this many bytes per second.
    Bandwidth(u64),
    /// The request is processed, and the JSON of its answer is cut off.
    Malformed,
    /// The request is neither processed nor answered; the connection is closed after this time, or never.
    Timeout(Option<Duration>),
    /// The request is processed, and its answer declares this many bytes more than it has.
    ContentLength(i64),
    /// The handshake is refused.
    Refuse(FaultResponse),
    /// The answer to the handshake is delayed.
    DelayHandshake(Latency),
    /// Sockets are closed.
    Close {
        /// The close code (RFC 6455, 7.4).
        code: u16,
        /// The reason.
        reason: String,
        /// The number of frames that each socket still receives; `None` to close the sockets that are open when the
        /// fault starts.
        after: Option<u64>,
    },
    /// Sockets are reset.
    ResetSocket {
        /// The same as in [`Effect::Close`].
        after: Option<u64>,
    },
    /// Sockets stay open, but receive neither frames nor pongs, and nothing that they send is read.
    Freeze,
    /// Frames are delayed, in order.
    Delay(Latency),
    /// Frames are dropped.
    Drop(Share),
    /// Frames are sent twice.
    Duplicate(Share),
    /// Frames are reordered in groups of this many.
    Reorder(u64),
    /// Frames are damaged.
    Corrupt(Damage, Share),
    /// Totals stay at the values that they had when the fault first hit.
    Stale,
    /// All sockets are closed when the fault starts, and handshakes are refused for this long.
    Storm(Duration),
    /// What clients send is read and ignored.
    Ignore,
}

/// An error answer.
#[derive(Debug, Clone, PartialEq)]
pub struct FaultResponse {
    /// The status code.
    pub status: u16,
    /// The body, instead of mockd's default.
    pub body: Option<Value>,
    /// The `retry-after` header, in whole seconds (RFC 9110, 10.2.3).
    pub retry_after: Option<Duration>,
}

/// How a frame is damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// Its JSON is cut off.
    Json,
    /// Text that is not UTF-8.
    Utf8,
    /// A frame of one mebibyte.
    Oversized,
    /// A binary frame instead of text.
    Type,
}

/// A delay.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Latency {
    /// A fixed time.
    Fixed(Duration),
    /// Uniformly distributed.
    Uniform {
        /// The shortest.
        min: Duration,
        /// The longest.
        max: Duration,
    },
    /// Normally distributed, but never below 0.
    Normal {
        /// The mean.
        mean: Duration,
        /// The standard deviation.
        deviation: Duration,
    },
    /// Lognormally distributed: a few delays are much longer than the median.
    LogNormal {
        /// The median.
        median: Duration,
        /// The standard deviation of the logarithm, in thousandths.
        sigma: u32,
    },
}

impl Effect {
    /// Returns whether it affects requests rather than sockets or streams.
    #[must_use]
    pub fn affects_only_requests(&self) -> bool {
        matches!(
            self,
            Self::DelayAnswer(_)
                | Self::Answer(_)
                | Self::ResetRequest { .. }
                | Self::Empty
                | Self::Bandwidth(_)
                | Self::Malformed
                | Self::Timeout(_)
                | Self::ContentLength(_)
        )
    }

    /// Returns whether it affects only handshakes.
    #[must_use]
    pub fn affects_only_handshakes(&self) -> bool {
        matches!(self, Self::Refuse(_) | Self::DelayHandshake(_))
    }

    /// Returns whether it replaces the answer.
    #[must_use]
    pub fn replaces_answer(&self) -> bool {
        matches!(
            self,
            Self::Answer(_)
                | Self::Refuse(_)
                | Self::Storm(_)
                | Self::ResetRequest { after: None }
                | Self::Empty
                | Self::Timeout(_)
        )
    }

    /// Returns whether it makes the answer invalid HTTP. At most one such effect can apply to an answer.
    #[must_use]
    pub fn overrides_answer(&self) -> bool {
        matches!(self, Self::ResetRequest { after: Some(_) } | Self::Bandwidth(_) | Self::ContentLength(_))
    }

    /// Returns whether browsers silently retry a request that it hits on a kept-alive connection, so that the page does
    /// not notice. They do if the connection ends or the status is 408 (RFC 9110, 15.5.9). A 421 is retried on any
    /// connection, kept alive or not.
    #[must_use]
    pub fn is_repeated(&self) -> bool {
        match self {
            Self::ResetRequest { .. } | Self::Empty | Self::Timeout(_) => true,
            Self::Answer(response) => response.status == 408,
            _ => false,
        }
    }

    /// Returns whether it delays the answer.
    #[must_use]
    pub fn delays_answer(&self) -> bool {
        matches!(self, Self::DelayAnswer(_) | Self::DelayHandshake(_))
    }

    /// Returns whether it takes effect only at the moment when it starts.
    #[must_use]
    pub fn is_momentary(&self) -> bool {
        matches!(self, Self::Close { after: None, .. } | Self::ResetSocket { after: None })
    }

    /// Returns whether it affects the frames of a product.
    #[must_use]
    pub fn affects_frames(&self) -> bool {
        matches!(
            self,
            Self::Delay(_) | Self::Drop(_) | Self::Duplicate(_) | Self::Reorder(_) | Self::Corrupt(..) | Self::Stale
        )
    }
}
