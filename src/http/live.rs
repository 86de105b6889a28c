//! `GET /orders/{category}`: one live socket (RFC 6455), from the handshake to the closing frame.

mod command;
mod handshake;

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use poem::web::{Data, Path};
use poem::{Request, Response, handler};
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::{Error, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use tracing::{debug, warn};

use super::App;
use super::error::ApiError;
use crate::world::{Closing, EndedBy, Next, Payload, SocketEnd, Subscription, World};
use command::Command;

/// The most bytes of a message from a client.
const MAX_MESSAGE: usize = 64 * 1024;

/// How long a peer may take to answer a closing frame.
const CLOSING_TIME: Duration = Duration::from_millis(500);

type Socket = WebSocketStream<poem::Upgraded>;

/// Answers the handshake and starts the socket's task.
#[handler]
pub(super) async fn open(
    Path(category): Path<String>,
    request: &Request,
    Data(app): Data<&Arc<App>>,
    Data(world): Data<&World>,
) -> poem::Result<Response> {
    let accept = handshake::check(request.headers())?;
    let upgrade = request.take_upgrade().map_err(|_| ApiError::UpgradeRequired)?;
    let notices = request.uri().query().is_some_and(|query| query.split('&').any(|pair| pair == "notices=1"));
    // Before the handshake is answered: whoever sees the socket open gets every order from then on.
    let feed = world.subscribe(&category, notices).await.map_err(ApiError::from)?;
    let (app, world) = (app.clone(), world.clone());
    app.tasks.clone().spawn(async move {
        let upgraded = tokio::select! {
            upgraded = upgrade => upgraded,
            () = app.shutdown.cancelled() => return,
            () = world.ended() => return,
        };
        // A peer that leaves in the middle of the handshake is no one's problem.
        let Ok(upgraded) = upgraded else { return };
        let socket = WebSocketStream::from_raw_socket(upgraded, Role::Server, Some(config())).await;
        serve(socket, feed, &app, &world, &category).await;
    });
    Ok(handshake::switching_protocols(&accept, request.headers()))
}

/// Small buffers: a mock holds many sockets, and their messages are short.
fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(4 * 1024)
        .write_buffer_size(16 * 1024)
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE))
}

async fn serve(mut socket: Socket, mut feed: Subscription, app: &App, world: &World, category: &str) {
    debug!(category, "socket opened");
    let closing = feed.closing();
    let end = tokio::select! {
        end = exchange(&mut socket, &mut feed) => end,
        () = app.shutdown.cancelled() => End::Shutdown("the server is shutting down"),
        () = world.ended() => End::Shutdown("the world has ended"),
        frame = overdue(&closing) => End::Asked(frame),
    };
    debug!(category, ?end, "socket closed");
    let ended = match end {
        End::Shutdown(reason) => {
            close(socket, CloseFrame { code: CloseCode::Away, reason: Utf8Bytes::from_static(reason) }).await
        }
        End::Asked(frame) => close(socket, frame).await,
        End::Failed(error) => match close_code(&error) {
            Some(code) => {
                warn!(category, %error, "socket broke the protocol, closing it");
                refuse(socket, code).await
            }
            None => SocketEnd { code: None, by: EndedBy::Client },
        },
        End::Closed(code) => SocketEnd { code, by: EndedBy::Client },
    };
    feed.ends(ended);
}

/// Waits until the socket should have been closed long since: one that does not read never gets to the end of what
/// waits for it.
async fn overdue(closing: &Closing) -> CloseFrame {
    let frame = closing.asked().await;
    tokio::time::sleep(CLOSING_TIME).await;
    frame
}

