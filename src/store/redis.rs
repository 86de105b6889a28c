//! A store in Redis 7 or Valkey.
//!
//! Each world has three keys. The world's name is their hash tag, so that a cluster stores them on one node:
//!
//! - `meta`, a hash: the world's metadata.
//! - `log`, a stream: the entries. An entry's position is the first half of its id.
//! - `checkpoint`, a string: the state at some position.
//!
//! Every change to them is a single script ([`scripts`]), which Redis runs atomically. Another key holds the set of all
//! worlds.
//!
//! Commands for all worlds share one connection ([`link`]). Each follower of a log has its own connection, because its
//! reads block.

mod link;
mod scripts;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt, StreamExt};
use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands, FromRedisValue, RedisError, ScriptInvocation};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::link::Link;
pub use self::link::{InvalidUrl, RedisUrl};
use self::scripts::{RawEntries, Scripts, entries, id};
use super::{
    Checkpoint, Claim, FencingToken, NewEntry, OpenMode, Opened, Store, StoreError, StoredEntry, check_contiguous,
};

/// How long a read blocks at a time. A connection that dies silently stays undetected for about as long.
const BLOCK_TIMEOUT: Duration = Duration::from_secs(2);

/// The maximum number of entries per read.
const MAX_READ: usize = 1000;

/// A store in Redis. Clones share one connection.
#[derive(Debug, Clone)]
pub struct Redis(Arc<RedisInner>);

#[derive(Debug)]
struct RedisInner {
    link: Link,
    /// The prefix of all keys.
    name: String,
    scripts: Scripts,
}

/// The result of the script that opens a log: the outcome, the checkpoint's position (0 if there is none) and state,
/// the entries, the world's time that was announced last (ns), the time since then (ms), and whether there is a leader.
type RawOpened = (String, u64, String, RawEntries, u128, u64, bool);

impl Redis {
    /// Creates a store on a server, under a name that distinguishes it from other stores there. A background task
    /// connects to the server, and reconnects whenever the connection is lost, until the shutdown.
    #[must_use]
    pub fn connect(url: &RedisUrl, name: &str, tasks: &TaskTracker, shutdown: &CancellationToken) -> Self {
        let store =
            Self(Arc::new(RedisInner { link: Link::new(url), name: name.to_owned(), scripts: Scripts::default() }));
        let (background, shutdown) = (store.clone(), shutdown.clone());
        tasks.spawn(async move { shutdown.run_until_cancelled(background.0.link.keep_connected()).await });
        store
    }

    /// Waits for the first attempt to connect, and returns its outcome.
    ///
    /// # Errors
    /// [`StoreError::Unreachable`].
    pub async fn reached(&self) -> Result<(), StoreError> {
        self.0.link.first_attempt().await
    }

    /// Returns the keys of a world's metadata, log and checkpoint.
    fn keys(&self, world: &str) -> [String; 3] {
        ["meta", "log", "checkpoint"].map(|key| format!("{}:{{{world}}}:{key}", self.0.name))
    }

    fn text_key(&self, name: &str) -> String {
        format!("{}:text:{name}", self.0.name)
    }

    fn worlds_key(&self) -> String {
        format!("{}:worlds", self.0.name)
    }

    async fn run<T: FromRedisValue>(&self, script: ScriptInvocation<'_>) -> Result<T, StoreError> {
        let mut connection = self.0.link.connection()?;
        script.invoke_async(&mut connection).await.map_err(|error| self.failed(&error))
    }

    /// Converts the error of a command. The connection may be broken, so it is checked soon.
    fn failed(&self, error: &RedisError) -> StoreError {
        self.0.link.suspect();
        StoreError::Unreachable(error.to_string())
    }

    /// Adds a world to the set of all worlds, or removes it.
    async fn set_listed(&self, world: &str, is_listed: bool) -> Result<(), StoreError> {
        let (mut connection, key) = (self.0.link.connection()?, self.worlds_key());
        let done: Result<(), _> =
            if is_listed { connection.sadd(key, world).await } else { connection.srem(key, world).await };
        done.map_err(|error| self.failed(&error))
    }

