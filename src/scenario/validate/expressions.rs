//! Compiles expressions, and puts what is wrong with them under their own letters.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Validator;
use super::known::Known;
use crate::expression::{CompileError, CompileErrorKind, Condition, Fields, Language, Names, PathStep, Template, Word};
use crate::scenario::CONN;
use crate::scenario::problem::ProblemKind;
use crate::scenario::raw::RawExpression;
use crate::scenario::yaml::{JsonNode, NodeId, NodeView};

/// What expressions know of a request.
pub(super) const REQUEST: [&str; 7] = ["path", "query", "headers", "cookies", "body", "method", "url"];

/// What expressions know of a socket's handshake.
pub(super) const HANDSHAKE: [&str; 5] = ["path", "query", "headers", "cookies", "url"];

/// What a client has sent on a socket.
pub(super) const MESSAGE: &str = "msg";

/// The row that the step before has changed, or that a generator has drawn.
pub(super) const ROW: &str = "it";

/// What expressions know of what is sent to a topic.
pub(super) const EVENT: [&str; 2] = ["event", "topic"];

/// What expressions know of an item of `each`.
pub(super) const ITEM: [&str; 2] = ["item", "index"];

/// What expressions of `list` know of a page of rows.
pub(super) const PAGE: [&str; 5] = ["items", "total", "page", "per_page", "pages"];

/// The names that the expressions of a place can use.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope<'n> {
    names: Names<'n>,
    /// Those of a request that still name that.
    of_request: BTreeSet<&'n str>,
    /// Whether there are others, which could not be read.
    takes_any: bool,
}

impl<'n> Scope<'n> {
    /// What all places know.
    pub(super) fn of(known: &'n Known) -> Self {
        let mut names: Names = known.names().collect();
        for collection in known.collections() {
            names.insert(&collection.name, Fields::OfRows);
        }
        Self { names, ..Self::default() }
    }

    /// The same with a request.
    pub(super) fn with_request(&self) -> Self {
        self.with_names_of_request(&REQUEST)
    }

    /// The same with a request to a path that has these parameters.
    pub(super) fn with_request_to(&self, parameters: Vec<&'n str>) -> Self {
        let mut scope = self.with_request();
        scope.names.insert("path", Fields::Only(parameters));
        scope
    }

    /// The same with a socket of an endpoint; `None` for parameters of its path that are not known.
    pub(super) fn with_socket(&self, parameters: Option<Vec<&'n str>>) -> Self {
        let mut scope = self.with_names_of_request(&HANDSHAKE).and([CONN]);
        if let Some(parameters) = parameters {
            scope.names.insert("path", Fields::Only(parameters));
        }
        scope
    }

    fn with_names_of_request(&self, names: &[&'static str]) -> Self {
        let mut scope = self.and(names.iter().copied());
        scope.of_request.extend(names.iter().copied());
        scope.names.insert("headers", Fields::Hyphenated);
        scope
    }

    /// The same with other names, which hide what is called so.
    pub(super) fn and(&self, names: impl IntoIterator<Item = &'n str>) -> Self {
        let mut scope = self.clone();
        scope.add(names);
        scope
    }

    /// Whether expressions can use a name.
    pub(super) fn knows(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// Takes any name as one that it knows.
    pub(super) fn take_any(&mut self) {
        self.takes_any = true;
    }

    /// Adds names, which hide what is called so.
    pub(super) fn add(&mut self, names: impl IntoIterator<Item = &'n str>) {
        for name in names {
            self.names.insert(name, Fields::Any);
            self.of_request.remove(name);
        }
    }
}

/// What expressions make use of.
#[derive(Debug, Default)]
pub(super) struct Uses {
    /// Names of a request, and `now`.
    pub(super) names: BTreeSet<String>,
    /// Whether any draws, counts or asks a topic.
    pub(super) surroundings: bool,
}

/// Compiles expressions, and notes what they make use of.
pub(super) struct Expressions<'k> {
    language: Language,
    known: &'k Known,
    uses: Uses,
}

impl<'k> Expressions<'k> {
    pub(super) fn new(known: &'k Known) -> Self {
        Self { language: Language::default(), known, uses: Uses::default() }
    }

