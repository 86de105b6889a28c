//! Templates (JSON with expressions) and conditions.

mod compiler;
mod failed;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

pub(super) use compiler::Compiler;

use super::check::Uses;
use super::data::Data;
use super::error::{PathStep, Place, RunError, RunErrorKind};
use super::output::{Output, plain_text};
use super::program::{Program, walk};
use super::scope::{NOW, Runtime, Scope, with_shared};

/// A JSON value whose strings may contain expressions, compiled and checked.
///
/// Two templates are equal if they are written the same way.
#[derive(Debug, Clone)]
pub struct Template {
    node: Node,
    uses: Uses,
    /// The maximum size of its value.
    max_bytes: usize,
    /// Whether its expressions only look up names other than the time, so that they need no scope.
    is_lookup: bool,
    /// The JSON that it was compiled from, if that was kept.
    source: Option<Arc<Json>>,
}

/// Where expressions find the values of names.
enum Names<'n> {
    Scope(Arc<Scope>),
    /// The caller's names: enough for expressions that only look one up, and cheaper than a scope.
    Roots(&'n dyn Fn(&str) -> Option<Data>),
}

impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        self.node == other.node
    }
}

impl Eq for Template {}

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    Constant(Json),
    Expression(Expression),
    /// An expression whose value must not be undefined.
    Required(Expression),
    /// A string that contains expressions.
    Text(Vec<Piece>),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

/// The value of a template, with its undefined parts.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    /// The value. Undefined keys are left out, and undefined items are null. `None` if the whole value is undefined.
    pub value: Option<Json>,
    /// The expressions that are undefined, or that fail because an operand is undefined.
    pub undefined: Vec<RunError>,
}

/// A piece of a string.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Expression(Expression),
}

/// An expression, and where it is written.
#[derive(Debug, Clone)]
struct Expression {
    program: Program,
    source: String,
    /// The path of its string in the compiled JSON.
    path: Vec<PathStep>,
    /// The byte offset of its start in that string.
    start: usize,
    /// See [`Locate`].
    location: Option<Arc<str>>,
}

/// Finds the location of an expression, such as `pizza.yaml:12:20`, from the path of its string in the compiled JSON
/// and its byte offset in that string.
pub type Locate<'l> = &'l dyn Fn(&[PathStep], usize) -> Option<Arc<str>>;

impl Eq for Expression {}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Template {
    /// Returns whether it has no expressions, so that its value never changes.
    #[must_use]
    pub fn is_constant(&self) -> bool {
        self.constant().is_some()
    }

    /// Returns its constant value; `None` if it has expressions.
    #[must_use]
    pub fn constant(&self) -> Option<&Json> {
        match &self.node {
            Node::Constant(value) => Some(value),
            _ => None,
        }
    }

    /// Returns whether it is a mapping that has the key, whatever the values of its expressions.
    #[must_use]
    pub fn has_key(&self, key: &str) -> bool {
        match &self.node {
            Node::Constant(Json::Object(fields)) => fields.contains_key(key),
            Node::Map(nodes) => nodes.iter().any(|(name, _)| name == key),
            _ => false,
        }
    }

    /// Returns whether its value is certainly a string, a number, a boolean or null.
    #[must_use]
    pub fn returns_scalar(&self) -> bool {
        match &self.node {
            Node::Constant(value) => !value.is_array() && !value.is_object(),
            Node::Text(_) => true,
            Node::Expression(_) | Node::Required(_) | Node::List(_) | Node::Map(_) => false,
        }
    }

    /// Returns the names that its expressions use.
    #[must_use]
    pub fn names(&self) -> &BTreeSet<String> {
        &self.uses.names
    }

    /// Returns whether its value depends only on its names and the time: it does not draw random values, use a counter,
    /// or query the members of a topic.
    #[must_use]
    pub fn only_reads(&self) -> bool {
        !self.uses.runtime
    }

    /// Returns the template with the JSON that it was compiled from, for [`Self::source`].
    #[must_use]
    pub fn with_source(self, source: Json) -> Self {
        Self { source: Some(Arc::new(source)), ..self }
    }

    /// Returns the JSON that it was compiled from; `None` if that was not kept.
    #[must_use]
    pub fn source(&self) -> Option<&Arc<Json>> {
        self.source.as_ref()
    }

    /// Returns the template with a required key: if it is a mapping with this key, the value must not be undefined.
    #[must_use]
    pub fn requiring(mut self, key: &str) -> Self {
        let nodes = if let Node::Map(nodes) = &mut self.node { &mut nodes[..] } else { &mut [] };
        for (_, node) in nodes.iter_mut().filter(|(name, _)| name == key) {
            if let Node::Expression(expression) = node {
                *node = Node::Required(expression.clone());
            }
        }
        self
    }

    /// Returns the template with locations for its errors.
    #[must_use]
    pub fn located(mut self, locate: Locate) -> Self {
        self.node.locate(locate);
        self
    }

