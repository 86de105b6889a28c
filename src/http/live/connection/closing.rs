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

use super::{CLOSING_TIME, Connection, READ_AT_ONCE, SocketClosure};
use crate::websocket::{Encoded, Reader, Violation, put_together};
use crate::world::{EndedBy, SocketEnd, Subscription};

impl Connection {
    /// Closes the connection as its end asks. The peer has a short time to take part in it.
    pub(in crate::http::live) async fn close(mut self: Box<Self>, end: SocketClosure) -> Subscription {
        self.reclaim();
        let is_reset = matches!(end, SocketClosure::Reset);
        let (by, code) = match &end {
            // RFC 6455, 7.1.5: a closing frame without a code counts as 1005.
            SocketClosure::Closed(frame) => {
                (EndedBy::Client, Some(frame.as_ref().map_or(1005, |frame| frame.code.into())))
            }
            SocketClosure::Gone => (EndedBy::Client, None),
            SocketClosure::Reset | SocketClosure::Behind => (EndedBy::Server, None),
            SocketClosure::Violated(violation) => (EndedBy::Server, Some(violation.code().into())),
            SocketClosure::Asked(frame) => (EndedBy::Server, Some(frame.code.into())),
        };
        // Whether the peer takes part or not, the connection ends here.
        let _ = timeout(CLOSING_TIME, self.part(end)).await;
        // At once, whoever still holds the socket. One that is gone already needs no end; one that is reset must have none.
        if !is_reset {
            let _ = SockRef::from(&*self.stream).shutdown(Shutdown::Both);
        }
        self.feed.ends(SocketEnd { code, by });
        self.feed
    }

    /// Ends a socket that has fallen behind. The world does not wait for its client, which may still read what was on the way to it,
    /// and why it ended, until its connection counts as gone.
    pub(in crate::http::live) async fn leave_behind(mut self: Box<Self>) {
        self.reclaim();
        let Self { stream, output, mut feed, app, _permit, .. } = *self;
        // The client is to come back once it can keep up.
        let code = CloseCode::Again;
        feed.ends(SocketEnd { code: Some(code.into()), by: EndedBy::Server });
        feed.finish().await;
        let reason = Utf8Bytes::from_static("too slow: more has come than is kept for it");
        let close = Encoded::close(Some(&CloseFrame { code, reason }));
        let last_words =
            timeout(app.limits.peer.max(CLOSING_TIME), say_at_last(&stream, put_together(&output, close.frame())));
        let is_said = app.shutdown.run_until_cancelled(last_words).await;
        if let Some(Ok(Ok(()))) = is_said {
            // To close on unread bytes would reset the connection, and the peer would not see why.
            let _ = timeout(CLOSING_TIME, drain(&stream)).await;
        }
        // One that is gone already needs no end.
        let _ = SockRef::from(&*stream).shutdown(Shutdown::Both);
    }

    async fn part(&mut self, end: SocketClosure) {
        match end {
            SocketClosure::Gone | SocketClosure::Behind => {}
            // What the kernel still holds is dropped with it (SO_LINGER of 0).
            SocketClosure::Reset => drop(SockRef::from(&*self.stream).set_linger(Some(Duration::ZERO))),
            SocketClosure::Closed(frame) => {
                self.say(frame.as_ref()).await;
            }
            SocketClosure::Asked(frame) => self.ask(&frame).await,
            SocketClosure::Violated(violation) => {
                warn!(socket = self.feed.number(), error = %violation, "socket broke the protocol, closing it");
                // A client of an endpoint is told its limit, which may be another on the server that is mocked.
                let is_told = self.feed.is_of_endpoint() && matches!(violation, Violation::TooLarge(_));
                let reason = if is_told { violation.to_string() } else { String::new() };
                let frame = CloseFrame { code: violation.code(), reason: reason.into() };
                if self.say(Some(&frame)).await {
                    // To close on unread bytes would reset the connection, and the peer would not see why.
                    self.drain().await;
                }
            }
        }
    }

    /// Sends a closing frame and waits for the peer's.
    async fn ask(&mut self, frame: &CloseFrame) {
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

    /// Sends a closing frame, the last thing that is sent. Says whether it was.
    async fn say(&mut self, frame: Option<&CloseFrame>) -> bool {
        self.queue(Encoded::close(frame).frame());
        let is_sent = self.write().await;
        self.end_writing();
        is_sent
    }

    fn end_writing(&self) {
        // One that is gone already needs no end.
        let _ = SockRef::from(&*self.stream).shutdown(Shutdown::Write);
    }

    /// Writes all output. Says whether it could.
    async fn write(&mut self) -> bool {
        loop {
            match self.flush() {
                Ok(true) => return true,
                Ok(false) if self.stream.writable().await.is_ok() => {}
                _ => return false,
            }
        }
    }

    /// Waits for more from the peer. Says whether there is.
    async fn listen(&mut self) -> bool {
        self.stream.readable().await.is_ok() && self.read().is_ok()
    }

    async fn drain(&mut self) {
        while self.listen().await {
            self.reader = Reader::new(0);
        }
    }
}

/// Writes these bytes, however long the peer takes to read them, and nothing after them.
async fn say_at_last(stream: &TcpStream, mut bytes: Bytes) -> io::Result<()> {
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

/// Reads to the end of what the peer says.
async fn drain(stream: &TcpStream) -> io::Result<()> {
    let mut buffer = [0; READ_AT_ONCE];
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
