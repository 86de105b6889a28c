#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::pin::pin;
use std::task::Poll as Progress;

use futures_util::poll;
use tokio::net::TcpListener;

use super::*;

fn packets(text: &str) -> Polled {
    Polled::Packets(text.to_owned().into())
}

/// Returns the answer to a poll that does not have to wait.
async fn polled(outbox: &Outbox) -> Result<Polled, EngineIoError> {
    match poll!(pin!(outbox.poll())) {
        Progress::Ready(polled) => polled,
        Progress::Pending => panic!("the poll waits"),
    }
}

/// Returns a connection that packets may be written to.
async fn stream() -> Arc<TcpStream> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    Arc::new(TcpStream::connect(listener.local_addr().unwrap()).await.unwrap())
}

#[tokio::test]
async fn a_poll_waits_for_packets_and_takes_all_of_them() {
    let outbox = Outbox::new();
    let mut waiting = pin!(outbox.poll());
    assert!(poll!(waiting.as_mut()).is_pending());
    assert_eq!(outbox.write(b"\x1e40").unwrap(), 3);
    assert_eq!(outbox.write(b"\x1e42[\"a\"]\x1ebAP8=").unwrap(), 14);
    assert_eq!(poll!(waiting.as_mut()), Progress::Ready(Ok(packets("40\u{1e}42[\"a\"]\u{1e}bAP8="))));
    outbox.write(b"\x1e2").unwrap();
    assert_eq!(polled(&outbox).await, Ok(packets("2")));
    assert!(poll!(pin!(outbox.poll())).is_pending());
}

#[tokio::test]
async fn packets_stay_whole_and_their_size_is_bounded() {
    let outbox = Outbox::new();
    let packet = [b"\x1e4".to_vec(), vec![b'x'; 2 * CAPACITY]].concat();
    assert_eq!(outbox.write(&packet).unwrap(), packet.len());
    assert_eq!(outbox.write(b"\x1e2").unwrap_err().kind(), io::ErrorKind::WouldBlock);
    let mut room = pin!(outbox.has_room());
    assert!(poll!(room.as_mut()).is_pending());
    assert_eq!(polled(&outbox).await, Ok(Polled::Packets(packet[1..].to_vec().into())));
    assert!(poll!(room.as_mut()).is_ready());
    assert_eq!(outbox.write(b"\x1e2").unwrap(), 2);
}

#[tokio::test]
async fn two_polls_at_once_end_the_session_for_both() {
    let outbox = Outbox::new();
    let mut first = pin!(outbox.poll());
    assert!(poll!(first.as_mut()).is_pending());
    assert_eq!(polled(&outbox).await, Err(EngineIoError::BadRequest));
    assert_eq!(poll!(first.as_mut()), Progress::Ready(Ok(packets("1"))));
    assert!(poll!(pin!(outbox.over())).is_ready());
    assert_eq!(polled(&outbox).await, Err(EngineIoError::UnknownSession));
}

#[tokio::test]
async fn a_cancelled_poll_ends_the_session() {
    let outbox = Outbox::new();
    assert!(poll!(pin!(outbox.poll())).is_pending());
    assert!(poll!(pin!(outbox.end_reported())).is_ready());
    assert_eq!(polled(&outbox).await, Err(EngineIoError::UnknownSession));
    assert_eq!(outbox.write(b"\x1e2").unwrap_err().kind(), io::ErrorKind::BrokenPipe);
}

#[tokio::test]
async fn at_most_one_poll_reports_the_end_of_a_session() {
    let unknown = || Err(EngineIoError::UnknownSession);
    for (end, lingers, report) in [
        (OutboxEnd::Close, true, Ok(packets("1"))),
        (OutboxEnd::Close, false, Ok(packets("1"))),
        (OutboxEnd::Noop, false, Ok(packets("6"))),
        (OutboxEnd::Lost, true, unknown()),
    ] {
        let outbox = Outbox::new();
        let mut poll = pin!(outbox.poll());
        assert!(poll!(poll.as_mut()).is_pending());
        outbox.end(end, lingers);
        assert_eq!(poll!(poll.as_mut()), Progress::Ready(report.clone()), "{end:?}");
        assert!(poll!(pin!(outbox.end_reported())).is_ready(), "{end:?}");
        assert_eq!(polled(&outbox).await, unknown(), "{end:?}");
        // Without a waiting poll, only a session that lingers reports its end.
        let outbox = Outbox::new();
        outbox.end(end, lingers);
        assert_eq!(polled(&outbox).await, if lingers { report } else { unknown() }, "{end:?}");
        assert_eq!(polled(&outbox).await, unknown(), "{end:?}");
    }
}

