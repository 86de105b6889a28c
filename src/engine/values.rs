//! stub
use crate::scenario::Scenario;
use indexmap::IndexMap;
use serde_json::Value;
use std::sync::Arc;
#[derive(Debug, Clone, Default)]
pub struct DataValues(Arc<IndexMap<Arc<str>, Arc<Value>>>);
impl DataValues {
    pub(super) fn of(scenario: &Scenario) -> Self {
        Self(Arc::new(scenario.values().clone()))
    }
    pub fn get(&self, name: &str) -> Option<&Arc<Value>> {
        self.0.get(name)
    }
}
