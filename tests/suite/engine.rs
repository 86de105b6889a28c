//! The engine as pure functions: no clock, no runtime, no sleep.

use std::sync::Arc;
use std::time::Duration;

use mockd::engine::{Command, Engine, Event, EventKind, Refusal};
use mockd::scenario::Scenario;

use crate::support::accepted;

const PRODUCTS: &str = "categories: { toys: { prefix: T, products: [{ id: T1 }, { id: T2, total: 10 }] } }\n";

fn scenario(orders: &str) -> Arc<Scenario> {
    accepted(&format!("{PRODUCTS}{orders}"))
}

fn steps(steps: &str) -> Arc<Scenario> {
    scenario(&format!("orders: {{ scripts: [{{ {steps} }}] }}\n"))
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Formats events as `time id total`.
fn lines(events: &[Event]) -> Vec<String> {
    let line = |event: &Event| match &event.kind {
        EventKind::Counted { id, value: total, .. } => format!("{} {id} {total}", event.at.as_millis()),
        EventKind::Added { id, .. } => format!("{} +{id}", event.at.as_millis()),
        EventKind::Merged { id, .. } => format!("{} ~{id}", event.at.as_millis()),
        EventKind::Replaced { id, .. } => format!("{} ={id}", event.at.as_millis()),
        EventKind::Removed { id, .. } => format!("{} -{id}", event.at.as_millis()),
        EventKind::ValueSet { name, .. } => format!("{} set {name}", event.at.as_millis()),
        EventKind::FaultBegan { label, .. } => format!("{} {label} began", event.at.as_millis()),
        EventKind::FaultEnded { label, .. } => format!("{} {label} ended", event.at.as_millis()),
        EventKind::Sent { topics, .. } => format!("{} sent to {}", event.at.as_millis(), topics[0]),
        EventKind::Skipped { refusal, .. } => format!("{} {refusal}", event.at.as_millis()),
        EventKind::Delivered { groups, .. } => format!("{} delivered to {groups:?}", event.at.as_millis()),
        EventKind::Member { member, what } => format!("{} {what:?} to {member}", event.at.as_millis()),
    };
    events.iter().map(line).collect()
}

fn play(scenario: &Arc<Scenario>, to: Duration) -> Vec<String> {
    lines(&Engine::new(scenario, 42).advance(to))
}

#[test]
fn steps_run_at_their_time_after_the_start_or_the_previous_step() {
    let script = steps(
        "start: 1s, steps: [{ at: 500ms, product: T1, amount: 5 }, { after: 250ms, product: T2, amount: -1 },
         { product: T1, amount: 1 }, { at: 100ms, set: { product: T2, total: 0 } }]",
    );
    assert_eq!(play(&script, ms(10_000)), ["1100 T2 0", "1500 T1 5", "1750 T2 -1", "1750 T1 6"]);
}

#[test]
fn a_script_without_length_repeats_instantly() {
    let script = steps("repeat: 3, steps: [{ product: T1, amount: 1 }, { product: T2, amount: -1 }]");
    let expected = ["0 T1 1", "0 T2 9", "0 T1 2", "0 T2 8", "0 T1 3", "0 T2 7"];
    assert_eq!(play(&script, ms(10_000)), expected);
    let longest = steps("start: 1s, repeat: 500000, steps: [{ product: T1, amount: 1, times: 2 }]");
    let events = play(&longest, ms(1_000));
    assert_eq!((events.len(), events.last().map(String::as_str)), (1_000_000, Some("1000 T1 1000000")));
    let added = "repeat: 2, steps: [{ product: T7, amount: 1 }, { add: { category: toys, product: { id: T7 } } }]";
    assert_eq!(play(&steps(added), ms(1))[..3], ["0 Order T7 not found", "0 +T7", "0 T7 0"]);
}

/// Returns the amounts that orders add to the total of T1, in order.
fn drawn_amounts(scenario: &Arc<Scenario>, seed: u64, to: Duration) -> Vec<i64> {
    let totals = Engine::new(scenario, seed).advance(to).into_iter().filter_map(|event| match event.kind {
        EventKind::Counted { id, value: total, .. } if &*id == "T1" => Some(total),
        _ => None,
    });
    totals.scan(0, |before, total| Some(total - std::mem::replace(before, total))).collect()
}