#[tokio::test]
async fn the_end_follows_the_last_packets_in_an_answer_of_its_own() {
    for (end, report) in [(OutboxEnd::Close, Ok(packets("1"))), (OutboxEnd::Lost, Err(EngineIoError::UnknownSession))] {
        for is_waiting in [true, false] {
            let outbox = Outbox::new();
            let mut waiting = Box::pin(outbox.poll());
            assert!(!is_waiting || poll!(waiting.as_mut()).is_pending());
            outbox.write(b"\x1e42[\"last\"]").unwrap();
            outbox.write(b"\x1e41").unwrap();
            outbox.end(end, true);
            assert_eq!(waiting.await, Ok(packets("42[\"last\"]\u{1e}41")), "{end:?}");
            assert!(poll!(pin!(outbox.end_reported())).is_pending(), "{end:?}");
            assert_eq!(polled(&outbox).await, report, "{end:?}");
            assert!(poll!(pin!(outbox.end_reported())).is_ready(), "{end:?}");
        }
    }
}

#[tokio::test]
async fn a_reset_resets_the_connection_of_the_next_poll() {
    let outbox = Outbox::new();
    outbox.write(b"\x1e41").unwrap();
    outbox.end(OutboxEnd::Reset, true);
    outbox.end(OutboxEnd::Close, true);
    assert!(poll!(pin!(outbox.end_reported())).is_pending());
    assert_eq!(polled(&outbox).await, Ok(Polled::Reset));
    assert!(poll!(pin!(outbox.end_reported())).is_ready());
}

#[tokio::test(start_paused = true)]
async fn polls_do_not_wait_long_while_a_socket_probes() {
    let outbox = Outbox::new();
    assert!(outbox.start_upgrade());
    let mut waiting = pin!(outbox.poll());
    assert!(poll!(waiting.as_mut()).is_pending());
    outbox.probed();
    assert_eq!(poll!(waiting.as_mut()), Progress::Ready(Ok(packets("6"))));
    let start = Instant::now();
    assert_eq!(outbox.poll().await, Ok(packets("6")));
    // Timers have a resolution of one millisecond.
    assert!((PROBED_POLL_TIMEOUT..2 * PROBED_POLL_TIMEOUT).contains(&start.elapsed()));
    outbox.write(b"\x1e2").unwrap();
    assert_eq!(polled(&outbox).await, Ok(packets("2")));
    outbox.end_upgrade();
    assert!(tokio::time::timeout(10 * PROBED_POLL_TIMEOUT, outbox.poll()).await.is_err());
}

#[tokio::test]
async fn one_socket_at_a_time_takes_over_the_pending_packets() {
    let outbox = Outbox::new();
    assert!(outbox.start_upgrade());
    assert!(!outbox.start_upgrade());
    outbox.end_upgrade();
    assert!(outbox.start_upgrade());
    outbox.write(b"\x1e2").unwrap();
    assert!(!outbox.takes_pings());
    assert_eq!(outbox.upgrade(stream().await).unwrap(), "\u{1e}2");
    assert!(outbox.takes_pings());
    assert_eq!(polled(&outbox).await, Err(EngineIoError::BadRequest));
    outbox.end_upgrade();
    assert!(!outbox.start_upgrade());
    assert!(outbox.upgrade(stream().await).is_none());
    outbox.end(OutboxEnd::Close, true);
    assert!(poll!(pin!(outbox.over())).is_pending());
}

#[tokio::test]
async fn the_upgrade_answers_a_waiting_poll_with_a_noop() {
    let outbox = Outbox::new();
    let mut waiting = pin!(outbox.poll());
    assert!(poll!(waiting.as_mut()).is_pending());
    outbox.upgrade(stream().await).unwrap();
    assert_eq!(poll!(waiting.as_mut()), Progress::Ready(Ok(packets("6"))));
}

#[tokio::test(start_paused = true)]
async fn the_client_timeout_starts_at_the_last_poll_or_post() {
    let (outbox, time, start) = (Outbox::new(), Duration::from_secs(45), Instant::now());
    let talking = async {
        tokio::time::sleep(Duration::from_secs(40)).await;
        outbox.touch().unwrap();
        tokio::time::sleep(Duration::from_secs(30)).await;
        let filling = async {
            tokio::time::sleep(Duration::from_secs(100)).await;
            outbox.write(b"\x1e2").unwrap();
        };
        tokio::join!(outbox.poll(), filling).0
    };
    let (polled, ()) = tokio::join!(talking, outbox.expired(time));
    assert_eq!(polled, Ok(packets("2")));
    assert_eq!(start.elapsed().as_secs(), 40 + 30 + 100 + 45);
}
