//! How far scripts and generators are.

use std::sync::Arc;
use std::time::Duration;

use super::Engine;
use super::timelines::Label;
use crate::scenario::{Generator, Script};

/// A script at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct ScriptState {
    /// What messages call it.
    pub label: String,
    /// What was declared.
    pub script: Script,
    /// The world's time at which the current repeat's time is 0.
    pub origin: Duration,
    /// Repeats before the current one.
    pub round: u64,
    /// The index of the next step that has not begun; the number of steps if all have.
    pub next: usize,
    /// When it does something next; `None` once it is over.
    pub due: Option<Duration>,
}

/// A generator at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct GeneratorState {
    /// What messages call it.
    pub label: String,
    /// What was declared.
    pub generator: Arc<Generator>,
    /// The world's time at which its own time is 0.
    pub origin: Duration,
    /// When its next order comes; `None` once it is over.
    pub due: Option<Duration>,
}

impl Engine {
    /// The scripts, in declared order.
    pub fn script_states(&self) -> impl Iterator<Item = ScriptState> {
        self.scripts.iter().enumerate().map(|(index, run)| ScriptState {
            label: run.declared.label(index),
            script: run.declared.clone(),
            origin: run.origin,
            round: run.round,
            next: run.cursor,
            due: run.due(),
        })
    }

    /// The generators, in declared order.
    pub fn generator_states(&self) -> impl Iterator<Item = GeneratorState> {
        self.generators.iter().enumerate().map(|(index, run)| GeneratorState {
            label: run.declared.label(index),
            generator: run.declared.clone(),
            origin: run.origin,
            due: run.due(),
        })
    }
}
