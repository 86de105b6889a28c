//! What goes wrong on purpose: faults, whom they hit, when, and what they do.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

/// A fault. Its times count from the start of the world, or from the reload, the step or the request that brought or changed
/// it.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    pub(super) name: Option<String>,
    pub(super) matches: Matches,
    pub(super) from: Duration,
    pub(super) until: Option<Duration>,
    pub(super) effect: Effect,
}

impl Fault {
    /// What the user calls it.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Whom it hits.
    #[must_use]
    pub fn matches(&self) -> &Matches {
        &self.matches
    }

    /// When it begins.
    #[must_use]
    pub fn from(&self) -> Duration {
        self.from
    }

    /// When it is over; `None` if it never is by itself.
    #[must_use]
    pub fn until(&self) -> Option<Duration> {
        self.until
    }

    /// What it does.
    #[must_use]
    pub fn effect(&self) -> &Effect {
        &self.effect
    }
}

/// Whom a fault hits: requests that are no handshakes; sockets, handshake included; or streams.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Matches {
    /// The method of requests; any otherwise.
    pub method: Option<String>,
    /// The path of requests, in which `*` stands for any characters, otherwise the paths of the API; that of streams, or of
    /// handshakes and the sockets of endpoints, any otherwise.
    pub path: Option<String>,
    /// Whether it hits streams, and no sockets.
    pub streams: bool,
    /// The category that is asked for, or to which the ordered product belongs.
    pub collection: Option<Arc<str>>,
    /// The product that is ordered, or of which a frame tells.
    pub row: Option<Arc<str>>,
    /// The topics by which frames come, in which `*` stands for any characters; any frames otherwise.
    pub topic: Option<Arc<str>>,
    /// The chance that one that matches is hit.
    pub share: Share,
    /// How many that match are spared first.
    pub skip: u64,
    /// How many are hit after that; all otherwise.
    pub times: Option<u64>,
}

/// A share of all, in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share(u32);

impl Default for Share {
    fn default() -> Self {
        Self::ALL
    }
}

impl Share {
    /// All of them.
    pub const ALL: Self = Self(Self::WHOLE);
    /// What all are.
    pub const WHOLE: u32 = 1_000_000;

    /// Reads a percentage such as `30%` or `0.5%`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let number = text.strip_suffix('%')?.trim_end_matches(' ');
        if number.is_empty() || number.contains(|c: char| !c.is_ascii_digit() && c != '.') {
            return None;
        }
        let percent: f64 = number.parse().ok().filter(|percent| *percent <= 100.0)?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to a million")]
        Some(Self((percent * f64::from(Self::WHOLE / 100)).round() as u32))
    }

    /// In millionths.
    #[must_use]
    pub fn millionths(self) -> u32 {
        self.0
    }

    /// As a percentage, as the language writes it.
    #[must_use]
    pub fn percent(self) -> String {
        format!("{}%", f64::from(self.0) / f64::from(Self::WHOLE / 100))
    }
}

/// What a fault does. Whatever it is, the state underneath stays right, and what sockets have missed comes when it is over.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// The request is carried out, and answered so much later.
    AnswerLate(Latency),
    /// The request is not carried out, and answered with an error.
    Answer(FaultResponse),
    /// The connection is reset: before the request is carried out, or after so many bytes of its answer.
    ResetRequest {
        /// Bytes of the answer that still come, head included.
        after: Option<u64>,
    },
    /// The connection is closed without a byte; the request is not carried out.
    Empty,
    /// The request is carried out, and the body of its answer comes at so many bytes a second.
    Bandwidth(u64),
    /// The request is carried out, and the JSON of its answer is broken.
    Malformed,
    /// The request is not carried out, and not answered; the connection is closed after a while, or never.
    Timeout(Option<Duration>),
    /// The request is carried out, and its answer says to be so many bytes longer than it is.
    ContentLength(i64),
    /// The handshake is refused.
    Refuse(FaultResponse),
    /// The handshake is answered so much later.
    ConnectLate(Latency),
    /// Sockets are closed.
    Close {
        /// The close code (RFC 6455, 7.4).
        code: u16,
        /// The reason.
        reason: String,
        /// Frames that each still gets; otherwise those that are open when it begins are closed then.
        after: Option<u64>,
    },
    /// Sockets are reset.
    ResetSocket {
        /// As with [`Effect::Close`].
        after: Option<u64>,
    },
    /// Sockets stay open and silent: no frames, no pongs, and nothing they send is read.
    Freeze,
    /// Frames come later, in their order.
    Delay(Latency),
    /// Frames do not come.
    Drop(Share),
    /// Frames come twice.
    Duplicate(Share),
    /// So many frames each come in another order.
    Reorder(u64),
    /// Frames come damaged.
    Corrupt(Damage, Share),
    /// Totals are told as they were when the fault hit first.
    Stale,
    /// All sockets are closed when it begins, and nobody gets in for so long.
    Storm(Duration),
    /// What clients send is read, and nothing is done about it.
    Ignore,
}

