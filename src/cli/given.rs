//! The scenarios that arguments name: files, folders of files, standard input.

use std::io;
use std::path::{Path, PathBuf};

use crate::scenario::{LoadError, Loading, ReadError, load, load_stream};
use crate::selector::{GivenError, ScenarioFiles, usual_file};

/// The argument that is standard input.
const STANDARD_INPUT: &str = "-";

/// The name of standard input in messages.
const STANDARD_INPUT_NAME: &str = "<stdin>";

/// A scenario that an argument names, and how reading it went.
pub(super) struct Given {
    pub(super) path: PathBuf,
    pub(super) loading: Loading,
}

impl Given {
    /// What to use of one argument; of a folder, the file that `mockd run` would start with.
    pub(super) fn one(argument: &Path) -> Result<Self, GivenError> {
        if argument == Path::new(STANDARD_INPUT) {
            return Ok(Self::standard_input());
        }
        Ok(Self::file(ScenarioFiles::new([argument.to_owned()]).first()?))
    }

    /// Everything that an argument names; of a folder, each of its files.
    pub(super) fn all(argument: &Path) -> Vec<Self> {
        if argument == Path::new(STANDARD_INPUT) {
            return vec![Self::standard_input()];
        }
        let files = ScenarioFiles::new([argument.to_owned()]);
        let error = match files.first() {
            Ok(_) => return files.list().into_iter().map(Self::file).collect(),
            Err(GivenError::Read(error)) => error,
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

/// The arguments, or the file of the current folder that is used without any.
pub(super) fn or_usual(arguments: Vec<PathBuf>) -> Result<Vec<PathBuf>, GivenError> {
    if arguments.is_empty() { Ok(vec![usual_file()?]) } else { Ok(arguments) }
}
