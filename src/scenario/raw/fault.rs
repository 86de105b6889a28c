//! Faults.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{Opt, RawDuration, RawShare};
use crate::scenario::yaml::Id;

/// A fault to inject: what it hits (`on` and the keys that narrow it down), when, and exactly one effect. Its times
/// count from the start of the world, or from the reload, step or request that added or changed it.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(
    deny_unknown_fields, rename = "fault", extend("required" = ["on"]),
    example = serde_json::json!({ "on": "http", "path": "/orders/*", "share": "20%", "status": 503 }),
    example = serde_json::json!({ "on": "websocket", "from": "10s", "until": "20s", "freeze": true }),
)]
pub(crate) struct RawFault {
    /// The fault's name in messages, in the journal and in `/__mockd/faults`.
    #[schemars(example = &"busy checkout")]
    pub(crate) name: Opt<String>,
    /// What the fault hits.
    pub(crate) on: Opt<RawOn>,
    /// Only requests with this method. With `on: http`.
    #[schemars(example = &"POST")]
    pub(crate) method: Opt<String>,
    /// Only requests with this path, without the world's prefix; `*` matches any characters. Without it, all API
    /// requests. With `on: stream`, only streams that answer a request for this path; with `on: websocket`, only
    /// sockets of an endpoint that were opened with this path.
    #[schemars(example = &"/orders/*")]
    pub(crate) path: Opt<String>,
    /// Only requests for this category or one of its products, or only sockets that requested it last.
    #[schemars(example = &"electronics")]
    pub(crate) category: Opt<String>,
    /// Only orders of this product, or only frames about it.
    #[schemars(example = &"A1")]
    pub(crate) product: Opt<Id>,
    /// Only frames or events of this topic; `*` matches any characters. With a fault that affects frames, such as
    /// `drop`.
    #[schemars(example = &"room/*")]
    pub(crate) topic: Opt<String>,
    /// The share of requests, sockets or streams to hit.
    #[schemars(example = &"20%", extend("default" = "100%"))]
    pub(crate) share: Opt<RawShare>,
    /// The share of frames or events to hit on the affected sockets or streams. With `drop`, `duplicate` and `corrupt`.
    #[schemars(example = &"5%", extend("default" = "100%"))]
    pub(crate) chance: Opt<RawShare>,
    /// How many requests, sockets or streams to spare first.
    #[schemars(example = 3, range(min = 0), extend("default" = 0))]
    pub(crate) skip: Opt<i64>,
    /// How many requests, sockets or streams to hit after `skip`. Without it, all of them.
    #[schemars(example = 2, range(min = 1))]
    pub(crate) times: Opt<i64>,
    /// When the fault starts.
    #[schemars(extend("default" = "0s"))]
    pub(crate) from: Opt<RawDuration>,
    /// When the fault ends. Without it, the fault never ends.
    #[schemars(example = &"1m")]
    pub(crate) until: Opt<RawDuration>,
    /// Delays answers, frames or events by a fixed time or a random one. Frames and events keep their order. Those that
    /// are still delayed when the socket is closed are sent first.
    #[schemars(example = &"300ms", example = serde_json::json!({ "median": "90ms", "sigma": 0.5 }))]
    pub(crate) latency: Opt<RawLatency>,
    /// Answers requests with this status without processing them; refuses handshakes with it.
    #[schemars(example = 503, range(min = 400, max = 599))]
    pub(crate) status: Opt<i64>,
    /// The JSON body sent with `status`, instead of mockd's default.
    #[schemars(example = serde_json::json!({ "error": "out of stock" }))]
    pub(crate) body: Opt<Value>,
    /// The `retry-after` header sent with `status`, in whole seconds.
    #[schemars(example = &"2s")]
    pub(crate) retry_after: Opt<RawDuration>,
    /// Resets connections: those of requests before they are processed; those of sockets and streams when the fault
    /// starts, or after the number given by `after`.
    pub(crate) reset: Opt<bool>,
    /// With `reset`: after this many bytes of an answer that is not a stream, frames of a socket, or events of a
    /// stream. With `close`: after this many frames.
    #[schemars(example = 20, range(min = 0))]
    pub(crate) after: Opt<i64>,
    /// Closes the connection without an answer. With `on: http`.
    pub(crate) empty: Opt<bool>,
    /// Sends the body of an answer at this many bytes per second; streams are not affected. With `on: http`.
    #[schemars(example = 100, range(min = 1))]
    pub(crate) bandwidth: Opt<i64>,
    /// Cuts off the JSON of an answer; streams are not affected. With `on: http`.
    pub(crate) malformed: Opt<bool>,
    /// Leaves requests unanswered and closes their connections after this time, or `never`. With `on: http`.
    #[schemars(example = &"30s", example = &"never")]
    pub(crate) timeout: Opt<RawTimeout>,
    /// Declares an answer this many bytes longer than it is, or shorter if negative; streams, which declare no length,
    /// are not affected. With `on: http`.
    #[schemars(example = 10, range(min = -1_048_576, max = 1_048_576))]
    pub(crate) content_length: Opt<i64>,
    /// Delays the answer to handshakes. With `on: websocket`.
    #[schemars(example = &"2s")]
    pub(crate) connect: Opt<RawLatency>,
    /// Closes sockets with this code: those that are open when the fault starts or, with `after`, each socket after
    /// that many frames. With `on: websocket`.
    #[schemars(example = 1011, range(min = 1000, max = 4999))]
    pub(crate) close: Opt<i64>,
    /// The reason sent with `close`, at most 123 bytes.
    pub(crate) reason: Opt<String>,
    /// Freezes sockets: they stay open, but mockd neither sends anything, not even pongs, nor reads anything. With
    /// `on: websocket`.
    pub(crate) freeze: Opt<bool>,
    /// Drops frames or events. With `on: websocket`, where the latest totals are sent afterwards, or `on: stream`.
    pub(crate) drop: Opt<bool>,
    /// Sends frames or events twice. With `on: websocket` or `on: stream`.
    pub(crate) duplicate: Opt<bool>,
    /// Reorders frames in groups of this many: the last frame of each group comes first. With `on: websocket`.
    #[schemars(example = 4, range(min = 2, max = 1000))]
    pub(crate) reorder: Opt<i64>,
    /// Damages frames. With `on: websocket`.
    pub(crate) corrupt: Opt<RawDamage>,
    /// Freezes totals at the values that they have when the fault first hits. With `on: websocket`, ideally with
    /// `product`.
    pub(crate) stale: Opt<bool>,
    /// Closes all sockets with 1012 when the fault starts, and refuses handshakes with 503 for this long. With
    /// `on: websocket`.
    #[schemars(example = &"5s")]
    pub(crate) storm: Opt<RawDuration>,
    /// Reads what clients send, but ignores it. With `on: websocket`.
    pub(crate) ignore: Opt<bool>,
}