#[test]
fn a_step_draws_a_new_amount_on_each_run() {
    let script = steps(
        "repeat: 2, steps: [{ after: 1s, product: T1, amount: { min: -2, max: 7 }, times: 500, every: 1ms }, { product: T1, amount: 100 }]",
    );
    let amounts = drawn_amounts(&script, 42, ms(10_000));
    assert_eq!((amounts.len(), amounts[500], amounts[1001]), (1002, 100, 100));
    let ranged: Vec<i64> = amounts.iter().copied().filter(|amount| *amount != 100).collect();
    for amount in -2..=7 {
        assert!(ranged.iter().filter(|one| **one == amount).count() > 60, "{amount}");
    }
    assert!(ranged.iter().all(|amount| (-2..=7).contains(amount)) && ranged[..500] != ranged[500..]);
    assert_eq!(drawn_amounts(&script, 42, ms(10_000)), amounts);
    assert_ne!(drawn_amounts(&script, 43, ms(10_000)), amounts);
}

#[test]
fn amounts_do_not_depend_on_other_scripts_and_generators() {
    for name in ["name: mine, ", ""] {
        let mine = format!("{{ {name}steps: [{{ product: T1, amount: {{ min: 1, max: 1000 }}, times: 20 }}] }}");
        let other = "{ steps: [{ product: T2, amount: { min: 1, max: 9 }, times: 20 }] }";
        let alone = scenario(&format!("orders: {{ scripts: [{mine}] }}\n"));
        let among = scenario(&format!(
            "orders: {{ scripts: [{other}, {mine}, {other}], random: [{{ every: 1s, products: [T2] }}] }}\n"
        ));
        assert_eq!(drawn_amounts(&alone, 42, ms(1_000)), drawn_amounts(&among, 42, ms(1_000)), "{mine}");
    }
}

#[test]
fn equal_scripts_without_names_draw_independent_amounts() {
    for (name, is_shared) in [("", false), ("name: mine, ", true)] {
        let script = format!("{{ {name}steps: [{{ at: 1s, product: T1, amount: {{ min: 1, max: 1000000 }} }}] }}");
        let amounts =
            drawn_amounts(&scenario(&format!("orders: {{ scripts: [{script}, {script}] }}\n")), 42, ms(1_000));
        assert_eq!((amounts.len(), amounts[0] == amounts[1]), (2, is_shared), "{script}");
    }
}

#[test]
fn a_restored_engine_continues_its_random_draws() {
    let script =
        steps("repeat: forever, steps: [{ after: 1s, product: T1, amount: { min: 1, max: 1000000 }, times: 9 }]");
    let start = Engine::new(&script, 42);
    let mut engine = start.clone();
    engine.advance(ms(3_500));
    let state = serde_json::to_string(&engine.save(&start)).unwrap();
    let mut restored = Engine::restored(&start, serde_json::from_str(&state).unwrap()).unwrap();
    assert_eq!(restored.advance(ms(9_000)), engine.advance(ms(9_000)));
}

#[test]
fn time_advances_for_thousands_of_years() {
    const YEAR: Duration = Duration::from_hours(24 * 365);
    let scenario = scenario(
        "orders:
  random: [{ every: 8760h, jitter: 1ms, products: [T1] }, { every: 8760h, arrivals: poisson, products: [T1] }]
  scripts: [{ repeat: forever, steps: [{ after: 8760h, product: T2, amount: 1 }] }]
",
    );
    let mut engine = Engine::new(&scenario, 42);
    let count = |events: Vec<Event>, id: &str| {
        events.iter().filter(|event| matches!(&event.kind, EventKind::Counted { id: of, .. } if **of == *id)).count()
    };
    engine.advance(YEAR * 10_000);
    let events = engine.advance(YEAR * 10_100);
    assert!((150..250).contains(&count(events.clone(), "T1")), "{events:?}");
    assert_eq!(count(events.clone(), "T2"), 100);
    let last = serde_json::to_value(&events[events.len() - 1]).unwrap();
    assert!(last["at"].as_str().is_some_and(|at| at.starts_with("884")), "{last}");
}

