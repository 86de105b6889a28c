//! The target of a request: a world, the mock API or the control API, and a path. It is parsed once and passed along.
//!
//! The prefix `/@NAME/…` or the `x-mockd-world` header names a world; without them, a request is for the default world.
//! The prefix exists because browsers cannot set headers on a WebSocket. Paths below the prefix work as they do without
//! it.
//!
//! Equivalent spellings of a path are normalized (RFC 3986, 6.2.2): characters that need no percent-encoding are
//! decoded, and all others are encoded. A percent-encoded slash does not separate segments. Handlers that need the text
//! of a segment decode the normalized path once.

use std::borrow::Cow;

use percent_encoding::{percent_decode_str, percent_encode};
use poem::Response;
use poem::http::{HeaderMap, HeaderName, Method, StatusCode, Uri, header};

use super::error::ApiError;
use super::upgrade::is_websocket_upgrade;
use crate::scenario::{NOT_IN_SEGMENT, encode_segment};
use crate::world::World;
use crate::worlds::{DEFAULT_WORLD, Worlds, WorldsError};

/// The header that names a world for requests without the prefix.
const WORLD: HeaderName = HeaderName::from_static("x-mockd-world");

/// The prefix of the control API's paths.
pub(super) const CONTROL: &str = "/__mockd";

/// The target of a request.
pub(super) struct RequestTarget<'r> {
    /// The client's method. Handlers see a GET in place of a HEAD.
    pub(super) method: &'r Method,
    /// The URI as received.
    pub(super) uri: &'r Uri,
    pub(super) api: Api,
    /// The normalized path below the world's prefix.
    pub(super) path: Cow<'r, str>,
    pub(super) world: WorldName,
}

/// One of the two APIs of a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Api {
    Mock,
    Control,
}

/// The name of a request's world; `None` if the request does not name one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct WorldName(Option<String>);

impl<'r> RequestTarget<'r> {
    /// Parses the target of a request.
    ///
    /// # Errors
    /// 400 if a name cannot be decoded, or if the path and the header name different worlds.
    pub(super) fn new(method: &'r Method, uri: &'r Uri, headers: &HeaderMap) -> Result<Self, ApiError> {
        let named = named_in_header(headers)?;
        let whole = normalized(uri.path());
        let (world, path) = match whole.strip_prefix("/@") {
            None => (named, whole),
            Some(rest) => {
                let end = rest.find('/').unwrap_or(rest.len());
                let name = decoded(&rest[..end])?;
                if named.is_some_and(|named| named != name) {
                    return Err(ApiError::TwoWorlds);
                }
                (Some(name.into_owned()), suffix_from(&whole, whole.len() - rest.len() + end))
            }
        };
        // A client of a socket follows no redirect to the slash.
        let path = if path.is_empty() && is_websocket_upgrade(headers) { "/".into() } else { path };
        let is_control = path.strip_prefix(CONTROL).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let api = if is_control { Api::Control } else { Api::Mock };
        Ok(Self { method, uri, api, path, world: WorldName(world) })
    }

    /// Returns a redirect that adds the slash to a world's prefix without one, because the links of the page at
    /// `/@NAME/` are relative.
    pub(super) fn redirect(&self) -> Option<Response> {
        let is_bare = self.path.is_empty() && !self.uri.path().is_empty();
        is_bare.then(|| {
            let query = self.query().map(|query| format!("?{query}")).unwrap_or_default();
            let location = format!("{}/{query}", self.uri.path());
            Response::builder().status(StatusCode::PERMANENT_REDIRECT).header(header::LOCATION, location).finish()
        })
    }

