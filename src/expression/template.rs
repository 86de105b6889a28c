//! JSON with expressions in it, and conditions.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use minijinja::Environment;
use serde_json::{Map, Value as Json};

use super::check::{Found, Names, is_name};
use super::data::Data;
use super::error::{CompileError, CompileErrorKind, PathStep, Place, RunError, RunErrorKind};
use super::output::{MAX_DEPTH, Output, plain_text};
use super::program::Program;
use super::scope::{Scope, Surroundings, lend};
use super::text::{Part, Said, read};

/// A JSON value in which texts may be expressions. It has been checked.
#[derive(Debug, Clone)]
pub struct Template {
    node: Node,
    names: BTreeSet<String>,
    max_bytes: usize,
}

/// Two are equal if they say the same.
impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        self.node == other.node
    }
}

/// A part of a template.
#[derive(Debug, Clone, PartialEq)]
enum Node {
    Constant(Json),
    Expression(Expression),
    Text(Vec<Piece>),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

#[derive(Debug, Clone, PartialEq)]
enum Piece {
    Text(String),
    Expression(Expression),
}

/// An expression with its place.
#[derive(Debug, Clone)]
struct Expression {
    program: Program,
    source: String,
    path: Vec<PathStep>,
    /// The byte of the text at which it starts.
    start: usize,
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Template {
    /// Whether it has no expressions, and so gives the same whatever happens.
    #[must_use]
    pub fn is_constant(&self) -> bool {
        matches!(self.node, Node::Constant(_))
    }

    /// The names that its expressions use.
    #[must_use]
    pub fn names(&self) -> &BTreeSet<String> {
        &self.names
    }

    /// What it gives now; `None` if that is undefined. Each name that it uses is looked up once.
    ///
    /// # Errors
    ///
    /// An expression inside text that is undefined, one that fails, or more than the limits allow.
    pub fn render<S: Surroundings + Default>(
        &self,
        roots: &dyn Fn(&str) -> Option<Data>,
        surroundings: &mut S,
    ) -> Result<Option<Json>, RunError> {
        if let Node::Constant(value) = &self.node {
            return Ok(Some(value.clone()));
        }
        lend(surroundings, |surroundings| {
            let scope = Arc::new(Scope::new(&self.names, roots, surroundings));
            self.node.render(&scope, &mut Output::new(self.max_bytes))
        })
    }

    /// As [`Self::render`], where there has to be a value: a body, a frame, a topic, an id.
    ///
    /// # Errors
    ///
    /// As [`Self::render`], and if it is undefined.
    pub fn render_required<S: Surroundings + Default>(
        &self,
        roots: &dyn Fn(&str) -> Option<Data>,
        surroundings: &mut S,
    ) -> Result<Json, RunError> {
        match (self.render(roots, surroundings)?, &self.node) {
            (Some(value), _) => Ok(value),
            (None, Node::Expression(expression)) => Err(expression.undefined()),
            // Only an expression can be undefined.
            (None, _) => Ok(Json::Null),
        }
    }
}

/// An expression that is true or false, such as that of `when`. It has been checked.
///
/// Two are equal if they say the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    expression: Expression,
    names: BTreeSet<String>,
}

impl Condition {
    /// The names that it uses.
    #[must_use]
    pub fn names(&self) -> &BTreeSet<String> {
        &self.names
    }

