//! What requests are answered with.

use schemars::JsonSchema;
use serde::Deserialize;

use super::steps::{also_null, with_verbs};
use super::{Opt, RawDuration, RawExpression, RawField, RawRuleStep};
use crate::scenario::yaml::{Entries, Items, JsonNode, Spanned};

/// What a route answers.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "route")]
pub(crate) enum RawAnswers {
    /// The same for all requests.
    #[serde(rename = "\0mapping")]
    #[schemars(untagged)]
    One(Box<RawAnswer>),
    /// The first that fits the request; 404 if none does.
    #[serde(rename = "\0list")]
    #[schemars(untagged)]
    Several(#[schemars(length(min = 1))] Vec<Spanned<RawAnswer>>),
}

with_verbs! {
    /// An answer: whom it is for, what happens first, and what is in it, which is at most one of `body`, `text`, `file`,
    /// `crud` and `stream`. A verb may stand in it in place of `do`. Expressions know `path`, `query`, `headers`, `cookies`,
    /// `body`, `method` and `url` of the request, and all of `data`.
    #[schemars(
        deny_unknown_fields, rename = "answer",
        example = serde_json::json!({ "status": 201, "body": { "hello": "$path.name" } })
    )]
    RawAnswer {
        /// An expression: the answer is for requests for which it is true.
        #[schemars(example = &"query.page | int > 1")]
        when: Opt<RawExpression>,
        /// What a request has to contain that the answer is for.
        r#match: Opt<RawMatch>,
        /// Values by name, which `when`, the steps and all that is in the answer can use. They are computed once `match` fits.
        #[schemars(example = serde_json::json!({ "total": "{{ body.price * body.amount }}" }))]
        with: Opt<Entries<JsonNode>>,
        /// The status, from 200 to 599; 200 without it, or 204 if nothing is in the answer.
        #[schemars(example = 201, extend("type" = ["integer", "string", "null"]))]
        status: Opt<JsonNode>,
        /// Headers by name. A list stands for several headers of that name.
        #[schemars(example = serde_json::json!({ "cache-control": "no-store" }))]
        headers: Opt<Entries<JsonNode>>,
        /// JSON, in which any text may be an expression.
        #[serde(deserialize_with = "also_null")]
        #[schemars(example = serde_json::json!({ "id": "$path.id" }))]
        body: Opt<JsonNode>,
        /// Plain text.
        #[schemars(example = &"Hello {{ query.name }}", extend("type" = ["string", "number", "boolean", "null"]))]
        text: Opt<JsonNode>,
        /// The path of a file, relative to this one. Its name says what type it is. Expressions lead nowhere but below the
        /// directory of this file, or that which the path begins with, as in `../images/{{ path.name }}`.
        #[schemars(example = &"images/cat.png", extend("type" = ["string", "null"]))]
        file: Opt<JsonNode>,
        /// How much later the answer comes, on the world's clock. Its steps and expressions are those of when the request came.
        #[schemars(example = &"300ms", extend("default" = "0s"))]
        after: Opt<RawDuration>,
        /// REST on a collection. The route's key has no method.
        #[schemars(example = &"todos")]
        crud: Opt<RawCrud>,
        /// Server-sent events, on any method: steps that begin with the request and end with it. HEAD carries out `do`, and
        /// opens no stream.
        stream: Opt<Items<RawRuleStep>>,
        #[schemars(skip)]
        proxy: Opt<JsonNode>,
    }
}

/// What a request has to contain. Texts may be expressions; an undefined value fits no request.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields, rename = "match")]
pub(crate) struct RawMatch {
    /// Parameters of the query with their values.
    #[schemars(example = serde_json::json!({ "page": "2" }), extend("type" = ["object", "null"]))]
    pub(crate) query: Opt<JsonNode>,
    /// Headers with their values, in which `*` stands for any text.
    #[schemars(example = serde_json::json!({ "authorization": "Bearer *" }), extend("type" = ["object", "null"]))]
    pub(crate) headers: Opt<JsonNode>,
    /// What the body contains.
    #[serde(deserialize_with = "also_null")]
    #[schemars(example = serde_json::json!({ "role": "admin" }))]
    pub(crate) body: Opt<JsonNode>,
}

/// REST on a collection.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "crud")]
pub(crate) enum RawCrud {
    /// On the collection of this name.
    #[serde(rename = "\0text")]
    #[schemars(untagged)]
    Collection(String),
    /// As described.
    #[serde(rename = "\0mapping")]
    #[schemars(untagged)]
    Described(Box<RawCrudDescription>),
}

/// REST on a collection, in full.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields, rename = "describedCrud", extend("required" = ["collection"]))]
pub(crate) struct RawCrudDescription {
    /// The collection's name.
    #[schemars(example = &"todos")]
    pub(crate) collection: Opt<String>,
    /// What a row must have that a client sends: its fields by name, each with the JSON types that are allowed. Without it
    /// anything goes. A list that is asked for by a field that is neither here nor in any row is empty; the log and the journal
    /// say so.
    #[schemars(example = serde_json::json!({ "title": "string" }))]
    pub(crate) fields: Opt<Entries<RawField>>,
    /// What an added row has besides what the client sends.
    #[schemars(example = serde_json::json!({ "status": "placed", "at": "$now.iso" }), extend("type" = ["object", "string", "null"]))]
    pub(crate) defaults: Opt<JsonNode>,
    /// The operations that are allowed; all of them without it.
    #[schemars(example = ["list", "get"], length(min = 1))]
    pub(crate) only: Opt<Vec<Spanned<RawOperation>>>,
    /// How the parameters of a list are called.
    pub(crate) query: Opt<RawCrudQuery>,
    /// What a list looks like: `$items`, how many rows fit in all, which is `$total`, which `$page` this is, how many rows it
    /// has room for, which is `$per_page`, and how many `$pages` there are. Without it, a list of the rows.
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
    /// Another row: `POST /`.
    Add,
    /// Other fields for a row: `PUT /{id}`.
    Replace,
    /// Other values for some fields of a row: `PATCH /{id}`.
    Merge,
    /// One row less: `DELETE /{id}`.
    Remove,
}

/// How the parameters of a list are called.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields, rename = "crudQuery")]
pub(crate) struct RawCrudQuery {
    /// Which page is asked for, from 1.
    #[schemars(extend("default" = "_page"), length(min = 1))]
    pub(crate) page: Opt<String>,
    /// How many rows are on a page.
    #[schemars(extend("default" = "_per_page"), length(min = 1))]
    pub(crate) per_page: Opt<String>,
    /// The fields by which rows are sorted.
    #[schemars(extend("default" = "_sort"), length(min = 1))]
    pub(crate) sort: Opt<String>,
}