    /// Returns its current value; `None` if that is undefined. `roots` returns the value of a name. Undefined keys are
    /// left out, and undefined items are null.
    ///
    /// # Errors
    ///
    /// An expression inside a string is undefined, an expression fails, or a limit is exceeded.
    pub fn render<S: Runtime + Default>(
        &self,
        roots: &dyn Fn(&str) -> Option<Data>,
        runtime: &mut S,
    ) -> Result<Option<Json>, RunError> {
        if let Node::Constant(value) = &self.node {
            return Ok(Some(value.clone()));
        }
        self.with_names(roots, runtime, |names| self.node.render(names, &mut Output::new(self.max_bytes)))
    }

    /// Like [`Self::render`], for a place that requires a value, such as a frame or an id.
    ///
    /// # Errors
    ///
    /// The errors of [`Self::render`], or the value is undefined.
    pub fn render_required<S: Runtime + Default>(
        &self,
        roots: &dyn Fn(&str) -> Option<Data>,
        runtime: &mut S,
    ) -> Result<Json, RunError> {
        match (self.render(roots, runtime)?, &self.node) {
            (Some(value), _) => Ok(value),
            (None, Node::Expression(expression)) => Err(expression.undefined()),
            // Unreachable: only an expression can be undefined.
            (None, _) => Ok(Json::Null),
        }
    }

    /// Like [`Self::render`], for a value to compare with: undefined expressions are collected, even those inside
    /// strings and those that are operands of filters.
    ///
    /// # Errors
    ///
    /// An expression fails for another reason, or a limit is exceeded.
    pub fn render_collecting<S: Runtime + Default>(
        &self,
        roots: &dyn Fn(&str) -> Option<Data>,
        runtime: &mut S,
    ) -> Result<Rendered, RunError> {
        if let Node::Constant(value) = &self.node {
            return Ok(Rendered { value: Some(value.clone()), undefined: Vec::new() });
        }
        self.with_names(roots, runtime, |names| {
            let mut output = Output::collecting(self.max_bytes);
            let value = self.node.render(names, &mut output)?;
            Ok(Rendered { value, undefined: output.into_undefined() })
        })
    }

    fn with_names<S: Runtime + Default, T>(
        &self,
        roots: &dyn Fn(&str) -> Option<Data>,
        runtime: &mut S,
        render: impl FnOnce(&Names<'_>) -> T,
    ) -> T {
        if self.is_lookup {
            return render(&Names::Roots(roots));
        }
        with_shared(runtime, |runtime| render(&Names::Scope(Arc::new(Scope::new(&self.uses.names, roots, runtime)))))
    }
}

/// An expression that is true or false, such as the value of `when`, compiled and checked.
///
/// Two conditions are equal if they are written the same way.
#[derive(Debug, Clone)]
pub struct Condition {
    expression: Expression,
    uses: Uses,
}

impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        self.expression == other.expression
    }
}

impl Condition {
    /// Returns the names that it uses.
    #[must_use]
    pub fn names(&self) -> &BTreeSet<String> {
        &self.uses.names
    }

    /// Like [`Template::only_reads`].
    #[must_use]
    pub fn only_reads(&self) -> bool {
        !self.uses.runtime
    }

    /// Returns the expression as written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.expression.source
    }

    /// Like [`Template::located`].
    #[must_use]
    pub fn located(mut self, locate: Locate) -> Self {
        self.expression.locate(locate);
        self
    }

    /// Returns whether it is currently true: its value is not undefined, null, false, 0 or empty. If a filter or `~`
    /// has an undefined operand, it is false. For `roots`, see [`Template::render`].
    ///
    /// # Errors
    ///
    /// An expression fails, or a limit is exceeded.
    pub fn holds<S: Runtime + Default>(
        &self,
        roots: &dyn Fn(&str) -> Option<Data>,
        runtime: &mut S,
    ) -> Result<bool, RunError> {
        with_shared(runtime, |runtime| {
            let scope = Arc::new(Scope::new(&self.uses.names, roots, runtime));
            match self.expression.run(&scope) {
                Ok(value) => Ok(value.is_true()),
                Err(error) if matches!(error.kind, RunErrorKind::UndefinedOperand(_)) => Ok(false),
                Err(error) => Err(error),
            }
        })
    }
}

impl Node {
    fn locate(&mut self, locate: Locate) {
        match self {
            Self::Constant(_) => {}
            Self::Expression(expression) | Self::Required(expression) => expression.locate(locate),
            Self::Text(pieces) => pieces.iter_mut().for_each(|piece| match piece {
                Piece::Text(_) => {}
                Piece::Expression(expression) => expression.locate(locate),
            }),
            Self::List(nodes) => nodes.iter_mut().for_each(|node| node.locate(locate)),
            Self::Map(nodes) => nodes.iter_mut().for_each(|(_, node)| node.locate(locate)),
        }
    }

