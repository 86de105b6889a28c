//! Routes: which requests a scenario answers, and how.
//!
//! A [`Route`] is a method, a path and a [`Plan`]. The [`RouteTable`] finds the routes of a request's path. A literal
//! segment takes precedence over a parameter.

mod by_method;
mod declared;
mod insert;
mod nearest;
mod segment;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use indexmap::IndexMap;
use matchit::{InsertError, Params, Router};
use serde::Serialize;
use strum::Display;
use thiserror::Error;

use by_method::ByMethod;
pub(super) use insert::insert_path;
pub use segment::{NOT_IN_SEGMENT, encode_segment};

use super::{Answers, CrudOperation};

/// How to answer requests with a method and a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    method: RouteMethod,
    path: PathPattern,
    plan: Plan,
}

/// The method of a route (RFC 9110, 9.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Display)]
#[strum(serialize_all = "UPPERCASE")]
#[allow(missing_docs, reason = "the names are self-explanatory")]
pub enum RouteMethod {
    Get,
    Post,
    Put,
    Patch,
    Delete,
    /// Every method that no other route of the path handles.
    Any,
}

/// How to answer a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// Returns all rows of a collection as a JSON array.
    List {
        /// The collection's name.
        collection: Arc<str>,
    },
    /// Adds the body, a JSON object, to a collection as its last row, and answers like [`Plan::List`].
    Add {
        /// The collection's name.
        collection: Arc<str>,
    },
    /// Adds the integer `amount` of the body to a row's counter.
    Count {
        /// The row's id.
        row: Parameter,
    },
    /// Opens a live socket.
    Endpoint(SocketEndpoint),
    /// Answers as the scenario declares.
    Answer {
        /// The answers; the first one that matches is sent.
        answers: Arc<Answers>,
        /// The operation of the route, if one of the answers is a REST API for a collection.
        crud: Option<CrudOperation>,
    },
}

/// A live socket, which receives the counters of a collection, and then every new counter value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketEndpoint {
    /// The collection whose counters are sent first; none are sent for an unknown collection.
    pub collection: Parameter,
    /// Which collections' new counter values are sent.
    pub feed: Feed,
}

/// Which collections' counter values the sockets of an endpoint receive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Feed {
    /// The values of every collection.
    #[default]
    All,
    /// The values of the collection that the socket requested last.
    // Events use the shop's term for a collection.
    #[serde(rename = "category")]
    Collection,
}

/// A path whose segments are literals or parameters, such as `/orders/{id}`. Without segments, it is `/`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PathPattern {
    segments: Vec<Segment>,
    parameters: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Literal(Arc<str>),
    Parameter(Parameter),
    /// All remaining segments, at least one.
    Rest(Parameter),
}

/// A path segment that matches any text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    name: Arc<str>,
    /// The index of the parameter in its path, from 0.
    index: usize,
}

/// Why routes cannot form a table.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RouteError {
    /// Two routes match the same requests.
    #[error("`{0}` and `{1}` match the same requests")]
    Ambiguous(Arc<Route>, Arc<Route>),
    /// The path conflicts with the path of another route.
    #[error("`{route}` conflicts with another route: {error}")]
    Conflict {
        /// The route.
        route: Arc<Route>,
        /// The reason.
        error: InsertError,
    },
}

/// The routes of a scenario, looked up by path. Two tables are equal if they have the same routes.
#[derive(Debug, Clone, Default)]
pub struct RouteTable {
    /// In declared order.
    routes: Vec<Arc<Route>>,
    by_path: Router<Vec<Arc<Route>>>,
    by_method: ByMethod,
    /// By key.
    answers: HashMap<Arc<str>, Arc<Answers>>,
}

/// The routes of a request's path, one for each method, with the values of their parameters.
#[derive(Debug)]
pub struct PathMatch<'t, 'p> {
    routes: &'t [Arc<Route>],
    parameters: Params<'t, 'p>,
}

impl Route {
    /// Creates a route. The parameters of the plan must be parameters of the path.
    #[must_use]
    pub fn new(method: RouteMethod, path: PathPattern, plan: Plan) -> Self {
        Self { method, path, plan }
    }

