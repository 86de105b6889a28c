//! A test world with sockets, and the frames that each of them receives.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Debug;
use std::time::Duration;

use serde_json::{Value, json};

use super::super::membership::may_be_in_several_groups;
use super::super::runs::RunOwner;
use super::{engine, post, scenario};
use crate::engine::codec::SessionOptions;
use crate::engine::{
    Closing, Command, Effects, Engine, Event, EventKind, Frame, MemberEvent, MessageOutcome, RuleRequest, Topic,
};

/// A test world with its sockets.
pub(super) struct TestWorld {
    pub(super) engine: Engine,
    /// Pairs of a group and a member, according to the events so far.
    groups: BTreeSet<(u64, u64)>,
    /// Whether each job also runs on an engine restored from the state before it.
    is_compared: bool,
}

impl TestWorld {
    pub(super) fn new(text: &str) -> Self {
        Self { engine: engine(text), groups: BTreeSet::new(), is_compared: false }
    }

    /// Like [`TestWorld::new`], but also runs each job on an engine restored from the state before it and compares the
    /// results.
    pub(super) fn compared(text: &str) -> Self {
        Self { is_compared: true, ..Self::new(text) }
    }

    /// Runs a job on the engine.
    fn carry_out<T: Debug + PartialEq>(&mut self, job: impl Fn(&mut Engine) -> T) -> T {
        let restored = self.is_compared.then(|| restored_copy(&self.engine));
        let done = job(&mut self.engine);
        if let Some(mut restored) = restored {
            assert_eq!(job(&mut restored), done);
            assert_eq!(saved_state(&restored), saved_state(&self.engine));
            expect_consistent(&restored);
        }
        done
    }

    /// Opens a socket of an endpoint, for Ada in room 7.
    pub(super) fn open(&mut self, endpoint: &str, member: u64) -> Vec<String> {
        let field = |name: &str, value: &str| Some([(name.to_owned(), Value::from(value))].into_iter().collect());
        let (path, query) = (field("room", "7"), field("name", "ada"));
        let request = Box::new(RuleRequest { path, query, ..RuleRequest::default() });
        let options = SessionOptions { sid: "s".to_owned(), ..SessionOptions::default() };
        let command = Command::Open { member, endpoint: endpoint.into(), request, options };
        self.apply(&command)
    }

    /// Receives a text from a socket's client.
    pub(super) fn say(&mut self, member: u64, text: &str) -> Vec<String> {
        self.apply(&Command::Receive { member, frame: Frame::Text(text.into()) })
    }

    /// Like [`TestWorld::say`], with JSON.
    pub(super) fn send(&mut self, member: u64, message: &Value) -> Vec<String> {
        self.say(member, &message.to_string())
    }

    /// Like [`TestWorld::say`], but also returns the outcomes of the rules.
    pub(super) fn outcomes(&mut self, member: u64, frame: Frame) -> (Vec<MessageOutcome>, Vec<String>) {
        let command = Command::Receive { member, frame };
        let effects = self.carry_out(|engine| engine.apply(command.clone()).unwrap());
        let got = self.follow(&effects.events);
        (effects.messages.into_iter().map(|message| message.outcome).collect(), got)
    }

    /// Closes a socket, as when its client is gone.
    pub(super) fn close(&mut self, member: u64) -> Vec<String> {
        self.groups.retain(|(_, one)| *one != member);
        self.apply(&Command::Close { member })
    }

    /// Posts steps from outside.
    pub(super) fn post(&mut self, steps: &Value) -> Vec<String> {
        let Effects { events, .. } = self.carry_out(|engine| post(engine, steps.clone()).unwrap());
        self.follow(&events)
    }

    /// Sends the name of a topic to its members.
    pub(super) fn publish(&mut self, topic: &str) -> Vec<String> {
        self.post(&json!([{ "send": { "to": topic, "frame": topic } }]))
    }

    /// Lets time pass.
    pub(super) fn pass(&mut self, seconds: u64) -> Vec<String> {
        self.pass_millis(1000 * seconds)
    }

    pub(super) fn pass_millis(&mut self, millis: u64) -> Vec<String> {
        let events = self.carry_out(|engine| engine.advance(engine.now() + Duration::from_millis(millis)));
        self.follow(&events)
    }

    /// Reloads with another scenario.
    pub(super) fn reload(&mut self, text: &str) -> Vec<String> {
        let scenario = scenario(text);
        let events = self.carry_out(|engine| engine.replace(&scenario, 42)).events;
        self.follow(&events)
    }

