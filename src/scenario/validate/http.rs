//! Checks routes, and reports routes that match the same requests.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use matchit::{InsertError, Router};
use serde_json::Value;

use super::Validator;
use super::answers::CheckedAnswers;
use super::expressions::Scope;
use super::paths::{RouteKey, method, read};
use super::steps::Rules;
use crate::scenario::problem::{Problem, ProblemKind, RouteMistake};
use crate::scenario::route::insert_path;
use crate::scenario::source::Span;
use crate::scenario::yaml::{Entries, JsonNode, NodeView};
use crate::scenario::{Answers, CrudOperation, PathPattern, Plan, Route, RouteError, RouteMethod, RouteTable};

/// A route with the span of its declaration.
pub(super) struct DeclaredRoute {
    pub(super) route: Route,
    pub(super) span: Span,
    /// The name for messages, such as `GET /todos`.
    pub(super) name: String,
    /// Whether the route comes from `crud`.
    is_crud: bool,
}

impl DeclaredRoute {
    /// Wraps a route of a shop.
    pub(super) fn from_shop(route: Route, span: Span) -> Self {
        let name = format!("{} {}", route.method(), route.path());
        Self { route, span, name, is_crud: false }
    }

    /// Returns a key that is equal for routes that match the same requests.
    fn shape(&self) -> (String, RouteMethod) {
        (self.route.path().shape(), self.route.method())
    }
}

impl Rules<'_, '_, '_> {
    pub(super) fn routes(&mut self, entries: &Entries<JsonNode>) -> Vec<DeclaredRoute> {
        let mut routes = Vec::new();
        for (key, node) in &entries.0 {
            let (Some((key, span)), Some((node, _))) = (key.get(), node.get()) else { continue };
            let (path, mistakes) = read(key);
            let scope = Scope::of(self.known);
            let scope = match &path {
                Some(path) => scope.with_request_to(parameters(path)),
                None => scope.with_request(),
            };
            if let Some(path) = path.as_ref().filter(|path| path.method.is_none())
                && self.has_methods_inside(&path.path, *node)
            {
                continue;
            }
            let checked = self.answers(key, *node, &scope);
            for (kind, range) in mistakes {
                let place = self.check.document.part_span(span, key, range);
                self.check.report(kind, place);
            }
            // The operations of a route without a method are unknown if its answers cannot be decoded.
            let unknown = || CheckedAnswers { answers: None, operations: None };
            if let Some(path) = path.filter(|path| path.method.is_some() || checked.is_some()) {
                self.routes_of(key, path, checked.unwrap_or_else(unknown), span, &mut routes);
            }
        }
        routes
    }

    /// Reports methods used as keys inside a route. Returns whether there are any.
    fn has_methods_inside(&mut self, path: &PathPattern, JsonNode(node): JsonNode) -> bool {
        let tree = self.check.document.tree();
        let NodeView::Mapping(entries) = tree.view(node) else { return false };
        let keys = entries.chunks_exact(2).map(|entry| (tree.text(entry[0]), tree.span(entry[0])));
        let methods: Vec<_> = keys.filter(|(key, _)| method(&key.to_ascii_uppercase()).is_some()).collect();
        for (key, span) in &methods {
            let meant = format!("{} {path}", key.to_ascii_uppercase());
            self.check.report(RouteMistake::MethodInside { method: (*key).to_owned(), meant }.into(), *span);
        }
        !methods.is_empty()
    }

    fn routes_of(
        &mut self,
        key: &str,
        RouteKey { method, path, .. }: RouteKey,
        CheckedAnswers { answers, operations }: CheckedAnswers,
        span: Span,
        routes: &mut Vec<DeclaredRoute>,
    ) {
        let mistake = match (method, &operations) {
            (None, None) => Some(RouteMistake::NoMethod(path.to_string())),
            (Some(_), Some(_)) => Some(RouteMistake::CrudWithMethod(path.to_string())),
            (None, Some(_)) if path.parameters().any(|parameter| &**parameter.name() == ROW_ID) => {
                Some(RouteMistake::RowParameter)
            }
            _ => None,
        };
        if let Some(mistake) = mistake {
            return self.check.report(mistake.into(), span);
        }
        // A route with invalid answers still takes part in the search for ambiguous routes.
        let answers = answers.map_or_else(|| Arc::new(no_answers(key)), Arc::new);
        let route = |method, path, crud| Route::new(method, path, Plan::Answer { answers: answers.clone(), crud });
        match method {
            Some(method) => {
                let route = route(method, path, None);
                routes.push(DeclaredRoute { route, span, name: key.to_owned(), is_crud: false });
            }
            None => routes.extend(operations.into_iter().flatten().map(|operation| {
                let (method, path) = crud_route(operation, &path);
                let route = route(method, path, Some(operation));
                DeclaredRoute { name: format!("{} {}", method, route.path()), route, span, is_crud: true }
            })),
        }
    }
}

