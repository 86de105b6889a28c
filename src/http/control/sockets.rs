//! `/__mockd/sockets`: who is connected, and what a test does to them.

use std::cmp::Reverse;

use bytes::Bytes;
use data_encoding::BASE64;
use poem::http::{HeaderMap, Uri};
use poem::web::{Data, Path};
use poem::{Body, Response, handler};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tungstenite::protocol::frame::coding::CloseCode;

use super::answer::{DoneAnswer, Happened, json};
use super::input::{self, Time, wrong};
use crate::engine::{Command, Frame, Topic};
use crate::http::error::ApiError;
use crate::websocket::{MAX_REASON, may_be_sent};
use crate::world::{Message, SlowMembers, SocketClose, SocketKind, SocketState, World, WorldError};

/// What sockets that speak a protocol can be sent.
const FOR_PROTOCOLS: &str = "a socket that speaks socket.io takes `{ event, args }`, with `namespace` if that is not `/`; what \
     follows a subscription, with graphql-transport-ws, is sent by `POST /__mockd/topics/T`";

/// All open sockets and streams of a world.
#[derive(Serialize, JsonSchema)]
pub(super) struct SocketsAnswer {
    /// In the order in which they were opened.
    sockets: Vec<SocketAnswer>,
    /// How many were too slow, also of those that are closed by now.
    slow: SlowAnswer,
}

/// What became of sockets and streams that were further behind than what is kept for them, since the world was made.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct SlowAnswer {
    /// How often one got what is so now instead of what it had missed: current totals, or the rows and values of `data` that
    /// had changed.
    caught_up: u64,
    /// How many were closed, with 1013, or ended, because they had missed something else.
    closed: u64,
}

/// An open socket or stream.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct SocketAnswer {
    /// Its number, from 1 in each world.
    socket: u64,
    /// The name of its world.
    world: String,
    /// The category that a socket asked for last.
    #[serde(rename = "category", skip_serializing_if = "Option::is_none")]
    collection: Option<String>,
    /// The path of the request that a stream answers, below the world's prefix, decoded.
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<String>,
    /// The path of an endpoint that the scenario declares, below the world's prefix, decoded.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    /// The topics that a stream, or a socket of such an endpoint, has joined.
    #[serde(skip_serializing_if = "Option::is_none")]
    topics: Option<Vec<String>>,
    /// The world's time when it was opened.
    opened: Time,
    /// How long it is open, by the machine's time, in whole milliseconds.
    age: Time,
    /// Frames or events written to it.
    sent: u64,
    /// Frames that came from it.
    received: u64,
    /// Frames or events that wait to be written to it.
    backlog: u64,
    /// How often it was so far behind that it got what is so now instead of what it had missed: current totals, or the rows
    /// and values of `data` that had changed.
    caught_up: u64,
}

/// Which sockets to list.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SocketsQuery {
    /// So many at the most, the first of them.
    limit: Option<usize>,
    /// `backlog` for those first that have most to be written to them; as they were opened without it.
    sort: Option<Sort>,
}

#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Sort {
    Backlog,
}

/// How to close. A stream, which knows neither code nor reason, ends.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct CloseRequest {
    /// The close code: 1000 to 1003, 1007 to 1014, or 3000 to 4999 (RFC 6455, 7.4).
    #[schemars(range(min = 1000, max = 4999))]
    code: u16,
    /// The reason, of 123 bytes at the most.
    reason: String,
}

impl Default for CloseRequest {
    fn default() -> Self {
        Self { code: 1000, reason: String::new() }
    }
}

/// The sockets that were closed.
#[derive(Serialize, JsonSchema)]
pub(super) struct ClosedAnswer {
    /// Their numbers.
    closed: Vec<u64>,
}

/// What is to be sent: one of the three. A stream gets it as an event.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
pub(super) struct SendRequest {
    /// A text frame, as it is; the data of an event.
    text: Option<String>,
    /// A text frame with this JSON; an event with it as its data, or as `event`, `id`, `data`, `retry` and `comment` in it say. A
    /// socket that speaks `socket.io` gets the event that `{ event, args }` is, in the namespace `/` or that of `namespace`. One
    /// that speaks `graphql-transport-ws` gets what is sent to topics, and no other JSON.
    #[serde(deserialize_with = "also_null")]
    json: Option<Value>,
    /// A binary frame, as it is, in base64 (RFC 4648, 4); the data of an event is that base64.
    binary: Option<String>,
}

/// A null is JSON, too.
fn also_null<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// The open sockets.
#[handler]
pub(super) async fn list_sockets(uri: &Uri, Data(world): Data<&World>) -> poem::Result<Response> {
    let SocketsQuery { limit, sort } = input::query(uri)?;
    let mut sockets = world.open_sockets().await.map_err(ApiError::from)?;
    if let Some(Sort::Backlog) = sort {
        sockets.sort_by_key(|socket| Reverse(socket.backlog));
    }
    let shown = sockets.iter().take(limit.unwrap_or(usize::MAX));
    let SlowMembers { caught_up, closed } = world.slow_members();
    Ok(json(&SocketsAnswer {
        sockets: shown.map(|socket| SocketAnswer::new(world, socket)).collect(),
        slow: SlowAnswer { caught_up, closed },
    }))
}

