//! Compiles expressions, and reports their problems at their exact spans.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Validator;
use super::known::KnownNames;
use crate::expression::{CompileError, CompileErrorKind, Condition, Fields, Language, Names, PathStep, Template, Word};
use crate::scenario::CONN;
use crate::scenario::problem::ProblemKind;
use crate::scenario::raw::RawExpression;
use crate::scenario::yaml::{JsonNode, NodeId, NodeView};

/// The names for the parts of a request.
pub(super) const REQUEST: [&str; 7] = ["path", "query", "headers", "cookies", "body", "method", "url"];

/// The names for the parts of a socket's handshake.
pub(super) const HANDSHAKE: [&str; 5] = ["path", "query", "headers", "cookies", "url"];

/// The name for the current time.
const NOW: &str = "now";

/// The name for the message that a client sent on a socket.
pub(super) const MESSAGE: &str = "msg";

/// The name for the row that the previous step changed or a generator picked.
pub(super) const ROW: &str = "it";

/// The names for an event.
pub(super) const EVENT: [&str; 2] = ["event", "topic"];

/// The names for an item of `each`.
pub(super) const ITEM: [&str; 2] = ["item", "index"];

/// The names for a page of rows, in the expressions of `list`.
pub(super) const PAGE: [&str; 5] = ["items", "total", "page", "per_page", "pages"];

/// The names that expressions can use at a place.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope<'n> {
    names: Names<'n>,
    /// The names that refer to the request and are not hidden.
    of_request: BTreeSet<&'n str>,
    /// The names that are not from `data`.
    own: BTreeSet<&'n str>,
    /// Whether any name is accepted, because some names could not be decoded.
    accepts_any: bool,
}

impl<'n> Scope<'n> {
    /// Returns the scope with the names that are defined everywhere.
    pub(super) fn of(known: &'n KnownNames) -> Self {
        let mut names: Names = known.names().collect();
        for collection in known.collections() {
            names.insert(&collection.name, Fields::OfRows);
        }
        Self { names, own: BTreeSet::from([NOW]), ..Self::default() }
    }

    /// Returns this scope with the names of a request.
    pub(super) fn with_request(&self) -> Self {
        self.with_names_of_request(&REQUEST)
    }

    /// Returns this scope with the names of a request whose path has these parameters.
    pub(super) fn with_request_to(&self, parameters: Vec<&'n str>) -> Self {
        let mut scope = self.with_request();
        scope.names.insert("path", Fields::Only(parameters));
        scope
    }

    /// Returns this scope with the names of an endpoint's socket. `parameters` is `None` if the path is invalid.
    pub(super) fn with_socket(&self, parameters: Option<Vec<&'n str>>) -> Self {
        let mut scope = self.with_names_of_request(&HANDSHAKE).and([CONN]);
        if let Some(parameters) = parameters {
            scope.names.insert("path", Fields::Only(parameters));
        }
        scope
    }

    /// Returns this scope with a client's message. `fields` is `None` if the message may have any fields.
    pub(super) fn with_message(&self, fields: Option<Vec<&'n str>>) -> Self {
        let mut scope = self.and([MESSAGE]);
        if let Some(fields) = fields {
            scope.names.insert(MESSAGE, Fields::Only(fields));
        }
        scope
    }

    fn with_names_of_request(&self, names: &[&'static str]) -> Self {
        let mut scope = self.and(names.iter().copied());
        scope.of_request.extend(names.iter().copied());
        scope.names.insert("headers", Fields::Hyphenated);
        scope
    }

    /// Returns this scope with more names, which hide existing names.
    pub(super) fn and(&self, names: impl IntoIterator<Item = &'n str>) -> Self {
        let mut scope = self.clone();
        scope.add(names);
        scope
    }

    /// Returns whether expressions can use a name.
    pub(super) fn contains(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// Accepts any name from now on.
    pub(super) fn accept_any(&mut self) {
        self.accepts_any = true;
    }

    /// Adds names, which hide existing names.
    pub(super) fn add(&mut self, names: impl IntoIterator<Item = &'n str>) {
        for name in names {
            self.names.insert(name, Fields::Any);
            self.of_request.remove(name);
            self.own.insert(name);
        }
    }

    /// Returns whether the result of a template changes only when data changes.
    pub(super) fn depends_only_on_data(&self, template: &Template) -> bool {
        template.only_reads() && !template.names().iter().any(|name| self.own.contains(name.as_str()))
    }
}

/// The names and runtime that expressions use.
#[derive(Debug, Default)]
pub(super) struct Uses {
    /// The names of a request, and `now`.
    pub(super) names: BTreeSet<String>,
    /// Whether any expression draws random numbers, uses counters, or queries the members of a topic.
    pub(super) runtime: bool,
}

/// A compiler of expressions that records what they use.
pub(super) struct Expressions<'k> {
    language: Language,
    known: &'k KnownNames,
    uses: Uses,
}

impl<'k> Expressions<'k> {
    pub(super) fn new(known: &'k KnownNames) -> Self {
        Self { language: Language::default(), known, uses: Uses::default() }
    }

