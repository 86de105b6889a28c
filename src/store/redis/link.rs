//! The connection to the server, which is restored whenever it is lost.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use poem::http::Uri;
use poem::http::uri::Authority;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ConnectionAddr, IntoConnectionInfo, RedisConnectionInfo, RedisError};
use thiserror::Error;
use tokio::sync::{Notify, watch};
use tracing::{info, warn};

use crate::store::StoreError;

/// The default port.
const PORT: u16 = 6379;

/// How long a connection attempt and an answer may take before the server counts as unreachable.
const TIMEOUT: Duration = Duration::from_secs(1);

/// How often the server is pinged.
const PING_INTERVAL: Duration = Duration::from_millis(500);

/// The delay before the next attempt to connect.
const RETRY_DELAY: Duration = Duration::from_millis(100);

/// The address of a Redis server: `redis://[user:password@]host[:port][/database]`.
#[derive(Clone)]
pub struct RedisUrl {
    client: Client,
    address: String,
}

/// Why a text is not the address of a Redis server.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InvalidUrl {
    /// The address requests an encrypted connection.
    #[error(
        "mockd does not encrypt its connection to Redis; use redis:// within a network that you trust, or a tunnel"
    )]
    Encrypted,
    /// The address is malformed.
    #[error("expected redis://[user:password@]host[:port][/database], such as redis://localhost:6379")]
    Other,
}

impl FromStr for RedisUrl {
    type Err = InvalidUrl;

    fn from_str(text: &str) -> Result<Self, InvalidUrl> {
        let uri: Uri = text.parse().map_err(|_| InvalidUrl::Other)?;
        match uri.scheme_str() {
            Some("redis" | "valkey") => {}
            Some("rediss" | "valkeys") => return Err(InvalidUrl::Encrypted),
            _ => return Err(InvalidUrl::Other),
        }
        let (Some(host), port) = (uri.host().filter(|host| !host.is_empty()), uri.port_u16().unwrap_or(PORT)) else {
            return Err(InvalidUrl::Other);
        };
        let database = match uri.path().trim_start_matches('/') {
            "" => 0,
            number => number.parse().map_err(|_| InvalidUrl::Other)?,
        };
        let settings = with_user(RedisConnectionInfo::default().set_db(database), &uri)?;
        // IPv6 addresses are passed without brackets.
        let address = ConnectionAddr::Tcp(host.trim_matches(['[', ']']).to_owned(), port);
        let info = address.into_connection_info().map_err(|_| InvalidUrl::Other)?.set_redis_settings(settings);
        let client = Client::open(info).map_err(|_| InvalidUrl::Other)?;
        Ok(Self { client, address: format!("redis://{host}:{port}/{database}") })
    }
}

/// Adds the user and password in front of the host, if any.
fn with_user(settings: RedisConnectionInfo, uri: &Uri) -> Result<RedisConnectionInfo, InvalidUrl> {
    let authority = uri.authority().map(Authority::as_str).unwrap_or_default();
    let Some((user, _)) = authority.rsplit_once('@') else { return Ok(settings) };
    let (user, password) = user.split_once(':').unwrap_or((user, ""));
    let decoded = |text| percent_decode_str(text).decode_utf8().map_err(|_| InvalidUrl::Other);
    let (user, password) = (decoded(user)?, decoded(password)?);
    let settings = if user.is_empty() { settings } else { settings.set_username(user) };
    Ok(if password.is_empty() { settings } else { settings.set_password(password) })
}

/// Omits the password.
impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.address)
    }
}

/// The connection that all worlds share.
#[derive(Debug)]
pub(super) struct Link {
    url: RedisUrl,
    state: watch::Sender<LinkState>,
    /// Notified when a failure suggests that the connection is broken.
    suspected: Notify,
}

#[derive(Clone)]
enum LinkState {
    NotTried,
    Up(MultiplexedConnection),
    Down(String),
}

impl fmt::Debug for LinkState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotTried => f.write_str("not tried"),
            Self::Up(_) => f.write_str("up"),
            Self::Down(why) => write!(f, "down: {why}"),
        }
    }
}

impl Link {
    pub(super) fn new(url: &RedisUrl) -> Self {
        Self { url: url.clone(), state: watch::Sender::new(LinkState::NotTried), suspected: Notify::new() }
    }

    pub(super) fn address(&self) -> &str {
        &self.url.address
    }

    /// Returns the connection.
    pub(super) fn connection(&self) -> Result<MultiplexedConnection, StoreError> {
        match &*self.state.borrow() {
            LinkState::Up(connection) => Ok(connection.clone()),
            LinkState::Down(why) => Err(StoreError::Unreachable(format!("{}: {why}", self.address()))),
            LinkState::NotTried => Err(StoreError::Unreachable("not connected yet".into())),
        }
    }

    pub(super) fn unreachable_reason(&self) -> Option<String> {
        self.connection().err().map(|error| error.to_string())
    }

    /// Waits for the result of the first attempt to connect.
    pub(super) async fn first_attempt(&self) -> Result<(), StoreError> {
        let mut state = self.state.subscribe();
        // This link owns the sender, so the wait does not fail.
        let _ = state.wait_for(|state| !matches!(state, LinkState::NotTried)).await;
        self.connection().map(drop)
    }

    /// Waits until the connection is lost.
    pub(super) async fn lost(&self) -> StoreError {
        let mut state = self.state.subscribe();
        let _ = state.wait_for(|state| !matches!(state, LinkState::Up(_))).await;
        self.connection().err().unwrap_or_else(|| StoreError::Unreachable("the connection was lost".into()))
    }

    /// Requests a check of the connection soon.
    pub(super) fn suspect(&self) {
        self.suspected.notify_one();
    }

    /// Opens another connection, for commands that block for at most `wait`.
    pub(super) async fn connect_blocking(&self, wait: Duration) -> Result<MultiplexedConnection, RedisError> {
        self.connect(wait + TIMEOUT).await
    }

    async fn connect(&self, timeout: Duration) -> Result<MultiplexedConnection, RedisError> {
        let config =
            AsyncConnectionConfig::new().set_connection_timeout(Some(TIMEOUT)).set_response_timeout(Some(timeout));
        self.url.client.get_multiplexed_async_connection_with_config(&config).await
    }

    /// Connects, and reconnects whenever the connection is lost.
    pub(super) async fn keep_connected(&self) {
        loop {
            let why = match self.connect(TIMEOUT).await {
                Ok(connection) => {
                    if matches!(*self.state.borrow(), LinkState::Down(_)) {
                        info!("the store at {} is reachable again", self.address());
                    }
                    self.state.send_replace(LinkState::Up(connection.clone()));
                    self.watch(connection).await.to_string()
                }
                Err(error) => error.to_string(),
            };
            // A failure of the first attempt is reported by [`Link::first_attempt`].
            if matches!(*self.state.borrow(), LinkState::Up(_)) {
                warn!(
                    "the store at {} is unreachable ({why}); changes are refused until it is reachable again",
                    self.address()
                );
            }
            self.state.send_replace(LinkState::Down(why));
            tokio::time::sleep(RETRY_DELAY).await;
        }
    }

    /// Pings the server at intervals and on request; returns once it does not answer.
    async fn watch(&self, mut connection: MultiplexedConnection) -> RedisError {
        loop {
            let _ = tokio::time::timeout(PING_INTERVAL, self.suspected.notified()).await;
            if let Err(error) = redis::cmd("PING").query_async::<()>(&mut connection).await {
                return error;
            }
        }
    }
}
