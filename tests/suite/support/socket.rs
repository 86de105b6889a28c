//! Live sockets: one through a WebSocket library, and one that sends and receives raw bytes.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::frame::masked;
use super::soon;

pub(crate) struct Socket(WebSocketStream<TcpStream>);

impl Socket {
    pub(crate) async fn open(url: &str) -> Self {
        let is_ipv6 = url.starts_with("ws://[");
        let socket = if is_ipv6 { TcpSocket::new_v6() } else { TcpSocket::new_v4() };
        Self::over(socket.unwrap(), url).await
    }

    /// Opens a socket with headers in addition to those of the handshake.
    pub(crate) async fn open_with(url: &str, headers: &[(&'static str, &str)]) -> Self {
        let address = url.strip_prefix("ws://").unwrap().split('/').next().unwrap();
        let stream = soon("a connection", TcpStream::connect(address)).await.unwrap();
        let mut request = url.into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let (socket, _) = soon("a handshake", client_async(request, stream)).await.unwrap();
        Self(socket)
    }

    /// Opens a socket with the smallest possible receive buffer, so that it falls behind soon.
    pub(crate) async fn open_narrow(url: &str) -> Self {
        Self::open_with_buffer(url, 1).await
    }

    /// Opens a socket with a receive buffer of about this many bytes.
    pub(crate) async fn open_with_buffer(url: &str, bytes: u32) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(bytes).unwrap();
        Self::over(socket, url).await
    }

    async fn over(socket: TcpSocket, url: &str) -> Self {
        let address = url.strip_prefix("ws://").unwrap().split('/').next().unwrap();
        let stream = soon("a connection", socket.connect(address.parse().unwrap())).await.unwrap();
        let (socket, _) = soon("a handshake", client_async(url, stream)).await.unwrap();
        Self(socket)
    }

    /// Returns the next frame, which must be text.
    pub(crate) async fn text(&mut self) -> String {
        match self.message().await {
            Message::Text(text) => text.to_string(),
            other => panic!("expected a text frame, got {other:?}"),
        }
    }

    /// Returns the next frame, which must be JSON.
    pub(crate) async fn json(&mut self) -> Value {
        let text = self.text().await;
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("not JSON: {text}"))
    }

    /// Returns the next frame that is not a ping.
    pub(crate) async fn message(&mut self) -> Message {
        soon("a frame", self.next_or_error()).await.expect("the socket ended").unwrap()
    }

    /// Returns the next frame that is not a ping, without a timeout; `None` if the connection has ended.
    pub(crate) async fn next(&mut self) -> Option<Message> {
        self.next_or_error().await?.ok()
    }

    /// Skips pings, which mockd sends on idle sockets and the library answers.
    async fn next_or_error(&mut self) -> Option<Result<Message, Error>> {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Ping(_))) => {}
                other => return other,
            }
        }
    }

    /// Returns the next `count` frames, which must be text.
    pub(crate) async fn texts(&mut self, count: usize) -> Vec<String> {
        let mut texts = Vec::with_capacity(count);
        while texts.len() < count {
            texts.push(self.text().await);
        }
        texts
    }

    /// Returns the id and total in the next frame.
    pub(crate) async fn order(&mut self) -> (String, i64) {
        let frame: Value = serde_json::from_str(&self.text().await).unwrap();
        (frame["id"].as_str().unwrap().to_owned(), frame["total"].as_i64().unwrap())
    }

    /// Reads until this frame arrives, and returns the frames before it.
    pub(crate) async fn until(&mut self, frame: &str) -> Vec<String> {
        let mut before = Vec::new();
        loop {
            let text = self.text().await;
            if text == frame {
                return before;
            }
            before.push(text);
        }
    }

    /// Closes the socket with code 1000.
    pub(crate) async fn close(&mut self) {
        let frame = CloseFrame { code: CloseCode::Normal, reason: "".into() };
        self.0.close(Some(frame)).await.unwrap();
    }

    /// Returns the code and reason of the next frame, which must be a close frame.
    pub(crate) async fn closed(&mut self) -> (u16, String) {
        match self.message().await {
            Message::Close(Some(frame)) => (frame.code.into(), frame.reason.to_string()),
            other => panic!("expected a close frame, got {other:?}"),
        }
    }

    /// Reads until the close frame, and returns its code.
    pub(crate) async fn close_code(&mut self) -> u16 {
        loop {
            if let Message::Close(frame) = self.message().await {
                return frame.map_or(1005, |frame| frame.code.into());
            }
        }
    }

    pub(crate) async fn send(&mut self, message: impl Into<Message>) {
        self.0.send(message.into()).await.unwrap();
    }

    /// Sends a JSON message.
    pub(crate) async fn send_json(&mut self, message: Value) {
        self.send(message.to_string()).await;
    }

    pub(crate) async fn update_category(&mut self, category: &str) {
        let command = json!({ "cmd": "update-category", "payload": { "category": category } });
        self.send(command.to_string()).await;
    }
}

/// A TCP connection after a WebSocket handshake, without a library between the test and the bytes.
pub(crate) struct RawSocket(TcpStream);

impl RawSocket {
    /// Opens a socket. Offers an extension, as browsers do.
    pub(crate) async fn open(address: &str, path: &str) -> Self {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: keep-alive, Upgrade\r\nupgrade: WebSocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             sec-websocket-extensions: permessage-deflate; client_max_window_bits\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap().to_lowercase();
        // The key and its answer are the example in RFC 6455, section 1.3.
        assert!(head.starts_with("http/1.1 101 ") && head.contains("s3pplmbitxaq9kygzzhzrbk+xoo="), "{head}");
        assert!(!head.contains("sec-websocket-extensions"), "{head}");
        Self(stream)
    }

    pub(crate) async fn send(&mut self, first_byte: u8, payload: &[u8]) {
        self.send_bytes(&masked(first_byte, payload)).await;
    }

    pub(crate) async fn send_bytes(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
    }

    /// Returns the first byte and the payload of the next frame.
    pub(crate) async fn receive(&mut self) -> (u8, Vec<u8>) {
        let frame = async {
            let first = self.0.read_u8().await.unwrap();
            let length = match self.0.read_u8().await.unwrap() {
                126 => usize::from(self.0.read_u16().await.unwrap()),
                short => usize::from(short),
            };
            let mut payload = vec![0; length];
            self.0.read_exact(&mut payload).await.unwrap();
            (first, payload)
        };
        soon("a frame", frame).await
    }

    /// Reads until the close frame, and returns its code.
    pub(crate) async fn close_code(&mut self) -> u16 {
        loop {
            let (first, payload) = self.receive().await;
            if first == 0x88 {
                return u16::from_be_bytes([payload[0], payload[1]]);
            }
        }
    }

    /// Waits for the end of the connection, and returns the bytes before it.
    pub(crate) async fn ended(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        // A reset is an end as well.
        let _ = soon("the end of the connection", self.0.read_to_end(&mut rest)).await;
        rest
    }
}
