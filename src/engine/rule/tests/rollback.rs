//! A refused rule changes nothing, regardless of the steps that ran before.

use serde_json::json;

use super::world::TestWorld;
use crate::engine::{Frame, MessageOutcome};

const REFUSED: &str = "Row 99 not found in log";

/// Steps of each kind that run before a rule is refused.
const ACTIONS: [&str; 12] = [
    "{ set: { conn.x: 1, price: 1 } }",
    "{ add: { log: { t: '{{ random(1, 1000) }}' } } }",
    r#"{ reply: '{{ uuid() }}{{ next("n") }}' }"#,
    "{ leave: { as: a } }",
    "{ leave: [a, b, c] }",
    "{ leave: b }",
    "{ join: { to: c, do: [{ reply: never }, { after: 1s, reply: never }] } }",
    "{ join: { to: d, as: a, do: [{ after: 1s, reply: never }] } }",
    "{ join: [a, d] }",
    "{ send: { to: [a, b, c, d], frame: never } }",
    "{ do: [{ leave: a }, { join: a }, { join: { to: b, frame: '{{ random(1, 9) }}' } }] }",
    TIMED,
];

/// A step that only a list with times can contain.
const TIMED: &str = "{ at: 1s, reply: never }";

/// Returns a scenario that has a rule with these steps.
fn scenario(steps: &str) -> String {
    format!(
        "
data: {{ log: [], price: 0 }}
websocket:
  /s:
    open:
      - {{ join: {{ to: a, as: a, do: [{{ after: 2s, reply: late }}, {{ at: 1s, times: forever, every: 1s, reply: tick }}] }} }}
      - {{ join: {{ to: [b, c], frame: {{ draw: '{{{{ random(1, 1000000) }}}}' }} }} }}
      - {{ after: 3s, reply: end }}
    messages:
      - match: {{ type: go }}
        do: [{steps}]
      - match: {{ type: show }}
        reply: {{ conn: $conn, price: $price, log: $log, draw: '{{{{ random(1, 1000000) }}}}', next: '{{{{ next(\"n\") }}}}' }}
"
    )
}

/// Returns what members receive from now on.
fn received(world: &mut TestWorld, members: u64) -> Vec<String> {
    let mut received = Vec::new();
    for round in 0..2 {
        for member in 1..=members {
            received.extend(world.send(member, &json!({ "type": "show" })));
        }
        for topic in ["a", "b", "c", "d", "e"] {
            received.extend(world.publish(topic));
        }
        received.extend(world.pass(1 + round));
    }
    received
}

/// Creates two worlds with this rule and this number of sockets. The tests fire the rule only in the second.
fn worlds(steps: &str, members: u64) -> [TestWorld; 2] {
    [(); 2].map(|()| {
        let mut world = TestWorld::new(&scenario(steps));
        for member in 1..=members {
            assert_eq!(world.open("/s", member), Vec::<String>::new());
        }
        world
    })
}

/// Returns each step, and all of them together.
fn actions() -> Vec<String> {
    ACTIONS.map(str::to_owned).into_iter().chain([ACTIONS.join(", ")]).collect()
}

#[test]
fn a_refused_rule_leaves_its_member_unchanged() {
    for actions in actions() {
        // Alone in its groups, and with another member.
        for members in [1, 2] {
            let [mut untouched, mut world] =
                worlds(&format!("{actions}, {{ at: 0s, remove: {{ log: 99 }} }}"), members);
            let outcome = world.outcomes(1, Frame::Text(r#"{"type":"go"}"#.into()));
            let refused = MessageOutcome::Refused { rule: Some(1), why: REFUSED.to_owned() };
            assert_eq!(outcome, (vec![refused], vec![format!("1 failed: {REFUSED}")]), "{actions}");
            assert_eq!(world.engine.sequence(), untouched.engine.sequence(), "{actions}");
            assert_eq!(world.engine.next_due(), untouched.engine.next_due(), "{actions}");
            let expected = received(&mut untouched, members);
            assert!(expected.len() > 12, "{expected:?}");
            assert_eq!(received(&mut world, members), expected, "{actions}");
        }
    }
}

#[test]
fn a_refused_later_step_leaves_its_member_unchanged() {
    for action in ACTIONS.into_iter().filter(|action| *action != TIMED) {
        let [mut untouched, mut world] =
            worlds(&format!("{{ after: 500ms, do: [{action}, {{ remove: {{ log: 99 }} }}] }}"), 1);
        assert_eq!(world.send(1, &json!({ "type": "go" })), Vec::<String>::new());
        assert_eq!(world.pass_millis(500), [format!("1 failed: {REFUSED}")], "{action}");
        assert_eq!(untouched.pass_millis(500), Vec::<String>::new());
        let expected = received(&mut untouched, 1);
        assert_eq!(received(&mut world, 1), expected, "{action}");
    }
}

#[test]
fn a_join_whose_steps_are_refused_joins_nothing() {
    for actions in actions() {
        let steps = format!("{actions}, {{ at: 0s, remove: {{ log: 99 }} }}");
        for later in ["", "after: 500ms, "] {
            let [mut untouched, mut world] = worlds(&format!("{{ {later}join: {{ to: e, do: [{steps}] }} }}"), 1);
            let mut refused = world.send(1, &json!({ "type": "go" }));
            refused.extend(world.pass_millis(500));
            assert_eq!(refused, [format!("1 failed: {REFUSED}")], "{actions}");
            assert_eq!(untouched.pass_millis(500), Vec::<String>::new());
            let expected = received(&mut untouched, 1);
            assert_eq!(received(&mut world, 1), expected, "{actions}");
        }
    }
}

#[test]
fn a_refused_open_leaves_a_socket_without_memberships() {
    let mut world = TestWorld::new(
        "
data: { log: [] }
websocket:
  /s:
    open: [{ join: { to: a, do: [{ after: 1s, reply: never }] } }, { set: { conn.x: 1 } }, { remove: { log: 99 } }]
    messages: [{ reply: $conn }]
",
    );
    assert_eq!(world.open("/s", 1), [format!("1 failed: {REFUSED}")]);
    assert_eq!(world.say(1, "x"), [r#"1: {"id":1,"topics":[]}"#]);
    assert_eq!((world.publish("a"), world.pass(2)), (Vec::new(), Vec::new()));
}

#[test]
fn a_refused_later_step_does_not_affect_the_others() {
    let mut world = TestWorld::new(
        "
data: { log: [] }
websocket:
  /s:
    open: [{ after: 1s, remove: { log: 9 } }, { reply: a }, { after: 1s, do: [{ reply: b }, { remove: { log: 9 } }] }, { reply: c }]
",
    );
    world.open("/s", 1);
    let refused = "1 failed: Row 9 not found in log";
    assert_eq!(world.pass(1), [refused, r#"1: "a""#]);
    assert_eq!(world.pass(1), [refused, r#"1: "c""#]);
}
