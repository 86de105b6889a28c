//! HTTP requests through an independent client, or as raw bytes.

use std::io;

use reqwest::header::HeaderMap;
use reqwest::{Client, Method};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpSocket, TcpStream};

use super::{Mockd, soon};

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }

    /// Returns a header's value; an empty string if the header is missing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

pub(crate) async fn http(method: &str, url: &str, headers: &[(&str, &str)], body: Option<&str>) -> Answer {
    let mut request = Client::new().request(Method::from_bytes(method.as_bytes()).unwrap(), url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if let Some(body) = body {
        request = request.body(body.to_owned());
    }
    let answer = async {
        let response = request.send().await.unwrap_or_else(|error| panic!("{method} {url}: {error}"));
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer { status, headers, text: response.text().await.unwrap() }
    };
    soon(&format!("an answer to {method} {url}"), answer).await
}

/// An HTTP/1.1 connection for requests as raw bytes.
pub(crate) struct Connection(BufReader<TcpStream>);

impl Connection {
    pub(crate) async fn open(mockd: &Mockd) -> Self {
        Self(BufReader::new(TcpStream::connect(mockd.address()).await.unwrap()))
    }

    /// Opens a connection with the smallest possible receive buffer.
    pub(crate) async fn open_narrow(mockd: &Mockd) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(1).unwrap();
        Self(BufReader::new(socket.connect(mockd.address().parse().unwrap()).await.unwrap()))
    }

    pub(crate) async fn send(&mut self, request: &[u8]) -> io::Result<()> {
        self.0.write_all(request).await
    }

    /// Waits until a part of the next answer has arrived.
    pub(crate) async fn readable(&self) {
        soon("the start of an answer", self.0.get_ref().readable()).await.unwrap();
    }

    /// Returns the head of the next answer; `None` if the connection ends before it. Panics if it ends within the head.
    pub(crate) async fn head(&mut self) -> Option<String> {
        soon("an answer or the end of the connection", async {
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                if matches!(self.0.read_line(&mut head).await, Ok(0) | Err(_)) {
                    assert_eq!(head, "", "half an answer");
                    return None;
                }
            }
            Some(head)
        })
        .await
    }

    /// Returns the head and body of the next answer, which must not answer a HEAD; `None` if the connection ends before
    /// it.
    pub(crate) async fn answer(&mut self) -> Option<(String, String)> {
        let head = self.head().await?;
        // An answer without content, such as a 204, has no length.
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
        let mut body = vec![0; length.parse().unwrap()];
        soon("the rest of an answer", self.0.read_exact(&mut body)).await.expect("half an answer");
        Some((head, String::from_utf8(body).unwrap()))
    }

    /// Sends a request, and returns the head and body of its answer.
    pub(crate) async fn request(&mut self, request: &[u8]) -> (String, String) {
        self.send(request).await.unwrap();
        self.answer().await.expect("the connection ended")
    }
}

/// Sends bytes, and returns everything that arrives until the server ends the connection. A reset counts as the end: a
/// refused request may end in one.
pub(crate) async fn raw(mockd: &Mockd, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(mockd.address()).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    let _ = soon("the end of an answer", stream.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}