    /// Whether it is true now: it is not undefined, null, false, 0 or empty.
    ///
    /// # Errors
    ///
    /// An expression that fails, or takes more than the limits allow.
    pub fn holds<S: Surroundings + Default>(
        &self,
        roots: &dyn Fn(&str) -> Option<Data>,
        surroundings: &mut S,
    ) -> Result<bool, RunError> {
        lend(surroundings, |surroundings| {
            let scope = Arc::new(Scope::new(&self.names, roots, surroundings));
            Ok(self.expression.run(&scope)?.is_true())
        })
    }
}

impl Node {
    fn render(&self, scope: &Arc<Scope>, output: &mut Output) -> Result<Option<Json>, RunError> {
        Ok(Some(match self {
            Self::Constant(value) => value.clone(),
            Self::Expression(expression) => return expression.json(scope, output),
            Self::Text(pieces) => {
                let mut text = String::new();
                for piece in pieces {
                    match piece {
                        Piece::Text(literal) => text.push_str(literal),
                        Piece::Expression(expression) => {
                            let value = expression.json(scope, output)?.ok_or_else(|| expression.undefined())?;
                            text.push_str(&plain_text(&value));
                        }
                    }
                }
                Json::String(text)
            }
            Self::List(nodes) => {
                let items = nodes.iter().map(|node| Ok(node.render(scope, output)?.unwrap_or_default()));
                Json::Array(items.collect::<Result<_, RunError>>()?)
            }
            Self::Map(nodes) => {
                let mut fields = Map::new();
                for (key, node) in nodes {
                    if let Some(value) = node.render(scope, output)? {
                        fields.insert(key.clone(), value);
                    }
                }
                Json::Object(fields)
            }
        }))
    }
}

impl Expression {
    fn run(&self, scope: &Arc<Scope>) -> Result<minijinja::Value, RunError> {
        self.program.run(scope).map_err(|(kind, range)| self.error(kind, range))
    }

    fn json(&self, scope: &Arc<Scope>, output: &mut Output) -> Result<Option<Json>, RunError> {
        let value = self.run(scope)?;
        output.json(&value).map_err(|kind| self.error(kind, 0..self.source.len()))
    }

    fn undefined(&self) -> RunError {
        self.error(RunErrorKind::Undefined, 0..self.source.len())
    }

    fn error(&self, kind: RunErrorKind, range: Range<usize>) -> RunError {
        let range = shifted(range, self.start);
        RunError { kind, place: Place { path: self.path.clone(), range }, expression: self.source.clone() }
    }
}

fn shifted(range: Range<usize>, by: usize) -> Range<usize> {
    range.start + by..range.end + by
}

/// Compiles what a scenario says, and collects all that is wrong with it.
pub(super) struct Compiler<'c> {
    environment: &'c Environment<'static>,
    names: &'c Names<'c>,
    used: BTreeSet<String>,
    path: Vec<PathStep>,
    errors: Vec<CompileError>,
}

impl<'c> Compiler<'c> {
    pub(super) fn new(environment: &'c Environment<'static>, names: &'c Names<'c>) -> Self {
        Self { environment, names, used: BTreeSet::new(), path: Vec::new(), errors: Vec::new() }
    }

    pub(super) fn template(mut self, value: &Json, max_bytes: usize) -> Result<Template, Vec<CompileError>> {
        let node = self.node(value);
        if self.errors.is_empty() { Ok(Template { node, names: self.used, max_bytes }) } else { Err(self.errors) }
    }

    pub(super) fn condition(mut self, text: &str) -> Result<Condition, Vec<CompileError>> {
        let trimmed = text.trim_start();
        let start = text.len() - trimmed.len();
        if trimmed.starts_with("{{") {
            self.error(CompileErrorKind::Braces, start..start + 2);
        } else if trimmed.starts_with('$') {
            self.error(CompileErrorKind::Dollar, start..start + 1);
        } else if let Some(expression) = self.expression(text, 0..text.len()) {
            return Ok(Condition { expression, names: self.used });
        }
        Err(self.errors)
    }

    fn node(&mut self, value: &Json) -> Node {
        if self.path.len() > MAX_DEPTH {
            self.error(CompileErrorKind::TooDeep(MAX_DEPTH), 0..0);
            return Node::Constant(Json::Null);
        }
        match value {
            Json::String(text) => self.text(text),
            Json::Array(items) => {
                let nodes: Vec<Node> =
                    items.iter().enumerate().map(|(index, item)| self.inside(PathStep::Index(index), item)).collect();
                list(nodes)
            }
            Json::Object(fields) => {
                let nodes: Vec<(String, Node)> = fields
                    .iter()
                    .map(|(key, value)| (key.clone(), self.inside(PathStep::Key(key.clone()), value)))
                    .collect();
                map(nodes)
            }
            scalar => Node::Constant(scalar.clone()),
        }
    }

    fn inside(&mut self, step: PathStep, value: &Json) -> Node {
        self.path.push(step);
        let node = self.node(value);
        self.path.pop();
        node
    }

