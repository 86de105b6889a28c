#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::sync::Arc;

use serde_json::json;

use crate::engine::{Command, Effects, Engine, Frame, MAX_TOPICS, Refusal, Topic};
use crate::scenario::{Scenario, Source, parse};

fn scenario(text: &str) -> Arc<Scenario> {
    Arc::new(parse(&Source::new("shop.yaml", text)).unwrap_or_else(|problems| panic!("{problems:?}")))
}

fn named(name: impl Into<Arc<str>>) -> Topic {
    Topic::Named(name.into())
}

fn members(engine: &Engine, topic: &Topic) -> Vec<u64> {
    engine.topics().members(topic).collect()
}

#[test]
fn what_is_sent_is_one_event_and_joining_is_none() {
    let mut engine = Engine::new(&scenario("categories: { toys: { prefix: T } }"), 1);
    for command in [
        Command::Join { member: 7, topics: vec![named("a"), Topic::Notices, named("a")] },
        Command::Leave { member: 7, topics: vec![named("a"), named("b")] },
        Command::Join { member: 8, topics: vec![named("a"), named("b")] },
        Command::LeaveAll { member: 8 },
    ] {
        assert_eq!(engine.apply(command), Ok(Effects::default()));
    }
    assert_eq!((members(&engine, &Topic::Notices), members(&engine, &named("a"))), (vec![7], vec![]));
    let frame = Frame::Json(json!({ "bid": 3 }).into());
    let effects = engine.apply(Command::Send { to: named("a"), frame }).unwrap();
    let events: Vec<_> = effects.events.iter().map(|event| serde_json::to_value(event).unwrap()).collect();
    assert_eq!(events, [json!({ "at": "0s", "sequence": 1, "event": "sent", "topic": "a", "frame": { "bid": 3 } })]);
}

#[test]
fn joining_too_many_topics_is_refused_as_a_whole() {
    let mut engine = Engine::new(&scenario("categories: { toys: { prefix: T } }"), 1);
    let most = (0..MAX_TOPICS).map(|number| named(number.to_string()));
    engine.apply(Command::Join { member: 1, topics: most.clone().chain(most.clone()).collect() }).unwrap();
    let one_more = || Command::Join { member: 1, topics: vec![named("0"), named("more")] };
    assert_eq!(engine.apply(one_more()), Err(Refusal::TooManyTopics));
    assert_eq!(engine.apply(Command::Join { member: 1, topics: most.collect() }), Ok(Effects::default()));
    engine.apply(Command::Leave { member: 1, topics: vec![named("1")] }).unwrap();
    engine.apply(one_more()).unwrap();
    assert_eq!(engine.topics().joined(1).count(), MAX_TOPICS);
}

#[test]
fn members_stay_over_resets_and_reloads_and_no_state_has_them() {
    let start = Engine::new(&scenario("categories: { toys: { prefix: T } }"), 1);
    let mut engine = start.clone();
    engine.apply(Command::Join { member: 7, topics: vec![Topic::Counters] }).unwrap();
    let state = engine.save(&start);
    assert_eq!(serde_json::to_value(&state).unwrap(), serde_json::to_value(start.save(&start)).unwrap());
    let restored = Engine::restored(&start, state).unwrap();
    engine.replace(&scenario("categories: { games: { prefix: G } }"), 1);
    for (engine, expected) in [
        (&restored, vec![]),
        (&engine, vec![7]),
        (&start.clone().with_members_of(&engine), vec![7]),
        (&restored.clone().with_members_of(&engine), vec![7]),
    ] {
        assert_eq!(members(engine, &Topic::Counters), expected);
    }
}

#[test]
fn commands_come_back_from_json_as_they_were() {
    for (command, expected) in [
        (
            Command::Join { member: 1, topics: vec![named("a"), Topic::Counters] },
            json!({ "join": { "member": 1, "topics": [{ "named": "a" }, "counters"] } }),
        ),
        (
            Command::Leave { member: 1, topics: vec![Topic::CountersOf("toys".into())] },
            json!({ "leave": { "member": 1, "topics": [{ "counters-of": "toys" }] } }),
        ),
        (Command::LeaveAll { member: 1 }, json!({ "leave-all": { "member": 1 } })),
        (
            Command::Send { to: named("a"), frame: Frame::Text("hi".into()) },
            json!({ "send": { "to": { "named": "a" }, "frame": { "text": "hi" } } }),
        ),
    ] {
        let written = serde_json::to_value(&command).unwrap();
        assert_eq!(written, expected);
        let read: Command = serde_json::from_value(written).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), expected);
    }
}
