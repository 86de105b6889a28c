//! Engines of several servers that carry out the same commands, and streams that only one of them has.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::engine::{Command, Effects, Engine, Event, EventKind, Frame, MemberEvent, Refusal, RuleRequest, StepsText};
use crate::scenario::{CrudOperation, Source, parse};

const SCENARIO: &str = "
data: { rows: [{ id: 1, n: 0 }], price: 1 }
triggers:
  - { topic: rows, do: [{ after: 1s, set: { price: $event.row.n } }] }
http:
  /rows: { crud: rows }
  GET /dice: { do: [{ set: { price: '{{ random(1, 1000000) }}' } }], body: $price }
  GET /seen: { body: \"{{ [now.ms, next('seen'), random(1, 1000000), joined('rows')] }}\" }
  GET /live:
    increment: { rows: { id: 1, n: 1 } }
    stream:
      - reply: $it.n
      - join: { to: rows, frame: '{{ random(1, 1000000) }}' }
      - { every: 300ms, times: forever, reply: '{{ [now.ms, random(1, 1000000)] }}' }
  GET /named: { with: { word: hello }, stream: [{ reply: $word }] }
  GET /wrong: { stream: [{ reply: hello }, { set: { price: 7 } }] }
  GET /later: { stream: [{ after: 1s, send: { to: rows, frame: 1 } }, { after: 1s, reply: done }] }
";

fn start() -> Engine {
    let scenario = parse(&Source::new("shared.yaml", SCENARIO)).unwrap_or_else(|problems| panic!("{problems}"));
    Engine::new(&Arc::new(scenario), 7).played_by_several()
}

fn request() -> RuleRequest {
    RuleRequest { method: Some("GET".into()), url: Some("/".into()), ..RuleRequest::default() }
}

fn answer(engine: &mut Engine, key: &str) -> Effects {
    let command = Command::Answer { key: key.into(), crud: None, request: Box::new(request()), member: None };
    // As it comes from the log.
    let command = serde_json::from_value(serde_json::to_value(command).unwrap()).unwrap();
    engine.apply(command).unwrap()
}

/// Opens a stream on the first of these engines, after all of them have answered.
fn open(engines: &mut [&mut Engine], key: &str, now: Duration) -> Result<Vec<Event>, Refusal> {
    let answers: Vec<_> = engines.iter_mut().map(|engine| answer(engine, key).answer.unwrap()).collect();
    assert!(answers.iter().all(|one| *one == answers[0]));
    engines[0].begin_stream(key, answers[0].clone(), request(), 5, now).map(|effects| effects.events)
}

fn replies(events: &[Event]) -> Vec<Value> {
    let reply = |event: &Event| match &event.kind {
        EventKind::Member { member: 5, what: MemberEvent::Reply(Frame::Json(value)) } => Some((**value).clone()),
        EventKind::Member { member: 5, what: MemberEvent::Reply(Frame::Text(text)) } => Some(text.to_string().into()),
        _ => None,
    };
    events.iter().filter_map(reply).collect()
}

fn failures(events: &[Event]) -> Vec<Refusal> {
    let failure = |event: &Event| match &event.kind {
        EventKind::Member { member: 5, what: MemberEvent::Failed { refusal, .. } } => Some(refusal.clone()),
        _ => None,
    };
    events.iter().filter_map(failure).collect()
}

fn state(engine: &Engine) -> Value {
    serde_json::to_value(engine.save(&start())).unwrap()
}

fn ms(time: u64) -> Duration {
    Duration::from_millis(time)
}

#[test]
fn a_stream_leaves_what_servers_share_as_it_is_elsewhere() {
    let (mut one, mut other) = (start(), start());
    let opened = open(&mut [&mut one, &mut other], "GET /live", ms(50)).unwrap();
    assert_eq!(replies(&opened)[0], 1);
    assert_eq!(one.topics().members(&crate::engine::Topic::Named("rows".into())).len(), 1);
    for key in ["GET /dice", "GET /live", "GET /seen", "GET /dice"] {
        assert_eq!(answer(&mut one, key).answer, answer(&mut other, key).answer, "{key}");
    }
    // Its own steps come by the clock of its server, and the shared time stays.
    let shared = one.now();
    let ticks = replies(&one.advance_local(ms(700), usize::MAX));
    let times: Vec<_> = ticks.iter().map(|tick| tick[0].as_i64().unwrap() - one.started()).collect();
    assert_eq!((times, one.now()), (vec![350, 650], shared));
    assert_eq!(state(&one), state(&other));
    let of_all = |engine: &mut Engine| -> Vec<Event> {
        engine.advance(ms(2_000)).into_iter().filter(|event| !event.is_delivery()).collect()
    };
    assert_eq!(of_all(&mut one), of_all(&mut other));
    assert_eq!(state(&one), state(&other));
}

#[test]
fn a_stream_knows_the_names_that_its_answer_gives() {
    let opened = open(&mut [&mut start()], "GET /named", ms(0)).unwrap();
    assert_eq!(replies(&opened), [json!("hello")]);
}

#[test]
fn streams_run_in_time_while_a_shared_world_advances() {
    let mut engine = start();
    open(&mut [&mut engine], "GET /live", ms(0)).unwrap();
    let events = engine.advance(ms(1_100));
    let places = |wanted: fn(&EventKind) -> bool| -> Vec<usize> {
        events.iter().enumerate().filter(|(_, event)| wanted(&event.kind)).map(|(index, _)| index).collect()
    };
    let ticks = places(|kind| matches!(kind, EventKind::Member { what: MemberEvent::Reply(_), .. }));
    let set = places(|kind| matches!(kind, EventKind::ValueSet { .. }));
    assert_eq!((ticks.len(), set.len()), (3, 1), "{events:?}");
    // The trigger's step comes at 1s, after the ticks of 300ms, 600ms and 900ms.
    assert!(ticks[2] < set[0]);
}

#[test]
fn a_step_of_a_shared_stream_that_changes_anything_is_refused() {
    let (mut one, mut other) = (start(), start());
    assert_eq!(open(&mut [&mut one, &mut other], "GET /wrong", ms(0)), Err(Refusal::SharedStream));
    open(&mut [&mut one, &mut other], "GET /later", ms(0)).unwrap();
    let events = one.advance_local(ms(3_000), usize::MAX);
    assert_eq!((failures(&events), replies(&events)), (vec![Refusal::SharedStream], vec![json!("done")]));
    assert_eq!(state(&one), state(&other));
}

#[test]
fn steps_of_a_shared_stream_end_with_its_member() {
    let mut engine = start();
    open(&mut [&mut engine], "GET /live", ms(0)).unwrap();
    assert!(engine.next_local_due().is_some());
    let reset = start().with_members_of(&engine);
    assert_eq!(reset.next_local_due(), None);
    engine.apply(Command::LeaveAll { member: 5 }).unwrap();
    assert_eq!(engine.next_local_due(), None);
}

#[test]
fn rules_come_back_from_a_state_with_all_that_waits() {
    let mut engine = start();
    for key in ["GET /dice", "GET /seen", "GET /live"] {
        answer(&mut engine, key);
    }
    let steps = json!([{ "set": { "price": 0.1 } }, { "after": "1s", "set": { "price": "{{ random(1, 1000000) }}" } }]);
    engine.apply(Command::Steps { steps: StepsText::Written(steps) }).unwrap();
    let text = serde_json::to_string(&engine.save(&start())).unwrap();
    let mut late = Engine::restored(&start(), serde_json::from_str(&text).unwrap()).unwrap().with_members_of(&engine);
    assert_eq!(engine.advance(ms(5_000)), late.advance(ms(5_000)));
    for key in ["GET /dice", "GET /seen", "GET /live"] {
        assert_eq!(answer(&mut engine, key), answer(&mut late, key), "{key}");
    }
    assert_eq!(state(&engine), state(&late));
}

#[test]
fn commands_of_rules_come_back_from_json_as_they_were() {
    let full = RuleRequest {
        method: Some("POST".into()),
        url: Some("/rows/1?a=b".into()),
        path: Some([("id".to_owned(), json!("1"))].into_iter().collect()),
        query: Some([("a".to_owned(), json!(["b", "c"]))].into_iter().collect()),
        headers: Some([("x-a".to_owned(), json!("b"))].into_iter().collect()),
        cookies: Some([("c".to_owned(), json!("d"))].into_iter().collect()),
        body: Some(json!({ "n": 1, "f": 0.1, "z": null, "a": [true] })),
    };
    let operations = [
        (CrudOperation::List, "list"),
        (CrudOperation::Get, "get"),
        (CrudOperation::Add, "add"),
        (CrudOperation::Replace, "replace"),
        (CrudOperation::Merge, "merge"),
        (CrudOperation::Remove, "remove"),
    ];
    let answers = operations.into_iter().map(|(operation, name)| {
        let request = Box::new(full.clone());
        let command = Command::Answer { key: "/rows".into(), crud: Some(operation), request, member: None };
        let written = json!({ "key": "/rows", "crud": name, "request": {
            "method": "POST", "url": "/rows/1?a=b", "path": { "id": "1" }, "query": { "a": ["b", "c"] },
            "headers": { "x-a": "b" }, "cookies": { "c": "d" },
            "body": { "n": 1, "f": 0.1, "z": null, "a": [true] },
        }, "member": null });
        (command, json!({ "answer": written }))
    });
    let steps = json!([{ "after": "1s", "set": { "price": "{{ price + 1 }}" } }]);
    let data = json!({ "price": 2, "rows": [{ "id": 1 }] });
    let Value::Object(set) = data.clone() else { panic!("it is a mapping") };
    let others = [
        (Command::Steps { steps: StepsText::Written(steps.clone()) }, json!({ "steps": { "steps": steps } })),
        (Command::SetData { data: set }, json!({ "set-data": { "data": data } })),
    ];
    for (command, expected) in answers.chain(others) {
        let text = serde_json::to_string(&command).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected);
        let read: Command = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), expected);
    }
    // A request without a body stays one.
    let bare = serde_json::to_value(request()).unwrap();
    assert_eq!(serde_json::from_value::<RuleRequest>(bare).unwrap(), request());
}
