//! Errors for values that turn out to be invalid after their expressions have run.

use super::{Expression, Node, Piece, Template};
use crate::expression::error::{RunError, RunErrorKind};

impl Template {
    /// Returns an error for a value that is invalid for this reason. It has the place of the first expression and names
    /// all of them; `None` if the template has no expressions.
    #[must_use]
    pub fn failed(&self, why: &str) -> Option<RunError> {
        // The reason follows a colon in the message, so it starts in lower case.
        let mut letters = why.chars();
        let why: String = letters.next().into_iter().flat_map(char::to_lowercase).chain(letters).collect();
        let mut expressions = Vec::new();
        self.node.add_expressions(&mut expressions);
        let first = expressions.first()?;
        let sources: Vec<&str> = expressions.iter().map(|expression| &*expression.source).collect();
        let error = first.error(RunErrorKind::Failed(why), 0..first.source.len());
        Some(RunError { expression: sources.join("`, `"), ..error })
    }
}

impl Node {
    fn add_expressions<'n>(&'n self, to: &mut Vec<&'n Expression>) {
        match self {
            Self::Constant(_) => {}
            Self::Expression(expression) | Self::Required(expression) => to.push(expression),
            Self::Text(pieces) => to.extend(pieces.iter().filter_map(|piece| match piece {
                Piece::Text(_) => None,
                Piece::Expression(expression) => Some(expression),
            })),
            Self::List(nodes) => nodes.iter().for_each(|node| node.add_expressions(to)),
            Self::Map(nodes) => nodes.iter().for_each(|(_, node)| node.add_expressions(to)),
        }
    }
}
