//! Shutdown under load: the server completes its answers, and sends nothing after them.

use std::cell::Cell;
use std::io;

use futures_util::future::{join, join_all, select};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Connection, Mockd, RawSocket, SHOP, ScenarioFile, Socket, soon};

const CLIENTS: usize = 40;
const SOCKETS: usize = 300;

/// Places orders on one connection until the server closes it, and asserts that each answer is complete.
async fn order_until_closed(mockd: &Mockd, answered: &Cell<i64>) {
    let mut connection = Connection::open(mockd).await;
    let request = "POST /orders/A1 HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
                   content-length: 12\r\n\r\n{\"amount\":1}";
    // A request may find the connection closed.
    while connection.send(request.as_bytes()).await.is_ok() {
        let Some((head, body)) = connection.answer().await else { return };
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        assert_eq!(body, r#"{"ok":true}"#);
        answered.set(answered.get() + 1);
    }
}

/// Reads totals up to the close frame, and asserts that each is one more than the previous one. Returns the code of the
/// close frame and the last total.
async fn read_totals(live: &mut Socket, mut last: Option<i64>) -> (u16, i64) {
    loop {
        match live.message().await {
            Message::Text(text) => {
                let frame: serde_json::Value = serde_json::from_str(&text).unwrap();
                let total = frame["total"].as_i64().unwrap();
                assert!(last.is_none_or(|last| total == last + 1), "{total} after {last:?}");
                last = Some(total);
            }
            Message::Close(Some(frame)) => return (frame.code.into(), last.expect("a total")),
            other => panic!("{other:?}"),
        }
    }
}

/// Waits until 2,000 orders are answered, and returns the last total that the socket has received.
async fn wait_for_load(live: &mut Socket, answered: &Cell<i64>) -> i64 {
    let mut last = 3;
    while answered.get() < 2_000 {
        last = live.order().await.1;
    }
    last
}

/// Sends a request on a new connection, and returns its answer.
async fn get_on_new_connection(address: &str) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"GET /electronics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(answer)
}

#[cfg(unix)]
#[tokio::test]
async fn shutdown_under_load_completes_answers_and_closes_with_1001() {
    let mockd = Mockd::run(&ScenarioFile::new(SHOP)).await;
    let mut watching = mockd.live("nothing").await;
    let mut sockets = join_all((0..SOCKETS).map(|_| mockd.live("nothing"))).await;
    let answered = Cell::new(0);
    let clients = join_all((0..CLIENTS).map(|_| order_until_closed(&mockd, &answered)));
    let ending = async {
        let last = wait_for_load(&mut watching, &answered).await;
        let acknowledged = 3 + answered.get();
        mockd.signal("TERM");
        let (code, last) = read_totals(&mut watching, Some(last)).await;
        assert_eq!(code, 1001);
        assert!(last >= acknowledged, "{acknowledged} was acknowledged, but {last} was the last total sent");
        // Refused, reset, or closed without an answer.
        assert_eq!(get_on_new_connection(mockd.address()).await.unwrap_or_default(), b"");
    };
    let following = join_all(sockets.iter_mut().map(|live| read_totals(live, None)));
    let (ends, _) = join(following, join(clients, ending)).await;
    assert!(ends.iter().all(|(code, _)| *code == 1001), "{ends:?}");
    assert_eq!(mockd.ended().await.code(), Some(0));
}

/// Starts a mock whose shutdown takes as long as it allows: a socket does not answer the close frame, and a request is
/// incomplete.
#[cfg(unix)]
async fn hanging() -> (Mockd, RawSocket, TcpStream) {
    let mockd = Mockd::run(&ScenarioFile::new(SHOP)).await;
    let socket = RawSocket::open(mockd.address(), "/orders/nothing").await;
    let mut half = TcpStream::connect(mockd.address()).await.unwrap();
    let head = "POST /orders/A1 HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
                expect: 100-continue\r\ncontent-length: 12\r\n\r\n";
    half.write_all(head.as_bytes()).await.unwrap();
    // mockd handles the request once it asks for the body.
    soon("100 Continue", half.read_exact(&mut [0; 25])).await.unwrap();
    (mockd, socket, half)
}

#[cfg(unix)]
#[tokio::test]
async fn a_second_signal_ends_pending_work_immediately() {
    let (one_signal, mut socket, _half) = hanging().await;
    let (two_signals, mut other_socket, mut half) = hanging().await;
    for (mockd, socket) in [(&one_signal, &mut socket), (&two_signals, &mut other_socket)] {
        mockd.signal("TERM");
        assert_eq!(socket.close_code().await, 1001);
    }
    two_signals.signal("TERM");
    let (twice, once) = (Box::pin(two_signals.ended()), Box::pin(one_signal.ended()));
    let futures_util::future::Either::Left((status, once)) = select(twice, once).await else {
        panic!("the mock with one signal ended first");
    };
    assert_eq!((status.code(), once.await.code()), (Some(0), Some(0)));
    let mut rest = Vec::new();
    // A reset also counts as the end.
    let _ = soon("the end of the connection", half.read_to_end(&mut rest)).await;
    assert_eq!(rest, b"", "an incomplete request was answered");
}