    /// Returns what expressions have used since the last call.
    pub(super) fn take_uses(&mut self) -> Uses {
        std::mem::take(&mut self.uses)
    }

    /// Records that names of a request are used.
    pub(super) fn uses(&mut self, names: impl IntoIterator<Item = &'static str>) {
        self.uses.names.extend(names.into_iter().map(str::to_owned));
    }

    /// Returns whether any expression since the last [`Self::take_uses`] draws random numbers, uses counters, or
    /// queries the members of a topic.
    pub(super) fn uses_runtime(&self) -> bool {
        self.uses.runtime
    }

    pub(super) fn set_uses_runtime(&mut self, uses_runtime: bool) {
        self.uses.runtime = uses_runtime;
    }

    /// Compiles JSON whose strings may be expressions.
    pub(super) fn template(
        &mut self,
        node: JsonNode,
        scope: &Scope<'_>,
        check: &mut Validator<'_>,
    ) -> Option<Template> {
        let value = check.document.json(node.0)?;
        self.template_of(&value, node, scope, check)
    }

    /// Like [`Self::template`], for a value that is derived from the node.
    pub(super) fn template_of(
        &mut self,
        value: &Value,
        JsonNode(node): JsonNode,
        scope: &Scope<'_>,
        check: &mut Validator<'_>,
    ) -> Option<Template> {
        let compiled = self.language.template(value, &scope.names);
        let template = compiled.map_err(|errors| self.report(errors, node, scope, check)).ok()?;
        self.report(self.language.foreign_syntax(value, &scope.names), node, scope, check);
        self.add(template.names(), template.only_reads(), scope);
        Some(template.located(&|path, byte| check.location(node, path, byte)))
    }

    /// Compiles an expression that is true or false.
    pub(super) fn condition(
        &mut self,
        RawExpression(JsonNode(node)): RawExpression,
        scope: &Scope<'_>,
        check: &mut Validator<'_>,
    ) -> Option<Condition> {
        let NodeView::Scalar { text, .. } = check.document.tree().view(node) else {
            check.report_wrong_type(JsonNode(node), "an expression, such as `query.page | int > 1`");
            return None;
        };
        let compiled = self.language.condition(text, &scope.names);
        let condition = compiled.map_err(|errors| self.report(errors, node, scope, check)).ok()?;
        self.add(condition.names(), condition.only_reads(), scope);
        Some(condition.located(&|path, byte| check.location(node, path, byte)))
    }

    fn add(&mut self, names: &BTreeSet<String>, only_reads: bool, scope: &Scope<'_>) {
        let is_of_request = |name: &&String| scope.of_request.contains(name.as_str()) || name.as_str() == NOW;
        self.uses.names.extend(names.iter().filter(is_of_request).cloned());
        self.uses.runtime |= !only_reads;
    }

    fn report(&self, errors: Vec<CompileError>, node: NodeId, scope: &Scope<'_>, check: &mut Validator<'_>) {
        for CompileError { mut kind, place } in errors {
            // `it` is not a misspelling, but used before there is one.
            if let CompileErrorKind::Unknown { what: Word::Name, name, nearest } = &mut kind
                && name == ROW
            {
                *nearest = None;
            }
            let unknown = match &kind {
                CompileErrorKind::Unknown { what: Word::Name, name, .. } => Some(name),
                _ => None,
            };
            let is_reported = |name: &str| {
                self.known.completeness().names && !scope.accepts_any && !check.document.has_unread_name(name)
            };
            if unknown.is_some_and(|name| !is_reported(name)) {
                continue;
            }
            let is_key = matches!(kind, CompileErrorKind::InKey(_) | CompileErrorKind::SpreadKey(_));
            let span = match place.path.split_last() {
                Some((PathStep::Key(key), path)) if is_key => check.document.key_span_at(node, path, key),
                _ => check.document.part_span_at(node, &place.path, place.range),
            };
            let known = if unknown.is_some() { known_names(scope) } else { Vec::new() };
            check.report(ProblemKind::Expression { error: kind, known }, span);
        }
    }
}

/// Returns the names that expressions can use, in alphabetical order.
fn known_names(scope: &Scope<'_>) -> Vec<String> {
    let mut known: Vec<String> = scope.names.iter().chain([NOW]).map(str::to_owned).collect();
    known.sort_unstable();
    known
}

impl Validator<'_> {
    /// Reports that a value has the wrong type.
    pub(super) fn report_wrong_type(&mut self, JsonNode(node): JsonNode, expected: &str) {
        self.document.report_wrong_type(node, expected);
    }
}
