//! Invalid entries of `data`, and invalid data files.

use strum::IntoStaticStr;
use thiserror::Error;

use super::reserved_names::{self, is_taken};
use crate::expression::{RunErrorKind, is_function, is_reserved_name};
use crate::scenario::units::MAX_TOTAL;

/// The reason why data is invalid. `Display` writes the first line of the message.
#[derive(Debug, Clone, PartialEq, Eq, Error, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum DataMistake {
    /// A name that cannot be used in `data`.
    #[error("`{name}` is not a valid name for data")]
    DataName {
        /// The name.
        name: String,
        /// The reason.
        why: &'static str,
    },
    /// A data file with only white space and comments.
    #[error("the file has no data")]
    EmptyDataFile,
    /// A data file that refers to another data file.
    #[error("the file refers to another data file")]
    NamesData,
    /// An id that is neither text nor an integer. The field is the id as JSON.
    #[error("expected text or an integer, found {0}")]
    RowId(String),
    /// A row id that a collection declares twice.
    #[error("row id `{0}` is declared twice")]
    DuplicateRowId(String),
    /// A row of a table with more or fewer cells than its header.
    #[error("the row has {cells} cells, but the header has {fields}")]
    UnequalRow {
        /// The number of cells in the row.
        cells: u64,
        /// The number of cells in the header.
        fields: u64,
    },
    /// A quoted cell of a table without its closing quote.
    #[error("this quote is never closed")]
    UnclosedQuote,
    /// Too many generated rows.
    #[error("more than {0} rows")]
    TooManyRows(u64),
    /// Too much generated data.
    #[error("the rows exceed {0} MiB")]
    TooManyBytes(usize),
    /// An expression that fails while the scenario is loaded.
    #[error("`{expression}` {kind}")]
    ExpressionFails {
        /// The expression as written.
        expression: String,
        /// The failure.
        kind: RunErrorKind,
    },
}

impl DataMistake {
    /// Returns the label at the caret, or an empty string.
    pub(super) fn label(&self) -> &'static str {
        match self {
            Self::DataName { why, .. } => why,
            Self::DuplicateRowId(_) => "declared again here",
            _ => "",
        }
    }

    /// Returns advice on how to fix the data.
    pub(super) fn help(&self) -> Option<String> {
        Some(match self {
            Self::DataName { name, .. } if is_function(name) => {
                format!("choose another name; `mockd explain {name}` explains the function")
            }
            Self::DataName { name, .. } if is_taken(name) || is_reserved_name(name) => reserved_names::advice(name),
            Self::DuplicateRowId(_) => "give one of them another id".into(),
            Self::RowId(_) => {
                format!("put it in quotes to make it text; integers range from -{MAX_TOTAL} to {MAX_TOTAL}")
            }
            Self::EmptyDataFile => "a CSV file starts with the names of its fields; an empty list is `[]`".into(),
            Self::NamesData => "name that file in the scenario, or write out the rows".into(),
            Self::UnequalRow { .. } => "put a cell that contains a comma in double quotes".into(),
            Self::UnclosedQuote => "close it; to write a quote inside a quoted cell, double it".into(),
            Self::ExpressionFails { kind: RunErrorKind::OutOfFuel(_), .. } => {
                "all rows together have a budget of a billion steps: generate fewer rows, or compute less for each"
                    .into()
            }
            Self::ExpressionFails { kind: RunErrorKind::Undefined | RunErrorKind::UndefinedOperand(_), .. } => {
                "provide a fallback with `or` or the filter `default`".into()
            }
            _ => return None,
        })
    }
}
