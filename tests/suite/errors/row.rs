//! `it`, the row that a step has changed, is known only after that step.

use super::rules::{answer, assert_problems, step, with};
use crate::support::accepted;

const HELP: &str = "`it` is the row that an earlier step of the same `do` adds, merges, replaces, removes or increments, or that the `pick` of a generator chooses";

#[test]
fn the_row_is_unknown_before_a_step_changes_one() {
    let message = |rule: &str| with(&format!("websocket: {{ /s: {{ messages: [{rule}] }} }}"));
    let add = "add: { todos: { a: 1 } }";
    let cases = [
        step(&format!("{{ set: {{ price: $it }} }}, {{ {add} }}")),
        step(&format!("{{ set: {{ price: 1 }} }}, {{ do: [{{ when: it.id == 1, {add} }}] }}")),
        step("{ add: { todos: { a: $it.id } } }"),
        answer(&format!("{{ do: [{{ with: {{ x: $it }}, {add} }}] }}")),
        answer("{ do: [{ set: { price: 1 } }], body: $it }"),
        answer("{ set: { price: $it } }"),
        answer("{ stream: [{ reply: $it }] }"),
        message(&format!("{{ do: [{{ reply: $it }}, {{ {add} }}] }}")),
        message(&format!("{{ with: {{ x: $it }}, {add} }}")),
        message("{ do: [{ join: { to: todos, do: [{ reply: $it }] } }] }"),
        message(&format!("{{ do: [{{ join: {{ to: todos, do: [{{ {add} }}] }} }}, {{ reply: $it }}] }}")),
        with("triggers: [{ topic: todos, set: { price: $it } }]"),
        with("random: [{ every: 1s, set: { price: $it } }]"),
    ];
    let cases = cases.map(|text| (text, "unknown name `it`", "it", HELP));
    assert_problems(&cases);
}

#[test]
fn the_row_is_known_after_a_step_that_may_change_one() {
    let message = |rule: &str| with(&format!("websocket: {{ /s: {{ messages: [{rule}] }} }}"));
    let add = "add: { todos: { a: 1 } }";
    for valid in [
        step(&format!("{{ when: price > 1, {add} }}, {{ set: {{ price: $it }} }}")),
        step(&format!("{{ do: [{{ {add} }}] }}, {{ set: {{ price: $it }} }}, {{ set: {{ price: $it.id }} }}")),
        step(&format!("{{ {add} }}, {{ do: [{{ each: [1], set: {{ price: $it }} }}] }}")),
        step(&format!("{{ do: [{{ {add} }}, {{ do: [{{ set: {{ price: $it }} }}] }}] }}")),
        step("{ times: 3, every: 1s, add: { todos: { n: \"{{ (it.n or 0) + 1 }}\" } } }"),
        step("{ each: [1, 2], add: { todos: { n: \"{{ (it.n or 0) + 1 }}\" } } }"),
        step(&format!("{{ at: 2s, set: {{ price: $it }} }}, {{ at: 1s, {add} }}")),
        step(&format!("{{ times: forever, every: 1s, when: it, set: {{ price: $it }} }}, {{ after: 1s, {add} }}")),
        answer(&format!("{{ {add}, body: $it }}")),
        answer(&format!("{{ {add}, stream: [{{ reply: $it }}] }}")),
        answer("{ do: [{ set: { price: 1 } }, { remove: { todos: 1 } }], body: $it }"),
        answer("{ increment: { todos: { id: 1, n: 1 } }, headers: { x-n: $it.n } }"),
        message(&format!("{{ do: [{{ {add} }}, {{ join: {{ to: todos, do: [{{ reply: $it }}] }} }}] }}")),
        with("random: [{ every: 1s, pick: todos, do: [{ set: { price: $it } }, { do: [{ set: { price: $it } }] }] }]"),
    ] {
        accepted(&valid);
    }
    // An invalid step may be meant to change a row.
    let misspelt = step("{ ad: { todos: {} } }, { set: { price: $it } }");
    assert_problems(&[(misspelt, "unknown key `ad`", "ad", "did you mean `add`?")]);
    let misspelt = answer("{ do: [{ ad: { todos: {} } }], body: $it }");
    assert_problems(&[(misspelt, "unknown key `ad`", "ad", "did you mean `add`?")]);
}
