#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use bytes::Bytes;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::*;
use crate::engine::{Command, Engine, RuleRequest, StepsText};
use crate::scenario::{Source, parse};
use crate::world::feed::MIN_BACKLOG;
use crate::world::message::Message;
use crate::world::{Setup, Subscription};

/// A scenario in which changes of `noise` advance the feed.
const NOISE: &str = "
data: { rows: [{ n: 1 }, { n: 2 }], price: { now: 1 }, noise: [{ n: 0 }] }
http:
  GET /noise: { stream: [{ join: noise }] }
  GET /live: { stream: STEPS }
";

/// Encodes a message as a line.
fn encode(message: &Message) -> Bytes {
    [&message.payload()[..], b"\n"].concat().into()
}

/// Returns a world whose feed keeps the minimum, with a stream of these steps and another that keeps the feed running.
async fn opened(steps: &str) -> (World, [Subscription; 2]) {
    let scenario = parse(&Source::new("rows.yaml", &NOISE.replace("STEPS", steps))).unwrap();
    let engine = Engine::new(&Arc::new(scenario), 1);
    let (setup, tasks) = (Setup { backlog: MIN_BACKLOG, ..Setup::default() }, TaskTracker::new());
    let world = World::start("default".into(), engine.into(), &setup, CancellationToken::new(), &tasks);
    let open = async |key: &str| {
        let opening = world.open_stream(&key.into(), RuleRequest::default(), "/", encode).await.unwrap();
        opening.stream.unwrap()
    };
    let streams = [open("GET /live").await, open("GET /noise").await];
    (world, streams)
}

async fn post(world: &World, steps: Value) {
    world.apply(Command::Steps { steps: StepsText::Written(steps) }).await.unwrap();
}

/// Advances the feed until it has dropped everything before.
async fn make_noise(world: &World) {
    for _ in 0..4 * MIN_BACKLOG {
        post(world, json!([{ "increment": { "noise": { "id": 1, "n": 1 } } }])).await;
    }
}

/// Reads everything that is available to a stream.
async fn read(stream: &mut Subscription) -> Result<Vec<String>, WorldError> {
    let mut lines = Vec::new();
    while let Some(batch) = stream.next().await? {
        lines.extend(String::from_utf8(batch.bytes.to_vec()).unwrap().lines().map(str::to_owned));
        stream.record_written(batch.messages);
    }
    Ok(lines)
}

