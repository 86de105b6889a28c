//! Scenario arguments: files, folders of files, or standard input.

use std::io;
use std::path::{Path, PathBuf};

use crate::scenario::{LoadError, Loading, ReadError, load, load_stream};
use crate::selector::{ScenarioFileError, ScenarioFiles, default_file};

/// The argument that stands for standard input.
const STANDARD_INPUT: &str = "-";

/// The name of standard input in messages.
const STANDARD_INPUT_NAME: &str = "<stdin>";

/// A scenario named by an argument, and the result of loading it.
pub(super) struct ScenarioArg {
    pub(super) path: PathBuf,
    pub(super) loading: Loading,
}

impl ScenarioArg {
    /// Loads the scenario of one argument. For a folder, this is the file that `mockd run` would start with.
    pub(super) fn one(argument: &Path) -> Result<Self, ScenarioFileError> {
        if argument == Path::new(STANDARD_INPUT) {
            return Ok(Self::standard_input());
        }
        Ok(Self::file(ScenarioFiles::new([argument.to_owned()]).first()?))
    }

    /// Loads every scenario of an argument. For a folder, these are all its files.
    pub(super) fn all(argument: &Path) -> Vec<Self> {
        if argument == Path::new(STANDARD_INPUT) {
            return vec![Self::standard_input()];
        }
        let files = ScenarioFiles::new([argument.to_owned()]);
        let error = match files.first() {
            Ok(_) => return files.list().into_iter().map(Self::file).collect(),
            Err(ScenarioFileError::Read(error)) => error,
            Err(_) => ReadError::new(argument, &io::Error::other("no file in it ends in .yaml, .yml or .json")),
        };
        let outcome = Err(LoadError::Read(error));
        vec![Self { path: argument.to_owned(), loading: Loading { outcome, warnings: None, files: Vec::new() } }]
    }

    fn file(path: PathBuf) -> Self {
        Self { loading: load(&path), path }
    }

    fn standard_input() -> Self {
        let path = PathBuf::from(STANDARD_INPUT_NAME);
        Self { loading: load_stream(&path, io::stdin().lock()), path }
    }
}

/// Returns the arguments, or the default file of the current folder if there are none.
pub(super) fn or_default_file(arguments: Vec<PathBuf>) -> Result<Vec<PathBuf>, ScenarioFileError> {
    if arguments.is_empty() { Ok(vec![default_file()?]) } else { Ok(arguments) }
}
