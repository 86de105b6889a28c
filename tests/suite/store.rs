//! The contract of stores, tested on every implementation.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use mockd::store::{
    Checkpoint, Claim, FencingToken, InvalidUrl, Memory, NewEntry, OpenMode, Redis, RedisUrl, Store, StoreError,
    StoredEntry,
};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::support::{self, poll, soon};

const LEASE: Duration = Duration::from_mins(1);

/// A store, with the server and the guard that keep it running.
struct TestStore {
    store: Arc<dyn Store>,
    _server: Option<support::Redis>,
    _end: tokio_util::sync::DropGuard,
}

fn memory() -> TestStore {
    TestStore { store: Arc::new(Memory::default()), _server: None, _end: CancellationToken::new().drop_guard() }
}

async fn redis() -> TestStore {
    let (server, end) = (support::Redis::start().await, CancellationToken::new());
    let url: RedisUrl = server.url().parse().unwrap();
    let store = Redis::connect(&url, "test", &TaskTracker::new(), &end);
    store.reached().await.unwrap();
    TestStore { store: Arc::new(store), _server: Some(server), _end: end.drop_guard() }
}

/// Generates each test for each store.
macro_rules! for_each_store {
    ($($name:ident)*) => {
        mod in_memory { $(#[tokio::test] async fn $name() { super::$name(&super::memory().store).await; })* }
        mod in_redis {
            $(#[tokio::test] async fn $name() {
                crate::support::needs!(Redis);
                super::$name(&super::redis().await.store).await;
            })*
        }
    };
}

for_each_store! {
    all_followers_get_entries_in_one_order_without_gaps
    a_log_is_created_once_and_found_by_name
    opening_a_log_returns_the_checkpoint_and_later_entries
    times_after_584_years_are_preserved
    following_a_missing_or_removed_position_reports_the_gap
    one_server_leads_until_its_lease_ends_and_tokens_increase
    entries_with_an_older_token_are_refused
    presence_lasts_as_long_as_announced
    an_ended_log_is_read_to_its_end_and_can_be_created_again
    texts_are_stored_by_name
}

fn entry<'e>(mark: &'e str, text: &'e str) -> NewEntry<'e> {
    NewEntry { mark, text, at: Duration::from_secs(1), token: None, lifetime: None }
}

fn claim(server: &str, lease: Duration) -> Claim<'_> {
    Claim { server, lease, at: Duration::from_secs(2), lifetime: None }
}

/// Creates a log, and returns its first entry.
async fn create_log(store: &Arc<dyn Store>, world: &str) -> StoredEntry {
    let opened = store.open(world, OpenMode::New(entry("first", "born"))).await.unwrap();
    assert_eq!(opened.checkpoint, None);
    opened.entries[0].clone()
}

/// Reads the next `count` entries, and returns their positions and texts.
async fn read(store: &Arc<dyn Store>, world: &str, after: &StoredEntry, count: usize) -> Vec<(u64, String)> {
    let mut entries = store.follow(world, after);
    let mut read = Vec::new();
    while read.len() < count {
        let some = soon("entries", entries.next()).await.expect("the log continues").unwrap();
        read.extend(some.into_iter().map(|entry| (entry.position, entry.text)));
    }
    read
}

