//! Routes: which requests a scenario answers, and with what.
//!
//! A [`Route`] is a method, a path and a [`Plan`]. The [`RouteTable`] finds the routes of a request's path; a segment that is
//! literal wins over a parameter.

use std::fmt;
use std::sync::Arc;

use indexmap::IndexMap;
use matchit::{InsertError, Params, Router};
use serde::Serialize;
use strum::Display;
use thiserror::Error;

/// What answers the requests of a method to a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    method: RouteMethod,
    path: PathPattern,
    plan: Plan,
}

/// The method of a route (RFC 9110, 9.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display)]
#[strum(serialize_all = "UPPERCASE")]
#[allow(missing_docs, reason = "the names say it")]
pub enum RouteMethod {
    Get,
    Post,
}

/// How a request is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// With all rows of a collection, as a JSON array.
    List {
        /// The collection's name.
        collection: Arc<str>,
    },
    /// Adds the body, a JSON object, to a collection as its last row, and answers as [`Plan::List`].
    Add {
        /// The collection's name.
        collection: Arc<str>,
    },
    /// Adds the integer `amount` of the body to a row's counter.
    Count {
        /// The row's id.
        row: Parameter,
    },
    /// With a live socket.
    Endpoint(SocketEndpoint),
}

/// A live socket: the counters of a collection, then each value that they take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketEndpoint {
    /// The name of the collection whose counters it begins with. A socket of an unknown one begins with none.
    pub collection: Parameter,
    /// Which counters it goes on with.
    pub feed: Feed,
}

/// Which counters the sockets of an endpoint get the values of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Feed {
    /// Those of every collection.
    #[default]
    All,
    /// Those of the collection that the socket asked for last.
    // Events call it as the shop does.
    #[serde(rename = "category")]
    Collection,
}

/// A path in which each segment is a literal or a parameter, such as `/orders/{id}`. Without a segment it is `/`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PathPattern {
    segments: Vec<Segment>,
    parameters: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Literal(Arc<str>),
    Parameter(Parameter),
}

/// A segment of a path that may be any text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    name: Arc<str>,
    /// Which of its path's parameters it is, from 0.
    index: usize,
}

/// Why routes make no table.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RouteError {
    /// Two routes are for the same requests.
    #[error("`{0}` and `{1}` are for the same requests")]
    Ambiguous(Arc<Route>, Arc<Route>),
    /// The path cannot be told from that of another route.
    #[error("`{route}` does not fit in with the other routes: {error}")]
    Conflict {
        /// The route.
        route: Arc<Route>,
        /// The reason.
        error: InsertError,
    },
}

/// The routes of a scenario, found by path. Two are equal if they have the same routes.
#[derive(Debug, Clone, Default)]
pub struct RouteTable {
    /// In declared order.
    routes: Vec<Arc<Route>>,
    by_path: Router<Vec<Arc<Route>>>,
}

/// The routes of a request's path, one for each method, with what the path says for their parameters.
#[derive(Debug)]
pub struct PathMatch<'t, 'p> {
    routes: &'t [Arc<Route>],
    parameters: Params<'t, 'p>,
}

impl Route {
    /// A route. The parameters of the plan are those of the path.
    #[must_use]
    pub fn new(method: RouteMethod, path: PathPattern, plan: Plan) -> Self {
        Self { method, path, plan }
    }

    /// How its requests are answered.
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
    /// The path with one more segment, which is this text.
    #[must_use]
    pub fn literal(mut self, text: impl Into<Arc<str>>) -> Self {
        self.segments.push(Segment::Literal(text.into()));
        self
    }

    /// The path with one more segment, which may be any text, and the parameter that this text is for.
    #[must_use]
    pub fn parameter(mut self, name: &str) -> (Self, Parameter) {
        let parameter = Parameter { name: name.into(), index: self.parameters };
        self.segments.push(Segment::Parameter(parameter.clone()));
        self.parameters += 1;
        (self, parameter)
    }
}

