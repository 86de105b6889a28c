//! Rules at work: what a scenario answers, and what happens when it does.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A request, as far as rules look at it. What no expression of its route names may be left empty.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleRequest {
    /// The method that the client asked with, in capitals.
    pub method: Arc<str>,
    /// The path with the query, without the world's prefix.
    pub url: Arc<str>,
    /// The parameters of the path, decoded.
    pub path: Map<String, Value>,
    /// The parameters of the query; one that comes several times is a list.
    pub query: Map<String, Value>,
    /// The headers by their names in lower case; several of a name are joined by a comma (RFC 9110, 5.3).
    pub headers: Map<String, Value>,
    /// The cookies (RFC 6265, 4.2).
    pub cookies: Map<String, Value>,
    /// The body: JSON as it is, a form as a mapping, anything else as text; `None` for no body.
    pub body: Option<Value>,
}

/// An answer, with all of its expressions computed.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// The status, from 200 to 599.
    pub status: u16,
    /// Names in lower case with their values; a name may come several times.
    pub headers: Vec<(String, String)>,
    /// What it has in it.
    pub content: AnsweredContent,
    /// How much later it comes, on the world's clock.
    pub after: Duration,
}

/// What an answer has in it.
#[derive(Debug, Clone, PartialEq)]
pub enum AnsweredContent {
    /// Nothing.
    Empty,
    /// JSON.
    Json(Value),
    /// Plain text.
    Text(String),
    /// A file.
    File(PathBuf),
    /// Server-sent events, which the member of the request gets.
    Stream,
}