    async fn open_log(&self, world: &str, open_mode: OpenMode<'_>) -> Result<Opened, StoreError> {
        let (mode, first) = match open_mode {
            OpenMode::Existing => ("existing", None),
            OpenMode::New(first) => ("new", Some(first)),
            OpenMode::Either(first) => ("either", Some(first)),
        };
        let script = self.0.scripts.open(&self.keys(world), mode, first);
        let (outcome, position, state, raw, at, age, is_led): RawOpened = self.run(script).await?;
        match &*outcome {
            "missing" => {
                // The lifetime of a log that nobody used may have run out.
                self.set_listed(world, false).await?;
                return Err(StoreError::Missing);
            }
            "exists" => return Err(StoreError::Exists),
            "created" => self.set_listed(world, true).await?,
            _ => {}
        }
        Ok(Opened {
            checkpoint: (position > 0).then_some(Checkpoint { position, state }),
            entries: entries(raw),
            at: Duration::from_nanos_u128(at),
            age: Duration::from_millis(age),
            is_led,
        })
    }

    async fn append_to(&self, world: &str, entry: NewEntry<'_>) -> Result<u64, StoreError> {
        match self.run(self.0.scripts.append(&self.keys(world), &entry)).await? {
            scripts::MISSING => Err(StoreError::Missing),
            scripts::FENCED => Err(StoreError::Fenced),
            position => Ok(u64::try_from(position).unwrap_or_default()),
        }
    }

    async fn claim_lead(&self, world: &str, claim: Claim<'_>) -> Result<Option<FencingToken>, StoreError> {
        match self.run(self.0.scripts.lead(&self.keys(world), &claim)).await? {
            scripts::MISSING => Err(StoreError::Missing),
            scripts::LED_BY_ANOTHER => Ok(None),
            token => Ok(u64::try_from(token).ok().map(FencingToken)),
        }
    }

    async fn record_presence(&self, world: &str, server: &str, time: Duration) -> Result<Vec<String>, StoreError> {
        let (exists, present): (bool, Vec<String>) =
            self.run(self.0.scripts.present(&self.keys(world), server, time)).await?;
        if exists { Ok(present) } else { Err(StoreError::Missing) }
    }

    async fn save_checkpoint(&self, world: &str, checkpoint: &Checkpoint, cut: u64) -> Result<(), StoreError> {
        match self.run(self.0.scripts.save_checkpoint(&self.keys(world), checkpoint, cut)).await? {
            scripts::MISSING => Err(StoreError::Missing),
            _ => Ok(()),
        }
    }

    async fn end_log(&self, world: &str, entry: NewEntry<'_>) -> Result<(), StoreError> {
        match self.run(self.0.scripts.end(&self.keys(world), &entry)).await? {
            scripts::MISSING => Err(StoreError::Missing),
            _ => self.set_listed(world, false).await,
        }
    }
}

impl Store for Redis {
    fn open<'a>(&'a self, world: &'a str, open_mode: OpenMode<'a>) -> BoxFuture<'a, Result<Opened, StoreError>> {
        self.open_log(world, open_mode).boxed()
    }

    fn append<'a>(&'a self, world: &'a str, entry: NewEntry<'a>) -> BoxFuture<'a, Result<u64, StoreError>> {
        self.append_to(world, entry).boxed()
    }

    fn follow(&self, world: &str, after: &StoredEntry) -> BoxStream<'static, Result<Vec<StoredEntry>, StoreError>> {
        let [_, log, _] = self.keys(world);
        follow(self.clone(), log, after.clone())
    }

    fn lead<'a>(&'a self, world: &'a str, claim: Claim<'a>) -> BoxFuture<'a, Result<Option<FencingToken>, StoreError>> {
        self.claim_lead(world, claim).boxed()
    }

    fn announce_presence<'a>(
        &'a self,
        world: &'a str,
        server: &'a str,
        time: Duration,
    ) -> BoxFuture<'a, Result<Vec<String>, StoreError>> {
        self.record_presence(world, server, time).boxed()
    }

    fn save_checkpoint<'a>(
        &'a self,
        world: &'a str,
        checkpoint: &'a Checkpoint,
        cut: u64,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        self.save_checkpoint(world, checkpoint, cut).boxed()
    }

    fn end<'a>(&'a self, world: &'a str, entry: NewEntry<'a>) -> BoxFuture<'a, Result<(), StoreError>> {
        self.end_log(world, entry).boxed()
    }

    fn worlds(&self) -> BoxFuture<'_, Result<Vec<String>, StoreError>> {
        async {
            let mut connection = self.0.link.connection()?;
            let mut worlds: Vec<String> =
                connection.smembers(self.worlds_key()).await.map_err(|error| self.failed(&error))?;
            worlds.sort();
            Ok(worlds)
        }
        .boxed()
    }

    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<String>, StoreError>> {
        async move {
            let mut connection = self.0.link.connection()?;
            connection.get(self.text_key(name)).await.map_err(|error| self.failed(&error))
        }
        .boxed()
    }

    fn put<'a>(&'a self, name: &'a str, text: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        async move {
            let mut connection = self.0.link.connection()?;
            connection.set(self.text_key(name), text).await.map_err(|error| self.failed(&error))
        }
        .boxed()
    }

    fn unreachable_reason(&self) -> Option<String> {
        self.0.link.unreachable_reason()
    }

    fn address(&self) -> String {
        self.0.link.address().to_owned()
    }
}

