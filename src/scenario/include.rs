//! `include`: the files that a scenario names are read and merged below it, before anything is decoded.
//!
//! Mappings are merged key by key; of two other values under one key that of the including file wins, and among
//! included files the later one. A key with nothing behind it says nothing, so it wins over nothing.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use super::load::ReadError;
use super::problem::{Problem, ProblemKind};
use super::raw::RawInclude;
use super::source::{Content, MAX_FILE_BYTES, Span};
use super::yaml::{Document, NodeId, Spanned, View};

/// More files than this are not included: links that lead in circles could go on for ever.
const MAX_FILES: usize = 256;

/// A scenario's files on the way into one tree.
pub(super) struct Includes<'r> {
    document: Document,
    read: &'r mut dyn FnMut(&Path) -> Result<Content, ReadError>,
    /// The files that are being read, each included by the one before it.
    open: Vec<PathBuf>,
    /// The roots of those that were read, with what they include; none for those that are wrong.
    done: HashMap<PathBuf, Option<NodeId>>,
    bytes: u64,
}

impl<'r> Includes<'r> {
    /// The tree of a file with all that it includes, and its root if the file itself could be read as YAML.
    pub(super) fn of(
        path: &Path,
        content: Content,
        read: &'r mut dyn FnMut(&Path) -> Result<Content, ReadError>,
    ) -> (Document, Option<NodeId>) {
        let document = Document::default();
        let mut includes = Self { document, read, open: Vec::new(), done: HashMap::new(), bytes: 0 };
        let root = includes.file(path, content);
        (includes.document, root)
    }

    fn file(&mut self, path: &Path, content: Content) -> Option<NodeId> {
        self.bytes += content.bytes().len() as u64;
        self.open.push(identity(path));
        let root = self.document.read(path, content).map(|root| self.resolve(root));
        if let Some(path) = self.open.pop() {
            self.done.insert(path, root);
        }
        root
    }

    /// Puts what a file includes below it, and takes the key out.
    fn resolve(&mut self, root: NodeId) -> NodeId {
        let tree = self.document.tree();
        let View::Mapping(entries) = tree.view(root) else { return root };
        let Some(at) = entries.chunks_exact(2).position(|entry| tree.text(entry[0]) == "include") else { return root };
        let (span, value) = (tree.span(root), entries[at * 2 + 1]);
        let own = [&entries[..at * 2], &entries[at * 2 + 2..]].concat();
        let own = self.document.add_mapping(span, &own);
        let named = self.document.decode::<Spanned<Option<RawInclude>>>(value);
        let paths = match named.and_then(|named| Some((named.value??, named.span))) {
            Some((RawInclude::One(path), span)) => vec![(path, span)],
            Some((RawInclude::Several(paths), _)) => {
                paths.into_iter().filter_map(|path| Some((path.value?, path.span))).collect()
            }
            None => Vec::new(),
        };
        let mut below = None;
        for (path, span) in paths {
            below = match (below, self.include(Path::new(&path), span)) {
                (Some(below), Some(root)) => Some(self.merge(below, root)),
                (below, root) => below.or(root),
            };
        }
        below.map_or(own, |below| self.merge(below, own))
    }

    fn include(&mut self, path: &Path, span: Span) -> Option<NodeId> {
        // Without the `.` in `./common.yaml`, which says nothing in a message.
        let path: PathBuf = self.document.sources().directory(span).join(path).components().collect();
        let identity = identity(&path);
        if let Some(first) = self.open.iter().position(|open| *open == identity) {
            let way = self.open[first..].iter().chain([&identity]).map(|path| path.display().to_string());
            self.document.note(Problem::new(ProblemKind::IncludeCycle(way.collect()), span));
            return None;
        }
        if let Some(done) = self.done.get(&identity) {
            return *done;
        }
        if self.done.len() + self.open.len() >= MAX_FILES {
            self.document.note(Problem::new(ProblemKind::TooManyFiles(MAX_FILES), span));
            return None;
        }
        match (self.read)(&path) {
            Ok(content) if self.bytes + content.bytes().len() as u64 > MAX_FILE_BYTES => {
                self.document.note(Problem::new(ReadError::TooLarge { path }.into(), span));
                None
            }
            Ok(content) => self.file(&path, content).filter(|root| self.document.expect_mapping(*root)),
            Err(error) => {
                self.document.note(Problem::new(error.into(), span));
                None
            }
        }
    }

    /// A mapping with the keys of both; what is in `over` wins.
    fn merge(&mut self, below: NodeId, over: NodeId) -> NodeId {
        let tree = self.document.tree();
        let (View::Mapping(base), View::Mapping(own)) = (tree.view(below), tree.view(over)) else {
            return if self.document.is_null(over) { below } else { over };
        };
        let span = tree.span(over);
        let (mut merged, own) = (base.to_vec(), own.to_vec());
        let places: HashMap<String, usize> =
            base.iter().step_by(2).zip(0..).map(|(key, at)| (tree.text(*key).to_owned(), at * 2)).collect();
        for entry in own.chunks_exact(2) {
            if let Some(at) = places.get(self.document.tree().text(entry[0])) {
                merged[*at] = entry[0];
                merged[at + 1] = self.merge(merged[at + 1], entry[1]);
            } else {
                merged.extend(entry);
            }
        }
        self.document.add_mapping(span, &merged)
    }
}

/// A path that is the same for the same file, but for links.
fn identity(path: &Path) -> PathBuf {
    let mut identity = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(identity.components().next_back(), Some(Component::Normal(_))) => {
                identity.pop();
            }
            part => identity.push(part),
        }
    }
    identity
}
