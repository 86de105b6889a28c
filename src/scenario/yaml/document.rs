//! A scenario's files as one tree, and what is wrong with them.

use std::cell::{Cell, Ref, RefCell};
use std::collections::HashSet;
use std::path::Path;

use super::scalar::is_null;
use super::tree::{MAX_UNFOLDED, NodeId, NodeView, Tree};
use crate::scenario::problem::{Problem, ProblemKind};
use crate::scenario::source::{FileContent, Source, Sources, Span};

/// A tree, and what is wrong with what was read into it and decoded from it so far.
#[derive(Debug, Default)]
pub(crate) struct Document {
    tree: Tree,
    problems: RefCell<Vec<Problem>>,
    /// Where which kind of problem was noted: what several aliases name is read, and is wrong, several times.
    noted: RefCell<HashSet<(Span, &'static str)>>,
    /// Items and entries visited so far; more than there are nodes means that aliases unfold.
    visited: Cell<usize>,
}

impl Document {
    /// Reads a file, and gives its root unless it is no YAML.
    pub(crate) fn read(&mut self, path: &Path, content: FileContent) -> Option<NodeId> {
        let root = match content {
            FileContent::Text(text) => self.tree.read(Source::shared(path, text)),
            FileContent::Other(bytes) => Err(vec![self.not_utf8(path, &bytes)]),
        };
        root.map_err(|problems| problems.into_iter().for_each(|problem| self.note(problem))).ok()
    }

    /// Keeps what is text, so that the place can be shown.
    fn not_utf8(&mut self, path: &Path, bytes: &[u8]) -> Problem {
        let text = bytes.utf8_chunks().next().map(|chunk| chunk.valid()).unwrap_or_default();
        let source = Source::new(path, &format!("{text}\u{fffd}"));
        let length = u32::try_from(source.text().len()).unwrap_or(u32::MAX);
        let end = self.tree.add_source(source) + length;
        let start = end - u32::try_from('\u{fffd}'.len_utf8()).unwrap_or_default();
        Problem::new(ProblemKind::NotUtf8, Span { start, end })
    }

    /// Writes a problem down, unless it is known.
    pub(crate) fn note(&self, problem: Problem) {
        if self.noted.borrow_mut().insert((problem.span, problem.kind.code())) {
            self.problems.borrow_mut().push(problem);
        }
    }

    /// Whether nothing is said there.
    pub(crate) fn is_null(&self, id: NodeId) -> bool {
        matches!(self.tree.view(id), NodeView::Scalar { text, plain: true } if is_null(text))
    }

    /// A new mapping of keys and values in turn.
    pub(crate) fn add_mapping(&mut self, span: Span, entries: &[NodeId]) -> NodeId {
        self.tree.add_mapping(span, entries)
    }

    pub(crate) fn tree(&self) -> &Tree {
        &self.tree
    }

    pub(crate) fn sources(&self) -> &Sources {
        self.tree.sources()
    }

    /// The problems found so far.
    pub(crate) fn problems(&self) -> Ref<'_, Vec<Problem>> {
        self.problems.borrow()
    }

    /// Counts visits; false once aliases unfold without bound, which is a problem then.
    pub(super) fn visit(&self, count: usize, span: Span) -> bool {
        let before = self.visited.replace(self.visited.get().saturating_add(count));
        let most = self.tree.len() * 4 + MAX_UNFOLDED;
        let bounded = before.saturating_add(count) <= most;
        if !bounded && before <= most {
            self.note(Problem::new(ProblemKind::AliasBomb(MAX_UNFOLDED), span));
        }
        bounded
    }

    /// The files and the problems.
    pub(crate) fn into_parts(self) -> (Sources, Vec<Problem>) {
        (self.tree.into_sources(), self.problems.into_inner())
    }
}