    /// Returns the query without its question mark.
    pub(super) fn query(&self) -> Option<&'r str> {
        self.uri.query()
    }

    /// Returns the world's prefix, or an empty text if the path has none.
    pub(super) fn prefix(&self) -> String {
        let whole = normalized(self.uri.path());
        whole.strip_suffix(&*self.path).unwrap_or_default().to_owned()
    }

    /// Returns the path in the form that a [`RouteTable`](crate::scenario::RouteTable) expects. A trailing slash makes
    /// no difference.
    pub(super) fn route_path(&self) -> Cow<'_, str> {
        let path = self.without_slash();
        if !path.contains('%') {
            return path.into();
        }
        let segment = |segment| decoded(segment).map_or_else(|_| segment.to_owned(), |text| encode_segment(&text));
        path.split('/').map(segment).collect::<Vec<_>>().join("/").into()
    }

    /// Checks that a path of a single segment, which may be a name, is UTF-8.
    ///
    /// # Errors
    /// 400 if its percent-encoding is not UTF-8.
    pub(super) fn expect_name(&self) -> Result<(), ApiError> {
        match self.without_slash().strip_prefix('/') {
            Some(name) if !name.contains('/') => decoded(name).map(drop),
            _ => Ok(()),
        }
    }

    /// Returns the URI without the world's prefix, for endpoints that read the URI.
    ///
    /// # Errors
    /// 400 if the result is not a valid URI.
    pub(super) fn uri_without_prefix(&self) -> Result<Uri, ApiError> {
        if self.path == self.uri.path() { Ok(self.uri.clone()) } else { self.with_path(&self.path) }
    }

    /// Returns the URI like [`RequestTarget::uri_without_prefix`], but without a trailing slash in its path.
    ///
    /// # Errors
    /// 400 if the result is not a valid URI.
    pub(super) fn uri_without_prefix_and_slash(&self) -> Result<Uri, ApiError> {
        self.with_path(self.without_slash())
    }

    /// Returns the path without a trailing slash.
    fn without_slash(&self) -> &str {
        self.path.strip_suffix('/').unwrap_or(&self.path)
    }

    fn with_path(&self, path: &str) -> Result<Uri, ApiError> {
        let target = self.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
        target.parse().map_err(|_| ApiError::BadPath)
    }
}

impl WorldName {
    /// Finds the world. Creates it if it does not exist and `may_create` is set.
    ///
    /// # Errors
    /// [`WorldsError`].
    pub(super) async fn find(&self, worlds: &Worlds, may_create: bool) -> Result<World, WorldsError> {
        match self.0.as_deref() {
            None | Some(DEFAULT_WORLD) => Ok(worlds.default_world()),
            // Boxed, because most requests do not need the large future that creates a world.
            Some(name) => Box::pin(worlds.find(name, may_create)).await,
        }
    }
}

fn named_in_header(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let Some(value) = headers.get(WORLD) else { return Ok(None) };
    let name = value.to_str().map_err(|_| WorldsError::BadName("\u{fffd}".into()))?;
    Ok(Some(name.to_owned()))
}

/// Decodes a path segment.
///
/// # Errors
/// 400 if its percent-encoding is not UTF-8.
pub(super) fn decoded(segment: &str) -> Result<Cow<'_, str>, ApiError> {
    percent_decode_str(segment).decode_utf8().map_err(|_| ApiError::BadPath)
}

/// Normalizes the percent-encoding of a path.
fn normalized(path: &str) -> Cow<'_, str> {
    if !path.contains('%') {
        return path.into();
    }
    let segment = |segment: &str| {
        let bytes: Vec<u8> = percent_decode_str(segment).collect();
        percent_encode(&bytes, NOT_IN_SEGMENT).to_string()
    };
    path.split('/').map(segment).collect::<Vec<_>>().join("/").into()
}

/// Returns the text from byte `start` on.
fn suffix_from<'p>(path: &Cow<'p, str>, start: usize) -> Cow<'p, str> {
    match path {
        Cow::Borrowed(path) => path[start..].into(),
        Cow::Owned(path) => path[start..].to_owned().into(),
    }
}

#[cfg(test)]
mod tests {
    use poem::http::{HeaderMap, Method, Uri};