    /// Returns the method of its requests.
    #[must_use]
    pub fn method(&self) -> RouteMethod {
        self.method
    }

    /// Returns its path.
    #[must_use]
    pub fn path(&self) -> &PathPattern {
        &self.path
    }

    /// Returns how to answer its requests.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    fn endpoint(&self) -> Option<&SocketEndpoint> {
        match &self.plan {
            Plan::Endpoint(endpoint) => Some(endpoint),
            _ => None,
        }
    }
}

impl PathPattern {
    /// Appends a literal segment.
    #[must_use]
    pub fn literal(mut self, text: impl Into<Arc<str>>) -> Self {
        self.segments.push(Segment::Literal(text.into()));
        self
    }

    /// Appends a parameter, and returns the path and the parameter.
    #[must_use]
    pub fn parameter(mut self, name: &str) -> (Self, Parameter) {
        let parameter = self.next_parameter(name);
        self.segments.push(Segment::Parameter(parameter.clone()));
        (self, parameter)
    }

    /// Appends a parameter that matches all remaining segments, at least one, and returns the path and the parameter.
    #[must_use]
    pub fn rest(mut self, name: &str) -> (Self, Parameter) {
        let parameter = self.next_parameter(name);
        self.segments.push(Segment::Rest(parameter.clone()));
        (self, parameter)
    }

    /// Returns its parameters, in order.
    pub fn parameters(&self) -> impl Iterator<Item = &Parameter> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Parameter(parameter) | Segment::Rest(parameter) => Some(parameter),
            Segment::Literal(_) => None,
        })
    }

    /// Returns the names of its parameters, in order.
    pub(super) fn parameter_names(&self) -> Vec<&str> {
        self.parameters().map(|parameter| &**parameter.name()).collect()
    }

    /// Returns a text that is equal for paths that differ only in the names of parameters.
    pub(super) fn shape(&self) -> String {
        shape_of(&self.segments)
    }

    fn next_parameter(&mut self, name: &str) -> Parameter {
        self.parameters += 1;
        Parameter { name: name.into(), index: self.parameters - 1 }
    }
}

impl Parameter {
    /// Returns its name.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }
}

/// Writes a path in matchit's syntax. Parameters are named by index, so that paths that differ only in their names are
/// equal.
fn shape_of(segments: &[Segment]) -> String {
    let segment = |segment: &Segment| match segment {
        // matchit reads a doubled brace as a brace.
        Segment::Literal(text) => format!("/{}", encode_segment(text).replace('{', "{{").replace('}', "}}")),
        Segment::Parameter(parameter) => format!("/{{{}}}", parameter.index),
        Segment::Rest(parameter) => format!("/{{*{}}}", parameter.index),
    };
    segments.iter().map(segment).collect()
}

impl RouteTable {
    /// Creates a table of these routes.
    ///
    /// # Errors
    /// [`RouteError`] if two of them match the same requests.
    pub fn new(routes: impl IntoIterator<Item = Route>) -> Result<Self, RouteError> {
        let routes: Vec<Arc<Route>> = routes.into_iter().map(Arc::new).collect();
        let mut paths: IndexMap<String, Vec<Arc<Route>>> = IndexMap::new();
        for route in &routes {
            let same_path = paths.entry(shape_of(&route.path.segments)).or_default();
            if let Some(first) = same_path.iter().find(|first| first.method == route.method) {
                return Err(RouteError::Ambiguous(first.clone(), route.clone()));
            }
            same_path.push(route.clone());
        }
        let mut by_path = Router::new();
        for routes in paths.into_values() {
            let Some(route) = routes.first().cloned() else { continue };
            insert_path(&mut by_path, &route.path, routes)
                .map_err(|error| RouteError::Conflict { route: route.clone(), error })?;
        }
        let answers = routes.iter().filter_map(|route| match route.plan() {
            Plan::Answer { answers, .. } => Some((answers.key.clone(), answers.clone())),
            _ => None,
        });
        Ok(Self { answers: answers.collect(), routes, by_path, by_method: ByMethod::default() })
    }

