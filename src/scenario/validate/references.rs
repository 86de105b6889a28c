//! The products and categories that orders refer to, and whether they exist by then.
//!
//! A product may be declared or added by a step. Which steps come before an order is only known once all scripts are on
//! the timeline, so undeclared ids are judged at the end.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::Validator;
use crate::scenario::problem::{Problem, ProblemKind};
use crate::scenario::row_number;
use crate::scenario::shop::Category;
use crate::scenario::source::Span;
use crate::words::nearest;

/// The existing ids and categories, and the referenced ones.
pub(super) struct References<'c> {
    categories: &'c [Category],
    /// False if the categories could not be read completely: references to them are then not judged.
    readable: bool,
    /// Whether the scenario has, or may have, its own routes.
    pub(super) has_routes: bool,
    declared: HashSet<Arc<str>>,
    added: Vec<Added>,
    wanted: Vec<ProductReference>,
    removed: Vec<AfterRemoval>,
    /// Whether a step adds a product with an unknown id: any product may exist then.
    adds_any: bool,
}

/// A step that refers to a product which an earlier step of the same script has removed, and none has added again.
pub(super) struct AfterRemoval {
    pub(super) id: Arc<str>,
    /// The place of the reference.
    pub(super) span: Span,
    /// The place of the removal.
    pub(super) removed: Span,
    pub(super) script: usize,
}

/// The most searches for the nearest id; reports show no more problems than this.
const MOST_SUGGESTED: usize = 50;

/// A step of a script, both counted from 0 in the order of the file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct StepNumber {
    pub(super) script: usize,
    pub(super) step: usize,
}

/// A product that a step adds, at the earliest possible time.
struct Added {
    id: AddedId,
    from: Duration,
    by: StepNumber,
}

#[derive(PartialEq, Eq, Hash)]
pub(super) enum AddedId {
    Declared(Arc<str>),
    /// The prefix and an unknown number.
    Numbered(Arc<str>),
}

/// An undeclared product, at the latest time of a reference to it.
struct ProductReference {
    id: Arc<str>,
    span: Span,
    until: Duration,
    by: Option<StepNumber>,
}

/// How many entries there were before a script.
#[derive(Clone, Copy)]
pub(super) struct ReferenceMark {
    added: usize,
    wanted: usize,
}

impl<'c> References<'c> {
    pub(super) fn new(categories: &'c [Category], readable: bool) -> Self {
        let ids = categories.iter().flat_map(|category| category.products.iter()).map(|product| product.id.clone());
        Self {
            categories,
            readable,
            has_routes: false,
            declared: ids.collect(),
            added: Vec::new(),
            wanted: Vec::new(),
            removed: Vec::new(),
            adds_any: false,
        }
    }

    /// The same, for a scenario with its own routes.
    pub(super) fn with_routes(self, has_routes: bool) -> Self {
        Self { has_routes, ..self }
    }

    pub(super) fn after_removal(&mut self, one: AfterRemoval) {
        self.removed.push(one);
    }

    /// Whether a step of another script, or a client, may add the product.
    fn may_come_back(&self, one: &AfterRemoval, added_by: &HashMap<&AddedId, HashSet<usize>>) -> bool {
        let AfterRemoval { id, script, .. } = one;
        let elsewhere = |id: AddedId| added_by.get(&id).is_some_and(|by| by.iter().any(|by| by != script));
        let is_own = |category: &Category| category.products.iter().any(|product| product.id == *id);
        let by_client = |category: &Category| row_number(&category.prefix, id).is_some() && !is_own(category);
        names(id).any(elsewhere) || self.categories.iter().any(by_client)
    }

    fn judge_removed(&self, check: &Validator<'_>) {
        let mut added_by: HashMap<&AddedId, HashSet<usize>> = HashMap::new();
        if !self.removed.is_empty() {
            for added in &self.added {
                added_by.entry(&added.id).or_default().insert(added.by.script);
            }
        }
        for one in self.removed.iter().filter(|one| self.is_judged() && !self.may_come_back(one, &added_by)) {
            let problem = Problem::new(ProblemKind::RemovedProduct(one.id.to_string()), one.span);
            check.document.note(problem.related_to(one.removed));
        }
    }

    pub(super) fn category(&self, name: &str, span: Span, check: &mut Validator<'_>) -> Arc<str> {
        if let Some(category) = self.categories.iter().find(|category| &*category.name == name) {
            return category.name.clone();
        }
        if self.readable {
            let nearest = nearest(name, self.categories.iter().map(|category| &*category.name)).map(str::to_owned);
            check.note(ProblemKind::UnknownCategory { name: name.to_owned(), nearest }, span);
        }
        name.into()
    }

    /// A reference to a product until a time.
    pub(super) fn product(&mut self, id: &str, span: Span, until: Duration, by: Option<StepNumber>) -> Arc<str> {
        if let Some(id) = self.declared.get(id) {
            return id.clone();
        }
        let id: Arc<str> = id.into();
        self.wanted.push(ProductReference { id: id.clone(), span, until, by });
        id
    }

