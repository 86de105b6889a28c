//! Invalid and conflicting keys of routes and endpoints.

use strum::IntoStaticStr;
use thiserror::Error;

/// The reason why a key is not a valid route or endpoint. `Display` writes the first line of the message.
#[derive(Debug, Clone, PartialEq, Eq, Error, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum RouteMistake {
    /// A path without a method, for answers without `crud`.
    #[error("the route has no method")]
    NoMethod(String),
    /// A method before the path of a route with `crud`, which serves several methods.
    #[error("a route with `crud` takes no method")]
    CrudWithMethod(String),
    /// A method as a key inside the route, as in `OpenAPI`.
    #[error("unknown key `{method}`")]
    MethodInside {
        /// The method as written.
        method: String,
        /// The key of the intended route.
        meant: String,
    },
    /// A key without a path.
    #[error("the route has no path")]
    NoPath,
    /// A path that does not start with a slash.
    #[error("the path must start with `/`")]
    NoSlash(String),
    /// An empty segment.
    #[error("the path has an empty segment")]
    EmptySegment,
    /// A `?` or `#`, which ends a path.
    #[error("`{0}` is not allowed in a path")]
    NotPath(char),
    /// Braces that are not a parameter.
    #[error("`{0}` is not a parameter")]
    Braces(String),
    /// A parameter in the syntax of another router.
    #[error("`{written}` is not a parameter")]
    OtherSyntax {
        /// The segment as written.
        written: String,
        /// The segment as a parameter.
        meant: String,
    },
    /// Two parameters with the same name.
    #[error("the path has two parameters named `{0}`")]
    SameParameter(String),
    /// A parameter named `id` on a route with `crud`, which adds its own.
    #[error("the path has a parameter `id`, which `crud` adds to the paths of rows")]
    RowParameter,
    /// A `{*rest}` before other segments.
    #[error("`{0}` is not the last segment")]
    RestNotLast(String),
    /// Two routes that match the same requests.
    #[error("`{0}` and `{1}` match the same requests")]
    SameRequests(String, String),
    /// Two endpoints that match the same sockets.
    #[error("`{0}` and `{1}` match the same sockets")]
    SameSockets(String, String),
    /// A method before the path of an endpoint.
    #[error("an endpoint of `websocket` takes no method")]
    MethodOfEndpoint(String),
    /// Two overlapping routes, neither of which is more specific.
    #[error("`{0}` and `{1}` cannot be told apart")]
    Overlapping(String, String),
    /// A reserved path.
    #[error("`{0}` is reserved")]
    Reserved(String),
}

impl RouteMistake {
    /// Returns the replacement that the author most likely meant.
    pub(super) fn suggestion(&self) -> Option<String> {
        match self {
            Self::CrudWithMethod(path) | Self::MethodOfEndpoint(path) => Some(path.clone()),
            Self::NoSlash(path) => Some(format!("/{path}")),
            Self::OtherSyntax { meant, .. } => Some(meant.clone()),
            _ => None,
        }
    }

    /// Returns advice on how to fix the key.
    pub(super) fn help(&self) -> Option<String> {
        Some(match self {
            Self::NoMethod(path) => {
                format!("write `GET {path}`, or `ANY {path}` for every method; only a route with `crud` has none")
            }
            Self::MethodInside { meant, .. } => format!("the method belongs before the path: `{meant}:`"),
            Self::NoPath => "write a method and a path, such as `GET /todos/{id}`".into(),
            Self::NotPath('?') => "match query parameters with `match: { query: … }`".into(),
            Self::NotPath(_) => "clients do not send the part after it".into(),
            Self::EmptySegment => "remove one of the two slashes".into(),
            Self::Braces(_) => {
                "a parameter is a whole segment: `{name}` of letters, digits, `_` and `-`, or `{*rest}`".into()
            }
            Self::SameParameter(_) | Self::RowParameter => "give one of them another name".into(),
            Self::SameRequests(..) | Self::SameSockets(..) => "remove one of the two, or give it another path".into(),
            Self::Overlapping(..) => "start the two with different segments".into(),
            Self::RestNotLast(_) => "`{*rest}` matches the rest of the path, so nothing can follow it".into(),
            Self::Reserved(_) => "`/__mockd` is the control API, and `/@NAME` is another world".into(),
            _ => return None,
        })
    }
}
