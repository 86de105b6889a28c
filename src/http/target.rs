//! What a request is for: a world, the mock or its control, and a path there. It is parsed once and passed along.
//!
//! A world is named by `/@NAME/…` or by the `x-mockd-world` header, otherwise it is the default one. By a path, because
//! browsers cannot set headers on a WebSocket. Below the prefix everything is as without it.
//!
//! Different spellings of a path are one path (RFC 3986, 6.2.2): what may be written as it is counts as written so, and the
//! rest is percent-encoded. A slash that is percent-encoded separates nothing. Handlers that need a segment's text decode
//! it from there, once.

use std::borrow::Cow;

use percent_encoding::{percent_decode_str, percent_encode};
use poem::Response;
use poem::http::{HeaderMap, HeaderName, Method, StatusCode, Uri, header};

use super::error::ApiError;
use crate::scenario::{NOT_IN_SEGMENT, encode_segment};
use crate::world::World;
use crate::worlds::{DEFAULT_WORLD, Worlds, WorldsError};

/// The header that names a world for requests without the prefix.
const WORLD: HeaderName = HeaderName::from_static("x-mockd-world");

/// What the paths of the control API begin with.
const CONTROL: &str = "/__mockd";

/// A request's target.
pub(super) struct RequestTarget<'r> {
    /// The method that the client asked with; handlers see a GET for a HEAD.
    pub(super) method: &'r Method,
    /// The whole of it, as it came.
    pub(super) uri: &'r Uri,
    /// Which of the two APIs it is for.
    pub(super) api: Api,
    /// The path below the world's prefix, percent-encoded where it has to be.
    pub(super) path: Cow<'r, str>,
    pub(super) world: WorldName,
}

/// The two APIs of a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Api {
    Mock,
    Control,
}

/// The name of the world that a request is for, if it has one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct WorldName(Option<String>);

impl<'r> RequestTarget<'r> {
    /// The target of a request.
    ///
    /// # Errors
    /// 400 for a path or a name that cannot be read, or if path and header name two worlds.
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
                (Some(name.into_owned()), without_start(&whole, whole.len() - rest.len() + end))
            }
        };
        let is_control = path.strip_prefix(CONTROL).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let api = if is_control { Api::Control } else { Api::Mock };
        Ok(Self { method, uri, api, path, world: WorldName(world) })
    }

    /// Where a world's prefix without a slash leads: links of the page at `/@NAME/` are relative to it.
    pub(super) fn redirect(&self) -> Option<Response> {
        let is_bare = self.path.is_empty() && !self.uri.path().is_empty();
        is_bare.then(|| {
            let query = self.query().map(|query| format!("?{query}")).unwrap_or_default();
            let location = format!("{}/{query}", self.uri.path());
            Response::builder().status(StatusCode::PERMANENT_REDIRECT).header(header::LOCATION, location).finish()
        })
    }

    /// The query without its question mark.
    pub(super) fn query(&self) -> Option<&'r str> {
        self.uri.query()
    }

    /// The world's prefix, if the path has one.
    pub(super) fn prefix(&self) -> String {
        let whole = normalized(self.uri.path());
        whole.strip_suffix(&*self.path).unwrap_or_default().to_owned()
    }

    /// The path as a [`RouteTable`](crate::scenario::RouteTable) takes it. It is the same with and without a slash at its end.
    pub(super) fn route_path(&self) -> Cow<'_, str> {
        let path = self.without_slash();
        if !path.contains('%') {
            return path.into();
        }
        let segment = |segment| decoded(segment).map_or_else(|_| segment.to_owned(), |text| encode_segment(&text));
        path.split('/').map(segment).collect::<Vec<_>>().join("/").into()
    }

    /// A path of one segment, which may be the name of something, has to be text.
    ///
    /// # Errors
    /// 400 if its percent-encoding is not UTF-8.
    pub(super) fn expect_name(&self) -> Result<(), ApiError> {
        match self.without_slash().strip_prefix('/') {
            Some(name) if !name.contains('/') => decoded(name).map(drop),
            _ => Ok(()),
        }
    }

    /// The target as it is without the world's prefix, for endpoints that look at the URI.
    ///
    /// # Errors
    /// 400 if it is none.
    pub(super) fn below(&self) -> Result<Uri, ApiError> {
        if self.path == self.uri.path() { Ok(self.uri.clone()) } else { self.with_path(&self.path) }
    }

    /// As [`RequestTarget::below`], without the slash at the end of its path.
    ///
    /// # Errors
    /// 400 if it is none.
    pub(super) fn below_without_slash(&self) -> Result<Uri, ApiError> {
        self.with_path(self.without_slash())
    }

    /// The path without the slash at its end.
    fn without_slash(&self) -> &str {
        self.path.strip_suffix('/').unwrap_or(&self.path)
    }

    fn with_path(&self, path: &str) -> Result<Uri, ApiError> {
        let target = self.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
        target.parse().map_err(|_| ApiError::BadPath)
    }
}

impl WorldName {
    /// The world, which is made if there is none and it may be made.
    ///
    /// # Errors
    /// [`WorldsError`].
    pub(super) async fn find(&self, worlds: &Worlds, may_make: bool) -> Result<World, WorldsError> {
        match self.0.as_deref() {
            None | Some(DEFAULT_WORLD) => Ok(worlds.default_world()),
            // In a box: most requests need no room for what it takes to make a world.
            Some(name) => Box::pin(worlds.find(name, may_make)).await,
        }
    }
}

fn named_in_header(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let Some(value) = headers.get(WORLD) else { return Ok(None) };
    let name = value.to_str().map_err(|_| WorldsError::BadName("\u{fffd}".into()))?;
    Ok(Some(name.to_owned()))
}

/// The text of a segment of a path.
///
/// # Errors
/// 400 if its percent-encoding is not UTF-8.
pub(super) fn decoded(segment: &str) -> Result<Cow<'_, str>, ApiError> {
    percent_decode_str(segment).decode_utf8().map_err(|_| ApiError::BadPath)
}

/// A path in the one spelling of it.
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

/// The text from that byte on.
fn without_start<'p>(path: &Cow<'p, str>, start: usize) -> Cow<'p, str> {
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
    fn a_path_is_for_a_route_or_for_the_site() {
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
