//! Checks that the products and categories that orders refer to exist at the time of the order.
//!
//! A product is either declared or added by a step. Which steps run before an order is only known once all scripts are
//! on the timeline, so references to undeclared products are checked at the end.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::Validator;
use crate::scenario::problem::{Problem, ReferenceMistake};
use crate::scenario::row_number;
use crate::scenario::shop::Category;
use crate::scenario::source::Span;
use crate::words::nearest;

/// The products and categories that exist, and the references to them.
pub(super) struct References<'c> {
    categories: &'c [Category],
    /// False if some product ids could not be determined. References are not checked then.
    ids_known: bool,
    /// Whether the scenario has, or may have, routes of its own.
    pub(super) has_routes: bool,
    declared: HashSet<Arc<str>>,
    added: Vec<Addition>,
    referenced: Vec<ProductReference>,
    removed: Vec<AfterRemoval>,
    /// Whether a step adds a product with an unknown id. Any product may exist then.
    adds_any: bool,
}

/// A reference to a product that an earlier step of the same script removed and no step of the script added again.
pub(super) struct AfterRemoval {
    pub(super) id: Arc<str>,
    /// The span of the reference.
    pub(super) span: Span,
    /// The span of the removal.
    pub(super) removed: Span,
    pub(super) script: usize,
}

/// The maximum number of searches for the nearest id. Reports show no more problems than this.
const MAX_SUGGESTIONS: usize = 50;

/// The position of a step in its script, and of the script in the file, both from 0.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct StepNumber {
    pub(super) script: usize,
    pub(super) step: usize,
}

/// A product that a step adds, with the earliest possible time.
struct Addition {
    id: AddedId,
    from: Duration,
    by: StepNumber,
}

#[derive(PartialEq, Eq, Hash)]
pub(super) enum AddedId {
    Declared(Arc<str>),
    /// A prefix followed by an unknown number.
    Numbered(Arc<str>),
}

/// A reference to an undeclared product, with the latest possible time.
struct ProductReference {
    id: Arc<str>,
    span: Span,
    until: Duration,
    by: Option<StepNumber>,
}

/// The number of entries before a script.
#[derive(Clone, Copy)]
pub(super) struct ReferenceMark {
    added: usize,
    referenced: usize,
}

impl<'c> References<'c> {
    pub(super) fn new(categories: &'c [Category], ids_known: bool) -> Self {
        let ids = categories.iter().flat_map(|category| category.products.iter()).map(|product| product.id.clone());
        Self {
            categories,
            ids_known,
            has_routes: false,
            declared: ids.collect(),
            added: Vec::new(),
            referenced: Vec::new(),
            removed: Vec::new(),
            adds_any: false,
        }
    }

    /// Sets whether the scenario has routes of its own.
    pub(super) fn with_routes(self, has_routes: bool) -> Self {
        Self { has_routes, ..self }
    }

    pub(super) fn note_after_removal(&mut self, one: AfterRemoval) {
        self.removed.push(one);
    }

    /// Returns whether a step of another script, or a client, may add the removed product again.
    fn may_be_added_again(&self, one: &AfterRemoval, added_by: &HashMap<&AddedId, HashSet<usize>>) -> bool {
        let AfterRemoval { id, script, .. } = one;
        let elsewhere = |id: AddedId| added_by.get(&id).is_some_and(|by| by.iter().any(|by| by != script));
        let is_own = |category: &Category| category.products.iter().any(|product| product.id == *id);
        let by_client = |category: &Category| row_number(&category.prefix, id).is_some() && !is_own(category);
        possible_additions(id).any(elsewhere) || self.categories.iter().any(by_client)
    }

    fn report_removed(&self, check: &Validator<'_>) {
        let mut added_by: HashMap<&AddedId, HashSet<usize>> = HashMap::new();
        if !self.removed.is_empty() {
            for added in &self.added {
                added_by.entry(&added.id).or_default().insert(added.by.script);
            }
        }
        for one in self.removed.iter().filter(|one| self.is_complete() && !self.may_be_added_again(one, &added_by)) {
            let problem = Problem::new(ReferenceMistake::RemovedProduct(one.id.to_string()).into(), one.span);
            check.document.report(problem.related_to(one.removed));
        }
    }

    pub(super) fn category(&self, name: &str, span: Span, check: &mut Validator<'_>) -> Arc<str> {
        if let Some(category) = self.categories.iter().find(|category| &*category.name == name) {
            return category.name.clone();
        }
        if self.ids_known {
            let nearest = nearest(name, self.categories.iter().map(|category| &*category.name)).map(str::to_owned);
            check.report(ReferenceMistake::UnknownCategory { name: name.to_owned(), nearest }.into(), span);
        }
        name.into()
    }

    /// Records a reference to a product. `until` is the latest time of the reference.
    pub(super) fn product(&mut self, id: &str, span: Span, until: Duration, by: Option<StepNumber>) -> Arc<str> {
        if let Some(id) = self.declared.get(id) {
            return id.clone();
        }
        let id: Arc<str> = id.into();
        self.referenced.push(ProductReference { id: id.clone(), span, until, by });
        id
    }

