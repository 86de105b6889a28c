//! The end of a server that has much to do: what it says by then is whole, and then it says nothing more.

use std::cell::Cell;
use std::io;

use futures_util::future::{join, join_all, select};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Connection, Mockd, RawSocket, SHOP, ScenarioFile, Socket, soon};

const CLIENTS: usize = 40;
const SOCKETS: usize = 300;

/// Orders over and over on one connection until the server ends it. What was answered, was answered whole.
async fn order_until_the_end(mockd: &Mockd, answered: &Cell<i64>) {
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

/// Reads totals, each one more than the one before, up to the closing frame, and gives its code and the last of them.
async fn follow(live: &mut Socket, mut last: Option<i64>) -> (u16, i64) {
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

/// Waits until as much is answered as makes a load, and gives the last total that a socket has seen by then.
async fn until_much_is_answered(live: &mut Socket, answered: &Cell<i64>) -> i64 {
    let mut last = 3;
    while answered.get() < 2_000 {
        last = live.order().await.1;
    }
    last
}

/// What the server says to a request on a new connection.
async fn ask_anew(address: &str) -> io::Result<Vec<u8>> {
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
    let clients = join_all((0..CLIENTS).map(|_| order_until_the_end(&mockd, &answered)));
    let ending = async {
        let last = until_much_is_answered(&mut watching, &answered).await;
        let acknowledged = 3 + answered.get();
        mockd.signal("TERM");
        let (code, last) = follow(&mut watching, Some(last)).await;
        assert_eq!(code, 1001);
        assert!(last >= acknowledged, "{acknowledged} was acknowledged before the end, {last} was the last to be told");
        // Refused, reset, or closed without a word.
        assert_eq!(ask_anew(mockd.address()).await.unwrap_or_default(), b"");
    };
    let following = join_all(sockets.iter_mut().map(|live| follow(live, None)));
    let (ends, _) = join(following, join(clients, ending)).await;
    assert!(ends.iter().all(|(code, _)| *code == 1001), "{ends:?}");
    assert_eq!(mockd.ended().await.code(), Some(0));
}

/// A mock that is kept from its end for as long as it allows: a socket does not answer the closing frame, and of a request
/// only half has come.
#[cfg(unix)]
async fn hanging() -> (Mockd, RawSocket, TcpStream) {
    let mockd = Mockd::run(&ScenarioFile::new(SHOP)).await;
    let socket = RawSocket::open(mockd.address(), "/orders/nothing").await;
    let mut half = TcpStream::connect(mockd.address()).await.unwrap();
    let head = "POST /orders/A1 HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
                expect: 100-continue\r\ncontent-length: 12\r\n\r\n";
    half.write_all(head.as_bytes()).await.unwrap();
    // The request is at work when its body is asked for.
    soon("a hundred", half.read_exact(&mut [0; 25])).await.unwrap();
    (mockd, socket, half)
}

#[cfg(unix)]
#[tokio::test]
async fn what_hangs_is_given_up_and_at_once_after_a_second_signal() {
    let (told_once, mut socket, _half) = hanging().await;
    let (told_twice, mut other_socket, mut half) = hanging().await;
    for (mockd, socket) in [(&told_once, &mut socket), (&told_twice, &mut other_socket)] {
        mockd.signal("TERM");
        assert_eq!(socket.close_code().await, 1001);
    }
    told_twice.signal("TERM");
    let (twice, once) = (Box::pin(told_twice.ended()), Box::pin(told_once.ended()));
    let futures_util::future::Either::Left((status, once)) = select(twice, once).await else {
        panic!("the one that was told once was the first to end");
    };
    assert_eq!((status.code(), once.await.code()), (Some(0), Some(0)));
    let mut rest = Vec::new();
    // A reset is an end as well.
    let _ = soon("the end of the connection", half.read_to_end(&mut rest)).await;
    assert_eq!(rest, b"", "half a request was answered");
}
