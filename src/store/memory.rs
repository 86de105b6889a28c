//! A store in the memory of this process.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{BoxFuture, ready};
use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt, StreamExt};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::{
    Checkpoint, Claim, FencingToken, NewEntry, OpenMode, Opened, Store, StoreError, StoredEntry, check_contiguous,
};

/// A store for several servers in one process. Clones share the same logs, which live as long as the store.
#[derive(Debug, Clone, Default)]
pub struct Memory(Arc<MemoryInner>);

#[derive(Debug, Default)]
struct MemoryInner {
    state: Mutex<MemoryLogs>,
    /// Notified after each append.
    appended: Notify,
}

#[derive(Debug, Default)]
struct MemoryLogs {
    logs: BTreeMap<String, MemoryLog>,
    texts: HashMap<String, String>,
}

#[derive(Debug)]
struct MemoryLog {
    /// The position of the world's first entry; `None` once the world has ended.
    start: Option<u64>,
    entries: VecDeque<StoredEntry>,
    last: u64,
    checkpoint: Option<Checkpoint>,
    /// The world's time, and when it was announced.
    announced: (Duration, Instant),
    token: u64,
    leader: Option<(String, Instant)>,
    /// The servers present, each with the end of its presence.
    present: BTreeMap<String, Instant>,
}

impl MemoryLog {
    fn append(&mut self, entry: NewEntry<'_>) -> u64 {
        self.last += 1;
        self.entries.push_back(StoredEntry { position: self.last, mark: entry.mark.into(), text: entry.text.into() });
        self.announced = (entry.at, Instant::now());
        self.last
    }

    fn opened(&self, start: u64) -> Opened {
        let from = self.checkpoint.as_ref().map_or(start, |checkpoint| checkpoint.position);
        let (at, announced) = self.announced;
        Opened {
            checkpoint: self.checkpoint.clone(),
            entries: self.entries.iter().filter(|entry| entry.position >= from).cloned().collect(),
            at,
            age: announced.elapsed(),
            is_led: self.leader.as_ref().is_some_and(|(_, until)| *until > Instant::now()),
        }
    }

    fn after(&self, after: &StoredEntry) -> Result<Vec<StoredEntry>, StoreError> {
        if !self.entries.iter().any(|entry| entry.position == after.position && entry.mark == after.mark) {
            return Err(StoreError::Gap(after.position));
        }
        let entries: Vec<StoredEntry> =
            self.entries.iter().filter(|entry| entry.position > after.position).cloned().collect();
        check_contiguous(after.position, &entries).map(|()| entries)
    }
}

impl Memory {
    fn lock(&self) -> MutexGuard<'_, MemoryLogs> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls a function with the log of an existing world.
    fn with_log<T>(
        &self,
        world: &str,
        act: impl FnOnce(&mut MemoryLog) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut state = self.lock();
        let log = state.logs.get_mut(world).filter(|log| log.start.is_some());
        act(log.ok_or(StoreError::Missing)?)
    }

    fn open_now(&self, world: &str, open_mode: OpenMode<'_>) -> Result<Opened, StoreError> {
        let mut state = self.lock();
        let start = state.logs.get(world).and_then(|log| log.start);
        match (start, open_mode) {
            (Some(_), OpenMode::New(_)) => Err(StoreError::Exists),
            (None, OpenMode::Existing) => Err(StoreError::Missing),
            (Some(start), _) => state.logs.get(world).map(|log| log.opened(start)).ok_or(StoreError::Missing),
            (None, OpenMode::New(first) | OpenMode::Either(first)) => {
                let log = state.logs.entry(world.to_owned()).or_insert_with(|| MemoryLog {
                    start: None,
                    entries: VecDeque::new(),
                    last: 0,
                    checkpoint: None,
                    announced: (Duration::ZERO, Instant::now()),
                    token: 0,
                    leader: None,
                    present: BTreeMap::new(),
                });
                let start = log.append(first);
                log.start = Some(start);
                Ok(log.opened(start))
            }
        }
    }

    fn lead_now(&self, world: &str, claim: &Claim<'_>) -> Result<Option<FencingToken>, StoreError> {
        self.with_log(world, |log| {
            let now = Instant::now();
            let other = log.leader.as_ref().filter(|(server, _)| server != claim.server);
            if other.is_some_and(|(_, until)| *until > now) {
                return Ok(None);
            }
            if claim.lease.is_zero() {
                log.leader = None;
                return Ok(None);
            }
            if other.is_some() || log.leader.is_none() {
                log.token += 1;
            }
            log.leader = Some((claim.server.to_owned(), now + claim.lease));
            log.announced = (claim.at, now);
            Ok(Some(FencingToken(log.token)))
        })
    }

