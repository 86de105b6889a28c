//! Loads scenario files. No other module reads them.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::data_files;
use super::include::{Files, Includes};
use super::problem::{Problem, Problems};
use super::source::{FileContent, MAX_FILE_BYTES, ReadError, Source};
use super::validate;
use super::yaml::Document;
use super::{Fault, Scenario, StepList};

/// The reason why a scenario file cannot be loaded.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The file can be read, but its content is invalid.
    #[error(transparent)]
    Invalid(#[from] Box<Problems>),
}

/// A file as it was when read. Clones share its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundFile {
    path: PathBuf,
    /// `None` if it could not be read.
    content: Option<FileContent>,
}

impl FoundFile {
    /// Returns its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns whether it could be read.
    #[must_use]
    pub fn was_read(&self) -> bool {
        self.content.is_some()
    }

    /// Returns its content; `None` if it could not be read.
    #[must_use]
    pub fn bytes(&self) -> Option<&[u8]> {
        self.content.as_ref().map(FileContent::bytes)
    }

    /// Returns whether the file still has the same content.
    #[must_use]
    pub fn is_unchanged(&self) -> bool {
        read_regular(&self.path).ok().as_deref() == self.content.as_ref().map(FileContent::bytes)
    }
}

/// The result of loading a scenario: the scenario or its problems, and all files that it depends on, starting with the
/// requested one.
#[derive(Debug, Clone, PartialEq)]
pub struct Loading {
    /// The scenario, or the reason why it cannot be loaded.
    pub outcome: Result<Scenario, LoadError>,
    /// Warnings about a valid scenario.
    pub warnings: Option<Box<Problems>>,
    /// The files, including those that could not be read: the scenario may become valid once they exist.
    pub files: Vec<FoundFile>,
}

/// Loads a scenario file, everything that it includes, and the files that its `data` refers to, and validates the
/// result.
#[must_use]
pub fn load(path: &Path) -> Loading {
    load_first(path, read(path))
}

/// Loads a scenario as [`load()`] does, but from a stream such as standard input. `path` is its name in messages, and
/// paths in it are relative to the directory of `path`.
#[must_use]
pub fn load_stream(path: &Path, stream: impl Read) -> Loading {
    load_first(path, read_stream(path, stream, 0))
}

/// Loads a scenario as [`load()`] does, but refuses anything except a regular file: reading a pipe would block until
/// another process writes to it.
#[must_use]
pub fn load_regular(path: &Path) -> Loading {
    load_first(path, read_regular(path))
}

fn load_first(path: &Path, bytes: Result<Vec<u8>, ReadError>) -> Loading {
    let mut disk = Disk::default();
    let content = disk.record(path, bytes).map_err(LoadError::from);
    let checked = content.and_then(|content| check(path, content, &mut disk).map_err(LoadError::from));
    let (outcome, warnings) = match checked {
        Ok(Validated { scenario, warnings }) => (Ok(scenario), warnings),
        Err(error) => (Err(error), None),
    };
    Loading { outcome, warnings, files: disk.found }
}

/// The file system, and the files that were requested from it.
#[derive(Default)]
struct Disk {
    found: Vec<FoundFile>,
}

impl Disk {
    fn record(&mut self, path: &Path, bytes: Result<Vec<u8>, ReadError>) -> Result<FileContent, ReadError> {
        let content = bytes.map(FileContent::from);
        self.found.push(FoundFile { path: path.to_owned(), content: content.as_ref().ok().cloned() });
        content
    }
}

impl Files for Disk {
    fn read(&mut self, path: &Path) -> Result<FileContent, ReadError> {
        self.record(path, read_regular(path))
    }

    fn exists(&self, path: &Path) -> bool {
        path.exists()
    }

    fn identity(&self, path: &Path) -> PathBuf {
        path.canonicalize().unwrap_or_else(|_| path.to_owned())
    }
}

/// Access to files for a text in memory, which refuses all of them.
struct NoFiles;

impl Files for NoFiles {
    fn read(&mut self, path: &Path) -> Result<FileContent, ReadError> {
        Err(ReadError::NoFiles { path: path.to_owned() })
    }

    fn exists(&self, _: &Path) -> bool {
        false
    }

    fn identity(&self, path: &Path) -> PathBuf {
        path.to_owned()
    }
}

