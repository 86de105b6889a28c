//! The files that `data` refers to, read into the scenario's tree before anything is decoded.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::include::Files;
use super::problem::{Problem, ProblemKind};
use super::raw::RawDataFile;
use super::source::{MAX_FILE_BYTES, ReadError, Span};
use super::yaml::{DataFile, Document, NodeId, NodeView};

/// Reads the files that `data` refers to.
pub(super) fn read(document: &mut Document, root: NodeId, files: &mut dyn Files) {
    let mut reader = Reader { document, files, done: HashMap::new() };
    for (value, path, span) in reader.named(root) {
        if let Some(file) = reader.file(&path, span) {
            reader.document.attach(value, file);
        }
    }
}

struct Reader<'r> {
    document: &'r mut Document,
    files: &'r mut dyn Files,
    /// The files read so far, by identity; `None` for an invalid file.
    done: HashMap<PathBuf, Option<DataFile>>,
}

impl Reader<'_> {
    /// Returns the values that come from files, each with its path and the span of that path.
    fn named(&self, root: NodeId) -> Vec<(NodeId, PathBuf, Span)> {
        let tree = self.document.tree();
        let Some(NodeView::Mapping(entries)) = self.document.entry(root, "data").map(|data| tree.view(data)) else {
            return Vec::new();
        };
        let from = |entry: &[NodeId]| {
            let NodeView::Mapping([key, _]) = tree.view(entry[1]) else { return None };
            if tree.text(*key) != "from" {
                return None;
            }
            let raw = self.document.decode::<RawDataFile>(entry[1])?;
            let (path, span) = raw.from.as_ref()?.get().filter(|(path, _)| !path.is_empty())?;
            Some((entry[1], self.document.sources().directory(span).join(path).components().collect(), span))
        };
        entries.chunks_exact(2).filter_map(from).collect()
    }

    fn file(&mut self, path: &Path, span: Span) -> Option<DataFile> {
        let identity = self.files.identity(path);
        if let Some(done) = self.done.get(&identity) {
            return *done;
        }
        let file = self.read(path).map_err(|kind| self.document.report(Problem::new(kind, span))).ok().flatten();
        self.done.insert(identity, file);
        file
    }

    /// Reads a file; `None` if its content is invalid.
    fn read(&mut self, path: &Path) -> Result<Option<DataFile>, ProblemKind> {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
        let is_table = match &*ending {
            "csv" | "tsv" => true,
            "json" | "yaml" | "yml" => false,
            _ => return Err(ProblemKind::UnknownDataFile(path.display().to_string())),
        };
        let content = self.files.read(path).map_err(|error| match error {
            ReadError::NoFiles { path } => {
                let reason = "only a scenario read from a file can refer to others".to_owned();
                ReadError::Unreadable { path, reason }
            }
            error => error,
        })?;
        let taken = u64::from(self.document.sources().next_base());
        if taken + content.bytes().len() as u64 > MAX_FILE_BYTES {
            return Err(ReadError::TooLarge { path: path.to_owned() }.into());
        }
        Ok(if is_table {
            self.document.read_table(path, content).map(DataFile::Table)
        } else {
            self.document.read_value(path, content).map(DataFile::Value)
        })
    }
}
