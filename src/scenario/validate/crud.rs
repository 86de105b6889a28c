//! Checks `crud`, which declares a REST API for a collection.

use super::answers::transpose;
use super::categories::rules;
use super::expressions::{PAGE, Scope};
use super::given;
use super::steps::Rules;
use crate::scenario::problem::ProblemKind;
use crate::scenario::raw::{RawCrud, RawCrudQuery, RawOperation};
use crate::scenario::source::Span;
use crate::scenario::yaml::Spanned;
use crate::scenario::{Crud, CrudOperation, CrudQuery};

impl Rules<'_, '_, '_> {
    pub(super) fn crud(&mut self, raw: &RawCrud, span: Span, scope: &Scope<'_>) -> Option<Crud> {
        // For the row's id, the list's parameters, the row to add, and the URL of the next page.
        self.expressions.uses(["path", "query", "body", "url"]);
        let raw = match raw {
            RawCrud::Collection(name) => {
                let collection = self.known.collection(name, span, self.check)?.name.clone();
                return Some(Crud {
                    collection,
                    fields: Vec::new(),
                    defaults: None,
                    only: CrudOperation::ALL.into(),
                    query: CrudQuery::default(),
                    list: None,
                });
            }
            RawCrud::Described(raw) => raw,
        };
        let collection = self.check.required(raw.collection.as_ref(), "`crud`", "collection", span, span);
        let collection = collection.and_then(|(name, span)| self.known.collection(name, span, self.check));
        let fields = given(raw.fields.as_ref()).map(|(fields, _)| rules(fields, self.check)).unwrap_or_default();
        // Defaults are only computed when a row is added, which changes state anyway.
        let uses_runtime = self.expressions.uses_runtime();
        let defaults = transpose(given(raw.defaults.as_ref()).map(|(defaults, _)| self.mapping(*defaults, scope)));
        self.expressions.set_uses_runtime(uses_runtime);
        let only = match given(raw.only.as_ref()) {
            Some((list, span)) => self.operations(list, span),
            None => CrudOperation::ALL.into(),
        };
        let query = given(raw.query.as_ref()).map(|(query, _)| self.parameters(query)).unwrap_or_default();
        let list = self.optional(raw.list.as_ref(), &scope.and(PAGE));
        let collection = collection?.name.clone();
        Some(Crud { collection, fields, defaults: defaults?, only, query, list: list? })
    }

    fn operations(&mut self, list: &[Spanned<RawOperation>], span: Span) -> Vec<CrudOperation> {
        if list.is_empty() {
            self.check.report(ProblemKind::EmptyList("`only`"), span);
        }
        let listed: Vec<CrudOperation> = list.iter().filter_map(|one| one.value.map(operation)).collect();
        CrudOperation::ALL.into_iter().filter(|one| listed.contains(one)).collect()
    }

    fn parameters(&mut self, raw: &RawCrudQuery) -> CrudQuery {
        let mut query = CrudQuery::default();
        let keys = [(&raw.page, &mut query.page), (&raw.per_page, &mut query.per_page), (&raw.sort, &mut query.sort)];
        for (written, name) in keys {
            let Some(written) = self.check.name(written.as_ref(), "a parameter's name") else { continue };
            *name = written;
        }
        query
    }
}

fn operation(raw: RawOperation) -> CrudOperation {
    match raw {
        RawOperation::List => CrudOperation::List,
        RawOperation::Get => CrudOperation::Get,
        RawOperation::Add => CrudOperation::Add,
        RawOperation::Replace => CrudOperation::Replace,
        RawOperation::Merge => CrudOperation::Merge,
        RawOperation::Remove => CrudOperation::Remove,
    }
}
