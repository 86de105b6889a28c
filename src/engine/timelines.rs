//! Which script or generator of a new scenario is which of the old one.

use std::ops::Range;
use std::sync::Arc;

use super::change::Change;
use crate::scenario::{Fault, Generator, Scenario, Script};

/// What becomes of all scripts and generators. To compare scripts of a million steps takes its time, so it is done once a
/// reload.
#[derive(Debug)]
pub(super) struct Pairings {
    pub(super) scripts: Pairing,
    pub(super) generators: Pairing,
    pub(super) faults: Pairing,
}

impl Pairings {
    pub(super) fn of(old: &Scenario, new: &Scenario) -> Self {
        let scripts = Pairing::of(old.scripts(), new.scripts());
        let generators = Pairing::of(old.generators(), new.generators());
        Self { scripts, generators, faults: Pairing::of(old.faults(), new.faults()) }
    }
}

/// What becomes of each declaration.
#[derive(Debug)]
pub(super) struct Pairing {
    /// For each new one, in order.
    pub(super) new: Vec<Origin>,
    /// The old ones, by index, that are no more.
    gone: Vec<usize>,
}

/// Where a declaration comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// It is the same as the old one of that index, and carries on.
    Kept(usize),
    /// It was the old one of that index, says something else now, and starts over.
    Changed(usize),
    /// It is new.
    Added,
}

/// A declaration that messages can name.
pub(super) trait Label: PartialEq {
    /// The name that the user gave it.
    fn name(&self) -> Option<&str>;
    /// What messages call it; `index` counts from 0.
    fn label(&self, index: usize) -> String;
    fn added(label: String) -> Change;
    fn removed(label: String) -> Change;
    fn changed(label: String) -> Change;
}

impl Pairing {
    /// Equal ones are the same. Of the others, those of one name belong together, and those without a name that stand
    /// between the same neighbours, in order.
    fn of<D: Label>(old: &[D], new: &[D]) -> Self {
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
                (Some(index), _) => Origin::Kept(index),
                (None, Some(name)) => {
                    take(all.clone(), &|index| old[index].name() == Some(name)).map_or(Origin::Added, Origin::Changed)
                }
                (None, None) => {
                    let between = below..above.max(below);
                    take(between, &|index| old[index].name().is_none()).map_or(Origin::Added, Origin::Changed)
                }
            };
            if let Origin::Kept(index) | Origin::Changed(index) = origin {
                below = below.max(index + 1);
            }
            origins.push(origin);
        }
        Self { new: origins, gone: all.filter(|index| free[*index]).collect() }
    }

    pub(super) fn changes<D: Label>(&self, old: &[D], new: &[D]) -> Vec<Change> {
        let of_new = self.new.iter().enumerate().filter_map(|(index, origin)| match origin {
            Origin::Kept(_) => None,
            Origin::Changed(_) => Some(D::changed(new[index].label(index))),
            Origin::Added => Some(D::added(new[index].label(index))),
        });
        of_new.chain(self.gone.iter().map(|index| D::removed(old[*index].label(*index)))).collect()
    }
}

impl Label for Script {
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

impl Label for Generator {
    fn name(&self) -> Option<&str> {
        None
    }

    fn label(&self, index: usize) -> String {
        format!("generator {}", index + 1)
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

impl Label for Arc<Fault> {
    fn name(&self) -> Option<&str> {
        Fault::name(self)
    }

    fn label(&self, index: usize) -> String {
        Label::name(self).map_or_else(|| format!("fault {}", index + 1), |name| format!("fault {name}"))
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
