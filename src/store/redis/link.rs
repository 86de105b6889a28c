//! The connection to the server, made anew for as long as it takes.

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

/// The port that is meant if none is named.
const PORT: u16 = 6379;

/// How long a connection and an answer may take; what takes longer counts as gone.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often the server is asked whether it is still there.
const BEAT: Duration = Duration::from_millis(500);

/// How long to wait before the next try to connect.
const PAUSE: Duration = Duration::from_millis(100);

/// Where a Redis server is: `redis://[user:password@]host[:port][/database]`.
#[derive(Clone)]
pub struct RedisUrl {
    client: Client,
    place: String,
}

/// Why a text is not where a Redis server is.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WrongUrl {
    /// It asks for an encrypted connection.
    #[error(
        "mockd does not encrypt its connection to Redis; use redis:// within a network that you trust, or a tunnel"
    )]
    Encrypted,
    /// It is something else.
    #[error("expected redis://[user:password@]host[:port][/database], such as redis://localhost:6379")]
    Other,
}

impl FromStr for RedisUrl {
    type Err = WrongUrl;

    fn from_str(text: &str) -> Result<Self, WrongUrl> {
        let uri: Uri = text.parse().map_err(|_| WrongUrl::Other)?;
        match uri.scheme_str() {
            Some("redis" | "valkey") => {}
            Some("rediss" | "valkeys") => return Err(WrongUrl::Encrypted),
            _ => return Err(WrongUrl::Other),
        }
        let (Some(host), port) = (uri.host().filter(|host| !host.is_empty()), uri.port_u16().unwrap_or(PORT)) else {
            return Err(WrongUrl::Other);
        };
        let database = match uri.path().trim_start_matches('/') {
            "" => 0,
            number => number.parse().map_err(|_| WrongUrl::Other)?,
        };
        let settings = with_user(RedisConnectionInfo::default().set_db(database), &uri)?;
        // Of an IPv6 address, without its brackets.
        let address = ConnectionAddr::Tcp(host.trim_matches(['[', ']']).to_owned(), port);
        let info = address.into_connection_info().map_err(|_| WrongUrl::Other)?.set_redis_settings(settings);
        let client = Client::open(info).map_err(|_| WrongUrl::Other)?;
        Ok(Self { client, place: format!("redis://{host}:{port}/{database}") })
    }
}

/// With the user and password before the host, if there are any.
fn with_user(settings: RedisConnectionInfo, uri: &Uri) -> Result<RedisConnectionInfo, WrongUrl> {
    let authority = uri.authority().map(Authority::as_str).unwrap_or_default();
    let Some((user, _)) = authority.rsplit_once('@') else { return Ok(settings) };
    let (user, password) = user.split_once(':').unwrap_or((user, ""));
    let decoded = |text| percent_decode_str(text).decode_utf8().map_err(|_| WrongUrl::Other);
    let (user, password) = (decoded(user)?, decoded(password)?);
    let settings = if user.is_empty() { settings } else { settings.set_username(user) };
    Ok(if password.is_empty() { settings } else { settings.set_password(password) })
}

/// Without the password.
impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place)
    }
}

/// The connection that all worlds share.
#[derive(Debug)]
pub(super) struct Link {
    url: RedisUrl,
    state: watch::Sender<LinkState>,
    /// Told when something failed that may mean that the connection is of no use any more.
    doubt: Notify,
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
        Self { url: url.clone(), state: watch::Sender::new(LinkState::NotTried), doubt: Notify::new() }
    }

    pub(super) fn place(&self) -> &str {
        &self.url.place
    }

    /// The connection, if there is one.
    pub(super) fn connection(&self) -> Result<MultiplexedConnection, StoreError> {
        match &*self.state.borrow() {
            LinkState::Up(connection) => Ok(connection.clone()),
            LinkState::Down(why) => Err(StoreError::Gone(format!("{}: {why}", self.place()))),
            LinkState::NotTried => Err(StoreError::Gone("not connected yet".into())),
        }
    }

    pub(super) fn trouble(&self) -> Option<String> {
        self.connection().err().map(|error| error.to_string())
    }

    /// Waits for the end of the first try.
    pub(super) async fn tried(&self) -> Result<(), StoreError> {
        let mut state = self.state.subscribe();
        // The sender is this link's own.
        let _ = state.wait_for(|state| !matches!(state, LinkState::NotTried)).await;
        self.connection().map(drop)
    }

    /// Waits until the connection is lost.
    pub(super) async fn lost(&self) -> StoreError {
        let mut state = self.state.subscribe();
        let _ = state.wait_for(|state| !matches!(state, LinkState::Up(_))).await;
        self.connection().err().unwrap_or_else(|| StoreError::Gone("the connection was lost".into()))
    }

    /// Has the connection looked at, before long.
    pub(super) fn doubt(&self) {
        self.doubt.notify_one();
    }

    /// Another connection, for whoever waits on it for that long at a time.
    pub(super) async fn connect_to_wait(&self, wait: Duration) -> Result<MultiplexedConnection, RedisError> {
        self.connect(wait + PATIENCE).await
    }

    async fn connect(&self, patience: Duration) -> Result<MultiplexedConnection, RedisError> {
        let config =
            AsyncConnectionConfig::new().set_connection_timeout(Some(PATIENCE)).set_response_timeout(Some(patience));
        self.url.client.get_multiplexed_async_connection_with_config(&config).await
    }

    /// Connects whenever there is no connection.
    pub(super) async fn keep(&self) {
        loop {
            let why = match self.connect(PATIENCE).await {
                Ok(connection) => {
                    if matches!(*self.state.borrow(), LinkState::Down(_)) {
                        info!("the store at {} is back", self.place());
                    }
                    self.state.send_replace(LinkState::Up(connection.clone()));
                    self.watch(connection).await.to_string()
                }
                Err(error) => error.to_string(),
            };
            // Whoever starts with a store hears of it in another way.
            if matches!(*self.state.borrow(), LinkState::Up(_)) {
                warn!("the store at {} is gone ({why}); changes are refused until it is back", self.place());
            }
            self.state.send_replace(LinkState::Down(why));
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Asks from time to time, and whenever there is doubt, whether the server is there; ends when it is not.
    async fn watch(&self, mut connection: MultiplexedConnection) -> RedisError {
        loop {
            let _ = tokio::time::timeout(BEAT, self.doubt.notified()).await;
            if let Err(error) = redis::cmd("PING").query_async::<()>(&mut connection).await {
                return error;
            }
        }
    }
}