/// What a fault hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "on")]
pub(crate) enum RawOn {
    /// Requests, except those that open a socket.
    Http,
    /// Sockets, and the handshakes that open them.
    WebSocket,
    /// Open streams of server-sent events. The request that opens a stream is an ordinary request, hit with `on: http`.
    Stream,
}

/// How frames are damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "corrupt")]
pub(crate) enum RawDamage {
    /// JSON that is cut off.
    Json,
    /// Text that is not UTF-8.
    Utf8,
    /// A frame of one mebibyte.
    Oversized,
    /// A binary frame.
    Type,
}

/// A delay.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "latency")]
pub(crate) enum RawLatency {
    /// A random time.
    #[serde(rename = "\0mapping")]
    #[schemars(untagged)]
    Spread(Box<RawSpread>),
    /// A fixed time.
    #[serde(rename = "\0text")]
    #[schemars(untagged)]
    Fixed(RawDuration),
}

/// A distribution of times: `min` and `max` (uniform), `mean` and `jitter` (uniform around it), `mean` and `deviation`
/// (normal), or `median` and `sigma` (lognormal).
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields, rename = "spread")]
pub(crate) struct RawSpread {
    /// The shortest time.
    pub(crate) min: Opt<RawDuration>,
    /// The longest time.
    pub(crate) max: Opt<RawDuration>,
    /// The mean.
    pub(crate) mean: Opt<RawDuration>,
    /// How much shorter or longer than the mean a time may be.
    pub(crate) jitter: Opt<RawDuration>,
    /// The standard deviation.
    pub(crate) deviation: Opt<RawDuration>,
    /// The median.
    pub(crate) median: Opt<RawDuration>,
    /// The standard deviation of the logarithm: with 0.5, one time in ten is at least twice the median.
    #[schemars(example = 0.5, range(min = 0, max = 5))]
    pub(crate) sigma: Opt<f64>,
}

/// How long a request stays unanswered.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "timeout")]
pub(crate) enum RawTimeout {
    /// Forever.
    #[serde(rename = "never")]
    Never,
    /// For this long.
    #[serde(rename = "\0text")]
    #[schemars(untagged)]
    After(RawDuration),
}
