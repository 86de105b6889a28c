//! A refused rule changes nothing, regardless of the steps that ran before.

use serde_json::json;

use super::crowd::Play;
use crate::engine::{Frame, MessageOutcome};

const REFUSED: &str = "Row 99 not found in log";

/// Steps of each kind that run before a rule is refused.
const DEEDS: [&str; 12] = [
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
fn heard(play: &mut Play, members: u64) -> Vec<String> {
    let mut heard = Vec::new();
    for round in 0..2 {
        for member in 1..=members {
            heard.extend(play.send(member, &json!({ "type": "show" })));
        }
        for topic in ["a", "b", "c", "d", "e"] {
            heard.extend(play.tell(topic));
        }
        heard.extend(play.pass(1 + round));
    }
    heard
}

/// Creates two worlds with this rule and this number of sockets. The rule is to fire in the second; the first is for
/// comparison.
fn worlds(steps: &str, members: u64) -> [Play; 2] {
    [(); 2].map(|()| {
        let mut play = Play::new(&scenario(steps));
        for member in 1..=members {
            assert_eq!(play.open("/s", member), Vec::<String>::new());
        }
        play
    })
}

/// Returns each step, and all of them together.
fn deeds() -> Vec<String> {
    DEEDS.map(str::to_owned).into_iter().chain([DEEDS.join(", ")]).collect()
}

#[test]
fn a_refused_rule_leaves_its_member_as_it_was() {
    for deeds in deeds() {
        // Alone in its groups, and with another member.
        for members in [1, 2] {
            let [mut untouched, mut play] = worlds(&format!("{deeds}, {{ at: 0s, remove: {{ log: 99 }} }}"), members);
            let outcome = play.outcomes(1, Frame::Text(r#"{"type":"go"}"#.into()));
            let refused = MessageOutcome::Refused { rule: Some(1), why: REFUSED.to_owned() };
            assert_eq!(outcome, (vec![refused], vec![format!("1 failed: {REFUSED}")]), "{deeds}");
            assert_eq!(play.engine.sequence(), untouched.engine.sequence(), "{deeds}");
            assert_eq!(play.engine.next_due(), untouched.engine.next_due(), "{deeds}");
            let expected = heard(&mut untouched, members);
            assert!(expected.len() > 12, "{expected:?}");
            assert_eq!(heard(&mut play, members), expected, "{deeds}");
        }
    }
}

#[test]
fn a_later_step_that_is_refused_leaves_its_member_as_it_was() {
    for deed in DEEDS.into_iter().filter(|deed| *deed != TIMED) {
        let [mut untouched, mut play] =
            worlds(&format!("{{ after: 500ms, do: [{deed}, {{ remove: {{ log: 99 }} }}] }}"), 1);
        assert_eq!(play.send(1, &json!({ "type": "go" })), Vec::<String>::new());
        assert_eq!(play.pass_millis(500), [format!("1 failed: {REFUSED}")], "{deed}");
        assert_eq!(untouched.pass_millis(500), Vec::<String>::new());
        let expected = heard(&mut untouched, 1);
        assert_eq!(heard(&mut play, 1), expected, "{deed}");
    }
}

#[test]
fn a_join_whose_steps_are_refused_joins_nothing() {
    for deeds in deeds() {
        let steps = format!("{deeds}, {{ at: 0s, remove: {{ log: 99 }} }}");
        for later in ["", "after: 500ms, "] {
            let [mut untouched, mut play] = worlds(&format!("{{ {later}join: {{ to: e, do: [{steps}] }} }}"), 1);
            let mut refused = play.send(1, &json!({ "type": "go" }));
            refused.extend(play.pass_millis(500));
            assert_eq!(refused, [format!("1 failed: {REFUSED}")], "{deeds}");
            assert_eq!(untouched.pass_millis(500), Vec::<String>::new());
            let expected = heard(&mut untouched, 1);
            assert_eq!(heard(&mut play, 1), expected, "{deeds}");
        }
    }
}

#[test]
fn a_refused_open_leaves_a_socket_that_has_joined_nothing() {
    let mut play = Play::new(
        "
data: { log: [] }
websocket:
  /s:
    open: [{ join: { to: a, do: [{ after: 1s, reply: never }] } }, { set: { conn.x: 1 } }, { remove: { log: 99 } }]
    messages: [{ reply: $conn }]
",
    );
    assert_eq!(play.open("/s", 1), [format!("1 failed: {REFUSED}")]);
    assert_eq!(play.say(1, "x"), [r#"1: {"id":1,"topics":[]}"#]);
    assert_eq!((play.tell("a"), play.pass(2)), (Vec::new(), Vec::new()));
}

#[test]
fn a_step_that_is_refused_later_leaves_the_others() {
    let mut play = Play::new(
        "
data: { log: [] }
websocket:
  /s:
    open: [{ after: 1s, remove: { log: 9 } }, { reply: a }, { after: 1s, do: [{ reply: b }, { remove: { log: 9 } }] }, { reply: c }]
",
    );
    play.open("/s", 1);
    let refused = "1 failed: Row 9 not found in log";
    assert_eq!(play.pass(1), [refused, r#"1: "a""#]);
    assert_eq!(play.pass(1), [refused, r#"1: "c""#]);
}
