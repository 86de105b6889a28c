//! The end of a socket's connection (RFC 6455, section 7).

use std::net::Shutdown;
use std::time::Duration;

use socket2::SockRef;
use tracing::warn;
use tungstenite::protocol::CloseFrame;
use tungstenite::{Message, Utf8Bytes};

use super::connection::{CLOSING_TIME, Connection, End};
use crate::websocket::{Encoded, Reader};
use crate::world::{EndedBy, SocketEnd};

impl Connection {
    /// Closes the connection as its end asks. The peer has a short time to take part in it.
    pub(super) async fn close(mut self: Box<Self>, end: End) {
        self.reclaim();
        let is_reset = matches!(end, End::Reset);
        let (by, code) = match &end {
            // RFC 6455, 7.1.5: a closing frame without a code counts as 1005.
            End::Closed(frame) => (EndedBy::Client, Some(frame.as_ref().map_or(1005, |frame| frame.code.into()))),
            End::Gone => (EndedBy::Client, None),
            End::Reset => (EndedBy::Server, None),
            End::Violated(violation) => (EndedBy::Server, Some(violation.code().into())),
            End::Asked(frame) => (EndedBy::Server, Some(frame.code.into())),
        };
        // Whether the peer takes part or not, the connection ends here.
        let _ = tokio::time::timeout(CLOSING_TIME, self.part(end)).await;
        // At once, whoever still holds the socket. One that is gone already needs no end; one that is reset must have none.
        if !is_reset {
            let _ = SockRef::from(&*self.stream).shutdown(Shutdown::Both);
        }
        self.feed.ends(SocketEnd { code, by });
    }

    async fn part(&mut self, end: End) {
        match end {
            End::Gone => {}
            // What the kernel still holds is dropped with it (SO_LINGER of 0).
            End::Reset => drop(SockRef::from(&*self.stream).set_linger(Some(Duration::ZERO))),
            End::Closed(frame) => {
                self.say(frame.as_ref()).await;
            }
            End::Asked(frame) => self.ask(&frame).await,
            End::Violated(violation) => {
                warn!(error = %violation, "socket broke the protocol, closing it");
                let frame = CloseFrame { code: violation.code(), reason: Utf8Bytes::default() };
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
