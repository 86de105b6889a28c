//! `/__mockd/sockets` and `/__mockd/topics`: listing and closing sockets and streams, and sending frames to them.

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
use super::input::{self, Time, field_error};
use crate::engine::{Command, Frame, Topic};
use crate::http::error::ApiError;
use crate::websocket::{MAX_REASON, is_sendable_code};
use crate::world::{Message, SlowMembers, SocketClose, SocketKind, SocketState, World, WorldError};

/// The advice for a frame that the protocol of a socket cannot encode.
const PROTOCOL_HINT: &str = "a socket.io socket takes `{ event, args }`, with `namespace` if that is not `/`; to reach \
     subscriptions of graphql-transport-ws, use `POST /__mockd/topics/T`";

/// All open sockets and streams of a world.
#[derive(Serialize, JsonSchema)]
pub(super) struct SocketsAnswer {
    /// The sockets and streams, in the order in which they were opened unless `sort` is given.
    sockets: Vec<SocketAnswer>,
    /// How often sockets and streams, including closed ones, were too slow.
    slow: SlowAnswer,
}

/// How often sockets and streams have fallen further behind than their backlog allows, since the world was created.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct SlowAnswer {
    /// How often a socket or stream caught up: instead of what it had missed, it received the current totals, or the
    /// current rows and values of `data` that had changed.
    caught_up: u64,
    /// How often one could not catch up, because it had missed something else. A socket is closed with 1013 then, and a
    /// stream ends.
    closed: u64,
}

/// An open socket or stream.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct SocketAnswer {
    /// The number of the socket or stream, from 1 in each world.
    socket: u64,
    /// The name of the world.
    world: String,
    /// The category that a socket requested last.
    #[serde(rename = "category", skip_serializing_if = "Option::is_none")]
    collection: Option<String>,
    /// The decoded path of the request that a stream answers, below the world's prefix.
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<String>,
    /// The decoded path of a socket of a declared endpoint, below the world's prefix.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    /// The topics that a stream, or a socket of a declared endpoint, has joined.
    #[serde(skip_serializing_if = "Option::is_none")]
    topics: Option<Vec<String>>,
    /// The world's time when it was opened.
    opened: Time,
    /// How long it has been open in real time, in whole milliseconds.
    age: Time,
    /// The number of frames or events written to it.
    sent: u64,
    /// The number of frames received from it.
    received: u64,
    /// The number of frames or events that are still to be written to it.
    backlog: u64,
    /// How often it has caught up after falling too far behind: instead of what it had missed, it received the current
    /// totals, or the current rows and values of `data` that had changed.
    caught_up: u64,
}

/// Which sockets and streams to list, and in which order.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SocketsQuery {
    /// The maximum number of sockets and streams, counted from the first.
    limit: Option<usize>,
    /// `backlog` lists the largest backlog first. The default is the order in which they were opened.
    sort: Option<Sort>,
}

#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Sort {
    Backlog,
}

/// How to close sockets. A stream simply ends, without a code or a reason.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct CloseRequest {
    /// The close code: 1000 to 1003, 1007 to 1014, or 3000 to 4999 (RFC 6455, 7.4).
    #[schemars(range(min = 1000, max = 4999))]
    code: u16,
    /// The reason, of at most 123 bytes.
    reason: String,
}

impl Default for CloseRequest {
    fn default() -> Self {
        Self { code: 1000, reason: String::new() }
    }
}

/// The sockets and streams that were closed.
#[derive(Serialize, JsonSchema)]
pub(super) struct ClosedAnswer {
    /// The numbers of the closed sockets and streams.
    closed: Vec<u64>,
}

/// What to send: exactly one of the three fields. A stream receives it as an event.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
pub(super) struct SendRequest {
    /// The content of a text frame, or the data of an event.
    text: Option<String>,
    /// The JSON of a text frame. A stream receives an event with this JSON as its data, or with the fields `event`,
    /// `id`, `data`, `retry` and `comment` if it has any of them. A socket that speaks `socket.io` takes
    /// `{ event, args }`, and receives the event in the namespace `/` or in the one that `namespace` names. A socket
    /// that speaks `graphql-transport-ws` receives JSON only through topics.
    #[serde(deserialize_with = "any_json")]
    json: Option<Value>,
    /// The content of a binary frame, in base64 (RFC 4648, 4). A stream receives the base64 as the data of an event.
    binary: Option<String>,
}