    /// Why there can be no product with an id, in a category if one is given. Clients may add products, whose ids start
    /// with the prefix of a category.
    pub(super) fn why_no_product(&self, id: &str, category: Option<&str>) -> Option<String> {
        if !self.readable {
            return None;
        }
        let named = |name: &&str| self.categories.iter().find(|category| &*category.name == *name);
        let possible: Vec<&Category> = match category {
            Some(name) => vec![named(&name)?],
            None => self.categories.iter().collect(),
        };
        let is_declared = |category: &&Category| category.products.iter().any(|product| &*product.id == id);
        let is_numbered = |category: &&Category| {
            let number = id.strip_prefix(category.prefix.as_str());
            number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
        };
        let is_added = self.added.iter().any(|added| added.id == AddedId::Declared(id.into()));
        if is_added || possible.iter().any(|category| is_declared(category) || is_numbered(category)) {
            return None;
        }
        let meant = nearest(id, self.ids()).map(|nearest| format!(", did you mean `{nearest}`?")).unwrap_or_default();
        let place = category.map(|name| format!(" in {name}")).unwrap_or_default();
        Some(format!("there is no product `{id}`{place}{meant}"))
    }

    /// A product that a step adds, with a declared id or one that is assigned at the time.
    pub(super) fn add(&mut self, id: Option<&Arc<str>>, category: &str, from: Duration, by: StepNumber) {
        match self.added_id(id, category) {
            Some(id) => self.added.push(Added { id, from, by }),
            None => self.add_any(),
        }
    }

    /// A product that a step adds, about which nothing is known.
    pub(super) fn add_any(&mut self) {
        self.adds_any = true;
    }

    /// A product that a rule adds, which may happen at any time.
    pub(super) fn add_by_rule(&mut self, id: Option<&Arc<str>>, category: &str) {
        self.add(id, category, Duration::ZERO, StepNumber { script: usize::MAX, step: 0 });
    }

    /// Whether references to products can be judged.
    fn is_judged(&self) -> bool {
        self.readable && !self.adds_any
    }

    /// How a product that a step adds gets its id.
    pub(super) fn added_id(&self, id: Option<&Arc<str>>, category: &str) -> Option<AddedId> {
        if let Some(id) = id {
            return Some(AddedId::Declared(id.clone()));
        }
        let category = self.categories.iter().find(|one| &*one.name == category)?;
        Some(AddedId::Numbered(category.prefix.as_str().into()))
    }

    pub(super) fn mark(&self) -> ReferenceMark {
        ReferenceMark { added: self.added.len(), wanted: self.wanted.len() }
    }

    /// Converts the times of a script's steps, noted since the mark, from its own timeline to the world's. `repeats` is
    /// the time from its first to its last repeat.
    pub(super) fn place(&mut self, since: ReferenceMark, start: Duration, repeats: Duration) {
        for added in &mut self.added[since.added..] {
            added.from = added.from.saturating_add(start);
        }
        for wanted in &mut self.wanted[since.wanted..] {
            wanted.until = wanted.until.saturating_add(start).saturating_add(repeats);
        }
    }

    /// Reports references to products that no step could have added by then, and to products that were removed earlier.
    pub(super) fn judge(&self, check: &mut Validator<'_>) {
        self.judge_removed(check);
        let mut first: HashMap<&AddedId, First> = HashMap::new();
        for added in &self.added {
            first.entry(&added.id).and_modify(|first| first.note(added)).or_insert_with(|| First::new(added));
        }
        let mut suggested = 0;
        for wanted in self.wanted.iter().filter(|_| self.is_judged()) {
            let adds = || names(&wanted.id).filter_map(|id| first.get(&id));
            if adds().any(|first| first.serves(wanted)) {
                continue;
            }
            let late = adds().next().is_some();
            suggested += 1;
            let nearest = if late || suggested > MOST_SUGGESTED { None } else { nearest(&wanted.id, self.ids()) };
            let nearest = nearest.map(str::to_owned);
            check.note(ProblemKind::UnknownProduct { id: wanted.id.to_string(), nearest, late }, wanted.span);
        }
    }

    fn ids(&self) -> impl Iterator<Item = &str> {
        let added = self.added.iter().filter_map(|added| match &added.id {
            AddedId::Declared(id) => Some(&**id),
            AddedId::Numbered(_) => None,
        });
        self.declared.iter().map(|id| &**id).chain(added)
    }
}

/// The ways in which a step can have given an id: literally, or as a prefix and a number.
pub(super) fn names(id: &Arc<str>) -> impl Iterator<Item = AddedId> {
    let digits = id.len() - id.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let prefixes = (1..=digits).map(|count| AddedId::Numbered(id[..id.len() - count].into()));
    std::iter::once(AddedId::Declared(id.clone())).chain(prefixes)
}

/// The first step that adds a product.
struct First {
    from: Duration,
    by: StepNumber,
    /// Whether a step of another script adds it at the same time.
    elsewhere: bool,
}

impl First {
    fn new(added: &Added) -> Self {
        Self { from: added.from, by: added.by, elsewhere: false }
    }

    fn note(&mut self, added: &Added) {
        match added.from.cmp(&self.from) {
            Ordering::Less => *self = Self::new(added),
            Ordering::Equal => self.elsewhere |= added.by.script != self.by.script,
            Ordering::Greater => {}
        }
    }

    /// Whether it can exist at the time of the reference. Steps of a script at the same time keep the order of the
    /// file, and are noted in this order.
    fn serves(&self, wanted: &ProductReference) -> bool {
        match self.from.cmp(&wanted.until) {
            Ordering::Less => true,
            Ordering::Equal => {
                let is_before = |by: StepNumber| by.script != self.by.script || by.step > self.by.step;
                self.elsewhere || wanted.by.is_none_or(is_before)
            }
            Ordering::Greater => false,
        }
    }
}
