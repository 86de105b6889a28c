//! Waiting for what is appended to a log.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use redis::RedisError;
use redis::aio::MultiplexedConnection;

use super::Redis;
use super::scripts::{RawEntries, entries, id};
use crate::store::{Entry, StoreError, follow_on};

/// How long to wait at a time: a connection that is dead without saying so is found out after it.
const WAIT: Duration = Duration::from_secs(2);

/// Entries that are read at once.
const READ_AT_ONCE: usize = 1000;

/// What one log has to say, or nothing.
type RawRead = Option<Vec<(String, RawEntries)>>;

/// Somebody who follows a log.
struct Follower {
    store: Redis,
    log: String,
    after: Entry,
    /// None before the first read.
    connection: Option<MultiplexedConnection>,
}

pub(super) fn follow(store: Redis, log: String, after: Entry) -> BoxStream<'static, Result<Vec<Entry>, StoreError>> {
    let follower = Follower { store, log, after, connection: None };
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

impl Follower {
    async fn read(&mut self) -> Result<Vec<Entry>, StoreError> {
        let store = self.store.clone();
        let failed = |error: RedisError| store.failed(&error);
        let mut connection = if let Some(connection) = self.connection.take() {
            connection
        } else {
            let mut connection = self.store.0.link.connect_to_wait(WAIT).await.map_err(failed)?;
            if !self.is_in_place(&mut connection).await.map_err(failed)? {
                return Err(StoreError::Gap(self.after.position));
            }
            connection
        };
        loop {
            let mut read = redis::cmd("XREAD");
            let wait = u64::try_from(WAIT.as_millis()).unwrap_or_default();
            read.arg("COUNT").arg(READ_AT_ONCE).arg("BLOCK").arg(wait);
            read.arg("STREAMS").arg(&self.log).arg(id(self.after.position));
            let raw: RawRead = read.query_async(&mut connection).await.map_err(failed)?;
            let Some((_, raw)) = raw.and_then(|logs| logs.into_iter().next()) else { continue };
            let entries = entries(raw);
            follow_on(self.after.position, &entries)?;
            if let Some(last) = entries.last() {
                self.after = last.clone();
                self.connection = Some(connection);
                return Ok(entries);
            }
        }
    }

    /// Whether the entry to go on from is where it was.
    async fn is_in_place(&self, connection: &mut MultiplexedConnection) -> Result<bool, RedisError> {
        let at = id(self.after.position);
        let found: RawEntries = redis::cmd("XRANGE").arg(&self.log).arg(&at).arg(&at).query_async(connection).await?;
        Ok(entries(found).first().is_some_and(|entry| entry.mark == self.after.mark))
    }
}