#[test]
fn time_ends_at_the_maximum_duration_with_nothing_due() {
    let script = steps("repeat: forever, steps: [{ after: 23990h, product: T1, amount: 1, times: 3, every: 1h }]");
    let mut late = serde_json::to_value(Engine::new(&script, 1).save(&Engine::new(&script, 1))).unwrap();
    late["scripts"][0]["origin"] = serde_json::json!({ "secs": u64::MAX - 90_000_000, "nanos": 0 });
    let mut engine = Engine::restored(&Engine::new(&script, 1), serde_json::from_value(late).unwrap()).unwrap();
    assert_eq!(engine.advance(Duration::MAX).len(), 3);
    assert_eq!((engine.next_due(), engine.now()), (None, Duration::MAX));
}

#[test]
fn a_script_repeats_as_declared_after_its_last_step() {
    let script = "steps: [{ at: 100ms, product: T1, amount: 1 }, { at: 300ms, product: T2, amount: 1 }]";
    let twice = steps(&format!("repeat: 2, {script}"));
    assert_eq!(play(&twice, ms(10_000)), ["100 T1 1", "300 T2 11", "400 T1 2", "600 T2 12"]);
    let forever = steps(&format!("repeat: forever, {script}"));
    assert_eq!(play(&forever, ms(3_000_000)).len(), 20_000);
}

#[test]
fn a_repeated_step_overlaps_the_steps_after_it() {
    let script = steps(
        "steps: [{ at: 1s, product: T1, amount: 1, times: 3, every: 10ms }, { at: 1010ms, product: T2, amount: 1 },
         { after: 5ms, product: T2, amount: 1 }]",
    );
    assert_eq!(play(&script, ms(2_000)), ["1000 T1 1", "1010 T1 2", "1010 T2 11", "1015 T2 12", "1020 T1 3"]);
}

#[test]
fn a_step_after_a_repeated_one_starts_from_its_last_run() {
    let script =
        steps("steps: [{ product: T1, amount: 1, times: 3, every: 10ms }, { after: 5ms, product: T2, amount: 1 }]");
    assert_eq!(play(&script, ms(2_000)), ["0 T1 1", "10 T1 2", "20 T1 3", "25 T2 11"]);
}

#[test]
fn a_script_adds_and_removes_products() {
    let script = steps(
        "steps: [{ at: 1s, add: { category: toys, product: { name: Kite, total: 4 } } }, { at: 2s, product: T3, amount: 1 },
         { at: 3s, remove: { product: T3 } }, { at: 4s, product: T3, amount: 1 }]",
    );
    let mut engine = Engine::new(&script, 42);
    let events = lines(&engine.advance(ms(2_500)));
    assert_eq!(events, ["1000 +T3", "1000 T3 4", "2000 T3 5"]);
    assert_eq!(engine.collections().get("toys").unwrap().rows().len(), 3);
    assert_eq!(lines(&engine.advance(ms(5_000))), ["3000 -T3", "4000 Order T3 not found"]);
    assert_eq!(engine.collections().get("toys").unwrap().rows().len(), 2);
}

#[test]
fn a_total_never_leaves_the_safe_integers() {
    let script = steps("steps: [{ set: { product: T1, total: 9007199254740991 } }, { product: T1, amount: 1 }]");
    let events = play(&script, ms(1));
    assert_eq!(events[1], "0 The total of T1 would leave the range of ±9007199254740991, it stays 9007199254740991");
}

#[test]
fn events_do_not_depend_on_how_time_is_advanced() {
    let orders = "orders:
  random: [{ every: 7ms, amount: { min: -3, max: 9 } }, { rate: 90/s, arrivals: poisson }, { every: 50ms, jitter: 20ms }]
  scripts: [{ repeat: forever, steps: [{ after: 33ms, product: T1, amount: 1, times: 2, every: 5ms }] }]\n";
    let scenario = scenario(orders);
    let mut stepped = Engine::new(&scenario, 7);
    let events: Vec<Event> = (0..=20_000).step_by(13).flat_map(|at| stepped.advance(ms(at))).collect();
    let mut woken = Engine::new(&scenario, 7);
    let mut at_due_times = Vec::new();
    while let Some(due) = woken.next_due().filter(|due| *due <= stepped.now()) {
        at_due_times.extend(woken.advance(due));
    }
    assert!(events.len() > 4_000);
    assert_eq!(events, at_due_times);
    assert_eq!(events, Engine::new(&scenario, 7).advance(stepped.now()));
}

#[test]
fn event_sequence_numbers_have_no_gaps() {
    let mut engine = Engine::new(&scenario("orders: { random: [{ every: 1ms }] }\n"), 1);
    let events = engine.advance(ms(500));
    assert!(events.iter().map(|event| event.sequence).eq(1..=500));
    assert_eq!(engine.apply(Command::count("T1", 1)).unwrap().events[0].sequence, 501);
}

