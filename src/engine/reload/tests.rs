#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::time::Duration;

use serde_json::Map;

use super::*;
use crate::engine::Command;
use crate::scenario::{Source, parse};

/// Two toys, more rows if given, and a script unless it is empty.
fn scenario(more: &str, script: &str) -> Arc<Scenario> {
    let text = format!(
        "categories: {{ toys: {{ prefix: T, products: [{{ id: T1 }}, {{ id: T2 }}{more}] }} }}\norders: {{ scripts: [{script}] }}\n"
    );
    Arc::new(parse(&Source::new("toys.yaml", &text)).unwrap())
}

#[test]
fn a_reload_after_a_post_or_a_removal_compares_once() {
    const SCRIPT: &str = "{ steps: [{ at: 1s, remove: { product: T1 } }, { at: 1h, product: T2, amount: 1 }] }";
    let (old, new) = (scenario("", SCRIPT), scenario(", { id: X1 }", SCRIPT));
    let post = |engine: &mut Engine| drop(engine.apply(Command::AddRow("toys".into(), Map::new())).unwrap());
    let removal = |engine: &mut Engine| drop(engine.advance(Duration::from_secs(1)));
    for change in [&post as &dyn Fn(&mut Engine), &removal] {
        let mut engine = Engine::new(&old, 1);
        let mut plan = ReloadPlan::new(engine.clone(), Engine::new(&new, 1));
        // The plan says that X1 is as before and the script is new; comparing again would find the opposite.
        plan.comparison = Comparison::of(&scenario(", { id: X1 }", ""), &new);
        change(&mut engine);
        assert!(!engine.counters.shares_counters_with(&plan.old.counters));
        let changes = engine.reload(&plan, 1).changes;
        assert_eq!(changes, [Change::ScriptAdded { script: "script 1".to_owned() }]);
    }
}
