#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout};

use super::{Expired, IDLE_TIMES, Wire};

const TIME: Duration = Duration::from_secs(10);

/// Returns both ends of a connection.
async fn connection() -> (Wire, TcpStream) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    (Wire::new(listener.accept().await.unwrap().0), client)
}

#[tokio::test(start_paused = true)]
async fn a_silent_connection_expires_after_13_timeouts() {
    let (wire, _client) = connection().await;
    let started = Instant::now();
    assert_eq!(wire.expired(TIME).await, Expired::Idle);
    let times = started.elapsed().as_secs_f64() / TIME.as_secs_f64();
    assert!((times - f64::from(IDLE_TIMES + 1)).abs() < 0.1, "{times}");
}

#[tokio::test(start_paused = true)]
async fn the_longest_timeout_never_expires() {
    let (wire, _client) = connection().await;
    let day = Duration::from_hours(24);
    assert!(timeout(day, wire.expired(Duration::MAX)).await.is_err());
}