    /// Returns all routes, in declared order.
    pub fn iter(&self) -> impl Iterator<Item = &Route> {
        self.routes.iter().map(|route| &**route)
    }

    /// Returns the answers with this key.
    #[must_use]
    pub fn answers(&self, key: &str) -> Option<&Arc<Answers>> {
        self.answers.get(key)
    }

    /// Returns the answers of all routes, in declared order. Answers that the routes of a collection share appear once.
    #[must_use]
    pub fn all_answers(&self) -> Vec<&Arc<Answers>> {
        let answers = self.routes.iter().filter_map(|route| match route.plan() {
            Plan::Answer { answers, .. } => Some((&*answers.key, answers)),
            _ => None,
        });
        answers.collect::<IndexMap<_, _>>().into_values().collect()
    }

    /// Returns the endpoints, in declared order.
    pub fn endpoints(&self) -> impl DoubleEndedIterator<Item = &SocketEndpoint> {
        self.routes.iter().filter_map(|route| route.endpoint())
    }

    /// Returns the routes of the most specific pattern that matches a path; `None` if none does.
    ///
    /// The path must not end with a slash, and each segment must be encoded as by [`encode_segment`]. Segments that are
    /// not UTF-8 may be encoded in any way: they match only parameters.
    #[must_use]
    pub fn find<'t, 'p>(&'t self, path: &'p str) -> Option<PathMatch<'t, 'p>> {
        let matched = self.by_path.at(path).ok()?;
        Some(PathMatch { routes: matched.value, parameters: matched.params })
    }
}

impl Eq for RouteTable {}

impl PartialEq for RouteTable {
    fn eq(&self, other: &Self) -> bool {
        self.routes == other.routes
    }
}

impl<'t, 'p> PathMatch<'t, 'p> {
    /// Returns the route of a method, or else the route of any method.
    #[must_use]
    pub fn route(&self, method: RouteMethod) -> Option<&'t Route> {
        let of = |method: RouteMethod| self.routes().find(|route| route.method == method);
        of(method).or_else(|| of(RouteMethod::Any))
    }

    /// Returns the routes of all methods.
    pub fn routes(&self) -> impl Iterator<Item = &'t Route> {
        self.routes.iter().map(|route| &**route)
    }

    /// Returns the endpoint that sockets connect to.
    #[must_use]
    pub fn endpoint(&self) -> Option<&'t SocketEndpoint> {
        self.route(RouteMethod::Get)?.endpoint()
    }

    /// Returns the value of a parameter, encoded as in the path.
    #[must_use]
    pub fn parameter(&self, parameter: &Parameter) -> &'p str {
        parameter.of(&self.parameters)
    }
}

/// Writes a route such as `POST /orders/{id} → count {id}`.
impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, path, plan } = self;
        write!(f, "{method} {path} → {plan}")
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::List { collection } => write!(f, "list {collection}"),
            Self::Add { collection } => write!(f, "add to {collection}"),
            Self::Count { row } => write!(f, "count {row}"),
            Self::Endpoint(SocketEndpoint { collection, feed: Feed::All }) => write!(f, "endpoint of {collection}"),
            Self::Endpoint(SocketEndpoint { collection, feed: Feed::Collection }) => {
                write!(f, "endpoint of {collection} alone")
            }
            Self::Answer { answers, crud: None } => write!(f, "answer of `{}`", answers.key),
            Self::Answer { answers, crud: Some(operation) } => write!(f, "{operation} of `{}`", answers.key),
        }
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.segments.is_empty() {
            return f.write_str("/");
        }
        self.segments.iter().try_for_each(|segment| match segment {
            Segment::Literal(text) => write!(f, "/{text}"),
            Segment::Parameter(parameter) => write!(f, "/{parameter}"),
            Segment::Rest(Parameter { name, .. }) => write!(f, "/{{*{name}}}"),
        })
    }
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{}}}", self.name)
    }
}