/// Parses and validates the text of a scenario, which cannot include files or refer to data files.
///
/// # Errors
/// All problems, in the order of the text.
pub fn parse(source: &Source) -> Result<Scenario, Box<Problems>> {
    let content = FileContent::Text(source.shared_text());
    check(source.path(), content, &mut NoFiles).map(|checked| checked.scenario)
}

/// Parses and validates a fault to add to a scenario, written like an item of `faults`, as YAML or JSON. Also returns
/// warnings, for example about unknown names: steps and clients may have created what the fault refers to.
///
/// # Errors
/// All problems, in the order of the text.
pub fn parse_fault(source: &Source, scenario: &Scenario) -> Result<(Fault, Vec<String>), Box<Problems>> {
    let mut document = Document::default();
    let root = document.read(source.path(), FileContent::Text(source.shared_text()));
    let fault = root.and_then(|root| validate::validate_fault(&document, root, scenario));
    let (sources, mut list) = document.into_parts();
    list.sort_by_key(|problem| (problem.span.start, problem.span.end));
    let (warnings, list): (Vec<_>, Vec<_>) = list.into_iter().partition(|problem| problem.kind.is_warning());
    match fault {
        Some(fault) if list.is_empty() => {
            let warning = |problem: Problem| format!("{}: {}", problem.kind, problem.kind.label());
            Ok((fault, warnings.into_iter().map(warning).collect()))
        }
        _ => Err(Box::new(Problems { sources, list })),
    }
}

/// Parses and validates steps to run in a scenario, written `{ "do": [steps] }`, as YAML or JSON. Their expressions can
/// use the scenario's data.
///
/// # Errors
/// All problems, in the order of the text.
pub fn parse_steps(source: &Source, scenario: &Scenario) -> Result<StepList, Box<Problems>> {
    let mut document = Document::default();
    let root = document.read(source.path(), FileContent::Text(source.shared_text()));
    let steps = root.and_then(|root| validate::validate_steps(&document, root, scenario));
    let (sources, mut list) = document.into_parts();
    list.retain(|problem| !problem.kind.is_warning());
    list.sort_by_key(|problem| (problem.span.start, problem.span.end));
    match steps {
        Some(steps) if list.is_empty() => Ok(steps),
        _ => Err(Box::new(Problems { sources, list })),
    }
}

/// A valid scenario.
struct Validated {
    scenario: Scenario,
    warnings: Option<Box<Problems>>,
}

fn check(path: &Path, content: FileContent, files: &mut dyn Files) -> Result<Validated, Box<Problems>> {
    let (mut document, root) = Includes::of(path, content, files);
    // Computed before data files are read: a missing one affects only one name.
    let is_complete = document.problems().is_empty();
    if let Some(root) = root {
        data_files::read(&mut document, root, files);
    }
    let scenario =
        root.and_then(|root| validate::validate(&document, root, path, &|path| files.exists(path), is_complete));
    let (sources, mut list) = document.into_parts();
    list.sort_by_key(|problem| (problem.span.start, problem.span.end));
    let is_right = list.iter().all(|problem| problem.kind.is_warning());
    let problems = (!list.is_empty()).then(|| Box::new(Problems { sources, list }));
    match (scenario, problems) {
        (Some(scenario), warnings) if is_right => Ok(Validated { scenario, warnings }),
        (_, problems) => Err(problems.unwrap_or_default()),
    }
}

fn read_regular(path: &Path) -> Result<Vec<u8>, ReadError> {
    match std::fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() && !metadata.is_dir() => {
            Err(ReadError::new(path, &io::Error::other("it is not a regular file")))
        }
        _ => read(path),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, ReadError> {
    let failed = |error: io::Error| ReadError::new(path, &error);
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if metadata.is_dir() {
        return Err(failed(io::ErrorKind::IsADirectory.into()));
    }
    let length = usize::try_from(metadata.len().min(MAX_FILE_BYTES)).unwrap_or_default();
    // One more byte than the file has, so that the read that finds the end of the file does not grow the buffer.
    read_stream(path, file, length + 1)
}

fn read_stream(path: &Path, stream: impl Read, capacity: usize) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::with_capacity(capacity);
    let read = stream.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|error| ReadError::new(path, &error))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(ReadError::TooLarge { path: path.to_owned() });
    }
    Ok(bytes)
}
