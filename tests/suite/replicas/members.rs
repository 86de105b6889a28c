//! Sockets and streams of a shared world: every server has the same members, and every message reaches all of them.

use std::fs;

use futures_util::future::join;
use serde_json::{Value, json};

use super::{agreed, server, servers};
use crate::support::frame::{CLOSE, FINAL_TEXT, masked};
use crate::support::{Answer, EventStream, Mockd, RawSocket, Redis, ScenarioFile, Socket, http, needs};

/// A room that logs who has left it.
const ROOM: &str = "
data: { log: [], votes: { n: 0 } }
http:
  /log: { crud: log }
  GET /here: { body: \"{{ members('room') }}\" }
  GET /votes: { body: $votes }
  GET /live: { stream: [{ join: room }, { set: { votes.n: '{{ votes.n + 1 }}' } }, { after: 1s, send: { to: room, frame: tick } }] }
websocket:
  /room:
    open: [{ set: { conn.name: $query.name } }, { join: room }, { reply: '{{ conn.id }}' }]
    messages:
      - match: { do: say }
        send: { to: room, frame: { from: $conn.name, chance: '{{ random(1, 1000000) }}' } }
      - { match: { do: vote }, do: [{ set: { votes.n: '{{ votes.n + 1 }}' } }, { reply: $votes.n }] }
    closed: [{ add: { log: { left: $conn.name } } }]
";

/// Opens a socket in the room, and returns it with its number.
async fn enter(server: &Mockd, name: &str) -> (Socket, u64) {
    let mut socket = server.socket(&format!("/room?name={name}")).await;
    let number = socket.json().await.as_u64().unwrap();
    (socket, number)
}

/// Waits until all servers report these members of the room.
async fn expect_here(servers: &[Mockd], expected: &[u64]) {
    for server in servers {
        server.until("/here", |here| *here == json!(expected)).await;
    }
}

/// Waits until all servers report that these members have left, in this order.
async fn expect_left(servers: &[Mockd], names: &[&str]) {
    for server in servers {
        let left = |log: &Value| log.as_array().unwrap().iter().map(|row| row["left"].clone()).collect::<Value>();
        server.until("/log", |log| left(log) == json!(names)).await;
    }
}

/// Sends a handshake, and returns its answer.
async fn handshake(server: &Mockd, path: &str) -> Answer {
    let headers = [
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    http("GET", &format!("{}{path}", server.url()), &headers, None).await
}

#[tokio::test]
async fn a_chat_spans_two_servers() {
    needs!(Redis);
    let file = ScenarioFile::new(&fs::read_to_string("scenarios/chat.yaml").unwrap());
    let redis = Redis::start().await;
    let servers = servers(2, &file, &redis, &["--paused"]).await;
    let mut ada = servers[0].socket("/rooms/lobby?name=ada").await;
    assert_eq!(ada.json().await["here"], 1);
    let mut bob = servers[1].socket("/rooms/lobby?name=bob").await;
    let history = bob.json().await;
    assert_eq!((&history["here"], &history["messages"][0]["text"]), (&json!(2), &json!("Welcome!")));
    assert_eq!(ada.json().await, json!({ "type": "joined", "name": "bob" }));
    bob.send_json(json!({ "type": "say", "id": 7, "text": "Hello" })).await;
    let message = bob.json().await;
    assert_eq!((&message["message"]["from"], &message["message"]["text"]), (&json!("bob"), &json!("Hello")));
    assert_eq!(bob.json().await, json!({ "type": "ack", "id": 7, "message": message["message"]["id"] }));
    assert_eq!(ada.json().await, message);
    ada.send_json(json!({ "type": "typing" })).await;
    assert_eq!(bob.json().await, json!({ "type": "typing", "name": "ada" }));
    let posted = json!({ "from": "cid", "text": "Hi" });
    let posted = servers[0].send("POST", "/rooms/lobby/messages", Some(&posted)).await.json();
    for socket in [&mut ada, &mut bob] {
        assert_eq!(socket.json().await, json!({ "type": "message", "message": posted }));
    }
    for server in &servers {
        let history = server.until("/rooms/lobby/messages", |history| history[2] == posted).await;
        assert_eq!(history[1], message["message"]);
    }
    bob.close().await;
    assert_eq!(ada.json().await, json!({ "type": "left", "name": "bob" }));
    agreed(&servers, "/__mockd/state").await;
}

#[tokio::test]
async fn the_end_of_a_socket_is_journalled_after_its_last_frame() {
    needs!(Redis);
    let (file, redis) = (ScenarioFile::new(ROOM), Redis::start().await);
    let servers = servers(2, &file, &redis, &["--paused"]).await;
    let mut client = RawSocket::open(servers[0].address(), "/room?name=ada").await;
    let vote = masked(FINAL_TEXT, br#"{"do":"vote"}"#);
    client.send_bytes(&[&vote[..], &vote, &masked(CLOSE, &1000_u16.to_be_bytes())].concat()).await;
    client.ended().await;
    expect_left(&servers, &["ada"]).await;
    let journal = servers[0].get("/__mockd/journal").await.json();
    let kinds = journal["entries"].as_array().unwrap().iter().map(|entry| entry["kind"].as_str().unwrap());
    let kinds: Vec<&str> = kinds.filter(|kind| ["opened", "received", "closed"].contains(kind)).collect();
    assert_eq!(kinds, ["opened", "received", "received", "closed"]);
}

#[tokio::test]
async fn a_socket_rule_changes_the_data_of_all_servers() {
    needs!(Redis);
    let (file, redis) = (ScenarioFile::new(ROOM), Redis::start().await);
    let servers = servers(3, &file, &redis, &["--paused"]).await;
    let mut sockets = Vec::new();
    for server in &servers {
        sockets.push(enter(server, "ada").await.0);
    }
    let votes = sockets.iter_mut().map(|socket| async move {
        let mut counts = Vec::new();
        for _ in 0..20 {
            socket.send_json(json!({ "do": "vote" })).await;
            counts.push(socket.json().await.as_u64().unwrap());
        }
        counts
    });
    let counts = futures_util::future::join_all(votes).await;
    // The frames of one socket are handled in order, and one at a time.
    assert!(counts.iter().all(|counts| counts.is_sorted()), "{counts:?}");
    let mut all = counts.concat();
    all.sort_unstable();
    assert!(all.into_iter().eq(1..=60));
    for server in &servers {
        server.until("/votes", |votes| votes["n"] == 60).await;
    }
    agreed(&servers, "/__mockd/state").await;
}

#[tokio::test]
async fn a_stream_can_change_data_and_send_messages() {
    needs!(Redis);
    let (file, redis) = (ScenarioFile::new(ROOM), Redis::start().await);
    let servers = servers(2, &file, &redis, &["--paused"]).await;
    let (mut ada, _) = enter(&servers[1], "ada").await;
    let mut stream = EventStream::open(&servers[0], "/live").await;
    for server in &servers {
        server.until("/votes", |votes| votes["n"] == 1).await;
    }
    servers[1].advance("", "1s").await;
    assert_eq!((stream.text().await, ada.text().await), ("tick".to_owned(), "tick".to_owned()));
    ada.send_json(json!({ "do": "say" })).await;
    assert_eq!(stream.data().await, ada.json().await);
}

#[tokio::test]
async fn members_of_a_killed_server_are_closed_once() {
    needs!(Redis);
    let (file, redis) = (ScenarioFile::new(ROOM), Redis::start().await);
    let mut servers = servers(3, &file, &redis, &["--paused"]).await;
    let (mut ada, first) = enter(&servers[0], "ada").await;
    let (_bob, second) = enter(&servers[2], "bob").await;
    let (_cid, third) = enter(&servers[2], "cid").await;
    expect_here(&servers, &[first, second, third]).await;
    let killed = servers.pop().unwrap();
    let _port = killed.kill().await;
    expect_left(&servers, &["bob", "cid"]).await;
    expect_here(&servers, &[first]).await;
    // The leader's own member is reported as before, and no member is reported twice.
    ada.close().await;
    expect_left(&servers, &["bob", "cid", "ada"]).await;
    agreed(&servers, "/__mockd/state").await;
}

#[tokio::test]
async fn members_of_a_killed_leader_are_closed_by_its_successor() {
    needs!(Redis);
    let (file, redis) = (ScenarioFile::new(ROOM), Redis::start().await);
    let mut servers = servers(2, &file, &redis, &["--paused"]).await;
    // The first server started alone, so it leads.
    let (_ada, _) = enter(&servers[0], "ada").await;
    let (_bob, second) = enter(&servers[1], "bob").await;
    let _port = servers.remove(0).kill().await;
    expect_left(&servers, &["ada"]).await;
    expect_here(&servers, &[second]).await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_server_that_shuts_down_closes_its_members() {
    needs!(Redis);
    let (file, redis) = (ScenarioFile::new(ROOM), Redis::start().await);
    let mut servers = servers(2, &file, &redis, &["--paused"]).await;
    let (_ada, first) = enter(&servers[0], "ada").await;
    let (mut bob, _) = enter(&servers[1], "bob").await;
    let stopping = servers.pop().unwrap();
    stopping.signal("TERM");
    let (status, code) = join(stopping.ended(), bob.close_code()).await;
    assert!(status.success());
    assert_eq!(code, 1001);
    // Its members are already closed: the other servers need not detect that it is missing.
    let log = redis.command("XREVRANGE mockd:{default}:log + - COUNT 5").await.unwrap();
    assert!(log.contains(r#"{"close":"#), "{log}");
    expect_left(&servers, &["bob"]).await;
    expect_here(&servers, &[first]).await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_server_suspended_for_too_long_closes_its_sockets() {
    needs!(Redis);
    let (file, redis) = (ScenarioFile::new(ROOM), Redis::start().await);
    let servers = servers(2, &file, &redis, &["--paused"]).await;
    let (mut ada, first) = enter(&servers[0], "ada").await;
    let (mut bob, _) = enter(&servers[1], "bob").await;
    servers[1].signal("STOP");
    expect_left(&servers[..1], &["bob"]).await;
    servers[1].signal("CONT");
    assert_eq!(bob.closed().await, (1012, "the other servers went on without this one".to_owned()));
    expect_left(&servers, &["bob"]).await;
    let (mut cid, third) = enter(&servers[1], "cid").await;
    expect_here(&servers, &[first, third]).await;
    ada.send_json(json!({ "do": "say" })).await;
    assert_eq!(cid.json().await, ada.json().await);
}

#[tokio::test]
async fn a_server_that_joins_later_has_all_members() {
    needs!(Redis);
    let (file, redis) = (ScenarioFile::new(ROOM), Redis::start().await);
    let mut servers = servers(1, &file, &redis, &["--paused"]).await;
    let (mut ada, first) = enter(&servers[0], "ada").await;
    // Enough changes for a checkpoint, from which the new server starts.
    for _ in 0..1_100 {
        ada.send_json(json!({ "do": "vote" })).await;
        ada.text().await;
    }
    servers.push(server(&file, &redis, vec!["--paused"]).await);
    expect_here(&servers, &[first]).await;
    let (mut bob, second) = enter(&servers[1], "bob").await;
    expect_here(&servers, &[first, second]).await;
    bob.send_json(json!({ "do": "say" })).await;
    assert_eq!(ada.json().await, bob.json().await);
    agreed(&servers, "/__mockd/state").await;
}

#[tokio::test]
async fn a_frame_during_an_outage_of_the_store_closes_its_socket() {
    needs!(Redis);
    let (file, mut redis) = (ScenarioFile::new(ROOM), Redis::start().await);
    let servers = servers(2, &file, &redis, &["--paused"]).await;
    let (mut ada, _) = enter(&servers[0], "ada").await;
    let (mut bob, second) = enter(&servers[1], "bob").await;
    redis.kill().await;
    for server in &servers {
        server.until("/__mockd/health", |health| health["status"] == "degraded").await;
    }
    ada.send_json(json!({ "do": "vote" })).await;
    let reason = "try again later: the store of this shared world cannot be reached";
    assert_eq!(ada.closed().await, (1013, reason.to_owned()));
    let journal = servers[0].get("/__mockd/journal?kind=received").await.json();
    let refused = journal["entries"][0]["refused"].as_str().unwrap();
    assert!(refused.contains("cannot be reached"), "{journal}");
    let refused = handshake(&servers[0], "/room?name=cid").await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, "1"), "{}", refused.text);
    redis.run().await;
    for server in &servers {
        server.until("/__mockd/health", |health| health["status"] == "ok").await;
    }
    // The closed socket has left on every server. The socket that sent nothing is still a member.
    expect_here(&servers, &[second]).await;
    bob.send_json(json!({ "do": "vote" })).await;
    assert!(bob.json().await.is_u64());
}

#[tokio::test]
async fn a_reset_on_one_server_closes_the_sockets_of_all() {
    needs!(Redis);
    let (file, redis) = (ScenarioFile::new(ROOM), Redis::start().await);
    let servers = servers(2, &file, &redis, &["--paused"]).await;
    let (mut ada, _) = enter(&servers[0], "ada").await;
    let (mut bob, _) = enter(&servers[1], "bob").await;
    servers[0].control("POST", "/__mockd/reset", Value::Null).await;
    for socket in [&mut ada, &mut bob] {
        assert_eq!(socket.close_code().await, 1012);
    }
    expect_here(&servers, &[]).await;
    expect_left(&servers, &[]).await;
}
