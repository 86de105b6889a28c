//! Pairs the scripts, generators and faults of a new scenario with those of the old one.

use std::ops::Range;
use std::sync::Arc;

use super::change::Change;
use crate::scenario::{Fault, Fires, Generator, Script};

/// The pairing of old and new declarations.
#[derive(Debug)]
pub(super) struct Pairing {
    /// The continuation of each new declaration, in order.
    new: Vec<Continuation>,
    /// The indices of the removed old declarations.
    removed: Vec<usize>,
}

/// How a declaration of the new scenario relates to the old one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Continuation {
    /// It equals the old declaration at this index and continues it.
    Kept(usize),
    /// It replaces the old declaration at this index and starts over.
    Changed(usize),
    /// It is new.
    Added,
}

/// A declaration that can be named in messages.
pub(super) trait Declaration: PartialEq {
    /// The name given by the user.
    fn name(&self) -> Option<&str>;
    /// The label for messages; `index` counts from 0.
    fn label(&self, index: usize) -> String;
    fn added(label: String) -> Change;
    fn removed(label: String) -> Change;
    fn changed(label: String) -> Change;
}

impl Pairing {
    /// Pairs equal declarations first. The rest are paired by name, and those without a name in order between the same
    /// neighbours.
    pub(super) fn of<D: Declaration>(old: &[D], new: &[D]) -> Self {
        let mut free = vec![true; old.len()];
        let mut take = |range: Range<usize>, matches: &dyn Fn(usize) -> bool| {
            let found = range.into_iter().find(|index| free[*index] && matches(*index))?;
            free[found] = false;
            Some(found)
        };
        let all = 0..old.len();
        let kept: Vec<Option<usize>> = new.iter().map(|one| take(all.clone(), &|index| old[index] == *one)).collect();
        let mut below = 0;
        let mut origins = Vec::with_capacity(new.len());
        for (place, one) in new.iter().enumerate() {
            let above = kept[place..].iter().flatten().next().map_or(old.len(), |index| *index);
            let origin = match (kept[place], one.name()) {
                (Some(index), _) => Continuation::Kept(index),
                (None, Some(name)) => take(all.clone(), &|index| old[index].name() == Some(name))
                    .map_or(Continuation::Added, Continuation::Changed),
                (None, None) => {
                    let between = below..above.max(below);
                    take(between, &|index| old[index].name().is_none())
                        .map_or(Continuation::Added, Continuation::Changed)
                }
            };
            if let Continuation::Kept(index) | Continuation::Changed(index) = origin {
                below = below.max(index + 1);
            }
            origins.push(origin);
        }
        Self { new: origins, removed: all.filter(|index| free[*index]).collect() }
    }

    /// The indices of the old declarations that end because they are removed or changed.
    pub(super) fn ended(&self) -> impl Iterator<Item = usize> {
        let changed = self.new.iter().filter_map(|continued| match continued {
            Continuation::Changed(index) => Some(*index),
            Continuation::Kept(_) | Continuation::Added => None,
        });
        changed.chain(self.removed.iter().copied())
    }

    /// The indices of the new declarations that start because they are new or changed.
    pub(super) fn started(&self) -> impl Iterator<Item = usize> {
        let continued = self.new.iter().enumerate();
        continued.filter_map(|(index, continued)| (!matches!(continued, Continuation::Kept(_))).then_some(index))
    }

    pub(super) fn changes<D: Declaration>(&self, old: &[D], new: &[D]) -> Vec<Change> {
        let of_new = self.new.iter().enumerate().filter_map(|(index, origin)| match origin {
            Continuation::Kept(_) => None,
            Continuation::Changed(_) => Some(D::changed(new[index].label(index))),
            Continuation::Added => Some(D::added(new[index].label(index))),
        });
        of_new.chain(self.removed.iter().map(|index| D::removed(old[*index].label(*index)))).collect()
    }
}

impl Declaration for Script {
    fn name(&self) -> Option<&str> {
        Script::name(self)
    }

    fn label(&self, index: usize) -> String {
        self.name().map_or_else(|| format!("script {}", index + 1), |name| format!("script {name}"))
    }

    fn added(script: String) -> Change {
        Change::ScriptAdded { script }
    }

    fn removed(script: String) -> Change {
        Change::ScriptRemoved { script }
    }

    fn changed(script: String) -> Change {
        Change::ScriptChanged { script }
    }
}

impl Declaration for Generator {
    fn name(&self) -> Option<&str> {
        None
    }

    fn label(&self, index: usize) -> String {
        match self.fires() {
            Fires::Count { .. } => format!("generator {}", index + 1),
            Fires::Rule(rule) => rule.key.to_string(),
        }
    }

    fn added(generator: String) -> Change {
        Change::GeneratorAdded { generator }
    }

    fn removed(generator: String) -> Change {
        Change::GeneratorRemoved { generator }
    }

    fn changed(generator: String) -> Change {
        Change::GeneratorChanged { generator }
    }
}

impl Declaration for Arc<Fault> {
    fn name(&self) -> Option<&str> {
        Fault::name(self)
    }

    fn label(&self, index: usize) -> String {
        Declaration::name(self).map_or_else(|| format!("fault {}", index + 1), |name| format!("fault {name}"))
    }

    fn added(fault: String) -> Change {
        Change::FaultAdded { fault }
    }

    fn removed(fault: String) -> Change {
        Change::FaultRemoved { fault }
    }

    fn changed(fault: String) -> Change {
        Change::FaultChanged { fault }
    }
}

/// The runs of old declarations, sorted by what happens to them.
pub(super) struct SplitRuns<R> {
    /// For each new declaration, the run that it continues.
    pub(super) kept: Vec<Option<R>>,
    /// The runs of removed or changed declarations, with the index of the old declaration.
    pub(super) ended: Vec<(usize, R)>,
}

/// Keeps the runs whose declaration is unchanged. `runs` has one entry for each old declaration, in order.
pub(super) fn split_runs<R>(runs: Vec<R>, pairing: &Pairing) -> SplitRuns<R> {
    let mut runs: Vec<Option<R>> = runs.into_iter().map(Some).collect();
    let mut kept = |continued: &Continuation| match continued {
        Continuation::Kept(index) => runs.get_mut(*index).and_then(Option::take),
        Continuation::Changed(_) | Continuation::Added => None,
    };
    let kept = pairing.new.iter().map(&mut kept).collect();
    SplitRuns { kept, ended: runs.into_iter().enumerate().filter_map(|(index, run)| Some((index, run?))).collect() }
}
