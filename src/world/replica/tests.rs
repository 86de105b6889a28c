//! Members of a world that several servers in this process play.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::log::LogEntry;
use super::members::MemberOpening;
use super::{Replica, Sharing};
use crate::engine::{AnsweredContent, FIRST_SHARED_MEMBER, Frame, RuleRequest};
use crate::reloads::Reloads;
use crate::scenario::{ServerOptions, Source, parse};
use crate::store::{Checkpoint, Memory, NewEntry, Store};
use crate::world::journal::Payload;
use crate::world::member::MemberRequest;
use crate::world::task::Request;
use crate::world::{Message, Pace, Subscription, Transport, Until, World};
use crate::worlds::{DEFAULT_WORLD, WorldOptions, Worlds};

const CHAT: &str = "
data: { log: [], messages: [] }
http:
  GET /here: { body: \"{{ members('room') }}\" }
  GET /live: { stream: [{ join: { to: messages, frame: { data: $event.row.text } } }] }
websocket:
  /room:
    open:
      - { set: { conn.name: $query.name } }
      - { join: room }
      - { join: { to: messages, where: { change: added }, frame: '{{ event.row.text }} {{ random(1, 1000000) }}' } }
      - { reply: \"{{ members('room') | length }} here\" }
      - { after: 10s, reply: late }
    messages:
      - match: { do: say }
        add: { messages: { text: $msg.text, by: $conn.id, chance: '{{ random(1, 1000000) }}' } }
      - { match: { do: join }, join: { to: $msg.to, as: $msg.to, frame: '{{ conn.name }} {{ event }}' } }
      - { match: { do: leave }, leave: { as: $msg.to } }
      - { match: { do: send }, send: { to: $msg.to, frame: '{{ uuid() }}' } }
    closed: [{ add: { log: { left: $conn.name } } }]
";

/// A server with its default world, whose clock is paused.
struct Server {
    world: World,
    _worlds: Worlds,
}

async fn server(store: &Memory, name: &str) -> Server {
    let scenario = Arc::new(parse(&Source::new("chat.yaml", CHAT)).unwrap());
    let (store, options) = (Arc::new(store.clone()), ServerOptions::default());
    let sharing = Sharing::new(store, name.into(), options, "".into(), Reloads::default());
    let options = WorldOptions { pace: Pace { paused: true, ..Pace::default() }, ..WorldOptions::default() };
    let (tasks, end) = (TaskTracker::new(), CancellationToken::new());
    let worlds = Worlds::share(&scenario, 1, options, sharing, false, &tasks, end).await.unwrap();
    Server { world: worlds.default_world(), _worlds: worlds }
}

fn named(name: &str) -> RuleRequest {
    let query = Some([("name".to_owned(), name.into())].into_iter().collect());
    RuleRequest { query, ..RuleRequest::default() }
}

fn encode(message: &Message) -> bytes::Bytes {
    [&message.payload()[..], b"|"].concat().into()
}

impl Server {
    fn replica(&self) -> &Arc<Replica> {
        self.world.0.replica.as_ref().unwrap()
    }

    async fn open(&self, name: &str) -> Subscription {
        let transport = Transport { encode, polling: false, max_payload: 1_000 };
        self.world.open_socket(&"/room".into(), named(name), "/room", transport).await.unwrap().feed
    }

    /// Returns the members of the room.
    async fn here(&self) -> Value {
        let answered = self.world.answer(&"GET /here".into(), None, RuleRequest::default()).await.unwrap();
        match answered.content {
            AnsweredContent::Json(here) => here,
            other => panic!("{other:?}"),
        }
    }

    /// Returns the members that have left.
    fn log(&self) -> Value {
        self.world.data("log").unwrap()
    }

    /// Waits until a condition holds, which an entry of the log brings about.
    async fn until(&self, holds: impl Fn(&Self) -> bool) {
        let mut progress = self.replica().progress.subscribe();
        while !holds(self) {
            progress.changed().await.unwrap();
        }
    }

    /// Returns the state that all servers share.
    async fn state(&self) -> Value {
        let (reply, snapshot) = oneshot::channel();
        assert!(self.world.0.requests.send(Request::Snapshot(reply)).await.is_ok());
        serde_json::to_value(snapshot.await.unwrap().unwrap()).unwrap()
    }
}

/// Waits until all servers have applied the entries that one of them has.
async fn wait_for_all(servers: &[&Server]) {
    let last = servers.iter().map(|server| server.replica().progress.borrow().position).max().unwrap_or_default();
    for server in servers {
        server.replica().reached(last).await;
    }
}

/// Asserts that all servers have the same state once they have applied the same entries.
async fn expect_agreement(servers: &[&Server]) {
    wait_for_all(servers).await;
    let first = servers[0].state().await;
    for server in &servers[1..] {
        assert_eq!(server.state().await, first);
    }
}

/// Returns everything that a member has received.
async fn received(feed: &mut Subscription) -> String {
    let mut received = Vec::new();
    while let Some(batch) = feed.next().await.unwrap() {
        feed.record_written(batch.messages);
        received.extend_from_slice(&batch.bytes);
    }
    String::from_utf8(received).unwrap()
}

async fn say(feed: &Subscription, message: Value) {
    let text = message.to_string();
    feed.handle_frame(Frame::Text(text.as_str().into()), Payload::new(text.into())).await.unwrap();
}

/// Saves this server's state as the checkpoint that later servers start from.
async fn save_checkpoint(store: &Memory, server: &Server) {
    let position = server.replica().progress.borrow().position;
    let checkpoint = Checkpoint { position, state: server.state().await.to_string() };
    store.save_checkpoint(DEFAULT_WORLD, &checkpoint, 0).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn messages_of_a_member_reach_members_of_all_servers() {
    let store = Memory::default();
    let (one, other) = (server(&store, "one").await, server(&store, "other").await);
    let mut ada = one.open("ada").await;
    let mut bob = other.open("bob").await;
    let stream = one.world.open_stream(&"GET /live".into(), RuleRequest::default(), "/live", encode).await.unwrap();
    let mut stream = stream.stream.unwrap();
    assert_eq!((received(&mut ada).await, received(&mut bob).await), ("1 here|".to_owned(), "2 here|".to_owned()));
    say(&bob, json!({ "do": "say", "text": "hi" })).await;
    wait_for_all(&[&one, &other]).await;
    let (by_ada, by_bob) = (received(&mut ada).await, received(&mut bob).await);
    assert!(by_ada.starts_with("hi "), "{by_ada}");
    assert_eq!((by_ada, received(&mut stream).await), (by_bob, r#"{"data":"hi"}|"#.to_owned()));
    let (first, second) = (FIRST_SHARED_MEMBER, FIRST_SHARED_MEMBER + 1);
    for server in [&one, &other] {
        assert_eq!(server.here().await, json!([first, second]));
    }
    let messages = one.world.data("messages").unwrap();
    assert_eq!(messages[0]["by"], second);
    expect_agreement(&[&one, &other]).await;
}

#[tokio::test(start_paused = true)]
async fn servers_agree_on_everything_that_members_do() {
    let store = Memory::default();
    let (one, other) = (server(&store, "one").await, server(&store, "other").await);
    let mut feeds = Vec::new();
    for (name, server) in [("ada", &one), ("bob", &other), ("cid", &one), ("dan", &other)] {
        feeds.push(server.open(name).await);
        expect_agreement(&[&one, &other]).await;
    }
    for (who, message) in [
        (0, json!({ "do": "join", "to": "a" })),
        (1, json!({ "do": "join", "to": "a" })),
        (2, json!({ "do": "say", "text": "hi" })),
        (3, json!({ "do": "join", "to": "b" })),
        (1, json!({ "do": "leave", "to": "a" })),
        (1, json!({ "do": "join", "to": "b" })),
        (0, json!({ "do": "send", "to": "a" })),
        (1, json!({ "do": "send", "to": ["a", "b"] })),
        (3, json!({ "do": "nothing" })),
    ] {
        say(&feeds[who], message).await;
        expect_agreement(&[&one, &other]).await;
    }
    save_checkpoint(&store, &one).await;
    let late = server(&store, "late").await;
    expect_agreement(&[&one, &other, &late]).await;
    feeds.push(late.open("eve").await);
    drop(feeds.remove(0));
    one.until(|one| one.log() == json!([{ "id": 1, "left": "ada" }])).await;
    for feed in &mut feeds {
        received(feed).await;
    }
    say(&feeds[0], json!({ "do": "send", "to": "b" })).await;
    expect_agreement(&[&one, &other, &late]).await;
    late.world.advance(Until::By(Duration::from_secs(15))).await.unwrap();
    // A server that has applied this entry has finished the advance.
    assert_eq!(late.here().await.as_array().unwrap().len(), 4);
    expect_agreement(&[&one, &other, &late]).await;
    // The steps of members run on time, whichever server the members belong to.
    for feed in &mut feeds {
        assert!(received(feed).await.ends_with("late|"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_joins_later_has_the_members() {
    let store = Memory::default();
    let one = server(&store, "one").await;
    let mut ada = one.open("ada").await;
    received(&mut ada).await;
    save_checkpoint(&store, &one).await;
    let late = server(&store, "late").await;
    assert_eq!(late.here().await, json!([FIRST_SHARED_MEMBER]));
    let mut bob = late.open("bob").await;
    assert_eq!(received(&mut bob).await, "2 here|");
    say(&bob, json!({ "do": "say", "text": "hi" })).await;
    wait_for_all(&[&one, &late]).await;
    assert_eq!(received(&mut ada).await, received(&mut bob).await);
    expect_agreement(&[&one, &late]).await;
}

/// Appends an entry on behalf of another server.
async fn append(store: &Memory, entry: &LogEntry) {
    let text = entry.to_text();
    let entry = NewEntry { mark: &text, text: &text, at: Duration::ZERO, token: None, lifetime: None };
    store.append(DEFAULT_WORLD, entry).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn members_of_a_server_that_is_gone_are_closed_once() {
    let store = Memory::default();
    let (one, other) = (server(&store, "one").await, server(&store, "other").await);
    for name in ["ada", "bob"] {
        let request = MemberRequest::Socket {
            endpoint: "/room".into(),
            request: Box::new(named(name)),
            polling: false,
            max_payload: 1_000,
        };
        let opening = MemberOpening { server: "ghost".into(), after: 0, request };
        append(&store, &LogEntry::Open { at: Duration::ZERO, opening }).await;
    }
    let left = json!([{ "id": 1, "left": "ada" }, { "id": 2, "left": "bob" }]);
    for server in [&one, &other] {
        server.until(|server| server.log() == left).await;
        assert_eq!(server.here().await, json!([]));
    }
    // An earlier leader may have appended the same.
    append(&store, &LogEntry::Gone { at: Duration::ZERO, server: "ghost".into() }).await;
    drop(one.open("cid").await);
    one.until(|one| one.log().as_array().unwrap().len() > 2).await;
    assert_eq!(one.log()[2], json!({ "id": 3, "left": "cid" }));
    expect_agreement(&[&one, &other]).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_counted_as_gone_closes_its_sockets() {
    let store = Memory::default();
    let (one, other) = (server(&store, "one").await, server(&store, "other").await);
    let (ada, bob) = (one.open("ada").await, other.open("bob").await);
    append(&store, &LogEntry::Gone { at: Duration::ZERO, server: "one".into() }).await;
    for server in [&one, &other] {
        server.until(|server| server.log() == json!([{ "id": 1, "left": "ada" }])).await;
    }
    assert_eq!(ada.closing().map(|close| close.code), Some(1012));
    assert_eq!(bob.closing(), None);
    // The server continues nevertheless, and members that it has closed do not close again.
    drop(ada);
    let _cid = one.open("cid").await;
    assert_eq!(one.here().await, json!([FIRST_SHARED_MEMBER + 1, FIRST_SHARED_MEMBER + 2]));
    expect_agreement(&[&one, &other]).await;
    assert_eq!(one.log().as_array().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_member_whose_client_has_gone_is_closed() {
    let store = Memory::default();
    let one = server(&store, "one").await;
    // The client is gone before its entry comes back.
    assert!(one.open("ada").now_or_never().is_none());
    one.until(|one| one.log() == json!([{ "id": 1, "left": "ada" }])).await;
    assert_eq!(one.here().await, json!([]));
}

#[tokio::test(start_paused = true)]
async fn a_reset_closes_the_members_of_all_servers() {
    let store = Memory::default();
    let (one, other) = (server(&store, "one").await, server(&store, "other").await);
    let (ada, bob) = (one.open("ada").await, other.open("bob").await);
    one.world.reset(None).await.unwrap();
    wait_for_all(&[&one, &other]).await;
    for feed in [&ada, &bob] {
        assert_eq!(feed.closing().map(|close| close.code), Some(1012));
    }
    // Numbers are not reused: earlier sockets may still be open.
    let _cid = one.open("cid").await;
    assert_eq!(other.here().await, json!([FIRST_SHARED_MEMBER + 2]));
    drop((ada, bob));
    expect_agreement(&[&one, &other]).await;
    assert_eq!(one.log(), json!([]));
}
