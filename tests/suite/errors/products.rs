//! References to products in orders and steps, and whether the products exist at that time.

use super::{messages, report, with};
use crate::support::accepted;

#[test]
fn an_invalid_product_causes_no_errors_in_its_orders() {
    let text = "\
categories: { toys: { prefix: T, products: [{ id: true }] } }
orders: { random: [{ every: 1s, products: [T7] }] }
";
    assert_eq!(messages(text), ["expected text or a number, found the boolean `true`"]);
}

/// Returns a scenario with two scripts that run concurrently.
fn scripts(one: &str, other: &str) -> String {
    with(&format!("orders: {{ scripts: [{{ {one} }}, {{ {other} }}] }}\n"))
}

#[test]
fn a_product_can_be_ordered_once_a_step_has_added_it() {
    let add = "{ at: 2s, add: { category: toys, product: { id: T7 } } }";
    let order = |at: &str| format!("{{ at: {at}, product: T7, amount: 1 }}");
    let other = "steps: [{ product: T1, amount: 1 }]";
    for valid in [
        scripts(&format!("steps: [{add}, {}]", order("2s")), other),
        scripts(&format!("steps: [{}, {add}]", order("3s")), other),
        scripts(&format!("repeat: 2, steps: [{}, {add}]", order("1s")), other),
        scripts(&format!("steps: [{add}]"), &format!("steps: [{}]", order("2s"))),
        scripts(&format!("steps: [{add}]"), &format!("start: 1s, steps: [{}]", order("1s"))),
        scripts(&format!("steps: [{add}]"), &format!("repeat: forever, steps: [{}]", order("1s"))),
        scripts("steps: [{ add: { category: toys, product: {} } }]", &format!("steps: [{}]", order("0s"))),
        with(&format!("orders: {{ random: [{{ every: 1s, products: [T7] }}], scripts: [{{ steps: [{add}] }}] }}\n")),
    ] {
        accepted(&valid);
    }
    for invalid in [
        scripts(&format!("steps: [{}, {add}]", order("2s")), other),
        scripts(&format!("steps: [{add}, {}]", order("1s")), other),
        scripts(&format!("start: 1s, steps: [{add}]"), &format!("steps: [{}]", order("2s"))),
        with(&format!(
            "orders: {{ random: [{{ every: 1s, products: [T7], until: 1s }}], scripts: [{{ steps: [{add}] }}] }}\n"
        )),
    ] {
        assert_eq!(messages(&invalid), ["there is no product `T7` yet"], "{invalid}");
    }
}

#[test]
fn ordering_a_removed_product_points_at_both_steps() {
    let text = with(
        "orders:\n  scripts:\n    - steps:\n        - { at: 1s, remove: { product: T1 } }\n        - { at: 2s, product: T1, amount: 1 }\n",
    );
    let expected = "\
error: product `T1` has already been removed
 --> shop.yaml:6:30
  |
5 |         - { at: 1s, remove: { product: T1 } }
  |                                        -- removed here
6 |         - { at: 2s, product: T1, amount: 1 }
  |                              ^^ no longer exists at this point
  |
  = help: move this step before the one that removes the product, or add the product again between them";
    assert_eq!(report(&text), expected);
}

#[test]
fn a_removed_product_is_an_error_only_when_certain() {
    let (remove, add) = ("{ at: 2s, remove: { product: T1 } }", "add: { category: toys, product: { id: T1 } }");
    let other = "steps: [{ product: T2, amount: 1 }]";
    let order = "{ at: 3s, product: T1, amount: 1 }";
    for invalid in [
        scripts(&format!("steps: [{remove}, {order}]"), other),
        scripts(&format!("steps: [{order}, {remove}]"), other),
        scripts(&format!("repeat: forever, steps: [{remove}, {order}]"), other),
        scripts(&format!("steps: [{{ at: 1s, {add} }}, {remove}, {order}]"), other),
        scripts(&format!("steps: [{remove}, {order}, {{ at: 3s, {add} }}]"), other),
        scripts(&format!("steps: [{remove}, {{ set: {{ product: T1, total: 1 }} }}]"), other),
        scripts(&format!("steps: [{remove}, {{ after: 1s, remove: {{ product: T1 }} }}]"), other),
    ] {
        assert_eq!(messages(&invalid), ["product `T1` has already been removed"], "{invalid}");
    }
    for valid in [
        scripts(&format!("steps: [{remove}, {{ {add} }}, {order}]"), other),
        scripts(&format!("steps: [{{ at: 1s, {add}, times: 2, every: 2s }}, {remove}, {order}]"), other),
        scripts(
            "steps: [{ at: 2s, remove: { product: T1 } }, { at: 1s, product: T1, amount: 1, times: 3, every: 1s }]",
            other,
        ),
        scripts(&format!("repeat: 2, steps: [{{ at: 1s, product: T1, amount: 1 }}, {remove}]"), other),
        scripts(&format!("steps: [{remove}, {order}]"), &format!("steps: [{{ {add} }}]")),
        scripts(&format!("steps: [{remove}, {order}]"), "steps: [{ add: { category: toys, product: {} } }]"),
        scripts(&format!("steps: [{remove}]"), &format!("steps: [{order}]")),
    ] {
        accepted(&valid);
    }
}

#[test]
fn a_long_step_may_order_a_product_added_meanwhile() {
    let add = "start: 2000h, steps: [{ add: { category: toys, product: { id: T9 } } }]";
    let valid = scripts(add, "steps: [{ product: T9, amount: 1, times: 10000000000, every: 1ms }]");
    accepted(&valid);
}
