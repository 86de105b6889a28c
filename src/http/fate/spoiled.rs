//! An answer that HTTP does not allow, or not at that speed: it is written past hyper, and ends its connection.

use std::fmt::Write;
use std::future::pending;
use std::io;
use std::time::Duration;

use poem::Response;
use poem::http::{StatusCode, header};

use crate::http::wire::Wire;
use crate::world::World;

/// How many pieces a second a slow body comes in.
const PIECES: u32 = 10;

/// In a second.
const NANOS: u64 = 1_000_000_000;

/// What is wrong with it.
#[derive(Debug, Clone)]
pub(in crate::http) enum Spoiled {
    /// The connection is closed in its place.
    Closed,
    /// The connection is reset after so many bytes of it.
    Reset { after: u64 },
    /// Its body comes at so many bytes a second of the world's time.
    Slow { rate: u64, world: World, run: u64 },
    /// It says to be so many bytes longer than it is.
    Length { off: i64 },
}

impl Spoiled {
    /// Has the answer be spoiled when everything else was done to it.
    pub(super) fn mark(self, mut response: Response) -> Response {
        response.extensions_mut().insert(self);
        response
    }

    /// Whether there is no answer at all.
    pub(in crate::http) fn is_in_place_of(response: &Response) -> bool {
        matches!(response.extensions().get(), Some(Self::Closed | Self::Reset { after: 0 }))
    }

    /// What is to be done to an answer, if something is.
    pub(in crate::http) fn take(response: &mut Response) -> Option<Self> {
        response.extensions_mut().remove()
    }

    /// Answers in hyper's place. It never ends by itself: hyper gives the request up when the connection is at its end.
    pub(in crate::http) async fn carry_out(self, response: Response, wire: &Wire) -> Response {
        let is_reset = matches!(self, Self::Reset { .. });
        // A client that is gone needs no end.
        let _ = self.write(response, wire).await;
        if is_reset {
            wire.reset();
        } else {
            wire.close();
        }
        pending().await
    }

    async fn write(self, response: Response, wire: &Wire) -> io::Result<()> {
        let off = if let Self::Length { off } = self { off } else { 0 };
        let (head, body) = in_bytes(response, off).await;
        match self {
            Self::Closed => Ok(()),
            Self::Reset { after } => {
                let whole = [head.as_bytes(), &body].concat();
                let sent = usize::try_from(after).unwrap_or(usize::MAX).min(whole.len());
                wire.write(&whole[..sent]).await
            }
            Self::Length { .. } => wire.write(&[head.as_bytes(), &body].concat()).await,
            Self::Slow { rate, world, run } => {
                wire.write(head.as_bytes()).await?;
                let piece = usize::try_from(rate / u64::from(PIECES)).unwrap_or(usize::MAX).max(1);
                let pause = Duration::from_nanos(NANOS.saturating_mul(piece as u64) / rate);
                for bytes in body.chunks(piece) {
                    world.pass(Some(pause), run).await;
                    wire.write(bytes).await?;
                }
                Ok(())
            }
        }
    }
}

/// Head and body as they are written, with a length that is so far off.
async fn in_bytes(response: Response, off: i64) -> (String, Vec<u8>) {
    let (parts, body) = response.into_parts();
    let body = body.into_vec().await.unwrap_or_default();
    let length = i64::try_from(body.len()).unwrap_or(i64::MAX).saturating_add(off).max(0);
    let mut head = format!("HTTP/1.1 {}\r\n", parts.status);
    for (name, value) in parts.headers.iter().filter(|(name, _)| **name != header::CONTENT_LENGTH) {
        // Writing to a string cannot fail.
        let _ = write!(head, "{name}: {}\r\n", String::from_utf8_lossy(value.as_bytes()));
    }
    let date = httpdate::fmt_http_date(std::time::SystemTime::now());
    // RFC 9110, 8.6: an answer of that status has none.
    if parts.status != StatusCode::NO_CONTENT {
        let _ = write!(head, "content-length: {length}\r\n");
    }
    let _ = write!(head, "connection: close\r\ndate: {date}\r\n\r\n");
    (head, body)
}
