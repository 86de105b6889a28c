//! The files of a scenario as one tree, with their problems.

use std::cell::{Cell, Ref, RefCell};
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use super::scalar::is_null;
use super::tree::{MAX_EXPANSION, NodeId, NodeView, Tree};
use crate::scenario::problem::{DataMistake, Problem, ProblemKind, SyntaxMistake};
use crate::scenario::source::{FileContent, Source, Sources, Span};

/// A tree, and the problems found while building it and decoding from it.
#[derive(Debug, Default)]
pub(crate) struct Document {
    tree: Tree,
    problems: RefCell<Vec<Problem>>,
    /// The places and codes of the recorded problems. A value with several aliases is decoded several times, but its
    /// problems are recorded once.
    reported: RefCell<HashSet<(Span, &'static str)>>,
    /// The keys of mappings under unknown keys. If such a key is a misspelt `with`, these are the names it declares.
    unread_names: RefCell<HashSet<String>>,
    /// The number of items and entries visited so far. Exceeding the number of nodes means that aliases expand.
    visited: Cell<usize>,
    /// The contents of data files, by the mappings that name the files.
    data_files: HashMap<NodeId, DataFile>,
}

/// The content of a data file.
#[derive(Debug, Clone, Copy)]
pub(crate) enum DataFile {
    /// The root of a YAML or JSON file.
    Value(NodeId),
    /// The text of a CSV table (RFC 4180).
    Table(Span),
}

impl Document {
    /// Reads a scenario file and returns its root. Returns `None` and records problems if the file is not YAML.
    pub(crate) fn read(&mut self, path: &Path, content: FileContent) -> Option<NodeId> {
        let root = self.read_tree(path, content);
        root.map_err(|problems| problems.into_iter().for_each(|problem| self.report(problem))).ok()
    }

    /// Like [`Self::read`], but for a data file.
    pub(crate) fn read_value(&mut self, path: &Path, content: FileContent) -> Option<NodeId> {
        let root = self.read_tree(path, content);
        let note = |mut problem: Problem| {
            if problem.kind == ProblemKind::Syntax(SyntaxMistake::Empty) {
                problem.kind = DataMistake::EmptyDataFile.into();
            }
            self.report(problem);
        };
        root.map_err(|problems| problems.into_iter().for_each(note)).ok()
    }

    fn read_tree(&mut self, path: &Path, content: FileContent) -> Result<NodeId, Vec<Problem>> {
        let text = self.text(path, content).map_err(|problem| vec![problem])?;
        self.tree.read(Source::shared(path, text))
    }

    /// Adds the text of a table to the sources and returns its span. Returns `None` and records a problem if the file
    /// is not text.
    pub(crate) fn read_table(&mut self, path: &Path, content: FileContent) -> Option<Span> {
        let text = self.text(path, content).map_err(|problem| self.report(problem)).ok()?;
        let source = Source::shared(path, text);
        let length = u32::try_from(source.text().len()).unwrap_or(u32::MAX);
        let start = self.tree.add_source(source);
        Some(Span { start, end: start.saturating_add(length) })
    }

    /// Records that a value comes from a data file.
    pub(crate) fn attach(&mut self, value: NodeId, file: DataFile) {
        self.data_files.insert(value, file);
    }

    /// Returns the content of the data file that a value names. `None` if the file is invalid.
    pub(crate) fn attached(&self, value: NodeId) -> Option<DataFile> {
        self.data_files.get(&value).copied()
    }

    fn text(&mut self, path: &Path, content: FileContent) -> Result<Arc<String>, Problem> {
        if is_utf16(content.bytes()) {
            return Err(self.invalid_text(path, "", SyntaxMistake::Utf16.into()));
        }
        match content {
            FileContent::Text(text) => Ok(text),
            FileContent::Other(bytes) => {
                let text = bytes.utf8_chunks().next().map(|chunk| chunk.valid()).unwrap_or_default();
                Err(self.invalid_text(path, text, SyntaxMistake::NotUtf8.into()))
            }
        }
    }

    /// Adds the valid part of the text to the sources, so that a report can show where the text stops being valid.
    fn invalid_text(&mut self, path: &Path, text: &str, kind: ProblemKind) -> Problem {
        let source = Source::new(path, &format!("{text}\u{fffd}"));
        let length = u32::try_from(source.text().len()).unwrap_or(u32::MAX);
        let end = self.tree.add_source(source) + length;
        let start = end - u32::try_from('\u{fffd}'.len_utf8()).unwrap_or_default();
        Problem::new(kind, Span { start, end })
    }

    /// Records a problem, unless one of this kind is already recorded at its place.
    pub(crate) fn report(&self, problem: Problem) {
        if self.reported.borrow_mut().insert((problem.span, problem.kind.code())) {
            self.problems.borrow_mut().push(problem);
        }
    }

    /// Records the keys of a value under an unknown key, because they may be meant as names.
    pub(super) fn record_unread(&self, value: NodeId) {
        if let NodeView::Mapping(entries) = self.tree.view(value) {
            let names = entries.chunks_exact(2).map(|entry| self.tree.text(entry[0]).to_owned());
            self.unread_names.borrow_mut().extend(names);
        }
    }

    /// Returns whether a value under an unknown key may be meant to declare this name.
    pub(crate) fn has_unread_name(&self, name: &str) -> bool {
        self.unread_names.borrow().contains(name)
    }

    /// Returns whether a node is null.
    pub(crate) fn is_null(&self, id: NodeId) -> bool {
        matches!(self.tree.view(id), NodeView::Scalar { text, plain: true } if is_null(text))
    }

    /// Adds a mapping. `entries` alternates between keys and values.
    pub(crate) fn add_mapping(&mut self, span: Span, entries: &[NodeId]) -> NodeId {
        self.tree.add_mapping(span, entries)
    }

    pub(crate) fn tree(&self) -> &Tree {
        &self.tree
    }

    pub(crate) fn sources(&self) -> &Sources {
        self.tree.sources()
    }

    /// Returns the problems recorded so far.
    pub(crate) fn problems(&self) -> Ref<'_, Vec<Problem>> {
        self.problems.borrow()
    }

    /// Counts visits. Returns false and records a problem once aliases expand without bound.
    pub(super) fn visit(&self, count: usize, span: Span) -> bool {
        let before = self.visited.replace(self.visited.get().saturating_add(count));
        let most = self.tree.len() * 4 + MAX_EXPANSION;
        let bounded = before.saturating_add(count) <= most;
        if !bounded && before <= most {
            self.report(Problem::new(SyntaxMistake::AliasBomb(MAX_EXPANSION).into(), span));
        }
        bounded
    }

    /// Returns the files and the problems.
    pub(crate) fn into_parts(self) -> (Sources, Vec<Problem>) {
        (self.tree.into_sources(), self.problems.into_inner())
    }
}

/// Returns whether bytes start with a UTF-16 byte order mark, or with two ASCII characters of two bytes each.
fn is_utf16(bytes: &[u8]) -> bool {
    match bytes {
        [0xff, 0xfe, 0, 0, ..] => false,
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => true,
        [0, first, 0, second, ..] | [first, 0, second, 0, ..] => *first != 0 && *second != 0,
        _ => false,
    }
}
