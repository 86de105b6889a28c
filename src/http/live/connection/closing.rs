//! The end of a connection (RFC 6455, section 7).

use std::io;
use std::net::Shutdown;
use std::time::Duration;

use bytes::{Buf, Bytes};
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tracing::warn;
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::{Message, Utf8Bytes};

use super::{CLOSE_TIMEOUT, Connection, READ_SIZE, SocketClosure};
use crate::websocket::{Encoded, Reader, Violation, concat_frames};
use crate::world::{EndedBy, SocketEnd, Subscription};

impl Connection {
    /// Closes the connection as `end` requires. The peer has a short time to take part.
    pub(in crate::http::live) async fn close(mut self: Box<Self>, end: SocketClosure) -> Subscription {
        self.reclaim();
        let is_reset = matches!(end, SocketClosure::Reset);
        let (by, code) = match &end {
            // RFC 6455, 7.1.5: a close frame without a code counts as 1005.
            SocketClosure::ClosedByClient(frame) => {
                (EndedBy::Client, Some(frame.as_ref().map_or(1005, |frame| frame.code.into())))
            }
            SocketClosure::Gone => (EndedBy::Client, None),
            SocketClosure::Reset | SocketClosure::Behind => (EndedBy::Server, None),
            SocketClosure::Violated(violation) => (EndedBy::Server, Some(violation.code().into())),
            SocketClosure::ClosedByServer(frame) => (EndedBy::Server, Some(frame.code.into())),
        };
        // Whether the peer takes part or not, the connection ends here.
        let _ = timeout(CLOSE_TIMEOUT, self.shut_down(end)).await;
        // Takes effect at once, even if others still hold the socket. It fails only if the connection is already gone.
        // A connection that is to be reset must not be shut down.
        if !is_reset {
            let _ = SockRef::from(&*self.stream).shutdown(Shutdown::Both);
        }
        self.feed.set_end(SocketEnd { code, by });
        self.feed
    }

    /// Ends a socket that has fallen behind. The world does not wait for the client. Until the connection counts as
    /// gone, the client may still read the pending output and the reason for the end.
    pub(in crate::http::live) async fn leave_behind(mut self: Box<Self>) {
        self.reclaim();
        let Self { stream, output, mut feed, app, _permit, .. } = *self;
        // The client should reconnect once it can keep up.
        let code = CloseCode::Again;
        feed.set_end(SocketEnd { code: Some(code.into()), by: EndedBy::Server });
        feed.finish().await;
        let reason = Utf8Bytes::from_static("too slow: the backlog is full");
        let close = Encoded::close(Some(&CloseFrame { code, reason }));
        let last_write =
            timeout(app.limits.peer.max(CLOSE_TIMEOUT), write_last(&stream, concat_frames(&output, close.frame())));
        let written = app.shutdown.run_until_cancelled(last_write).await;
        if let Some(Ok(Ok(()))) = written {
            // Closing with unread bytes would reset the connection, and the peer would not see the reason.
            let _ = timeout(CLOSE_TIMEOUT, drain(&stream)).await;
        }
        // Fails only if the connection is already gone.
        let _ = SockRef::from(&*stream).shutdown(Shutdown::Both);
    }

    /// Ends the exchange with the peer as `end` requires.
    async fn shut_down(&mut self, end: SocketClosure) {
        match end {
            SocketClosure::Gone | SocketClosure::Behind => {}
            // A SO_LINGER of 0 also drops what the kernel still holds.
            SocketClosure::Reset => drop(SockRef::from(&*self.stream).set_linger(Some(Duration::ZERO))),
            SocketClosure::ClosedByClient(frame) => {
                self.send_close(frame.as_ref()).await;
            }
            SocketClosure::ClosedByServer(frame) => self.exchange_close(&frame).await,
            SocketClosure::Violated(violation) => {
                warn!(socket = self.feed.number(), error = %violation, "closing a socket that violated the protocol");
                // A client of an endpoint learns the limit, which may differ from that of the server that is mocked.
                let names_limit = self.feed.has_endpoint() && matches!(violation, Violation::TooLarge(_));
                let reason = if names_limit { violation.to_string() } else { String::new() };
                let frame = CloseFrame { code: violation.code(), reason: reason.into() };
                if self.send_close(Some(&frame)).await {
                    // Closing with unread bytes would reset the connection, and the peer would not see the reason.
                    self.drain().await;
                }
            }
        }
    }

    /// Sends a close frame, and waits for that of the peer.
    async fn exchange_close(&mut self, frame: &CloseFrame) {
        self.queue(Encoded::close(Some(frame)).frame());
        if !self.write().await {
            return;
        }
        loop {
            match self.reader.message() {
                Ok(None) if self.listen().await => {}
                Ok(Some(Message::Close(_)) | None) | Err(_) => break,
                Ok(Some(_)) => {}
            }
        }
        self.end_writing();
    }

    /// Sends a close frame, after which nothing more is sent. Returns whether it was sent.
    async fn send_close(&mut self, frame: Option<&CloseFrame>) -> bool {
        self.queue(Encoded::close(frame).frame());
        let is_sent = self.write().await;
        self.end_writing();
        is_sent
    }

    fn end_writing(&self) {
        // Fails only if the connection is already gone.
        let _ = SockRef::from(&*self.stream).shutdown(Shutdown::Write);
    }

    /// Writes all of the output. Returns whether that succeeded.
    async fn write(&mut self) -> bool {
        loop {
            match self.flush() {
                Ok(true) => return true,
                Ok(false) if self.stream.writable().await.is_ok() => {}
                _ => return false,
            }
        }
    }

    /// Waits for the peer and reads what it sends. Returns `false` if the connection is gone.
    async fn listen(&mut self) -> bool {
        self.stream.readable().await.is_ok() && self.read().is_ok()
    }

    /// Discards what the peer sends, until the connection is gone.
    async fn drain(&mut self) {
        while self.listen().await {
            self.reader = Reader::new(0);
        }
    }
}

/// Writes the last bytes of a connection, however long the peer takes to read them.
async fn write_last(stream: &TcpStream, mut bytes: Bytes) -> io::Result<()> {
    while !bytes.is_empty() {
        stream.writable().await?;
        match stream.try_write(&bytes) {
            Ok(count) => bytes.advance(count),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    SockRef::from(stream).shutdown(Shutdown::Write)
}

/// Discards what the peer sends, until it closes its side.
async fn drain(stream: &TcpStream) -> io::Result<()> {
    let mut buffer = [0; READ_SIZE];
    loop {
        stream.readable().await?;
        match stream.try_read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}