/// Returns the answers of a route whose answers are invalid.
fn no_answers(key: &str) -> Answers {
    Answers { key: key.into(), list: Vec::new(), names: BTreeSet::new(), only_reads: true, source: Value::Null }
}

/// Returns the names of a path's parameters.
fn parameters(RouteKey { method, path }: &RouteKey) -> Vec<&str> {
    let of_row = method.is_none().then_some(ROW_ID);
    path.parameters().map(|parameter| &**parameter.name()).chain(of_row).collect()
}

/// The parameter in the path of a row.
const ROW_ID: &str = "id";

fn crud_route(operation: CrudOperation, path: &PathPattern) -> (RouteMethod, PathPattern) {
    let row = || path.clone().parameter(ROW_ID).0;
    match operation {
        CrudOperation::List => (RouteMethod::Get, path.clone()),
        CrudOperation::Add => (RouteMethod::Post, path.clone()),
        CrudOperation::Get => (RouteMethod::Get, row()),
        CrudOperation::Replace => (RouteMethod::Put, row()),
        CrudOperation::Merge => (RouteMethod::Patch, row()),
        CrudOperation::Remove => (RouteMethod::Delete, row()),
    }
}

/// Builds the table of all routes. Returns `None` and reports problems if some match the same requests.
pub(super) fn table(routes: Vec<DeclaredRoute>, check: &mut Validator<'_>) -> Option<RouteTable> {
    // A single route takes precedence over a route of `crud` for the same requests.
    let single: HashSet<_> = routes.iter().filter(|route| !route.is_crud).map(DeclaredRoute::shape).collect();
    let routes: Vec<DeclaredRoute> =
        routes.into_iter().filter(|route| !route.is_crud || !single.contains(&route.shape())).collect();
    let mut first: HashMap<(String, RouteMethod), &DeclaredRoute> = HashMap::new();
    let mut different = Vec::new();
    for route in &routes {
        if let Some(first) = first.get(&route.shape()) {
            report(RouteMistake::SameRequests(first.name.clone(), route.name.clone()), first, route, check);
        } else {
            first.insert(route.shape(), route);
            different.push(route);
        }
    }
    let Ok(table) = RouteTable::new(different.iter().map(|declared| declared.route.clone())) else {
        report_overlapping(&different, check);
        return None;
    };
    (different.len() == routes.len()).then_some(table)
}

/// Reports each route whose path overlaps with that of an earlier one.
fn report_overlapping(routes: &[&DeclaredRoute], check: &mut Validator<'_>) {
    let (mut by_path, mut by_shape) = (Router::new(), HashMap::new());
    for route in routes {
        let path = route.route.path();
        let Entry::Vacant(first) = by_shape.entry(path.shape()) else { continue };
        first.insert(route);
        let Err(error) = insert_path(&mut by_path, path, ()) else { continue };
        let with = match &error {
            InsertError::Conflict { with } => by_shape.get(with.trim_end_matches('/')),
            _ => None,
        };
        if let Some(with) = with {
            report(RouteMistake::Overlapping(with.name.clone(), route.name.clone()), with, route, check);
        } else {
            let route_error = RouteError::Conflict { route: Arc::new(route.route.clone()), error };
            check.report(route_error.into(), route.span);
        }
    }
}

fn report(mistake: RouteMistake, first: &DeclaredRoute, route: &DeclaredRoute, check: &mut Validator<'_>) {
    check.document.report(Problem::new(ProblemKind::Route(mistake), route.span).related_to(first.span));
}