async fn all_followers_get_entries_in_one_order_without_gaps(store: &Arc<dyn Store>) {
    let first = create_log(store, "a").await;
    create_log(store, "b").await;
    let writers = (0..4).map(|writer| {
        let store = store.clone();
        tokio::spawn(async move {
            for number in 0..50 {
                let text = format!("{writer}.{number}");
                store.append("a", entry(&text, &text)).await.unwrap();
            }
        })
    });
    let readers = [0; 3].map(|_| {
        let (store, first) = (store.clone(), first.clone());
        tokio::spawn(async move { read(&store, "a", &first, 200).await })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let mut seen = Vec::new();
    for reader in readers {
        seen.push(reader.await.unwrap());
    }
    assert!(seen[0].iter().map(|(position, _)| *position).eq(first.position + 1..=first.position + 200));
    assert!(seen.iter().all(|one| *one == seen[0]));
    for writer in 0..4 {
        let prefix = format!("{writer}.");
        let own = seen[0].iter().filter(|(_, text)| text.starts_with(&prefix)).map(|(_, text)| text.clone());
        assert!(own.eq((0..50).map(|number| format!("{writer}.{number}"))));
    }
}

async fn a_log_is_created_once_and_found_by_name(store: &Arc<dyn Store>) {
    assert_eq!(store.open("a", OpenMode::Existing).await, Err(StoreError::Missing));
    assert_eq!(store.append("a", entry("early", "")).await, Err(StoreError::Missing));
    let first = create_log(store, "a").await;
    assert_eq!(store.open("a", OpenMode::New(entry("again", ""))).await, Err(StoreError::Exists));
    for open_mode in [OpenMode::Existing, OpenMode::Either(entry("once more", ""))] {
        assert_eq!(store.open("a", open_mode).await.unwrap().entries, std::slice::from_ref(&first));
    }
    store.open("b", OpenMode::Either(entry("other", ""))).await.unwrap();
    assert_eq!(store.worlds().await.unwrap(), ["a", "b"]);
}

async fn opening_a_log_returns_the_checkpoint_and_later_entries(store: &Arc<dyn Store>) {
    let first = create_log(store, "a").await;
    for number in 0..5 {
        let text = number.to_string();
        store.append("a", NewEntry { at: Duration::from_secs(number), ..entry(&text, &text) }).await.unwrap();
    }
    let checkpoint = Checkpoint { position: first.position + 3, state: "as of then".into() };
    store.save_checkpoint("a", &checkpoint, checkpoint.position).await.unwrap();
    // An older checkpoint changes nothing.
    store
        .save_checkpoint("a", &Checkpoint { position: first.position + 1, state: "old".into() }, u64::MAX)
        .await
        .unwrap();
    let opened = store.open("a", OpenMode::Existing).await.unwrap();
    assert_eq!(opened.checkpoint, Some(checkpoint));
    assert_eq!(opened.entries.iter().map(|entry| &*entry.text).collect::<Vec<_>>(), ["2", "3", "4"]);
    assert_eq!((opened.at, opened.is_led), (Duration::from_secs(4), false));
}

async fn times_after_584_years_are_preserved(store: &Arc<dyn Store>) {
    create_log(store, "a").await;
    let max_of_64_bits = Duration::from_nanos(u64::MAX);
    for (mark, at) in [("one", max_of_64_bits + Duration::from_nanos(1)), ("two", Duration::MAX)] {
        store.append("a", NewEntry { at, ..entry(mark, mark) }).await.unwrap();
        assert_eq!(store.open("a", OpenMode::Existing).await.unwrap().at, at, "of an entry");
        let time = at.saturating_sub(Duration::from_secs(1));
        store.lead("a", Claim { at: time, ..claim("one", LEASE) }).await.unwrap();
        assert_eq!(store.open("a", OpenMode::Existing).await.unwrap().at, time, "of a leader");
    }
}

async fn following_a_missing_or_removed_position_reports_the_gap(store: &Arc<dyn Store>) {
    let first = create_log(store, "a").await;
    let mut positions = Vec::new();
    for number in 0..5 {
        let text = number.to_string();
        positions.push(store.append("a", entry(&text, &text)).await.unwrap());
    }
    store.save_checkpoint("a", &Checkpoint { position: positions[1], state: String::new() }, 0).await.unwrap();
    assert_eq!(read(store, "a", &first, 5).await.len(), 5, "nothing is trimmed yet");
    store
        .save_checkpoint("a", &Checkpoint { position: positions[3], state: String::new() }, positions[1])
        .await
        .unwrap();
    let stranger = StoredEntry { position: positions[2], mark: "another".into(), text: String::new() };
    let ahead = StoredEntry { position: positions[4] + 7, mark: "ahead".into(), text: String::new() };
    for lost in [first, stranger, ahead] {
        let outcome = soon("the gap", store.follow("a", &lost).next()).await.unwrap();
        assert_eq!(outcome, Err(StoreError::Gap(lost.position)));
    }
    let retained = StoredEntry { position: positions[1], mark: "1".into(), text: "1".into() };
    assert_eq!(read(store, "a", &retained, 3).await.len(), 3);
}

async fn one_server_leads_until_its_lease_ends_and_tokens_increase(store: &Arc<dyn Store>) {
    create_log(store, "a").await;
    let first = store.lead("a", claim("one", LEASE)).await.unwrap().unwrap();
    assert_eq!(store.lead("a", claim("two", LEASE)).await.unwrap(), None);
    assert_eq!(store.lead("a", claim("one", LEASE)).await.unwrap(), Some(first), "the leader keeps its lead");
    let opened = store.open("a", OpenMode::Existing).await.unwrap();
    assert_eq!((opened.is_led, opened.at), (true, Duration::from_secs(2)));
    assert_eq!(store.lead("a", claim("one", Duration::ZERO)).await.unwrap(), None, "a zero lease gives up the lead");
    let short = Duration::from_millis(1);
    let second = store.lead("a", claim("two", short)).await.unwrap().unwrap();
    assert!(second > first, "{second:?} {first:?}");
    let lead = async || store.lead("a", claim("three", LEASE)).await.unwrap();
    assert!(poll("the end of a lease", lead).await > second);
}

async fn entries_with_an_older_token_are_refused(store: &Arc<dyn Store>) {
    create_log(store, "a").await;
    let fenced = |mark: &'static str, token: FencingToken| NewEntry { token: Some(token), ..entry(mark, mark) };
    let first = store.lead("a", claim("one", LEASE)).await.unwrap().unwrap();
    store.append("a", fenced("in time", first)).await.unwrap();
    store.lead("a", claim("one", Duration::ZERO)).await.unwrap();
    let second = store.lead("a", claim("two", LEASE)).await.unwrap().unwrap();
    assert_eq!(store.append("a", fenced("too late", first)).await, Err(StoreError::Fenced));
    store.append("a", fenced("next", second)).await.unwrap();
    let texts = store.open("a", OpenMode::Existing).await.unwrap().entries;
    assert_eq!(texts.iter().map(|entry| &*entry.text).collect::<Vec<_>>(), ["born", "in time", "next"]);
}

async fn presence_lasts_as_long_as_announced(store: &Arc<dyn Store>) {
    assert_eq!(store.announce_presence("a", "one", LEASE).await, Err(StoreError::Missing));
    create_log(store, "a").await;
    create_log(store, "b").await;
    assert_eq!(store.announce_presence("a", "one", LEASE).await.unwrap(), ["one"]);
    let present = async |server: &str, time: Duration| {
        let mut present = store.announce_presence("a", server, time).await.unwrap();
        present.sort();
        present
    };
    assert_eq!(present("two:2", Duration::from_millis(1)).await, ["one", "two:2"]);
    let alone = async || Some(present("one", LEASE).await).filter(|present| present.len() == 1);
    assert_eq!(poll("the end of a presence", alone).await, ["one"]);
    assert_eq!(present("three", LEASE).await, ["one", "three"]);
    assert_eq!(present("one", Duration::ZERO).await, ["three"], "a zero duration ends the presence");
    assert_eq!(
        store.announce_presence("b", "two", LEASE).await.unwrap(),
        ["two"],
        "presence is separate for each world"
    );
}

async fn an_ended_log_is_read_to_its_end_and_can_be_created_again(store: &Arc<dyn Store>) {
    let first = create_log(store, "a").await;
    store.append("a", entry("more", "more")).await.unwrap();
    store.end("a", entry("last", "end")).await.unwrap();
    let texts: Vec<_> = read(store, "a", &first, 2).await.into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, ["more", "end"]);
    assert_eq!(store.open("a", OpenMode::Existing).await, Err(StoreError::Missing));
    assert_eq!(store.append("a", entry("later", "")).await, Err(StoreError::Missing));
    assert_eq!(store.worlds().await.unwrap(), [""; 0]);
    let again = store.open("a", OpenMode::New(entry("second life", "born"))).await.unwrap();
    assert_eq!(again.entries.len(), 1, "no entries of the ended log: {again:?}");
    assert_eq!(again.checkpoint, None);
}

async fn texts_are_stored_by_name(store: &Arc<dyn Store>) {
    assert_eq!(store.get("one").await.unwrap(), None);
    store.put("one", "früher").await.unwrap();
    store.put("one", "später").await.unwrap();
    assert_eq!(store.get("one").await.unwrap().as_deref(), Some("später"));
}

#[test]
fn invalid_urls_are_refused_and_encryption_is_not_supported() {
    let outcome = |text: &str| text.parse::<RedisUrl>().map(|url| format!("{url:?}"));
    assert_eq!(outcome("redis://:secret@example.org:7000/3").unwrap(), "redis://example.org:7000/3");
    assert_eq!(outcome("valkey://user:p%40ss@[::1]").unwrap(), "redis://[::1]:6379/0");
    assert_eq!(outcome("rediss://localhost").unwrap_err(), InvalidUrl::Encrypted);
    for wrong in
        ["localhost:6379", "http://localhost", "redis://", "", "unix:///run/redis.sock", "redis://localhost/one"]
    {
        assert_eq!(outcome(wrong).unwrap_err(), InvalidUrl::Other, "{wrong}");
    }
}
