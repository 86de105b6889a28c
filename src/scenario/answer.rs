//! The answers of routes: the requests that each one matches, its steps, and its content.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use strum::Display;

use super::{FieldRule, StepList};
use crate::expression::{Condition, Template};

/// The answers of a route. The first one that matches the request is sent.
#[derive(Debug)]
pub struct Answers {
    /// The route's key as written in the scenario, such as `GET /todos/{id}`. It names the random stream.
    pub key: Arc<str>,
    /// In declared order.
    pub list: Vec<Answer>,
    /// The names that their expressions use, except those of `data`.
    pub names: BTreeSet<String>,
    /// Whether answering neither changes state nor draws random numbers, so that any published state will do. For
    /// routes of a collection, this holds for those that read.
    pub only_reads: bool,
    /// The route's value as written in the scenario.
    pub source: Value,
}

/// Two lists of answers are equal if they are written the same way in the scenario.
impl PartialEq for Answers {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key && self.source == other.source
    }
}

impl Eq for Answers {}

/// One answer.
#[derive(Debug)]
pub struct Answer {
    /// The condition that the request must meet; `None` for all requests.
    pub when: Option<Condition>,
    /// What the request must contain.
    pub matches: Option<RequestMatch>,
    /// Named values for everything except `matches`. Each can use the values before it.
    pub with: Vec<(Arc<str>, Template)>,
    /// The steps to run first.
    pub steps: Option<StepList>,
    /// The delay of the answer, on the world's clock.
    pub after: Duration,
    /// The status. `None` means 200, or 204 if there is no content.
    pub status: Option<Template>,
    /// Header names in lower case with their values. A list sends several headers with that name.
    pub headers: Vec<(String, Template)>,
    /// The content.
    pub content: Content,
}

/// What a request must contain, as JSON with expressions.
#[derive(Debug, Default)]
pub struct RequestMatch {
    /// Parameters with their values.
    pub query: Option<Template>,
    /// Headers in lower case with their values. `*` in a value matches any text.
    pub headers: Option<Template>,
    /// What the body must contain.
    pub body: Option<Template>,
}

/// The content of an answer.
#[derive(Debug)]
pub enum Content {
    /// Nothing.
    Empty,
    /// JSON without expressions, encoded.
    Constant(Bytes),
    /// JSON.
    Json(Template),
    /// JSON that does not change until data changes.
    DataJson(Template),
    /// Plain text.
    Text(Template),
    /// A file below a directory.
    File {
        /// The path as written in the scenario.
        path: Template,
        /// The prefix of the path that leads out of the declaring file's directory, such as `../images/`; otherwise
        /// empty. It contains no expressions.
        lead: Arc<str>,
        /// The directory that `lead` leads to, relative to the declaring file's directory.
        directory: Arc<Path>,
        /// The declaring file's directory, relative to that of the main file.
        declared_in: Arc<Path>,
    },
    /// A REST API for a collection.
    Crud(Arc<Crud>),
    /// Server-sent events.
    Stream(StepList),
}

/// A REST API for a collection.
#[derive(Debug)]
pub struct Crud {
    /// The collection's name.
    pub collection: Arc<str>,
    /// The fields that a row sent by a client must have; empty if any row is accepted.
    pub fields: Vec<(String, FieldRule)>,
    /// Additional fields of an added row.
    pub defaults: Option<Template>,
    /// The allowed operations.
    pub only: Vec<CrudOperation>,
    /// The names of the query parameters for pages and sorting.
    pub query: CrudQuery,
    /// The body of a list, computed from `items`, `total`, `page`, `per_page` and `pages`.
    pub list: Option<Template>,
}

/// The names of the query parameters for pages and sorting.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are self-explanatory")]
pub struct CrudQuery {
    pub page: String,
    pub per_page: String,
    pub sort: String,
}

impl Default for CrudQuery {
    fn default() -> Self {
        Self { page: "_page".into(), per_page: "_per_page".into(), sort: "_sort".into() }
    }
}

/// An operation on a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum CrudOperation {
    /// All rows, or some of them: `GET /`.
    List,
    /// One row: `GET /{id}`.
    Get,
    /// Add a row: `POST /`.
    Add,
    /// Replace a row: `PUT /{id}`.
    Replace,
    /// Change some fields of a row: `PATCH /{id}`.
    Merge,
    /// Remove a row: `DELETE /{id}`.
    Remove,
}

impl CrudOperation {
    /// All operations, in the order of the language.
    pub const ALL: [Self; 6] = [Self::List, Self::Get, Self::Add, Self::Replace, Self::Merge, Self::Remove];

    /// Returns whether the operation only reads.
    #[must_use]
    pub fn only_reads(self) -> bool {
        matches!(self, Self::List | Self::Get)
    }
}