/// How an exchange ended.
#[derive(Debug)]
enum End {
    /// The client closed it, with that code if it gave one.
    Closed(Option<u16>),
    Failed(Error),
    /// A test asked for it.
    Asked(CloseFrame),
    /// For that reason.
    Shutdown(&'static str),
}

/// Sends what the feed gives and does what the client asks, until one of the two ends.
async fn exchange(socket: &mut Socket, feed: &mut Subscription) -> End {
    let mut code = None;
    loop {
        let step = tokio::select! {
            next = feed.next() => match next {
                Ok(Next::Frames(frames)) => send(socket, frames, feed).await,
                Ok(Next::Close(frame)) => return End::Asked(frame),
                Err(_) => return End::Shutdown("the world has ended"),
            },
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    feed.received(Payload::text(text.clone()));
                    obey(text.as_bytes(), feed).await
                }
                Some(Ok(Message::Binary(bytes))) => {
                    feed.received(Payload::bytes(bytes.clone()));
                    obey(&bytes, feed).await
                }
                Some(Ok(Message::Close(frame))) => {
                    // RFC 6455, 7.1.5: a closing frame without a code counts as 1005.
                    code = Some(frame.map_or(1005, |frame| frame.code.into()));
                    socket.flush().await
                }
                // Answers to pings are written by the library with the next read or flush.
                Some(Ok(_)) => socket.flush().await,
                Some(Err(error)) => Err(error),
                None => return End::Closed(code),
            },
        };
        match step {
            Ok(()) => {}
            Err(Error::ConnectionClosed | Error::AlreadyClosed) => return End::Closed(code),
            Err(error) => return End::Failed(error),
        }
    }
}

/// All frames in one write.
async fn send(socket: &mut Socket, frames: Vec<Message>, feed: &Subscription) -> Result<(), Error> {
    let count = frames.len() as u64;
    for frame in frames {
        socket.feed(frame).await?;
    }
    socket.flush().await?;
    feed.wrote(count);
    Ok(())
}

/// Does what a message asks; one that makes no sense is logged, and the socket stays open.
async fn obey(message: &[u8], feed: &mut Subscription) -> Result<(), Error> {
    match Command::read(message) {
        Ok(Command::UpdateCategory { category }) => feed.switch(&category).await.map_err(|_| Error::ConnectionClosed),
        Err(error) => {
            warn!(message = %String::from_utf8_lossy(message), %error, "WebSocket message ignored");
            Ok(())
        }
    }
}

/// The code that tells a peer what it did wrong (RFC 6455, 7.4.1); `None` if the connection is gone.
fn close_code(error: &Error) -> Option<CloseCode> {
    match error {
        Error::Capacity(_) => Some(CloseCode::Size),
        Error::Utf8(_) => Some(CloseCode::Invalid),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => None,
        Error::Protocol(_) => Some(CloseCode::Protocol),
        _ => None,
    }
}

/// Sends a closing frame to a peer that broke the protocol. What it still sends is read and dropped: to close on
/// unread bytes would reset the connection, and the peer would not see why.
async fn refuse(mut socket: Socket, code: CloseCode) -> SocketEnd {
    let refusing = async {
        socket.close(Some(CloseFrame { code, reason: Utf8Bytes::default() })).await?;
        let mut stream = socket.into_inner();
        stream.shutdown().await?;
        tokio::io::copy(&mut stream, &mut tokio::io::sink()).await?;
        Ok::<(), Error>(())
    };
    let _ = tokio::time::timeout(CLOSING_TIME, refusing).await;
    SocketEnd { code: Some(code.into()), by: EndedBy::Server }
}

/// Sends a closing frame and waits, not for long, for the peer's.
async fn close(mut socket: Socket, frame: CloseFrame) -> SocketEnd {
    let code = frame.code.into();
    let closing = async {
        socket.close(Some(frame)).await?;
        while socket.next().await.is_some_and(|message| message.is_ok()) {}
        Ok::<(), Error>(())
    };
    // Whether the peer answers or not, the connection ends here.
    let _ = tokio::time::timeout(CLOSING_TIME, closing).await;
    SocketEnd { code: Some(code), by: EndedBy::Server }
}
