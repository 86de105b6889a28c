//! A scenario's files as one tree, and what is wrong with them.

use std::cell::{Cell, Ref, RefCell};
use std::collections::{HashMap, HashSet};
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
    /// Keys of mappings whose own key is not known: names that they may have been meant to give.
    unread_names: RefCell<HashSet<String>>,
    /// Items and entries visited so far; more than there are nodes means that aliases unfold.
    visited: Cell<usize>,
    /// Values that come from other files, by the mappings that say so.
    data_files: HashMap<NodeId, DataFile>,
}

/// What a file has that a value comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum DataFile {
    /// A value.
    Value(NodeId),
    /// A table in text (RFC 4180), all of it.
    Table(Span),
}

impl Document {
    /// Reads a file, and gives its root unless it is no YAML.
    pub(crate) fn read(&mut self, path: &Path, content: FileContent) -> Option<NodeId> {
        let root = self.read_tree(path, content);
        root.map_err(|problems| problems.into_iter().for_each(|problem| self.note(problem))).ok()
    }

    /// As [`Self::read`], of a file that is no scenario.
    pub(crate) fn read_value(&mut self, path: &Path, content: FileContent) -> Option<NodeId> {
        let root = self.read_tree(path, content);
        let note = |mut problem: Problem| {
            if problem.kind == ProblemKind::Empty {
                problem.kind = ProblemKind::EmptyDataFile;
            }
            self.note(problem);
        };
        root.map_err(|problems| problems.into_iter().for_each(note)).ok()
    }

    fn read_tree(&mut self, path: &Path, content: FileContent) -> Result<NodeId, Vec<Problem>> {
        match content {
            FileContent::Text(text) => self.tree.read(Source::shared(path, text)),
            FileContent::Other(bytes) => Err(vec![self.not_utf8(path, &bytes)]),
        }
    }

    /// Keeps the text of a table, and gives its place.
    pub(crate) fn read_table(&mut self, path: &Path, content: FileContent) -> Option<Span> {
        let text = match content {
            FileContent::Text(text) => text,
            FileContent::Other(bytes) => {
                let problem = self.not_utf8(path, &bytes);
                self.note(problem);
                return None;
            }
        };
        let source = Source::shared(path, text);
        let length = u32::try_from(source.text().len()).unwrap_or(u32::MAX);
        let start = self.tree.add_source(source);
        Some(Span { start, end: start.saturating_add(length) })
    }

    /// The value comes from that file.
    pub(crate) fn attach(&mut self, value: NodeId, file: DataFile) {
        self.data_files.insert(value, file);
    }

    /// The file that a value comes from, unless that is wrong.
    pub(crate) fn attached(&self, value: NodeId) -> Option<DataFile> {
        self.data_files.get(&value).copied()
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

    /// Notes that nobody reads a value, whose keys may have been meant as names.
    pub(super) fn leave_unread(&self, value: NodeId) {
        if let NodeView::Mapping(entries) = self.tree.view(value) {
            let names = entries.chunks_exact(2).map(|entry| self.tree.text(entry[0]).to_owned());
            self.unread_names.borrow_mut().extend(names);
        }
    }

    /// Whether a value that nobody reads may have been meant to give that name.
    pub(crate) fn has_unread_name(&self, name: &str) -> bool {
        self.unread_names.borrow().contains(name)
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