    use super::{Api, RequestTarget};
    use crate::scenario::{Plan, Source, parse};

    #[test]
    fn a_target_names_a_world_an_api_and_a_path() {
        for (uri, world, api, path) in [
            ("/toys?a", None, Api::Mock, "/toys"),
            ("/@a/toys?a", Some("a"), Api::Mock, "/toys"),
            ("/@a%62/", Some("ab"), Api::Mock, "/"),
            ("/@a", Some("a"), Api::Mock, ""),
            ("/@/x", Some(""), Api::Mock, "/x"),
            ("/__mockd", None, Api::Control, "/__mockd"),
            ("/@a/__mockd/state", Some("a"), Api::Control, "/__mockd/state"),
            ("/__mockdx", None, Api::Mock, "/__mockdx"),
            ("http://localhost/@a/__mockd/", Some("a"), Api::Control, "/__mockd/"),
            ("/%40a/toys", Some("a"), Api::Mock, "/toys"),
            ("/@a%2Fb/toys", Some("a/b"), Api::Mock, "/toys"),
            ("/@a%2562/toys", Some("a%62"), Api::Mock, "/toys"),
            ("/%5f%5Fmockd/state", None, Api::Control, "/__mockd/state"),
            ("/%6frders/%41%2541", None, Api::Mock, "/orders/A%2541"),
            ("/orders%2fA1", None, Api::Mock, "/orders%2FA1"),
            ("/a%20%3f%23b", None, Api::Mock, "/a%20%3F%23b"),
            ("/%ff%zz", None, Api::Mock, "/%FF%25zz"),
        ] {
            let (headers, target_uri) = (HeaderMap::new(), Uri::from_static(uri));
            let target =
                RequestTarget::new(&Method::GET, &target_uri, &headers).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!((target.world.0.as_deref(), target.api, &*target.path), (world, api, path), "{uri}");
        }
    }

    #[test]
    fn a_path_leads_to_a_route_or_the_site() {
        let text = "categories: { toys: { prefix: A, products: [] }, '50% {off}': { prefix: B, products: [] } }";
        let scenario = parse(&Source::new("shop.yaml", text)).unwrap_or_else(|problems| panic!("{problems}"));
        for (path, expected) in [
            ("/toys", "list toys"),
            ("/toys/", "list toys"),
            ("/%74oys", "list toys"),
            ("/50%25%20{off}", "list 50% {off}"),
            ("/50%25%20%7Boff%7d/", "list 50% {off}"),
            ("/50%2525%20%7Boff%7D", "site"),
            ("/orders", "site"),
            ("/orders/", "site"),
            ("/orders/A1", "count {id} of A1"),
            ("/orders/A1/", "count {id} of A1"),
            ("/orders//", "count {id} of "),
            ("/orders/a%2Fb%2541", "count {id} of a%2Fb%2541"),
            ("/orders/%ff%41", "count {id} of %FFA"),
            ("/orders%2FA1", "site"),
            ("/orders/A1/x", "site"),
            ("/toys/x", "site"),
            ("/toys//", "site"),
            ("//toys", "site"),
            ("//", "site"),
            ("/", "site"),
            ("*", "site"),
        ] {
            let (headers, uri) = (HeaderMap::new(), Uri::from_static(path));
            let target = RequestTarget::new(&Method::GET, &uri, &headers).unwrap_or_else(|error| panic!("{error}"));
            let path = target.route_path();
            let found = scenario.routes().find(&path);
            let plan = found.as_ref().and_then(|found| Some((found, found.routes().next()?.plan())));
            let shown = match plan {
                None => "site".to_owned(),
                Some((found, plan @ Plan::Count { row })) => format!("{plan} of {}", found.parameter(row)),
                Some((_, plan)) => plan.to_string(),
            };
            assert_eq!(shown, expected, "{uri}");
        }
    }
}