    fn announce_presence_now(&self, world: &str, server: &str, time: Duration) -> Result<Vec<String>, StoreError> {
        self.with_log(world, |log| {
            let now = Instant::now();
            log.present.insert(server.to_owned(), now + time);
            log.present.retain(|_, until| *until > now);
            Ok(log.present.keys().cloned().collect())
        })
    }

    fn save_checkpoint_now(&self, world: &str, checkpoint: &Checkpoint, cut: u64) -> Result<(), StoreError> {
        self.with_log(world, |log| {
            let before = log.checkpoint.as_ref().map_or(0, |before| before.position);
            if before < checkpoint.position {
                log.entries.retain(|entry| entry.position >= cut);
                log.checkpoint = Some(checkpoint.clone());
            }
            Ok(())
        })
    }
}

impl Store for Memory {
    fn open<'a>(&'a self, world: &'a str, open_mode: OpenMode<'a>) -> BoxFuture<'a, Result<Opened, StoreError>> {
        ready(self.open_now(world, open_mode)).boxed()
    }

    fn append<'a>(&'a self, world: &'a str, entry: NewEntry<'a>) -> BoxFuture<'a, Result<u64, StoreError>> {
        let appended = self.with_log(world, |log| match entry.token {
            Some(token) if token != FencingToken(log.token) => Err(StoreError::Fenced),
            _ => Ok(log.append(entry)),
        });
        self.0.appended.notify_waiters();
        ready(appended).boxed()
    }

    fn follow(&self, world: &str, after: &StoredEntry) -> BoxStream<'static, Result<Vec<StoredEntry>, StoreError>> {
        let state = Some((self.clone(), world.to_owned(), after.clone()));
        stream::unfold(state, |state| async move {
            let (store, world, after) = state?;
            let inner = store.0.clone();
            loop {
                let appended = inner.appended.notified();
                let entries = {
                    let state = store.lock();
                    state.logs.get(&world).ok_or(StoreError::Gap(after.position)).and_then(|log| log.after(&after))
                };
                match entries {
                    Ok(entries) => {
                        if let Some(last) = entries.last().cloned() {
                            return Some((Ok(entries), Some((store, world, last))));
                        }
                    }
                    Err(error) => return Some((Err(error), None)),
                }
                appended.await;
            }
        })
        .boxed()
    }

    fn lead<'a>(&'a self, world: &'a str, claim: Claim<'a>) -> BoxFuture<'a, Result<Option<FencingToken>, StoreError>> {
        ready(self.lead_now(world, &claim)).boxed()
    }

    fn announce_presence<'a>(
        &'a self,
        world: &'a str,
        server: &'a str,
        time: Duration,
    ) -> BoxFuture<'a, Result<Vec<String>, StoreError>> {
        ready(self.announce_presence_now(world, server, time)).boxed()
    }

    fn save_checkpoint<'a>(
        &'a self,
        world: &'a str,
        checkpoint: &'a Checkpoint,
        cut: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        ready(self.save_checkpoint_now(world, checkpoint, cut)).boxed()
    }

    fn end<'a>(&'a self, world: &'a str, entry: NewEntry<'a>) -> BoxFuture<'a, Result<(), StoreError>> {
        let ended = self.with_log(world, |log| {
            log.append(entry);
            (log.start, log.checkpoint, log.leader) = (None, None, None);
            Ok(())
        });
        self.0.appended.notify_waiters();
        ready(ended).boxed()
    }

    fn worlds(&self) -> BoxFuture<'_, Result<Vec<String>, StoreError>> {
        let state = self.lock();
        let existing = state.logs.iter().filter(|(_, log)| log.start.is_some());
        ready(Ok(existing.map(|(name, _)| name.clone()).collect())).boxed()
    }

    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<String>, StoreError>> {
        ready(Ok(self.lock().texts.get(name).cloned())).boxed()
    }

    fn put<'a>(&'a self, name: &'a str, text: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        self.lock().texts.insert(name.to_owned(), text.to_owned());
        ready(Ok(())).boxed()
    }

    fn unreachable_reason(&self) -> Option<String> {
        None
    }

    fn address(&self) -> String {
        "memory".to_owned()
    }
}