/// A path as matchit reads it. Parameters are named by their index, so that paths that differ in names alone are one.
fn shape_of(segments: &[Segment]) -> String {
    let segment = |segment: &Segment| match segment {
        // matchit reads a doubled brace as a brace.
        Segment::Literal(text) => format!("/{}", encode_segment(text).replace('{', "{{").replace('}', "}}")),
        Segment::Parameter(parameter) => format!("/{{{}}}", parameter.index),
    };
    segments.iter().map(segment).collect()
}

/// A segment's text as a [`RouteTable`] takes it in a path.
#[must_use]
pub fn encode_segment(text: &str) -> String {
    text.replace('%', "%25").replace('/', "%2F")
}

impl RouteTable {
    /// The table of these routes.
    ///
    /// # Errors
    /// [`RouteError`] if two of them are for the same requests.
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
        for (shape, routes) in paths {
            let Some(route) = routes.first().cloned() else { continue };
            let conflict = |error| RouteError::Conflict { route: route.clone(), error };
            if let Some((Segment::Parameter(_), before)) = route.path.segments.split_last() {
                // The last segment may be empty, for which matchit takes no parameter.
                by_path.insert(format!("{}/", shape_of(before)), routes.clone()).map_err(conflict)?;
            }
            by_path.insert(shape, routes).map_err(conflict)?;
        }
        Ok(Self { routes, by_path })
    }

    /// All routes, in declared order.
    pub fn iter(&self) -> impl Iterator<Item = &Route> {
        self.routes.iter().map(|route| &**route)
    }

    /// The endpoints, in declared order.
    pub fn endpoints(&self) -> impl DoubleEndedIterator<Item = &SocketEndpoint> {
        self.routes.iter().filter_map(|route| route.endpoint())
    }

    /// The routes of a path; `None` if there are none.
    ///
    /// The path has no slash at its end, and each segment is as [`encode_segment`] writes it. Segments that are no text (UTF-8)
    /// may be encoded in any other way: they match parameters alone.
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
    /// The route of a method.
    #[must_use]
    pub fn route(&self, method: RouteMethod) -> Option<&'t Route> {
        self.routes().find(|route| route.method == method)
    }

    /// The routes of all methods.
    pub fn routes(&self) -> impl Iterator<Item = &'t Route> {
        self.routes.iter().map(|route| &**route)
    }

    /// The endpoint that sockets connect to.
    #[must_use]
    pub fn endpoint(&self) -> Option<&'t SocketEndpoint> {
        self.route(RouteMethod::Get)?.endpoint()
    }

    /// What the path says for a parameter, encoded as in the path.
    #[must_use]
    pub fn parameter(&self, parameter: &Parameter) -> &'p str {
        // One that is empty is not among them.
        self.parameters.iter().nth(parameter.index).map_or("", |(_, text)| text)
    }
}