#[tokio::test]
async fn a_member_that_was_away_catches_up_and_continues() {
    let merge = |id: u64, n: u64| json!({ "merge": { "rows": { "id": id, "n": n } } });
    let add = |id: u64| json!({ "add": { "rows": { "id": id, "n": 9 } } });
    let remove = |id: u64| json!({ "remove": { "rows": id } });
    let set = |price: u64| json!({ "set": { "price.now": price } });
    for (join, steps, expected) in [
        (
            "rows",
            vec![merge(1, 5), merge(1, 6)],
            &[r#"{"sequence":2,"change":"merged","row":{"id":1,"n":6},"before":{"id":1,"n":1}}"#][..],
        ),
        // Ordered by their last changes.
        ("{ to: rows, frame: $event.row.id }", vec![merge(1, 5), merge(2, 5), merge(1, 6)], &["2", "1"]),
        (
            "{ to: rows, where: { row: { n: 7 } }, frame: $event.row.id }",
            vec![merge(1, 7), merge(2, 7), merge(2, 8)],
            &["1"],
        ),
        ("{ to: rows/2, frame: $topic }", vec![merge(1, 5), merge(2, 5), merge(2, 6)], &["rows/2"]),
        ("{ to: [rows, rows/1], frame: $event.row.n }", vec![merge(1, 5), merge(1, 6)], &["6"]),
        ("{ to: [rows, rows/1], frame: $topic }", vec![merge(1, 5), merge(1, 6)], &["rows", "rows/1"]),
        ("{ to: rows, frame: $event.change }", vec![add(3), merge(3, 1)], &["added"]),
        ("{ to: rows, frame: $event.change }", vec![add(3), remove(3)], &[]),
        (
            "{ to: rows, frame: '{{ event.change }} {{ event.before.n }}' }",
            vec![merge(1, 5), remove(1)],
            &["removed 1"],
        ),
        ("{ to: rows, frame: '{{ event.change }} {{ event.before.n }}' }", vec![remove(1), add(1)], &["replaced 1"]),
        ("price", vec![set(2), set(3)], &[r#"{"sequence":2,"change":"set","value":{"now":3},"before":{"now":1}}"#]),
        // Nothing was sent to the stream.
        ("[rows, news]", vec![], &[]),
        ("news", vec![merge(1, 5)], &[]),
    ] {
        let (world, [mut live, _noise]) = opened(&format!("[{{ join: {join} }}]")).await;
        for step in steps {
            post(&world, json!([step])).await;
        }
        make_noise(&world).await;
        assert_eq!(live.expect_next().await, Ok(()), "{join}");
        assert_eq!(read(&mut live).await.unwrap(), expected, "{join}");
        assert_eq!(world.slow_members(), SlowMembers { caught_up: 1, closed: 0 }, "{join}");
        // From here on nothing is missing or repeated.
        assert_eq!(read(&mut live).await.unwrap(), Vec::<String>::new());
        post(&world, json!([merge(2, 7), set(4)])).await;
        let count = usize::from(join != "news");
        assert_eq!(read(&mut live).await.unwrap().len(), count, "{join}");
    }
}

#[tokio::test]
async fn a_member_that_missed_stateless_frames_is_closed() {
    let send = json!([{ "send": { "to": "news", "frame": "hi" } }]);
    for (steps, is_direct, why) in [
        ("[{ join: [rows, news] }]", false, "it missed a message to topic `news`"),
        ("[{ join: rows }]", true, "it missed a message sent only to it"),
    ] {
        let (world, [mut live, _noise]) = opened(steps).await;
        post(&world, json!([{ "merge": { "rows": { "id": 1, "n": 5 } } }])).await;
        if is_direct {
            world.send(Some(1), Message::text("hi")).await.unwrap();
        } else {
            post(&world, send.clone()).await;
        }
        make_noise(&world).await;
        assert_eq!(live.expect_next().await, Err(WorldError::Behind), "{steps}");
        assert_eq!(read(&mut live).await, Err(WorldError::Behind), "{steps}");
        let progress = MemberProgress { position: 0, event: 0 };
        let found =
            world.ask(move |state| state.missed_by(&state.shared.sockets.get(1).unwrap(), progress)).await.unwrap();
        assert_eq!(found.unwrap_err().to_string(), why);
        assert_eq!(world.slow_members().caught_up, 0);
    }
}

#[tokio::test]
async fn frames_sent_before_the_last_read_are_not_missed() {
    let (world, [mut live, _noise]) = opened("[{ join: { to: [rows, news], frame: $topic } }]").await;
    post(&world, json!([{ "send": { "to": "news", "frame": "hi" } }])).await;
    assert_eq!(read(&mut live).await.unwrap(), ["news"]);
    post(&world, json!([{ "merge": { "rows": { "id": 1, "n": 5 } } }])).await;
    make_noise(&world).await;
    assert_eq!(read(&mut live).await.unwrap(), ["rows"]);
}

#[tokio::test]
async fn catching_up_does_not_shift_random_draws() {
    let draws = async |is_away: bool| {
        let steps = "[{ join: { to: rows, frame: '{{ random(1, 1000000) }}' } }]";
        let (world, [mut live, _noise]) = opened(steps).await;
        post(&world, json!([{ "merge": { "rows": { "id": 1, "n": 5 } } }])).await;
        if is_away {
            make_noise(&world).await;
        }
        let first = read(&mut live).await.unwrap();
        post(&world, json!([{ "merge": { "rows": { "id": 1, "n": 6 } } }])).await;
        (first.len(), read(&mut live).await.unwrap())
    };
    assert_eq!(draws(true).await, draws(false).await);
}
