//! Which script or generator of a new scenario is which of the old one.

use super::change::Change;
use crate::scenario::{Generator, Script};

/// What becomes of each declaration.
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
    /// Equal ones are the same; of the others those of one name, and of those without a name, those of one place.
    pub(super) fn of<D: Label>(old: &[D], new: &[D]) -> Self {
        let mut free = vec![true; old.len()];
        let mut take = |matches: &dyn Fn(usize) -> bool| {
            let found = (0..old.len()).find(|index| free[*index] && matches(*index))?;
            free[found] = false;
            Some(found)
        };
        let kept: Vec<Option<usize>> = new.iter().map(|one| take(&|index| old[index] == *one)).collect();
        let origin = |(place, one): (usize, &D)| {
            let is_meant = |index: usize| match (one.name(), old[index].name()) {
                (None, None) => index == place,
                (new, old) => new == old,
            };
            let changed = || take(&is_meant).map_or(Origin::Added, Origin::Changed);
            kept[place].map_or_else(changed, Origin::Kept)
        };
        let new = new.iter().enumerate().map(origin).collect();
        Self { new, gone: (0..old.len()).filter(|index| free[*index]).collect() }
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
