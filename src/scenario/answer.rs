//! Answers: what a route answers, whom, and what it does before.

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

/// The answers of a route, of which the first that fits is given.
#[derive(Debug)]
pub struct Answers {
    /// The route's key as the scenario writes it, such as `GET /todos/{id}`. It names the random stream.
    pub key: Arc<str>,
    /// In declared order.
    pub list: Vec<Answer>,
    /// The names, besides those of `data`, that their expressions use.
    pub names: BTreeSet<String>,
    /// Whether answering changes nothing and draws nothing, so that any moment's state will do to answer from; of a
    /// collection's routes, that is so of those that read.
    pub only_reads: bool,
    /// The route's value as the scenario writes it.
    pub written: Value,
}

/// Two are equal if the scenario writes them in the same way.
impl PartialEq for Answers {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key && self.written == other.written
    }
}

impl Eq for Answers {}

/// One answer.
#[derive(Debug)]
pub struct Answer {
    /// Whom it is for: everybody if there is none.
    pub when: Option<Condition>,
    /// What the request has to contain.
    pub matches: Option<RequestMatch>,
    /// Names with their values, which all but `matches` can use; each knows those before it.
    pub with: Vec<(Arc<str>, Template)>,
    /// What is carried out first.
    pub steps: Option<StepList>,
    /// How much later the answer comes, on the world's clock.
    pub after: Duration,
    /// The status; 200, or 204 without content, if there is none.
    pub status: Option<Template>,
    /// Names in lower case with their values; a list stands for several headers of that name.
    pub headers: Vec<(String, Template)>,
    /// What it has in it.
    pub content: Content,
}

/// What a request has to contain. Each is JSON with expressions.
#[derive(Debug, Default)]
pub struct RequestMatch {
    /// Parameters with their values.
    pub query: Option<Template>,
    /// Headers, in lower case, with their values, in which `*` stands for any text.
    pub headers: Option<Template>,
    /// What the body contains.
    pub body: Option<Template>,
}

/// What an answer has in it.
#[derive(Debug)]
pub enum Content {
    /// Nothing.
    Empty,
    /// JSON without expressions, encoded.
    Constant(Bytes),
    /// JSON.
    Json(Template),
    /// JSON that is the same until data changes.
    JsonOfData(Template),
    /// Plain text.
    Text(Template),
    /// A file below a directory.
    File {
        /// Its path as the scenario writes it.
        path: Template,
        /// What the path begins with if that leads elsewhere than below the file that declares it, such as `../images/`;
        /// else empty. Expressions have no part in it.
        lead: Arc<str>,
        /// The directory that the lead leads to, from that of the file that declares it.
        directory: Arc<Path>,
        /// The directory of the file that declares it, from that of the main file.
        declared_in: Arc<Path>,
    },
    /// REST on a collection.
    Crud(Arc<Crud>),
    /// Server-sent events.
    Stream(StepList),
}

/// REST on a collection.
#[derive(Debug)]
pub struct Crud {
    /// The collection's name.
    pub collection: Arc<str>,
    /// What a row sent by a client must have; empty if anything goes.
    pub fields: Vec<(String, FieldRule)>,
    /// What an added row has besides.
    pub defaults: Option<Template>,
    /// Which operations there are.
    pub only: Vec<CrudOperation>,
    /// The names of the parameters of a list.
    pub query: CrudQuery,
    /// What a list looks like, from `items`, `total`, `page`, `per_page` and `pages`.
    pub list: Option<Template>,
}

/// The names of the parameters of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
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
    /// Another row: `POST /`.
    Add,
    /// Other fields for a row: `PUT /{id}`.
    Replace,
    /// Some other fields for a row: `PATCH /{id}`.
    Merge,
    /// A row less: `DELETE /{id}`.
    Remove,
}

impl CrudOperation {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::List, Self::Get, Self::Add, Self::Replace, Self::Merge, Self::Remove];

    /// Whether it changes nothing.
    #[must_use]
    pub fn only_reads(self) -> bool {
        matches!(self, Self::List | Self::Get)
    }
}
