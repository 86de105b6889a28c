//! An index of a topic's groups by one text, number or boolean in their `where`. An event is compared only with the
//! groups that it may match.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::Value;

/// The maximum number of leaves considered per condition.
const MAX_LEAVES: usize = 8;

/// The numbers of groups, each under one leaf of its condition.
#[derive(Debug, Clone, Default)]
pub(super) struct ByLeaf {
    /// Group numbers by the keys that lead to a leaf, and by its hash. A hash collision costs only a comparison.
    leaves: BTreeMap<Vec<String>, HashMap<u64, BTreeSet<u64>>>,
    /// Groups whose condition has no leaf.
    others: BTreeSet<u64>,
}

impl ByLeaf {
    /// Adds a group under its rarest leaf, which is the most selective.
    pub(super) fn insert(&mut self, condition: Option<&Value>, number: u64) {
        let group_count = |(path, hash): &(Vec<String>, u64)| {
            self.leaves.get(path).and_then(|values| values.get(hash)).map_or(0, BTreeSet::len)
        };
        match leaves(condition).into_iter().min_by_key(group_count) {
            Some((path, hash)) => self.leaves.entry(path).or_default().entry(hash).or_default().insert(number),
            None => self.others.insert(number),
        };
    }

    pub(super) fn remove(&mut self, condition: Option<&Value>, number: u64) {
        if self.others.remove(&number) {
            return;
        }
        for (path, hash) in leaves(condition) {
            let Some(values) = self.leaves.get_mut(&path) else { continue };
            let Some(numbers) = values.get_mut(&hash) else { continue };
            if !numbers.remove(&number) {
                continue;
            }
            if numbers.is_empty() {
                values.remove(&hash);
            }
            if values.is_empty() {
                self.leaves.remove(&path);
            }
            return;
        }
    }

    /// Returns a sorted superset of the groups whose condition an event contains. `None` stands for all groups.
    pub(super) fn candidates(&self, event: &Value) -> Option<Vec<u64>> {
        if self.leaves.is_empty() {
            return None;
        }
        let mut found: Vec<u64> = self.others.iter().copied().collect();
        for (path, values) in &self.leaves {
            let leaf = path.iter().try_fold(event, |value, key| value.get(key));
            let numbers = leaf.and_then(leaf_hash).and_then(|hash| values.get(&hash));
            found.extend(numbers.into_iter().flatten());
        }
        found.sort_unstable();
        Some(found)
    }
}

/// Returns the first leaves of a condition: the keys that lead to each, and its hash.
fn leaves(condition: Option<&Value>) -> Vec<(Vec<String>, u64)> {
    let mut found = Vec::new();
    if let Some(condition) = condition {
        add_leaves(condition, &mut Vec::new(), &mut found);
    }
    found
}

fn add_leaves(value: &Value, path: &mut Vec<String>, found: &mut Vec<(Vec<String>, u64)>) {
    for (key, value) in value.as_object().into_iter().flatten() {
        if found.len() == MAX_LEAVES {
            return;
        }
        path.push(key.clone());
        match leaf_hash(value) {
            Some(hash) => found.push((path.clone(), hash)),
            None => add_leaves(value, path, found),
        }
        path.pop();
    }
}

/// Returns a hash that is the same for equal values. `None` if the value is not a leaf. Null is not a leaf, because it
/// also equals a missing key.
fn leaf_hash(value: &Value) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    match value {
        Value::String(text) => text.hash(&mut hasher),
        Value::Bool(is_true) => is_true.hash(&mut hasher),
        // 0 equals -0, and 10 equals 10.0.
        Value::Number(number) => (number.as_f64()? + 0.0).to_bits().hash(&mut hasher),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    }
    Some(hasher.finish())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::ByLeaf;
    use crate::matching;

    /// Generates JSON values that are often contained in each other.
    fn value() -> impl Strategy<Value = Value> {
        let scalar = prop::sample::select(vec![
            json!(1),
            json!(1.0),
            json!(0),
            json!(-0.0),
            json!(u64::MAX),
            json!("1"),
            json!("a"),
            json!(true),
            json!(null),
        ]);
        scalar.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                3 => prop::collection::vec(("[a-c]", inner.clone()), 0..3)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
                1 => prop::collection::vec(inner, 0..3).prop_map(Value::Array),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_index_agrees_with_a_scan_of_all_groups(
            groups in prop::collection::vec((prop::option::of(value()), any::<bool>()), 0..20),
            events in prop::collection::vec(value(), 1..8),
        ) {
            let mut by_leaf = ByLeaf::default();
            let numbered: Vec<_> = (1..).zip(&groups).collect();
            for (number, (condition, _)) in &numbered {
                by_leaf.insert(condition.as_ref(), *number);
            }
            for (number, (condition, _)) in numbered.iter().filter(|(_, (_, stays))| !stays) {
                by_leaf.remove(condition.as_ref(), *number);
            }
            let staying = || numbered.iter().filter(|(_, (_, stays))| *stays);
            for event in &events {
                let is_for = |condition: &Option<Value>| {
                    condition.as_ref().is_none_or(|condition| matching::contains(condition, event))
                };
                let expected: Vec<u64> =
                    staying().filter(|(_, (condition, _))| is_for(condition)).map(|(number, _)| *number).collect();
                let all = staying().map(|(number, _)| *number).collect();
                let candidates = by_leaf.candidates(event).unwrap_or(all);
                prop_assert!(candidates.is_sorted());
                let found: Vec<u64> = candidates
                    .into_iter()
                    .filter(|number| numbered.iter().any(|(one, (condition, stays))| one == number && *stays && is_for(condition)))
                    .collect();
                prop_assert_eq!(found, expected);
            }
            for (number, (condition, _)) in staying() {
                by_leaf.remove(condition.as_ref(), *number);
            }
            prop_assert!(by_leaf.leaves.is_empty() && by_leaf.others.is_empty());
        }
    }

    #[test]
    fn an_event_of_a_room_is_compared_with_the_rooms_groups() {
        let mut by_leaf = ByLeaf::default();
        for room in 0..1000_u64 {
            by_leaf.insert(Some(&json!({ "change": "added", "row": { "room": room } })), room);
        }
        // The first group is indexed under `change`, because no other group used that leaf yet.
        let event = json!({ "change": "added", "row": { "id": 7, "room": 500 } });
        assert_eq!(by_leaf.candidates(&event), Some(vec![0, 500]));
        assert_eq!(by_leaf.candidates(&json!({ "change": "removed", "row": null })), Some(vec![]));
    }
}
