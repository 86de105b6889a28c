//! `include`: included files are read and merged into the scenario's tree before anything is decoded.
//!
//! Mappings are merged key by key. Any other value in the including file overrides those in included files, and a value
//! in a later file overrides those in earlier ones. A key without a value overrides nothing.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;

use super::problem::{Problem, ProblemKind};
use super::raw::RawInclude;
use super::source::{FileContent, MAX_FILE_BYTES, ReadError, Span};
use super::yaml::{Document, NodeId, NodeView, Spanned};

/// The prefix of keys that serve only to hold anchors.
pub(super) const ANCHORS: &str = "x-";

/// The maximum number of included files, because circular symlinks could lead to endlessly many.
const MAX_FILES: usize = 256;

/// The maximum number of merged keys, because repeated includes of the same parts can grow exponentially.
const MAX_MERGED: usize = 2_000_000;

/// Access to included files.
pub(super) trait Files {
    /// Reads the content of a file.
    fn read(&mut self, path: &Path) -> Result<FileContent, ReadError>;
    /// Returns whether a file or directory exists.
    fn exists(&self, path: &Path) -> bool;
    /// Returns a canonical path, which is the same for every path of a file.
    fn identity(&self, path: &Path) -> PathBuf;
}

/// The state of merging a scenario's files into one tree.
pub(super) struct Includes<'r> {
    document: Document,
    files: &'r mut dyn Files,
    /// The files that are being read, each included by the previous one, as identities, and as paths for messages.
    open: Vec<(PathBuf, PathBuf)>,
    /// The roots of the files read so far, includes merged; `None` for invalid files.
    done: HashMap<PathBuf, Option<NodeId>>,
    bytes: u64,
    /// The number of keys merged so far.
    merged: usize,
}

impl<'r> Includes<'r> {
    /// Reads a file and everything that it includes into a new document. Also returns the root; `None` if the file
    /// itself is not valid YAML.
    pub(super) fn of(path: &Path, content: FileContent, files: &'r mut dyn Files) -> (Document, Option<NodeId>) {
        let identity = files.identity(path);
        let document = Document::default();
        let mut includes = Self { document, files, open: Vec::new(), done: HashMap::new(), bytes: 0, merged: 0 };
        let root = includes.file(path, identity, content);
        (includes.document, root)
    }

    fn file(&mut self, path: &Path, identity: PathBuf, content: FileContent) -> Option<NodeId> {
        self.bytes += content.bytes().len() as u64;
        self.open.push((identity, path.to_owned()));
        let root = self.document.read(path, content).map(|root| self.resolve(root));
        if let Some((identity, _)) = self.open.pop() {
            self.done.insert(identity, root);
        }
        root
    }

    /// Merges the files that a file includes, over which its own keys take precedence. Removes `include` and the keys
    /// that hold anchors.
    fn resolve(&mut self, root: NodeId) -> NodeId {
        let tree = self.document.tree();
        let NodeView::Mapping(entries) = tree.view(root) else { return root };
        let is_about_the_file = |entry: &&[NodeId]| {
            let key = tree.text(entry[0]);
            key == "include" || key.starts_with(ANCHORS)
        };
        let (about_the_file, own): (Vec<_>, Vec<_>) = entries.chunks_exact(2).partition(is_about_the_file);
        if about_the_file.is_empty() {
            return root;
        }
        let included = about_the_file.iter().find(|entry| tree.text(entry[0]) == "include").map(|entry| entry[1]);
        let (span, own) = (tree.span(root), own.concat());
        let own = self.document.add_mapping(span, &own);
        let Some(value) = included else { return own };
        let mut layers = Vec::new();
        for (path, span) in self.named(value) {
            if let Some(root) = self.include(&path, span) {
                // If a file is included twice, the second include counts because it would override the first.
                layers.retain(|layer| *layer != root);
                layers.push(root);
            }
        }
        layers.push(own);
        self.merge(&layers, span)
    }

