//! Faults.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{Opt, RawDuration, RawShare};
use crate::scenario::yaml::Id;

/// Something that goes wrong on purpose: whom it hits (`on`, and what narrows it), when, and exactly one thing that it does.
/// Its times count from the start, or from the reload, the step or the request that brought or changed it.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(
    deny_unknown_fields, rename = "fault", extend("required" = ["on"]),
    example = serde_json::json!({ "on": "http", "path": "/orders/*", "share": "20%", "status": 503 }),
    example = serde_json::json!({ "on": "websocket", "from": "10s", "until": "20s", "freeze": true }),
)]
pub(crate) struct RawFault {
    /// What messages, the journal and `/__mockd/faults` call it.
    #[schemars(example = &"busy checkout")]
    pub(crate) name: Opt<String>,
    /// What it hits.
    pub(crate) on: Opt<RawOn>,
    /// Requests with this method alone. With `on: http`.
    #[schemars(example = &"POST")]
    pub(crate) method: Opt<String>,
    /// Requests with this path alone, below the world's prefix; `*` stands for any characters. Without it, those of the
    /// API. With `on: http`. Or streams that answer a request for it, with `on: stream`; or sockets of an endpoint of
    /// `websocket` that were opened with it, with `on: websocket`.
    #[schemars(example = &"/orders/*")]
    pub(crate) path: Opt<String>,
    /// Requests for this category or a product of it, or sockets that asked for it last.
    #[schemars(example = &"electronics")]
    pub(crate) category: Opt<String>,
    /// Orders of this product, or frames that tell of it.
    #[schemars(example = &"A1")]
    pub(crate) product: Opt<Id>,
    /// Frames or events that come by this topic alone; `*` stands for any characters. With a fault of frames, such as `drop`.
    #[schemars(example = &"room/*")]
    pub(crate) topic: Opt<String>,
    /// The share of requests, sockets or streams that is hit.
    #[schemars(example = &"20%", extend("default" = "100%"))]
    pub(crate) share: Opt<RawShare>,
    /// The share of frames or events that is hit, of the sockets or streams that are. With `drop`, `duplicate` and `corrupt`.
    #[schemars(example = &"5%", extend("default" = "100%"))]
    pub(crate) chance: Opt<RawShare>,
    /// How many requests, sockets or streams are spared first.
    #[schemars(example = 3, range(min = 0), extend("default" = 0))]
    pub(crate) skip: Opt<i64>,
    /// How many requests, sockets or streams are hit, after those that are spared; without it, all.
    #[schemars(example = 2, range(min = 1))]
    pub(crate) times: Opt<i64>,
    /// When it begins.
    #[schemars(extend("default" = "0s"))]
    pub(crate) from: Opt<RawDuration>,
    /// When it is over. Without it, never.
    #[schemars(example = &"1m")]
    pub(crate) until: Opt<RawDuration>,
    /// Answers, frames or events come later: so much, or as a distribution says. Frames and events keep their order.
    #[schemars(example = &"300ms", example = serde_json::json!({ "median": "90ms", "sigma": 0.5 }))]
    pub(crate) latency: Opt<RawLatency>,
    /// Requests are answered with this status and not carried out; handshakes are refused with it.
    #[schemars(example = 503, range(min = 400, max = 599))]
    pub(crate) status: Opt<i64>,
    /// The JSON that comes with `status`, in place of mockd's own.
    #[schemars(example = serde_json::json!({ "error": "out of stock" }))]
    pub(crate) body: Opt<Value>,
    /// What `retry-after` says beside `status`, in whole seconds.
    #[schemars(example = &"2s")]
    pub(crate) retry_after: Opt<RawDuration>,
    /// Connections are reset: requests before they are carried out, sockets and streams when the fault begins; or `after` so
    /// much.
    pub(crate) reset: Opt<bool>,
    /// With `reset`: after so many bytes of an answer that is no stream, frames of a socket, or events of a stream. With
    /// `close`: after so many frames.
    #[schemars(example = 20, range(min = 0))]
    pub(crate) after: Opt<i64>,
    /// Connections are closed in place of an answer. With `on: http`.
    pub(crate) empty: Opt<bool>,
    /// The body of an answer that is no stream comes at so many bytes a second. With `on: http`.
    #[schemars(example = 100, range(min = 1))]
    pub(crate) bandwidth: Opt<i64>,
    /// The JSON of an answer breaks off; a stream stays as it is. With `on: http`.
    pub(crate) malformed: Opt<bool>,
    /// Requests are not answered: their connections are closed after so long, or `never`. With `on: http`.
    #[schemars(example = &"30s", example = &"never")]
    pub(crate) timeout: Opt<RawTimeout>,
    /// An answer says that it is so many bytes longer than it is, or shorter; a stream, which says nothing of its length,
    /// stays as it is. With `on: http`.
    #[schemars(example = 10, range(min = -1_048_576, max = 1_048_576))]
    pub(crate) content_length: Opt<i64>,
    /// Handshakes are answered later. With `on: websocket`.
    #[schemars(example = &"2s")]
    pub(crate) connect: Opt<RawLatency>,
    /// Sockets are closed with this code: those that are open when the fault begins, or each `after` so many frames. With
    /// `on: websocket`.
    #[schemars(example = 1011, range(min = 1000, max = 4999))]
    pub(crate) close: Opt<i64>,
    /// The reason that goes with `close`, of 123 bytes at the most.
    pub(crate) reason: Opt<String>,
    /// Sockets stay open and silent, without pongs, and what they send is not read. With `on: websocket`.
    pub(crate) freeze: Opt<bool>,
    /// Frames or events do not come. With `on: websocket`, after which the latest totals follow, or `on: stream`.
    pub(crate) drop: Opt<bool>,
    /// Frames or events come twice. With `on: websocket` or `on: stream`.
    pub(crate) duplicate: Opt<bool>,
    /// Of so many frames at a time, the last comes first. With `on: websocket`.
    #[schemars(example = 4, range(min = 2, max = 1000))]
    pub(crate) reorder: Opt<i64>,
    /// Frames come damaged. With `on: websocket`.
    pub(crate) corrupt: Opt<RawDamage>,
    /// Totals stay as they are when the fault hits first. With `on: websocket`, and best with `product`.
    pub(crate) stale: Opt<bool>,
    /// All sockets are closed with 1012 when the fault begins, and handshakes are refused with 503 for so long. With
    /// `on: websocket`.
    #[schemars(example = &"5s")]
    pub(crate) storm: Opt<RawDuration>,
    /// What clients send is read and not obeyed. With `on: websocket`.
    pub(crate) ignore: Opt<bool>,
}