impl SocketAnswer {
    fn new(world: &World, socket: &SocketState) -> Self {
        Self {
            socket: socket.socket,
            world: world.name().to_string(),
            collection: (socket.kind == SocketKind::Collection).then(|| socket.collection.to_string()),
            stream: if let SocketKind::Stream(path) = &socket.kind { Some(path.to_string()) } else { None },
            path: if let SocketKind::Endpoint(path) = &socket.kind { Some(path.to_string()) } else { None },
            topics: Some(socket.topics.clone()).filter(|_| socket.kind != SocketKind::Collection),
            opened: Time(socket.opened),
            age: Time::millis(socket.age),
            sent: socket.sent,
            received: socket.received,
            backlog: socket.backlog,
            caught_up: socket.caught_up,
        }
    }
}

/// Closes all sockets of the world.
#[handler]
pub(super) async fn close_all(headers: &HeaderMap, body: Body, Data(world): Data<&World>) -> poem::Result<Response> {
    Ok(CloseRequest::read(headers, body).await?.carry_out(world, None).await?)
}

/// Closes one socket.
#[handler]
pub(super) async fn close(
    Path(socket): Path<String>,
    headers: &HeaderMap,
    body: Body,
    Data(world): Data<&World>,
) -> poem::Result<Response> {
    let socket = number(&socket)?;
    Ok(CloseRequest::read(headers, body).await?.carry_out(world, Some(socket)).await?)
}

/// Sends a frame to all sockets of the world.
#[handler]
pub(super) async fn send_all(headers: &HeaderMap, body: Body, Data(world): Data<&World>) -> poem::Result<Response> {
    Ok(input::read::<SendRequest>(headers, body).await?.carry_out(world, None).await?)
}

/// Sends a frame to one socket.
#[handler]
pub(super) async fn send(
    Path(socket): Path<String>,
    headers: &HeaderMap,
    body: Body,
    Data(world): Data<&World>,
) -> poem::Result<Response> {
    let socket = number(&socket)?;
    Ok(input::read::<SendRequest>(headers, body).await?.carry_out(world, Some(socket)).await?)
}

/// Sends a frame to all who have joined a topic.
#[handler]
pub(super) async fn send_to_topic(
    Path(topic): Path<String>,
    headers: &HeaderMap,
    body: Body,
    Data(world): Data<&World>,
) -> poem::Result<Response> {
    if topic.starts_with("__") {
        return Err(wrong("topic", format!("`{topic}` begins with `__`, as only the world's own topics do")).into());
    }
    let frame = input::read::<SendRequest>(headers, body).await?.frame()?;
    let command = Command::Send { to: vec![Topic::Named(topic.into())], frame, except: None };
    let effects = world.apply(command).await.map_err(ApiError::from)?;
    Ok(json(&Happened { events: effects.events }))
}

fn number(text: &str) -> Result<u64, ApiError> {
    text.parse().map_err(|_| wrong("socket", format!("`{text}` is not a socket's number")))
}

impl CloseRequest {
    async fn read(headers: &HeaderMap, body: Body) -> Result<Self, ApiError> {
        let request: Self = input::read_if_any(headers, body).await?;
        if !may_be_sent(CloseCode::from(request.code)) {
            let why = format!("{} cannot be sent; there are 1000 to 1003, 1007 to 1014 and 3000 to 4999", request.code);
            return Err(wrong("code", why));
        }
        if request.reason.len() > MAX_REASON {
            return Err(wrong("reason", format!("has more than {MAX_REASON} bytes")));
        }
        Ok(request)
    }

    async fn carry_out(self, world: &World, socket: Option<u64>) -> Result<Response, ApiError> {
        let closed = world.close_sockets(socket, SocketClose { code: self.code, reason: self.reason.into() }).await?;
        Ok(json(&ClosedAnswer { closed }))
    }
}

impl SendRequest {
    async fn carry_out(self, world: &World, socket: Option<u64>) -> Result<Response, ApiError> {
        let sent = match self.frame()? {
            Frame::Json(json) => world.send_json(socket, Value::clone(&json)).await,
            Frame::Text(text) => world.send(socket, Message::text(Bytes::copy_from_slice(text.as_bytes()))).await,
            Frame::Binary(bytes) => world.send(socket, Message::binary(Bytes::from_owner(bytes))).await,
        };
        sent.map_err(|error| match error {
            error @ WorldError::Unsendable { .. } => wrong("json", format!("{error}; {FOR_PROTOCOLS}")),
            other => other.into(),
        })?;
        Ok(DoneAnswer::answer())
    }

    fn frame(self) -> Result<Frame, ApiError> {
        match (self.text, self.json, self.binary) {
            (Some(text), None, None) => Ok(Frame::Text(text.into())),
            (None, Some(json), None) => Ok(Frame::Json(json.into())),
            (None, None, Some(binary)) => {
                let bytes = BASE64.decode(binary.as_bytes());
                let bytes = bytes.map_err(|error| wrong("binary", format!("is not base64: {error}")))?;
                Ok(Frame::Binary(bytes.into()))
            }
            _ => Err(wrong("body", "has to have one of text, json and binary")),
        }
    }
}