#[test]
fn a_seed_yields_the_golden_orders() {
    let random = scenario("orders: { random: [{ every: 1s, amount: { min: 1, max: 7 } }] }\n");
    assert_eq!(play(&random, ms(8_000)), GOLDEN);
}

const GOLDEN: [&str; 8] =
    ["1000 T2 17", "2000 T1 5", "3000 T1 7", "4000 T1 13", "5000 T2 19", "6000 T2 26", "7000 T2 31", "8000 T2 33"];

#[test]
fn evenly_spaced_orders_do_not_drift() {
    let random = scenario("orders: { random: [{ rate: 3/s }] }\n");
    let mut engine = Engine::new(&random, 1);
    assert_eq!(engine.advance(Duration::from_hours(10)).len(), 108_000);
}

#[test]
fn jitter_stays_within_its_bounds_and_does_not_drift() {
    let random = scenario("orders: { random: [{ every: 100ms, jitter: 30ms }] }\n");
    let events = Engine::new(&random, 5).advance(ms(100_000));
    for (event, number) in events.iter().zip(1..) {
        let even = 100.0 * f64::from(number);
        assert!((event.at.as_secs_f64() * 1000.0 - even).abs() <= 30.0, "order {number} is at {:?}", event.at);
    }
    assert!(events.windows(2).any(|pair| pair[1].at.abs_diff(pair[0].at) != ms(100)));
}

#[test]
fn poisson_gaps_have_the_mean_and_deviation_of_the_rate() {
    let random = scenario("orders: { random: [{ rate: 20/s, arrivals: poisson }] }\n");
    let events = Engine::new(&random, 3).advance(Duration::from_secs(2_000));
    let gaps: Vec<f64> = events.windows(2).map(|pair| pair[1].at.abs_diff(pair[0].at).as_secs_f64()).collect();
    #[expect(clippy::cast_precision_loss, reason = "some ten thousand")]
    let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
    #[expect(clippy::cast_precision_loss, reason = "some ten thousand")]
    let deviation = (gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64).sqrt();
    assert!((mean - 0.05).abs() < 0.001 && (deviation - 0.05).abs() < 0.002, "{mean} {deviation}");
}

#[test]
fn amounts_and_products_are_drawn_as_declared() {
    let random = scenario(
        "orders: { random: [{ every: 1ms, amount: { min: -2, max: 2 }, products: { weights: { T1: 3, T2: 1 } } }] }\n",
    );
    let events = Engine::new(&random, 11).advance(ms(8_000));
    let mut totals = std::collections::HashMap::from([("T1".to_owned(), 0), ("T2".to_owned(), 10)]);
    let mut amounts = std::collections::BTreeMap::new();
    let mut first = 0;
    for event in &events {
        let EventKind::Counted { id, value: total, .. } = &event.kind else { panic!() };
        let before = totals.insert(id.to_string(), *total).unwrap();
        *amounts.entry(total - before).or_insert(0) += 1;
        first += usize::from(&**id == "T1");
    }
    assert!((5_800..6_200).contains(&first), "{first}");
    assert!(amounts.keys().eq(&[-2, -1, 0, 1, 2]) && amounts.values().all(|count| (1_450..1_750).contains(count)));
}

#[test]
fn a_generator_runs_only_between_from_and_until() {
    let random = scenario("orders: { random: [{ every: 1s, from: 2s, until: 5s, products: [T1] }] }\n");
    assert_eq!(play(&random, ms(60_000)), ["3000 T1 1", "4000 T1 2", "5000 T1 3"]);
}

#[test]
fn a_generator_ends_when_its_times_overflow() {
    let start = Engine::new(&scenario("orders: { random: [{ every: 20000h, amount: 1 }] }"), 1);
    let mut late = serde_json::to_value(start.save(&start)).unwrap();
    let seconds = u64::MAX - 200_000_000;
    late["generators"][0]["origin"] = serde_json::json!({ "secs": seconds, "nanos": 0 });
    late["generators"][0]["due"] = serde_json::json!({ "secs": seconds + 72_000_000, "nanos": 0 });
    let mut engine = Engine::restored(&start, serde_json::from_value(late).unwrap()).unwrap();
    assert_eq!(engine.advance(Duration::MAX).len(), 2);
    assert_eq!(engine.next_due(), None);
}

