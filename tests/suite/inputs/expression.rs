//! Any text in place of an expression is rejected at a position within it, or runs within its limits and gives the same
//! result every time.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mockd::expression::{CompileError, Data, Language, Limits, Names, Rows, Runtime, plain_text};
use serde_json::{Value, json};

/// A deterministic environment for functions.
#[derive(Debug, Default)]
pub(crate) struct Setting {
    state: u64,
    counters: BTreeMap<String, u64>,
}

impl Runtime for Setting {
    /// `SplitMix64` (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", 2014).
    fn word(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let word = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    fn count(&mut self, counter: &str) -> u64 {
        let count = self.counters.entry(counter.to_owned()).or_default();
        *count += 1;
        *count
    }

    fn now(&self) -> i64 {
        1_767_225_601_005
    }

    fn joined(&self, topic: &str) -> u64 {
        self.members(topic).len() as u64
    }

    fn members(&self, topic: &str) -> Vec<Value> {
        if topic == "lobby" { vec![json!({ "id": 1, "name": "Ada" }), json!({ "id": 2 })] } else { Vec::new() }
    }
}

/// Rows that count their lookups.
#[derive(Debug, Clone)]
pub(crate) struct Collection {
    rows: Arc<Vec<Arc<Value>>>,
    lookups: Arc<AtomicUsize>,
}

impl Collection {
    pub(crate) fn new(rows: Vec<Value>) -> Self {
        Self { rows: Arc::new(rows.into_iter().map(Arc::new).collect()), lookups: Arc::default() }
    }

    #[allow(dead_code, reason = "the fuzz target does not use it")]
    pub(crate) fn lookups(&self) -> usize {
        self.lookups.load(Ordering::Relaxed)
    }
}

impl Rows for Collection {
    fn count(&self) -> usize {
        self.rows.len()
    }

    fn at(&self, index: usize) -> Option<Arc<Value>> {
        self.lookups.fetch_add(1, Ordering::Relaxed);
        self.rows.get(index).cloned()
    }

    fn with_id(&self, id: &str) -> Option<Arc<Value>> {
        self.rows.iter().find(|row| plain_text(&row["id"]) == id).cloned()
    }
}

fn known(name: &str) -> Option<Data> {
    match name {
        "msg" => Some(Data::from(json!({ "id": 7, "items": [1, 2.5, "x"], "done": true, "none": null }))),
        "rows" => Some(Data::rows(Collection::new(vec![json!({ "id": 1 }), json!({ "id": "A2" })]))),
        _ => None,
    }
}

pub(crate) fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let limits = Limits { fuel: 2_000, bytes: 4_096 };
    let (language, names) = (Language::new(limits), Names::from(["msg", "rows", "path"]));
    match language.condition(&text, &names) {
        Ok(condition) => {
            let holds = || condition.holds(&known, &mut Setting::default());
            let first = holds();
            assert_eq!(first, holds(), "{text}");
            if let Err(error) = first {
                assert_place(&text, &error.place.range);
                assert!(error.to_string().len() > error.expression.len());
            }
        }
        Err(errors) => assert_places(&text, &errors),
    }
    match language.template(&Value::from(&*text), &names) {
        Ok(template) => {
            assert!(template.names().iter().all(|name| name == "now" || names.contains(name)), "{text}");
            let render = || template.render(&known, &mut Setting::default());
            let first = render();
            assert_eq!(first, render(), "{text}");
            match first {
                Ok(Some(value)) if template.is_constant() => assert!(value.is_string()),
                Ok(value) => assert!(value.unwrap_or_default().to_string().len() <= 8 * limits.bytes + 8 * text.len()),
                Err(error) => assert_place(&text, &error.place.range),
            }
        }
        Err(errors) => assert_places(&text, &errors),
    }
    if let Ok(value) = serde_json::from_str::<Value>(&text)
        && let Ok(template) = language.template(&value, &names)
    {
        let _ = template.render_required(&known, &mut Setting::default());
    }
}

fn assert_places(text: &str, errors: &[CompileError]) {
    assert!(!errors.is_empty(), "{text}");
    for error in errors {
        assert_place(text, &error.place.range);
        assert!(!error.to_string().is_empty());
    }
}

fn assert_place(text: &str, range: &Range<usize>) {
    assert!(text.get(range.clone()).is_some(), "{range:?} of {text:?}");
}