/// Such as `POST /orders/{id} → count {id}`.
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
        })
    }
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{}}}", self.name)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

    use super::*;

    fn list(name: &str) -> Route {
        let plan = Plan::List { collection: name.into() };
        Route::new(RouteMethod::Get, PathPattern::default().literal(name), plan)
    }

    fn count(parameter: &str) -> Route {
        let (path, row) = PathPattern::default().literal("orders").parameter(parameter);
        Route::new(RouteMethod::Post, path, Plan::Count { row })
    }

    #[test]
    fn a_path_finds_its_routes_and_parameters() {
        let names = ["toys", "toy", "ordersx", "a{b}", "{id}", "{*rest}", "**", "50%", "ü b", "a%2Fb", "a/b", ":x"];
        let table = RouteTable::new(names.map(list).into_iter().chain([count("id")])).unwrap();
        for (path, expected) in [
            ("/toys", "GET /toys → list toys"),
            ("/toy", "GET /toy → list toy"),
            ("/ordersx", "GET /ordersx → list ordersx"),
            ("/a{b}", "GET /a{b} → list a{b}"),
            ("/{id}", "GET /{id} → list {id}"),
            ("/{*rest}", "GET /{*rest} → list {*rest}"),
            ("/**", "GET /** → list **"),
            ("/50%25", "GET /50% → list 50%"),
            ("/ü b", "GET /ü b → list ü b"),
            ("/a%252Fb", "GET /a%2Fb → list a%2Fb"),
            ("/a%2Fb", "GET /a/b → list a/b"),
            ("/:x", "GET /:x → list :x"),
            ("/orders/A1", "POST /orders/{id} → count {id} = A1"),
            ("/orders/A%2F1%25", "POST /orders/{id} → count {id} = A%2F1%25"),
            ("/orders/%FF", "POST /orders/{id} → count {id} = %FF"),
            ("/orders/{id}", "POST /orders/{id} → count {id} = {id}"),
            ("/orders/", "POST /orders/{id} → count {id} = "),
            ("/orders", "none"),
            ("/orders/A1/x", "none"),
            ("/orders//", "none"),
            ("/toys/", "none"),
            ("/toys/x", "none"),
            ("/toysx", "none"),
            ("/a", "none"),
            ("/a/b", "none"),
            ("/50%", "none"),
            ("//toys", "none"),
            ("toys", "none"),
            ("/", "none"),
            ("*", "none"),
            ("", "none"),
        ] {
            let shown = table.find(path).map_or("none".into(), |found| {
                let route = found.routes().next().unwrap();
                match route.plan() {
                    Plan::Count { row } => format!("{route} = {}", found.parameter(row)),
                    _ => route.to_string(),
                }
            });
            assert_eq!(shown, expected, "{path}");
        }
    }

    #[test]
    fn a_path_has_one_route_for_each_method() {
        let (path, collection) = PathPattern::default().literal("orders").parameter("category");
        let endpoint = Route::new(
            RouteMethod::Get,
            path.clone(),
            Plan::Endpoint(SocketEndpoint { collection: collection.clone(), feed: Feed::All }),
        );
        let table = RouteTable::new([count("id"), endpoint]).unwrap();
        let found = table.find("/orders/x").unwrap();
        assert_eq!(
            found.route(RouteMethod::Get).unwrap().to_string(),
            "GET /orders/{category} → endpoint of {category}"
        );
        assert_eq!(found.route(RouteMethod::Post).unwrap().to_string(), "POST /orders/{id} → count {id}");
        assert_eq!(found.endpoint().map(|endpoint| found.parameter(&endpoint.collection)), Some("x"));
    }

    #[test]
    fn two_routes_for_the_same_requests_are_an_error() {
        for (routes, expected) in [
            (
                [list("toys"), list("toys")],
                "`GET /toys → list toys` and `GET /toys → list toys` are for the same requests",
            ),
            (
                [count("id"), count("row")],
                "`POST /orders/{id} → count {id}` and `POST /orders/{row} → count {row}` are for the same requests",
            ),
        ] {
            assert_eq!(RouteTable::new(routes).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn a_table_takes_any_name() {
        let letters = ["", "{", "}", "*", ":", "%", "/", ".", "a", "ü"];
        let pairs: Vec<String> = letters.iter().flat_map(|a| letters.map(|b| format!("{a}{b}"))).collect();
        let mut names: Vec<String> = pairs.iter().flat_map(|a| pairs.iter().map(move |b| format!("{a}{b}"))).collect();
        names.sort();
        names.dedup();
        let table = RouteTable::new(names.iter().map(|name| list(name)).chain([count("id")])).unwrap();
        for name in names {
            let path = format!("/{}", encode_segment(&name));
            let found = table.find(&path);
            let plans: Vec<&Plan> = found.iter().flat_map(PathMatch::routes).map(Route::plan).collect();
            assert_eq!(plans, [&Plan::List { collection: name.as_str().into() }], "{name}");
        }
    }

    #[test]
    fn a_literal_segment_wins_over_a_parameter() {
        let (path, row) = PathPattern::default().parameter("id");
        let any = Route::new(RouteMethod::Post, path, Plan::Count { row });
        let table = RouteTable::new([any, list("toys")]).unwrap();
        for (path, expected) in [("/toys", "GET /toys → list toys"), ("/toy", "POST /{id} → count {id}")] {
            assert_eq!(table.find(path).unwrap().routes().next().unwrap().to_string(), expected, "{path}");
        }
    }
}