#[test]
fn a_clone_continues_independently_from_the_same_state() {
    let script =
        "{ scripts: [{ repeat: forever, steps: [{ at: 70ms, add: { category: toys, product: { name: X } } }] }],
        random: [{ rate: 50/s, arrivals: poisson, amount: { min: -3, max: 9 } }] }";
    let mut engine = Engine::new(&scenario(&format!("orders: {script}\n")), 42);
    engine.advance(ms(1000));
    let mut clone = engine.clone();
    engine.apply(Command::count("T1", 1_000)).unwrap();
    let continued = engine.advance(ms(5_000));
    clone.apply(Command::count("T1", 1_000)).unwrap();
    assert_eq!(clone.advance(ms(5_000)), continued);
    assert_eq!(clone.counter_values().collect::<Vec<_>>(), engine.counter_values().collect::<Vec<_>>());
}

#[test]
fn a_batch_of_orders_is_applied_entirely_or_not_at_all() {
    let mut engine = Engine::new(&scenario(""), 1);
    let orders = |orders: &[(&str, i64)]| Command::CountAll {
        amounts: orders.iter().map(|(id, amount)| ((*id).into(), *amount)).collect(),
    };
    let refused = engine.apply(orders(&[("T1", 5), ("T2", 1), ("T1", i64::MAX)])).unwrap_err();
    assert!(matches!(refused, Refusal::At { index: 2, .. }), "{refused}");
    assert_eq!(
        (engine.sequence(), engine.counter_values().map(|(_, total)| total).collect::<Vec<_>>()),
        (0, vec![0, 10])
    );
    assert_eq!(engine.counters_changed_since(0), []);
    assert_eq!(lines(&engine.apply(orders(&[("T1", 5), ("T1", 1)])).unwrap().events), ["0 T1 5", "0 T1 6"]);
    assert_eq!(
        lines(&engine.apply(Command::SetCounters { values: vec![("T1".into(), 2)] }).unwrap().events),
        ["0 T1 2"]
    );
}

#[test]
fn generators_do_not_affect_each_other() {
    let (one, other) = ("{ every: 1s, products: [T1], amount: { min: 1, max: 100 } }", "{ every: 1s, products: [T2] }");
    let alone = play(&scenario(&format!("orders: {{ random: [{one}] }}\n")), ms(9_500));
    let both = play(&scenario(&format!("orders: {{ random: [{one}, {other}] }}\n")), ms(9_500));
    let first: Vec<String> = both.into_iter().filter(|line| line.contains("T1")).collect();
    assert_eq!(first, alone);
}

#[test]
fn unchanged_scripts_continue_and_changed_ones_restart() {
    let unchanged = "{ steps: [{ at: 1s, product: T1, amount: 1 }, { at: 3s, product: T1, amount: 1 }] }";
    let changed = |amount: i64| format!("{{ steps: [{{ at: 1s, product: T2, amount: {amount} }}] }}");
    let all = |amount: i64| scenario(&format!("orders: {{ scripts: [{}, {unchanged}] }}\n", changed(amount)));
    let mut engine = Engine::new(&all(1), 42);
    assert_eq!(lines(&engine.advance(ms(2_000))), ["1000 T2 11", "1000 T1 1"]);
    let listed: Vec<String> = engine.replace(&all(5), 42).changes.iter().map(ToString::to_string).collect();
    assert_eq!(listed, ["script 1 changed"]);
    // The unchanged script is between its steps. The changed one restarts at the reload, so its step is first.
    assert_eq!(lines(&engine.advance(ms(9_000))), ["3000 T2 16", "3000 T1 2"]);
}

#[test]
fn a_product_removed_by_a_script_stays_removed_until_redeclared() {
    let script = "orders: { scripts: [{ steps: [{ at: 1s, remove: { product: T2 } }] }] }\n";
    let mut engine = Engine::new(&scenario(script), 42);
    engine.advance(ms(1_000));
    let again = scenario(&format!("{script}# saved again\n"));
    assert!(engine.replace(&again, 42).changes.is_empty());
    assert_eq!(engine.counter_readings("toys").count(), 1);
    let text = PRODUCTS.replace("total: 10", "total: 11");
    let changed = accepted(&text);
    assert_eq!(lines(&engine.replace(&changed, 42).events), ["1000 T2 11"]);
}
