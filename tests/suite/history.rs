//! Clients by chance act on one mockd at once, all that they ask and get is recorded, and a checker finds whether one
//! order of events explains all of it.
//!
//! `MOCKD_HISTORY_SEED` repeats what the clients ask, `MOCKD_HISTORY_STEPS` says how much that is.

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

/// Clients at once.
const CLIENTS: usize = 6;

/// What each of them does.
fn steps() -> u64 {
    number("MOCKD_HISTORY_STEPS").unwrap_or(150)
}

/// All clients at once, in real time.
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

/// One client after the other, on a clock that stands still between their turns.
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
async fn one_order_of_events_explains_what_concurrent_clients_see() {
    let history = live(seed(SEED)).await;
    let explained = check(&history).unwrap_or_else(|violation| panic!("{violation}"));
    println!("{explained}");
    assert!(explained.is_worth_it(), "too little happened: {explained}");
}

#[tokio::test]
async fn on_a_paused_clock_a_seed_gives_equal_transcripts_and_frames() {
    let seed = seed(SEED);
    let (first, second) = (replay(seed).await, replay(seed).await);
    println!("{}", check(&first).unwrap_or_else(|violation| panic!("{violation}")));
    assert_eq!(first.transcripts, second.transcripts);
    assert_eq!(first.frames(), second.frames());
}