/// An answer that is an error.
#[derive(Debug, Clone, PartialEq)]
pub struct FaultResponse {
    /// The status code.
    pub status: u16,
    /// The body, in place of that of mockd's own errors.
    pub body: Option<Value>,
    /// What the `retry-after` header says, in whole seconds (RFC 9110, 10.2.3).
    pub retry_after: Option<Duration>,
}

/// How a frame is damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// Its JSON breaks off.
    Json,
    /// A text that is not UTF-8.
    Utf8,
    /// A frame of a mebibyte.
    Oversized,
    /// A binary frame in place of a text.
    Type,
}

/// How long something takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Latency {
    /// Always the same.
    Fixed(Duration),
    /// Anything from the one to the other, each with the same chance.
    Uniform {
        /// The shortest.
        min: Duration,
        /// The longest.
        max: Duration,
    },
    /// Around a mean, as a normal distribution has it; never less than nothing.
    Normal {
        /// The mean.
        mean: Duration,
        /// The standard deviation.
        deviation: Duration,
    },
    /// Half of them shorter than the median, and a few much longer.
    LogNormal {
        /// The median.
        median: Duration,
        /// The standard deviation of the logarithm, in thousandths.
        sigma: u32,
    },
}

impl Effect {
    /// Whether it is about requests; otherwise it is about sockets or streams.
    #[must_use]
    pub fn is_for_requests(&self) -> bool {
        matches!(
            self,
            Self::AnswerLate(_)
                | Self::Answer(_)
                | Self::ResetRequest { .. }
                | Self::Empty
                | Self::Bandwidth(_)
                | Self::Malformed
                | Self::Timeout(_)
                | Self::ContentLength(_)
        )
    }

    /// Whether it is about handshakes alone.
    #[must_use]
    pub fn is_for_handshakes(&self) -> bool {
        matches!(self, Self::Refuse(_) | Self::ConnectLate(_))
    }

    /// Whether something else comes in place of the answer.
    #[must_use]
    pub fn is_in_place_of_answer(&self) -> bool {
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

    /// Whether the answer is not written as HTTP has it, of which there can be but one way.
    #[must_use]
    pub fn overrides_answer(&self) -> bool {
        matches!(self, Self::ResetRequest { after: Some(_) } | Self::Bandwidth(_) | Self::ContentLength(_))
    }

    /// Whether browsers repeat a request by themselves that it hits on a connection that was kept alive, so that no page sees
    /// it: the connection ends, or the status is 408 (RFC 9110, 15.5.9). What gets 421 is repeated on every connection.
    #[must_use]
    pub fn is_repeated(&self) -> bool {
        match self {
            Self::ResetRequest { .. } | Self::Empty | Self::Timeout(_) => true,
            Self::Answer(response) => response.status == 408,
            _ => false,
        }
    }

    /// Whether the answer comes later.
    #[must_use]
    pub fn delays_answer(&self) -> bool {
        matches!(self, Self::AnswerLate(_) | Self::ConnectLate(_))
    }

    /// Whether it happens at one moment, when it begins.
    #[must_use]
    pub fn is_momentary(&self) -> bool {
        matches!(self, Self::Close { after: None, .. } | Self::ResetSocket { after: None })
    }

    /// Whether it is about the frames of a product.
    #[must_use]
    pub fn is_about_frames(&self) -> bool {
        matches!(
            self,
            Self::Delay(_) | Self::Drop(_) | Self::Duplicate(_) | Self::Reorder(_) | Self::Corrupt(..) | Self::Stale
        )
    }
}