/// Reads any JSON. By default, serde would read null as a missing field.
fn any_json<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// Returns the open sockets and streams.
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
            path: if let SocketKind::Endpoint { path, .. } = &socket.kind { Some(path.to_string()) } else { None },
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

/// Closes all sockets and streams of the world.
#[handler]
pub(super) async fn close_all(headers: &HeaderMap, body: Body, Data(world): Data<&World>) -> poem::Result<Response> {
    Ok(CloseRequest::read(headers, body).await?.carry_out(world, None).await?)
}

/// Closes one socket or stream.
#[handler]
pub(super) async fn close(
    Path(socket): Path<String>,
    headers: &HeaderMap,
    body: Body,
    Data(world): Data<&World>,
) -> poem::Result<Response> {
    let socket = socket_number(&socket)?;
    Ok(CloseRequest::read(headers, body).await?.carry_out(world, Some(socket)).await?)
}

/// Sends a frame to all sockets and streams of the world.
#[handler]
pub(super) async fn send_all(headers: &HeaderMap, body: Body, Data(world): Data<&World>) -> poem::Result<Response> {
    Ok(input::read::<SendRequest>(headers, body).await?.carry_out(world, None).await?)
}

/// Sends a frame to one socket or stream.
#[handler]
pub(super) async fn send(
    Path(socket): Path<String>,
    headers: &HeaderMap,
    body: Body,
    Data(world): Data<&World>,
) -> poem::Result<Response> {
    let socket = socket_number(&socket)?;
    Ok(input::read::<SendRequest>(headers, body).await?.carry_out(world, Some(socket)).await?)
}

/// Sends a frame to all members of a topic.
#[handler]
pub(super) async fn send_to_topic(
    Path(topic): Path<String>,
    headers: &HeaderMap,
    body: Body,
    Data(world): Data<&World>,
) -> poem::Result<Response> {
    if topic.starts_with("__") {
        return Err(
            field_error("topic", format!("`{topic}` starts with `__`, which is reserved for topics of mockd")).into()
        );
    }
    let frame = input::read::<SendRequest>(headers, body).await?.frame()?;
    let command = Command::Send { to: vec![Topic::Named(topic.into())], frame, except: None };
    let effects = world.apply(command).await.map_err(ApiError::from)?;
    Ok(json(&Happened { events: effects.events }))
}

fn socket_number(text: &str) -> Result<u64, ApiError> {
    text.parse().map_err(|_| field_error("socket", format!("`{text}` is not the number of a socket")))
}

impl CloseRequest {
    /// Reads the body of a request, which may be empty.
    async fn read(headers: &HeaderMap, body: Body) -> Result<Self, ApiError> {
        let request: Self = input::read_if_any(headers, body).await?;
        if !is_sendable_code(CloseCode::from(request.code)) {
            let why = format!("{} cannot be sent; use 1000 to 1003, 1007 to 1014 or 3000 to 4999", request.code);
            return Err(field_error("code", why));
        }
        if request.reason.len() > MAX_REASON {
            return Err(field_error("reason", format!("has more than {MAX_REASON} bytes")));
        }
        Ok(request)
    }

    /// Closes one socket or stream, or all if `socket` is `None`.
    async fn carry_out(self, world: &World, socket: Option<u64>) -> Result<Response, ApiError> {
        let closed = world.close_sockets(socket, SocketClose { code: self.code, reason: self.reason.into() }).await?;
        Ok(json(&ClosedAnswer { closed }))
    }
}

impl SendRequest {
    /// Sends to one socket or stream, or to all if `socket` is `None`.
    async fn carry_out(self, world: &World, socket: Option<u64>) -> Result<Response, ApiError> {
        let sent = match self.frame()? {
            Frame::Json(json) => world.send_json(socket, Value::clone(&json)).await,
            Frame::Text(text) => world.send(socket, Message::text(Bytes::copy_from_slice(text.as_bytes()))).await,
            Frame::Binary(bytes) => world.send(socket, Message::binary(Bytes::from_owner(bytes))).await,
        };
        sent.map_err(|error| match error {
            error @ WorldError::Unsendable { .. } => field_error("json", format!("{error}; {PROTOCOL_HINT}")),
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
                let bytes = bytes.map_err(|error| field_error("binary", format!("is not base64: {error}")))?;
                Ok(Frame::Binary(bytes.into()))
            }
            _ => Err(field_error("body", "must have exactly one of text, json and binary")),
        }
    }
}
