//! Random clients use one mockd concurrently. Everything that they send and receive is recorded, and a checker decides
//! whether a single order of events explains all of it.
//!
//! `MOCKD_HISTORY_SEED` repeats the requests of a run, and `MOCKD_HISTORY_STEPS` sets their number for each client.

mod accounts;
mod checker;
mod clients;
mod doctored;
mod order;
mod record;
mod rows;
mod run;
#[cfg(target_os = "linux")]
mod shared;
mod shop;
mod sockets;
mod tap;
mod views;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::support::{number, seed};
use checker::check;
use clients::Client;
use record::History;
use run::{Mode, Run};

const SEED: &str = "MOCKD_HISTORY_SEED";

/// The number of concurrent clients.
const CLIENTS: usize = 6;

/// Returns the number of steps that each client takes.
fn steps() -> u64 {
    number("MOCKD_HISTORY_STEPS").unwrap_or(150)
}

/// Runs all clients concurrently, in real time.
async fn live(seed: u64) -> History {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let run = Run::start(Mode::Live).await;
    let clients: Vec<_> = (0..CLIENTS).map(|_| Client::new(run.clone(), &mut random)).collect();
    let acting = clients.into_iter().map(|mut client| {
        tokio::spawn(async move {
            for _ in 0..steps() {
                client.act().await;
            }
            client
        })
    });
    let acted = futures_util::future::join_all(acting).await;
    run.end(acted.into_iter().map(Result::unwrap).collect()).await
}

/// Runs one client at a time, on a clock that is paused between their turns.
async fn replay(seed: u64) -> History {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let run = Run::start(Mode::Replay).await;
    let mut clients: Vec<_> = (0..CLIENTS).map(|_| Client::new(run.clone(), &mut random)).collect();
    for _ in 0..2 * steps() {
        clients[random.random_range(0..CLIENTS)].act().await;
        run.settle(&clients).await;
    }
    run.end(clients).await
}

#[tokio::test]
async fn one_order_of_events_explains_all_concurrent_clients() {
    let history = live(seed(SEED)).await;
    let explained = check(&history).unwrap_or_else(|violation| panic!("{violation}"));
    println!("{explained}");
    assert!(explained.is_worth_it(), "too little happened: {explained}");
}

#[tokio::test]
async fn a_seed_reproduces_transcripts_and_frames_when_paused() {
    let seed = seed(SEED);
    let (first, second) = (replay(seed).await, replay(seed).await);
    println!("{}", check(&first).unwrap_or_else(|violation| panic!("{violation}")));
    assert_eq!(first.transcripts, second.transcripts);
    assert_eq!(first.frames(), second.frames());
}
