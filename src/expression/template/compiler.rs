//! Compiles templates and conditions, and collects all of their errors.

use std::ops::Range;

use minijinja::Environment;
use serde_json::Value as Json;

use super::{Condition, Expression, Node, Piece, Template, shifted};
use crate::expression::check::{Found, Uses};
use crate::expression::error::{CompileError, CompileErrorKind, PathStep, Place};
use crate::expression::foreign_syntax::statement;
use crate::expression::names::Names;
use crate::expression::output::MAX_DEPTH;
use crate::expression::program::Program;
use crate::expression::text::{ParsedText, Part, parse};

/// Compiles one template or condition.
pub(in crate::expression) struct Compiler<'c> {
    environment: &'c Environment<'static>,
    names: &'c Names<'c>,
    used: Uses,
    path: Vec<PathStep>,
    errors: Vec<CompileError>,
}

impl<'c> Compiler<'c> {
    pub(in crate::expression) fn new(environment: &'c Environment<'static>, names: &'c Names<'c>) -> Self {
        Self { environment, names, used: Uses::default(), path: Vec::new(), errors: Vec::new() }
    }

    pub(in crate::expression) fn template(
        mut self,
        value: &Json,
        max_bytes: usize,
    ) -> Result<Template, Vec<CompileError>> {
        let node = self.node(value);
        if self.errors.is_empty() {
            Ok(Template { is_lookup: node.is_lookup(), node, uses: self.used, max_bytes, source: None })
        } else {
            Err(self.errors)
        }
    }

    pub(in crate::expression) fn condition(mut self, text: &str) -> Result<Condition, Vec<CompileError>> {
        let trimmed = text.trim_start();
        let start = text.len() - trimmed.len();
        if trimmed.starts_with("{{") {
            self.error(CompileErrorKind::Braces, start..start + 2);
        } else if trimmed.starts_with('$') {
            self.error(CompileErrorKind::Dollar, start..start + 1);
        } else if let Some(expression) = self.expression(text, 0..text.len()) {
            return Ok(Condition { expression, uses: self.used });
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
        let node = match parse(text, |name| names.contains(name)) {
            Ok(ParsedText::Text(literal)) => return Node::Constant(literal.into()),
            Ok(ParsedText::Path(path)) => {
                let compiled = Program::path(path, self.names, &mut self.used);
                self.compiled(compiled, path, 1).map(Node::Expression)
            }
            Ok(ParsedText::Expression(range)) => self.expression(text, range).map(Node::Expression),
            Ok(ParsedText::Parts(parts)) => {
                let earlier = self.errors.len();
                // All parts are compiled, even after an invalid one, so that every error is reported.
                let pieces: Vec<Option<Piece>> = parts
                    .into_iter()
                    .map(|part| match part {
                        Part::Text(literal) => Some(Piece::Text(literal)),
                        Part::Expression(range) => self.expression(text, range).map(Piece::Expression),
                    })
                    .collect();
                let pieces: Option<Vec<Piece>> = pieces.into_iter().collect();
                // The names that are unknown may be those that a statement binds.
                if pieces.is_none()
                    && let Some(statement) = statement(text)
                {
                    self.errors.truncate(earlier);
                    self.error(CompileErrorKind::NoStatements, statement);
                }
                pieces.map(Node::Text)
            }
            Err((kind, range)) => {
                match whole(text).filter(|whole| self.is_expression(whole)) {
                    Some(whole) => self.error(CompileErrorKind::NotAPath(whole.to_owned()), 0..text.len()),
                    None => self.error(kind, range),
                }
                None
            }
        };
        node.unwrap_or(Node::Constant(Json::Null))
    }

    fn is_expression(&self, text: &str) -> bool {
        Program::compile(text, self.environment, self.names, &mut Uses::default()).is_ok()
    }

    /// Compiles the expression at a range of a text; `None` if it is invalid.
    fn expression(&mut self, text: &str, range: Range<usize>) -> Option<Expression> {
        let whole = &text[range.clone()];
        let source = whole.trim();
        if source.is_empty() {
            // The range includes the braces, if there are any.
            self.error(CompileErrorKind::Empty, range.start.saturating_sub(2)..(range.end + 2).min(text.len()));
            return None;
        }
        let start = range.start + (whole.len() - whole.trim_start().len());
        let compiled = Program::compile(source, self.environment, self.names, &mut self.used);
        self.compiled(compiled, source, start)
    }

    fn compiled(&mut self, compiled: Result<Program, Vec<Found>>, source: &str, start: usize) -> Option<Expression> {
        match compiled {
            Ok(program) => {
                let (source, path) = (source.to_owned(), self.path.clone());
                Some(Expression { program, source, path, start, location: None })
            }
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

/// Returns what follows the `$` at the start of a text; `None` if no letter follows.
fn whole(text: &str) -> Option<&str> {
    text.strip_prefix('$').filter(|rest| rest.starts_with(char::is_alphabetic))
}

/// Creates a list, which is constant if all of its items are.
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