    /// Returns the reason why no product can have this id, in the category if one is given. Clients may add products
    /// whose ids start with the prefix of a category.
    pub(super) fn absence_reason(&self, id: &str, category: Option<&str>) -> Option<String> {
        if !self.ids_known {
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

    /// Records a product that a step adds, with a declared id or with one that is assigned at run time.
    pub(super) fn add(&mut self, id: Option<&Arc<str>>, category: &str, from: Duration, by: StepNumber) {
        match self.added_id(id, category) {
            Some(id) => self.added.push(Addition { id, from, by }),
            None => self.add_any(),
        }
    }

    /// Records that a step adds a product with an unknown id.
    pub(super) fn add_any(&mut self) {
        self.adds_any = true;
    }

    /// Records a product that a rule adds. Rules may run at any time.
    pub(super) fn add_by_rule(&mut self, id: Option<&Arc<str>>, category: &str) {
        self.add(id, category, Duration::ZERO, StepNumber { script: usize::MAX, step: 0 });
    }

    /// Returns whether references to products can be checked.
    fn is_complete(&self) -> bool {
        self.ids_known && !self.adds_any
    }

    /// Returns the id of a product that a step adds, as far as it is known. `None` if the category is unknown.
    pub(super) fn added_id(&self, id: Option<&Arc<str>>, category: &str) -> Option<AddedId> {
        if let Some(id) = id {
            return Some(AddedId::Declared(id.clone()));
        }
        let category = self.categories.iter().find(|one| &*one.name == category)?;
        Some(AddedId::Numbered(category.prefix.as_str().into()))
    }

    pub(super) fn mark(&self) -> ReferenceMark {
        ReferenceMark { added: self.added.len(), referenced: self.referenced.len() }
    }

    /// Converts the times of the steps recorded since the mark from the script's timeline to the world's. `repeats` is
    /// the time from the script's first repeat to its last.
    pub(super) fn convert_times(&mut self, since: ReferenceMark, start: Duration, repeats: Duration) {
        for added in &mut self.added[since.added..] {
            added.from = added.from.saturating_add(start);
        }
        for reference in &mut self.referenced[since.referenced..] {
            reference.until = reference.until.saturating_add(start).saturating_add(repeats);
        }
    }

    /// Reports references to products that no step can have added by then, or that an earlier step removed.
    pub(super) fn report(&self, check: &mut Validator<'_>) {
        self.report_removed(check);
        let mut first: HashMap<&AddedId, EarliestAddition> = HashMap::new();
        for added in &self.added {
            first
                .entry(&added.id)
                .and_modify(|first| first.include(added))
                .or_insert_with(|| EarliestAddition::new(added));
        }
        let mut suggested = 0;
        for reference in self.referenced.iter().filter(|_| self.is_complete()) {
            let adds = || possible_additions(&reference.id).filter_map(|id| first.get(&id));
            if adds().any(|first| first.satisfies(reference)) {
                continue;
            }
            let late = adds().next().is_some();
            suggested += 1;
            let nearest = if late || suggested > MAX_SUGGESTIONS { None } else { nearest(&reference.id, self.ids()) };
            let nearest = nearest.map(str::to_owned);
            check.report(
                ReferenceMistake::UnknownProduct { id: reference.id.to_string(), nearest, late }.into(),
                reference.span,
            );
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

/// Returns the forms in which a step may have added a product with this id: the id itself, or a prefix with a number.
pub(super) fn possible_additions(id: &Arc<str>) -> impl Iterator<Item = AddedId> {
    let digits = id.len() - id.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let prefixes = (1..=digits).map(|count| AddedId::Numbered(id[..id.len() - count].into()));
    std::iter::once(AddedId::Declared(id.clone())).chain(prefixes)
}

/// The earliest addition of a product.
struct EarliestAddition {
    from: Duration,
    by: StepNumber,
    /// Whether a step of another script adds the product at the same time.
    elsewhere: bool,
}

impl EarliestAddition {
    fn new(added: &Addition) -> Self {
        Self { from: added.from, by: added.by, elsewhere: false }
    }

    fn include(&mut self, added: &Addition) {
        match added.from.cmp(&self.from) {
            Ordering::Less => *self = Self::new(added),
            Ordering::Equal => self.elsewhere |= added.by.script != self.by.script,
            Ordering::Greater => {}
        }
    }

    /// Returns whether the product can exist at the time of the reference. Steps of a script at the same time run in
    /// file order, and are recorded in this order.
    fn satisfies(&self, reference: &ProductReference) -> bool {
        match self.from.cmp(&reference.until) {
            Ordering::Less => true,
            Ordering::Equal => {
                let is_before = |by: StepNumber| by.script != self.by.script || by.step > self.by.step;
                self.elsewhere || reference.by.is_none_or(is_before)
            }
            Ordering::Greater => false,
        }
    }
}