/// The result of reading one log; `None` if nothing was appended.
type RawRead = Option<Vec<(String, RawEntries)>>;

/// Reads the entries of a log as they are appended.
struct LogFollower {
    store: Redis,
    /// The key of the log.
    log: String,
    /// The last entry read.
    after: StoredEntry,
    /// `None` before the first read, and after a failed one.
    connection: Option<MultiplexedConnection>,
}

/// Streams the entries of a log after the given one.
fn follow(store: Redis, log: String, after: StoredEntry) -> BoxStream<'static, Result<Vec<StoredEntry>, StoreError>> {
    let follower = LogFollower { store, log, after, connection: None };
    stream::unfold(Some(follower), |follower| async move {
        let mut follower = follower?;
        let store = follower.store.clone();
        let read = tokio::select! {
            read = follower.read() => read,
            gone = store.0.link.lost() => Err(gone),
        };
        let next = read.is_ok().then_some(follower);
        Some((read, next))
    })
    .boxed()
}

impl LogFollower {
    /// Waits for the next entries and returns them.
    async fn read(&mut self) -> Result<Vec<StoredEntry>, StoreError> {
        let store = self.store.clone();
        let failed = |error: RedisError| store.failed(&error);
        let mut connection = if let Some(connection) = self.connection.take() {
            connection
        } else {
            let mut connection = self.store.0.link.connect_blocking(BLOCK_TIMEOUT).await.map_err(failed)?;
            if !self.has_last_entry(&mut connection).await.map_err(failed)? {
                return Err(StoreError::Gap(self.after.position));
            }
            connection
        };
        loop {
            let mut read = redis::cmd("XREAD");
            let wait = u64::try_from(BLOCK_TIMEOUT.as_millis()).unwrap_or_default();
            read.arg("COUNT").arg(MAX_READ).arg("BLOCK").arg(wait);
            read.arg("STREAMS").arg(&self.log).arg(id(self.after.position));
            let raw: RawRead = read.query_async(&mut connection).await.map_err(failed)?;
            let Some((_, raw)) = raw.and_then(|logs| logs.into_iter().next()) else { continue };
            let entries = entries(raw);
            check_contiguous(self.after.position, &entries)?;
            if let Some(last) = entries.last() {
                self.after = last.clone();
                self.connection = Some(connection);
                return Ok(entries);
            }
        }
    }

    /// Returns whether the last entry read is still at its position. If not, the store has lost the end of the log, and
    /// perhaps replaced it.
    async fn has_last_entry(&self, connection: &mut MultiplexedConnection) -> Result<bool, RedisError> {
        let at = id(self.after.position);
        let found: RawEntries = redis::cmd("XRANGE").arg(&self.log).arg(&at).arg(&at).query_async(connection).await?;
        Ok(entries(found).first().is_some_and(|entry| entry.mark == self.after.mark))
    }
}