    /// Returns the paths under `include`.
    fn named(&self, value: NodeId) -> Vec<(PathBuf, Span)> {
        let named = self.document.decode::<Spanned<Option<RawInclude>>>(value);
        let paths = match named.and_then(|named| Some((named.value??, named.span))) {
            Some((RawInclude::One(path), span)) => vec![(path, span)],
            Some((RawInclude::Several(paths), _)) => {
                paths.into_iter().filter_map(|path| Some((path.value?, path.span))).collect()
            }
            None => Vec::new(),
        };
        let is_named = |(path, span): &(String, Span)| {
            if path.is_empty() {
                self.document.report(Problem::new(ProblemKind::EmptyName("the path of a file"), *span));
            }
            !path.is_empty()
        };
        // Drops the `./` of `./common.yaml`, which would be noise in messages.
        let beside = |path: String, span| self.document.sources().directory(span).join(path).components().collect();
        paths.into_iter().filter(is_named).map(|(path, span)| (beside(path, span), span)).collect()
    }

    fn include(&mut self, path: &Path, span: Span) -> Option<NodeId> {
        let identity = self.files.identity(path);
        if let Some(first) = self.open.iter().position(|(open, _)| *open == identity) {
            let way = self.open[first..].iter().chain([&self.open[first]]);
            let way = way.map(|(_, path)| path.display().to_string()).collect();
            self.document.report(Problem::new(ProblemKind::IncludeCycle(way), span));
            return None;
        }
        if let Some(done) = self.done.get(&identity) {
            return *done;
        }
        if self.done.len() + self.open.len() >= MAX_FILES {
            self.document.report(Problem::new(ProblemKind::TooManyFiles(MAX_FILES), span));
            return None;
        }
        match self.files.read(path) {
            Ok(content) if self.bytes + content.bytes().len() as u64 > MAX_FILE_BYTES => {
                self.document.report(Problem::new(ReadError::TooLarge { path: path.to_owned() }.into(), span));
                None
            }
            Ok(content) => self.file(path, identity, content).filter(|root| self.document.expect_mapping(*root)),
            Err(error) => {
                self.done.insert(identity, None);
                self.document.report(Problem::new(error.into(), span));
                None
            }
        }
    }

    /// Merges the values of one key, given in ascending order of precedence. Mappings become one mapping with the keys
    /// of all.
    fn merge(&mut self, layers: &[NodeId], place: Span) -> NodeId {
        let given: Vec<NodeId> = layers.iter().copied().filter(|layer| !self.document.is_null(*layer)).collect();
        let Some(top) = given.last().or(layers.last()).copied() else { return self.document.add_mapping(place, &[]) };
        let tree = self.document.tree();
        let is_mapping = |layer: &&NodeId| matches!(tree.view(**layer), NodeView::Mapping(_));
        let count = given.iter().rev().take_while(is_mapping).count();
        if count < 2 {
            return top;
        }
        let span = tree.span(top);
        let mut entries: IndexMap<&str, (NodeId, Vec<NodeId>)> = IndexMap::new();
        for layer in &given[given.len() - count..] {
            let NodeView::Mapping(children) = tree.view(*layer) else { continue };
            self.merged += children.len() / 2;
            for entry in children.chunks_exact(2) {
                let (key, values) = entries.entry(tree.text(entry[0])).or_default();
                *key = entry[0];
                values.push(entry[1]);
            }
        }
        if self.merged > MAX_MERGED {
            self.document.report(Problem::new(ProblemKind::TooManyMerged(MAX_MERGED), place));
            return top;
        }
        let entries: Vec<(NodeId, Vec<NodeId>)> = entries.into_values().collect();
        let merged: Vec<NodeId> =
            entries.into_iter().flat_map(|(key, values)| [key, self.merge(&values, place)]).collect();
        self.document.add_mapping(span, &merged)
    }
}
