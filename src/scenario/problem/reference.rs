//! References to names and ids that do not exist or have the wrong kind.

use strum::IntoStaticStr;
use thiserror::Error;

use super::kind::quoted_list;

/// The reason why a reference is invalid. `Display` writes the first line of the message.
#[derive(Debug, Clone, PartialEq, Eq, Error, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum ReferenceMistake {
    /// A category that the scenario does not declare.
    #[error("there is no category `{name}`")]
    UnknownCategory {
        /// The name as written.
        name: String,
        /// The closest declared name.
        nearest: Option<String>,
    },
    /// A product that is not declared and that no earlier step adds.
    #[error("there is no product `{id}`{}", if *late { " yet" } else { "" })]
    UnknownProduct {
        /// The id as written.
        id: String,
        /// The closest known id.
        nearest: Option<String>,
        /// Whether a later step adds it.
        late: bool,
    },
    /// A product that an earlier step has removed.
    #[error("product `{0}` has already been removed")]
    RemovedProduct(String),
    /// A collection that the scenario does not declare.
    #[error("there is no collection `{name}`")]
    UnknownCollection {
        /// The name as written.
        name: String,
        /// The closest declared name.
        nearest: Option<String>,
    },
    /// A value of `data` that is not a list of rows, where a collection is required.
    #[error("`{0}` is a value, not a collection")]
    NotACollection(String),
    /// A value that `data` does not declare.
    #[error("there is no value `{name}`")]
    UnknownValue {
        /// The name as written.
        name: String,
        /// The closest declared name.
        nearest: Option<String>,
        /// Whether a socket runs the step, which has values of its own in `conn`.
        of_socket: bool,
    },
    /// A row id that no collection declares.
    #[error("no collection declares a row `{id}`")]
    UnknownRow {
        /// The id as written.
        id: String,
        /// The closest known id.
        nearest: Option<String>,
    },
    /// Row ids that belong to different collections.
    #[error("no collection declares all of these rows")]
    RowsOfSeveral,
    /// Row ids that are all declared by several collections.
    #[error("{} declare all of these rows", quoted_list(.0))]
    AmbiguousRows(Vec<String>),
    /// A `set` of a collection, where a value of `data` is required.
    #[error("`set` takes values of `data`, but `{0}` is a collection")]
    SetsCollection(String),
    /// An `increment` of a category, where a collection is required.
    #[error("`increment` takes rows of a collection, but `{0}` is a category")]
    IncrementsCategory(String),
    /// An `increment` of a value of `data`, where a collection is required.
    #[error("`increment` takes rows of a collection, but `{name}` is a value")]
    IncrementsValue {
        /// The value's name.
        name: String,
        /// The amount to add.
        by: String,
    },
}

impl ReferenceMistake {
    /// Returns the label at the caret, or an empty string.
    pub(super) fn label(&self) -> &'static str {
        match self {
            Self::UnknownProduct { late: true, .. } => "added only by a later step",
            Self::RemovedProduct(_) => "no longer exists at this point",
            Self::UnknownProduct { .. } => "not declared, and no earlier step adds it",
            Self::UnknownCategory { .. } => "not declared under `categories`",
            Self::UnknownCollection { .. } | Self::UnknownValue { .. } => "not declared under `data`",
            _ => "",
        }
    }

    /// Returns the name or id as written.
    pub(super) fn written(&self) -> Option<&str> {
        match self {
            Self::UnknownProduct { id: found, .. }
            | Self::UnknownCategory { name: found, .. }
            | Self::UnknownCollection { name: found, .. }
            | Self::UnknownValue { name: found, .. }
            | Self::UnknownRow { id: found, .. } => Some(found),
            _ => None,
        }
    }

    /// Returns the closest name or id that exists.
    pub(super) fn suggestion(&self) -> Option<String> {
        match self {
            Self::UnknownProduct { nearest, .. }
            | Self::UnknownCategory { nearest, .. }
            | Self::UnknownCollection { nearest, .. }
            | Self::UnknownValue { nearest, .. }
            | Self::UnknownRow { nearest, .. } => nearest.clone(),
            _ => None,
        }
    }

    /// Returns advice on how to fix the reference.
    pub(super) fn help(&self) -> Option<String> {
        Some(match self {
            Self::UnknownProduct { late: true, .. } => "move this step after the one that adds the product".into(),
            Self::RemovedProduct(_) => {
                "move this step before the one that removes the product, or add the product again between them".into()
            }
            Self::NotACollection(name) => {
                format!("a collection is a list of mappings, one for each row: `{name}: [{{ id: 1 }}]`")
            }
            Self::UnknownValue { name, of_socket: true, .. } => {
                format!("write `conn.{name}` for a value of this socket; values of the world are declared under `data`")
            }
            Self::SetsCollection(_) => "`add`, `merge`, `replace` and `remove` change the rows of a collection".into(),
            Self::IncrementsValue { name, by } => format!("write `set: {{ {name}: \"{{{{ {name} + {by} }}}}\" }}`"),
            Self::IncrementsCategory(_) => "`order: { product, amount }` adds to a total".into(),
            Self::RowsOfSeveral => "all of them must be rows of one collection".into(),
            Self::AmbiguousRows(_) => "name at least one row that only one of them has".into(),
            _ => return None,
        })
    }
}