    /// What was compiled since the last time makes use of.
    pub(super) fn take_uses(&mut self) -> Uses {
        std::mem::take(&mut self.uses)
    }

    /// Notes that names of a request are made use of.
    pub(super) fn uses(&mut self, names: impl IntoIterator<Item = &'static str>) {
        self.uses.names.extend(names.into_iter().map(str::to_owned));
    }

    /// Whether anything compiled so far draws, counts or asks a topic.
    pub(super) fn surroundings(&self) -> bool {
        self.uses.surroundings
    }

    pub(super) fn set_surroundings(&mut self, surroundings: bool) {
        self.uses.surroundings = surroundings;
    }

    /// JSON in which texts may be expressions.
    pub(super) fn template(
        &mut self,
        node: JsonNode,
        scope: &Scope<'_>,
        check: &mut Validator<'_>,
    ) -> Option<Template> {
        let value = check.document.json(node.0)?;
        self.template_of(&value, node, scope, check)
    }

    /// The same, of a value that was made from what is written there.
    pub(super) fn template_of(
        &mut self,
        value: &Value,
        JsonNode(node): JsonNode,
        scope: &Scope<'_>,
        check: &mut Validator<'_>,
    ) -> Option<Template> {
        let compiled = self.language.template(value, &scope.names);
        let template = compiled.map_err(|errors| self.note(errors, node, scope, check)).ok()?;
        self.note(self.language.oddities(value, &scope.names), node, scope, check);
        self.add(template.names(), template.only_reads(), scope);
        Some(template.located(&|path, byte| check.location(node, path, byte)))
    }

    /// An expression that is true or false.
    pub(super) fn condition(
        &mut self,
        RawExpression(JsonNode(node)): RawExpression,
        scope: &Scope<'_>,
        check: &mut Validator<'_>,
    ) -> Option<Condition> {
        let NodeView::Scalar { text, .. } = check.document.tree().view(node) else {
            check.wrong_value(JsonNode(node), "an expression, such as `query.page | int > 1`");
            return None;
        };
        let compiled = self.language.condition(text, &scope.names);
        let condition = compiled.map_err(|errors| self.note(errors, node, scope, check)).ok()?;
        self.add(condition.names(), condition.only_reads(), scope);
        Some(condition.located(&|path, byte| check.location(node, path, byte)))
    }

    fn add(&mut self, names: &BTreeSet<String>, only_reads: bool, scope: &Scope<'_>) {
        let is_of_request = |name: &&String| scope.of_request.contains(name.as_str()) || name.as_str() == "now";
        self.uses.names.extend(names.iter().filter(is_of_request).cloned());
        self.uses.surroundings |= !only_reads;
    }

    fn note(&self, errors: Vec<CompileError>, node: NodeId, scope: &Scope<'_>, check: &mut Validator<'_>) {
        for CompileError { kind, place } in errors {
            let unknown = match &kind {
                CompileErrorKind::Unknown { what: Word::Name, name, .. } => Some(name),
                _ => None,
            };
            let is_judged =
                |name: &str| self.known.judged().names && !scope.takes_any && !check.document.has_unread_name(name);
            if unknown.is_some_and(|name| !is_judged(name)) {
                continue;
            }
            let is_key = matches!(kind, CompileErrorKind::InKey(_) | CompileErrorKind::SpreadKey(_));
            let span = match place.path.split_last() {
                Some((PathStep::Key(key), path)) if is_key => check.document.key_inside(node, path, key),
                _ => check.document.place(node, &place.path, place.range),
            };
            let known = if unknown.is_some() { known_names(scope) } else { Vec::new() };
            check.note(ProblemKind::Expression { error: kind, known }, span);
        }
    }
}

/// The names that expressions can use, in order.
fn known_names(scope: &Scope<'_>) -> Vec<String> {
    let mut known: Vec<String> = scope.names.iter().chain(["now"]).map(str::to_owned).collect();
    known.sort_unstable();
    known
}

impl Validator<'_> {
    /// Notes that a value is not what is expected.
    pub(super) fn wrong_value(&mut self, JsonNode(node): JsonNode, expected: &str) {
        self.document.note_wrong(node, expected);
    }
}
