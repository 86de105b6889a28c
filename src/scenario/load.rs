//! The only reader of scenario files.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::problem::{Problem, ProblemKind, Problems};
use super::source::{MAX_FILE_BYTES, Source, Span};
use super::{Scenario, validate, yaml};

/// Why a scenario file gives no scenario.
#[derive(Debug, Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("cannot read {}: {}", path.display(), reason(error))]
    Read {
        /// The path as given.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The file is larger than any scenario.
    #[error("{} is larger than {} MiB, which no scenario needs; is it the right file?", path.display(), MAX_FILE_BYTES >> 20)]
    TooLarge {
        /// The path as given.
        path: PathBuf,
    },
    /// The file can be read, but what it says is wrong.
    #[error(transparent)]
    Invalid(#[from] Box<Problems>),
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".into(),
        io::ErrorKind::IsADirectory => "it is a directory; give a scenario file in it".into(),
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        _ => error.to_string(),
    }
}

/// A scenario with the bytes that it was made from.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The scenario.
    pub scenario: Scenario,
    /// The file's bytes, to tell later whether it changed.
    pub bytes: Vec<u8>,
}

/// Reads and checks a scenario file.
///
/// # Errors
/// [`LoadError`], with every problem in the file if it can be read at all.
pub fn load(path: &Path) -> Result<Loaded, LoadError> {
    let bytes = read(path)?;
    let scenario = parse_bytes(path, &bytes)?;
    Ok(Loaded { scenario, bytes })
}

/// As [`read`], but refuses what is not a regular file: to read a pipe would wait for who writes to it.
///
/// # Errors
/// [`LoadError::Read`] and [`LoadError::TooLarge`].
pub fn read_regular(path: &Path) -> Result<Vec<u8>, LoadError> {
    match std::fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() && !metadata.is_dir() => {
            let error = io::Error::other("it is not a regular file");
            Err(LoadError::Read { path: path.to_owned(), error })
        }
        _ => read(path),
    }
}

/// Reads a scenario file without checking it.
///
/// # Errors
/// [`LoadError::Read`] and [`LoadError::TooLarge`].
pub fn read(path: &Path) -> Result<Vec<u8>, LoadError> {
    let failed = |error| LoadError::Read { path: path.to_owned(), error };
    let file = File::open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.is_dir() {
        return Err(failed(io::ErrorKind::IsADirectory.into()));
    }
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(LoadError::TooLarge { path: path.to_owned() });
    }
    Ok(bytes)
}

/// Checks the bytes of a scenario file; `path` names it in messages and is what its own paths are relative to.
///
/// # Errors
/// [`LoadError::Invalid`] with every problem.
pub fn parse_bytes(path: &Path, bytes: &[u8]) -> Result<Scenario, LoadError> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(parse(&Source::new(path, text)).map_err(Box::new)?),
        Err(error) => {
            let valid = String::from_utf8_lossy(&bytes[..error.valid_up_to()]).into_owned();
            let at = u32::try_from(valid.len()).unwrap_or(u32::MAX);
            let problem = Problem::new(ProblemKind::NotUtf8, Span { start: at, end: at + 1 });
            let source = Source::new(path, &(valid + "\u{fffd}"));
            Err(Box::new(Problems { source, list: vec![problem] }).into())
        }
    }
}

/// Checks the text of a scenario.
///
/// # Errors
/// Every problem in it, in the order of the text.
pub fn parse(source: &Source) -> Result<Scenario, Problems> {
    let (raw, mut list) = yaml::decode(source.text());
    let scenario = raw.and_then(|raw| {
        let (scenario, problems) = validate::validate(&raw, source.path(), &list);
        list.extend(problems);
        scenario
    });
    list.sort_by_key(|problem| (problem.span.start, problem.span.end));
    match scenario {
        Some(scenario) if list.is_empty() => Ok(scenario),
        _ => Err(Problems { source: source.clone(), list }),
    }
}
