//! What readers see of a world without asking its task.

use std::sync::Arc;

use crate::engine::{Catalogue, Engine};
use crate::scenario::Scenario;

/// What readers see without asking the task.
#[derive(Debug)]
pub struct View {
    /// The scenario that is played.
    pub scenario: Arc<Scenario>,
    /// The seed of all that is random.
    pub seed: u64,
    /// Categories and products.
    pub catalogue: Catalogue,
}

impl View {
    pub(super) fn of(engine: &Engine) -> Self {
        let catalogue = engine.catalogue().clone();
        Self { scenario: engine.scenario().clone(), seed: engine.seed(), catalogue }
    }
}
