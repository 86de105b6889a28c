//! The end of a connection (RFC 6455, section 7).

use std::net::Shutdown;
use std::time::Duration;

use socket2::SockRef;
use tracing::warn;
use tungstenite::Message;
use tungstenite::protocol::CloseFrame;

use super::{CLOSING_TIME, Connection, SocketClosure};
use crate::websocket::{Encoded, Reader, Violation};
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
            SocketClosure::Reset => (EndedBy::Server, None),
            SocketClosure::Violated(violation) => (EndedBy::Server, Some(violation.code().into())),
            SocketClosure::Asked(frame) => (EndedBy::Server, Some(frame.code.into())),
        };
        // Whether the peer takes part or not, the connection ends here.
        let _ = tokio::time::timeout(CLOSING_TIME, self.part(end)).await;
        // At once, whoever still holds the socket. One that is gone already needs no end; one that is reset must have none.
        if !is_reset {
            let _ = SockRef::from(&*self.stream).shutdown(Shutdown::Both);
        }
        self.feed.ends(SocketEnd { code, by });
        self.feed
    }

    async fn part(&mut self, end: SocketClosure) {
        match end {
            SocketClosure::Gone => {}
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