    /// Returns whether all of its expressions only look up names, other than the time.
    fn is_lookup(&self) -> bool {
        let looks_up = |expression: &Expression| expression.program.as_path().is_some_and(|(name, _)| name != NOW);
        match self {
            Self::Constant(_) => true,
            Self::Expression(expression) | Self::Required(expression) => looks_up(expression),
            Self::Text(pieces) => pieces.iter().all(|piece| match piece {
                Piece::Text(_) => true,
                Piece::Expression(expression) => looks_up(expression),
            }),
            Self::List(nodes) => nodes.iter().all(Self::is_lookup),
            Self::Map(nodes) => nodes.iter().all(|(_, node)| node.is_lookup()),
        }
    }

    fn render(&self, names: &Names<'_>, output: &mut Output) -> Result<Option<Json>, RunError> {
        Ok(Some(match self {
            Self::Constant(value) => value.clone(),
            Self::Expression(expression) => return expression.json(names, output),
            Self::Required(expression) => expression.json(names, output)?.ok_or_else(|| expression.undefined())?,
            Self::Text(pieces) => {
                let mut text = String::new();
                for piece in pieces {
                    match piece {
                        Piece::Text(literal) => text.push_str(literal),
                        Piece::Expression(expression) => match expression.json(names, output)? {
                            Some(value) => text.push_str(&plain_text(&value)),
                            None if output.collects_undefined() => return Ok(None),
                            None => return Err(expression.undefined()),
                        },
                    }
                }
                Json::String(text)
            }
            Self::List(nodes) => {
                let items = nodes.iter().map(|node| Ok(node.render(names, output)?.unwrap_or_default()));
                Json::Array(items.collect::<Result<_, RunError>>()?)
            }
            Self::Map(nodes) => {
                let mut fields = Map::with_capacity(nodes.len());
                for (key, node) in nodes {
                    if let Some(value) = node.render(names, output)? {
                        fields.insert(key.clone(), value);
                    }
                }
                Json::Object(fields)
            }
        }))
    }
}

impl Expression {
    fn locate(&mut self, locate: Locate) {
        self.location = locate(&self.path, self.start);
    }

    fn run(&self, scope: &Arc<Scope>) -> Result<minijinja::Value, RunError> {
        self.program.run(scope).map_err(|(kind, range)| self.error(kind, range))
    }

    /// Returns its value as JSON; `None` if that is undefined.
    fn json(&self, names: &Names<'_>, output: &mut Output) -> Result<Option<Json>, RunError> {
        let json = match names {
            Names::Scope(scope) => match self.computed(scope, output)? {
                Some(value) => output.json(&value),
                None => return Ok(None),
            },
            Names::Roots(roots) => self.looked_up(roots, output),
        };
        let json = json.map_err(|kind| self.error(kind, 0..self.source.len()))?;
        if output.collects_undefined() && output.is_partial() {
            output.add_undefined(self.undefined());
        }
        Ok(json)
    }

    /// Returns the value of a name, or of a part of it, without evaluating anything.
    fn looked_up(
        &self,
        roots: &dyn Fn(&str) -> Option<Data>,
        output: &mut Output,
    ) -> Result<Option<Json>, RunErrorKind> {
        let (name, steps) = self.program.as_path().unwrap_or_default();
        let Some(data) = roots(name) else { return output.json(&minijinja::Value::UNDEFINED) };
        match data.at(steps) {
            Ok(Some(json)) => output.copy(json),
            Ok(None) => output.json(&minijinja::Value::UNDEFINED),
            Err(value) => output.json(&walk(value, steps)),
        }
    }

    /// Evaluates it. `None` if an operand is undefined, and the output collects this.
    fn computed(&self, scope: &Arc<Scope>, output: &mut Output) -> Result<Option<minijinja::Value>, RunError> {
        match self.run(scope) {
            Err(error) if output.collects_undefined() && matches!(error.kind, RunErrorKind::UndefinedOperand(_)) => {
                output.add_undefined(error);
                Ok(None)
            }
            value => value.map(Some),
        }
    }

    /// Returns the error that its value is undefined.
    fn undefined(&self) -> RunError {
        self.error(RunErrorKind::Undefined, 0..self.source.len())
    }

    /// Returns an error in this range of its source.
    fn error(&self, kind: RunErrorKind, range: Range<usize>) -> RunError {
        let operand = matches!(kind, RunErrorKind::UndefinedOperand(_)).then(|| self.source.get(range.clone()));
        let expression = operand.flatten().unwrap_or(&self.source).to_owned();
        let place = Place { path: self.path.clone(), range: shifted(range, self.start) };
        RunError { kind, place, expression, location: self.location.clone() }
    }
}

pub(super) fn shifted(range: Range<usize>, by: usize) -> Range<usize> {
    range.start + by..range.end + by
}