    pub(super) fn apply(&mut self, command: &Command) -> Vec<String> {
        let events = self.carry_out(|engine| engine.apply(command.clone()).unwrap()).events;
        self.follow(&events)
    }

    /// Returns what members receive from events, in delivery order.
    pub(super) fn follow(&mut self, events: &[Event]) -> Vec<String> {
        expect_consistent(&self.engine);
        let mut got = Vec::new();
        for event in events {
            match &event.kind {
                EventKind::Member { member, what } => self.follow_member(*member, what, &mut got),
                EventKind::Delivered { groups, frame, except, .. } => {
                    let is_recipient =
                        |(group, member): &&(u64, u64)| groups.contains(group) && Some(*member) != *except;
                    let members: BTreeSet<u64> = self.groups.iter().filter(is_recipient).map(|(_, one)| *one).collect();
                    got.extend(members.into_iter().map(|member| line(member, frame)));
                }
                EventKind::Skipped { refusal, .. } => got.push(format!("skipped: {refusal}")),
                _ => {}
            }
        }
        got
    }

    fn follow_member(&mut self, member: u64, what: &MemberEvent, got: &mut Vec<String>) {
        match what {
            MemberEvent::Reply(frame) => got.push(line(member, frame)),
            MemberEvent::Joined(group) => {
                assert!(self.groups.insert((*group, member)), "{member} is already in {group}");
            }
            MemberEvent::Left(group) => assert!(self.groups.remove(&(*group, member)), "{member} is not in {group}"),
            MemberEvent::Closed(Some(Closing { code, reason, .. })) => {
                got.push(format!("{member} closed {code} {reason}"));
            }
            MemberEvent::Closed(None) => got.push(format!("{member} ended")),
            MemberEvent::Failed { refusal, .. } => got.push(format!("{member} failed: {refusal}")),
        }
    }
}

fn line(member: u64, frame: &Frame) -> String {
    format!("{member}: {}", frame.to_json())
}

/// Returns the saved state of an engine.
pub(super) fn saved_state(engine: &Engine) -> Value {
    serde_json::to_value(engine.save(&Engine::new(engine.scenario(), 42))).unwrap()
}

/// Returns an engine restored from the saved state of another.
pub(super) fn restored_copy(engine: &Engine) -> Engine {
    let start = Engine::new(engine.scenario(), 42);
    let text = serde_json::to_string(&engine.save(&start)).unwrap();
    Engine::restored(&start, serde_json::from_str(&text).unwrap()).unwrap()
}

/// Asserts that members, groups, topics and scheduled steps are consistent.
pub(super) fn expect_consistent(engine: &Engine) {
    engine.members.expect_settled();
    #[expect(clippy::mutable_key_type, reason = "the cache inside takes no part in equality and hash")]
    let mut expected: HashMap<_, BTreeMap<u64, u32>> = HashMap::new();
    let (mut joined, mut several) = (BTreeSet::new(), BTreeSet::new());
    for (member, membership) in engine.members.memberships() {
        for topic in &membership.topics {
            *expected.entry((topic, &membership.spec)).or_default().entry(member).or_default() += 1;
            joined.extend(matches!(topic, Topic::Named(_)).then_some((member, topic)));
        }
        let memberships = engine.members.memberships_of(member);
        several.extend(may_be_in_several_groups(memberships).then_some(member));
    }
    let mut numbers = BTreeSet::new();
    for (topic, group, number, members) in engine.groups.all() {
        assert_eq!(expected.remove(&(topic, group)).as_ref(), Some(members), "the members of a group of {topic}");
        assert!(numbers.insert(number), "two groups have the number {number}");
    }
    assert!(expected.is_empty(), "memberships without groups: {expected:?}");
    assert_eq!(*engine.groups.several(), several);
    let members: BTreeSet<u64> = engine.members.memberships().map(|(member, _)| member).collect();
    let topics = members.iter().flat_map(|member| engine.topics.joined(*member).map(move |topic| (*member, topic)));
    assert_eq!(topics.collect::<BTreeSet<_>>(), joined);
    for run in engine.rule_runs.iter().filter(|run| matches!(run.owner, RunOwner::Membership { .. })) {
        assert!(engine.has_owner(run.owner), "steps of {:?} are scheduled, although it has ended", run.owner);
    }
}
