//! `GET /orders/{category}`: one live socket (RFC 6455), from the handshake to its task.

mod closing;
mod command;
mod connection;
mod handshake;
mod memory;

use std::sync::Arc;

use bytes::Bytes;
use poem::web::{Data, Path};
use poem::{Request, Response, handler};
use tracing::debug;

use super::connections::Upgrade;
use super::error::ApiError;
use super::{App, cors};
use crate::websocket::Encoded;
use crate::world::{Message, MessageKind, Subscription, World};
pub use command::{Command, CommandError};
use connection::Connection;
pub(super) use handshake::asks_for_socket;
pub(crate) use memory::HighWater;

/// Answers the handshake and starts the socket's task.
#[handler]
pub(super) async fn open(
    Path(category): Path<String>,
    request: &Request,
    Data(app): Data<&Arc<App>>,
    Data(world): Data<&World>,
) -> poem::Result<Response> {
    let accept = handshake::check(request.version(), request.headers())?;
    if !cors::allows_socket(&app.cors, request.headers()) {
        return Err(ApiError::ForeignSocket.into());
    }
    let upgrade = request.extensions().get::<Upgrade>().ok_or(ApiError::UpgradeRequired)?.clone();
    let notices = request.uri().query().is_some_and(|query| query.split('&').any(|pair| pair == "notices=1"));
    // Before the handshake is answered: whoever sees the socket open gets every order from then on.
    let feed = world.subscribe(&category, notices, encode).await.map_err(ApiError::from)?;
    app.tasks.spawn(begin(upgrade, feed, app.clone()));
    Ok(handshake::switching_protocols(&accept, request.headers()))
}

/// A message as one frame.
fn encode(message: &Message) -> Bytes {
    match message.kind() {
        MessageKind::Text => Encoded::text_of(message.payload()),
        MessageKind::Binary => Encoded::binary(message.payload()),
    }
    .into_frame()
}

/// Waits for the connection, and starts the socket's task. That is another one, because tasks keep the space that they need
/// at their beginning.
async fn begin(upgrade: Upgrade, feed: Subscription, app: Arc<App>) {
    // Also if all is at its end by now: a client that has seen its handshake answered is to see a closing frame as well.
    if let Some(upgraded) = upgrade.connection().await {
        let tasks = app.tasks.clone();
        tasks.spawn(serve(Box::new(Connection::new(upgraded, feed, app))));
    }
}

/// One socket to its end. What its task holds, in its arguments as well, is there for each idle socket.
async fn serve(mut connection: Box<Connection>) {
    connection.app.high_water.opened(connection.app.tasks.len());
    debug!(category = &*connection.feed.category(), "socket opened");
    let Err(end) = connection.exchange().await;
    debug!(category = &*connection.feed.category(), ?end, "socket closed");
    let app = connection.app.clone();
    // In a box: a socket that is open has no need of what it takes to close it.
    Box::pin(connection.close(end)).await;
    app.high_water.closed(app.tasks.len());
}
