//! Routes and their answers.

use schemars::JsonSchema;
use serde::Deserialize;

use super::steps::{also_null, with_verbs};
use super::{Opt, RawDuration, RawExpression, RawField, RawRuleStep};
use crate::scenario::yaml::{Entries, Items, JsonNode, Spanned};

/// The answers of a route.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "route")]
pub(crate) enum RawAnswers {
    /// One answer for all requests.
    #[serde(rename = "\0mapping")]
    #[schemars(untagged)]
    One(Box<RawAnswer>),
    /// The first answer that matches the request; 404 if none does.
    #[serde(rename = "\0list")]
    #[schemars(untagged)]
    Several(#[schemars(length(min = 1))] Vec<Spanned<RawAnswer>>),
}

with_verbs! {
    /// An answer: which requests it matches, the steps to run first, and its content, which is at most one of `body`,
    /// `text`, `file`, `crud` and `stream`. A verb may take the place of `do`. Expressions can use the request's
    /// `path`, `query`, `headers`, `cookies`, `body`, `method` and `url`, and everything in `data`.
    #[schemars(
        deny_unknown_fields, rename = "answer",
        example = serde_json::json!({ "status": 201, "body": { "hello": "$path.name" } })
    )]
    RawAnswer {
        /// An expression that must be true for the answer to match.
        #[schemars(example = &"query.page | int > 1")]
        when: Opt<RawExpression>,
        /// What a request must contain to match.
        r#match: Opt<RawMatch>,
        /// Named values for `when`, the steps and everything else in the answer. They are computed once `match`
        /// matches.
        #[schemars(example = serde_json::json!({ "total": "{{ body.price * body.amount }}" }))]
        with: Opt<Entries<JsonNode>>,
        /// The status, from 200 to 599. Defaults to 200, or to 204 if the answer has no content.
        #[schemars(example = 201, extend("type" = ["integer", "string", "null"]))]
        status: Opt<JsonNode>,
        /// Headers by name. A list sends several headers with that name.
        #[schemars(example = serde_json::json!({ "cache-control": "no-store" }))]
        headers: Opt<Entries<JsonNode>>,
        /// A JSON body. Any text in it may be an expression.
        #[serde(deserialize_with = "also_null")]
        #[schemars(example = serde_json::json!({ "id": "$path.id" }))]
        body: Opt<JsonNode>,
        /// A plain text body.
        #[schemars(example = &"Hello {{ query.name }}", extend("type" = ["string", "number", "boolean", "null"]))]
        text: Opt<JsonNode>,
        /// The path of a file, relative to this one. Its extension decides the content type. A path with expressions
        /// cannot leave the directory of this file, or the directory that the path starts with, as in
        /// `../images/{{ path.name }}`.
        #[schemars(example = &"images/cat.png", extend("type" = ["string", "null"]))]
        file: Opt<JsonNode>,
        /// The delay of the answer, on the world's clock. Its steps run and its expressions are computed when the
        /// request arrives. A reset or a restored snapshot sends it at once.
        #[schemars(example = &"300ms", extend("default" = "0s"))]
        after: Opt<RawDuration>,
        /// A REST API for a collection. The route's key has no method. `PUT` replaces a row. `PATCH` replaces the fields
        /// that it contains, each as a whole: mappings are not merged, and `null` is a value like any other.
        #[schemars(example = &"todos")]
        crud: Opt<RawCrud>,
        /// Server-sent events, for any method: steps that start with the request and stop with it. HEAD runs `do` but
        /// opens no stream.
        stream: Opt<Items<RawRuleStep>>,
        #[schemars(skip)]
        proxy: Opt<JsonNode>,
    }
}

/// What a request must contain. Any text in it may be an expression; an undefined value matches no request.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields, rename = "match")]
pub(crate) struct RawMatch {
    /// Query parameters with their values.
    #[schemars(example = serde_json::json!({ "page": "2" }), extend("type" = ["object", "null"]))]
    pub(crate) query: Opt<JsonNode>,
    /// Headers with their values. `*` in a value matches any text.
    #[schemars(example = serde_json::json!({ "authorization": "Bearer *" }), extend("type" = ["object", "null"]))]
    pub(crate) headers: Opt<JsonNode>,
    /// What the body must contain.
    #[serde(deserialize_with = "also_null")]
    #[schemars(example = serde_json::json!({ "role": "admin" }))]
    pub(crate) body: Opt<JsonNode>,
}

/// A REST API for a collection.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "crud")]
pub(crate) enum RawCrud {
    /// The collection with this name.
    #[serde(rename = "\0text")]
    #[schemars(untagged)]
    Collection(String),
    /// A collection with options.
    #[serde(rename = "\0mapping")]
    #[schemars(untagged)]
    Described(Box<RawCrudDescription>),
}

/// A REST API for a collection, with options.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields, rename = "describedCrud", extend("required" = ["collection"]))]
pub(crate) struct RawCrudDescription {
    /// The collection's name.
    #[schemars(example = &"todos")]
    pub(crate) collection: Opt<String>,
    /// The fields that a row sent by a client must have: their names, each with its allowed JSON types. Without it, any
    /// row is accepted. Filtering by a field that is neither declared here nor present in any row returns an empty
    /// list; the log and the journal report it.
    #[schemars(example = serde_json::json!({ "title": "string" }))]
    pub(crate) fields: Opt<Entries<RawField>>,
    /// Fields that an added row has in addition to those that the client sends.
    #[schemars(example = serde_json::json!({ "status": "placed", "at": "$now.iso" }), extend("type" = ["object", "string", "null"]))]
    pub(crate) defaults: Opt<JsonNode>,
    /// The allowed operations. Defaults to all of them.
    #[schemars(example = ["list", "get"], length(min = 1))]
    pub(crate) only: Opt<Vec<Spanned<RawOperation>>>,
    /// The names of the query parameters for pages and sorting.
    pub(crate) query: Opt<RawCrudQuery>,
    /// The body of a list: `$items` are the rows of the page, `$total` is the number of matching rows, `$page` the
    /// number of the page, `$per_page` its size, and `$pages` the number of pages. Here, data with one of these names is
    /// hidden. Without `list`, the body is the list of rows.
    #[serde(deserialize_with = "also_null")]
    #[schemars(example = serde_json::json!({ "data": "$items", "total": "$total", "page": "$page", "pages": "$pages" }))]
    pub(crate) list: Opt<JsonNode>,
}

/// An operation on a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "operation")]
pub(crate) enum RawOperation {
    /// All rows, or some of them: `GET /`.
    List,
    /// One row: `GET /{id}`.
    Get,
    /// Add a row: `POST /`.
    Add,
    /// Replace a row: `PUT /{id}`.
    Replace,
    /// Replace some fields of a row: `PATCH /{id}`.
    Merge,
    /// Remove a row: `DELETE /{id}`.
    Remove,
}

/// The names of the query parameters for pages and sorting.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields, rename = "crudQuery")]
pub(crate) struct RawCrudQuery {
    /// The number of the page, from 1.
    #[schemars(extend("default" = "_page"), length(min = 1))]
    pub(crate) page: Opt<String>,
    /// The number of rows on a page.
    #[schemars(extend("default" = "_per_page"), length(min = 1))]
    pub(crate) per_page: Opt<String>,
    /// The fields to sort by.
    #[schemars(extend("default" = "_sort"), length(min = 1))]
    pub(crate) sort: Opt<String>,
}