/// What a fault hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "on")]
pub(crate) enum RawOn {
    /// Requests that open no socket.
    Http,
    /// Sockets, and the handshakes that open them.
    WebSocket,
    /// Streams of server-sent events that are open. A request that opens one is hit as any other, with `on: http`.
    Stream,
}

/// How frames are damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "corrupt")]
pub(crate) enum RawDamage {
    /// JSON that breaks off.
    Json,
    /// Text that is not UTF-8.
    Utf8,
    /// A frame of a mebibyte.
    Oversized,
    /// A binary frame.
    Type,
}

/// How long something takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "latency")]
pub(crate) enum RawLatency {
    /// As a distribution says.
    #[serde(rename = "\0mapping")]
    #[schemars(untagged)]
    Spread(Box<RawSpread>),
    /// Always the same.
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
    /// How far from the mean a time may be, to both sides.
    pub(crate) jitter: Opt<RawDuration>,
    /// The standard deviation.
    pub(crate) deviation: Opt<RawDuration>,
    /// Half of the times are shorter.
    pub(crate) median: Opt<RawDuration>,
    /// The standard deviation of the logarithm: 0.5 has one in ten at twice the median or more.
    #[schemars(example = 0.5, range(min = 0, max = 5))]
    pub(crate) sigma: Opt<f64>,
}

/// How long nothing is answered.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "timeout")]
pub(crate) enum RawTimeout {
    /// For ever.
    #[serde(rename = "never")]
    Never,
    /// For so long.
    #[serde(rename = "\0text")]
    #[schemars(untagged)]
    After(RawDuration),
}