    fn text(&mut self, text: &str) -> Node {
        let names = self.names;
        let node = match read(text, |name| is_name(name, names)) {
            Ok(Said::Text(literal)) => return Node::Constant(literal.into()),
            Ok(Said::Path(path)) => {
                let compiled = Program::path(path, self.names, &mut self.used);
                self.compiled(compiled, path, 1).map(Node::Expression)
            }
            Ok(Said::Expression(range)) => self.expression(text, range).map(Node::Expression),
            Ok(Said::Parts(parts)) => {
                // All of them are compiled, whatever is wrong with the first.
                let pieces: Vec<Option<Piece>> = parts
                    .into_iter()
                    .map(|part| match part {
                        Part::Text(literal) => Some(Piece::Text(literal)),
                        Part::Expression(range) => self.expression(text, range).map(Piece::Expression),
                    })
                    .collect();
                pieces.into_iter().collect::<Option<_>>().map(Node::Text)
            }
            Err((kind, range)) => {
                self.error(kind, range);
                None
            }
        };
        node.unwrap_or(Node::Constant(Json::Null))
    }

    /// The expression at these bytes of a text, or nothing if something is wrong with it.
    fn expression(&mut self, text: &str, range: Range<usize>) -> Option<Expression> {
        let whole = &text[range.clone()];
        let source = whole.trim();
        if source.is_empty() {
            // With its braces, if it has them.
            self.error(CompileErrorKind::Empty, range.start.saturating_sub(2)..(range.end + 2).min(text.len()));
            return None;
        }
        let start = range.start + (whole.len() - whole.trim_start().len());
        let compiled = Program::compile(source, self.environment, self.names, &mut self.used);
        self.compiled(compiled, source, start)
    }

    fn compiled(&mut self, compiled: Result<Program, Vec<Found>>, source: &str, start: usize) -> Option<Expression> {
        match compiled {
            Ok(program) => Some(Expression { program, source: source.to_owned(), path: self.path.clone(), start }),
            Err(found) => {
                for (kind, range) in found {
                    self.error(kind, shifted(range, start));
                }
                None
            }
        }
    }

    fn error(&mut self, kind: CompileErrorKind, range: Range<usize>) {
        self.errors.push(CompileError { kind, place: Place { path: self.path.clone(), range } });
    }
}

/// A list is constant if all of its items are.
fn list(nodes: Vec<Node>) -> Node {
    if nodes.iter().any(|node| !matches!(node, Node::Constant(_))) {
        return Node::List(nodes);
    }
    Node::Constant(nodes.into_iter().filter_map(constant).collect())
}

fn map(nodes: Vec<(String, Node)>) -> Node {
    if nodes.iter().any(|(_, node)| !matches!(node, Node::Constant(_))) {
        return Node::Map(nodes);
    }
    Node::Constant(nodes.into_iter().filter_map(|(key, node)| Some((key, constant(node)?))).collect())
}

fn constant(node: Node) -> Option<Json> {
    match node {
        Node::Constant(value) => Some(value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

    use serde_json::{Value as Json, json};

    use super::{Condition, Template};
    use crate::expression::{Language, Names};

    fn template(value: &Json) -> Template {
        Language::default().template(value, &Names::from(["a", "b"])).unwrap()
    }

    fn condition(text: &str) -> Condition {
        Language::default().condition(text, &Names::from(["a", "b"])).unwrap()
    }

    #[test]
    fn templates_and_conditions_are_equal_if_they_say_the_same() {
        let all = [
            json!(1),
            json!("$a"),
            json!("$b"),
            json!("{{ a + 1 }}"),
            json!("{{ a + 1 }}!"),
            json!(["$a"]),
            json!({ "a": "$a" }),
        ];
        for (at, one) in all.iter().enumerate() {
            for (other_at, other) in all.iter().enumerate() {
                assert_eq!(template(one) == template(other), at == other_at, "{one} {other}");
            }
        }
        assert_eq!(template(&json!("$a")), template(&json!("{{ a }}")));
        assert_eq!(condition("a == 1"), condition(" a == 1 "));
        assert_ne!(condition("a == 1"), condition("b == 1"));
    }

    #[test]
    fn templates_and_conditions_can_go_to_other_threads() {
        fn expect_shared<T: Send + Sync + 'static>(_: &T) {}
        expect_shared(&template(&json!("{{ a + 1 }}")));
        expect_shared(&condition("a + 1"));
        expect_shared(&Language::default());
    }
}
